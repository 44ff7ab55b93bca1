from __future__ import annotations

import unicodedata
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.base import Severity
from importers.values import dates, identifier_problems, numbers, problem_findings, propose_date_order, texts


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("12.5", ".", 12.5),
        (" 12.5 ", ".", 12.5),
        ("1.26E+06", ".", 1.26e6),
        ("2.56e+002", ".", 256.0),
        ("1,26E+06", ",", 1.26e6),
        ("−3.5", ".", -3.5),
        (".5", ".", 0.5),
        ("274\u00a0000", ".", 274_000.0),
        ("1\u202f234,5", ",", 1234.5),
        ("1\u2009234", "?", 1234.0),
        ("1'234.5", ".", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("1,234.5", "?", 1234.5),
        ("1,234", ".", 1234.0),
        ("1,234", ",", 1.234),
        ("1.234,5", ",", 1234.5),
        ("3.5", "?", 3.5),
        (3.0, ".", 3.0),
        (7, ".", 7.0),
    ],
)
def test_a_number_is_read(cell, decimal, value):
    assert numbers([cell, ""], decimal) == ([value, None], {})


@pytest.mark.parametrize(
    ("cell", "decimal", "code"),
    [
        ("1*", ".", "number-unreadable"),
        ("x", ".", "no-reading"),
        ("sac 9/13", ".", "no-reading"),
        ("too small to measure", ".", "no-reading"),
        ("12 500", ".", "number-unreadable"),
        ("12.5 mm", ".", "number-unreadable"),
        ("1_000", ".", "number-unreadable"),
        ("NA", ".", "no-reading"),
        ("-", ".", "number-unreadable"),
        ("12 %", ".", "number-percent"),
        ("nan", ".", "number-not-finite"),
        ("-Inf", ".", "number-not-finite"),
        ("1e999", ".", "number-not-finite"),
        (float("nan"), ".", "number-not-finite"),
        (float("inf"), ".", "number-not-finite"),
        (True, ".", "number-unreadable"),
        (date(2024, 1, 5), ".", "number-unreadable"),
        (time(9), ".", "number-unreadable"),
        ("12,5", ".", "decimal-mark"),
        ("3.5", ",", "decimal-mark"),
        ("1,234", "?", "decimal-unknown"),
        ("12,5", "?", "decimal-unknown"),
    ],
)
def test_what_is_no_number_is_set_aside_with_a_reason(cell, decimal, code):
    values, problems = numbers([1.0, cell], decimal)
    assert values == [1.0, None]
    assert problems[1].code == code
    assert problems[1].reason
    assert problems[1].expected


def test_words_for_blank_are_blank_only_where_listed():
    assert numbers(["NA", "n/a", "-", ""], ".", ("NA", "N/A", "-")) == ([None] * 4, {})
    assert set(numbers(["NA", "-"], ".", ("NA",))[1]) == {1}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_survives_being_written_and_read(value):
    assert numbers([repr(value), repr(value).replace("-", "−")], ".") == ([value, value], {})


def test_problems_become_findings_that_quote_the_cell_and_say_where():
    cells = [12.5, "sac 9/13", "1,234"]
    _, problems = numbers(cells, "?")
    found = problem_findings(problems, cells, sheet="Log", rows=[5, 6, 9], column=3)
    assert [finding.address for finding in found] == ["Log!C6", "Log!C9"]
    assert found[0].message == "`sac 9/13` says why there is no value; no reading is recorded from it."
    assert [finding.severity for finding in found] == [Severity.WARNING, Severity.ERROR]
    assert found[1].remedy == "Answer the question about the decimal mark."


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2024-01-31", date(2024, 1, 31)),
        ("2024/1/31", date(2024, 1, 31)),
        ("2024-01-31 14:05", datetime.fromisoformat("2024-01-31T14:05:00")),
        ("2024-01-31T14:05:09", datetime.fromisoformat("2024-01-31T14:05:09")),
        ("31.1.2024", date(2024, 1, 31)),
        ("27.06.2022 11:01", datetime.fromisoformat("2022-06-27T11:01:00")),
        ("07-Jan-2020", date(2020, 1, 7)),
        ("17-sept-2019", date(2019, 9, 17)),
        ("Friday, March 26, 2021", date(2021, 3, 26)),
        ("4/19/2018 6:37 PM", datetime.fromisoformat("2018-04-19T18:37:00")),
        ("12/13/2023 12:05:00 AM", datetime.fromisoformat("2023-12-13T00:05:00")),
        (date(2024, 1, 5), date(2024, 1, 5)),
        (datetime.fromisoformat("2024-01-05T09:00:00"), datetime.fromisoformat("2024-01-05T09:00:00")),
        ("", None),
    ],
)
def test_a_date_is_read(cell, value):
    assert dates([cell, ""], None) == ([value, None], {})


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("3/4/2024", "date-order-unknown"),
        ("07-Jan-20", "date-two-digit-year"),
        ("17-sept-19", "date-two-digit-year"),
        ("3/4/24", "date-two-digit-year"),
        ("Oct 2015", "date-unreadable"),
        ("2024-01-31T14:05:09+02:00", "date-unreadable"),
        ("31.02.2024", "date-impossible"),
        ("2024-01-31 25:00", "date-impossible"),
        ("2024-01-31 13:00 PM", "date-impossible"),
        ("day 3", "date-unreadable"),
        (45246.0, "date-serial"),
        (-1.0, "date-unreadable"),
        (True, "date-unreadable"),
        (time(9), "date-unreadable"),
        (timedelta(hours=3), "date-unreadable"),
    ],
)
def test_what_is_no_date_is_set_aside_with_a_reason(cell, code):
    values, problems = dates([date(2024, 1, 1), cell], None)
    assert values == [date(2024, 1, 1), None]
    assert problems[1].code == code


def test_a_serial_number_is_not_a_date_but_says_which_it_would_be():
    assert "a serial number, 45246 would be 2023-11-16" in dates([45246.0], None)[1][0].reason


def test_the_order_of_day_and_month_is_settled_by_the_column_or_by_a_person():
    assert propose_date_order(["3/4/2024", "", "13/4/2024"]) == "dmy"
    assert propose_date_order(["3/4/2024", "4/13/2024", 5.0]) == "mdy"
    assert propose_date_order(["3/4/2024"]) is None
    assert propose_date_order(["13/4/2024", "4/13/2024"]) is None
    assert dates(["3/4/2024", "13/4/2024"], None) == ([date(2024, 4, 3), date(2024, 4, 13)], {})
    assert dates(["3/4/2024"], "dmy")[0] == [date(2024, 4, 3)]
    assert dates(["3/4/2024"], "mdy")[0] == [date(2024, 3, 4)]
    assert dates(["13/4/2024"], "mdy")[1][0].code == "date-impossible"


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_date_reads_the_same_in_every_notation(day):
    written = [day.isoformat(), day.strftime("%d.%m.%Y"), day.strftime("%d-%b-%Y"), f"{day.day}/{day.month}/{day.year}"]
    assert dates(written, "dmy") == ([day] * 4, {})


def test_texts_read_as_the_sheet_shows_them():
    cells = [2539034.0, " 007 ", 0.1 + 0.2, True, "e\u0301", date(2024, 1, 5), datetime.fromisoformat("2024-01-05T09:00:00"), ""]
    assert texts(cells) == ["2539034", "007", "0.3", "TRUE", "é", "2024-01-05", "2024-01-05 09:00:00", ""]


@pytest.mark.parametrize("identifier", ["M07", "R♯4", "MG L4", "TGFβ-1", "Größe", "Мышь", "µ7", ""])
def test_an_honest_id_is_taken(identifier):
    assert identifier_problems(["M1", identifier]) == {}


@pytest.mark.parametrize(
    ("identifier", "code", "says"),
    [
        ("M\u200b07", "id-invisible-character", "zero width space"),
        ("M\u202e70", "id-invisible-character", "right-to-left override"),
        ("M\u2066" + "07", "id-invisible-character", "left-to-right isolate"),
        ("M\x0007", "id-invisible-character", "u+0000"),
        ("M\n07", "id-invisible-character", "u+000a"),
        ("М07", "id-lookalike-character", "cyrillic capital letter em"),
        ("mоuse", "id-lookalike-character", "cyrillic small letter o"),
        ("Ｍ07", "id-lookalike-character", "fullwidth"),
        ("ΜG", "id-lookalike-character", "greek capital letter mu"),
    ],
)
def test_an_id_that_deceives_the_eye_is_refused(identifier, code, says):
    problems = identifier_problems(["M1", identifier])
    assert set(problems) == {1}
    assert problems[1].code == code
    assert says in problems[1].reason


@given(st.text())
def test_composed_and_decomposed_ids_are_one(identifier):
    assert texts([unicodedata.normalize("NFD", identifier)]) == texts([unicodedata.normalize("NFC", identifier)])
