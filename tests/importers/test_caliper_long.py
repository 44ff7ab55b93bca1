"""Tests of caliper and light-unit tables with one measuring session in each row."""

from __future__ import annotations

from datetime import date

import pytest

from importers.base import Clock, Refused, Severity
from importers.caliper_long import IMPORTER
from importers.sheets import Sheet, Workbook
from tests.importers.tables_support import errors, excel_book, findings, proposals, read, text_book


def test_volumes_and_weights_are_one_series_each_with_arm_and_study() -> None:
    head = "Mouse_ID,Date,Volume (mm3),Weight (g),Group,Study,Cage\n"
    text = head + "M1,2024-01-05,120.5,21.4,Vehicle,S1,C3\nM2,2024-01-05,98,20.9,Drug,S1,C4\n"

    reading = read(IMPORTER, text_book(text))
    volume, weight = reading.series

    assert (volume.kind, volume.values, volume.raw) == ("caliper_volume", [120.5, 98.0], ["120.5", "98"])
    assert (weight.kind, weight.values) == ("body_weight", [21.4, 20.9])
    assert (list(volume.rows), volume.columns, volume.when) == ([2, 3], 3, [date(2024, 1, 5)] * 2)
    facts = reading.animals["M2"]
    assert (facts.arm, facts.study, facts.cage, facts.row) == ("Drug", "S1", "C4", 3)
    assert reading.findings == ()
    assert reading.questions == ()


def test_diameters_stand_without_a_volume_and_a_stated_one_is_beside_them() -> None:
    text = "Mouse,Day,Length (mm),Width (mm),Volume (mm3)\nM1,-3,8,6,144\nM1,0,,,150\n"

    (series,) = read(IMPORTER, text_book(text)).series

    assert (series.clock, series.when) == (Clock.DAY, [-3.0, 0.0])
    assert (series.lengths, series.widths, series.stated) == ([8.0, None], [6.0, None], [144.0, None])
    assert series.values == [None, 150.0]
    assert series.raw == ["8 × 6", "150"]


def test_centimetres_in_the_header_become_millimetres() -> None:
    (series,) = read(IMPORTER, text_book("Mouse,Day,Length (cm),Width (cm)\nM1,0,0.8,0.6\n")).series

    assert (series.lengths, series.widths) == (pytest.approx([8.0]), pytest.approx([6.0]))


def test_two_tumours_in_one_row_are_told_apart_and_derived_columns_stay_unread() -> None:
    text = (
        "Sample,Days,L_Dmin,L_Dmax,R_Dmin,R_Dmax,Weight,L_vol,Max_vol\nA:1,-48,,,5,6.5,20.1,,81.25\nA:1,-14,4,5,6,7,20.3,40,126\n"
    )

    reading = read(IMPORTER, text_book(text))
    left, right, weight = reading.series

    assert (left.tumours, left.lengths, left.widths, left.when) == (["L"], [5.0], [4.0], [-14.0])
    assert (right.tumours, right.lengths, right.when) == (["R", "R"], [6.5, 7.0], [-48.0, -14.0])
    assert weight.values == [20.1, 20.3]
    assert reading.animals["A:1"].tumours == ("L", "R")
    assert [use.reason for use in reading.columns if use.role is None] == ["derived", "derived"]
    assert proposals(reading) == {"length_unit": "mm", "weight_unit": "g"}


def test_a_remark_in_place_of_one_diameter_asks_for_no_other() -> None:
    reading = read(IMPORTER, text_book("Mouse,Day,Length (mm),Width (mm)\nM1,0,sac 9/13,\nM1,3,9,7\n"))

    assert [finding.code for finding in reading.findings] == ["no-reading"]


def test_one_diameter_alone_is_an_error_at_the_blank_cell() -> None:
    reading = read(IMPORTER, text_book("Mouse,Day,Length (mm),Width (mm)\nM1,0,8,\nM1,3,9,7\n"))

    (finding,) = findings(reading, "diameter-missing")
    assert finding.address.endswith("!D2")
    assert reading.series[0].when == [3.0]


def test_light_units_are_read_and_blank_rows_have_a_fate() -> None:
    rows = [
        ["Cell", "CAGE", "MOUSE", "Treatment", "Day", "RLU"],
        ["U87", "1", "1_C", "Control", 12, "305100"],
        ["U87", "1", "1_C", "Control", 21, None],
    ]

    reading = read(IMPORTER, excel_book({"Sheet 1": rows}))

    assert (reading.series[0].kind, reading.series[0].values) == ("bli_rlu", [305100.0])
    assert (reading.animals["1_C"].arm, reading.animals["1_C"].model) == ("Control", "U87")
    assert [(one.first_row, one.row_fate) for one in reading.set_aside] == [(3, True)]


def test_every_problem_is_named_in_one_pass() -> None:
    text = "Mouse,Date,Volume (mm3)\nM1,2024-01-05,1*\n,2024-01-05,90\nM3,,91\nM4,sac 9/13,92\nM5,2024-01-06,93\n"

    reading = read(IMPORTER, text_book(text))

    assert sorted((finding.row, finding.column, finding.code) for finding in reading.findings) == [
        (2, 3, "number-unreadable"),
        (3, 1, "animal-missing"),
        (4, 2, "date-missing"),
        (5, 2, "date-unreadable"),
    ]
    assert all(finding.severity is Severity.ERROR and finding.expected and finding.remedy for finding in reading.findings)
    assert reading.series[0].animals == ["M5"]


def test_an_unreadable_value_does_not_hide_the_missing_animal() -> None:
    reading = read(IMPORTER, text_book("Mouse,Date,Volume (mm3),Weight (g)\n,2024-01-05,120,heavy\n"))

    assert sorted(errors(reading)) == ["animal-missing", "number-unreadable"]


def test_an_error_cell_and_a_formula_without_result_are_errors() -> None:
    rows = [["Mouse", "Day", "Volume (mm3)"], ["M1", 0.0, ""], ["M2", 0.0, 50.0]]
    book = Workbook("f.xlsx", "xlsx", (Sheet("S", 0, rows, problems={(2, 3): "formula without a stored result"}),))

    (finding,) = read(IMPORTER, book).findings

    assert (finding.code, finding.address, finding.value) == ("cell-error", "S!C2", "formula without a stored result")


def test_no_date_column_waits_for_one_date() -> None:
    book = text_book("ID,cell_line,volume,group\nB25,rSCC61,179.8,5\n")

    waiting = read(IMPORTER, book)
    answered = read(IMPORTER, book, date="2024-03-01")

    assert (waiting.series, errors(waiting)) == ((), ["question-date"])
    assert "--set date=" in (waiting.findings[0].option or "")
    assert answered.series[0].when == [date(2024, 3, 1)]
    assert errors(read(IMPORTER, book, date="1 March")) == ["question-date"]


def test_a_unit_is_proposed_only_where_the_values_fit() -> None:
    fits = text_book("ID,Day,Volume\nM1,0,120\nM2,0,340\n")
    odd = text_book("ID,Day,Volume\nM1,0,0.12\nM2,0,0.34\n")

    assert proposals(read(IMPORTER, fits)) == {"volume_unit": "mm3"}
    assert errors(read(IMPORTER, odd)) == ["question-volume_unit"]
    assert read(IMPORTER, odd, volume_unit="cm3").series[0].values == pytest.approx([120.0, 340.0])
    assert errors(read(IMPORTER, fits, volume_unit="pints")) == ["question-volume_unit"]


def test_an_unknown_unit_in_the_header_refuses_the_column() -> None:
    reading = read(IMPORTER, text_book("ID,Day,Volume (inch3)\nM1,0,1\n"))

    assert reading.series == ()
    assert errors(reading) == ["unit-unknown"]


def test_the_same_id_in_two_groups_is_two_animals_unless_a_person_says_one() -> None:
    book = text_book("Id,Group,Day,Volume (mm3)\n1,C,0,50\n1,A,0,60\n2,C,0,70\n")

    reading = read(IMPORTER, book)
    one = read(IMPORTER, book, id_scope="animal")

    assert reading.series[0].animals == ["C-1", "A-1", "C-2"]
    assert reading.animals["A-1"].arm == "A"
    assert findings(reading, "id-not-unique")[0].severity is Severity.WARNING
    assert one.series[0].animals == ["1", "1", "2"]
    assert findings(one, "facts-contradict")[0].value == "A"


def test_dates_that_read_both_ways_wait_for_a_person() -> None:
    book = text_book("ID,Date,Volume (mm3)\nM1,03/04/2024,50\n")
    clear = text_book("ID,Date,Volume (mm3)\nM1,03/04/2024,50\nM1,23/04/2024,60\n")

    assert "question-date_order" in errors(read(IMPORTER, book))
    assert read(IMPORTER, book, date_order="dmy").series[0].when == [date(2024, 4, 3)]
    assert read(IMPORTER, clear).series[0].when == [date(2024, 4, 3), date(2024, 4, 23)]


def test_numbers_under_date_are_days_or_wait() -> None:
    days = excel_book({"S": [["ID", "Date", "Volume (mm3)"], ["M1", 7, 50]]})
    serials = excel_book({"S": [["ID", "Date", "Volume (mm3)"], ["M1", 45000, 50]]})

    assert (read(IMPORTER, days).series[0].clock, read(IMPORTER, days).series[0].when) == (Clock.DAY, [7.0])
    assert errors(read(IMPORTER, serials)) == ["question-date_numbers"]
    assert read(IMPORTER, serials, date_numbers="serial").series[0].when == [date(2023, 3, 15)]


EXCHANGE = "Contributor,Arms,Times,Volume,Study,ID{}\nSet 1,Control,0,204.8,ST1,ST1_501{}\n"


def test_tumor_of_an_exchange_table_is_the_model() -> None:
    reading = read(IMPORTER, text_book(EXCHANGE.format(",Tumor,Body_Weight", ",PDX1,14.96")))

    assert [series.kind for series in reading.series] == ["caliper_volume", "body_weight"]
    assert (reading.animals["ST1_501"].model, reading.series[0].tumours) == ("PDX1", None)


def test_an_exchange_table_without_tumor_is_refused_until_a_person_says_one_each() -> None:
    book = text_book(EXCHANGE.format("", ""))

    with pytest.raises(Refused, match='"Tumor" is missing') as refusal:
        read(IMPORTER, book)

    assert "Disease_Type and Body_Weight" in str(refusal.value)
    assert refusal.value.finding.option == "--set tumour=one-per-animal"
    assert len(read(IMPORTER, book, tumour="one-per-animal").series[0]) == 1


def test_tumor_elsewhere_is_a_label_where_an_animal_has_several() -> None:
    several = read(IMPORTER, text_book("ID,Day,Volume (mm3),Tumor\nM1,0,50,left\nM1,0,60,right\n"))
    shared = read(IMPORTER, text_book("ID,Day,Volume (mm3),Tumor\nM1,0,50,BM7\nM2,0,60,BM7\n"))

    assert several.series[0].tumours == ["left", "right"]
    assert (shared.series[0].tumours, shared.animals["M1"].model) == (None, "BM7")


def test_other_sheets_are_set_aside() -> None:
    book = excel_book({"Data": [["ID", "Day", "Volume (mm3)"], ["M1", 0, 50]], "Notes": [["call Anna"]]})

    assert [one.reason for one in read(IMPORTER, book).set_aside] == ["not of this table"]


def test_reading_twice_gives_the_same() -> None:
    book = text_book("ID,Day,Volume\nM1,0,120\n")
    claim = IMPORTER.claim(book)
    assert claim is not None

    assert IMPORTER.read(book, claim, {}) == IMPORTER.read(book, claim, {})
