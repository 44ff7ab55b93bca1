"""Read models of dosing: what is due follows from the regimens, in a constant number of statements; nothing of it is stored."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from lims.domain.cohort_terms import RegimenStart
from lims.domain.dosing import Course, DoseStanding, first_day, planned_doses, standing
from lims.domain.schedules import parse_schedule
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Animal, Arm, Cage, Dose, Enrolment, Measurement, Regimen, Study
from lims.queries.bench_order import along_the_racks
from lims.queries.blinding import readable
from lims.queries.chunks import in_chunks
from lims.queries.series import AnySelect, counted

WEIGHT = "body_weight"


@dataclass(frozen=True, slots=True)
class Treated:
    """An animal under a regimen of its arm, with the days that bound its doses."""

    animal: Animal
    enrolment: Enrolment
    regimen: Regimen
    course: Course


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """One dose of an animal: planned, or recorded, or both. dose: what is recorded of it."""

    treated: Treated
    due_on: date
    nth: int
    standing: DoseStanding
    dose: Any = None


def treated_animals(session: Session, today: date, *where: ColumnElement[bool]) -> list[Treated]:
    """List the animals under regimens, in the order of cages; two statements.

    `where` narrows a statement that has `Enrolment`, `Regimen`, `Animal`, `Arm` and `Study`. An animal that is dead without
    a date is planned no dose from `today` on.
    """
    wanted = (
        select(Enrolment, Regimen)
        .join(Animal, Animal.id == Enrolment.animal_id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .join(Arm, Arm.id == Enrolment.arm_id)
        .join(Study, Study.id == Arm.study_id)
        .join(Regimen, Regimen.arm_id == Arm.id)
        .join(Agent, Agent.id == Regimen.agent_id)
        .where(Enrolment.status == RecordStatus.ACTIVE, Animal.status == RecordStatus.ACTIVE)
        .where(Regimen.status == RecordStatus.ACTIVE, Arm.status == RecordStatus.ACTIVE, *where)
        .options(
            contains_eager(Enrolment.animal).contains_eager(Animal.cage),
            contains_eager(Enrolment.arm).contains_eager(Arm.study),
            contains_eager(Regimen.agent),
        )
        .order_by(Regimen.id)
    )
    rows = session.execute(wanted).unique().all()
    rows = sorted(rows, key=lambda row: along_the_racks(row[0].animal, row[0].animal.cage))
    reached = _reached(session, [regimen.id for _, regimen in rows if regimen.start is RegimenStart.TRIGGER])
    return [Treated(enrolled.animal, enrolled, regimen, _course(enrolled, regimen, reached, today)) for enrolled, regimen in rows]


def _course(enrolled: Enrolment, regimen: Regimen, reached: Mapping[tuple[int, int], date], today: date) -> Course:
    animal, study = enrolled.animal, enrolled.arm.study
    day_zero = enrolled.day_zero_on or study.day_zero_on
    starts = first_day(regimen.start, regimen.start_day, day_zero, reached.get((animal.id, regimen.id)))
    died = animal.died_on or (today if animal.state is AnimalStatus.DEAD else None)
    ends = [day for day in (died, enrolled.excluded_on) if day is not None]
    return Course(starts, enrolled.enrolled_on, min(ends, default=None))


def _reached(session: Session, regimens: Sequence[int]) -> dict[tuple[int, int], date]:
    """Give the first day since enrolment on which each animal's reading lay above the trigger of a regimen."""
    if not regimens:
        return {}
    since = func.coalesce(Enrolment.enrolled_on, Enrolment.day_zero_on, Study.day_zero_on)
    rows = session.execute(
        select(Enrolment.animal_id, Regimen.id, func.min(Measurement.taken_on))
        .join(Regimen, Regimen.arm_id == Enrolment.arm_id)
        .join(Study, Study.id == Enrolment.study_id)
        .join(
            Measurement,
            and_(
                Measurement.animal_id == Enrolment.animal_id,
                Measurement.kind == Regimen.trigger_kind,
                Measurement.value > Regimen.trigger_above,
                *counted(),
            ),
        )
        .where(Regimen.id.in_(sorted(set(regimens))), Enrolment.status == RecordStatus.ACTIVE)
        .where(or_(since.is_(None), Measurement.taken_on >= since))
        .group_by(Enrolment.animal_id, Regimen.id)
    )
    return {(animal, regimen): on for animal, regimen, on in rows if on is not None}


_OF_DOSE: tuple[Any, ...] = (
    *(Dose.id, Dose.animal_id, Dose.agent_id, Dose.regimen_id, Dose.due_on, Dose.nth, Dose.state, Dose.given_on),
    *(Dose.volume_ul, Dose.computed_volume_ul, Dose.weight_g, Dose.weight_on, Dose.reason, Dose.operator, Dose.lot_id),
)


def recorded_doses(session: Session, *where: ColumnElement[bool]) -> Sequence[Any]:
    """List active doses by day, as rows of `Dose`'s columns with agent, lot, animal and its arm; one statement."""
    on = func.coalesce(Dose.due_on, Dose.given_on)
    enrolled = and_(
        Enrolment.animal_id == Dose.animal_id, Enrolment.study_id == Dose.study_id, Enrolment.status == RecordStatus.ACTIVE
    )
    wanted = (
        select(*_OF_DOSE, on.label("on"), Agent.code.label("agent"), AgentLot.code.label("lot"))
        .add_columns(Animal.code.label("animal"), Animal.died_on.label("died_on"), Enrolment.arm_id.label("arm_id"))
        .join(Agent, Agent.id == Dose.agent_id)
        .join(Animal, Animal.id == Dose.animal_id)
        .outerjoin(AgentLot, AgentLot.id == Dose.lot_id)
        .outerjoin(Enrolment, enrolled)
        .where(Dose.status == RecordStatus.ACTIVE, *where)
    )
    return session.execute(wanted.order_by(on, Dose.nth, Dose.id)).all()


@dataclass(frozen=True, slots=True)
class Dosing:
    """The doses of a study: by animal and regimen as planned, and what else was recorded of its animals."""

    planned: list[PlannedDose]
    beside: list[Any]
    """Recorded, and not planned: of no regimen, or on a day on which it plans none."""
    unplanned: list[Treated]
    """Animals whose regimen has no first day: day 0 has no date, or the trigger was not reached."""


def dosing_of(session: Session, study: Study, today: date, *, on: date | None = None) -> Dosing:
    """Give the doses of a study, on one day or on all: three statements, and one more where a trigger starts a regimen.

    A schedule without an end goes on until today, in a study that is not active until its last recorded dose. Of a draft
    nothing is due yet.
    """
    day = func.coalesce(Dose.due_on, Dose.given_on)
    treated = treated_animals(session, today, Study.id == study.id)
    recorded = recorded_doses(session, Dose.study_id == study.id, *([] if on is None else [day == on]))
    known = {(one.animal_id, one.regimen_id, one.due_on, one.nth): one for one in recorded if one.regimen_id is not None}
    schedules = {one.regimen.id: parse_schedule(one.regimen.schedule) for one in treated}
    ends = today if study.state is StudyStatus.ACTIVE else max((one.on for one in recorded), default=today)
    now = date.min if study.state is StudyStatus.DRAFT else today
    planned: list[PlannedDose] = []
    for one in treated:
        schedule = schedules[one.regimen.id]
        last = on or (ends if schedule.count is None else None)
        for due_on, nth in planned_doses(schedule, one.course, first=on, last=last):
            dose = known.pop((one.animal.id, one.regimen.id, due_on, nth), None)
            planned.append(PlannedDose(one, due_on, nth, standing(due_on, now, dose.state if dose else None), dose))
    met = {one.dose.id for one in planned if one.dose is not None}
    return Dosing(planned, [one for one in recorded if one.id not in met], [one for one in treated if one.course.starts_on is None])


def due_in_project(session: Session, project_id: int, on: date) -> list[tuple[Study, int]]:
    """Count the doses that active studies plan for a day and nobody has recorded, by study; three statements."""
    active = (Study.project_id == project_id, Study.state == StudyStatus.ACTIVE, Study.status == RecordStatus.ACTIVE)
    treated = treated_animals(session, on, *active)
    recorded = recorded_doses(session, Dose.project_id == project_id, Dose.due_on == on, Dose.regimen_id.is_not(None))
    known = {(one.animal_id, one.regimen_id, one.nth) for one in recorded}
    schedules = {one.regimen.id: parse_schedule(one.regimen.schedule) for one in treated}
    due = Counter(
        one.enrolment.arm.study
        for one in treated
        for _, nth in planned_doses(schedules[one.regimen.id], one.course, first=on, last=on)
        if (one.animal.id, one.regimen.id, nth) not in known
    )
    return sorted(due.items(), key=lambda pair: pair[0].code)


def weights_until(session: Session, animals: Iterable[int], last: date) -> dict[int, list[tuple[date, float]]]:
    """Give the counted weights (g) of animals up to a day, the latest last."""
    rows = in_chunks(
        session,
        sorted(set(animals)),
        lambda some: (
            select(Measurement.animal_id, Measurement.taken_on, Measurement.value)
            .where(Measurement.animal_id.in_(some), Measurement.kind == WEIGHT, Measurement.taken_on <= last, *counted())
            .order_by(Measurement.taken_on, Measurement.taken_at.nulls_first(), Measurement.id)
        ),
    )
    found: dict[int, list[tuple[date, float]]] = defaultdict(list)
    for animal, on, value in rows:
        found[animal].append((on, value))
    return found


def latest_weight(weights: Sequence[tuple[date, float]], on: date) -> tuple[date, float] | None:
    """Give the last weight up to a day, with its date."""
    place = bisect_right(weights, on, key=lambda weight: weight[0])
    return weights[place - 1] if place else None


def doses_of(session: Session, animal: Animal, limit: int, *, unblinded: bool) -> Sequence[Row[Any]]:
    """List an animal's last doses that a person may read, the latest first."""
    wanted = dose_list(animal.project_id, unblinded=unblinded)
    wanted = wanted.add_columns(Dose.id, Dose.state, Dose.volume_ul, Dose.reason)
    wanted = wanted.add_columns(Agent.code.label("agent"), AgentLot.code.label("lot"), Study.code.label("study"))
    wanted = wanted.where(Dose.animal_id == animal.id, Dose.status == RecordStatus.ACTIVE)
    return session.execute(wanted.order_by(wanted.selected_columns.on.desc(), Dose.nth.desc(), Dose.id.desc()).limit(limit)).all()


def dose_list(project_id: int, *, unblinded: bool) -> AnySelect:
    """Select the doses that a person may read, with the day that counts: given, or due."""
    return (
        select(func.coalesce(Dose.given_on, Dose.due_on).label("on"))
        .select_from(Dose)
        .join(Animal, Animal.id == Dose.animal_id)
        .join(Agent, Agent.id == Dose.agent_id)
        .outerjoin(AgentLot, AgentLot.id == Dose.lot_id)
        .outerjoin(Study, Study.id == Dose.study_id)
        .outerjoin(Regimen, Regimen.id == Dose.regimen_id)
        .where(Dose.project_id == project_id, readable(Dose, unblinded=unblinded))
    )
