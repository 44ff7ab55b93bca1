"""Opens what instruments and labs write, by content and never by extension, into sheets of addressed cells."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from importers.base import Choices, Finding, Question
from importers.text import read_text

CellValue = str | float | int | bool | date | datetime | time | timedelta
"""A cell as the reader gives it. A blank cell is the empty string."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `rows[0]` is the sheet's row 1 and `rows[i][0]` its column A; rows may be ragged in text files.

    problems: (row, column), both 1-based → what stands there and cannot be read as a value
    (`#DIV/0!`, `formula without a stored result`). merged: (first row, first column, last row, last column), 1-based.
    """

    name: str
    index: int
    rows: Sequence[Sequence[CellValue]]
    visible: bool = True
    merged: tuple[tuple[int, int, int, int], ...] = ()
    problems: Mapping[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file, opened. `kind` is xlsx, xls, xlsb, ods or text; `questions` are the reader's own (encoding, delimiter, decimal)."""

    name: str
    kind: str
    sheets: tuple[Sheet, ...]
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    decimal: str = "."


def open_workbook(content: bytes, name: str, choices: Choices | None = None) -> Workbook:
    """Open a file by its content.

    Raises `importers.base.Refused` for what cannot or must not be read (encrypted, truncated, hostile, oversize, empty).
    """
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _open_spreadsheet(content, name)
    table = read_text(content, choices or {})
    return Workbook(name, "text", (Sheet(name, 0, table.rows),), questions=table.questions, decimal=table.decimal)


def _open_spreadsheet(content: bytes, name: str) -> Workbook:
    sheets = []
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for index, meta in enumerate(book.sheets_metadata):
            sheet = book.get_sheet_by_index(index)
            merged = tuple((top + 1, left + 1, bottom + 1, right + 1) for (top, left), (bottom, right) in sheet.merged_cell_ranges or ())
            rows = sheet.to_python(skip_empty_area=False)
            sheets.append(Sheet(meta.name, index, rows, meta.visible is SheetVisibleEnum.Visible, merged))
    return Workbook(name, "xlsx" if content.startswith(b"PK") else "xls", tuple(sheets))
