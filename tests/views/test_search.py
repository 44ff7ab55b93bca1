"""The search box on top of a project's pages."""

from __future__ import annotations

import pytest

from lims.db import Database
from lims.models import Animal, Project
from tests.support import factories as make
from tests.support.cases import each
from tests.support.pages import Browser, message, only
from tests.views.cohort import add_people


@pytest.fixture
def sara(browser: Browser, sqlite_database: Database) -> Browser:
    add_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        patient = make.patient(session, project, "P01", diagnosis="<i>carcinoma</i>")
        make.specimen(session, patient, "P01-BM", site="frontal lobe")
        for number in range(1, 13):
            make.animal(session, project, f"M{number:02}", ear_tag=f"{200 + number % 11}")
        other = session.query(Project).filter_by(code="OTHER").one()
        make.patient(session, other, "SECRET-1")
    return browser.sign_in("Sara")


def test_the_box_stands_on_top_of_a_projects_pages_and_works_without_script(sara: Browser) -> None:
    page = sara.get("/p/BCBM/animals/")
    form = page.select_one("header form[role=search]")
    assert form is not None
    assert (form["method"], form["action"]) == ("get", "/p/BCBM/search/")
    assert only(page, "header label[for=search]").text == "Search"
    assert sara.get("/").select("header form[role=search]") == []


@each("typed", ["M03", "m03", "M03%0A", "M03,", "%20M03%09"])
def test_one_exact_hit_opens_its_record(sara: Browser, typed: str) -> None:
    response = sara.client.get(f"/p/BCBM/search/?q={typed}")
    assert response.status_code == 302
    assert only(sara.get(response.headers["Location"]), "h1").text == "M03"


def test_several_hits_are_listed_by_kind_with_what_they_are(sara: Browser) -> None:
    page = sara.get("/p/BCBM/search/?q=p01-", heading="Search for “p01-”")
    assert [title.text for title in page.select("main h2")] == ["Specimens"]
    assert "tumour · frontal lobe · P01" in message(page)
    many = message(sara.get("/p/BCBM/search/?q=M"))
    assert "There are more: type another letter." in many
    both = sara.get("/p/BCBM/search/?q=201")
    assert [one.text for one in both.select(".hits a")] == ["M01", "M12"]
    assert "found by ear tag" in message(both)
    assert sara.client.get("/p/BCBM/search/?q=p01").status_code == 302


def test_what_a_study_is_made_of_is_found(sara: Browser, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        study = make.study(session, project, "BM-020")
        make.enrolment(session, make.arm(session, study), session.query(Animal).filter_by(code="M03").one())
        make.lot(session, make.agent(session, project, "TUC", name="tucatinib"), "TU-88")
    for typed, heading in (("tuc", "TUC"), ("Tucatinib", "TUC"), ("tu-88", "TU-88"), ("BM-020", "BM-020"), ("M03", "M03")):
        found = sara.client.get(f"/p/BCBM/search/?q={typed}")
        assert found.status_code == 302, typed
        assert heading in str(sara.get(found.headers["Location"]).h1), typed
    page = sara.get("/p/BCBM/search/?q=bm-02")
    assert [title.text for title in page.select("main h2")] == ["Studies", "Enrolments"]
    assert [one.text for one in page.select(".hits a")] == ["BM-020", "M03 in BM-020"]
    assert sara.client.get("/p/BCBM/search/?q=m03%20in%20bm-020").status_code == 302


def test_nothing_found_says_where_was_looked(sara: Browser) -> None:
    told = message(sara.get("/p/BCBM/search/?q=SECRET-1"))
    assert "Nothing in this project is called SECRET-1" in told
    assert "animals by code, ear tag, RFID and other name" in told


def test_an_empty_search_says_what_to_type(sara: Browser) -> None:
    assert "Type or scan" in message(sara.get("/p/BCBM/search/", heading="Search"))


@each("typed", ["%00", "%27%22%3E%3Cscript%3E", "%25", "_", "%5C", "x" * 5_000, "%F0%9F%90%AD", "%ED%A0%80"])
def test_hostile_text_is_answered(sara: Browser, typed: str) -> None:
    page = sara.get(f"/p/BCBM/search/?q={typed}", heading="Search")
    assert page.select("main script, main i") == []


def test_another_projects_search_is_not_found(sara: Browser) -> None:
    sara.get("/p/OTHER/search/?q=SECRET-1", 404)
