"""Which animals were not measured on a day when most of their arm was, in two statements whatever the number of animals.

Days are dates: an arm is measured in a session, whatever day of the study that is for each of its animals. Readings that a
file dated by study day only have no date, and are not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Enrolment, Fate, Measurement, Study
from lims.queries.series import of_study


class Presence(StrEnum):
    """What an animal was on a day on which its arm was measured."""

    READ = "read"
    MISSING = "missing"
    NOT_YET = "not yet"
    DEAD = "dead"
    EXCLUDED = "excluded"
    OTHER = "–"
    """Most of its arm was not measured that day."""


@dataclass(frozen=True, slots=True)
class Host:
    """An animal of a study, with the days that bound when it could be measured."""

    id: int
    code: str
    arm_id: int
    enrolled_on: date | None
    died_on: date | None
    excluded_on: date | None
    day_zero_on: date | None
    dead: bool = False

    def on(self, day: date) -> Presence | None:
        """Say why it could not be measured on a day; nothing where it could. On the day of its death nobody has to."""
        if self.enrolled_on is not None and day < self.enrolled_on:
            return Presence.NOT_YET
        if self.died_on is not None and self.died_on <= day:
            return Presence.DEAD
        if self.excluded_on is not None and self.excluded_on <= day:
            return Presence.EXCLUDED
        return None


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing. days: those on which something is. rows: each animal that lacks a reading, day by day."""

    days: Sequence[date]
    rows: Sequence[tuple[Host, Mapping[date, Presence]]]

    @property
    def missing(self) -> list[tuple[Host, date]]:
        """Give animal and day of everything that is missing, animal by animal."""
        return [(host, day) for host, days in self.rows for day in self.days if days[day] is Presence.MISSING]


def hosts_of(session: Session, study_id: int) -> list[Host]:
    """List the animals of a study, by code."""
    rows = session.execute(
        select(Animal.id, Animal.code, Enrolment.arm_id, Enrolment.enrolled_on, Fate.died_on, Animal.died_on, Animal.state)
        .add_columns(Enrolment.excluded_on, Enrolment.day_zero_on)
        .join(Enrolment, Enrolment.animal_id == Animal.id)
        .outerjoin(Fate, (Fate.animal_id == Animal.id) & (Fate.status == RecordStatus.ACTIVE))
        .where(Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE)
        .order_by(Animal.code)
    )
    return [
        Host(key, code, arm, enrolled, died or death, out, zero, died is not None or state is AnimalStatus.DEAD)
        for key, code, arm, enrolled, died, death, state, out, zero in rows
    ]


def read_on(session: Session, study: Study, kind: str) -> dict[date, set[int]]:
    """Give the animals that were read for a kind, by date; excluded readings are none."""
    dated: Any = select(Measurement.taken_on, Measurement.animal_id)
    wanted = of_study(dated, study.id).where(Measurement.kind == kind, Measurement.taken_on.is_not(None)).distinct()
    days: dict[date, set[int]] = defaultdict(set)
    for day, animal in session.execute(wanted):
        days[day].add(animal)
    return days


def gaps_of(hosts: Sequence[Host], read: Mapping[date, set[int]]) -> Gaps:
    """Find what is missing: more than half of the animals of the arm that could be measured on a day were, and this one was not.

    Of an animal that died nobody knows when, nothing is missing after its last reading.
    """
    last = {animal: day for day in sorted(read) for animal in read[day]}
    arms: dict[int, list[Host]] = defaultdict(list)
    for host in hosts:
        undated = host.dead and host.died_on is None
        known = replace(host, died_on=last.get(host.id, date.min) + timedelta(days=1)) if undated else host
        arms[host.arm_id].append(known)
    states: dict[int, dict[date, Presence]] = defaultdict(dict)
    for of_arm in arms.values():
        for day, animals in read.items():
            _judge(states, of_arm, day, animals)
    days = sorted({day for of_animal in states.values() for day, state in of_animal.items() if state is Presence.MISSING})
    lacking = [host for host in hosts if Presence.MISSING in states[host.id].values()]
    return Gaps(days, [(host, {day: states[host.id].get(day, Presence.OTHER) for day in days}) for host in lacking])


def _judge(states: dict[int, dict[date, Presence]], of_arm: Sequence[Host], day: date, animals: set[int]) -> None:
    measurable = [host for host in of_arm if host.on(day) is None]
    there = sum(host.id in animals for host in measurable)
    for host in of_arm:
        if host.id in animals:
            states[host.id][day] = Presence.READ
        elif state := host.on(day):
            states[host.id][day] = state
        elif 2 * there > len(measurable):
            states[host.id][day] = Presence.MISSING
