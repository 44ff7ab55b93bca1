"""Tests of ParaVision subjects."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from importers.base import Clock
from importers.paravision import IMPORTER
from tests.importers.tables_support import errors, findings, proposals, read, text_book

HEAD = "##TITLE=Parameter List, ParaVision 6.0.1\n##JCAMPDX=4.24\n##ORIGIN=Bruker BioSpin MRI GmbH\n$$ process ParxServer\n"
SUBJECT = (
    HEAD + "##$SUBJECT_id=( 60 )\n<M07>\n##$SUBJECT_name_string=( 64 )\n<M07>\n##$SUBJECT_study_name=( 64 )\n<BrMet wk3>\n"
    "##$SUBJECT_date=<2024-03-19T14:00:09,240+0100>\n##$SUBJECT_weight=0.0245\n##$SUBJECT_sex_animal=FEMALE\n"
    "##$SUBJECT_dbirth=( 20 )\n<2023-12-01>\n##$SUBJECT_referral=( 64 )\n<KQ>\n"
    "##$SUBJECT_remarks=( 2048 )\n<second, after\ncontrast>\n##END=\n"
)
BEGUN = datetime.fromisoformat("2024-03-19T14:00:09")


def test_weight_facts_and_session_are_read_from_the_lines_below_their_names() -> None:
    reading = read(IMPORTER, text_book(SUBJECT, "subject"))

    (series,) = reading.series
    assert (series.kind, series.animals, series.values, series.raw) == ("body_weight", ["M07"], [24.5], ["0.0245 kg"])
    assert (series.clock, series.when, series.rows) == (Clock.DATETIME, [BEGUN], [12])
    facts = reading.animals["M07"]
    assert (facts.sex, facts.birth_date) == ("female", date(2023, 12, 1))
    (session,) = reading.records
    assert session.noun == "procedure"
    assert {key: column[0] for key, column in session.fields.items()} == {
        "animal": "M07",
        "kind": "mri",
        "done_on": date(2024, 3, 19),
        "done_at": BEGUN,
        "device": "Bruker BioSpin MRI GmbH",
        "operator": "KQ",
        "note": "study: BrMet wk3; remarks: second, after contrast",
    }
    assert proposals(reading) == {"procedure": "yes"}
    assert read(IMPORTER, text_book(SUBJECT, "subject"), procedure="no").records == ()


@pytest.mark.parametrize(
    "written",
    [
        "##$SUBJECT_date=( 20 )\n<14:00:09 19 Mar 2024>",
        "##$SUBJECT_study_date=(1710853209, 240, 60)",
        "##$SUBJECT_abs_date=(1710853209, 240, 60)",
    ],
)
def test_the_three_forms_of_a_date_are_one_moment(written: str) -> None:
    text = SUBJECT.replace("##$SUBJECT_date=<2024-03-19T14:00:09,240+0100>", written)

    assert read(IMPORTER, text_book(text, "subject")).series[0].when == [BEGUN]


def test_a_weight_nobody_typed_is_none() -> None:
    reading = read(IMPORTER, text_book(SUBJECT.replace("0.0245", "0.001"), "subject"))

    assert reading.series == ()
    assert len(findings(reading, "weight-not-typed")) == 1
    assert errors(reading) == []


def test_a_weight_that_is_no_mouse_in_kg_is_asked_about() -> None:
    in_grams = text_book(SUBJECT.replace("0.0245", "24.5"), "subject")
    in_neither = text_book(SUBJECT.replace("0.0245", "2.5"), "subject")

    assert proposals(read(IMPORTER, in_grams))["weight_unit"] == "g"
    assert read(IMPORTER, in_grams).series[0].values == [24.5]
    assert errors(read(IMPORTER, in_neither)) == ["question-weight_unit"]
    assert read(IMPORTER, in_neither, weight_unit="g").series[0].values == [2.5]


def test_id_and_name_that_differ_are_asked_about() -> None:
    book = text_book(SUBJECT.replace("<M07>", "<20240319_M07>", 1), "subject")

    assert proposals(read(IMPORTER, book))["animal_source"] == "SUBJECT_id"
    assert read(IMPORTER, book, animal_source="SUBJECT_name_string").series[0].animals == ["M07"]


def test_a_weight_without_a_date_asks_for_it_and_makes_no_session() -> None:
    book = text_book(SUBJECT.replace("##$SUBJECT_date=<2024-03-19T14:00:09,240+0100>\n", ""), "subject")

    assert errors(read(IMPORTER, book)) == ["question-date"]
    answered = read(IMPORTER, book, date="2024-03-19")
    assert (answered.series[0].clock, answered.series[0].when) == (Clock.DATE, [date(2024, 3, 19)])
    assert answered.records == ()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("<2024-03-19T14:00:09,240+0100>", "<yesterday>", "date-unreadable"),
        ("0.0245", "light", "number-unreadable"),
        ("<2023-12-01>", "<01/12/2023>", "date-order-unknown"),
    ],
)
def test_what_cannot_be_read_is_an_error_in_its_row(before: str, after: str, code: str) -> None:
    reading = read(IMPORTER, text_book(SUBJECT.replace(before, after), "subject"))

    assert code in errors(reading)
    assert all(finding.row for finding in reading.findings)


def test_a_subject_that_states_nothing_is_refused_with_what_it_lacks() -> None:
    reading = read(IMPORTER, text_book(HEAD + "##$SUBJECT_id=( 60 )\n<M07>\n", "subject"))

    assert errors(reading) == ["nothing-stated"]
    assert "M07" in reading.findings[0].message
    assert IMPORTER.claim(text_book(HEAD + "##$ACQ_scan_name=( 20 )\n<T1>\n", "acqp")) is None
