"""Measuring by hand: one animal or a cohort, row by row; and what a reading's page lets one do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.vocabulary import ImplantSite, Quality, RecordStatus, RoleName, VolumeFormula
from lims.models import Animal, AuditEvent, Implant, LabKind, Measurement, Project
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, message, only
from tests.support.statements import statements
from tests.views.cohort import DAY_ZERO, Cohort, add_cohort, add_people, add_reading

MEASURE = "/p/BCBM/measurements/measure"
ON = (DAY_ZERO + timedelta(days=20)).isoformat()


@pytest.fixture
@kept
def cohort(database: Database) -> Cohort:
    """Give a study with four animals, each with a tumour in the mammary fat pad, last weighed on day 14."""
    add_people(database)
    made = add_cohort(database)
    with make.declared(database) as session:
        for implant in session.query(Implant):
            implant.site = ImplantSite.MAMMARY_FAT_PAD
    return made


@pytest.fixture
def tom(app_on_each: Application, cohort: Cohort) -> Browser:
    """Give the technician's browser."""
    return Browser(app_on_each).sign_in("Tom")


def implant_of(database: Database, animal_id: int) -> int:
    with database.reading() as session:
        return session.query(Implant).filter_by(animal_id=animal_id).one().id


def readings(database: Database, kind: str) -> list[Measurement]:
    with database.reading() as session:
        return session.query(Measurement).filter_by(kind=kind, batch_id=None).order_by(Measurement.id).all()


def weigh(cohort: Cohort, *weights: str) -> dict[str, str]:
    return {f"{key}-0-body_weight-value": text for key, text in zip(cohort.animals, weights, strict=False)}


def address(cohort: Cohort, *kinds: str) -> str:
    return f"{MEASURE}?study={cohort.study}&on={ON}" + "".join(f"&kind={kind}" for kind in kinds)


def test_a_cohort_is_weighed_and_measured_in_one_go(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight", "caliper_volume")
    page = tom.get(here, heading="Measure BM-014")
    assert "last 19.0 on 2026-03-16" in message(page)
    first = cohort.animals[0]
    implant = implant_of(database, first)
    diameters = {f"{first}-{implant}-caliper_volume-length_mm": "8.2", f"{first}-{implant}-caliper_volume-width_mm": "6"}
    tom.submit(page, here, **weigh(cohort, "19.4", "", "19.9"), **diameters)
    assert [(one.animal_id, one.value, str(one.taken_on), one.operator) for one in readings(database, "body_weight")] == [
        (cohort.animals[0], 19.4, ON, "Tom"),
        (cohort.animals[2], 19.9, ON, "Tom"),
    ]
    (volume,) = readings(database, "caliper_volume")
    assert (volume.value, volume.length_mm, volume.width_mm, volume.height_mm) == (147.6, 8.2, 6, None)
    assert (volume.formula, volume.implant_id) == (VolumeFormula.HALF_L_W2, implant)
    assert verify(database).problems == []


def test_every_refusal_stands_below_its_row_and_nothing_typed_is_lost(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight")
    page = tom.submit(tom.get(here), here, 422, **weigh(cohort, "2.14", "20.1", "1,260", "heavy"))
    assert isinstance(page, BeautifulSoup)
    said = [page.find(id=f"cell-{name}-said") for name in weigh(cohort, "", "", "", "")]
    told = ["" if one is None else " ".join(one.get_text(" ").split()) for one in said]
    assert told[0].startswith("Body weight 2.14 g of BM-014-M01 is below 5 g: a decimal point in the wrong place")
    assert told[1] == ""
    assert told[2].startswith('Body weight: "1,260" can be read as 1260 or as 1.260.')
    assert told[3].startswith('Body weight: "heavy" is no number.')
    typed = [str(only(page, f"input[name='{name}']")["value"]) for name in weigh(cohort, "", "", "", "")]
    assert typed == ["2.14", "20.1", "1,260", "heavy"]
    assert readings(database, "body_weight") == []


def test_a_decimal_comma_is_recorded_once_it_is_confirmed(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "bli_total_flux")
    flux = {f"{cohort.animals[0]}-0-bli_total_flux-value": "2,26e7"}
    page = tom.submit(tom.get(here), here, 422, **flux)
    assert "did you mean 2.26e7?" in message(page)
    assert readings(database, "bli_total_flux") == []
    assert isinstance(page, BeautifulSoup)
    tom.submit(page, here, confirmed="y", **flux)
    (read,) = readings(database, "bli_total_flux")
    assert read.value == 2.26e7
    with database.reading() as session:
        reason = session.scalars(select(AuditEvent.reason).order_by(AuditEvent.seq.desc()).limit(1)).one()
    assert reason is not None
    assert "did you mean 2.26e7?" in reason


def test_a_flux_with_a_comma_for_a_thousand_is_refused(tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "bli_total_flux")
    page = tom.submit(tom.get(here), here, 422, **{f"{cohort.animals[0]}-0-bli_total_flux-value": "22,600,000"})
    assert "Type it without the comma." in message(page)


def test_a_tumour_of_forty_times_two_waits_for_a_confirmation(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "caliper_volume")
    first = cohort.animals[0]
    name = f"{first}-{implant_of(database, first)}-caliper_volume"
    sent = {f"{name}-length_mm": "40", f"{name}-width_mm": "2"}
    page = tom.submit(tom.get(here), here, 422, **sent)
    assert "measures 40 × 2 mm" in message(page)
    assert "80.0 mm³" in message(page)
    assert readings(database, "caliper_volume") == []


def test_a_list_in_which_nothing_can_be_typed_says_so(database: Database, tom: Browser, cohort: Cohort) -> None:
    with make.declared(database) as session:
        for implant in session.query(Implant):
            implant.site = ImplantSite.INTRACRANIAL
    page = tom.get(address(cohort, "caliper_volume"))
    assert "no tumour of these animals can have such a reading (Tumour volume by caliper)" in message(page)
    assert only(page, ".form-foot button").has_attr("disabled")
    assert "can have such a reading" not in message(tom.get(address(cohort, "caliper_volume", "body_weight")))


@each(
    ("day", "said"),
    [
        ("2199-01-01", "Correct the date, or record it when it has happened."),
        ("2026-03-32", "is no date"),
        ("", "The day of measuring is needed."),
    ],
)
def test_a_day_that_cannot_be_is_refused_once(tom: Browser, cohort: Cohort, day: str, said: str) -> None:
    here = address(cohort, "body_weight")
    page = tom.submit(tom.get(here), here, 422, taken_on=day, **weigh(cohort, "19.4", "19.5"))
    assert said in message(page)


def test_nothing_typed_is_told_and_nothing_recorded(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight")
    assert "Nothing was typed" in message(tom.submit(tom.get(here), here, 422))
    assert readings(database, "body_weight") == []


def test_an_animal_that_died_meanwhile_keeps_its_row_and_says_so(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight")
    page = tom.get(here)
    with make.declared(database) as session:
        session.get_one(Animal, cohort.animals[0]).died_on = DAY_ZERO + timedelta(days=17)
    told = tom.submit(page, here, 422, **weigh(cohort, "19.4", "19.5"))
    assert "comes after the death of BM-014-M01 on 2026-03-19" in message(told)
    assert readings(database, "body_weight") == []
    rows = tom.get(here).select("tbody tr")
    assert len(rows) == 3


def test_a_second_reading_of_a_moment_is_refused_and_one_beside_an_excluded_is_the_next(
    database: Database, tom: Browser, cohort: Cohort
) -> None:
    here = address(cohort, "body_weight")
    tom.submit(tom.get(here), here, **weigh(cohort, "19.4"))
    page = tom.submit(tom.get(here), here, 422, **weigh(cohort, "19.6"))
    assert "Body weight 19.4 g of BM-014-M01 is recorded for this moment already." in message(page)
    (first,) = readings(database, "body_weight")
    exclude = f"/p/BCBM/measurements/{first.id}/quality?as=excluded"
    tom.submit(tom.get(exclude), exclude, reason="scale not zeroed")
    tom.submit(tom.get(here), here, **weigh(cohort, "19.6"))
    assert [(one.value, one.occurrence, one.quality) for one in readings(database, "body_weight")] == [
        (19.4, 1, Quality.EXCLUDED),
        (19.6, 2, Quality.OK),
    ]
    again = f"/p/BCBM/measurements/{first.id}/quality?as=ok"
    refused = tom.submit(tom.get(again), again, 422, reason="it was right")
    assert "Body weight 19.6 g of BM-014-M01 is recorded for this moment already." in message(refused)


def test_a_second_reading_of_the_day_has_its_time(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight")
    tom.submit(tom.get(here), here, **weigh(cohort, "19.4"))
    tom.submit(tom.get(here), here, clock="14:05", **weigh(cohort, "19.6"))
    assert [bool(one.taken_at) for one in readings(database, "body_weight")] == [False, True]


def test_a_tumour_in_the_brain_is_out_of_a_calipers_reach(database: Database, tom: Browser, cohort: Cohort) -> None:
    with make.declared(database) as session:
        session.query(Implant).filter_by(animal_id=cohort.animals[0]).one().site = ImplantSite.INTRACRANIAL
    page = tom.get(address(cohort, "caliper_volume", "mri_volume"))
    row = page.select("tbody tr")[0]
    assert "out of a caliper's reach" in message(page)
    assert [str(one["data-part"]) for one in row.select("input")] == ["value"]


def test_one_animal_and_one_tumour_are_measured_from_their_pages(database: Database, tom: Browser, cohort: Cohort) -> None:
    code, implant = cohort.codes[1], implant_of(database, cohort.animals[1])
    page = tom.get(f"/p/BCBM/animals/{cohort.animals[1]}")
    assert page.find("a", href=f"{MEASURE}?animal={code}")
    assert len(tom.get(f"{MEASURE}?animal={code}").select("tbody tr")) == 1
    here = f"{MEASURE}?implant={implant}"
    name = f"{cohort.animals[1]}-{implant}-caliper_volume"
    answer = tom.submit(tom.get(here), here, taken_on=ON, **{f"{name}-length_mm": "6", f"{name}-width_mm": "5"})
    assert not isinstance(answer, BeautifulSoup)
    assert answer.location == f"/p/BCBM/implants/{implant}"
    assert [one.value for one in readings(database, "caliper_volume")] == [75]


def test_without_a_study_or_animals_one_chooses_first(tom: Browser) -> None:
    assert "Choose a study or name animals" in message(tom.get(MEASURE, heading="Measure"))
    tom.get(f"{MEASURE}?animal=M-NONE", 404)
    tom.get(f"{MEASURE}?study=999", 404)


def test_another_projects_cohort_is_not_found(app_on_each: Application, cohort: Cohort) -> None:
    olga = Browser(app_on_each).sign_in("Olga")
    olga.get(f"/p/OTHER/measurements/measure?study={cohort.study}", 404)
    olga.get(f"/p/OTHER/measurements/measure?animal={cohort.codes[0]}", 404)
    olga.get(address(cohort, "body_weight"), 404)


def test_an_auditor_measures_nothing(app_on_each: Application, cohort: Cohort) -> None:
    Browser(app_on_each).sign_in("Ines").get(address(cohort, "body_weight"), 403)


def test_the_arm_of_a_blinded_study_is_its_code(app_on_each: Application, database: Database, cohort: Cohort) -> None:
    with make.declared(database) as session:
        session.get_one(make.Study, cohort.study).blinded = True
        codes = {one.blind_code for one in session.query(make.Arm)}
    told = message(Browser(app_on_each).sign_in("Tom").get(address(cohort, "body_weight")))
    assert "Tucatinib" not in told
    assert "Vehicle" not in told
    assert all(code in told for code in codes)


def test_the_page_asks_as_often_for_forty_animals_as_for_four(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort, "body_weight", "caliper_volume")
    with statements(database.engine) as few:
        tom.get(here)
    larger = add_cohort(database, "BM-015", animals=20)
    with statements(database.engine) as many:
        tom.get(address(larger, "body_weight", "caliper_volume"))
    assert len(few) == len(many)


def test_a_labs_own_kind_is_measured_listed_and_told_in_history(database: Database, tom: Browser, cohort: Cohort) -> None:
    with make.declared(database) as session:
        home = session.query(Project).filter_by(code="BCBM").one().id
        session.add(
            LabKind(
                project_id=home,
                code="rotarod",
                title="Rotarod latency",
                unit="s",
                subject="animal",
                hard_min=0,
                hard_max=300,
                decimals=0,
            )
        )
    here = address(cohort, "rotarod")
    name = f"{cohort.animals[0]}-0-rotarod-value"
    assert "300 s" in message(tom.submit(tom.get(here), here, 422, **{name: "301"}))
    tom.submit(tom.get(here), here, **{name: "120"})
    (read,) = readings(database, "rotarod")
    assert "Rotarod latency 120 s" in message(tom.get(f"/p/BCBM/measurements/{read.id}"))
    assert "rotarod latency 120 s" in message(tom.get(f"/p/BCBM/measurements/{read.id}/history"))
    listed = message(tom.get("/p/BCBM/measurements/?kind=rotarod"))
    assert "120 s" in listed
    assert ",s," in tom.client.get("/p/BCBM/measurements/?kind=rotarod&format=csv").text
    assert "Rotarod latency" in message(tom.get(f"/p/BCBM/studies/{cohort.study}?kind=rotarod"))
    assert "Rotarod latency" in message(tom.get(f"/p/BCBM/animals/{cohort.animals[0]}"))


# One reading


def test_a_reading_is_marked_excluded_and_included_again_with_reasons(database: Database, tom: Browser, cohort: Cohort) -> None:
    key = cohort.weights[0]
    for state, quality in (("suspect", Quality.SUSPECT), ("excluded", Quality.EXCLUDED), ("ok", Quality.OK)):
        here = f"/p/BCBM/measurements/{key}/quality?as={state}"
        asked = tom.submit(tom.get(here), here, 422, reason=" ")
        assert "A reason is needed" in message(asked)
        assert "Body weight" in (named := only(asked, "h1").text), "which reading it is stands in the heading"
        told = tom.get(tom.submit(tom.get(here), here, reason=f"because {state}").location)
        assert named.split(": ")[1].split(",")[0] in only(told, ".message.tone-good").text
        with database.reading() as session:
            read = session.get_one(Measurement, key)
            assert (read.quality, read.quality_reason) == (quality, None if state == "ok" else f"because {state}")
    assert verify(database).problems == []


def test_an_imported_reading_keeps_the_value_of_its_file(database: Database, tom: Browser, cohort: Cohort) -> None:
    key = cohort.weights[0]
    assert f"/p/BCBM/measurements/{key}/change" not in str(tom.get(f"/p/BCBM/measurements/{key}"))
    here = f"/p/BCBM/measurements/{key}/change"
    page = tom.get(here)
    for told in ("stay as it says", "exclude this reading", "type the right value beside it", "import the corrected file"):
        assert told in message(page)
    offered = {str(one["name"]) for one in page.select("form.record-form [name]")}
    assert offered.isdisjoint({"value", "length_mm", "taken_on", "formula"})
    with database.reading() as session:
        was = session.get_one(Measurement, key).value
    shown = tom.get(tom.submit(page, here, operator="Ada", value="22", reason="asked the imaging core").location)
    assert "Ada" in message(shown)
    with database.reading() as session:
        assert session.get_one(Measurement, key).value == was


def test_what_was_typed_by_hand_is_changed_with_a_reason(database: Database, tom: Browser, cohort: Cohort) -> None:
    key = add_reading(database, cohort, 19.4, kind="body_weight")
    here = f"/p/BCBM/measurements/{key}/change"
    asked = tom.submit(tom.get(here), here, 422, value="19.6")
    assert "A reason is needed" in message(asked)
    assert only(asked, "#value-help").text == "In g."
    assert f"Change measurement of {cohort.codes[0]}, #{key}" in " ".join(only(asked, "h1").text.split())
    assert "did you mean 19.6?" in message(tom.submit(tom.get(here), here, 422, value="19,6", reason="misread"))
    assert "below 5 g" in message(tom.submit(tom.get(here), here, 422, value="1.96", reason="misread"))
    tom.submit(tom.get(here), here, value="19.6", reason="misread")
    assert [one.value for one in readings(database, "body_weight")] == [19.6]
    assert "body weight 19.4 → 19.6 g" in message(tom.get(f"/p/BCBM/measurements/{key}"))
    history = message(tom.get(f"/p/BCBM/measurements/{key}/history"))
    assert "kind body weight" in history
    assert "body_weight" not in history
    assert verify(database).problems == []


def test_diameters_are_changed_and_the_volume_follows(database: Database, tom: Browser, cohort: Cohort) -> None:
    page_of = address(cohort, "caliper_volume")
    first = cohort.animals[0]
    name = f"{first}-{implant_of(database, first)}-caliper_volume"
    tom.submit(tom.get(page_of), page_of, **{f"{name}-length_mm": "8", f"{name}-width_mm": "6"})
    (read,) = readings(database, "caliper_volume")
    here = f"/p/BCBM/measurements/{read.id}/change"
    tom.submit(tom.get(here), here, width_mm="5", reason="caliper slipped")
    assert [one.value for one in readings(database, "caliper_volume")] == [100]


def test_a_reading_moves_to_another_day_unless_that_has_one(database: Database, tom: Browser, cohort: Cohort) -> None:
    key = add_reading(database, cohort, 19.4, kind="body_weight")
    here = f"/p/BCBM/measurements/{key}/change"
    taken = str(DAY_ZERO + timedelta(days=14))
    page = tom.submit(tom.get(here), here, 422, taken_on=taken, reason="wrong day")
    assert "is recorded for this moment already" in message(page)
    tom.submit(tom.get(here), here, taken_on=str(DAY_ZERO + timedelta(days=15)), reason="wrong day")
    (read,) = readings(database, "body_weight")
    assert (str(read.taken_on), read.slot) == ("2026-03-17", "2026-03-17")


def test_the_second_of_two_editors_sees_both_values(
    database: Database, app_on_each: Application, tom: Browser, cohort: Cohort
) -> None:
    key = add_reading(database, cohort, 19.4, kind="body_weight")
    here = f"/p/BCBM/measurements/{key}/change"
    sara = Browser(app_on_each).sign_in("Sara")
    before = sara.get(here)
    tom.submit(tom.get(here), here, value="19.6", reason="misread")
    page = sara.submit(before, here, 409, value="19.8", reason="misread too")
    assert isinstance(page, BeautifulSoup)
    assert "Recorded now: 19.6" in message(page)
    assert str(only(page, "input#value")["value"]) == "19.8"


def test_one_reading_typed_by_hand_is_withdrawn_and_brought_back_and_no_imported_one(
    database: Database, app_on_each: Application, cohort: Cohort
) -> None:
    sara = Browser(app_on_each).sign_in("Sara")
    key = add_reading(database, cohort, 19.4, kind="body_weight")
    here = f"/p/BCBM/measurements/{key}/withdraw"
    sara.submit(sara.get(here), here, reason="of another animal")
    assert [one.status for one in readings(database, "body_weight")] == [RecordStatus.WITHDRAWN]
    sara.submit(sara.get(here), here, reason="no, of this one")
    assert [one.status for one in readings(database, "body_weight")] == [RecordStatus.ACTIVE]
    imported = f"/p/BCBM/measurements/{cohort.weights[0]}/withdraw"
    page = sara.submit(sara.get(imported), imported, 409, reason="wrong")
    assert f"came with import {cohort.batch}" in message(page)
    assert verify(database).problems == []


def test_a_technician_withdraws_nothing(database: Database, tom: Browser, cohort: Cohort) -> None:
    key = add_reading(database, cohort, 19.4, kind="body_weight")
    tom.get(f"/p/BCBM/measurements/{key}/withdraw", 403)


def test_somebody_with_two_roles_is_told_apart_by_name(database: Database, app_on_each: Application, cohort: Cohort) -> None:
    add_person(database, "Kim", BCBM=RoleName.TECHNICIAN)
    kim = Browser(app_on_each).sign_in("Kim")
    here = address(cohort, "caliper_volume")
    first = cohort.animals[0]
    with make.declared(database) as session:
        animal = session.get_one(Animal, first)
        own = {"implant_id": implant_of(database, first), "taken_on": DAY_ZERO + timedelta(days=10), "operator": "Tom"}
        make.measurement(session, animal, "caliper_volume", 100, **own)
    name = f"{first}-{implant_of(database, first)}-caliper_volume"
    page = kim.submit(kim.get(here), here, 422, **{f"{name}-length_mm": "7", f"{name}-width_mm": "6"})
    assert "was measured by Tom last time, and now by Kim." in message(page)


def test_a_cohort_is_asked_for_what_its_animals_can_have(database: Database, tom: Browser, cohort: Cohort) -> None:
    here = address(cohort)
    heads = [one.get_text() for one in tom.get(here).select("table.entry th[scope=col]")]
    assert heads[3:] == ["Tumour volume by caliper mm", "Body weight g"]
    with make.declared(database) as session:
        for implant in session.query(Implant):
            implant.site = ImplantSite.INTRACRANIAL
    page = tom.get(address(cohort, "neurological_score"))
    tom.submit(page, address(cohort, "neurological_score"), **{f"{cohort.animals[0]}-0-neurological_score-value": "1"})
    page = tom.get(here)
    assert [one.get_text() for one in page.select("table.entry th[scope=col]")][3:] == ["Body weight g", "Neurological score score"]
    assert "out of a caliper's reach" not in message(page)
