"""From an instrument's file to an audited growth curve, as a person does it in the browser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from lims.domain.vocabulary import JobKind, JobState
from lims.jobs import queue, table
from lims.jobs.locks import holding
from lims.models import ImportBatch
from lims.progress import Progress, Step
from tests.browser.conftest import LiveServer, browsing
from tests.browser.sound import look
from tests.intake.desk import Desk
from tests.support import factories, files

MICE = ("M1", "M2", "M3")
LIGHT = dict(zip(MICE, ("1.26E+06", "1.59E+06", "9.80E+05"), strict=True))
NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Bench:
    """A project of its own and the person who imports into it."""

    page: Page
    desk: Desk
    code: str
    script: bool = True

    def go(self, path: str = "") -> None:
        self.page.goto(f"/p/{self.code}/{path}")

    def upload(self, content: bytes | Path, name: str = "file.csv", *, study: str | None = None) -> None:
        """Choose a file and send it; what comes next is on the page."""
        self.go("imports/new")
        chosen = content if isinstance(content, Path) else {"name": name, "mimeType": "text/csv", "buffer": content}
        self.page.get_by_label("Choose a file").set_input_files(chosen)
        if study:
            self.page.get_by_label("Study").select_option(label=study)
        self.page.get_by_role("button", name="Upload and check").click()
        self.page.wait_for_url(re.compile(r"/imports/\d+$"))
        self.wait()

    def wait(self) -> None:
        """Wait while the page says how far the worker is; without script, by its link."""
        while not self.script and self.page.locator("[data-progress]").count():
            self.page.wait_for_timeout(300)
            self.page.get_by_role("link", name="Look again").click()
        expect(self.page.locator("[data-progress]")).to_have_count(0)

    def check_again(self, *ticks: str) -> None:
        """Tick answers and check again."""
        for label in ticks:
            self.page.get_by_label(label).check()
        self.page.get_by_role("button", name="Check again with these answers").click()
        self.page.wait_for_load_state()
        self.wait()

    def record(self, button: str | re.Pattern[str]) -> None:
        """Tick that the warnings were looked at, and press the one button, which says what it will do."""
        expect(self.page.get_by_role("button", name=button, exact=isinstance(button, str))).to_be_visible()
        for tick in self.page.locator("input[name=accept]").all():
            tick.check()
        reason = self.page.locator("form.commit-bar input[name=reason][required]")
        if reason.count():
            reason.first.fill("as the file says")
        self.page.get_by_role("button", name=button, exact=isinstance(button, str)).click()
        self.wait()
        expect(self.main).to_contain_text("committed")

    def recorded(self, content: bytes | Path, name: str = "file.csv", *ticks: str) -> None:
        """Take a file all the way."""
        self.upload(content, name)
        self.check_again("Create the animals", *ticks)
        self.record(re.compile("^Record"))

    def counted(self) -> int:
        """Give how many measurements the project's list has."""
        self.go("measurements/")
        return int(self.page.locator("h1 .count").inner_text().replace(",", ""))

    @property
    def main(self):
        return self.page.get_by_role("main")

    def tiles(self) -> dict[str, int]:
        """Read the tiles."""
        # Number and label each by itself: how they stand on the page depends on whether its style has arrived.
        labels = self.page.locator(".tiles .tile span").all_inner_texts()
        numbers = self.page.locator(".tiles .tile strong").all_inner_texts()
        return {label: int(number.replace(",", "")) for label, number in zip(labels, numbers, strict=True)}


CREATE = "Create the animals, cages, arms, agents and study that this file names"
LEAVE_OUT = "Leave out what is refused, and record the rest"


@pytest.fixture
def bench(director: Page, new_desk: Callable[[str], Desk]) -> Bench:
    code = f"FLOW{next(NUMBERS)}"
    return Bench(director, new_desk(code), code)


def test_the_whole_path(bench: Bench) -> None:
    page = bench.page
    with factories.declared(bench.desk.database) as session:
        factories.study(session, session.get_one(factories.Project, bench.desk.project), "GROWTH", title="Growth in the brain")

    bench.upload(files.living_image(LIGHT, "2026-03-09"), "2026-03-09 IVIS.csv", study="GROWTH · Growth in the brain")
    expect(bench.main).to_contain_text("3 animals of this file are not in the project: M1, M2, M3")
    expect(page.get_by_role("button", name=re.compile("^Record"))).to_have_count(0)
    assert bench.tiles()["refused"] == 3

    bench.check_again(CREATE)
    assert bench.tiles() == {
        "new rows": 3,
        "same as recorded": 0,
        "changed or conflicting": 0,
        "refused": 0,
        "skipped, with a reason": 0,
    }
    expect(page.locator("[data-plot] svg")).to_have_count(2)
    expect(page.locator("[data-plot] svg").first).to_be_visible()
    expect(page.get_by_label("Windows, Western European (cp1252)")).to_be_checked()

    bench.record("Record 6 measurements on 3 animals, create 1 arm, 3 animals, 3 enrolments")
    expect(bench.main).to_contain_text("Recorded 6 measurements")
    expect(bench.main).to_contain_text("6 measurements of this file count today")
    batch = page.url

    page.get_by_role("link", name="Show its measurements").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    page.locator("tbody tr", has_text="M2").filter(has_text="total flux").locator("a").first.click()
    for said in ("1.59e6", "2026-03-09 IVIS.csv", "1.59E+06", "Sam Scientist"):
        expect(bench.main).to_contain_text(said)
    assert fact(page, "Row") == "3"
    assert fact(page, "Column") == "D"
    expect(page.get_by_role("link", name=re.compile("^batch"))).to_have_attribute("href", re.compile(batch.rpartition("/p/")[2]))

    bench.go("studies/")
    page.get_by_role("link", name="GROWTH").click()
    expect(page.locator("[data-plot] svg").first).to_be_visible()
    expect(page.locator("[data-plot] svg").first).to_contain_text("1e6")

    bench.go("audit/")
    expect(page.locator("tbody tr").first).to_contain_text("import recorded")
    expect(page.locator("tbody tr").first).to_contain_text("6 measurements")
    page.locator("tbody tr").first.get_by_role("link").first.click()
    expect(bench.main).to_contain_text("Sam Scientist")
    expect(bench.main).to_contain_text("M1")


def fact(page: Page, label: str) -> str:
    """Read one labelled fact of a record's page."""
    return page.locator("dl.facts > div", has=page.locator(f"dt:text-is('{label}')")).locator("dd").inner_text()


def test_the_list_is_downloaded_whole(bench: Bench) -> None:
    bench.recorded(files.living_image(LIGHT, "2026-03-09"))
    assert bench.counted() == 6
    with bench.page.expect_download() as started:
        bench.page.get_by_role("link", name="csv", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(started.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == 6
    assert {row["Animal"] for row in rows} == set(MICE)


def test_the_same_file_again_is_told_so(bench: Bench) -> None:
    content = files.living_image(LIGHT, "2026-03-09")
    bench.recorded(content, "first.csv")
    first = bench.page.url
    bench.upload(content, "renamed.csv")
    assert bench.page.url == first
    expect(bench.main).to_contain_text("These very bytes were imported before")
    assert bench.counted() == 6


def test_a_footnote_mark_is_a_finding_and_nothing_is_recorded(bench: Bench) -> None:
    bench.upload(files.living_image(LIGHT | {"M2": "1*"}, "2026-03-09"), "marked.csv")
    bench.check_again(CREATE)
    finding = bench.page.locator("table.findings tbody tr", has_text="1*")
    expect(finding).to_contain_text("D3")
    expect(finding).to_contain_text("Expected:")
    expect(bench.page.get_by_role("button", name=re.compile("^Record"))).to_have_count(0)
    assert bench.counted() == 0


def test_refused_rows_can_be_left_out_with_a_reason(bench: Bench) -> None:
    bench.upload(files.living_image(LIGHT | {"M2": "1*"}, "2026-03-09"), "marked.csv")
    with bench.page.expect_download() as started:
        bench.page.get_by_role("link", name="csv", exact=True).first.click()
    assert "1*" in started.value.path().read_text(encoding="utf-8-sig")
    bench.check_again(CREATE, LEAVE_OUT)
    bench.page.locator("form.commit-bar input[name=reason]").first.fill("M2 moved under the camera")
    bench.record("Record 5 measurements on 3 animals, create 3 animals")  # M2 shone brightly enough for its radiance
    assert bench.tiles()["refused"] == 1
    assert bench.counted() == 5


def test_a_batch_is_taken_back_with_a_reason_and_not_without(bench: Bench) -> None:
    bench.recorded(files.weights((animal, "2026-03-09", 21.4) for animal in MICE), "weights.csv")
    batch = bench.page.url
    withdraw = bench.page.get_by_role("button", name=re.compile("^Withdraw batch"))
    withdraw.click()
    assert bench.page.url == batch, "the browser asks for the reason"
    bench.page.get_by_label("Reason").fill("the balance was not tared")
    withdraw.click()
    expect(bench.main).to_contain_text("3 measurements no longer count")
    expect(bench.main).to_contain_text("withdrawn")
    expect(withdraw).to_have_count(0)
    bench.go("audit/")
    expect(bench.page.locator("tbody tr").first).to_contain_text("the balance was not tared")


def test_the_second_of_two_people_is_told(
    bench: Bench, chromium: Browser, live_server: LiveServer, session_cookie: StorageState
) -> None:
    bench.upload(files.living_image(LIGHT, "2026-03-09"), "both.csv")
    bench.check_again(CREATE)
    with browsing(chromium, live_server, storage_state=session_cookie) as other:
        other.goto(bench.page.url)
        bench.record(re.compile("^Record"))
        other.get_by_role("button", name=re.compile("^Record")).click()
        expect(other.locator("h1")).to_have_text("Somebody was faster")
        expect(other.get_by_role("main")).to_contain_text("committed already")
    assert bench.counted() == 6


@pytest.fixture
def without_script(chromium: Browser, live_server: LiveServer, session_cookie: StorageState) -> Iterator[Page]:
    with browsing(chromium, live_server, storage_state=session_cookie, java_script_enabled=False) as page:
        yield page


def test_it_works_without_script(without_script: Page, new_desk: Callable[[str], Desk]) -> None:
    bench = Bench(without_script, new_desk("NOSCRIPT"), "NOSCRIPT", script=False)
    bench.upload(files.caliper_wide({"M1": [42.5, 80.0], "M2": [31.5, 70.0]}, ("2026-03-09", "2026-03-12")), "wide.csv")
    bench.check_again(CREATE)
    without_script.locator("figure.plot summary").first.click()
    expect(without_script.locator("figure.plot table").first).to_contain_text("31.5")
    bench.record(re.compile("^Record 4 measurements"))
    assert bench.counted() == 4


@pytest.mark.parametrize(
    ("name", "measurements", "animals"),
    [
        ("ivis_living_image/2024-02-16.csv", 50, 25),
        ("body_weight/raw_mass.csv", 175, 25),
        ("caliper_csv/TestLong.tsv", 147, 21),
    ],
)
def test_a_real_file(bench: Bench, samples: Path, name: str, measurements: int, animals: int) -> None:
    bench.upload(samples / name)
    bench.check_again(CREATE)
    bench.record(re.compile(rf"^Record {measurements} measurements.*\b{animals} animals"))
    assert bench.counted() == measurements


def test_a_real_colony_log(bench: Bench, samples: Path) -> None:
    (log,) = (samples / "lab_excel_tumour").glob("*iLes*.xlsx")
    bench.upload(log)
    expect(bench.main).to_contain_text("40 animals of this file are not in the project")
    expect(bench.page.locator("fieldset", has_text="MG L40.2")).to_be_visible()
    for question in bench.page.locator("fieldset:not(:has(input:checked))").all():
        question.get_by_role("radio").first.check()
    bench.check_again(CREATE)
    bench.record(re.compile(r"^Record .*\b40 animals"))
    rows = bench.tiles()
    assert rows["new rows"] + rows["same as recorded"] + rows["skipped, with a reason"] == 6741
    assert rows["refused"] == rows["changed or conflicting"] == 0
    for kind, recorded in (("body_weight", "4,611"), ("caliper_volume", "3,746")):
        bench.go(f"measurements/?kind={kind}")
        expect(bench.page.locator("h1 .count")).to_have_text(recorded)


def test_a_page_of_work_under_way_is_sound_and_moves(bench: Bench) -> None:
    desk, page = bench.desk, bench.page
    batch = desk.drop(files.weights([("M1", "2026-03-09", 20.5)]), choices={"create": "animals"})
    with desk.database.transaction() as session:
        job = table.ask(session, desk.actor, session.get_one(ImportBatch, batch), JobKind.CHECK).id
    with holding(desk.database, desk.settings, job):  # as a worker does
        table.begin(desk.database, job)
        queue.tell(desk.settings, job, Progress(Step.JUDGE, 100, 1000))
        bench.go(f"imports/{batch}")
        step = page.locator("[data-step]")
        expect(step).to_have_text("Judging")
        expect(bench.main).to_contain_text("100 of 1,000")
        look(page)
        queue.tell(desk.settings, job, Progress(Step.SEAL))
        expect(step).to_have_text("Sealing the audit trail")
        desk.look(batch)
        table.end(desk.database, job, JobState.DONE, None)
    bench.wait()
    expect(page.locator("h1")).to_contain_text("Check")
