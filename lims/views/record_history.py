"""A record's history as `macros/history.html` shows it."""

from __future__ import annotations

from lims.audit.history import Entry, entries
from lims.queries.blinding import Veil, veil
from lims.views.filters import may, moment, moment_full, url_of
from lims.views.support import current_project, current_session, sees_arms

SHORT = 5


def history_of(entity: str, key: int, limit: int = 200, *, made_with: bool = False) -> list[dict[str, str | None]]:
    """Give who did what to a record, newest first; with `made_with`, also what it was first recorded with."""
    hide = veil(current_session(), current_project().id, unblinded=sees_arms())
    return [_told(entry, hide, made_with=made_with) for entry in entries(current_session(), entity, key, limit)]


def _told(entry: Entry, hide: Veil, *, made_with: bool) -> dict[str, str | None]:
    if entry.created:
        sentence = f"recorded it: {'; '.join(entry.sentences)}" if made_with else "recorded it"
    else:
        changed = [f"changed {'; '.join(entry.sentences)}"] if entry.sentences else []
        sentence = "; ".join([*entry.steps, *changed])
    return {
        "when": moment(entry.at),
        "when_full": moment_full(entry.at),
        "who": entry.person,
        "sentence": hide.text(sentence),
        "reason": hide.text(entry.reason),
        "origin": entry.origin,
        "url": url_of("audit.event", seq=entry.event) if may("audit:read") else None,
    }
