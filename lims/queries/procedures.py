"""Read models of procedures: the list, and how much blood was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import ProcedureKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, Procedure
from lims.queries.chunks import in_chunks, read
from lims.queries.series import AnySelect


def procedure_list(project_id: int) -> AnySelect:
    """Select the project's procedures with the animal."""
    return (
        select(Animal.code.label("animal"), Animal.id.label("animal_id"))
        .select_from(Procedure)
        .join(Animal, Animal.id == Procedure.animal_id)
        .where(Procedure.project_id == project_id)
    )


_procedure = Procedure.__table__.c
_OF_ANIMAL = (
    select(Procedure.__table__)
    .where(_procedure.animal_id == bindparam("animal_id"), _procedure.status == RecordStatus.ACTIVE)
    .order_by(_procedure.done_on.desc(), _procedure.id.desc())
)


def procedures_of(session: Session, animal_id: int) -> Sequence[Row[Any]]:
    """List an animal's active procedures, the latest first, as their columns."""
    return read(session, _OF_ANIMAL, animal_id=animal_id).all()


def blood_drawn(
    session: Session, animals: Sequence[int], since: date, until: date, *, leaving_out: frozenset[int] = frozenset()
) -> dict[int, float]:
    """Give how many µL of blood were drawn from animals between two days, both included."""
    drawn = (
        select(Procedure.animal_id, func.sum(Procedure.volume_ul))
        .where(Procedure.kind == ProcedureKind.BLOOD_DRAW, Procedure.status == RecordStatus.ACTIVE)
        .where(Procedure.volume_ul.is_not(None), Procedure.done_on.between(since, until), Procedure.id.not_in(leaving_out))
        .group_by(Procedure.animal_id)
    )
    return dict(in_chunks(session, animals, lambda some: drawn.where(Procedure.animal_id.in_(some))))
