from __future__ import annotations

from datetime import date

import pytest

from importers.base import Clock, Severity
from importers.blocks import time_header
from importers.caliper_wide import IMPORTER
from importers.sheets import Sheet, Workbook
from tests.conftest import SAMPLES
from tests.importers.tables_support import entries, errors, excel_book, file_book, findings, proposals, read, text_book

AREAS = "Treatment;Mouse_ID;LxW_2024-01-01;LxW_2024-01-05\nControl;S1;1.5;3.25\nControl;S2;2.5;\nDrug;S3;;4.75\n"
TYPED = "Use\tGrp\tId\t\t0\t7\t14\nx\tx\tx\tx\t{code}\t{code}\t{last}\nx\tC\t1\t\t17,5\t31,5\t{value}\n\tC\t2\t\t22,75\t63\t90\n"


def typed(code: str = "S", last: str = "S", value: str = "88") -> Workbook:
    return text_book(TYPED.format(code=code, last=last, value=value).replace("\n", "\r"), "typed.tsv")


def stacked(*, normalised: str = "A (NORMALIZED)") -> Workbook:
    header = ["Cohort", "Mouse Number", "DOB", "DOD", 0, 1, 2]
    born, died = date(2023, 8, 29), date(2023, 9, 10)
    rows = [
        ["", *header, "", *header],
        ["", "A", 24072, born, died, 600.5, None, 1200, "", normalised, 24072, born, died, 1, None, 2],
        ["", None, "35694-00", born, died, 400, 500, None, "", None, "35694-00", born, died, 1, 1.25, None, None, 0.06],
        ["", None, None, None, "MEAN", 500.25, 500, 1200, "", None, None, None, "MEAN", 1, 1.25, 2],
        ["", None, None, None, "SD", 141.8, None, None],
        [],
        ["", *header],
        ["", "B", 24111, None, None, 1000, 1100, 1300],
        ["", None, None, None, "SEM", 0, 0, 0],
    ]
    return excel_book({"Sheet1": rows})


def test_areas_under_dates_are_read_by_animal():
    reading = read(IMPORTER, text_book(AREAS))
    (series,) = reading.series
    assert (series.kind, series.clock) == ("caliper_area", Clock.DATE)
    assert entries(series) == [
        ("S1", date(2024, 1, 1), 1.5),
        ("S1", date(2024, 1, 5), 3.25),
        ("S2", date(2024, 1, 1), 2.5),
        ("S3", date(2024, 1, 5), 4.75),
    ]
    assert {label: facts.arm for label, facts in reading.animals.items()} == {"S1": "Control", "S2": "Control", "S3": "Drug"}
    assert reading.questions == ()
    assert reading.findings == ()


@pytest.mark.parametrize(("cell", "sides"), [("4.5x3.2", (4.5, 3.2)), ("4,5 x 3,2", (4.5, 3.2)), ("12 × 10 mm", (12.0, 10.0))])
def test_two_diameters_in_a_cell_are_length_and_width(cell, sides):
    reading = read(IMPORTER, text_book(AREAS.replace("3.25", cell), decimal="point"))
    pairs, areas = sorted(reading.series, key=len)
    assert (pairs.kind, list(pairs.values), list(pairs.raw)) == ("caliper_volume", [None], [cell])
    assert (pairs.lengths[0], pairs.widths[0]) == sides
    assert pairs.heights is None
    assert len(areas) == 3
    assert proposals(reading)["length_unit"] == "mm"


def test_three_diameters_have_a_height():
    (series,) = read(IMPORTER, text_book("Mouse,Day 0,Day 7\nM1,5x4x3,6x5\n")).series
    assert (series.lengths, series.widths, series.heights) == ([5.0, 6.0], [4.0, 5.0], [3.0, None])


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        ("1*", "number-unreadable", Severity.ERROR),
        ("x", "no-reading", Severity.WARNING),
        ("sac 9/13", "no-reading", Severity.WARNING),
    ],
)
def test_text_in_a_cell_is_said_and_the_rest_of_the_row_is_read(text, code, severity):
    reading = read(IMPORTER, text_book(AREAS.replace("1.5", text)))
    (found,) = reading.findings
    assert (found.severity, found.code, found.address, found.value) == (severity, code, "sizes!C2", text)
    assert "4.5x3.2" in found.expected
    assert found.remedy
    assert ("S1", date(2024, 1, 5), 3.25) in entries(reading.series[0])


def test_a_cell_the_program_could_not_compute_is_an_error():
    rows = [["Mouse", "V 2024-01-05", "V 2024-01-12"], ["M1", "", 700.0]]
    reading = read(IMPORTER, Workbook("a.xlsx", "xlsx", (Sheet("S", 0, rows, problems={(2, 2): "#DIV/0!"}),)))
    assert [(finding.code, finding.address, finding.value) for finding in reading.findings] == [("cell-error", "S!B2", "#DIV/0!")]
    assert len(reading.series[0]) == 1


def test_type_codes_and_decimal_commas_and_carriage_returns():
    reading = read(IMPORTER, typed())
    (series,) = reading.series
    assert series.kind == "caliper_area"
    assert entries(series)[:2] == [("1", 0.0, 17.5), ("1", 7.0, 31.5)]
    assert list(reading.header_rows[0]) == [1, 2]
    unread = {use.header: use.reason for use in reading.columns if use.role is None}
    assert "every row is read" in unread["Use"]
    assert proposals(reading)["day_unit"] == "day"
    assert [finding.severity for finding in findings(reading, "day-unit-assumed")] == [Severity.WARNING]


def test_a_column_that_is_no_measure_is_unread():
    reading = read(IMPORTER, typed(last="x"))
    assert len(reading.series[0]) == 4
    assert '"x"' in next(use.reason for use in reading.columns if use.header == "14")


def test_sizes_of_an_unsaid_kind_are_proposed_from_half_millimetres():
    reading = read(IMPORTER, typed("Z", "Z", "71,25"))
    assert proposals(reading)["kind"] == "caliper_area"
    assert "half millimetres" in findings(reading, "kind-assumed")[0].message
    assert reading.series[0].kind == "caliper_area"
    answered = read(IMPORTER, typed("Z", "Z", "71,25"), kind="caliper_volume", volume_unit="mm3")
    assert answered.series[0].kind == "caliper_volume"
    assert findings(answered, "kind-assumed") == []


def test_sizes_that_may_be_either_kind_wait_for_an_answer():
    reading = read(IMPORTER, text_book("Mouse,0,7\nM1,20,120\nM2,30,130\n"))
    assert reading.series == ()
    assert errors(reading) == ["question-kind"]
    assert proposals(reading)["kind"] is None


def test_an_answer_that_is_no_option_is_an_error():
    reading = read(IMPORTER, text_book("Mouse,0,7\nM1,20,120\n"), kind="mass")
    assert errors(reading) == ["question-kind"]
    assert '"mass"' in findings(reading, "question-kind")[0].message


def test_small_volumes_are_proposed_as_cubic_centimetres_and_warned_of():
    reading = read(IMPORTER, text_book("Mouse,V 2024-01-05,V 2024-01-12\nM1,1.02,1.77\nM2,1.5,3.13\n"))
    assert proposals(reading)["volume_unit"] == "cm3"
    assert entries(reading.series[0])[0] == ("M1", date(2024, 1, 5), 1020.0)
    (warning,) = findings(reading, "volume-unit-assumed")
    assert warning.severity is Severity.WARNING
    assert "3,130 mm³" in warning.message


@pytest.mark.parametrize("values", [("60", "250", "90", "400"), ("2", "3", "4", "25"), ("0", "0", "0", "0")])
def test_usual_volumes_are_proposed_as_cubic_millimetres(values):
    one, two, three, four = values
    reading = read(IMPORTER, text_book(f"Mouse,V 2024-01-05,V 2024-01-12\nM1,{one},{two}\nM2,{three},{four}\n"))
    assert proposals(reading)["volume_unit"] == "mm3"
    assert list(reading.series[0].values) == [float(one), float(three), float(two), float(four)]
    assert reading.findings == ()


def test_relative_volumes_are_not_taken_for_volumes():
    reading = read(IMPORTER, text_book("Mouse,V 2024-01-05,V 2024-01-12\nM1,1,1.77\nM2,1,3.13\n"))
    assert reading.series == ()
    assert errors(reading) == ["question-volume_unit"]
    assert "relative" in findings(reading, "question-volume_unit")[0].message


def test_a_unit_in_the_headers_needs_no_question():
    reading = read(IMPORTER, text_book("Mouse,Volume (cm3) 2024-01-05,Volume (cm3) 2024-01-12\nM1,0.5,0.75\n"))
    assert list(reading.series[0].values) == [500.0, 750.0]
    assert reading.questions == ()


def test_an_unknown_unit_in_the_headers_is_an_error():
    reading = read(IMPORTER, text_book("Mouse,Volume (pints) 2024-01-05,Volume (pints) 2024-01-12\nM1,0.5,0.75\n"))
    assert reading.series == ()
    assert [(finding.code, finding.value) for finding in reading.findings] == [("unit-unknown", "pints")]


def test_ids_that_repeat_between_groups_get_their_group():
    book = text_book("Grp,Id,LxW_2024-01-01,LxW_2024-01-05\nC,1,10,20\nC,2,11,21\nA,1,12,22\n")
    reading = read(IMPORTER, book)
    assert set(reading.animals) == {"C-1", "C-2", "A-1"}
    assert proposals(reading) == {"id_scope": "group"}
    assert [finding.severity for finding in findings(reading, "ids-repeat-between-groups")] == [Severity.WARNING]
    same = read(IMPORTER, book, id_scope="animal")
    assert set(same.animals) == {"1", "2"}
    assert same.findings == ()


def test_an_animal_twice_in_one_group_is_an_error():
    reading = read(IMPORTER, text_book(AREAS.replace("S2", "S1")))
    assert [(finding.severity, finding.code, finding.address) for finding in reading.findings] == [
        (Severity.ERROR, "animal-twice", "sizes!B3")
    ]
    assert 3 not in reading.series[0].rows


def test_two_tumours_of_an_animal_are_two_rows():
    reading = read(IMPORTER, text_book("Mouse,Side,LxW_2024-01-01,LxW_2024-01-05\nM1,left,10,20\nM1,right,11,21\n"))
    assert reading.findings == ()
    assert set(reading.series[0].tumours) == {"left", "right"}
    assert reading.animals["M1"].tumours == ("left", "right")


def test_sizes_without_an_animal_are_an_error_and_an_empty_animal_is_skipped():
    text = "Mouse,Remark,V 2024-01-05,V 2024-01-12\nM1,,60,70\n,,80,90\nM3,died,,\n,the end,,\n"
    reading = read(IMPORTER, text_book(text))
    assert [(finding.code, finding.address) for finding in reading.findings] == [("animal-missing", "sizes!A3")]
    assert [region.first_row for region in reading.set_aside if region.row_fate] == [5, 4]


def test_a_short_row_is_blank_at_its_end():
    reading = read(IMPORTER, text_book("Mouse;V 2024-01-05;V 2024-01-12\nM1;60\nM2;70;80\nM3;71;81\n"))
    assert len(reading.series[0]) == 5
    assert reading.findings == ()


def test_a_row_with_more_cells_than_the_header_is_warned_of():
    reading = read(IMPORTER, text_book(AREAS.replace("S1;1.5;3.25", "S1;;1.5;3.25")))
    assert [(finding.severity, finding.code, finding.address) for finding in reading.findings] == [
        (Severity.WARNING, "row-too-long", "sizes!E2")
    ]


def test_stacked_blocks_with_means_and_normalised_copies():
    reading = read(IMPORTER, stacked())
    (series,) = reading.series
    assert entries(series) == [
        ("24072", 0.0, 600.5),
        ("24072", 2.0, 1200.0),
        ("24111", 0.0, 1000.0),
        ("24111", 1.0, 1100.0),
        ("24111", 2.0, 1300.0),
        ("35694-00", 0.0, 400.0),
        ("35694-00", 1.0, 500.0),
    ]
    assert {label: facts.arm for label, facts in reading.animals.items()} == {"24072": "A", "35694-00": "A", "24111": "B"}
    assert reading.animals["24072"].birth_date == date(2023, 8, 29)
    assert list(reading.header_rows[0]) == [1, 7]
    assert list(reading.data_rows[0]) == [2, 3, 4, 5, 8, 9]
    assert sorted(region.first_row for region in reading.set_aside if region.row_fate) == [4, 5, 9]
    copies = [region for region in reading.set_aside if "normalised" in region.reason]
    assert [(region.first_column, region.last_column) for region in copies] == [(10, 16)]
    strays = [region for region in reading.set_aside if "outside" in region.reason]
    assert [(region.first_row, region.first_column) for region in strays] == [(3, 18)]
    assert "fates" in next(use.reason for use in reading.columns if use.header == "DOD")
    assert errors(reading) == []


def test_a_copy_is_known_by_its_values_too():
    copies = [region for region in read(IMPORTER, stacked(normalised="A")).set_aside if "normalised" in region.reason]
    assert len(copies) == 1


def test_days_are_proven_by_an_animal_that_lived_shorter_than_weeks():
    reading = read(IMPORTER, stacked())
    (question,) = [question for question in reading.questions if question.key == "day_unit"]
    assert "lived 12 days" in question.evidence
    weeks = read(IMPORTER, stacked(), day_unit="week")
    assert ("24111", 14.0, 1300.0) in entries(weeks.series[0])


def test_a_cohort_merged_down_names_every_row():
    rows = [["Cohort", "Mouse", "V D0", "V D7"], ["A", "M1", 60, 70], [None, "M2", 61, 71], ["B", "M3", 62, 72]]
    reading = read(IMPORTER, excel_book({"S": rows}, merged=["A2:A3"]))
    assert {label: facts.arm for label, facts in reading.animals.items()} == {"M1": "A", "M2": "A", "M3": "B"}
    assert reading.findings == ()


def test_a_group_filled_down_without_merging_is_said():
    reading = read(IMPORTER, text_book("Group,Mouse,V D0,V D7\nA,M1,60,70\n,M2,61,71\n"))
    assert reading.animals["M2"].arm == "A"
    assert [(finding.severity, finding.code) for finding in reading.findings] == [(Severity.NOTE, "group-filled-down")]


def test_other_sheets_are_set_aside():
    rows = [["Mouse", "V D0", "V D7"], ["M1", 60, 70]]
    reading = read(IMPORTER, excel_book({"Notes": [["remember"]], "Sizes": rows}))
    assert [region.sheet for region in reading.set_aside] == [0]
    assert reading.series[0].sheet == 1


def test_slashed_dates_are_asked_unless_one_settles_them():
    header = "Mouse,LxW {},LxW {}\nM1,10,20\n"
    settled = read(IMPORTER, text_book(header.format("5/1/2024", "13/1/2024")))
    assert list(settled.series[0].when) == [date(2024, 1, 5), date(2024, 1, 13)]
    book = text_book(header.format("5/1/2024", "7/1/2024"))
    assert errors(read(IMPORTER, book)) == ["question-date_order"]
    assert list(read(IMPORTER, book, date_order="mdy").series[0].when) == [date(2024, 5, 1), date(2024, 7, 1)]


@pytest.mark.parametrize(
    ("header", "when", "step", "kind"),
    [
        ("LxW_2024-01-01", date(2024, 1, 1), None, "caliper_area"),
        ("Vol. D14", 14.0, "day", "caliper_volume"),
        ("Day -3", -3.0, "day", None),
        ("Week 2", 2.0, "week", None),
        (0.0, 0.0, None, None),
        ("12,5", 12.5, None, None),
    ],
)
def test_a_header_is_a_time(header, when, step, kind):
    found = time_header(header, 1)
    assert (found.when, found.step, found.kind) == (when, step, kind)


@pytest.mark.parametrize("header", ["Mouse 1", "ROI 1", "Tumor 2", "Body Weight 1", "Day-3", "2024-13-01", 45_246.0, True, "H3"])
def test_a_header_is_no_time(header):
    assert time_header(header, 1) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mouse,0,7\nM1,21.5,22\n", "Body weight study 4.csv"),
        ("Weights of study 4,,\nMouse,0,7\nM1,21.5,22\n", "study.csv"),
        ("Mouse,Weight_2024-01-05,Weight_2024-01-12\nM1,21.5,22\n", "study.csv"),
        ("Mouse,Date,0,7\nM1,2024-01-05,1,2\n", "study.csv"),
        ("Gene,0,7\nTP53,1,2\n", "study.csv"),
        ("x,Sample,9.1,735,12.1\n", "peaks.csv"),
    ],
)
def test_other_tables_are_not_claimed(text, name):
    assert IMPORTER.claim(text_book(text, name)) is None


@pytest.mark.parametrize(
    ("folder", "name", "kind", "readings", "animals"),
    [
        ("caliper_csv", "Control_caliper_Tumor_LxW_values.csv", "caliper_area", 60, 10),
        ("caliper_csv", "TestLong.tsv", "caliper_area", 147, 21),
        ("caliper_csv", "TestOS.tsv", "caliper_area", 223, 24),
        ("caliper_csv", "KOLB2008.tsv", "caliper_volume", 80, 16),
        ("lab_excel_tumour", "Tumor Sizes.xlsx", "caliper_volume", 148, 33),
    ],
)
def test_published_wide_tables_are_read(folder, name, kind, readings, animals):
    path = SAMPLES / folder / name
    if not path.exists():
        pytest.skip("the sample files are not here")
    reading = read(IMPORTER, file_book(path))
    assert [(series.kind, len(series)) for series in reading.series] == [(kind, readings)]
    assert len(reading.animals) == animals
    assert errors(reading) == []
