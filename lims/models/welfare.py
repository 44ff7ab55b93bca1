"""Humane endpoints of a protocol, the actions they open, and what became of animals (ARRIVE 2.0 items 3 and 16)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, FateReason, WeightBaseline
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal, AnimalProtocol
from lims.models.imports import ImportBatch
from lims.models.measurements import Measurement


class EndpointRule(InProject, Withdrawable, Versioned, Base):
    """A humane endpoint of a protocol: from which value an animal is watched, and from which somebody acts.

    Weight loss and burden in percent, scores as scored, volume in mm³; a body-condition score is worse the lower it is, all
    others the higher.
    """

    __tablename__ = "endpoint_rule"

    id: Mapped[Id]
    protocol_id: Mapped[int] = reference("animal_protocol")
    measure: Mapped[EndpointMeasure]
    baseline: Mapped[WeightBaseline | None]
    """Of weight loss."""
    watch_at: Mapped[float | None]
    act_at: Mapped[float]
    consecutive_days: Mapped[int] = mapped_column(default=1)
    """How many measured days in a row reach it before somebody acts."""
    note: Mapped[Prose | None]

    protocol: Mapped[AnimalProtocol] = relationship()

    __table_args__ = (
        CheckConstraint("consecutive_days BETWEEN 1 AND 30", name="consecutive_days"),
        CheckConstraint("act_at >= 0", name="act_at"),
        CheckConstraint("watch_at >= 0", name="watch_at"),
        Index(None, "protocol_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give what it looks at and where somebody acts."""
        return f"{self.measure.value.replace('_', ' ')} {self.act_at:g}"


class Fate(InProject, Withdrawable, Versioned, Base):
    """How an animal's life ended, and why: an event or censored by the rule of each of its studies."""

    __tablename__ = "fate"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    died_on: Mapped[date]
    reason: Mapped[FateReason]
    method: Mapped[Name | None]
    """Such as CO₂ or perfusion; none where it was found dead."""
    note: Mapped[Prose | None]
    batch_id: Mapped[int | None] = reference("import_batch")
    source_sheet: Mapped[Code | None]
    source_row: Mapped[int | None]
    raw: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()
    batch: Mapped[ImportBatch | None] = relationship()

    __table_args__ = (
        Index(
            "uq_fate_of_animal",
            "animal_id",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
        Index(None, "animal_id"),
        Index(None, "project_id"),
        Index(None, "batch_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the day and the reason."""
        return f"{self.died_on} {self.reason.value.replace('_', ' ')}"


class EndpointAction(InProject, Withdrawable, Versioned, Base):
    """What a value that reached an endpoint asks of people, until a fate or a deferral with a reason answers it."""

    __tablename__ = "endpoint_action"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    rule_id: Mapped[int] = reference("endpoint_rule")
    measurement_id: Mapped[int | None] = reference("measurement")
    level: Mapped[EndpointLevel]
    value: Mapped[float]
    """In the rule's unit."""
    finding: Mapped[Prose]
    """What was found, in a sentence with the limit and the baseline."""
    reached_on: Mapped[date]
    state: Mapped[ActionState] = mapped_column(default=ActionState.OPEN)
    deferred_until: Mapped[date | None]
    answer: Mapped[Prose | None]
    """Why it was deferred, or what closed it."""
    note: Mapped[Prose | None]
    """What values recorded since say against it; closing it needs a person."""
    fate_id: Mapped[int | None] = reference("fate")
    answered_on: Mapped[date | None]

    animal: Mapped[Animal] = relationship()
    rule: Mapped[EndpointRule] = relationship()
    measurement: Mapped[Measurement | None] = relationship()
    fate: Mapped[Fate | None] = relationship()

    __table_args__ = (
        CheckConstraint("state = 'open' OR answer IS NOT NULL", name="answer"),
        Index(
            "uq_endpoint_action_unanswered",
            "animal_id",
            "rule_id",
            unique=True,
            sqlite_where=text("status = 'active' AND state <> 'closed'"),
            postgresql_where=text("status = 'active' AND state <> 'closed'"),
        ),
        Index(None, "animal_id"),
        Index(None, "project_id", "state"),
        Index(None, "measurement_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give level and day; animal and rule stand beside it."""
        return f"{self.level.value} {self.reached_on}"
