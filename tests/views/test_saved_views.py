"""Views of lists that people save for themselves: own ones only, audited, judged again by the list."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.vocabulary import RecordStatus
from lims.models import AuditChange, AuditEvent, SavedView
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.pages import Browser, message, only
from tests.support.statements import statements
from tests.views.cohort import add_cohort, add_people

LIST = "/p/BCBM/animals/?state=alive&sort=-code"
SAVE = "/p/BCBM/views/"


@pytest.fixture
def sara(browser: Browser, sqlite_database: Database) -> Browser:
    add_people(sqlite_database)
    add_cohort(sqlite_database)
    return browser.sign_in("Sara")


def save(browser: Browser, name: str, address: str = LIST) -> BeautifulSoup:
    response = browser.submit(browser.get(address), SAVE, name=name)
    assert not isinstance(response, BeautifulSoup)
    return browser.get(response.location)


def links(page: BeautifulSoup) -> list[str]:
    return [link.text for link in page.select(".views a")]


def test_a_view_is_saved_opened_and_removed_by_its_owner(sara: Browser, sqlite_database: Database) -> None:
    page = save(sara, "  Alive, newest  first ")
    (link,) = page.select(".views a")
    assert (link.text, link["href"]) == ("Alive, newest first", "/p/BCBM/animals/?sort=-code&state=alive")
    assert link["aria-current"] == "true"
    assert links(sara.get("/p/BCBM/studies/")) == []
    (form,) = sara.get("/p/BCBM/animals/").select(".views li form")
    sara.submit(sara.get("/p/BCBM/animals/"), str(form["action"]))
    assert links(sara.get("/p/BCBM/animals/")) == []
    with sqlite_database.reading() as session:
        told = session.execute(
            select(AuditEvent.action, AuditEvent.actor)
            .join(AuditChange, AuditChange.event_seq == AuditEvent.seq)
            .where(AuditChange.entity == "saved_view")
        ).all()
        assert [tuple(one) for one in told] == [("view:create", "Sara"), ("view:withdraw", "Sara")]
        assert session.scalars(select(SavedView.status)).all() == [RecordStatus.WITHDRAWN]


def test_the_same_name_again_replaces_what_was_saved_and_brings_it_back(sara: Browser, sqlite_database: Database) -> None:
    save(sara, "Mine")
    page = save(sara, "Mine", "/p/BCBM/animals/?q=M01&page=2")
    assert [link["href"] for link in page.select(".views a")] == ["/p/BCBM/animals/?q=M01&state=any"]
    (form,) = page.select(".views li form")
    sara.submit(page, str(form["action"]))
    assert links(save(sara, "Mine")) == ["Mine"]
    with sqlite_database.reading() as session:
        assert len(session.scalars(select(SavedView)).all()) == 1


def test_nobody_sees_or_removes_anothers_views(app: Application, sara: Browser, sqlite_database: Database) -> None:
    save(sara, "Mine")
    tom = Browser(app).sign_in("Tom")
    page = tom.get(LIST)
    assert links(page) == []
    with sqlite_database.reading() as session:
        view = session.scalars(select(SavedView.id)).one()
    token = {"csrf_token": str(only(page, ".save-view input[name=csrf_token]")["value"])}
    assert tom.client.post(f"{SAVE}{view}/remove", data=token).status_code == 404
    assert links(sara.get("/p/BCBM/animals/")) == ["Mine"]
    olga = Browser(app).sign_in("Olga")
    assert olga.client.post(f"{SAVE}{view}/remove", data=token).status_code in (400, 404)
    assert links(sara.get("/p/BCBM/animals/")) == ["Mine"]


def test_an_auditor_saves_views_too(app: Application, sara: Browser) -> None:
    ines = Browser(app).sign_in("Ines")
    assert links(save(ines, "Dead", "/p/BCBM/animals/?state=dead")) == ["Dead"]


def test_without_a_token_nothing_is_saved(sara: Browser, sqlite_database: Database) -> None:
    data = {"endpoint": "animals.index", "query": "q=M", "name": "x"}
    assert sara.client.post(SAVE, data=data).status_code == 400
    with sqlite_database.reading() as session:
        assert session.scalars(select(SavedView)).all() == []


@each(
    ("changes", "status", "said"),
    [
        ({"name": "   "}, 302, "The view was not saved"),
        ({"name": "x" * 61}, 302, "1 to 60 printable characters"),
        ({"name": "a\x00b"}, 302, "The view was not saved"),
        ({"name": "<b>x"}, 302, "“<b>x” was saved"),
        ({"query": ""}, 302, "Set a filter or an order first"),
        ({"query": "page=3&format=csv"}, 302, "Set a filter or an order first"),
        ({"query": "q=" + "x" * 3_000}, 302, "too long"),
        ({"query": "&".join(f"a{n}=1" for n in range(99))}, 422, "more filters"),
        ({"endpoint": "no.such"}, 404, "no such list"),
        ({"endpoint": "animals.show"}, 404, "no such list"),
        ({"endpoint": "views.save"}, 404, "no such list"),
        ({"endpoint": "people.index"}, 404, "no such list"),
        ({"endpoint": "//evil.example"}, 404, "no such list"),
    ],
)
def test_what_cannot_be_saved_is_told(sara: Browser, changes: dict[str, str], status: int, said: str) -> None:
    filled = {"name": "x"} | changes
    answer = sara.client.post(SAVE, data=_fields(sara) | filled)
    assert answer.status_code == status, answer.text[:500]
    if status == 302:
        assert answer.location.startswith("/p/BCBM/animals/")
        assert said in message(sara.get("/p/BCBM/animals/"))
    else:
        assert said in message(sara.check(answer))


def _fields(browser: Browser) -> dict[str, str]:
    form = browser.get(LIST).select_one(".save-view")
    assert form is not None
    return {str(field["name"]): str(field.get("value", "")) for field in form.select("input")}


def test_a_saved_filter_is_judged_by_the_list_when_it_is_opened(sara: Browser) -> None:
    data = _fields(sara) | {"name": "Bad", "query": "state=immortal&nonsense=1"}
    response = sara.client.post(SAVE, data=data)
    assert "any, alive, dead, not_recorded" in message(sara.check(sara.client.get(response.location)))
    assert links(sara.get("/p/BCBM/animals/")) == ["Bad"]


def test_a_list_asks_once_for_views_and_a_records_page_never(sara: Browser, sqlite_database: Database) -> None:
    save(sara, "One")
    save(sara, "Two")
    with statements(sqlite_database.engine) as seen:
        sara.get("/p/BCBM/animals/")
    assert sum("saved_view" in one for one in seen) == 1
    with statements(sqlite_database.engine) as seen:
        page = sara.get("/p/BCBM/animals/1/measurements")
    assert sum("saved_view" in one for one in seen) == 0
    assert page.select(".views") == []


def test_a_list_as_it_opens_says_how_to_save_one(sara: Browser) -> None:
    page = sara.get("/p/BCBM/patients/")
    assert "Set a filter or an order" in only(page, ".views").text
