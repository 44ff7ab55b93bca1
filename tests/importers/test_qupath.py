"""Tests of measurements of QuPath."""

from __future__ import annotations

from typing import Any

import pytest

from importers.base import Reading
from importers.qupath import IMPORTER
from tests.importers.tables_support import errors, findings, proposals, read, text_book

CELLS = "Image\tObject ID\tObject type\tName\tClassification\tParent\tROI\tNucleus: DAB OD mean\n"
ANNOTATIONS = (
    "Image\tObject ID\tName\tClass\tParent\tROI\tNum Detections\tNum Negative\tNum 1+\tNum 2+\tNum 3+\tH-score\tArea µm^2\n"
)
ANSWERED = {"marker": "HER2", "specimen": "S1"}


def cell(said: str, parent: str = "Core", image: str = "S1_HER2.svs", kind: str = "Cell") -> str:
    return f"{image}\tb7\t{kind}\t\t{said}\t{parent}\tPolygon\t0.21\n"


def records(reading: Reading) -> list[dict[str, Any]]:
    (found,) = reading.records
    assert found.noun == "stain_region"
    return [{name: column[place] for name, column in found.fields.items()} for place in range(len(found))]


def brief(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in records(reading)]


def test_detections_are_counted_by_region_and_kind_of_cell_and_weighed() -> None:
    text = CELLS + cell("Tumor: 1+") * 10 + cell("Tumor: 2+") * 20 + cell("Tumor: 3+") * 30 + cell("Tumor: Negative") * 40
    text += cell("Stroma: Negative") * 5 + cell("Tumor: 3+", parent="Root object (Image)")

    reading = read(IMPORTER, text_book(text, "measurements.csv"), **ANSWERED)

    assert brief(reading, "region", "cells", "positive_cells", "h_score") == [
        ("Core · Tumor", 100, 60, 140.0),
        ("Core · Stroma", 5, 0, None),
        ("whole image · Tumor", 1, 1, 300.0),
    ]
    first = records(reading)[0]
    assert (first["specimen"], first["marker"], first["compartment"], first["software"]) == (
        "S1",
        "ERBB2",
        "human_tumour",
        "QuPath",
    )
    assert (first["image"], first["area_mm2"], first["positive_percent"]) == ("S1_HER2.svs", None, None)
    assert reading.records[0].rows == [2, 102, 107]
    assert proposals(reading) == {
        "level_1plus": "weak",
        "level_2plus": "moderate",
        "level_3plus": "strong",
        "level_negative": "negative",
        "marker": None,
        "compartment": "human_tumour",
        "specimen": None,
    }
    assert "106 detections" in reading.set_aside[0].reason


def test_nothing_is_recorded_while_marker_and_specimen_are_open() -> None:
    reading = read(IMPORTER, text_book(CELLS + cell("Positive"), "measurements.tsv"))

    assert errors(reading) == ["question-marker", "question-specimen"]
    assert reading.records == ()


def test_a_person_may_say_otherwise_how_strong_a_class_is() -> None:
    book = text_book(CELLS + cell("Positive") * 3 + cell("Negative"), "measurements.tsv")

    assert brief(read(IMPORTER, book, **ANSWERED), "cells", "positive_cells", "h_score") == [(4, 3, None)]
    assert brief(read(IMPORTER, book, **ANSWERED, level_positive="strong"), "h_score") == [(225.0,)]
    left = read(IMPORTER, book, **ANSWERED, level_negative="none")
    assert brief(left, "cells", "positive_cells") == [(3, 3)]


def test_annotations_give_their_counts_area_and_a_score_that_is_checked() -> None:
    row = "S1_HER2.svs\tb7\tTumour bed\t\tRoot object (Image)\tPolygon\t{cells}\t{counts}\t{score}\t{area}\n"
    text = ANNOTATIONS + row.format(cells=10, counts="4\t3\t2\t1", score="100", area="2500000")
    text += row.format(cells=0, counts="0\t0\t0\t0", score="NaN", area="1000000").replace("b7", "c81f2a9e-77").replace("bed", "rim")

    reading = read(IMPORTER, text_book(text, "annotations.txt"), **ANSWERED)

    assert brief(reading, "region", "cells", "positive_cells", "h_score", "area_mm2") == [
        ("Tumour bed", 10, 6, 100.0, 2.5),
        ("Tumour rim", 0, 0, None, 1.0),
    ]
    assert errors(reading) == []
    differs = read(IMPORTER, text_book(text.replace("\t100\t", "\t140\t"), "annotations.txt"), **ANSWERED)
    assert "140" in findings(differs, "score-differs")[0].message


def test_percentages_without_classes_are_taken_as_they_are() -> None:
    text = "Image,Name,Class,Parent,Positive %,H-score,Num Detections\nS1.svs,Core,,Image,12.5,20,800\n"

    reading = read(IMPORTER, text_book(text, "annotations.csv"), **ANSWERED)

    assert brief(reading, "region", "cells", "positive_percent", "positive_cells", "h_score") == [("Core", 800, 12.5, None, 20.0)]


def test_classes_without_strengths_are_channels_and_a_known_gene_is_proposed() -> None:
    text = CELLS + cell("CD8: Foo") * 2 + cell("Foo") + cell("") * 7

    reading = read(IMPORTER, text_book(text, "measurements.tsv"), specimen="S1", marker_foo="Pecam1", marker_cd8="EGFR")

    assert brief(reading, "marker", "compartment", "cells", "positive_cells") == [
        ("EGFR", "human_tumour", 10, 2),
        ("Pecam1", "mouse_host", 10, 3),
    ]
    known = read(IMPORTER, text_book(CELLS + cell("HER2") + cell("Ki-67"), "m.tsv"), specimen="S1")
    assert {key: value for key, value in proposals(known).items() if key.startswith("marker")} == {
        "marker_her2": "ERBB2",
        "marker_ki67": "MKI67",
    }
    twice = read(IMPORTER, text_book(text, "measurements.tsv"), specimen="S1", marker_foo="HER2", marker_cd8="ERBB2")
    assert errors(twice) == ["marker-twice"]
    none = read(IMPORTER, text_book(text, "measurements.tsv"), specimen="S1", marker_foo="none", marker_cd8="none")
    assert errors(none) == ["channels-left-out"]


def test_regions_of_one_name_are_told_apart_and_areas_join_their_detections() -> None:
    head = "Image\tObject ID\tObject type\tName\tClassification\tParent\tNum Positive\tArea px^2\tMissing\n"
    row = "S1.svs\t{id}\tAnnotation\t\tTumor\tImage\t{count}\t900\t{missing}\n"
    text = head + row.format(id="aaaaaaaa-1", count=1, missing="") + row.format(id="bbbbbbbb-2", count=2, missing="")
    text += row.format(id="c", count=3, missing="True")

    reading = read(IMPORTER, text_book(text, "annotations.tsv"), **ANSWERED)

    assert brief(reading, "region", "positive_cells", "area_mm2") == [("Tumor (aaaaaaaa)", 1, None), ("Tumor (bbbbbbbb)", 2, None)]
    assert {one.code for one in reading.findings} == {"area-in-pixels", "cores-missing"}
    mixed = head.replace("px", "µm") + "S1.svs\ta\tAnnotation\tCore\t\tImage\t\t2000000\t\n"
    mixed += "S1.svs\tb\tCell\t\tPositive\tCore\t\t\t\n" + "S1.svs\tc\tTile\t\t\tCore\t\t\t\n"
    joined = read(IMPORTER, text_book(mixed, "all.tsv"), **ANSWERED)
    assert brief(joined, "region", "cells", "area_mm2") == [("Core", 1, 2.0)]
    assert "1 of type Tile" in findings(joined, "objects-left-out")[0].message


def test_images_are_named_as_the_lab_names_them() -> None:
    text = CELLS + cell("Positive", image="S1_HER2.ome.tiff") + cell("Positive", image="S2_HER2.ome.tiff")

    book = text_book(text, "measurements.tsv")

    assert brief(read(IMPORTER, book, marker="HER2", specimen="{specimen}_*"), "specimen") == [("S1",), ("S2",)]
    assert errors(read(IMPORTER, book, marker="HER2", specimen="{specimen}-*")) == ["question-specimen"]
    assert errors(read(IMPORTER, book, marker="HER2", specimen="{slide}_*")) == ["question-specimen"]


@pytest.mark.parametrize(("said", "code"), [("", "classes-missing"), ("Tumor: Positive", "")])
def test_cells_that_say_nothing_of_their_staining_are_told(said: str, code: str) -> None:
    reading = read(IMPORTER, text_book(CELLS + cell(said) + cell("Stroma" if said else ""), "measurements.tsv"), **ANSWERED)

    assert errors(reading) == ([code] if code else [])
    assert [one.code for one in reading.findings if one.code == "cells-unscored"] == (["cells-unscored"] if said else [])


def test_other_tables_are_not_claimed() -> None:
    for head in ("Image,Class,Value\na,b,1\n", "Image Number,ROI,Total Flux [p/s]\n1,ROI 1,5\n"):
        assert IMPORTER.claim(text_book(head)) is None
