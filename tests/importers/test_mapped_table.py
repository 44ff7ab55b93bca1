"""Tests of tables that a person maps: what the look proposes, what the mapping reads, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from importers.base import Claim, Clock, Reading, Refused
from importers.identify import identify
from importers.mapped_table import IMPORTER
from importers.mapping import KEY, MappedColumn, TableMapping, mapping_in, problems, rows_of, same_headers, signature
from importers.mapping_look import KnownKind, TableLook, look
from importers.sheets import Workbook
from tests.importers.tables_support import entries, errors, excel_book, findings, rows_without_fate, text_book, unaccounted

KINDS = (
    KnownKind("body_weight", "Body weight", "g"),
    KnownKind("caliper_volume", "Tumour volume by caliper", "mm³"),
    KnownKind("rotarod", "Rotarod latency", "s"),
)

ODD = """Weekly sheet of the barn,,,,,
,,,,,
Käfigtier,Wann,KG [mg],Rotarod latency,Wer,Bemerkung
M1,2026-03-02,21500,61,AB,
M2,2026-03-02,20250,58,AB,limps
M3,2026-03-02,,,CD,hidden in the nest
"""
MAPPING = TableMapping(
    "sizes",
    3,
    (
        MappedColumn("Käfigtier", "animal"),
        MappedColumn("Wann", "date"),
        MappedColumn("KG [mg]", "value", kind="body_weight", unit="mg", factor=0.001),
        MappedColumn("Rotarod latency", "value", kind="rotarod", unit="s"),
        MappedColumn("Wer", "operator"),
        MappedColumn("Bemerkung", "unread", reason="kept on paper"),
    ),
)
SPREAD = """Maus;Seite;Gew_2026-03-02;Gew_2026-03-09;Gew_2026-03-16;Ohr
M1;L;21,4;21,9;;x
M1;R;20,0;;19,5;
M2;;;;;
"""
SPREAD_MAPPING = TableMapping(
    "sizes",
    1,
    (
        MappedColumn("Maus", "animal"),
        MappedColumn("Seite", "tumour"),
        MappedColumn("Gew", "value", spread=True, kind="caliper_volume", unit="mm³"),
        MappedColumn("Ohr", "unread", reason="clipped ears"),
    ),
)


def read(book: Workbook, mapping: TableMapping, **choices: str) -> Reading:
    """Read by a mapping, and check that the books balance."""
    reading = IMPORTER.read(book, Claim("mapped_table", ("a person said so",)), {KEY: mapping.to_text(), **choices})
    assert unaccounted(book, reading) == []
    assert rows_without_fate(reading) == []
    return reading


def proposals(seen: TableLook) -> dict[str, tuple[str, str, str] | None]:
    """Map each column to the role, kind and unit that the look proposes."""
    return {one.title: (one.proposed.role, one.proposed.kind, one.proposed.unit) if one.proposed else None for one in seen.columns}


def test_a_table_with_a_reading_a_row_is_read_by_what_a_person_said() -> None:
    reading = read(text_book(ODD), MAPPING)

    weights, latencies = reading.series
    assert entries(weights) == [("M1", date(2026, 3, 2), 21.5), ("M2", date(2026, 3, 2), 20.25)]
    assert weights.raw == ["21500", "20250"]
    assert weights.operators == ["AB", "AB"]
    assert entries(latencies) == [("M1", date(2026, 3, 2), 61.0), ("M2", date(2026, 3, 2), 58.0)]
    assert [(use.header, use.role, use.reason) for use in reading.columns][4:] == [
        ("Wer", "operator", ""),
        ("Bemerkung", None, "kept on paper"),
    ]
    assert [(one.reason, one.first_row, one.row_fate) for one in reading.set_aside] == [
        ("stands above the table", 1, False),
        ("no value in the row", 6, True),
    ]
    assert reading.findings == ()
    assert reading.questions == ()


def test_columns_are_found_by_their_headers_wherever_they_stand_now() -> None:
    moved = "Rotarod latency,KG [mg],Käfigtier,New column,WANN,wer\n61,21500,M1,?,2026-03-09,AB\n"
    reading = read(text_book(moved), MAPPING)

    assert entries(reading.series[1]) == [("M1", date(2026, 3, 9), 21.5)]
    (added,) = findings(reading, "column-not-mapped")
    assert (added.column, added.value) == (4, "New column")


def test_a_column_that_is_gone_refuses_the_file_and_says_what_differs() -> None:
    with pytest.raises(Refused, match='lacks "KG') as refused:
        read(text_book(ODD.replace("KG [mg]", "Gewicht [mg]")), MAPPING)

    assert refused.value.finding.code == "headers-changed"
    assert '"KG [mg]" is missing, and "Gewicht [mg]" is new' in (refused.value.finding.remedy or "")


def test_a_table_with_a_column_for_each_date_is_read_and_grows() -> None:
    book = text_book(SPREAD)
    reading = read(book, SPREAD_MAPPING)

    (series,) = reading.series
    assert series.kind == "caliper_volume"
    assert list(zip(series.animals, series.tumours or (), series.when, series.values, series.columns, strict=True)) == [
        ("M1", "L", date(2026, 3, 2), 21.4, 3),
        ("M1", "R", date(2026, 3, 2), 20.0, 3),
        ("M1", "L", date(2026, 3, 9), 21.9, 4),
        ("M1", "R", date(2026, 3, 16), 19.5, 5),
    ]
    assert reading.animals["M1"].tumours == ("L", "R")
    known = signature(book.sheets[0].rows[0])
    later = text_book(SPREAD.replace("Gew_2026-03-16", "Gew_2026-03-16;Gew_2026-03-23").replace(";x", ";;x"))
    assert same_headers(known, signature(later.sheets[0].rows[0]))
    assert not same_headers(known, signature(text_book(SPREAD.replace("Seite", "Flanke")).sheets[0].rows[0]))


def test_numbers_over_the_columns_are_days_or_weeks_as_a_person_says() -> None:
    mapping = replace(SPREAD_MAPPING, columns=(*SPREAD_MAPPING.columns[:2], replace(SPREAD_MAPPING.columns[2], header="")))
    table = "Maus,Seite,0,3,7\nM1,L,10,20,30\n"

    (days,) = read(text_book(table), mapping).series
    (weeks,) = read(text_book(table), mapping, day_unit="week").series

    assert (days.clock, list(days.when)) == (Clock.DAY, [0.0, 3.0, 7.0])
    assert list(weeks.when) == [0.0, 21.0, 49.0]
    with pytest.raises(Refused, match="some headers are dates"):
        read(text_book(table.replace(",7", ",2026-03-09")), mapping)


def test_length_and_width_make_one_reading_and_a_missing_one_is_said() -> None:
    mapping = TableMapping(
        "sizes",
        1,
        (
            MappedColumn("Nr", "animal"),
            MappedColumn("Tag", "day"),
            MappedColumn("lang", "length", unit="cm", factor=10.0),
            MappedColumn("breit", "width", unit="cm", factor=10.0),
            MappedColumn("breit", "height", nth=2, unit="cm", factor=10.0),
        ),
    )
    reading = read(text_book("Nr,Tag,lang,breit,breit\nM1,0,0.5,0.4,0.3\nM2,0,0.6,,\n"), mapping)

    (series,) = reading.series
    assert (series.lengths, series.widths, series.heights) == ([5.0], [4.0], [3.0])
    assert errors(reading) == ["diameter-missing"]


def test_cells_with_two_diameters_among_volumes_are_sizes_in_a_unit_that_is_asked_once() -> None:
    table = SPREAD.replace("21,4", "4,5x3,2").replace("21,9", "5 × 4 x 3").replace("19,5", "4.5 by 3")
    reading = read(text_book(table), SPREAD_MAPPING, decimal="comma")

    (series,) = reading.series
    assert series.raw == ["4,5x3,2", "20,0", "5 × 4 x 3"]
    assert series.values == [None, 20.0, None]
    assert (series.lengths, series.widths, series.heights) == ([4.5, None, 5.0], [3.2, None, 4.0], [None, None, 3.0])
    assert {one.key: one.answer for one in reading.questions} == {"length_unit": "mm"}
    assert errors(reading) == ["number-unreadable"]
    assert read(text_book(table), SPREAD_MAPPING, decimal="comma", length_unit="cm").series[0].lengths == [45.0, None, 50.0]
    assert look(text_book(table), KINDS).columns[2].proposed is None  # half of the cells are numbers


def test_a_column_of_lengths_and_widths_is_proposed_as_sizes_and_read_a_row_each() -> None:
    book = text_book("Tier;Tag;Tumor\nM1;0;4.5x3.2\nM2;0;5x4\nM3;0;x\nM1;3;5x4\nM2;3;6x4\n")
    seen = look(book, KINDS)
    mapped = [MappedColumn("Tier", "animal"), MappedColumn("Tag", "day"), seen.columns[2].proposed]
    reading = read(book, TableMapping("sizes", 1, tuple(one for one in mapped if one)))

    assert proposals(seen)["Tumor"] == ("value", "caliper_volume", "mm³")
    assert seen.columns[2].evidence.startswith("Its cells are two diameters each.")
    assert (reading.series[0].lengths, reading.series[0].widths) == ([4.5, 5.0, 5.0, 6.0], [3.2, 4.0, 4.0, 4.0])
    assert [(one.row, one.code) for one in reading.findings] == [(4, "no-reading")]


def test_rows_of_statistics_are_no_animals() -> None:
    table = ODD + "Mean,,20875,59.5,,\n,SD,883.9 ± 2,#DIV/0!,,\nM4,2026-03-02,19000,50,N,\n,,,,n.a.,see below\n"
    reading = read(text_book(table), MAPPING)

    assert list(reading.animals) == ["M1", "M2", "M3", "M4"]
    assert reading.findings == ()
    (summary,) = [one for one in reading.set_aside if "summary row" in one.reason]
    assert (summary.first_row, summary.last_row, summary.row_fate) == (7, 8, True)
    assert look(text_book(table), KINDS).columns[0].different == ("M1", "M2", "M3", "M4")


def test_what_cannot_be_read_is_an_error_in_its_place_and_loses_nothing() -> None:
    table = ODD.replace("21500", "21500*").replace("M2,2026-03-02", ",2026-03-02").replace("KG [mg]", "KG [g]")
    mapping = replace(MAPPING, columns=(*MAPPING.columns[:2], replace(MAPPING.columns[2], header="KG [g]"), *MAPPING.columns[3:]))
    reading = read(text_book(table), mapping)

    assert errors(reading) == ["animal-missing", "number-unreadable"] or errors(reading) == ["number-unreadable", "animal-missing"]
    (unit,) = findings(reading, "unit-differs")
    assert 'the header "KG [g]" says g' in unit.message


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ((MappedColumn("a", "value", kind="k"),), "no column says which animal"),
        ((MappedColumn("a", "animal"),), "no column holds values"),
        (
            (MappedColumn("a", "animal"), MappedColumn("b", "animal"), MappedColumn("c", "value", kind="k")),
            '"a" is the animal already',
        ),
        ((MappedColumn("a", "animal"), MappedColumn("b", "length"), MappedColumn("c", "value", kind="k")), "length and width"),
        ((MappedColumn("a", "animal"), MappedColumn("b", "colour"), MappedColumn("c", "value", kind="k")), "which no column can"),
        ((MappedColumn("a", "animal"), MappedColumn("c", "value")), "values of no kind"),
        ((MappedColumn("a", "animal"), MappedColumn("c", "value", kind="k", factor=float("nan"))), "multiplied by nan"),
        (
            (MappedColumn("a", "animal"), MappedColumn("d", "date"), MappedColumn("c", "value", kind="k", spread=True)),
            "the dates stand in the headers",
        ),
    ],
)
def test_a_mapping_that_makes_no_table_says_why(columns: tuple[MappedColumn, ...], said: str) -> None:
    mapping = TableMapping("s", 1, columns)

    assert any(said in one for _, one in problems(mapping))
    with pytest.raises(Refused, match=said):
        mapping_in({KEY: mapping.to_text()})


@pytest.mark.parametrize("text", ["{", "[]", '{"columns": 3}', '{"sheet":"s","header_row":1,"columns":[{"role":"animal"}]}'])
def test_an_answer_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        mapping_in({KEY: text})


def test_a_mapping_survives_as_an_answer_and_nobody_claims_a_file_by_it() -> None:
    assert mapping_in({KEY: MAPPING.to_text()}) == MAPPING
    assert json.loads(MAPPING.to_text())["columns"][0]["header"] == "Käfigtier"
    assert IMPORTER.claim(text_book(ODD)) is None
    with pytest.raises(Refused, match="Nobody has said"):
        IMPORTER.read(text_book(ODD), Claim("mapped_table", ()), {})
    with pytest.raises(Refused, match="no importer recognises"):
        identify(text_book(ODD))


def test_the_look_proposes_with_evidence_and_leaves_open_what_nothing_tells() -> None:
    seen = look(text_book(ODD), KINDS)

    assert (seen.header_row, seen.rows) == (3, 3)
    assert seen.header_evidence == "the first row with 6 different names"
    assert proposals(seen) == {
        "Käfigtier": None,
        "Wann": ("date", "", ""),
        "KG [mg]": None,
        "Rotarod latency": ("value", "rotarod", ""),
        "Wer": None,
        "Bemerkung": None,
    }
    told = {one.title: (one.samples, one.evidence) for one in seen.columns}
    assert told["Käfigtier"] == (("M1", "M2", "M3"), "3 texts, all different.")
    assert told["KG [mg]"] == (("21500", "20250"), "2 numbers from 20250 to 21500, half of them above 20875.")
    assert told["Wann"][1].startswith("Its cells are dates.")
    assert seen.columns[0].different == ("M1", "M2", "M3")
    assert seen.signature == ("Käfigtier", "Wann", "KG [mg]", "Rotarod latency", "Wer", "Bemerkung")


def test_the_look_lets_cells_and_units_speak_where_a_header_is_in_another_language() -> None:
    rows = [["M1", date(2026, 3, 2), 21.5, 4.2, "limps"], ["M2", date(2026, 3, 2), 20.5, 3.9, None]]
    seen = look(excel_book({"KW 10": [["Tier", "Tag", "Gewicht [g]", "Breite [mm]", "Bemerkung [g]"], *rows]}), KINDS)

    assert proposals(seen) == {
        "Tier": None,
        "Tag": ("date", "", ""),
        "Gewicht [g]": ("value", "body_weight", "g"),
        "Breite [mm]": None,
        "Bemerkung [g]": None,
    }
    assert seen.columns[1].evidence.startswith("Its cells are dates.")
    assert seen.columns[2].evidence.startswith("“Body weight” is the only kind in g.")


def test_the_look_takes_columns_of_dates_together_unless_they_are_wanted_apart() -> None:
    book = text_book(SPREAD)
    together, apart = look(book, KINDS), look(book, KINDS, apart=True)

    assert [one.title for one in together.columns] == ["Maus", "Seite", "Gew_2026-03-02 … Gew_2026-03-16", "Ohr"]
    assert together.header_evidence == "the first row with 6 different names"
    assert (together.columns[2].column, together.columns[2].last, together.columns[2].spread) == (3, 5, True)
    assert together.columns[2].evidence.startswith("3 columns headed by a date or day.")
    assert len(apart.columns) == 6
    assert [question.key for question in together.questions] == ["decimal"]


def test_the_look_reads_other_sheets_other_rows_and_the_order_of_dates() -> None:
    book = excel_book(
        {
            "notes": [["read me"]],
            "data": [["Tier", "am", "KG"], ["M1", "3/4/2026", 21.5], ["M2", "13/4/2026", 20.5]],
            "empty": [],
        }
    )
    seen = look(book, KINDS)

    assert seen.sheets[seen.sheet][0] == "data"
    assert (seen.open_dates, seen.proposed_order) == (("3/4/2026", "13/4/2026"), "dmy")
    assert look(book, KINDS, sheet=0, header_row=9).header_row == 1
    assert look(book, KINDS, sheet=2).columns == ()
    mapped = look(book, KINDS, known=TableMapping("data", 1, (MappedColumn("KG", "value", kind="body_weight", unit="g"),)))
    assert mapped.known[3].kind == "body_weight"
    assert mapped.header_evidence == "it has 1 of the headers that were mapped before"


def test_two_sheets_with_the_same_table_are_told_apart_by_name_and_said() -> None:
    table = [["Tier", "Datum", "KG"], ["M1", date(2026, 3, 2), 21.5]]
    mapping = TableMapping(
        "March",
        1,
        (MappedColumn("Tier", "animal"), MappedColumn("Datum", "date"), MappedColumn("KG", "value", kind="body_weight", unit="g")),
    )
    reading = read(excel_book({"April": table, "March": table}), mapping)

    assert reading.series[0].sheet == 1
    (other,) = findings(reading, "sheet-not-read")
    assert 'the sheet "April" has the same headers' in other.message
    assert [sheet.name for sheet, _, _ in rows_of(excel_book({"April": table}))] == ["April", "April"]
