"""Looks up the cells that people want to correct, in the stored file and in a limited child, and says which cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importers import streams
from importers.preflight import MAX_UPLOAD_BYTES
from importers.registry import STREAMED
from importers.values import cell_text
from importers.workbook import open_workbook
from lims.config import Settings
from lims.db import Database
from lims.domain.cells import cell_address
from lims.domain.errors import DomainError
from lims.intake.limited import run_limited
from lims.intake.store import FileStore
from lims.models import ImportBatch
from lims.records.import_edits import Cell

PASSES_BY = "The rows of this file are counted while they pass by; none of its cells can be seen or corrected by itself."
INSTEAD = "Correct it in the program that wrote it, export it again, and upload that."
AROUND = 3
"""Rows shown before and after the one that is looked at."""
_ADDRESS = re.compile(r"(?:(?P<sheet>.+)!)?(?P<letters>[A-Za-z]{1,3})(?P<row>[1-9]\d{0,6})")
_ROW = re.compile(r"(?:(?P<sheet>.+)!)?(?P<row>[1-9]\d{0,6})")

Place = tuple[str, int]
"""Sheet and row."""


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows of a stored file, as texts. sheets: name → (rows, columns) that the sheet has. rows: those that were asked for."""

    sheets: Mapping[str, tuple[int, int]]
    rows: Mapping[Place, Sequence[str]]

    def sheet_named(self, name: str | None) -> str:
        """Give the sheet of this name; the only one, or the first, where none is named."""
        if name is None:
            return next(iter(self.sheets))
        if name not in self.sheets:
            raise DomainError(
                f'The file has no sheet "{name}".', field="sheet", expected=" or ".join(f'"{one}"' for one in self.sheets)
            )
        return name


def passes_by(batch: ImportBatch) -> bool:
    """Tell whether the rows of a file are only counted while they pass by, so that none of its cells is seen by itself."""
    size = batch.file.size
    return size > MAX_UPLOAD_BYTES or (batch.importer in STREAMED and size > streams.LONG_BYTES)


def rows_of_file(settings: Settings, url: str, batch_id: int, places: Sequence[tuple[str | None, int]]) -> StoredRows:
    """Give rows of a stored file as they stand there; those that are not there are left out.

    Raises:
        Refused: the file cannot be read at all.
        DomainError: its rows only pass by (`passes_by`).
    """
    path, name, choices = _stored(settings, url, batch_id)
    wanted = tuple(places)
    return run_limited(_rows_of, path, name, choices, wanted, memory_mb=settings.import_memory_mb, seconds=settings.import_seconds)


def _stored(settings: Settings, url: str, batch_id: int) -> tuple[Path, str, dict[str, str]]:
    """Find a batch's file, what it is called and how it is read, where its cells can be seen at all."""
    database = Database(url, settings.zone)
    try:
        with database.reading() as session:
            batch = session.get_one(ImportBatch, batch_id)
            if passes_by(batch):
                raise DomainError(PASSES_BY, remedy=INSTEAD)
            return FileStore(settings.file_dir).checked(batch.file.sha256), batch.file_name, batch.choices
    finally:
        database.close()


def _rows_of(path: Path, name: str, choices: dict[str, str], places: Sequence[tuple[str | None, int]]) -> StoredRows:
    book = open_workbook(path.read_bytes(), name, choices)
    sheets = {sheet.name: (len(sheet.rows), max(map(len, sheet.rows), default=0)) for sheet in book.sheets}
    by_name = {sheet.name: sheet for sheet in book.sheets}
    rows: dict[Place, Sequence[str]] = {}
    for sheet_name, row in places:
        sheet = by_name.get(sheet_name or book.sheets[0].name)
        if sheet is not None and 0 < row <= len(sheet.rows):
            rows[sheet.name, row] = tuple(
                sheet.problems.get((row, column)) or cell_text(cell) for column, cell in enumerate(sheet.rows[row - 1], start=1)
            )
    return StoredRows(sheets, rows)


def cells_to_correct(
    stored: StoredRows, headers: Mapping[str, Sequence[int]], wanted: Mapping[tuple[str, int, int], str]
) -> list[Cell]:
    """Give cells (sheet, row, column → what is to be read) with what the file has there.

    Raises:
        DomainError: a cell is not in the file, or in a header row, which says how a whole column is read.
    """
    cells = []
    for (sheet, row, column), value in wanted.items():
        require_row(stored, headers, sheet, row)
        width = stored.sheets[sheet][1]
        if column > width:
            raise DomainError(
                f"There is no cell {cell_address(sheet, row, column)}: the sheet has {width} columns.",
                field="column",
                expected=f"a cell of the first {width} columns",
            )
        texts = stored.rows[sheet, row]
        cells.append(Cell(sheet, row, column, texts[column - 1] if column <= len(texts) else "", value))
    return cells


def require_row(stored: StoredRows, headers: Mapping[str, Sequence[int]], sheet: str, row: int) -> None:
    """Refuse rows that are not there, and rows of headers."""
    name = stored.sheet_named(sheet)
    if (name, row) not in stored.rows:
        length = stored.sheets[name][0]
        raise DomainError(
            f'There is no row {row} in the sheet "{name}": it has {length:,} rows.',
            field="row",
            expected=f"a row from 1 to {length:,}",
        )
    if row in headers.get(name, ()):
        raise DomainError(
            f'Row {row} of the sheet "{name}" is a header: it says how whole columns are read.',
            field="row",
            expected="a row of data",
            remedy="Choose another format on the check page, or correct the header in the file and upload it again.",
        )


def parse_cell(text: str) -> tuple[str | None, int, int]:
    """Read `Sheet1!C7` or `C7` as sheet, row and column."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        raise DomainError(f'"{text}" is no cell.', field="cell", expected="a sheet and a cell, such as Sheet1!C7, or C7 alone")
    return found["sheet"], int(found["row"]), _number_of(found["letters"])


def parse_row(text: str) -> tuple[str | None, int]:
    """Read `Sheet1!7` or `7` as sheet and row."""
    found = _ROW.fullmatch(text.strip())
    if found is None:
        raise DomainError(f'"{text}" is no row.', field="row", expected="a sheet and a row, such as Sheet1!7, or 7 alone")
    return found["sheet"], int(found["row"])


def header_rows(report: Mapping[str, Any] | None) -> dict[str, Sequence[int]]:
    """Give sheet → header rows of the last check."""
    found: dict[str, Sequence[int]] = (report or {}).get("header_rows", {})
    return found


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
