"""The audit trail of a few hundred thousand changes: verified, and written out as CSV and JSON Lines."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.laboratory import ACTOR, ARMS, READINGS_PER_ANIMAL
from benchmarks.measure import Figure, Spent, Unmeasured, alternate, apart, figure, peak_figure, say, spent
from lims import migrate
from lims.audit.export import Format, export
from lims.audit.verify import verify
from lims.db import Database
from lims.records.colony import ANIMAL
from lims.records.implants import IMPLANT
from lims.records.measurements import Readings, record_measurements
from lims.records.nouns import record
from lims.records.projects import create_project

PER_EVENT = 20_000
"""Readings that are recorded in one transaction, as from a large file."""

CACHED = 200_000
"""Changes that fill SQLite's page cache (64 MiB, `lims.db`): below them it is the cache that grows, and not the export."""

_JOINED = (
    "SELECT e.seq, e.at, e.actor, e.origin, e.action, e.reason, c.entity, c.key, c.fields "
    "FROM audit_event e JOIN audit_change c ON c.event_seq = e.seq ORDER BY e.seq, c.position"
)


def write_trail(folder: Path, changes: int) -> str:
    """Record body weights until the trail has at least so many changes; give the database's URL."""
    url = f"sqlite:///{folder / 'lims.db'}"
    migrate.upgrade(url)
    database = Database(url)
    try:
        with database.transaction() as session:
            project = create_project(session, ACTOR, code="BENCH", title="Benchmark")
            codes = [f"M{number:05}" for number in range(max(1, changes // READINGS_PER_ANIMAL))]
            animals = record(session, ACTOR, ANIMAL, project.id, [{"code": code} for code in codes])
            record(session, ACTOR, IMPLANT, project.id, [{"animal_id": one.id, "label": "brain"} for one in animals[: len(ARMS)]])
            of = (project.id, project.code)
            references = [(one.id, one.code) for one in animals]
        for start in range(0, changes, PER_EVENT):
            with database.transaction() as session:
                record_measurements(session, ACTOR, _weights(of, references, range(start, min(changes, start + PER_EVENT))))
    finally:
        database.close()
    return url


def _weights(project: tuple[int, str], animals: list[tuple[int, str]], numbers: range) -> Readings:
    days = [(date(2025, 1, 6) + timedelta(days=number // len(animals))).isoformat() for number in numbers]
    grams = [round(18 + number % 71 / 10, 1) for number in numbers]
    return Readings(
        project,
        "body_weight",
        [animals[number % len(animals)] for number in numbers],
        None,
        grams,
        days,
        days,
        rows=list(numbers),
        sheet="Weights",
        columns=5,
        raw=[f"{gram:g}" for gram in grams],
    )


def verified(url: str) -> tuple[Spent, Spent, int]:
    """Verify a trail: what the chain took (reading, hashing, Merkle roots), what all took, and the number of changes."""
    begun: dict[str, float] = {}
    start, cpu = time.perf_counter(), time.process_time()

    def progress(what: str, _done: int) -> None:
        if what == "audit_event":
            begun.update(wall=time.perf_counter() - start, cpu=time.process_time() - cpu)

    database = Database(url)
    try:
        start, cpu = time.perf_counter(), time.process_time()
        taken, report = spent(partial(verify, database, progress=progress))
    finally:
        database.close()
    if not report.ok:
        raise Unmeasured(f"the trail does not hold: {report.problems[:1]}")
    return Spent(begun["wall"], begun["cpu"]), taken, report.changes


def hashed(url: str) -> Spent:
    """Parse, write canonically and hash the same changes, which are in memory already."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            texts = [
                fields for (fields,) in connection.exec_driver_sql("SELECT fields FROM audit_change ORDER BY event_seq, position")
            ]
    finally:
        database.close()
    return spent(partial(_hash_all, texts))[0]


def _hash_all(texts: list[str]) -> None:
    loads, dumps, sort, sha256 = orjson.loads, orjson.dumps, orjson.OPT_SORT_KEYS, hashlib.sha256
    for text in texts:
        sha256(dumps(loads(text), option=sort)).digest()


def audit_verify(changes: int, rounds: int) -> Iterator[Figure]:
    """Verify the chain, and the chain with the replay of every record."""
    with TemporaryDirectory(prefix="lims-bench-") as folder:
        url = apart(write_trail, Path(folder), changes)
        runs: list[tuple[Spent, Spent, int]] = []

        def value() -> Spent:
            runs.append(apart(verified, url))
            return runs[-1][0]

        chains, floors = alternate("audit_verify", value, partial(apart, hashed, url), rounds)
        size = runs[-1][2]
        yield figure("audit_verify", chains, floors, 3.0, size=size)
        yield figure("audit_verify_replay", [whole for _, whole, _ in runs[1:]], floors, 9.0, size=size)


def exported(url: str, form: Format, target: Path) -> Spent:
    """Export a trail to a file."""
    database = Database(url)
    try:
        with database.reading() as session, target.open("wb") as stream:
            return spent(partial(export, session, form, stream))[0]
    finally:
        database.close()


def written(url: str, form: Format, target: Path) -> Spent:
    """Read the same rows by the driver, and write what they say with the standard writer alone."""
    writers: dict[str, Callable[[Any, Any], None]] = {"csv": _plain_csv, "jsonl": _plain_jsonl}
    database = Database(url)
    borrowed = database.engine.raw_connection()
    driver: Any = borrowed.driver_connection
    try:
        with target.open("wb") as stream:
            return spent(lambda: writers[form](driver.execute(_JOINED), stream))[0]
    finally:
        borrowed.close()
        database.close()


def _plain_csv(rows: Any, stream: Any) -> None:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(text)
    for row in rows:
        head, fields = row[:8], orjson.loads(row[8])
        writer.writerows([(*head, field, told[0] if len(told) == 2 else None, told[-1]) for field, told in fields.items()])
    text.flush()
    text.detach()


def _plain_jsonl(rows: Any, stream: Any) -> None:
    for head, of_event in groupby(rows, key=itemgetter(0, 1, 2, 3, 4, 5)):
        changes = [[entity, key, orjson.loads(fields)] for *_, entity, key, fields in of_event]
        stream.write(orjson.dumps([head, changes]) + b"\n")


def audit_export(changes: int, rounds: int) -> Iterator[Figure]:
    """Export a trail, and show that one much longer than the page cache takes no more memory than one that fills it."""
    with TemporaryDirectory(prefix="lims-bench-") as folder, TemporaryDirectory(prefix="lims-bench-") as small_folder:
        url = apart(write_trail, Path(folder), changes)
        small = apart(write_trail, Path(small_folder), CACHED) if changes > CACHED else None
        target = Path(folder, "trail")
        forms: tuple[Format, ...] = ("csv", "jsonl")
        for form in forms:
            name = f"audit_export_{form}"
            value = partial(apart, exported, url, form, target)
            values, floors = alternate(name, value, partial(apart, written, url, form, target), rounds)
            yield figure(name, values, floors, 2.0, size=changes)
            if small is None:
                say(f"{name}_memory: measured with --full, beyond the page cache")
            else:
                floor = apart(exported, small, form, target).peak
                yield peak_figure(f"{name}_memory", [one.peak for one in values], floor, 1.2, size=changes)
