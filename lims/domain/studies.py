"""The life of a study: what each step needs, and what may change in which state.

draft → active → closed, and back to active with a reason; locked by a signature only, and for good. Source: ARRIVE guidelines 2.0
(Percie du Sert et al., PLoS Biol 18:e3000410, 2020), whose items are given by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lims.domain.cohort_terms import FateReason
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import ORDER_OF_EVENTS
from lims.domain.vocabulary import StudyStatus

ARRIVE = "ARRIVE 2.0"


@dataclass(frozen=True, slots=True)
class ArriveItem:
    """One thing that the guideline asks of a study. column: where it is recorded; what: in a sentence."""

    column: str
    number: str
    what: str

    @property
    def source(self) -> str:
        """Name the item, as it is cited."""
        return f"{ARRIVE}, item {self.number}"


ITEMS = (
    ArriveItem("hypothesis", "13", "what the study expects"),
    ArriveItem("experimental_unit", "1b", "the experimental unit"),
    ArriveItem("sample_size_reasoning", "2b", "how the number of animals was decided"),
    ArriveItem("inclusion_criteria", "3a", "which animals are included"),
    ArriveItem("exclusion_criteria", "3a", "which animals or readings are excluded"),
    ArriveItem("blinding", "5", "who knows which arm is which, and when"),
    ArriveItem("primary_outcome", "6b", "the primary outcome"),
    ArriveItem("statistical_methods", "7a", "how the data will be analysed"),
)
"""What a study says of itself beside its arms (1a, 2a), its allocation (4), its animals (8) and procedures (9)."""

ITEM_OF: Mapping[str, ArriveItem] = {item.column: item for item in ITEMS}

PLANNED = (*(item.column for item in ITEMS), "kind", "day_zero", "day_zero_on", "event_reasons")
"""What is decided before there are data; a later change is an amendment, and is reported (ARRIVE 2.0, item 19)."""

STILL_CHANGES: Mapping[StudyStatus, frozenset[str]] = {
    StudyStatus.CLOSED: frozenset({"title", "blinded"}),
    StudyStatus.LOCKED: frozenset({"blinded"}),
}
"""What may still change once a study is over: codes are broken when nothing else can be altered any more."""

STEPS: Mapping[StudyStatus, tuple[StudyStatus, ...]] = {
    StudyStatus.DRAFT: (StudyStatus.ACTIVE,),
    StudyStatus.ACTIVE: (StudyStatus.CLOSED,),
    StudyStatus.CLOSED: (StudyStatus.ACTIVE,),
    StudyStatus.LOCKED: (),
}
"""Which state follows which by a step with a reason."""

SIGNED_STEPS: Mapping[StudyStatus, StudyStatus] = {StudyStatus.CLOSED: StudyStatus.LOCKED}
"""Which state follows which by a signature, and no other way."""

AMEND = "Amend it on the study's page, under Signatures: a correction of a reading or a fate, or a note, signed with its reason."
"""What to do about a locked study: nothing unlocks it."""

_ENROLLING = frozenset({StudyStatus.DRAFT, StudyStatus.ACTIVE})
"""Randomising is the last act of designing: a draft takes animals. It is given no dose until it is active."""


def require_step(code: str, state: StudyStatus, to: StudyStatus) -> None:
    """Refuse a state that does not follow the one that the study is in.

    Raises:
        DomainError: on `state`.
    """
    if to in STEPS[state]:
        return
    following = " or ".join(str(one.value) for one in STEPS[state])
    signed = SIGNED_STEPS.get(state) is to
    raise DomainError(
        f"Study {code} is {state.value}, and cannot become {to.value}{' by this' if signed else ''}.",
        field="state",
        expected=following or "no other state: it is locked by a signature",
        remedy="Lock it on its page: that is a signature." if signed else None,
    )


_BEFORE_LOCK: Mapping[StudyStatus, str] = {
    StudyStatus.DRAFT: "Activate it, and close it when it is over.",
    StudyStatus.ACTIVE: "Close it first.",
    StudyStatus.LOCKED: "Look under Signatures who locked it; sign beside them, or amend it.",
}


def require_signed_step(code: str, state: StudyStatus, to: StudyStatus) -> None:
    """Refuse a signature that would lock a study which is not closed.

    Raises:
        DomainError: on `state`.
    """
    if SIGNED_STEPS.get(state) is not to:
        needed = " or ".join(str(one.value) for one, follows in SIGNED_STEPS.items() if follows is to)
        raise DomainError(
            f"Study {code} is {state.value}.", field="state", expected=f"a study that is {needed}", remedy=_BEFORE_LOCK.get(state)
        )


def require_locked(code: str, state: StudyStatus, what: str) -> None:
    """Refuse what is done to a locked study alone (`what`, at the head of a sentence: "An amendment").

    Raises:
        DomainError: on `state`.
    """
    if state is not StudyStatus.LOCKED:
        raise DomainError(
            f"{what} is of a locked study; study {code} is {state.value}.", field="state", expected="a study that is locked"
        )


def require_changeable(code: str, state: StudyStatus, columns: Iterable[str]) -> None:
    """Refuse changes that the study's state does not allow: a closed study keeps what it says, a locked one everything.

    Raises:
        DomainError: on the first of the columns that may not change.
    """
    refused = sorted(set(columns) - STILL_CHANGES[state]) if state in STILL_CHANGES else []
    if refused:
        require_unlocked(code, state, field=refused[0])
        raise DomainError(
            f"Study {code} is closed.",
            field=refused[0],
            expected="a study that is draft or active",
            remedy="Reopen it first, with a reason.",
        )


def require_unlocked(code: str, state: StudyStatus, *, field: str = "study_id") -> None:
    """Refuse whatever would alter a study that is locked.

    Raises:
        DomainError: on `field`.
    """
    if state is StudyStatus.LOCKED:
        raise DomainError(
            f"Study {code} is locked by a signature.",
            field=field,
            expected="a study that is draft, active or closed",
            remedy=AMEND,
        )


def signed_already(animal: str, study: str) -> DomainError:
    """Give the refusal of what would alter what a locked study says of one of its animals."""
    return DomainError(
        f"Animal {animal} is in study {study}, which is locked by a signature: what is recorded of it stays.",
        field="animal_id",
        expected="an animal of no locked study",
        remedy=AMEND,
    )


def amended(state: StudyStatus, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what was planned before the study began and changes after; filling in what nobody had said amends nothing."""
    if state is StudyStatus.DRAFT:
        return []
    return [name for name in PLANNED if was.get(name) not in (None, [], "") and was.get(name) != now.get(name)]


def require_activation(code: str, said: Mapping[str, Any], arms: int) -> None:
    """Refuse to begin a study without an arm, a primary outcome or a rule for its events.

    Raises:
        DomainError: on what is missing.
    """
    if arms == 0:
        raise DomainError(
            f"Study {code} has no arm.",
            field="state",
            expected="an arm at least",
            remedy="Add its arms, the control among them.",
            source=f"{ARRIVE}, item 1a",
        )
    if not said["primary_outcome"]:
        raise DomainError(
            f"Study {code} has no primary outcome.",
            field="primary_outcome",
            expected="the measurement that the number of animals was reasoned for",
            remedy="Say it under Change the study.",
            source=ITEM_OF["primary_outcome"].source,
        )
    if not said["event_reasons"]:
        raise DomainError(
            f"Study {code} does not say which fates count as an event.",
            field="event_reasons",
            expected="one fate at least; every other one censors",
            remedy="Tick them under Change the study: survival cannot be drawn without it.",
        )


def missing_items(said: Mapping[str, Any]) -> list[ArriveItem]:
    """Give what the guideline asks of a study and nobody has said."""
    return [item for item in ITEMS if not said.get(item.column)]


def require_event_reasons(codes: Iterable[str]) -> list[str]:
    """Give the fates of the rule for events in the vocabulary's order, and refuse what is none.

    Raises:
        DomainError: on `event_reasons`.
    """
    known, named = [reason.value for reason in FateReason], set(codes)
    if unknown := sorted(named.difference(known)):
        raise DomainError(f'"{unknown[0]}" is no fate.', field="event_reasons", expected=", ".join(known))
    return [code for code in known if code in named]


def require_enrolling(code: str, state: StudyStatus) -> None:
    """Refuse animals, arms and exclusions in a study that is closed or locked.

    Raises:
        DomainError: on `study_id`.
    """
    if state in _ENROLLING:
        return
    raise DomainError(
        f"Study {code} is {state.value}: who is in it does not change any more.",
        field="study_id",
        expected="a study that is draft or active",
        remedy=AMEND if state is StudyStatus.LOCKED else "Reopen the study first, with a reason.",
    )


def doubt_enrolled(animal: str, enrolled_on: date | None, first_dose: date | None) -> Iterator[Notice]:
    """Doubt an enrolment that moves behind the animal's first dose in the study."""
    if enrolled_on is not None and first_dose is not None and first_dose < enrolled_on:
        told = f"Animal {animal} was given its first dose on {first_dose}, before this day."
        yield Notice("warning", "enrolled_on", told, f"{first_dose} or earlier", ORDER_OF_EVENTS)


def doubt_own_zero(animal: str, doses: int) -> Iterator[Notice]:
    """Doubt a day 0 that moves away from the doses that were planned by it."""
    if doses:
        told = f"{doses} dose{'s' if doses > 1 else ''} of {animal} followed from the day 0 before: what is planned moves away."
        yield Notice("warning", "day_zero_on", told, "a day 0 that stands when dosing begins", ORDER_OF_EVENTS)


def require_active(code: str, state: StudyStatus, what: str) -> None:
    """Refuse what only a running study takes, such as a dose (`what`, at the head of a sentence: "A dose").

    Raises:
        DomainError: on `study_id`.
    """
    if state is StudyStatus.ACTIVE:
        return
    remedy = {
        StudyStatus.DRAFT: "Activate the study first.",
        StudyStatus.CLOSED: "Reopen the study first, with a reason.",
        StudyStatus.LOCKED: AMEND,
    }
    raise DomainError(
        f"{what} is given in an active study; study {code} is {state.value}.",
        field="study_id",
        expected="an active study",
        remedy=remedy.get(state),
    )


def require_room_in_arm(arm: str, study: str, target_n: int | None, enrolled: int, joining: int) -> None:
    """Refuse more animals than an arm was planned for (ARRIVE 2.0, item 2a).

    Raises:
        DomainError: on `arm_id`.
    """
    if target_n is None or enrolled + joining <= target_n:
        return
    free = max(target_n - enrolled, 0)
    room = f"has room for {free} more" if free else "is full"
    raise DomainError(
        f"Arm {arm} of study {study} {room}: {enrolled} of {target_n} animals are in it, and {joining} would come.",
        field="arm_id",
        expected="an arm with room for them",
        remedy="Choose another arm, or raise this one's planned number with the reason for it.",
        source=f"{ARRIVE}, item 2a",
    )
