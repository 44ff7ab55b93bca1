"""Tests of cell counters: Vi-CELL BLU and XR, NucleoCounter's table and its file of one count."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from importers.base import Reading
from importers.identify import identify
from importers.nucleocounter import IMPORTER as NUCLEOCOUNTER
from importers.sheets import Workbook
from importers.vicell import IMPORTER as VICELL
from importers.workbook import open_workbook
from tests.importers.tables_support import errors, excel_book, findings, proposals, read, text_book

BLU = (
    "Sample ID,Cell count,Viable cells,Total (x10^6) cells/mL,Viable (x10^6) cells/mL,Viability (%),"
    "Average diameter (\u03bcm),Average viable diameter (\u03bcm),Cell type,Minimum Diameter (\u03bcm),"
    "Analysis date/time,Reanalysis date/time,Analysis by,Dilution,Tag\n"
    "BM-01 P2,7670,7425,2.72,2.63,96.81,19.24,19.48,Mammalian,6,3/4/2026 15:15,,agnes,2,brain\n"
    "BM-01 P2,7001,6896,2.48,2.45,98.5,19.29,19.42,Mammalian,6,3/4/2026 15:21,,agnes,2,\n"
    "BM-02,ERROR,ERROR,1.0,0.5,50,17.1,17.3,Mammalian,6,3/23/2026 9:05,,agnes,1,\n"
)
XR_HEADERS = (
    [
        "Sample ID",
        "File name",
        "Cell type",
        "Dilution",
        "Sample date/time",
        "Total",
        "Viable",
        "Viability",
        "Total cells",
        "Viable cells",
        "Avg. diam.",
        "Comment",
    ],
    ["", "", "", "factor", "", "cells", "cells", "(%)", "/ml (x10^6)", "/ml (x10^6)", "(microns)", ""],
)
XR_ROWS = (
    ["AL-00042", "AL-00042.smp", "PDX", "10.0", "31 Aug 2026  4:31:23 PM", 135.0, 68.0, "50.4", "15.5", "7.80", "5.12", ""],
    ["AL-00042", "AL-00042-2.smp", "PDX", "10.0", "31 Aug 2026  4:37:04 PM", 985.0, 435.0, "44.2", "11.3", "4.99", "4.89", "again"],
    ["", "", "", "", "", "", "", "", "", "", "", ""],
)
XR_LINES = """Vi-CELL XR 2.06.3

Sample ID : BM-01 P2
Sample data/time : 31 Aug 2026  4:31:23 PM
Unit S/N: AW12345
Cell type : PDX
Dilution : 10.0
Total cells : 985
Viable cells : 435
Viability (%) : 44.2
Total cells / ml (x 10^6) : 11.3
Total viable cells / ml (x 10^6) : 4.99
Average diameter (microns) : 4.89
Comment : at the hood
"""
NC_VIEW = (
    "NAME,SAMPLE ID,PROTOCOL,OPERATOR,INSTRUMENT,STATUS,TOTAL (cells/ml),"
    "LIVE (cells/ml),DEAD (cells/ml),VIABILITY (%),DIAMETER (\u00b5m),DILUTION FACTOR\n"
    "20260219-00019,SP-1,Viability,chb,S/N: 9002,OK,274\u00a0000,124\u00a0000,150\u00a0000,45.1,12.2,1\n"
    "20260219-00043,SP-1,Viability,chb,S/N: 9002,Warning: Foreign object detected,1.07E+06,1.02E+06,54\u00a0400,94.9,14.9,1\n"
)
NUCLEOVIEW = """Viability and Cell Count Assay - BM; ;
Image;20261120-0012-c-cellsABCD;
Operator;chb;
Viability (%);68.2;
Live (cells/ml);2.45E6;
Dead (cells/ml);1.14E6;
Total (cells/ml);3.58E6;
 ; ;
Estimated cell diameter (um);9.1;
Multiplication factor;1.000;
;
Instrument type;NucleoView NC-200
Instrument s/n;s/n 9000
Date time;20261120 163016
Time zone offset;2
"""
FIELDS = (
    "sample",
    "viable_cells_per_ml",
    "total_cells_per_ml",
    "viability_percent",
    "mean_diameter_um",
    "dilution_factor",
    "counted_at",
)


moment = datetime.fromisoformat


def fields(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    """List fields of the records."""
    (records,) = reading.records
    assert records.noun == "preparation"
    return list(zip(*(records.fields[name] for name in names), strict=True))


def xr(*rows: list[Any]) -> Workbook:
    heads = [["Vi-CELL XR 2.06.3"], ["z:\\export\\one.xlsx"], ["Unit S/N:  AW12345"], ["  "]]
    return excel_book({"Run data summary": [*heads, *XR_HEADERS, *(rows or XR_ROWS)]}, name="one.xlsx")


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize("micro", ["\u00b5", "\u03bc"])
def test_a_blu_is_read_in_either_encoding_and_with_either_sign_of_a_micrometre(codec: str, micro: str) -> None:
    book = open_workbook(BLU.replace("\u03bc", micro).encode(codec), "blu.csv")
    reading = read(VICELL, book)

    assert fields(reading, *FIELDS) == [
        ("BM-01 P2", 2.63e6, 2.72e6, 96.81, 19.24, 2.0, moment("2026-03-04 15:15:00")),
        ("BM-01 P2", 2.45e6, 2.48e6, 98.5, 19.29, 2.0, moment("2026-03-04 15:21:00")),
        ("BM-02", 0.5e6, 1e6, 50.0, 17.1, 1.0, moment("2026-03-23 09:05:00")),
    ]
    assert fields(reading, "device", "operator", "note")[0] == ("Vi-CELL BLU", "agnes", "brain")
    (records,) = reading.records
    headers = {name: reading.columns[column - 1].header for name, column in records.columns.items()}
    assert headers["viable_cells_per_ml"] == "Viable (x10^6) cells/mL"
    assert headers["mean_diameter_um"] == f"Average diameter ({micro}m)"
    assert reading.questions[0].evidence == '"3/23/2026" can only be read with the month first.'
    assert errors(reading) == []


def test_what_a_blu_leaves_open_or_out_is_asked_or_refused() -> None:
    head, first, second, _ = BLU.splitlines(keepends=True)
    assert proposals(read(VICELL, text_book(head + first))) == {"date_order": "mdy"}  # either way round, as it is usual at a BLU
    bad = head + first.replace("2.63", "ERROR") + second.replace("BM-01 P2", "") + first.replace("3/4/2026 15:15", "")
    reading = read(VICELL, text_book(bad))
    assert reading.records == ()
    assert sorted(errors(reading)) == ["date-missing", "number-unreadable", "sample-missing"]


def test_an_xr_has_two_rows_of_headers_and_repeated_counts_are_counts() -> None:
    reading = read(VICELL, xr())

    assert fields(reading, *FIELDS) == [
        ("AL-00042", 7.8e6, 15.5e6, 50.4, 5.12, 10.0, moment("2026-08-31 16:31:23")),
        ("AL-00042", 4.99e6, 11.3e6, 44.2, 4.89, 10.0, moment("2026-08-31 16:37:04")),
    ]
    assert fields(reading, "device", "count_name", "note")[1] == ("Vi-CELL XR 2.06.3, S/N AW12345", "AL-00042-2.smp", "again")
    assert reading.header_rows == {0: [5, 6]}
    assert errors(read(VICELL, xr(["AL-1", "x.smp", "PDX", "1", "not counted", 1.0, 1.0, "50", "1", "0.5", "5", ""]))) == [
        "date-unreadable"
    ]


def test_the_text_of_one_count_of_an_xr_is_read_line_by_line() -> None:
    reading = read(VICELL, text_book(XR_LINES, "one.txt"))

    assert fields(reading, *FIELDS) == [("BM-01 P2", 4.99e6, 11.3e6, 44.2, 4.89, 10.0, moment("2026-08-31 16:31:23"))]
    assert fields(reading, "device", "note") == [("Vi-CELL XR 2.06.3, S/N AW12345", "at the hood")]
    assert errors(read(VICELL, text_book(XR_LINES.replace("4.99", "lots"), "one.txt"))) == ["number-unreadable"]
    assert errors(read(VICELL, text_book(XR_LINES.replace("Sample data/time", "When"), "one.txt"))) == ["date-missing"]


def test_a_nucleocounters_table_has_thousands_apart_by_blanks_and_the_day_in_its_names() -> None:
    reading = read(NUCLEOCOUNTER, text_book(NC_VIEW, "nc.csv"))

    assert fields(reading, *FIELDS) == [
        ("SP-1", 124_000.0, 274_000.0, 45.1, 12.2, 1.0, None),
        ("SP-1", 1.02e6, 1.07e6, 94.9, 14.9, 1.0, None),
    ]
    assert fields(reading, "counted_on", "count_name", "device", "note")[1] == (
        date(2026, 2, 19),
        "20260219-00043",
        "NucleoCounter S/N: 9002",
        "Warning: Foreign object detected",
    )
    assert proposals(reading) == {"counted_on": "name"}
    (warning,) = findings(reading, "counter-warning")
    assert (warning.row, warning.value) == (3, "Warning: Foreign object detected")
    one_day = read(NUCLEOCOUNTER, text_book(NC_VIEW.replace("20260219-", "run "), "nc.csv"), counted_on="2026-02-20")
    assert fields(one_day, "counted_on") == [(date(2026, 2, 20),)] * 2
    waiting = read(NUCLEOCOUNTER, text_book(NC_VIEW.replace("20260219-", "run "), "nc.csv"))
    assert (waiting.records, errors(waiting)) == ((), ["question-counted_on"])
    wrong = read(NUCLEOCOUNTER, text_book(NC_VIEW, "nc.csv"), counted_on="yesterday")
    assert (wrong.records, errors(wrong)[0]) == ((), "date-unreadable")


def test_the_file_of_one_count_of_nucleoview_is_known_by_its_image() -> None:
    reading = read(NUCLEOCOUNTER, text_book(NUCLEOVIEW, "one.csv"))

    image = "20261120-0012-c-cellsABCD"
    assert fields(reading, *FIELDS) == [(image, 2.45e6, 3.58e6, 68.2, 9.1, 1.0, moment("2026-11-20 16:30:16"))]
    assert fields(reading, "count_name", "device", "operator") == [(image, "NucleoView NC-200, s/n 9000", "chb")]
    assert errors(read(NUCLEOCOUNTER, text_book(NUCLEOVIEW.replace("20261120 163016", "20261320 163016"), "one.csv"))) == [
        "date-unreadable"
    ]


def test_exactly_one_importer_claims_each() -> None:
    books = [text_book(BLU), xr(), text_book(XR_LINES, "one.txt"), text_book(NC_VIEW), text_book(NUCLEOVIEW)]

    assert [identify(book).importer for book in books] == ["vicell"] * 3 + ["nucleocounter"] * 2
