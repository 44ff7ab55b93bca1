"""A record's history as `macros/history.html` shows it."""

from __future__ import annotations

from lims.audit.history import Entry, entries
from lims.views.filters import may, moment, moment_full, url_of
from lims.views.support import current_session

SHORT = 5


def history_of(entity: str, key: int, limit: int = 200) -> list[dict[str, str | None]]:
    """Give who did what to a record, newest first; what a record was made with is told where nothing is left out."""
    return [_told(entry, in_full=limit > SHORT) for entry in entries(current_session(), entity, key, limit)]


def _told(entry: Entry, *, in_full: bool) -> dict[str, str | None]:
    made = "recorded it"
    if entry.created:
        sentence = f"{made}: {'; '.join(entry.sentences)}" if in_full else made
    else:
        sentence = f"changed {'; '.join(entry.sentences)}"
    return {
        "when": moment(entry.at),
        "when_full": moment_full(entry.at),
        "who": entry.person,
        "sentence": sentence,
        "reason": entry.reason,
        "origin": entry.origin,
        "url": url_of("audit.event", seq=entry.event) if may("audit:read") else None,
    }
