"""What every page must be in a browser: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, expect

WIDE = 1280
WIDTHS: dict[int, dict[str, object]] = {
    WIDE: {"rules": {"color-contrast": {"enabled": False}}},
    820: {"runOnly": ["button-name", "label", "link-name", "scrollable-region-focusable", "target-size"]},
}
"""Each width with axe's options: at the second, the rules that a narrower window can break. Contrasts, which are the same at both,
are measured apart."""
QUICK = {"resultTypes": ["violations"], "preload": False}
"""Naming every element that is as it should be, and loading every style sheet anew for rules that are not asked for, take longer
than finding what is wrong."""
_CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
_PASSED: set[str] = set()
"""The looks whose contrast is enough: what `contrast.js` need not measure again."""
_HEAD = """() => [
  document.title,
  Array.from(document.querySelectorAll("h1"), heading => heading.innerText),
  document.querySelectorAll("input[type=number]").length,
]"""
_SIZE = """() => {
  const {scrollHeight, scrollWidth} = document.scrollingElement
  return [document.querySelector(".form-foot, .correct-bar") ? scrollHeight : 0, scrollWidth - innerWidth]
}"""
_LOW = 800


def expect_drawn(page: Page) -> None:
    """Wait until every part of a page has come, but those of closed tables, and every plot is drawn."""
    expect(page.locator("[data-later][aria-busy=true]:not(details:not([open]) *)")).to_have_count(0)
    expect(page.locator(".part-failed")).to_have_count(0)
    expect(page.locator("[data-plot]:not(:has(svg, canvas))")).to_have_count(0)


def look(page: Page) -> None:
    """Assert what every page must have, at each width."""
    title, headings, numbers = page.evaluate(_HEAD)
    assert title.removesuffix("· BCBM LIMS").strip()
    assert len(headings) == 1
    assert headings[0].strip()
    assert numbers == 0, "a scanned id typed into a number field is mangled"
    expect_drawn(page)
    page.evaluate(AXE_SCRIPT)
    now = page.viewport_size
    for width in sorted(WIDTHS, key=lambda width: now is None or width != now["width"]):
        if page.viewport_size != {"width": width, "height": _LOW}:
            page.set_viewport_size({"width": width, "height": _LOW})
        height, too_wide = page.evaluate(_SIZE)
        assert too_wide <= 0, f"the page is {too_wide} px wider than {width} px"
        if height > _LOW:
            # What sticks to the lower edge lies over what scrolls below it, which is no fault of either: so nothing has to scroll.
            page.set_viewport_size({"width": width, "height": height})
        _found_nothing(page.evaluate("options => axe.run(options)", QUICK | WIDTHS[width]))
        if width == WIDE:
            found, passed = page.evaluate(_CONTRAST, list(_PASSED))
            _found_nothing(found)
            _PASSED.update(passed)


def _found_nothing(found: dict[str, object]) -> None:
    results = AxeResults(found)
    assert results.violations_count == 0, results.generate_report()
