"""Surgery lists, engraftment and harvests through their pages, and the pages of models and checks around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy.orm.exc import StaleDataError

from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.errors import Conflict
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, AmountUnit, CheckKind, CheckResult
from lims.domain.vocabulary import PassageConvention, RoleName, SpecimenKind
from lims.models import Aliquot, AuditEvent, Implant, ModelCheck, PdxModel, Project, Specimen
from lims.views import surgery as views
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, add_project, fields, message
from tests.support.statements import statements

HOME = "/p/BCBM"
LIST = f"{HOME}/implants/surgery"
ALLELES = ["CSF1PO: 10, 12", "D13S317: 11, 12", "D16S539: 9, 11", "D18S51: 14, 17", "D3S1358: 15, 16", "D5S818: 11, 12"]
ALLELES += ["D7S820: 8, 10", "FGA: 21, 23", "AMEL: X"]
COMMON = {
    "aliquot_id": "AL-1",
    "amount": "8",
    "implanted_on": "2026-03-02",
    "ended_at": "14:05",
    "site": "intracranial",
    "hemisphere": "right",
    "ap_mm": "0.5",
    "ml_mm": "2",
    "dv_mm": "3",
    "coordinate_origin": "bregma",
    "depth_reference": "dura",
    "dwell_min": "2",
    "needle": "26 G",
    "anaesthetic": "isoflurane 2 %",
    "analgesic": "buprenorphine 0.1 mg/kg",
    "analgesia_hours": "8",
    "analgesia_doses": "2",
}


@dataclass(frozen=True, slots=True)
class Room:
    """A signed-in scientist, and the ids of what is there."""

    browser: Browser
    database: Database
    model: int
    profiles: tuple[int, int]

    def implant(self, status: int = 302, **values: str) -> Any:
        return self.browser.submit(self.browser.get(LIST, heading="Surgery list"), LIST, status=status, **values)


@kept
def fill(database: Database) -> tuple[int, tuple[int, int]]:
    """Record a model with an aliquot of it, nine mice and two profiles; gives the ids of the model and the profiles."""
    add_project(database, "BCBM")
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        project = session.query(Project).one()
        patient = factories.patient(session, project, "BCBM-P01")
        factories.consent(session, patient)
        tissue = {"collected_on": date(2026, 1, 12), "site": "frontal lobe", "kind": SpecimenKind.TUMOUR}
        specimen = factories.specimen(session, patient, "SP-1", **tissue)
        other = factories.patient(session, project, "BCBM-P02")
        factories.aliquot(session, factories.specimen(session, other, "SP-2"), "AL-2")
        convention = {"passage_convention": PassageConvention.FIRST_IS_P1}
        model = factories.model(session, project, "BM-01", founding_specimen_id=specimen.id, **convention)
        factories.aliquot(session, specimen, "AL-1", amount=9, unit=AmountUnit.FRAGMENTS)
        protocol, cage = factories.protocol(session, project), factories.cage(session, project, "C-1", capacity=20)
        for number in range(1, 10):
            factories.animal(session, project, f"M{number}", rfid=f"9000{number}", protocol_id=protocol.id, cage_id=cage.id)
        profiles = factories.profile(session, specimen, alleles=ALLELES), factories.profile(session, specimen, alleles=ALLELES[:8])
        return model.id, (profiles[0].id, profiles[1].id)


@pytest.fixture
def room(app_on_each: Application, database: Database) -> Room:
    made = fill(database)
    return Room(Browser(app_on_each).sign_in("Ada"), database, *made)


def rows(*codes: str) -> dict[str, str]:
    return {f"rows-{number}-animal": code for number, code in enumerate(codes)}


def only(room: Room, table: Any) -> Any:
    with room.database.reading() as session:
        return session.query(table).one()


def test_eight_brains_from_one_list(room: Room) -> None:
    page = room.browser.get(LIST)
    form = page.find("form", action=LIST)
    assert form is not None
    assert len(form.find_all("input", attrs={"name": lambda name: bool(name) and name.endswith("-animal")})) == 20
    first = form.find("button")
    assert first is not None
    assert first.has_attr("disabled"), "without script Enter sends nothing"
    codes = ["m1", "M2,", " M3", "M4", "M5", "M6", "90007", "M8"]
    away = room.implant(**COMMON, **rows(*codes), **{"rows-1-weight_g": "21,4", "rows-2-ended_at": "1510"})
    done = message(room.browser.get(away.location, heading="Surgery of 2026-03-02"))
    assert "8 implants recorded." in done
    assert "2026-03-02 22:05 buprenorphine 0.1 mg/kg M1, M2, M4, M5, M6, M7, M8" in done
    assert "2026-03-03 07:10 buprenorphine 0.1 mg/kg M3" in done
    assert "card of cage C-1" in done
    (measure,) = [one for one in room.browser.get(away.location).select("a") if "Measure these animals" in one.text]
    listed = room.browser.get(f"{measure['href']}&kind=body_weight").select("table.entry th[scope=row] a")
    assert [one.text for one in listed] == ["M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8"]
    with room.database.reading() as session:
        made = session.query(Implant).order_by(Implant.id).all()
        assert [one.animal.code for one in made] == ["M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8"]
        assert [one.weight_g for one in made[:3]] == [None, 21.4, None]
        assert {(one.passage, one.model_id, one.label) for one in made} == {(0, room.model, "T1")}
        assert session.query(Aliquot).filter_by(code="AL-1").one().amount == 1
        event = session.query(AuditEvent).order_by(AuditEvent.seq.desc()).first()
        assert event is not None
        assert event.action == "implant:create", "one transaction, one event"


def test_tissue_without_consent_is_refused_with_the_sentence_and_everything_stays_typed(room: Room) -> None:
    page = room.implant(422, **COMMON | {"aliquot_id": "AL-2"}, **rows("M1", "M2"))
    assert "No consent of patient BCBM-P02 is recorded. Expected: a consent of BCBM-P02 that permits xenografts" in message(page)
    form = page.find("form", action=LIST)
    typed = fields(form)
    assert (typed["aliquot_id"], typed["rows-1-animal"], typed["ended_at"]) == ("AL-2", "M2", "14:05")


@each(
    ("values", "told"),
    [
        ({"rows-1-weight_g": "214"}, "Row 2 (M2), weight : A weight of 214 g cannot be."),
        ({"rows-1-weight_g": "heavy"}, 'Row 2 (M2), weight : "heavy" is no number.'),
        ({"rows-1-animal": "M99"}, 'Row 2 (M99), animal : There is no animal "M99" in this project.'),
        ({"rows-1-animal": "", "rows-1-note": "bled"}, "Row 2, animal : Which animal?"),
        ({"rows-1-ended_at": "25:00"}, 'Row 2 (M2), end of surgery : "25:00" is no time.'),
        ({"rows-1-animal": "M1", "label": "brain", "confirmed": "y"}, 'Implant "brain" stands 2 times in this list.'),
        ({"site": ""}, "Site : The site is needed: the animals' protocol is asked for it."),
        ({"site": "not_recorded"}, "Site : "),
        ({"hemisphere": ""}, "Side : An intracranial implant has no side."),
        ({"amount": ""}, "Taken from it : How much of the aliquot was taken?"),
        ({"amount": "12"}, "Taken from it : AL-1 holds 9 fragments"),
        ({"implanted_on": ""}, "Day of surgery : The day of surgery is needed."),
        ({"aliquot_id": "AL-77"}, 'There is no aliquot "AL-77"'),
        ({"rows-0-animal": "", "rows-1-animal": ""}, "A list of 0 animals cannot be recorded."),
    ],
)
def test_what_is_wrong_names_its_row_or_field_and_nothing_is_recorded(room: Room, values: dict[str, str], told: str) -> None:
    page = room.implant(422, **COMMON | rows("M1", "M2") | values)
    assert told in message(page)
    with room.database.reading() as session:
        assert session.query(Implant).count() == 0


def test_a_list_shows_what_is_wrong_in_all_of_its_rows_at_once(room: Room) -> None:
    wrong = {"rows-0-weight_g": "214", "rows-2-weight_g": "2.2", "volume_ul": "50", "coordinate_origin": ""}
    page = room.implant(422, **COMMON | rows("M1", "M2", "M3") | wrong)
    alert = page.find(role="alert")
    assert alert is not None
    told = [" ".join(item.text.split()) for item in alert.find_all("li")]
    assert len(told) == 4
    assert told[0].startswith("Volume: 50 µL cannot be given into the site intracranial."), "once, though three rows share it"
    assert told[1].startswith("Origin of AP and ML: The coordinates AP and ML have no origin")
    assert told[2].startswith("Row 1 (M1), weight: A weight of 214 g cannot be.")
    assert told[3].startswith("Row 3 (M3), weight: A weight of 2.2 g cannot be.")
    for field in ("rows-0-weight_g", "rows-2-weight_g", "volume_ul", "coordinate_origin"):
        assert page.find(id=f"{field}-error") is not None
    assert page.find(id="rows-1-weight_g-error") is None
    with room.database.reading() as session:
        assert session.query(Implant).count() == 0


def test_a_brain_without_coordinates_is_asked_about(room: Room) -> None:
    nowhere = COMMON | dict.fromkeys(("ap_mm", "ml_mm", "dv_mm", "coordinate_origin", "depth_reference"), "")
    page = room.implant(422, **nowhere, **rows("M1"))
    assert "No coordinates are recorded: nobody can say where in the brain it lies" in message(page)
    room.implant(**nowhere, **rows("M1"), confirmed="y")
    assert only(room, Implant).ap_mm is None
    room.implant(**nowhere | {"site": "subcutaneous", "amount": "1"}, **rows("M2"))


def test_what_is_unusual_is_confirmed_and_stands_in_the_trail(room: Room) -> None:
    with factories.declared(room.database) as session:
        model = session.get_one(PdxModel, room.model)
        factories.model_check(session, model, kind=CheckKind.STR_PROFILE, result=CheckResult.FAILED)
    values = COMMON | rows("M1") | {"all_of_it": "y", "amount": ""}
    page = room.implant(422, **values)
    assert "Model BM-01 failed authentication by STR profile on 2025-09-01." in message(page)
    room.implant(**values, confirmed="y")
    with room.database.reading() as session:
        assert session.query(Aliquot).filter_by(code="AL-1").one().state is AliquotState.USED_UP
        event = session.query(AuditEvent).order_by(AuditEvent.seq.desc()).first()
        assert event is not None
        assert event.reason.startswith("confirmed: Model BM-01 failed authentication")
    assert "Aliquot AL-1 is used up." in message(room.implant(422, **COMMON, **rows("M2")))


def test_an_aliquot_whose_amount_nobody_recorded_is_used_and_stays(room: Room) -> None:
    with factories.declared(room.database) as session:
        factories.aliquot(session, session.query(Specimen).filter_by(code="SP-1").one(), "AL-3")
    unknown = COMMON | {"aliquot_id": "AL-3", "amount": ""}
    assert "How much AL-3 holds is not recorded" in message(room.implant(422, **unknown | {"amount": "2"}, **rows("M1")))
    room.implant(**unknown, **rows("M1"))
    with room.database.reading() as session:
        left = session.query(Aliquot).filter_by(code="AL-3").one()
        assert (left.state, left.amount) == (AliquotState.AVAILABLE, None)


@pytest.mark.parametrize("meanwhile", [StaleDataError("one row was expected"), Conflict("This aliquot was used up.")])
def test_a_list_that_somebody_was_faster_than_stays_typed(
    room: Room, monkeypatch: pytest.MonkeyPatch, meanwhile: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise meanwhile

    monkeypatch.setattr(views, "implant_animals", refuse)
    told = room.implant(409, **COMMON, **rows("M1", "M2"))
    assert ("used the aliquot" in message(told)) or ("This aliquot was used up." in message(told))
    form = told.find("form", action=LIST)
    assert {fields(form)[f"rows-{number}-animal"] for number in (0, 1)} == {"M1", "M2"}
    monkeypatch.undo()
    assert room.browser.submit(told, LIST).status_code == 302


def test_a_list_begins_with_the_animals_and_the_aliquot_of_the_address(room: Room) -> None:
    page = room.browser.get(f"{LIST}?animal=M3&animal=M4&aliquot_id=AL-1")
    typed = fields(page.find("form", action=LIST))
    assert (typed["rows-0-animal"], typed["rows-1-animal"], typed["rows-2-animal"]) == ("M3", "M4", "")
    assert (typed["aliquot_id"], typed["surgeon"]) == ("AL-1", "Ada")
    assert "AL-1 viably frozen of SP-1 from BCBM-P01 , 9 fragments left" in message(page)


def test_from_implant_to_harvest_to_the_next_passage(room: Room) -> None:
    room.implant(**COMMON, **rows("M1"))
    tumour = only(room, Implant)
    shown = message(room.browser.get(f"{HOME}/implants/{tumour.id}", heading="M1 T1"))
    assert "P1 (P0 if the first mouse is P0)" in shown
    assert "To the collection site: yes To the primary site: no" in shown
    assert "2026-03-02 22:05" in shown
    path = f"{HOME}/implants/{tumour.id}/harvest"
    page = room.browser.get(path, heading="Harvest from M1 T1")
    piece = {"collected_on": "2026-05-04", "pieces-0-count": "2", "pieces-0-material": "fresh_fragment"}
    asked = room.browser.submit(page, path, status=422, **piece)
    assert "Animal M1 is not recorded as dead, and this is a necropsy." in message(asked)
    room.browser.submit(page, path, **piece, confirmed="y")
    with room.database.reading() as session:
        grown = session.query(Specimen).filter_by(source_implant_id=tumour.id).one()
        code = session.query(Aliquot).filter_by(specimen_id=grown.id).order_by(Aliquot.id).first()
        assert code is not None
        again = code.code
        assert session.get_one(Implant, tumour.id).engraftment is Engraftment.ENGRAFTED
    next_one = COMMON | {"aliquot_id": again, "amount": "", "all_of_it": "y", "implanted_on": "2026-05-04"}
    room.implant(**next_one, **rows("M2"))
    listed = message(room.browser.get(f"{HOME}/implants/?passage=1", heading="Implants"))
    assert "M2 T1 BM-01 P2" in listed
    assert "M1 T1" not in listed


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"collected_on": "2026-03-01"}, "comes before the implanting of M1 on 2026-03-02"),
        ({"pieces-0-kind": ""}, "Row 1: what kind of tissue is it?"),
        ({"pieces-0-count": "2"}, "Row 1: what are the aliquots?"),
        ({"pieces-0-material": "ffpe"}, "Row 1: how many aliquots were made?"),
        ({"pieces-0-count": "2", "pieces-0-material": "ffpe", "pieces-0-place": "BX-9"}, 'Row 1: there is no place "BX-9"'),
        ({"pieces-0-kind": "", "pieces-0-site": ""}, "What was harvested?"),
    ],
)
def test_a_harvest_that_cannot_be_is_refused(room: Room, values: dict[str, str], told: str) -> None:
    room.implant(**COMMON, **rows("M1"))
    path = f"{HOME}/implants/{only(room, Implant).id}/harvest"
    page = room.browser.get(path)
    sent = {"collected_on": "2026-05-04", "confirmed": "y"} | values
    assert told in message(room.browser.submit(page, path, status=422, **sent))


def test_what_came_of_it_counts_into_the_model(room: Room) -> None:
    room.implant(**COMMON, **rows("M1", "M2"))
    with room.database.reading() as session:
        first, second = (one.id for one in session.query(Implant).order_by(Implant.id))
    path = f"{HOME}/implants/{first}/engraftment"
    page = room.browser.get(path, heading="Engraftment of M1 T1")
    early = room.browser.submit(page, path, status=422, engrafted_on="2026-03-01", reason="palpable")
    assert "comes before the implanting of M1" in message(early)
    room.browser.submit(page, path, engrafted_on="2026-04-13", reason="palpable")
    path = f"{HOME}/implants/{second}/engraftment"
    room.browser.submit(room.browser.get(path), path, engraftment="failed", reason="no tumour at necropsy")
    shown = message(room.browser.get(f"{HOME}/models/{room.model}", heading="BM-01"))
    assert "All 1 of 2 50 % 0 42 1" in shown
    assert "P1 1 of 2 50 % 0 42 1" in shown
    assert "The first mouse is P1, one more than PDX-MI counts" in shown
    assert "P0 if the first mouse" not in shown
    listed = message(room.browser.get(f"{HOME}/models/", heading="Models"))
    assert "BM-01 attempted BCBM-P01, frontal lobe not assessed P1 1/2 · 50 42" in listed


def test_a_models_tissue_is_counted_by_passage_and_material_and_each_count_leads_to_it(room: Room) -> None:
    with factories.declared(room.database) as session:
        founding = session.query(Specimen).filter_by(code="SP-1").one()
        tumour = factories.implant(
            session, factories.animal(session, session.get_one(Project, founding.project_id)), model_id=room.model, passage=2
        )
        origin = {"patient_id": None, "source_implant_id": tumour.id, "passage": 2}
        grown = factories.specimen(session, founding.donor, "SP-P2", **origin)
        for number in range(3):
            factories.aliquot(session, grown, f"F{number}", material=AliquotMaterial.FFPE)
        factories.aliquot(session, grown, "V1")
        factories.aliquot(session, grown, "V2", state=AliquotState.USED_UP)
    page = room.browser.get(f"{HOME}/models/{room.model}")
    table = page.select_one("#aliquots table")
    assert table is not None
    assert [one.text.strip() for one in table.select("thead th")] == ["Grown at", "viably frozen", "FFPE", "In all"]
    rows = [[cell.text.strip() for cell in row.select("td")] for row in table.select("tbody tr")]
    assert (rows[0][0], rows[1]) == ("patient", ["P3", "1", "3", "4"])
    for count, codes in ((1, ["V1"]), (2, ["F2", "F1", "F0"]), (3, ["V1", "F2", "F1", "F0"])):
        link = table.select("tbody tr")[1].select("td")[count].a
        assert link is not None
        listed = room.browser.get(str(link["href"]))
        assert sorted(one.text for one in listed.select("a[data-row-link]")) == sorted(codes)
    assert "is no passage" in message(room.browser.get(f"{HOME}/aliquots/?passage=first", status=422))


def test_a_model_is_recorded_filtered_and_checked(room: Room) -> None:
    new = f"{HOME}/models/new"
    page = room.browser.get(new, heading="Record a PDX model")
    organoid = {"kind": "organoid", "founding_specimen_id": "SP-1", "passage_convention": "p0"}
    shown = room.browser.get(room.browser.submit(page, new, **organoid).location, heading="BM-02")
    assert "Organoid from BCBM-P01 , frontal lobe" in message(shown)
    assert "Other models of this patient BM-01 xenograft attempted" in message(shown)
    for query, expected in (("kind=organoid", ["BM-02"]), ("kind=xenograft", ["BM-01"]), ("cohort=3", []), ("state=failed", [])):
        listed = room.browser.get(f"{HOME}/models/?{query}")
        assert [one.text for one in listed.select("a[data-row-link]")] == expected, query
    room.browser.get(f"{HOME}/models/?cohort=9", status=422)


def test_a_match_is_shown_locus_by_locus_and_a_failure_on_the_models_page(room: Room) -> None:
    new = f"{HOME}/checks/new"
    page = room.browser.get(f"{new}?model_id=BM-01", heading="Record a check")
    action = f"{new}?model_id=BM-01"
    chosen = {"kind": "str_profile", "profile_id": str(room.profiles[1]), "reference_profile_id": str(room.profiles[0])}
    shown = room.browser.get(room.browser.submit(page, action, checked_on="2026-06-01", **chosen).location)
    assert "100.0 % by Tanabe: related passed" in message(shown)
    assert "AMEL not typed X only here not counted" in message(shown)
    assert len(shown.select(".allele")) == 33
    need = room.browser.submit(page, action, status=422, kind="mycoplasma", checked_on="2026-06-01")
    assert "Result is needed." in message(need)
    room.browser.submit(page, action, kind="mycoplasma", checked_on="2026-06-01", result="failed", method="PCR")
    model = room.browser.get(f"{HOME}/models/{room.model}")
    alert = model.select_one(".message.tone-error")
    assert alert is not None
    assert "BM-01 failed the mycoplasma test" in message(BeautifulSoup(str(alert), "html.parser"))
    assert {one.kind for one in _checks(room)} == {CheckKind.STR_PROFILE, CheckKind.MYCOPLASMA}


def test_a_check_whose_profile_lost_loci_is_shown_and_says_so(room: Room) -> None:
    chosen = {"kind": "str_profile", "profile_id": str(room.profiles[1]), "reference_profile_id": str(room.profiles[0])}
    new = f"{HOME}/checks/new?model_id=BM-01"
    check = room.browser.submit(room.browser.get(new), new, checked_on="2026-06-01", **chosen).location
    path = f"{HOME}/profiles/{room.profiles[1]}/change"
    fewer = {"alleles": "\n".join(ALLELES[:3]), "reason": "the others were read wrongly", "confirmed": "y"}
    room.browser.submit(room.browser.get(path), path, **fewer)
    shown = room.browser.get(check)
    assert "Only 3 loci are typed in both profiles: CSF1PO, D13S317, D16S539." in message(shown)
    assert "ANSI/ATCC ASN-0002-2022" in message(shown)
    assert shown.select_one(".verdict") is None
    assert message(shown).count("not counted") >= 8


def _checks(room: Room) -> list[ModelCheck]:
    with room.database.reading() as session:
        return session.query(ModelCheck).all()


def test_pages_cost_the_same_however_many_implants(room: Room) -> None:
    room.implant(**COMMON, **rows("M1"))
    paths = [f"{HOME}/models/{room.model}", f"{HOME}/models/", f"{HOME}/implants/", f"{LIST}?aliquot_id=AL-1"]

    def cost() -> list[int]:
        counts = []
        for path in paths:
            with statements(room.database.engine) as seen:
                room.browser.get(path)
            counts.append(len(seen))
        return counts

    before = cost()
    room.implant(**COMMON | {"amount": "1"}, **rows("M2", "M3", "M4", "M5", "M6"))
    assert cost() == before


def test_another_projects_implants_are_not_found(room: Room) -> None:
    with factories.declared(room.database) as session:
        other = factories.project(session, "OTHER")
        hidden = factories.implant(session, factories.animal(session, other))
    for page in (f"{hidden.id}", f"{hidden.id}/harvest", f"{hidden.id}/engraftment", f"surgery/done?implant={hidden.id}"):
        room.browser.get(f"{HOME}/implants/{page}", status=404)
