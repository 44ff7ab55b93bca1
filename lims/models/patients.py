"""Patients by pseudonym, what they consented to, and how they were treated (PDX-MI clinical module, MIABIS)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.tissue_terms import AgentClass, BestResponse, StopReason
from lims.domain.vocabulary import RecordStatus, Sex
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference


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


class Consent(InProject, Withdrawable, Versioned, Base):
    """What a patient allowed, under which version of which protocol (MIABIS permitted uses).

    `withdrawn_on` is the patient's own withdrawal, from which on nothing new is made of their tissue. `status` says, as
    everywhere, whether the record itself stands.
    """

    __tablename__ = "consent"

    id: Mapped[Id]
    patient_id: Mapped[int] = reference("patient")
    protocol: Mapped[Name]
    protocol_version: Mapped[Code]
    given_on: Mapped[date]
    research: Mapped[bool] = mapped_column(default=False)
    xenograft: Mapped[bool] = mapped_column(default=False)
    commercial: Mapped[bool] = mapped_column(default=False)
    sharing: Mapped[bool] = mapped_column(default=False)
    withdrawn_on: Mapped[date | None]
    note: Mapped[Prose | None]

    patient: Mapped[Patient] = relationship()

    __table_args__ = (
        CheckConstraint("withdrawn_on IS NULL OR withdrawn_on >= given_on", name="withdrawn_after_given"),
        Index(None, "patient_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give protocol and version."""
        return f"{self.protocol} {self.protocol_version}"


class TherapyLine(InProject, Withdrawable, Versioned, Base):
    """One line of a patient's treatment; its agents stand beside it."""

    __tablename__ = "therapy_line"

    id: Mapped[Id]
    patient_id: Mapped[int] = reference("patient")
    line_number: Mapped[int]
    started_on: Mapped[date | None]
    stopped_on: Mapped[date | None]
    best_response: Mapped[BestResponse] = mapped_column(default=BestResponse.NOT_RECORDED)
    stop_reason: Mapped[StopReason] = mapped_column(default=StopReason.NOT_RECORDED)
    note: Mapped[Prose | None]

    patient: Mapped[Patient] = relationship()
    agents: Mapped[list[TherapyAgent]] = relationship(back_populates="line", order_by="TherapyAgent.id")

    __table_args__ = (
        CheckConstraint("line_number >= 0", name="line_number"),
        CheckConstraint("stopped_on IS NULL OR started_on IS NULL OR stopped_on >= started_on", name="stopped_after_started"),
        Index(None, "patient_id"),
        Index(None, "project_id"),
    )

    @property
    def audit_label(self) -> str:
        """Give the line's number."""
        return f"line {self.line_number}"

    @property
    def current_agents(self) -> list[TherapyAgent]:
        """Give the agents that still count."""
        return [agent for agent in self.agents if agent.status is RecordStatus.ACTIVE]

    @property
    def agents_version(self) -> int:
        """Count the changes of its agents: it grows with each, so that a second editor can be told."""
        return sum(agent.version for agent in self.agents)


class TherapyAgent(InProject, Withdrawable, Versioned, Base):
    """One agent of a line of therapy, with its class."""

    __tablename__ = "therapy_agent"

    id: Mapped[Id]
    therapy_line_id: Mapped[int] = reference("therapy_line")
    name: Mapped[Name]
    agent_class: Mapped[AgentClass]

    line: Mapped[TherapyLine] = relationship(back_populates="agents")

    __table_args__ = (Index(None, "therapy_line_id"), Index(None, "project_id"))
