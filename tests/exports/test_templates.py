"""Tests of templates: what a person finds in them, and that nothing in them is more than text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import openpyxl

from importers.template_format import ColumnKind, version_of
from lims.records.registries import REGISTRIES
from lims.records.registry_columns import FROM_FILES
from tests.support.templates import line, template


def _open(content: bytes):
    return openpyxl.load_workbook(BytesIO(content))


def test_every_registry_has_all_that_a_person_fills_in() -> None:
    assert list(REGISTRIES) == [
        *("patient", "consent", "therapy", "specimen", "assay", "alteration", "profile", "place", "aliquot", "model", "check"),
        *("preparation", "protocol", "animal", "cage", "implant", "procedure", "study", "arm", "enrolment", "agent", "lot"),
        *("regimen", "dose", "measurement", "exposure", "fate"),
    ]
    for registry in REGISTRIES.values():
        headers = [one.column.header for one in registry.columns]
        fields = {name for one in registry.columns for name in one.column.fields}
        # What refers to records that have no name.
        unnamed = {"randomisation_id", "regimen_id", "dose_id", "profile_id", "reference_profile_id"}
        assert len(set(headers)) == len(headers), registry.name
        assert registry.examples.keys() <= fields, registry.name
        if not registry.only_extra:
            filled_in = registry.noun.columns - FROM_FILES - unnamed
            assert {name.removesuffix("_id") for name in filled_in} <= {name.removesuffix("_id") for name in fields}, registry.name
        for one in registry.columns:
            assert one.about.endswith("."), (registry.name, one.column.header)
            assert one.allowed, (registry.name, one.column.header)


def test_a_blank_template_explains_itself() -> None:
    for registry in (REGISTRIES[noun] for noun in ("patient", "therapy", "aliquot", "implant", "measurement", "exposure")):
        codes = {one.field: ["B-01", "A-02"] for one in registry.columns if one.target is not None}
        book = _open(template(registry.name, codes=codes))
        sheet = book.worksheets[0]

        assert book.sheetnames == [registry.title, "About", "Columns", "Lists"]
        assert book["Lists"].sheet_state == "hidden"
        assert sheet.freeze_panes == "C2"
        header = [cell.value for cell in sheet[1]]
        assert header == ["record", "version", *(one.column.header for one in registry.columns)]
        assert sheet.cell(2, 1).value == "example (not read)"
        assert sheet.max_row == 2
        for cell, one in zip(sheet[1][2:], registry.columns, strict=True):
            assert one.about in cell.comment.text
            assert f"Source: {registry.source}." in cell.comment.text
            width = sheet.column_dimensions[cell.column_letter].width
            assert width >= min(len(one.column.header), 42)
        rules = {str(rule.sqref).split(":")[0][:-1]: rule for rule in sheet.data_validations.dataValidation}
        for cell, one in zip(sheet[1][2:], registry.columns, strict=True):
            if one.column.kind in (ColumnKind.TERM, ColumnKind.REFERENCE, ColumnKind.TRUTH):
                assert rules[cell.column_letter].type == "list", (registry.name, one.column.header)
            if one.column.kind is ColumnKind.TEXT:
                assert sheet.column_dimensions[cell.column_letter].number_format == "@"
        about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
        assert (about["Registry"], about["Project"], about["Version"]) == (registry.name, "BCBM", registry.version)
        assert (about["Written"], about["Filled"]) == ("2026-11-26 08:30 UTC", "blank")


def test_drop_downs_offer_terms_in_words_and_the_projects_own_codes() -> None:
    book = _open(template("implant", codes={"animal": ["M-1", "M-2"], "model": ["X-1"]}))
    lists = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in book["Lists"].iter_cols()}

    assert lists["animal"] == ["M-1", "M-2"]
    assert lists["PDX model"] == ["X-1"]
    assert lists["engraftment"] == ["pending", "engrafted", "failed"]
    assert lists["orthotopic to primary (stored as)"] == ["yes", "no", "unknown"]
    rules = {rule.formula1: rule.errorStyle for rule in book.worksheets[0].data_validations.dataValidation if rule.type == "list"}
    assert rules["Lists!$A$2:$A$3"] == "warning"  # of animals: one may be newer than the template
    assert sorted(set(rules.values())) == ["stop", "warning"]
    limits = [rule for rule in book.worksheets[0].data_validations.dataValidation if rule.type == "decimal" and rule.formula2]
    assert [(rule.formula1, rule.formula2) for rule in limits] == [("0", "100")]


def test_records_stand_in_it_as_text_numbers_and_dates_and_never_as_a_formula() -> None:
    hostile = '=HYPERLINK("http://x","y")'
    rows = [
        line("animal", 7, 3, code="007", strain=hostile, birth_date=date(2025, 11, 3), sex="female"),
        line("animal", 8, 1, code="+1", ear_tag="-2", source="bell\x07"),
    ]
    book = _open(template("animal", *rows, left_out="=1+1"))
    sheet = book.worksheets[0]

    first = {header.value: cell for header, cell in zip(sheet[1], sheet[3], strict=True)}
    assert (first["record"].value, first["version"].value) == (7, 3)
    assert (first["animal"].value, first["animal"].data_type, first["animal"].number_format) == ("007", "s", "@")
    assert (first["strain"].value, first["strain"].data_type) == (hostile, "s")
    assert (first["date of birth"].value.date(), first["date of birth"].number_format) == (date(2025, 11, 3), "yyyy-mm-dd")
    assert [cell.value for cell in sheet[4]][2:4] == ["+1", "-2"]
    assert all(cell.data_type != "f" for one in book for row in one.iter_rows() for cell in row)
    about = [tuple(cell.value for cell in row) for row in book["About"].iter_rows()]
    assert ("Filled", "with 2 records") in about
    assert ("Left out", "=1+1") in about


def test_the_version_follows_from_the_columns() -> None:
    registry = REGISTRIES["patient"]
    columns = [one.column for one in registry.columns]

    assert version_of("patient", columns) == registry.version
    assert version_of("patient", columns[:-1]) != registry.version
    assert version_of("patient", [replace(columns[0], needed=True), *columns[1:]]) != registry.version
