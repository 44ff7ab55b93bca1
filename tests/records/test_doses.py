"""Doses: completed from their regimens and weights, and refused where they cannot have been given."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import ConcentrationUnit, DoseRoute, DoseState, DoseUnit, ExposureMatrix, FateReason
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import AnimalStatus, Quality, StudyStatus
from lims.models import AgentLot, Animal, AnimalProtocol, Dose, Enrolment, Exposure, Study
from lims.records.doses import DOSE, record_doses
from lims.records.exposures import EXPOSURE
from lims.records.fates import record_fates
from lims.records.nouns import change, record, reinstate, withdraw
from tests.records.dosing_lab import DAY, DoseLab, day, doubted, give, make_lab, planned, refused
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

HELD = {"state": DoseState.HELD, "given_on": None, "reason": "weight loss of 16 %"}


@pytest.fixture
def lab(database: Database) -> DoseLab:
    return make_lab(database)


def test_a_dose_is_completed_from_its_regimen_and_the_latest_weight(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        factories.measurement(session, lab.mice[0], value=18.4, taken_on=day(2), slot="d2")
        factories.measurement(session, lab.mice[0], value=2.0, taken_on=day(2), slot="d2b", quality=Quality.EXCLUDED)
        factories.measurement(session, lab.mice[0], value=17.0, taken_on=day(4), slot="d4")

    (dose,) = give(database, lab, planned(lab, on=3, lot_id=lab.lot.id))

    assert (dose.weight_g, dose.weight_on, dose.computed_volume_ul, dose.volume_ul) == (18.4, day(2), 92.0, 92.0)
    assert (dose.dose, dose.dose_unit, dose.route, dose.study_id) == (10, DoseUnit.MG_PER_KG, DoseRoute.INTRAVENOUS, lab.study.id)
    assert verify(database).problems == []


def test_a_held_and_a_missed_dose_say_why_and_hold_no_volume(database: Database, lab: DoseLab) -> None:
    (dose,) = give(database, lab, planned(lab, **HELD))
    assert (dose.state, dose.volume_ul, dose.weight_g) == (DoseState.HELD, None, None)
    assert refused(database, lab, planned(lab, 1, **HELD | {"reason": " "}), match="Why was the dose held").field == "reason"
    assert refused(database, lab, planned(lab, 1, **HELD | {"volume_ul": 100}), match="no day, volume or lot").field == "volume_ul"
    error = refused(
        database, lab, planned(lab, 1, state=DoseState.MISSED, reason="x", lot_id=lab.lot.id, given_on=None), match="no day"
    )
    assert error.field == "lot_id"


def test_the_dead_get_no_dose(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, lab.mice[0].id)
        mouse.state, mouse.died_on = AnimalStatus.DEAD, day(2)
        session.get_one(Animal, lab.mice[1].id).state = AnimalStatus.DEAD

    assert give(database, lab, planned(lab, on=2))
    assert refused(database, lab, planned(lab, on=3), match="after the death of M00").field == "given_on"
    assert refused(database, lab, planned(lab, 1, 3), match="nobody said since when").field == "animal_id"


def test_none_before_enrolment_without_a_reason(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        session.query(Enrolment).filter_by(animal_id=lab.mice[0].id).one().enrolled_on = day(2)
    beside: dict[str, Any] = {"animal_id": lab.mice[0].id, "agent_id": lab.drug.id, "study_id": lab.study.id, "given_on": day(1)}

    assert refused(database, lab, planned(lab, on=1), match="plans no dose 1 of animal M00").field == "due_on"
    (notice,) = doubted(database, lab, beside)
    assert notice.message == f"M00: It was enrolled on {day(2)}, after this dose."
    assert doubted(database, lab, beside | {"reason": "loading dose at the vendor's"}) == []
    assert give(database, lab, beside)


def test_a_dose_after_exclusion_is_doubted(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        enrolment = session.query(Enrolment).filter_by(animal_id=lab.mice[0].id).one()
        enrolment.excluded_on, enrolment.exclusion_reason = day(1), "no tumour"

    (notice,) = doubted(database, lab, planned(lab, on=3))

    assert "excluded on 2026-03-03" in notice.message


def test_none_in_the_future_and_none_before_it_is_due(database: Database, lab: DoseLab) -> None:
    tomorrow = date.today() + timedelta(days=2)  # noqa: DTZ011  # two days: whatever the zone, it lies ahead
    assert refused(database, lab, planned(lab, given_on=tomorrow), match="lies in the future").field == "given_on"
    assert refused(database, lab, planned(lab, on=3, given_on=day(2)), match="It is due on 2026-03-05").field == "given_on"


def test_lots_have_to_be_of_the_agent_there_and_not_expired(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        other = factories.lot(session, lab.vehicle, "V-1")
        session.get_one(AgentLot, lab.lot.id).expires_on = day(2)
        later = factories.lot(session, lab.drug, "L-2", received_on=day(3))

    assert give(database, lab, planned(lab, on=2, lot_id=lab.lot.id))
    assert refused(database, lab, planned(lab, on=3, lot_id=lab.lot.id), match="L-1 expired on 2026-03-04").field == "lot_id"
    assert refused(database, lab, planned(lab, on=3, lot_id=other.id), match="V-1 is of another agent").field == "lot_id"
    assert refused(database, lab, planned(lab, on=0, lot_id=later.id), match="receipt of lot L-2").field == "lot_id"


@each("state", [StudyStatus.DRAFT, StudyStatus.CLOSED, StudyStatus.LOCKED])
def test_only_active_studies_are_dosed(database: Database, lab: DoseLab, state: StudyStatus) -> None:
    with factories.declared(database) as session:
        session.get_one(Study, lab.study.id).state = state
    refused(database, lab, planned(lab), match=f"study BM-014 is {state.value}")


def test_a_file_tells_of_doses_of_old_studies_too(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        batch = factories.batch(session, lab.project)
        session.get_one(Study, lab.study.id).state = StudyStatus.CLOSED
    row = {"animal_id": lab.mice[0].id, "agent_id": lab.drug.id, "study_id": lab.study.id, "batch_id": batch.id, "raw": "IV 0.1"}

    rows = [row | {"given_on": day(n), "source_row": n, "volume_ul": 100.0} for n in range(7)]
    made = give(database, lab, *rows)

    assert [one.source_row for one in made] == list(range(7))
    assert {one.weight_g for one in made} == {None}


def test_the_protocol_has_to_allow_dosing(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        session.get_one(AnimalProtocol, lab.protocol.id).procedures = [ProtocolProcedure.IMAGING.value]
    error = refused(database, lab, planned(lab), match="does not allow dosing")
    assert error.field == "animal_id"


def test_the_same_dose_is_recorded_once(database: Database, lab: DoseLab) -> None:
    (first,) = give(database, lab, planned(lab))
    assert (
        refused(database, lab, planned(lab), match="Dose 1 of animal M00 on 2026-03-02 is recorded already, as given").field
        == "nth"
    )
    refused(database, lab, planned(lab, 1), planned(lab, 1), match="recorded already")
    refused(database, lab, planned(lab, nth=2), match="plans no dose 2")

    with database.transaction() as session:
        dose = session.get_one(Dose, first.id)
        withdraw(session, factories.actor(), DOSE, dose, version=dose.version, reason="wrong animal")
    (again,) = give(database, lab, planned(lab))
    assert again.id != first.id
    with pytest.raises(DomainError, match="recorded already"), database.transaction() as session:
        dose = session.get_one(Dose, first.id)
        reinstate(session, factories.actor(), DOSE, dose, version=dose.version, reason="it was right")


def test_two_doses_of_a_day_are_told_apart(database: Database) -> None:
    lab = make_lab(database, "BIDx2")
    assert len(give(database, lab, planned(lab, nth=1), planned(lab, nth=2))) == 2


def test_all_that_is_wrong_in_a_list_is_told_with_its_rows(database: Database, lab: DoseLab) -> None:
    stranger = planned(lab, 2)
    error = refused(database, lab, planned(lab), stranger, planned(lab, 1, 9), match="not in the arm")
    assert [(one.row, one.field) for one in error.every] == [(1, "animal_id"), (2, "due_on")]


def test_what_a_route_does_not_take_is_refused_and_what_is_much_doubted(database: Database, lab: DoseLab) -> None:
    error = refused(database, lab, planned(lab, volume_ul=1000), match="1000 µL intravenous in a mouse of 20 g")
    assert (error.field, error.expected) == ("volume_ul", "at most 500 µL (25 mL/kg)")
    told = [notice.message for notice in doubted(database, lab, planned(lab, volume_ul=200))]
    assert told == [
        "M00: 200 µL is 100 % more than the computed 100 µL.",
        "M00: 200 µL intravenous in a mouse of 20 g is more than good practice.",
    ]


def test_an_old_weight_and_a_missing_one_are_doubted(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        mouse = factories.animal(session, lab.project, "M99")
        factories.enrolment(session, lab.arms[0], mouse, enrolled_on=DAY)
    lab.mice.append(mouse)

    assert doubted(database, lab, planned(lab, on=3)) == []
    (old,) = doubted(database, lab, planned(lab, on=4), planned(lab, 1, 4))
    assert old.message == "M00, M01: The last weight, of 2026-03-02, is 4 days old."
    (missing,) = doubted(database, lab, planned(lab, 4))
    assert missing.message == "M99: No weight is recorded: no volume follows."


def test_a_change_keeps_which_dose_it_is(database: Database, lab: DoseLab) -> None:
    (made,) = give(database, lab, planned(lab))
    with database.transaction() as session:
        dose = session.get_one(Dose, made.id)
        change(session, factories.actor(), DOSE, dose, version=dose.version, reason="misread", fields={"volume_ul": 90})
    with pytest.raises(DomainError, match="never changed"), database.transaction() as session:
        dose = session.get_one(Dose, made.id)
        change(session, factories.actor(), DOSE, dose, version=dose.version, reason="x", fields={"animal_id": lab.mice[1].id})
    with pytest.raises(Conflict), database.transaction() as session:
        dose = session.get_one(Dose, made.id)
        change(session, factories.actor(), DOSE, dose, version=1, reason="x", fields={"volume_ul": 80})


def test_many_doses_cost_no_more_statements_than_few(database: Database, lab: DoseLab) -> None:
    days = [planned(lab, mouse, on) for mouse in (0, 1) for on in range(5)]
    with statements(database.engine) as few:
        give(database, lab, days[0])
    with statements(database.engine) as many:
        give(database, lab, *days[1:])
    asked = [len([one for one in seen if one.startswith("SELECT")]) for seen in (few, many)]
    assert asked[1] <= asked[0] + 2  # a list takes its numbers at once, for which PostgreSQL is asked and told


def test_a_dose_is_not_moved_before_the_day_it_was_due(database: Database, lab: DoseLab) -> None:
    (made,) = give(database, lab, planned(lab, on=2))
    with pytest.raises(DomainError, match="It is due on 2026-03-04") as error, database.transaction() as session:
        dose = session.get_one(Dose, made.id)
        change(session, factories.actor(), DOSE, dose, version=1, reason="misread", fields={"given_on": day(1)})
    assert error.value.field == "given_on"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_the_time_of_a_dose_is_of_its_day_in_the_laboratory(database: Database, lab: DoseLab, zone: str) -> None:
    late = datetime(2026, 3, 3, 13, 30, tzinfo=UTC)  # half past two in the morning of the fourth in Auckland
    right, wrong = (day(1), day(2)) if zone == "UTC" else (day(2), day(1))
    with database.transaction() as session:
        session.info["zone"] = ZoneInfo(zone)
        with pytest.raises(DomainError, match="its time of") as error:
            record_doses(session, factories.actor(), lab.project.id, [planned(lab, on=1, given_on=wrong, given_at=late)])
        assert error.value.field == "given_at"
        assert record_doses(session, factories.actor(), lab.project.id, [planned(lab, on=1, given_on=right, given_at=late)])


def test_a_dose_comes_back_only_where_it_could_be_given_today(database: Database, lab: DoseLab) -> None:
    made = give(database, lab, planned(lab, lot_id=lab.lot.id), planned(lab, 1, 1))
    with database.transaction() as session:
        for one in made:
            withdraw(session, factories.actor(), DOSE, session.get_one(Dose, one.id), version=1, reason="wrong animal")
    with factories.declared(database) as session:
        session.get_one(AgentLot, lab.lot.id).expires_on = day(-1)
        session.get_one(Animal, lab.mice[1].id).state = AnimalStatus.DEAD

    for one, told in zip(made, ("expired on 2026-03-01", "nobody said since when"), strict=True):
        with pytest.raises(DomainError, match=told), database.transaction() as session:
            reinstate(session, factories.actor(), DOSE, session.get_one(Dose, one.id), version=2, reason="it was right")


def test_a_locked_study_keeps_its_doses(database: Database, lab: DoseLab) -> None:
    (made,) = give(database, lab, planned(lab))
    with factories.declared(database) as session:
        session.get_one(Study, lab.study.id).state = StudyStatus.LOCKED
    fields = {"fields": {"volume_ul": 90}}
    for step, how in ((change, fields), (withdraw, {})):
        with pytest.raises(DomainError, match="locked by a signature"), database.transaction() as session:
            step(session, factories.actor(), DOSE, session.get_one(Dose, made.id), version=1, reason="misread", **how)


def test_a_death_that_is_recorded_meanwhile_is_seen(database: Database, lab: DoseLab) -> None:
    taken, mouse = threading.Event(), lab.mice[0].id

    def die() -> None:
        with database.transaction() as session:
            fate = {"animal_id": mouse, "died_on": day(1), "reason": FateReason.FOUND_DEAD}
            record_fates(session, factories.actor(), lab.project.id, [fate])
            taken.set()
            time.sleep(0.5)

    with ThreadPoolExecutor(1) as pool:
        died = pool.submit(die)
        assert taken.wait(30)
        with pytest.raises(DomainError, match="after the death of M00"), database.transaction() as session:
            session.get_one(Animal, mouse)  # as a form looks it up, before anything is declared
            record_doses(session, factories.actor(), lab.project.id, [planned(lab, on=3)])
        died.result()


def test_samples_count_from_their_dose_as_it_is_corrected(database: Database, lab: DoseLab) -> None:
    at = datetime(2026, 3, 3, 8, tzinfo=UTC)
    (first, second) = give(database, lab, planned(lab), planned(lab, on=1, given_at=at))
    sample = {"matrix": ExposureMatrix.PLASMA, "unit": ConcentrationUnit.NG_PER_ML, "concentration": 400.0, "collected_on": day(1)}
    sample |= {"animal_id": lab.mice[0].id, "agent_id": lab.drug.id, "collected_at": at + timedelta(hours=2)}
    with database.transaction() as session:
        key = record(session, factories.actor(), EXPOSURE, lab.project.id, [sample])[0].id

    def after(**fields: Any) -> tuple[int | None, float | None]:
        with database.transaction() as session:
            dose = session.get_one(Dose, second.id)
            if fields:
                change(session, factories.actor(), DOSE, dose, version=dose.version, reason="misread", fields=fields)
            found = session.get_one(Exposure, key)
            return found.dose_id, found.hours_after_dose

    assert after() == (second.id, 2.0)
    assert after(given_at=at + timedelta(minutes=30)) == (second.id, 1.5)
    assert after(**HELD, given_at=None, volume_ul=None) == (first.id, None)
    assert verify(database).problems == []
