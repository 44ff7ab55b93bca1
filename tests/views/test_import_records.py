"""Pages of records that a file brings: what the check page shows, what a recorded batch leads to, who may record them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest

from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import Exposure, Project
from lims.views.transaction import Application
from tests.intake.listing import listings_read, table
from tests.support import factories
from tests.support.pages import Browser, add_person, add_project, message, sent

BATCH = "/p/BCBM/imports/1"
HEAD = "animal,agent,matrix,concentration,unit,sample,collected_on"


@pytest.fixture(autouse=True)
def _listings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with listings_read(monkeypatch):
        yield


@pytest.fixture
def people(app: Application, sqlite_database: Database) -> dict[str, Browser]:
    """Give a scientist and a technician of a project with an animal and an agent."""
    add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Ada", BCBM=RoleName.SCIENTIST)
    add_person(sqlite_database, "Tom", BCBM=RoleName.TECHNICIAN)
    with factories.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        factories.animal(session, project, "M1")
        factories.agent(session, project, "T-DXd")
    return {name: Browser(app).sign_in(name) for name in ("Ada", "Tom")}


def upload(browser: Browser, content: str) -> None:
    page = browser.get("/p/BCBM/imports/new")
    form = sent(page, "/p/BCBM/imports/new") | {"file": (BytesIO(content.encode()), "samples.csv")}
    assert browser.client.post("/p/BCBM/imports/new", data=form, content_type="multipart/form-data").status_code == 302


def test_records_are_shown_recorded_and_lead_back_to_their_cells(people: dict[str, Browser], sqlite_database: Database) -> None:
    ada, tom = people["Ada"], people["Tom"]
    upload(ada, table("exposure", HEAD, "M1,T-DXd,plasma,12.5,ng/mL,s1,2026-03-01", "M1,T-DXd,CSF,0.5,ng/mL,s2,2026-03-01"))

    check = ada.get(BATCH)
    assert check.select_one(".commit-bar button").get_text() == "Record 2 exposures"
    lines = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in check.select("#lines-1 ~ div tbody tr")]
    assert lines[0] == ["2", "new", "M1", "T-DXd", "plasma", "12.5", "ng/mL", "s1", "2026-03-01"]
    warned = {"accept": [one["value"] for one in check.select("input[name=accept]")]}
    token = {"csrf_token": tom.get(BATCH).select_one("header input[name=csrf_token]")["value"]}
    assert tom.client.post(f"{BATCH}/commit", data=sent(check, f"{BATCH}/commit") | warned | token).status_code == 403

    ada.submit(check, f"{BATCH}/commit", **warned)
    batch = ada.get(BATCH)
    assert "2 exposures of this file count today" in message(batch)
    listed = ada.get(f"{BATCH}/records?table=exposure", heading="Records of batch 1")
    first = listed.select_one("table.data tbody tr")
    assert [one["href"] for one in first.find_all("a")] == [f"{BATCH}/rows?sheet=samples&row=2", "/p/BCBM/exposures/1"]
    named = [link.get_text() for link in listed.select("table.data a[href*=exposures]")]
    assert named == ["exposure plasma of M1", "exposure csf of M1"]
    history = ada.get("/p/BCBM/exposures/1").select_one("ol.history a.mono")
    assert (history.get_text(), history["title"][:10]) == ("samples!B2", "M1 · T-DXd")

    ada.submit(batch, f"{BATCH}/withdraw", reason="wrong agent")
    assert "2 exposures no longer count" in message(ada.get(BATCH))
    with sqlite_database.reading() as session:
        assert {one.status.value for one in session.query(Exposure)} == {"withdrawn"}
