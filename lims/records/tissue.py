"""Writes patients, specimens and PDX models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier
from lims.domain.pseudonyms import clean_patient_code
from lims.domain.vocabulary import (
    CollectionProcedure,
    ModelStatus,
    PassageConvention,
    RecordStatus,
    Sex,
    SpecimenKind,
    TumourOrigin,
)
from lims.models import Patient, PdxModel, Specimen
from lims.queries.chunks import in_chunks
from lims.records.common import add_or_reinstate

Coded = TypeVar("Coded", Patient, Specimen, PdxModel)


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient to record by pseudonym; whatever is not known stays not recorded."""

    code: str
    sex: Sex = Sex.NOT_RECORDED
    birth_year: int | None = None
    ethnicity: str | None = None
    diagnosis: str | None = None
    diagnosis_ncit: str | None = None
    age_at_diagnosis: int | None = None


@dataclass(frozen=True, slots=True)
class NewSpecimen:
    """A specimen to record, from a patient or from an implant in an animal: one of the two."""

    code: str
    patient_id: int | None = None
    source_implant_id: int | None = None
    kind: SpecimenKind = SpecimenKind.TUMOUR
    collected_on: date | None = None
    procedure: CollectionProcedure = CollectionProcedure.NOT_RECORDED
    site: str | None = None
    site_uberon: str | None = None
    origin: TumourOrigin = TumourOrigin.NOT_RECORDED
    cold_ischaemia_minutes: int | None = None
    tumour_content_percent: float | None = None
    necrosis_percent: float | None = None
    histology: str | None = None
    grade: int | None = None


@dataclass(frozen=True, slots=True)
class NewModel:
    """A PDX model to record; an old file names no more than its code."""

    code: str
    founding_specimen_id: int | None = None
    state: ModelStatus = ModelStatus.ATTEMPTED
    luciferase_label: str | None = None
    passage_convention: PassageConvention = PassageConvention.FIRST_IS_P0
    sharing_terms: str | None = None


def add_patients(
    session: Session, actor: Actor, project_id: int, patients: Sequence[NewPatient], *, reason: str = ""
) -> list[Patient]:
    """Record patients; one is a list of one.

    Raises:
        DomainError: a code is taken, or looks like a name, a date of birth or a hospital number.
    """
    declare(session, actor, "patient:create", reason=reason, project=project_id)
    codes = [clean_patient_code(one.code) for one in patients]
    return _add(session, project_id, Patient, codes, patients, what="patient")


def add_specimens(
    session: Session, actor: Actor, project_id: int, specimens: Sequence[NewSpecimen], *, reason: str = ""
) -> list[Specimen]:
    """Record specimens of patients or animals of this project; one is a list of one.

    Raises:
        DomainError: a code is taken, or a specimen has no source or two.
    """
    declare(session, actor, "specimen:create", reason=reason, project=project_id)
    codes = [clean_identifier(one.code, what="specimen code") for one in specimens]
    for code, one in zip(codes, specimens, strict=True):
        if (one.patient_id is None) == (one.source_implant_id is None):
            raise DomainError(
                f'Specimen "{code}" has {"no source" if one.patient_id is None else "two sources"}.',
                field="source",
                expected="either the patient it was taken from, or the tumour in an animal",
            )
    return _add(session, project_id, Specimen, codes, specimens, what="specimen")


def add_models(session: Session, actor: Actor, project_id: int, models: Sequence[NewModel], *, reason: str = "") -> list[PdxModel]:
    """Record PDX models; one is a list of one.

    Raises:
        DomainError: a code is taken.
    """
    declare(session, actor, "model:create", reason=reason, project=project_id)
    codes = [clean_identifier(one.code, what="model code") for one in models]
    return _add(session, project_id, PdxModel, codes, models, what="model")


def _add(
    session: Session,
    project_id: int,
    table: type[Coded],
    codes: Sequence[str],
    new: Sequence[NewPatient | NewSpecimen | NewModel],
    *,
    what: str,
) -> list[Coded]:
    """Add records under codes that are free, or belong to withdrawn records, which come back."""
    known = in_chunks(session, codes, lambda some: select(table).where(table.project_id == project_id, table.code.in_(some)))
    existing = {record.code: record for (record,) in known}
    times = Counter(codes)
    for code in codes:
        taken = code in existing and existing[code].status is RecordStatus.ACTIVE
        if taken or times[code] > 1:
            told = "exists already" if taken else f"stands {times[code]} times in this list"
            raise DomainError(
                f'{what.capitalize()} "{code}" {told}.', field="code", expected=f"a code no other {what} of the project has"
            )
    wanted = [(code, asdict(one) | {"project_id": project_id, "code": code}) for code, one in zip(codes, new, strict=True)]
    return add_or_reinstate(session, existing, wanted, table)
