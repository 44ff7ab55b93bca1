"""Sheets of addressed cells: what a file is once it was opened, and what every importer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from importers.base import Finding, Question

CellValue = str | float | int | bool | date | datetime | time | timedelta
"""A cell as the reader gives it. A blank cell is the empty string."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `rows[0]` is the sheet's row 1 and `rows[i][0]` its column A; rows may be ragged in text files.

    problems: (row, column), both 1-based → what stands there and cannot be read as a value
    (`#DIV/0!`, `formula without a stored result`). merged: (first row, first column, last row, last column), 1-based.
    stream: of text too long to hold, gives all rows one after the other; `rows` holds the first ones only then.
    """

    name: str
    index: int
    rows: Sequence[Sequence[CellValue]]
    visible: bool = True
    merged: tuple[tuple[int, int, int, int], ...] = ()
    problems: Mapping[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    stream: Callable[[], Iterator[Sequence[CellValue]]] | None = None

    def every_row(self) -> Iterator[Sequence[CellValue]]:
        """Pass all rows by, held or not; raises `importers.base.Refused` where one of a stream cannot be read."""
        return iter(self.rows) if self.stream is None else self.stream()


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file, opened. `kind` is xlsx, xls, xlsb, ods, text, json or asm (JSON of the Allotrope simple model).

    questions: the reader's own (encoding, delimiter, decimal).
    decimal: the mark in numbers that are text, `.` or `,`; `?` while a person has to say, when `importers.values.numbers`
    takes decimal points and makes a problem of every number with one comma.
    delimiter: where the lines of a text were cut into cells; empty where they were not, and for spreadsheets.
    """

    name: str
    kind: str
    sheets: tuple[Sheet, ...]
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    decimal: str = "."
    delimiter: str = ""

    @property
    def whole(self) -> bool:
        """Tell whether all cells are held; an importer that needs them cannot read what streams."""
        return all(sheet.stream is None for sheet in self.sheets)
