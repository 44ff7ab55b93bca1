"""Records to begin a test with, written as the application writes them: declared, audited, committed by the caller.

Each function adds one record to a session whose transaction has declared its action (`declared` opens one), flushes
and returns it. What a test does not care about has a plausible value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.db import Database
from lims.domain.vocabulary import ArmRole, BatchState, RoleName, Sex, SpecimenKind
from lims.models import (
    Animal,
    AnimalAlias,
    Arm,
    Base,
    Enrolment,
    Implant,
    ImportBatch,
    Measurement,
    Membership,
    Patient,
    PdxModel,
    Project,
    Role,
    Specimen,
    StoredFile,
    Study,
    User,
)

Record = TypeVar("Record", bound=Base)

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)

_numbers = count(1)

PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaA"
"""Fits no password: tests that sign in make their people through `lims.records`."""


def actor(user: User | None = None) -> Actor:
    """Give who acts: a person's account, or the command line."""
    return Actor(user.id, user.name) if user else Actor(None, "tester", "command line")


@contextmanager
def declared(database: Database, action: str = "system:set-up", *, by: Actor | None = None) -> Iterator[Session]:
    """Open a transaction that has declared its action."""
    with database.transaction() as session:
        declare(session, by or actor(), action, reason="test")
        yield session


def _added(session: Session, record: Record) -> Record:
    session.add(record)
    session.flush()
    return record


def project(session: Session, code: str | None = None, **columns: object) -> Project:
    """Add a project."""
    code = code or f"P{next(_numbers)}"
    return _added(session, Project(**{"code": code, "title": f"Project {code}"} | columns))


def role(session: Session, name: RoleName) -> Role:
    """Give a role, added if it is not there yet."""
    found = session.scalar(select(Role).where(Role.name == name))
    return found or _added(session, Role(name=name, description=name.value.replace("_", " ")))


def user(session: Session, name: str | None = None, **columns: object) -> User:
    """Add a person who can sign in."""
    number = next(_numbers)
    values = {
        "email": f"person{number}@lab.example",
        "name": name or f"Person {number}",
        "password": PASSWORD_HASH,
        "fs_uniquifier": f"uniquifier-{number}",
    }
    return _added(session, User(**values | columns))


def member(session: Session, of: Project, name: RoleName = RoleName.SCIENTIST, person: User | None = None) -> User:
    """Add a person with a role in a project."""
    person = person or user(session)
    _added(session, Membership(user_id=person.id, project_id=of.id, role_id=role(session, name).id))
    return person


def patient(session: Session, of: Project, code: str | None = None, **columns: object) -> Patient:
    """Add a patient."""
    return _added(session, Patient(**{"project_id": of.id, "code": code or f"PT{next(_numbers)}", "sex": Sex.FEMALE} | columns))


def specimen(session: Session, of: Patient, code: str | None = None, **columns: object) -> Specimen:
    """Add a specimen of a patient."""
    values = {
        "project_id": of.project_id,
        "code": code or f"SP{next(_numbers)}",
        "patient_id": of.id,
        "kind": next(iter(SpecimenKind)),
    }
    return _added(session, Specimen(**values | columns))


def model(session: Session, of: Project, code: str | None = None, **columns: object) -> PdxModel:
    """Add a PDX model."""
    return _added(session, PdxModel(**{"project_id": of.id, "code": code or f"BM{next(_numbers)}"} | columns))


def animal(session: Session, of: Project, code: str | None = None, **columns: object) -> Animal:
    """Add an animal."""
    values = {"project_id": of.id, "code": code or f"M{next(_numbers):03}", "sex": Sex.FEMALE, "birth_date": date(2026, 1, 5)}
    return _added(session, Animal(**values | columns))


def implant(session: Session, of: Animal, label: str = "brain", **columns: object) -> Implant:
    """Add a tumour in an animal."""
    return _added(session, Implant(**{"project_id": of.project_id, "animal_id": of.id, "label": label} | columns))


def study(session: Session, of: Project, code: str | None = None, **columns: object) -> Study:
    """Add a study."""
    code = code or f"ST{next(_numbers)}"
    values = {"project_id": of.id, "code": code, "title": f"Study {code}", "day_zero_on": date(2026, 3, 2)}
    return _added(session, Study(**values | columns))


def arm(session: Session, of: Study, code: str = "vehicle", position: int = 1, **columns: object) -> Arm:
    """Add an arm to a study."""
    values = {"project_id": of.project_id, "study_id": of.id, "code": code, "title": code.title(), "position": position}
    return _added(session, Arm(**values | {"role": ArmRole.VEHICLE if code == "vehicle" else ArmRole.TREATMENT} | columns))


def enrolment(session: Session, into: Arm, of: Animal, **columns: object) -> Enrolment:
    """Put an animal into an arm."""
    values = {"project_id": of.project_id, "study_id": into.study_id, "arm_id": into.id, "animal_id": of.id}
    return _added(session, Enrolment(**values | columns))


def alias(session: Session, of: Animal, name: str | None = None) -> AnimalAlias:
    """Add another name of an animal."""
    return _added(session, AnimalAlias(project_id=of.project_id, animal_id=of.id, alias=name or f"A{next(_numbers)}"))


def stored_file(session: Session, content: bytes | None = None) -> StoredFile:
    """Add the index row of a stored file; the bytes themselves are not put anywhere."""
    content = content if content is not None else f"file {next(_numbers)}".encode()
    return _added(session, StoredFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content), stored_at=NOON))


def batch(session: Session, of: Project, **columns: object) -> ImportBatch:
    """Add an import of a file."""
    values = {"project_id": of.id, "file_name": "weights.csv", "state": BatchState.COMMITTED, "uploaded_at": NOON}
    if "file_id" not in columns:
        values["file_id"] = stored_file(session).id
    return _added(session, ImportBatch(**values | columns))


def measurement(session: Session, of: Animal, kind: str = "body_weight", value: float = 21.4, **columns: object) -> Measurement:
    """Add a reading, of 9 March 2026 unless told otherwise."""
    values = {"project_id": of.project_id, "animal_id": of.id, "kind": kind, "value": value}
    values |= {"taken_on": date(2026, 3, 9), "slot": f"2026-03-09#{next(_numbers)}"}
    return _added(session, Measurement(**values | columns))


def cohort(session: Session, of: Project, *, arms: tuple[str, ...] = ("vehicle", "tucatinib"), animals: int = 3) -> Study:
    """Add a study with its arms and `animals` enrolled animals, each with a brain tumour, in every one of them."""
    experiment = study(session, of)
    for position, code in enumerate(arms, start=1):
        cohort_arm = arm(session, experiment, code, position)
        for _ in range(animals):
            mouse = animal(session, of)
            implant(session, mouse)
            enrolment(session, cohort_arm, mouse)
    return experiment
