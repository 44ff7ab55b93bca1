"""Read models of dosing: what is due follows from the regimens, in a constant number of statements; nothing of it is stored.

What only counts doses is in `lims.queries.due`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Row, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.cohort_terms import RegimenStart
from lims.domain.dosing import Course, DoseStanding, first_day, planned_doses, standing
from lims.domain.schedules import Schedule, parse_schedule
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Animal, Arm, Cage, Dose, Enrolment, Measurement, Regimen, Study
from lims.queries.bench_order import place_along
from lims.queries.blinding import readable
from lims.queries.chunks import in_chunks, read
from lims.queries.series import AnySelect, counted

WEIGHT = "body_weight"


class Subject(NamedTuple):
    """An animal in an arm of a study: what is said of it where it is dosed. cage and study: their codes."""

    id: int
    code: str
    cage: str | None
    died_on: date | None
    arm_id: int
    study_id: int
    study: str


class Treated(NamedTuple):
    """An animal under a regimen of its arm, with the days that bound its doses."""

    animal: Subject
    regimen: Regimen
    course: Course
    schedule: Schedule


class PlannedDose(NamedTuple):
    """One dose of an animal: planned, or recorded, or both. dose: what is recorded of it."""

    treated: Treated
    due_on: date
    nth: int
    standing: DoseStanding
    dose: Any = None


_OF_SUBJECT: tuple[Any, ...] = (
    *(Animal.id, Animal.code, Cage.code.label("cage"), Animal.died_on, Enrolment.arm_id, Study.id, Study.code.label("study")),
    *(Regimen.id.label("regimen"), Animal.state, Enrolment.enrolled_on, Enrolment.excluded_on, Animal.ear_tag),
    *(Cage.rack, Cage.rack_row, Cage.rack_column),
    func.coalesce(Enrolment.day_zero_on, Study.day_zero_on).label("day_zero"),
)
"""`Subject`'s own columns first."""


def treated_animals(session: Session, today: date, *where: ColumnElement[bool]) -> list[Treated]:
    """List the animals under regimens, in the order of cages; two statements.

    `where` narrows a statement that has `Enrolment`, `Regimen`, `Animal`, `Arm` and `Study`. An animal that is dead without
    a date is planned no dose from `today` on.
    """
    wanted = (
        select(*_OF_SUBJECT)
        .join(Enrolment, Enrolment.animal_id == Animal.id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .join(Arm, Arm.id == Enrolment.arm_id)
        .join(Study, Study.id == Arm.study_id)
        .join(Regimen, Regimen.arm_id == Arm.id)
        .where(Enrolment.status == RecordStatus.ACTIVE, Animal.status == RecordStatus.ACTIVE)
        .where(Regimen.status == RecordStatus.ACTIVE, Arm.status == RecordStatus.ACTIVE, *where)
        .order_by(Regimen.id)
    )
    rows = read(session, wanted).all()
    keys = sorted({row.regimen for row in rows})
    named = in_chunks(session, keys, lambda some: select(Regimen).where(Regimen.id.in_(some)).options(joinedload(Regimen.agent)))
    regimens = {one.id: (one, parse_schedule(one.schedule)) for (one,) in named}
    triggered = [key for key, (one, _) in regimens.items() if one.start is RegimenStart.TRIGGER]
    reached = reached_on(session, triggered)
    found = []
    for row in sorted(rows, key=_walked):
        regimen, schedule = regimens[row.regimen]
        found.append(Treated(Subject(*row[:7]), regimen, _course(row, regimen, reached, today), schedule))
    return found


def _walked(row: Any) -> tuple[Any, ...]:
    cage = None if row.cage is None else (row.rack, row.rack_row, row.rack_column, row.cage)
    return place_along(row.code, row.ear_tag, cage)


def _course(row: Any, regimen: Regimen, reached: Mapping[tuple[int, int], date], today: date) -> Course:
    starts = first_day(regimen.start, regimen.start_day, row.day_zero, reached.get((row.id, regimen.id)))
    died = row.died_on or (today if row.state is AnimalStatus.DEAD else None)
    ends = [day for day in (died, row.excluded_on) if day is not None]
    return Course(starts, row.enrolled_on, min(ends, default=None))


def reached_on(session: Session, regimens: Sequence[int]) -> dict[tuple[int, int], date]:
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
    return read(session, wanted.order_by(on, Dose.nth, Dose.id)).all()


_BY_DAY = (DoseStanding.OVERDUE, DoseStanding.DUE, DoseStanding.PLANNED)
"""What a dose is of which nothing is recorded: before today, today, and after."""


class Planned(NamedTuple):
    """The doses of an animal by one regimen: day and number of each, which animals of one course share, and those recorded."""

    treated: Treated
    days: tuple[tuple[date, int], ...]
    recorded: Mapping[tuple[date, int], Any]

    def days_between(self, first: date, last: date) -> tuple[tuple[date, int], ...]:
        """Give day and number of the doses from one day to another, both included."""
        return self.days[bisect_left(self.days, (first,)) : bisect_right(self.days, last, key=itemgetter(0))]

    def between(self, first: date, last: date, now: date) -> Iterator[PlannedDose]:
        """Give the doses from one day to another, both included, as they stand on `now`."""
        for due_on, nth in self.days_between(first, last):
            dose = self.recorded.get((due_on, nth))
            yield PlannedDose(self.treated, due_on, nth, standing(due_on, now, dose.state if dose else None), dose)

    def overdue(self, now: date) -> list[date]:
        """Give the days before `now` of doses of which nothing is recorded."""
        return [key[0] for key in self.days[: bisect_left(self.days, (now,))] if key not in self.recorded]


@dataclass(frozen=True, slots=True)
class Dosing:
    """The doses of a study: by animal and regimen as planned, and what else was recorded of its animals."""

    courses: list[Planned]
    beside: list[Any]
    """Recorded, and not planned: of no regimen, or on a day on which it plans none."""
    unplanned: list[Treated]
    """Animals whose regimen has no first day: day 0 has no date, or the trigger was not reached."""
    now: date
    """The day that tells what is due from what is overdue."""

    @property
    def planned(self) -> list[PlannedDose]:
        """Give every planned dose."""
        return self.between(date.min, date.max)

    def between(self, first: date, last: date) -> list[PlannedDose]:
        """Give the planned doses from one day to another, both included."""
        return [dose for one in self.courses for dose in one.between(first, last, self.now)]

    def counts(self) -> Counter[DoseStanding]:
        """Count the planned doses by what became of them."""
        counted: Counter[DoseStanding] = Counter()
        for one in self.courses:
            before, until = bisect_left(one.days, (self.now,)), bisect_right(one.days, self.now, key=itemgetter(0))
            for state, number in zip(_BY_DAY, (before, until - before, len(one.days) - until), strict=True):
                counted[state] += number
            for (day, _), dose in one.recorded.items():
                counted[standing(day, self.now)] -= 1
                counted[DoseStanding(dose.state.value)] += 1
        return counted


def dosing_of(session: Session, study: Study, today: date) -> Dosing:
    """Give the doses of a study: three statements, and one more where a trigger starts a regimen.

    A schedule without an end goes on until today, in a study that is not active until its last recorded dose. Of a draft
    nothing is due yet.
    """
    treated = treated_animals(session, today, Study.id == study.id)
    recorded = recorded_doses(session, Dose.study_id == study.id)
    known: dict[tuple[int, int], dict[tuple[date, int], Any]] = defaultdict(dict)
    for row in recorded:
        if row.regimen_id is not None:
            known[row.animal_id, row.regimen_id][row.due_on, row.nth] = row
    ends = today if study.state is StudyStatus.ACTIVE else max((row.on for row in recorded), default=today)
    courses, met = [], set()
    plans: dict[int, frozenset[tuple[date, int]]] = {}
    for one in treated:
        days = planned_doses(one.schedule, one.course, last=ends if one.schedule.count is None else None)
        own = known.get((one.animal.id, one.regimen.id), {})
        if own and id(days) not in plans:  # the animals of a course share its days, which outlive this
            plans[id(days)] = frozenset(days)
        of_plan = {key: own[key] for key in own.keys() & plans[id(days)]} if own else {}
        met |= {row.id for row in of_plan.values()}
        courses.append(Planned(one, days, of_plan))
    beside = [row for row in recorded if row.id not in met]
    unplanned = [one for one in treated if one.course.starts_on is None]
    return Dosing(courses, beside, unplanned, date.min if study.state is StudyStatus.DRAFT else today)


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
    return read(session, _of_animal(unblinded=unblinded), animal_id=animal.id, most=limit).all()


@cache
def _of_animal(*, unblinded: bool) -> AnySelect:
    # Along the animal: with the project named too, SQLite reads all doses of that.
    wanted = _readable(unblinded=unblinded)
    wanted = wanted.add_columns(Dose.id, Dose.state, Dose.volume_ul, Dose.reason)
    wanted = wanted.add_columns(Agent.code.label("agent"), AgentLot.code.label("lot"), Study.code.label("study"))
    wanted = wanted.where(Dose.animal_id == bindparam("animal_id"), Dose.status == RecordStatus.ACTIVE)
    latest = wanted.order_by(wanted.selected_columns.on.desc(), Dose.nth.desc(), Dose.id.desc())
    return latest.limit(bindparam("most", type_=BigInteger()))


def dose_list(project_id: int, *, unblinded: bool) -> AnySelect:
    """Select the doses that a person may read, with the day that counts: given, or due."""
    return _readable(unblinded=unblinded).where(Dose.project_id == project_id)


def _readable(*, unblinded: bool) -> AnySelect:
    return (
        select(func.coalesce(Dose.given_on, Dose.due_on).label("on"))
        .select_from(Dose)
        .join(Animal, Animal.id == Dose.animal_id)
        .join(Agent, Agent.id == Dose.agent_id)
        .outerjoin(AgentLot, AgentLot.id == Dose.lot_id)
        .outerjoin(Study, Study.id == Dose.study_id)
        .outerjoin(Regimen, Regimen.id == Dose.regimen_id)
        .where(readable(Dose, unblinded=unblinded))
    )
