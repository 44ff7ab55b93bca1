"""A surgery list by scanner: ids go down the rows, Enter sends nothing, with script or without; rows come as they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from sqlalchemy import func, select

from lims.models import Implant, Project
from tests.browser.conftest import LiveServer
from tests.intake.desk import Desk
from tests.support import factories

LIST = "/p/SURGERY/implants/surgery"


@pytest.fixture(scope="session")
def room(new_desk: Callable[[str], Desk]) -> Desk:
    """Give a project with thirty animals and tissue of a patient who agreed."""
    desk = new_desk("SURGERY")
    with factories.declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        patient = factories.patient(session, project, "BCBM-P01")
        factories.consent(session, patient)
        factories.aliquot(session, factories.specimen(session, patient), "AL-00001")
        protocol = factories.protocol(session, project)
        for number in range(1, 31):
            factories.animal(session, project, f"M{number:02}", protocol_id=protocol.id)
    return desk


def implants(desk: Desk) -> int:
    """Count what was recorded."""
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).where(Implant.project_id == desk.project)) or 0


def scan(page: Page, *codes: str) -> None:
    """Do what a scanner does."""
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")


def test_scans_go_down_the_rows_and_more_rows_come(director: Page, room: Desk) -> None:
    director.goto(LIST)
    expect(director.locator("table.entry tbody tr:visible")).to_have_count(3)
    director.locator("#aliquot_id").fill("AL-00001")
    director.get_by_label("Animal, row 1", exact=True).focus()
    scan(director, *(f"M{number:02}" for number in range(1, 25)))
    expect(director).to_have_url(re.compile(f"{LIST}$"))
    expect(director.get_by_label("Animal, row 25", exact=True)).to_be_focused()
    expect(director.get_by_label("Animal, row 24", exact=True)).to_have_value("M24")
    assert implants(room) == 0
    director.get_by_label("The aliquot is used up").check()
    director.locator("#site").select_option("intracranial")
    director.get_by_label("Side").select_option("Right")
    director.get_by_role("button", name="Record the implants").click()
    expect(director.get_by_role("alert").last).to_contain_text("No analgesic is recorded.")
    expect(director.get_by_label("Animal, row 24", exact=True)).to_have_value("M24")
    director.get_by_label("I have looked at this again").check()
    director.get_by_role("button", name="Record the implants").click()
    expect(director.locator("h1")).to_contain_text("Surgery of")
    expect(director.locator("table.data").first.locator("tbody tr")).to_have_count(24)
    assert implants(room) == 24


def test_enter_moves_on_through_what_is_typed_once(director: Page, room: Desk) -> None:
    director.goto(LIST)
    expect(director.locator("#aliquot_id")).to_be_focused()
    scan(director, "AL-00001")
    expect(director.get_by_label("Taken from it")).to_be_focused()
    expect(director.locator("h1")).to_have_text("Surgery list")


def test_without_script_there_are_twenty_rows_and_enter_sends_nothing(
    chromium: Browser, live_server: LiveServer, session_cookie: StorageState, room: Desk
) -> None:
    before = implants(room)
    context = chromium.new_context(base_url=live_server.url, storage_state=session_cookie, java_script_enabled=False)
    page = context.new_page()
    page.goto(LIST)
    expect(page.locator("table.entry tbody tr:visible")).to_have_count(20)
    page.get_by_label("Animal, row 1", exact=True).focus()
    scan(page, "M30")
    expect(page.get_by_label("Animal, row 1", exact=True)).to_have_value("M30")
    expect(page.locator("h1")).to_have_text("Surgery list")
    context.close()
    assert implants(room) == before
