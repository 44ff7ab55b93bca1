"""Designing a study on its pages: arms, enrolling by hand, exclusion, and the steps from draft to closed."""

from __future__ import annotations

from typing import Any

import pytest

from lims.db import Database
from lims.domain.vocabulary import ArmRole, RecordStatus, StudyStatus
from lims.models import Arm, AuditEvent, Enrolment, Study
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.pages import Browser, message, only
from tests.views.cohort import Cohort, add_cohort, add_people

HERE = "/p/BCBM/"


@pytest.fixture
def cohort(sqlite_database: Database) -> Cohort:
    """Give a draft with four animals in two arms."""
    add_people(sqlite_database)
    return add_cohort(sqlite_database)


@pytest.fixture
def scientist(app: Application, cohort: Cohort) -> Browser:
    """Give the scientist's browser."""
    return Browser(app).sign_in("Sara")


def the(database: Database, model: Any, key: int) -> Any:
    with database.reading() as session:
        return session.get_one(model, key)


def last(database: Database) -> AuditEvent:
    with database.reading() as session:
        return session.query(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1).one()


def test_an_arm_is_added_changed_and_withdrawn(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    tab = f"{HERE}arms/of/{cohort.study}"
    page = scientist.get(tab, heading="Arms of BM-014")
    assert [row.get_text(" ", strip=True) for row in page.select("tbody tr")] == [
        "Vehicle V Vehicle – 2 2 Change",
        "Tucatinib T Not recorded – 2 2 Change",
    ]
    new = str(only(page, "a:-soup-contains-own('Add an arm')")["href"])
    form = scientist.get(new, heading="Record an arm")
    assert only(form, "input[name='study_id']")["value"] == "BM-014"
    values = {"code": "C", "title": "Tucatinib", "role": "treatment", "target_n": "8"}
    refused = scientist.submit(form, new, status=422, **values)
    assert 'has an arm called "Tucatinib" already' in message(refused)
    scientist.submit(form, new, **values | {"title": "Combination"})
    with sqlite_database.reading() as session:
        arm = session.query(Arm).filter_by(code="C").one()
        assert (arm.title, arm.role, arm.target_n, arm.position) == ("Combination", ArmRole.TREATMENT, 8, 2)
    change = f"{HERE}arms/{arm.id}/change"
    scientist.submit(scientist.get(change, heading="Change arm"), change, target_n="few", reason="power", status=422)
    scientist.submit(scientist.get(change), change, target_n="10", reason="power calculated again")
    assert the(sqlite_database, Arm, arm.id).target_n == 10
    assert "planned number 8 → 10" in message(scientist.get(f"{HERE}arms/{arm.id}/history"))
    scientist.get(f"{HERE}arms/{arm.id}/withdraw", status=403)


def test_animals_are_enrolled_by_scanning(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(make.Project).filter_by(code="BCBM").one()
        for code in ("N1", "N2", "N3"):
            make.animal(session, project, code, rfid=f"RF-{code}")
        session.get_one(Arm, cohort.arms[0]).target_n = 4
    path = f"{HERE}enrolments/of/{cohort.study}/new"
    page = scientist.get(path, heading="Enrol animals in")
    assert "Vehicle (2 of 4)" in message(page)
    arm = str(cohort.arms[0])
    for codes, told in (
        ("", "Scan at least one animal."),
        ("N1\nNOBODY", 'There is no animal "NOBODY"'),
        (cohort.codes[0], 'is in arm "Vehicle" of study BM-014 already'),
        ("N1\nN2\nN3", "Arm Vehicle of study BM-014 has room for 2 more: 2 of 4 animals are in it, and 3 would come."),
    ):
        refused = scientist.submit(page, path, status=422, codes=codes, arm_id=arm)
        assert told in message(refused)
        assert only(refused, "textarea[name='codes']").text.strip() == codes
    assert "Choose the arm" in message(scientist.submit(page, path, status=422, codes="N1"))
    scientist.submit(page, path, codes="n1\nRF-N2,\nn1", arm_id=arm, enrolled_on="2026-03-02")
    with sqlite_database.reading() as session:
        assert [one.animal.code for one in session.query(Enrolment).filter_by(arm_id=cohort.arms[0])][-2:] == ["N1", "N2"]
    full = scientist.submit(scientist.get(path), path, status=422, codes="N3", arm_id=arm)
    assert "Arm Vehicle of study BM-014 is full: 4 of 4" in message(full)
    late = scientist.submit(scientist.get(path), path, status=422, codes="N3", arm_id=str(cohort.arms[1]), enrolled_on="2999-01-01")
    assert "lies in the future" in message(late)


def test_an_animal_is_excluded_with_a_reason_and_marked(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        enrolment = session.query(Enrolment).filter_by(animal_id=cohort.animals[0]).one().id
    path = f"{HERE}enrolments/{enrolment}/exclude"
    page = scientist.get(path, heading="Exclude from analysis")
    assert "reported with the results" in message(
        scientist.submit(page, path, status=422, excluded_on="2026-03-09", exclusion_reason="")
    )
    scientist.submit(page, path, excluded_on="2026-03-09", exclusion_reason="tumour outside the brain (criterion 2)")
    shown = scientist.get(f"{HERE}enrolments/{enrolment}", heading=f"{cohort.codes[0]} in BM-014")
    assert "tumour outside the brain (criterion 2)" in message(shown)
    animals = scientist.get(f"{HERE}studies/{cohort.study}/animals?analysis=out")
    assert [link.get_text(strip=True) for link in animals.select("tbody a[data-row-link]")] == [cohort.codes[0]]
    assert "excluded from 2026-03-09" in message(animals)
    with scientist.client.get(f"{HERE}studies/{cohort.study}/readings?format=csv&kind=bli_total_flux") as response:
        lines = response.text.splitlines()
    assert sum("tumour outside the brain" in line for line in lines) == 3  # the data stay, and say so
    arms = scientist.get(f"{HERE}studies/{cohort.study}?kind=bli_total_flux").select("aside tbody tr")
    assert [row.get_text(" ", strip=True).split()[-1] for row in arms] == ["1", "0"]
    with scientist.client.get(f"{HERE}studies/{cohort.study}/plots/means?kind=bli_total_flux") as drawn:
        assert "1.11e7 of 2</span>" in drawn.text
        assert "2.10e7 of 2</span>" in drawn.text
    scientist.submit(
        scientist.get(f"{HERE}enrolments/{enrolment}/include"), f"{HERE}enrolments/{enrolment}/include", reason="misread"
    )
    assert the(sqlite_database, Enrolment, enrolment).excluded_on is None


def test_an_enrolment_typed_by_hand_is_withdrawn(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        enrolment = session.query(Enrolment).filter_by(animal_id=cohort.animals[0]).one().id
    path = f"{HERE}enrolments/{enrolment}/withdraw"
    scientist.submit(scientist.get(path), path, status=422)
    scientist.submit(scientist.get(path), path, reason="wrong mouse scanned")
    assert the(sqlite_database, Enrolment, enrolment).status is RecordStatus.WITHDRAWN
    animals = scientist.get(f"{HERE}studies/{cohort.study}/animals").select_one("table.data").get_text()
    assert cohort.codes[0] not in animals
    assert cohort.codes[1] in animals


def test_a_study_is_activated_closed_and_reopened(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    show, activate = f"{HERE}studies/{cohort.study}", f"{HERE}studies/{cohort.study}/activate"
    page = scientist.get(activate, heading="Activate study")
    assert "Before this can be done: Study BM-014 has no primary outcome" in message(page), "what is missing is said at once"
    assert "no primary outcome" in message(scientist.submit(page, activate, status=422, reason="designed"))
    change = f"{show}/change"
    scientist.submit(scientist.get(change), change, primary_outcome="growth of flux", reason="said in the protocol")
    first = scientist.get(activate)
    assert "Please confirm: this is unusual. The study" in message(first).replace("Experimental unit: ", "")
    asked = scientist.submit(first, activate, status=422, reason="designed")
    assert "The study does not say the experimental unit." in message(asked)
    assert "ARRIVE 2.0, item 1b" in message(asked)
    scientist.submit(asked, activate, reason="designed", confirmed="y")
    assert the(sqlite_database, Study, cohort.study).state is StudyStatus.ACTIVE
    assert (last(sqlite_database).action, last(sqlite_database).reason.startswith("designed (confirmed:")) == ("study:change", True)

    amended = scientist.submit(scientist.get(change), change, status=422, primary_outcome="survival", reason="editor asked")
    assert "is an amendment" in message(amended)
    close = f"{show}/close"
    first = scientist.get(close)
    assert "4 animals of the study live without a fate: BM-014-M01" in message(first)
    left = scientist.submit(first, close, status=422, reason="over")
    assert "4 animals of the study live without a fate: BM-014-M01" in message(left)
    scientist.submit(left, close, reason="over", confirmed="y")
    closed = scientist.get(show)
    assert "Enrol animals" not in message(scientist.get(f"{show}/animals"))
    assert [link.text.strip() for link in closed.select("a.btn-outline-primary")] == ["Reopen"]
    only = scientist.get(change)
    assert only.find("textarea", attrs={"name": "hypothesis"}) is None
    enrol = f"{HERE}enrolments/of/{cohort.study}/new"
    refused = scientist.submit(scientist.get(enrol), enrol, status=422, codes=cohort.codes[0], arm_id=str(cohort.arms[0]))
    assert "already" in message(refused)
    reopen = f"{show}/reopen"
    scientist.submit(scientist.get(reopen), reopen, status=422, reason="")
    scientist.submit(scientist.get(reopen), reopen, reason="one animal was followed on")
    assert the(sqlite_database, Study, cohort.study).state is StudyStatus.ACTIVE


def test_the_design_names_the_items_and_what_is_missing(scientist: Browser, cohort: Cohort) -> None:
    change = f"{HERE}studies/{cohort.study}/change"
    scientist.submit(scientist.get(change), change, experimental_unit="animal", event_reasons=["found_dead"], reason="said")
    page = scientist.get(f"{HERE}studies/{cohort.study}/design", heading="Design of BM-014")
    assert "Experimental unit (1b) animal" in message(page)
    assert "Found dead" in message(page)
    assert "how the number of animals was decided" in message(page)


@pytest.mark.parametrize("person", ["Tom", "Ines"])
def test_neither_technician_nor_auditor_designs(app: Application, cohort: Cohort, person: str) -> None:
    browser = Browser(app).sign_in(person)
    for path in ("activate", "close", "blind", "unblind"):
        browser.get(f"{HERE}studies/{cohort.study}/{path}", status=403)
    browser.get(f"{HERE}arms/new", status=403)
    browser.get(f"{HERE}enrolments/of/{cohort.study}/new", status=403)
    browser.get(f"{HERE}arms/of/{cohort.study}", heading="Arms of BM-014")
