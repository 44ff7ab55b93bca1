"""Read models of implants: the list, and what one implant led to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.vocabulary import RecordStatus
from lims.models import (
    Aliquot,
    Animal,
    AuditChange,
    AuditEvent,
    CellPreparation,
    Implant,
    Measurement,
    Patient,
    PdxModel,
    Specimen,
)
from lims.queries.chunks import in_chunks
from lims.queries.colony import living
from lims.queries.series import AnySelect, counted

VOLUMES = ("caliper_volume", "mri_volume")
"""Kinds of measurement that see a tumour."""


def implant_list(project_id: int) -> AnySelect:
    """Select the project's implants with animal, model, patient and aliquot."""
    return (
        select(
            Animal.code.label("animal"),
            Animal.id.label("animal_id"),
            PdxModel.code.label("model"),
            PdxModel.passage_convention.label("convention"),
            Patient.code.label("patient"),
            Aliquot.code.label("aliquot"),
            CellPreparation.code.label("preparation"),
        )
        .select_from(Implant)
        .join(Animal, Animal.id == Implant.animal_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .outerjoin(Patient, Patient.id == Implant.donor_id)
        .outerjoin(Aliquot, Aliquot.id == Implant.aliquot_id)
        .outerjoin(CellPreparation, CellPreparation.id == Implant.preparation_id)
        .where(Implant.project_id == project_id)
    )


def choices_of(session: Session, project_id: int) -> dict[str, list[tuple[str, str]]]:
    """List what the project's implants may be filtered by: model, patient, passage, surgeon; as they stand in records."""
    names = ("model", "patient", "passage", "surgeon")
    columns = (PdxModel.code, Patient.code, Implant.passage, Implant.surgeon)
    rows = session.execute(implant_list(project_id).with_only_columns(*columns, maintain_column_froms=True).distinct()).all()
    found: dict[str, list[Any]] = {name: sorted({row[at] for row in rows if row[at] is not None}) for at, name in enumerate(names)}
    return {name: [(str(one), str(one)) for one in values] for name, values in found.items()}


def implants_in_order(session: Session, project_id: int, ids: Sequence[int]) -> Sequence[Implant]:
    """Give implants of the project with what stands beside them on a list of surgery, in the order they were recorded in."""
    wanted = select(Implant).where(Implant.project_id == project_id, Implant.id.in_(ids)).order_by(Implant.id)
    beside = (joinedload(Implant.animal).joinedload(Animal.cage), joinedload(Implant.model), joinedload(Implant.aliquot))
    return session.scalars(wanted.options(*beside)).all()


def living_codes(session: Session, project_id: int, limit: int) -> Sequence[str]:
    """List codes of animals that may be operated on, the newest first."""
    wanted = select(Animal.code).where(Animal.project_id == project_id, *living())
    return session.scalars(wanted.order_by(Animal.id.desc()).limit(limit)).all()


def harvests_of(session: Session, implant_id: int) -> Sequence[tuple[Specimen, int]]:
    """List what was harvested from an implant, with how many aliquots each has."""
    aliquots = select(func.count()).where(Aliquot.specimen_id == Specimen.id, Aliquot.status == RecordStatus.ACTIVE)
    wanted = (
        select(Specimen, aliquots.correlate(Specimen).scalar_subquery())
        .where(Specimen.source_implant_id == implant_id, Specimen.status == RecordStatus.ACTIVE)
        .order_by(Specimen.collected_on, Specimen.code)
    )
    return [(specimen, count) for specimen, count in session.execute(wanted)]


def readings_of(session: Session, implant_id: int) -> int:
    """Count the readings of an implant that count."""
    return session.scalar(select(func.count()).where(Measurement.implant_id == implant_id, *counted())) or 0


def first_seen_on(session: Session, implant_id: int) -> date | None:
    """Give the day on which an implant's tumour was first measured with any volume."""
    seen = (Measurement.implant_id == implant_id, Measurement.kind.in_(VOLUMES), Measurement.value > 0)
    return session.scalar(select(func.min(Measurement.taken_on)).where(*seen, *counted()))


def first_implanted(session: Session, animals: Sequence[int]) -> dict[int, date | None]:
    """Give the day on which each animal was implanted first, where that is recorded."""
    first = select(Implant.animal_id, func.min(Implant.implanted_on)).where(Implant.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, animals, lambda some: first.where(Implant.animal_id.in_(some)).group_by(Implant.animal_id))
    return dict(rows)


def brought_by_files(session: Session, ids: Sequence[int]) -> set[int]:
    """Give those of these implants that an import made, as their first entry in the audit trail says."""
    first = select(AuditChange.key, func.min(AuditChange.event_seq).label("seq")).where(AuditChange.entity == "implant")
    rows = in_chunks(session, ids, lambda some: _by_file(first.where(AuditChange.key.in_(some)).group_by(AuditChange.key)))
    return {key for (key,) in rows}


def _by_file(first: AnySelect) -> AnySelect:
    made = first.subquery()
    return select(made.c.key).join(AuditEvent, AuditEvent.seq == made.c.seq).where(AuditEvent.action == "batch:commit")


def implants_of_animals(session: Session, animals: Sequence[int]) -> dict[int, list[Implant]]:
    """Give the active implants of animals, by animal."""
    found: dict[int, list[Implant]] = defaultdict(list)
    wanted = select(Implant).where(Implant.status == RecordStatus.ACTIVE).order_by(Implant.label)
    for (implant,) in in_chunks(session, sorted(set(animals)), lambda some: wanted.where(Implant.animal_id.in_(some))):
        found[implant.animal_id].append(implant)
    return found
