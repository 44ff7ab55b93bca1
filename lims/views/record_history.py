"""A record's history as `macros/history.html` shows it."""

from __future__ import annotations

from typing import Any

from lims.audit.history import Entry, entries
from lims.models import ImportEdit
from lims.queries.blinding import Veil, veil
from lims.queries.import_edits import edits_of_record
from lims.queries.import_records import cells_of
from lims.views.filters import may, moment, moment_full, url_of
from lims.views.import_records import place_of
from lims.views.support import current_project, current_session, sees_arms

SHORT = 5
_MADE = {"import_batch": "uploaded it"}
"""How a record began, where nobody recorded it."""
OF_FILE = "batch "
"""How the origin begins of what a file recorded (`ImportBatch.audit_label`)."""


def history_of(entity: str, key: int, limit: int = 200, *, made_with: bool = False) -> list[dict[str, Any]]:
    """Give who did what to a record, newest first; with `made_with`, also what it was first recorded with."""
    session, project = current_session(), current_project()
    hide = veil(session, project.id, unblinded=sees_arms())
    found = entries(session, entity, key, limit)
    # Most records come from no file, or none that is among the events shown: then no cell of one is asked for.
    of_file = any(entry.origin.startswith(OF_FILE) for entry in found)
    cells = {f"{OF_FILE}{batch}": one for batch, one in cells_of(session, project.id, entity, key).items()} if of_file else {}
    made = _MADE.get(entity, "recorded it")
    told = [_told(entry, hide, cells.get(entry.origin), made, made_with=made_with) for entry in found]
    edits = edits_of_record(session, entity, key) if of_file else ()
    return [*told, *(_corrected(edit, hide) for edit in reversed(edits))][:limit]


def _corrected(edit: ImportEdit, hide: Veil) -> dict[str, str | None]:
    """Tell of a correction of the file that a record came from, made before it was recorded."""
    if edit.column_number is None:
        sentence = f"left {edit.address} out"
    else:
        raw, value = (f"“{text}”" if text else "blank" for text in (edit.raw, edit.value))
        sentence = f"corrected {edit.address} before the import, from {raw} to {value}"
    return {
        "when": moment(edit.made_at),
        "when_full": moment_full(edit.made_at),
        "who": edit.made_by.name if edit.made_by else "The command line",
        "sentence": hide.text(sentence),
        "reason": hide.text(edit.reason),
        "origin": f"batch {edit.batch_id}",
        "url": None,
    }


def _told(entry: Entry, hide: Veil, cell: Any, made: str, *, made_with: bool) -> dict[str, Any]:
    if entry.created:
        sentence = f"{made}: {'; '.join(entry.sentences)}" if made_with else made
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
        "cell": {**place_of(cell), "raw": hide.text(cell.raw)} if cell else None,
        "url": url_of("audit.event", seq=entry.event) if may("audit:read") else None,
    }
