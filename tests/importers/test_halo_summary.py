"""Tests of summaries of HALO, a row for each region."""

from __future__ import annotations

from typing import Any

import pytest

from importers.base import Reading
from importers.halo import IMPORTER as OBJECTS
from importers.halo_summary import IMPORTER
from importers.identify import identify
from tests.importers.tables_support import errors, excel_book, findings, proposals, read, text_book

ANSWERS = {"marker": "HER2", "specimen": "S1"}


def brief(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    (found,) = reading.records
    assert found.noun == "stain_region"
    return list(zip(*(found.fields[name] for name in names), strict=True))


def test_counts_of_every_channel_are_read_and_their_shares_are_not() -> None:
    text = (
        "Image Location;Analysis Region;Total Cells;CD3 (Opal 570) Positive Cells;% CD3 (Opal 570) Positive Cells;"
        "CD3+ FOXP3+ Positive Cells;Area Analyzed (μm²)\n"
        "d:\\a\\S1.svs;Core;1000;250;25,0;12;2500000,5\nd:\\a\\S1.svs;Rim;400;4;1,0;;1000000,0\n"
    )
    reading = read(
        IMPORTER, text_book(text, "summary.csv"), marker_cd3opal570="CD3", marker_cd3foxp3="FOXP3", specimen="S1", decimal="comma"
    )

    assert brief(reading, "marker", "region", "cells", "positive_cells", "positive_percent", "area_mm2") == [
        ("CD3", "Core", 1000, 250, None, 2.5000005),
        ("CD3", "Rim", 400, 4, None, 1.0),
        ("FOXP3", "Core", 1000, 12, None, 2.5000005),
    ]
    assert {one.header: one.reason for one in reading.columns}["% CD3 (Opal 570) Positive Cells"] == "follows from the counts"
    assert reading.findings == ()


def test_strengths_stand_before_positive_and_shares_and_scores_where_there_are_no_counts() -> None:
    head = [
        "Image Tag",
        "Total Nuclei",
        "Positive Nuclei",
        "Weak Positive Nuclei",
        "Moderate Positive Nuclei",
        "Strong Positive Nuclei",
    ]
    graded = excel_book({"Summary": [head, ["S1", 100, 60, 30, 20, 10]], "Log": [["done"]]})
    stated = text_book("Image Location,Total Cells,% Positive Cells,H-Score\n/a/S1.svs,200,35.5,80\n/a/S1 b.svs,10,,\n", "a.csv")

    assert brief(read(IMPORTER, graded, **ANSWERS), "image", "region", "positive_cells", "h_score") == [
        ("S1", "whole image", 60, 100)
    ]
    reading = read(IMPORTER, stated, **ANSWERS)
    assert brief(reading, "cells", "positive_cells", "positive_percent", "h_score") == [(200, None, 35.5, 80.0)]
    assert proposals(reading) == {"marker": None, "compartment": "human_tumour", "specimen": None}
    assert [one.first_row for one in reading.set_aside if one.row_fate] == [3]


@pytest.mark.parametrize(
    ("cell", "code"), [("12.5", "count-broken"), ("many", "number-unreadable"), ("1,200", "decimal-unknown"), ("NaN", None)]
)
def test_a_count_that_is_none_is_an_error_at_its_cell(cell: str, code: str | None) -> None:
    text = f'Image Location,Total Cells,1+ Cells\na.svs,900,"{cell}"\na.svs,9,4\n'
    reading = read(IMPORTER, text_book(text, "summary.csv"), **ANSWERS, compartment="human_tumour")

    assert [one for one in errors(reading) if not one.startswith("question")] == ([code] if code else [])
    if code:
        assert {(one.row, one.column) for one in findings(reading, code)} == {(2, 3)}


def test_object_data_is_no_summary_and_a_table_of_other_cells_neither() -> None:
    objects = text_book("Image Location,Object Id,Total Cells,DAB Positive\na.svs,1,1,1\n", "objects.csv")

    assert IMPORTER.claim(objects) is None
    assert identify(objects).importer == OBJECTS.key
    assert IMPORTER.claim(text_book("Image,Total Cells,Positive Cells\na,1,1\n", "a.csv")) is None
    assert IMPORTER.claim(text_book("Image Location,Total Cells,Cell Area (µm²)\na.svs,1,1\n", "a.csv")) is None
