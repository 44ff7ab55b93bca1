"""Read models of aliquots: the list with where each stands, and what one has been through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, String, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session, joinedload

from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, AliquotEvent, Implant, Patient, Specimen, StoragePlace
from lims.queries.series import AnySelect
from lims.queries.storage import paths


@dataclass(frozen=True, slots=True)
class AliquotRows:
    """The statement behind a list of aliquots, and what it gives beside their own columns.

    position is the label on the lid (`A4`); where is place and position as people read them; order sorts by both.
    """

    select: AnySelect
    position: ColumnElement[Any]
    where: ColumnElement[Any]
    order: ColumnElement[Any]


def position_of() -> ColumnElement[str]:
    """Give the label of an aliquot's position, `A4`, as a column of a statement that selects from `Aliquot`."""
    letter = func.substr(ascii_uppercase, Aliquot.box_row, 1)
    return type_coerce(letter + cast(Aliquot.box_column, Text), String())


def aliquot_rows(project_id: int) -> AliquotRows:
    """Select the project's aliquots with specimen, donor and place."""
    path = paths(project_id)
    position = position_of()
    rows = (
        select(Aliquot)
        .join(Specimen, Specimen.id == Aliquot.specimen_id)
        .outerjoin(Patient, Patient.id == Specimen.donor_id)
        .outerjoin(StoragePlace, StoragePlace.id == Aliquot.place_id)
        .outerjoin(path, path.c.id == Aliquot.place_id)
        .where(Aliquot.project_id == project_id)
    )
    # Two digits each, so that A10 comes after A9.
    number = cast(10_000 + func.coalesce(Aliquot.box_row, 0) * 100 + func.coalesce(Aliquot.box_column, 0), Text)
    label = func.coalesce(" " + position, "")
    return AliquotRows(rows, position, path.c.path + label, path.c.path + " " + number)


def events_of(session: Session, aliquot_id: int) -> Sequence[AliquotEvent]:
    """List what happened to an aliquot, the newest first."""
    own = select(AliquotEvent).where(AliquotEvent.aliquot_id == aliquot_id, AliquotEvent.status == RecordStatus.ACTIVE)
    return session.scalars(own.order_by(AliquotEvent.happened_on.desc(), AliquotEvent.id.desc())).all()


def parts_of(session: Session, aliquot_id: int) -> Sequence[Aliquot]:
    """List what was split off an aliquot, in order."""
    parts = select(Aliquot).where(Aliquot.parent_id == aliquot_id, Aliquot.status == RecordStatus.ACTIVE)
    return session.scalars(parts.order_by(Aliquot.id).options(joinedload(Aliquot.place))).all()


def implants_of(session: Session, aliquot_id: int) -> Sequence[Implant]:
    """List the implants that were made from an aliquot, each with its animal, in order."""
    made = select(Implant).where(Implant.aliquot_id == aliquot_id, Implant.status == RecordStatus.ACTIVE)
    return session.scalars(made.order_by(Implant.implanted_on, Implant.id).options(joinedload(Implant.animal))).all()


def named(session: Session, project_id: int, codes: Sequence[str]) -> dict[str, Aliquot]:
    """Find aliquots of the project by their barcodes, each with specimen; those that are withdrawn are left out."""
    wanted = select(Aliquot).where(Aliquot.project_id == project_id, Aliquot.code.in_(codes), Aliquot.status == RecordStatus.ACTIVE)
    return {one.code: one for one in session.scalars(wanted.options(joinedload(Aliquot.specimen)))}
