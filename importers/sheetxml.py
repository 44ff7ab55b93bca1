"""Walks the XML of one sheet for what the reader drops: error cells, formulas never calculated, hidden rows, true bounds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from defusedxml.ElementTree import iterparse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

GridCheck = Callable[[int, int], None]
"""Raises `importers.base.Refused` if so many rows and columns are too many."""

NO_RESULT = "formula without a stored result"

_ADDRESS = re.compile(r"([A-Za-z]+)([0-9]+)\Z")
_TRUE = {"1", "true"}
_ODS_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_ODS_VALUE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What one sheet holds beside values; rows and columns are 1-based, as in `importers.sheets.Sheet`."""

    problems: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()


def walk_sheet(stream: IO[bytes], check: GridCheck) -> SheetFacts | None:
    """Walk an xlsx part; `None` unless it is a worksheet. Raises what `check` raises, and `ParseError` for broken XML.

    Rows and cells without an address follow the one before, as the format says.
    """
    problems: dict[tuple[int, int], str] = {}
    hidden: set[int] = set()
    grid: Element | None = None
    row = column = 0
    rows = columns = 0
    for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
        tag = _local(element)
        if grid is None:
            grid = element if event == "start" and tag == "sheetData" else None
        elif event == "start" and tag == "row":
            row, column = int(element.get("r", row + 1)), 0
            rows = max(rows, row)
            check(rows, columns)
            if element.get("hidden") in _TRUE:
                hidden.add(row)
        elif event == "start" and tag == "c":
            cell_row, column = _address(element.get("r"), row, column + 1)
        elif event == "end" and tag == "c":
            # A cell with a format and no value, such as a fill down to column AMK, takes no room in the reader's grid.
            if len(element):
                rows, columns = max(rows, cell_row), max(columns, column)
                check(rows, columns)
            if problem := _problem(element):
                problems[cell_row, column] = problem
        elif event == "end" and tag == "row":
            grid.clear()
        elif event == "end" and element is grid:
            break
    return None if grid is None else SheetFacts(problems, frozenset(hidden))


def walk_ods(stream: IO[bytes], check: GridCheck) -> None:
    """Walk an OpenDocument table and check the bounds its repeated rows and cells amount to once they are written out."""
    rows = filled_rows = columns = repeat = 0
    for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
        if not element.tag.startswith(_ODS_TABLE):
            continue
        tag = element.tag[len(_ODS_TABLE) :]
        if event == "start" and tag == "table":
            rows = filled_rows = columns = 0
        elif event == "end" and tag == "table-row":
            repeat = int(element.get(f"{_ODS_TABLE}number-rows-repeated", "1"))
            rows += repeat
            if width := _ods_width(element):
                filled_rows, columns = rows, max(columns, width)
                check(filled_rows, columns)
            element.clear()


def _ods_width(row: Element) -> int:
    """Count the columns of a row up to its last cell with a value: empty ones after it are never written out."""
    position = width = 0
    for cell in row:
        position += int(cell.get(f"{_ODS_TABLE}number-columns-repeated", "1"))
        if cell.get(_ODS_VALUE) is not None or len(cell):
            width = position
    return width


def part_names(workbook: IO[bytes], relations: IO[bytes]) -> dict[str, str]:
    """Map each sheet's part (`xl/worksheets/sheet1.xml`) to the name on its tab. Raises `ParseError` for broken XML."""
    targets = {
        element.get("Id"): element.get("Target", "")
        for _, element in iterparse(relations, forbid_dtd=True)
        if _local(element) == "Relationship"
    }
    names: dict[str, str] = {}
    for _, element in iterparse(workbook, forbid_dtd=True):
        if _local(element) == "sheet":
            key = next((value for name, value in element.items() if name.endswith("}id")), None)
            target = targets.get(key, "")
            names[target.lstrip("/") if target.startswith("/") else f"xl/{target}"] = element.get("name", "")
    return names


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _address(reference: str | None, row: int, column: int) -> tuple[int, int]:
    match = _ADDRESS.match(reference or "")
    if match is None:
        return row, column
    number = 0
    for letter in match[1].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), number


def _problem(cell: Element) -> str | None:
    parts = {_local(part): part.text or "" for part in cell}
    if cell.get("t") == "e":
        return parts.get("v") or "an error"
    if "f" in parts and not parts.get("v") and cell.get("t") != "str":
        return f"{NO_RESULT}: ={parts['f']}" if parts["f"] else NO_RESULT
    return None
