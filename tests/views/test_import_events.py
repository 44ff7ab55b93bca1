"""The pages of an imported colony log: its doses, fates and cages, before and after recording."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from io import BytesIO

import pytest

from lims.db import Database
from lims.domain.vocabulary import AnimalStatus, BatchState, RoleName
from lims.models import Project
from lims.views.transaction import Application
from tests.intake.event_log import WEEK, log
from tests.support import factories
from tests.support.pages import Browser, add_person, add_project, message, sent

BATCH = "/p/BCBM/imports/1"


@pytest.fixture
def scientist(app: Application, sqlite_database: Database) -> Browser:
    add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Ada", BCBM=RoleName.SCIENTIST)
    return Browser(app).sign_in("Ada")


def upload(browser: Browser, content: bytes) -> None:
    page = browser.get("/p/BCBM/imports/new")
    form = sent(page, "/p/BCBM/imports/new") | {"file": (BytesIO(content), "log.xlsx")}
    assert browser.client.post("/p/BCBM/imports/new", data=form, content_type="multipart/form-data").status_code == 302


def tables(page) -> dict[str, list[list[str]]]:
    """Give the tables of the section of events by their captions, as read."""
    found = {}
    for table in page.select("section[aria-labelledby=events] table"):
        rows = [[" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])] for row in table.tbody("tr")]
        found[table.caption.get_text()] = rows
    return found


def test_a_log_is_checked_recorded_and_taken_back(scientist: Browser) -> None:
    upload(scientist, log(*WEEK))
    refused = scientist.get(BATCH)
    assert tables(refused)["Doses by compound"][0][:3] == ["T-DXd", "not known", "2"]

    scientist.submit(refused, f"{BATCH}/check", create="y")
    check = scientist.get(BATCH)
    button = check.select_one(".commit-bar button").get_text()
    assert button == "Record 2 measurements on 2 animals, 3 doses and 1 fate, create 2 animals, 2 agents, 1 cage"
    told = tables(check)
    assert told["Doses by compound"][0] == ["T-DXd", "T-DXd new", "2", "1", "2026-03-02", "2026-03-03", "2 new"]
    assert told["Fates"] == [["M2", "2026-03-09", "Bodyweight Loss", "weight endpoint", "thin", "6", "new"]]
    assert told["Cages"] == [["C-1", "2", "0", "made with this file"]]
    assert (
        check.find("select", attrs={"name": "answer-fate:Bodyweight Loss"}).find("option", selected=True)["value"]
        == "weight_endpoint"
    )

    scientist.submit(check, f"{BATCH}/commit")
    batch = scientist.get(BATCH)
    assert "2 measurements, 3 doses and 1 fate of this file count today" in message(batch)
    assert tables(batch)["Fates"] == told["Fates"]

    scientist.submit(batch, f"{BATCH}/withdraw", reason="wrong mice")
    assert "2 measurements, 3 doses and 1 fate no longer count" in message(scientist.get(BATCH))


def test_a_finding_names_the_rule_that_judged_the_value_and_no_rule_for_the_form_of_a_file(scientist: Browser) -> None:
    upload(scientist, b"id,date,weight (g)\nM1,2026-03-02,900\nM1,2026-03-03,20*\n")
    page = scientist.get(BATCH)
    scientist.submit(page, f"{BATCH}/check", create="y")
    rows = [" ".join(row.get_text(" ").split()) for row in scientist.get(BATCH).select("table.findings tbody tr")]
    judged = {cell: [row for row in rows if cell in row] for cell in ("900", "20*")}
    assert all(judged.values()), rows
    assert all("Rule: what the field can hold" in row for row in judged["900"])
    assert not any("Rule: " in row for row in judged["20*"])


def test_a_file_without_events_has_no_such_section(scientist: Browser) -> None:
    upload(scientist, b"id,date,weight (g)\nM1,2026-03-02,20\n")
    page = scientist.get(BATCH)
    assert page.select_one("section[aria-labelledby=events]") is None
    assert "refused" in message(page)


@pytest.mark.parametrize("brought", ["a dose", "a fate", "nothing of the study"])
def test_a_file_of_doses_or_fates_of_a_blinded_study_tells_its_arms(
    app: Application, sqlite_database: Database, brought: str
) -> None:
    add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Tom", BCBM=RoleName.TECHNICIAN)
    with factories.declared(sqlite_database) as session:
        project = session.query(Project).one()
        study = factories.study(session, project, "ST-1", blinded=True)
        batch = factories.batch(session, project, state=BatchState.COMMITTED)
        mouse = factories.animal(session, project, "M1", died_on=date(2026, 3, 9), state=AnimalStatus.DEAD)
        factories.enrolment(session, factories.arm(session, study), mouse)
        if brought == "a dose":
            factories.dose(session, mouse, factories.agent(session, project), batch_id=batch.id)
        elif brought == "a fate":
            factories.fate(session, mouse, batch_id=batch.id)
    told = Browser(app).sign_in("Tom").client.get(f"{BATCH}/file")
    assert (told.status_code == HTTPStatus.FORBIDDEN) == (brought != "nothing of the study"), told.status
