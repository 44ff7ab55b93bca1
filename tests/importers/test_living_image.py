"""Tests of the Living Image measurement table."""

from __future__ import annotations

from datetime import date, datetime

from importers.base import Clock
from importers.living_image import IMPORTER
from tests.importers.tables_support import errors, findings, proposals, read, text_book

HEAD = "Image Number,ROI,Image Layer,Total Flux [p/s],Avg Radiance [p/s/cm²/sr],ROI Label,Experiment\n"


def test_flux_and_radiance_are_one_series_each() -> None:
    reading = read(IMPORTER, text_book(HEAD + "KQ20240105090235_001,ROI 1,Overlay,1.26E+06,2.28E+03,M1,2024-01-05\n"))

    flux, radiance = reading.series
    assert (flux.kind, flux.values, flux.raw) == ("bli_total_flux", [1.26e6], ["1.26E+06"])
    assert (radiance.kind, radiance.values) == ("bli_radiance", [2.28e3])
    assert (flux.animals, flux.when, flux.clock) == (["M1"], [date(2024, 1, 5)], Clock.DATE)
    assert reading.findings == ()


def test_semicolons_decimal_commas_and_a_lost_square_are_read() -> None:
    text = "Image Number;ROI;Total Flux [p/s];Avg Radiance [p/s/cm_/sr];ROI Label\nKQ20240105090235_001;ROI 1;1,26E+06;2,5E+03;M1\n"

    flux, radiance = read(IMPORTER, text_book(text, decimal="comma")).series

    assert (flux.values, radiance.values) == ([1.26e6], [2.5e3])


def test_without_another_date_the_image_number_gives_the_time() -> None:
    text = "Image Number,ROI,Total Flux [p/s],ROI Label\nKQ20240105090235_001A,ROI 1,1E+06,M1\n"

    (flux,) = read(IMPORTER, text_book(text)).series

    assert (flux.clock, flux.when) == (Clock.DATETIME, [datetime.fromisoformat("2024-01-05T09:02:35")])


def test_dates_that_disagree_are_asked_about_and_named() -> None:
    book = text_book(HEAD + "KQ20231016090235_001,ROI 1,Overlay,1E+06,2E+03,M1,2024-02-16\n")

    reading = read(IMPORTER, book)
    (warning,) = findings(reading, "dates-disagree")
    by_image = read(IMPORTER, book, date_source="image")

    assert proposals(reading)["date_source"] == "experiment"
    assert "2024-02-16" in warning.message
    assert "2023-10-16" in warning.message
    assert reading.series[0].when == [date(2024, 2, 16)]
    assert by_image.series[0].when == [datetime.fromisoformat("2023-10-16T09:02:35")]


def test_date_and_time_is_read_month_first() -> None:
    text = "Image Number,ROI,Total Flux [p/s],ROI Label,Date and Time\nImg1,ROI 1,1E+06,M1,03/04/2024 10:15:00\n"

    (flux,) = read(IMPORTER, text_book(text)).series

    assert flux.when == [datetime.fromisoformat("2024-03-04T10:15")]


def test_background_is_set_aside_and_n_a_is_blank() -> None:
    rows = "I20240105090235,ROI 1,O,N/A,2E+03,M1,\nI20240105090235,ROI 2,O,9E+03,1E+02,Bkg 1,\n"

    reading = read(IMPORTER, text_book(HEAD + rows))

    assert [(series.kind, series.animals) for series in reading.series] == [("bli_radiance", ["M1"])]
    assert [(one.first_row, one.reason) for one in reading.set_aside if one.row_fate] == [(3, "background region")]


def test_the_same_image_and_roi_again_is_one_reading_but_another_animal_is_two() -> None:
    once = "I20240105090235,ROI 1,O,1E+06,2E+03,M1,\n"
    rows = once + once + "I20240105090235,ROI 1,O,3E+06,4E+03,M2,\n"

    reading = read(IMPORTER, text_book(HEAD + rows))

    assert reading.series[0].animals == ["M1", "M2"]
    assert "row 2" in reading.set_aside[0].reason
    assert len(findings(reading, "roi-reused")) == 1


def test_saturated_readings_are_suspect() -> None:
    head = "Image Number,ROI,Total Flux [p/s],ROI Label,Saturated\n"
    text = head + "I20240105090235,ROI 1,1E+06,M1,0\nI20240105090235,ROI 2,9E+09,M2,1\n"

    (flux,) = read(IMPORTER, text_book(text)).series

    assert list(flux.suspect) == [1]


def test_counts_are_refused_because_they_are_not_calibrated() -> None:
    text = "Image Number,ROI,Total Flux [counts],ROI Label\nI20240105090235,ROI 1,5000,M1\n"

    reading = read(IMPORTER, text_book(text))

    assert reading.series == ()
    assert errors(reading) == ["unit-unknown"]
    assert reading.columns[2].role is None


def test_without_labels_a_person_says_which_column_is_the_animal() -> None:
    text = "Image Number,ROI,Total Flux [p/s]\nI20240105090235,ROI 1,5E+05\n"

    assert errors(read(IMPORTER, text_book(text)))[0] == "question-animal_column"
    assert read(IMPORTER, text_book(text), animal_column="roi").series[0].animals == ["ROI 1"]


def test_an_unreadable_flux_is_an_error_at_its_cell() -> None:
    reading = read(IMPORTER, text_book(HEAD + "I20240105090235,ROI 1,O,bright,2E+03,M1,\n"))

    (finding,) = findings(reading, "number-unreadable")
    assert (finding.address[-3:], finding.value) == ("!D2", "bright")
