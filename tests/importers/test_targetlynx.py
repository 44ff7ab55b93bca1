"""Tests of TargetLynx's summary reports, by compound and by sample."""

from __future__ import annotations

import pytest

from importers.base import Refused
from importers.targetlynx import IMPORTER
from importers.workbook import open_workbook
from lims.domain.cohort_terms import ExposureMatrix
from tests.importers.exposures_support import exposures, skipped, tabbed
from tests.importers.tables_support import errors, findings, proposals, read, text_book

HEADER = ("", "Name", "Inj. Vol", "Acq.Date", "Acq.Time", "RT", "Area", "Type", "Conc.", "Std. Conc", "Detection Flags", "1º Area")
TUCATINIB = (
    (3, "M07_plasma_4h", "2.000", "07-Jan-20", "15:45:44", "3.24", "9188", "Analyte", "12.5", "", "bb", ""),
    (1, "Std1", "2.000", "07-Jan-20", "15:05:51", "3.20", "596", "Standard", "0.98", "1.0", "bb", ""),
    (2, "Std2", "2.000", "17-sept-19", "15:25:48", "3.20", "5961", "Standard", "10.3", "10.0", "MM", ""),
    (4, "M08_plasma_4h", "2.000", "07-Jan-20", "16:05:40", "", "", "Analyte", "", "", "", ""),
    (5, "M08_CSF_4h", "2.000", "07-Jan-20", "16:25:40", "3.21", "83", "Analyte", "0.7", "", "bb", ""),
)
STANDARD = tuple((row[0], row[1], *row[2:8], "", "", "", "") for row in TUCATINIB)


def by_compound(
    *, compound: str = "Tucatinib", header: tuple[str, ...] = HEADER, rows: tuple[tuple[object, ...], ...] = TUCATINIB
) -> str:
    return (
        "Quantify Compound Summary Report \n\nPrinted Tue Jan 07 17:28:50 2020\n\n"
        f"Compound 1:  {compound}\n\n{tabbed(header, *rows)}\nCompound 2:  Tucatinib d6\n\n{tabbed(header, *STANDARD)}\n"
    )


def windows(text: str) -> bytes:
    """Write a text as MassLynx does: CRLF, cp1252."""
    return text.replace("\n", "\r\n").encode("cp1252")


def test_blocks_of_compounds_are_read_whatever_the_order_of_rows() -> None:
    book = open_workbook(windows(by_compound(compound="Tucatinib 480µm")), "pk_run.txt")
    reading = read(
        IMPORTER,
        book,
        concentration_unit="ng/mL",
        **{"agent_of:Tucatinib 480µm": "Tucatinib", "analyte_of:Tucatinib 480µm": "agent"},
    )

    assert exposures(reading, "animal", "agent", "analyte", "matrix", "hours_after_dose", "concentration", "lloq") == [
        ("M07", "Tucatinib", None, ExposureMatrix.PLASMA, 4.0, 12.5, 1.0),
        ("M08", "Tucatinib", None, ExposureMatrix.CSF, 4.0, None, 1.0),
    ]
    assert exposures(reading, "note")[0] == ("injected 07-Jan-20 15:45:44",)
    assert skipped(reading) == {
        **dict.fromkeys((11, 17, 20, 21), "no concentration"),
        **dict.fromkeys((9, 10, 18, 19), "calibrators"),
    }
    assert {use.header: use.reason for use in reading.columns}[""] == "a running number"
    assert errors(reading) == []
    assert "question-concentration_unit" in errors(read(IMPORTER, book))


def test_columns_in_another_order_are_found_by_their_headers() -> None:
    order = [0, 8, 7, 1, 3, 4, 9]
    header = tuple(HEADER[place] for place in order)
    rows = tuple(tuple(row[place] for place in order) for row in TUCATINIB)
    reading = read(IMPORTER, text_book(by_compound(header=header, rows=rows).replace("Conc.\t", "Conc. (nM)\t"), "run.txt"))

    assert [value for (value,) in exposures(reading, "concentration")] == [12.5, None]
    assert [unit.value for (unit,) in exposures(reading, "unit")] == ["nM", "nM"]


def test_blocks_of_samples_have_their_compounds_in_rows() -> None:
    header = ("#", "Name", "Type", "RT", "Area", "Conc.", "Units")
    block = (
        "Quantify Sample Summary Report\n\nPrinted Tue Dec 30 09:34:43 2025\n\nSample Name: {name}   Sample ID:  {id}\n\n"
        + tabbed(
            header,
            (1, "T-DXd", "Analyte", "2.1", "200", "{first}", "ug/mL"),
            (2, "DXd", "Analyte", "3.1", "20", "{second}", "ng/mL"),
        )
        + "\n"
    )
    text = block.format(name="M07_plasma_4h", id="12.626", first="8.1", second="0.9") + block.format(
        name="M08_plasma_4h", id="12.627", first="7.4", second="<0.1"
    )
    reading = read(IMPORTER, text_book(text, "run.txt"), **{"agent_of:DXd": "T-DXd"})

    assert exposures(reading, "animal", "agent", "analyte", "concentration", "lloq", "sample") == [
        ("M07", "T-DXd", None, 8100.0, None, "M07_plasma_4h"),
        ("M07", "T-DXd", "DXd", 0.9, None, "M07_plasma_4h"),
        ("M08", "T-DXd", None, 7400.0, None, "M08_plasma_4h"),
        ("M08", "T-DXd", "DXd", None, 0.1, "M08_plasma_4h"),
    ]
    assert proposals(reading)["name_column"] == "Sample Name"
    assert not findings(reading, "injection-time")


def test_a_report_without_concentrations_is_refused() -> None:
    text = by_compound(rows=STANDARD)
    with pytest.raises(Refused, match="not one concentration"):
        read(IMPORTER, text_book(text, "run.txt"))
    with pytest.raises(Refused, match="not one concentration"):
        read(IMPORTER, text_book(text.replace("\tConc.\t", "\tResp\t"), "run.txt"))


def test_a_report_without_blocks_is_not_claimed() -> None:
    assert IMPORTER.claim(text_book("Quantify Compound Summary Report\n\nPrinted Tue\n", "run.txt")) is None
    assert IMPORTER.claim(text_book(tabbed(HEADER, *TUCATINIB), "run.txt")) is None
