"""Builds workbooks for importers' tests, and checks that a reading's books balance."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import openpyxl

from importers.base import Finding, Reading, Severity
from importers.columns import is_blank
from importers.sheets import CellValue, Workbook
from importers.workbook import open_workbook


def text_book(text: str, name: str = "sizes.csv", **choices: str) -> Workbook:
    """Open delimited text as an upload would be."""
    return open_workbook(text.encode(), name, choices)


def excel_book(sheets: dict[str, Sequence[Sequence[object]]], merged: Sequence[str] = (), name: str = "sizes.xlsx") -> Workbook:
    """Save sheets of rows as a workbook and open it; `merged` are ranges of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        book.worksheets[0].merge_cells(area)
    content = BytesIO()
    book.save(content)
    return open_workbook(content.getvalue(), name)


def file_book(path: Path) -> Workbook:
    """Open a file as an upload would be."""
    return open_workbook(path.read_bytes(), path.name)


def read(importer, book: Workbook, **choices: str) -> Reading:
    """Claim and read, and check that the books balance."""
    claim = importer.claim(book)
    assert claim is not None, "the importer does not claim this workbook"
    assert claim.evidence
    reading = importer.read(book, claim, choices)
    assert unaccounted(book, reading) == []
    assert rows_without_fate(reading) == []
    return reading


def unaccounted(book: Workbook, reading: Reading) -> list[tuple[str, int, int, CellValue]]:
    """List the cells with anything to see that are in no header row, no listed column and no region set aside."""
    missing = []
    for sheet in book.sheets:
        headers = set(reading.header_rows.get(sheet.index, ()))
        columns = {use.column for use in reading.columns if use.sheet == sheet.index}
        regions = [region for region in reading.set_aside if region.sheet == sheet.index]
        for number, row in enumerate(sheet.rows, 1):
            for column, cell in enumerate(row, 1):
                covered = any(
                    one.first_row <= number <= one.last_row and one.first_column <= column <= one.last_column for one in regions
                )
                if not is_blank(cell) and number not in headers and column not in columns and not covered:
                    missing.append((sheet.name, number, column, cell))
    return missing


def rows_without_fate(reading: Reading) -> list[tuple[int, int]]:
    """List the data rows with no reading, event or record, no finding and no reason for being skipped."""
    told = {finding.row for finding in reading.findings}
    found = []
    for sheet, rows in reading.data_rows.items():
        events = (
            *reading.series,
            *reading.records,
            *(one for one in (reading.doses, reading.deaths, reading.stays) if one is not None),
        )
        recorded = {row for one in events if one.sheet == sheet for row in one.rows}
        skipped = {
            row
            for one in reading.set_aside
            if one.sheet == sheet and one.row_fate
            for row in range(one.first_row, one.last_row + 1)
        }
        waiting = any(question.answer is None for question in reading.questions)
        found += [(sheet, row) for row in rows if row not in recorded | skipped | told and not waiting]
    return found


def findings(reading: Reading, code: str) -> list[Finding]:
    """Pick the findings of one code."""
    return [finding for finding in reading.findings if finding.code == code]


def errors(reading: Reading) -> list[str]:
    """List the codes of the findings that block."""
    return [finding.code for finding in reading.findings if finding.severity is Severity.ERROR]


def proposals(reading: Reading) -> dict[str, str | None]:
    """Map each question to its proposal."""
    return {question.key: question.proposed for question in reading.questions}


def entries(series) -> list[tuple[str, object, float | None]]:
    """List a series as (animal, when, value), in the order of the animals."""
    return sorted(zip(series.animals, series.when, series.values, strict=True), key=lambda entry: (entry[0], entry[1]))
