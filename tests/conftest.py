"""Fixtures that every test may use.

`database` runs a test on SQLite and on PostgreSQL; `sqlite_database` on SQLite alone, where the engine does not matter.
Both are fresh and migrated. `settings` belongs to whichever of the two the test has.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import hypothesis
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool
from werkzeug.test import TestResponse

import lims.db
from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.views.transaction import Application
from tests.support import factories
from tests.support.databases import PostgresqlServer, SqliteTemplate, compile_once
from tests.support.reading import run_here

# How long an example takes to generate says something of the machine, which others may be using, and nothing of the code.
hypothesis.settings.register_profile("shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shared machine")


def pytest_collection_finish() -> None:
    """Let the cycle collector pass by what stays until the end, which is most there is, and come by less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class WholeAnswers(FlaskClient):
    """A client that reads each answer to its end and closes it, as a server does, streamed ones included."""

    def open(self, *args: Any, buffered: bool = True, **settings: Any) -> TestResponse:
        """Send a request."""
        return super().open(*args, buffered=buffered, **settings)


Application.test_client_class = WholeAnswers
lims.db.create_engine = compile_once(lims.db.create_engine)

COMES_WITHIN = 60_000
"""Milliseconds that a test waits for what a page must come to show. It costs nothing where it comes, and on a busy machine a
check, or the first curves of a process, which has its statistics still to read, come late."""
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first draws pages in half the time: the others draw a window round them that nobody sees."""
SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this machine's settings out, its data folder untouched, and jobs in the process that asks for them."""
    for name in list(os.environ):
        if name.startswith("LIMS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LIMS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIMS_JOBS", "here")


@pytest.fixture(autouse=True)
def _files_read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in the test's own process, unless it is marked `child`: a child compiles every statement anew."""
    if request.node.get_closest_marker("child") is None:
        for name in ("edits", "mapping", "run"):
            monkeypatch.setattr(f"lims.intake.{name}.run_limited", run_here)


@pytest.fixture(autouse=True)
def _connections_given_back() -> Iterator[None]:
    """Fail a test after which a connection is still in somebody's hands, and close those that its pools keep.

    Either would be closed whenever the cycle collector comes by: in the middle of another test, perhaps after its own
    database is gone, and with a warning that is an error there.
    """
    out: dict[object, list[tuple[CodeType, int]]] = {}
    engines: set[Engine] = set()

    def take(connection: Any, record: Any, proxy: object) -> None:
        # Where it was taken is written out when it matters only: reading the lines costs more than most checkouts.
        out[record] = [(frame.f_code, line) for frame, line in traceback.walk_stack(None)]
        if isinstance(connection, sqlite3.Connection) and not record.info.get("fast"):
            record.info["fast"] = True
            connection.execute("PRAGMA synchronous = OFF")  # a test's database need not outlive a power cut

    def give_back(connection: object, record: object) -> None:
        out.pop(record, None)

    def use(connection: Connection) -> None:
        engines.add(connection.engine)

    listeners: tuple[tuple[type, str, Callable[..., None]], ...] = (
        (Pool, "checkout", take),
        (Pool, "checkin", give_back),
        (Engine, "engine_connect", use),
    )
    for target, name, listener in listeners:
        event.listen(target, name, listener)
    yield
    for target, name, listener in listeners:
        event.remove(target, name, listener)
    for engine in engines:
        engine.dispose()
    assert not out, "connections still out, taken at:\n" + "\n".join(map(_written_out, out.values()))


def _written_out(stack: list[tuple[CodeType, int]]) -> str:
    """Give a stack as a traceback shows one, the innermost frames only."""
    innermost = [traceback.FrameSummary(code.co_filename, line, code.co_name) for code, line in reversed(stack[:25])]
    return "".join(traceback.format_list(innermost))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """Give the migrated SQLite file that tests get copies of."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Give this session's PostgreSQL server; it starts with the first test that asks for it."""
    server = PostgresqlServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Give each engine's name in turn."""
    name: str = request.param
    return name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, dialect: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a fresh, migrated database, on each engine in turn."""
    if dialect == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        yield template.copy(tmp_path)
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, dialect: str, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database without tables, on each engine in turn."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    url = server.create(template="template1")
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a fresh, migrated database, on each engine in turn."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[Database]:
    """Give a fresh, migrated SQLite database."""
    opened = Database(sqlite_template.copy(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Give settings for the test's database (`database` if it has one, `sqlite_database` otherwise) and a folder of its own."""
    name = "database" if "database" in request.fixturenames else "sqlite_database"
    opened: Database = request.getfixturevalue(name)
    url = opened.engine.url.render_as_string(hide_password=False)
    # The least memory a password hash may take: a test signs in often.
    return Settings(data_dir=tmp_path / "data", database_url=url, secret_key="for tests only " * 3, password_memory_kib=19_456)


@pytest.fixture
def actor() -> Actor:
    """Give an actor without an account: the command line."""
    return factories.actor()


@pytest.fixture(scope="session")
def samples() -> Path:
    """Give the folder of real instrument files, which is no part of this project."""
    if not SAMPLES.is_dir():
        pytest.skip(f"no sample files: {SAMPLES} is absent")
    return SAMPLES


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give this machine's Chromium, which finds no other machine; nothing is downloaded."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.skip("no Chromium on this machine (Debian, Ubuntu: apt-get install chromium)")
    expect.set_options(timeout=COMES_WITHIN)
    with sync_playwright() as playwright:
        here_only = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu", here_only])
        yield browser
        browser.close()
