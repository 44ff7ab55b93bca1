"""Tests of body weights: long, paired and wide."""

from __future__ import annotations

from datetime import date

import pytest

from importers.base import Clock
from importers.body_weight import IMPORTER
from tests.importers.tables_support import entries, errors, excel_book, findings, proposals, read, text_book

PAIRS = [
    ["ID", "Body Weight 1", "Date Body Weight 1", "Body Weight 2", "Date Body Weight 2", "Body Weight 3", "Date Body Weight 2"],
    ["M1", 23.8, date(2024, 10, 5), 23.9, date(2024, 10, 12), 24.1, date(2024, 10, 19)],
    ["M2", 22.2, date(2024, 10, 5), "Dead", None, None, None],
]
BIRTH = [["ID", "Sex", "Num", "Treatment"], ["M1", "F", 1, "Placobo"], ["M2", "M", 2, "Drug"], ["M9", "M", 3, "Drug"]]
OUTCOME = [["Subject_ID", "Outcome 1", "Date Outcome 1"], ["M1", 61.0, date(2024, 10, 5)]]


def test_a_long_table_is_read_whole() -> None:
    reading = read(IMPORTER, text_book("id,mass_date,mass\n1,2024-02-09,26\n2,2024-02-09,24.5\n", "masses.csv"))

    (series,) = reading.series
    assert (series.animals, series.values, series.when) == (["1", "2"], [26.0, 24.5], [date(2024, 2, 9)] * 2)
    assert proposals(reading) == {"weight_unit": "g"}
    assert reading.findings == ()


@pytest.mark.parametrize(("weight", "proposed"), [("21", "g"), ("0.021", None), ("21000", None)])
def test_grams_are_proposed_only_where_the_weights_are_those_of_a_mouse(weight: str, proposed: str | None) -> None:
    reading = read(IMPORTER, text_book(f"id,date,weight\n1,2024-02-09,{weight}\n"))

    assert proposals(reading) == {"weight_unit": proposed}
    assert bool(reading.series) == (proposed is not None)


def test_milligrams_in_the_header_become_grams() -> None:
    reading = read(IMPORTER, text_book("id,date,weight (mg)\n1,2024-02-09,21000\n"))

    assert reading.series[0].values == pytest.approx([21.0])
    assert reading.questions == ()


def test_pairs_belong_together_by_position_and_the_repeated_header_is_a_warning() -> None:
    reading = read(IMPORTER, excel_book({"Body Weight": PAIRS}))

    assert entries(reading.series[0]) == [
        ("M1", date(2024, 10, 5), 23.8),
        ("M1", date(2024, 10, 12), 23.9),
        ("M1", date(2024, 10, 19), 24.1),
        ("M2", date(2024, 10, 5), 22.2),
    ]
    assert [finding.address for finding in findings(reading, "header-repeated")] == ["Body Weight!G1"]
    assert [(finding.address, finding.value) for finding in reading.findings if finding.row == 3] == [("Body Weight!D3", "Dead")]


def test_a_weight_without_its_date_is_an_error_at_the_date() -> None:
    rows = [PAIRS[0], ["M1", 23.8, None, 23.9, date(2024, 10, 12), None, None]]

    reading = read(IMPORTER, excel_book({"Body Weight": rows}))

    assert [(finding.code, finding.address) for finding in reading.findings if finding.row == 2] == [
        ("date-missing", "Body Weight!C2")
    ]


def test_other_sheets_fill_in_sex_and_arm_as_written() -> None:
    reading = read(IMPORTER, excel_book({"Birth": BIRTH, "Body Weight": PAIRS, "Outcome": OUTCOME}))

    assert (reading.animals["M1"].sex, reading.animals["M1"].arm) == ("F", "Placobo")
    assert set(reading.animals) == {"M1", "M2"}
    assert [one.reason for one in reading.set_aside] == ["it does not say which kind of measurement it holds"]


def test_a_column_for_each_date_is_read_where_the_sheet_says_body_weight() -> None:
    rows = [["Mouse", "Group", date(2024, 1, 5), date(2024, 1, 9)], ["M1", "Vehicle", 21.5, 21.9], ["M2", "Drug", None, 19.5]]

    reading = read(IMPORTER, excel_book({"Body weight": rows}))

    assert entries(reading.series[0]) == [
        ("M1", date(2024, 1, 5), 21.5),
        ("M1", date(2024, 1, 9), 21.9),
        ("M2", date(2024, 1, 9), 19.5),
    ]
    assert reading.animals["M2"].arm == "Drug"


def test_columns_that_say_weight_and_day_need_no_title() -> None:
    (series,) = read(IMPORTER, text_book("Mouse,BW day 0,BW day 7\nM1,21.5,21.9\n", "mice.csv")).series

    assert (series.clock, series.when, series.columns) == (Clock.DAY, [0.0, 7.0], [2, 3])


@pytest.mark.parametrize(
    "text", ["Mouse,2024-01-05,2024-01-09\nM1,21.5,21.9\n", "Mouse,Date,Volume,Weight\nM1,2024-01-05,120,21\n"]
)
def test_tables_that_do_not_say_weight_or_hold_sizes_are_not_claimed(text: str) -> None:
    assert IMPORTER.claim(text_book(text, "mice.csv")) is None


def test_an_id_with_a_letter_of_another_alphabet_is_an_error() -> None:
    reading = read(IMPORTER, text_book("id,date,weight (g)\nМ1,2024-02-09,21\n"))

    assert errors(reading) == ["id-lookalike-character"]
