"""Reads the counts of Vi-CELL BLU (csv) and Vi-CELL XR (workbook or text): viable cells and viability of each sample."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import zip_longest

from importers.base import Choices, Claim, Reading, Refused
from importers.cell_counts import NOT_NEEDED, ROLES, records_of_table
from importers.claims import claim_table
from importers.columns import Layout, above, data_rows, is_blank, match, other_sheets, squash, uses
from importers.count_lines import Line, read_lines
from importers.lines import lines_of
from importers.sheets import Sheet, Workbook
from importers.tables import TableReader
from importers.values import cell_text

REQUIRED = ("sample", "viable", "viability", "when")
SEARCH_ROWS = 20
BLU = "Vi-CELL BLU"
MONTH_FIRST = "mdy"
"""What a Vi-CELL BLU writes in the United States, where most are set up; asked where the dates leave it open."""

_XR = re.compile(r"Vi-CELL XR\b[\d. ]*", re.IGNORECASE)
_SERIAL = re.compile(r"S/N:?\s*(\S+)", re.IGNORECASE)
_PAIR = re.compile(r"\s*(?P<name>[^:]+?)\s*:\s*(?P<value>.*?)\s*")


class ViCell:
    """Vi-CELL counts."""

    key = "vicell"
    title = "Vi-CELL counts (BLU, XR)"
    reads = (
        "Cell counts of Vi-CELL BLU (csv) and Vi-CELL XR (xls, xlsx, txt): Sample ID, viable and total cells/mL, "
        "Viability (%), date. Records: preparation."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table with sample, viable cells/mL, viability and date, or the lines of one count of an XR."""
        if claim := claim_table(self.key, book, _table, *REQUIRED):
            return claim
        if _one_count(book):
            return Claim(self.key, (f'the file begins with "{_device(book.sheets[0])}" and has the lines of one count',))
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every count; repeated ones of a sample are counts of their own."""
        sheet = book.sheets[claim.sheet]
        layout = _table(sheet)
        if layout is None:
            return self._read_lines(book)
        reader = TableReader(book, layout, choices)
        xr = _device(sheet)
        records, present = records_of_table(reader, xr or BLU, None if xr else MONTH_FIRST)
        start = layout.header_row - (1 if layout.sheet is not sheet else 0)
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: data_rows(sheet, layout.header_row)},
            columns=uses(layout, {**layout.not_chosen(), **reader.unread}, NOT_NEEDED),
            header_rows={sheet.index: [*range(start, layout.header_row + 1)]},
            set_aside=(
                *above(layout, "stands above the table; the counter is read"),
                *reader.blank_rows(present),
                *other_sheets(book, [sheet.index]),
            ),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
            records=records,
        )

    def _read_lines(self, book: Workbook) -> Reading:
        lines = _one_count(book)
        if not lines:
            raise Refused("table-missing", f'"{book.name}" has no counts of a Vi-CELL')
        return read_lines(self.key, book, lines, _device(book.sheets[0]))


def _table(sheet: Sheet) -> Layout | None:
    """Find the table by its header row; an XR has two, which read as one: `Viable cells` over `/ml (x10^6)`."""
    for number, row in enumerate(sheet.rows[:SEARCH_ROWS], 1):
        if not row or squash(cell_text(row[0])) != "sampleid":
            continue
        below = sheet.rows[number] if number < len(sheet.rows) else ()
        if below and is_blank(below[0]):
            joined = [f"{cell_text(above)} {cell_text(under)}".strip() for above, under in zip_longest(row, below, fillvalue="")]
            both = replace(sheet, rows=[*sheet.rows[:number], joined, *sheet.rows[number + 1 :]])
            if (layout := match(both, number + 1, ROLES)).has(*REQUIRED):
                return layout
        if (layout := match(sheet, number, ROLES)).has(*REQUIRED):
            return layout
    return None


def _device(sheet: Sheet) -> str:
    """Name the XR that wrote the file, with version and serial number; nothing where it is none."""
    head = [text for row in sheet.rows[:SEARCH_ROWS] for cell in row[:1] if (text := cell_text(cell))]
    found = next((named[0].strip() for text in head if (named := _XR.match(text))), "")
    serial = next((said[1] for text in head if (said := _SERIAL.search(text))), "")
    return f"{found}, S/N {serial}" if found and serial else found


def _one_count(book: Workbook) -> list[Line]:
    """Give the lines of a text file of an XR that holds one count; none where it is no such file."""
    lines = [
        Line(row, 1, found["name"], found["value"])
        for row, text in enumerate(lines_of(book), 1)
        if (found := _PAIR.fullmatch(text))
    ]
    names = {squash(line.name) for line in lines}
    return lines if _device(book.sheets[0]) and {"sampleid", "totalviablecellsmlx106"} <= names else []


IMPORTER = ViCell()
