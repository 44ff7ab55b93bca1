"""Doses, fates and cages of a colony log: recorded with its weights and tumours, judged like those of forms, taken back with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from importers.base import Severity
from lims.domain.cohort_terms import ConcentrationUnit, DoseState, ExposureMatrix, FateReason
from lims.domain.errors import Conflict
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import AnimalStatus, BatchState
from lims.models import Agent, Animal, Cage, Dose, Exposure, Fate, Measurement
from lims.records.doses import record_doses
from lims.records.fates import record_fates
from tests.conftest import SAMPLES
from tests.intake.desk import Desk, balanced, codes, found, weights
from tests.intake.event_log import DEAD_ON, FRIDAY, MONDAY, NEVER, TUESDAY, WEEK, animal, doses, event, log
from tests.support import factories


def test_one_log_gives_weights_doses_fates_and_cages(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record(log(*WEEK), "log.xlsx")

    assert outcome.state is BatchState.COMMITTED
    assert balanced(outcome) == {"read": 5, "new": 5}
    assert outcome.report["records"] == {"measurement": 2, "dose": 3, "fate": 1, "animal": 2, "agent": 2, "cage": 1}
    assert doses(desk) == [
        ("M1", "T-DXd", "2026-03-02", 1, 200.0, 10.0),
        ("M1", "T-DXd", "2026-03-03", 1, 210.0, 10.0),
        ("M2", "Saline", "2026-03-02", 1, 200.0, None),
    ]
    first = desk.records(Dose)[0]
    assert (first.state, first.weight_g, first.weight_on) == (DoseState.GIVEN, 20.5, date(2026, 3, 2))
    assert (first.batch_id, first.source_sheet, first.source_row, first.source_column) == (1, "Log", 2, 7)
    assert first.raw == "T-DXd (10 mg/kg) · 200"
    (fate,) = desk.records(Fate)
    assert (fate.died_on, fate.reason, fate.note, fate.source_row) == (DEAD_ON, FateReason.WEIGHT_ENDPOINT, "thin", 6)
    assert {one.code: (one.state, one.died_on) for one in desk.records(Animal)} == {
        "M1": (AnimalStatus.NOT_RECORDED, None),
        "M2": (AnimalStatus.DEAD, DEAD_ON),
    }
    assert {one.code: one.agent_class for one in desk.records(Agent)} == {"Saline": AgentClass.VEHICLE, "T-DXd": AgentClass.OTHER}
    assert [one.cage_id for one in desk.records(Animal)] == [desk.records(Cage)[0].id] * 2
    desk.sound()


def test_the_check_tells_doses_by_compound_fates_with_what_was_understood_and_cages(desk: Desk) -> None:
    report = desk.check(log(*WEEK), "log.xlsx", create="animals,agents").report

    assert report["doses"][0] == {
        "compound": "T-DXd",
        "agent": "T-DXd",
        "new_agent": True,
        "doses": 2,
        "animals": 1,
        "first": "2026-03-02",
        "last": "2026-03-03",
        "fates": {"new": 2},
    }
    (fate,) = report["fates"]
    assert (fate["animal"], fate["on"], fate["words"], fate["reason"], fate["fate"]) == (
        *("M2", "2026-03-09", "Bodyweight Loss", "weight_endpoint", "new"),
    )
    assert report["cages"] == [{"cage": "C-1", "new": True, "animals": 2, "moves": 0}]
    assert report["create"]["agents"] == ["T-DXd", "Saline"]
    assert report["events"] == {"dose": {"new": 3}, "fate": {"new": 1}, "cage": {"new": 2}}


def test_of_a_grown_log_only_what_is_new_lands(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(log(*WEEK), "log.xlsx")

    grown = desk.record(
        log(*WEEK, event(when=FRIDAY, compound="T-DXd (10 mg/kg)"), event(when=None, died=DEAD_ON, why="Found dead")), "log 2.xlsx"
    )

    assert balanced(grown) == {"read": 7, "new": 2, "same": 5}
    assert grown.report["records"] == {"measurement": 0, "dose": 1, "fate": 1}
    assert len(doses(desk)) == 4
    assert [one.reason for one in desk.records(Fate)] == [FateReason.WEIGHT_ENDPOINT, FateReason.FOUND_DEAD]
    desk.sound()


def test_a_second_dose_of_a_day_is_a_dose_and_stays_one(desk: Desk) -> None:
    twice = (event(compound="T-DXd"), event(compound="T-DXd", when=MONDAY.replace(hour=17), volume=190))

    outcome = desk.record(log(*twice), "log.xlsx")

    assert codes(outcome) == ["dose-repeated"]
    assert [(nth, volume) for *_, nth, volume, _ in doses(desk)] == [(1, 200.0), (2, 190.0)]
    assert balanced(desk.record(log(*reversed(twice), event(weight=20)), "log 2.xlsx")) == {"read": 3, "new": 1, "same": 2}
    assert len(doses(desk)) == 2


def test_a_changed_dose_or_fate_is_refused_then_accepted_and_comes_back_with_the_batch(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(log(*WEEK), "log.xlsx")
    changed = log(
        event(compound="T-DXd (12 mg/kg)", volume=220), event("M2", when=None, died=date(2026, 3, 10), why="End of experiment")
    )

    refused = desk.record(changed, "log 2.xlsx")

    assert refused.state is BatchState.REFUSED
    assert balanced(refused) == {"read": 2, "changed": 2}
    told = [one for one in refused.findings if one.code == "differs-from-import"]
    assert [one.address for one in told] == ["Log!J3", "Log!G2"]
    assert "2026-03-09, weight endpoint by its record (from batch 1, row 6)" in told[0].message
    assert "10 mg/kg, 200 µL (from batch 1, row 2); this file says 12 mg/kg, 220 µL" in told[1].message

    accepted = desk.record(changed, "log 2.xlsx", changed="accept", reason="typing error")
    assert accepted.state is BatchState.COMMITTED
    assert doses(desk)[0] == ("M1", "T-DXd", "2026-03-02", 1, 220.0, 12.0)
    assert (animal(desk, "M2").died_on, desk.records(Fate)[0].reason) == (date(2026, 3, 10), FateReason.SCHEDULED)

    desk.withdraw(accepted.batch_id)
    assert doses(desk)[0] == ("M1", "T-DXd", "2026-03-02", 1, 200.0, 10.0)
    assert (animal(desk, "M2").died_on, desk.records(Fate)[0].reason) == (DEAD_ON, FateReason.WEIGHT_ENDPOINT)
    desk.sound()


def test_a_withdrawn_log_takes_its_doses_and_fates_along_and_the_animals_live_again(desk_on_each: Desk) -> None:
    desk = desk_on_each
    batch = desk.record(log(*WEEK), "log.xlsx").batch_id
    desk.record(weights(("M2", "2026-03-05", 20)), "weights.csv")

    assert desk.withdraw(batch) == 2

    assert [desk.records(model) for model in (Dose, Fate, Agent)] == [[], [], []]
    alive = animal(desk, "M2")
    assert (alive.state, alive.died_on, desk.codes(Animal), desk.codes(Cage)) == (
        *(AnimalStatus.NOT_RECORDED, None),
        *(["M2"], ["C-1"]),
    )
    desk.sound()

    again = desk.record(log(*WEEK), "log.xlsx")
    assert balanced(again) == {"read": 5, "new": 5}
    assert len(doses(desk)) == 3
    assert animal(desk, "M2").died_on == DEAD_ON
    desk.sound()


def test_a_corrected_log_replaces_doses_and_fates(desk_on_each: Desk) -> None:
    desk = desk_on_each
    old = desk.record(log(*WEEK), "log.xlsx").batch_id

    new = desk.record(
        log(*WEEK[:2], event(when=None, died=DEAD_ON, why="Found dead")), "better.xlsx", supersedes=old, reason="wrong mouse"
    )

    assert new.state is BatchState.COMMITTED
    assert [row[:3] for row in doses(desk)] == [("M1", "T-DXd", "2026-03-02"), ("M2", "Saline", "2026-03-02")]
    assert [(one.code, one.died_on) for one in desk.records(Animal)] == [("M1", DEAD_ON), ("M2", None)]
    desk.withdraw(new.batch_id)
    assert {one.died_on for one in desk.records(Animal)} <= {None}
    assert desk.records(Fate) == []
    desk.sound()


@pytest.mark.parametrize(
    ("rows", "code", "address"),
    [
        (
            (event(weight=20), event(when=FRIDAY, compound="X"), event(when=None, died=date(2026, 3, 5))),
            "date-after-death",
            "Log!G3",
        ),
        ((event(when=NEVER, compound="X"),), "date-in-future", "Log!G2"),
        ((event(compound="X", volume="some"),), "number-unreadable", "Log!H2"),
        ((event(compound="X", volume=0),), "dose-impossible", "Log!G2"),
        ((event(compound="X", weight=20, volume=20_000),), "dose-impossible", "Log!G2"),
        ((event(when=None, died=date(2099, 1, 1)),), "date-in-future", "Log!J2"),
        ((event(weight=20), event(when=None, died="soon")), "date-unreadable", "Log!J3"),
    ],
)
def test_what_cannot_be_is_refused_at_its_cell_and_nothing_is_recorded(
    desk: Desk, rows: Sequence[Sequence[Any]], code: str, address: str
) -> None:
    outcome = desk.record(log(*rows), "log.xlsx")

    assert outcome.state is BatchState.REFUSED
    finding = next(one for one in outcome.findings if one.code == code)
    assert (finding.severity, finding.address) == (Severity.ERROR, address)
    assert finding.expected
    assert finding.remedy
    balanced(outcome)
    assert [desk.records(model) for model in (Dose, Fate, Animal, Measurement)] == [[], [], [], []]


def test_what_is_refused_is_left_out_and_the_rest_is_recorded(desk: Desk) -> None:
    rows = (event(weight=20, compound="X", volume="some"), event(when=TUESDAY, compound="X"))

    outcome = desk.record(log(*rows), "log.xlsx", leave_out="refused")

    assert balanced(outcome) == {"read": 2, "new": 1, "refused": 1}
    assert ([row[2] for row in doses(desk)], len(desk.readings())) == (["2026-03-03"], 1)


def test_two_deaths_of_an_animal_are_refused_at_both_rows_and_the_same_one_twice_is_one(desk: Desk) -> None:
    first = event(when=None, died=DEAD_ON, why="Found dead")

    refused = desk.record(log(first, event(when=None, died=date(2026, 3, 10), why="Found dead")), "log.xlsx")

    assert balanced(refused) == {"read": 2, "conflicting": 2}
    assert [one.row for one in refused.findings if one.code == "two-deaths"] == [2, 3]
    assert balanced(desk.record(log(first, first), "log 2.xlsx")) == {"read": 2, "new": 1, "same": 1}
    assert len(desk.records(Fate)) == 1


def test_a_death_by_hand_stands_against_a_file(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-02", 20)), "weights.csv")
    with desk.database.transaction() as session:
        mouse = session.scalars(select(Animal)).one()
        record_fates(
            session, desk.actor, desk.project, [{"animal_id": mouse.id, "died_on": DEAD_ON, "reason": FateReason.FOUND_DEAD}]
        )

    other = desk.record(log(event(when=None, died=date(2026, 3, 8), why="Found dead")), "log.xlsx", changed="accept")

    assert other.state is BatchState.REFUSED
    assert "by hand" in found(other, "differs-from-record").message
    assert balanced(desk.record(log(event(when=None, died=DEAD_ON, why="Found dead")), "log 2.xlsx")) == {"read": 1, "same": 1}


def test_a_death_before_what_is_recorded_of_the_animal_is_refused(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-12", 20)), "weights.csv")

    outcome = desk.record(log(event(when=None, died=DEAD_ON)), "log.xlsx")

    finding = found(outcome, "death-before-events")
    assert (finding.row, outcome.state) == (2, BatchState.REFUSED)
    assert "before its last measurement on 2026-03-12" in finding.message


def test_a_dose_by_hand_meets_the_files(desk: Desk) -> None:
    desk.record(log(event(weight=20, compound="T-DXd")), "log.xlsx")
    with desk.database.transaction() as session:
        mouse, agent = session.scalars(select(Animal)).one(), session.scalars(select(Agent)).one()
        given = {"animal_id": mouse.id, "agent_id": agent.id, "given_on": TUESDAY.date(), "volume_ul": 180}
        held = {"animal_id": mouse.id, "agent_id": agent.id, "due_on": FRIDAY.date(), "state": DoseState.HELD, "reason": "thin"}
        record_doses(session, desk.actor, desk.project, [given, held])

    outcome = desk.record(log(event(when=TUESDAY, compound="T-DXd"), event(when=FRIDAY, compound="T-DXd")), "log 2.xlsx")

    assert balanced(outcome) == {"read": 2, "conflicting": 2}
    told = [one.message for one in outcome.findings if one.code == "differs-from-record"]
    assert "180 µL (by hand); this file says 200 µL" in told[0]
    assert "recorded as held (by hand)" in told[1]
    same = desk.record(log(event(when=TUESDAY, compound="T-DXd", volume=180), event(when=FRIDAY, weight=20)), "log 3.xlsx")
    assert balanced(same) == {"read": 2, "new": 1, "same": 1}


def test_the_published_log_is_recorded_whole(desk: Desk) -> None:
    path = next((SAMPLES / "lab_excel_tumour").glob("*iLes export*.xlsx"), None)
    if path is None:
        pytest.skip("the sample files are not here")

    outcome = desk.record(path.read_bytes(), path.name)

    assert outcome.state is BatchState.COMMITTED
    assert balanced(outcome) == {"read": 6741, "new": 6613, "same": 74, "skipped": 54}
    assert outcome.report["records"] == {
        "measurement": 8357,
        "dose": 1836,
        "fate": 21,
        "study": 1,
        "arm": 4,
        "animal": 40,
        "implant": 89,
        "enrolment": 40,
        "agent": 4,
        "cage": 8,
    }
    assert [one.row for one in outcome.findings if one.code == "death-undated"] == [6712]
    assert len([one for one in outcome.findings if one.code == "dose-repeated"]) == 8
    assert len(doses(desk)) == 1836
    desk.sound()


def test_a_dose_with_samples_keeps_its_batch(desk: Desk) -> None:
    batch = desk.record(log(*WEEK), "log.xlsx").batch_id
    with factories.declared(desk.database) as session:
        dose = session.scalars(select(Dose).order_by(Dose.id)).first()
        assert dose is not None
        sample = {"matrix": ExposureMatrix.PLASMA, "concentration": 210.0, "unit": ConcentrationUnit.NG_PER_ML}
        session.add(Exposure(project_id=desk.project, animal_id=dose.animal_id, agent_id=dose.agent_id, dose_id=dose.id, **sample))

    with pytest.raises(Conflict, match="samples for exposure"):
        desk.withdraw(batch)
