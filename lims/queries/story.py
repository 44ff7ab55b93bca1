"""Reads the records that the demo's story points to. What somebody changed since is simply not pointed to any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import BatchState, ImplantSite, Quality, RecordStatus, StudyStatus
from lims.models import Animal, Consent, Enrolment, Implant, ImportBatch, Measurement, Patient, PdxModel, Specimen, Study


@dataclass(frozen=True, slots=True)
class StoryStudy:
    """A study of the story: where its tumours are, how many animals it has and how many of them left early."""

    id: int
    code: str
    title: str
    state: StudyStatus
    site: ImplantSite
    animals: int


@dataclass(frozen=True, slots=True)
class Origin:
    """A model with its patient and founding specimen: code and id of each, and the highest passage."""

    patient: tuple[str, int]
    specimen: tuple[str, int]
    model: tuple[str, int]
    passage: int | None


@dataclass(frozen=True, slots=True)
class Story:
    """The records of a demo project that its story walks through."""

    origin: Origin | None
    """Where the model with the most tumours comes from."""
    withdrawn: Row[str, int] | None
    """A patient whose consent was withdrawn, by code and id."""
    studies: list[StoryStudy]
    batches: Mapping[BatchState, Row[BatchState, int, str]]
    """The newest file in each state."""
    ended: Row[int, str] | None
    """The first animal that left a study, by id and code."""
    doubted: Mapping[Quality, Row[Quality, int, str]]
    """Quality → a reading of it, by animal's id and code."""


def story(session: Session, project_id: int) -> Story:
    """Give the records of a project that the story walks through: one statement for each paragraph."""
    return Story(
        _origin(session, project_id),
        _withdrawn(session, project_id),
        _studies(session, project_id),
        _batches(session, project_id),
        _ended(session, project_id),
        _doubted(session, project_id),
    )


def _origin(session: Session, project_id: int) -> Origin | None:
    columns = (Patient.code, Patient.id, Specimen.code, Specimen.id, PdxModel.code, PdxModel.id)
    found = session.execute(
        select(*columns, func.max(Implant.passage))
        .join(Specimen, Specimen.patient_id == Patient.id)
        .join(PdxModel, PdxModel.founding_specimen_id == Specimen.id)
        .join(Implant, Implant.model_id == PdxModel.id)
        .where(PdxModel.project_id == project_id, PdxModel.status == RecordStatus.ACTIVE)
        .group_by(*columns)
        .order_by(func.count().desc())
        .limit(1)
    ).first()
    return Origin((found[0], found[1]), (found[2], found[3]), (found[4], found[5]), found[6]) if found else None


def _withdrawn(session: Session, project_id: int) -> Row[str, int] | None:
    """Give the first patient who took the consent back."""
    return session.execute(
        select(Patient.code, Patient.id)
        .join(Consent, Consent.patient_id == Patient.id)
        .where(Patient.project_id == project_id, Consent.withdrawn_on.is_not(None), Consent.status == RecordStatus.ACTIVE)
        .order_by(Patient.id)
        .limit(1)
    ).first()


def _studies(session: Session, project_id: int) -> list[StoryStudy]:
    rows = session.execute(
        select(Study.id, Study.code, Study.title, Study.state, func.min(Implant.site), func.count(Enrolment.animal_id.distinct()))
        .join(Enrolment, Enrolment.study_id == Study.id)
        .join(Implant, Implant.animal_id == Enrolment.animal_id)
        .where(Study.project_id == project_id, Study.status == RecordStatus.ACTIVE, Enrolment.status == RecordStatus.ACTIVE)
        .group_by(Study.id, Study.code, Study.title, Study.state)
        .order_by(Study.id)
        .limit(3)
    )
    return [StoryStudy(*row[:4], ImplantSite(row[4]), row[5]) for row in rows]


def _batches(session: Session, project_id: int) -> dict[BatchState, Row[BatchState, int, str]]:
    newest = select(func.max(ImportBatch.id)).where(ImportBatch.project_id == project_id).group_by(ImportBatch.state)
    rows = session.execute(select(ImportBatch.state, ImportBatch.id, ImportBatch.file_name).where(ImportBatch.id.in_(newest)))
    return {row.state: row for row in rows}


def _ended(session: Session, project_id: int) -> Row[int, str] | None:
    return session.execute(
        select(Animal.id, Animal.code)
        .join(Enrolment, Enrolment.animal_id == Animal.id)
        .join(Study, Study.id == Enrolment.study_id)
        .where(Animal.project_id == project_id, Animal.status == RecordStatus.ACTIVE, Animal.died_on.is_not(None))
        .order_by(Animal.died_on, Animal.id)
        .limit(1)
    ).first()


def _doubted(session: Session, project_id: int) -> dict[Quality, Row[Quality, int, str]]:
    first = (
        select(func.min(Measurement.id))
        .where(
            Measurement.project_id == project_id,
            Measurement.status == RecordStatus.ACTIVE,
            Measurement.quality.in_((Quality.SUSPECT, Quality.EXCLUDED)),
        )
        .group_by(Measurement.quality)
    )
    rows = session.execute(
        select(Measurement.quality, Animal.id, Animal.code)
        .join(Animal, Animal.id == Measurement.animal_id)
        .where(Measurement.id.in_(first))
    )
    return {row.quality: row for row in rows}
