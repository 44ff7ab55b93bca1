"""Text made to harm: stored as it is, shown escaped, never run; the disk knows hashes only."""

from __future__ import annotations

import re
from datetime import date

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import BatchState, RoleName
from lims.intake.upload import clean_file_name
from lims.models import Animal, Cage, ImportBatch, Measurement
from lims.views.transaction import Application
from tests.intake.desk import EVERYTHING, Desk, balanced, codes, workbook
from tests.support.pages import Browser, add_person
from tests.views.conftest import app_on_each

__all__ = ["app_on_each"]

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{ 7 * 7 }}{% for x in y %}",
    "'; DROP TABLE measurement; --",
    "%s%n%(x)s {0}",
    "\u202egnp.exe",
    "a\tb\rc\nd",
    "x" * 4_000,
]
NAMES = [
    "../../../etc/passwd.csv",
    "..\\..\\windows\\system32.csv",
    "nul\x00byte.csv",
    "line\nbreak\x1b[31m.csv",
    "<script>alert(1)</script>.csv",
    "n" * 4_096 + ".csv",
    "\udcff\ud800.csv",
    "",
    "/",
    "\u202egnp.csv",
]


def stored(desk: Desk) -> list[str]:
    return sorted(str(path.relative_to(desk.settings.file_dir)) for path in desk.settings.file_dir.rglob("*") if path.is_file())


HEAD = ["Mouse", "Date", "Volume (mm3)", "Group", "Study", "Cage", "Strain", "Tumor", "Operator", "Remark"]


def in_every_column(payloads: list[str]) -> list[list[object]]:
    """Give rows of one tumour each, with one cell replaced by a payload: every payload in every column."""
    rows: list[list[object]] = []
    for payload in payloads:
        for column in range(len(HEAD)):
            row: list[object] = [f"M{len(rows)}", date(2026, 3, 2), 120, "Drug", "S1", "C1", "NSG", "L", "Ada", "none"]
            row[column] = payload
            rows.append(row)
    return rows


def test_hostile_cells_in_every_column_are_values_or_findings(desk_on_each: Desk) -> None:
    desk = desk_on_each
    rows = in_every_column(PAYLOADS)

    outcome = desk.record(workbook(HEAD, *rows), "cells.xlsx", leave_out="refused")

    assert outcome.state is BatchState.COMMITTED
    assert outcome.report["rows"]["read"] == len(rows) == sum(balanced(outcome).values()) / 2
    told = {finding.row for finding in outcome.findings}
    assert {row for row, cells in enumerate(rows, start=2) if cells[1] in PAYLOADS or cells[2] in PAYLOADS} <= told
    assert {"<script>alert(1)</script>", "{{ 7 * 7 }}{% for x in y %}"} <= {one.code for one in desk.records(Cage)}
    desk.sound()


def test_characters_without_a_text_form_are_a_sentence_where_the_database_has_none(desk_on_each: Desk) -> None:
    desk = desk_on_each
    rows = in_every_column(["_x0000_"])

    outcome = desk.record(workbook(HEAD, *rows), "cells.xlsx", leave_out="refused")

    if desk.database.dialect == "postgresql":
        assert (outcome.state, codes(outcome), desk.readings()) == (BatchState.REFUSED, ["text-not-storable"], [])
    else:
        assert "name-unusable" in codes(outcome)
    desk.sound()


def test_hostile_headers_are_listed_as_not_read(desk_on_each: Desk) -> None:
    desk = desk_on_each
    head = ["id", "date", "weight (g)", *PAYLOADS]

    outcome = desk.record(workbook(head, ["M1", date(2026, 3, 2), 20, *("x" * len(PAYLOADS))]), "head.xlsx")

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert desk.readings() == [("M1", "body_weight", "2026-03-02", 20.0)]
    assert [column["role"] for column in outcome.report["columns"]] == ["animal", "date", "weight", *[None] * len(PAYLOADS)]
    assert all(column["reason"] for column in outcome.report["columns"][3:])
    desk.sound()


def test_hostile_file_names_are_shown_and_never_reach_the_disk(desk_on_each: Desk) -> None:
    desk = desk_on_each
    for number, name in enumerate(NAMES):
        desk.record(f"Mouse,Date,Volume (mm3),Group\nM{number},2026-03-02,120,Drug\n", name)

    with desk.database.reading() as session:
        shown = list(session.scalars(select(ImportBatch.file_name)))
    assert len(shown) == len(NAMES)
    for name in shown:
        assert 0 < len(name) <= 200
        assert name.isprintable()
        assert not set(name) & set("/\\\x00\n")
    assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{64}", path) for path in stored(desk))
    assert len(desk.readings()) == len(NAMES)
    desk.sound()


def test_the_end_of_a_long_name_is_kept_for_it_says_the_format() -> None:
    assert clean_file_name("a" * 300 + ".xlsx") == "a" * 195 + ".xlsx"
    assert clean_file_name("C:\\data\\Groß Maus.csv") == "Groß Maus.csv"


@pytest.mark.parametrize("title", ["<b>x<b>", "=1+1", "T" * 31, "{{7+7}}"])
def test_hostile_sheet_names_stand_with_the_readings(desk_on_each: Desk, title: str) -> None:
    desk = desk_on_each
    desk.record(workbook(["id", "date", "weight (g)"], ["M1", date(2026, 3, 2), 20], title=title), "sheet.xlsx")

    assert [reading.source_sheet for reading in desk.records(Measurement)] == [title]


def test_a_table_in_a_file_with_a_long_name_is_recorded(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record("id,date,weight (g)\nM1,2026-03-02,20\nM2,2026-03-02,500\n", "w" * 190 + ".csv", leave_out="refused")

    assert outcome.state is BatchState.COMMITTED
    assert desk.codes(Animal) == ["M1", "M2"]
    desk.sound()


def test_pages_show_hostile_text_as_text(app_on_each: Application, settings: Settings, database: Database, actor: Actor) -> None:
    desk = Desk.open(settings, database, actor)
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    script = "<script>alert(1)</script>"
    content = workbook(
        ["Mouse", "Date", "Volume (mm3)", script],
        [script, date(2026, 3, 2), 120, script],
        ["M2", date(2026, 3, 2), script, ""],
        title="<b>",
    )
    batch = desk.check(content, f"{script}.xlsx", create=EVERYTHING).batch_id
    browser = Browser(app_on_each).sign_in("Ada")

    def harmless(page: BeautifulSoup) -> None:
        assert not [tag for tag in page.find_all("script") if "alert" in tag.text and tag.get("type") is None]
        assert not page.find_all(onerror=True)

    checked = browser.get(f"/p/BCBM/imports/{batch}")
    harmless(checked)
    assert script in checked.text
    desk.record(content, leave_out="refused")
    for path in (f"/p/BCBM/imports/{batch}", "/p/BCBM/imports/"):
        harmless(browser.get(path))
    file = browser.client.get(f"/p/BCBM/imports/{batch}/file")
    assert file.data == content
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    rows = browser.client.get(f"/p/BCBM/imports/{batch}/refused.csv")
    assert rows.headers["Content-Type"].startswith("text/csv")
    assert "M2" in rows.text
