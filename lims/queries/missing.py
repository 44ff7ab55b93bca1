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

from sqlalchemy import String, bindparam, cast, func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Enrolment, Fate, Measurement, Study
from lims.queries.chunks import read
from lims.queries.series import AnySelect, of_study


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


_HOSTS: AnySelect = (
    select(Animal.id, Animal.code, Enrolment.arm_id, Enrolment.enrolled_on, Fate.died_on, Animal.died_on, Animal.state)
    .add_columns(Enrolment.excluded_on, Enrolment.day_zero_on)
    .join(Enrolment, Enrolment.animal_id == Animal.id)
    .outerjoin(Fate, (Fate.animal_id == Animal.id) & (Fate.status == RecordStatus.ACTIVE))
    .where(Enrolment.study_id == bindparam("study_id"), Enrolment.status == RecordStatus.ACTIVE)
    .order_by(Animal.code)
)
_READ: AnySelect = (
    of_study(select(Measurement.taken_on, func.aggregate_strings(cast(Measurement.animal_id, String), ",")), bindparam("study_id"))
    .where(Measurement.kind == bindparam("kind"), Measurement.taken_on.is_not(None))
    .group_by(Measurement.taken_on)
)
"""A row a day: of thousands of readings none becomes one of its own."""


def hosts_of(session: Session, study_id: int) -> list[Host]:
    """List the animals of a study, by code."""
    return [
        Host(key, code, arm, enrolled, died or death, out, zero, died is not None or state is AnimalStatus.DEAD)
        for key, code, arm, enrolled, died, death, state, out, zero in read(session, _HOSTS, study_id=study_id)
    ]


def read_on(session: Session, study: Study, kind: str) -> dict[date, set[int]]:
    """Give the animals that were read for a kind, by date; excluded readings are none."""
    days = read(session, _READ, study_id=study.id, kind=kind)
    return {day: set(map(int, animals.split(","))) for day, animals in days}


def gaps_of(hosts: Sequence[Host], read: Mapping[date, set[int]]) -> Gaps:
    """Find what is missing: more than half of the animals of the arm that could be measured on a day were, and this one was not.

    Of an animal that died nobody knows when, nothing is missing after its last reading.
    """
    known = {host.id: _with_an_end(host, read) for host in hosts}
    arms: dict[int, list[Host]] = defaultdict(list)
    for host in known.values():
        arms[host.arm_id].append(host)
    missing = {day: {key for of_arm in arms.values() for key in _missing(of_arm, day, read[day])} for day in sorted(read)}
    days = [day for day, animals in missing.items() if animals]
    lacking = set().union(*missing.values())

    def presence(host: Host, day: date) -> Presence:
        if host.id in read[day]:
            return Presence.READ
        return host.on(day) or (Presence.MISSING if host.id in missing[day] else Presence.OTHER)

    return Gaps(days, [(host, {day: presence(known[host.id], day) for day in days}) for host in hosts if host.id in lacking])


def _with_an_end(host: Host, read: Mapping[date, set[int]]) -> Host:
    if not host.dead or host.died_on is not None:
        return host
    last = max((day for day, animals in read.items() if host.id in animals), default=date.min)
    return replace(host, died_on=last + timedelta(days=1))


def _missing(of_arm: Sequence[Host], day: date, animals: set[int]) -> Sequence[int]:
    unread = [host.id for host in of_arm if host.id not in animals and host.on(day) is None]
    if not unread:
        return ()
    there = sum(host.id in animals and host.on(day) is None for host in of_arm)
    return unread if there > len(unread) else ()
