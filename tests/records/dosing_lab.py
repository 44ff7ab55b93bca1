"""A running study of two arms, with what they are given and what the animals weigh, that the tests of dosing begin with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from lims.db import Database
from lims.domain.cohort_terms import DoseRoute
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import StudyStatus
from lims.models import Agent, AgentLot, Animal, AnimalProtocol, Arm, Dose, Project, Regimen, Study
from lims.records.doses import DOSE, record_doses
from lims.records.nouns import doubts
from tests.support import factories
from tests.support.databases import kept

DAY = date(2026, 3, 2)
"""Day 0, a Monday."""


@dataclass(frozen=True, slots=True)
class DoseLab:
    """What was recorded: two arms of two animals, each weighed at 20 g on day 0; T-DXd in one of them, its vehicle in the other."""

    project: Project
    study: Study
    arms: list[Arm]
    mice: list[Animal]
    """The first two are treated."""
    protocol: AnimalProtocol
    drug: Agent
    vehicle: Agent
    lot: AgentLot
    regimen: Regimen
    of_vehicle: Regimen


def day(number: int) -> date:
    """Give a day of the study."""
    return DAY + timedelta(days=number)


@kept
def make_lab(database: Database, schedule: str = "QDx5", *, animals: int = 2, **of_regimen: Any) -> DoseLab:
    """Record the laboratory."""
    with factories.declared(database) as session:
        project = factories.project(session, "BCBM")
        study = factories.study(session, project, "BM-014", day_zero_on=DAY, state=StudyStatus.ACTIVE)
        arms = [factories.arm(session, study, "tdxd", 1), factories.arm(session, study, "vehicle", 2)]
        protocol, cage = factories.protocol(session, project), factories.cage(session, project, "C7")
        mice = [
            factories.animal(session, project, f"M{n:02}", protocol_id=protocol.id, cage_id=cage.id) for n in range(2 * animals)
        ]
        for number, mouse in enumerate(mice):
            factories.enrolment(session, arms[number // animals], mouse, enrolled_on=DAY)
            factories.measurement(session, mouse, value=20.0, taken_on=DAY, slot=DAY.isoformat())
        drug = factories.agent(session, project)
        vehicle = factories.agent(session, project, "Vehicle", agent_class=AgentClass.VEHICLE, targets=[])
        lot = factories.lot(session, drug, "L-1", received_on=day(-30), expires_on=day(365))
        regimen = factories.regimen(session, arms[0], drug, schedule, **of_regimen)
        of_vehicle = factories.regimen(session, arms[1], vehicle, dose=None, route=DoseRoute.INTRAVENOUS)
        return DoseLab(project, study, arms, mice, protocol, drug, vehicle, lot, regimen, of_vehicle)


def planned(lab: DoseLab, mouse: int = 0, on: int = 0, **columns: Any) -> dict[str, Any]:
    """Give a planned dose of a treated animal as a row of columns, given on its day unless told otherwise."""
    row = {"animal_id": lab.mice[mouse].id, "agent_id": lab.drug.id, "regimen_id": lab.regimen.id, "due_on": day(on)}
    return row | {"given_on": day(on)} | columns


def give(database: Database, lab: DoseLab, *rows: dict[str, Any]) -> list[Dose]:
    """Record doses."""
    with database.transaction() as session:
        return record_doses(session, factories.actor(), lab.project.id, rows)


def refused(database: Database, lab: DoseLab, *rows: dict[str, Any], match: str) -> DomainError:
    """Record doses that are refused, and give the refusal; nothing of them is there afterwards."""
    with database.reading() as session:
        before = session.query(Dose).count()
    with pytest.raises(DomainError, match=match) as error:
        give(database, lab, *rows)
    with database.reading() as session:
        assert session.query(Dose).count() == before
    return error.value


def doubted(database: Database, lab: DoseLab, *rows: dict[str, Any]) -> list[Notice]:
    """Give what is unusual about doses."""
    with database.reading() as session:
        return doubts(session, DOSE, lab.project.id, rows)
