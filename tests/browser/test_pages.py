"""Text out of a file stays text: markup in every place a file has, and then every page that shows any of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, StorageState, expect

from lims.domain.vocabulary import BatchState
from tests.browser.conftest import LiveServer, browsing
from tests.browser.sound import expect_drawn
from tests.intake.desk import Desk
from tests.support import factories, files

ATTACK = '<img src=x onerror="alert(1)">'
CLOSING = "</script><script>alert(2)</script>"
BREAKING = "\"'><svg onload=alert(3)>"
TEMPLATE = "{{ 7 * 7 }}"
SHEET = "<b onclick=alert(4)>x"
"""No character of it is forbidden in a sheet's name."""
FOREIGN = re.compile(r"alert\(|7 \* 7|(<|&lt;|\\u003c)[iu](>|&gt;|\\u003e)")
"""What of these is left in a page's source, however it was escaped."""


@pytest.fixture(scope="session")
def desk(new_desk: Callable[[str], Desk]) -> Desk:
    """Give a project with markup in every column, header, sheet name and file name, recorded and refused, and in a study."""
    desk = new_desk("MARKUP")
    with factories.declared(desk.database) as session:
        project = session.get_one(factories.Project, desk.project)
        study = factories.study(session, project, "XSS", title=ATTACK, hypothesis=CLOSING, primary_outcome=BREAKING)
        told = {
            "strain": ATTACK,
            "genotype": BREAKING,
            "cage_id": factories.cage(session, project, "<i>c").id,
            "ear_tag": "<u>1",
            "source": CLOSING,
        }
        mouse = factories.animal(session, project, "MX1", **told)
        factories.enrolment(session, factories.arm(session, study, "a", title=CLOSING), mouse)
        factories.measurement(session, mouse, operator=ATTACK, device=BREAKING)
    rows = [["Animal", "Date", "Weight (g)", "Operator", ATTACK], ["MX1", "2026-03-10", 20.5, BREAKING, CLOSING]]
    recorded = desk.record(files.workbook(*rows, title=SHEET), f"{ATTACK}.xlsx", study="XSS")
    assert recorded.state is BatchState.COMMITTED, recorded.findings
    desk.withdraw(recorded.batch_id, ATTACK)
    desk.record(files.workbook(*rows, title=SHEET) + b"\0", "again.xlsx", study="XSS")
    refused = [[*rows[0]], [ATTACK, BREAKING, CLOSING, TEMPLATE, ATTACK], ["MX1", "2026-03-11", ATTACK, "", TEMPLATE]]
    assert desk.check(files.workbook(*refused, title=SHEET), f"{CLOSING}.xlsx", study="XSS").state is BatchState.REFUSED
    assert desk.check(files.living_image({ATTACK: "1E6", TEMPLATE: "2E6"}, "2026-03-12"), f"{BREAKING}.csv", create="animals")
    return desk


@pytest.fixture(scope="session")
def crawler(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    with browsing(chromium, live_server, storage_state=session_cookie) as page:
        yield page


def crawl(page: Page, start: str) -> dict[str, str]:
    """Ask for every page that links lead to from `start` and below it, and open those with anything of a file on them.

    Gives the text of those that were opened, by path.
    """
    waiting, seen, texts = deque([start]), {start}, dict[str, str]()
    while waiting:
        path = waiting.popleft()
        source = page.request.get(path).text()
        if FOREIGN.search(source) or "data-later" in source:
            page.goto(path)
            expect_drawn(page)
            texts[path] = page.locator("body").inner_text()
            assert page.locator("img[src=x], main svg[onload], main b[onclick], main i, main u").count() == 0, path
        links = BeautifulSoup(source, "html.parser").select("main a[href], nav a[href]")
        found = {urlsplit(urljoin(path, str(link["href"]))).path for link in links} - seen
        waiting.extend(one for one in sorted(found) if one.startswith(start) and one.endswith(PAGE_ENDS))
        seen |= found
    assert len(seen) > 2 * len(texts) > 60, sorted(texts)
    return texts


PAGE_ENDS = ("/", "/new", "/change", "/history", "/animals", "/readings", "/files", *"0123456789")


def test_markup_of_files_stays_text_on_every_page(desk: Desk, crawler: Page) -> None:
    dialogs: list[str] = []
    crawler.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    texts = crawl(crawler, "/p/MARKUP/")
    assert dialogs == []
    shown = "\n".join(texts.values())
    for payload in (ATTACK, CLOSING, BREAKING, TEMPLATE, SHEET):
        assert payload in shown, payload
    assert " 49 " not in shown


def test_a_plot_is_drawn_under_the_strict_policy(desk: Desk, crawler: Page) -> None:
    crawler.goto("/p/MARKUP/studies/")
    crawler.get_by_role("link", name="XSS").first.click()
    expect(crawler.locator("[data-plot] svg").first).to_be_visible()
    expect(crawler.locator("[data-plot] svg").first).to_contain_text(CLOSING[:12])
    # The plot of the means brings what stands beside the arms.
    expect(crawler.locator("aside [data-place]").first).to_have_text(re.compile(r"\d.* of \d+"))
    policy = crawler.request.get(crawler.url).headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy


def test_a_plot_that_did_not_come_can_be_asked_for_again(desk: Desk, director: Page) -> None:
    director.goto("/p/MARKUP/studies/")
    director.route("**/plots/growth?*", lambda route: route.abort())
    director.get_by_role("link", name="XSS").first.click()
    failed = director.locator(".part-failed").first
    expect(failed).to_contain_text("could not be shown: no answer came from the server")
    expect(director.locator("[data-later*='/plots/means'] [data-plot] svg")).to_be_visible()
    director.unroute("**/plots/growth?*")
    failed.get_by_role("button", name="Try again").focus()
    director.keyboard.press("Enter")
    growth = director.locator("[data-later*='/plots/growth?']")
    expect(growth.locator("[data-plot] svg")).to_be_visible()
    expect(growth).to_be_focused()
    expect_drawn(director)
