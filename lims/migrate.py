"""Brings a database's tables up to date: Alembic in this process, in one transaction, on both engines.

Alembic keeps its own place in a table that is nobody's record, so the audited writer is open while it runs. A migration
that changes records declares an action and leaves a trail like everybody else.

Whether the tables are up to date is asked at every start, so that is found out without Alembic, which takes long to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from lims.audit.record import writing
from lims.db import make_engine
from lims.paths import migrations_dir

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_KEY = 0x11B5_5C4E
"""PostgreSQL advisory lock: of two processes that start at once, one migrates and the other finds nothing to do."""
_DECLARED = re.compile(r"""^(revision|down_revision) = (?:["'](\w+)["']|None)$""", re.MULTILINE)
"""As it stands at the head of a migration: to parse the whole of each takes long, at every start."""


class MigrationError(RuntimeError):
    """The database cannot be brought to the revision asked for; nothing was changed."""


def config() -> Config:
    """Give Alembic's settings: where the migrations are, and nothing else."""
    from alembic.config import Config

    settings = Config()
    # ConfigParser reads % as the beginning of a placeholder.
    settings.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`."""
    from alembic import command

    _run(url, lambda settings: command.upgrade(settings, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision`; `base` removes every table with what is in it."""
    from alembic import command

    _run(url, lambda settings: command.downgrade(settings, revision))


def current(url: str) -> str | None:
    """Give the revision the database at `url` is at; `None` for one without our tables."""
    with _connected(url, writes=False) as connection:
        return _revision(connection)


def heads() -> tuple[str, ...]:
    """Give the newest revisions the code knows; more than one is a defect that a test catches."""
    known = _known()
    return tuple(sorted(known.keys() - known.values()))


def new_revision(url: str, message: str) -> None:
    """Write a migration from the difference between the database at `url` and the models, to be reviewed by hand."""
    from alembic import command

    _run(url, lambda settings: command.revision(settings, message, autogenerate=True, rev_id=f"{len(_known()) + 1:04}"))


def _run(url: str, step: Callable[[Config], Any]) -> None:
    settings = config()
    with _connected(url, writes=True) as connection, connection.begin(), writing(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        _check_known(connection)
        settings.attributes["connection"] = connection
        step(settings)
        _check_references(connection)


@contextmanager
def _connected(url: str, *, writes: bool) -> Iterator[Connection]:
    engine = make_engine(url)
    try:
        with engine.connect() as plain:
            connection = plain.execution_options(writes=writes)
            if writes and connection.dialect.name == "sqlite":
                # SQLite changes a table by making it anew, which must not count as deleting the rows that others refer
                # to; the switch only works outside a transaction, and the references are checked before the commit.
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA foreign_keys = OFF")
            yield connection
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    """Give the revision that Alembic noted in the database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _known() -> dict[str, str | None]:
    """Give each migration's revision and the one before it, as its file says."""
    return dict(_declared(file) for file in (migrations_dir() / "versions").glob("*.py"))


def _declared(file: Path) -> tuple[str, str | None]:
    said = dict(_DECLARED.findall(file.read_text(encoding="utf-8")))
    return said["revision"], said["down_revision"] or None


def _check_known(connection: Connection) -> None:
    at, known = _revision(connection), _known()
    if at is not None and at not in known:
        raise MigrationError(
            f"the database is at revision {at!r}, which this version does not know (it knows {', '.join(sorted(known))}): "
            "a newer version used it last. Run that version, or restore the backup made before it; nothing was changed."
        )


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        table, row, target, _ = broken[0]
        raise MigrationError(
            f"{len(broken)} references would point to nothing, the first from {table} row {row} to {target}; "
            "nothing was changed. Restore the latest backup or report this with the two version numbers."
        )
