"""Reads the counts of NucleoCounter: the table of NC-View, and the file of one count that NucleoView writes."""

from __future__ import annotations

from importers.base import Choices, Claim, Reading, Refused
from importers.cell_counts import NOT_NEEDED, ROLES, records_of_table
from importers.claims import claim_table
from importers.columns import above, data_rows, find_table, is_blank, other_sheets, squash, uses
from importers.count_lines import Line, read_lines
from importers.sheets import Sheet, Workbook
from importers.tables import TableReader
from importers.values import cell_text

REQUIRED = (("sample", "viable", "total", "viability", "count_name"),)
COUNT_LINES = frozenset(("image", "livecellsml", "viability", "totalcellsml"))
"""Names of the lines that one count of NucleoView has."""
NAMES = ("instrumenttype", "instrumentsn")


class NucleoCounter:
    """NucleoCounter counts."""

    key = "nucleocounter"
    title = "NucleoCounter counts (NC-View, NucleoView)"
    reads = (
        "Cell counts of NucleoCounter, the table of NC-View or the lines of NucleoView (csv): Sample ID or Image, live and total "
        "cells/ml, Viability (%). Records: preparation."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table with sample, live and total cells/ml and viability, or the lines of one count."""
        if claim := claim_table(self.key, book, lambda sheet: find_table(sheet, ROLES, REQUIRED), "sample", "viable", "viability"):
            return claim
        if _one_count(book):
            return Claim(self.key, ('it has the lines "Image", "Live (cells/ml)", "Total (cells/ml)" and "Viability (%)"',))
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every count; one with a warning of the counter keeps it as its note."""
        sheet = book.sheets[claim.sheet]
        layout = find_table(sheet, ROLES, REQUIRED)
        if layout is None:
            return self._read_lines(book)
        reader = TableReader(book, layout, choices)
        records, present = records_of_table(reader, "NucleoCounter")
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: data_rows(sheet, layout.header_row)},
            columns=uses(layout, {**layout.not_chosen(), **reader.unread}, NOT_NEEDED),
            header_rows={sheet.index: [layout.header_row]},
            set_aside=(*above(layout), *reader.blank_rows(present), *other_sheets(book, [sheet.index])),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
            records=records,
        )

    def _read_lines(self, book: Workbook) -> Reading:
        lines = _one_count(book)
        if not lines:
            raise Refused("table-missing", f'"{book.name}" has no counts of a NucleoCounter')
        said = {squash(line.name): line for line in lines}
        device = ", ".join(said[name].value for name in NAMES if name in said) or "NucleoCounter"
        image = said["image"]
        # Nobody types a sample at this counter: the image is all that names it.
        return read_lines(self.key, book, lines, device, (image.row, image.value))


def _one_count(book: Workbook) -> list[Line]:
    """Give the lines of a file of NucleoView that holds one count; none where it is no such file."""
    lines = _lines(book.sheets[0]) if book.kind == "text" and book.sheets else []
    names = {squash(line.name.replace("(%)", "")) for line in lines}
    return lines if names >= COUNT_LINES else []


def _lines(sheet: Sheet) -> list[Line]:
    return [
        Line(row, 2, cell_text(cells[0]).strip(), cell_text(cells[1]).strip())
        for row, cells in enumerate(sheet.rows, 1)
        if len(cells) > 1 and not is_blank(cells[0])
    ]


IMPORTER = NucleoCounter()
