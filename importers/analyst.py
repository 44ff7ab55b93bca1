"""Reads results tables of Analyst and SCIEX OS: a compound of an injection in each row, often below lines about each peak."""

from __future__ import annotations

import re

from importers.aside import rows_aside
from importers.base import Choices, Claim, Reading, Refused
from importers.claims import claim_table
from importers.columns import Layout, Role, is_blank, match, other_sheets, uses
from importers.concentration_cells import UNITS
from importers.concentrations import areas_only, quantify, unread
from importers.injections import Injections, filled_rows
from importers.sheets import Sheet, Workbook
from importers.values import cell_text

FACTORS = {unit: factor for unit, (_, factor) in UNITS.items()}
ROLES = (
    Role("sample", ("sample name",)),
    Role("sample_id", ("sample id",)),
    Role("file", ("file name", "data file name", "original filename")),
    Role("type", ("sample type",)),
    Role("compound", ("analyte peak name", "component name", "compound name", "compound", "analyte")),
    Role("concentration", ("calculated concentration", "calc. concentration", "calculated conc."), FACTORS),
    Role("unit", ("analyte units", "concentration units", "units")),
    Role("nominal", ("analyte concentration", "actual concentration"), FACTORS),
    Role("lloq", ("lloq", "loq", "lower limit of quantification", "lower limit of quantitation"), FACTORS),
    Role("used", ("use record", "used", "use")),
    Role("peak_type", ("component type", "is", "is peak")),
    Role("area", ("analyte peak area", "area", "peak area")),
    Role("injected_on", ("acquisition date", "acquisition date & time", "acquisition date and time")),
    Role("replicate", ("replicate name", "molecule name")),
)
SEARCH_ROWS = 1000
"""A table of many compounds stands below as many blocks of lines about their peaks."""

_PEAK = re.compile(r"Peak Name:\s*(?P<name>.+?)\s*\Z", re.IGNORECASE)
_STANDARD = "Use as Internal Standard"


class Analyst:
    """Results tables of Analyst."""

    key = "analyst"
    title = "Concentrations (Analyst, SCIEX OS)"
    reads = (
        "The results table of Analyst or SCIEX OS, tab-separated: Sample Name, Sample Type, Use Record, Calculated Concentration "
        "(ng/mL), with Analyte Peak Name where there are several compounds. Records exposures."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with sample name, sample type, and a calculated concentration or a peak's area."""
        return claim_table(self.key, book, _table, "sample", "type", "concentration", "area", "used")

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every row; calibrators, controls, blanks and rejected records are set aside."""
        sheet = book.sheets[claim.sheet]
        layout = _table(sheet)
        if layout is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no results table')
        if not layout.has("concentration"):
            raise areas_only(book.name)
        peaks = _peaks(sheet, layout.header_row)
        analytes = [name for name, standard in peaks.items() if not standard]
        found = Injections()
        rows = filled_rows(sheet, layout.header_row + 1, len(sheet.rows))
        found.add_table(layout, rows, compound="" if layout.has("compound") or len(analytes) != 1 else analytes[0])
        found.aside = [
            reason or ("internal standard" if peaks.get(compound) else "")
            for reason, compound in zip(found.aside, found.compounds, strict=True)
        ]
        result = quantify(book, found, choices, "LC-MS/MS, Analyst")
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: rows},
            columns=uses(layout, {**layout.not_chosen(), **unread(layout)}),
            header_rows={sheet.index: [layout.header_row]},
            set_aside=(
                *rows_aside(sheet, filled_rows(sheet, 1, layout.header_row - 1), "about the peaks and their calibration curves"),
                *other_sheets(book, [sheet.index]),
                *result.set_aside,
            ),
            findings=result.findings,
            questions=result.questions,
            records=result.records,
        )


def _table(sheet: Sheet) -> Layout | None:
    """Find the results table; a report by replicate and molecule is another program's."""
    for row, cells in enumerate(sheet.rows[:SEARCH_ROWS], 1):
        if any(isinstance(cell, str) and cell.strip().casefold() == "sample name" for cell in cells):
            layout = match(sheet, row, ROLES)
            measured = layout.has("concentration") or any(layout.has("area", key) for key in ("used", "compound"))
            if measured and layout.has("sample", "type") and not layout.has("replicate"):
                return layout
    return None


def _peaks(sheet: Sheet, header_row: int) -> dict[str, bool]:
    """Read the lines above the table: each peak, and whether it is used as an internal standard."""
    found: dict[str, bool] = {}
    last = ""
    for row in sheet.rows[: header_row - 1]:
        for cell in row:
            text = "" if is_blank(cell) else cell_text(cell)
            if named := _PEAK.match(text):
                last = named["name"]
                found[last] = False
            elif text.startswith(_STANDARD) and last:
                found[last] = True
    return found


IMPORTER = Analyst()
