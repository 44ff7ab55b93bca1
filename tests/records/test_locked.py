"""What a locked study says of its animals: nothing of it changes, and animals that live on are recorded as all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lims.audit.record import declare
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import FateReason
from lims.domain.errors import DomainError
from lims.domain.vocabulary import AnimalStatus, Sex, StudyStatus
from lims.models import Animal, Exposure, Fate, Implant, Measurement, Study
from lims.records.colony import ANIMAL
from lims.records.exposures import EXPOSURE
from lims.records.fates import FATE, record_fates
from lims.records.implants import IMPLANT
from lims.records.measurements import Correction, correct_measurements
from lims.records.noun import Noun
from lims.records.nouns import apply_all, change, record, reinstate, withdraw
from lims.records.readings import MEASUREMENT, NewReading, record_readings
from tests.records.dosing_lab import DoseLab, day, make_lab
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept

DEAD, LIVING = 0, 1
SIGNED = "which is locked by a signature"


@pytest.fixture
@kept
def lab(database: Database) -> DoseLab:
    """Give a locked study: of its first animal a fate, a weight and samples are recorded, the second lives on."""
    lab = make_lab(database)
    mouse = lab.mice[DEAD].id
    with database.transaction() as session:
        record_fates(session, factories.actor(), lab.project.id, [died(lab, DEAD)])
    with factories.declared(database) as session:
        animal = session.get_one(Animal, mouse)
        factories.exposure(session, animal, lab.drug, collected_on=day(3))
        factories.exposure(session, animal, lab.drug, collected_on=day(2), status="withdrawn")
        session.get_one(Study, lab.study.id).state = StudyStatus.LOCKED
    return lab


def died(lab: DoseLab, mouse: int) -> dict[str, Any]:
    return {"animal_id": lab.mice[mouse].id, "died_on": day(9), "reason": FateReason.WEIGHT_ENDPOINT}


def first(database: Database, model: type[Any], lab: DoseLab, **columns: Any) -> Any:
    """Give the first record of the dead animal."""
    with database.reading() as session:
        return session.query(model).filter_by(animal_id=lab.mice[DEAD].id, **columns).order_by(model.id).first()


@each(
    ("noun", "fields"),
    [
        (FATE, {"reason": FateReason.FOUND_DEAD}),
        (FATE, {"died_on": day(8)}),
        (MEASUREMENT, {"value": 21.0}),
        (MEASUREMENT, {"quality": "excluded", "quality_reason": "moved"}),
        (EXPOSURE, {"concentration": 7.5}),
    ],
)
def test_nothing_that_it_says_is_changed_or_withdrawn(database: Database, lab: DoseLab, noun: Noun[Any], fields: Any) -> None:
    one = first(database, noun.model, lab, status="active")
    for step, how in ((change, {"fields": fields}), (withdraw, {})):
        with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
            again = session.get_one(noun.model, one.id)
            step(session, factories.actor(), noun, again, version=again.version, reason="misread", **how)
    assert verify(database).problems == []


def test_nor_brought_back_nor_corrected_by_a_service(database: Database, lab: DoseLab) -> None:
    gone, weight = first(database, Exposure, lab, status="withdrawn"), first(database, Measurement, lab)
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        reinstate(session, factories.actor(), EXPOSURE, session.get_one(Exposure, gone.id), version=gone.version, reason="right")
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        correction = Correction(weight.id, {"value": (20.0, 21.0)})
        correct_measurements(session, factories.actor(), lab.project.id, [correction], reason="misread")


def test_nothing_is_added_of_its_dead(database: Database, lab: DoseLab) -> None:
    mouse = lab.mice[DEAD].id
    sample = {"animal_id": mouse, "agent_id": lab.drug.id, "collected_on": day(4), "matrix": "plasma", "unit": "ng/mL"}
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        record_readings(session, factories.actor(), lab.project.id, [NewReading(mouse, "body_weight", day(5), 19.0)])
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        record(session, factories.actor(), EXPOSURE, lab.project.id, [sample | {"concentration": 1.0}])


def test_the_day_of_a_death_without_a_fate_stays_too(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, lab.mice[LIVING].id)
        mouse.state, mouse.died_on = AnimalStatus.DEAD, day(6)
    for fields in ({"died_on": day(7)}, {"died_on": None, "state": AnimalStatus.ALIVE}):
        with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
            mouse = session.get_one(Animal, lab.mice[LIVING].id)
            change(session, factories.actor(), ANIMAL, mouse, version=mouse.version, reason="misread", fields=fields)
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        record_fates(session, factories.actor(), lab.project.id, [died(lab, LIVING) | {"died_on": day(6)}])


@each("mouse", [DEAD, LIVING])
@each("fields", [{"code": "OTHER"}, {"sex": Sex.MALE}, {"strain": "NSG"}, {"birth_date": day(-90)}])
def test_an_animal_stays_what_it_was(database: Database, lab: DoseLab, mouse: int, fields: Any) -> None:
    with pytest.raises(DomainError, match=SIGNED) as refused, database.transaction() as session:
        animals = [session.get_one(Animal, one.id) for one in (lab.mice[2], lab.mice[mouse])]
        declare(session, factories.actor(), "animal:change", reason="misread", project=lab.project.id)
        apply_all(session, ANIMAL, [(animals[0], {"ear_tag": "7"}), (animals[1], fields)])
    assert refused.value.row == 1


def test_nor_do_its_implants_come_change_or_go(database: Database, lab: DoseLab) -> None:
    with factories.declared(database) as session:
        dead, living = (session.get_one(Animal, lab.mice[one].id) for one in (DEAD, LIVING))
        there, gone = factories.implant(session, dead), factories.implant(session, living, status="withdrawn")

    def refused(step: Callable[[Session], Any]) -> None:
        with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
            step(session)

    by = factories.actor()
    anew = {"animal_id": dead.id, "label": "flank"}
    moved: dict[str, Any] = {"version": there.version, "reason": "misread"}
    refused(lambda session: record(session, by, IMPLANT, lab.project.id, [anew]))
    refused(lambda session: change(session, by, IMPLANT, session.get_one(Implant, there.id), fields={"label": "left"}, **moved))
    refused(lambda session: withdraw(session, by, IMPLANT, session.get_one(Implant, there.id), **moved))
    refused(lambda session: reinstate(session, by, IMPLANT, session.get_one(Implant, gone.id), **moved))
    with database.transaction() as session:
        record(session, by, IMPLANT, lab.project.id, [anew | {"animal_id": living.id}])


def test_an_animal_that_lives_on_is_weighed_and_dies(database: Database, lab: DoseLab) -> None:
    living = NewReading(lab.mice[LIVING].id, "body_weight", day(8), 19.0)
    with pytest.raises(DomainError, match=SIGNED), database.transaction() as session:
        of_study = NewReading(living.animal_id, living.kind, living.taken_on, living.value, study_id=lab.study.id)
        record_readings(session, factories.actor(), lab.project.id, [of_study])
    with database.transaction() as session:
        mouse = session.get_one(Animal, living.animal_id)
        change(session, factories.actor(), ANIMAL, mouse, version=mouse.version, reason="read", fields={"ear_tag": "9"})
        record_readings(session, factories.actor(), lab.project.id, [living])
        record_fates(session, factories.actor(), lab.project.id, [died(lab, LIVING)])
    with database.reading() as session:
        assert session.query(Fate).filter_by(animal_id=living.animal_id).count() == 1
    assert verify(database).problems == []
