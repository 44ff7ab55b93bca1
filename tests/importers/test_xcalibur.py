"""Tests of Xcalibur's workbooks."""

from __future__ import annotations

from datetime import datetime

import pytest

from importers.base import Refused
from importers.xcalibur import IMPORTER
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from tests.importers.exposures_support import exposures, skipped
from tests.importers.tables_support import excel_book, proposals, read

HEADER = (
    "Filename",
    "Sample Type",
    "Sample Name",
    "Sample ID",
    "Exp Amt",
    "Calc Amt",
    "Units",
    "Peak Status",
    "Area",
    "Acq Date",
    "Vial",
)
AT = datetime(2022, 6, 3, 20, 49, 8)  # noqa: DTZ001  # as the instrument's computer has it
STD = ("std1", "Std Bracket Sample", "", "1", 1.0, 1.03, "ug/L", "", 755.0, AT, "A:1")
QC = ("qc1", "QC Sample", "", "1", 50.0, 48.0, "ug/L", "", 9755.0, AT, "A:2")
M07 = ("M07_plasma_4h", "Unknown Sample", "", "1", "NA", 12.5, "ug/L", "", 757255.7, AT, "B:2")
M08 = ("M08_plasma_4h", "Unknown Sample", "", "1", "NA", "NF", "ug/L", "Not Found", "NF", AT, "B:3")
M09 = ("M09_plasma_4h", "Unknown Sample", "", "1", "NA", "NA", "", "Response Low", 12.0, AT, "B:4")
FOOT = ((), ("Created By:",), ("User Name", "", "Full Name"), ("abc", "", "A. B. C."))


def sheet(name: str, *rows: tuple[object, ...]) -> list[tuple[object, ...]]:
    return [(), ("Component Name", "", "Curve Index"), (name, "", "", "", "", "NA"), (), HEADER, *rows, *FOOT]


def test_each_sheet_is_a_compound_and_the_rest_is_set_aside() -> None:
    book = excel_book(
        {
            "Tucatinib": [*sheet("Tucatinib", STD, QC, M07, M08, M09), (), *sheet("Tucatinib", ("M10_csf_1h", *M07[1:]))[1:]],
            "Tucatinib_IS": sheet("Tucatinib_IS", M07),
            "Component": sheet("", *()),
        }
    )
    reading = read(IMPORTER, book)

    plasma, csf, unit = ExposureMatrix.PLASMA, ExposureMatrix.CSF, ConcentrationUnit.NG_PER_ML
    assert exposures(reading, "animal", "agent", "matrix", "hours_after_dose", "concentration", "unit", "below_lloq", "lloq") == [
        ("M07", "Tucatinib", plasma, 4.0, 12.5, unit, False, 1.0),
        ("M08", "Tucatinib", plasma, 4.0, None, unit, True, 1.0),
        ("M10", "Tucatinib", csf, 1.0, 12.5, unit, False, 1.0),
    ]
    assert skipped(reading) == {6: "internal standard", 7: "quality controls", 10: "no concentration"}
    assert {one.reason for one in reading.set_aside} >= {"about the component and who made the report", "holds no injection"}
    assert proposals(reading)["name_column"] == "Filename"
    assert exposures(reading, "note")[0] == ("injected 2022-06-03 20:49:08",)


def test_a_unit_that_no_row_states_is_asked_and_a_workbook_without_amounts_refused() -> None:
    bare = (*M07[:6], "", *M07[7:])
    assert "concentration_unit" in proposals(read(IMPORTER, excel_book({"T": sheet("T", bare)})))
    with pytest.raises(Refused, match="not one concentration"):
        read(IMPORTER, excel_book({"T": sheet("T", M09)}))
    with pytest.raises(Refused, match="no injection"):
        read(IMPORTER, excel_book({"T": sheet("T")}))
