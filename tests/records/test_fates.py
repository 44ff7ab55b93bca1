"""Deaths: with a reason, once, and not before what was measured."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.vocabulary import AnimalStatus
from lims.models import Animal, AuditEvent, Project
from lims.records.fates import Death, record_deaths
from lims.records.measurements import Readings, record_measurements
from tests.support import factories

BORN, MEASURED, LATER = date(2026, 1, 5), date(2026, 3, 9), date(2026, 3, 12)


@pytest.fixture
def project(database: Database, actor: Actor) -> Project:
    """Give a project with animal M1, weighed once, and animal M2."""
    with factories.declared(database) as session:
        made = factories.project(session)
        weighed = factories.animal(session, made, "M1", birth_date=BORN)
        factories.animal(session, made, "M2", birth_date=BORN)
        day = MEASURED.isoformat()
        readings = Readings((made.id, made.code), "body_weight", [(weighed.id, "M1")], None, [21.5], [day], [day])
        record_measurements(session, actor, readings)
    return made


def ids(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return dict(session.execute(select(Animal.code, Animal.id)).all())


def test_deaths_are_recorded_with_their_reason(database: Database, actor: Actor, project: Project) -> None:
    keys = ids(database)
    with database.transaction() as session:
        animals = record_deaths(
            session, actor, project.id, [Death(keys["M2"], LATER), Death(keys["M1"], MEASURED)], reason="humane endpoint"
        )
        assert [animal.code for animal in animals] == ["M2", "M1"]
    with database.reading() as session:
        dead = {animal.code: (animal.state, animal.died_on) for animal in session.scalars(select(Animal))}
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert dead == {"M1": (AnimalStatus.DEAD, MEASURED), "M2": (AnimalStatus.DEAD, LATER)}
    assert event is not None
    assert (event.action, event.reason, event.changes) == ("animal:change", "humane endpoint", 2)


@pytest.mark.parametrize(
    ("code", "on", "told"),
    [
        ("M1", date(2026, 3, 8), "before its last measurement"),
        ("M2", date(2026, 1, 4), "before its date of birth"),
        ("nobody", LATER, "no animal"),
    ],
)
def test_impossible_deaths_are_refused(database: Database, actor: Actor, project: Project, code: str, on: date, told: str) -> None:
    key = ids(database).get(code, 999)
    with pytest.raises(DomainError, match=told), database.transaction() as session:
        record_deaths(session, actor, project.id, [Death(key, on)], reason="found dead")
    with database.reading() as session:
        assert set(session.scalars(select(Animal.died_on))) == {None}


def test_an_animal_dies_once(database: Database, actor: Actor, project: Project) -> None:
    twice = [Death(ids(database)["M2"], LATER)] * 2
    with pytest.raises(DomainError, match="died on 2026-03-12 by its record"), database.transaction() as session:
        record_deaths(session, actor, project.id, twice, reason="found dead")


def test_another_projects_animal_is_not_found(database: Database, actor: Actor, project: Project) -> None:
    with factories.declared(database) as session:
        other = factories.project(session)
    with pytest.raises(DomainError, match="no animal"), database.transaction() as session:
        record_deaths(session, actor, other.id, [Death(ids(database)["M2"], LATER)], reason="found dead")


def test_a_death_has_a_reason(database: Database, actor: Actor, project: Project) -> None:
    with pytest.raises(DomainError, match="reason"), database.transaction() as session:
        record_deaths(session, actor, project.id, [Death(ids(database)["M2"], LATER)], reason=" ")
