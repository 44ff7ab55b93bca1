"""How our own templates are laid out: what writes them (`lims.exports.templates`) and what reads them agree here.

A template is a workbook with a sheet to fill in, whose columns stand described on the sheet `Columns` and whose drop-downs
stand on the hidden sheet `Lists`. The sheet `About` says which registry it is of, of which project, and of which version:
a hash of the description of its columns, so that a template of other columns, or one whose description was changed by
hand, is told apart without a number that somebody has to count up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from importers.sheets import CellValue, Sheet, Workbook
from importers.values import cell_text

ABOUT = "About"
COLUMNS = "Columns"
LISTS = "Lists"
DESCRIBING = (ABOUT, COLUMNS, LISTS)
MARK = ("Registry template", "bcbm-lims")
"""What stands in A1 and B1 of `About`."""
FORMAT = 1
"""Counted up when the layout of the workbook itself changes."""

RECORD = "record"
VERSION = "version"
"""Headers of the first two columns: number and version of the record that a line is about, blank where it is new."""
EXAMPLE = "example"
"""Stands in the column `record` of the line that shows how to fill in, and is never read."""
RECORDED_AGENTS = "agents_recorded"
"""Field of the agents that a line of therapy had when the template was written."""
CODE_SUFFIX = " (stored as)"
"""Of the header on `Lists` of the codes behind a drop-down's words."""


class ColumnKind(StrEnum):
    """What a column of a template holds."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    TRUTH = "yes or no"
    DATE = "date"
    MOMENT = "date and time"
    DAY_OR_MOMENT = "date, with the time if it is known"
    TERM = "term of a list"
    REFERENCE = "another record's code"
    POSITION = "position such as A4"
    AGENTS = "agents with their classes"
    SEVERAL = "several, separated by semicolons"


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column: its header with the unit, what it holds, and the fields of the record that it fills.

    fields: one, or row and column of a position. terms: each as (word, code) of a list.
    """

    header: str
    kind: ColumnKind
    fields: tuple[str, ...]
    needed: bool = False
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Marker:
    """What a template says of itself: the registry's noun, the version, the code of its project, when it was written."""

    noun: str
    version: str
    project: str
    written: str


def version_of(noun: str, columns: Sequence[TemplateColumn]) -> str:
    """Give the version of a template with these columns, such as `1-9f3a61c2`."""
    said = [noun, *(repr((one.header, one.kind.value, one.fields, one.needed, one.terms)) for one in columns)]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return f"{FORMAT}-{digest[:8]}"


def sheet_named(sheets: Sequence[Sheet], name: str) -> Sheet | None:
    """Give a sheet by its name."""
    return next((sheet for sheet in sheets if sheet.name == name), None)


def marker_of(sheets: Sequence[Sheet]) -> Marker | None:
    """Read what a workbook says of itself; `None` where it is none of our templates."""
    about = sheet_named(sheets, ABOUT)
    if about is None or _pair(about.rows[0] if about.rows else ()) != MARK:
        return None
    told = dict(_pair(row) for row in about.rows)
    return Marker(*(told.get(name, "") for name in ("Registry", "Version", "Project", "Written")))


def described_columns(book: Workbook) -> list[TemplateColumn]:
    """Read the columns that the workbook describes; what it does not describe well is left out, and shows in the version."""
    sheet, lists = sheet_named(book.sheets, COLUMNS), _lists(book.sheets)
    found = []
    for row in sheet.rows[1:] if sheet else ():
        header, kind, fields, needed = (cell_text(cell) for cell in (*row, "", "", "", "")[:4])
        if kind in set(ColumnKind):
            terms = zip(lists.get(header, ()), lists.get(header + CODE_SUFFIX, ()), strict=False)
            known = tuple(terms) if kind in (ColumnKind.TERM, ColumnKind.AGENTS) else ()
            found.append(TemplateColumn(header, ColumnKind(kind), tuple(fields.split()), needed == "yes", known))
    return found


def _pair(row: Sequence[CellValue]) -> tuple[str, str]:
    first, second = (*row, "", "")[:2]
    return cell_text(first), cell_text(second)


def _lists(sheets: Sequence[Sheet]) -> dict[str, list[str]]:
    """Give the lists behind the drop-downs by their headers."""
    sheet = sheet_named(sheets, LISTS)
    if sheet is None or not sheet.rows:
        return {}
    found: dict[str, list[str]] = {}
    for place, header in enumerate(sheet.rows[0]):
        cells = [cell_text(row[place]) for row in sheet.rows[1:] if place < len(row)]
        found[cell_text(header)] = [cell for cell in cells if cell]
    return found
