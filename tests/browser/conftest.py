"""A running server with a laboratory in it, and Chromium in front: what the tests in this folder are given.

Every request that would leave this machine finds no address and fails the test, and so does an error in the page's console,
which is where a browser reports what the content security policy refused.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState
from sqlalchemy import select

from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import User
from lims.records.accounts import create_user
from lims.records.passwords import hash_password
from tests.conftest import COMES_WITHIN
from tests.intake.desk import Desk
from tests.support import factories
from tests.support.databases import SqliteTemplate

EMAIL = "scientist@lab.example"
PASSWORD = "a mouse a day keeps"
PASSWORD_HASH = hash_password(PASSWORD, 19_456)
START_SECONDS = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, so that `-m "not browser"` leaves them out."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A server that answers at `url`; `database` and `data` are what it serves, `project` where its person works."""

    url: str
    database: Database
    data: Path
    project: str


def seeded(template: SqliteTemplate, folder: Path) -> tuple[Database, str]:
    """Make a database with a scientist, a project and a study in it; gives it with the project's code."""
    database = Database(template.copy(folder))
    with factories.declared(database) as session:
        project = factories.project(session, "BRAIN")
        factories.cohort(session, project)
        person = create_user(
            session,
            factories.actor(),
            email=EMAIL,
            name="Sam Scientist",
            password_hash=PASSWORD_HASH,
            administrator=True,
        )
        factories.member(session, project, RoleName.STUDY_DIRECTOR, person)
    return database, project.code


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; fail with what it said if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def live_server(
    chromium: Browser, sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Give a server of this test session's own, started as `lims serve` starts it."""
    data = tmp_path_factory.mktemp("live")
    database, project = seeded(sqlite_template, data)
    port, log = free_port(), data / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIMS_")}
    environment["LIMS_PASSWORD_MEMORY_KIB"] = "19456"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lims.cli", "--data", str(data), "serve", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        wait_for(port, process, log)
        yield LiveServer(f"http://127.0.0.1:{port}", database, data, project)
    finally:
        process.terminate()
        process.wait(timeout=10)
        database.close()


def open_page(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a page that writes down every complaint, and every request for another machine, which `chromium` finds no address of."""

    def judge(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            complaints.append(f"asked another server: {request.url}")

    # Not by a route: a browser whose requests are routed keeps no file, and every page then loads every script again.
    context.on("request", judge)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    # A refused form is answered 422 and a missing record 404, which the console calls errors and the tests ask for.
    page.on(
        "console",
        lambda message: (
            complaints.append(f"console: {message.text}")
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    return page


@contextmanager
def browsing(chromium: Browser, server: LiveServer, **options: Any) -> Iterator[Page]:
    """Open a page in a fresh browser profile; complaints fail whoever leaves it."""
    complaints: list[str] = []
    context = chromium.new_context(base_url=server.url, **options)
    context.set_default_timeout(COMES_WITHIN)
    yield open_page(context, complaints)
    context.close()
    assert complaints == []


def sign_in(page: Page, email: str = EMAIL) -> None:
    """Sign in, as the study director unless told otherwise."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Give a page in a fresh browser profile, nobody signed in; `page.goto("/…")` is enough."""
    with browsing(chromium, live_server) as opened:
        yield opened


@pytest.fixture
def signed_in(page: Page) -> Page:
    """Give a page whose person, a study director, has signed in."""
    sign_in(page)
    return page


@pytest.fixture(scope="session")
def session_cookie(chromium: Browser, live_server: LiveServer) -> StorageState:
    """Give what the browser keeps once the study director has signed in."""
    with browsing(chromium, live_server) as opened:
        sign_in(opened)
        return opened.context.storage_state()


@pytest.fixture
def director(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    """Give a page where the study director is signed in already."""
    with browsing(chromium, live_server, storage_state=session_cookie) as opened:
        yield opened


@pytest.fixture(scope="session")
def new_desk(live_server: LiveServer) -> Callable[[str], Desk]:
    """Give a maker of empty projects that the study director belongs to, with an import desk at each."""
    settings = Settings(data_dir=live_server.data)

    def make(code: str) -> Desk:
        with factories.declared(live_server.database) as session:
            person = session.scalars(select(User).where(User.email == EMAIL)).one()
            project = factories.project(session, code)
            factories.member(session, project, RoleName.STUDY_DIRECTOR, person)
            return Desk(settings, live_server.database, factories.actor(person), project.id)

    return make
