"""Imports by programs: files and records in by a token, once for each key, within what the token and its owner may."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from lims.db import Database
from lims.domain.vocabulary import RoleName, TokenScope
from lims.models import Animal, AuditEvent, Exposure, ImportBatch, ImportRequest, Job, Measurement, User
from lims.records.tokens import make_token
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.pages import add_person, add_project

IMPORTS = "/api/imports"
WEIGHTS = b"id,date,weight (g)\nM1,2026-03-09,20.5\nM2,2026-03-09,21.5\n"
ROWS = [{"animal": "M1", "kind": "body_weight", "date": "2026-03-10", "value": 20.4}]


class Program:
    """A program with a token of its owner's."""

    def __init__(self, app: Application, database: Database, person: User, scope: TokenScope = TokenScope.IMPORT) -> None:
        self.client = app.test_client()
        self.database = database
        with database.transaction() as session:
            actor = factories.actor(person)
            _, secret = make_token(session, actor, person, name=f"{person.name} {scope}", expires_on=None, scope=scope)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def send(self, content: bytes = WEIGHTS, status: int = 200, *, key: str | None = None, **said: Any) -> dict[str, Any]:
        """Send a file as `curl -F` does."""
        data = {**said, "file": (BytesIO(content), "weights.csv")}
        return self._answer(self.client.post(IMPORTS, data=data, headers=self._headers(key)), status)

    def records(self, noun: str, rows: Any, status: int = 200, *, key: str | None = None, **said: Any) -> dict[str, Any]:
        """Send records as JSON."""
        body = json.dumps({"noun": noun, "rows": rows})
        headers = self._headers(key) | {"Content-Type": "application/json"}
        return self._answer(self.client.post(IMPORTS, data=body, query_string=said, headers=headers), status)

    def look(self, path: str, status: int = 200) -> dict[str, Any]:
        return self._answer(self.client.get(path, headers=self.headers), status)

    def _headers(self, key: str | None) -> dict[str, str]:
        return self.headers | ({} if key is None else {"Idempotency-Key": key})

    @staticmethod
    def _answer(response: TestResponse, status: int) -> dict[str, Any]:
        assert response.status_code == status, response.text
        told: dict[str, Any] = response.json or {}
        if status >= 400:
            assert response.content_type == "application/problem+json"
            assert told["detail"].endswith("."), told
        return told

    def count(self, model: type[Any]) -> int:
        with self.database.reading() as session:
            return session.query(model).count()


def people(database: Database, **roles: RoleName) -> dict[str, User]:
    add_project(database, "BCBM")
    return {name: add_person(database, name, BCBM=role) for name, role in roles.items()}


@pytest.fixture
def program(app: Application, sqlite_database: Database) -> Program:
    """Give a scientist's program."""
    return Program(app, sqlite_database, people(sqlite_database, Sci=RoleName.SCIENTIST)["Sci"])


def test_a_file_is_checked_and_then_recorded_once_however_often_it_is_sent(app_on_each: Application, database: Database) -> None:
    program = Program(app_on_each, database, people(database, Sci=RoleName.SCIENTIST)["Sci"])
    looked = program.send(project="BCBM", create="animals")
    assert (looked["state"], looked["importer"], looked["rows"]["new"], looked["create"]["animals"]) == (
        "checked",
        "body_weight",
        2,
        ["M1", "M2"],
    )
    assert program.count(Measurement) == 0

    first = program.send(key="run-1", mode="commit", create="animals", set="weight_unit=g")
    assert (first["state"], first["records"]["measurement"], first["job"]["state"]) == ("committed", 2, "done")
    assert first["batch"] == looked["batch"], "the same bytes are one import"
    again = program.send(key="run-1", mode="commit", create="animals", set="weight_unit=g")
    assert again == first
    other = program.send(status=422, key="run-1", mode="commit", create="animals")
    assert "used before" in other["detail"]
    plain = program.send(mode="commit")
    assert [one["code"] for one in plain["findings"]] == ["already-imported"]

    assert program.look(first["links"]["self"]) == first
    assert program.look(f"{IMPORTS}/{first['batch']}") == first
    assert (program.count(Measurement), program.count(ImportBatch), program.count(Job)) == (2, 1, 2)
    with database.reading() as session:
        stored = session.query(AuditEvent).filter_by(action="batch:store").all()
        assert {(one.actor, one.origin) for one in stored} == {("Sci", "api")}


def test_records_come_through_the_same_path(app_on_each: Application, database: Database) -> None:
    program = Program(app_on_each, database, people(database, Sci=RoleName.SCIENTIST)["Sci"])
    made = program.records("animal", [{"code": "M1", "sex": "female"}, {"code": "M2"}], mode="commit")
    assert (made["state"], made["importer"], made["file"]) == ("committed", "json_records", "animal.json")
    weighed = program.records("measurement", ROWS, mode="commit")
    assert (weighed["state"], weighed["records"]["measurement"]) == ("committed", 1)
    program.records(
        "agent",
        [{"code": "T-DXd", "name": "Enhertu", "agent_class": "antibody_drug_conjugate", "targets": ["ERBB2"]}],
        mode="commit",
    )
    sample = {"animal": "M1", "agent": "T-DXd", "matrix": "plasma", "unit": "ng/mL", "concentration": 400}
    exposed = program.records("exposure", [sample | {"collected_on": "2026-03-10", "hours_after_dose": 2}], mode="commit")
    assert exposed["state"] == "committed", exposed["findings"]
    assert (program.count(Animal), program.count(Measurement), program.count(Exposure)) == (2, 1, 1)

    # The same records in another order of fields, and spaced otherwise, are the same bytes.
    again = program.records("measurement", [dict(reversed(ROWS[0].items()))], mode="commit")
    assert again["batch"] == weighed["batch"]
    wrong = program.records("measurement", [ROWS[0] | {"animal": "M9"}, ROWS[0] | {"value": "heavy"}], mode="commit")
    assert wrong["state"] == "refused"
    assert {(one["code"], one["row"]) for one in wrong["findings"] if one["severity"] == "error"} >= {("animal-unknown", 2)}
    assert program.count(Measurement) == 1


@pytest.mark.parametrize(
    ("noun", "rows", "sentence"),
    [
        ("measurement", [], "no row with a field"),
        ("measurement", [1], "row 1 is no object"),
        ("measurement", {"a": 1}, 'is not one "noun"'),
        ("animal", [{"code": {"of": "M1"}}], '"code" of row 1'),
        ("animal", [{"code": 2**60}], "carry safely"),
        ("", [{"code": "M1"}], "noun is none"),
    ],
)
def test_json_of_another_shape_is_refused_before_anything_is_stored(program: Program, noun: str, rows: Any, sentence: str) -> None:
    assert sentence in program.records(noun, rows, status=422)["detail"]
    assert program.count(ImportBatch) == 0


def test_records_of_nothing_we_know_are_a_batch_that_says_so(program: Program) -> None:
    mouse = program.records("mouse", [{"code": "M1"}])
    winged = program.records("animal", [{"code": "M1", "wings": 2}])
    assert [(one["state"], one["findings"][0]["code"]) for one in (mouse, winged)] == [
        ("refused", "noun-unknown"),
        ("refused", "field-unknown"),
    ]
    assert '"wings"' in winged["findings"][0]["message"]


@each(
    ("said", "sentence"),
    [
        ({"colour": "red"}, "no parameter"),
        ({"mode": "force"}, "mode cannot be"),
        ({"as": "excel"}, "no importer"),
        ({"create": "patients"}, "cannot be created"),
        ({"set": "decimal"}, "is no answer"),
        ({"supersede": "x", "reason": "y"}, "supersede cannot be"),
        ({"supersede": "1"}, "needs a reason"),
        ({"study": "S9"}, 'no study "S9"'),
        ({"profile": "Weekly"}, "profile"),
    ],
)
def test_a_parameter_that_cannot_be_is_a_sentence_and_stores_nothing(program: Program, said: dict[str, str], sentence: str) -> None:
    status = 404 if "profile" in said else 422
    assert sentence in program.send(status=status, **said)["detail"]
    assert program.count(ImportBatch) == 0


def test_what_is_no_file_is_refused(program: Program) -> None:
    headers = program.headers
    assert program.client.post(IMPORTS, data=b"id,date", content_type="text/csv", headers=headers).status_code == 415
    assert program.client.post(IMPORTS, data={"table": (BytesIO(WEIGHTS), "x.csv")}, headers=headers).status_code == 422
    assert program.client.post(IMPORTS, data=b"{", content_type="application/json", headers=headers).status_code == 422
    assert "is empty" in program.send(b"", status=422)["detail"]
    assert "Idempotency-Key" in program.send(status=422, key="x" * 201)["detail"]
    assert program.count(ImportBatch) == 0


def test_nobody_imports_without_a_token_that_may(app: Application, sqlite_database: Database) -> None:
    persons = people(sqlite_database, Sci=RoleName.SCIENTIST, Aud=RoleName.AUDITOR, Tec=RoleName.TECHNICIAN)
    stranger = add_person(sqlite_database, "Olga")
    assert app.test_client().post(IMPORTS, data={}).status_code == 401
    reader = Program(app, sqlite_database, persons["Sci"], TokenScope.READ)
    assert "only reads" in reader.send(status=403)["detail"]
    assert "auditor" in Program(app, sqlite_database, persons["Aud"]).send(status=403)["detail"]
    assert "Say which project" in Program(app, sqlite_database, stranger).send(status=422)["detail"]

    technician = Program(app, sqlite_database, persons["Tec"])
    agent = [{"code": "A1", "name": "A1", "agent_class": "other", "targets": ["ERBB2"]}]
    refused = technician.records("agent", agent, status=409, mode="commit", key="agents")
    assert "Your role in this project is technician" in refused["detail"]
    with sqlite_database.reading() as session:
        batch = session.query(ImportBatch).one()
    assert batch.state.value == "stored"
    assert technician.send(mode="commit", create="animals", set="weight_unit=g")["state"] == "committed"
    theirs = technician.look(f"{IMPORTS}/{batch.id}")
    assert (theirs["job"]["state"], theirs["state"]) == ("failed", "stored")
    Program(app, sqlite_database, add_person(sqlite_database, "Otto")).look(f"{IMPORTS}/{batch.id}", 404)
    technician.look(f"{IMPORTS}/{2**70}", 404)


def test_a_request_that_failed_is_tried_again_under_its_key(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **settings: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("lims.intake.run.commit", full)
        assert "No space left" in program.send(status=409, key="k", mode="commit", create="animals", set="weight_unit=g")["detail"]
    assert program.send(key="k", mode="commit", create="animals", set="weight_unit=g")["state"] == "committed"
    assert program.count(Measurement) == 2


def test_of_requests_with_one_key_at_the_same_moment_one_imports(app_on_each: Application, database: Database) -> None:
    program = Program(app_on_each, database, people(database, Sci=RoleName.SCIENTIST)["Sci"])
    said = {"mode": "commit", "create": "animals", "set": "weight_unit=g"}

    def send(_: int) -> TestResponse:
        data = {**said, "file": (BytesIO(WEIGHTS), "weights.csv")}
        headers = program.headers | {"Idempotency-Key": "once"}
        return app_on_each.test_client().post(IMPORTS, data=data, headers=headers)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, range(3)))
    assert {one.status_code for one in answers} <= {200, 202}, [one.text for one in answers]
    assert {(one.json or {})["batch"] for one in answers} == {1}
    assert [program.count(one) for one in (ImportBatch, ImportRequest, Job, Measurement)] == [1, 1, 1, 2]
