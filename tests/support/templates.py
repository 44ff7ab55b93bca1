"""Templates of registries in memory, and what a person does with them in a spreadsheet program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import openpyxl

from lims.exports.templates import Contents, template_blocks
from lims.records.registries import REGISTRIES

WRITTEN = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)


def template(
    noun: str, *rows: Sequence[Any], project: str = "BCBM", codes: Mapping[str, Sequence[str]] | None = None, left_out: str = ""
) -> bytes:
    """Write a registry's template, with records where some are given."""
    left = [left_out] if left_out else []
    contents = Contents(REGISTRIES[noun], project, WRITTEN, codes or {}, rows, filled=bool(rows), left_out=left)
    return b"".join(template_blocks(contents))


def line(noun: str, key: int | None = None, version: int | None = None, **values: Any) -> list[Any]:
    """Give a line of a registry by the fields of its columns."""
    return [key, version, *(values.get(one.field) for one in REGISTRIES[noun].columns)]


def edited(content: bytes, *edits: Callable[[Any], None]) -> bytes:
    """Open a workbook, let somebody edit it, and save it."""
    book = openpyxl.load_workbook(BytesIO(content))
    for edit in edits:
        edit(book)
    saved = BytesIO()
    book.save(saved)
    return saved.getvalue()


def put(header: str, row: int, value: Any, sheet: int = 0) -> Callable[[Any], None]:
    """Give the edit that writes a value under a header."""

    def edit(book: Any) -> None:
        found = book.worksheets[sheet]
        column = next(cell.column for cell in found[1] if cell.value == header)
        found.cell(row, column).value = value

    return edit
