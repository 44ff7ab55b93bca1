"""People, projects and memberships through their pages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select

from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import AuditEvent, Membership, Project, User
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.pages import Browser, add_person, add_project, address, message, only, sent


@pytest.fixture
def admin(app: Application, sqlite_database: Database) -> Browser:
    """Give an administrator's browser."""
    add_person(sqlite_database, "Ada Admin", administrator=True)
    return Browser(app).sign_in_on_the_page("Ada Admin")


def last_event(database: Database) -> AuditEvent:
    """Give the newest event of the trail."""
    with database.reading() as session:
        return session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc())).first()  # type: ignore[return-value]  # there is one


def test_an_added_person_signs_in_with_the_password_shown_once(app_on_each: Application, database: Database) -> None:
    add_person(database, "Ada Admin", administrator=True)
    admin = Browser(app_on_each).sign_in_on_the_page("Ada Admin")
    page = admin.get("/people/new", heading="Add a person")
    shown = admin.submit(page, "/people/new", status=200, heading="Nora New", email="Nora.New@lab.test", name="Nora  New")
    password = only(shown, "code").text
    assert last_event(database).actor == "Ada Admin"
    Browser(app_on_each).sign_in_on_the_page("Nora New", password)


def test_an_address_is_given_once_whatever_its_case(admin: Browser, sqlite_database: Database) -> None:
    page = admin.get("/people/new")
    refused = admin.submit(page, "/people/new", status=422, email=address("Ada Admin").upper(), name="Other")
    assert "recorded already" in message(refused)
    assert only(refused, "input#name")["value"] == "Other", "what was typed is lost"
    with sqlite_database.reading() as session:
        assert len(session.scalars(select(User)).all()) == 1


@each("email", ["no address", "a@", "a b@lab.test", "<script>@lab.test"])
def test_what_is_no_address_is_refused_and_quoted(admin: Browser, email: str) -> None:
    page = admin.submit(admin.get("/people/new"), "/people/new", status=422, email=email, name="X")
    assert "is no e-mail address" in message(page)
    assert not only(page, "html").find("script", string=True), "markup of a value was not escaped"


def test_a_deactivated_person_is_out_at_once_and_needs_a_reason(
    app: Application, admin: Browser, sqlite_database: Database
) -> None:
    person = add_person(sqlite_database, "Tom Tech")
    theirs = Browser(app).sign_in_on_the_page("Tom Tech")
    path = f"/people/{person.id}"
    refused = admin.submit(admin.get(path), f"{path}/access", status=422, reason="  ")
    assert "reason" in message(refused).lower()
    theirs.get("/", heading="Home")
    admin.submit(admin.get(path), f"{path}/access", reason="left the lab")
    assert theirs.client.get("/").status_code == 302
    told = last_event(sqlite_database)
    assert (told.action, told.reason) == ("user:withdraw", "left the lab")


def test_the_last_administrator_stays(admin: Browser, sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        path = f"/people/{session.scalars(select(User.id)).one()}"
    values = sent(admin.get(path), path)
    values.pop("administrator", None)
    response = admin.client.post(path, data=values | {"reason": "tired"})
    assert response.status_code == 422
    assert "only active administrator" in response.text


def test_extra_form_fields_change_nothing(app: Application, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Tom Tech")
    browser = Browser(app).sign_in_on_the_page("Tom Tech")
    browser.submit(browser.get("/account/"), "/account/", name="Tom T.", administrator="y", active="", email="other@lab.test")
    with sqlite_database.reading() as session:
        person = session.scalars(select(User)).one()
    assert (person.name, person.administrator, person.active, person.email) == ("Tom T.", False, True, address("Tom Tech"))


def test_the_second_of_two_editors_is_told_and_keeps_what_was_typed(app_on_each: Application, database: Database) -> None:
    add_person(database, "Ada Admin", administrator=True)
    add_project(database, "P1")
    first, second = Browser(app_on_each).sign_in_on_the_page("Ada Admin"), Browser(app_on_each).sign_in_on_the_page("Ada Admin")
    path = "/projects/P1/change"
    page_of_first, page_of_second = first.get(path), second.get(path)
    first.submit(page_of_first, path, title="First title", reason="better")
    conflict = second.submit(page_of_second, path, status=409, heading="Change P1", reason="mine is better")
    assert "Ada Admin changed this record at 20" in message(conflict)
    assert sent(conflict, path)["reason"] == "mine is better"
    with database.reading() as session:
        assert session.scalars(select(Project.title)).one() == "First title"


def test_members_are_added_changed_and_withdrawn_with_a_reason(app_on_each: Application, database: Database) -> None:
    add_person(database, "Ada Admin", administrator=True)
    add_person(database, "Tom Tech")
    admin = Browser(app_on_each).sign_in_on_the_page("Ada Admin")
    admin.submit(admin.get("/projects/new", heading="Make a project"), "/projects/new", code="BCBM-01", title="Brain")
    page = admin.get("/projects/BCBM-01", heading="BCBM-01")
    admin.submit(page, "/projects/BCBM-01/members", email=address("Tom Tech"), role="technician")
    tom = Browser(app_on_each).sign_in_on_the_page("Tom Tech")
    assert "technician" in message(tom.get("/p/BCBM-01/", heading="Today in BCBM-01"))
    with database.reading() as session:
        membership = session.scalars(select(Membership.id)).one()
    path = f"/projects/BCBM-01/members/{membership}"
    admin.submit(admin.get(path), path, status=422, role="auditor", reason="")
    admin.submit(admin.get(path), path, role="auditor", reason="reviews from now on")
    assert "auditor" in message(tom.get("/p/BCBM-01/"))
    admin.submit(admin.get(path), f"{path}/withdraw", reason="left")
    tom.get("/p/BCBM-01/", status=404, heading="There is nothing here")
    admin.submit(admin.get("/projects/BCBM-01"), "/projects/BCBM-01/members", email=address("Tom Tech"), role="technician")
    tom.get("/p/BCBM-01/")


def test_a_member_is_somebody_with_an_account_and_a_chosen_role(admin: Browser, sqlite_database: Database) -> None:
    add_project(sqlite_database, "P1")
    add_person(sqlite_database, "Tom Tech")
    page, path = admin.get("/projects/P1"), "/projects/P1/members"
    assert sent(page, path)["role"] == "", "nobody is made an administrator by a slip"
    unknown = admin.submit(page, path, status=422, email="nobody@lab.test", role="scientist")
    assert "'nobody@lab.test' has an account. Check the address" in only(unknown, "#email-error").text
    assert {"email": "nobody@lab.test", "role": "scientist"}.items() <= sent(unknown, path).items(), "what was typed is lost"
    without = admin.submit(page, path, status=422, email=address("Tom Tech"), role="")
    assert "A role is needed" in only(without, "#role-error").text
    admin.submit(page, path, email=address("Tom Tech"), role="auditor")


def test_the_first_day_of_a_project_says_where_to_begin(app: Application, sqlite_database: Database) -> None:
    add_project(sqlite_database, "P1")
    for name, role in (("Sara", RoleName.SCIENTIST), ("Tom Tech", RoleName.TECHNICIAN), ("Aud", RoleName.AUDITOR)):
        add_person(sqlite_database, name, P1=role)
    people = {name: Browser(app).sign_in(name) for name in ("Sara", "Tom Tech", "Aud")}
    links = {name: one.get("/p/P1/").select("section[aria-labelledby=begin] a") for name, one in people.items()}
    offered = {name: [str(link["href"]) for link in found] for name, found in links.items()}
    at_the_bench = ["/p/P1/imports/new", "/p/P1/templates/", "/p/P1/animals/arrive"]
    assert offered["Tom Tech"] == at_the_bench
    assert set(offered["Sara"]) == {*at_the_bench, "/p/P1/patients/new", "/p/P1/protocols/new", "/p/P1/studies/new"}
    assert offered["Aud"] == [], "who reads is offered nothing to record"
    for path in offered["Sara"]:
        people["Sara"].get(path)


def test_a_persons_page_says_what_they_belong_to(admin: Browser, sqlite_database: Database) -> None:
    add_project(sqlite_database, "P1")
    member = add_person(sqlite_database, "Tom Tech", P1=RoleName.TECHNICIAN)
    alone = add_person(sqlite_database, "Nora New")
    row = only(admin.get(f"/people/{member.id}", heading="Tom Tech"), "table.data tbody tr")
    assert "technician" in row.text
    assert only(row, "a")["href"] == "/projects/P1"
    assert "sees no data" in only(admin.get(f"/people/{alone.id}"), "section[aria-labelledby=belongs]").text


def test_a_stranger_to_a_project_finds_nothing_and_an_administrator_only_its_administration(
    app: Application, admin: Browser, sqlite_database: Database
) -> None:
    add_project(sqlite_database, "P1")
    add_person(sqlite_database, "Tom Tech", P1=RoleName.TECHNICIAN)
    add_project(sqlite_database, "P2")
    tom = Browser(app).sign_in_on_the_page("Tom Tech")
    absent = tom.client.get("/p/NOWHERE/").text
    assert tom.get("/p/P2/", status=404)
    assert tom.client.get("/p/P2/").text == absent.replace("NOWHERE", "P2") or "P2" not in tom.client.get("/p/P2/").text
    tom.get("/projects/P2", status=404)
    tom.get("/people/", status=403, heading="Your role does not allow this")
    tom.get("/projects/P1/change", status=403)
    admin.get("/p/P1/", status=404)
    admin.get("/projects/P1", heading="P1")


def test_a_withdrawn_project_is_read_only(app: Application, admin: Browser, sqlite_database: Database) -> None:
    add_project(sqlite_database, "P1")
    add_person(sqlite_database, "Tom Tech", P1=RoleName.TECHNICIAN)
    admin.submit(admin.get("/projects/P1/withdraw"), "/projects/P1/withdraw", reason="finished")
    tom = Browser(app).sign_in_on_the_page("Tom Tech")
    assert "withdrawn" in message(tom.get("/p/P1/"))


@pytest.mark.parametrize("code", ["", "a b", "../x", "-x", "x" * 41, "p1", "x\x00y", "<b>"])
def test_project_codes_that_cannot_stand_in_an_address_are_refused(admin: Browser, sqlite_database: Database, code: str) -> None:
    add_project(sqlite_database, "P1")
    admin.submit(admin.get("/projects/new"), "/projects/new", status=422, code=code)
    with sqlite_database.reading() as session:
        assert session.scalars(select(Project.code)).all() == ["P1"]


@pytest.mark.parametrize("number", ["0", "99", "9223372036854775808", "99999999999999999999999999"])
def test_a_person_that_is_not_there(admin: Browser, number: str) -> None:
    admin.get(f"/people/{number}", status=404, heading="There is nothing here")


def test_lists_sort_filter_and_page_by_the_address(admin: Browser, sqlite_database: Database) -> None:
    for name in ("Zoe Last", "Ben First"):
        add_person(sqlite_database, name)
    names = [only(row, "a").text for row in admin.get("/people/?sort=-name").select("tbody tr")]
    assert names == ["Zoe Last", "Ben First", "Ada Admin"]
    page = admin.get("/people/?q=ZOE&page=77")
    assert len(page.select("tbody tr")) == 1
    assert "Nothing fits these filters." in message(admin.get("/people/?q=%25"))


@each(
    "query",
    [
        "sort=password",
        "sort=name;drop table user_account",
        "sort=-",
        "sort=name desc",
        "page=-1",
        "page=1e9",
        "page=²",
        "q='--",
        "q=%_\\",
    ],
)
def test_sort_and_filter_take_nothing_but_their_columns(admin: Browser, query: str) -> None:
    admin.get(f"/people/?{query}", heading="People")


def test_control_characters_in_a_filter_are_refused_with_a_sentence(admin: Browser) -> None:
    assert "cannot be typed" in message(admin.get("/people/?q=a%00b", status=422))
    assert "none of the choices" in message(admin.get("/projects/?status=gone", status=422))
    assert "no format" in message(admin.get("/people/?format=exe", status=422))


def test_a_list_takes_the_same_number_of_queries_however_long_it_is(admin: Browser, sqlite_database: Database) -> None:
    counted: list[str] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda c, cur, statement, *rest: counted.append(statement))
    admin.get("/people/")
    short = len(counted)
    for number in range(12):
        add_person(sqlite_database, f"Person {number}")
    counted.clear()
    admin.get("/people/")
    assert len(counted) == short


@pytest.mark.parametrize("engine", ["app_on_each"])
def test_exports_hold_exactly_the_view_without_formulas_and_are_audited(
    request: pytest.FixtureRequest, engine: str, database: Database
) -> None:
    app = request.getfixturevalue(engine)
    add_person(database, "Ada Admin", administrator=True)
    evil = "=HYPERLINK(1)"
    with database.transaction() as session:
        from lims.records.accounts import create_user
        from tests.support.pages import COMMAND_LINE, PASSWORD_HASH

        create_user(session, COMMAND_LINE, email="evil@lab.test", name=evil, password_hash=PASSWORD_HASH)
    admin = Browser(app).sign_in_on_the_page("Ada Admin")
    view = "/people/?q=evil&sort=name"
    text = admin.client.get(f"{view}&format=csv").get_data().decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(text))] == ["Name", f"'{evil}"]
    workbook = load_workbook(io.BytesIO(admin.client.get(f"{view}&format=xlsx").get_data()))
    cell = workbook.active["A2"]  # type: ignore[index]  # fails without it
    assert (cell.value, cell.data_type) == (evil, "s")
    assert [one["Name"] for one in json.loads(admin.client.get(f"{view}&format=json").get_data())] == [evil]
    told = last_event(database)
    assert (told.action, json.loads(told.detail)) == ("user:export", {"format": "json", "q": "evil", "rows": 1, "sort": "name"})


def test_make_app_is_wired_to_its_own_database(
    make_app: Callable[[Settings, Database], Application], settings: Settings, sqlite_database: Database
) -> None:
    assert make_app(settings, sqlite_database).extensions["lims"].database is sqlite_database
