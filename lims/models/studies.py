"""Studies, their arms and who is in them (ARRIVE 2.0 items 1, 2, 4 and 5)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import ArmRole, DayZero, StudyKind, StudyStatus
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal


class Study(InProject, Withdrawable, Versioned, Base):
    """An experiment on cohorts of animals, with what it asks and the day it counts from."""

    __tablename__ = "study"

    id: Mapped[Id]
    code: Mapped[Code]
    title: Mapped[Name]
    hypothesis: Mapped[Prose | None]
    kind: Mapped[StudyKind] = mapped_column(default=StudyKind.EFFICACY)
    state: Mapped[StudyStatus] = mapped_column(default=StudyStatus.DRAFT)
    primary_outcome: Mapped[Prose | None]
    inclusion_criteria: Mapped[Prose | None]
    exclusion_criteria: Mapped[Prose | None]
    experimental_unit: Mapped[Name | None]
    blinding: Mapped[Prose | None]
    sample_size_reasoning: Mapped[Prose | None]
    day_zero: Mapped[DayZero] = mapped_column(default=DayZero.RANDOMISATION)
    day_zero_on: Mapped[date | None]
    """The calendar date of day 0 for animals whose enrolment names none of its own."""
    weight_loss_limit_percent: Mapped[float | None]
    """Humane endpoint drawn as the limit line, percent of baseline lost."""

    arms: Mapped[list[Arm]] = relationship(back_populates="study", order_by="Arm.position")

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("weight_loss_limit_percent BETWEEN 0 AND 100", name="weight_loss_limit"),
    )


class Arm(InProject, Withdrawable, Versioned, Base):
    """A cohort of a study. Its position gives its colour everywhere."""

    __tablename__ = "arm"

    id: Mapped[Id]
    study_id: Mapped[int] = reference("study")
    code: Mapped[Code]
    title: Mapped[Name]
    role: Mapped[ArmRole] = mapped_column(default=ArmRole.NOT_RECORDED)
    position: Mapped[int]
    target_n: Mapped[int | None]

    study: Mapped[Study] = relationship(back_populates="arms")

    __table_args__ = (
        UniqueConstraint("study_id", "code"),
        UniqueConstraint("study_id", "position"),
        CheckConstraint("target_n >= 0", name="target_n"),
        Index(None, "project_id"),
    )


class Enrolment(InProject, Withdrawable, Versioned, Base):
    """An animal in an arm; at most one active enrolment of an animal in a study."""

    __tablename__ = "enrolment"

    id: Mapped[Id]
    study_id: Mapped[int] = reference("study")
    arm_id: Mapped[int] = reference("arm")
    animal_id: Mapped[int] = reference("animal")
    enrolled_on: Mapped[date | None]
    day_zero_on: Mapped[date | None]
    """This animal's own day 0, where it differs from the study's."""

    arm: Mapped[Arm] = relationship()
    animal: Mapped[Animal] = relationship()

    __table_args__ = (UniqueConstraint("study_id", "animal_id"), Index(None, "animal_id"), Index(None, "arm_id"))

    @property
    def audit_label(self) -> str:
        """Name the pair by its number; animal and arm stand beside it."""
        return f"#{self.id}"
