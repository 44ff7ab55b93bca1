"""Fates: with day and reason, once, in the order of events; they answer what was open, and can be taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import ActionState, DoseState, EndpointLevel, FateReason
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Agent, Animal, Dose, EndpointAction, Fate
from lims.records.colony import ANIMAL
from lims.records.fates import FATE, record_fates
from lims.records.nouns import change, reinstate, withdraw
from tests.records.welfare import Ward
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

MEASURED, LATER = date(2026, 3, 20), date(2026, 3, 23)
ALIVE, DEAD = AnimalStatus.ALIVE, AnimalStatus.DEAD


@pytest.fixture
def ward(database: Database) -> Ward:
    """Give M1 with an open action since its last weighing, and M2."""
    ward = Ward.open(database)
    ward.rule()
    ward.measure("M1", "2026-02-20", 21.4)
    ward.measure("M1", str(MEASURED), 17.1)
    return ward


def die(ward: Ward, *rows: dict[str, Any], project: int | None = None) -> list[Fate]:
    usual = {"died_on": LATER, "reason": FateReason.WEIGHT_ENDPOINT, "method": "CO₂"}
    wanted = [{**usual, **row, "animal_id": ward.animals[row["animal_id"]]} for row in rows]
    with ward.database.transaction() as session:
        return record_fates(session, factories.actor(), project or ward.project[0], wanted)


def fate(ward: Ward, step: Any, **how: Any) -> None:
    """Change, withdraw or bring back the first fate."""
    with ward.database.transaction() as session:
        found = session.scalars(select(Fate).order_by(Fate.id)).first()
        step(session, factories.actor(), FATE, found, version=found.version, reason="wrong mouse", **how)


def state(ward: Ward, code: str = "M1") -> tuple[AnimalStatus, date | None]:
    animal = ward.animal(code)
    return animal.state, animal.died_on


def count(ward: Ward) -> int:
    with ward.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Fate).where(Fate.status == RecordStatus.ACTIVE)) or 0


def test_a_fate_lets_the_animal_die_and_answers_what_is_open(ward: Ward) -> None:
    (made,) = die(ward, {"animal_id": "M1", "note": "hunched"})
    assert state(ward) == (DEAD, LATER)
    (action,) = ward.actions()
    assert (action.state, action.fate_id, action.answered_on) == (ActionState.CLOSED, made.id, LATER)
    assert action.answer == "Fate: weight endpoint, 2026-03-23"
    event = ward.last_event()
    assert (event.action, event.changes) == ("fate:create", 3)
    assert verify(ward.database).problems == []


def test_several_animals_have_their_fates_at_once_or_none(ward: Ward) -> None:
    with pytest.raises(DomainError) as refused:
        die(ward, {"animal_id": "M2"}, {"animal_id": "M1", "died_on": date(2026, 3, 19)})
    assert "The death of M1 on 2026-03-19 comes before the last measurement of M1 on 2026-03-20" in str(refused.value)
    assert count(ward) == 0
    assert state(ward, "M2")[1] is None
    die(ward, {"animal_id": "M2", "reason": FateReason.SCHEDULED}, {"animal_id": "M1"})
    assert (state(ward), state(ward, "M2")) == ((DEAD, LATER), (DEAD, LATER))


@each(
    ("row", "field", "told"),
    [
        ({"died_on": date(2026, 3, 19)}, "died_on", "before the last measurement"),
        ({"died_on": date(2026, 2, 19)}, "died_on", "before the last implanting"),
        ({"died_on": date(2026, 1, 4)}, "died_on", "before the birth"),
        ({"died_on": datetime.now(UTC).date() + timedelta(days=2)}, "died_on", "lies in the future"),
        ({"died_on": None}, "died_on", "is needed"),
        ({"reason": None}, "reason", "is needed"),
        ({"reason": FateReason.FOUND_DEAD}, "method", "found dead, so it was not killed"),
    ],
)
def test_fates_that_cannot_be_are_refused(ward: Ward, row: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(DomainError, match=told) as refused:
        die(ward, {"animal_id": "M1", **row})
    assert refused.value.field == field
    assert count(ward) == 0
    assert state(ward)[1] is None
    assert ward.actions()[0].state is ActionState.OPEN


def test_nothing_was_done_to_it_after_its_death(ward: Ward) -> None:
    with factories.declared(ward.database) as session:
        mouse = session.get_one(Animal, ward.animals["M2"])
        columns = {"project_id": ward.project[0], "code": "T-DXd", "name": "trastuzumab deruxtecan", "targets": ["ERBB2"]}
        agent = Agent(**columns, agent_class=AgentClass.ANTIBODY_DRUG_CONJUGATE)
        session.add(agent)
        session.flush()
        given = {"given_on": date(2026, 4, 2), "state": DoseState.GIVEN, "agent_id": agent.id}
        session.add(Dose(project_id=ward.project[0], animal_id=mouse.id, **given))
    with pytest.raises(DomainError, match="before the last dose of M2 on 2026-04-02"):
        die(ward, {"animal_id": "M2"})


def test_an_animal_dies_once(ward: Ward) -> None:
    with pytest.raises(DomainError, match="Animal M2 has a fate of 2026-03-23 already") as refused:
        die(ward, {"animal_id": "M1"}, {"animal_id": "M2"}, {"animal_id": "M2"})
    assert refused.value.row == 2
    die(ward, {"animal_id": "M2"})
    with pytest.raises(DomainError, match="Animal M2 has a fate of 2026-03-23 already"):
        die(ward, {"animal_id": "M2"})
    with pytest.raises(DomainError, match="No animal is named"):
        die(ward)


def test_a_death_that_an_old_record_tells_gets_its_reason(ward: Ward) -> None:
    ward.house("OLD", died_on=LATER, state=DEAD)
    with pytest.raises(DomainError, match="Animal OLD died on 2026-03-23 by its record"):
        die(ward, {"animal_id": "OLD", "died_on": date(2026, 3, 24)})
    die(ward, {"animal_id": "OLD"})
    assert count(ward) == 1


def test_another_projects_animal_is_not_found(ward: Ward) -> None:
    with factories.declared(ward.database) as session:
        other = factories.project(session)
    with pytest.raises(DomainError, match="There is no animal"):
        die(ward, {"animal_id": "M2"}, project=other.id)


def test_a_withdrawn_fate_brings_the_animal_back_and_opens_what_it_answered(ward: Ward) -> None:
    die(ward, {"animal_id": "M1"})
    fate(ward, withdraw)
    assert state(ward) == (ALIVE, None)
    (action,) = ward.actions()
    assert (action.state, action.fate_id, action.answer, action.level) == (ActionState.OPEN, None, None, EndpointLevel.ACT)
    fate(ward, reinstate)
    assert state(ward) == (DEAD, LATER)
    assert ward.actions()[0].state is ActionState.CLOSED
    fate(ward, withdraw)
    die(ward, {"animal_id": "M1", "died_on": date(2026, 3, 25)})
    assert state(ward) == (DEAD, date(2026, 3, 25))
    assert verify(ward.database).problems == []


def test_a_changed_fate_changes_the_day_of_death(ward: Ward) -> None:
    die(ward, {"animal_id": "M1"})
    fate(ward, change, fields={"died_on": MEASURED, "reason": FateReason.UNRELATED})
    assert state(ward) == (DEAD, MEASURED)
    assert ward.actions()[0].answer == "Fate: unrelated to the study, 2026-03-20"
    with pytest.raises(DomainError, match="before the last measurement"):
        fate(ward, change, fields={"died_on": date(2026, 3, 1)})


def test_the_animals_own_record_cannot_contradict_its_fate(ward: Ward) -> None:
    die(ward, {"animal_id": "M1"})
    for fields in ({"died_on": date(2026, 3, 25)}, {"died_on": None, "state": ALIVE}):
        with (
            pytest.raises(DomainError, match="The fate of M1 says that it died on 2026-03-23"),
            ward.database.transaction() as session,
        ):
            animal = session.get_one(Animal, ward.animals["M1"])
            change(session, factories.actor(), ANIMAL, animal, version=animal.version, reason="typo", fields=fields)
    assert state(ward) == (DEAD, LATER)


def test_a_dead_animal_asks_nothing(ward: Ward) -> None:
    die(ward, {"animal_id": "M1"})
    ward.measure("M1", "2026-03-22", 16.0)
    assert [one.state for one in ward.actions()] == [ActionState.CLOSED]


def test_two_hundred_fates_read_no_more_than_one(ward: Ward) -> None:
    codes = [f"N{number}" for number in range(200)]
    ward.house(*codes)
    with statements(ward.database.engine) as one:
        die(ward, {"animal_id": "M2"})
    with statements(ward.database.engine) as many:
        die(ward, *({"animal_id": code} for code in codes))
    with ward.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(EndpointAction)) == 1
    # Two more: a list takes its numbers at once, for which PostgreSQL is asked and told.
    assert sum(told.startswith("SELECT") for told in many) <= sum(told.startswith("SELECT") for told in one) + 2


def test_what_was_measured_while_an_animal_was_taken_for_dead_is_judged_when_it_lives(ward: Ward) -> None:
    ward.measure("M2", "2026-02-20", 21.4)
    (made,) = die(ward, {"animal_id": "M2"})
    ward.measure("M2", str(LATER), 17.0)
    assert len(ward.actions()) == 1

    fate(ward, withdraw)

    (_, action) = ward.actions()
    assert (action.animal_id, action.level, action.reached_on) == (made.animal_id, EndpointLevel.ACT, LATER)
    assert ward.last_event().action == "fate:withdraw"
    assert verify(ward.database).problems == []
