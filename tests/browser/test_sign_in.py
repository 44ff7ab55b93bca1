"""Signing in with a browser: the first thing anybody does."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_a_page_asks_who_it_is(page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))


def test_a_person_signs_in(signed_in: Page) -> None:
    expect(signed_in.get_by_role("main")).to_be_visible()
    expect(signed_in.locator("body")).to_contain_text("Sam Scientist")


def test_a_wrong_password_is_refused_in_words(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill("scientist@lab.example")
    page.get_by_label("Password", exact=True).fill("not this one at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.get_by_role("main")).to_contain_text("password")
