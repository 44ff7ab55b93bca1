"""Randomising a study in the browser: from baselines to arms, with the balance and what makes it again."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.vocabulary import KIND_BY_CODE, ImplantSite, StudyStatus
from lims.models import Animal, Arm, Enrolment, Project, Randomisation, Specimen, Study
from lims.views.transaction import Application
from tests.support import factories
from tests.support.databases import kept
from tests.support.pages import Browser, message, sent
from tests.views.cohort import add_people

DAY_14 = date(2026, 3, 16)
FLUX = KIND_BY_CODE["bli_total_flux"]


@pytest.fixture
@kept
def study(sqlite_database: Database) -> Study:
    """Two arms for eight; nine animals with a tumour, the last one without flux."""
    add_people(sqlite_database)
    with factories.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        experiment = factories.study(session, project, "EFF-1", blinded=False)
        for position, code in enumerate(("vehicle", "tucatinib")):
            factories.arm(session, experiment, code, position, target_n=4)
        for number in range(9):
            mouse = factories.animal(session, project, f"M{number:02}")
            factories.implant(session, mouse)
            if number < 8:
                factories.measurement(session, mouse, FLUX.code, 10 ** (5 + number / 4), taken_on=DAY_14, slot=f"{DAY_14}")
        return experiment


def here(study: Study, page: str) -> str:
    return f"/p/BCBM/studies/{study.id}/{page}"


def test_a_study_is_randomised_on_a_baseline(app: Application, study: Study, sqlite_database: Database) -> None:
    sara = Browser(app).sign_in("Sara")
    assert "was not randomised here" in message(sara.get(here(study, "randomisation"), heading="Randomisation of EFF-1"))
    address = here(study, f"randomise?kind={FLUX.code}&on={DAY_14}")
    page = sara.get(address, heading="Randomise EFF-1")
    assert "1.00e5" in message(page)
    form = sent(page, address)
    assert [form.get(f"rows-{row}-taken") for row in range(9)] == ["y"] * 8 + [None]
    page = sara.submit(page, address, 422)
    assert "M08 is left out, and nobody says why" in message(page)
    sara.submit(page, address, **{"seed": "7", "rows-8-why": "no flux on day 14"})
    page = sara.get(here(study, "randomisation"))
    told = message(page)
    assert "Made again just now from seed and baselines: the same allocation." in told
    assert "no flux on day 14" in told
    with sqlite_database.reading() as session:
        assert session.query(Enrolment).count() == 8
        assert session.query(Randomisation).one().seed == "7"


def test_running_it_again_asks_for_a_reason(app: Application, study: Study, sqlite_database: Database) -> None:
    sara = Browser(app).sign_in("Sara")
    address = here(study, "randomise?kind=")
    page = sara.get(address)
    sara.submit(page, address, 422)
    sara.submit(page, address, **{"rows-8-taken": "", "rows-8-why": "spare"})
    page = sara.get(address)
    assert "needs a reason" in message(sara.submit(page, address, 422, **{"rows-8-taken": "", "rows-8-why": "spare"}))
    sara.submit(page, address, **{"rows-8-taken": "", "rows-8-why": "spare", "reason": "cages were mixed up"})
    assert "cages were mixed up" in message(sara.get(here(study, "randomisation")))


def test_a_study_whose_animals_are_treated_is_not_offered_another_run(
    app: Application, study: Study, sqlite_database: Database
) -> None:
    sara = Browser(app).sign_in("Sara")
    address = here(study, "randomise?kind=")
    sara.submit(sara.get(address), address, **{"rows-8-taken": "", "rows-8-why": "spare"})
    assert sara.get(here(study, "randomisation")).select("a[href*=randomise]")
    with factories.declared(sqlite_database) as session:
        mouse = session.scalars(select(Animal)).first()
        project = session.get(Project, study.project_id)
        assert mouse is not None
        assert project is not None
        factories.dose(session, mouse, factories.agent(session, project), study_id=study.id)
    page = sara.get(here(study, "randomisation"))
    assert "Doses of the study are recorded: it is not run again." in message(page)
    assert page.select("a[href*=randomise]") == []


def test_animals_of_one_model_or_site_are_offered_alone(app: Application, study: Study, sqlite_database: Database) -> None:
    with factories.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        mouse = factories.animal(session, project, "OTHER-1")
        model = factories.model(session, project, "PDX-9", founding_specimen_id=_specimen(session, project).id)
        factories.implant(session, mouse, model_id=model.id, site=ImplantSite.MAMMARY_FAT_PAD)
    sara = Browser(app).sign_in("Sara")
    of_model = message(sara.get(here(study, "randomise?model=PDX-9")))
    assert "OTHER-1" in of_model
    assert "M01" not in of_model
    of_site = message(sara.get(here(study, "randomise?site=not_recorded")))
    assert "OTHER-1" not in of_site
    assert "M01" in of_site
    assert "No living animal" in message(sara.get(here(study, "randomise?model=nothing")))


def test_animals_at_work_in_another_study_are_offered_where_somebody_asks(
    app: Application, study: Study, sqlite_database: Database
) -> None:
    with factories.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        running = factories.study(session, project, "RUNNING", state=StudyStatus.ACTIVE)
        over = factories.study(session, project, "OVER", state=StudyStatus.CLOSED)
        for code, at_work in (("M00", running), ("M01", over)):
            mouse = session.scalars(select(Animal).where(Animal.code == code)).one()
            factories.enrolment(session, factories.arm(session, at_work, f"{code}-arm"), mouse)
    sara = Browser(app).sign_in("Sara")
    offered = message(sara.get(here(study, "randomise")))
    assert "M00" not in offered
    assert "M01" in offered
    assert "in RUNNING" in message(sara.get(here(study, "randomise?others=yes")))
    # Nobody has to say why an animal that was not offered is left out.
    address = here(study, f"randomise?kind={FLUX.code}&on={DAY_14}")
    sara.submit(sara.get(address), address, **{"rows-7-why": "no flux on day 14"})
    with sqlite_database.reading() as session:
        assert session.query(Enrolment).where(Enrolment.study_id == study.id).count() == 7


def _specimen(session: Session, project: Project) -> Specimen:
    return factories.specimen(session, factories.patient(session, project, "P01"), "S01")


def test_a_technician_looks_and_does_not_randomise(app: Application, study: Study) -> None:
    tom = Browser(app).sign_in("Tom")
    tom.get(here(study, "randomisation"))
    tom.get(here(study, "randomise"), 403)


def test_another_project_is_not_found(app: Application, study: Study) -> None:
    olga = Browser(app).sign_in("Olga")
    for page in ("randomisation", "randomise"):
        assert olga.client.get(here(study, page).replace("BCBM", "OTHER")).status_code == 404


def test_a_blinded_person_sees_codes_and_no_seed(app: Application, study: Study, sqlite_database: Database) -> None:
    sara = Browser(app).sign_in("Sara")
    address = here(study, "randomise?kind=")
    sara.submit(sara.get(address), address, **{"seed": "secret-seed", "rows-8-taken": "", "rows-8-why": "spare"})
    with factories.declared(sqlite_database) as session:
        session.get_one(Study, study.id).blinded = True
        codes = list(session.scalars(select(Arm.blind_code)))
    text = Browser(app).sign_in("Tom").get(here(study, "randomisation")).text
    assert "secret-seed" not in text
    assert "tucatinib" not in text.lower()
    assert all(code in text for code in codes)
    assert Animal
