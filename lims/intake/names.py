"""What the names in a file mean: which record each one is, and what has to be created first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from importers.base import AnimalFacts, Finding

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
    findings: list[Finding] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Count what would be created, by noun."""
        found = {
            "study": len(self.new_studies),
            "arm": len(self.new_arms),
            "model": len(self.new_models),
            "animal": len(self.new_animals),
            "implant": len(self.new_tumours),
            "enrolment": len(self.new_enrolments),
        }
        return {noun: number for noun, number in found.items() if number}
