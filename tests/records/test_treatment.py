"""Agents, lots and regimens: what contradicts itself, the arm, the study, or what was dosed already."""

from __future__ import annotations

from typing import Any

import pytest

from lims.db import Database
from lims.domain.cohort_terms import DoseRoute, DoseState, DoseUnit, RegimenStart
from lims.domain.errors import Conflict, DomainError
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import ArmRole, RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Arm, Regimen, Study
from lims.records.nouns import change, doubts, record, withdraw
from lims.records.treatment import AGENT, LOT, REGIMEN
from tests.records.dosing_lab import DoseLab, day, give, make_lab, planned
from tests.support import factories


@pytest.fixture
def lab(database: Database) -> DoseLab:
    return make_lab(database)


def _draft(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        session.get_one(Study, lab.study.id).state = StudyStatus.DRAFT


def _row(lab: DoseLab, **columns: Any) -> dict[str, Any]:
    row = {"arm_id": lab.arms[0].id, "agent_id": lab.drug.id, "dose": 10.0, "route": DoseRoute.INTRAVENOUS, "schedule": "QD x 5"}
    return row | {"volume_ml_kg": 5.0} | columns


def _record(database: Database, noun: Any, lab: DoseLab, **row: Any) -> Any:
    with database.transaction() as session:
        return record(session, factories.actor(), noun, lab.project.id, [row])[0]


def test_targets_are_approved_symbols(database: Database, lab: DoseLab) -> None:
    row = {"code": "TUC", "name": "tucatinib", "agent_class": AgentClass.TYROSINE_KINASE_INHIBITOR}
    assert _record(database, AGENT, lab, **row, targets=["her2", "ERBB2", "EGFR"]).targets == ["ERBB2", "EGFR"]
    with pytest.raises(DomainError, match="NOGENE") as error:
        _record(database, AGENT, lab, **row | {"code": "X"}, targets=["NOGENE"])
    assert error.value.field == "targets"
    with pytest.raises(DomainError, match="A vehicle has no target"):
        _record(database, AGENT, lab, code="PBS", name="saline", agent_class=AgentClass.VEHICLE, targets=["ERBB2"])


def test_an_agent_in_use_stays(database: Database, lab: DoseLab) -> None:
    with pytest.raises(Conflict, match="stand"), database.transaction() as session:
        agent = session.get_one(Agent, lab.drug.id)
        withdraw(session, factories.actor(), AGENT, agent, version=agent.version, reason="x")


def test_a_lot_number_is_of_one_agent_once(database: Database, lab: DoseLab) -> None:
    with pytest.raises(DomainError, match='"L-1" exists already'):
        _record(database, LOT, lab, agent_id=lab.drug.id, code="L-1")
    assert _record(database, LOT, lab, agent_id=lab.vehicle.id, code="L-1")


def test_a_lot_does_not_expire_before_it_came_or_was_given(database: Database, lab: DoseLab) -> None:
    with pytest.raises(DomainError, match="comes before the receipt") as error:
        _record(database, LOT, lab, agent_id=lab.drug.id, code="L-9", received_on=day(0), expires_on=day(-1))
    assert error.value.field == "expires_on"
    give(database, lab, planned(lab, on=3, lot_id=lab.lot.id))
    with pytest.raises(DomainError, match="comes before the last dose"), database.transaction() as session:
        lot = session.get_one(AgentLot, lab.lot.id)
        change(session, factories.actor(), LOT, lot, version=lot.version, reason="x", fields={"expires_on": day(2)})


def test_a_schedule_is_kept_as_the_field_writes_it(database: Database, lab: DoseLab) -> None:
    _draft(database, lab)
    made = _record(database, REGIMEN, lab, **_row(lab, schedule="qd × 21"))
    assert (made.schedule, made.start_day, made.dose_unit) == ("QDx21", 0, DoseUnit.MG_PER_KG)


def test_radiation_is_in_gray_by_irradiation(database: Database, lab: DoseLab) -> None:
    _draft(database, lab)
    with factories.declared(database) as session:
        beam = factories.agent(session, lab.project, "WBRT", agent_class=AgentClass.WHOLE_BRAIN_RADIOTHERAPY, targets=[])
    row = _row(lab, agent_id=beam.id, dose=None, volume_ml_kg=None, route=DoseRoute.IRRADIATION, schedule="WBRT 3 Gy × 10")

    made = _record(database, REGIMEN, lab, **row)

    assert (made.dose, made.dose_unit, made.schedule) == (3, DoseUnit.GRAY, "3 Gy x10")


@pytest.mark.parametrize(
    ("columns", "field", "told"),
    [
        ({"schedule": "now and then"}, "schedule", "cannot be read"),
        ({"dose": None}, "dose", "How much of T-DXd"),
        ({"route": DoseRoute.IRRADIATION}, "route", "no radiation"),
        ({"schedule": "3 Gy x 10", "dose": 3.0}, "route", "no radiation"),
        ({"schedule": "3 Gy x 10"}, "dose", "says 3 Gy, and the dose 10"),
        ({"volume_ml_kg": 30.0}, "volume_ml_kg", "600 µL intravenous in a mouse of 20 g"),
        ({"route": DoseRoute.IN_DIET}, "volume_ml_kg", "No volume is given in diet"),
        ({"trigger_above": 1e6}, "trigger_above", "not by a trigger"),
        ({"start": RegimenStart.TRIGGER, "start_day": 0}, "start_day", "by a trigger"),
        ({"start": RegimenStart.TRIGGER}, "trigger_kind", "Which measurement"),
        ({"start": RegimenStart.TRIGGER, "trigger_kind": "bli_total_flux"}, "trigger_above", "Above which value"),
    ],
)
def test_what_contradicts_itself_is_refused(sqlite_database: Database, columns: dict[str, Any], field: str, told: str) -> None:
    lab = make_lab(sqlite_database)
    _draft(sqlite_database, lab)
    with pytest.raises(DomainError, match=told) as error:
        _record(sqlite_database, REGIMEN, lab, **_row(lab, **columns))
    assert error.value.field == field


def test_a_vehicle_has_no_dose_and_an_untreated_arm_no_regimen(database: Database, lab: DoseLab) -> None:
    _draft(database, lab)
    with pytest.raises(DomainError, match="is a vehicle"):
        _record(database, REGIMEN, lab, **_row(lab, agent_id=lab.vehicle.id))
    with factories.declared(database) as session:
        session.get_one(Arm, lab.arms[0].id).role = ArmRole.UNTREATED
    with pytest.raises(DomainError, match="is untreated") as error:
        _record(database, REGIMEN, lab, **_row(lab))
    assert error.value.field == "arm_id"
    with factories.declared(database) as session:
        arm = session.get_one(Arm, lab.arms[0].id)
        arm.study.blinded, title, code = True, arm.title, arm.blind_code
    with pytest.raises(DomainError, match=f"Arm {code} is untreated") as error:
        _record(database, REGIMEN, lab, **_row(lab))
    assert title not in str(error.value)


def test_a_running_study_asks_why_and_a_closed_one_refuses(database: Database, lab: DoseLab) -> None:
    with pytest.raises(DomainError, match="why is this regimen added") as error:
        _record(database, REGIMEN, lab, **_row(lab))
    assert error.value.field == "note"
    with database.reading() as session:
        (notice,) = doubts(session, REGIMEN, lab.project.id, [_row(lab, note="second drug after the pilot")])
    assert "Study BM-014 is running" in notice.message
    with factories.declared(database) as session:
        session.get_one(Study, lab.study.id).state = StudyStatus.CLOSED
    with pytest.raises(DomainError, match="is closed"):
        _record(database, REGIMEN, lab, **_row(lab, note="x"))
    with pytest.raises(DomainError, match="is closed"), database.transaction() as session:
        withdraw(session, factories.actor(), REGIMEN, session.get_one(Regimen, lab.regimen.id), version=1, reason="never given")


def _change(database: Database, lab: DoseLab, **columns: Any) -> None:
    with database.transaction() as session:
        found = session.get_one(Regimen, lab.regimen.id)
        change(session, factories.actor(), REGIMEN, found, version=found.version, reason="amendment 2", fields=columns)


def test_days_that_were_dosed_stay_as_they_were_planned(database: Database, lab: DoseLab) -> None:
    give(database, lab, planned(lab), planned(lab, 1, 2, state=DoseState.HELD, given_on=None, reason="weak"))

    _change(database, lab, schedule="QDx9", dose=8.0)
    for columns, field in (
        ({"schedule": "QODx5"}, "schedule"),
        ({"schedule": "QDx2"}, "schedule"),
        ({"start_day": 1}, "start_day"),
        ({"route": DoseRoute.SUBCUTANEOUS}, "route"),
        ({"agent_id": lab.vehicle.id, "dose": None}, "agent_id"),
    ):
        with pytest.raises(DomainError) as error:
            _change(database, lab, **columns)
        assert error.value.field == field
    with pytest.raises(Conflict), database.transaction() as session:
        found = session.get_one(Regimen, lab.regimen.id)
        withdraw(session, factories.actor(), REGIMEN, found, version=found.version, reason="x")
        assert found.status is RecordStatus.ACTIVE
