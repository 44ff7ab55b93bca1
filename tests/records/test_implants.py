"""Implants: consent, protocol, dates and surgery before tissue goes into an animal."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.colony_terms import Engraftment, Hemisphere, Orthotopic
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, CheckKind, CheckResult
from lims.domain.vocabulary import ImplantSite, ModelStatus, RecordStatus, SpecimenKind
from lims.models import Aliquot, AliquotEvent, Animal, Implant, Patient, PdxModel
from lims.records.implants import IMPLANT
from lims.records.nouns import change, doubts, reinstate, withdraw
from lims.records.pdx import MODEL
from tests.records.implant_lab import BRAIN, DAY, ELSEWHERE, Lab, doubted, implant, make_lab, refused
from tests.support import factories
from tests.support.cases import each


@pytest.fixture
def lab(database: Database) -> Lab:
    return make_lab(database)


def test_eight_brains_from_one_list_use_the_aliquot_once(database: Database, lab: Lab) -> None:
    made = implant(database, lab, lab.brains(8), amount=8)

    assert {one.label for one in made} == {"T1"}
    assert {(one.donor_id, one.model_id, one.passage) for one in made} == {(lab.patient.id, lab.model.id, 0)}
    assert {one.orthotopic_to_collection for one in made} == {Orthotopic.YES}
    assert {one.orthotopic_to_primary for one in made} == {Orthotopic.NO}
    with database.reading() as session:
        (event,) = session.query(AliquotEvent).all()
        aliquot = session.get_one(Aliquot, lab.aliquot.id)
        assert (event.amount, event.happened_on, event.note) == (8, DAY, "implanted in 8 animals")
        assert (aliquot.amount, aliquot.state) == (1, AliquotState.AVAILABLE)
    assert verify(database).problems == []


def test_an_aliquot_that_is_used_up_is_not_implanted_again(database: Database, lab: Lab) -> None:
    implant(database, lab, lab.brains(2), all_of_it=True)
    with pytest.raises(DomainError, match="Aliquot AL-1 is used up") as error:
        implant(database, lab, [{**lab.brains()[0], "animal_id": lab.mice[5].id}])
    assert error.value.field == "aliquot_id"


def test_more_than_the_aliquot_holds_records_nothing(database: Database, lab: Lab) -> None:
    assert refused(database, lab, lab.brains(3), "AL-1 holds 9 fragments", amount=12).field == "amount"


def test_tissue_without_consent_stays_out_of_the_animal_room(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, lab.project, "BCBM-P02")
        other = factories.aliquot(session, factories.specimen(session, patient, "SP-2"))
    error = refused(database, lab, lab.brains(aliquot_id=other.id), r"No consent of patient BCBM-P02 is recorded\.")
    assert error.field == "aliquot_id"
    assert error.remedy == "Record the consent first, or implant tissue of another patient."


def test_an_implant_of_a_model_asks_for_consent_too(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, lab.project, "BCBM-P03")
        model = factories.model(session, lab.project, "BM-03", founding_specimen_id=factories.specimen(session, patient).id)
    row = {**BRAIN, "animal_id": lab.mice[0].id, "model_id": model.id}
    refused(database, lab, [row], "No consent of patient BCBM-P03")


def test_a_model_that_nobody_knows_the_patient_of_opens_no_gate(database: Database, lab: Lab, actor: Actor) -> None:
    with factories.declared(database) as session:
        model = factories.model(session, lab.project, "OLD-7")
    for columns in ({"model_id": model.id}, {"model_id": None}):
        error = refused(database, lab, lab.brains(aliquot_id=None, **columns), "Whose tissue was implanted is not recorded")
        assert error.field == "aliquot_id"
    (one,) = implant(database, lab, lab.brains(aliquot_id=None, model_id=lab.model.id))
    with pytest.raises(DomainError, match="Whose tissue"), database.transaction() as session:
        known = session.get_one(Implant, one.id)
        change(session, actor, IMPLANT, known, version=known.version, reason="other model", fields={"model_id": model.id})


@pytest.mark.parametrize("action", ["implant:create", "batch:commit"])
def test_a_patient_who_gets_known_later_is_asked_for_consent(database: Database, lab: Lab, actor: Actor, action: str) -> None:
    with factories.declared(database) as session:
        model = factories.model(session, lab.project, "OLD-7")
        specimen = factories.specimen(session, factories.patient(session, lab.project, "BCBM-P02"), kind=SpecimenKind.TUMOUR)
    with factories.declared(database, action) as session:
        one = factories.implant(session, lab.mice[0], model_id=model.id)
    with factories.declared(database) as session:
        session.get_one(Implant, one.id).implanted_on = DAY
    fields = {"founding_specimen_id": specimen.id}
    told = r"No consent of patient BCBM-P02 is recorded\. Implanted on 2026-03-02: M1 brain\."

    def name() -> list[str]:
        with database.transaction() as session:
            known = session.get_one(PdxModel, model.id)
            found = doubts(session, MODEL, lab.project.id, [fields], known)
            change(session, actor, MODEL, known, version=known.version, reason="found in the freezer log", fields=fields)
            return [notice.message for notice in found]

    if action == "implant:create":
        with pytest.raises(DomainError, match=told) as error:
            name()
        assert error.value.field == "founding_specimen_id"
        with factories.declared(database) as session:
            factories.consent(session, session.get_one(Patient, specimen.donor_id))
        assert name() == []
    else:
        (doubt,) = name()
        assert re.fullmatch(told, doubt)


def test_a_withdrawn_consent_ends_implanting_and_bringing_back(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    with database.transaction() as session:
        withdraw(session, actor, IMPLANT, session.get_one(Implant, one.id), version=1, reason="wrong animal")
    with factories.declared(database) as session:
        factories.consent(session, lab.patient, withdrawn_on=date(2026, 2, 20))
    told = "BCBM-P01 withdrew consent on 2026-02-20"
    with pytest.raises(DomainError, match=told), database.transaction() as session:
        reinstate(session, actor, IMPLANT, session.get_one(Implant, one.id), version=2, reason="it was right")
    with pytest.raises(DomainError, match=told):
        implant(database, lab, lab.brains())


def test_unknown_origin_is_refused(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        tumour = factories.implant(session, lab.mice[8])
        grown = factories.specimen(session, lab.patient, "SP-X", patient_id=None, donor_id=None, source_implant_id=tumour.id)
        aliquot = factories.aliquot(session, grown)
    with pytest.raises(DomainError, match="Whose tissue SP-X is, is not recorded"):
        implant(database, lab, lab.brains(aliquot_id=aliquot.id))


@pytest.mark.parametrize("material", [AliquotMaterial.FFPE, AliquotMaterial.SNAP_FROZEN, AliquotMaterial.PLASMA])
def test_dead_tissue_is_not_implanted(database: Database, lab: Lab, material: AliquotMaterial) -> None:
    with factories.declared(database) as session:
        aliquot = factories.aliquot(session, lab.specimen, "AL-9", material=material)
    refused(database, lab, lab.brains(aliquot_id=aliquot.id), "no cell in it lives")


@each(
    ("animal", "day", "told"),
    [
        ({}, date(2026, 1, 20), "before the arrival of M1 on 2026-02-01"),
        ({"arrived_on": None}, date(2026, 1, 2), "before the birth of M1 on 2026-01-05"),
        ({"arrived_on": None}, date(2026, 1, 10), "before the collection of AL-1 on 2026-01-12"),
        ({"died_on": date(2026, 2, 27)}, DAY, "after the death of M1 on 2026-02-27"),
        ({}, date(2199, 1, 1), "lies in the future"),
        ({}, None, "When was it implanted"),
    ],
)
def test_the_order_of_events_holds(database: Database, lab: Lab, animal: dict[str, Any], day: date | None, told: str) -> None:
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, lab.mice[0].id)
        for name, value in animal.items():
            setattr(mouse, name, value)
        if day is not None and day < date(2026, 1, 12):
            session.get_one(Aliquot, lab.aliquot.id).preserved_on = None
    assert refused(database, lab, lab.brains(implanted_on=day), told).field == "implanted_on"


def test_an_aliquot_is_implanted_once_it_was_made(database: Database, lab: Lab) -> None:
    rows = lab.brains(implanted_on=date(2026, 1, 10))
    assert refused(database, lab, rows, "AL-1 was made on 2026-01-12").field == "aliquot_id"


def test_what_is_refused_says_which_row_it_is(database: Database, lab: Lab) -> None:
    rows = lab.brains(3)
    rows[1]["weight_g"] = 214
    assert refused(database, lab, rows, "A weight of 214 g cannot be").row == 1
    assert refused(database, lab, [], "A list of 0 animals").field == "rows"


def test_a_protocol_allows_the_site_or_not(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        narrow = factories.protocol(session, lab.project, "A-2", procedures=["subcutaneous"])
        session.get_one(Animal, lab.mice[1].id).protocol_id = narrow.id
    refused(database, lab, lab.brains(3), "Animal M2: Protocol A-2 does not allow intracranial implanting")


def test_a_site_that_is_not_recorded_gets_past_no_protocol(database: Database, lab: Lab, actor: Actor) -> None:
    nowhere: dict[str, Any] = {"site": ImplantSite.NOT_RECORDED, "hemisphere": None}
    assert refused(database, lab, lab.brains(**nowhere), r"Where was it implanted\?").field == "site"
    (one,) = implant(database, lab, lab.brains())
    with pytest.raises(DomainError, match="Where was it implanted") as error, database.transaction() as session:
        known = session.get_one(Implant, one.id)
        change(session, actor, IMPLANT, known, version=known.version, reason="not written down", fields=nowhere)
    assert error.value.field == "site"


def test_a_protocol_holds_on_the_day_even_where_no_site_is_recorded(database: Database, lab: Lab, actor: Actor) -> None:
    with factories.declared(database) as session:
        ended = factories.protocol(session, lab.project, "A-3", expires_on=date(2026, 3, 1))
        session.get_one(Animal, lab.mice[0].id).protocol_id = ended.id
        old: dict[str, Any] = {"implanted_on": DAY, "model_id": lab.model.id, "status": RecordStatus.WITHDRAWN}
        one = factories.implant(session, lab.mice[0], **old)
    told = "Animal M1: Protocol A-3 expired on 2026-03-01"
    with pytest.raises(DomainError, match=told), database.transaction() as session:
        reinstate(session, actor, IMPLANT, session.get_one(Implant, one.id), version=1, reason="it was right")


@each(
    ("columns", "field"),
    [
        ({"hemisphere": None}, "hemisphere"),
        ({"depth_reference": None}, "depth_reference"),
        ({"volume_ul": 200}, "volume_ul"),
        ({"engrafted_on": DAY}, "engrafted_on"),
        ({"engrafted_on": date(2026, 2, 1), "engraftment": Engraftment.ENGRAFTED}, "engrafted_on"),
        ({"implanted_at": datetime(2026, 2, 20, 12, tzinfo=UTC)}, "implanted_at"),
    ],
)
def test_surgery_that_cannot_be_is_refused(database: Database, lab: Lab, columns: dict[str, Any], field: str) -> None:
    assert refused(database, lab, lab.brains(**columns), ".").field == field


def test_the_day_follows_from_the_end_of_surgery(database: Database, lab: Lab) -> None:
    (one,) = implant(database, lab, lab.brains(implanted_on=None, implanted_at=datetime(2026, 3, 2, 14, 5, tzinfo=UTC)))
    assert one.implanted_on == DAY


def test_two_implants_in_one_animal_are_two_tumours(database: Database, lab: Lab) -> None:
    left, right = lab.brains(hemisphere=Hemisphere.LEFT, ml_mm=-2)[0], lab.brains()[0]
    assert [one.label for one in implant(database, lab, [left, {**right, "label": "brain"}])] == ["T1", "brain"]
    assert [one.label for one in implant(database, lab, [{**left, **ELSEWHERE, "site": ImplantSite.SUBCUTANEOUS}])] == ["T2"]
    with pytest.raises(DomainError, match='Implant "brain" exists already'):
        implant(database, lab, [{**right, "label": "brain"}])


def test_the_model_follows_from_the_aliquot_and_must_agree(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        other = factories.model(session, lab.project, "BM-02", founding_specimen_id=factories.specimen(session, lab.patient).id)
    told = refused(database, lab, lab.brains(model_id=other.id), "tissue of SP-1, which is not of model BM-02")
    assert (told.field, told.expected) == ("model_id", "BM-01")
    with factories.declared(database) as session:
        factories.model(session, lab.project, "BM-01-ORG", founding_specimen_id=lab.specimen.id)
    refused(database, lab, lab.brains(), "may be of BM-01 or BM-01-ORG: say which")
    assert implant(database, lab, lab.brains(model_id=lab.model.id))[0].model_id == lab.model.id


def test_what_is_unusual_is_asked_about_once_for_all(database: Database, lab: Lab) -> None:
    assert doubted(database, lab, lab.brains(3)) == []
    with factories.declared(database) as session:
        session.get_one(Animal, lab.mice[1].id).protocol_id = None
        failed = {"kind": CheckKind.STR_PROFILE, "result": CheckResult.FAILED, "checked_on": date(2026, 2, 2)}
        factories.model_check(session, lab.model, **failed)
        factories.model_check(session, lab.model, checked_on=date(2026, 2, 3))
        session.get_one(PdxModel, lab.model.id).state = ModelStatus.RETIRED
    assert doubted(database, lab, lab.brains(3, analgesic=None, analgesia_hours=None, analgesia_doses=None)) == [
        "No analgesic is recorded.",
        "Model BM-01 is recorded as retired.",
        "Model BM-01 failed authentication by STR profile on 2026-02-02.",
        "M2: The animal is under no animal protocol.",
    ]


def test_an_implant_without_its_aliquot_is_doubted(database: Database, lab: Lab) -> None:
    rows = lab.brains(aliquot_id=None, model_id=lab.model.id)
    assert doubted(database, lab, rows) == ["No aliquot is named, so no passage follows."]


def test_a_check_that_was_repeated_and_passed_is_no_doubt(database: Database, lab: Lab) -> None:
    with factories.declared(database) as session:
        factories.model_check(session, lab.model, result=CheckResult.FAILED, checked_on=date(2026, 2, 2))
        factories.model_check(session, lab.model, checked_on=date(2026, 2, 9))
    assert doubted(database, lab, lab.brains()) == []


def test_the_same_list_sent_twice_is_doubted(database: Database, lab: Lab) -> None:
    implant(database, lab, lab.brains(2))
    assert doubted(database, lab, lab.brains(2)) == ["It has an implant of that day in the same place already."]
    assert doubted(database, lab, [*lab.brains(3)[2:], *lab.brains(3)[2:]])[0].startswith("M3: It has an implant")
