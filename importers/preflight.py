"""Refuses what would harm the reader, before the reader sees it: bombs, far cells, entities, files out of all measure."""

from __future__ import annotations

from importers.base import Refused, column_letter

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
MAX_INFLATED_BYTES = 600 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_RATIO = 300
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
MAX_CELLS = 20_000_000


def check_grid(rows: int, columns: int, sheet: str | None = None) -> None:
    """Refuse a grid of more rows, columns or cells than the limits allow."""
    where = f"Sheet `{sheet}`" if sheet else "The file"
    remedy = "Delete empty rows and columns outside the table, or split the file, and upload it again."
    if rows > MAX_ROWS:
        raise Refused("too-many-rows", f"{where} reaches to row {rows:,}.", expected=f"at most {MAX_ROWS:,} rows", remedy=remedy)
    if columns > MAX_COLUMNS:
        raise Refused(
            "too-many-columns",
            f"{where} reaches to column {column_letter(columns)} ({columns:,} columns).",
            expected=f"at most {MAX_COLUMNS:,} columns",
            remedy=remedy,
        )
    if rows * columns > MAX_CELLS:
        raise Refused(
            "too-many-cells",
            f"{where} spans {rows:,} rows by {columns:,} columns.",
            expected=f"at most {MAX_CELLS:,} cells",
            remedy=remedy,
        )
