"""A browser without a screen: follows pages and forms, and checks what every page must have."""

from __future__ import annotations

import json
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask, session
from flask_security import login_user
from werkzeug.test import TestResponse

from lims.app import create_app
from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import Project, User
from lims.records.accounts import create_user
from lims.records.passwords import hash_password
from lims.records.projects import add_member, create_project
from lims.views.transaction import Application, Installation, current_session

PASSWORD = "ein langer Satz tut es"
MEMORY_KIB = 19_456
"""The least that settings allow: tests hash often."""
PASSWORD_HASH = hash_password(PASSWORD, MEMORY_KIB)
COMMAND_LINE = Actor(None, "tester", "command line")
_MADE: dict[str, tuple[Application, dict[str, Any]]] = {}


def application(settings: Settings, database: Database) -> Application:
    """Give the application on this database, as if it were new.

    It is made once a process for settings that differ in nothing but their place: its pages and templates are the same on
    every database. A test has one such application at a time; for more there is `create_app`.
    """
    settings = settings.model_copy(update={"password_memory_kib": MEMORY_KIB})
    key = settings.model_dump_json(exclude={"data_dir", "database_url"})
    if key not in _MADE:
        made = create_app(settings, database)
        _MADE[key] = made, dict(made.config)
    app, config = _MADE[key]
    app.extensions["lims"] = Installation(settings, database)
    app.config.clear()
    app.config.update(config)
    for limiter in app.extensions["limiter"]:
        limiter.reset()
    return app


def add_person(database: Database, name: str, *, administrator: bool = False, **roles: RoleName) -> User:
    """Add a person with `PASSWORD` and roles in projects by code (`P1=RoleName.AUDITOR`), as the command line does."""
    with database.transaction() as session:
        person = create_user(
            session, COMMAND_LINE, email=address(name), name=name, password_hash=PASSWORD_HASH, administrator=administrator
        )
        for code, role in roles.items():
            project = session.query(Project).filter_by(code=code).one()
            add_member(session, COMMAND_LINE, project, person, role)
    return person


def add_project(database: Database, code: str) -> Project:
    """Add a project, as the command line does."""
    with database.transaction() as session:
        return create_project(session, COMMAND_LINE, code=code, title=f"Project {code}")


def address(name: str) -> str:
    """Give the e-mail address of a test person."""
    return f"{name.lower().replace(' ', '.')}@lab.test"


class Browser:
    """One person's browser. Every page it gets must have a title with the page's own name, one h1, and tokens in its forms."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str, status: int = 200, heading: str | None = None) -> BeautifulSoup:
        """Get a page; `heading` is what its title begins with."""
        response = self.client.get(path)
        assert response.status_code == status, f"{path}: {response.status}, expected {status}\n{response.text[:2000]}"
        return self.check(response, heading)

    def whole(self, path: str, heading: str | None = None) -> BeautifulSoup:
        """Get a page and all that it leaves room for, as its script fetches it (`js/parts.js`) once every table is opened."""
        page = self.get(path, heading=heading)
        while part := page.select_one("[data-later]"):
            response = self.client.get(str(part["data-later"]))
            assert response.status_code == 200, f"{part['data-later']}: {response.status}\n{response.text[:2000]}"
            part.replace_with(BeautifulSoup(response.text, "html.parser"))
        return page

    def check(self, response: TestResponse, heading: str | None = None) -> BeautifulSoup:
        """Look at what every page must have."""
        page = BeautifulSoup(response.text, "html.parser")
        assert page.title
        assert page.title.text.endswith(" · BCBM LIMS")
        assert page.title.text.removesuffix(" · BCBM LIMS").strip()
        assert len(page.find_all("h1")) == 1
        if heading is not None:
            assert page.title.text.startswith(heading), page.title.text
        for form in page.find_all("form", method="post"):
            assert str(form["action"]).startswith("/"), form
            assert form.find("input", attrs={"name": "csrf_token"}), form
        return page

    def submit(
        self, page: BeautifulSoup | TestResponse, action: str, status: int = 302, heading: str | None = None, **values: Any
    ) -> BeautifulSoup | TestResponse:
        """Fill in and send the form with this action, as a browser would; gives the page, or the redirect."""
        response = self.client.post(action, data=sent(page, action) | values)
        assert response.status_code == status, f"{action}: {response.status}, expected {status}\n{response.text[:3000]}"
        return response if 300 <= status < 400 else self.check(response, heading)

    def sign_in(self, name: str) -> Browser:
        """Sign in as the page does once the password is right; `test_both_ways_to_sign_in_are_one` compares the two."""
        app = self.client.application
        with app.test_request_context("/login", method="POST", environ_overrides=self.client.environ_base):
            account = app.extensions["security"].datastore.find_user(email=address(name))
            assert account
            assert login_user(account, authn_via=["password"])
            current_session().commit()
            signed_in = dict(session)
        with self.client.session_transaction() as kept:
            kept.clear()
            kept.update(signed_in)
            kept.permanent = True
        return self

    def sign_in_on_the_page(self, name: str, password: str = PASSWORD) -> Browser:
        """Sign in through the page and its form."""
        self.submit(self.get("/login", heading="Sign in"), "/login", email=address(name), password=password)
        return self


def sent(page: BeautifulSoup | TestResponse, action: str) -> dict[str, Any]:
    """Give what the page's form with this action would send untouched."""
    assert isinstance(page, BeautifulSoup), page.status
    form = page.find("form", action=action)
    assert isinstance(form, Tag), f"no form with action {action}"
    return fields(form)


def fields(form: Tag) -> dict[str, Any]:
    """Give what a form would send untouched; several boxes of one name send a list."""
    values: dict[str, Any] = {}
    for field in form.find_all(["input", "select", "textarea"]):
        name = field.get("name")
        if not name or (field.get("type") in ("checkbox", "radio") and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.find("option", selected=True) or field.find("option")
            values[str(name)] = str(chosen["value"]) if isinstance(chosen, Tag) else ""
        elif field.get("type") == "checkbox" and name in values:
            values[str(name)] = (
                [*values[name], field["value"]] if isinstance(values[name], list) else [values[name], field["value"]]
            )
        else:
            values[str(name)] = field.text if field.name == "textarea" else str(field.get("value", ""))
    return values


def only(page: Tag | TestResponse, css: str) -> Tag:
    """Give the element of a page that a selector finds; a page without one fails the test."""
    assert isinstance(page, Tag)
    found = page.select_one(css)
    assert found is not None, f"the page has no {css}"
    return found


def redirect(answer: BeautifulSoup | TestResponse) -> str:
    """Give where a form led; one that led nowhere fails the test."""
    assert isinstance(answer, TestResponse)
    assert answer.location, answer.status
    return answer.location


def message(page: BeautifulSoup | TestResponse) -> str:
    """Give the text of a page as read."""
    assert isinstance(page, BeautifulSoup)
    return as_read(page)


def as_read(part: Tag) -> str:
    """Give the text of a part of a page as read: a date that is kept in one piece is followed by what follows it."""
    for date in part.select("span.whole"):
        date.unwrap()
    part.smooth()
    return " ".join(part.get_text(" ").split())


def specification(text: str) -> dict[str, Any]:
    """Read a plot's specification as its page has it, with a mapping for each row as the plot draws it."""
    spec: dict[str, Any] = json.loads(text)
    fields = spec["data"]["fields"]
    return spec | {"data": {"values": [dict(zip(fields, row, strict=True)) for row in spec["data"]["rows"]]}}
