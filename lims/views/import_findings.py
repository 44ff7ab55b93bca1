"""What was found in a file: its kinds with what a person does about them, and the findings themselves, filtered and in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import case

from importers.base import Severity
from lims.domain.errors import NotAllowed
from lims.intake.groups import ANSWERED
from lims.models import ImportBatch, ImportFinding
from lims.queries.blinding import Veil
from lims.queries.import_edits import acceptances
from lims.queries.imports import findings_of_batch, place_in, sheets_found
from lims.views.listing import worded
from lims.views.support import current_session
from lims.views.tables import Column, Empty, Filter, Listing, TableView, one_of, search, table_from_query

SAID = ("message", "value", "expected", "remedy")
"""What a finding quotes of the file or of the records."""
PLURALS = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.NOTE: "notes"}
ANCHOR = "findings"
_WEIGHT = case({one.value: place for place, one in enumerate(Severity)}, value=ImportFinding.severity)
_PLAIN: tuple[tuple[str, str, Any], ...] = (
    ("code", "Kind", ImportFinding.code),
    ("sheet", "Sheet", ImportFinding.sheet),
    ("row", "Row", ImportFinding.row_number),
    ("column", "Column", ImportFinding.column_number),
    ("value", "Cell says", ImportFinding.value),
    ("message", "What is wrong", ImportFinding.message),
    ("expected", "Expected", ImportFinding.expected),
    ("remedy", "What to do", ImportFinding.remedy),
    ("source", "Rule", ImportFinding.source),
)
"""Columns that show what is stored as it is: key, label and column."""


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """All findings of a kind.

    rows: how many rows they stand for. accepted_by, accepted_at: who looked at exactly these, where somebody did.
    """

    severity: str
    code: str
    number: int
    message: str
    remedy: str
    rows: int
    to_accept: bool
    accepted_by: str | None = None
    accepted_at: datetime | None = None

    @property
    def title(self) -> str:
        """Name the kind: `id not unique`, `question: volume unit`."""
        about, asked, key = self.code.partition("-")
        told = f"{about}: {key}" if asked and about in ("question", "proposal") else self.code.replace("-", " ")
        return told.replace("_", " ")

    @property
    def accepted_as_changes(self) -> bool:
        """Tell whether these are changes that a person accepted already."""
        return self.severity == Severity.WARNING and self.code in ANSWERED

    @property
    def open(self) -> bool:
        """Tell whether somebody has to look at it before the file is recorded."""
        return self.to_accept and self.accepted_at is None


def groups_shown(batch: ImportBatch, report: Mapping[str, Any]) -> list[ShownGroup]:
    """Give the kinds of findings of a report (as a person may read it), the gravest first."""
    accepted = acceptances(current_session(), batch.id)
    shown = []
    for one in report.get("groups", []):
        by = accepted.get(one["code"])
        holds = by is not None and one["accept"] and by.digest == one["digest"]
        names: dict[str, Any] = {}
        if by is not None and holds:
            names = {"accepted_by": by.accepted_by.name if by.accepted_by else "the command line", "accepted_at": by.accepted_at}
        keys = ("severity", "code", "number", "message", "rows")
        shown.append(ShownGroup(**{key: one[key] for key in keys}, remedy=one["remedy"] or "", to_accept=one["accept"], **names))
    return shown


def severity_counts(groups: Sequence[ShownGroup]) -> dict[str, int]:
    """Count the findings by severity."""
    return {one.value: sum(group.number for group in groups if group.severity == one.value) for one in Severity}


def _filters(batch: ImportBatch, groups: Sequence[ShownGroup], hide: Veil) -> tuple[Filter, ...]:
    counts = severity_counts(groups)
    sheets = sheets_found(current_session(), batch)
    severities = [(one.value, PLURALS[one]) for one in Severity if counts[one.value]]
    filters = [
        one_of("severity", "Severity", ImportFinding.severity, worded(severities)),
        one_of("code", "Kind", ImportFinding.code, worded(dict.fromkeys((group.code, group.title) for group in groups))),
    ]
    if len(sheets) > 1:
        filters.append(one_of("sheet", "Sheet", ImportFinding.sheet, [(name, name) for name in sheets]))
    if not hide.studies:
        filters.append(search("q", "Find", ImportFinding.message, ImportFinding.value))
    return tuple(filters)


def findings_listing(batch: ImportBatch, groups: Sequence[ShownGroup], hide: Veil) -> Listing:
    """Describe the findings of a batch as a list: errors first, then in the order of the file.

    Who must not know which arm is which does not search in the texts: what is found would tell it.
    """

    def where(row: Any) -> str:
        return place_in(batch, row.sheet, row.row, row.column)

    return Listing(
        noun="batch",
        caption="Findings",
        columns=(
            Column("severity", "Severity", ImportFinding.severity, order=_WEIGHT),
            Column("address", "Where", ImportFinding.id, of_row=True, sortable=False, show=where),
            *(Column(key, label, source, sortable=False, show=as_it_is) for key, label, source in _PLAIN),
        ),
        filters=_filters(batch, groups, hide),
        sort="severity",
        key=ImportFinding.id,
        empty=Empty("None. Every cell was read as expected."),
        anchor=ANCHOR,
    )


def findings_shown(batch: ImportBatch, listing: Listing, hide: Veil) -> TableView:
    """Give the page of findings that the address asks for, as a person may read it."""
    view = table_from_query(current_session(), listing, findings_of_batch(batch))
    rows = [row | hide.within({name: row[name] for name in SAID}) for row in view.rows]
    return replace(view, rows=rows, filed=not hide.studies)


def require_file_of_findings(hide: Veil) -> None:
    """Keep a file of findings from those who must not know arms: texts would have to be veiled one by one."""
    if hide.studies and request.args.get("format"):
        raise NotAllowed(
            "The findings may name arms of a blinded study.", remedy="Read them on the page, where the names are hidden."
        )


def as_it_is(value: Any) -> Any:
    """Show a value that is a cell already."""
    return value
