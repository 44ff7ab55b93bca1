"""The sheets of the CancerModels.org workbook: columns by name, lines that explain them, lines that hold data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from importers.base import ColumnUse, Finding, Records, SetAside, Severity
from importers.cancermodels_terms import NOTHING
from importers.columns import is_blank
from importers.sheets import CellValue, Sheet, Workbook
from importers.values import cell_text

_Term = TypeVar("_Term")
Fields = Mapping[str, tuple[str | None, Callable[[int], Any]]]
"""Field of a record → the column that it is read from, if one, and what reads it of a row."""


@dataclass(slots=True)
class Entity:
    """One sheet: its columns by name, and the sheet's rows that hold data."""

    sheet: Sheet
    places: Mapping[str, int]
    rows: Sequence[int]
    explained: Sequence[int]
    findings: list[Finding] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    """Row → why nothing is recorded of it."""

    def cell(self, row: int, name: str) -> CellValue:
        """Give a cell as the reader has it; blank where the sheet has no such column."""
        place, cells = self.places.get(name), self.sheet.rows[row - 1]
        return cells[place - 1] if place is not None and place <= len(cells) else ""

    def text(self, row: int, name: str) -> str | None:
        """Give a cell's text; nothing where it says that nothing is known."""
        text = cell_text(self.cell(row, name))
        return None if text.casefold() in NOTHING else text

    def term(self, row: int, name: str, terms: Mapping[str, _Term], *, needed: bool = False) -> _Term | None:
        """Give the term of ours that a cell says; a word that is none is told, and nothing is recorded of it."""
        text = self.text(row, name)
        if text is None and not needed:
            return None
        text = text or ""
        found = terms.get(text.casefold())
        if found is None:
            known = ", ".join(dict.fromkeys(terms))
            self.say(
                row,
                name,
                "term-unknown",
                f'"{text}" is no {name.replace("_", " ")} that is known here',
                f"one of {known}",
                error=needed,
            )
        return found

    def say(self, row: int, name: str, code: str, told: str, expected: str, *, error: bool = False) -> None:
        """Tell something of a cell."""
        severity = Severity.ERROR if error else Severity.WARNING
        what = "the line is not recorded" if error else "the field stays blank"
        value = cell_text(self.cell(row, name))
        where = (self.sheet.name, row, self.places.get(name), value)
        remedy = "Correct the cell, or record it by hand afterwards."
        self.findings.append(Finding(severity, code, f"{told}; {what}.", *where, expected, remedy))

    def kept(self, key: str) -> list[int]:
        """Give the rows that name what they are about; the others are told."""
        for row in self.rows:
            if self.text(row, key) is None and row not in self.dropped:
                self.dropped[row] = "names nothing"
                self.say(row, key, "id-missing", f"the line has no {key}", f"a {key} in every line", error=True)
        return [row for row in self.rows if row not in self.dropped]

    def records(self, noun: str, key: str, rows: Sequence[int], fields: Fields) -> Records:
        """Give rows as records: field → (column that it is read from, what reads it)."""
        return Records(
            noun,
            self.sheet.index,
            rows,
            self.places[key],
            {name: [read(row) for row in rows] for name, (_, read) in fields.items()},
            {name: self.places[column] for name, (column, _) in fields.items() if column and column in self.places},
            [" · ".join(text for cell in self.sheet.rows[row - 1] if (text := cell_text(cell))) for row in rows],
        )

    def uses(self, roles: Mapping[str, str], unread: Mapping[str, str], otherwise: str) -> list[ColumnUse]:
        """List every column: what it is read as, or why it is not."""
        named = [
            ColumnUse(self.sheet.index, place, header, roles.get(header), "" if header in roles else unread.get(header, otherwise))
            for header, place in self.places.items()
        ]
        width, known = max(map(len, self.sheet.rows)), set(self.places.values())
        return named + [ColumnUse(self.sheet.index, at, "", None, "no header") for at in range(1, width + 1) if at not in known]

    def aside(self) -> list[SetAside]:
        """Set aside the lines that explain the columns, and those of which nothing is recorded."""
        width = max(map(len, self.sheet.rows))
        told = dict.fromkeys(self.explained, "explains the columns") | self.dropped
        index, rows = self.sheet.index, sorted(told)
        return [SetAside(index, row, row, 1, width, told[row], row_fate=row in self.dropped) for row in rows]


def entity_of(book: Workbook, name: str) -> Entity | None:
    """Find a sheet by its name, with its columns, the rows that explain them, and those with data."""
    sheet = next((sheet for sheet in book.sheets if sheet.name.strip().casefold() == name), None)
    if sheet is None or not sheet.rows:
        return None
    places: dict[str, int] = {}
    for place, cell in enumerate(sheet.rows[0], 1):
        if not is_blank(cell):
            places.setdefault(cell_text(cell), place)
    filled = [number for number, row in enumerate(sheet.rows[1:], 2) if not all(map(is_blank, row))]
    explained = [row for row in filled if cell_text(sheet.rows[row - 1][0]).startswith("#")]
    return Entity(sheet, places, [row for row in filled if row not in set(explained)], explained)
