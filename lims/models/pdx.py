"""Patient-derived models and what was checked of them (PDX-MI model creation and quality assurance modules)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.tissue_terms import CheckKind, CheckResult, ModelKind
from lims.domain.vocabulary import ModelStatus, PassageConvention
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.tissue import Specimen, StrProfile


class PdxModel(InProject, Withdrawable, Versioned, Base):
    """A patient-derived xenograft line, or a culture kept beside it, founded from one specimen."""

    __tablename__ = "pdx_model"

    id: Mapped[Id]
    code: Mapped[Code]
    kind: Mapped[ModelKind] = mapped_column(default=ModelKind.XENOGRAFT)
    founding_specimen_id: Mapped[int | None] = reference("specimen")
    """Unknown where an old spreadsheet only names the model."""
    state: Mapped[ModelStatus] = mapped_column(default=ModelStatus.ATTEMPTED)
    established_on: Mapped[date | None]
    luciferase_label: Mapped[Name | None]
    passage_convention: Mapped[PassageConvention] = mapped_column(default=PassageConvention.FIRST_IS_P0)
    sharing_terms: Mapped[Prose | None]

    founding_specimen: Mapped[Specimen | None] = relationship()

    __table_args__ = (UniqueConstraint("project_id", "code"), Index(None, "founding_specimen_id"))


class ModelCheck(InProject, Withdrawable, Versioned, Base):
    """One check of a model at one passage.

    `value_percent` is what the kind measures: the STR match by Tanabe, the human fraction, nothing for the others.
    """

    __tablename__ = "model_check"

    id: Mapped[Id]
    model_id: Mapped[int] = reference("pdx_model")
    kind: Mapped[CheckKind]
    checked_on: Mapped[date]
    specimen_id: Mapped[int | None] = reference("specimen")
    """The tissue that was checked; its passage is the check's."""
    result: Mapped[CheckResult]
    value_percent: Mapped[float | None]
    masters_percent: Mapped[float | None]
    profile_id: Mapped[int | None] = reference("str_profile")
    reference_profile_id: Mapped[int | None] = reference("str_profile")
    method: Mapped[Name | None]
    note: Mapped[Prose | None]

    model: Mapped[PdxModel] = relationship()
    specimen: Mapped[Specimen | None] = relationship()
    profile: Mapped[StrProfile | None] = relationship(foreign_keys=[profile_id])
    reference_profile: Mapped[StrProfile | None] = relationship(foreign_keys=[reference_profile_id])

    __table_args__ = (
        CheckConstraint("value_percent BETWEEN 0 AND 100", name="value_percent"),
        CheckConstraint("masters_percent BETWEEN 0 AND 100", name="masters_percent"),
        Index(None, "model_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give kind and day."""
        return f"{self.kind.value.replace('_', ' ')} {self.checked_on}"
