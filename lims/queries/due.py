"""Counts the doses that are due or overdue, by course, which most animals of an arm share: no animal becomes an object.

What a page shows of each single dose is in `lims.queries.doses`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Date, String, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import RegimenStart
from lims.domain.dosing import Course, first_day, planned_doses
from lims.domain.schedules import Schedule, parse_schedule
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Arm, Dose, Enrolment, Regimen, Study
from lims.queries.chunks import KEYS, read, rows_of
from lims.queries.doses import reached_on
from lims.queries.series import AnySelect

Slot = tuple[date, int]
"""Which dose of a regimen it is: its day, and which one of that day."""


class Cohort(NamedTuple):
    """The animals of an arm whose doses by a regimen fall on the same days. study: its code."""

    study: str
    study_id: int
    arm_id: int
    regimen_id: int
    schedule: Schedule
    course: Course
    animals: frozenset[int]


@cache
def _planned(of: str) -> AnySelect:
    """Select the animals under regimens by what bounds their doses, of a `study` or of the active studies of a `project`."""
    columns: tuple[Any, ...] = (
        *(Study.code.label("study"), Study.id.label("study_id"), Regimen.arm_id, Regimen.id.label("regimen_id"), Regimen.schedule),
        *(Regimen.start, Regimen.start_day, Enrolment.enrolled_on, Enrolment.excluded_on, Animal.died_on, Animal.state),
        func.coalesce(Enrolment.day_zero_on, Study.day_zero_on).label("day_zero"),
    )
    tables = Study, Arm, Regimen, Enrolment, Animal
    wanted = (
        select(*columns, func.aggregate_strings(cast(Animal.id, String), ",").label("animals"))
        .select_from(Study)
        .join(Arm, Arm.study_id == Study.id)
        .join(Regimen, Regimen.arm_id == Arm.id)
        .join(Enrolment, Enrolment.arm_id == Arm.id)
        .join(Animal, Animal.id == Enrolment.animal_id)
        .where(*(table.status == RecordStatus.ACTIVE for table in tables if of == "project" or table is not Study))
        .group_by(*columns)
    )
    if of == "study":
        return wanted.where(Study.id == bindparam("key"))
    # What is due on a day is due for those alone whose course had not ended by then.
    on = bindparam("today", type_=Date())
    goes_on = or_(Animal.died_on > on, and_(Animal.died_on.is_(None), Animal.state != AnimalStatus.DEAD))
    kept = or_(Enrolment.excluded_on.is_(None), Enrolment.excluded_on > on)
    return wanted.where(Study.project_id == bindparam("key"), Study.state == StudyStatus.ACTIVE, goes_on, kept)


_RECORDED = (
    select(Dose.regimen_id, Dose.due_on, Dose.nth, func.aggregate_strings(cast(Dose.animal_id, String), ",").label("animals"))
    .where(Dose.regimen_id.in_(KEYS), Dose.status == RecordStatus.ACTIVE)
    .where(Dose.due_on.between(bindparam("first", type_=Date()), bindparam("last", type_=Date())))
    .group_by(Dose.regimen_id, Dose.due_on, Dose.nth)
)
_LAST_RECORDED = select(func.max(func.coalesce(Dose.due_on, Dose.given_on))).where(
    Dose.study_id == bindparam("study_id"), Dose.status == RecordStatus.ACTIVE
)


def _cohorts(session: Session, today: date, of: str, key: int) -> list[Cohort]:
    rows = read(session, _planned(of), key=key, today=today).all()
    reached = reached_on(session, [row.regimen_id for row in rows if row.start is RegimenStart.TRIGGER])
    return [cohort for row in rows for cohort in _of_row(row, reached, today)]


def _of_row(row: Any, reached: Mapping[tuple[int, int], date], today: date) -> Iterator[Cohort]:
    """Give the cohorts of a row: one, or one for each day on which animals of it reached what starts their regimen."""
    by_day: dict[date | None, set[int]] = defaultdict(set)
    for animal in _numbers(row.animals):
        by_day[reached.get((animal, row.regimen_id))].add(animal)
    died = row.died_on or (today if row.state is AnimalStatus.DEAD else None)
    ends = min((day for day in (died, row.excluded_on) if day is not None), default=None)
    for on, animals in by_day.items():
        course = Course(first_day(row.start, row.start_day, row.day_zero, on), row.enrolled_on, ends)
        yield Cohort(row.study, row.study_id, row.arm_id, row.regimen_id, parse_schedule(row.schedule), course, frozenset(animals))


def _numbers(joined: str) -> Iterable[int]:
    return map(int, joined.split(","))


def _recorded(session: Session, cohorts: Iterable[Cohort], first: date, last: date) -> dict[int, dict[Slot, frozenset[int]]]:
    """Give the animals that something is recorded of, by regimen and dose."""
    found: dict[int, dict[Slot, frozenset[int]]] = defaultdict(dict)
    keys = sorted({cohort.regimen_id for cohort in cohorts})
    for regimen, on, nth, animals in rows_of(session, _RECORDED, keys, first=first, last=last):
        found[regimen][on, nth] = frozenset(_numbers(animals))
    return found


LATE_DAYS = 7
"""So long a dose that nobody recorded is asked for beside those of the day; all of them are told on the study's own pages."""


class DueDoses(NamedTuple):
    """How many doses of a study are due on a day, and how many of the `LATE_DAYS` before it nobody recorded. study: its code."""

    study_id: int
    study: str
    doses: int
    late: int


def due_in_project(session: Session, project_id: int, on: date) -> list[DueDoses]:
    """Count the doses that active studies plan for a day, and of the days before it, and nobody has recorded; two statements.

    Of the animals that are in their study on that day: nobody doses one that is not.
    """
    first = on - timedelta(days=LATE_DAYS)
    cohorts = _cohorts(session, on, "project", project_id)
    recorded = _recorded(session, cohorts, first, on)
    open_doses: dict[tuple[str, int], Counter[bool]] = defaultdict(Counter)
    for one in cohorts:
        for slot in planned_doses(one.schedule, one.course, first=first, last=on):
            missing = one.animals - recorded[one.regimen_id].get(slot, frozenset())
            open_doses[one.study, one.study_id][slot[0] < on] += len(missing)
    found = (DueDoses(key, study, number[False], number[True]) for (study, key), number in sorted(open_doses.items()))
    return [due for due in found if due.doses or due.late]


@dataclass(slots=True)
class Overdue:
    """The doses of an arm that were due and that nobody recorded: how many, of which animals, and the first day."""

    since: date = date.max
    doses: int = 0
    animals: set[int] = field(default_factory=set)

    def add(self, cohort: Cohort, days: Sequence[Slot], recorded: Mapping[Slot, frozenset[int]]) -> None:
        """Count those of a cohort whose doses were due on some days."""
        done = Counter(animal for slot in days if slot in recorded for animal in recorded[slot] & cohort.animals)
        late = len(days) * len(cohort.animals) - done.total()
        if late:
            first = next(slot for slot in days if not cohort.animals <= recorded.get(slot, frozenset()))
            self.since, self.doses = min(self.since, first[0]), self.doses + late
            self.animals |= {animal for animal in cohort.animals if done[animal] < len(days)} if done else cohort.animals


def overdue_in_study(session: Session, study: Study, today: date) -> dict[int, Overdue]:
    """Count what was due before today and is not recorded, by arm; two statements. Of a draft nothing is due yet.

    A schedule without an end goes on until today, in a study that is not active until its last recorded dose.
    """
    if study.state is StudyStatus.DRAFT:
        return {}
    yesterday = today - timedelta(days=1)
    cohorts = _cohorts(session, today, "study", study.id)
    recorded = _recorded(session, cohorts, date.min, yesterday)
    open_ends = yesterday
    if study.state is not StudyStatus.ACTIVE and any(one.schedule.count is None for one in cohorts):
        open_ends = min(read(session, _LAST_RECORDED, study_id=study.id).scalar() or yesterday, yesterday)
    found: dict[int, Overdue] = defaultdict(Overdue)
    for one in cohorts:
        last = open_ends if one.schedule.count is None else yesterday
        found[one.arm_id].add(one, planned_doses(one.schedule, one.course, last=last), recorded[one.regimen_id])
    return {arm: late for arm, late in found.items() if late.doses}
