"""Cages, the animals in them, and their moves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Cage, CageMove, Project
from lims.records.colony import ANIMAL, CAGE
from lims.records.moves import CAGE_MOVE, move
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

ARRIVED, MOVED = date(2026, 3, 2), date(2026, 3, 9)


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


def cages(database: Database, project: Project, *rows: dict[str, Any]) -> list[Cage]:
    with database.transaction() as session:
        return record(session, factories.actor(), CAGE, project.id, rows)


def mice(database: Database, project: Project, count: int, **columns: Any) -> list[Animal]:
    row = {"arrived_on": ARRIVED, "state": AnimalStatus.ALIVE} | columns
    with database.transaction() as session:
        return record(session, factories.actor(), ANIMAL, project.id, [row] * count)


def go(database: Database, animals: list[Animal], to: Cage, on: date = MOVED, note: str | None = None) -> list[CageMove]:
    with database.transaction() as session:
        found = [session.get_one(Animal, one.id) for one in animals]
        return move(session, factories.actor(), found, session.get_one(Cage, to.id), on=on, note=note)


def alter(database: Database, noun: Any, row: Any, **fields: Any) -> None:
    with database.transaction() as session:
        found = session.get_one(noun.model, row.id)
        change(session, factories.actor(), noun, found, version=found.version, reason="moved the rack", fields=fields)


def whereabouts(database: Database, animals: list[Animal]) -> list[int | None]:
    with database.reading() as session:
        return [session.get_one(Animal, one.id).cage_id for one in animals]


def place(code: str, rack: str | None = "R1", row: int | None = 1, column: int | None = 1) -> dict[str, Any]:
    return {"code": code, "rack": rack, "rack_row": row, "rack_column": column}


# Racks


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (place("C2"), "Cage C1 stands at A1 of rack R1."),
        (place("C2", row=None), "A position in a rack is a row and a column."),
        (place("C2", rack=None, row=2), "A position needs the rack it is in."),
        (place("C2", row=27), "Row in the rack 27 cannot be."),
    ],
)
def test_a_place_that_a_cage_cannot_have(database: Database, project: Project, second: dict[str, Any], told: str) -> None:
    cages(database, project, place("C1"))
    with pytest.raises(DomainError, match=told):
        cages(database, project, second)


def test_two_cages_of_one_list_do_not_share_a_place(database: Database, project: Project) -> None:
    with pytest.raises(DomainError, match="Cage C1 stands at A1"):
        cages(database, project, place("C1"), place("C2"))


def test_cages_stand_side_by_side_in_other_racks_and_nowhere(database: Database, project: Project) -> None:
    one, other, *_ = cages(
        database, project, place("C1"), place("C2", column=2), place("C3", rack="R2"), place("C4", row=None, column=None), {}
    )
    assert (one.position, other.position) == ("A1", "A2")
    alter(database, CAGE, one, note="back of the room")
    with pytest.raises(DomainError, match="Cage C2 stands at A2"):
        alter(database, CAGE, one, rack_column=2)


def test_a_withdrawn_cage_frees_its_place_and_does_not_come_back_to_it(database: Database, project: Project) -> None:
    (old,) = cages(database, project, place("C1"))
    with database.transaction() as session:
        found = session.get_one(Cage, old.id)
        withdraw(session, factories.actor(), CAGE, found, version=found.version, reason="broken")
    cages(database, project, place("C2"))
    with pytest.raises(DomainError, match="Cage C2 stands at A1"), database.transaction() as session:
        found = session.get_one(Cage, old.id)
        reinstate(session, factories.actor(), CAGE, found, version=found.version, reason="mended")


def test_the_same_place_of_another_project_is_another(database: Database, project: Project) -> None:
    with factories.declared(database) as session:
        other = factories.project(session)
    assert cages(database, project, place("C1"))
    assert cages(database, other, place("C1"))


def test_a_cage_never_gets_too_small_for_those_inside(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1"})
    mice(database, project, 3, cage_id=cage.id)
    with pytest.raises(DomainError, match="3 animals are in this cage"):
        alter(database, CAGE, cage, capacity=2)
    alter(database, CAGE, cage, capacity=3)


def test_living_animals_need_room_and_dead_ones_do_not(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 2})
    mice(database, project, 1, cage_id=cage.id, state=AnimalStatus.DEAD, died_on=MOVED)
    mice(database, project, 2, cage_id=cage.id)
    with pytest.raises(DomainError, match="Cage C1 is full: 2 of 2 animals are in it, and 1 would come") as refused:
        mice(database, project, 1, cage_id=cage.id)
    assert refused.value.field == "cage_id"


def test_a_file_fills_a_cage_as_it_was(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 2})
    listed = mice(database, project, 4, cage_id=cage.id, state=AnimalStatus.NOT_RECORDED)
    alter(database, CAGE, cage, note="crowded")
    alter(database, ANIMAL, listed[0], genotype="NSG")
    with pytest.raises(DomainError, match="is full: 4 of 2"):
        mice(database, project, 1, cage_id=cage.id)


def test_the_dead_need_room_when_they_turn_out_to_live(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 1})
    (dead,) = mice(database, project, 1, cage_id=cage.id, state=AnimalStatus.DEAD, died_on=MOVED)
    (other,) = mice(database, project, 1, cage_id=cage.id)
    for state in (AnimalStatus.ALIVE, AnimalStatus.NOT_RECORDED):
        with pytest.raises(DomainError, match="Cage C1 is full") as refused:
            alter(database, ANIMAL, dead, state=state, died_on=None)
        assert refused.value.field == "cage_id"
    alter(database, ANIMAL, other, died_on=MOVED, state=AnimalStatus.DEAD)
    alter(database, ANIMAL, dead, state=AnimalStatus.ALIVE, died_on=None)


def test_the_dead_do_not_come_alive_in_a_withdrawn_cage(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1"})
    (dead,) = mice(database, project, 1, cage_id=cage.id, state=AnimalStatus.DEAD, died_on=MOVED)
    with database.transaction() as session:
        withdraw(session, factories.actor(), CAGE, session.get_one(Cage, cage.id), version=1, reason="broken")
    with pytest.raises(DomainError, match="Cage C1 was withdrawn") as refused:
        alter(database, ANIMAL, dead, state=AnimalStatus.ALIVE, died_on=None)
    assert refused.value.field == "cage_id"


# Animals


@each(
    ("columns", "field"),
    [
        ({"birth_date": ARRIVED + timedelta(1)}, "arrived_on"),
        ({"died_on": ARRIVED - timedelta(1), "state": AnimalStatus.DEAD}, "died_on"),
        ({"died_on": MOVED}, "state"),
        ({"arrived_on": date(2199, 1, 1)}, "arrived_on"),
        ({"birth_date": date(2199, 1, 1)}, "birth_date"),
    ],
)
def test_an_animals_dates_are_in_order(database: Database, project: Project, columns: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        mice(database, project, 1, **columns)
    assert refused.value.field == field


@pytest.mark.parametrize("what", ["implanting", "first sight of a tumour", "move", "measurement", "harvest"])
def test_an_animals_dates_are_judged_by_what_was_done_to_it(database: Database, project: Project, what: str) -> None:
    (mouse,) = mice(database, project, 1, birth_date=ARRIVED)
    with factories.declared(database) as session:
        if what == "move":
            factories.cage_move(session, mouse, moved_on=MOVED)
        elif what == "measurement":
            factories.measurement(session, mouse, taken_on=MOVED)
        else:
            seen = {"engrafted_on": MOVED} if what == "first sight of a tumour" else {}
            implant = factories.implant(session, mouse, implanted_on=MOVED if what == "implanting" else None, **seen)
            if what == "harvest":
                harvest = {"patient_id": None, "source_implant_id": implant.id, "collected_on": MOVED}
                factories.specimen(session, factories.patient(session, project), **harvest)
    for name in ("birth_date", "arrived_on"):
        late = {"birth_date": None, "arrived_on": None, name: MOVED + timedelta(1)}
        told = f"The first {what} of M0001 on {MOVED} comes before the {'birth' if name == 'birth_date' else 'arrival'} of M0001"
        with pytest.raises(DomainError, match=told) as refused:
            alter(database, ANIMAL, mouse, **late)
        assert refused.value.field == name
    early = {"state": AnimalStatus.DEAD, "died_on": MOVED - timedelta(1)}
    if what == "harvest":
        alter(database, ANIMAL, mouse, **early)
        return
    with pytest.raises(
        DomainError, match=f"The death of M0001 on {early['died_on']} comes before the last {what} of M0001"
    ) as refused:
        alter(database, ANIMAL, mouse, **early)
    assert refused.value.field == "died_on"
    alter(database, ANIMAL, mouse, state=AnimalStatus.DEAD, died_on=MOVED, arrived_on=MOVED, birth_date=None)


def test_what_was_withdrawn_does_not_judge_an_animals_dates(database: Database, project: Project) -> None:
    (mouse,) = mice(database, project, 1)
    with factories.declared(database) as session:
        factories.measurement(session, mouse, taken_on=MOVED, status=RecordStatus.WITHDRAWN)
        factories.measurement(session, mouse, taken_on=ARRIVED - timedelta(1))
    alter(database, ANIMAL, mouse, state=AnimalStatus.DEAD, died_on=ARRIVED)
    alter(database, ANIMAL, mouse, genotype="NSG")


def test_new_animals_are_not_asked_what_was_done_to_them(database: Database, project: Project) -> None:
    with statements(database.engine) as seen:
        mice(database, project, 2, birth_date=ARRIVED, died_on=MOVED, state=AnimalStatus.DEAD)
    assert not [one for one in seen if "FROM measurement" in one or "FROM implant" in one or "FROM cage_move" in one]


def test_an_rfid_is_one_living_animals(database: Database, project: Project) -> None:
    (first,) = mice(database, project, 1, rfid="900 123")
    with pytest.raises(DomainError, match="Animal M0001 has the RFID 900 123") as refused:
        mice(database, project, 1, rfid="900 123")
    assert refused.value.field == "rfid"
    with pytest.raises(DomainError, match="has the RFID 900 124"):
        mice(database, project, 2, rfid="900 124")
    alter(database, ANIMAL, first, genotype="NSG")
    alter(database, ANIMAL, first, died_on=MOVED, state=AnimalStatus.DEAD)
    assert mice(database, project, 1, rfid="900 123")


def test_an_ear_tag_that_stands_twice_in_a_cage_is_doubted(database: Database, project: Project) -> None:
    one, other = cages(database, project, {"code": "C1"}, {"code": "C2"})
    (first,) = mice(database, project, 1, ear_tag="7", cage_id=one.id)

    def doubted(existing: Animal | None = None, **row: Any) -> list[str]:
        with database.reading() as session:
            found = session.get_one(Animal, existing.id) if existing else None
            return [notice.message for notice in doubts(session, ANIMAL, project.id, [row], found)]

    assert doubted(code="M2", ear_tag="7", cage_id=one.id) == ["Animal M0001 of the same cage has ear tag 7 too."]
    assert doubted(code="M2", ear_tag="7", cage_id=other.id) == []
    assert doubted(code="M2", ear_tag="8", cage_id=one.id) == []
    assert doubted(first, genotype="NSG") == []


# Moves


def test_a_move_is_kept_and_takes_the_animal_with_it(database: Database, project: Project) -> None:
    one, other = cages(database, project, {"code": "C1"}, {"code": "C2"})
    animals = mice(database, project, 2, cage_id=one.id)
    moves = go(database, animals, other, note="fighting")
    assert [(one_move.from_cage_id, one_move.to_cage_id, one_move.note) for one_move in moves] == [
        (one.id, other.id, "fighting")
    ] * 2
    assert whereabouts(database, animals) == [other.id, other.id]
    go(database, animals[:1], one, MOVED)
    assert whereabouts(database, animals) == [one.id, other.id]
    assert verify(database).problems == []


def test_an_animal_scanned_twice_moves_once(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 1})
    (mouse,) = mice(database, project, 1)
    assert len(go(database, [mouse, mouse], cage)) == 1


@pytest.mark.parametrize(
    ("on", "told"),
    [
        (ARRIVED - timedelta(1), "The move of M0001 on 2026-03-01 comes before the arrival of M0001 on 2026-03-02"),
        (date(2199, 1, 1), "lies in the future"),
    ],
)
def test_a_move_has_its_place_in_time(database: Database, project: Project, on: date, told: str) -> None:
    (cage,) = cages(database, project, {"code": "C1"})
    with pytest.raises(DomainError, match=told) as refused:
        go(database, mice(database, project, 1), cage, on)
    assert refused.value.field == "moved_on"


def test_no_move_is_slipped_in_before_another(database: Database, project: Project) -> None:
    one, other = cages(database, project, {"code": "C1"}, {"code": "C2"})
    animals = mice(database, project, 1)
    go(database, animals, one)
    with pytest.raises(DomainError, match="comes before the last move of M0001"):
        go(database, animals, other, MOVED - timedelta(1))


def test_a_full_cage_takes_nobody(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 3})
    mice(database, project, 2, cage_id=cage.id)
    animals = mice(database, project, 2)
    with pytest.raises(DomainError, match="Cage C1 has room for 1 more: 2 of 3 animals are in it, and 2 would come"):
        go(database, animals, cage)
    assert whereabouts(database, animals) == [None, None]
    go(database, animals[:1], cage)


def test_the_dead_and_those_that_are_there_stay(database: Database, project: Project) -> None:
    one, other = cages(database, project, {"code": "C1"}, {"code": "C2"})
    (dead,) = mice(database, project, 1, cage_id=one.id, state=AnimalStatus.DEAD, died_on=MOVED)
    (there,) = mice(database, project, 1, cage_id=other.id)
    with pytest.raises(DomainError, match="Animal M0001 is dead since 2026-03-09") as refused:
        go(database, [dead, there], other)
    assert refused.value.source == ORDER_OF_EVENTS
    with pytest.raises(DomainError, match="Animal M0002 is in this cage already") as refused:
        go(database, [there], other)
    assert refused.value.source == CONSISTENT
    with pytest.raises(DomainError, match="No animal is named"):
        go(database, [], other)


def test_animals_do_not_leave_their_project(database: Database, project: Project) -> None:
    with factories.declared(database) as session:
        elsewhere = factories.project(session)
    (cage,) = cages(database, elsewhere, {"code": "C1"})
    with pytest.raises(DomainError, match="There is no animal"):
        go(database, mice(database, project, 1), cage)


def test_a_move_that_was_none_is_withdrawn(database: Database, project: Project) -> None:
    one, other = cages(database, project, {"code": "C1"}, {"code": "C2"})
    animals = mice(database, project, 1, cage_id=one.id)
    (mistaken,) = go(database, animals, other)
    alter(database, CAGE_MOVE, mistaken, note="mistaken")
    assert whereabouts(database, animals) == [other.id]
    with database.transaction() as session:
        found = session.get_one(CageMove, mistaken.id)
        withdraw(session, factories.actor(), CAGE_MOVE, found, version=found.version, reason="never moved")
    assert whereabouts(database, animals) == [one.id]


def test_a_cage_with_animals_is_not_withdrawn(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1"})
    mice(database, project, 1, cage_id=cage.id)
    with pytest.raises(Conflict, match="stands on this cage"), database.transaction() as session:
        found = session.get_one(Cage, cage.id)
        withdraw(session, factories.actor(), CAGE, found, version=found.version, reason="broken")


def test_a_cage_with_the_dead_only_is_withdrawn_and_they_are_still_corrected(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1"})
    (dead,) = mice(database, project, 1, cage_id=cage.id, state=AnimalStatus.DEAD, died_on=MOVED)
    with database.transaction() as session:
        found = session.get_one(Cage, cage.id)
        withdraw(session, factories.actor(), CAGE, found, version=found.version, reason="broken")
    alter(database, ANIMAL, dead, genotype="NSG", cage_id=cage.id)
    assert whereabouts(database, [dead]) == [cage.id]


def test_many_animals_move_with_as_many_questions_as_two(database: Database, project: Project) -> None:
    (cage,) = cages(database, project, {"code": "C1", "capacity": 20})

    def cost(count: int) -> int:
        keys = [mouse.id for mouse in mice(database, project, count)]
        with database.transaction() as session:
            animals, to = session.scalars(select(Animal).where(Animal.id.in_(keys))).all(), session.get_one(Cage, cage.id)
            with statements(database.engine) as seen:
                move(session, factories.actor(), animals, to, on=MOVED)
            return len([one for one in seen if one.startswith("SELECT")])

    assert cost(12) == cost(2)


def test_a_move_is_not_withdrawn_into_a_cage_that_filled_up_meanwhile(database: Database, project: Project) -> None:
    home, away = cages(database, project, place("C1") | {"capacity": 1}, place("C2", column=2) | {"capacity": 2})
    (first,) = mice(database, project, 1, cage_id=home.id)
    (went,) = go(database, [first], away)
    (second,) = mice(database, project, 1, cage_id=home.id)
    with pytest.raises(DomainError, match=r"Cage C1 is full: 1 of 1 animals are in it, and 1 would come\."):
        turn(database, withdraw, went)
    assert whereabouts(database, [first, second]) == [away.id, home.id]
    with database.reading() as session:
        assert session.get_one(CageMove, went.id).status is RecordStatus.ACTIVE


def test_a_move_does_not_come_back_into_a_cage_that_filled_up_meanwhile(database: Database, project: Project) -> None:
    home, away = cages(database, project, place("C1"), place("C2", column=2) | {"capacity": 1})
    (first,) = mice(database, project, 1, cage_id=home.id)
    (went,) = go(database, [first], away)
    turn(database, withdraw, went)
    mice(database, project, 1, cage_id=away.id)
    with pytest.raises(DomainError, match="Cage C2 is full"):
        turn(database, reinstate, went)
    assert whereabouts(database, [first]) == [home.id]


def test_the_dead_need_no_room_where_a_withdrawn_move_puts_them(database: Database, project: Project) -> None:
    home, away = cages(database, project, place("C1") | {"capacity": 1}, place("C2", column=2))
    (first,) = mice(database, project, 1, cage_id=home.id)
    (went,) = go(database, [first], away)
    mice(database, project, 1, cage_id=home.id)
    alter(database, ANIMAL, first, state=AnimalStatus.DEAD)
    turn(database, withdraw, went)
    assert whereabouts(database, [first]) == [home.id]


def turn(database: Database, step: Any, moved: CageMove) -> None:
    with database.transaction() as session:
        found = session.get_one(CageMove, moved.id)
        step(session, factories.actor(), CAGE_MOVE, found, version=found.version, reason="the wrong mouse")
