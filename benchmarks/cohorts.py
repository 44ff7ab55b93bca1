"""Pages of a laboratory with 1,000,000 measurements, the statistics of a large study, and one reading typed by hand.

A page is asked for through the application's test client and held against a bare page of fifty rows from the same
database, and against itself in a database of a hundredth of the size. Processor time is this process's and, on PostgreSQL,
the server's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from flask import Flask, session
from flask.testing import FlaskClient
from flask_security import login_user
from sqlalchemy import Engine, func, select, text

from benchmarks.cohort_data import PERSON, PROJECT, TODAY, Size, fill_cohorts
from benchmarks.laboratory import ACTOR, PostgresqlServer, server_cpu
from benchmarks.measure import Figure, Spent, Unmeasured, apart, figure, say, spent
from lims import logs
from lims.app import create_app
from lims.audit.canon import canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.config import Settings
from lims.db import LOCK_KEY, Database
from lims.domain.slots import moment_slot
from lims.domain.vocabulary import KIND_BY_CODE, AnimalStatus
from lims.models import Animal, Enrolment, Measurement, Study
from lims.plots import mean_rows
from lims.records.readings import NewReading, record_readings
from lims.views.study_plots import StudyData
from lims.views.study_survival import survival_of
from lims.views.transaction import current_session

PAGES = {
    "today": "",
    "animals": "animals/",
    "measurements": "measurements/",
    "studies": "studies/",
    "animal": "animals/{animal}",
    "animal_plots": "animals/{animal}/plots",
    "measurement": "measurements/{measurement}",
    "study": "studies/{study}",
    **{f"plot_{plot}": f"studies/{{study}}/plots/{plot}?kind=caliper_volume" for plot in ("growth", "means", "spider")},
    "plot_growth_table": "studies/{study}/plots/growth/table?kind=caliper_volume",
    "plot_weight": "studies/{study}/plots/weight",
    "study_survival": "studies/{study}/survival/",
    "survival_curves": "studies/{study}/survival/curves",
    "study_dosing": "studies/{study}/dosing/",
    "dosing_calendar": "studies/{study}/dosing/calendar",
    "study_exposure": "exposures/study/{study}",
    "study_animals": "studies/{study}/animals",
    "study_design": "studies/{study}/design",
    "study_arms": "arms/of/{study}",
    "study_randomisation": "studies/{study}/randomisation",
    "study_readings": "studies/{study}/readings",
    "study_missing": "studies/{study}/missing/",
    "study_files": "studies/{study}/files",
    "study_export": "studies/{study}/export/",
    "study_history": "studies/{study}/history",
}
"""What is measured: below a project's address, of the last study, its first animal and that animal's first reading; pages, and
what they fetch once they stand."""
ENGINES = ("sqlite", "postgresql")
LARGE, SMALL = Size(200), Size(2)
FLOOR_TARGET, GROWTH_TARGET = 3.0, 1.2
STATISTICS_TARGET, CELL_TARGET = 2.0, 5.0
LARGE_STUDY = Size(studies=1, animals=500)
ROUND_SECONDS = 0.5
"""Processor time that a round of one page takes at least: what a server spends is counted in hundredths of a second."""
BARE_PAGE = """<!doctype html><title>Animals</title><h1>Animals</h1><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>"""

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Filled:
    """A database that was filled, and the number of its server's first process."""

    url: str
    folder: Path
    postmaster: int | None = None

    @property
    def settings(self) -> Settings:
        """Give an installation's settings."""
        return Settings(data_dir=self.folder, database_url=self.url, secret_key="of a benchmark, " * 3)

    def spent(self, work: Work, times: int) -> Spent:
        """Do some work so many times; gives what one time cost."""
        before = server_cpu(self.postmaster) if self.postmaster else 0.0
        taken, _ = spent(lambda: [work() for _ in range(times)])
        served = server_cpu(self.postmaster) - before if self.postmaster else 0.0
        return Spent(taken.wall / times, (taken.cpu + served) / times)

    def often_enough(self, work: Work) -> int:
        """Say how many times make a round, once everything that is kept is kept."""
        work()
        return max(1, round(ROUND_SECONDS / self.spent(work, 2).wall))


@contextmanager
def filled(engine: str, size: Size) -> Iterator[Filled]:
    """Fill a database on one of the engines, and let it look at what it holds."""
    server = PostgresqlServer() if engine == "postgresql" else None
    try:
        with TemporaryDirectory(prefix="lims-bench-") as folder:
            url = server.create("template1") if server else f"sqlite:///{Path(folder, 'lims.db')}"
            apart(_fill, url, Path(folder), size)
            yield Filled(url, Path(folder), server.postmaster if server else None)
    finally:
        if server:
            server.stop()


def _fill(url: str, folder: Path, size: Size) -> None:
    fill_cohorts(url, folder / "files", size)
    database = Database(url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if database.dialect == "postgresql" else "PRAGMA optimize"))
    database.close()


# Pages


def addresses(database: Database) -> dict[str, str]:
    """Give the address of every page that is measured."""
    with database.reading() as reading:
        study = reading.scalars(select(func.max(Study.id))).one()
        animal = reading.scalars(select(func.min(Enrolment.animal_id)).where(Enrolment.study_id == study)).one()
        measurement = reading.scalars(select(func.min(Measurement.id)).where(Measurement.animal_id == animal)).one()
    known = {"study": study, "animal": animal, "measurement": measurement}
    return {name: f"/p/{PROJECT}/{path.format_map(known)}" for name, path in PAGES.items()}


def signed_in(app: Flask) -> FlaskClient:
    """Give a client whose person has signed in."""
    client = app.test_client()
    with app.test_request_context("/login", method="POST", environ_overrides=client.environ_base):
        login_user(app.extensions["security"].datastore.find_user(email=PERSON), authn_via=["password"])
        current_session().commit()
        cookie = dict(session)
    with client.session_transaction() as kept:
        kept.update(cookie)
    return client


def asked(client: FlaskClient, address: str, *, anew: bool = False) -> Work:
    """Give what asks for a page and reads it to its end; `anew`: nothing of it is kept from the time before."""
    installation = client.application.extensions.get("lims")

    def ask() -> object:
        if anew and installation:
            installation.shelf.clear()
        with client.get(address, buffered=True) as response:
            if response.status_code != 200:
                raise Unmeasured(f"{address} answered {response.status}")
            return response.data

    return ask


def bare_app(engine: Engine) -> Flask:
    """Give a bare application that shows fifty animals in eight columns, by one Core query."""
    app, table = Flask("bare"), Animal.__table__.c
    columns = (table.id, table.code, table.sex, table.birth_date, table.strain, table.arrived_on, table.state, table.died_on)
    template = app.jinja_env.from_string(BARE_PAGE)

    @app.get("/")
    def index() -> str:
        with engine.connect() as connection:
            return template.render(rows=connection.execute(select(*columns).order_by(table.id).limit(50)).all())

    return app


@dataclass(frozen=True, slots=True)
class Compared:
    """Rounds of one page: drawn anew in the large database, asked for again there, of the bare page, and both in the small one."""

    values: list[Spent] = field(default_factory=list)
    agains: list[Spent] = field(default_factory=list)
    floors: list[Spent] = field(default_factory=list)
    smalls: list[Spent] = field(default_factory=list)
    small_agains: list[Spent] = field(default_factory=list)


def page_rounds(large: Filled, small: Filled, rounds: int, names: tuple[str, ...]) -> dict[str, Compared]:
    """Measure pages in turn with the bare page and with themselves in the small database."""
    logs.configure(logging.WARNING)
    databases = Database(large.url), Database(small.url)
    clients = [signed_in(create_app(one.settings, database)) for one, database in zip((large, small), databases, strict=True)]
    here, there = map(addresses, databases)
    floor = asked(bare_app(databases[0].engine).test_client(), "/")
    found: dict[str, Compared] = {}
    for name in names:
        say(f"page_{name}")
        of = found[name] = Compared()
        works = (
            (large, asked(clients[0], here[name], anew=True), of.values),
            (large, asked(clients[0], here[name]), of.agains),
            (large, floor, of.floors),
            (small, asked(clients[1], there[name], anew=True), of.smalls),
            (small, asked(clients[1], there[name]), of.small_agains),
        )
        times = [one.often_enough(work) for one, work, _ in works]
        for _ in range(rounds):
            for (one, work, column), often in zip(works, times, strict=True):
                column.append(one.spent(work, often))
    for database in databases:
        database.close()
    return found


def pages(engine: str, studies: int, rounds: int) -> Iterator[Figure]:
    """Measure every page on one engine."""
    large, small = replace(LARGE, studies=studies), SMALL
    with filled(engine, large) as much, filled(engine, small) as little:
        for name, of in apart(page_rounds, much, little, rounds, tuple(PAGES)).items():
            yield figure(f"page_{name}_{engine}", of.values, of.floors, FLOOR_TARGET)
            yield figure(f"page_{name}_{engine}_again", of.agains, of.floors, FLOOR_TARGET)
            yield figure(f"page_{name}_{engine}_growth", of.values, of.smalls, GROWTH_TARGET)
            yield figure(f"page_{name}_{engine}_again_growth", of.agains, of.small_agains, GROWTH_TARGET)


# The statistics of a study


def study_figures(_size: int, rounds: int) -> Iterator[Figure]:
    """Measure growth by arm, and survival, of a study with many animals."""
    for engine in ENGINES:
        with filled(engine, LARGE_STUDY) as one:
            for name, (values, floors) in apart(_study_rounds, one, rounds).items():
                yield figure(f"{name}_{engine}", values, floors, STATISTICS_TARGET, size=LARGE_STUDY.animals)


def _study_rounds(one: Filled, rounds: int) -> dict[str, tuple[list[Spent], list[Spent]]]:
    database = Database(one.url)
    with database.reading() as reading:
        growth, survival = _growth_arrays(reading), _survival_arrays(reading)
    works = {
        "study_growth": (partial(_read, database, _growth), partial(growth_alone, *growth)),
        "study_survival": (partial(_read, database, _survival), partial(survival_alone, *survival)),
    }
    found = {}
    for name, (value, floor) in works.items():
        often = one.often_enough(value), one.often_enough(floor)
        pairs = [(one.spent(value, often[0]), one.spent(floor, often[1])) for _ in range(rounds)]
        found[name] = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    database.close()
    return found


def _read(database: Database, work: Callable[[Any], object]) -> object:
    with database.reading() as reading:
        return work(reading)


def _data(reading: Any) -> StudyData:
    return StudyData(reading, reading.scalars(select(Study)).one(), unblinded=True)


def _growth(reading: Any) -> object:
    """Read a study's volumes and give mean, SEM and n of each arm and day."""
    read = _data(reading).series(KIND_BY_CODE["caliper_volume"])
    return mean_rows(read.arms, read.days, read.animals, read.values, unit="mm³")


def _survival(reading: Any) -> object:
    """Say to what each animal was followed, estimate each arm's curve and test them."""
    return survival_of(_data(reading))


def _growth_arrays(reading: Any) -> tuple[Any, ...]:
    series = _data(reading).series(KIND_BY_CODE["caliper_volume"])
    return tuple(np.array(column) for column in (series.arms, series.days, series.values))


def growth_alone(arms: Any, days: Any, values: Any) -> object:
    """Give mean, SEM and n of each arm and day of arrays."""
    told = []
    for arm in np.unique(arms):
        for day in np.unique(days[arms == arm]):
            some = values[(arms == arm) & (days == day)]
            told.append((arm, day, some.mean(), some.std(ddof=1) / np.sqrt(some.size), some.size))
    return told


def _survival_arrays(reading: Any) -> tuple[Any, ...]:
    ends = survival_of(_data(reading)).followed.ends
    return tuple(np.array([getattr(end, name) for end in ends]) for name in ("days", "event", "arm_id"))


def survival_alone(days: Any, events: Any, arms: Any) -> object:
    """Estimate each arm's curve with its median and the median's limits, and test them, of arrays."""
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    curves = [SurvfuncRight(days[arms == arm], events[arms == arm].astype(int)) for arm in np.unique(arms)]
    medians = [(curve.quantile(0.5), curve.quantile_ci(0.5)) for curve in curves]
    return curves, medians, survdiff(days, events.astype(int), arms)


# One reading


def cell_figures(_size: int, rounds: int) -> Iterator[Figure]:
    """Measure one weight typed by hand, judged, audited and committed."""
    for engine in ENGINES:
        with filled(engine, SMALL) as one:
            values, floors = apart(_cell_rounds, one, rounds)
            yield figure(f"cell_{engine}", values, floors, CELL_TARGET)


def _cell_rounds(one: Filled, rounds: int) -> tuple[list[Spent], list[Spent]]:
    database = Database(one.url)
    with database.reading() as reading:
        project = reading.scalars(select(Animal.project_id).limit(1)).one()
        living = reading.execute(
            select(Animal.id, Animal.code).where(Animal.died_on.is_(None), Animal.state == AnimalStatus.ALIVE).order_by(Animal.id)
        ).all()
    moments = (datetime.combine(TODAY - timedelta(days=1), time(), UTC) + timedelta(minutes=late) for late in count())
    turns = ((animal, moment) for moment in moments for animal in living)
    borrowed = database.engine.raw_connection()

    def value() -> None:
        animal, moment = next(turns)
        typed = NewReading(animal.id, "body_weight", moment.date(), 22.0, taken_at=moment)
        with database.transaction() as writing:
            record_readings(writing, ACTOR, project, [typed])

    def floor() -> None:
        insert_audited(borrowed.driver_connection, database.dialect, project, *next(turns))

    often = one.often_enough(value), one.often_enough(floor)
    pairs = [(one.spent(value, often[0]), one.spent(floor, often[1])) for _ in range(rounds)]
    borrowed.close()
    database.close()
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def insert_audited(driver: Any, engine: str, project: int, animal: tuple[int, str], moment: datetime) -> None:
    """Insert a weight with its audit event and change by the driver alone, and commit."""

    def insert(table: str, row: Mapping[str, Any], given: str = "") -> Any:
        marks = ", ".join(["%s" if engine == "postgresql" else "?"] * len(row))
        return driver.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}){given}", tuple(row.values()))

    if engine == "postgresql":
        driver.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
    else:
        driver.execute("BEGIN IMMEDIATE")
    told = {"project_id": project, "animal_id": animal[0], "kind": "body_weight", "value": 22.0, "occurrence": 1, "quality": "ok"}
    told |= {"taken_on": moment.date().isoformat(), "taken_at": f"{moment:%Y-%m-%d %H:%M:%S.%f}", "status": "active"}
    (key,) = insert("measurement", told | {"slot": moment_slot(moment), "version": 1}, " RETURNING id").fetchone()
    said = {"project": [project, PROJECT], "animal": list(animal), "taken_at": moment}
    said |= {name: told[name] for name in ("kind", "value", "occurrence", "quality", "taken_on", "status")}
    fields = canonical({name: [text_of(one)] for name, one in said.items()})
    leaf = leaf_hash(change_content("measurement", key, project, fields))
    seq, previous = driver.execute("SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1").fetchone()
    event = {"seq": seq + 1, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", "actor": ACTOR.name, "origin": ACTOR.origin}
    event |= {"action": "measurement:create", "reason": "", "request": "", "project_id": project, "detail": "{}", "changes": 1}
    event |= {"root": merkle_root([leaf]), "previous_hash": previous, "actor_id": None}
    insert("audit_event", event | {"hash": event_hash(event)})
    change = {"event_seq": seq + 1, "position": 0, "entity": "measurement", "key": key, "project_id": project, "fields": fields}
    insert("audit_change", change)
    driver.execute("COMMIT")
