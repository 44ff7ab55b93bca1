"""Tests of the CancerModels.org workbook: its sheets as records, its words as terms, and what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.styles import Font

from importers.cancermodels import IMPORTER
from importers.identify import identify
from importers.workbook import open_workbook
from lims.domain.tissue_terms import CheckKind, CheckResult, ModelKind
from lims.domain.vocabulary import CollectionProcedure, ModelStatus, Sex, SpecimenKind, TumourOrigin
from lims.intake.judge import open_file
from tests.importers.tables_support import errors, excel_book, findings, proposals, read

SHEETS = {
    "patient": [
        ("Field", "patient_id", "sex", "history", "ethnicity", "initial_diagnosis", "age_at_initial_diagnosis"),
        ("#Description", "id", "sex", "history", "group", "diagnosis", "age"),
        ("#Example", "A0088", "female", "", "", "carcinoma", "70"),
        (None, "P1", "Female", "smoker", "Not provided", "breast carcinoma", 51),
        (None, "P2", "other", None, "Not collected", "breast carcinoma", "50-59"),
        (None, None, "female", None, None, "no id", 1),
    ],
    "patient_sample": [
        (
            *("patient_id", "sample_id", "collection_date", "diagnosis", "tumour_type", "collection_site", "collection_method"),
            *("grade", "grading_system", "treated_at_collection", "model_id"),
        ),
        ("P1", "S1", "Oct 2015", "metastasis", "metastastic", "brain", "Surgical resection", "Grade 3", "Nottingham", "yes", "X1"),
        ("P1", "S2", date(2016, 3, 4), "", "refractory", "brain", "Not provided", "G2", "other", "no", "C1"),
    ],
    "pdx_model": [("model_id", "host_strain_name", "origin_patient_sample_id"), ("X1", "NSG", "")],
    "cell_model": [
        ("model_id", "type", "origin_patient_sample_id", "parent_id"),
        ("C1", "organoid", "", "X1"),
        ("C2", "spheroid", "S2", ""),
    ],
    "model_validation": [
        ("model_id", "validation_technique", "description", "comments"),
        ("X1", "Fingerprinting", "High concordance between xenograft and patient tumour", ""),
        ("C1", "Not provided", "Not provided", "Not provided"),
    ],
    "sharing": [
        ("model_id", "accessibility", "europdx_access_modality", "email", "name"),
        ("X1", "academia only", "Not provided", "a@example.org", "A"),
    ],
    "image_study": [("Field", "Study_id"), ("#Description", "accession")],
}


def test_every_sheet_becomes_records_that_stand_on_each_other() -> None:
    book = excel_book(SHEETS, name="metadata.xlsx")
    reading = read(IMPORTER, book)

    assert identify(book).importer == "cancermodels"
    assert [(one.noun, len(one)) for one in reading.records] == [("patient", 2), ("specimen", 2), ("model", 1), ("model", 1)]
    patients, samples, xenografts, cultures = (dict(one.fields) for one in reading.records)
    assert patients == {
        "code": ["P1", "P2"],
        "sex": [Sex.FEMALE, None],
        "ethnicity": [None, None],
        "diagnosis": ["breast carcinoma", "breast carcinoma"],
        "age_at_diagnosis": [51, None],
    }
    assert samples["patient"] == ["P1", "P1"]
    assert samples["kind"] == [SpecimenKind.TUMOUR] * 2
    assert samples["collected_on"] == [None, date(2016, 3, 4)]
    assert samples["procedure"] == [CollectionProcedure.RESECTION, None]
    assert samples["origin"] == [TumourOrigin.METASTATIC, None]
    assert samples["grade"] == [3, None]
    assert xenografts["founding_specimen"] == ["S1"]
    assert xenografts["state"] == [ModelStatus.ESTABLISHED]
    assert xenografts["sharing_terms"] == ["academia only"]
    assert (cultures["code"], cultures["kind"], cultures["founding_specimen"]) == (["C1"], [ModelKind.ORGANOID], ["S2"])
    assert reading.records[1].rows == [2, 3]


def test_what_is_not_understood_is_told_in_its_cell_and_never_guessed() -> None:
    reading = read(IMPORTER, excel_book(SHEETS, name="metadata.xlsx"))

    assert [one.address for one in findings(reading, "term-unknown")] == ["patient!C5", "patient_sample!E3", "cell_model!B3"]
    assert findings(reading, "age-unreadable")[0].address == "patient!G5"
    assert findings(reading, "grade-unknown")[0].address == "patient_sample!H3"
    assert sorted(errors(reading)) == ["id-missing", "term-unknown"]
    assert proposals(reading) == {"month_dates": "blank", "model_state": "established", "checked_on": "none"}
    unread = {use.header: use.reason for use in reading.columns if use.role is None}
    assert unread["email"] == "names a person"
    assert unread["history"] == "has no place in this system"
    aside = {(one.sheet, one.first_row): one.reason for one in reading.set_aside}
    assert aside[0, 2] == "explains the columns"
    assert aside[4, 3] == "no validation was provided"


def test_a_month_and_a_validation_get_a_day_only_from_a_person() -> None:
    reading = read(IMPORTER, excel_book(SHEETS, name="metadata.xlsx"), month_dates="first", checked_on="2020-02-03")

    assert reading.records[1].fields["collected_on"] == [date(2015, 10, 1), date(2016, 3, 4)]
    checks = reading.records[-1]
    assert checks.noun == "check"
    assert dict(checks.fields) == {
        "model": ["X1"],
        "kind": [CheckKind.STR_PROFILE],
        "checked_on": [date(2020, 2, 3)],
        "result": [CheckResult.PASSED],
        "note": ["High concordance between xenograft and patient tumour"],
    }
    refused = read(IMPORTER, excel_book(SHEETS, name="metadata.xlsx"), checked_on="spring")
    assert "question-checked_on" in errors(refused)


def test_a_list_of_passages_asks_for_no_decimal_mark(tmp_path: Path) -> None:
    file = tmp_path / "metadata.xlsx"
    file.write_bytes(_saved({**SHEETS, "pdx_model": [("model_id", "passage_number"), ("X1", "1,2")]}))
    weights = tmp_path / "weights.csv"
    weights.write_text("id;date;weight (g)\nM1;2026-03-02;20,5\n")

    asked = {path: {one.key for one in open_file(path, path.name, {}, None, project="P").questions} for path in (file, weights)}

    assert asked == {file: {"month_dates", "model_state", "checked_on"}, weights: {"decimal"}}


def _saved(sheets: Mapping[str, Sequence[Sequence[object]]], format_to: int = 0) -> bytes:
    """Save sheets of rows, with formats out to a column that no cell reaches."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for number in range(1, len(rows) + 1) if format_to else ():
            sheet.cell(number, format_to).font = Font(bold=True)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def test_formats_out_to_the_last_column_are_no_cells() -> None:
    reading = read(IMPORTER, open_workbook(_saved(SHEETS, 1027), "metadata.xlsx"))  # AMK

    assert [len(one) for one in reading.records] == [2, 2, 1, 1]
