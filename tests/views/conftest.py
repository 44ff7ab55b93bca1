"""The running application, without a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lims.app import create_app
from lims.config import Settings
from lims.db import Database
from lims.views.transaction import Application
from tests.support.pages import MEMORY_KIB, Browser, application
from tests.views.colony import fill


def _make(settings: Settings, database: Database) -> Application:
    return create_app(settings.model_copy(update={"password_memory_kib": MEMORY_KIB}), database)


@pytest.fixture
def app(settings: Settings, sqlite_database: Database) -> Application:
    """Give the application on SQLite."""
    return application(settings, sqlite_database)


@pytest.fixture
def app_on_each(settings: Settings, database: Database) -> Application:
    """Give the application on each engine in turn."""
    return application(settings, database)


@pytest.fixture
def make_app() -> Callable[[Settings, Database], Application]:
    """Give the way to an application with settings of the test's own."""
    return _make


@pytest.fixture
def browser(app: Application) -> Browser:
    """Give a browser that nobody has signed in with."""
    return Browser(app)


@pytest.fixture
def colony(sqlite_database: Database) -> Database:
    """Give a filled colony, for the tests of its pages."""
    fill(sqlite_database)
    return sqlite_database


@pytest.fixture
def bench(app: Application, colony: Database) -> Browser:
    """Give the browser of the colony's technician."""
    return Browser(app).sign_in("Tom")


@pytest.fixture
def scientist(app: Application, colony: Database) -> Browser:
    """Give the browser of the colony's scientist."""
    return Browser(app).sign_in("Sara")
