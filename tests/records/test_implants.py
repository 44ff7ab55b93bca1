"""Implants: whose tissue, which passage, which model; consent, protocol and dates before it goes into an animal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.colony_terms import DepthReference, Engraftment, Hemisphere, Orthotopic, StereotacticOrigin
from lims.domain.errors import DomainError
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, AmountUnit, CheckKind, CheckResult
from lims.domain.vocabulary import CollectionProcedure, ImplantSite, ModelStatus, PassageConvention, RecordStatus, SpecimenKind
from lims.models import Aliquot, AliquotEvent, Animal, Implant, Patient, PdxModel, Project, Specimen
from lims.records.harvests import Piece, doubt_harvest, harvest
from lims.records.implants import IMPLANT
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from lims.records.pdx import MODEL
from lims.records.storage import ALIQUOT
from lims.records.surgery import TissueUsed, implant_animals, with_labels
from lims.records.tissue import SPECIMEN
from tests.support import factories

DAY = date(2026, 3, 2)
BRAIN: dict[str, Any] = {
    "site": ImplantSite.INTRACRANIAL,
    "hemisphere": Hemisphere.RIGHT,
    "ap_mm": 0.5,
    "ml_mm": 2,
    "dv_mm": 3,
    "coordinate_origin": StereotacticOrigin.BREGMA,
    "depth_reference": DepthReference.DURA,
    "implanted_on": DAY,
    "dwell_min": 2,
    "needle": "26 G",
    "anaesthetic": "isoflurane 2 %",
    "analgesic": "buprenorphine 0.1 mg/kg",
    "analgesia_hours": 8,
    "analgesia_doses": 3,
}


@dataclass(frozen=True, slots=True)
class Lab:
    """A patient with consent, the metastasis that BM-01 was founded from, one aliquot of it, and mice under a protocol."""

    project: Project
    patient: Patient
    specimen: Specimen
    model: PdxModel
    aliquot: Aliquot
    mice: list[Animal]

    def brains(self, count: int = 1, **columns: Any) -> list[dict[str, Any]]:
        return [{**BRAIN, "animal_id": mouse.id, "aliquot_id": self.aliquot.id, **columns} for mouse in self.mice[:count]]


@pytest.fixture
def lab(database: Database) -> Lab:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "BCBM-P01")
        factories.consent(session, patient)
        tissue = {"collected_on": date(2026, 1, 12), "site": "frontal lobe", "kind": SpecimenKind.TUMOUR}
        specimen = factories.specimen(session, patient, "SP-1", **tissue)
        model = factories.model(session, project, "BM-01", founding_specimen_id=specimen.id)
        amount = {"amount": 9.0, "unit": AmountUnit.FRAGMENTS, "preserved_on": date(2026, 1, 12)}
        aliquot = factories.aliquot(session, specimen, "AL-1", **amount)
        protocol = factories.protocol(session, project, "A-1")
        mice = [
            factories.animal(session, project, f"M{number}", protocol_id=protocol.id, arrived_on=date(2026, 2, 1))
            for number in range(1, 10)
        ]
    return Lab(project, patient, specimen, model, aliquot, mice)


def implant(database: Database, lab: Lab, rows: list[dict[str, Any]], **used: Any) -> list[Implant]:
    with database.transaction() as session:
        return implant_animals(session, factories.actor(), lab.project.id, rows, used=TissueUsed(**used))


def refused(database: Database, lab: Lab, rows: list[dict[str, Any]], told: str, **used: Any) -> DomainError:
    with pytest.raises(DomainError, match=told) as error:
        implant(database, lab, rows, **used)
    with database.reading() as session:
        assert session.query(Implant).count() == 0
        assert session.query(AliquotEvent).count() == 0
    return error.value


def doubted(database: Database, lab: Lab, rows: list[dict[str, Any]]) -> list[str]:
    with database.reading() as session:
        return [one.message for one in doubts(session, IMPLANT, lab.project.id, with_labels(session, lab.project.id, rows))]


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


@pytest.mark.parametrize(
    ("animal", "day", "told"),
    [
        ({}, date(2026, 1, 20), "before the arrival of M1 on 2026-02-01"),
        ({"arrived_on": None}, date(2026, 1, 2), "before the birth of M1 on 2026-01-05"),
        ({"arrived_on": None}, date(2026, 1, 10), "before the collection of AL-1 on 2026-01-12"),
        ({"died_on": date(2026, 2, 27)}, DAY, "after the death of M1 on 2026-02-27"),
        ({}, date(2199, 1, 1), "lies in the future"),
        ({}, None, "When was it implanted"),
    ],
    ids=["before arrival", "before birth", "before collection", "after death", "in the future", "no date"],
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


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"hemisphere": None}, "hemisphere"),
        ({"dv_mm": 3.0}, "depth_reference"),
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
    left, right = lab.brains(hemisphere=Hemisphere.LEFT)[0], lab.brains()[0]
    assert [one.label for one in implant(database, lab, [left, {**right, "label": "brain"}])] == ["T1", "brain"]
    assert [one.label for one in implant(database, lab, [{**left, "site": ImplantSite.SUBCUTANEOUS}])] == ["T2"]
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


def test_a_tumour_goes_on_as_the_next_passage(database: Database, lab: Lab, actor: Actor) -> None:
    (first,) = implant(database, lab, lab.brains())
    with database.transaction() as session:
        source = session.get_one(Implant, first.id)
        piece = Piece({"kind": SpecimenKind.TUMOUR, "site": "right striatum"}, {"material": AliquotMaterial.FRESH_FRAGMENT}, 2)
        (grown,) = harvest(session, actor, source, [piece], on=date(2026, 5, 4))
        assert (source.engraftment, source.engrafted_on) == (Engraftment.ENGRAFTED, date(2026, 5, 4))
    assert (grown.donor_id, grown.passage, grown.procedure) == (lab.patient.id, 0, CollectionProcedure.NECROPSY)
    with database.reading() as session:
        again = session.query(Aliquot).filter_by(specimen_id=grown.id).all()
    assert [one.preserved_on for one in again] == [date(2026, 5, 4)] * 2
    (second,) = implant(
        database, lab, [{**lab.brains(2)[1], "aliquot_id": again[0].id, "implanted_on": date(2026, 5, 4)}], all_of_it=True
    )
    assert (second.donor_id, second.model_id, second.passage) == (lab.patient.id, lab.model.id, 1)
    assert second.orthotopic_to_collection is Orthotopic.YES, "the patient's brain, not the mouse's"
    assert [passage_label(second.passage, one) for one in PassageConvention] == ["P1", "P2"]
    assert verify(database).problems == []


def test_a_harvest_is_dated_after_the_implanting_and_doubted_long_after_death(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    pieces = [Piece({"kind": SpecimenKind.TUMOUR})]
    with pytest.raises(DomainError, match="before the implanting of M1 on 2026-03-02"), database.transaction() as session:
        harvest(session, actor, session.get_one(Implant, one.id), pieces, on=date(2026, 3, 1))
    with pytest.raises(DomainError, match="What was harvested"), database.transaction() as session:
        harvest(session, actor, session.get_one(Implant, one.id), [], on=date(2026, 5, 1))
    necropsy = CollectionProcedure.NECROPSY
    with database.reading() as session:
        found = doubt_harvest(session, session.get_one(Implant, one.id), pieces, on=date(2026, 5, 1), procedure=necropsy)
        assert [notice.message for notice in found] == ["Animal M1 is not recorded as dead, and this is a necropsy."]
    with factories.declared(database) as session:
        session.get_one(Animal, lab.mice[0].id).died_on = date(2026, 5, 1)
    with database.transaction() as session:
        source = session.get_one(Implant, one.id)
        assert doubt_harvest(session, source, pieces, on=date(2026, 5, 1), procedure=necropsy) == []
        late = doubt_harvest(session, source, pieces, on=date(2026, 5, 4), procedure=necropsy)
        assert [notice.message for notice in late] == ["Animal M1 died on 2026-05-01, 3 days before."]
        harvest(session, actor, source, pieces, on=date(2026, 5, 2))
        assert source.engrafted_on == date(2026, 5, 1), "seen on the day of death at the latest"


def test_a_measured_tumour_was_seen_before_it_was_taken_out(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    with factories.declared(database) as session:
        for value, day in ((0, 20), (4.5, 27), (60, 30)):
            reading = {"implant_id": one.id, "taken_on": date(2026, 3, day)}
            factories.measurement(session, lab.mice[0], "caliper_volume", value, **reading)
    with database.transaction() as session:
        source = session.get_one(Implant, one.id)
        harvest(session, actor, source, [Piece({"kind": SpecimenKind.TUMOUR})], on=date(2026, 4, 20))
        assert source.engrafted_on == date(2026, 3, 27)


def test_other_tissue_says_nothing_of_engraftment_and_failure_has_no_tumour(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    with database.transaction() as session:
        source = session.get_one(Implant, one.id)
        harvest(session, actor, source, [Piece({"kind": SpecimenKind.PLASMA})], on=date(2026, 4, 20))
        assert source.engraftment is Engraftment.PENDING
        failed = {"engraftment": Engraftment.FAILED}
        change(session, actor, IMPLANT, source, version=source.version, reason="no tumour at necropsy", fields=failed)
    with pytest.raises(DomainError, match="T1 of M1 is recorded as failed"), database.transaction() as session:
        harvest(session, actor, session.get_one(Implant, one.id), [Piece({"kind": SpecimenKind.TUMOUR})], on=date(2026, 4, 20))


def test_a_file_names_tumour_and_model_and_nothing_else_is_asked(database: Database, lab: Lab, actor: Actor) -> None:
    with factories.declared(database) as session:
        model = factories.model(session, lab.project, "OLD-7")
        mouse = factories.animal(session, lab.project, "OLD-M1", died_on=date(2026, 2, 1))
    with database.transaction() as session:
        rows = [{"animal_id": mouse.id, "label": "MG R4", "model_id": model.id}, {"animal_id": mouse.id, "label": "MG L4"}]
        made = record(session, actor, IMPLANT, lab.project.id, rows)
    assert [(one.donor_id, one.passage, one.site) for one in made] == [(None, None, ImplantSite.NOT_RECORDED)] * 2


def test_what_only_named_its_model_follows_it_to_the_patient(database: Database, lab: Lab, actor: Actor) -> None:
    with factories.declared(database) as session:
        model = factories.model(session, lab.project, "OLD-7")
    with database.transaction() as session:
        row = {"animal_id": lab.mice[0].id, "label": "MG R4", "model_id": model.id}
        (tumour,) = record(session, actor, IMPLANT, lab.project.id, [row])
        harvested = {"source_implant_id": tumour.id, "kind": SpecimenKind.TUMOUR}
        (grown,) = record(session, actor, SPECIMEN, lab.project.id, [harvested])
    with database.transaction() as session:
        fields = {"founding_specimen_id": lab.specimen.id}
        known = session.get_one(PdxModel, model.id)
        change(session, actor, MODEL, known, version=known.version, reason="found in the freezer log", fields=fields)
        assert session.get_one(Implant, tumour.id).donor_id == lab.patient.id
        assert session.get_one(Specimen, grown.id).donor_id == lab.patient.id
    assert verify(database).problems == []


@pytest.mark.parametrize("follower", ["engraftment", "measurement", "harvest"])
def test_an_implanting_is_not_moved_behind_what_followed_it(database: Database, lab: Lab, actor: Actor, follower: str) -> None:
    (one,) = implant(database, lab, lab.brains())
    late = date(2026, 4, 20)
    with factories.declared(database) as session:
        if follower == "engraftment":
            known = session.get_one(Implant, one.id)
            known.engraftment, known.engrafted_on = Engraftment.ENGRAFTED, late
        elif follower == "measurement":
            factories.measurement(session, lab.mice[0], "caliper_volume", 40, implant_id=one.id, taken_on=late)
        else:
            source: dict[str, Any] = {"patient_id": None, "source_implant_id": one.id, "passage": 0, "collected_on": late}
            factories.specimen(session, lab.patient, **source)

    def move(day: date) -> None:
        with database.transaction() as session:
            known = session.get_one(Implant, one.id)
            change(session, actor, IMPLANT, known, version=known.version, reason="read again", fields={"implanted_on": day})

    move(late)
    with pytest.raises(DomainError, match="on 2026-04-20 comes before the implanting on 2026-04-21") as error:
        move(date(2026, 4, 21))
    assert error.value.field == "implanted_on"


def test_tissue_that_was_implanted_was_there_and_alive(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())

    def correct(noun: Any, table: Any, key: int, **fields: Any) -> None:
        with database.transaction() as session:
            known = session.get_one(table, key)
            change(session, actor, noun, known, version=known.version, reason="read again", fields=fields)

    with pytest.raises(DomainError, match="Its first implanting on 2026-03-02 comes before the preservation of AL-1") as made:
        correct(ALIQUOT, Aliquot, lab.aliquot.id, preserved_on=date(2026, 3, 3))
    with pytest.raises(DomainError, match="AL-1 was implanted, so its cells lived") as dead:
        correct(ALIQUOT, Aliquot, lab.aliquot.id, material=AliquotMaterial.FFPE)
    assert (made.value.field, dead.value.field) == ("preserved_on", "material")
    correct(ALIQUOT, Aliquot, lab.aliquot.id, preserved_on=None, material=AliquotMaterial.CELL_SUSPENSION)
    with pytest.raises(DomainError, match="Its first implanting on 2026-03-02 comes before the collection of SP-1") as collected:
        correct(SPECIMEN, Specimen, lab.specimen.id, collected_on=date(2026, 3, 3))
    assert collected.value.field == "collected_on"
    with database.transaction() as session:
        withdraw(session, actor, IMPLANT, session.get_one(Implant, one.id), version=1, reason="other tissue")
    correct(ALIQUOT, Aliquot, lab.aliquot.id, material=AliquotMaterial.FFPE)
    correct(SPECIMEN, Specimen, lab.specimen.id, collected_on=date(2026, 3, 3))


def _grow(database: Database, lab: Lab, actor: Actor, of: Implant, day: date, mouse: int) -> Implant:
    """Harvest an implant and implant of it again."""
    with database.transaction() as session:
        piece = Piece({"kind": SpecimenKind.TUMOUR}, {"material": AliquotMaterial.FRESH_FRAGMENT}, 1)
        (grown,) = harvest(session, actor, session.get_one(Implant, of.id), [piece], on=day)
    with database.reading() as session:
        (vial,) = session.query(Aliquot).filter_by(specimen_id=grown.id)
    row = {**BRAIN, "animal_id": lab.mice[mouse].id, "aliquot_id": vial.id, "implanted_on": day}
    return implant(database, lab, [row])[0]


def _models(database: Database, *implants: Implant) -> list[int | None]:
    with database.reading() as session:
        return [session.get_one(Implant, one.id).model_id for one in implants]


@pytest.mark.parametrize("named_later", [False, True])
def test_a_model_founded_after_its_first_implants_has_them_and_their_line(
    database: Database, lab: Lab, actor: Actor, named_later: bool
) -> None:
    with factories.declared(database) as session:
        other = factories.specimen(session, lab.patient, "SP-5", kind=SpecimenKind.TUMOUR)
        vial = factories.aliquot(session, other, "AL-5")
    (first,) = implant(database, lab, lab.brains(aliquot_id=vial.id))
    second = _grow(database, lab, actor, first, date(2026, 5, 4), 1)
    third = _grow(database, lab, actor, second, date(2026, 7, 6), 2)
    assert _models(database, first, second, third) == [None, None, None]
    founded = {"founding_specimen_id": other.id}
    with database.transaction() as session:
        (model,) = record(session, actor, MODEL, lab.project.id, [{"code": "BM-05"} | ({} if named_later else founded)])
    if named_later:
        with database.transaction() as session:
            known = session.get_one(PdxModel, model.id)
            change(session, actor, MODEL, known, version=known.version, reason="grew twice", fields=founded)
    assert _models(database, first, second, third) == [model.id] * 3
    with database.transaction() as session:
        record(session, actor, MODEL, lab.project.id, [{"code": "BM-05-ORG"} | founded])
    assert _models(database, first, second, third) == [model.id] * 3, "a culture beside it takes none of them"
    assert verify(database).problems == []


def test_another_model_of_an_implant_goes_down_its_line_and_spares_a_line_of_its_own(
    database: Database, lab: Lab, actor: Actor
) -> None:
    with factories.declared(database) as session:
        culture = factories.model(session, lab.project, "BM-01-B", founding_specimen_id=lab.specimen.id)
    (first,) = implant(database, lab, lab.brains(model_id=lab.model.id))
    second = _grow(database, lab, actor, first, date(2026, 5, 4), 1)
    with database.reading() as session:
        source = session.query(Specimen).filter_by(source_implant_id=first.id).one()
        vial = session.query(Aliquot).filter_by(specimen_id=source.id).one()
    with factories.declared(database) as session:
        own = factories.model(session, lab.project, "BM-01-SUB", founding_specimen_id=source.id)
    row = {**lab.brains(3)[2], "aliquot_id": vial.id, "model_id": own.id, "implanted_on": date(2026, 5, 4)}
    (aside,) = implant(database, lab, [row])
    with database.transaction() as session:
        known = session.get_one(Implant, first.id)
        fields = {"model_id": culture.id}
        change(session, actor, IMPLANT, known, version=known.version, reason="it was the other line", fields=fields)
    assert _models(database, first, second, aside) == [culture.id, culture.id, own.id]


def test_orthotopy_follows_the_site_unless_somebody_typed_it(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    with database.transaction() as session:
        known = session.get_one(Implant, one.id)
        pad = {"site": ImplantSite.MAMMARY_FAT_PAD}
        change(session, actor, IMPLANT, known, version=known.version, reason="wrong site", fields=pad)
        assert (known.orthotopic_to_collection, known.orthotopic_to_primary) == (Orthotopic.NO, Orthotopic.YES)
        typed = {"orthotopic_to_collection": Orthotopic.YES, "site": ImplantSite.SUBCUTANEOUS}
        change(session, actor, IMPLANT, known, version=known.version, reason="skin metastasis", fields=typed)
        assert (known.orthotopic_to_collection, known.orthotopic_to_primary) == (Orthotopic.YES, Orthotopic.NO)


def test_an_implant_with_readings_or_harvest_stays(database: Database, lab: Lab, actor: Actor) -> None:
    (one,) = implant(database, lab, lab.brains())
    with factories.declared(database) as session:
        factories.measurement(session, lab.mice[0], "caliper_volume", 40, implant_id=one.id)
    with pytest.raises(DomainError, match="1 active record"), database.transaction() as session:
        withdraw(session, actor, IMPLANT, session.get_one(Implant, one.id), version=1, reason="mistake")
    with database.reading() as session:
        assert session.get_one(Implant, one.id).status is RecordStatus.ACTIVE
