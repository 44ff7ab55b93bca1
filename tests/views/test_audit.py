"""The audit pages as an auditor uses them, and as everybody else is kept out of them."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lims.audit.checkpoint import make_checkpoint
from lims.audit.record import declare
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.models import Animal, AuditEvent, Project
from lims.views import audit as audit_views
from lims.views.transaction import Application
from tests.audit.trail import Trail, rename, tamper, write_trail
from tests.support import factories as make
from tests.support.cases import each
from tests.support.pages import PASSWORD, Browser, add_person, address, message, only
from tests.support.statements import statements

HERE = "/p/BCBM/audit/"
SIGNED = {"email": address("Ines"), "password": PASSWORD}


@pytest.fixture
def trail(sqlite_database: Database) -> Trail:
    """Give a project with three events, another with three, and people of four roles in the first."""
    told = write_trail(sqlite_database)
    write_trail(sqlite_database, "OTHER")
    for name, role in (("Ines", RoleName.AUDITOR), ("Dora", RoleName.STUDY_DIRECTOR), ("Tom", RoleName.TECHNICIAN)):
        add_person(sqlite_database, name, BCBM=role)
    return told


@pytest.fixture
def auditor(app: Application, trail: Trail) -> Browser:
    """Give the auditor's browser."""
    return Browser(app).sign_in("Ines")


def listed(page: BeautifulSoup) -> list[int]:
    """Give the numbers of the events in the list, in its order."""
    return [int(link.text.removeprefix("#")) for link in page.select("table.data a[data-row-link]")]


def sent(response: TestResponse) -> bytes:
    """Give the whole of a file, and let go of it as a server does."""
    assert response.status_code == 200
    with response:
        content: bytes = response.data
        assert response.content_length == len(content)
        return content


def newest(database: Database) -> AuditEvent:
    with database.reading() as session:
        return session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).one()


def test_the_list_shows_what_the_database_counts(auditor: Browser, trail: Trail, sqlite_database: Database) -> None:
    page = auditor.get(HERE, heading="Audit trail")
    with sqlite_database.reading() as session:
        own = session.scalar(select(func.count()).where(AuditEvent.project_id == trail.project))
    # Besides: what made the project and its three members' accounts, which belong to none; not the sign-in, nor other projects.
    assert len(listed(page)) == (own or 0) + 4
    assert only(page, "h1 .count").text == str(len(listed(page)))
    assert listed(page) == sorted(listed(page), reverse=True)
    text = message(page)
    assert "animal changed" in text
    assert "3 measurements" in text
    assert "moved" in text
    assert "session opened" not in text


@each(
    ("query", "expected"),
    [
        ("action=animal:change", [3]),
        ("entity=measurement", [2]),
        ("entity=animal&key={animal}", [3, 1]),
        ("reason=weigh", [2]),
        ("person=0&until=2000-01-01", []),
        ("action=measurement:create&from=2000-01-01", [2]),
    ],
)
def test_filters_stand_in_the_address(auditor: Browser, trail: Trail, query: str, expected: list[int]) -> None:
    assert listed(auditor.get(f"{HERE}?{query.format(animal=trail.animal)}")) == expected


def test_days_are_those_of_the_lab(trail: Trail, settings: Settings, sqlite_database: Database, make_app: object) -> None:
    far_east = settings.model_copy(update={"timezone": "Pacific/Kiritimati"})  # UTC+14
    browser = Browser(make_app(far_east, sqlite_database)).sign_in("Ines")  # type: ignore[operator]  # the fixture is typed as object
    with sqlite_database.reading() as session:
        at = session.get_one(AuditEvent, 3).at
    page = browser.get(f"{HERE}?action=animal:change")
    shown = only(page, "table.data tbody td:nth-of-type(2)").text.strip()
    day = shown[:10]
    assert shown[11:16] != at[11:16]
    assert listed(browser.get(f"{HERE}?action=animal:change&from={day}&until={day}")) == [3]


@each(
    ("query", "said"),
    [
        ("from=2026-13-40", "'2026-13-40' is no date. Expected: year-month-day, such as 2026-11-02"),
        ("until=9999-12-31", "Expected: a year between 1900 and 9000"),
        ("person=ada", "'ada' is no person. Expected: digits"),
        ("key=²", "'²' is no record number."),
        ("key=99999999999999999999999", "is no record number"),
        ("action=tea:drink", "'tea:drink' is no action of the audit trail."),
        ("entity=pg_user", "'pg_user' is no kind of record."),
        ("review=yours", "'yours' is no choice for Reviewed."),
        ("reason=a%00b", "contains characters that cannot be typed"),
    ],
)
@each("path", [HERE, f"{HERE}export?format=csv&"])
def test_a_filter_that_means_nothing_is_refused_in_words(auditor: Browser, path: str, query: str, said: str) -> None:
    page = auditor.get(f"{path}{'' if '?' in path else '?'}{query}", 422)
    assert said in message(page)


def test_the_list_costs_the_same_however_long_it_is(auditor: Browser, trail: Trail, sqlite_database: Database) -> None:
    auditor.get(HERE)
    rename(sqlite_database, trail.project, "Title")
    with statements(sqlite_database.engine) as few:
        auditor.get(HERE)
    for number in range(40):
        rename(sqlite_database, trail.project, f"Title {number}")
    with statements(sqlite_database.engine) as many:
        page = auditor.get(HERE)
    assert len(listed(page)) > 40
    assert len(many) == len(few)


def test_an_event_tells_who_when_why_and_its_place_in_the_chain(auditor: Browser, trail: Trail, sqlite_database: Database) -> None:
    page = auditor.get(f"{HERE}3", heading="Event 3")
    with sqlite_database.reading() as session:
        event = session.get_one(AuditEvent, 3)
    text = message(page)
    for part in ("Animal changed", "tester", "moved", "ear tag C1 → C2", event.at, event.hash, event.previous_hash, event.root):
        assert part in text
    assert page.find("a", href=f"/p/BCBM/animals/{trail.animal}")


def test_a_record_s_history_is_told_whole_to_those_of_its_project(
    auditor: Browser, app: Application, trail: Trail, sqlite_database: Database
) -> None:
    path = f"{HERE}record/animal/{trail.animal}"
    page = auditor.get(path, heading="History of animal")
    assert "changed ear tag C1 → C2" in message(page)
    assert "Reason: moved" in message(page)
    assert page.find("a", href=f"{HERE}3")
    technician = Browser(app).sign_in("Tom").get(path)
    assert "changed ear tag C1 → C2" in message(technician)
    assert not technician.find("a", href=f"{HERE}3"), "the event's page is not for technicians"
    with sqlite_database.reading() as session:
        foreign = session.scalar(select(Animal.id).where(Animal.project_id != trail.project).limit(1))
    for gone in (f"record/animal/{foreign}", "record/animal/0", "record/user_account/1", "record/nothing/1"):
        auditor.get(f"{HERE}{gone}", 404)


def test_an_event_of_another_project_is_not_found(auditor: Browser) -> None:
    for seq in (4, 5, 6, 9999, 10**30):
        auditor.get(f"{HERE}{seq}", 404)


@pytest.mark.parametrize("path", ["", "3", "export?format=csv"])
def test_technicians_are_kept_out(app: Application, trail: Trail, path: str) -> None:
    page = Browser(app).sign_in("Tom").get(f"{HERE}{path}", 403)
    assert "It takes the role administrator, study director or auditor." in message(page)


@pytest.mark.parametrize("action", ["verify", "review", "bundle"])
def test_technicians_can_send_nothing_either(app: Application, trail: Trail, action: str, sqlite_database: Database) -> None:
    browser = Browser(app).sign_in("Tom")
    token = only(browser.get("/"), "input[name='csrf_token']")["value"]
    before = newest(sqlite_database).seq
    response = browser.client.post(f"{HERE}{action}", data={"csrf_token": token, "comment": "x", "up_to": "3"})
    assert response.status_code == 403
    assert newest(sqlite_database).seq == before


def test_members_of_another_project_find_nothing(app: Application, trail: Trail, sqlite_database: Database) -> None:
    add_person(sqlite_database, "Olga", OTHER=RoleName.AUDITOR)
    browser = Browser(app).sign_in("Olga")
    for path in ("", "3", f"record/animal/{trail.animal}", "export?format=csv"):
        browser.get(f"{HERE}{path}", 404)


def test_csv_holds_what_the_view_shows_and_is_itself_recorded(auditor: Browser, sqlite_database: Database) -> None:
    page = auditor.get(f"{HERE}?entity=measurement&page=1")
    link = page.select_one(".exports a")
    assert link
    assert link.text == "CSV"
    response = auditor.client.get(str(link["href"]))
    rows = list(csv.reader(io.StringIO(sent(response).decode())))[1:]
    assert {row[0] for row in rows} == {"2"}
    assert response.headers["Content-Disposition"].startswith("attachment; filename=BCBM-audit-trail-")
    event = newest(sqlite_database)
    assert (event.action, event.actor) == ("audit:export", "Ines")
    detail = json.loads(event.detail)
    assert detail["rows"] == len(rows) > 0
    assert "measurement" in detail["filters"]


def test_json_lines_hold_as_many_events_as_the_list_counts(auditor: Browser, sqlite_database: Database) -> None:
    numbers = listed(auditor.get(HERE))
    lines = [json.loads(line) for line in sent(auditor.client.get(f"{HERE}export?format=jsonl")).splitlines()]
    assert [line["event"] for line in lines if "event" in line] == sorted(numbers)
    assert json.loads(newest(sqlite_database).detail)["rows"] == len(numbers)


def test_xlsx_opens_and_an_unknown_format_does_not(auditor: Browser) -> None:
    response = auditor.client.get(f"{HERE}export?format=xlsx&action=animal:change")
    sheet = load_workbook(io.BytesIO(sent(response)), read_only=True).worksheets[0]
    assert [row[8:11] for row in sheet.iter_rows(min_row=2, values_only=True)] == [("ear_tag", "C1", "C2")]
    assert "'pdf' is no format for the audit trail. Expected: csv, xlsx, jsonl" in message(
        auditor.get(f"{HERE}export?format=pdf", 422)
    )


def test_the_bundle_is_the_project_s_and_brings_a_checkpoint(auditor: Browser, sqlite_database: Database) -> None:
    page = auditor.get(HERE)
    assert "No checkpoint yet" in message(page)
    token = only(page, "input[name='csrf_token']")["value"]
    response = auditor.client.post(f"{HERE}bundle", data={"csrf_token": token})
    with zipfile.ZipFile(io.BytesIO(sent(response))) as archive:
        events = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    shown = [event["seq"] for event in events if "actor" in event]
    assert set(listed(page)) <= set(shown)
    assert 5 not in shown, "another project's event is sealed"
    after = message(auditor.get(HERE))
    assert "Sealed up to event" in after
    assert "bcbm-lims/" in after
    recorded = json.loads(newest(sqlite_database).detail)
    assert (recorded["format"], recorded["rows"]) == ("bundle", len(shown))


def test_verifying_says_that_all_holds_and_records_it(auditor: Browser, settings: Settings, sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        make_checkpoint(session, settings)
    page = auditor.get(HERE)
    assert "Not verified yet" in message(page)
    verified = auditor.submit(page, f"{HERE}verify", status=200, heading="Verification")
    assert "Everything holds." in message(verified)
    event = newest(sqlite_database)
    detail = json.loads(event.detail)
    assert (event.action, detail["problems"], detail["checkpoints"]) == ("audit:check", 0, 1)
    after = auditor.get(HERE)
    assert "Everything held" in message(after)
    assert after.find("a", href=f"{HERE}{event.seq}")


def test_an_edit_behind_the_log_is_told_with_record_field_and_values(
    auditor: Browser, trail: Trail, sqlite_database: Database
) -> None:
    tamper(sqlite_database, "UPDATE animal SET ear_tag = 'X9' WHERE ear_tag = 'C2'")
    verified = message(auditor.submit(auditor.get(HERE), f"{HERE}verify", status=200))
    assert "The audit trail does not hold." in verified
    assert "ear tag: the trail says C2 (event 3), the table holds X9." in verified
    assert verified.count("the table holds") == 1, "the other project's animal is counted, not told"
    assert "1 more problem is in records of no project or of other projects" in verified
    assert json.loads(newest(sqlite_database).detail)["problems"] == 2
    assert "2 problems found" in message(auditor.get(HERE))


def test_a_long_trail_is_left_to_the_command_line(
    auditor: Browser, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_views, "VERIFIED_HERE", 3)
    before = newest(sqlite_database).seq
    page = auditor.submit(auditor.get(HERE), f"{HERE}verify", status=422)
    assert "more than 3 changes" in message(page)
    assert "lims audit verify" in message(page)
    assert newest(sqlite_database).seq == before


def test_clause_17_a_review_is_recorded_and_signed_and_the_next_one_begins_there(
    auditor: Browser, trail: Trail, sqlite_database: Database
) -> None:
    page = auditor.get(f"{HERE}?review=mine")
    assert "You have not reviewed this trail yet, so all of it is shown." in message(page)
    empty = auditor.submit(page, f"{HERE}review", status=422, comment=" ", **SIGNED)
    assert "Say what you looked at" in message(empty)
    for missing in ({"email": address("Ines")}, {"password": PASSWORD}):
        unsigned = auditor.submit(page, f"{HERE}review", status=422, comment="All of March, nothing amiss", **missing)
        assert "is needed" in message(unsigned)
    wrong = auditor.submit(page, f"{HERE}review", status=422, comment="All of March", **SIGNED | {"password": "wrong"})
    assert "The password is not right." in message(wrong)
    assert newest(sqlite_database).action == "session:fail"
    auditor.submit(auditor.get(HERE), f"{HERE}review", comment="All of March, nothing amiss", **SIGNED)
    event = newest(sqlite_database)
    assert (event.action, event.actor, event.reason) == ("audit:review", "Ines", "All of March, nothing amiss")
    told = message(auditor.get(HERE))
    assert "0 events since your last review" in told
    assert "signed, valid" in told
    assert "person Ines" in message(auditor.get(f"{HERE}{event.seq}"))
    rename(sqlite_database, trail.project, "Another title")
    assert listed(auditor.get(f"{HERE}?review=mine")) == [newest(sqlite_database).seq]
    again = auditor.submit(auditor.get(HERE), f"{HERE}review", status=422, comment="x", up_to="1", password=PASSWORD)
    assert "Event 1 cannot be the end of a review." in message(again)


def test_one_person_s_review_is_not_another_s(auditor: Browser, app: Application) -> None:
    auditor.submit(auditor.get(HERE), f"{HERE}review", comment="seen", **SIGNED)
    assert "since the beginning" in message(Browser(app).sign_in("Dora").get(HERE))


def test_text_of_people_is_never_markup(auditor: Browser, trail: Trail, sqlite_database: Database) -> None:
    hostile = "<script>alert(1)</script>"
    with sqlite_database.transaction() as session:
        declare(session, make.actor(), "project:change", reason=hostile, project=trail.project)
        session.get_one(Project, trail.project).title = hostile
    seq = newest(sqlite_database).seq
    for path in ("", str(seq), f"record/project/{trail.project}"):
        page = auditor.get(f"{HERE}{path}")
        assert hostile in message(page)
        assert not any("alert(1)" in script.text for script in page.find_all("script"))


def test_a_batch_page_tells_its_history(auditor: Browser, trail: Trail, sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        declare(session, make.actor(), "batch:commit", project=trail.project)
        batch = make.batch(session, session.get_one(Project, trail.project))
        number = batch.id
    page = auditor.get(f"/p/BCBM/imports/{number}")
    assert "tester uploaded it" in message(page)
    assert page.find("a", href=f"{HERE}record/import_batch/{number}")
    assert "History of batch" in message(auditor.get(f"{HERE}record/import_batch/{number}"))


def test_the_pages_are_the_same_on_each_engine(app_on_each: Application, database: Database) -> None:
    told = write_trail(database)
    add_person(database, "Ines", BCBM=RoleName.AUDITOR)
    browser = Browser(app_on_each).sign_in("Ines")
    page = browser.get(HERE)
    assert {1, 2, 3} <= set(listed(page))
    assert "ear tag C1 → C2" in message(browser.get(f"{HERE}3"))
    assert "ear tag C1 → C2" in message(browser.get(f"{HERE}record/animal/{told.animal}"))
    assert "Everything holds." in message(browser.submit(page, f"{HERE}verify", status=200))
    browser.submit(page, f"{HERE}review", comment="seen", **SIGNED)
    assert b"ear_tag,C1,C2" in sent(browser.client.get(f"{HERE}export?format=csv"))
