"""Animal protocols: what they allow, and who may come under them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from lims.db import Database
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import Conflict, DomainError
from lims.models import Animal, AnimalProtocol, Project
from lims.records.colony import ANIMAL, PROTOCOL, require_procedure
from lims.records.nouns import change, record, reinstate, withdraw
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

APPROVED, EXPIRES = date(2026, 1, 1), date(2026, 6, 30)
ARRIVED = date(2026, 3, 2)


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


def add(database: Database, project: Project, code: str = "A-12", **columns: Any) -> AnimalProtocol:
    row = {"title": "Xenografts", "approved_on": APPROVED, "expires_on": EXPIRES, "animals_allowed": 18, "procedures": []}
    with database.transaction() as session:
        return record(session, factories.actor(), PROTOCOL, project.id, [row | {"code": code} | columns])[0]


def animals(database: Database, project: Project, count: int, **columns: Any) -> list[Animal]:
    with database.transaction() as session:
        return record(session, factories.actor(), ANIMAL, project.id, [{"arrived_on": ARRIVED} | columns] * count)


def alter(database: Database, noun: Any, row: Any, **fields: Any) -> None:
    with database.transaction() as session:
        found = session.get_one(noun.model, row.id)
        change(session, factories.actor(), noun, found, version=found.version, reason="letter", fields=fields)


@each(
    ("columns", "field"),
    [
        ({"expires_on": APPROVED - timedelta(1)}, "expires_on"),
        ({"animals_allowed": -1}, "animals_allowed"),
        ({"procedures": ["headstand"]}, "procedures"),
        ({"approved_on": date(2199, 1, 1), "expires_on": date(2200, 1, 1)}, "approved_on"),
        ({"expires_on": None}, "expires_on"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(database: Database, project: Project, columns: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        add(database, project, **columns)
    assert refused.value.field == field


def test_it_may_expire_in_the_future_and_on_its_first_day(database: Database, project: Project) -> None:
    assert add(database, project, expires_on=date(2199, 1, 1)).expires_on.year == 2199
    assert add(database, project, "A-13", expires_on=APPROVED).code == "A-13"


def test_it_never_allows_fewer_animals_than_it_has(database: Database, project: Project) -> None:
    protocol = add(database, project)
    animals(database, project, 3, protocol_id=protocol.id)
    with pytest.raises(DomainError, match="3 animals are under this protocol already"):
        alter(database, PROTOCOL, protocol, animals_allowed=2)
    alter(database, PROTOCOL, protocol, animals_allowed=3)
    with pytest.raises(DomainError, match="allows 3 animals; 3 are used and 1 was asked for: 1 too many"):
        animals(database, project, 1, protocol_id=protocol.id)


def test_twenty_for_eighteen_are_refused_as_one(database: Database, project: Project) -> None:
    protocol = add(database, project)
    with pytest.raises(DomainError) as refused:
        animals(database, project, 20, protocol_id=protocol.id)
    assert str(refused.value) == "Protocol A-12 allows 18 animals; 0 are used and 20 were asked for: 2 too many."
    assert refused.value.field == "protocol_id"
    with database.reading() as session:
        assert session.query(Animal).count() == 0
    assert len(animals(database, project, 18, protocol_id=protocol.id)) == 18


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        (EXPIRES + timedelta(1), "Protocol A-12 expired on 2026-06-30, before 2026-07-01."),
        (APPROVED - timedelta(1), "Protocol A-12 was approved on 2026-01-01, after 2025-12-31."),
    ],
)
def test_animals_arrive_while_it_holds(database: Database, project: Project, arrived: date, told: str) -> None:
    protocol = add(database, project)
    with pytest.raises(DomainError, match=told):
        animals(database, project, 1, protocol_id=protocol.id, arrived_on=arrived)
    for day in (APPROVED, EXPIRES):
        assert animals(database, project, 1, protocol_id=protocol.id, arrived_on=day)


def test_without_a_day_of_arrival_today_counts(database: Database, project: Project) -> None:
    protocol = add(database, project, expires_on=APPROVED + timedelta(1))
    with pytest.raises(DomainError, match="expired on"):
        animals(database, project, 1, protocol_id=protocol.id, arrived_on=None)


def test_a_withdrawn_animal_does_not_count_and_comes_back_only_where_there_is_room(database: Database, project: Project) -> None:
    protocol = add(database, project, animals_allowed=1)
    (first,) = animals(database, project, 1, protocol_id=protocol.id)
    with database.transaction() as session:
        found = session.get_one(Animal, first.id)
        withdraw(session, factories.actor(), ANIMAL, found, version=found.version, reason="twice in the list")
    animals(database, project, 1, protocol_id=protocol.id)
    with pytest.raises(DomainError, match="1 is used and 1 was asked for"), database.transaction() as session:
        found = session.get_one(Animal, first.id)
        reinstate(session, factories.actor(), ANIMAL, found, version=found.version, reason="it was not")


def test_a_renewal_takes_over_animals_that_arrived_before_it(database: Database, project: Project) -> None:
    old, new = add(database, project), add(database, project, "A-13", approved_on=EXPIRES, expires_on=date(2199, 1, 1))
    (mouse,) = animals(database, project, 1, protocol_id=old.id)
    alter(database, ANIMAL, mouse, protocol_id=new.id)
    with pytest.raises(DomainError, match="approved on 2026-06-30, after 2026-03-02"):
        animals(database, project, 1, protocol_id=new.id)


def test_an_animal_of_an_expired_protocol_is_still_corrected(database: Database, project: Project) -> None:
    protocol = add(database, project)
    (mouse,) = animals(database, project, 1, protocol_id=protocol.id)
    alter(database, PROTOCOL, protocol, expires_on=ARRIVED)
    alter(database, ANIMAL, mouse, genotype="NSG")
    with pytest.raises(DomainError, match="expired on 2026-03-02, before 2026-03-03"):
        alter(database, ANIMAL, mouse, arrived_on=ARRIVED + timedelta(1))


def test_a_protocol_with_animals_is_not_withdrawn(database: Database, project: Project) -> None:
    protocol = add(database, project)
    animals(database, project, 2, protocol_id=protocol.id)
    with pytest.raises(Conflict, match=r"2 active records \(animal\) stand on this"), database.transaction() as session:
        found = session.get_one(AnimalProtocol, protocol.id)
        withdraw(session, factories.actor(), PROTOCOL, found, version=found.version, reason="mistake")


def test_another_projects_protocol_is_none(database: Database, project: Project) -> None:
    with factories.declared(database) as session:
        other = factories.project(session)
    protocol = add(database, other)
    with pytest.raises(DomainError, match="There is no animal protocol"):
        animals(database, project, 1, protocol_id=protocol.id)


def test_a_procedure_asks_the_animals_protocols(database: Database, project: Project) -> None:
    protocol = add(database, project, procedures=["intracranial", "imaging"])
    mice = animals(database, project, 2, protocol_id=protocol.id) + animals(database, project, 1)
    with database.reading() as session:
        mice = [session.get_one(Animal, mouse.id) for mouse in mice]
        require_procedure(session, mice, ProtocolProcedure.INTRACRANIAL, ARRIVED)
        with pytest.raises(DomainError, match="Animal M0001: Protocol A-12 does not allow subcutaneous implanting") as refused:
            require_procedure(session, mice, ProtocolProcedure.SUBCUTANEOUS, ARRIVED)
        assert refused.value.field == "animal_id"
        assert refused.value.expected == "one of the procedures it allows: intracranial implanting, imaging"
        with pytest.raises(DomainError, match="Animal M0001: Protocol A-12 expired"):
            require_procedure(session, mice, ProtocolProcedure.IMAGING, EXPIRES + timedelta(1))
        require_procedure(session, mice[2:], ProtocolProcedure.SUBCUTANEOUS, ARRIVED)
        require_procedure(session, [], ProtocolProcedure.SUBCUTANEOUS, ARRIVED)


def test_a_full_protocol_still_allows_procedures(database: Database, project: Project) -> None:
    protocol = add(database, project, animals_allowed=1, procedures=["imaging"])
    (mouse,) = animals(database, project, 1, protocol_id=protocol.id)
    with database.reading() as session:
        require_procedure(session, [session.get_one(Animal, mouse.id)], ProtocolProcedure.IMAGING, ARRIVED)


def test_a_list_of_animals_costs_the_same_however_long(database: Database, project: Project) -> None:
    protocol = add(database, project, animals_allowed=5000)

    def cost(count: int) -> int:
        codes = [{"code": f"{count}-{number}", "protocol_id": protocol.id, "rfid": f"{count}/{number}"} for number in range(count)]
        with database.transaction() as session, statements(database.engine) as seen:
            record(session, factories.actor(), ANIMAL, project.id, [row | {"arrived_on": ARRIVED} for row in codes])
            return len([one for one in seen if one.startswith("SELECT")])

    assert cost(200) == cost(2)
