"""Tests of MassHunter's tables, a sample or a compound in each row."""

from __future__ import annotations

import pytest

from importers.base import Refused
from importers.masshunter import IMPORTER
from lims.domain.cohort_terms import ExposureMatrix
from tests.importers.exposures_support import exposures, skipped
from tests.importers.tables_support import errors, proposals, read, text_book

SAMPLES = """Sample,,,,,,Tucatinib Results,,,Qualifier (110.1) Results,Tucatinib-d6 Results,,,Tucatinib Method
,,Name,Data File,Type,Acq. Date-Time,RT,Area,Final Conc.,Area,RT,Area,Final Conc.,Exp. Conc.
,!,Cal1,c1.d,Cal,4/19/2018 17:37,3.21,900,1.02,12,3.20,5000,20,1
,,QC1,q1.d,QC,4/19/2018 17:52,3.21,"9,754",9.7,12,3.20,5000,20,10
!,!,M07_plasma_4h,s1.d,Sample,4/19/2018 18:37,3.21,"12,345",13.4,12,3.20,5000,20,
,,M08_plasma_4h,s2.d,Sample,4/19/2018 18:57,3.22,20,0.3,,3.20,5000,20,
,,M08_csf_4h,s3.d,Blank,4/19/2018 19:57,3.22,20,0.3,,3.20,5000,20,
"""
GERMAN = """Tucatinib Results;;;Sample;;;;
Final Conc.;RT;Area;Type;Acq. Date-Time;Name;Data File;Comment
"13,4";"9,754";392095;Sample;27.06.2022 11:01;M07_plasma_4h;s1.d;
"0,056";"9,755";130848;Sample;27.06.2022 11:28;M08_plasma_4h;s2.d;
"""
COMPOUNDS = """Compound Method,,QC_1,,M07_plasma_4h,,M08_plasma_4h,,
Name,Transition,RT,Final Conc.,RT,Final Conc.,RT,Final Conc.
Tucatinib,481.2 -> 110.1,3.21,9.8,3.21,13.4,3.22,0.31
ONT-993,497.2 -> 110.1,2.21,9.9,2.21,1.4,2.22,
Tucatinib-d6,487.2 -> 110.1,3.20,20,3.20,20,3.20,20
"""


def test_a_sample_in_each_row_is_read_with_its_calibrators_beside() -> None:
    reading = read(IMPORTER, text_book(SAMPLES, "batch.csv"), concentration_unit="ng/mL")

    assert exposures(reading, "animal", "agent", "matrix", "hours_after_dose", "concentration", "lloq", "note") == [
        ("M07", "Tucatinib", ExposureMatrix.PLASMA, 4.0, 13.4, 1.0, "injected 4/19/2018 18:37"),
        ("M08", "Tucatinib", ExposureMatrix.PLASMA, 4.0, None, 1.0, "injected 4/19/2018 18:57"),
    ]
    assert skipped(reading) == {3: "calibrators", 4: "quality controls", 7: "blanks"}
    uses = {use.column: use for use in reading.columns}
    assert uses[9].role == "concentration"
    assert (uses[13].role, uses[13].reason) == (None, "internal standard")
    assert uses[6].reason.startswith("when the sample was injected")
    assert uses[2].reason == "no header: the program's flags"
    assert proposals(reading)["agent_of:Tucatinib-d6"] == "-"
    assert errors(read(IMPORTER, text_book(SAMPLES, "batch.csv"))) == ["question-concentration_unit"]


def test_german_numbers_in_reordered_columns_are_read_by_the_comma() -> None:
    book = text_book(GERMAN, "batch.csv")
    assert [question.proposed for question in book.questions if question.key == "decimal"] == ["comma"]

    reading = read(IMPORTER, book, concentration_unit="nM")
    assert [value for (value,) in exposures(reading, "concentration")] == [13.4, 0.056]
    assert exposures(reading, "note")[0] == ("injected 27.06.2022 11:01",)


def test_a_compound_in_each_row_has_a_group_of_columns_for_each_sample() -> None:
    choices = {"concentration_unit": "ng/mL", "agent_of:ONT-993": "Tucatinib"}
    reading = read(IMPORTER, text_book(COMPOUNDS, "batch.csv"), **choices)

    assert exposures(reading, "animal", "agent", "analyte", "concentration") == [
        ("M07", "Tucatinib", None, 13.4),
        ("M08", "Tucatinib", None, 0.31),
        ("M07", "Tucatinib", "ONT-993", 1.4),
    ]
    assert skipped(reading) == {5: "internal standard"}
    uses = {use.column: use for use in reading.columns}
    assert uses[4].reason == "named as a calibrator, quality control or blank"
    assert uses[6].header == "M07_plasma_4h: Final Conc."
    assert proposals(reading)["controls"] == "leave_out"


def test_a_table_of_areas_is_refused_and_one_header_row_is_not_claimed() -> None:
    with pytest.raises(Refused, match="not one concentration"):
        read(IMPORTER, text_book(COMPOUNDS.replace("Final Conc.", "Area"), "batch.csv"))
    assert IMPORTER.claim(text_book(SAMPLES.split("\n", 1)[1], "batch.csv")) is None
