"""Signing on the pages: who may, what is asked for, what a signature shows, and how an amendment is made."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from lims.audit.bundle import bundle as write_bundle
from lims.audit.standalone import verify_bundle
from lims.audit.verify import verify
from lims.config import Settings
from lims.db import Database
from lims.domain.cohort_terms import FateReason
from lims.domain.vocabulary import RoleName, StudyStatus
from lims.intake.store import FileStore
from lims.models import AuditEvent, Measurement, Project, Signature, Study
from lims.records.fates import record_fates
from lims.views.transaction import Application
from tests.audit.trail import tamper
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import COMMAND_LINE, PASSWORD, Browser, add_person, address, message, only, redirect
from tests.views.cohort import DAY_ZERO, Cohort, add_cohort, add_people

LOCK = {"statement": "final report 12", "meaning": "approved"}


@pytest.fixture
@kept
def cohort(sqlite_database: Database) -> Cohort:
    """Give a closed study, with directors and an administrator of its project."""
    return closed(sqlite_database)


def closed(database: Database) -> Cohort:
    add_people(database)
    for name, role in (("Dora", RoleName.STUDY_DIRECTOR), ("Emil", RoleName.STUDY_DIRECTOR), ("Adam", RoleName.ADMINISTRATOR)):
        add_person(database, name, BCBM=role)
    made = add_cohort(database)
    with make.declared(database) as session:
        session.get_one(Study, made.study).state = StudyStatus.CLOSED
    return made


@pytest.fixture
def dora(app: Application, cohort: Cohort) -> Browser:
    """Give the study director's browser."""
    return Browser(app).sign_in("Dora")


def here(cohort: Cohort, page: str = "") -> str:
    return f"/p/BCBM/studies/{cohort.study}{page}"


def lock(browser: Browser, cohort: Cohort, status: int = 302, **typed: str) -> BeautifulSoup:
    """Sign the lock; animals live, which is confirmed."""
    path = here(cohort, "/lock")
    given = {"email": address("Dora"), "password": PASSWORD, "confirmed": "y", **LOCK, **typed}
    answer = browser.submit(browser.get(path, heading="Lock study"), path, status=status, **given)
    return browser.get(redirect(answer)) if status == 302 else answer  # type: ignore[return-value]  # a page, where nothing was redirected


def state(database: Database, cohort: Cohort) -> StudyStatus:
    with database.reading() as session:
        return session.get_one(Study, cohort.study).state


def failures(database: Database) -> list[AuditEvent]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == "session:fail").order_by(AuditEvent.seq)))


def signatures(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Signature)) or 0


def test_clause_11_a_signature_shows_name_time_and_meaning(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    assert "Nobody has signed this study." in message(dora.get(here(cohort, "/signatures")))
    page = lock(dora, cohort)
    with sqlite_database.reading() as session:
        made = session.scalars(select(Signature)).one()
    at = f"{made.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    for told in ("Dora: approved", "Valid.", at, "final report 12", made.sha256):
        assert told in message(page), told
    for tab in ("", "/design", "/animals", "/survival/", "/readings"):
        told = only(dora.get(here(cohort, tab)), ".signed-by")
        assert f"Valid · signed by Dora , {at}: approved (locked the study)" in " ".join(told.get_text(" ").split()), tab


def test_clause_13_id_and_password_first_the_password_after_and_both_in_a_new_session(
    dora: Browser, cohort: Cohort, app: Application, sqlite_database: Database
) -> None:
    lock(dora, cohort)
    path = here(cohort, "/sign")
    form = dora.get(path, heading="Sign study")
    assert form.find("input", attrs={"name": "email"}) is None
    dora.submit(form, path, password=PASSWORD, statement="again")
    assert signatures(sqlite_database) == 2
    again = Browser(app).sign_in("Dora")
    form = again.get(path)
    assert form.find("input", attrs={"name": "email"}) is not None
    refused = again.submit(form, path, status=422, password=PASSWORD, statement="no address")
    assert "The address that you sign in with is needed." in message(refused)
    assert signatures(sqlite_database) == 2


def test_clause_13_the_address_is_asked_again_after_signing_out(dora: Browser, cohort: Cohort) -> None:
    lock(dora, cohort)
    dora.submit(dora.get("/"), "/logout")
    dora.sign_in_on_the_page("Dora")
    assert dora.get(here(cohort, "/sign")).find("input", attrs={"name": "email"}) is not None


def test_clause_14_nobody_signs_for_another_an_administrator_neither(
    app: Application, cohort: Cohort, sqlite_database: Database
) -> None:
    adam = Browser(app).sign_in("Adam")
    refused = lock(adam, cohort, 422)  # with Dora's address and a password that is hers too
    assert "nobody signs for another" in message(refused)
    assert state(sqlite_database, cohort) is StudyStatus.CLOSED
    (failed,) = failures(sqlite_database)
    assert (failed.actor, failed.project_id is not None) == ("Adam", True)
    assert '"for":"signature"' in failed.detail
    assert address("Dora") in failed.detail
    lock(adam, cohort, email=address("Adam"))
    with sqlite_database.reading() as session:
        assert session.scalars(select(Signature.name)).all() == ["Adam"]


def test_a_wrong_password_signs_nothing_and_is_recorded(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    for typed in ("wrong", PASSWORD + " ", "ä" * 300):
        refused = lock(dora, cohort, 422, password=typed)
        assert "The password is not right." in message(refused)
        assert typed not in refused.text
    assert "Your password is needed" in message(lock(dora, cohort, 422, password=""))
    assert [(one.actor, one.action) for one in failures(sqlite_database)] == [("Dora", "session:fail")] * 3
    assert (state(sqlite_database, cohort), signatures(sqlite_database)) == (StudyStatus.CLOSED, 0)
    assert "wrong" not in "".join(one.detail for one in failures(sqlite_database))


def test_clause_15_signatures_that_fail_count_as_failed_sign_ins(dora: Browser, cohort: Cohort, app: Application) -> None:
    path = here(cohort, "/lock")
    form = dora.get(path)
    given = {"email": address("Dora"), "password": "wrong", "confirmed": "y", **LOCK}
    for _ in range(20):
        dora.submit(form, path, status=422, **given)
    dora.submit(form, path, status=429, **given)
    anew = Browser(app)
    anew.submit(anew.get("/login"), "/login", status=429, email=address("Dora"), password=PASSWORD)


@pytest.mark.parametrize(
    ("name", "page"), [("Sara", "/lock"), ("Sara", "/amend"), ("Tom", "/sign"), ("Ines", "/sign"), ("Ines", "/lock")]
)
def test_clause_9_roles_that_may_not_sign(app: Application, cohort: Cohort, name: str, page: str) -> None:
    Browser(app).sign_in(name).get(here(cohort, page), status=403)


def test_what_changed_since_the_form_was_opened_is_not_signed(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    path = here(cohort, "/lock")
    form = dora.get(path)
    with make.declared(sqlite_database) as session:
        session.get_one(Measurement, cohort.weights[0]).value = 19.5
    given = {"email": address("Dora"), "password": PASSWORD, "confirmed": "y", **LOCK}
    refused = dora.submit(form, path, status=422, **given)
    assert "has changed since this page was opened" in message(refused)
    assert state(sqlite_database, cohort) is StudyStatus.CLOSED


def test_a_signature_that_is_sent_twice_is_recorded_once(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    lock(dora, cohort)
    path = here(cohort, "/sign")
    form = dora.get(path)
    for _ in range(2):
        dora.submit(form, path, password=PASSWORD, statement="seen")
    assert signatures(sqlite_database) == 2


def test_an_amendment_shows_on_the_page_and_supersedes(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    lock(dora, cohort)
    reading = f"/p/BCBM/measurements/{cohort.weights[0]}"
    page = dora.get(reading)
    path = here(cohort, f"/amend/reading/{cohort.weights[0]}")
    assert only(page, f'a[href="{path}"]').get_text(strip=True) == "Amend BM-014"
    assert page.find("a", string="Exclude") is None
    refused = dora.submit(
        dora.get(path, heading="Amend study"), path, status=422, password=PASSWORD, statement="typo", value="2150"
    )
    assert "above 80 g" in message(refused)
    answer = dora.submit(dora.get(path), path, password=PASSWORD, statement="typo", value="21.5")
    page = dora.get(redirect(answer))
    told = message(page)
    assert "No longer valid: an amendment came after it. By Dora," in told
    assert "Since then changed: the measurements." in told
    assert "Recorded later, of animals that lived on or by an amendment, and no part of what was signed: 1 measurement." in told
    link = only(page, f'a[href="/p/BCBM/audit/record/measurement/{cohort.weights[0]}"]')
    assert "typo" in message(dora.get(str(link["href"])))
    assert "excluded" in message(dora.get(reading))
    assert [one.get_text(strip=True).split("·")[0] for one in dora.get(here(cohort)).select(".signed-by li")] == [
        "Valid",
        "No longer valid: an amendment came after it",
    ]


def test_a_fate_is_amended_and_what_it_was_stays_in_its_history(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        died = {"animal_id": cohort.animals[0], "died_on": DAY_ZERO + timedelta(days=20), "reason": FateReason.SCHEDULED}
        (fate,) = record_fates(session, COMMAND_LINE, 1, [died])
        stray = make.animal(session, session.get_one(Project, 1), "STRAY")
        (other,) = record_fates(session, COMMAND_LINE, 1, [died | {"animal_id": stray.id}])
    path = here(cohort, f"/amend/fate/{fate.id}")
    early = dora.submit(dora.get(path), path, status=422, email=address("Dora"), password=PASSWORD, statement="necropsy")
    assert "is of a locked study" in message(early)
    lock(dora, cohort)
    page = dora.get(here(cohort, "/signatures"))
    assert only(page, f'a[href="{path}"]').get_text(strip=True) == cohort.codes[0]
    assert "Study BM-014 does not count this fate." in message(dora.get(here(cohort, f"/amend/fate/{other.id}")))
    same = dora.submit(dora.get(path), path, status=422, password=PASSWORD, statement="necropsy")
    assert "Nothing differs" in message(same)
    before_birth = dora.submit(dora.get(path), path, status=422, password=PASSWORD, statement="necropsy", died_on="2026-03-03")
    assert "measurement" in message(before_birth)
    page = dora.get(redirect(dora.submit(dora.get(path), path, password=PASSWORD, statement="necropsy", reason="tumour_burden")))
    assert "Since then changed: the fates. What changed: fate 2026-03-22 tumour burden of BM-014-M01" in message(page)
    assert "scheduled → tumour burden" in message(dora.get(f"/p/BCBM/audit/record/fate/{fate.id}"))
    dora.get(here(cohort, "/amend/fate/999999"), status=404)


def test_the_history_of_a_signature_is_for_those_who_read_the_trail(dora: Browser, cohort: Cohort, app: Application) -> None:
    lock(dora, cohort)
    assert "final report 12" in message(dora.get("/p/BCBM/audit/record/signature/1"))
    Browser(app).sign_in("Tom").get("/p/BCBM/audit/record/signature/1", status=403)


def test_an_amendment_of_no_such_reading_is_refused(dora: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    other = add_cohort(sqlite_database, "BM-015")
    lock(dora, cohort)
    told = message(dora.get(here(cohort, f"/amend/reading/{other.weights[0]}")))
    assert "Before this can be done: Study BM-014 does not count this reading." in told
    dora.get(here(cohort, "/amend/reading/999999"), status=404)
    foreign = add_cohort(sqlite_database, "BM-016", project="OTHER")
    dora.get(here(cohort, f"/amend/reading/{foreign.weights[0]}"), status=404)
    dora.get(f"/p/BCBM/studies/{foreign.study}/signatures", status=404)
    dora.get(f"/p/BCBM/studies/{foreign.study}/lock", status=404)


def test_only_a_closed_study_has_the_button_and_the_form(dora: Browser, cohort: Cohort, app: Application) -> None:
    def buttons(who: Browser) -> list[str]:
        return [one.get_text(strip=True) for one in who.get(here(cohort)).select(".page-head .btn")]

    assert "Lock" in buttons(dora)
    assert "Lock" not in buttons(Browser(app).sign_in("Sara"))
    assert "Amend" not in buttons(dora)
    refused = dora.submit(
        dora.get(here(cohort, "/amend")),
        here(cohort, "/amend"),
        status=422,
        email=address("Dora"),
        password=PASSWORD,
        statement="x",
    )
    assert "is of a locked study; study BM-014 is closed" in message(refused)
    lock(dora, cohort)
    assert {"Sign", "Amend"} <= set(buttons(dora))
    assert "Lock" not in buttons(dora)
    assert "is locked. Expected: a study that is closed. Look under Signatures" in message(dora.get(here(cohort, "/lock")))


def test_clause_11_a_signature_stands_in_exports_the_api_and_the_bundle(
    dora: Browser, cohort: Cohort, sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    lock(dora, cohort)
    with sqlite_database.reading() as session:
        made = session.scalars(select(Signature)).one()
    with dora.client.get(here(cohort, "/export/signatures.csv")) as response:
        (row,) = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))
    assert (row["name"], row["meaning"], row["act"], row["standing"]) == ("Dora", "approved", "lock", "valid")
    assert (row["statement"].split(" (")[0], row["sha256"]) == ("final report 12", made.sha256)
    assert row["signed_at"].startswith(f"{made.signed_at:%Y-%m-%d}")
    (told,) = dora.client.get(f"/api/v1/projects/BCBM/studies/{cohort.study}").get_json()["signatures"]
    assert (told["name"], told["meaning"], told["sha256"], told["person"]["name"]) == ("Dora", "approved", made.sha256, "Dora")
    assert dora.client.get("/api/v1/projects/BCBM/studies").get_json()["items"][0]["signatures"] == [told]
    with dora.client.get("/p/BCBM/audit/export?format=csv&action=study:lock") as response:
        assert f"signature,{made.id}" in response.text
        assert ",name,,Dora" in response.text
    with zipfile.ZipFile(packed(sqlite_database, settings)) as archive:
        archive.extractall(tmp_path / "bundle")
    check = verify_bundle.run(tmp_path / "bundle", None, [])
    assert not any(one.startswith("Signature") for one in check.problems)
    at = made.signed_at.isoformat().replace("+00:00", "Z")
    assert check.signatures == [f"Dora, {at}, approved: lock, study {cohort.study}, event {made.event_seq}"]


def packed(database: Database, settings: Settings) -> io.BytesIO:
    """Give a bundle of everything."""
    stream = io.BytesIO()
    write_bundle(database, settings, FileStore(settings.file_dir), stream)
    return stream


def test_clause_12_a_signature_that_never_fitted_is_told_by_the_bundle(
    cohort: Cohort, sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    with make.declared(sqlite_database) as session:
        made = make.signature(session, session.get_one(Study, cohort.study), make.user(session))
    with zipfile.ZipFile(packed(sqlite_database, settings)) as archive:
        archive.extractall(tmp_path / "bundle")
    told = verify_bundle.run(tmp_path / "bundle", None, [])
    assert [one for one in told.problems if one.startswith("Signature")] == [
        f"Signature {made.id}, of event {told.events}, is not what was signed: its hash does not fit what it says."
    ]
    assert told.signatures == []


def test_clause_11_a_printed_page_has_the_signature(dora: Browser, cohort: Cohort) -> None:
    """Nothing hides it on paper: it stands in the page's head, which is printed."""
    lock(dora, cohort)
    signed = only(dora.get(here(cohort)), ".page-head .signed-by, .signed-by")
    assert "no-print" not in " ".join(" ".join(one.get("class") or []) for one in [signed, *signed.parents])


def test_clause_12_what_is_altered_behind_the_running_application_shows(
    dora: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    lock(dora, cohort)
    dora.get(here(cohort))
    tamper(sqlite_database, "UPDATE measurement SET value = 33 WHERE id = :id", id=cohort.weights[0])
    assert "No longer valid: what was signed has changed. Since then changed: the measurements." in message(
        dora.get(here(cohort, "/signatures"))
    )
    assert "No longer valid" in only(dora.get(here(cohort)), ".signed-by").get_text()
    tamper(sqlite_database, "DELETE FROM signature")
    told = message(dora.get(here(cohort, "/signatures")))
    assert "Gone: the audit trail tells of this signature, and its record was removed." in told
    assert "Nobody has signed" not in told
    with dora.client.get(here(cohort, "/export/signatures.csv")) as response:
        assert [row["standing"] for row in csv.DictReader(io.StringIO(response.text.lstrip("\ufeff")))] == ["missing"]


def test_who_is_blinded_reads_no_arm_in_signatures(
    dora: Browser, cohort: Cohort, app: Application, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        session.get_one(Study, cohort.study).blinded = True
    lock(dora, cohort, statement="Tucatinib holds the tumour back")
    with make.declared(sqlite_database) as session:
        for arm in session.get_one(Study, cohort.study).arms:
            arm.target_n = 99
    for name, secret in (("Tom", True), ("Dora", False)):
        told = message(Browser(app).sign_in(name).get(here(cohort, "/signatures")))
        assert "No longer valid: what was signed has changed. Since then changed: the arms." in told
        assert ("Tucatinib" not in told) is secret, name


def test_signing_on_each_engine(app_on_each: Application, database: Database) -> None:
    cohort = closed(database)
    dora = Browser(app_on_each).sign_in("Dora")
    assert "The password is not right." in message(lock(dora, cohort, 422, password="wrong"))
    assert "Dora: approved Valid." in message(lock(dora, cohort))
    path = here(cohort, f"/amend/reading/{cohort.weights[0]}")
    amended = dora.submit(dora.get(path), path, password=PASSWORD, statement="typo", value="21.5")
    told = message(dora.get(redirect(amended)))
    assert told.count("No longer valid: an amendment came after it.") == 1
    assert len(failures(database)) == 1
    assert verify(database).problems == []
