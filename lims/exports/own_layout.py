"""Writes rows in the layout of the file that they came from, so that they can be corrected and uploaded again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from lims.domain.formulas import harmless

CellValue: TypeAlias = str | float | int | bool | date | datetime | time | timedelta
OwnSheet: TypeAlias = tuple[str, Sequence[Sequence[CellValue]]]


def own_csv(sheets: Sequence[OwnSheet]) -> bytes:
    """Write csv, sheet after sheet; only what a spreadsheet would run as a formula gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    for _, rows in sheets:
        writer.writerows([_as_text(value) for value in row] for row in rows)
    return out.getvalue().encode()


def own_xlsx(sheets: Sequence[OwnSheet]) -> bytes:
    """Write an xlsx file with the file's own sheets: numbers and dates stay what they are, text is never a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    for name, rows in sheets or [("empty", ())]:
        sheet = book.create_sheet(name[:31])
        for row in rows:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet)
                if not isinstance(value, str):
                    cell.value = value
                elif value:
                    cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
                    cell.data_type = "s"  # openpyxl takes text that begins with = for a formula
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


OWN_FORMATS = {
    "csv": ("text/csv; charset=utf-8", own_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", own_xlsx),
}


def _as_text(value: CellValue) -> str:
    return f"{value:.15g}" if isinstance(value, float) else harmless(str(value))
