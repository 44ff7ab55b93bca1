"""Faults 2 to 4: nobody reaches another project's records, or what their role may not do, by address, form field or file."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from lims.domain.permissions import PERMISSIONS, allowed
from lims.domain.vocabulary import BatchState
from lims.models import Arm, ImportBatch, Measurement, Study
from tests.faults.conftest import HERE, ROLES, THERE, Lab
from tests.support.pages import message, sent

IDS = {"study_id", "animal_id", "record_id", "view_id", "measurement_id", "batch_id", "seq", "key", "membership_id"}
IDS |= {"action_id", "protocol_id", "version_id"}
VOLUMES = "Mouse,Date,Volume (mm3),Group,Study\nM-NEW,2026-03-02,120,Drug,ST-NEW\n"


def upload(lab: Lab, name: str, content: str, **fields: object) -> TestResponse:
    """Send a file through the page's form."""
    browser = lab.browser(name)
    values = sent(browser.get("/p/HERE/imports/new"), "/p/HERE/imports/new") | fields
    return browser.client.post("/p/HERE/imports/new", data={**values, "file": (BytesIO(content.encode()), "new.csv")})


def recorded(lab: Lab, name: str, batch: int) -> TestResponse:
    """Send what the button of the check page sends; those who may not record the file have none."""
    path = f"/p/HERE/imports/{batch}"
    form = sent(lab.browser("manager").get(path), f"{path}/commit")
    return lab.browser(name).client.post(f"{path}/commit", data=form | lab.token(name))


def state_of(lab: Lab, batch: int) -> BatchState:
    with lab.database.reading() as session:
        return session.get_one(ImportBatch, batch).state


def refusal(response: TestResponse) -> str:
    assert response.status_code == HTTPStatus.FORBIDDEN, response.status
    return message(BeautifulSoup(response.text, "html.parser"))


@pytest.mark.parametrize("project", [HERE, THERE])
def test_another_projects_records_are_not_found_in_either_project(lab: Lab, project: str) -> None:
    token, tried = lab.token("manager"), 0
    for method in ("GET", "POST"):
        for rule in lab.rules(method):
            if not rule.arguments & IDS or "project_code" not in rule.arguments | {"code"}:
                continue
            path = lab.address(rule, project=project, ids_of=THERE)
            data = token | {"reason": "x", "version": "1"} if method == "POST" else None
            response = lab.browser("manager").client.open(path, method=method, data=data)
            assert response.status_code == HTTPStatus.NOT_FOUND, (method, path)
            tried += 1
    assert tried >= 19


def test_no_role_does_by_any_address_what_it_may_not(lab: Lab) -> None:
    refused = 0
    for name, role in ROLES.items():
        token, before = lab.token(name), lab.events()
        for rule in (*lab.rules("GET", "/p/"), *lab.rules("POST", "/p/")):
            action = lab.app.view_functions[rule.endpoint].guarded_by  # type: ignore[attr-defined]  # set by the guards of views
            if action not in PERMISSIONS or allowed(role, action):
                continue
            for method in rule.methods & {"GET", "POST"}:  # type: ignore[operator]  # every rule has some
                response = lab.browser(name).client.open(lab.address(rule), method=method, data=token if method == "POST" else None)
                assert response.status_code == HTTPStatus.FORBIDDEN, (name, method, rule)
                refused += 1
        assert lab.events() == before, name
    assert refused > 20


def test_an_auditor_and_a_technician_manage_nobody(lab: Lab) -> None:
    for name in ("auditor", "technician", "scientist", "director"):
        for rule in (*lab.rules("POST", "/projects"), *lab.rules("POST", "/people")):
            response = lab.browser(name).client.post(lab.address(rule), data=lab.token(name))
            assert response.status_code == HTTPStatus.FORBIDDEN, (name, rule)


def test_a_form_field_cannot_name_another_projects_study_or_batch(lab: Lab) -> None:
    before = lab.of(ImportBatch)
    assert upload(lab, "director", VOLUMES, study=str(lab.first(Study, THERE))).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert upload(lab, "director", VOLUMES, supersedes=str(lab.first(ImportBatch, THERE))).status_code == HTTPStatus.NOT_FOUND
    assert lab.of(ImportBatch) == before


def test_a_technician_replaces_no_batch_and_records_none_that_replaces_one(lab: Lab) -> None:
    old = str(lab.first(ImportBatch))
    content = "id,date,weight (g)\nM-HERE,2026-03-09,21.5\n"
    assert "study director or scientist" in refusal(upload(lab, "technician", content, supersedes=old))
    assert upload(lab, "scientist", content, supersedes=old).status_code == HTTPStatus.FOUND
    batch = lab.of(ImportBatch)[-1]
    assert state_of(lab, batch) is BatchState.CHECKED

    assert "study director or scientist" in refusal(recorded(lab, "technician", batch))
    assert state_of(lab, int(old)) is BatchState.COMMITTED
    assert recorded(lab, "scientist", batch).status_code == HTTPStatus.FOUND
    assert (state_of(lab, int(old)), state_of(lab, batch)) == (BatchState.SUPERSEDED, BatchState.COMMITTED)


def test_a_technician_makes_no_study_by_way_of_a_file(lab: Lab) -> None:
    before = (lab.of(Study), lab.of(Arm), lab.of(Measurement))
    upload(lab, "technician", VOLUMES)
    batch = lab.of(ImportBatch)[-1]
    browser, path = lab.browser("technician"), f"/p/HERE/imports/{batch}"
    browser.client.post(f"{path}/check", data=sent(browser.get(path), f"{path}/check") | {"create": "y"})
    assert state_of(lab, batch) is BatchState.CHECKED

    assert "your role" in refusal(recorded(lab, "technician", batch)).lower()
    assert (lab.of(Study), lab.of(Arm), lab.of(Measurement)) == before
    assert recorded(lab, "scientist", batch).status_code == HTTPStatus.FOUND
    assert len(lab.of(Study)) == len(before[0]) + 1
