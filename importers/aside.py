"""Accounts for rows of a sheet that are not read."""

from __future__ import annotations

from collections.abc import Sequence

from importers.base import SetAside
from importers.sheets import Sheet


def rows_aside(sheet: Sheet, rows: Sequence[int], reason: str, *, row_fate: bool = False) -> list[SetAside]:
    """Set whole rows aside, one region for each run of them."""
    found: list[SetAside] = []
    width = max(map(len, sheet.rows), default=0)
    for row in rows:
        if found and found[-1].last_row == row - 1:
            found[-1] = SetAside(sheet.index, found[-1].first_row, row, 1, width, reason, row_fate)
        else:
            found.append(SetAside(sheet.index, row, row, 1, width, reason, row_fate))
    return found
