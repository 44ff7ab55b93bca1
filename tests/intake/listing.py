"""An importer for tests alone: a sheet lists records of the noun that its first cell names, a column for each field."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import openpyxl

from importers import identify, registry
from importers.base import Choices, Claim, ColumnUse, Reading, Records
from importers.sheets import Sheet, Workbook
from importers.values import cell_text

MARK = "#"


@dataclass(frozen=True)
class Listing:
    """Reads `#exposure,animal,agent,…`: all cells as text, blank ones as nothing; `known`, `version` and `clears` are no fields."""

    key: str = "listing"
    title: str = "Listing"
    reads: str = "Lists of records, for tests."

    def claim(self, book: Workbook) -> Claim | None:
        """Claim by the mark."""
        marked = [sheet for sheet in book.sheets if sheet.rows and cell_text(sheet.rows[0][0]).startswith(MARK)]
        return Claim(self.key, ("the mark",), marked[0].index, 1) if marked else None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every sheet."""
        sheets = [sheet for sheet in book.sheets if sheet.rows]
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: range(2, len(sheet.rows) + 1) for sheet in sheets},
            columns=tuple(
                ColumnUse(sheet.index, place + 1, str(name), str(name))
                for sheet in sheets
                for place, name in enumerate(sheet.rows[0])
            ),
            header_rows={sheet.index: [1] for sheet in sheets},
            records=tuple(map(_records, sheets)),
        )


def _records(sheet: Sheet) -> Records:
    head = [cell_text(cell) for cell in sheet.rows[0]]
    body = [[cell_text(cell) or None for cell in row] + [None] * (len(head) - len(row)) for row in sheet.rows[1:]]
    columns: dict[str, list[Any]] = {name: [row[place] for row in body] for place, name in enumerate(head) if place}
    special = {name: columns.pop(name) for name in ("known", "version", "clears") if name in columns}
    numbers = {name: [int(one) if one else None for one in cells] for name, cells in special.items()}
    return Records(
        noun=head[0].removeprefix(MARK),
        sheet=sheet.index,
        rows=range(2, len(sheet.rows) + 1),
        column=2,
        fields=columns,
        columns={name: head.index(name) + 1 for name in columns},
        raw=[" · ".join(filter(None, row)) for row in body],
        known=numbers.get("known"),
        versions=numbers.get("version"),
        blank_clears="clears" in special,
    )


@contextmanager
def listings_read(monkeypatch: Any) -> Iterator[None]:
    """Let the tests' own importer be one of all, in this process: a child that began afresh would not know it."""
    importers = (*registry.IMPORTERS, Listing())
    monkeypatch.setattr(registry, "IMPORTERS", importers)
    monkeypatch.setattr(identify, "IMPORTERS", importers)
    yield


def table(noun: str, head: str, *rows: str) -> str:
    """Write a list as text: `table("exposure", "animal,agent", "M1,T-DXd")`."""
    return "\n".join([f"{MARK}{noun},{head}", *(f",{row}" for row in rows), ""])


def book(*sheets: tuple[str, ...]) -> bytes:
    """Write a workbook with a list of records on each sheet: noun, header, lines."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for noun, head, *rows in sheets:
        sheet = made.create_sheet(noun)
        for line in csv.reader(io.StringIO(table(noun, head, *rows))):
            sheet.append([cell or None for cell in line])
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()
