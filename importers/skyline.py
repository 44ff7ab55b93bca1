"""Reads reports of Skyline with a calculated concentration: a molecule of a replicate, or one of its transitions, in each row."""

from __future__ import annotations

import re

from importers.base import Choices, Claim, Reading, Refused
from importers.claims import claim_table
from importers.columns import Layout, Role, above, find_table, other_sheets, uses
from importers.concentration_cells import UNITS
from importers.concentrations import areas_only, quantify, unread
from importers.injections import Injections, filled_rows
from importers.sheets import Sheet, Workbook
from importers.values import cell_text

FACTORS = {unit: factor for unit, (_, factor) in UNITS.items()}
ROLES = (
    Role("compound", ("molecule name", "molecule", "peptide", "peptide sequence", "precursor name")),
    Role("sample", ("replicate name", "replicate")),
    Role("file", ("file name", "sample name")),
    Role("type", ("sample type",)),
    Role("concentration", ("calculated concentration", "quantification", "concentration"), FACTORS),
    Role("unit", ("units", "concentration units")),
    Role("nominal", ("analyte concentration",), FACTORS),
    Role("lloq", ("limit of quantification", "lloq", "loq"), FACTORS),
    Role("peak_type", ("isotope label type", "isotope label", "standard type")),
    Role("injected_on", ("acquired time", "acquisition time")),
    Role("area", ("area", "total area", "normalized area", "peak area")),
)
REQUIRED = (("compound", "sample", "concentration"), ("compound", "sample", "area"))

_WITH_UNIT = re.compile(r"(?P<amount>[<>]?\s*[-+.,\deE]*\d)\s+(?P<unit>[^\W\d].*)")
_NORMALISED = re.compile(r"Normali[sz]ed", re.IGNORECASE)


class Skyline:
    """Reports of Skyline."""

    key = "skyline"
    title = "Concentrations (Skyline)"
    reads = (
        "A report of Skyline, comma-separated, also as R writes it again: Molecule Name, Replicate Name, Sample Type, Calculated "
        "Concentration or Quantification. Areas alone are refused. Records exposures."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with molecule, replicate, and a concentration or an area."""
        return claim_table(self.key, book, _table, "compound", "sample", "concentration", "area")

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every molecule of a replicate once, however many transitions it has."""
        sheet = book.sheets[claim.sheet]
        layout = _table(sheet)
        if layout is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no report by molecule and replicate')
        if not layout.has("concentration"):
            raise areas_only(book.name)
        found = Injections()
        rows = filled_rows(sheet, layout.header_row + 1, len(sheet.rows))
        found.add_table(layout, rows)
        _take_units(found)
        _mark_repeats(found, layout.found["sample"].text)
        result = quantify(book, found, choices, "LC-MS/MS, Skyline")
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: rows},
            columns=uses(layout, {**layout.not_chosen(), **unread(layout)}),
            header_rows={sheet.index: [layout.header_row]},
            set_aside=(*above(layout), *other_sheets(book, [sheet.index]), *result.set_aside),
            findings=result.findings,
            questions=result.questions,
            records=result.records,
        )


def _table(sheet: Sheet) -> Layout | None:
    return find_table(sheet, ROLES, REQUIRED)


def _take_units(found: Injections) -> None:
    """Part `12.5 ng/mL`, as Skyline writes a quantification; a normalised area, which stands there without calibrators, is none."""
    for index, cell in enumerate(found.amounts):
        text = cell_text(cell)
        if _NORMALISED.match(text):
            found.amounts[index] = ""
        elif said := _WITH_UNIT.fullmatch(text):
            found.amounts[index], found.units[index] = said["amount"], said["unit"]


def _mark_repeats(found: Injections, header: str) -> None:
    """Leave out the rows of further transitions, which repeat the molecule's concentration."""
    first: dict[tuple[str, str, str], int] = {}
    for index, (compound, name) in enumerate(zip(found.compounds, found.names[header], strict=True)):
        if found.aside[index]:
            continue
        before = first.setdefault((compound, name, cell_text(found.amounts[index])), found.rows[index])
        if before != found.rows[index]:
            found.aside[index] = "another transition of a molecule that was read"


IMPORTER = Skyline()
