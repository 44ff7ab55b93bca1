"""Who was followed from day 0 to what: the rows of a study's survival analysis, in two statements.

An animal is followed to its fate, which is an event or censors by the reasons that the study names (`lims.domain.fates`).
A living one is censored on the last day it was seen: today while its study is active, otherwise the day of its last
reading, or of its enrolment. One that was excluded from analysis is censored on that day. A dead animal without a reason
is neither: it is listed, and the analysis waits for somebody to say why it died.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import FateReason
from lims.domain.fates import REASON_WORDS, Outcome, outcome
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Enrolment, Fate, Measurement, Study
from lims.queries.chunks import as_date, driver_rows
from lims.queries.series import DayCount, active


class End(NamedTuple):
    """One animal's part: followed for `days` from its day 0, to what. ended_by: the fate, or why it was censored."""

    animal_id: int
    animal: str
    arm_id: int
    days: float
    event: bool
    ended_on: date
    ended_by: str


class Unclear(NamedTuple):
    """An animal that is not in the analysis, with the sentence that says why."""

    animal_id: int
    animal: str
    arm_id: int
    why: str


@dataclass(slots=True)
class FollowUp:
    """The animals of a study as survival analysis takes them.

    missing: dead without a reason or without a day, or without a day 0: they stop the analysis. left_out: those whose part
    in the study ended before its day 0. excluded: those excluded from analysis, also where they were followed until then.
    """

    ends: list[End] = field(default_factory=list)
    missing: list[Unclear] = field(default_factory=list)
    left_out: list[Unclear] = field(default_factory=list)
    excluded: list[Unclear] = field(default_factory=list)

    def by_arm(self) -> dict[int, list[End]]:
        """Give the rows of each arm."""
        arms: dict[int, list[End]] = defaultdict(list)
        for end in self.ends:
            arms[end.arm_id].append(end)
        return dict(arms)


def follow_up(session: Session, study: Study, days: DayCount, today: date) -> FollowUp:
    """Say to what each animal of a study was followed.

    A cohort dies on few days of few reasons, so that one answer of `_part` goes for many animals.
    """
    runs, of = study.state is StudyStatus.ACTIVE, {"study": study.id}
    last = dict(driver_rows(session, _LAST_SEEN if runs else _LAST_READ, **of))
    part = cache(partial(_part, frozenset(study.event_reasons), days.origin, today if runs else None))
    found = FollowUp()
    into: dict[str, Any] = {"missing": (found.missing, Unclear), "left_out": (found.left_out, Unclear), "ends": (found.ends, End)}
    for row in driver_rows(session, _ANIMALS, **of):
        whose, (place, told, excluded) = row[:3], part(last.get(row[0]), *row[3:])
        if excluded is not None:
            found.excluded.append(Unclear._make((*whose, excluded)))
        rows, kind = into[place]
        rows.append(kind._make(whose + told))
    return found


_ANIMALS = (
    select(Enrolment.animal_id, Animal.code, Enrolment.arm_id, Animal.state, Fate.reason, Enrolment.exclusion_reason)
    .add_columns(Enrolment.enrolled_on, Enrolment.excluded_on, Enrolment.day_zero_on, Animal.died_on, Fate.died_on)
    .join(Animal, Animal.id == Enrolment.animal_id)
    .outerjoin(Fate, (Fate.animal_id == Animal.id) & (Fate.status == RecordStatus.ACTIVE))
    .where(Enrolment.study_id == bindparam("study"), Enrolment.status == RecordStatus.ACTIVE)
    .order_by(Animal.code)
)


def _last_readings(*states: AnimalStatus) -> Any:
    """Select the last dated reading of any kind, excluded ones too, of each animal that is in none of these states."""
    return (
        select(Enrolment.animal_id, func.max(Measurement.taken_on))
        .join(Animal, Animal.id == Enrolment.animal_id)
        .join(Measurement, Measurement.animal_id == Enrolment.animal_id)
        .where(Enrolment.study_id == bindparam("study"), Enrolment.status == RecordStatus.ACTIVE, Animal.state.not_in(states))
        .where(active(), Measurement.taken_on.is_not(None))
        .group_by(Enrolment.animal_id)
    )


_LAST_READ = _last_readings(AnimalStatus.DEAD)
"""Of the living, whose part in a study that is over ends with it."""
_LAST_SEEN = _last_readings(AnimalStatus.DEAD, AnimalStatus.ALIVE)
"""Of those in an active study of whom nobody says that they live or died."""


def _part(
    events: Collection[str],
    origin: date | None,
    today: date | None,
    last: str | date | None,
    state: str,
    reason: str | None,
    why_excluded: str | None,
    *dates: str | date | None,
) -> tuple[str, tuple[Any, ...], str | None]:
    """Say where one animal belongs, what is told of it there, and why it was excluded.

    today: where the study runs. last: when it was read last. dates: when it was enrolled, when it was excluded, its own day 0,
    when it died, and when by its fate.
    """
    enrolled_on, out, own_zero, death, died_on = map(as_date, dates)
    seen = today if today and state == AnimalStatus.ALIVE else as_date(last) or enrolled_on
    excluded = None if why_excluded is None else f"from {out}: {why_excluded}"
    return *_placed(events, own_zero or origin, state, reason, seen, out, death, died_on), excluded


def _placed(
    events: Collection[str],
    zero: date | None,
    state: str,
    reason: str | None,
    seen: date | None,
    out: date | None,
    death: date | None,
    died_on: date | None,
) -> tuple[str, tuple[Any, ...]]:
    """Say where one animal belongs, with what is told of it there: the rest of an `End`, or why it has none."""
    dead = died_on is not None or state == AnimalStatus.DEAD
    ended_on = (died_on or death) if dead else seen
    stops_before = out is not None and (ended_on is None or out <= ended_on)
    ended_by, event = ("excluded from analysis", False) if stops_before else ("followed until then", False)
    if dead and not stops_before:
        why = FateReason(reason) if reason else None
        met = outcome(why, events)
        if why is None or met is Outcome.MISSING or ended_on is None:
            return "missing", (f"died{f' on {ended_on}' if ended_on else ''}, and nobody recorded why",)
        ended_by, event = REASON_WORDS[why], met is Outcome.EVENT
    ended_on = out if stops_before else ended_on
    if zero is None:
        return "missing", ("has no day 0: neither the study nor its enrolment dates one, and nothing was read",)
    if ended_on is None:
        return "left_out", ("was never seen: no reading, and no day of enrolment",)
    if ended_on < zero:
        return "left_out", (f"{ended_by} on {ended_on}, before its day 0 on {zero}",)
    if stops_before and ended_on == zero:
        return "left_out", ("excluded from its day 0 on",)
    return "ends", (float((ended_on - zero).days), event, ended_on, ended_by)
