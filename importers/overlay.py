"""Lays what a person corrected, and left out, over a file: between opening and reading, so that no importer knows of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress
from typing import Any, TypeVar

from importers.base import AnimalFacts, Deaths, Doses, Finding, Reading, Records, Series, SetAside, Severity, Stays
from importers.sheets import CellValue, Sheet, Workbook

Part = TypeVar("Part", Series, Doses, Deaths, Stays, Records)
PROBLEM_COLUMN = "What was wrong (not read)"
"""Header of the column that our own files of refused rows have; it is taken off when such a file comes back."""
HEADER_ROWS = 60
"""How far down a sheet that header is looked for."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<point>\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Edit:
    """What is read in place of one cell or, without a column, why a row is left out. Row and column count from 1."""

    sheet: str
    row: int
    column: int | None
    value: str
    reason: str


def overlay(book: Workbook, edits: Iterable[Edit]) -> Workbook:
    """Give the workbook with its corrected cells, as if the file had them; nothing else is touched."""
    by_sheet: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        if edit.column is not None:
            by_sheet[edit.sheet].append(edit)
    if not by_sheet:
        return book
    sheets = tuple(_edited(sheet, by_sheet[sheet.name], book) if sheet.name in by_sheet else sheet for sheet in book.sheets)
    return replace(book, sheets=sheets)


def _edited(sheet: Sheet, edits: Sequence[Edit], book: Workbook) -> Sheet:
    rows, problems = list(sheet.rows), dict(sheet.problems)
    for edit in edits:
        row, column = edit.row - 1, (edit.column or 1) - 1
        if row >= len(rows):
            continue
        cells = [*rows[row], *([""] * (column + 1 - len(rows[row])))]
        cells[column] = typed(edit.value, book)
        rows[row] = cells
        problems.pop((edit.row, column + 1), None)
    return replace(sheet, rows=rows, problems=problems)


def typed(text: str, book: Workbook) -> CellValue:
    """Give a cell as it would stand in a file of this kind: in a workbook a plain number is one, in text all is text.

    `007` stays text, and so does a number with a point where the file's own numbers may have decimal commas.
    """
    number = _NUMBER.fullmatch(text)
    if book.kind == "text" or number is None or (number["point"] and book.decimal != "."):
        return text
    return float(text)


def without_rows(book: Workbook, reading: Reading, edits: Iterable[Edit]) -> tuple[Reading, tuple[Series, ...]]:
    """Give a reading without the rows that a person left out, and the series of those rows alone.

    The rows stay in the books as skipped, each with its reason. They are taken out after reading, not before: what other
    rows take from above or below stays what it was.
    """
    reasons = {(edit.sheet, edit.row): edit.reason for edit in edits if edit.column is None}
    if not reasons:
        return reading, ()
    indices = {sheet.name: sheet.index for sheet in book.sheets}
    gone: dict[int, set[int]] = defaultdict(set)
    for sheet, row in reasons:
        if sheet in indices:
            gone[indices[sheet]].add(row)
    kept = {
        "series": tuple(part for part in (_part(one, gone, left=False) for one in reading.series) if len(part)),
        "records": tuple(part for part in (_part(one, gone, left=False) for one in reading.records) if len(part)),
        **{name: _or_none(getattr(reading, name), gone) for name in ("doses", "deaths", "stays")},
    }
    aside = tuple(
        SetAside(indices[sheet], row, row, 1, max(1, len(book.sheets[indices[sheet]].rows[row - 1])), reason, row_fate=True)
        for (sheet, row), reason in sorted(reasons.items())
        if sheet in indices and row <= len(book.sheets[indices[sheet]].rows)
    )
    findings = tuple(one for one in reading.findings if (one.sheet, one.row) not in reasons)
    found = replace(reading, **kept, set_aside=(*reading.set_aside, *aside), findings=findings)
    left = tuple(part for part in (_part(one, gone, left=True) for one in reading.series) if len(part))
    return replace(found, animals=_facts(found, gone)), left


def _or_none(part: Any, gone: Mapping[int, set[int]]) -> Any:
    kept = None if part is None else _part(part, gone, left=False)
    return kept if kept is not None and len(kept) else None


def _part(part: Part, gone: Mapping[int, set[int]], *, left: bool) -> Part:
    """Give a part without the rows that are left out; with `left`, those alone."""
    out = gone.get(part.sheet, set())
    keep = [(row in out) == left for row in part.rows]
    if all(keep):
        return part
    changed: dict[str, Any] = {}
    for one in fields(part):
        column = getattr(part, one.name)
        if isinstance(column, Sequence) and not isinstance(column, str):
            changed[one.name] = list(compress(column, keep))
    if isinstance(part, Series):
        places = {index: place for place, index in enumerate(compress(range(len(part)), keep))}
        changed["suspect"] = {places[index]: said for index, said in part.suspect.items() if index in places}
    if isinstance(part, Records):
        changed["fields"] = {name: list(compress(column, keep)) for name, column in part.fields.items()}
    return replace(part, **changed)


def _facts(reading: Reading, gone: Mapping[int, set[int]]) -> dict[str, AnimalFacts]:
    """Let what is said of an animal point to a row that counts: the first of its own that is left."""
    parts = (*reading.series, *(one for one in (reading.doses, reading.deaths, reading.stays) if one is not None))
    first: dict[str, tuple[int, int]] = {}
    for part in parts:
        for label, row in zip(part.animals, part.rows, strict=True):
            first.setdefault(label, (part.sheet, row))
    return {
        label: replace(facts, sheet=first[label][0], row=first[label][1])
        if facts.row in gone.get(facts.sheet, ()) and label in first
        else facts
        for label, facts in reading.animals.items()
    }


def without_problem_column(book: Workbook) -> Workbook:
    """Take off the column that our own files of refused rows have, and say so."""
    found = {sheet.index: column for sheet in book.sheets if (column := _problem_column(sheet)) is not None}
    if not found:
        return book
    sheets = tuple(
        replace(sheet, rows=[_cut(row, found[sheet.index]) for row in sheet.rows]) if sheet.index in found else sheet
        for sheet in book.sheets
    )
    told = [_taken_off(sheet, found[sheet.index]) for sheet in sheets if sheet.index in found]
    return replace(book, sheets=sheets, findings=(*book.findings, *told))


def _problem_column(sheet: Sheet) -> int | None:
    return next((row.index(PROBLEM_COLUMN) for row in sheet.rows[:HEADER_ROWS] if PROBLEM_COLUMN in row), None)


def _cut(row: Sequence[CellValue], column: int) -> Sequence[CellValue]:
    return [*row[:column], "", *row[column + 1 :]] if len(row) > column + 1 else row[:column]


def _taken_off(sheet: Sheet, column: int) -> Finding:
    return Finding(
        Severity.NOTE,
        "problem-column-ignored",
        f'The column "{PROBLEM_COLUMN}" tells what was wrong with these rows before. It is not read.',
        sheet=sheet.name,
        column=column + 1,
    )
