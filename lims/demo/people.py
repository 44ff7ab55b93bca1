"""The demo's people: one for each role, with passwords that anybody may read. Nobody of this name exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.synthetic import DEMO_PROJECT, DEMO_TITLE
from lims.domain.vocabulary import RoleName
from lims.models import Project
from lims.records.accounts import create_user
from lims.records.passwords import hash_password
from lims.records.projects import add_member, create_project

OTHER_PROJECT = "MAINTENANCE"
"""A project that only the administrator belongs to, so that the others see what they do not see."""


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person and how they sign in."""

    role: RoleName
    name: str
    email: str
    password: str


PEOPLE: tuple[Person, ...] = tuple(
    Person(role, f"{name} (demo)", f"{word}@demo.example", f"demo-{word}-only")
    for role, name, word in (
        (RoleName.ADMINISTRATOR, "Ada Kestrel", "administrator"),
        (RoleName.STUDY_DIRECTOR, "Dina Plover", "director"),
        (RoleName.SCIENTIST, "Sami Wren", "scientist"),
        (RoleName.TECHNICIAN, "Tove Heron", "technician"),
        (RoleName.AUDITOR, "Aldo Finch", "auditor"),
    )
)


@dataclass(frozen=True, slots=True)
class Staff:
    """The demo's projects by id, and its people as the audit trail names them."""

    project: int
    other_project: int
    actors: Mapping[RoleName, Actor]

    @property
    def director(self) -> Actor:
        """Give the study director."""
        return self.actors[RoleName.STUDY_DIRECTOR]

    @property
    def scientist(self) -> Actor:
        """Give the scientist."""
        return self.actors[RoleName.SCIENTIST]

    @property
    def technician(self) -> Actor:
        """Give the technician."""
        return self.actors[RoleName.TECHNICIAN]


def add_people(session: Session, actor: Actor, memory_kib: int) -> Staff:
    """Record the two projects, a person for each role, and who belongs where."""
    project = create_project(session, actor, code=DEMO_PROJECT, title=DEMO_TITLE, reason="synthetic data for the demo")
    other = create_project(session, actor, code=OTHER_PROJECT, title=f"{DEMO_TITLE}, line maintenance")
    actors = {}
    for person in PEOPLE:
        user = create_user(
            session,
            actor,
            email=person.email,
            name=person.name,
            password_hash=hash_password(person.password, memory_kib),
            administrator=person.role is RoleName.ADMINISTRATOR,
        )
        for one in _projects_of(person, project, other):
            add_member(session, actor, one, user, person.role)
        actors[person.role] = Actor(user.id, user.name, "demo")
    return Staff(project.id, other.id, actors)


def _projects_of(person: Person, project: Project, other: Project) -> tuple[Project, ...]:
    return (project, other) if person.role is RoleName.ADMINISTRATOR else (project,)
