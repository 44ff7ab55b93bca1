"""The harvest list: samples of animals and of their tumours, in one go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.errors import DomainError
from lims.domain.vocabulary import ImplantSite, SpecimenKind
from lims.models import Animal, Fate, Implant, Specimen
from lims.records.nouns import record
from lims.records.tissue import SPECIMEN
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, message
from tests.views.cohort import DAY_ZERO, Cohort, add_cohort, add_people

ON = DAY_ZERO + timedelta(days=30)


@pytest.fixture
@kept
def cohort(database: Database) -> Cohort:
    """Give a study of four animals with a tumour in the brain each."""
    add_people(database)
    made = add_cohort(database)
    with make.declared(database) as session:
        for implant in session.query(Implant):
            implant.site = ImplantSite.INTRACRANIAL
    return made


@pytest.fixture
def sara(app_on_each: Application, cohort: Cohort) -> Browser:
    """Give the scientist's browser."""
    return Browser(app_on_each).sign_in("Sara")


def test_a_study_is_harvested_in_one_list(database: Database, sara: Browser, cohort: Cohort) -> None:
    here = f"/p/BCBM/specimens/collect?study={cohort.study}&take=plasma&take=lesion&take=contralateral"
    page = sara.get(here, heading="Collect samples")
    sent = {"collected_on": str(ON), "killed": "y"}
    sara.submit(page, here, **sent)
    with database.reading() as session:
        made = session.query(Specimen).order_by(Specimen.id).all()
        of_animals = [one for one in made if one.source_animal_id is not None]
        assert len(made) == 12
        assert sorted({one.kind for one in of_animals}) == [SpecimenKind.BRAIN_REGION, SpecimenKind.PLASMA]
        assert {one.donor_id for one in of_animals} == {None}
        assert session.query(Fate).count() == 4
        assert {one.engraftment for one in session.query(Implant)} == {Engraftment.ENGRAFTED}
        assert {str(one.died_on) for one in session.query(Animal)} == {str(ON)}
        plasma = of_animals[0]
    told = message(sara.get(f"/p/BCBM/specimens/{plasma.id}"))
    assert f"Plasma of {cohort.codes[0]}" in told
    assert plasma.code in message(sara.get(f"/p/BCBM/animals/{cohort.animals[0]}"))
    assert plasma.code in message(sara.get(f"/p/BCBM/lineage/specimen/{plasma.id}"))
    assert f"{cohort.codes[0]}" in message(sara.get("/p/BCBM/specimens/?kind=plasma"))
    assert verify(database).problems == []


def test_a_necropsy_of_the_living_waits_for_a_confirmation_and_nothing_ticked_is_refused(
    database: Database, sara: Browser, cohort: Cohort
) -> None:
    code = cohort.codes[0]
    here = f"/p/BCBM/specimens/collect?animal={code}"
    page = sara.get(here)
    assert "Nothing is ticked." in message(sara.submit(page, here, 422, collected_on=str(ON)))
    tick = {f"{cohort.animals[0]}-csf": "y", "collected_on": str(ON)}
    asked = sara.submit(page, here, 422, **tick)
    assert f"{code} is not recorded as dead, and this is a necropsy." in message(asked)
    assert isinstance(asked, BeautifulSoup)
    assert asked.find("input", attrs={"name": f"{cohort.animals[0]}-csf", "checked": True})
    sara.submit(asked, here, confirmed="y")
    with database.reading() as session:
        assert [one.kind for one in session.query(Specimen)] == [SpecimenKind.CSF]


@each(
    ("wrong", "field"),
    [
        ({"kind": SpecimenKind.TUMOUR}, "kind"),
        ({"collected_on": DAY_ZERO - timedelta(days=90)}, "collected_on"),
        ({"two": True}, "patient_id"),
    ],
)
def test_a_sample_of_an_animal_that_cannot_be_is_refused(
    database: Database, cohort: Cohort, wrong: dict[str, object], field: str
) -> None:
    with make.declared(database) as session:
        animal = session.get_one(Animal, cohort.animals[0])
        animal.birth_date = DAY_ZERO - timedelta(days=60)
        implant = session.query(Implant).filter_by(animal_id=animal.id).one()
        project = animal.project_id
    row: dict[str, object] = {"source_animal_id": cohort.animals[0], "kind": SpecimenKind.PLASMA, "collected_on": ON} | wrong
    if row.pop("two", False):
        row["source_implant_id"] = implant.id
    with pytest.raises(DomainError) as refused, database.transaction() as session:
        record(session, make.actor(), SPECIMEN, project, [row])
    assert refused.value.field == field


def test_an_animal_with_samples_is_not_withdrawn_and_keeps_its_dates(
    database: Database, app_on_each: Application, sara: Browser, cohort: Cohort
) -> None:
    here = f"/p/BCBM/specimens/collect?animal={cohort.codes[0]}&take=plasma"
    sara.submit(sara.get(here), here, collected_on=str(ON), procedure="not_recorded")
    change = f"/p/BCBM/animals/{cohort.animals[0]}/change"
    late = str(ON + timedelta(days=1))
    page = sara.submit(sara.get(change), change, 422, arrived_on=late, reason="typo")
    assert "the first" in message(page)
