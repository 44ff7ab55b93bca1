"""A laboratory under attack: two projects, people in every role, and records of every kind that has a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

import pytest
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.intake.store import FileStore
from lims.models import (
    Animal,
    AuditChange,
    AuditEvent,
    Base,
    EndpointAction,
    Fate,
    ImportBatch,
    ImportProfileVersion,
    Measurement,
    Membership,
    Patient,
    SavedView,
    Study,
    User,
)
from lims.views.transaction import Application
from tests.support import factories
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, application, sent
from tests.support.whole import whole

HERE, THERE = "HERE", "THERE"
ROLES = {
    "manager": RoleName.ADMINISTRATOR,
    "director": RoleName.STUDY_DIRECTOR,
    "scientist": RoleName.SCIENTIST,
    "technician": RoleName.TECHNICIAN,
    "auditor": RoleName.AUDITOR,
}
"""Who belongs to HERE."""
CONTENT = b"id,date,weight (g)\n=1+1,2026-03-09,20.5\n"


@dataclass
class Lab:
    """An installation with two projects; a person of each role belongs to HERE, and nobody but Olga to THERE."""

    app: Application
    settings: Settings
    database: Database
    projects: dict[str, int]
    whole: dict[str, dict[str, int]]
    """By project: the id of one record of each noun, under the name of its pages."""
    signed_in: dict[str, Browser] = field(default_factory=dict)
    known: dict[str, dict[str, object]] = field(default_factory=dict)
    """By project: what stands in the addresses of its first records."""

    def browser(self, name: str = "director") -> Browser:
        """Give the browser of a person, signed in at its first use."""
        if name not in self.signed_in:
            self.signed_in[name] = Browser(self.app).sign_in(name)
        return self.signed_in[name]

    def file(self, path: str, name: str = "director", **query: str) -> TestResponse:
        """Get a file whole; one that is streamed lets go of its database at its end."""
        response = self.browser(name).client.get(path, query_string=query)
        assert response.status_code == HTTPStatus.OK, (path, response.status)
        assert response.headers["Content-Disposition"].startswith("attachment"), path
        return response

    def token(self, name: str = "director") -> dict[str, str]:
        """Give what a form of this person's must carry."""
        return {"csrf_token": sent(self.browser(name).get("/account/"), "/account/")["csrf_token"]}

    def first(self, model: type[Base], project: str = HERE) -> int:
        """Give the id of a project's first record of a table."""
        key: int = self.of(model, project)[0]
        return key

    def of(self, model: type[Base], project: str = HERE) -> list[int]:
        """Give the ids of a project's records of a table."""
        table = model.__table__.c
        with self.database.reading() as session:
            wanted = select(table.id).where(table.project_id == self.projects[project]).order_by(table.id)
            return list(session.scalars(wanted))

    def first_member(self) -> int:
        """Give the id of HERE's first membership."""
        return self.first(Membership)

    def events(self) -> int:
        """Count the events of the trail."""
        with self.database.reading() as session:
            return len(session.scalars(select(AuditEvent.seq)).all())

    def address(self, rule: Rule, *, project: str = HERE, ids_of: str = HERE) -> str:
        """Give the address of a route in `project`, with the ids of records of `ids_of`."""
        if ids_of not in self.known:
            self.known[ids_of] = self._values(ids_of)
        known = self.known[ids_of]
        record = self.whole[ids_of].get(rule.endpoint.partition(".")[0], known["patient"])
        values = known | {"project_code": project, "code": project, "record_id": record}
        path = self.app.url_map.bind("localhost").build(rule.endpoint, {one: values[one] for one in rule.arguments})
        return str(path)

    def _values(self, ids_of: str) -> dict[str, object]:
        with self.database.reading() as session:
            person = session.scalars(select(User.id)).first()
            of_project = select(AuditChange.event_seq).where(AuditChange.project_id == self.projects[ids_of])
            event = session.scalars(of_project.order_by(AuditChange.event_seq)).first()
        return {
            "study_id": self.first(Study, ids_of),
            "animal_id": self.first(Animal, ids_of),
            "fate_id": self.first(Fate, ids_of),
            "patient": self.first(Patient, ids_of),
            "plural": "patients",
            "noun": "aliquot",
            "registry": "enrolment",
            "name": "csv",
            "view_id": self.first(SavedView, ids_of),
            "token_id": 1,
            "action_id": self.first(EndpointAction, ids_of),
            "protocol_id": self.whole[ids_of]["protocols"],
            "measurement_id": self.first(Measurement, ids_of),
            "batch_id": self.first(ImportBatch, ids_of),
            "version_id": self.first(ImportProfileVersion, ids_of),
            "membership_id": self.first(Membership, ids_of),
            "user_id": person,
            "seq": event,
            "entity": "animal",
            "key": self.first(Animal, ids_of),
            "token": "none",
            "filename": "css/app.css",
            "plot": "growth",
            "kind": "body_weight",
            "table": "readings",
            "form": "csv",
        }

    def rules(self, method: str, prefix: str = "/") -> list[Rule]:
        """Give the routes that answer a method, those of this application's own pages."""
        own = [one for one in self.app.url_map.iter_rules() if not one.endpoint.startswith(("security.", "static"))]
        return [one for one in own if method in (one.methods or ()) and one.rule.startswith(prefix)]


def _records(database: Database, code: str) -> tuple[int, dict[str, int]]:
    """Make a project with a study, an animal, a batch, readings and one of every noun; gives its id, and theirs."""
    with factories.declared(database) as session:
        project = factories.project(session, code)
        study = factories.study(session, project, f"ST-{code}")
        arm = factories.arm(session, study)
        animal = factories.animal(session, project, f"M-{code}", ear_tag="=1+1", strain="@SUM(A1)")
        enrolment = factories.enrolment(session, arm, animal)
        implant = factories.implant(session, animal, "+right flank")
        file = factories.stored_file(session, CONTENT + code.encode())
        batch = factories.batch(session, project, file_id=file.id, file_name="-2+3 weights.csv", study_id=study.id)
        factories.measurement(session, animal, value=20.5, batch_id=batch.id, raw="=20.5", source_sheet="=cmd|' /C calc'!A0")
        factories.measurement(session, animal, "caliper_volume", 120, implant_id=implant.id, operator="@Sam", raw="-1.5")
        factories.saved_view(session, factories.user(session), project)
        return project.id, whole(session, project, code).ids() | {"arms": arm.id, "enrolments": enrolment.id}


@kept
def _filled(database: Database) -> dict[str, tuple[int, dict[str, int]]]:
    """Make both projects and their people; gives, by project, its id and those of its records."""
    made = {code: _records(database, code) for code in (HERE, THERE)}
    for name, role in ROLES.items():
        add_person(database, name, **{HERE: role})
    add_person(database, "olga", administrator=True, **{THERE: RoleName.ADMINISTRATOR})
    return made


def _lab(settings: Settings, database: Database) -> Lab:
    app = application(settings, database)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an error of ours is an answer with status 500, as people get it
    made = _filled(database)
    for code in made:
        FileStore(settings.file_dir).put(CONTENT + code.encode())
    projects = {code: key for code, (key, _) in made.items()}
    return Lab(app, settings, database, projects, {code: ids for code, (_, ids) in made.items()})


@pytest.fixture
def lab(settings: Settings, sqlite_database: Database) -> Lab:
    """Give the laboratory on SQLite."""
    return _lab(settings, sqlite_database)


@pytest.fixture
def lab_on_each(settings: Settings, database: Database) -> Lab:
    """Give the laboratory on each engine in turn."""
    return _lab(settings, database)
