"""Writes what became of animals: the day, the reason and the method (ARRIVE 2.0 item 16; Directive 2010/63/EU, article 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.fates import require_method
from lims.domain.sources import ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Fate
from lims.queries.chunks import by_id, in_chunks
from lims.records.actions import answer_by_fates
from lims.records.colony import ANIMAL
from lims.records.endpoints import judge_last
from lims.records.locked import keep_signed, stay_signed
from lims.records.noun import Draft, Noun
from lims.records.nouns import apply_all, record


def _check_fates(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a second fate, one of a locked study, a day that the record contradicts, and a method of what was found dead."""
    keep_signed(session, drafts)
    keys = [draft.values["animal_id"] for draft in drafts]
    animals = by_id(session, Animal, keys)
    active = select(Fate.animal_id, Fate.id, Fate.died_on).where(Fate.status == RecordStatus.ACTIVE)
    found = in_chunks(session, keys, lambda some: active.where(Fate.animal_id.in_(some)))
    fates: dict[int, tuple[int | None, Any]] = {animal: (key, on) for animal, key, on in found}
    refused: list[DomainError] = []
    for number, draft in enumerate(drafts):
        try:
            with about_row(number):
                own = draft.record.id if draft.record is not None else None
                animal = animals[draft.values["animal_id"]]
                key, on = fates.setdefault(animal.id, (own, draft.values["died_on"]))
                if key != own or (own is None and keys.index(animal.id) != number):
                    raise _dead_already(animal.code, f"has a fate of {on} already")
                if key is None and animal.died_on not in (None, draft.values["died_on"]):
                    raise _dead_already(animal.code, f"died on {animal.died_on} by its record")
                require_method(animal.code, draft.values["reason"], draft.values["method"])
        except DomainError as one:
            refused.append(one)
    refuse_together(refused)


def _dead_already(code: str, told: str) -> DomainError:
    return DomainError(
        f"Animal {code} {told}.",
        field="animal_id",
        expected="an animal whose fate is not recorded",
        remedy="Look whether it is the right animal; change what is recorded of it if that is wrong.",
        source=ORDER_OF_EVENTS,
    )


def _follow_fates(session: Session, fates: Sequence[Fate]) -> None:
    """Let each animal be dead since its fate, judged as any change of its record; a withdrawn fate brings it back alive."""
    animals = by_id(session, Animal, [fate.animal_id for fate in fates])
    apply_all(session, ANIMAL, [(animals[fate.animal_id], _state(fate)) for fate in fates])
    answer_by_fates(session, fates)
    judge_revived_by(session, fates)


def judge_revived_by(session: Session, fates: Sequence[Fate]) -> None:
    """Let the humane endpoints judge the animals whose fates were withdrawn."""
    if revived := [fate.animal_id for fate in fates if fate.status is RecordStatus.WITHDRAWN]:
        judge_last(session, fates[0].project_id, revived)


def _state(fate: Fate) -> Mapping[str, Any]:
    if fate.status is RecordStatus.WITHDRAWN:
        return {"died_on": None, "state": AnimalStatus.ALIVE}
    return {"died_on": fate.died_on, "state": AnimalStatus.DEAD}


FATE: Noun[Fate] = Noun(
    "fate",
    Fate,
    check=_check_fates,
    follow=_follow_fates,
    stay=stay_signed,
    fixed=frozenset({"animal_id"}),
    key=(),
)


def record_fates(
    session: Session, actor: Actor, project_id: int, rows: Sequence[Mapping[str, Any]], *, reason: str = ""
) -> list[Fate]:
    """Record fates by column (`animal_id`, `died_on`, `reason` and what else is known), all of them or none.

    The animals are dead from that day on, and their open actions are answered.

    Raises:
        DomainError: an animal has a fate already, is not of this project, or something was done to it later; `row` says
            which of the list it is.
    """
    if not rows:
        raise DomainError("No animal is named.", field="animal_id", expected="at least one")
    return record(session, actor, FATE, project_id, rows, reason=reason)
