"""Cages of a colony log: moves are recorded with their days, and judged like those of forms."""

from __future__ import annotations

from importers.base import Severity
from lims.domain.vocabulary import BatchState
from lims.models import Animal, Cage, CageMove, Project
from tests.intake.desk import Desk, balanced, found, weights
from tests.intake.event_log import FRIDAY, LATER, MONDAY, animal, event, log
from tests.support import factories


def test_moves_between_cages_are_recorded_with_their_days(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record(log(event(weight=20, cage="C-1"), event(when=FRIDAY, weight=21, cage="C-2")), "log.xlsx")

    assert outcome.state is BatchState.COMMITTED
    (move,) = desk.records(CageMove)
    cages = {cage.id: cage.code for cage in desk.records(Cage)}
    assert (cages[move.from_cage_id], cages[move.to_cage_id], move.moved_on) == ("C-1", "C-2", FRIDAY.date())
    assert cages[animal(desk).cage_id] == "C-2"

    later = log(event(when=FRIDAY, weight=21, cage="C-2"), event(when=LATER, weight=21, cage="C-1"))
    grown = desk.record(later, "log 2.xlsx")
    assert balanced(grown) == {"read": 2, "new": 1, "same": 1}
    assert len(desk.records(CageMove)) == 2
    assert cages[animal(desk).cage_id] == "C-1"

    desk.withdraw(grown.batch_id)
    assert cages[animal(desk).cage_id] == "C-2"
    desk.sound()


def test_a_cage_that_a_log_makes_has_room_for_all_whom_it_moves_there(desk: Desk) -> None:
    rows = [
        event(f"M{number}", day, 20, cage=cage) for number in range(6) for day, cage in ((MONDAY, f"C-{number}"), (FRIDAY, "D-1"))
    ]

    assert desk.record(log(*rows), "log.xlsx").state is BatchState.COMMITTED

    assert {cage.code: cage.capacity for cage in desk.records(Cage)}["D-1"] == 6
    assert len({one.cage_id for one in desk.records(Animal)}) == 1


def test_a_full_cage_refuses_the_move_at_its_row_and_the_whole_file(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        factories.cage(session, session.get_one(Project, desk.project), "D-1", capacity=1)
    rows = [event(f"M{number}", day, 20, cage=cage) for number in range(2) for day, cage in ((MONDAY, "C-1"), (FRIDAY, "D-1"))]

    outcome = desk.record(log(*rows), "log.xlsx")

    finding = found(outcome, "cage-refused")
    assert (outcome.state, finding.address) == (BatchState.REFUSED, "Log!I3")
    assert "Cage D-1 has room for 1 more" in finding.message
    assert desk.records(Animal) == []


def test_a_cage_that_differs_from_the_record_is_said_and_the_record_stays(desk: Desk) -> None:
    desk.record(log(event(weight=20, cage="C-1")), "log.xlsx")

    outcome = desk.record(log(event(when=None, cage="C-2")), "log 2.xlsx")

    finding = found(outcome, "cage-differs")
    assert (finding.severity, finding.value, finding.expected) == (Severity.WARNING, "C-2", "C-1")
    assert balanced(outcome) == {"read": 1, "conflicting": 1}
    assert desk.records(CageMove) == []


def test_an_unknown_cage_of_an_animal_that_is_there_is_refused_until_it_may_be_created(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-02", 20)), "weights.csv")
    named = log(event(when=None, cage="C-7"))

    refused = desk.record(named, "log.xlsx", create="")

    assert (found(refused, "cage-unknown").value, balanced(refused)) == ("C-7", {"read": 1, "refused": 1})
    created = desk.record(named, "log.xlsx", create="cages")
    assert (created.state, desk.codes(Cage)) == (BatchState.COMMITTED, ["C-7"])
    assert animal(desk).cage_id is not None
    desk.withdraw(created.batch_id)
    assert (animal(desk).cage_id, desk.codes(Cage)) == (None, [])
