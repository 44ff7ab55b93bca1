"""A colony log: a row for each thing that happened to an animal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from lims.models import Agent, Animal, Dose
from tests.intake.desk import Desk, workbook

HEADER = (
    *("AnimalId", "Date", "Body weight (g)", "Tumor (Location)", "Tumor (L) (mm)", "Tumor (W) (mm)", "Compound"),
    *("Injection volume (µl)", "Cage", "Date deceased", "Sacrifice reason", "Sacrifice remark", "Treatment day"),
)
MONDAY, TUESDAY, FRIDAY, LATER, NEVER = map(
    datetime.fromisoformat, ("2026-03-02 09:00", "2026-03-03 09:00", "2026-03-06 09:00", "2026-03-12 09:00", "2099-01-01")
)
DEAD_ON = date(2026, 3, 9)


def event(animal: object = "M1", when: datetime | None = MONDAY, weight: object = None, **more: Any) -> list[Any]:
    """Give one row of the log."""
    volume = more.get("volume", 200 if "compound" in more else None)
    dose = (more.get("compound"), volume, more.get("cage"))
    return [animal, when, weight, None, None, None, *dose, more.get("died"), more.get("why"), more.get("remark"), None]


def log(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> bytes:
    return workbook(header, *rows, title="Log")


WEEK = (
    event(weight=20.5, compound="T-DXd (10 mg/kg)"),
    event("M2", weight=21.5, compound="Saline"),
    event(when=TUESDAY, compound="T-DXd (10 mg/kg)", volume=210),
    event(when=None, cage="C-1"),
    event("M2", when=None, cage="C-1", died=DEAD_ON, why="Bodyweight Loss", remark="thin"),
)


def doses(desk: Desk) -> list[tuple[Any, ...]]:
    """Give every dose that counts: animal, agent, day, number of the day, volume and dose."""
    with desk.database.reading() as session:
        rows = session.execute(
            select(Animal.code, Agent.code, Dose.given_on, Dose.nth, Dose.volume_ul, Dose.dose)
            .join(Animal, Animal.id == Dose.animal_id)
            .join(Agent, Agent.id == Dose.agent_id)
            .where(Dose.status == "active")
            .order_by(Animal.code, Dose.given_on, Agent.code, Dose.nth)
        )
        return [(animal, agent, str(on), *rest) for animal, agent, on, *rest in rows]


def animal(desk: Desk, code: str = "M1") -> Animal:
    (one,) = [one for one in desk.records(Animal) if one.code == code]
    return one
