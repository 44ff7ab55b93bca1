"""Reads cell counts in Allotrope's simple model (ASM, JSON), which allotropy and other converters write of any counter."""

from __future__ import annotations

from dataclasses import replace

from importers.base import Choices, Claim, Reading, Refused
from importers.cell_counts import NOT_NEEDED, records_of_table
from importers.columns import Layout, Role, data_rows, match, uses
from importers.sheets import Workbook
from importers.tables import TableReader
from importers.values import cell_text

ROLES = (
    Role("sample", ("sample identifier",)),
    Role("viable", ("viable cell density (cell counter)",)),
    Role("total", ("total cell density (cell counter)",)),
    Role("viability", ("viability (cell counter)",)),
    Role("diameter", ("average total cell diameter", "diameter")),
    Role("dilution", ("cell density dilution factor", "dilution factor")),
    Role("when", ("measurement time",)),
    Role("operator", ("analyst",)),
    Role("device", ("model number",)),
)
REQUIRED = ("sample", "viable", "when")
NO_TIME = "1970-01-01"
"""What converters write where the counter's file has no time."""
CONVERTED = {"measurement identifier": "made anew at each conversion, so that no count is known again by it"}


class AsmCounts:
    """Cell counts as ASM."""

    key = "asm_counts"
    title = "Cell counts in Allotrope's model (ASM)"
    reads = (
        "JSON of the Allotrope simple model for cell counting, as allotropy writes it of any counter: sample identifier, viable "
        "and total cell density, viability, measurement time. Records: preparation."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a document that says of itself that it counts cells in the Allotrope simple model."""
        if book.kind != "asm":
            return None
        return Claim(self.key, ('the JSON has "$asm.manifest" and "cell counting aggregate document"',), certain=True)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read each measurement as a count; times are the counter's clock, whatever offset a converter wrote beside them."""
        layout = _table(book)
        reader = TableReader(book, layout, choices)
        records, present = records_of_table(reader, "")
        unread = {one.column: CONVERTED[one.text] for one in layout.headers if one.text in CONVERTED}
        return Reading(
            importer=self.key,
            series=(),
            data_rows={0: data_rows(layout.sheet, 1)},
            columns=uses(layout, {**layout.not_chosen(), **unread}, NOT_NEEDED),
            header_rows={0: [1]},
            set_aside=reader.blank_rows(present),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
            records=records,
        )


def _table(book: Workbook) -> Layout:
    layout = match(book.sheets[0], 1, ROLES) if book.kind == "asm" else None
    if layout is None or not layout.has(*REQUIRED):
        raise Refused(
            "table-missing",
            f'"{book.name}" has no counts with sample, viable cell density and time',
            expected="an ASM document of cell counting",
            remedy="convert the counter's file again, or import that itself",
        )
    column = layout.found["when"].column
    rows = [list(row) for row in book.sheets[0].rows]
    for row in rows[1:]:
        text = cell_text(row[column - 1])
        row[column - 1] = "" if text.startswith(NO_TIME) else text[:19].replace("T", " ")
    return match(replace(book.sheets[0], rows=rows), 1, ROLES)


IMPORTER = AsmCounts()
