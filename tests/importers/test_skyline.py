"""Tests of Skyline's reports."""

from __future__ import annotations

import pytest

from importers.base import Refused
from importers.skyline import IMPORTER
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from tests.importers.exposures_support import exposures, skipped
from tests.importers.tables_support import errors, read, text_book

REPORT = """Molecule Name,Replicate Name,Sample Type,Fragment Ion,Isotope Label,Analyte Concentration,Calculated Concentration,Area
Tucatinib,Cal 1,standard,y1,light,1,1.02,200
Tucatinib,Cal 1,standard,y1,heavy,1,1.02,200
Tucatinib,Blank,blank,y1,light,,0.01,2
Tucatinib,M07_plasma_4h,unknown,y1,heavy,,13.4,5000
Tucatinib,M07_plasma_4h,unknown,y1,light,,13.4,2000
Tucatinib,M07_plasma_4h,unknown,y2,light,,13.4,1000
Tucatinib,M08_plasma_4h,unknown,y1,light,,0.2,12
Tucatinib,M09_plasma_4h,unknown,y1,light,,#N/A,0
"""
FROM_R = """"","Molecule.Name","Replicate.Name","Quantification","Area"
"1","Tucatinib","M07_CSF_4h","13.4 ug/L","2000"
"2","Tucatinib","M08_CSF_4h","<0.5 ug/L","12"
"3","Tucatinib","M09_CSF_4h","Normalized Area: 0.013","12"
"4","Tucatinib","SBLK1","0.1 ug/L","12"
"""


def test_each_molecule_of_a_replicate_is_read_once() -> None:
    reading = read(IMPORTER, text_book(REPORT, "report.csv"), concentration_unit="ng/mL")

    assert exposures(reading, "animal", "agent", "matrix", "hours_after_dose", "concentration", "below_lloq", "lloq") == [
        ("M07", "Tucatinib", ExposureMatrix.PLASMA, 4.0, 13.4, False, 1.0),
        ("M08", "Tucatinib", ExposureMatrix.PLASMA, 4.0, None, True, 1.0),
    ]
    assert skipped(reading) == {
        **dict.fromkeys((2, 3), "calibrators"),
        4: "blanks",
        5: "internal standard",
        7: "another transition of a molecule that was read",
        9: "no concentration",
    }
    assert errors(read(IMPORTER, text_book(REPORT, "report.csv"))) == ["question-concentration_unit"]


def test_headers_with_dots_and_units_beside_the_number_are_read() -> None:
    reading = read(IMPORTER, text_book(FROM_R, "report.csv"))

    unit = ConcentrationUnit.NG_PER_ML
    assert exposures(reading, "animal", "concentration", "unit", "lloq") == [("M07", 13.4, unit, None), ("M08", None, unit, 0.5)]
    assert skipped(reading) == {4: "no concentration", 5: "named as a calibrator, quality control or blank"}


def test_areas_alone_are_refused() -> None:
    text = REPORT.replace("Calculated Concentration", "Total Ion Current")

    with pytest.raises(Refused, match="peak areas") as refusal:
        read(IMPORTER, text_book(text, "report.csv"))
    assert "quantify the batch" in (refusal.value.finding.remedy or "")
