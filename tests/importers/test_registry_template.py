"""Tests of filled-in templates: what a line becomes, and what keeps one from being read."""

from __future__ import annotations

from datetime import date, datetime

from importers.base import Clock, Severity
from importers.identify import identify
from importers.registry_template import IMPORTER
from importers.sheets import Workbook
from importers.workbook import open_workbook
from lims.records.registries import REGISTRIES
from tests.importers.tables_support import errors, findings, read
from tests.support.templates import edited, line, put, template


def _book(content: bytes) -> Workbook:
    return open_workbook(content, "registry.xlsx")


def test_a_template_says_what_it_is_and_no_other_importer_is_asked() -> None:
    for noun in ("patient", "animal", "implant", "dose", "measurement"):  # others claim such columns where they stand alone
        book = _book(template(noun))

        assert identify(book).importer == "registry_template", noun
        assert book.findings == (), noun  # its own hidden sheet is no surprise
        reading = read(IMPORTER, book)
        assert (reading.records, reading.series, reading.findings) == ((), (), ()), noun


def test_lines_become_records_with_values_of_their_columns() -> None:
    content = edited(
        template("animal", line("animal", 4, 2, code="M-4", sex="not recorded"), codes={"cage": ["C-1"]}),
        *(put("animal", 4, "007"), put("sex", 4, "Female"), put("date of birth", 4, date(2026, 1, 5)), put("cage", 4, "C-1")),
        *(put("animal", 5, 12), put("date of birth", 5, "2026-01-06"), put("state", 5, "alive")),
    )
    (animals,) = read(IMPORTER, _book(content)).records

    assert (animals.noun, animals.rows, animals.blank_clears) == ("animal", [3, 4, 5], True)
    assert (animals.known, animals.versions) == ([4, None, None], [2, None, None])
    fields = animals.fields
    assert fields["code"] == ["M-4", "007", "12"]
    assert fields["sex"] == ["not_recorded", "female", None]
    assert fields["birth_date"] == [None, date(2026, 1, 5), date(2026, 1, 6)]
    assert fields["cage"] == [None, "C-1", None]
    assert fields["state"] == [None, None, "alive"]
    assert animals.columns["birth_date"] == 9
    assert animals.raw[1] == "007 · Female · 2026-01-05 · C-1"


def test_positions_agents_moments_and_truths_are_read_as_people_write_them() -> None:
    (aliquots,) = read(
        IMPORTER, _book(edited(template("aliquot"), *_filled("aliquot", specimen="S1", material="FFPE", box_row="c 7")))
    ).records
    assert (aliquots.fields["box_row"], aliquots.fields["box_column"], aliquots.fields["material"]) == ([3], [7], ["ffpe"])

    written = "trastuzumab [monoclonal antibody]; T-DM1 [Antibody drug conjugate]; T-DXd [antibody-drug  conjugate]"
    lines, agents = read(
        IMPORTER, _book(edited(template("therapy"), *_filled("therapy", patient="P1", line_number=2, agents=written)))
    ).records
    assert "agents" not in lines.fields
    assert dict(agents.fields) == {
        "patient": ["P1", "P1", "P1"],
        "therapy_line": [2, 2, 2],
        "name": ["trastuzumab", "T-DM1", "T-DXd"],
        "agent_class": ["monoclonal_antibody", "antibody_drug_conjugate", "antibody_drug_conjugate"],
    }

    exposure = _filled(
        "exposure", animal="M1", agent="D", matrix="plasma", unit="nM", below_lloq="Yes", collected_at="2026-02-03 14:30"
    )
    (samples,) = read(IMPORTER, _book(edited(template("exposure"), *exposure))).records
    assert (samples.fields["below_lloq"], samples.fields["collected_at"]) == ([True], [_at("2026-02-03 14:30")])


def test_an_agent_that_was_taken_out_of_a_cell_is_told() -> None:
    both = "trastuzumab [monoclonal antibody]; capecitabine [chemotherapy]"
    content = template("therapy", line("therapy", 1, 1, patient="P1", line_number=1, agents=both, agents_recorded=both))
    reading = read(IMPORTER, _book(edited(content, put("agents", 3, "trastuzumab [monoclonal antibody]"))))

    (told,) = findings(reading, "agent-left-out")
    assert (told.severity, told.value) == (Severity.WARNING, "capecitabine")
    assert reading.records[1].fields["name"] == ["trastuzumab"]


def test_readings_come_as_series_of_their_kind_and_clock() -> None:
    weight, volume = "Body weight (g)", "Tumour volume by caliper (mm³)"
    content = template(
        "measurement",
        line("measurement", animal="M1", kind=weight, when="2026-03-01", value=21.5),
        line("measurement", animal="M2", kind=weight, when="2026-03-01 08:15", value=20.0, operator="AB"),
        line("measurement", animal="M1", implant="left", kind=volume, when="2026-03-02", length_mm=6, width_mm=5),
        line("measurement", animal="M3", kind=weight, when="2026-03-01"),
    )
    reading = read(IMPORTER, _book(content))

    told = [(one.kind, one.clock, one.animals, one.when, one.values) for one in reading.series]
    assert told == [
        ("body_weight", Clock.DATE, ["M1"], [date(2026, 3, 1)], [21.5]),
        ("body_weight", Clock.DATETIME, ["M2"], [_at("2026-03-01 08:15")], [20.0]),
        ("caliper_volume", Clock.DATE, ["M1"], [date(2026, 3, 2)], [None]),
    ]
    volumes = reading.series[2]
    assert (volumes.tumours, volumes.lengths, volumes.widths) == (["left"], [6.0], [5.0])
    assert [one.address for one in findings(reading, "value-missing")] == ["Measurements!G6"]


def test_a_cell_that_cannot_be_read_keeps_its_line_out_and_says_why() -> None:
    content = edited(
        template("specimen", line("specimen", 9, 1, code="S9", kind="tumour")),
        *_filled("specimen", row=4, code="S1", kind="lump", grade=2.5, collected_on="31/12/25"),
        *_filled("specimen", row=5, code="S2", on_steroids="perhaps", tumour_content_percent="80 %"),
        *_filled("specimen", row=6, code="S3", kind="tumour"),
    )
    reading = read(IMPORTER, _book(content))

    told = {(one.address, one.code) for one in reading.findings}
    assert told == {
        ("Specimens!G4", "term-unknown"),
        ("Specimens!T4", "number-not-whole"),
        ("Specimens!H4", "date-two-digit-year"),
        ("Specimens!N5", "truth-unreadable"),
        ("Specimens!Q5", "number-percent"),
        ("Specimens!G5", "value-missing"),
    }
    assert "one of tumour, blood, plasma, CSF, brain region, organ" in {one.expected for one in reading.findings}
    assert reading.records[0].fields["code"] == ["S9", "S3"]


def test_numbers_of_records_are_taken_as_exported_or_not_at_all() -> None:
    rows = [line("cage", key, 1, code=f"C{key}", capacity=5) for key in (1, 2, 3, 4)]
    content = edited(
        template("cage", *rows),
        *(put("record", 4, 1), put("version", 5, None), put("cage", 6, None), put("capacity", 6, None)),
        *(put("record", 7, "new"), put("cage", 7, "C9")),
    )
    reading = read(IMPORTER, _book(content))

    assert [(one.code, one.row) for one in reading.findings] == [
        ("record-number", 7),
        ("record-twice", 3),
        ("record-twice", 4),
        ("version-missing", 5),
        ("line-emptied", 6),
    ]
    assert reading.records == ()
    assert errors(reading)


def test_columns_may_be_moved_or_deleted_and_added_ones_are_told() -> None:
    def rearrange(book) -> None:
        sheet = book.worksheets[0]
        sheet.delete_cols(5)  # year of birth
        sheet.cell(1, 20, "remark")
        sheet.cell(3, 20, "seen on Monday")

    content = edited(template("patient", line("patient", 1, 1, code="P1", diagnosis="x")), rearrange)
    reading = read(IMPORTER, _book(content))

    (patients,) = reading.records
    assert "birth_year" not in patients.fields
    assert patients.fields["diagnosis"] == ["x"]
    (told,) = reading.findings
    assert (told.code, told.severity, told.address) == ("column-unknown", Severity.WARNING, "Patients!T1")
    unread = [use.reason for use in reading.columns if use.header == "remark"]
    assert unread == ["no column of this template; not read"]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _filled(noun: str, row: int = 3, **values: object):
    """Give the edits that fill one line in, by field."""
    headers = {one.field: one.column.header for one in REGISTRIES[noun].columns}
    return [put(headers[field], row, value) for field, value in values.items()]
