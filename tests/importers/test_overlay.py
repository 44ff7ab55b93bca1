"""Corrections over a file: cells read as a person says, rows taken out after reading, names that mean others."""

from __future__ import annotations

from datetime import date

from importers.base import AnimalFacts, Clock, Deaths, Doses, Finding, Reading, Records, Series, Severity, Stays
from importers.meanings import with_meanings
from importers.overlay import PROBLEM_COLUMN, Edit, overlay, typed, without_problem_column, without_rows
from importers.sheets import Sheet, Workbook

DAY = date(2026, 3, 2)


def book(*rows: list, kind: str = "xlsx", decimal: str = ".", **more) -> Workbook:
    return Workbook("file.xlsx", kind, (Sheet("S", 0, rows, **more),), decimal=decimal)


def test_a_cell_is_read_as_typed_and_nothing_else_is_touched() -> None:
    whole = book(["id", "weight"], ["M1", 20.0], ["M2"], problems={(2, 2): "#DIV/0!", (3, 1): "#REF!"})
    laid = overlay(whole, [Edit("S", 2, 2, "21.5", "typo"), Edit("S", 3, 4, "late", "x"), Edit("S", 9, 1, "gone", "x")])
    assert laid.sheets[0].rows == [["id", "weight"], ["M1", 21.5], ["M2", "", "", "late"]]
    assert laid.sheets[0].problems == {(3, 1): "#REF!"}
    assert whole.sheets[0].rows[1] == ["M1", 20.0]
    assert (
        overlay(whole, [Edit("S", 2, None, "", "left out"), Edit("other", 2, 2, "1", "x")]).sheets[0].rows == whole.sheets[0].rows
    )


def test_a_typed_number_is_one_where_it_can_be_nothing_else() -> None:
    assert [typed(text, book()) for text in ("12", "-1.5", "1.2e6", "007", "12,5", "M7", "", "2026-03-02")] == [
        *(12.0, -1.5, 1.2e6),
        *("007", "12,5", "M7", "", "2026-03-02"),
    ]
    assert typed("12.5", book(decimal=",")) == "12.5"
    assert typed("12", book(decimal=",")) == 12.0
    assert typed("12.5", book(kind="text")) == "12.5"


def reading(**more) -> Reading:
    series = Series(
        "body_weight", 0, Clock.DATE, [2, 3, 4], 2, ["M1", "M1", "M2"], [DAY] * 3, [20.0, 21.0, 22.0], ["20", "21", "22"],
        suspect={0: "saturated", 2: "moved"},
    )  # fmt: skip
    facts = {"M1": AnimalFacts("M1", 0, 2, arm="V"), "M2": AnimalFacts("M2", 0, 4)}
    found = (Finding(Severity.ERROR, "x", "in a row", "S", 2), Finding(Severity.NOTE, "y", "of all"))
    return Reading("made", (series,), {0: [2, 3, 4]}, (), {0: [1]}, facts, findings=found, **more)


def test_rows_left_out_are_gone_from_every_part_and_stay_in_the_books() -> None:
    doses = Doses(
        0, Clock.DATE, [2, 4], 3, ["M1", "M2"], [DAY, DAY], ["A", "B"], [1.0, 2.0], ["mg", "mg"], [None, None], [None, None],
        [None, None], ["A", "B"],
    )  # fmt: skip
    deaths = Deaths(0, [2], 4, ["M1"], [DAY], [None], [None], ["dead"])
    stays = Stays(0, [3, 4], 5, ["M1", "M2"], [None, None], ["C1", "C2"], ["C1", "C2"])
    records = Records("exposure", 0, [2, 3], [1, 2], {"animal": ["M1", "M1"], "value": [1, 2]}, {"animal": 1}, ["a", "b"])
    whole = reading(doses=doses, deaths=deaths, stays=stays, records=(records,))
    rows = [["id"], ["M1", 20], ["M1", 21], ["M2", 22]]

    kept, left = without_rows(book(*rows), whole, [Edit("S", 2, None, "", "wrong mouse"), Edit("S", 9, None, "", "not there")])

    (series,) = kept.series
    assert (list(series.rows), list(series.values), series.suspect) == ([3, 4], [21.0, 22.0], {1: "moved"})
    assert [(list(one.rows), list(one.values), one.suspect) for one in left] == [([2], [20.0], {0: "saturated"})]
    assert (list(kept.doses.compounds), kept.deaths, list(kept.stays.rows)) == (["B"], None, [3, 4])
    (one,) = kept.records
    assert (list(one.rows), list(one.column), one.fields) == ([3], [2], {"animal": ["M1"], "value": [2]})
    assert [(aside.first_row, aside.last_column, aside.reason, aside.row_fate) for aside in kept.set_aside] == [
        (2, 2, "wrong mouse", True)
    ]
    assert [finding.code for finding in kept.findings] == ["y"]
    assert (kept.animals["M1"].row, kept.animals["M1"].arm) == (3, "V")
    assert kept.data_rows == {0: [2, 3, 4]}
    assert without_rows(book(*rows), whole, [Edit("S", 2, 1, "M3", "typo")]) == (whole, ())


def test_names_mean_what_a_person_said_and_no_more() -> None:
    stays = Stays(0, [2], 5, ["M1"], [None], ["C1"], ["C1"])
    records = Records("exposure", 0, [2], 1, {"animal": ["M1"], "specimen": ["S?"], "value": [1.0]}, {}, ["a"])
    whole = reading(stays=stays, records=(records,))
    said = {"animal:M1": "M001", "arm:V": "vehicle", "cage:C1": "C-1", "specimen:S?": "SP-1", "agent:X": "new", "decimal": "comma"}

    told = with_meanings(whole, said)

    assert list(told.series[0].animals) == ["M001", "M001", "M2"]
    assert told.animals.keys() == {"M001", "M2"}
    assert (told.animals["M001"].label, told.animals["M001"].arm) == ("M001", "vehicle")
    assert (list(told.stays.animals), list(told.stays.cages)) == (["M001"], ["C-1"])
    assert told.records[0].fields == {"animal": ["M001"], "specimen": ["SP-1"], "value": [1.0]}
    assert with_meanings(whole, {"decimal": "comma", "agent:X": "new"}) is whole
    both = with_meanings(whole, {"animal:M1": "M2"})
    assert both.animals == {"M2": AnimalFacts("M2", 0, 4)}


def test_our_own_column_of_problems_is_taken_off_and_said() -> None:
    cut = without_problem_column(book(["id", PROBLEM_COLUMN, "note"], ["M1", "too heavy", "x"], ["M2", "old"]))
    assert cut.sheets[0].rows == [["id", "", "note"], ["M1", "", "x"], ["M2"]]
    assert [(one.code, one.column) for one in cut.findings] == [("problem-column-ignored", 2)]
    plain = book(["id"], ["M1"])
    assert without_problem_column(plain) is plain
