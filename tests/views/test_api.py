"""The JSON API: every kind of record as a list and by its id, pages, filters, refusals, and the document that says so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import Integer
from werkzeug.test import TestResponse

from lims.db import Database
from lims.domain.cohort_terms import EndpointMeasure
from lims.domain.colony_terms import Engraftment
from lims.domain.tissue_terms import AliquotState, CnsStatus, Her2Result
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import Animal, Base, Project, User
from lims.queries.api_resources import RESOURCES, Resource
from lims.records.tokens import make_token
from lims.views.api.openapi import Problem, ProjectList, list_model, openapi_document, record_model
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, add_project, message
from tests.support.statements import statements

HERE = "/api/v1/projects/BCBM"
EACH = each("resource", RESOURCES.values())


class Program:
    """A program that reads with a token."""

    def __init__(self, app: Application, database: Database, person: User) -> None:
        self.client = app.test_client()
        with database.transaction() as session:
            _, self.secret = make_token(session, make.actor(person), person, name="program", expires_on=None)

    def ask(self, path: str, status: int = 200) -> TestResponse:
        """Get an address; what went wrong is a problem in sentences, and nothing is kept or begins a session."""
        response = self.client.get(path, headers={"Authorization": f"Bearer {self.secret}"})
        assert response.status_code == status, f"{path}: {response.status}\n{response.text}"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in response.headers
        if status >= 400:
            assert response.content_type == "application/problem+json"
            told = Problem.model_validate_json(response.data)
            assert (told.status, told.detail[-1]) == (status, "."), told.detail
        return response

    def json(self, path: str) -> Any:
        """Get an address's answer."""
        return self.ask(path).json

    def refused(self, path: str, status: int = 422) -> str:
        """Get an address that is refused; gives the sentence."""
        return str((self.ask(path, status).json or {})["detail"])

    def walk(self, path: str) -> list[dict[str, Any]]:
        """Follow a list to its end."""
        found, following = [], path
        while following:
            page = self.json(following)
            found += page["items"]
            following = page["next"]
        return found


def one_of_each(database: Database, project: Project, number: int = 1) -> None:
    """Record one of each kind, with what it refers to; `number` ends their codes."""
    with make.declared(database) as session:
        patient = make.patient(session, project, f"P{number}", birth_year=1961)
        make.consent(session, patient)
        make.therapy_line(session, patient)
        specimen = make.specimen(session, patient, f"SP-{number}", collected_on=date(2025, 2, 1), tumour_content_percent=80)
        make.assay(session, specimen, er_percent=0, her2_copies=6.5)
        make.alteration(session, specimen, vaf_percent=31.5)
        make.stain_region(session, specimen)
        profile = make.profile(session, specimen)
        box = make.box(session, project, parent_id=make.place(session, project, temperature_celsius=-150).id)
        vial = make.aliquot(session, specimen, f"AL-{number}", place_id=box.id, box_row=1, box_column=2)
        make.aliquot_event(session, vial)
        model = make.model(session, project, f"BM-{number}", founding_specimen_id=specimen.id)
        make.model_check(session, model, profile_id=profile.id)
        cage = make.cage(session, project)
        protocol = make.protocol(session, project)
        animal = make.animal(session, project, f"M{number}", cage_id=cage.id, protocol_id=protocol.id)
        make.cage_move(session, animal, to_cage_id=cage.id)
        rule = make.endpoint_rule(session, protocol, EndpointMeasure.NEUROLOGICAL_SCORE, 3)
        make.endpoint_action(session, rule, animal)
        make.fate(session, animal, died_on=date(2026, 4, 1))
        count = make.preparation(session, project, f"CP-{number}", model_id=model.id, aliquot_id=vial.id, counted_at=make.NOON)
        origin = {"model_id": model.id, "aliquot_id": vial.id, "preparation_id": count.id, "donor_id": patient.id, "passage": 0}
        implant = make.implant(session, animal, implanted_at=make.NOON, **origin)
        study = make.study(session, project, f"ST-{number}")
        arm = make.arm(session, study)
        make.allocation(session, make.randomisation(session, study), animal, arm_id=arm.id)
        make.enrolment(session, arm, animal)
        agent = make.agent(session, project, f"A{number}", molecular_weight=153_702, fraction_unbound_brain=0.02)
        lot = make.lot(session, agent, concentration_mg_ml=2.0)
        regimen = make.regimen(session, arm, agent)
        make.dose(session, animal, agent, lot_id=lot.id, regimen_id=regimen.id, study_id=study.id, volume_ul=100.0)
        make.lab_kind(session, project, f"rotarod-{number}")
        make.procedure(session, animal)
        make.exposure(session, animal, agent)
        batch = make.batch(session, project, study_id=study.id)
        make.measurement(session, animal, batch_id=batch.id, implant_id=implant.id, taken_at=make.NOON, source_row=2)


@pytest.fixture
@kept
def project(sqlite_database: Database) -> Project:
    """Give a project with one of each kind."""
    made = add_project(sqlite_database, "BCBM")
    one_of_each(sqlite_database, made)
    return made


@pytest.fixture
def program(app: Application, sqlite_database: Database, project: Project) -> Program:
    """Give a program of an auditor's."""
    return Program(app, sqlite_database, add_person(sqlite_database, "Aud", BCBM=RoleName.AUDITOR))


def test_every_resource_lists_and_shows_as_the_document_says(app_on_each: Application, database: Database) -> None:
    one_of_each(database, add_project(database, "BCBM"))
    program = Program(app_on_each, database, add_person(database, "Aud", BCBM=RoleName.AUDITOR))
    ProjectList.model_validate_json(program.ask("/api/v1/projects").data)
    for resource in RESOURCES.values():
        listed = program.ask(f"{HERE}/{resource.plural}?count=1")
        list_model(resource).model_validate_json(listed.data)
        page = listed.json or {}
        assert page["count"] == len(page["items"]) >= 1, resource.plural
        first = page["items"][0]
        shown = program.ask(first["links"]["self"])
        record_model(resource).model_validate_json(shown.data)
        record = shown.json or {}
        assert {name: value for name, value in record.items() if name != "links"} == {
            name: value for name, value in first.items() if name != "links"
        }
        for link in record["links"].values():
            if link.startswith("/api/"):
                program.ask(link)


def test_what_follows_is_told_and_documented(app_on_each: Application, database: Database) -> None:
    project = add_project(database, "BCBM")
    with make.declared(database) as session:
        patient = make.patient(session, project, "P1")
        assessed = {"cns_status": CnsStatus.LEPTOMENINGEAL, "her2_result": Her2Result.POSITIVE}
        founding = make.specimen(session, patient, "SP-1", **assessed)
        make.specimen(session, patient, "SP-2")
        line, bare = make.model(session, project, "BM-1", founding_specimen_id=founding.id), make.model(session, project, "BM-2")
        outcomes = [
            (Engraftment.ENGRAFTED, 40),
            (Engraftment.ENGRAFTED, 50),
            (Engraftment.FAILED, None),
            (Engraftment.PENDING, None),
        ]
        for outcome, days in outcomes:
            mouse = make.animal(session, project)
            seen = {"engrafted_on": make.NOON.date() + timedelta(days)} if days else {}
            implanted = {"model_id": line.id, "implanted_on": make.NOON.date(), "engraftment": outcome}
            make.implant(session, mouse, **implanted, **seen)
        ids = line.id, bare.id
    program = Program(app_on_each, database, add_person(database, "Aud", BCBM=RoleName.AUDITOR))
    names = ("implants_engrafted", "implants_decided", "take_rate_percent", "latency_days")
    known, new = (program.json(f"{HERE}/models/{key}") for key in ids)
    assert [known[name] for name in names] == [2, 3, pytest.approx(100 * 2 / 3), 45]
    assert [new[name] for name in names] == [0, 0, None, None]
    assert [one["cohort"] for one in program.json(f"{HERE}/specimens")["items"]] == [5, None]
    assert [one["code"] for one in program.json(f"{HERE}/specimens?cohort=5")["items"]] == ["SP-1"]
    told = openapi_document()["components"]["schemas"]
    assert "median" in told["PdxModel"]["properties"]["latency_days"]["description"]
    assert "DEBBRAH" in told["Specimen"]["properties"]["cohort"]["description"]
    assert told["Aliquot"]["properties"]["position"]["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_a_record_is_told_in_the_fields_own_words(program: Program) -> None:
    [implant] = program.json(f"{HERE}/implants")["items"]
    assert implant["animal"]["code"] == "M1"
    assert (implant["donor"]["code"], implant["aliquot"]["code"], implant["passage"]) == ("P1", "AL-1", 0)
    assert implant["implanted_at"] == "2026-03-09T12:00:00Z"
    assert (implant["status"], implant["version"], implant["region"]) == ("active", 1, None)
    [reading] = program.json(f"{HERE}/measurements")["items"]
    assert (reading["value"], reading["unit"], reading["taken_on"]) == (21.4, "g", "2026-03-09")
    assert reading["batch"]["file_name"] == "weights.csv"
    assert reading["implant"]["label"] == "brain"
    [vial] = program.json(f"{HERE}/aliquots?position=A2")["items"]
    assert (vial["code"], vial["position"], vial["box_row"], vial["box_column"]) == ("AL-1", "A2", 1, 2)
    [batch] = program.json(f"{HERE}/import-batches")["items"]
    assert len(batch["file"]["sha256"]) == 64
    [line] = program.json(f"{HERE}/therapy-lines")["items"]
    assert [(agent["name"], agent["agent_class"]) for agent in line["agents"]] == [("trastuzumab", "monoclonal_antibody")]
    [profile] = program.json(f"{HERE}/str-profiles")["items"]
    assert profile["alleles"][1] == "TH01: 6, 9.3"
    [specimen] = program.json(f"{HERE}/specimens")["items"]
    assert (specimen["her2_result"], specimen["her2_label"]) == ("not_assessed", None)


def test_a_record_leads_to_its_page_and_to_what_refers_to_it(program: Program) -> None:
    [listed] = program.json(f"{HERE}/specimens")["items"]
    links = program.json(listed["links"]["self"])["links"]
    assert links["page"] == f"/p/BCBM/specimens/{listed['id']}"
    assert links["aliquots"] == f"{HERE}/aliquots?specimen_id={listed['id']}"
    assert program.json(links["aliquots"])["items"][0]["code"] == "AL-1"


@pytest.mark.parametrize("shown", ["project_id", "slot", "report", "choices", "token_sha256", "password"])
def test_bookkeeping_and_secrets_are_in_no_answer(shown: str) -> None:
    names = {one.name for resource in RESOURCES.values() for one in resource.fields}
    assert shown not in names
    assert shown not in {one.parameter for resource in RESOURCES.values() for one in resource.fields}


def test_a_walk_meets_everything_once_while_rows_are_added(app_on_each: Application, database: Database) -> None:
    project = add_project(database, "BCBM")
    program = Program(app_on_each, database, add_person(database, "Sci", BCBM=RoleName.SCIENTIST))
    with make.declared(database) as session:
        before = [make.animal(session, project).code for _ in range(7)]
    met, following = [], f"{HERE}/animals?page_size=2"
    while following:
        page = program.json(following)
        met += [one["code"] for one in page["items"]]
        following = page["next"]
        if len(met) < 7:
            with make.declared(database) as session:
                make.animal(session, project)
    assert met[:7] == before
    assert len(met) == len(set(met)) > 7
    assert met == [one["code"] for one in program.walk(f"{HERE}/animals?page_size=3")]


def test_the_next_page_keeps_the_filters(program: Program, sqlite_database: Database, project: Project) -> None:
    with make.declared(sqlite_database) as session:
        for _ in range(3):
            make.animal(session, project, strain="NSG & co")
    page = program.json(f"{HERE}/animals?strain=NSG+%26+co&page_size=2&count=1")
    assert (page["count"], len(page["items"])) == (3, 2)
    rest = program.json(page["next"])
    assert ([one["strain"] for one in rest["items"]], rest["next"]) == (["NSG & co"], None)


def test_a_list_is_narrowed_by_equality(app_on_each: Application, database: Database) -> None:
    project = add_project(database, "BCBM")
    program = Program(app_on_each, database, add_person(database, "Sci", BCBM=RoleName.SCIENTIST))
    with make.declared(database) as session:
        patient = make.patient(session, project)
        first, second = (make.specimen(session, patient, on_steroids=told) for told in (True, None))
        make.aliquot(session, first, "A1", preserved_on=date(2025, 2, 3))
        make.aliquot(session, first, "A2", state=AliquotState.USED_UP, thaw_count=2)
        make.aliquot(session, second, "A3")

    def found(query: str, plural: str = "aliquots") -> list[str]:
        return [one["code"] for one in program.json(f"{HERE}/{plural}?{query}")["items"]]

    assert found(f"specimen_id={first.id}") == ["A1", "A2"]
    assert found(f"state=available&specimen_id={first.id}") == ["A1"]
    assert found("thaw_count=2") == ["A2"]
    assert found("preserved_on=2025-02-03") == ["A1"]
    assert found("code=A3") == ["A3"]
    assert found("preserved_on=") == ["A2", "A3"]
    assert found("on_steroids=true", "specimens") == [first.code]
    assert found("specimen_id=999999999999999999") == []


def test_withdrawn_records_are_listed_where_they_are_asked_for(
    program: Program, sqlite_database: Database, project: Project
) -> None:
    with make.declared(sqlite_database) as session:
        gone = make.animal(session, project, "GONE", status=RecordStatus.WITHDRAWN)
    listed = {query: {one["code"] for one in program.json(f"{HERE}/animals{query}")["items"]} for query in ("", "?status=any")}
    assert listed == {"": {"M1"}, "?status=any": {"M1", "GONE"}}
    assert [one["code"] for one in program.json(f"{HERE}/animals?status=withdrawn")["items"]] == ["GONE"]
    assert program.json(f"{HERE}/animals/{gone.id}")["status"] == "withdrawn"


@each(
    ("query", "told"),
    [
        ("colour=red", 'not filtered by "colour"'),
        ("access_token=lims_x", 'not filtered by "access_token"'),
        ("weight_g=20", "not filtered by"),
        ("state=Alive", '"Alive" cannot be the state. Expected: alive'),
        ("cage_id=x", "cage_id. Expected: a whole number"),
        ("cage_id=%D9%A1", "Expected: a whole number"),
        ("cage_id=" + "9" * 30, "Expected: a whole number"),
        ("birth_date=9.3.2026", "Expected: a date"),
        ("birth_date=2026-02-30", "Expected: a date"),
        ("code=a%00b", "Expected: text that can be typed"),
        ("code=a&code=b", '"code" stands twice'),
        ("page_size=0", "from 1 to 1000"),
        ("page_size=1001", "from 1 to 1000"),
        ("page_size=", "from 1 to 1000"),
        ("after=-1", "the id of a record"),
        ("after=" + "9" * 40, "the id of a record"),
        ("count=yes", "from 0 to 1"),
        ("status=gone", "active, withdrawn, any"),
    ],
)
def test_what_a_list_cannot_be_asked_is_refused_in_a_sentence(program: Program, query: str, told: str) -> None:
    assert told in program.refused(f"{HERE}/animals?{query}")


def test_another_projects_records_are_not_found(program: Program, sqlite_database: Database, project: Project) -> None:
    there = add_project(sqlite_database, "THERE")
    one_of_each(sqlite_database, there)
    owner = Program(program.client.application, sqlite_database, add_person(sqlite_database, "Olga", THERE=RoleName.AUDITOR))  # type: ignore[arg-type]  # the application of these tests
    for plural in RESOURCES:
        theirs = owner.json(f"/api/v1/projects/THERE/{plural}")["items"][0]["id"]
        assert "no such project" in program.refused(f"/api/v1/projects/THERE/{plural}", 404)
        assert "no such project" in program.refused(f"/api/v1/projects/THERE/{plural}/{theirs}", 404)
        assert "in this project" in program.refused(f"{HERE}/{plural}/{theirs}", 404)
        assert theirs not in [one["id"] for one in program.walk(f"{HERE}/{plural}?page_size=1")]


def test_administrators_of_the_installation_read_no_data_through_the_api(
    app: Application, sqlite_database: Database, project: Project
) -> None:
    program = Program(app, sqlite_database, add_person(sqlite_database, "Ada Admin", administrator=True))
    assert program.json("/api/v1/projects")["items"] == []
    program.refused(f"{HERE}/animals", 404)


@each("path", [f"{HERE}/mice", f"{HERE}/animals/0", f"{HERE}/animals/{'9' * 30}", f"{HERE}/animals/x", "/api/v1/x"])
def test_what_is_not_there_is_404_in_a_sentence(program: Program, path: str) -> None:
    program.refused(path, 404)


@each("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_changed_through_the_api(program: Program, method: str) -> None:
    response = program.client.open(f"{HERE}/animals", method=method, headers={"Authorization": f"Bearer {program.secret}"})
    assert response.status_code == 405
    assert "nothing else is changed" in (response.json or {})["detail"]


def test_a_failing_answer_is_a_problem_too(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise ValueError("a secret of ours")

    program.json("/api/v1/projects")
    monkeypatch.setattr("lims.views.api.resources.list_records", fail)
    program.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    assert "secret" not in program.refused(f"{HERE}/animals", 500)


def test_a_page_costs_as_many_statements_however_many_rows(program: Program, sqlite_database: Database, project: Project) -> None:
    program.json("/api/v1/projects")  # today's first use is noted

    def cost(plural: str, rows: int) -> int:
        with statements(sqlite_database.engine) as seen:
            assert program.json(f"{HERE}/{plural}?count=1")["count"] >= rows
        return len(seen)

    few = {plural: cost(plural, 1) for plural in RESOURCES}
    for number in (2, 3, 4):
        one_of_each(sqlite_database, project, number)
    assert {plural: cost(plural, 4) for plural in RESOURCES} == few
    assert max(few.values()) <= 5


def test_the_document_is_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(openapi_document()).iter_errors()] == []


@EACH
def test_the_document_names_every_resource_and_every_column(resource: Resource) -> None:
    document = openapi_document()
    table = resource.model.__table__
    given = document["components"]["schemas"][resource.model.__name__]["properties"]
    hidden = resource.hidden | {"project_id"} | resource.model.unaudited_columns - {"version"}
    columns = {column.name.removesuffix("_id") if column.foreign_keys else column.name for column in table.columns}
    assert columns - given.keys() == {name.removesuffix("_id") for name in hidden if name in table.columns}
    assert all(one.get("description") or name == "links" for name, one in given.items())
    at = f"/api/v1/projects/{{project}}/{resource.plural}"
    asked = {one["name"] for one in document["paths"][at]["get"]["parameters"]}
    assert asked == {"project", "page_size", "after", "count", *resource.filters}
    assert f"{at}/{{id}}" in document["paths"]


def test_every_table_of_a_project_is_a_resource_or_has_its_reason() -> None:
    known = {resource.model for resource in RESOURCES.values()}
    known |= {one.model for resource in RESOURCES.values() for one in resource.parts.values()}
    of_projects = {
        one.class_ for one in Base.registry.mappers if one.class_.audited and "project_id" in one.class_.__table__.columns
    }
    others = {model.__tablename__ for model in of_projects - known}
    of_files = {"import_acceptance", "import_edit", "import_profile", "import_profile_version", "record_source"}
    assert others == of_files | {"membership", "saved_view", "identifier_pattern", "animal_alias"}, (
        "how people and files are told apart"
    )


def test_filters_are_the_columns_that_can_be_equal() -> None:
    animals = RESOURCES["animals"]
    assert {"cage_id", "state", "status", "birth_date", "code"} <= animals.filters.keys()
    assert isinstance(Animal.__table__.c.cage_id.type, Integer)
    assert {"value", "taken_at", "raw"} & RESOURCES["measurements"].filters.keys() == set()


def test_the_document_and_the_guide_are_read_in_the_browser(app: Application, sqlite_database: Database) -> None:
    add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Sci", BCBM=RoleName.SCIENTIST)
    browser = Browser(app).sign_in("Sci")
    page = browser.get("/api/", heading="API")
    told = message(page)
    assert "/api/v1/projects/BCBM/animals?state=alive" in told
    for resource in RESOURCES.values():
        section = page.find(id=resource.plural)
        assert section
        rows = [row.text for row in section.select("tr > td:first-child")]
        assert rows == [*(one.name for one in resource.fields), *resource.nested]
    assert browser.client.get("/api/v1/openapi.json").json == openapi_document()
    assert browser.client.get(f"{HERE}/animals").json == {"items": [], "next": None}
