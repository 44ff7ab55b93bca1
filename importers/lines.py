"""Lines of text files that are no tables: as they were before they were cut into cells, and what the books say of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby

from importers.base import ColumnUse, SetAside
from importers.columns import is_blank
from importers.sheets import Sheet, Workbook


def lines_of(book: Workbook) -> list[str]:
    """Give the lines of a text file whole; quotation marks around cells are gone. Nothing for a spreadsheet."""
    if book.kind != "text":
        return []
    return [book.delimiter.join(map(str, row)) for row in book.sheets[0].rows]


def filled_rows(sheet: Sheet) -> list[int]:
    """Give the rows (1-based) that hold anything."""
    return [number for number, row in enumerate(sheet.rows, 1) if not all(map(is_blank, row))]


def set_aside(sheet: Sheet, read: Collection[int], reason: str) -> tuple[SetAside, ...]:
    """Set the rows aside that hold anything and were not read, one region for each run of them."""
    width = max(map(len, sheet.rows), default=0)
    left = [row for row in filled_rows(sheet) if row not in read]
    runs = [[row for _, row in run] for _, run in groupby(enumerate(left), lambda entry: entry[1] - entry[0])]
    return tuple(SetAside(sheet.index, run[0], run[-1], 1, width, reason) for run in runs)


def columns_of(sheet: Sheet, rows: Iterable[int], role: str, header: str) -> tuple[ColumnUse, ...]:
    """List the columns into which lines were cut as used for one thing; the cuts mean nothing."""
    width = max((len(sheet.rows[row - 1]) for row in rows), default=0)
    return tuple(ColumnUse(sheet.index, column, header, role) for column in range(1, width + 1))
