"""Who was followed from day 0 to what: the rows of a study's survival analysis, in two statements.

An animal is followed to its fate, which is an event or censors by the reasons that the study names (`lims.domain.fates`).
A living one is censored on the last day it was seen: today while its study is active, otherwise the day of its last
reading, or of its enrolment. One that was excluded from analysis is censored on that day. A dead animal without a reason
is neither: it is listed, and the analysis waits for somebody to say why it died.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lims.analysis.survival import Followed
from lims.domain.cohort_terms import FateReason
from lims.domain.fates import REASON_WORDS, Outcome, outcome
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Enrolment, Fate, Measurement, Study
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

    def by_arm(self) -> dict[int, list[Followed]]:
        """Give the rows of each arm."""
        arms: dict[int, list[Followed]] = {}
        for end in self.ends:
            arms.setdefault(end.arm_id, []).append(Followed(end.animal, end.days, end.event))
        return arms


def follow_up(session: Session, study: Study, days: DayCount, today: date) -> FollowUp:
    """Say to what each animal of a study was followed."""
    runs, reasons = study.state is StudyStatus.ACTIVE, tuple(study.event_reasons)
    connection, of = session.connection(), {"study": study.id}
    last = {animal: on for animal, on in connection.execute(_LAST_SEEN if runs else _LAST_READ, of)}  # noqa: C416  # a result has keys of its own
    found = FollowUp()
    for row in connection.execute(_ANIMALS, of).all():
        seen = today if runs and row.state is AnimalStatus.ALIVE else last.get(row.animal_id) or row.enrolled_on
        _place(found, row, reasons, row.day_zero_on or days.origin, seen)
    return found


_ANIMALS = (
    select(Enrolment.animal_id, Animal.code.label("animal"), Enrolment.arm_id, Enrolment.enrolled_on, Enrolment.day_zero_on)
    .add_columns(Enrolment.excluded_on, Enrolment.exclusion_reason, Animal.state, Animal.died_on.label("death"))
    .add_columns(Fate.died_on, Fate.reason)
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


def _place(found: FollowUp, row: Any, reasons: Sequence[str], zero: date | None, seen: date | None) -> None:
    """Put one animal where it belongs."""
    who = (row.animal_id, row.animal, row.arm_id)
    out = row.excluded_on
    if out is not None:
        found.excluded.append(Unclear(*who, f"from {out}: {row.exclusion_reason}"))
    dead = row.died_on is not None or row.state is AnimalStatus.DEAD
    ended_on = (row.died_on or row.death) if dead else seen
    stops_before = out is not None and (ended_on is None or out <= ended_on)
    ended_by, event = ("excluded from analysis", False) if stops_before else ("followed until then", False)
    if dead and not stops_before:
        met = outcome(row.reason, reasons)
        if met is Outcome.MISSING or ended_on is None:
            found.missing.append(Unclear(*who, f"died{f' on {ended_on}' if ended_on else ''}, and nobody recorded why"))
            return
        ended_by, event = REASON_WORDS[FateReason(row.reason)], met is Outcome.EVENT
    ended_on = out if stops_before else ended_on
    if zero is None:
        found.missing.append(Unclear(*who, "has no day 0: neither the study nor its enrolment dates one, and nothing was read"))
    elif ended_on is None:
        found.left_out.append(Unclear(*who, "was never seen: no reading, and no day of enrolment"))
    elif ended_on < zero:
        found.left_out.append(Unclear(*who, f"{ended_by} on {ended_on}, before its day 0 on {zero}"))
    elif stops_before and ended_on == zero:
        found.left_out.append(Unclear(*who, "excluded from its day 0 on"))
    else:
        found.ends.append(End(*who, float((ended_on - zero).days), event, ended_on, ended_by))
