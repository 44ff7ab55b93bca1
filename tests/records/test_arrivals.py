"""Deliveries: many animals at once, with their cages, under their protocol."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.vocabulary import AnimalStatus, Sex
from lims.models import Animal, AnimalProtocol, AuditEvent, Cage, Project
from lims.records.arrivals import Arrival, arrival_doubts, arrive
from lims.records.colony import ANIMAL, CAGE, PROTOCOL
from lims.records.nouns import record
from tests.support import factories
from tests.support.cases import each

ARRIVED = date(2026, 3, 2)


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


@pytest.fixture
def protocol(database: Database, project: Project) -> AnimalProtocol:
    row = {"code": "A-12", "title": "Xenografts", "expires_on": date(2026, 6, 30), "animals_allowed": 18, "procedures": []}
    with database.transaction() as session:
        return record(session, factories.actor(), PROTOCOL, project.id, [row])[0]


def come(database: Database, project: Project, count: int, **facts: Any) -> list[tuple[str, str | None]]:
    """Let animals arrive; gives each one's code and its cage's."""
    facts.setdefault("arrived_on", ARRIVED)
    with database.transaction() as session:
        made = arrive(session, factories.actor(), project.id, Arrival(count, **facts))
        session.flush()
        return [(animal.code, animal.cage.code if animal.cage else None) for animal in made]


def counted(database: Database, table: type[Animal] | type[Cage]) -> int:
    with database.reading() as session:
        return session.query(table).count()


def test_a_delivery_fills_new_cages_in_order(database: Database, project: Project, protocol: AnimalProtocol) -> None:
    facts = {"strain": "NSG", "sex": Sex.FEMALE, "birth_date": date(2026, 1, 5), "source": "breeder", "protocol_id": protocol.id}
    made = come(database, project, 12, **facts)
    assert [code for code, _ in made] == [f"M{number:04}" for number in range(1, 13)]
    assert Counter(cage for _, cage in made) == {"C-001": 5, "C-002": 5, "C-003": 2}
    with database.reading() as session:
        mouse = session.query(Animal).filter_by(code="M0012").one()
        recorded = {name: getattr(mouse, name) for name in facts}
        assert recorded == facts
        assert (mouse.state, mouse.arrived_on) == (AnimalStatus.ALIVE, ARRIVED)
        events = session.query(AuditEvent).filter_by(action="animal:create").count()
        assert events == 1
    assert verify(database).problems == []


def test_codes_ear_tags_and_cards_as_they_were_read(database: Database, project: Project) -> None:
    with database.transaction() as session:
        record(session, factories.actor(), CAGE, project.id, [{"code": "K1"}])
    made = come(database, project, 4, codes=["a", "b", "c", "d"], ear_tags=["1", "2", "1", "2"], per_cage=2, cages=["K2", "K1"])
    assert made == [("a", "K2"), ("b", "K2"), ("c", "K1"), ("d", "K1")]
    with database.reading() as session:
        assert [mouse.ear_tag for mouse in session.query(Animal).order_by(Animal.code)] == ["1", "2", "1", "2"]


def test_they_may_have_no_cage_yet_or_larger_ones(database: Database, project: Project) -> None:
    assert come(database, project, 2, per_cage=None) == [("M0001", None), ("M0002", None)]
    assert Counter(cage for _, cage in come(database, project, 9, per_cage=8)) == {"C-001": 8, "C-002": 1}


def test_twenty_for_eighteen_leave_nothing_behind(database: Database, project: Project, protocol: AnimalProtocol) -> None:
    with pytest.raises(DomainError, match="allows 18 animals; 0 are used and 20 were asked for: 2 too many"):
        come(database, project, 20, protocol_id=protocol.id)
    assert counted(database, Animal) == counted(database, Cage) == 0
    assert come(database, project, 18, protocol_id=protocol.id)[0] == ("M0001", "C-001")


@each(
    ("count", "facts", "field"),
    [
        (0, {}, "count"),
        (501, {}, "count"),
        (4, {"per_cage": 0}, "per_cage"),
        (4, {"per_cage": 21}, "capacity"),
        (4, {"codes": ["a", "b"]}, "codes"),
        (4, {"codes": ["a", "b", "c", "a"]}, "code"),
        (4, {"ear_tags": ["1"] * 5}, "ear_tags"),
        (4, {"ear_tags": ["1", "2", "3", "1"]}, "ear_tags"),
        (4, {"per_cage": 2, "cages": ["K1"]}, "cages"),
        (4, {"per_cage": None, "cages": ["K1"]}, "cages"),
        (4, {"birth_date": date(2026, 3, 3)}, "arrived_on"),
        (4, {"arrived_on": date(2199, 1, 1)}, "arrived_on"),
        (4, {"protocol_id": 99}, "protocol_id"),
    ],
)
def test_what_does_not_fit_is_refused_whole(
    database: Database, project: Project, count: int, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(DomainError) as refused:
        come(database, project, count, **facts)
    assert refused.value.field == field
    assert counted(database, Animal) == counted(database, Cage) == 0
    assert refused.value.source or field == "protocol_id", "a refusal names its rule, unless a record is not there"


def test_a_cage_that_others_live_in_has_only_its_room(database: Database, project: Project) -> None:
    come(database, project, 3, cages=["K1"])
    with pytest.raises(DomainError, match="Cage K1 has room for 2 more"):
        come(database, project, 3, cages=["K1"])
    assert come(database, project, 2, cages=["K1"])[0] == ("M0004", "K1")


def test_ear_tags_that_others_of_the_cage_have_are_doubted(database: Database, project: Project) -> None:
    come(database, project, 2, cages=["K1"], ear_tags=["1", "2"])

    def doubted(*tags: str, cages: tuple[str, ...] = ("K1",)) -> list[str]:
        arrival = Arrival(len(tags), ARRIVED, ear_tags=tags, cages=cages)
        with database.reading() as session:
            return [notice.message for notice in arrival_doubts(session, project.id, arrival)]

    assert doubted("3", "2") == ["Animal M0002 of the same cage has ear tag 2 too."]
    assert doubted("3", "4") == []
    assert doubted("1", "2", cages=("K2",)) == []
    assert doubted("1", "2", cages=()) == []


def test_an_animal_of_a_file_needs_no_protocol(database: Database, project: Project) -> None:
    with database.transaction() as session:
        (mouse,) = record(session, factories.actor(), ANIMAL, project.id, [{"code": "M1"}])
    assert mouse.protocol_id is None
