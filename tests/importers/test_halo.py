"""Tests of object data of HALO, of any size."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from importers.base import Reading, Refused
from importers.halo import IMPORTER
from importers.streams import open_long_text
from tests.importers.tables_support import errors, findings, proposals, read, text_book

HEAD = (
    '"Image Location","Analysis Region","Algorithm Name","Object Id","XMin","CD8+ Cells","Tumour Cells",'
    '"DAPI Positive","DAB Positive","DAB Cell Intensity","Cell Area (µm²)"\n'
)
PLACE = "\\\\server\\slides\\{specimen}_HER2.nd2"


def row(region: str = "Layer 1", specimen: str = "S1", cd8: str = "0", dab: str = "0", number: int = 0) -> str:
    place = PLACE.format(specimen=specimen)
    return f'"{place}","{region}","HER2 v3","{number}","5275","{cd8}","1","1","{dab}","3620.4","91.59557"\n'


def brief(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    (found,) = reading.records
    assert found.noun == "stain_region"
    return list(zip(*(found.fields[name] for name in names), strict=True))


def test_cells_are_counted_by_image_region_and_channel() -> None:
    text = HEAD + row(dab="1") * 3 + row(cd8="1") + row(region="Layer 2") + row(specimen="S2", dab="1")

    reading = read(IMPORTER, text_book(text, "objects.csv"), marker_dab="HER2", specimen="{specimen}_*")

    assert proposals(reading) == {
        "marker_cd8cells": "CD8",
        "marker_tumourcells": "none",
        "marker_dapi": "none",
        "marker_dab": None,
        "compartment": "human_tumour",
        "specimen": None,
    }
    assert brief(reading, "specimen", "marker", "image", "region", "cells", "positive_cells") == [
        ("S1", "CD8", "S1_HER2.nd2", "Layer 1", 4, 1),
        ("S1", "CD8", "S1_HER2.nd2", "Layer 2", 1, 0),
        ("S2", "CD8", "S2_HER2.nd2", "Layer 1", 1, 0),
        ("S1", "ERBB2", "S1_HER2.nd2", "Layer 1", 4, 3),
        ("S1", "ERBB2", "S1_HER2.nd2", "Layer 2", 1, 0),
        ("S2", "ERBB2", "S2_HER2.nd2", "Layer 1", 1, 1),
    ]
    assert set(brief(reading, "software", "h_score", "area_mm2")) == {("HALO HER2 v3", None, None)}
    assert reading.records[0].rows[:3] == [2, 6, 7]
    assert reading.set_aside[0].reason == "6 objects, counted by region"


def test_strengths_make_an_h_score_and_stand_before_positive() -> None:
    head = "Image Location,Classifier Label,Object Id,DAB Positive,DAB Weak,DAB Moderate,DAB Strong\n"
    text = head + "a.svs,Tumour,1,1,1,0,0\na.svs,Tumour,2,1,0,1,0\na.svs,Tumour,3,1,0,0,1\na.svs,Tumour,4,0,0,0,0\n"

    reading = read(IMPORTER, text_book(text, "objects.csv"), marker="HER2", specimen="S1")

    assert brief(reading, "region", "cells", "positive_cells", "h_score") == [("whole image · Tumour", 4, 3, 150.0)]
    assert {use.header: use.reason for use in reading.columns}["DAB Positive"] == "the strengths of DAB are read instead"


def test_a_column_of_grades_is_weighed_and_a_rival_is_not_read_twice() -> None:
    head = "Image Location,Object Id,Dye 1 Score,Dye 2 Positive Classification,Dye 2 Positive Nucleus Classification\n"
    text = head + "a.svs,1,3,1,1\na.svs,2,0,0,1\n"

    reading = read(IMPORTER, text_book(text, "objects.csv"), marker_dye1="HER2", marker_dye2="Ki-67", specimen="S1")

    assert brief(reading, "marker", "positive_cells", "h_score") == [("ERBB2", 1, 150.0), ("MKI67", 1, None)]
    assert "is read instead" in {use.header: use.reason for use in reading.columns}["Dye 2 Positive Nucleus Classification"]


def test_rows_that_were_cut_off_are_an_error_and_columns_of_numbers_no_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + row() * 3 + '"a.nd2","Layer 1"\n'
    reading = read(IMPORTER, text_book(text, "objects.csv"), marker_dab="HER2", specimen="S1")
    (cut,) = findings(reading, "row-cut-off")
    assert cut.row == 5

    monkeypatch.setattr("importers.halo.MOST_COMBINATIONS", 2)
    many = HEAD + "".join(row(region=f"Layer {number}") for number in range(4))
    with pytest.raises(Refused, match="more different values"):
        IMPORTER.read(text_book(many, "objects.csv"), IMPORTER.claim(text_book(many, "objects.csv")), {})


def test_ten_megabytes_pass_by_in_a_fraction_of_their_size(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    wide = "".join(one.replace("\n", f',"{"x" * 300}"\n') for one in (row(dab="1"), row(region="Layer 2", cd8="1")))
    path.write_text(HEAD.replace("\n", ',"Note"\n') + wide * 12_000 + row(dab="7").replace("\n", ',""\n'))
    book = open_long_text(path, "objects.csv")
    assert book is not None
    claim = IMPORTER.claim(book)
    assert claim is not None
    tracemalloc.start()
    reading = IMPORTER.read(book, claim, {"marker_dab": "HER2", "specimen": "S1"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 9_000_000
    assert peak < 1_000_000
    assert brief(reading, "marker", "region", "cells", "positive_cells")[2:] == [
        ("ERBB2", "Layer 1", 12_001, 12_000),
        ("ERBB2", "Layer 2", 12_000, 0),
    ]
    (odd,) = findings(reading, "class-unclear")
    assert (odd.row, odd.value) == (24_002, "7")
    without = IMPORTER.read(book, claim, {"marker_dab": "none", "specimen": "S1"})
    assert errors(without) == []
