"""What was done to animals beside implanting and dosing, and how much of an agent arrived where."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix, ProcedureKind
from lims.models.base import Base, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal
from lims.models.implants import Implant
from lims.models.imports import ImportBatch
from lims.models.tissue import Specimen
from lims.models.treatment import Agent, Dose


class Procedure(InProject, Withdrawable, Versioned, Base):
    """Imaging, a blood draw, irradiation or surgery of one animal."""

    __tablename__ = "procedure"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    kind: Mapped[ProcedureKind]
    done_on: Mapped[date]
    done_at: Mapped[datetime | None]
    device: Mapped[Name | None]
    anaesthetic: Mapped[Name | None]
    volume_ul: Mapped[float | None]
    """Of blood or CSF drawn."""
    operator: Mapped[Name | None]
    note: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()

    __table_args__ = (
        CheckConstraint("volume_ul >= 0", name="volume_ul"),
        Index(None, "animal_id"),
        Index(None, "project_id", "id"),
    )

    @property
    def audit_label(self) -> str:
        """Give kind and day."""
        return f"{self.kind.value.replace('_', ' ')} {self.done_on}"


class Exposure(InProject, Withdrawable, Versioned, Base):
    """Concentration of an agent, or of a metabolite of it, in one sample of one animal.

    A value below the limit of quantification has none, and the limit; it is carried as such.
    """

    __tablename__ = "exposure"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    implant_id: Mapped[int | None] = reference("implant")
    """The lesion that the sample was of, or lay beside."""
    specimen_id: Mapped[int | None] = reference("specimen")
    agent_id: Mapped[int] = reference("agent")
    analyte: Mapped[Name | None]
    """Where it is not the agent itself: a payload or metabolite, such as DXd."""
    matrix: Mapped[ExposureMatrix]
    concentration: Mapped[float | None]
    unit: Mapped[ConcentrationUnit]
    below_lloq: Mapped[bool] = mapped_column(default=False)
    lloq: Mapped[float | None]
    """Lower limit of quantification, in the same unit."""
    collected_on: Mapped[date | None]
    collected_at: Mapped[datetime | None]
    dose_id: Mapped[int | None] = reference("dose")
    hours_after_dose: Mapped[float | None]
    sample: Mapped[Name | None]
    """The sample's name at the instrument."""
    method: Mapped[Name | None]
    batch_id: Mapped[int | None] = reference("import_batch")
    note: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()
    implant: Mapped[Implant | None] = relationship()
    specimen: Mapped[Specimen | None] = relationship()
    agent: Mapped[Agent] = relationship()
    given: Mapped[Dose | None] = relationship()
    batch: Mapped[ImportBatch | None] = relationship()

    __table_args__ = (
        CheckConstraint("concentration >= 0", name="concentration"),
        CheckConstraint("lloq >= 0", name="lloq"),
        CheckConstraint("hours_after_dose >= 0", name="hours_after_dose"),
        CheckConstraint("concentration IS NOT NULL OR below_lloq", name="has_value"),
        Index(None, "animal_id"),
        Index(None, "agent_id"),
        Index(None, "project_id", "id"),
        Index(None, "batch_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the matrix; animal and agent stand beside it."""
        return self.matrix.value.replace("_", " ")
