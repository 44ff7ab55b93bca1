"""Tests of segment statistics of 3D Slicer and volumes of ITK-SNAP."""

from __future__ import annotations

from datetime import date

import pytest

from importers.segment_volumes import IMPORTER
from tests.importers.tables_support import entries, errors, excel_book, findings, proposals, read, text_book

NAMED = "M07_2024-03-01_seg"
SLICER = (
    "Segment\tNumber of voxels [voxels] (2)\tVolume [mm3] (2)\tVolume [cm3] (2)\tMean\n"
    "Met left\t4211\t8.422\t0.008\t812\n"
    "met right\t100\t0.2\t0.0002\t800\n"
    "brain\t212345\t424.69\t0.42469\tnan\n"
)
PLUGIN = (
    '"Segment","LabelmapSegmentStatisticsPlugin.voxel_count","LabelmapSegmentStatisticsPlugin.volume_mm3",'
    '"LabelmapSegmentStatisticsPlugin.volume_cm3"\n"tumor",4211,8.422,0.008\n'
)
PREAMBLE = (
    "##########\n# SNAP Voxel Count File\n# File format:\n# LABEL: {fields}\n# Fields:\n"
    "#    NUMBER        Number of voxels that have that label \n##########\n"
)
SNAP = PREAMBLE.format(fields="ID / NUMBER / VOLUME / MEAN / SD") + (
    "Clear Label                             :    0 /    9000 /     18.0 /  12.1 /   3.2\n"
    "Tumour: left                            :    1 /    4211 /    8.422 / 812.5 /  99.1\n"
)
OLD_SNAP = PREAMBLE.format(fields="NUMBER / VOLUME / MEAN / SD") + "Tumour  :  4211 /  8.422 / 812.5 /  99.1\n"


def test_each_lesion_is_a_reading_of_its_own_tumour_and_the_brain_is_none() -> None:
    reading = read(IMPORTER, text_book(SLICER, f"{NAMED}.tsv"))

    (series,) = reading.series
    assert series.kind == "mri_volume"
    assert entries(series) == [("M07", date(2024, 3, 1), 8.422), ("M07", date(2024, 3, 1), 0.2)]
    assert (series.tumours, series.raw) == (["Met left", "met right"], ["8.422", "0.2"])
    assert proposals(reading) == {"lesions": "Met left, met right", "file_pattern": "{animal}_{date}_*"}
    assert [one.reason for one in reading.set_aside] == ["the segment “brain” is no lesion"]
    assert {use.header: use.role for use in reading.columns}["Volume [mm3] (2)"] == "volume"
    assert reading.findings == ()


@pytest.mark.parametrize(("text", "row"), [(PLUGIN, 2), (OLD_SNAP, 8)])
def test_a_single_segment_called_tumour_does_not_say_which_tumour(text: str, row: int) -> None:
    (series,) = read(IMPORTER, text_book(text, f"{NAMED}.txt")).series

    assert (series.tumours, series.values, series.rows) == (None, [8.422], [row])


def test_a_voxel_count_file_is_read_by_the_fields_that_it_names() -> None:
    reading = read(IMPORTER, text_book(SNAP, f"{NAMED}.txt"))

    assert entries(reading.series[0]) == [("M07", date(2024, 3, 1), 8.422)]
    assert reading.series[0].tumours == ["Tumour: left"]
    assert [one.reason for one in reading.set_aside if one.row_fate] == ["the segment “Clear Label” is no lesion"]


def test_a_line_of_other_fields_is_an_error_in_its_row() -> None:
    reading = read(IMPORTER, text_book(SNAP + "Edema : 3 / 100\n", f"{NAMED}.txt"))

    (finding,) = findings(reading, "line-unreadable")
    assert finding.row == 10
    assert "ID / NUMBER" in (finding.expected or "")


def test_volumes_in_the_newer_layout_and_a_workbook() -> None:
    rows = [["Label Id", "Label Name", "Number Of Voxels", "Volume (mm^3)"], [1, "Lesion 1", 4211, 8.422]]

    (series,) = read(IMPORTER, excel_book({"volumes": rows}, name=f"{NAMED}.xlsx")).series

    assert (series.tumours, series.values) == (["Lesion 1"], [8.422])


def test_cubic_centimetres_that_rounding_does_not_explain_are_a_warning() -> None:
    reading = read(IMPORTER, text_book(SLICER.replace("0.008", "0.08"), f"{NAMED}.tsv"))

    (warning,) = findings(reading, "volumes-disagree")
    assert (warning.row, warning.value) == (2, "0.08")
    assert "80 mm³" in warning.message
    assert errors(reading) == []


def test_nan_is_no_volume_and_the_second_index_is_read_where_the_first_is_empty() -> None:
    text = (
        "Segment\tVolume [mm3] (1)\tNumber of voxels [voxels] (2)\tVolume [mm3] (2)\ntumor\tnan\t9\t8.422\nlesion 2\tnan\t0\tnan\n"
    )

    reading = read(IMPORTER, text_book(text, f"{NAMED}.tsv"))

    assert entries(reading.series[0]) == [("M07", date(2024, 3, 1), 8.422)]
    assert [one.reason for one in reading.set_aside] == ["no volume in the row"]


def test_an_unreadable_volume_is_an_error_at_its_cell() -> None:
    reading = read(IMPORTER, text_book(SLICER.replace("8.422", "8.422*"), f"{NAMED}.tsv"))

    (finding,) = findings(reading, "number-unreadable")
    assert (finding.row, finding.column, finding.value) == (2, 3, "8.422*")
    assert reading.series[0].values == [0.2]


def test_animal_and_date_are_asked_where_the_name_does_not_say() -> None:
    book = text_book(SLICER, "week3.tsv")

    assert errors(read(IMPORTER, book)) == ["question-animal", "question-date"]
    answered = read(IMPORTER, book, animal="M07", date="2024-03-01")
    assert answered.series[0].animals == ["M07", "M07"]
    assert errors(answered) == []
    assert errors(read(IMPORTER, book, animal="M07", date="1 March")) == ["question-date"]


def test_the_lab_sets_how_files_are_named() -> None:
    book = text_book(SLICER, "BM1-20240301-M07.tsv")

    assert read(IMPORTER, book, file_pattern="*-{date}-{animal}").series[0].animals == ["M07", "M07"]
    assert errors(read(IMPORTER, book, file_pattern="{animal}.{date}"))[0] == "question-file_pattern"
    assert errors(read(IMPORTER, book, file_pattern="{mouse}"))[0] == "question-file_pattern"


def test_segments_whose_names_say_nothing_are_asked_about() -> None:
    book = text_book(SLICER.replace("Met left", "Segment_1").replace("met right", "Segment_2"), f"{NAMED}.tsv")

    assert errors(read(IMPORTER, book)) == ["question-lesions"]
    assert read(IMPORTER, book, lesions="segment_1").series[0].rows == [2]
    assert len(read(IMPORTER, book, lesions="all").series[0]) == 3
    assert errors(read(IMPORTER, book, lesions="Segment_9")) == ["question-lesions"]


def test_a_file_without_a_segment_asks_nothing() -> None:
    reading = read(IMPORTER, text_book(PREAMBLE.format(fields="ID / NUMBER / VOLUME / MEAN / SD"), "itk.txt"))

    assert (reading.series, reading.questions, reading.findings) == ((), (), ())


def test_a_file_whose_lines_are_spoilt_says_so_and_asks_nothing() -> None:
    spoilt = PREAMBLE.format(fields="ID / NUMBER / VOLUME / MEAN / SD") + "  MEAN          Mean intensity\n"

    reading = read(IMPORTER, text_book(spoilt, "itk.txt"), lesions="1", animal="M07", date="2024-03-01")

    assert (reading.series, reading.questions) == ((), ())
    assert errors(reading)
