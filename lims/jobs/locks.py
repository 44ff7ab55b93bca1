"""Locks that end with the process that holds them, however it ends: a killed worker's job is free at once.

No clock and no heartbeat: on SQLite the kernel's own locks on the bytes of one file in the data folder, on PostgreSQL
advisory locks of the session. One number is one lock: a job's is its id, and every worker shares that of `WORKER`.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lims.config import Settings
from lims.db import Database

WORKER = 0
FILE = "jobs.lock"
_CLASS = 0x11B5_A0D2
"""First half of PostgreSQL's advisory locks of jobs; the second half is the number."""
_NUMBERS = 2**31
"""PostgreSQL takes so many numbers."""


@contextmanager
def holding(database: Database, settings: Settings, number: int, *, shared: bool = False) -> Iterator[bool]:
    """Hold a lock meanwhile, alone or with all who share it; gives whether that could be had at once."""
    how = _in_session if database.dialect == "postgresql" else _in_file
    with how(database, settings, number, shared=shared) as ours:
        yield ours


def held(database: Database, settings: Settings, number: int) -> bool:
    """Tell whether anybody holds a lock, without touching it."""
    if database.dialect == "postgresql":
        asked = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :of AND objid = :number AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with database.engine.connect() as connection:
            return bool(connection.execute(asked, {"of": _CLASS, "number": number % _NUMBERS}).scalar_one())
    try:
        descriptor = os.open(settings.data_dir / FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _byte(fcntl.F_WRLCK, number))
    finally:
        os.close(descriptor)
    return int(struct.unpack(_FLOCK, found)[0]) != fcntl.F_UNLCK


_FLOCK = "hhqqi0q"
"""The kernel's `struct flock`: kind, whence, start, length, process."""


def _byte(kind: int, number: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, number, 1, 0)


@contextmanager
def _in_file(database: Database, settings: Settings, number: int, *, shared: bool) -> Iterator[bool]:
    # A lock of the open file (OFD), not of the process: two threads of one worker keep each other out too.
    descriptor = os.open(settings.data_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _byte(fcntl.F_RDLCK if shared else fcntl.F_WRLCK, number))
    except (BlockingIOError, PermissionError):  # the two that POSIX allows for a lock that somebody has
        ours = False
    else:
        ours = True
    try:
        yield ours
    finally:
        os.close(descriptor)


@contextmanager
def _in_session(database: Database, settings: Settings, number: int, *, shared: bool) -> Iterator[bool]:
    suffix, key = "_shared" if shared else "", {"of": _CLASS, "number": number % _NUMBERS}
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ours = bool(connection.execute(text(f"SELECT pg_try_advisory_lock{suffix}(:of, :number)"), key).scalar_one())
        try:
            yield ours
        finally:
            if ours:
                with suppress(DBAPIError):  # a connection that is gone has let go of it already
                    connection.execute(text(f"SELECT pg_advisory_unlock{suffix}(:of, :number)"), key)
