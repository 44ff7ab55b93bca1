"""Treatment: agents with their lots, what each arm is given, and every dose (ARRIVE 2.0 item 9, PDX-MI treatment)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.cohort_terms import DoseRoute, DoseState, DoseUnit, Known, RegimenStart
from lims.domain.tissue_terms import AgentClass
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.colony import Animal
from lims.models.imports import ImportBatch
from lims.models.studies import Arm, Study


class Agent(InProject, Withdrawable, Versioned, Base):
    """What animals are treated with: a drug, radiation, or a vehicle."""

    __tablename__ = "agent"

    id: Mapped[Id]
    code: Mapped[Code]
    """What the bench calls it, such as T-DXd."""
    name: Mapped[Name]
    agent_class: Mapped[AgentClass]
    targets: Mapped[list[str]] = mapped_column(JSON)
    """HGNC symbols, such as ERBB2."""
    pathway: Mapped[Name | None]
    molecular_weight: Mapped[float | None]
    """g/mol."""
    fraction_unbound_plasma: Mapped[float | None]
    fraction_unbound_brain: Mapped[float | None]
    abcb1_substrate: Mapped[Known] = mapped_column(default=Known.UNKNOWN)
    """Carried out of the brain by P-glycoprotein."""
    abcg2_substrate: Mapped[Known] = mapped_column(default=Known.UNKNOWN)
    """Carried out of the brain by BCRP."""
    note: Mapped[Prose | None]

    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        CheckConstraint("molecular_weight >= 0", name="molecular_weight"),
        CheckConstraint("fraction_unbound_plasma BETWEEN 0 AND 1", name="fraction_unbound_plasma"),
        CheckConstraint("fraction_unbound_brain BETWEEN 0 AND 1", name="fraction_unbound_brain"),
    )


class AgentLot(InProject, Withdrawable, Versioned, Base):
    """One delivery or preparation of an agent."""

    __tablename__ = "agent_lot"

    id: Mapped[Id]
    agent_id: Mapped[int] = reference("agent")
    code: Mapped[Code]
    """The lot number on the vial."""
    supplier: Mapped[Name | None]
    catalogue: Mapped[Name | None]
    received_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    concentration_mg_ml: Mapped[float | None]
    note: Mapped[Prose | None]

    agent: Mapped[Agent] = relationship()

    __table_args__ = (
        UniqueConstraint("agent_id", "code"),
        CheckConstraint("concentration_mg_ml >= 0", name="concentration_mg_ml"),
        CheckConstraint("received_on IS NULL OR expires_on IS NULL OR expires_on >= received_on", name="expires_after_receipt"),
        Index(None, "project_id"),
    )


class Regimen(InProject, Withdrawable, Versioned, Base):
    """What an arm is given: one agent, its dose and schedule. A combination is several of one arm."""

    __tablename__ = "regimen"

    id: Mapped[Id]
    arm_id: Mapped[int] = reference("arm")
    agent_id: Mapped[int] = reference("agent")
    dose: Mapped[float | None]
    """In `dose_unit`, at each time of dosing; none of a vehicle."""
    dose_unit: Mapped[DoseUnit] = mapped_column(default=DoseUnit.MG_PER_KG)
    route: Mapped[DoseRoute]
    volume_ml_kg: Mapped[float | None]
    schedule: Mapped[Code]
    """In the field's notation, normalised: `QDx21`, `BID x14`, `Q3Wx3`, `5on/2off x4` (`lims.domain.schedules`)."""
    start: Mapped[RegimenStart] = mapped_column(default=RegimenStart.STUDY_DAY)
    start_day: Mapped[int | None]
    """Study day of the first dose."""
    trigger_kind: Mapped[str | None] = mapped_column(String(40))
    """Kind of measurement that starts it, the day after a value above `trigger_above`."""
    trigger_above: Mapped[float | None]
    """In the kind's canonical unit."""
    note: Mapped[Prose | None]

    arm: Mapped[Arm] = relationship()
    agent: Mapped[Agent] = relationship()

    __table_args__ = (
        CheckConstraint("dose >= 0", name="dose"),
        CheckConstraint("volume_ml_kg >= 0", name="volume_ml_kg"),
        Index(None, "arm_id"),
        Index(None, "agent_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give dose and schedule; the agent stands beside it."""
        return " ".join(str(part) for part in (self.dose and f"{self.dose:g} {self.dose_unit.value}", self.schedule) if part)


class Dose(InProject, Withdrawable, Versioned, Base):
    """One dose of one animal: given, held or missed. What is due and not recorded follows from the regimen.

    `due_on` and `nth` (of that day, from 1) say which dose of the regimen it is; a dose of an old file has no regimen.
    """

    __tablename__ = "dose"

    id: Mapped[Id]
    animal_id: Mapped[int] = reference("animal")
    agent_id: Mapped[int] = reference("agent")
    study_id: Mapped[int | None] = reference("study")
    regimen_id: Mapped[int | None] = reference("regimen")
    due_on: Mapped[date | None]
    nth: Mapped[int] = mapped_column(default=1)
    state: Mapped[DoseState] = mapped_column(default=DoseState.GIVEN)
    given_on: Mapped[date | None]
    given_at: Mapped[datetime | None]
    dose: Mapped[float | None]
    """As planned, in `dose_unit`."""
    dose_unit: Mapped[DoseUnit] = mapped_column(default=DoseUnit.MG_PER_KG)
    route: Mapped[DoseRoute | None]
    weight_g: Mapped[float | None]
    weight_on: Mapped[date | None]
    computed_volume_ul: Mapped[float | None]
    """mL/kg × weight."""
    volume_ul: Mapped[float | None]
    """As given."""
    lot_id: Mapped[int | None] = reference("agent_lot")
    reason: Mapped[Prose | None]
    operator: Mapped[Name | None]
    batch_id: Mapped[int | None] = reference("import_batch")
    source_sheet: Mapped[Code | None]
    source_row: Mapped[int | None]
    source_column: Mapped[int | None]
    raw: Mapped[Prose | None]

    animal: Mapped[Animal] = relationship()
    agent: Mapped[Agent] = relationship()
    study: Mapped[Study | None] = relationship()
    regimen: Mapped[Regimen | None] = relationship()
    lot: Mapped[AgentLot | None] = relationship()
    batch: Mapped[ImportBatch | None] = relationship()

    __table_args__ = (
        CheckConstraint("nth >= 1", name="nth"),
        CheckConstraint("volume_ul >= 0", name="volume_ul"),
        CheckConstraint("due_on IS NOT NULL OR given_on IS NOT NULL", name="has_day"),
        CheckConstraint("state = 'given' OR reason IS NOT NULL", name="reason"),
        CheckConstraint("state <> 'given' OR given_on IS NOT NULL", name="given_on"),
        Index(
            "uq_dose_of_regimen",
            "animal_id",
            "regimen_id",
            "due_on",
            "nth",
            unique=True,
            sqlite_where=text("status = 'active' AND regimen_id IS NOT NULL"),
            postgresql_where=text("status = 'active' AND regimen_id IS NOT NULL"),
        ),
        Index(
            "uq_dose_beside_plan",
            "animal_id",
            "agent_id",
            func.coalesce(text("due_on"), text("given_on")),
            "nth",
            unique=True,
            sqlite_where=text("status = 'active' AND regimen_id IS NULL"),
            postgresql_where=text("status = 'active' AND regimen_id IS NULL"),
        ),
        Index(None, "animal_id"),
        Index(None, "regimen_id", "due_on"),
        Index(None, "study_id"),
        Index(None, "project_id", "id"),
        Index(None, "batch_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give its day; animal and agent stand beside it."""
        return f"dose {self.given_on or self.due_on}"
