"""Pages that are drawn once: nothing that was recorded since is missing from them, and nobody sees another's."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from bs4 import BeautifulSoup
from markupsafe import Markup

from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import Project, Study
from lims.views.kept import kept_page
from lims.views.shelf import Shelf
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.pages import Browser, add_person, message
from tests.support.statements import statements
from tests.views.cohort import Cohort, add_cohort, add_people, add_reading

PAGES = ("", "?kind=body_weight", "/survival/", "/dosing/", "/missing/", "/animals", "/readings", "/design", "/history")
PARTS = ("/plots/growth", "/plots/means/table", "/plots/weight", "/survival/curves", "/dosing/calendar")


@pytest.fixture
def cohort(database: Database) -> Cohort:
    """Give a study with four animals and their readings."""
    add_people(database)
    return add_cohort(database)


def _told(browser: Browser, address: str) -> str:
    """Give the text of a page, or of a part that a page fetches."""
    with browser.client.get(address) as response:
        assert response.status_code == 200, address
        return message(BeautifulSoup(response.text, "html.parser"))


def test_a_page_is_read_once_and_again_when_something_was_recorded(
    app_on_each: Application, cohort: Cohort, database: Database
) -> None:
    sara = Browser(app_on_each).sign_in("Sara")
    costs: dict[str, list[int]] = defaultdict(list)
    told: dict[str, list[str]] = defaultdict(list)
    for visit in range(3):
        if visit == 2:
            add_reading(database, cohort, 30.0, kind="body_weight")
        for page in (*PAGES, *PARTS):
            with statements(database.engine) as seen:
                told[page].append(_told(sara, f"/p/BCBM/studies/{cohort.study}{page}"))
            costs[page].append(len(seen))
    for page in (*PAGES, *PARTS):
        first, again, changed = costs[page]
        assert again < first == changed, page
        assert told[page][0] == told[page][1]


def test_whoever_signs_in_takes_nothing_off_the_shelf_and_an_export_of_the_project_does(
    app_on_each: Application, cohort: Cohort, database: Database
) -> None:
    sara, address = Browser(app_on_each).sign_in("Sara"), "/p/BCBM/animals/"

    def asked() -> int:
        with statements(database.engine) as seen:
            sara.get(address)
        return len(seen)

    first = asked()
    kept = asked()
    assert kept < first
    Browser(app_on_each).sign_in("Ines")
    assert asked() == kept
    sara.client.get(f"{address}?format=csv").close()
    assert asked() == first


def test_what_was_recorded_stands_on_the_page_at_once(app_on_each: Application, cohort: Cohort, database: Database) -> None:
    sara, address = Browser(app_on_each).sign_in("Sara"), f"/p/BCBM/studies/{cohort.study}"
    assert "12 readings." in message(sara.whole(f"{address}?kind=body_weight"))
    add_reading(database, cohort, 30.0, kind="body_weight")
    assert "13 readings." in message(sara.whole(f"{address}?kind=body_weight"))
    animal = f"/p/BCBM/animals/{cohort.animals[0]}"
    assert "Measurements 7" in message(sara.get(animal))
    add_reading(database, cohort, 31.0, kind="caliper_volume")
    assert "Measurements 8" in message(sara.get(animal))


@pytest.mark.parametrize("first", ["Dora", "Sara"])
def test_whoever_looks_first_the_blinded_see_codes(
    app_on_each: Application, cohort: Cohort, database: Database, first: str
) -> None:
    add_person(database, "Dora", BCBM=RoleName.STUDY_DIRECTOR)
    pages = [*(f"/p/BCBM/studies/{cohort.study}{page}" for page in PAGES), f"/p/BCBM/animals/{cohort.animals[1]}"]
    browsers = {name: Browser(app_on_each).sign_in(name) for name in sorted(("Sara", "Dora"), key=lambda name: name != first)}
    for browser in browsers.values():
        assert "Tucatinib" in str(browser.whole(pages[0]))
    with make.declared(database, "study:change") as session:
        session.get_one(Study, cohort.study).blinded = True
    for address in pages:
        seen = {name: str(browser.whole(address)) for name, browser in browsers.items()}
        assert "Tucatinib" not in seen["Sara"], address
    assert "Tucatinib" in str(browsers["Dora"].whole(pages[0]))


def test_two_roles_get_the_buttons_of_their_own(app_on_each: Application, cohort: Cohort) -> None:
    address = f"/p/BCBM/animals/{cohort.animals[0]}"
    assert "Record its fate" in str(Browser(app_on_each).sign_in("Sara").get(address))
    assert "Record its fate" not in str(Browser(app_on_each).sign_in("Ines").get(address))


def test_two_people_of_one_role_get_their_own_header_and_messages(app: Application, sqlite_database: Database) -> None:
    add_people(sqlite_database)
    cohort = add_cohort(sqlite_database)
    add_person(sqlite_database, "Nora", administrator=True, BCBM=RoleName.SCIENTIST)
    address = f"/p/BCBM/studies/{cohort.study}/design"
    browsers = {name: Browser(app).sign_in(name) for name in ("Sara", "Nora")}
    with browsers["Nora"].client.session_transaction() as session:
        session["_flashes"] = [("success", "For Nora alone.")]
    pages = {name: browser.get(address) for name, browser in browsers.items()}
    assert "For Nora alone." in message(pages["Nora"])
    assert "For Nora alone." not in message(pages["Sara"]) + message(browsers["Nora"].get(address))
    for name, page in pages.items():
        assert name in page.select_one("header.top .person").text
    assert {name: bool(page.select("nav.rail a[href='/people/']")) for name, page in pages.items()} == {"Sara": False, "Nora": True}
    tokens = {page.select_one("header.top input[name=csrf_token]")["value"] for page in pages.values()}
    assert len(tokens) == 2


def test_a_reading_session_sees_one_moment(cohort: Cohort, database: Database) -> None:
    with database.reading() as session:
        title = session.query(Project.title).filter_by(code="BCBM")
        before = title.scalar()
        with make.declared(database, "project:change") as writing:
            writing.query(Project).filter_by(code="BCBM").one().title = "Renamed meanwhile"
        assert title.scalar() == before
    with database.reading() as session:
        assert session.query(Project.title).filter_by(code="BCBM").scalar() == "Renamed meanwhile"


def test_a_form_is_never_kept(
    app: Application, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add_people(sqlite_database)
    page: Any = app.jinja_env.from_string("{{ tokens() }}")
    monkeypatch.setitem(app.view_functions, "studies.index", lambda: kept_page(page, dict))
    Browser(app).sign_in("Sara").get("/p/BCBM/studies/", status=500)
    assert "holds a form" in caplog.text


def test_the_parts_nobody_asks_for_make_room() -> None:
    shelf = Shelf(most=10)
    for key in "abc":
        shelf.put(key, "head", Markup("1234"), 4)
        shelf.take("a", "head")
    assert [shelf.take(key, "head") for key in "abc"] == ["1234", None, "1234"]
    assert shelf.take("a", "another head") is None
    shelf.put("a", "another head", Markup("12"), 2)
    assert [shelf.take("a", head) for head in ("head", "another head")] == [None, "12"]
    shelf.put("too large for the shelf", "head", Markup("12345678901"), 11)
    assert shelf.take("too large for the shelf", "head") is None
