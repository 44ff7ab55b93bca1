"""Where a cell of a sheet is, as people say it. Rows and columns count from 1."""

from __future__ import annotations


def column_letter(column: int) -> str:
    """Give the spreadsheet's letters for a 1-based column number: 1 → A, 27 → AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_address(sheet: str | None, row: int | None, column: int | None) -> str:
    """Say where something stands, as people do: `Sheet1!C7`, `Sheet1 row 7`, `Sheet1 column C`, or nothing."""
    place = ""
    if row is not None and column is not None:
        place = f"!{column_letter(column)}{row}"
    elif row is not None:
        place = f" row {row}"
    elif column is not None:
        place = f" column {column_letter(column)}"
    return f"{sheet or ''}{place}".strip("! ")
