"""Measurements: one value of one kind of one subject at one time, in one canonical unit."""

from __future__ import annotations

import math
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import MeasurementKind, Quality, Subject, VolumeFormula
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal
from lims.models.implants import Implant
from lims.models.imports import ImportBatch


class LabKind(InProject, Withdrawable, Versioned, Base):
    """A kind of measurement that a lab adds to those of `lims.domain.vocabulary`, with its unit and limits.

    hard: refused outside, both ends included. soft: a warning outside. decimals: as shown; none means three significant digits.
    """

    __tablename__ = "lab_kind"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(40))
    title: Mapped[Name]
    unit: Mapped[Code]
    subject: Mapped[Subject]
    hard_min: Mapped[float]
    hard_max: Mapped[float]
    soft_min: Mapped[float | None]
    soft_max: Mapped[float | None]
    decimals: Mapped[int | None]
    log_axis: Mapped[bool] = mapped_column(default=False)
    note: Mapped[Prose | None]

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("hard_max > hard_min", name="hard_limits"),
        CheckConstraint("decimals BETWEEN 0 AND 6", name="decimals"),
    )

    @property
    def as_kind(self) -> MeasurementKind:
        """Give it as the vocabulary holds its own; without soft limits or a jump of their own, nothing within is doubted."""
        return MeasurementKind(
            self.code,
            self.title,
            self.unit,
            self.subject,
            self.hard_min,
            self.hard_max,
            self.hard_min if self.soft_min is None else self.soft_min,
            self.hard_max if self.soft_max is None else self.soft_max,
            self.decimals,
            math.inf,
            self.log_axis,
        )


class Measurement(InProject, Withdrawable, Versioned, Base):
    """One reading.

    When: `taken_on` (the lab's date) and, where the source gives a time, `taken_at` (UTC); or, where an old file counts
    days from a day 0 that nobody dated, `relative_day` within `study_id`. `slot` is that moment as text
    (`lims.domain.slots`): subject, kind, slot and occurrence make a reading unique, whoever records it.
    From where: a batch with sheet, row and column (1-based) and the cell's own text; otherwise a form, and the audit
    trail says whose.
    """

    __tablename__ = "measurement"
    unaudited_columns = frozenset({"version", "slot"})
    """The slot follows from the times, which are audited."""

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    implant_id: Mapped[int | None] = reference("implant")
    kind: Mapped[str] = mapped_column(String(40))
    """Code of a kind of `lims.domain.vocabulary`, or of the project's own (`LabKind`)."""
    value: Mapped[float]
    """In the kind's canonical unit."""
    length_mm: Mapped[float | None]
    width_mm: Mapped[float | None]
    height_mm: Mapped[float | None]
    formula: Mapped[VolumeFormula | None]
    taken_on: Mapped[date | None]
    taken_at: Mapped[datetime | None]
    relative_day: Mapped[float | None]
    study_id: Mapped[int | None] = reference("study")
    slot: Mapped[str] = mapped_column(String(40))
    occurrence: Mapped[int] = mapped_column(default=1)
    quality: Mapped[Quality] = mapped_column(default=Quality.OK)
    quality_reason: Mapped[Prose | None]
    operator: Mapped[Name | None]
    device: Mapped[Name | None]
    batch_id: Mapped[int | None] = reference("import_batch")
    source_sheet: Mapped[Code | None]
    source_row: Mapped[int | None]
    source_column: Mapped[int | None]
    raw: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()
    implant: Mapped[Implant | None] = relationship()
    batch: Mapped[ImportBatch | None] = relationship()

    __table_args__ = (
        CheckConstraint("taken_on IS NOT NULL OR (relative_day IS NOT NULL AND study_id IS NOT NULL)", name="has_time"),
        CheckConstraint("occurrence >= 1", name="occurrence"),
        Index(
            "uq_measurement_slot",
            "animal_id",
            func.coalesce(text("implant_id"), text("0")),
            "kind",
            "slot",
            "occurrence",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
        Index(None, "project_id", "id"),
        Index(None, "batch_id"),
    )

    @property
    def audit_label(self) -> str:
        """Name it by its number; animal, kind and time stand beside it."""
        return f"#{self.id}"
