"""Fault 16: whatever stands in an address is data, never SQL, and never an error of ours."""

from __future__ import annotations

from http import HTTPStatus

from bs4 import Tag

from lims.models import Animal, Measurement, Study
from tests.faults.conftest import Lab
from tests.support.pages import fields

LISTS = (
    "/p/HERE/animals/",
    "/p/HERE/measurements/",
    "/p/HERE/studies/",
    "/p/HERE/imports/",
    "/p/HERE/audit/",
    "/p/HERE/studies/{study}/animals",
    "/p/HERE/studies/{study}/files",
    "/p/HERE/studies/{study}/readings",
    "/p/HERE/animals/{animal}/measurements",
    "/projects/",
)
HOSTILE = (
    "' OR '1'='1",
    "'; DROP TABLE animal; --",
    "1) UNION SELECT password FROM user_account --",
    "(SELECT 1/0)",
    "code; SELECT pg_sleep(9)",
    "%' ESCAPE '%",
    "\\",
    "%",
    "_",
    "{{7*7}}",
    "-1",
    "9" * 30,
    "9" * 5_000,
    "²",
    "٣",
    "1e999",
    "NaN",
    "--code",
    "-",
    "0001-01-01",
    "9999-12-31",
    "\u202e",
    "\x00",
    "x" * 10_000,
)
STEP = 10
ADDRESSES = (
    "/p/HERE/animals/{}",
    "/p/HERE/studies/{}",
    "/p/HERE/imports/{}",
    "/p/HERE/audit/{}",
    "/p/HERE/audit/record/animal/{}",
    "/p/{}/",
    "/projects/{}",
    "/p/HERE/imports/new?supersedes={}",
)
TYPED = ("\x00", "a\x00b", "\u202e\u200b", "x" * 100_000, "9" * 5_000, "'; DROP TABLE animal; --", "\ufffe")
FORMS = {
    "director": ("/p/HERE/studies/new", "/p/HERE/studies/{study}/change"),
    "manager": ("/projects/HERE/change", "/projects/HERE", "/projects/HERE/members/{member}", "/account/"),
    "olga": ("/people/new", "/projects/new"),
}
"""The forms where people type, by somebody who may."""


def paths(lab: Lab) -> list[str]:
    """Give the lists' addresses with records of this laboratory."""
    return [path.format(study=lab.first(Study), animal=lab.first(Animal)) for path in LISTS]


def filters_of(lab: Lab, path: str) -> list[str]:
    """Give the names that a list's address understands: those of its form, and those every list has."""
    page = lab.browser().get(path)
    form = page.find("form", attrs={"data-filter": True})
    named = [str(one["name"]) for one in form.find_all(["input", "select"])] if form else []
    return [*dict.fromkeys([*named, "sort", "page", "format", "kind", "show"])]


def test_every_filter_and_sort_of_every_list_takes_hostile_text_as_text(lab_on_each: Lab) -> None:
    lab = lab_on_each
    client, counted = lab.browser().client, (lab.of(Animal), lab.of(Measurement))
    asked = [(path, name) for path in paths(lab) for name in filters_of(lab, path)]
    assert len(asked) > 60

    refused = {}
    # Every filter gets some of the texts, and every text some dozens of filters.
    for number, (path, name) in enumerate(asked):
        for text in HOSTILE[number % STEP :: STEP]:
            response = client.get(path, query_string={name: text})
            if response.status_code not in (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY):
                refused[path, name, text[:40]] = response.status_code

    assert refused == {}
    assert (lab.of(Animal), lab.of(Measurement)) == counted


def test_a_condition_smuggled_into_a_filter_finds_nothing(lab_on_each: Lab) -> None:
    for text in ("' OR '1'='1", "%", "_", "M%"):
        rows = lab_on_each.file("/p/HERE/animals/", q=text, format="json")
        assert rows.json == [], text


def test_a_column_that_is_not_listed_is_not_sorted_by(lab: Lab) -> None:
    usual = lab.browser().client.get("/p/HERE/measurements/").text
    for sort in ("id; DROP TABLE animal", "password", "-project_id", "animal.id", "1"):
        asked = lab.browser().client.get("/p/HERE/measurements/", query_string={"sort": sort}).text
        assert usual.count("<tr>") == asked.count("<tr>"), sort
        assert "aria-sort" not in asked, sort


def test_an_address_that_names_no_record_is_not_found(lab: Lab) -> None:
    answers = {}
    for path in ADDRESSES:
        for number in ("0", "9" * 30, "9" * 5_000, "%ed%a0%bd", "%00", "%D9%A9%D9%A9%D9%A9%D9%A9", "%C2%B2"):
            answers[path, number[:9]] = lab.browser().client.get(path.format(number)).status_code
    # A number that is none is left out of the address of an upload; it names nothing that could be found.
    assert set(answers.values()) <= {HTTPStatus.OK, HTTPStatus.NOT_FOUND}, answers
    assert {path for (path, _), status in answers.items() if status == HTTPStatus.OK} <= {ADDRESSES[-1]}


def test_every_form_takes_hostile_text_as_text(lab_on_each: Lab) -> None:
    lab = lab_on_each
    failed = {}
    for name, paths_of in FORMS.items():
        browser = lab.browser(name)
        for path in paths_of:
            address = path.format(study=lab.first(Study), member=lab.first_member())
            main = browser.get(address).find("main")
            form = main.find("form", attrs={"method": "post"}) if isinstance(main, Tag) else None
            assert isinstance(form, Tag), address
            typed = fields(form)
            for field in typed.keys() - {"csrf_token"}:
                for text in TYPED:
                    response = browser.client.post(str(form["action"]), data=typed | {field: text})
                    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        failed[address, field, text[:40]] = response.status_code
    assert failed == {}


def test_a_title_too_long_for_its_column_is_refused_beside_the_field_on_each_engine(lab_on_each: Lab) -> None:
    browser = lab_on_each.browser()
    page = browser.submit(browser.get("/p/HERE/studies/new"), "/p/HERE/studies/new", status=422, code="LONG", title="x" * 201)
    assert isinstance(page, Tag)
    (beside,) = page.select("#title-error")
    assert "Title has 201 characters. Expected: at most 200." in beside.text
    assert page.find("input", id="code", value="LONG"), "what was typed is lost"
