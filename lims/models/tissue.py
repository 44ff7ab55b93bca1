"""From the patient to the model: patients, specimens, PDX models (PDX-MI, MIABIS)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import (
    CollectionProcedure,
    ModelStatus,
    PassageConvention,
    Sex,
    SpecimenKind,
    TumourOrigin,
)
from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference


class Patient(InProject, Withdrawable, Versioned, Base):
    """A person, known by a pseudonym only: no name, no date of birth, no hospital number."""

    __tablename__ = "patient"

    id: Mapped[Id]
    code: Mapped[Code]
    sex: Mapped[Sex] = mapped_column(default=Sex.NOT_RECORDED)
    birth_year: Mapped[int | None]
    ethnicity: Mapped[Name | None]
    diagnosis: Mapped[Name | None]
    diagnosis_ncit: Mapped[Code | None]
    """NCI Thesaurus code, such as C53556 for HER2-positive breast carcinoma."""
    age_at_diagnosis: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("birth_year BETWEEN 1900 AND 2100", name="birth_year_plausible"),
        CheckConstraint("age_at_diagnosis BETWEEN 0 AND 120", name="age_plausible"),
    )


class Specimen(InProject, Withdrawable, Versioned, Base):
    """What was collected, from a patient or from an implant in an animal."""

    __tablename__ = "specimen"

    id: Mapped[Id]
    code: Mapped[Code]
    patient_id: Mapped[int | None] = reference("patient")
    source_implant_id: Mapped[int | None] = mapped_column(
        BIG_INTEGER, ForeignKey("implant.id", use_alter=True, name="fk_specimen_source_implant_id_implant")
    )
    kind: Mapped[SpecimenKind]
    collected_on: Mapped[date | None]
    procedure: Mapped[CollectionProcedure] = mapped_column(default=CollectionProcedure.NOT_RECORDED)
    site: Mapped[Name | None]
    site_uberon: Mapped[Code | None]
    """UBERON code of the anatomical site, such as UBERON:0000956 for cerebral cortex."""
    origin: Mapped[TumourOrigin] = mapped_column(default=TumourOrigin.NOT_RECORDED)
    cold_ischaemia_minutes: Mapped[int | None]
    """Minutes from removal to preservation (SPREC 3.0 element 5)."""
    tumour_content_percent: Mapped[float | None]
    necrosis_percent: Mapped[float | None]
    histology: Mapped[Name | None]
    grade: Mapped[int | None]
    """Nottingham grade 1 to 3."""

    patient: Mapped[Patient | None] = relationship()

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("(patient_id IS NULL) <> (source_implant_id IS NULL)", name="one_source"),
        CheckConstraint("tumour_content_percent BETWEEN 0 AND 100", name="tumour_content_percent"),
        CheckConstraint("necrosis_percent BETWEEN 0 AND 100", name="necrosis_percent"),
        CheckConstraint("grade BETWEEN 1 AND 3", name="grade"),
        Index(None, "patient_id"),
    )


class PdxModel(InProject, Withdrawable, Versioned, Base):
    """A patient-derived xenograft line, founded from one specimen."""

    __tablename__ = "pdx_model"

    id: Mapped[Id]
    code: Mapped[Code]
    founding_specimen_id: Mapped[int | None] = reference("specimen")
    """Unknown where an old spreadsheet only names the model."""
    state: Mapped[ModelStatus] = mapped_column(default=ModelStatus.ATTEMPTED)
    luciferase_label: Mapped[Name | None]
    passage_convention: Mapped[PassageConvention] = mapped_column(default=PassageConvention.FIRST_IS_P0)
    sharing_terms: Mapped[Prose | None]

    founding_specimen: Mapped[Specimen | None] = relationship()

    __table_args__ = (UniqueConstraint("project_id", "code"), Index(None, "founding_specimen_id"))
