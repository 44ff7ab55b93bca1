"""Text made to harm: stored as it is, shown escaped, never run; the disk knows hashes only."""

from __future__ import annotations

import re
from datetime import date

import pytest
from bs4 import BeautifulSoup

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import BatchState, RoleName
from lims.intake.upload import clean_file_name
from lims.models import Animal, ImportBatch, Measurement
from lims.views.transaction import Application
from tests.intake.desk import EVERYTHING, Desk, workbook
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
    "_x0000_\\x00",
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


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_hostile_cells_in_every_column_are_values_or_findings(desk_on_each: Desk, payload: str) -> None:
    desk = desk_on_each
    head = ["Mouse", "Date", "Volume (mm3)", "Group", "Study", "Cage", "Strain", "Tumor", "Operator", "Remark"]
    good = ["M1", date(2026, 3, 2), 120, "Drug", "S1", "C1", "NSG", "L", "Ada", "none"]
    rows = [[payload if at == column else cell for at, cell in enumerate(good)] for column in range(len(head))]

    outcome = desk.record(workbook(head, *rows, title="Sheet"), "cells.xlsx", leave_out="refused")

    assert outcome.report["rows"]["read"] == len(rows)
    assert sum(number for fate, number in outcome.report["rows"].items() if fate != "read") == len(rows)
    assert outcome.state in {BatchState.COMMITTED, BatchState.REFUSED}
    desk.sound()


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_hostile_headers_are_listed_as_not_read(desk_on_each: Desk, payload: str) -> None:
    desk = desk_on_each
    outcome = desk.record(workbook(["id", "date", "weight (g)", payload], ["M1", date(2026, 3, 2), 20, "x"]), "head.xlsx")

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert desk.readings() == [("M1", "body_weight", "2026-03-02", 20.0)]
    assert [column["role"] for column in outcome.report["columns"]] == ["animal", "date", "weight", None]
    desk.sound()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_hostile_file_names_are_shown_and_never_reach_the_disk(desk_on_each: Desk, name: str) -> None:
    desk = desk_on_each
    outcome = desk.record("Mouse,Date,Volume (mm3),Group\nM1,2026-03-02,120,Drug\n", name)

    with desk.database.reading() as session:
        shown = session.get_one(ImportBatch, outcome.batch_id).file_name
    assert 0 < len(shown) <= 200
    assert shown.isprintable()
    assert not set(shown) & set("/\\\x00\n")
    assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{64}", path) for path in stored(desk))
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
