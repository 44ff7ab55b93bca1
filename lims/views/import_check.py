"""What the pages of a batch show, as a person may read it: report, findings by kind and one by one, corrections, changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lims.audit.words import field_word, term_text, unit_of
from lims.domain.fates import REASON_WORDS
from lims.intake.edits import INSTEAD, PASSES_BY, passes_by
from lims.models import ImportBatch
from lims.plots import shown
from lims.queries.blinding import Veil, veil
from lims.queries.import_edits import edits_shown
from lims.queries.import_names import unknown_names
from lims.queries.imports import values_found
from lims.views.addresses import page_of
from lims.views.import_edits import latest_edit
from lims.views.import_file import veiled
from lims.views.import_findings import as_it_is, findings_listing, findings_shown, groups_shown, severity_counts
from lims.views.import_words import ENTITIES, answers_told, blocks_of, event_tiles, tiles
from lims.views.listing import Column, Listing
from lims.views.project_kinds import project_kinds
from lims.views.support import current_session, sees_arms
from lims.views.tables import TableView, table_from_rows

CHANGES_FIRST = 10
"""Changes that the check page shows; the others have a page of their own."""
_OF_ROWS: Any = None
CHANGES = (
    Column("of", "Record", _OF_ROWS, sortable=False, show=as_it_is),
    Column("field", "Field", _OF_ROWS, sortable=False),
    Column("old", "Recorded", _OF_ROWS, align="end", sortable=False),
    Column("new", "This file", _OF_ROWS, align="end", sortable=False, show=as_it_is),
    Column("where", "Where", _OF_ROWS, mono=True, sortable=False),
)


@dataclass(frozen=True, slots=True)
class Change:
    """Changes of one kind: how many records, and whether they were accepted."""

    kind: str
    title: str
    number: int
    accepted: bool


def as_read(batch: ImportBatch) -> tuple[dict[str, Any], Veil]:
    """Give a batch's report without the names of arms that this person must not know, those that the file would add too."""
    hide = veil(current_session(), batch.project_id, unblinded=sees_arms())
    report: dict[str, Any] = batch.report or {}
    if not hide.studies:
        return report, hide
    added = (arm.split(": ", 1)[1] for arm in report.get("create", {}).get("arms", []))
    # A finding may name what an animal was given, which tells its arm.
    given = (one["compound"] for one in report.get("doses", []))
    named = values_found(current_session(), batch, "arm-unknown")
    hide = hide.also([*added, *given, *named, *report.get("veiled", [])])
    return hide.within(report), hide


def of_both(batch: ImportBatch, report: dict[str, Any], hide: Veil) -> tuple[dict[str, Any], Listing]:
    """Give what the check page and the page of a recorded batch have in common, and the list of its findings."""
    groups = groups_shown(batch, report)
    listing = findings_listing(batch, groups, hide)
    edits, number = edits_shown(current_session(), batch)
    return {
        "batch": batch,
        "report": report,
        "groups": groups,
        "counts": severity_counts(groups),
        "found": findings_shown(batch, listing, hide),
        "passes_by": f"{PASSES_BY} {INSTEAD}" if passes_by(batch) else "",
        "edits": edits,
        "edit_count": number,
        "hide": hide,
        "veiled": veiled(batch),
        "tiles": tiles(batch),
        "answers": answers_told(batch, report),
        "blocks": blocks_of(report),
        "event_tiles": event_tiles(batch),
        "reason_words": {reason.value: words for reason, words in REASON_WORDS.items()},
    }, listing


def of_check(batch: ImportBatch, report: dict[str, Any]) -> dict[str, Any]:
    """Give what the check page has beside that: names nobody knows, changes of records, and which correction was the latest."""
    unknown = [one for one in unknown_names(current_session(), batch) if one.kind != "arm" or sees_arms()]
    changed = changed_lines(report, CHANGES_FIRST) if report.get("changes") else None
    return {"unknown": unknown, "seen": latest_edit(batch), "changes": _changes(batch, report), "changed": changed}


def _changes(batch: ImportBatch, report: dict[str, Any]) -> list[Change]:
    accepted = batch.choices.get("changed", "")
    return [
        Change(kind, _title(kind), number, accepted == "accept" or kind in accepted.split(","))
        for kind, number in report.get("changed", {}).items()
    ]


def _title(kind: str) -> str:
    known = project_kinds().get(kind)
    return known.title if known else f"{kind[0].upper()}{kind[1:]}"


def changed_lines(report: dict[str, Any], most: int | None = None) -> TableView:
    """Give the fields that would change, as a table."""
    rows = [_line(one) for one in report.get("changes", [])[:most]]
    table = table_from_rows("Changes of what is recorded", CHANGES, rows, "Nothing of what is recorded would change.")
    return replace(table, filed=False)


def _line(one: dict[str, Any]) -> dict[str, Any]:
    """Give a change as a row: the record with its page, the field with its unit, old, new, and where the file says so."""
    entity = ENTITIES.get(one["noun"], one["noun"])
    kind = project_kinds().get(one["group"]) if entity == "measurement" else None
    unit = unit_of(entity, one["field"], kind)
    decimals = kind.decimals if kind and one["field"] == "value" else None
    said = {side: _said(one[side], decimals, digits=kind is not None and one["field"] == "value") for side in ("old", "new")}
    return {
        "of": {"text": one["of"], "url": page_of(entity, one["key"]) if one["key"] else None},
        "field": field_word(entity, one["field"], kind) + (f" ({unit})" if unit else ""),
        "old": said["old"],
        "new": {"text": said["new"], "tone": "warning"},
        "where": f"{one['sheet']} row {one['row']}",
    }


def _said(value: Any, decimals: int | None, *, digits: bool) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return shown(value, decimals) if digits else f"{value:g}"
    return term_text(value) if isinstance(value, str) else str(value)
