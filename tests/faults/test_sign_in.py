"""Faults 6, 9, 10, 11 and 13 beyond `tests/views/test_security.py`: old cookies, timing, reset links, floods, redirects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from time import process_time

import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.app import create_app
from lims.models import User
from lims.views.transaction import Application
from tests.faults.conftest import Lab
from tests.support.pages import MEMORY_KIB, PASSWORD, Browser, address, message, sent

NEW = "noch ein langer Satz"


def reset_link(lab: Lab, name: str) -> str:
    """Have the administrator make a link that sets a new password; gives its path."""
    with lab.database.reading() as session:
        person = session.scalars(select(User.id).where(User.name == name)).one()
    page = lab.browser("olga").submit(lab.browser("olga").get(f"/people/{person}"), f"/people/{person}/reset", status=200)
    assert isinstance(page, BeautifulSoup)
    link = next(code.text for code in page.find_all("code") if "/reset/" in code.text)
    return "/reset/" + link.partition("/reset/")[2]


def use(lab: Lab, path: str) -> bool:
    """Try to set a new password by a link; tells whether the link was taken."""
    stranger = Browser(lab.app)
    response = stranger.client.get(path)
    if response.status_code != HTTPStatus.OK:
        return False
    stranger.submit(stranger.check(response), path, password=NEW, password_confirm=NEW)
    return True


def test_a_cookie_from_before_a_password_change_is_worth_nothing(lab_on_each: Lab) -> None:
    browser = lab_on_each.browser("technician")
    old = browser.client.get_cookie("lims")
    path = "/account/password"
    browser.submit(browser.get(path), path, password=PASSWORD, new_password=NEW, new_password_confirm=NEW)
    thief = lab_on_each.app.test_client()
    assert old
    thief.set_cookie("lims", old.value)
    assert thief.get("/account/").status_code == HTTPStatus.FOUND
    browser.get("/account/")


def test_who_has_an_account_is_told_neither_by_the_answer_nor_by_its_time(lab: Lab) -> None:
    Browser(lab.app).sign_in_on_the_page("director")  # the first sign-in of a process loads what later ones have
    answers, seconds = [], []
    for email in (address("technician"), "nobody@lab.test"):
        browser = Browser(lab.app)
        filled = sent(browser.get("/login"), "/login") | {"email": email, "password": "wrong"}
        times = []
        for _ in range(4):
            begun = process_time()  # what others do on this machine meanwhile is no answer's time
            response = browser.client.post("/login", data=filled)
            times.append(process_time() - begun)
        answers.append(message(BeautifulSoup(response.text, "html.parser")).replace(email, "…"))
        seconds.append(min(times))
    assert answers[0] == answers[1]
    assert seconds[1] > seconds[0] / 2, "no password is hashed where there is no account"


@pytest.fixture
def with_mail(lab: Lab) -> Application:
    """Give the application as it is where a mail server is set up; this one refuses every connection."""
    more = {"mail_server": "127.0.0.1:1", "trusted_hosts": ["localhost"], "password_memory_kib": MEMORY_KIB}
    return create_app(lab.settings.model_copy(update=more), lab.database)


def test_asking_for_a_new_password_tells_nobody_who_has_an_account(with_mail: Application) -> None:
    said = set()
    for email in (address("technician"), "nobody@lab.test"):
        browser = Browser(with_mail)
        answer = browser.client.post("/reset", data=sent(browser.get("/reset"), "/reset") | {"email": email}, follow_redirects=True)
        said.add((answer.status_code, message(BeautifulSoup(answer.text.replace(email, "…"), "html.parser"))))
    assert len(said) == 1


def test_a_reset_link_is_good_for_a_day(lab: Lab) -> None:
    path = reset_link(lab, "technician")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, minutes=1)):
        assert not use(lab, path)
    assert use(lab, path)
    assert not use(lab, path)


@pytest.mark.parametrize("change", [lambda path: path[:-2], lambda path: path + "x", lambda path: path.replace(".", "..", 1)])
def test_a_reset_link_that_was_changed_is_no_link(lab: Lab, change: object) -> None:
    path = reset_link(lab, "technician")
    assert callable(change)
    assert not use(lab, change(path))


def test_a_forged_host_gets_into_no_link(lab: Lab) -> None:
    app = create_app(lab.settings.model_copy(update={"trusted_hosts": ["lims.lab.test"]}), lab.database)
    at_home = {"base_url": "http://lims.lab.test"}
    for headers in ({"Host": "evil.test"}, {"Host": "lims.lab.test@evil.test"}, {"Host": "lims.lab.test.evil.test"}):
        assert app.test_client().get("/reset", headers=headers).status_code == HTTPStatus.BAD_REQUEST
    page = app.test_client().get("/reset", headers={"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}, **at_home)
    assert page.status_code == HTTPStatus.OK
    assert "evil.test" not in page.text


def test_the_sixth_message_of_an_hour_to_one_address_is_not_sent(with_mail: Application) -> None:
    browser = Browser(with_mail)
    filled = sent(browser.get("/reset"), "/reset")

    def ask(email: str) -> int:
        return browser.client.post("/reset", data=filled | {"email": email}).status_code

    assert [ask(address("technician")) for _ in range(5)].count(HTTPStatus.TOO_MANY_REQUESTS) == 0
    assert ask(f"  {address('technician').upper()}") == HTTPStatus.TOO_MANY_REQUESTS
    assert ask(address("auditor")) != HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test"])
def test_signing_out_leads_nowhere_else(lab: Lab, target: str) -> None:
    browser = lab.browser("technician")
    answer = browser.client.post("/logout", query_string={"next": target}, data=lab.token("technician") | {"next": target})
    assert answer.status_code == HTTPStatus.FOUND
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\")), location
    assert browser.client.get("/account/").status_code == HTTPStatus.FOUND
