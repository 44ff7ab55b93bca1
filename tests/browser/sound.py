"""What every page must be in a browser: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, expect

WIDTHS: dict[int, dict[str, object]] = {
    1280: {},
    820: {"runOnly": ["button-name", "label", "link-name", "scrollable-region-focusable", "target-size"]},
}
"""Each width with axe's options: at the second, the rules that a narrower window can break. Colours are the same at both."""
QUICK = {"resultTypes": ["violations"], "preload": False}
"""Naming every element that is as it should be, and loading every style sheet anew for rules that are not asked for, take longer
than finding what is wrong."""
_HEIGHT = "document.querySelector('.form-foot, .correct-bar') ? Math.max(800, document.scrollingElement.scrollHeight) : 800"


def expect_drawn(page: Page) -> None:
    """Wait until every part of a page has come, but those of closed tables, and every plot is drawn."""
    expect(page.locator("[data-later][aria-busy=true]:not(details:not([open]) *)")).to_have_count(0)
    expect(page.locator(".part-failed")).to_have_count(0)
    expect(page.locator("[data-plot]:not(:has(svg, canvas))")).to_have_count(0)


def look(page: Page) -> None:
    """Assert what every page must have, at each width."""
    assert page.title().removesuffix("· BCBM LIMS").strip()
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.locator("input[type=number]").count() == 0, "a scanned id typed into a number field is mangled"
    expect_drawn(page)
    page.evaluate(AXE_SCRIPT)
    for width, options in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        # What sticks to the lower edge lies over what scrolls below it, which is no fault of either: so nothing has to scroll.
        page.set_viewport_size({"width": width, "height": page.evaluate(_HEIGHT)})
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0, f"the page is {wide} px wider than {width} px"
        found = AxeResults(page.evaluate("options => axe.run(options)", QUICK | options))
        assert found.violations_count == 0, found.generate_report()
