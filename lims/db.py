"""Engine and transactions on both databases.

SQLite: write-ahead log, foreign keys on, and `BEGIN IMMEDIATE` for whoever is going to write, because a deferred
transaction that upgrades fails at once whatever the busy timeout. PostgreSQL: checked connections, and one advisory lock for
whoever is going to write. So on both what a writer has read stays true until it commits: nobody records a death between a
form's look at an animal and the dose that it saves. It also puts the audit trail in one order, without forks. Whoever only
reads sees one moment of the database from its first statement on: SQLite always does so, PostgreSQL by repeatable read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from lims.audit import capture, guard
from lims.audit.record import writing

LOCK_KEY = 0x11B5_A0D1
"""PostgreSQL advisory lock of writers."""
PLANNING = "-c random_page_cost=1.1"
"""What PostgreSQL is told of its disk, so that it reads an animal's readings by their index: with the 4 that it comes with, which
is a spinning disk's, it goes through all readings of the laboratory for those of one study."""
BUSY_MILLISECONDS = 30_000
"""How long a SQLite writer waits for another one."""


class AuditedSession(Session):
    """The only kind of session there is: what it flushes is audited (`lims.audit.record`)."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Flush with the guard open: the unit of work is one of the two audited writers."""
        if not (self.new or self.dirty or self.deleted):
            return
        with writing(self.connection()):
            super().flush(objects)


def make_engine(url: str) -> Engine:
    """Open a guarded engine for a SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg://…`)."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": BUSY_MILLISECONDS / 1000})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # What the address of the database says itself counts.
        ours = {} if "options" in parsed.query else {"options": PLANNING}
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=ours)
        event.listen(engine, "begin", _begin_postgresql)
    guard.install(engine)
    return engine


def _set_up_sqlite(connection: Any, record: object) -> None:
    # The driver must not open transactions of its own: _begin_sqlite does, in the right mode.
    connection.isolation_level = None
    for pragma in (
        # Only a database without tables takes it: an import writes half as often to the log as with pages of 4,096 bytes.
        "page_size = 8192",
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "cache_size = -65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")


class Database:
    """An engine with its two ways in: `reading()` sessions and `writing()` transactions."""

    def __init__(self, url: str, zone: tzinfo = UTC) -> None:
        self.engine = make_engine(url)
        info = {"zone": zone}  # the laboratory's: what day it is there decides what lies in the future
        one_moment = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        reading = self.engine.execution_options(**one_moment)
        self.reader = sessionmaker(reading, class_=AuditedSession, expire_on_commit=False, info=info)
        writing = self.engine.execution_options(writes=True)
        self.writer = sessionmaker(writing, class_=AuditedSession, expire_on_commit=False, info=info)

    @property
    def dialect(self) -> str:
        """Give `sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that reads; it is rolled back at the end."""
        with self.reader() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that writes: returning commits (and seals the audit event), raising rolls back."""
        with self.writer() as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def why_unavailable(broken: DBAPIError) -> str:
    """Say why the database did nothing, and what to do: it is full, busy, or not there."""
    said = str(broken.orig)
    if "full" in said or "space" in said:
        return "The disk of the database is full; nothing was recorded. Make room, then try again."
    if "lock" in said:
        return "Somebody else kept the database busy for too long; nothing was recorded. Try again."
    return f"The database does not answer; nothing was recorded. It said: {said.splitlines()[0]}"


capture.install(AuditedSession)
