"""Tests of ClickInfo files of Living Image."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from importers.base import Clock
from importers.click_info import IMPORTER
from tests.importers.tables_support import errors, findings, read, text_book

IMAGE = (
    "*** ClickNumber:\tKQ20210326101714\nClickInfoType:\tSingleClickAnalysis\n"
    "*** luminescent image:\tluminescent.TIF\nAcquisition Date:\tFriday, March 26, 2021\nAcquisition Time:\t10:17:14\n"
    "Saturated:\t0\n"
    "*** User Label Name Set:\tLiving Image Universal\nUser:\tKQ\nGroup:\tG1\nComment1:\tafter dose; second try\n"
    "Time Point:\t10m post\nAnimal Number:\tM07\nView:\tprone\nLuc Injection Time:\t10:07\n"
)
PLACE = "zColorIndex=1;ROI Type={kind};Subject ROI=_none_;Subject ID={animal};Shape=Square;Xc=955.07;Label=ROI {number};"


def rois(*regions: tuple[str, str, str]) -> str:
    """Write regions: (type, subject, what follows)."""
    head = f"*** ROIs: {len(regions)} ROIs for this Click\n"
    lines = (
        f"ROI {number}: {PLACE.format(kind=kind, animal=animal, number=number)}{more}\n"
        for number, (kind, animal, more) in enumerate(regions, 1)
    )
    return head + "".join(lines)


LIGHT = "Total Flux [p/s]=1.26e+06;Avg Radiance [p/s/cm²/sr]=2.28e+03;"


def test_the_light_of_a_region_is_read_with_its_time_animal_and_operator() -> None:
    reading = read(IMPORTER, text_book(IMAGE + rois(("Measurement", "", LIGHT), ("Bkg", "", "")), "ClickInfo.txt"))

    flux, radiance = reading.series
    assert (flux.kind, flux.animals, flux.values, flux.raw) == ("bli_total_flux", ["M07"], [1.26e6], ["1.26e+06"])
    assert (flux.clock, flux.when) == (Clock.DATETIME, [datetime.fromisoformat("2021-03-26T10:17:14")])
    assert (radiance.kind, radiance.values, radiance.operators) == ("bli_radiance", [2.28e3], ["KQ"])
    assert [one.reason for one in reading.set_aside if one.row_fate] == ["Bkg region"]
    assert reading.findings == ()
    (procedure,) = reading.records
    assert {key: column[0] for key, column in procedure.fields.items()} == {
        "animal": "M07",
        "kind": "bioluminescence",
        "done_on": date(2021, 3, 26),
        "done_at": datetime.fromisoformat("2021-03-26T10:17:14"),
        "device": "IVIS",
        "operator": "KQ",
        "note": "Comment1: after dose; second try; Time Point: 10m post; View: prone; Luc Injection Time: 10:07",
    }


def test_a_saturated_image_makes_suspect_readings_and_says_so_of_the_procedure() -> None:
    text = IMAGE.replace("Saturated:\t0", "Saturated:\t1") + rois(("Measurement", "", LIGHT))

    reading = read(IMPORTER, text_book(text, "ClickInfo.txt"))

    assert [one.suspect for one in reading.series] == [{0: 'the instrument says "Saturated: 1"'}] * 2
    assert 'the instrument says "Saturated: 1"' in reading.records[0].fields["note"][0]


def test_regions_without_light_are_said_and_the_imaging_can_still_be_recorded() -> None:
    book = text_book(IMAGE + rois(("Measurement", "", "")), "ClickInfo.txt")

    reading = read(IMPORTER, book)
    refused = read(IMPORTER, book, procedure="no")

    assert [one.code for one in reading.findings] == ["light-missing"]
    assert (reading.series, len(reading.records)) == ((), 1)
    assert refused.records == ()
    assert [one.reason for one in refused.set_aside if one.row_fate] == ["says where the region lies, not its light"]


def test_several_animals_in_one_image_go_by_their_regions_once_a_person_says_so() -> None:
    book = text_book(IMAGE + rois(("Measurement", "M07", LIGHT), ("Measurement", "M08", LIGHT)), "ClickInfo.txt")

    reading = read(IMPORTER, book)

    assert [(one.key, one.proposed) for one in reading.questions] == [("animal_source", "subject_id"), ("procedure", "yes")]
    assert reading.series[0].animals == ["M07", "M08"]
    assert reading.records[0].fields["animal"] == ["M07", "M08"]
    assert read(IMPORTER, book, animal_source="animal_number").series[0].animals == ["M07", "M07"]


@pytest.mark.parametrize("regions", [1, 2])
def test_an_image_that_names_no_animal_is_asked_about(regions: int) -> None:
    text = IMAGE.replace("M07", "") + rois(*[("Measurement", "", LIGHT)] * regions).replace("Label=ROI", "Name=ROI")
    book = text_book(text, "ClickInfo.txt")

    assert errors(read(IMPORTER, book)) == ["question-animal"]
    assert read(IMPORTER, book, animal="M07").series[0].animals == ["M07"] * regions


def test_light_without_calibration_is_refused_and_another_day_in_the_click_number_is_told() -> None:
    text = IMAGE.replace("KQ20210326", "KQ20210327") + rois(("Measurement", "", "Total Flux [counts]=900;"))

    reading = read(IMPORTER, text_book(text, "ClickInfo.txt"))

    assert errors(reading) == ["unit-not-calibrated"]
    assert len(findings(reading, "dates-disagree")) == 1


def test_a_date_that_is_none_is_an_error_in_its_row() -> None:
    reading = read(IMPORTER, text_book(IMAGE.replace("March 26", "Marsh 46") + rois(("Measurement", "", LIGHT)), "ClickInfo.txt"))

    assert [one.row for one in reading.findings] == [4]
    assert (reading.series, reading.records) == ((), ())


def test_colons_and_blanks_instead_of_tabs_and_cut_lines_read_alike() -> None:
    text = (IMAGE + rois(("Measurement", "", LIGHT))).replace(":\t", ": ")

    assert read(IMPORTER, text_book(text, "ClickInfo.txt")).series[0].animals == ["M07"]
    assert IMPORTER.claim(text_book("Acquisition Date: Friday, March 26, 2021\n*** a: b\n")) is None
