"""A double click on save, a form sent again after going back, two at the same moment: nothing is lost, nothing is doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import func, select, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lims.domain.vocabulary import BatchState, JobState
from lims.models import Aliquot, Animal, Base, FormSubmission, ImportBatch, Patient, Project, Regimen, Specimen, User
from lims.records.tokens import make_token
from tests.faults.conftest import HERE, Lab
from tests.support import factories
from tests.support.pages import Browser, fields, message, sent

PATIENT = "/p/HERE/patients/new"
TYPED = {"diagnosis": "HER2-positive breast carcinoma", "birth_year": "1968"}
ONCE = "This form was sent twice; it is recorded once."
ANSWERED_AGAIN = frozenset({"audit.bundle", "audit.verify"})
"""They record that they were asked for, and are asked for as often as somebody likes."""


def forms_of(lab: Lab, path: str) -> list[Tag]:
    """Give the forms of a page that write, as the first person sees it who may: one manages the project, one people."""
    for name in ("manager", "olga"):
        answer = lab.browser(name).client.get(path)
        if answer.status_code == HTTPStatus.OK and answer.mimetype == "text/html":  # no workbook to download
            return BeautifulSoup(answer.text, "html.parser").select("main form[method=post]")
    return []


def files_in_work(browser: Browser) -> list[str]:
    """Leave files that ask for everything that can be asked of one; gives the pages that ask."""
    recorded = uploaded(browser, "id,date,weight (g)\nHERE-1,2026-03-09,20.5\n")
    browser.submit(browser.get(recorded), f"{recorded}/commit")
    others = "HERE-1,2026-03-10,20*", "HERE-1,2026-03-11,9", "NOBODY,2026-03-12,9", "MORE,2026-03-09,20"
    asking = uploaded(browser, "\n".join(["id,date,weight (g)", "HERE-1,2026-03-09,23.0", *others]))
    corrected = {"do": "correct", "reason": "misread", "read-file!C3": "20x"}
    browser.submit(browser.get(asking), f"{asking}/corrections", **corrected)
    names = f"{asking}/names"
    browser.submit(browser.get(names), names, **{"means-animal:NOBODY": "HERE-1"})
    unknown = uploaded(browser, "Wert,Tier,Tag\n1,2,3\n4,5,6\n")
    row = f"{asking}/rows?sheet=file&row=3"
    keep = f"/p/HERE/import-profiles/new?batch={recorded.rpartition('/')[2]}"
    return [recorded, asking, names, row, f"{unknown}/mapping", keep]


def uploaded(browser: Browser, content: str) -> str:
    """Upload a file; gives the page of its batch."""
    new = "/p/HERE/imports/new"
    form = sent(browser.get(new), new) | {"file": (BytesIO(content.encode()), "file.csv")}
    return str(browser.client.post(new, data=form, content_type="multipart/form-data").location)


def every_form(lab: Lab) -> list[Tag]:
    """Give every form of every page."""
    with factories.declared(lab.database) as session:
        batch = session.get_one(ImportBatch, lab.first(ImportBatch))
        here = session.get_one(Project, batch.project_id)
        factories.batch(session, here, state=BatchState.CHECKED, report={"rows": {}, "records": {}})
        factories.job(session, factories.batch(session, here, state=BatchState.STORED), state=JobState.FAILED, message="No room.")
        manager = session.scalars(select(User).where(User.name == "manager")).one()
        factories.saved_view(session, manager, here)
        regimen = session.get_one(Regimen, lab.whole[HERE]["regimens"])
        factories.enrolment(session, regimen.arm, session.get_one(Animal, lab.whole[HERE]["animals"]))
        token, _ = make_token(session, factories.actor(manager), manager, name="R", expires_on=None)
    paths = [lab.address(rule) for rule in lab.rules("GET") if "token_id" not in rule.arguments and not for_programs(rule)]
    paths += [f"/p/HERE/imports/{one}" for one in lab.of(ImportBatch)]
    paths += [f"/account/tokens/{token.id}/withdraw", "/p/HERE/animals/?q=M"]
    lists = ("measurements/measure", "specimens/collect", "exposures/new")
    paths += [f"/p/HERE/{one}?animal=HERE-1" for one in lists]
    paths.append(f"/p/HERE/studies/{regimen.arm.study_id}/dosing/list?on=2026-03-03")
    paths.append(f"/p/HERE/storage/{lab.whole[HERE]['storage']}?moving=HERE-AL1")
    paths += files_in_work(lab.browser("manager"))
    return [form for path in paths for form in forms_of(lab, path)]


def for_programs(rule: Rule) -> bool:
    return rule.rule.startswith("/api/")


def test_every_form_that_writes_is_known_when_it_comes_again(lab: Lab) -> None:
    adapter, seen = lab.app.url_map.bind("localhost"), set()
    for form in every_form(lab):
        endpoint, _ = adapter.match(str(form["action"]).partition("?")[0], method="POST")
        if endpoint not in ANSWERED_AGAIN and not endpoint.startswith("security."):
            assert form.find("input", attrs={"name": "form_id"}), f"{endpoint} can be recorded twice: its form has no id"
            seen.add(endpoint)
    writing = {rule.endpoint for rule in lab.rules("POST") if not for_programs(rule)} - ANSWERED_AGAIN
    assert writing - seen == set(), "no page shows the form of"


def count(lab: Lab, table: type[Base]) -> int:
    with lab.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def click_twice(browser: Browser, path: str, **typed: Any) -> tuple[TestResponse, TestResponse]:
    """Send the page's form twice, as it was rendered once."""
    data = sent(browser.get(path), path) | typed
    return browser.client.post(path, data=data), browser.client.post(path, data=data)


def one_of(lab: Lab, table: Any) -> str:
    with lab.database.reading() as session:
        return str(session.scalars(select(table.code).where(table.project_id == lab.projects[HERE]).order_by(table.id)).first())


@pytest.mark.parametrize(
    ("path", "typed", "table"),
    [
        (PATIENT, TYPED, Patient),
        ("/p/HERE/animals/arrive", {"count": "2", "strain": "NSG", "per_cage": "2", "protocol_id": "HERE-A1"}, Animal),
        ("/p/HERE/aliquots/freeze", {"count": "3", "material": "snap_frozen", "amount": "1", "unit": "mg"}, Aliquot),
        (
            "/p/HERE/implants/{implant}/harvest",
            {"pieces-0-kind": "tumour", "collected_on": "2026-03-20", "confirmed": "y"},
            Specimen,
        ),
    ],
)
def test_a_second_click_leads_to_where_the_first_one_led(
    lab_on_each: Lab, path: str, typed: dict[str, str], table: type[Base]
) -> None:
    lab, browser = lab_on_each, lab_on_each.browser("scientist")
    path = path.format(implant=lab.whole[HERE]["implants"])
    if table is Aliquot:
        typed = typed | {"specimen_id": one_of(lab, Specimen)}
    first, second = click_twice(browser, path, **typed)
    made, events = count(lab, table), lab.events()

    assert (first.status_code, second.status_code) == (HTTPStatus.FOUND, HTTPStatus.FOUND), message(browser.check(first))
    assert second.location == first.location
    assert ONCE in message(browser.get(first.location))
    assert browser.client.post(path, data=sent(browser.get(path), path) | typed).status_code == HTTPStatus.FOUND
    assert count(lab, table) > made, "a new form records anew"
    assert lab.events() > events


def test_two_clicks_at_the_same_moment_record_one(lab_on_each: Lab) -> None:
    lab, browser = lab_on_each, lab_on_each.browser("scientist")
    data = sent(browser.get(PATIENT), PATIENT) | TYPED
    cookie = browser.client.get_cookie("lims")
    assert cookie is not None
    before = count(lab, Patient)

    def click(_: int) -> TestResponse:
        client = lab.app.test_client()
        client.set_cookie("lims", cookie.value)
        return client.post(PATIENT, data=data)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(click, range(4)))

    assert {answer.status_code for answer in answers} == {HTTPStatus.FOUND}
    assert len({answer.location for answer in answers}) == 1
    assert count(lab, Patient) == before + 1
    assert count(lab, FormSubmission) == 1


def test_a_refused_form_is_corrected_and_saved(lab: Lab) -> None:
    browser, before = lab.browser("scientist"), count(lab, Patient)
    data = sent(browser.get(PATIENT), PATIENT) | {"birth_year": "68 or so"}
    refused = browser.client.post(PATIENT, data=data)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    form = BeautifulSoup(refused.text, "html.parser").find("form", action=PATIENT)
    assert isinstance(form, Tag)
    again = fields(form)
    assert again["form_id"] == data["form_id"]
    assert browser.client.post(PATIENT, data=again | TYPED).status_code == HTTPStatus.FOUND
    assert count(lab, Patient) == before + 1


def test_who_goes_back_and_types_something_else_means_another_record(lab: Lab) -> None:
    browser, before = lab.browser("scientist"), count(lab, Patient)
    data = sent(browser.get(PATIENT), PATIENT) | TYPED
    one = browser.client.post(PATIENT, data=data | {"code": "HERE-P07"})
    other = browser.client.post(PATIENT, data=data | {"code": "HERE-P08"})
    assert one.location != other.location
    assert count(lab, Patient) == before + 2


def test_another_file_is_another_upload_and_the_same_one_is_not(lab: Lab) -> None:
    browser, path = lab.browser("scientist"), "/p/HERE/imports/new"
    data, before = sent(browser.get(path), path), count(lab, ImportBatch)

    def upload(weight: str) -> str | None:
        file = (BytesIO(f"id,date,weight (g)\nM-HERE,2026-03-16,{weight}\n".encode()), "weights.csv")
        return browser.client.post(path, data=data | {"file": file}).location

    assert upload("21") == upload("21") != upload("22")
    assert count(lab, ImportBatch) == before + 2


def test_a_form_id_of_any_shape_is_only_text(lab: Lab) -> None:
    browser, before = lab.browser("scientist"), count(lab, Patient)
    data = sent(browser.get(PATIENT), PATIENT) | TYPED
    for number, form_id in enumerate(("", "x" * 10_000, "\0", "' OR 1=1 --", "\ud800")):
        answer = browser.client.post(PATIENT, data=data | {"form_id": form_id.encode(errors="replace")})
        assert answer.status_code == HTTPStatus.FOUND, form_id[:20]
        assert count(lab, Patient) == before + number + 1


def test_old_forms_are_forgotten(lab_on_each: Lab) -> None:
    lab, browser = lab_on_each, lab_on_each.browser("scientist")
    click_twice(browser, PATIENT, **TYPED)
    with lab.database.transaction() as session:
        session.execute(update(FormSubmission).values(made_at=datetime(2026, 1, 1, tzinfo=UTC)))
    click_twice(browser, PATIENT, **TYPED)
    assert count(lab, FormSubmission) == 1
