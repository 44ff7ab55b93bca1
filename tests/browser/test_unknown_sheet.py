"""A new user's two minutes: an unknown sheet is mapped and kept as a profile, and next week's is read without a question."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from lims.models import Project
from tests.browser.walk import Walk, ago
from tests.intake.desk import Desk
from tests.support import factories

ANIMALS = ("Q-1", "Q-2", "Q-3")


def sheet(days: int) -> bytes:
    """Write the barn's own list: a title, odd headers, decimal commas, a column that nobody needs."""
    day = ".".join(reversed(ago(days).split("-")))
    rows = [f"{animal};{day};{20 + number},{number};{'' if number else 'scruffy'}" for number, animal in enumerate(ANIMALS)]
    return "\n".join(["Stall 4, Woche;;;", ";;;", "Käfigtier;Wann;KG;Bemerkung", *rows, ""]).encode()


def upload(walk: Walk, name: str, content: bytes) -> None:
    walk.go("imports/new")
    walk.page.get_by_label("Choose a file").set_input_files([{"name": name, "mimeType": "text/csv", "buffer": content}])
    walk.press("Upload and check")
    walk.page.wait_for_url(re.compile(r"/imports/\d+$"))
    expect(walk.page.locator("h1")).to_contain_text("Check")


def test_a_new_users_two_minutes(director: Page, new_desk: Callable[[str], Desk]) -> None:
    desk = new_desk("TWOMINUTES")
    with factories.declared(desk.database) as session:
        for code in ANIMALS:
            factories.animal(session, session.get_one(Project, desk.project), code)
    walk = Walk(director, "TWOMINUTES")

    upload(walk, "Stall week 1.csv", sheet(9))
    expect(walk.main).to_contain_text("o importer recognises")
    director.get_by_role("link", name="Map its columns").first.click()
    expect(walk.main.get_by_role("radio", name="row 3")).to_be_checked()
    expect(walk.main.get_by_label("What Käfigtier holds")).to_have_value("animal")
    expect(walk.main.get_by_label("What Wann holds")).to_have_value("date")
    walk.press("Read it so, and check")
    expect(walk.main.get_by_role("alert")).to_contain_text("Say what it holds")
    expect(walk.main.get_by_role("alert")).to_be_focused()
    walk.main.get_by_label("What KG holds").select_option(label="Body weight, in g")
    walk.main.get_by_label("What Bemerkung holds").select_option(label="Not read")
    walk.main.get_by_label("Why “Bemerkung” is not read").fill("kept on paper")
    walk.main.get_by_label("Name of the profile").fill("Weekly sheet of stall 4")
    walk.press("Read it so, and check")
    expect(walk.page.locator("h1")).to_contain_text("Check")
    walk.press(re.compile("^Record 3 measurements"))
    expect(walk.main).to_contain_text("3 measurements")

    upload(walk, "Stall week 2.csv", sheet(2))
    expect(walk.main).to_contain_text('Profile "Weekly sheet of stall 4" (version 1) knows these headers')
    expect(walk.main.get_by_role("button", name=re.compile("^Record 3 measurements"))).to_be_visible()
    walk.press(re.compile("^Record 3 measurements"))
    expect(walk.main).to_contain_text("Weekly sheet of stall 4, version 1")
    assert sorted(value for *_, value in desk.readings()) == [20.0, 20.0, 21.1, 21.1, 22.2, 22.2]
