"""Tests of what all importers of concentrations share, through Analyst's plain table."""

from __future__ import annotations

import pytest

from importers.analyst import IMPORTER
from importers.base import Reading
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from tests.importers.exposures_support import exposures, skipped, tabbed
from tests.importers.tables_support import errors, findings, proposals, read, text_book

PLAIN = ("Sample Name", "Sample Type", "Calculated Concentration (ng/mL)")


def plain(*rows: tuple[object, ...], header: tuple[str, ...] = PLAIN, **choices: str) -> Reading:
    """Read a small table of samples of one compound."""
    text = tabbed(header, *rows)
    return read(IMPORTER, text_book(text, "run.txt", **choices), **{"agent": "T1", **choices})


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<LLOQ", (None, True, None)),
        ("BLQ", (None, True, None)),
        ("<0.5", (None, True, 0.5)),
        ("< 0", (None, True, None)),
        ("NF", (None, True, None)),
        ("1.50", (1.5, False, None)),
        ("0.00", (None, True, None)),
    ],
)
def test_what_lies_below_the_limit_is_carried_as_such(cell: str, shown: tuple[object, ...]) -> None:
    reading = plain(("M1_plasma_1h", "Unknown", cell), ("M2_plasma_1h", "Unknown", "9.5"))

    assert exposures(reading, "concentration", "below_lloq", "lloq")[0] == shown


@pytest.mark.parametrize(
    ("cell", "code"),
    [("> ULOQ", "above-uloq"), (">1000", "above-uloq"), ("5.5*", "number-unreadable"), ("1.2.3", "number-unreadable")],
)
def test_what_is_no_concentration_is_said_in_its_place_and_not_recorded(cell: str, code: str) -> None:
    reading = plain(("M1_plasma_1h", "Unknown", cell), ("M2_plasma_1h", "Unknown", "9.5"))

    (finding,) = findings(reading, code)
    assert finding.address == "run!C2"
    assert finding.value == cell
    assert exposures(reading, "animal") == [("M2",)]


def test_a_batch_that_was_never_quantified_is_not_taken_for_zeros() -> None:
    rows = [(f"M{number}_plasma_1h", "Unknown", "0.00") for number in range(1, 4)]

    reading = plain(*rows)
    assert "Every value is" in findings(reading, "question-zero")[0].message
    assert [below for (below,) in exposures(plain(*rows, zero="below"), "below_lloq")] == [True, True, True]
    assert exposures(plain(*rows, zero="none")) == []


def test_a_column_with_the_limit_decides_what_lies_below_it() -> None:
    header = (*PLAIN, "LLOQ (ng/mL)")
    reading = plain(("M1_plasma_1h", "Unknown", "0.4", "0.5"), ("M2_plasma_1h", "Unknown", "0.6", "0.5"), header=header)

    assert exposures(reading, "concentration", "lloq") == [(None, 0.5), (0.6, 0.5)]


def test_a_unit_is_asked_where_there_is_none_and_refused_where_it_is_not_known() -> None:
    rows = (("M1_plasma_1h", "Unknown", "5.5"),)

    asked = plain(*rows, header=("Sample Name", "Sample Type", "Calculated Concentration"))
    assert errors(asked) == ["question-concentration_unit"]
    header = ("Sample Name", "Sample Type", "Calculated Concentration", "Units")
    refused = plain((*rows[0], "bananas"), header=header)
    assert errors(refused) == ["unit-unknown"]
    answered = plain(*rows, header=("Sample Name", "Sample Type", "Calculated Concentration"), concentration_unit="µM")
    assert exposures(answered, "concentration", "unit") == [(5500.0, ConcentrationUnit.NANOMOLAR)]


def test_tissue_by_volume_asks_how_much_homogenate_holds_a_gram() -> None:
    rows = ("M1_plasma_1h", "Unknown", "10"), ("M1_rim_1h", "Unknown", "<2")

    assert errors(plain(*rows)) == ["question-homogenate"]
    reading = plain(*rows, homogenate="5")
    assert exposures(reading, "concentration", "lloq", "unit") == [
        (10.0, None, ConcentrationUnit.NG_PER_ML),
        (None, 10.0, ConcentrationUnit.NG_PER_G),
    ]
    assert errors(plain(*rows, homogenate="much")) == ["question-homogenate"]


def test_a_word_that_may_mean_several_matrices_is_asked() -> None:
    rows = ("M1_brain_1h", "Unknown", "10"), ("M1_BM_1h", "Unknown", "11"), ("M1_liver_1h", "Unknown", "12")

    reading = plain(*rows, homogenate="1")
    assert errors(reading) == ["question-matrix:brain"]
    asked = {"matrix:brain": None, "matrix:BM": "lesion_core", "matrix:liver": "-"}
    assert {key: proposals(reading)[key] for key in asked} == asked
    answered = plain(*rows, **{"homogenate": "1", "matrix:brain": "contralateral_brain"})
    assert [matrix for (matrix,) in exposures(answered, "matrix")] == [
        ExposureMatrix.CONTRALATERAL_BRAIN,
        ExposureMatrix.LESION_CORE,
    ]
    assert skipped(answered) == {4: 'no concentration of "liver" is recorded'}


def test_a_name_that_does_not_fit_is_an_error_that_names_it_and_the_pattern() -> None:
    reading = plain(
        ("M1_plasma_1h", "Unknown", "10"), ("M2_plasma_2h", "Unknown", "11"), ("M2 plasma", "Unknown", "12"), ("", "Unknown", "13")
    )

    told = findings(reading, "sample-name")
    assert [one.address for one in told] == ["run!A4", "run!A5"]
    assert "`M2 plasma` does not fit the pattern {animal}_{matrix}_{hours}h" in told[0].message
    assert told[0].expected == "a name such as M07_plasma_4h"
    assert len(exposures(reading)) == 2


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("{mouse}_{matrix}", "{mouse} that is not known"), ("{matrix}_1h", "where the animal stands"), ("{animal}_{animal}", "twice")],
)
def test_a_pattern_that_is_none_is_refused(pattern: str, why: str) -> None:
    reading = plain(("M1_plasma_1h", "Unknown", "10"), sample_pattern=pattern)

    (finding,) = findings(reading, "question-sample_pattern")
    assert why in finding.message
    assert exposures(reading) == []


def test_injections_that_are_only_named_as_controls_are_asked_about() -> None:
    rows = ("M1_plasma_1h", "Unknown", "10"), ("SBLK1", "Unknown", "0.1"), ("QC_high", "Unknown", "80")

    reading = plain(*rows)
    assert proposals(reading)["controls"] == "leave_out"
    assert len(exposures(reading)) == 1
    assert len(findings(plain(*rows, controls="samples"), "sample-name")) == 2


def test_a_type_that_no_program_writes_is_asked() -> None:
    rows = ("M1_plasma_1h", "Probe", "10"), ("M2_plasma_1h", "", "11")

    reading = plain(*rows)
    assert errors(reading) == ["question-type:Probe", "question-type:blank"]
    answered = plain(*rows, **{"type:Probe": "sample", "type:blank": "aside"})
    assert exposures(answered, "animal") == [("M1",)]


def test_names_without_a_time_are_doubted() -> None:
    reading = plain(("M1_plasma", "Unknown", "10"), ("M2_plasma", "Unknown", "11"))

    assert findings(reading, "sample-time")
    assert exposures(reading, "animal", "hours_after_dose") == [("M1", None), ("M2", None)]


def test_several_columns_may_name_the_sample() -> None:
    header = ("Sample Name", "Sample ID", "Sample Type", "Calculated Concentration (ng/mL)")
    reading = plain(("Tuc", "M1_plasma_1h", "Unknown", "10"), ("Tuc", "M2_plasma_1h", "Unknown", "11"), header=header)

    assert proposals(reading)["name_column"] == "Sample ID"
    assert exposures(reading, "animal") == [("M1",), ("M2",)]
