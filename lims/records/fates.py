"""Writes what became of animals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.sources import ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Measurement
from lims.queries.chunks import in_chunks
from lims.records.accounts import require_reason


@dataclass(frozen=True, slots=True)
class Death:
    """An animal's death to record."""

    animal_id: int
    on: date


def record_deaths(session: Session, actor: Actor, project_id: int, deaths: Sequence[Death], *, reason: str) -> list[Animal]:
    """Record animals' deaths with the reason: endpoint, found dead, scheduled.

    Raises:
        DomainError: no reason is given, an animal is not of this project or dead already, or the date lies before its
            birth or before one of its measurements.
    """
    declare(session, actor, "animal:change", reason=require_reason(reason), project=project_id)
    ids = [one.animal_id for one in deaths]
    found = in_chunks(session, ids, lambda some: select(Animal).where(Animal.project_id == project_id, Animal.id.in_(some)))
    animals = {animal.id: animal for (animal,) in found if animal.status is RecordStatus.ACTIVE}
    measured = in_chunks(
        session,
        ids,
        lambda some: (
            select(Measurement.animal_id, func.max(Measurement.taken_on))
            .where(Measurement.animal_id.in_(some), Measurement.status == RecordStatus.ACTIVE)
            .group_by(Measurement.animal_id)
        ),
    )
    last = dict(measured)
    for one in deaths:
        _check(animals.get(one.animal_id), one, last.get(one.animal_id))
        animals[one.animal_id].died_on = one.on
        animals[one.animal_id].state = AnimalStatus.DEAD
    session.flush()
    return [animals[key] for key in ids]


def _check(animal: Animal | None, death: Death, last_measured: date | None) -> None:
    if animal is None:
        raise DomainError(f"There is no animal {death.animal_id} in this project.", field="animal")
    if animal.died_on is not None:
        raise DomainError(
            f"Animal {animal.code} died on {animal.died_on} by its record.",
            field="died_on",
            expected="a living animal",
            source=ORDER_OF_EVENTS,
        )
    for limit, what in ((animal.birth_date, "its date of birth"), (last_measured, "its last measurement")):
        if limit is not None and death.on < limit:
            raise DomainError(
                f"Animal {animal.code} cannot have died on {death.on}, before {what} ({limit}).",
                field="died_on",
                expected=f"a date from {limit} on",
                source=ORDER_OF_EVENTS,
            )
