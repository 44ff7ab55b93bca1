"""Fills a database with studies as they are kept over years: cohorts, readings, doses, fates, endpoints. The same every time.

All but the last two studies are closed, in a large database as in a small one: what runs at a time does not grow with the
years. Days count back from today, so that a dose is due today.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.laboratory import ACTOR
from lims import migrate
from lims.db import Database
from lims.domain.cohort_terms import DoseRoute, FateReason
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import AnimalStatus, ArmRole, BatchState, RoleName, Sex, StudyStatus, VolumeFormula
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.models import Agent, Animal, Arm, Implant, ImportBatch, Project, Regimen, Study
from lims.records.accounts import create_user
from lims.records.colony import ANIMAL, CAGE, PROTOCOL
from lims.records.doses import record_doses
from lims.records.endpoints import use_usual_rules
from lims.records.fates import record_fates
from lims.records.implants import IMPLANT
from lims.records.measurements import Readings, record_measurements
from lims.records.nouns import change, record
from lims.records.projects import add_member, create_project
from lims.records.studies import ARM, STUDY, enrol
from lims.records.treatment import AGENT, REGIMEN

TODAY = datetime.now(UTC).date()
PROJECT = "BENCH"
PERSON = "bench@lab.example"
RUNNING = 2
"""Studies that are not over."""
ARMS = (
    ("VEH", "Vehicle", ArmRole.VEHICLE),
    ("AB", "Antibody", ArmRole.TREATMENT),
    ("INH", "Inhibitor", ArmRole.TREATMENT),
    ("BOTH", "Antibody and inhibitor", ArmRole.TREATMENT),
)
PER_CAGE = 5
LAST_DAY = 57
SESSIONS = tuple(range(0, LAST_DAY + 1, 3))
"""Days on which every living animal is weighed, imaged and measured."""
DOSED_DAYS = 3
TELLING = 10
"""Every so many studies have endpoints in their protocol, and doses by hand."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many studies, of how many animals each."""

    studies: int
    animals: int = 100


@dataclass(frozen=True, slots=True)
class _Cohort:
    """One study's records, for as long as its readings are written."""

    study: Study
    day_zero: date
    arms: Sequence[Arm]
    animals: Sequence[Animal]
    tumours: Sequence[Implant]
    batch: ImportBatch


def fill_cohorts(url: str, folder: Path, size: Size) -> None:
    """Migrate a database and fill it; a transaction a study. `folder` takes the files that the readings came with."""
    migrate.upgrade(url)
    database, store = Database(url), FileStore(folder)
    try:
        with database.transaction() as session:
            project = create_project(session, ACTOR, code=PROJECT, title="Benchmark")
            # Nobody signs in by this: a benchmark's session is opened without a password.
            person = create_user(session, ACTOR, email=PERSON, name="Bench", password_hash="none", administrator=False)
            add_member(session, ACTOR, project, person, RoleName.STUDY_DIRECTOR)
            agents = record(session, ACTOR, AGENT, project.id, _agents())
        for number in range(size.studies):
            with database.transaction() as session:
                _add_study(session, session.get_one(Project, project.id), number, size, agents, store)
    finally:
        database.close()


def _agents() -> list[dict[str, Any]]:
    classes = {"VEH": AgentClass.VEHICLE, "AB": AgentClass.MONOCLONAL_ANTIBODY, "INH": AgentClass.PI3K_AKT_MTOR_INHIBITOR}
    return [{"code": code, "name": code, "agent_class": agent_class, "targets": []} for code, agent_class in classes.items()]


def _add_study(session: Session, project: Project, number: int, size: Size, agents: Sequence[Agent], store: FileStore) -> None:
    runs = number >= size.studies - RUNNING
    day_zero = TODAY - timedelta(days=LAST_DAY + 1 + (0 if runs else 7 * (size.studies - number)))
    cohort = _begin(session, project, number, size, day_zero, store)
    regimens = _treat(session, project.id, cohort, agents)
    for readings in _readings(project, cohort):
        record_measurements(session, ACTOR, readings)
    if runs or number % TELLING == 0:
        _dose(session, project.id, cohort, regimens)
    fates = [
        {"animal_id": animal.id, "died_on": day_zero + timedelta(days=day), "reason": FateReason.TUMOUR_BURDEN}
        for place, animal in enumerate(cohort.animals)
        if (day := _last_day(place)) < LAST_DAY
    ]
    record_fates(session, ACTOR, project.id, fates)
    if not runs:
        session.flush()
        study, closed = cohort.study, {"state": StudyStatus.CLOSED}
        change(session, ACTOR, STUDY, study, version=study.version, reason="the last animal was measured", fields=closed)


def _last_day(place: int) -> int:
    """Give the day on which an animal died, or was last seen: every other one dies, from day 30 on."""
    return LAST_DAY if place % 2 else 30 + place * 7 % 27


def _begin(session: Session, project: Project, number: int, size: Size, day_zero: date, store: FileStore) -> _Cohort:
    """Record the animals with their tumours, the study with its arms, and who is in which."""
    code = f"S{number + 1:03}"
    design = {"code": code, "title": f"Study {number + 1}", "state": StudyStatus.ACTIVE, "day_zero_on": day_zero}
    (study,) = record(session, ACTOR, STUDY, project.id, [design])
    arms = record(
        session,
        ACTOR,
        ARM,
        project.id,
        [{"study_id": study.id, "code": arm, "title": title, "role": role} for arm, title, role in ARMS],
    )
    animals = _animals(session, project, code, number, size, day_zero)
    # As a file of readings brings them: where and when they were implanted, and whose tissue, it does not say.
    tumours = record(session, ACTOR, IMPLANT, project.id, [{"animal_id": animal.id, "label": "MFP R4"} for animal in animals])
    places = [
        {"animal_id": animal.id, "arm_id": arms[place % len(arms)].id, "enrolled_on": day_zero}
        for place, animal in enumerate(animals)
    ]
    enrol(session, ACTOR, study, places)
    batch, _ = receive(session, ACTOR, store, project, f"{code}.csv", code.encode(), study=study, importer="caliper_long")
    batch.state = BatchState.COMMITTED
    return _Cohort(study, day_zero, arms, animals, tumours, batch)


def _animals(session: Session, project: Project, code: str, number: int, size: Size, day_zero: date) -> list[Animal]:
    allowed = {
        "code": f"P-{code}",
        "title": f"Protocol of {code}",
        "expires_on": TODAY + timedelta(days=365),
        "animals_allowed": size.animals,
        "procedures": [one.value for one in ProtocolProcedure],
    }
    (protocol,) = record(session, ACTOR, PROTOCOL, project.id, [allowed])
    if number >= size.studies - RUNNING or number % TELLING == 0:
        use_usual_rules(session, ACTOR, protocol)
    cages = record(
        session, ACTOR, CAGE, project.id, [{"code": f"{code}-C{cage + 1:02}"} for cage in range(-(-size.animals // PER_CAGE))]
    )
    born, arrived = day_zero - timedelta(weeks=11), day_zero - timedelta(weeks=5)
    rows = [
        {
            "code": f"{code}-{place + 1:03}",
            "sex": Sex.FEMALE,
            "birth_date": born,
            "arrived_on": arrived,
            "strain": "NSG",
            "cage_id": cages[place // PER_CAGE].id,
            "protocol_id": protocol.id,
            "state": AnimalStatus.ALIVE,
        }
        for place in range(size.animals)
    ]
    return record(session, ACTOR, ANIMAL, project.id, rows)


def _treat(session: Session, project_id: int, cohort: _Cohort, agents: Sequence[Agent]) -> list[Regimen]:
    """Plan a daily dose for each arm: the vehicle, one agent, the other, and both."""
    vehicle, *drugs = [agent.id for agent in agents]
    given = [[vehicle], [drugs[0]], [drugs[1]], drugs]
    daily: dict[str, Any] = {
        "schedule": "QDx90",
        "start_day": 0,
        "route": DoseRoute.ORAL_GAVAGE,
        "volume_ml_kg": 10,
        "note": "as planned",
    }
    rows = [
        {"arm_id": arm.id, "agent_id": agent, "dose": None if agent == vehicle else 10, **daily}
        for arm, of_arm in zip(cohort.arms, given, strict=True)
        for agent in of_arm
    ]
    return record(session, ACTOR, REGIMEN, project_id, rows)


def _dose(session: Session, project_id: int, cohort: _Cohort, regimens: Sequence[Regimen]) -> None:
    rows = [
        {"animal_id": animal.id, "agent_id": regimen.agent_id, "regimen_id": regimen.id, "study_id": cohort.study.id, "nth": 1}
        | {"due_on": cohort.day_zero + timedelta(days=day), "given_on": cohort.day_zero + timedelta(days=day), "batch_id": None}
        for regimen in regimens
        for place, animal in enumerate(cohort.animals)
        if cohort.arms[place % len(cohort.arms)].id == regimen.arm_id
        for day in range(DOSED_DAYS)
    ]
    record_doses(session, ACTOR, project_id, rows)


def _readings(project: Project, cohort: _Cohort) -> Iterator[Readings]:
    """Give weights that fall in one animal of twenty, and tumours that grow by their arm."""
    read = [(place, day) for day in SESSIONS for place in range(len(cohort.animals)) if day <= _last_day(place)]
    weights = [
        round(22 + place % 7 / 5 - (day * 0.085 if place % 20 == 1 else day * -0.01) + (day + place) % 5 / 10, 1)
        for place, day in read
    ]
    yield _columns(project, cohort, "body_weight", read, weights)
    grown = [math.exp((0.05 - 0.012 * (place % len(ARMS))) * day + (place * 7 + day) % 11 / 25) for place, day in read]
    yield _columns(project, cohort, "bli_total_flux", read, [round(1e6 * one) + 0.0 for one in grown], of_tumour=True)
    lengths = [round(6 * one ** (1 / 3), 1) for one in grown]
    widths = [round(length * 0.8, 1) for length in lengths]
    volumes = [length * width * width / 2 for length, width in zip(lengths, widths, strict=True)]
    diameters = {"lengths": lengths, "widths": widths, "formula": VolumeFormula.HALF_L_W2}
    yield _columns(project, cohort, "caliper_volume", read, volumes, of_tumour=True, **diameters)


def _columns(
    project: Project,
    cohort: _Cohort,
    kind: str,
    read: Sequence[tuple[int, int]],
    values: Sequence[float],
    *,
    of_tumour: bool = False,
    **more: Any,
) -> Readings:
    animals = [(animal.id, animal.code) for animal in cohort.animals]
    tumours = [(tumour.id, tumour.label) for tumour in cohort.tumours]
    dates = [(cohort.day_zero + timedelta(days=day)).isoformat() for _, day in read]
    return Readings(
        (project.id, project.code),
        kind,
        [animals[place] for place, _ in read],
        [tumours[place] for place, _ in read] if of_tumour else None,
        values,
        dates,
        dates,
        batch=(cohort.batch.id, cohort.batch.audit_label),
        sheet=kind,
        rows=list(range(2, 2 + len(read))),
        columns=5,
        raw=[f"{value:g}" for value in values],
        **more,
    )
