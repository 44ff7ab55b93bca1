"""Two people at one record, and what a form says back: conflicts beside the fields, doubts in amber, refusals in red."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import select

from lims.db import Database
from lims.domain.errors import DomainError, told
from lims.domain.notices import Notice
from lims.domain.tissue_terms import AmountUnit
from lims.domain.vocabulary import RoleName, Sex
from lims.models import Aliquot, Patient, Project
from lims.views.record_forms import RecordForm
from lims.views.record_pages import confirmed
from lims.views.transaction import Application
from tests.support import factories
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, fields, message, sent
from tests.views.cohort import add_people


@pytest.fixture
@kept
def patient(database: Database) -> int:
    """Give a patient of a project that Sara and Stefan work in."""
    add_people(database)
    add_person(database, "Stefan", BCBM=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        return factories.patient(session, project, "P03", birth_year=1968, diagnosis="breast carcinoma").id


def editors(app: Application) -> tuple[Browser, Browser]:
    return Browser(app).sign_in("Sara"), Browser(app).sign_in("Stefan")


def page_of(answer: object) -> BeautifulSoup:
    assert isinstance(answer, BeautifulSoup)
    return answer


def form_of(page: BeautifulSoup, path: str) -> dict[str, str]:
    """Give what the page's form would send."""
    form = page.find("form", action=path)
    assert isinstance(form, Tag)
    return fields(form)


def beside(page: BeautifulSoup, name: str) -> str | None:
    """Give what is recorded now, as it stands beside a field."""
    note = page.find(id=f"{name}-recorded")
    return None if note is None else " ".join(note.get_text(" ").split())


def test_the_second_sees_both_versions_on_the_form_and_saves(app_on_each: Application, database: Database, patient: int) -> None:
    sara, stefan = editors(app_on_each)
    path = f"/p/BCBM/patients/{patient}/change"
    stale = stefan.get(path)
    sara.submit(sara.get(path), path, sex="male", birth_year="1969", reason="read the letter")
    mine = {"birth_year": "1970", "ethnicity": "not said", "reason": "read it too"}
    page = page_of(stefan.submit(stale, path, status=409, heading="Change patient P03", **mine))

    told = message(page)
    assert "Sara changed this record at 20" in told
    assert "Nothing was saved yet." in told
    assert {name: form_of(page, path)[name] for name in mine} == mine, "what was typed is lost"
    assert beside(page, "birth_year") == "Recorded now: 1969"
    assert beside(page, "sex") == "Recorded now: Male"
    assert beside(page, "ethnicity") == "Recorded now: nothing"
    assert beside(page, "diagnosis") is None
    assert beside(page, "reason") is None

    stefan.submit(page, path, sex="male")
    with database.reading() as session:
        found = session.get_one(Patient, patient)
        assert (found.birth_year, found.sex, found.ethnicity) == (1970, Sex.MALE, "not said")


def test_both_sides_are_written_the_same_way(app_on_each: Application, database: Database, patient: int) -> None:
    with factories.declared(database) as session:
        donor = session.get_one(Patient, patient)
        specimen = factories.specimen(session, donor, "SP-1", collected_on=date(2026, 2, 1))
        held = {"amount": 4.0, "unit": AmountUnit.FRAGMENTS, "preserved_on": date(2026, 2, 2)}
        aliquot = factories.aliquot(session, specimen, "AL-1", **held).id
    sara, stefan = editors(app_on_each)
    path = f"/p/BCBM/aliquots/{aliquot}/change"
    stale = stefan.get(path)
    sara.submit(sara.get(path), path, note="thawed by mistake", reason="seen in the freezer")
    page = page_of(stefan.submit(stale, path, status=409, preserved_on="2026-02-03", reason="typing error"))
    assert beside(page, "preserved_on") == "Recorded now: 2026-02-02"
    assert beside(page, "note") == "Recorded now: thawed by mistake"
    others = [note for note in page.select(".field-note") if note.get("id") not in ("preserved_on-recorded", "note-recorded")]
    assert others == [], "a field that does not differ is noted"


def test_of_two_who_save_at_the_same_moment_the_slower_gets_the_form_back(
    app_on_each: Application, database: Database, patient: int
) -> None:
    path = f"/p/BCBM/patients/{patient}/change"
    browsers = editors(app_on_each)
    sent_by = [
        sent(browser.get(path), path) | {"birth_year": year} for browser, year in zip(browsers, ("1971", "1972"), strict=True)
    ]

    def save(number: int) -> tuple[int, str]:
        answer = browsers[number].client.post(path, data=sent_by[number] | {"reason": "typing error"})
        return answer.status_code, answer.text

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(save, range(2)))
    assert [status for status, _ in answers] == [302, 409]
    page = BeautifulSoup(answers[1][1], "html.parser")
    with database.reading() as session:
        assert beside(page, "birth_year") == f"Recorded now: {session.get_one(Patient, patient).birth_year}"


def test_who_withdraws_what_was_changed_meanwhile_looks_again(app_on_each: Application, database: Database, patient: int) -> None:
    sara, stefan = editors(app_on_each)
    change, withdraw = (f"/p/BCBM/patients/{patient}/{step}" for step in ("change", "withdraw"))
    stale = stefan.get(withdraw)
    sara.submit(sara.get(change), change, birth_year="1969", reason="read the letter")
    page = page_of(stefan.submit(stale, withdraw, status=409, reason="recorded twice"))
    assert "Sara changed this record at" in message(page)
    assert form_of(page, withdraw)["reason"] == "recorded twice"
    stefan.submit(page, withdraw)
    with database.reading() as session:
        assert session.get_one(Patient, patient).status.value == "withdrawn"


def test_a_form_that_hides_no_version_is_stale(app_on_each: Application, patient: int) -> None:
    sara, _ = editors(app_on_each)
    path = f"/p/BCBM/patients/{patient}/change"
    for version in ("", "0", "-1", "9" * 30, "two"):
        sara.submit(sara.get(path), path, status=409, birth_year="1975", reason="x", version=version)


def test_a_doubt_is_amber_and_a_refusal_is_red(app: Application, sqlite_database: Database) -> None:
    add_people(sqlite_database)
    sara, path = Browser(app).sign_in("Sara"), "/p/BCBM/storage/new"
    typed = {"code": "FZ-1", "kind": "freezer", "temperature_celsius": "20"}
    page = page_of(sara.submit(sara.get(path), path, status=422, **typed))
    (summary,) = page.select("main .message")
    assert "tone-warning" in str(summary["class"])
    assert "Please confirm" in summary.text
    assert summary.find("a", href="#temperature_celsius")
    assert page.find(id="temperature_celsius-doubt")
    assert not page.select("main .tone-error, main [aria-invalid]")

    red = page_of(sara.submit(page, path, status=422, confirmed="y", temperature_celsius="cold"))
    assert [one["class"] for one in red.select("main .message")] == [["message", "tone-error"]]
    sara.submit(page, path, confirmed="y")


def test_a_rule_names_where_it_stands(app: Application) -> None:
    refused = DomainError("IHC 4+ cannot be.", expected="0 to 3+", remedy="Read the report again.", source="ASCO/CAP 2018")
    assert told(refused) == "IHC 4+ cannot be. Expected: 0 to 3+. Read the report again. Rule: ASCO/CAP 2018."
    assert told(DomainError("No.")) == "No."

    class Doubted(RecordForm):
        groups = ()

    with app.test_request_context():
        form = Doubted()
        assert not confirmed(form, [Notice("warning", None, "IHC and ISH differ.", "that they agree", "ASCO/CAP 2018")])
        source = '{% from "macros/field.html" import doubts %}{{ doubts(form) }}'
        shown = " ".join(BeautifulSoup(app.jinja_env.from_string(source).render(form=form), "html.parser").text.split())
    assert "IHC and ISH differ. Usual: that they agree. Rule: ASCO/CAP 2018." in shown


@pytest.mark.parametrize("amount", [0.1 + 0.2, 4.0, 1e-7, 123456789.123])
def test_a_change_form_shows_every_digit_and_saving_it_changes_no_number(
    app_on_each: Application, database: Database, patient: int, amount: float
) -> None:
    with factories.declared(database) as session:
        specimen = factories.specimen(session, session.get_one(Patient, patient), "SP-1")
        aliquot = factories.aliquot(session, specimen, "AL-1", amount=amount, unit=AmountUnit.MILLIGRAM).id
    sara, path = Browser(app_on_each).sign_in("Sara"), f"/p/BCBM/aliquots/{aliquot}/change"
    shown = form_of(sara.get(path), path)["amount"]
    assert (float(shown), shown.endswith(".0")) == (amount, False)
    sara.submit(sara.get(path), path, note="looked at", reason="stocktaking")
    with database.reading() as session:
        assert session.get_one(Aliquot, aliquot).amount == amount
