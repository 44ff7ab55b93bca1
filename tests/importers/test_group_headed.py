from __future__ import annotations

from datetime import date

import pytest

from importers.base import Clock, Severity
from importers.group_headed import IMPORTER
from tests.conftest import SAMPLES
from tests.importers.tables_support import entries, errors, file_book, findings, proposals, read, text_book

TABLE = """Time,Control,Control,,Drug,Drug
0,96,82,,71,80
7,1057,59,,69,
14,2026,,,57,46
"""


def test_a_column_is_an_animal_of_the_group_over_it():
    reading = read(IMPORTER, text_book(TABLE))
    (series,) = reading.series
    assert series.kind == "caliper_volume"
    assert series.clock is Clock.DAY
    assert [entry for entry in entries(series) if entry[0] == "Control-1"] == [
        ("Control-1", 0.0, 96.0),
        ("Control-1", 7.0, 1057.0),
        ("Control-1", 14.0, 2026.0),
    ]
    assert {label: facts.arm for label, facts in reading.animals.items()} == {
        "Control-1": "Control",
        "Control-2": "Control",
        "Drug-1": "Drug",
        "Drug-2": "Drug",
    }
    assert errors(reading) == []


def test_a_blank_after_data_is_no_reading():
    (series,) = read(IMPORTER, text_book(TABLE)).series
    assert len(series) == 10
    assert [when for animal, when, _ in entries(series) if animal == "Control-2"] == [0.0, 7.0]
    assert [when for animal, when, _ in entries(series) if animal == "Drug-2"] == [0.0, 14.0]
    assert (series.rows[-1], series.columns[-1]) == (4, 6)


def test_ids_by_position_are_warned_of():
    (warning,) = findings(read(IMPORTER, text_book(TABLE)), "ids-by-position")
    assert warning.severity is Severity.WARNING
    assert "Control-1" in warning.message


def test_what_the_file_leaves_open_is_proposed_with_evidence():
    reading = read(IMPORTER, text_book(TABLE))
    assert proposals(reading) == {"day_unit": "day", "kind": "caliper_volume", "volume_unit": "mm3"}
    assert {finding.code for finding in reading.findings} == {"day-unit-assumed", "kind-assumed", "ids-by-position"}


def test_answers_are_followed_and_silence_the_warnings():
    reading = read(IMPORTER, text_book(TABLE), kind="caliper_area", day_unit="week")
    (series,) = reading.series
    assert series.kind == "caliper_area"
    assert ("Control-1", 98.0, 2026.0) in entries(series)
    assert {finding.code for finding in reading.findings} == {"ids-by-position"}


def test_numbers_that_may_be_either_kind_wait_for_an_answer():
    book = text_book("Day,A,A,B,B\n0,20,21,22,23\n7,120,130,140,150\n")
    reading = read(IMPORTER, book)
    assert reading.series == ()
    (error,) = findings(reading, "question-kind")
    assert error.severity is Severity.ERROR
    assert "--set kind=" in error.option
    assert len(read(IMPORTER, book, kind="caliper_volume", volume_unit="mm3").series[0]) == 8


def test_dates_may_stand_in_the_first_column():
    (series,) = read(IMPORTER, text_book("Date,A,A\n2024-01-05,500,510\n2024-01-12,1200,1300\n")).series
    assert series.clock is Clock.DATE
    assert series.when[0] == date(2024, 1, 5)


@pytest.mark.parametrize(("text", "code"), [("1*", "number-unreadable"), ("x", "no-reading"), ("sac 9/13", "no-reading")])
def test_text_in_a_cell_is_said_and_the_rest_of_the_row_is_read(text, code):
    reading = read(IMPORTER, text_book(TABLE.replace("1057", text)))
    (found,) = [finding for finding in reading.findings if finding.code == code]
    assert found.address == "sizes!B3"
    assert found.value == text
    assert found.expected
    assert ("Drug-1", 7.0, 69.0) in entries(reading.series[0])


def test_a_row_without_a_day_and_an_unreadable_day_are_errors():
    reading = read(IMPORTER, text_book(TABLE.replace("7,1057", ",1057").replace("14,", "later,")), kind="caliper_volume")
    assert sorted((finding.code, finding.row) for finding in reading.findings if finding.severity is Severity.ERROR) == [
        ("date-missing", 3),
        ("number-unreadable", 4),
    ]


def test_a_column_without_a_header_is_warned_of():
    reading = read(IMPORTER, text_book(TABLE.replace("0,96,82,,", "0,96,82,44,"), decimal="point"))
    (warning,) = findings(reading, "column-without-header")
    assert warning.column == 4


@pytest.mark.parametrize(
    "text",
    [
        "Time,Control,Drug\n0,1,2\n",
        "Mouse,Control,Control\nM1,1,2\n",
        "Mouse,Group,0,7\nM1,A,1,2\n",
        "Day,Mouse,Mouse\n0,1,2\n",
    ],
)
def test_other_tables_are_not_claimed(text):
    assert IMPORTER.claim(text_book(text)) is None


def test_the_published_group_table_is_read():
    path = SAMPLES / "caliper_csv" / "example.csv"
    if not path.exists():
        pytest.skip("the sample files are not here")
    reading = read(IMPORTER, file_book(path))
    assert len(reading.series[0]) == 319
    assert len(reading.animals) == 12
    assert len(reading.data_rows[0]) == 38
    assert errors(reading) == []
