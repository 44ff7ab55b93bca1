"""Studies, their arms and who is in them (ARRIVE 2.0 items 1, 2, 4 and 5)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.cohort_terms import USUAL_EVENTS, AllocationMethod
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
    blinded: Mapped[bool] = mapped_column(default=False)
    """Whoever may not unblind sees the codes of arms only."""
    blinding: Mapped[Prose | None]
    """Who knows what, from when to when (ARRIVE 2.0 item 5)."""
    sample_size_reasoning: Mapped[Prose | None]
    statistical_methods: Mapped[Prose | None]
    event_reasons: Mapped[list[str]] = mapped_column(JSON, default=[reason.value for reason in USUAL_EVENTS])
    """Codes of `FateReason` that count as an event; every other fate censors."""
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
    blind_code: Mapped[Code]
    """What blinded people see instead, such as K7; it says nothing about the order of arms."""

    study: Mapped[Study] = relationship(back_populates="arms")

    __table_args__ = (
        UniqueConstraint("study_id", "code"),
        UniqueConstraint("study_id", "position"),
        UniqueConstraint("study_id", "blind_code"),
        CheckConstraint("target_n >= 0", name="target_n"),
        Index(None, "project_id"),
    )


class Randomisation(InProject, Withdrawable, Versioned, Base):
    """One run that put animals in arms: method, seed and what it balanced, so that it can be made again.

    Runs of a study are numbered; the last that is not withdrawn counts.
    """

    __tablename__ = "randomisation"

    id: Mapped[Id]
    study_id: Mapped[int] = reference("study")
    number: Mapped[int]
    method: Mapped[AllocationMethod]
    algorithm: Mapped[Code]
    """Name and version of the procedure (`lims.domain.allocation`)."""
    seed: Mapped[Code]
    baseline_kind: Mapped[str | None] = mapped_column(String(40))
    baseline_on: Mapped[date | None]
    strata: Mapped[list[str]] = mapped_column(JSON)
    """Codes of `Stratum`."""
    block_size: Mapped[int | None]
    places: Mapped[list[str]] = mapped_column(JSON)
    """One text an arm, as planned then: `vehicle: 6`."""
    made_on: Mapped[date]
    reason: Mapped[Prose | None]
    """Why it was run again."""

    study: Mapped[Study] = relationship()
    allocations: Mapped[list[Allocation]] = relationship(back_populates="randomisation", order_by="Allocation.position")

    __table_args__ = (
        UniqueConstraint("study_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("block_size >= 1", name="block_size"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the run's number."""
        return f"run {self.number}"


class Allocation(InProject, Withdrawable, Versioned, Base):
    """One animal in a run: the arm it was put in, or why it was left out."""

    __tablename__ = "allocation"

    id: Mapped[Id]
    randomisation_id: Mapped[int] = reference("randomisation")
    animal_id: Mapped[int] = reference("animal")
    arm_id: Mapped[int | None] = reference("arm")
    position: Mapped[int]
    """Place in the order in which animals were allocated."""
    stratum: Mapped[Name | None]
    baseline_value: Mapped[float | None]
    exclusion_reason: Mapped[Prose | None]

    randomisation: Mapped[Randomisation] = relationship(back_populates="allocations")
    animal: Mapped[Animal] = relationship()
    arm: Mapped[Arm | None] = relationship()

    __table_args__ = (
        UniqueConstraint("randomisation_id", "animal_id"),
        CheckConstraint("(arm_id IS NULL) = (exclusion_reason IS NOT NULL)", name="arm_or_reason"),
        Index(None, "animal_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give its number; animal and arm stand beside it."""
        return f"#{self.id}"


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
    randomisation_id: Mapped[int | None] = reference("randomisation")
    excluded_on: Mapped[date | None]
    exclusion_reason: Mapped[Prose | None]
    """Why the animal is left out of analysis from then on (ARRIVE 2.0 item 3b); its data stay."""

    arm: Mapped[Arm] = relationship()
    animal: Mapped[Animal] = relationship()

    __table_args__ = (
        UniqueConstraint("study_id", "animal_id"),
        CheckConstraint("(excluded_on IS NULL) = (exclusion_reason IS NULL)", name="exclusion"),
        Index(None, "animal_id"),
        Index(None, "arm_id"),
        Index(None, "randomisation_id"),
    )

    @property
    def audit_label(self) -> str:
        """Name the pair by its number; animal and arm stand beside it."""
        return f"#{self.id}"
