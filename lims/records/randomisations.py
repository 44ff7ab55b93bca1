"""Writes randomisations: which animal went to which arm, by which method and seed, and which were left out (ARRIVE 2.0 item 4)."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.allocation import ALGORITHMS, SOURCE, Candidate, Place, allocate, block_size
from lims.domain.blinding import arm_word
from lims.domain.cohort_terms import AllocationMethod, Stratum
from lims.domain.errors import DomainError
from lims.domain.studies import AMEND
from lims.domain.vocabulary import AnimalStatus, MeasurementKind, RecordStatus, StudyStatus
from lims.models import Allocation, Animal, Arm, Enrolment, Randomisation, Study
from lims.queries.allocation import (
    BASELINE_DAYS,
    BaselineReading,
    allocations_of,
    animals_of,
    baselines,
    doses_recorded,
    planned_arms,
    runs_of,
    settled_animals,
)
from lims.records.noun import Noun
from lims.records.nouns import record
from lims.records.studies import ENROLMENT
from lims.records.values import today

RANDOMISATION: Noun[Randomisation] = Noun("randomisation", Randomisation, key=("study_id", "number"))
_ALLOCATION: Noun[Allocation] = Noun("randomisation", Allocation, key=())


@dataclass(frozen=True, slots=True)
class Wish:
    """What to randomise, and how.

    animals: ids of those to allocate. left_out: id of each that is not → why. baseline: kind and day of what they are ranked
    by, or none. seed: blank draws one. reason: why it is run again; needed where there is a run already.
    on: the day on which it was drawn and the animals enrolled, where that is not today.
    """

    method: AllocationMethod
    animals: Sequence[int]
    left_out: Mapping[int, str]
    kind: MeasurementKind | None = None
    baseline_on: date | None = None
    strata: tuple[Stratum, ...] = ()
    seed: str = ""
    reason: str = ""
    on: date | None = None


def randomise(session: Session, actor: Actor, study: Study, wish: Wish) -> Randomisation:
    """Allocate animals to the arms of a study and enrol them; an earlier run keeps its record and loses its enrolments.

    Raises:
        DomainError: the study takes no animals, arms lack their planned number, an animal has no baseline, there are more
            animals than places, or the study was run before and no reason is given or doses are recorded already.
    """
    declare(session, actor, "randomisation:create", reason=wish.reason, project=study.project_id)
    before = runs_of(session, study.id)
    _require_open(session, study, wish, again=bool(before))
    arms = _arms(session, study)
    animals = animals_of(session, study.project_id, [*wish.animals, *wish.left_out])
    _require_known(animals, wish)
    _require_free(session, study, animals, wish)
    values = _baselines(session, animals, wish)
    ranked = [_candidate(animals[key], values.get(key), wish) for key in wish.animals]
    seed = wish.seed.strip() or str(secrets.randbelow(10**9))
    allocated = allocate(wish.method, ranked, [Place(arm.code, arm.target_n or 0) for arm in arms], seed)
    run = _record_run(session, actor, study, wish, seed, len(before) + 1, arms)
    _record_allocations(session, actor, run, [(one.code, one.arm) for one in allocated], animals, arms, values, wish)
    if before:
        _leave(session, before[0])
    by_code = {animal.code: animal.id for animal in animals.values()}
    arm_of = {arm.code: arm.id for arm in arms}
    enrolled = [_enrolment(study, by_code[one.code], arm_of[one.arm], run) for one in allocated]
    record(session, actor, ENROLMENT, study.project_id, enrolled, reason=wish.reason)
    return run


def made_again(session: Session, run: Randomisation, kind: MeasurementKind | None) -> bool:
    """Tell whether the recorded method, seed, places and baselines give the recorded allocation once more."""
    rows = [one for one in allocations_of(session, run.id) if one.arm_id is not None]
    codes = dict(session.execute(select(Arm.id, Arm.code).where(Arm.study_id == run.study_id)).all())
    ranked = [Candidate(one.code, _ranked_by(one.baseline, kind), _levels(one.stratum)) for one in rows]
    places = [Place(code, int(number)) for code, number in (text.rsplit(": ", 1) for text in run.places)]
    again = allocate(run.method, ranked, places, run.seed)
    return [(one.code, one.arm) for one in again] == [(one.code, codes[one.arm_id or 0]) for one in rows]


def _require_open(session: Session, study: Study, wish: Wish, *, again: bool) -> None:
    if study.state not in (StudyStatus.DRAFT, StudyStatus.ACTIVE):
        raise DomainError(
            f"Study {study.code} is {study.state.value}.",
            field="study",
            expected="a study that is a draft or active",
            remedy=AMEND if study.state is StudyStatus.LOCKED else "Reopen the study first, with a reason.",
            source=SOURCE,
        )
    doses = doses_recorded(session, study.id)
    if again and doses:
        raise DomainError(
            f"{doses:,} dose{'s are' if doses > 1 else ' is'} recorded in study {study.code}: its animals are treated already.",
            field="study",
            expected="a study in which nothing was given yet",
            remedy="Withdraw what was recorded by mistake, or begin another study.",
            source=SOURCE,
        )
    if again and not wish.reason.strip():
        raise DomainError(
            "The study was randomised before: running it again needs a reason.",
            field="reason",
            expected="why the allocation that is there cannot stand",
            source=SOURCE,
        )


def _arms(session: Session, study: Study) -> list[Arm]:
    arms = planned_arms(session, study.id)
    unplanned = [arm_word(arm.code, arm.blind_code, blinded=study.blinded) for arm in arms if arm.target_n is None]
    if unplanned:
        raise DomainError(
            f"{'Arm' if len(unplanned) == 1 else 'Arms'} {', '.join(unplanned)} of study {study.code} "
            f"{'has' if len(unplanned) == 1 else 'have'} no planned number of animals.",
            field="study",
            expected="a planned number for every arm",
            remedy="Record it on the arm first.",
            source="ARRIVE 2.0 item 2a",
        )
    return arms


def _require_known(animals: Mapping[int, Animal], wish: Wish) -> None:
    missing = sorted({*wish.animals, *wish.left_out} - animals.keys())
    if missing:
        raise DomainError(
            f"There is no animal {missing[0]} in this project.", field="animals", expected="animals of this project that are alive"
        )
    both = sorted(animals[key].code for key in wish.left_out if key in wish.animals)
    if both:
        raise DomainError(f"{both[0]} is allocated and left out at once.", field="animals", expected="one or the other")
    silent = sorted(animals[key].code for key, reason in wish.left_out.items() if not reason.strip())
    if silent:
        raise DomainError(
            f"{', '.join(silent[:5])}{f' and {len(silent) - 5} more' if len(silent) > 5 else ''} "
            f"{'is' if len(silent) == 1 else 'are'} left out, and nobody says why.",
            field="animals",
            expected="a reason for every animal that is left out",
            remedy="Type why, such as: no flux on day 14.",
            source="ARRIVE 2.0 item 3b",
        )


def _require_free(session: Session, study: Study, animals: Mapping[int, Animal], wish: Wish) -> None:
    """Refuse to allocate the dead, and who was put in an arm by hand; nobody else may be in the study when it is run."""
    dead = {key for key in wish.animals if animals[key].died_on is not None or animals[key].state is AnimalStatus.DEAD}
    by_hand = dead or settled_animals(session, study.id) & set(wish.animals)
    if taken := sorted(animals[key].code for key in by_hand):
        one = len(taken) == 1
        what = f"{'is' if one else 'are'} dead" if dead else f"{'is' if one else 'are'} in an arm already, put there by hand"
        raise DomainError(
            f"{', '.join(taken[:5])}{' and others' if len(taken) > 5 else ''} {what}.",
            field="animals",
            expected="living animals that are in no arm of the study",
            remedy="Leave them out, with that reason." if dead else "Leave them out, or withdraw their enrolment first.",
            source=SOURCE,
        )


def _baselines(session: Session, animals: Mapping[int, Animal], wish: Wish) -> dict[int, BaselineReading]:
    """Give what animals are ranked by; all that are allocated need it, on the day or shortly before."""
    if wish.kind is None:
        return {}
    if wish.baseline_on is None:
        raise DomainError("The day of the baseline is needed.", field="baseline_on", expected="the day on which it was measured")
    if wish.baseline_on > (wish.on or today(session)):
        raise DomainError("The baseline lies in the future.", field="baseline_on", expected="today or earlier")
    found = baselines(session, list(animals), wish.kind.code, wish.baseline_on)
    bare = sorted(animals[key].code for key in wish.animals if key not in found)
    if bare:
        raise DomainError(
            f"{', '.join(bare[:5])}{' and others' if len(bare) > 5 else ''} {'has' if len(bare) == 1 else 'have'} no reading of "
            f"{wish.kind.title} on {wish.baseline_on} or the {BASELINE_DAYS} days before.",
            field="animals",
            expected="a baseline of every animal that is allocated",
            remedy="Record it, choose another day, or leave them out with that reason.",
            source=SOURCE,
        )
    low = sorted(animals[key].code for key in wish.animals if wish.kind.log_axis and found[key].value <= 0)
    if low:
        raise DomainError(
            f"{', '.join(low[:5])}: {wish.kind.title} at or below 0 cannot be compared by factors.",
            field="animals",
            expected=f"values above 0 {wish.kind.unit}",
            remedy="Leave them out with that reason.",
        )
    return found


def _ranked_by(value: float | None, kind: MeasurementKind | None) -> float | None:
    """Give the number that ranks: its decimal logarithm where a kind spans decades, as flux does."""
    return math.log10(value) if value is not None and kind is not None and kind.log_axis else value


def _stratum(animal: Animal, strata: Sequence[Stratum]) -> str | None:
    of = {Stratum.SEX: animal.sex.value, Stratum.CAGE: animal.cage.code if animal.cage else "no cage"}
    return "; ".join(of[one] for one in strata) or None


def _levels(stratum: str | None) -> tuple[str, ...]:
    return tuple(stratum.split("; ")) if stratum else ()


def _candidate(animal: Animal, baseline: BaselineReading | None, wish: Wish) -> Candidate:
    value = _ranked_by(baseline.value, wish.kind) if baseline else None
    return Candidate(animal.code, value, _levels(_stratum(animal, wish.strata)))


def _record_run(
    session: Session, actor: Actor, study: Study, wish: Wish, seed: str, number: int, arms: Sequence[Arm]
) -> Randomisation:
    places = [Place(arm.code, arm.target_n or 0) for arm in arms]
    values: dict[str, Any] = {
        "study_id": study.id,
        "number": number,
        "method": wish.method,
        "algorithm": ALGORITHMS[wish.method],
        "seed": seed,
        "baseline_kind": wish.kind.code if wish.kind else None,
        "baseline_on": wish.baseline_on if wish.kind else None,
        "strata": [one.value for one in wish.strata],
        "block_size": block_size(places) if wish.method is AllocationMethod.STRATIFIED_BLOCKS else None,
        "places": [f"{place.arm}: {place.places}" for place in places],
        "made_on": wish.on or today(session),
        "reason": wish.reason.strip() or None,
    }
    return record(session, actor, RANDOMISATION, study.project_id, [values], reason=wish.reason)[0]


def _record_allocations(
    session: Session,
    actor: Actor,
    run: Randomisation,
    allocated: Sequence[tuple[str, str]],
    animals: Mapping[int, Animal],
    arms: Sequence[Arm],
    values: Mapping[int, BaselineReading],
    wish: Wish,
) -> None:
    ids, arm_ids = {animal.code: key for key, animal in animals.items()}, {arm.code: arm.id for arm in arms}
    placed = [(ids[code], arm_ids[arm], None) for code, arm in allocated]
    left_out = [(key, None, wish.left_out[key].strip()) for key in sorted(wish.left_out, key=lambda key: animals[key].code)]
    rows = [
        {
            "randomisation_id": run.id,
            "animal_id": key,
            "arm_id": arm,
            "position": position,
            "stratum": _stratum(animals[key], wish.strata),
            "baseline_value": values[key].value if key in values else None,
            "exclusion_reason": reason,
        }
        for position, (key, arm, reason) in enumerate([*placed, *left_out], start=1)
    ]
    record(session, actor, _ALLOCATION, run.project_id, rows, reason=wish.reason)


def _leave(session: Session, run: Randomisation) -> None:
    """Take back the enrolments of an earlier run."""
    wanted = select(Enrolment).where(Enrolment.randomisation_id == run.id, Enrolment.status == RecordStatus.ACTIVE)
    for enrolment in session.scalars(wanted):
        enrolment.status = RecordStatus.WITHDRAWN
    session.flush()


def _enrolment(study: Study, animal_id: int, arm_id: int, run: Randomisation) -> dict[str, Any]:
    return {
        "study_id": study.id,
        "animal_id": animal_id,
        "arm_id": arm_id,
        "enrolled_on": run.made_on,
        "randomisation_id": run.id,
    }
