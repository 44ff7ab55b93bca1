"""A small trail to test with, and a way to edit a database behind the application's back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from lims.audit.record import declare, writing
from lims.audit.triggers import drop_statements
from lims.db import Database
from lims.models import Animal, Project
from lims.records.measurements import Readings, record_measurements
from tests.support import factories


@dataclass(frozen=True, slots=True)
class Trail:
    """What was written: event 1 made everything, event 2 recorded three weights, event 3 corrected the animal's ear tag."""

    project: int
    animal: int
    study: int
    measurements: range


def write_trail(database: Database, code: str = "BCBM") -> Trail:
    """Write three events of one project."""
    with factories.declared(database) as session:
        project = factories.project(session, code)
        study = factories.cohort(session, project)
        animal = factories.animal(session, project, ear_tag="C1")
        session.flush()
        ids = Trail(project.id, animal.id, study.id, range(0))
        reference = (animal.id, animal.code)
        of = (project.id, project.code)
    with database.transaction() as session:
        declare(session, factories.actor(), "measurement:create", reason="weighed", project=of[0])
        days = [date(2026, 3, day).isoformat() for day in (2, 3, 4)]
        readings = Readings(of, "body_weight", [reference] * 3, None, [21.4, 21.0, 20.9], days, days, raw=["21.4", "21", "20.9"])
        measurements = record_measurements(session, factories.actor(), readings)
    with database.transaction() as session:
        declare(session, factories.actor(), "animal:change", reason="moved", project=of[0])
        moved = session.get_one(Animal, ids.animal)
        moved.ear_tag = "C2"
    return Trail(ids.project, ids.animal, ids.study, measurements)


def rename(database: Database, project: int, title: str) -> None:
    """Write one more event."""
    with database.transaction() as session:
        declare(session, factories.actor(), "project:change", reason="renamed", project=project)
        session.get_one(Project, project).title = title


def tamper(database: Database, *statements: str, **parameters: Any) -> None:
    """Do what somebody with the database's own shell can do: drop the triggers, then anything."""
    with database.engine.begin() as connection, writing(connection):
        for statement in drop_statements(database.dialect):
            connection.execute(text(statement))
        for statement in statements:
            connection.execute(text(statement), parameters)
