"""Somebody's way through the pages of a project, in a browser alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page, expect

TODAY = datetime.now(UTC).date()


def ago(days: int) -> str:
    """Write the date so many days ago."""
    return str(TODAY - timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Walk:
    """A browser in a project of its own."""

    page: Page
    code: str

    @property
    def main(self) -> Locator:
        """Give the page without its frame."""
        return self.page.get_by_role("main")

    def go(self, path: str) -> None:
        """Open a page of the project."""
        self.page.goto(f"/p/{self.code}/{path}")

    def fill(self, **values: str | bool | list[str]) -> None:
        """Type into fields by their names; lists tick boxes."""
        for name, value in values.items():
            field = self.main.locator(f'[name="{name}"]')
            if isinstance(value, list):
                for one in value:
                    self.main.locator(f'[name="{name}"][value="{one}"]').check()
            elif isinstance(value, bool):
                field.set_checked(value)
            elif field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the form's button and wait for what comes."""
        self.main.get_by_role("button", name=name).click()
        self.page.wait_for_load_state()

    def record(self, path: str, button: str, **values: str | bool | list[str]) -> None:
        """Fill a form in and send it."""
        self.go(path)
        self.fill(**values)
        self.press(button)
        expect(self.main).to_contain_text("recorded")

    def press_twice(self, button: str | re.Pattern[str]) -> None:
        """Press the form's button, and once more where something unusual has to be confirmed."""
        self.press(button)
        if self.main.get_by_text("This is unusual").count():
            self.main.get_by_label("I have looked at this again, and it is right").check()
            self.press(button)
