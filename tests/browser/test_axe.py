"""Every page, with data and without, at a desk's and a tablet's width: axe finds nothing, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect
from sqlalchemy import func, select

from importers.preflight import MAX_UPLOAD_BYTES
from lims.app import create_app
from lims.domain.vocabulary import BatchState, RoleName
from lims.intake.run import Outcome
from lims.models import Animal, AuditEvent, Measurement, Membership, Project
from lims.records.accounts import create_user
from lims.records.projects import add_member
from tests.browser.conftest import PASSWORD_HASH, LiveServer, browsing, sign_in
from tests.intake.desk import Desk
from tests.support import factories, files

WIDTHS: dict[int, dict[str, object]] = {
    1280: {},
    820: {"runOnly": ["button-name", "color-contrast", "label", "link-name", "scrollable-region-focusable", "target-size"]},
}
"""Each width with axe's options: at the second, the rules that a narrower window can break."""
DAYS = ("2026-03-02", "2026-03-09")
FILES = frozenset({"imports.source", "imports.refused", "audit.export", "static", "security.static"})
"""What answers with a file instead of a page."""

FULL = {
    "home": "/",
    "account": "/account/",
    "change-password": "/account/password",
    "verify": "/verify",
    "projects": "/projects/",
    "project-new": "/projects/new",
    "project-members": "/projects/FULL",
    "project-change": "/projects/FULL/change",
    "project-withdraw": "/projects/FULL/withdraw",
    "project-member": "/projects/FULL/members/{member}",
    "people": "/people/",
    "person-new": "/people/new",
    "person": "/people/{person}",
    "project": "/p/FULL/",
    "studies": "/p/FULL/studies/",
    "study-new": "/p/FULL/studies/new",
    "study": "/p/FULL/studies/{study}",
    "study-weights": "/p/FULL/studies/{study}?kind=body_weight",
    "study-animals": "/p/FULL/studies/{study}/animals",
    "study-readings": "/p/FULL/studies/{study}/readings",
    "study-files": "/p/FULL/studies/{study}/files",
    "study-history": "/p/FULL/studies/{study}/history",
    "study-change": "/p/FULL/studies/{study}/change",
    "animals": "/p/FULL/animals/",
    "animal": "/p/FULL/animals/{animal}",
    "animal-measurements": "/p/FULL/animals/{animal}/measurements",
    "animal-history": "/p/FULL/animals/{animal}/history",
    "animal-lineage": "/p/FULL/lineage/animal/{animal}",
    "search": "/p/FULL/search/?q=M",
    "search-nothing": "/p/FULL/search/?q=nowhere",
    "measurements": "/p/FULL/measurements/",
    "measurements-none-fit": "/p/FULL/measurements/?q=no-such-animal",
    "measurement": "/p/FULL/measurements/{measurement}",
    "imports": "/p/FULL/imports/",
    "import-new": "/p/FULL/imports/new",
    "import-corrected": "/p/FULL/imports/new?supersedes={committed}",
    "check-ready": "/p/FULL/imports/{ready}",
    "check-refused": "/p/FULL/imports/{refused}",
    "batch": "/p/FULL/imports/{committed}",
    "batch-withdrawn": "/p/FULL/imports/{withdrawn}",
    "audit": "/p/FULL/audit/",
    "audit-event": "/p/FULL/audit/{event}",
    "audit-record": "/p/FULL/audit/record/animal/{animal}",
    "no-such-page": "/nowhere",
    "no-such-record": "/p/FULL/animals/999999",
    "filter-refused": "/p/FULL/measurements/?from=yesterday",
}
EMPTY = {
    f"empty-{name}": f"/p/EMPTY/{path}"
    for name, path in {
        "project": "",
        "studies": "studies/",
        "animals": "animals/",
        "measurements": "measurements/",
        "imports": "imports/",
        "study": "studies/{empty_study}",
    }.items()
}
SIGNED_OUT = {"sign-in": "/login", "forgot-password": "/reset"}
NOWHERE = frozenset({"no-such-page"})
NOT_WALKED = {"security.reset_password": "needs a link from a message", "story.show": "stands in the demo's project only"}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Two projects, one with everything and one with a bare study; `keys` are the records their addresses name."""

    desk: Desk
    keys: dict[str, int]

    def path(self, place: str) -> str:
        """Give a place's address."""
        return (FULL | EMPTY | SIGNED_OUT)[place].format(**self.keys)


@pytest.fixture(scope="module")
def laboratory(new_desk: Callable[[str], Desk]) -> Laboratory:
    """Give a project with readings of every kind, a file in each state, and one with nothing but a study."""
    full, empty = new_desk("FULL"), new_desk("EMPTY")
    with factories.declared(full.database) as session:
        project = session.get_one(Project, full.project)
        study = factories.cohort(session, project, arms=("vehicle", "tucatinib", "Anti-HER2 antibody 10 mg/kg + PI3K inhibitor"))
        bare = factories.study(session, session.get_one(Project, empty.project))
        member = session.scalars(select(Membership).where(Membership.project_id == project.id)).one()
        keys = {"study": study.id, "empty_study": bare.id, "member": member.id, "person": member.user_id}
    with full.database.reading() as session:
        of_project = Animal.project_id == full.project
        animals = list(session.scalars(select(Animal.code).where(of_project).order_by(Animal.id)))
        keys["animal"] = session.scalars(select(func.min(Animal.id)).where(of_project)).one()
    keys |= files_in_every_state(full, study.code, animals)
    with full.database.reading() as session:
        of_batch = select(func.min(Measurement.id)).where(Measurement.batch_id == keys["committed"])
        keys["measurement"] = session.scalars(of_batch).one()
        keys["event"] = session.scalars(select(func.max(AuditEvent.seq))).one()
    return Laboratory(full, keys)


def files_in_every_state(desk: Desk, study: str, animals: list[str]) -> dict[str, int]:
    """Record light, weights and calipers; leave a file ready, one refused and one withdrawn. Gives the batches."""
    for number, day in enumerate(DAYS):
        light = {animal: f"{1e6 * 3**number * (1 + place / 9):.2E}" for place, animal in enumerate(animals)}
        recorded(desk.record(files.living_image(light, day), f"{day} IVIS.csv", study=study))
    grams = [(animal, day, 21.4 - number * place / 4) for number, day in enumerate(DAYS) for place, animal in enumerate(animals)]
    committed = recorded(desk.record(files.weights(grams), "2026-03-12 body weights of the whole cohort.csv", study=study))
    sizes = [(animal, day, 4 + number, 3.5) for number, day in enumerate(DAYS) for animal in animals]
    recorded(desk.record(files.caliper_long(sizes), "calipers.xlsx", study=study, tumour="brain"))
    withdrawn = recorded(desk.record(files.weights([(animals[0], "2026-03-20", 20.1)]), "wrong day.csv", study=study))
    desk.withdraw(withdrawn, "weighed on another day")
    ready = desk.check(files.living_image(dict.fromkeys(animals, "9.87E+07"), "2026-03-16"), "2026-03-16 IVIS.csv", study=study)
    assert ready.state is BatchState.CHECKED, ready.findings
    marked = dict.fromkeys(animals, "9.87E+07") | {animals[0]: "1*", "NOBODY-1": "2.0E+07"}
    refused = desk.check(files.living_image(marked, "2026-03-19"), "2026-03-19 IVIS edited.csv", study=study)
    assert refused.state is BatchState.REFUSED, refused.findings
    return {"committed": committed, "withdrawn": withdrawn, "ready": ready.batch_id, "refused": refused.batch_id}


def recorded(outcome: Outcome) -> int:
    """Give the batch of a file that was recorded."""
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    return outcome.batch_id


@pytest.fixture(scope="module")
def reader(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    """Give one page that walks through the whole application."""
    with browsing(chromium, live_server, storage_state=session_cookie) as opened:
        yield opened


def look(page: Page) -> None:
    """Assert what every page must have, at each width."""
    assert page.title().removesuffix("· BCBM LIMS").strip()
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.locator("input[type=number]").count() == 0, "a scanned id typed into a number field is mangled"
    expect(page.locator("[data-plot]:not(:has(svg, canvas))")).to_have_count(0)
    for width, options in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0, f"the page is {wide} px wider than {width} px"
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, found.generate_report()


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
    assert pages - walked - FILES == set(NOT_WALKED)
