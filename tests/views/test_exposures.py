"""Pages of kinds, procedures and exposure: lists, forms of several animals at once, and a study's tab."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import ExposureMatrix, ProcedureKind
from lims.domain.tissue_terms import AgentClass
from lims.models import Agent, Dose, Enrolment, Exposure, LabKind, Procedure, Project, Study
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import Browser, message, only
from tests.support.statements import statements
from tests.views.cohort import DAY_ZERO, Cohort, add_cohort, add_people

ON = DAY_ZERO + timedelta(days=20)


@pytest.fixture
@kept
def cohort(database: Database) -> Cohort:
    """Give a study with four animals that were dosed at 08:00 on day 20."""
    add_people(database)
    made = add_cohort(database)
    with make.declared(database) as session:
        home = session.query(Project).filter_by(code="BCBM").one().id
        values = {"project_id": home, "code": "TUC", "name": "Tucatinib", "agent_class": AgentClass.TYROSINE_KINASE_INHIBITOR}
        agent = Agent(**values, targets=["ERBB2"], fraction_unbound_plasma=0.05, fraction_unbound_brain=0.02)
        session.add(agent)
        session.flush()
        at = datetime.combine(ON, datetime.min.time(), UTC) + timedelta(hours=8)
        for animal in made.animals:
            session.add(Dose(project_id=home, animal_id=animal, agent_id=agent.id, given_on=ON, given_at=at))
    return made


@pytest.fixture
def sara(app_on_each: Application, cohort: Cohort) -> Browser:
    """Give the scientist's browser."""
    return Browser(app_on_each).sign_in("Sara")


def samples(cohort: Cohort, *rows: tuple[str, str]) -> dict[str, str]:
    """Give plasma and lesion core of the animals, as typed."""
    sent = {}
    for key, (plasma, core) in zip(cohort.animals, rows, strict=False):
        sent |= {f"{key}-plasma": plasma, f"{key}-lesion_core": core}
    return sent


def listing(cohort: Cohort) -> str:
    return f"/p/BCBM/exposures/new?study={cohort.study}&agent=TUC&on={ON}&matrix=plasma&matrix=lesion_core"


def test_a_list_of_concentrations_gives_kp_and_kp_uu_by_animal_and_arm(database: Database, sara: Browser, cohort: Cohort) -> None:
    here = listing(cohort)
    page = sara.get(here, heading="Record concentrations")
    assert "Lesion core ng/g" in message(page)
    rows = samples(cohort, ("400", "40"), ("400", "< 1"), ("<2", "20"))
    sara.submit(page, here, clock="10:30", **rows)
    with database.reading() as session:
        found = session.query(Exposure).order_by(Exposure.id).all()
        told = [(one.matrix, one.concentration, one.below_lloq, one.lloq, one.hours_after_dose) for one in found]
        assert told[:4] == [
            (ExposureMatrix.PLASMA, 400, False, None, 2.5),
            (ExposureMatrix.LESION_CORE, 40, False, None, 2.5),
            (ExposureMatrix.PLASMA, 400, False, None, 2.5),
            (ExposureMatrix.LESION_CORE, None, True, 1, 2.5),
        ]
    text = message(sara.get(f"/p/BCBM/exposures/study/{cohort.study}", heading="Exposure of BM-014"))
    assert "Vehicle TUC lesion core" in text
    for shown in ("0.10", "0.040", "< 0.0025", "> 10", "< 1 ng/g", "400 ng/mL"):
        assert shown in text, shown
    csv = sara.client.get(f"/p/BCBM/exposures/study/{cohort.study}?format=csv").text
    assert csv.lstrip("\ufeff").startswith("Animal,Arm,Of,Sample,Concentration,Plasma,Kp")
    assert "< 0.0025" in csv
    assert verify(database).problems == []


def test_what_cannot_be_read_says_so_beside_its_cell_and_nothing_is_lost(database: Database, sara: Browser, cohort: Cohort) -> None:
    here = listing(cohort)
    page = sara.submit(sara.get(here), here, 422, **samples(cohort, ("1,260", "LOD"), ("400", "40")))
    assert isinstance(page, BeautifulSoup)
    assert '"1,260" can be read as 1260 or as 1.260.' in message(page)
    assert '"LOD" is no number.' in message(page)
    assert str(only(page, f"input[name='{cohort.animals[1]}-plasma']")["value"]) == "400"
    page = sara.submit(sara.get(here), here, 422, lloq="500", **samples(cohort, ("400", "")))
    assert "400 lies below the limit of quantification, 500." in message(page)
    with database.reading() as session:
        assert session.query(Exposure).count() == 0


def test_a_sample_of_an_animal_that_was_given_nothing_waits_for_a_confirmation(
    database: Database, sara: Browser, cohort: Cohort
) -> None:
    here = listing(cohort)
    before = str(ON - timedelta(days=1))
    page = sara.submit(sara.get(here), here, 422, collected_on=before, **samples(cohort, ("400", "")))
    assert "No dose of TUC to BM-014-M01 is recorded" in message(page)
    assert isinstance(page, BeautifulSoup)
    sara.submit(page, here, confirmed="y", collected_on=before, **samples(cohort, ("400", "")))
    with database.reading() as session:
        assert session.query(Exposure).count() == 1


def test_who_is_left_out_of_analysis_does_not_count_in_its_arm(database: Database, sara: Browser, cohort: Cohort) -> None:
    here = listing(cohort)
    sara.submit(sara.get(here), here, **samples(cohort, ("400", "40"), ("400", ""), ("400", "400")))
    with make.declared(database) as session:
        out = session.query(Enrolment).filter_by(animal_id=cohort.animals[2]).one()
        out.excluded_on, out.exclusion_reason = ON, "no tumour"

    page = sara.get(f"/p/BCBM/exposures/study/{cohort.study}")

    (arms,) = (table for table in page.find_all("table") if "Exposure of each arm" in table.text)
    assert [cell.text for cell in arms.find_all("td")][-5:] == ["lesion core", "0.10", "1", "0.040", "1"]
    rows = sara.client.get(f"/p/BCBM/exposures/study/{cohort.study}?format=csv").text.splitlines()
    assert [row.rsplit(",", 1)[-1] for row in rows] == ["Left out of analysis", "", "yes"]


def test_a_sample_that_moves_before_the_dose_is_of_no_dose_and_its_time_is_of_its_day(
    database: Database, sara: Browser, cohort: Cohort
) -> None:
    here = listing(cohort)
    sara.submit(sara.get(here), here, clock="10:30", **samples(cohort, ("400", "")))
    change = "/p/BCBM/exposures/1/change"
    before = str(ON - timedelta(days=1))
    page = sara.submit(sara.get(change), change, 422, collected_on=before, reason="misread", confirmed="y")
    assert f"is of {before}, and its time of {ON}" in message(page)
    moved = {"collected_on": before, "collected_at": f"{before} 10:30", "hours_after_dose": ""}
    sara.submit(sara.get(change), change, **moved, reason="misread", confirmed="y")
    with database.reading() as session:
        one = session.get_one(Exposure, 1)
        assert (one.dose_id, one.hours_after_dose) == (None, None)


def test_exposure_of_a_blinded_study_is_not_there_for_who_may_not_unblind(
    database: Database, app_on_each: Application, sara: Browser, cohort: Cohort
) -> None:
    here = listing(cohort)
    sara.submit(sara.get(here), here, hours_after_dose="2", **samples(cohort, ("400", "40")))
    with make.declared(database) as session:
        session.get_one(Study, cohort.study).blinded = True
        key = session.query(Exposure).first().id  # type: ignore[union-attr]  # recorded just before
    tom = Browser(app_on_each).sign_in("Tom")
    for blinded in (tom, sara):
        assert "This study is blinded" in message(blinded.get(f"/p/BCBM/exposures/study/{cohort.study}"))
        assert "No concentration yet" in message(blinded.get("/p/BCBM/exposures/"))
        blinded.get(f"/p/BCBM/exposures/{key}", 404)
        blinded.get(f"/p/BCBM/exposures/{key}/history", 404)
        assert "TUC" not in blinded.client.get(f"/p/BCBM/exposures/study/{cohort.study}?format=csv").text
    # Neither that it was given nothing nor that its sample is recorded already is told: either would say what its arm is given.
    for day, row in ((ON - timedelta(days=1), ("400", "")), (ON, ("400", ""))):
        sara.submit(sara.get(here), here, collected_on=str(day), hours_after_dose="2", **samples(cohort, row))
    auditor = Browser(app_on_each).sign_in("Ines")
    assert "400 ng/mL" in message(auditor.get(f"/p/BCBM/exposures/{key}"))


def test_one_concentration_is_changed_with_a_reason_and_withdrawn(database: Database, sara: Browser, cohort: Cohort) -> None:
    here = listing(cohort)
    sara.submit(sara.get(here), here, hours_after_dose="2", **samples(cohort, ("400", "40")))
    with database.reading() as session:
        key = session.query(Exposure).order_by(Exposure.id.desc()).first().id  # type: ignore[union-attr]  # recorded just before
    page = f"/p/BCBM/exposures/{key}"
    assert "Kp 0.1" in message(sara.get(page))
    sara.submit(sara.get(f"{page}/change"), f"{page}/change", concentration="80", reason="dilution")
    assert "Kp 0.2" in message(sara.get(page))
    sara.submit(sara.get(f"{page}/withdraw"), f"{page}/withdraw", reason="mixed up")
    assert "withdrawn" in message(sara.get(page))


def test_a_procedure_of_several_animals_is_recorded_at_once_or_not_at_all(
    database: Database, app_on_each: Application, cohort: Cohort
) -> None:
    tom = Browser(app_on_each).sign_in("Tom")
    here = f"/p/BCBM/procedures/new?animal={cohort.codes[0]}&animal={cohort.codes[1]}&kind=bioluminescence"
    page = tom.get(here, heading="Record procedures")
    codes = "\n".join(cohort.codes[:2])
    wrong = tom.submit(page, here, 422, codes=f"{codes}\nM-NONE", done_on=str(ON))
    assert 'There is no animal "M-NONE"' in message(wrong)
    tom.submit(tom.get(here), here, codes=codes, done_on=str(ON), clock="14:05", device="IVIS")
    with database.reading() as session:
        made = session.query(Procedure).all()
        assert [(one.kind, one.device, one.operator) for one in made] == [(ProcedureKind.BIOLUMINESCENCE, "IVIS", "Tom")] * 2
    listed = message(tom.get("/p/BCBM/procedures/"))
    assert listed.count("Bioluminescence") >= 2
    one = f"/p/BCBM/procedures/{made[0].id}"
    assert "IVIS" in message(tom.get(one))
    tom.submit(tom.get(f"{one}/change"), f"{one}/change", device="IVIS Lumina", reason="the other one")
    with database.reading() as session:
        changed = session.get_one(Procedure, made[0].id)
        assert (changed.device, changed.done_at) == ("IVIS Lumina", made[0].done_at)


def test_a_large_draw_waits_for_a_confirmation(database: Database, app_on_each: Application, cohort: Cohort) -> None:
    tom = Browser(app_on_each).sign_in("Tom")
    here = "/p/BCBM/procedures/new"
    draw = {"codes": cohort.codes[0], "kind": "blood_draw", "done_on": str(ON), "volume_ul": "150"}
    page = tom.submit(tom.get(here), here, 422, **draw)
    assert "of the blood of BM-014-M01" in message(page)
    assert isinstance(page, BeautifulSoup)
    tom.submit(page, here, confirmed="y", **draw)


def test_a_lab_adds_a_kind_and_it_is_offered(database: Database, sara: Browser, cohort: Cohort) -> None:
    assert "Tracer leakage" in message(sara.get("/p/BCBM/kinds/"))
    here = "/p/BCBM/kinds/new"
    new = {"code": "rotarod", "title": "Rotarod latency", "unit": "s", "subject": "animal", "hard_min": "0", "hard_max": "300"}
    assert "Nothing lies between" in message(sara.submit(sara.get(here), here, 422, **new | {"hard_max": "0"}))
    sara.submit(sara.get(here), here, **new)
    assert "Rotarod latency" in message(sara.get(f"/p/BCBM/measurements/measure?study={cohort.study}"))
    with database.reading() as session:
        key = session.query(LabKind).one().id
    page = f"/p/BCBM/kinds/{key}"
    assert "Rotarod latency, in s, of the animal" in message(sara.get(page))
    sara.submit(sara.get(f"{page}/change"), f"{page}/change", hard_max="600", reason="longer trials")
    assert "600" in message(sara.get(page))


def test_the_lists_ask_as_often_for_many_as_for_few(database: Database, sara: Browser, cohort: Cohort) -> None:
    here, tab = listing(cohort), f"/p/BCBM/exposures/study/{cohort.study}"
    sara.submit(sara.get(here), here, hours_after_dose="2", **samples(cohort, ("400", "40")))
    with statements(database.engine) as few:
        sara.get(tab)
    sara.submit(sara.get(here), here, hours_after_dose="4", **samples(cohort, *[("400", "40")] * 4))
    with statements(database.engine) as many:
        sara.get(tab)
    assert len(few) == len(many)


def test_another_projects_samples_are_not_found(app_on_each: Application, cohort: Cohort) -> None:
    olga = Browser(app_on_each).sign_in("Olga")
    olga.get(f"/p/OTHER/exposures/study/{cohort.study}", 404)
    olga.get(f"/p/OTHER/exposures/new?study={cohort.study}", 404)
