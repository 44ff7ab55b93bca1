"""The pages of patients: list, record, treatment drawn, and everything derived."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.pseudonyms import PSEUDONYM_SOURCE
from lims.domain.tissue_terms import AgentClass, CnsStatus, Her2Label, Her2Result, StopReason
from lims.domain.vocabulary import AnimalStatus, TumourOrigin
from lims.models import AuditEvent, Patient, Project, TherapyAgent, TherapyLine
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, message, sent
from tests.support.statements import statements
from tests.views.cohort import add_people
from tests.views.test_studies import cells

HERE = "/p/BCBM/patients/"
NEW_LINE = "/p/BCBM/therapy/new?patient_id=P03"


@pytest.fixture
@kept
def patient(sqlite_database: Database) -> int:
    """Give a patient with a consent, a primary, a metastasis, a model and a living mouse."""
    add_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        found = make.patient(session, project, "P03", birth_year=1968, diagnosis="HER2-positive breast carcinoma")
        make.consent(session, found)
        make.specimen(session, found, "P03-PT", origin=TumourOrigin.PRIMARY, site="breast", collected_on=date(2019, 5, 2))
        tumour = make.specimen(
            session,
            found,
            "P03-BM",
            origin=TumourOrigin.METASTATIC,
            site="frontal lobe",
            collected_on=date(2025, 2, 3),
            cns_status=CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY,
            her2_result=Her2Result.NEGATIVE,
            her2_label=Her2Label.HER2_LOW,
        )
        vial = make.aliquot(session, tumour, "AL1")
        model = make.model(session, project, "BM-03", founding_specimen_id=tumour.id)
        mouse = make.animal(session, project, "M1", state=AnimalStatus.ALIVE)
        implanted = {"donor_id": found.id, "aliquot_id": vial.id, "model_id": model.id, "implanted_on": date(2025, 3, 3)}
        make.implant(session, mouse, "brain", **implanted)
        return found.id


@pytest.fixture
def scientist(app: Application, patient: int) -> Browser:
    return Browser(app).sign_in("Sara")


def _page(answer: object) -> BeautifulSoup:
    assert isinstance(answer, BeautifulSoup)
    return answer


def test_the_page_shows_consents_specimens_and_models(scientist: Browser, patient: int) -> None:
    page = scientist.get(f"{HERE}{patient}", heading="P03")
    assert cells(page, "Consents")[0][:4] == ["BM-Bank 3", "2025-01-08", "research, xenografts", "in force"]
    assert cells(page, "Specimens") == [
        ["P03-PT", "primary tumour", "breast", "2019-05-02", "", "not assessed"],
        ["P03-BM", "metastatic tumour", "frontal lobe", "2025-02-03", "progressing after local therapy", "negative · HER2-low"],
    ]
    assert cells(page, "Models founded")[0][:4] == ["BM-03", "xenograft", "attempted", "P03-BM"]
    assert "No line of therapy is recorded" in message(page)
    living = page.find("a", href=f"{HERE}{patient}/derived?kind=animal&state=living")
    assert living is not None
    assert living.text.strip().startswith("1")


def test_the_next_step_is_a_consent_then_a_specimen(scientist: Browser, patient: int, sqlite_database: Database) -> None:
    primary = _page(scientist.get(f"{HERE}{patient}")).find(class_="page-actions")
    assert primary is not None
    assert primary.find("a", class_="btn-primary", href="/p/BCBM/specimens/new?patient_id=P03")
    with make.declared(sqlite_database) as session:
        bare = make.patient(session, session.scalars(select(Project).where(Project.code == "BCBM")).one(), "P09")
    page = scientist.get(f"{HERE}{bare.id}")
    actions = page.find(class_="page-actions")
    assert actions is not None
    assert actions.find("a", class_="btn-primary", href="/p/BCBM/consents/new?patient_id=P09")
    for words in ("No consent is recorded", "No specimen of this patient", "No model was founded", "No consent of P09 is recorded"):
        assert words in message(page)


def test_who_only_reads_is_offered_nothing_to_write(app: Application, patient: int) -> None:
    auditor = Browser(app).sign_in("Ines")
    page = auditor.get(f"{HERE}{patient}")
    assert not page.find_all("a", href=lambda address: address and ("/new" in address or address.endswith("/change")))
    for path in (NEW_LINE, "/p/BCBM/consents/new", f"{HERE}{patient}/withdraw-consent"):
        auditor.get(path, status=403)
    auditor.get(f"{HERE}{patient}/derived", heading="Derived from P03")


def test_another_projects_patient_is_not_found(app: Application, patient: int) -> None:
    stranger = Browser(app).sign_in("Olga")
    for path in ("", "/derived", "/withdraw-consent", "/history"):
        stranger.get(f"/p/OTHER/patients/{patient}{path}", status=404)
    page = _page(stranger.submit(stranger.get("/p/OTHER/consents/new"), "/p/OTHER/consents/new", 422, patient_id="P03"))
    assert 'There is no patient "P03"' in message(page)


@pytest.mark.parametrize(
    ("asked", "codes"), [("given", ["P03"]), ("withdrawn", ["P05"]), ("none", ["P04"]), ("not_for_xenograft", ["P06"])]
)
def test_the_list_is_filtered_by_consent(
    scientist: Browser, patient: int, sqlite_database: Database, asked: str, codes: list[str]
) -> None:
    with make.declared(sqlite_database) as session:
        project = session.get_one(Project, session.get_one(Patient, patient).project_id)
        make.patient(session, project, "P04")
        make.consent(session, make.patient(session, project, "P05"), withdrawn_on=date(2026, 3, 2))
        make.consent(session, make.patient(session, project, "P06"), xenograft=False)
    assert [row[0] for row in cells(scientist.get(f"{HERE}?consent={asked}"), "Patients")] == codes
    scientist.get(f"{HERE}?consent=perhaps", status=422)


@each(
    ("fields", "told"),
    [
        ({"code": "Anna Jansen"}, "reads like a person's name"),
        ({"code": "P 1968-04-12"}, "full date"),
        ({"code": "4711042"}, "hospital number"),
        ({"diagnosis": "carcinoma, born 12.04.1968"}, "which may be a date of birth"),
        ({"birth_year": "1968", "age_at_diagnosis": "90"}, "nobody is 90 years old"),
    ],
)
def test_what_identifies_is_refused_beside_its_field(scientist: Browser, fields: dict[str, Any], told: str) -> None:
    page = _page(scientist.submit(scientist.get(f"{HERE}new"), f"{HERE}new", 422, **fields))
    assert told in " ".join(error.text for error in page.find_all(class_="field-error"))
    for name, value in fields.items():
        assert sent(page, f"{HERE}new")[name] == value


def test_a_code_that_could_be_a_name_is_asked_about_once(app_on_each: Application, database: Database) -> None:
    add_people(database)
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        make.study(session, project, "DEBBRAH")
    scientist, new = Browser(app_on_each).sign_in("Sara"), f"{HERE}new"
    for code in ("", "P07", "BCBM-003", "HER2-12", "DEBBRAH-07"):
        scientist.submit(scientist.get(new), new, code=code)
    asked = _page(scientist.submit(scientist.get(new), new, 422, code="MUSTERMANN1"))
    assert '"MUSTERMANN" in the patient code "MUSTERMANN1" could be a person\'s name.' in message(asked)
    assert PSEUDONYM_SOURCE in message(asked)
    assert sent(asked, new)["code"] == "MUSTERMANN1"
    scientist.submit(asked, new, confirmed="y")
    scientist.submit(scientist.get(new), new, code="MUSTERMANN2")  # a word that somebody has looked at
    with database.reading() as session:
        confirmed = session.scalars(select(AuditEvent.reason).where(AuditEvent.reason.contains("MUSTERMANN"))).all()
    assert len(confirmed) == 1


def test_a_line_of_therapy_is_recorded_with_its_agents_drawn_and_changed(
    scientist: Browser, patient: int, sqlite_database: Database
) -> None:
    page = scientist.get(NEW_LINE, heading="Record a therapy line")
    cancel = page.find("a", string="Cancel")
    assert cancel is not None
    assert cancel["href"] == f"{HERE}{patient}"
    agents: dict[str, Any] = {
        "agents-0-name": "trastuzumab",
        "agents-0-agent_class": "monoclonal_antibody",
        "agents-1-name": "docetaxel",
        "agents-1-agent_class": "chemotherapy",
    }
    when: dict[str, Any] = {
        "line_number": "1",
        "started_on": "2021-03-01",
        "stopped_on": "2023-01-15",
        "stop_reason": "progression_cns",
    }
    answer = scientist.submit(page, NEW_LINE, **when, **agents)
    assert not isinstance(answer, BeautifulSoup)
    assert answer.location == f"{HERE}{patient}#therapy"
    shown = scientist.get(f"{HERE}{patient}")
    drawing = shown.find("svg", class_="therapy")
    assert drawing is not None
    assert [text.text for text in drawing.find_all("text")] == [
        "2020", "2021", "2022", "2023", "2024", "2025", "P03-PT", "P03-BM", "1 · trastuzumab + docetaxel",
    ]  # fmt: skip
    row = cells(shown, "Lines of therapy")[0]
    assert row[:6] == [
        "1",
        "trastuzumab Monoclonal antibody docetaxel Chemotherapy",
        "2021-03-01",
        "2023-01-15",
        "",
        "Progression in the CNS",
    ]
    with sqlite_database.reading() as session:
        line = session.scalars(select(TherapyLine)).one()
    change = f"/p/BCBM/therapy/{line.id}/change"
    dropped: dict[str, Any] = {"agents-1-name": "", "agents-1-agent_class": ""}
    added: dict[str, Any] = {"agents-2-name": "capecitabine", "agents-2-agent_class": "chemotherapy"}
    page = scientist.get(change)
    assert sent(page, change)["agents-1-name"] == "docetaxel"
    scientist.submit(page, change, reason="read the letter again", **dropped)
    assert cells(scientist.get(f"{HERE}{patient}"), "Lines of therapy")[0][1] == "trastuzumab Monoclonal antibody"
    # Whoever saw the line before is told, although only its agents changed.
    late = scientist.submit(page, change, 409, reason="late", **added)
    assert "changed the agents of this line" in message(late)
    assert "docetaxel" not in sent(scientist.get(change), change).values()


def test_a_change_of_therapy_without_the_version_of_its_agents_is_answered(
    scientist: Browser, patient: int, sqlite_database: Database
) -> None:
    agent = {"agents-0-name": "trastuzumab", "agents-0-agent_class": "monoclonal_antibody"}
    scientist.submit(scientist.get(NEW_LINE), NEW_LINE, line_number="1", **agent)
    with sqlite_database.reading() as session:
        line = session.scalars(select(TherapyLine)).one()
    change = f"/p/BCBM/therapy/{line.id}/change"
    page = scientist.get(change)
    for field in page.find_all("input", attrs={"name": "agents_version"}):
        field.decompose()
    scientist.submit(page, change, reason="looked again", started_on="2021-03-01")


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        ({}, "needs at least one agent"),
        ({"agents-0-name": "trastuzumab"}, "Choose the class of trastuzumab."),
        ({"agents-2-agent_class": "chemotherapy"}, "Name agent 3, or choose no class for it."),
    ],
)
def test_agents_that_are_not_whole_are_refused(scientist: Browser, agents: dict[str, Any], told: str) -> None:
    page = _page(scientist.submit(scientist.get(NEW_LINE), NEW_LINE, 422, line_number="1", **agents))
    assert told in message(page)
    assert sent(page, NEW_LINE)["line_number"] == "1"


def test_a_line_with_a_taken_number_or_before_the_birth_is_refused(
    scientist: Browser, patient: int, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        make.therapy_line(session, session.get_one(Patient, patient))
    agent: dict[str, Any] = {"agents-0-name": "tucatinib", "agents-0-agent_class": "tyrosine_kinase_inhibitor"}
    form = scientist.get(NEW_LINE)
    assert "P03 has a line 1 already" in message(scientist.submit(form, NEW_LINE, 422, line_number="1", **agent))
    early = scientist.submit(form, NEW_LINE, 422, line_number="2", started_on="1960-01-01", **agent)
    assert "patient P03 was born in 1968" in message(early)
    scientist.get(f"{NEW_LINE}&agents=1&reason=2", heading="Record a therapy line")


def test_lines_without_a_first_day_are_named_beneath_the_drawing(
    scientist: Browser, patient: int, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        who = session.get_one(Patient, patient)
        make.therapy_line(session, who, line_number=1)
        line = make.therapy_line(session, who, line_number=2, started_on=date(2024, 5, 1), stop_reason=StopReason.ONGOING)
        for agent in ("capecitabine", "pertuzumab"):
            kind = AgentClass.CHEMOTHERAPY
            session.add(TherapyAgent(project_id=who.project_id, therapy_line_id=line.id, name=agent, agent_class=kind))
    page = scientist.get(f"{HERE}{patient}")
    assert "Not drawn, because no first day is recorded: line 1." in message(page)
    assert len(page.find_all("rect", class_="goes-on")) == 1


def test_everything_derived_is_listed_filtered_and_sent_as_a_file(
    scientist: Browser, patient: int, sqlite_database: Database
) -> None:
    here = f"{HERE}{patient}/derived"
    rows = cells(scientist.get(here, heading="Derived from P03"), "Derived from P03")
    assert [row[:2] for row in rows] == [
        ["P03-PT", "specimen"],
        ["P03-BM", "specimen"],
        ["BM-03", "PDX model"],
        ["M1 brain", "implant"],
        ["M1", "animal"],
        ["AL1", "aliquot"],
    ]
    living = cells(scientist.get(f"{here}?state=living"), "Derived from P03")
    assert [row[0] for row in living] == ["M1"]
    assert [row[0] for row in cells(scientist.get(f"{here}?since=2025-03-03"), "Derived from P03")] == ["M1 brain", "M1"]
    response = scientist.client.get(f"{here}?format=csv&kind=animal")
    table = list(csv.DictReader(io.StringIO(response.text.lstrip("\ufeff"))))
    assert [(row["Code"], row["State"], row["Since"]) for row in table] == [("M1", "alive", "2025-03-03")]
    assert scientist.client.get(f"{here}?format=json").status_code == 200
    with sqlite_database.reading() as session:
        assert session.scalars(select(AuditEvent.action).where(AuditEvent.action == "patient:export")).all()


def test_a_page_costs_the_same_however_much_there_is(scientist: Browser, patient: int, sqlite_database: Database) -> None:
    paths = [f"{HERE}{patient}", f"{HERE}{patient}/derived", f"{HERE}{patient}/withdraw-consent", HERE]

    def costs() -> list[int]:
        found = []
        for path in paths:
            with statements(sqlite_database.engine) as seen:
                scientist.get(path)
            found.append(len(seen))
        return found

    scientist.get(f"{HERE}?visit=first")  # what is asked once a process; at an address of its own, so that the list is not kept
    before = costs()
    with make.declared(sqlite_database) as session:
        who = session.get_one(Patient, patient)
        project = session.get_one(Project, who.project_id)
        for number in range(12):
            specimen = make.specimen(session, who)
            vial = make.aliquot(session, specimen)
            model = make.model(session, project, founding_specimen_id=specimen.id)
            mouse = make.animal(session, project)
            make.implant(session, mouse, donor_id=who.id, aliquot_id=vial.id, model_id=model.id)
            make.therapy_line(session, who, line_number=number + 10, started_on=date(2024, 1, 1))
            make.consent(session, make.patient(session, project))
    after = costs()
    # The agents of lines are read once there are lines, and a list is counted once its first page does not hold all of it.
    assert after == [before[0] + 1, before[1] + 1, *before[2:]]


@each(
    "query",
    ["birth_year=1", "birth_year=abc", "birth_year=1e999", "birth_year=²", "age_at_diagnosis=nan", "code=%00", "sex=nonsense"],
)
def test_what_an_address_names_for_a_new_form_never_breaks_it(scientist: Browser, query: str) -> None:
    scientist.get(f"{HERE}new?{query}", heading="Record a patient")
