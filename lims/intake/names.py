"""What the names in a file mean: which record each one is, and what has to be created first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from importers.base import AnimalFacts, Finding, Question
from lims.domain.cohort_terms import FateReason
from lims.domain.tissue_terms import AgentClass

LONGEST_NAME = 200
"""Characters of a title, a strain's name, a person's or a device's."""

TumourKey = tuple[str, str | None]


@dataclass(slots=True, eq=False)
class Host:
    """What is known of an animal that a file names."""

    id: int
    code: str
    birth_date: date | None = None
    died_on: date | None = None


@dataclass(slots=True, eq=False)
class Place:
    """A study that a file's readings belong to; `id` is negative while it is only planned."""

    id: int
    code: str
    day_zero_on: date | None = None


@dataclass(slots=True, eq=False)
class NamedAgent:
    """An agent that a file's doses are of; `id` is negative while it is only planned."""

    id: int
    code: str


@dataclass(frozen=True, slots=True)
class NewAgent:
    """An agent to create for a compound that a file names."""

    code: str
    agent_class: AgentClass


@dataclass(slots=True)
class Names:
    """What the names of a file mean, and what has to be created first. Keys are the names as the file writes them."""

    hosts: dict[str, Host] = field(default_factory=dict)
    tumours: dict[TumourKey, tuple[int, str]] = field(default_factory=dict)
    studies: dict[str, Place] = field(default_factory=dict)
    """Animal → its study in this file."""
    arms: dict[str, str] = field(default_factory=dict)
    """Animal → arm title, where the arm is recorded."""
    day_zero: dict[str, date] = field(default_factory=dict)
    """Animal → its day 0, where one is dated."""
    new_studies: list[str] = field(default_factory=list)
    new_arms: list[tuple[str, str]] = field(default_factory=list)
    """(study code, arm title)."""
    new_models: list[str] = field(default_factory=list)
    new_animals: list[AnimalFacts] = field(default_factory=list)
    new_tumours: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(animal, label, model code)."""
    new_enrolments: list[tuple[str, str, str]] = field(default_factory=list)
    """(animal, study code, arm title)."""
    agents: dict[str, NamedAgent] = field(default_factory=dict)
    """Compound → its agent."""
    reasons: dict[str, FateReason] = field(default_factory=dict)
    """Words for the end of an animal → the reason they mean."""
    cages: set[str] = field(default_factory=set)
    """Cages that are there, or will be."""
    cage_ids: dict[str | None, int] = field(default_factory=dict)
    """The same with their ids, once they exist."""
    first_cages: dict[str, str] = field(default_factory=dict)
    """New animal → the cage it begins in, where a file tells of several."""
    new_agents: list[NewAgent] = field(default_factory=list)
    new_cages: dict[str, int] = field(default_factory=dict)
    """Cage → how many animals the file names it for."""
    findings: list[Finding] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    """What the names themselves leave open, beside the importer's questions."""

    def counts(self) -> dict[str, int]:
        """Count what would be created, by noun."""
        found = {
            "study": len(self.new_studies),
            "arm": len(self.new_arms),
            "model": len(self.new_models),
            "animal": len(self.new_animals),
            "implant": len(self.new_tumours),
            "enrolment": len(self.new_enrolments),
            "agent": len(self.new_agents),
            "cage": len(self.new_cages),
        }
        return {noun: number for noun, number in found.items() if number}
