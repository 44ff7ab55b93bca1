"""A ward for tests: animals under a protocol with humane endpoints, weighed and scored through the one way to record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from lims.db import Database
from lims.domain.cohort_terms import EndpointMeasure, WeightBaseline
from lims.models import Animal, AnimalProtocol, AuditEvent, EndpointAction, Project
from lims.records.measurements import (
    Correction,
    Readings,
    correct_measurements,
    record_measurements,
    withdraw_measurements,
)
from tests.support import factories

IMPLANTED = date(2026, 2, 20)


@dataclass
class Ward:
    """A project with animals M1, M2, … implanted on `IMPLANTED`, under protocol A-1."""

    database: Database
    project: tuple[int, str]
    animals: dict[str, int]
    protocol: int

    @classmethod
    def open(cls, database: Database, count: int = 2) -> Ward:
        """Make it, without any endpoint."""
        with factories.declared(database) as session:
            project = factories.project(session, "WARD")
            ward = cls(database, (project.id, project.code), {}, factories.protocol(session, project, "A-1").id)
        ward.house(*(f"M{number}" for number in range(1, count + 1)))
        return ward

    def house(self, *codes: str, **columns: Any) -> None:
        """Add animals with a tumour, under the protocol unless `columns` say otherwise."""
        with factories.declared(self.database) as session:
            project = session.get_one(Project, self.project[0])
            for code in codes:
                mouse = factories.animal(session, project, code, **{"protocol_id": self.protocol, **columns})
                factories.implant(session, mouse, implanted_on=IMPLANTED)
                self.animals[code] = mouse.id

    def rule(
        self, measure: EndpointMeasure = EndpointMeasure.WEIGHT_LOSS, act_at: float = 20, watch_at: float | None = 15, **more: Any
    ) -> int:
        """Give the protocol an endpoint."""
        if measure is EndpointMeasure.WEIGHT_LOSS:
            more.setdefault("baseline", WeightBaseline.IMPLANT_DAY)
        with factories.declared(self.database) as session:
            of = session.get_one(AnimalProtocol, self.protocol)
            return factories.endpoint_rule(session, of, measure, act_at, watch_at=watch_at, **more).id

    def measure(
        self, code: str, on: str, *values: float, kind: str = "body_weight", implants: Sequence[int] | None = None
    ) -> list[int]:
        """Record readings of an animal on a day."""
        count = len(values)
        of = [(self.animals[code], code)] * count
        named = None if implants is None else [(key, f"#{key}") for key in implants]
        slots = [f"{on}#{number}" for number in range(count)] if count > 1 and implants is None else [on] * count
        with self.database.transaction() as session:
            readings = Readings(self.project, kind, of, named, [float(value) for value in values], slots, [on] * count)
            return list(record_measurements(session, factories.actor(), readings))

    def correct(self, key: int, **fields: tuple[Any, Any]) -> None:
        """Correct a reading."""
        with self.database.transaction() as session:
            correct_measurements(session, factories.actor(), self.project[0], [Correction(key, fields)], reason="mistyped")

    def withdraw(self, key: int) -> None:
        """Take a reading back."""
        with self.database.transaction() as session:
            withdraw_measurements(session, factories.actor(), self.project[0], [key], reason="other mouse")

    def actions(self) -> list[EndpointAction]:
        """Give the actions by id."""
        with self.database.reading() as session:
            return list(session.scalars(select(EndpointAction).order_by(EndpointAction.id)))

    def last_event(self) -> AuditEvent:
        """Give the newest event of the trail."""
        with self.database.reading() as session:
            return session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc())).first()  # type: ignore[return-value]  # there is one

    def animal(self, code: str) -> Animal:
        """Give an animal."""
        with self.database.reading() as session:
            return session.get_one(Animal, self.animals[code])
