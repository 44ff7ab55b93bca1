"""Imports of a long caliper table, whole: limited child, pre-flight, reading, resolving, judging, audited, committed."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psycopg
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.engine import make_url

from benchmarks.laboratory import ACTOR, GOOD, WRONG, Job, PostgresqlServer, Prepared, prepare_postgresql, prepare_sqlite
from benchmarks.measure import Figure, Spent, Unmeasured, alternate, apart, by_a_server, figure, peak_figure, spent
from lims.db import Database, make_engine
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.models import Measurement
from lims.records.measurements import COLUMNS

Row = tuple[Any, ...]
Result = TypeVar("Result")

MEMORY_MIB = 400
_NAMES = ", ".join(COLUMNS)


def commit(job: Job, url: str, batch: int) -> Spent:
    """Commit a received file as the application does, and check that it came to what it should."""
    taken, outcome = spent(partial(run.commit, job.settings, url, batch, ACTOR))
    found = (outcome.state, outcome.report["rows"].get("new"), outcome.report["findings"]["error"])
    right = (BatchState.COMMITTED, job.rows, 0) if batch == GOOD else (BatchState.REFUSED, 0, job.rows)
    if found != right:
        told = [finding.message for finding in outcome.findings[:3]]
        raise Unmeasured(f"the import came to {found} instead of {right}: {told}")
    return taken


def keep_rows(job: Job, url: str) -> Path:
    """Commit the good file once and keep the rows it writes, as the driver takes them."""
    commit(job, url, GOOD)
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            # Past the column types: what the driver gives is what the driver took.
            found = connection.exec_driver_sql(f"SELECT {_NAMES} FROM measurement ORDER BY id").fetchall()
    finally:
        database.close()
    rows = [tuple(one.isoformat() if isinstance(one, date) else one for one in row) for row in found]
    kept = job.settings.data_dir / "rows.pickle"
    kept.write_bytes(pickle.dumps(rows))
    return kept


def read_alone(content: bytes) -> int:
    """Read a workbook's first sheet with the bare library; give the number of rows."""
    with CalamineWorkbook.from_filelike(BytesIO(content)) as book:
        return len(book.get_sheet_by_index(0).to_python(skip_empty_area=False))


def sqlite_floor(content: bytes, url: str, rows: list[Row]) -> None:
    """Read the same bytes, and insert the same rows by the driver into the same table, in one transaction."""
    read_alone(content)
    engine = make_engine(url)
    # The driver's own connection, with the settings that every connection of the application has.
    borrowed = engine.raw_connection()
    driver: Any = borrowed.driver_connection
    driver.execute("BEGIN IMMEDIATE")
    marks = ", ".join("?" * len(COLUMNS))
    driver.executemany(f"INSERT INTO measurement ({_NAMES}) VALUES ({marks})", rows)
    driver.execute("COMMIT")
    borrowed.close()
    engine.dispose()


def postgresql_floor(content: bytes, url: str, rows: list[Row]) -> None:
    """Read the same bytes, and copy the same rows into the same table, in one transaction."""
    read_alone(content)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(plain) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY measurement ({_NAMES}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def floor(job: Job, url: str, kept: Path) -> Spent:
    """Run the engine's floor and check that the rows are there."""
    rows = pickle.loads(kept.read_bytes())
    work = sqlite_floor if job.engine == "sqlite" else postgresql_floor
    taken, _ = spent(partial(work, job.good.read_bytes(), url, rows))
    database = Database(url)
    try:
        with database.reading() as session:
            there = len(session.scalars(select(Measurement.id)).all())
    finally:
        database.close()
    if there != job.rows:
        raise Unmeasured(f"the floor wrote {there} rows instead of {job.rows}")
    return taken


def _fresh(prepared: Prepared, work: Callable[..., Result], *args: Any) -> Result:
    """Do one round on a copy of the database, in a process of its own."""
    with prepared.copy() as url:
        return apart(work, prepared.job, url, *args)


def import_figures(prepared: Prepared, target: float, rounds: int) -> Iterator[Figure]:
    """Measure time and peak memory of the good file on one engine."""
    kept = _fresh(prepared, keep_rows)
    job = prepared.job
    name = f"import_{job.engine}"
    values, floors = alternate(name, partial(_fresh, prepared, commit, GOOD), partial(_fresh, prepared, floor, kept), rounds)
    measured = figure(name, values, floors, target, size=job.rows)
    yield measured if job.engine == "sqlite" else by_a_server(measured)
    peaks = [one.peak for one in values]
    yield peak_figure(f"import_memory_{job.engine}", peaks, MEMORY_MIB, 1.0, size=job.rows)


def wrong_figures(prepared: Prepared, rounds: int) -> Iterator[Figure]:
    """Measure a file with something wrong in every row against the good file."""
    job = prepared.job
    name = f"import_all_wrong_{job.engine}"
    values, floors = alternate(name, partial(_fresh, prepared, commit, WRONG), partial(_fresh, prepared, commit, GOOD), rounds)
    measured = figure(name, values, floors, 1.0, size=job.rows)
    yield measured if job.engine == "sqlite" else by_a_server(measured)
    yield peak_figure(f"import_memory_all_wrong_{job.engine}", [one.peak for one in values], MEMORY_MIB, 1.0, size=job.rows)


@contextmanager
def _sqlite(rows: int) -> Iterator[Prepared]:
    with TemporaryDirectory(prefix="lims-bench-") as folder:
        yield apart(prepare_sqlite, Path(folder), rows)


@contextmanager
def _postgresql(rows: int) -> Iterator[Prepared]:
    server = PostgresqlServer()
    try:
        with TemporaryDirectory(prefix="lims-bench-") as folder:
            yield prepare_postgresql(Path(folder), rows, server)
    finally:
        server.stop()


def import_sqlite(rows: int, rounds: int) -> Iterator[Figure]:
    """Import into SQLite."""
    with _sqlite(rows) as prepared:
        yield from import_figures(prepared, 2.0, rounds)


def import_postgresql(rows: int, rounds: int) -> Iterator[Figure]:
    """Import into PostgreSQL."""
    with _postgresql(rows) as prepared:
        yield from import_figures(prepared, 1.7, rounds)


def import_all_wrong(rows: int, rounds: int) -> Iterator[Figure]:
    """Import a file with something wrong in every row, on both engines."""
    with _sqlite(rows) as prepared:
        yield from wrong_figures(prepared, rounds)
    with _postgresql(rows) as prepared:
        yield from wrong_figures(prepared, rounds)
