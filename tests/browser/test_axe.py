"""Every page, with data and without, at a desk's and a tablet's width: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from importers.preflight import MAX_UPLOAD_BYTES
from lims.app import create_app
from lims.domain.vocabulary import RoleName
from lims.models import Project
from lims.records.accounts import create_user
from lims.records.projects import add_member
from tests.browser.addresses import EMPTY, FILES, FULL, NOT_WALKED, NOUNS, NOWHERE, SAME_FOR_ALL, SIGNED_OUT
from tests.browser.conftest import PASSWORD_HASH, LiveServer, browsing, sign_in
from tests.browser.laboratory import Laboratory, built
from tests.browser.sound import look
from tests.intake.desk import Desk
from tests.support import factories


@pytest.fixture(scope="session")
def laboratory(new_desk: Callable[[str], Desk]) -> Laboratory:
    """Give both projects."""
    return built(new_desk)


@pytest.fixture(scope="session")
def reader(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    """Give one page that walks through the whole application."""
    with browsing(chromium, live_server, storage_state=session_cookie) as opened:
        yield opened


@pytest.mark.parametrize("place", [*FULL, *EMPTY])
def test_a_page_is_sound(laboratory: Laboratory, reader: Page, place: str) -> None:
    reader.goto(laboratory.path(place))
    look(reader)


@pytest.mark.parametrize("place", SIGNED_OUT)
def test_a_page_before_sign_in_is_sound(page: Page, place: str) -> None:
    page.goto(SIGNED_OUT[place])
    look(page)


def test_a_refusal_for_who_was_slower_is_a_sound_page(laboratory: Laboratory, reader: Page) -> None:
    reader.goto(laboratory.path("check-ready"))
    done = laboratory.path("batch") + "/commit"
    reader.locator("form.commit-bar").evaluate("(form, action) => { form.action = action }", done)
    reader.locator("form.commit-bar button").click()
    expect(reader.locator("h1")).to_have_text("Somebody was faster")
    look(reader)


def test_a_refusal_of_too_large_a_file_is_a_sound_page(laboratory: Laboratory, reader: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    reader.goto(laboratory.path("import-new"))
    reader.get_by_label("Choose a file").set_input_files(large)
    reader.get_by_role("button", name="Upload and check").click()
    expect(reader.get_by_role("alert")).to_contain_text("too large to be sent: 50.0 MB")
    expect(reader.get_by_role("alert")).to_be_focused()
    look(reader)
    # What goes round the script, such as a browser without it, is refused by the server.
    reader.locator("form[data-upload]").evaluate("form => form.submit()")
    expect(reader.locator("h1")).to_have_text("The file is too large")
    expect(reader.get_by_role("main")).to_contain_text("50 MB")
    look(reader)


def test_a_refusal_of_a_forged_form_is_a_sound_page(laboratory: Laboratory, reader: Page) -> None:
    reader.goto(laboratory.path("study-new"))
    reader.locator("main input[name=csrf_token]").evaluate("field => { field.value = 'forged' }")
    reader.get_by_role("button", name="Record the study").click()
    expect(reader.get_by_role("main")).to_contain_text("not one of this sign-in")
    look(reader)


def test_a_refusal_for_want_of_permission_is_a_sound_page(
    laboratory: Laboratory, chromium: Browser, live_server: LiveServer
) -> None:
    with laboratory.desk.database.transaction() as session:
        auditor = create_user(session, factories.actor(), email="auditor@lab.example", name="Ann", password_hash=PASSWORD_HASH)
        add_member(session, factories.actor(), session.get_one(Project, laboratory.desk.project), auditor, RoleName.AUDITOR)
    with browsing(chromium, live_server) as page:
        sign_in(page, "auditor@lab.example")
        page.goto(laboratory.path("import-new"))
        expect(page.get_by_role("main")).to_contain_text("auditor")
        look(page)


def test_every_page_is_walked(laboratory: Laboratory, live_server: LiveServer) -> None:
    """A new page has to be named here."""
    application = create_app(laboratory.desk.settings, live_server.database)
    addresses = application.url_map.bind("127.0.0.1")
    walked = {
        addresses.match(laboratory.path(place).partition("?")[0])[0] for place in FULL | EMPTY | SIGNED_OUT if place not in NOWHERE
    }
    pages = {rule.endpoint for rule in application.url_map.iter_rules() if "GET" in (rule.methods or ())}
    same = {f"{noun}.{page}" for noun in NOUNS for page in SAME_FOR_ALL}
    assert pages - walked - FILES - same == set(NOT_WALKED)
