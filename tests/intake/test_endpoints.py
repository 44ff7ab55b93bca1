"""A file's values are judged by the humane endpoints of the animals' protocols, and its report says what they ask."""

from __future__ import annotations

import pytest

from importers.base import Severity
from lims.domain.cohort_terms import ActionState, EndpointLevel
from lims.domain.vocabulary import BatchState
from lims.models import ImportBatch
from lims.queries.welfare import actions_of_batch
from tests.intake.desk import Desk, found, weights
from tests.records.welfare import Ward

FORTNIGHT = [("M1", "2026-02-20", 21.4), ("M1", "2026-03-10", 18.0), ("M1", "2026-03-20", 17.1), ("M2", "2026-03-20", 21.0)]


def ward_of(desk: Desk) -> Ward:
    ward = Ward.open(desk.database)
    desk.project = ward.project[0]
    ward.rule()
    return ward


def test_an_import_opens_actions_and_says_which(desk_on_each: Desk) -> None:
    desk = desk_on_each
    ward = ward_of(desk)
    outcome = desk.record(weights(*FORTNIGHT))
    assert outcome.state is BatchState.COMMITTED
    told = found(outcome, "endpoint-act")
    assert (
        told.message
        == "M1: Weight 17.1 g on 2026-03-20 is 20.1 % below the weight of implant day, 21.4 g on 2026-02-20: act at 20 %."
    )
    assert (told.severity, told.row) == (Severity.WARNING, 4)
    assert (told.source or "").startswith("Directive 2010/63/EU, annex VIII")
    assert outcome.report["findings"]["warning"] >= 1
    assert [(one.level, one.state) for one in ward.actions()] == [(EndpointLevel.ACT, ActionState.OPEN)]
    desk.sound()


def test_taking_the_batch_back_is_noted_on_what_it_opened(desk_on_each: Desk) -> None:
    desk = desk_on_each
    ward = ward_of(desk)
    batch = desk.record(weights(*FORTNIGHT)).batch_id
    desk.withdraw(batch)
    (action,) = ward.actions()
    assert action.state is ActionState.OPEN
    assert action.note == "What is recorded of 2026-03-20 no longer reaches the endpoint."
    again = desk.record(weights(*FORTNIGHT), "again.csv")
    assert again.state is BatchState.COMMITTED
    (action,) = ward.actions()
    assert (action.note, action.state) == (None, ActionState.OPEN)
    desk.sound()


@pytest.mark.parametrize(
    ("corrected", "row", "told"),
    [
        pytest.param(
            ("M1", "2026-03-20", 17.0),
            4,
            "Weight 17.0 g on 2026-03-20 is 20.6 % below the weight of implant day, 21.4 g",
            id="the value itself",
        ),
        pytest.param(
            ("M1", "2026-02-20", 23.0),
            None,
            "Weight 18.3 g on 2026-03-20 is 20.4 % below the weight of implant day, 23.0 g",
            id="its baseline",
        ),
    ],
)
def test_a_file_that_corrects_another_lists_what_that_asks_for(
    desk_on_each: Desk, corrected: tuple[str, str, float], row: int | None, told: str
) -> None:
    desk = desk_on_each
    ward = ward_of(desk)
    first = [("M1", "2026-02-20", 21.4), ("M1", "2026-03-10", 20.0), ("M1", "2026-03-20", 18.3)]
    assert not [one for one in desk.record(weights(*first)).findings if one.code == "endpoint-act"]
    again = [corrected if one[:2] == corrected[:2] else one for one in first]
    outcome = desk.record(weights(*again), "corrected.csv", changed="accept", reason="read off wrongly")
    asked = found(outcome, "endpoint-act")
    assert asked.message.startswith(f"M1: {told}")
    assert asked.row == row
    with desk.database.reading() as session:
        listed = actions_of_batch(session, session.get_one(ImportBatch, outcome.batch_id))
        assert [(one.id, one.animal) for one in listed] == [(ward.actions()[0].id, "M1")]
    desk.sound()


def test_a_check_asks_nothing_yet(desk_on_each: Desk) -> None:
    ward = ward_of(desk_on_each)
    outcome = desk_on_each.check(weights(*FORTNIGHT))
    assert outcome.state is BatchState.CHECKED
    assert not [one for one in outcome.findings if one.code.startswith("endpoint")]
    assert ward.actions() == []
