"""The page of identifiers: what the next record will be called, and how to change that."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lims.db import Database
from lims.domain.naming import DEFAULT_PATTERNS
from lims.domain.vocabulary import RoleName
from lims.models import AuditEvent, Cage, Project
from lims.records.colony import CAGE
from lims.records.nouns import record
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.pages import Browser, add_person, add_project, message, only, redirect
from tests.views.test_studies import cells

PAGE = "/p/BCBM/identifiers/"


def with_people(database: Database) -> Project:
    """Add a project with a study director and a technician."""
    project = add_project(database, "BCBM")
    add_person(database, "Dora", BCBM=RoleName.STUDY_DIRECTOR)
    add_person(database, "Tom", BCBM=RoleName.TECHNICIAN)
    return project


def cages(database: Database, project: Project, count: int) -> list[str]:
    """Record cages without codes; gives what they were called."""
    with database.transaction() as session:
        return [one.code for one in record(session, make.actor(), CAGE, project.id, [{"note": "new"} for _ in range(count)])]


def shown(browser: Browser) -> dict[str, list[str]]:
    """Give the rows of the page by what they name."""
    rows = cells(browser.get(PAGE, heading="Identifiers"), "Identifiers")
    return {row[0]: row[1:] for row in rows}


def test_the_page_names_the_codes_that_come_next(app_on_each: Application, database: Database) -> None:
    project = with_people(database)
    browser = Browser(app_on_each).sign_in("Dora")
    assert len(shown(browser)) == len(DEFAULT_PATTERNS)
    assert shown(browser)["Cage"] == ["C-{number:03}", "0", "C-001"]
    with make.declared(database) as session:
        for number in (1, 2, 4):
            make.cage(session, project, f"C-{number:03}")
    assert shown(browser)["Cage"] == ["C-{number:03}", "0", "C-003"]
    assert cages(database, project, 2) == ["C-003", "C-005"]
    assert shown(browser)["Cage"] == ["C-{number:03}", "5", "C-006"]


def test_codes_beyond_many_that_were_typed_by_hand_are_found(sqlite_database: Database) -> None:
    project = with_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        session.add_all(Cage(project_id=project.id, code=f"C-{number:03}") for number in range(1, 251))
        session.flush()
    assert cages(sqlite_database, project, 1) == ["C-251"]


def test_a_changed_pattern_names_what_is_recorded_from_now_on(app_on_each: Application, database: Database) -> None:
    project = with_people(database)
    assert cages(database, project, 1) == ["C-001"]
    browser = Browser(app_on_each).sign_in("Dora")
    path = f"{PAGE}cage"
    answered = browser.submit(browser.get(path), path, pattern=" K/{number:04} ", reason="new racks")
    assert "The next cage will be K/0002." in message(browser.get(redirect(answered)))
    assert cages(database, project, 1) == ["K/0002"]
    with database.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "pattern:change")).one()
    assert (event.actor, event.reason) == ("Dora", "new racks")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"pattern": "C"}, "has no {number}"),
        ({"pattern": "C{number}{number}"}, "more than one"),
        ({"pattern": "C{number:05}{code}"}, "may not have"),
        ({"pattern": "<b>{number}"}, "may not have"),
        ({"pattern": "C2{number}"}, "a digit beside its number"),
        ({"pattern": ""}, "A pattern is needed"),
        ({"pattern": "C-{number:03}"}, "Nothing differs"),
        ({"pattern": "AL-{number:02}"}, "codes of aliquots"),
        ({"pattern": "K{number}", "reason": " "}, "A reason is needed"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_beside_the_field(
    app: Application, sqlite_database: Database, fields: dict[str, str], told: str
) -> None:
    with_people(sqlite_database)
    browser, path = Browser(app).sign_in("Dora"), f"{PAGE}cage"
    page = browser.submit(browser.get(path), path, status=422, **{"reason": "try"} | fields)
    assert told in message(page)
    assert only(page, "input#pattern")["value"] == fields["pattern"]
    assert shown(browser)["Cage"][0] == "C-{number:03}"


def test_labels_of_implants_may_look_like_other_codes(app: Application, sqlite_database: Database) -> None:
    with_people(sqlite_database)
    browser, path = Browser(app).sign_in("Dora"), f"{PAGE}implant_label"
    browser.submit(browser.get(path), path, pattern="C-{number}", reason="shorter")
    assert shown(browser)["Implant within its animal"] == ["C-{number}", "", "C-1"]


def test_a_technician_looks_and_changes_nothing(app: Application, sqlite_database: Database) -> None:
    with_people(sqlite_database)
    browser = Browser(app).sign_in("Tom")
    assert shown(browser)["Aliquot"][2] == "AL-00001"
    browser.get(f"{PAGE}aliquot", status=403)
    Browser(app).sign_in("Dora").get(f"{PAGE}measurement", status=404)
