"""An import desk on a fresh database."""

from __future__ import annotations

import pytest

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from tests.intake.desk import Desk


@pytest.fixture
def desk(settings: Settings, sqlite_database: Database, actor: Actor) -> Desk:
    """Give a desk on SQLite."""
    return Desk.open(settings, sqlite_database, actor)


@pytest.fixture
def desk_on_each(settings: Settings, database: Database, actor: Actor) -> Desk:
    """Give a desk on each engine in turn."""
    return Desk.open(settings, database, actor)
