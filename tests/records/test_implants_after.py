"""Implants: what follows from one: the next passage, its harvest, its model and their line, and the dates that hold it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.colony_terms import Engraftment, Orthotopic
from lims.domain.errors import DomainError
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import AliquotMaterial
from lims.domain.vocabulary import CollectionProcedure, ImplantSite, PassageConvention, RecordStatus, SpecimenKind
from lims.models import Aliquot, Animal, Implant, PdxModel, Specimen
from lims.records.harvests import Piece, doubt_harvest, harvest
from lims.records.implants import IMPLANT
from lims.records.nouns import change, record, withdraw
from lims.records.pdx import MODEL
from lims.records.storage import ALIQUOT
from lims.records.tissue import SPECIMEN
from tests.records.implant_lab import BRAIN, ELSEWHERE, Lab, implant, make_lab
from tests.support import factories


@pytest.fixture
def lab(database: Database) -> Lab:
    return make_lab(database)


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
        pad = {**ELSEWHERE, "site": ImplantSite.MAMMARY_FAT_PAD}
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
