"""The keyboard alone: search, skip link, filters that keep the page, forms that keep what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.intake.desk import Desk
from tests.support import files


@pytest.fixture(scope="session")
def project(new_desk: Callable[[str], Desk]) -> str:
    """Give a project with three weighed animals."""
    desk = new_desk("KEYS")
    desk.record(files.weights((animal, "2026-03-09", 21.4) for animal in ("M1", "M2", "M30")), "weights.csv")
    return "/p/KEYS/"


@pytest.mark.parametrize("path", ["animals/", "measurements/", "imports/", "studies/"])
def test_a_slash_goes_to_the_search_field(director: Page, project: str, path: str) -> None:
    director.goto(project + path)
    director.keyboard.press("/")
    search = director.get_by_label("Search", exact=True)
    expect(search).to_be_focused()
    director.keyboard.type("a/b")
    expect(search).to_have_value("a/b")


def test_a_scan_from_any_page_opens_its_record(director: Page, project: str) -> None:
    director.goto(project + "measurements/")
    director.keyboard.press("/")
    director.keyboard.type("m30")
    director.keyboard.press("Enter")
    expect(director.locator("h1")).to_have_text("M30")


def test_a_view_is_saved_and_opened_by_keyboard(director: Page, project: str) -> None:
    director.goto(project + "animals/?q=M3")
    director.locator(".views summary").focus()
    director.keyboard.press("Enter")
    director.get_by_label("Save this view as").fill("Thirties")
    director.keyboard.press("Enter")
    expect(director.get_by_role("status")).to_contain_text("“Thirties” was saved")
    director.goto(project + "animals/")
    director.locator(".views summary").focus()
    director.keyboard.press("Enter")
    director.keyboard.press("Tab")
    expect(director.get_by_role("link", name="Thirties")).to_be_focused()
    director.keyboard.press("Enter")
    expect(director.locator("tbody tr")).to_have_count(1)


def test_the_first_stop_leads_past_the_frame(director: Page, project: str) -> None:
    director.goto(project + "animals/")
    director.keyboard.press("Tab")
    skip = director.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    director.keyboard.press("Enter")
    expect(director.get_by_role("main")).to_be_focused()
    director.keyboard.press("Tab")
    assert director.evaluate("document.activeElement.closest('main') !== null")


def test_enter_in_a_filter_filters_and_keeps_the_page(director: Page, project: str) -> None:
    director.goto(project + "animals/?sort=-code")
    find = director.locator("main [data-search]").first
    find.focus()
    director.keyboard.type("M3")
    director.keyboard.press("Enter")
    expect(director).to_have_url(re.compile(r"/animals/\?q=M3&state=living&sort=-code$"))
    expect(director.locator("h1")).to_contain_text("Animals")
    expect(director.locator("tbody tr")).to_have_count(1)
    expect(find).to_have_value("M3")
    director.go_back()
    expect(director.locator("tbody tr")).to_have_count(3)
    expect(find).to_be_enabled()


def test_a_row_is_opened_by_its_link(director: Page, project: str) -> None:
    director.goto(project + "animals/")
    director.locator("a[data-row-link]", has_text="M30").focus()
    director.keyboard.press("Enter")
    expect(director.locator("h1")).to_have_text("M30")


def test_a_menu_closes_on_escape_and_gives_the_focus_back(director: Page, project: str) -> None:
    director.goto(project)
    summary = director.locator("details[data-menu] summary").last
    summary.focus()
    director.keyboard.press("Enter")
    expect(director.get_by_role("button", name="Sign out")).to_be_visible()
    director.keyboard.press("Tab")
    director.keyboard.press("Escape")
    expect(director.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_refused_form_keeps_what_was_typed_and_starts_at_its_errors(director: Page, project: str) -> None:
    director.goto(project + "studies/new")
    director.get_by_label("Code").fill("BM9")
    director.get_by_label("Hypothesis").fill("it shrinks by 12,5 %")
    director.get_by_label("Weight-loss limit").fill("twenty")
    director.get_by_label("Weight-loss limit").press("Enter")
    summary = director.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Title")
    expect(summary).to_contain_text("Weight-loss limit")
    expect(director.get_by_label("Code")).to_have_value("BM9")
    expect(director.get_by_label("Hypothesis")).to_have_value("it shrinks by 12,5 %")
    expect(director.get_by_label("Weight-loss limit")).to_have_value("twenty")
    summary.get_by_role("link", name="Weight-loss limit").click()
    expect(director.get_by_label("Weight-loss limit")).to_be_focused()


def test_an_upload_without_a_file_says_so_and_keeps_the_page(director: Page, project: str) -> None:
    director.goto(project + "imports/new")
    director.get_by_label("Choose a file").evaluate("field => { field.required = false }")
    director.get_by_role("button", name="Upload and check").click()
    expect(director.get_by_role("alert")).to_contain_text("Choose a file first.")
    expect(director.get_by_role("button", name="Upload and check")).to_be_enabled()
