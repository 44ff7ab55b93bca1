"""The life of a token: made and shown once, used, expired, withdrawn; and what is none."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select
from werkzeug.test import TestResponse

from lims.audit.record import declare
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import ApiToken, AuditChange, AuditEvent, User
from lims.records.accounts import deactivate_user
from lims.records.tokens import make_token, note_use, withdraw_token
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.pages import COMMAND_LINE, PASSWORD, Browser, add_person, add_project, address, message, only, sent

PAGE = "/account/tokens/"
ASKED = "/api/v1/projects"


@pytest.fixture
def person(sqlite_database: Database) -> User:
    """Give a scientist."""
    add_project(sqlite_database, "BCBM")
    return add_person(sqlite_database, "Sci", BCBM=RoleName.SCIENTIST)


def made(browser: Browser, **fields: str) -> str:
    """Make a token through the page; gives what is shown once."""
    shown = browser.submit(browser.get(PAGE, heading="API tokens"), PAGE, status=200, **{"name": "R script"} | fields)
    return str(only(shown, "input#secret")["value"])


def ask(app: Application, secret: str, path: str = ASKED, address: str = "127.0.0.1") -> TestResponse:
    headers = {"Authorization": f"Bearer {secret}"}
    return app.test_client().get(path, headers=headers, environ_overrides={"REMOTE_ADDR": address})


def refusal(response: TestResponse) -> str:
    assert response.status_code == 401, response.status
    assert response.content_type == "application/problem+json"
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    return str((response.json or {})["detail"])


def events(database: Database) -> list[AuditEvent]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action.like("token:%")).order_by(AuditEvent.seq)))


def recorded(database: Database) -> ApiToken:
    """Make a token of a scientist, without the page."""
    person = add_person(database, "Sci")
    with database.transaction() as session:
        token, _ = make_token(session, COMMAND_LINE, person, name="R script", expires_on=None)
    return token


def used(database: Database, token_id: int) -> None:
    """Note its use in a transaction of its own, as a request does."""
    with database.transaction() as session:
        note_use(session, COMMAND_LINE, token_id, "192.0.2.7")


def test_a_token_is_shown_once_and_reads_what_its_owner_reads(app_on_each: Application, database: Database) -> None:
    add_project(database, "BCBM")
    add_project(database, "OTHER")
    add_person(database, "Sci", BCBM=RoleName.SCIENTIST)
    browser = Browser(app_on_each).sign_in("Sci")
    secret = made(browser)
    assert secret.startswith("lims_")
    assert len(secret) >= 48
    assert secret not in browser.client.get(PAGE).text
    answer = ask(app_on_each, secret)
    assert [one["code"] for one in (answer.json or {})["items"]] == ["BCBM"]
    assert "Set-Cookie" not in answer.headers
    assert ask(app_on_each, secret, "/api/v1/projects/OTHER/animals").status_code == 404
    with database.reading() as session:
        kept = session.scalars(select(ApiToken)).one()
        trail = "".join([*session.scalars(select(AuditChange.fields)), *session.scalars(select(AuditEvent.detail))])
    assert len(kept.token_sha256) == 64
    assert secret not in trail
    assert kept.token_sha256 not in trail
    assert verify(database).problems == []


def test_making_using_and_withdrawing_stand_in_the_trail(app: Application, sqlite_database: Database, person: User) -> None:
    browser = Browser(app).sign_in("Sci")
    secret = made(browser)
    for _ in range(3):
        assert ask(app, secret, address="192.0.2.7").status_code == 200
    token = browser.get(PAGE).find("a", string=lambda text: bool(text) and "Withdraw" in text)
    path = f"{PAGE}1/withdraw"
    assert token is None or token["href"] == path
    browser.submit(browser.get(path, heading="Withdraw"), path, reason="machine was sold")
    assert "was withdrawn" in refusal(ask(app, secret))
    told = [(one.action, one.actor, one.origin, one.reason) for one in events(sqlite_database)]
    assert told == [
        ("token:create", "Sci", "form", ""),
        ("token:open", "Sci", "api", ""),
        ("token:withdraw", "Sci", "form", "machine was sold"),
    ]
    assert json.loads(events(sqlite_database)[1].detail) == {"address": "192.0.2.7", "token": "R script"}
    page = message(browser.get(PAGE))
    assert "withdrawn" in page
    assert str(datetime.now(UTC).date()) in page


def test_the_first_use_of_each_day_is_noted_and_no_other(app: Application, sqlite_database: Database, person: User) -> None:
    with time_machine.travel(datetime(2026, 3, 9, 12, tzinfo=UTC), tick=True) as clock:
        secret = made(Browser(app).sign_in("Sci"))
        for day in (9, 9, 10, 12, 12):
            clock.move_to(datetime(2026, 3, day, 12, tzinfo=UTC))
            assert ask(app, secret).status_code == 200
    opened = [one.at[:10] for one in events(sqlite_database) if one.action == "token:open"]
    assert opened == ["2026-03-09", "2026-03-10", "2026-03-12"]


def test_of_a_tokens_first_uses_at_the_same_moment_one_is_noted(database: Database) -> None:
    token = recorded(database)
    with ThreadPoolExecutor(4) as pool:
        for use in [pool.submit(used, database, token.id) for _ in range(4)]:
            use.result(30)
    assert [one.action for one in events(database)] == ["token:create", "token:open"]
    assert verify(database).problems == []


def test_a_token_can_be_withdrawn_at_the_moment_of_its_first_use(database: Database) -> None:
    token = recorded(database)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            declare(session, COMMAND_LINE, "token:withdraw", reason="lost")
            standing = session.get_one(ApiToken, token.id)
            use = pool.submit(used, database, token.id)
            assert wait([use], timeout=0.5).not_done, "it waits for its turn, and holds nothing that we need"
            withdraw_token(session, COMMAND_LINE, standing, reason="lost")
        use.result(30)
    assert [one.action for one in events(database)] == ["token:create", "token:withdraw", "token:open"]


def test_withdrawing_a_token_looks_again_at_how_it_stands(database: Database) -> None:
    token = recorded(database)
    used(database, token.id)  # changes the row, and its version, after it was read
    with database.transaction() as session:
        session.add(token)
        withdraw_token(session, COMMAND_LINE, token, reason="lost")
    assert [one.action for one in events(database)] == ["token:create", "token:open", "token:withdraw"]


def test_a_token_works_up_to_and_with_its_last_day(app: Application, person: User) -> None:
    with time_machine.travel(datetime(2026, 3, 9, 12, tzinfo=UTC), tick=True) as clock:
        secret = made(Browser(app).sign_in("Sci"), expires_on="2026-03-10")
        clock.move_to(datetime(2026, 3, 10, 23, 59, tzinfo=UTC))
        assert ask(app, secret).status_code == 200
        clock.move_to(datetime(2026, 3, 11, 0, 1, tzinfo=UTC))
        assert "expired after 2026-03-10" in refusal(ask(app, secret))


def test_a_person_whose_access_ended_reads_nothing_by_token(app_on_each: Application, database: Database) -> None:
    add_project(database, "BCBM")
    person = add_person(database, "Sci", BCBM=RoleName.SCIENTIST)
    secret = made(Browser(app_on_each).sign_in("Sci"))
    with database.transaction() as session:
        gone = session.get_one(User, person.id)
        deactivate_user(session, COMMAND_LINE, gone, version=gone.version, reason="left")
    assert "may not sign in" in refusal(ask(app_on_each, secret))


@each(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer lims_wrong",
        "bearer \x00",
        "Bearer é",
        "Basic c2NpOnB3",
        "Token lims_x",
        "lims_x",
        "Bearer " + "x" * 9_000,
    ],
)
def test_what_is_no_token_signs_nobody_in(app: Application, person: User, header: str) -> None:
    response = app.test_client().get(ASKED, environ_overrides={"HTTP_AUTHORIZATION": header})
    assert refusal(response)


def test_a_token_in_the_address_or_elsewhere_is_ignored(app: Application, person: User) -> None:
    secret = made(Browser(app).sign_in("Sci"))
    client = app.test_client()
    for name in ("token", "access_token", "auth_token", "Authorization"):
        refusal(client.get(f"{ASKED}?{name}={secret}"))
    refusal(client.get(ASKED, headers={"Authentication-Token": secret}))
    refusal(client.get(ASKED, headers={"Cookie": f"Authorization=Bearer {secret}"}))


def test_a_token_of_the_sign_in_library_signs_nobody_in(app: Application, person: User) -> None:
    browser = Browser(app)
    token = sent(browser.get("/login"), "/login")["csrf_token"]
    typed = {"email": address("Sci"), "password": PASSWORD, "csrf_token": token}
    answer = browser.client.post("/login?include_auth_token", json=typed, headers={"X-CSRFToken": token}).json or {}
    theirs = answer["response"]["user"].get("authentication_token", "")
    for path in ("/", "/account/", "/p/BCBM/animals/"):
        for response in (
            app.test_client().get(f"{path}?auth_token={theirs}"),
            app.test_client().get(path, headers={"Authentication-Token": theirs}),
            app.test_client().get(path, json={"auth_token": theirs}),
        ):
            assert response.status_code in (302, 401)
            assert response.headers.get("Location", "/login").startswith("/login")


def test_a_token_opens_no_page(app: Application, person: User) -> None:
    secret = made(Browser(app).sign_in("Sci"))
    for path in ("/", "/account/", PAGE, "/api/", "/p/BCBM/animals/", "/p/BCBM/animals/?format=json", "/x"):
        response = ask(app, secret, path)
        assert response.status_code == 302, path
        assert response.headers["Location"].startswith("/login"), path


def test_a_bad_token_is_refused_even_where_the_browser_is_signed_in(app: Application, person: User) -> None:
    browser = Browser(app).sign_in("Sci")
    assert browser.client.get(ASKED).status_code == 200
    assert "not known" in refusal(browser.client.get(ASKED, headers={"Authorization": "Bearer lims_x"}))
    assert browser.client.get(ASKED, headers={"Authorization": "Basic of a proxy"}).status_code == 200


def test_the_twenty_first_bad_token_is_429_and_one_that_counts_is_not_held_up(app: Application, person: User) -> None:
    secret = made(Browser(app).sign_in("Sci"))
    for _ in range(25):
        assert ask(app, secret).status_code == 200
    for _ in range(20):
        refusal(ask(app, "lims_wrong"))
    limited = ask(app, "lims_wrong")
    assert limited.status_code == 429
    assert "one that counts is answered at once" in (limited.json or {})["detail"]
    assert ask(app, secret).status_code == 200, "somebody else's bad tokens lock nobody out"
    assert ask(app, "lims_wrong").status_code == 429, "nor does a good one give the bad ones another try"
    refusal(ask(app, "lims_wrong", address="192.0.2.8"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "  "}, "cannot be used"),
        ({"name": "R script"}, "already"),
        ({"name": "x" * 300}, "cannot be used"),
        ({"name": "other", "expires_on": "2020-01-01"}, "has passed"),
        ({"name": "other", "expires_on": "tomorrow"}, "is no date"),
    ],
)
def test_a_token_that_cannot_be_made_is_refused(app: Application, person: User, fields: dict[str, str], told: str) -> None:
    browser = Browser(app).sign_in("Sci")
    made(browser)
    assert told in message(browser.submit(browser.get(PAGE), PAGE, status=422, **fields))


def test_a_name_is_free_again_once_its_token_was_withdrawn(app: Application, person: User) -> None:
    browser, path = Browser(app), f"{PAGE}1/withdraw"
    browser.sign_in("Sci")
    first = made(browser)
    assert "reason" in message(browser.submit(browser.get(path), path, status=422, reason=" "))
    browser.submit(browser.get(path), path, reason="lost")
    browser.submit(browser.get(path), path, status=409, reason="again")
    second = made(browser, expires_on="")
    refusal(ask(app, first))
    assert ask(app, second).status_code == 200
    assert "withdrawn by you" in message(browser.get(PAGE))


def test_nobody_sees_or_withdraws_another_persons_token(app: Application, sqlite_database: Database, person: User) -> None:
    made(Browser(app).sign_in("Sci"))
    add_person(sqlite_database, "Ada Admin", administrator=True, BCBM=RoleName.ADMINISTRATOR)
    other = Browser(app).sign_in("Ada Admin")
    assert "R script" not in message(other.get(PAGE))
    other.get(f"{PAGE}1/withdraw", status=404)
