"""Readings typed by hand: many cost as few statements as a few."""

from __future__ import annotations

from datetime import date

from lims.audit.verify import verify
from lims.db import Database
from lims.records.readings import NewReading, record_readings
from tests.support import factories
from tests.support.statements import statements


def test_many_readings_cost_as_few_statements_as_a_few(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        mice = [factories.animal(session, project) for _ in range(20)]
        tumours = [factories.implant(session, mouse) for mouse in mice]
        of = [(mouse.id, tumour.id) for mouse, tumour in zip(mice, tumours, strict=True)]

    def cost(animals: int, on: date) -> int:
        rows = [NewReading(mouse, "body_weight", on, 20) for mouse, _ in of[:animals]]
        rows += [NewReading(mouse, "mri_volume", on, 12.5, implant_id=tumour) for mouse, tumour in of[:animals]]
        with statements(database.engine) as seen, database.transaction() as session:
            record_readings(session, factories.actor(), project.id, rows)
        return len(seen)

    assert cost(20, date(2026, 3, 10)) <= cost(2, date(2026, 3, 9))
    assert verify(database).problems == []
