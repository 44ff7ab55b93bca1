"""Tests of Analyst's results tables."""

from __future__ import annotations

import pytest

from importers.analyst import IMPORTER
from importers.base import Refused
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from tests.importers.exposures_support import exposures, skipped, tabbed
from tests.importers.tables_support import errors, findings, proposals, read, text_book

PEAKS = (
    "Peak Name: Tucatinib\nInternal Standard: Tucatinib-d6\nQ1/Q3 Masses: 481.20/110.10 Da\n\n"
    "Peak Name: Tucatinib-d6\nUse as Internal Standard\nQ1/Q3 Masses: 487.20/110.10 Da\n\n"
    "Fit\tLinear\tWeighting\t1 / (x * x)\na\t0.0123\nb\t0.00456\nCorrelation coefficient\t0.9991\n\n\n"
)
HEADER = (
    *("", "Sample Name", "Sample Type", "Analyte Peak Name", "Analyte Peak Area (counts)", "Analyte Concentration (ng/mL)"),
    *("Use Record", "Acquisition Date", "Calculated Concentration (ng/mL)", "Accuracy (%)"),
)
ROWS = (
    (1, "Std 1", "Standard", "Tucatinib", "2.56e+002", "1.00", 1, "1/9/2024 10:02:11", "1.03", "103"),
    (2, "Std 2", "Standard", "Tucatinib", "2.56e+003", "0.50", 0, "1/9/2024 10:06:11", "0.70", "140"),
    (3, "QC low", "Quality Control", "Tucatinib", "7.1e+002", "3.00", 1, "1/9/2024 10:12:11", "2.9", "97"),
    (4, "DB", "Double Blank", "Tucatinib", "0.00e+000", "N/A", "", "1/9/2024 10:14:11", "N/A", "N/A"),
    (5, "PK01_M07_plasma_0.5h", "Unknown", "Tucatinib", "3.2e+004", "N/A", "", "1/9/2024 10:22:11", "2.56e+002", "N/A"),
    (6, "PK01_M07_plasma_24h", "Unknown", "Tucatinib", "8.2e+001", "N/A", "", "1/9/2024 10:26:11", "0.42", "N/A"),
    (7, "PK01_M08_plasma_24h", "Unknown", "Tucatinib", "0", "N/A", "", "1/9/2024 10:30:11", "< 0", "N/A"),
    (8, "PK01_M08_CSF_4h", "Unknown", "Tucatinib", "0", "N/A", "", "1/9/2024 10:34:11", "No Peak", "N/A"),
    (9, "PK01_M09_CSF_4h", "Unknown", "Tucatinib", "1.2e+003", "N/A", "0", "1/9/2024 10:38:11", "5.1", "N/A"),
    (10, "PK01_M09_CSF_4h", "Unknown", "Tucatinib", "N/A", "N/A", "", "1/9/2024 10:42:11", "N/A", "N/A"),
)
RESULTS = PEAKS + tabbed(HEADER, *ROWS)
PLAIN = ("Sample Name", "Sample Type", "Calculated Concentration (ng/mL)")


def test_samples_become_exposures_and_everything_else_is_set_aside_with_its_reason() -> None:
    reading = read(IMPORTER, text_book(RESULTS, "run.txt"))

    first = RESULTS.splitlines().index("\t".join(HEADER)) + 2
    plasma, csf = ExposureMatrix.PLASMA, ExposureMatrix.CSF
    shown = exposures(reading, "animal", "agent", "analyte", "matrix", "hours_after_dose", "concentration", "below_lloq", "lloq")
    assert shown == [
        ("M07", "Tucatinib", None, plasma, 0.5, 256.0, False, 1.0),
        ("M07", "Tucatinib", None, plasma, 24.0, None, True, 1.0),
        ("M08", "Tucatinib", None, plasma, 24.0, None, True, 1.0),
        ("M08", "Tucatinib", None, csf, 4.0, None, True, 1.0),
    ]
    assert skipped(reading) == {
        first: "calibrators",
        first + 1: "calibrators",
        first + 2: "quality controls",
        first + 3: "double blanks",
        first + 8: "rejected at the instrument (Use Record: 0)",
        first + 9: "no concentration",
    }
    (records,) = reading.records
    assert list(records.rows) == [first + 4, first + 5, first + 6, first + 7]
    assert records.columns["animal"] == 2
    assert list(records.raw) == ["2.56e+002", "0.42", "< 0", "No Peak"]
    assert proposals(reading) == {
        "agent_of:Tucatinib": "Tucatinib",
        "no_peak": "below",
        "lloq:Tucatinib": "1",
        "sample_pattern": "{study}_{animal}_{matrix}_{hours}h",
    }
    assert findings(reading, "set-aside")[0].message.startswith(
        "6 of 10 values are not recorded (calibrators: 2; quality controls: 1; "
    )
    assert errors(reading) == []


def test_the_time_of_injection_stands_in_the_note_and_is_no_time_of_collection() -> None:
    reading = read(IMPORTER, text_book(RESULTS, "run.txt"))

    assert exposures(reading, "collected_on", "note", "sample", "method")[0] == (
        *(None, "injected 1/9/2024 10:22:11", "PK01_M07_plasma_0.5h", "LC-MS/MS, Analyst"),
    )
    assert findings(reading, "injection-time")
    (column,) = [one for one in reading.columns if one.header == "Acquisition Date"]
    assert column.role is None
    assert "no time of collection" in column.reason


def test_a_file_without_a_compound_or_with_one_peak_named_above_the_table() -> None:
    rows = ("M1_plasma_1h", "Unknown", "5.5"), ("M2_plasma_1h", "Unknown", "7.5")
    text = tabbed(PLAIN, *rows)

    assert "question-agent" in errors(read(IMPORTER, text_book(text, "run.txt")))
    assert proposals(read(IMPORTER, text_book(PEAKS + text, "run.txt")))["agent_of:Tucatinib"] == "Tucatinib"
    assert exposures(read(IMPORTER, text_book(text, "run.txt"), agent="T1"), "agent") == [("T1",), ("T1",)]


def test_internal_standards_are_proposed_to_be_left_out_and_metabolites_keep_their_name() -> None:
    header = ("Sample Name", "Sample Type", "Component Name", "Component Type", "Calculated Concentration", "Units")
    rows = (
        ("M1_plasma_1h", "Unknown", "T-DXd", "Quantifiers", "5.5", "ug/mL"),
        ("M1_plasma_1h", "Unknown", "DXd", "Quantifiers", "750", "pg/mL"),
        ("M1_plasma_1h", "Unknown", "DXd", "Qualifiers", "740", "pg/mL"),
        ("M1_plasma_1h", "Unknown", "DXd-d5", "Quantifiers", "20", "ng/mL"),
        ("M1_plasma_1h", "Unknown", "Verapamil", "Internal Standards", "20", "ng/mL"),
    )
    book = text_book(tabbed(header, *rows), "run.txt")
    reading = read(IMPORTER, book, **{"agent_of:DXd": "T-DXd"})

    assert exposures(reading, "agent", "analyte", "concentration", "unit") == [
        ("T-DXd", None, 5500.0, ConcentrationUnit.NG_PER_ML),
        ("T-DXd", "DXd", 0.75, ConcentrationUnit.NG_PER_ML),
    ]
    assert skipped(reading) == {4: "qualifier", 5: "internal standard", 6: "internal standard"}
    assert proposals(reading)["agent_of:DXd-d5"] == "-"
    same = read(IMPORTER, book, **{"agent_of:DXd": "T-DXd", "analyte_of:DXd": "agent", "agent_of:T-DXd": "-"})
    assert exposures(same, "agent", "analyte") == [("T-DXd", None)]


def test_a_limit_that_is_answered_must_be_a_number() -> None:
    reading = read(IMPORTER, text_book(RESULTS, "run.txt"), **{"lloq:Tucatinib": "low"})

    assert errors(reading) == ["question-lloq:Tucatinib"]
    unknown = read(IMPORTER, text_book(RESULTS, "run.txt"), **{"lloq:Tucatinib": "-"})
    assert exposures(unknown, "concentration", "lloq")[1] == (0.42, None)


def test_a_file_of_areas_is_refused() -> None:
    areas = tabbed(("Sample Name", "Sample Type", "Use Record", "Analyte Peak Area (counts)"), ("M1", "Unknown", "", "2e+3"))

    with pytest.raises(Refused, match="not one concentration"):
        read(IMPORTER, text_book(areas, "run.txt"))
