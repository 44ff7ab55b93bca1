"""The pages of imports under way: progress that can be left, what waits for a worker, and trying again."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from bs4 import BeautifulSoup

from lims.config import JobsRun, Settings
from lims.db import Database
from lims.domain.vocabulary import RoleName
from lims.jobs import queue, table
from lims.jobs.locks import WORKER, holding
from lims.jobs.work import work_off
from lims.progress import Progress, Step
from lims.views.transaction import Application
from tests.support.pages import Browser, add_person, add_project, message, only, sent

BATCH = "/p/BCBM/imports/1"
NEW = "/p/BCBM/imports/new"
WEIGHTS = b"id,date,weight (g)\nM1,2026-03-09,20.5\nM2,2026-03-09,21.5\n"


@pytest.fixture
def with_worker(settings: Settings) -> Settings:
    """Give settings of an installation whose jobs are a worker's."""
    settings.data_dir.mkdir(exist_ok=True)
    return settings.model_copy(update={"jobs": JobsRun.WORKER})


@pytest.fixture
def scientist(
    make_app: Callable[[Settings, Database], Application],
    with_worker: Settings,
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> Browser:
    """Give the browser of a scientist there, whose pages wait for nothing."""
    monkeypatch.setattr("lims.jobs.start.PATIENCE_SECONDS", 0)
    add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Ada", BCBM=RoleName.SCIENTIST)
    return Browser(make_app(with_worker, sqlite_database)).sign_in("Ada")


def upload(browser: Browser, content: bytes = WEIGHTS) -> None:
    form = sent(browser.get(NEW), NEW) | {"file": (BytesIO(content), "weights.csv")}
    answer = browser.client.post(NEW, data=form, content_type="multipart/form-data")
    assert (answer.status_code, answer.headers["Location"]) == (302, BATCH)


def told(page: BeautifulSoup) -> str:
    section = page.select_one("[data-progress]")
    assert section is not None, page.get_text(" ")
    return " ".join(section.get_text(" ").split())


def test_an_import_can_be_left_and_looked_at_again(scientist: Browser, with_worker: Settings, sqlite_database: Database) -> None:
    upload(scientist)
    page = scientist.get(BATCH, heading="Reading weights.csv")
    assert "nothing is working at the moment" in told(page)
    assert only(page, "a:-soup-contains-own('Look again')")["href"] == BATCH
    assert only(page, "progress")["aria-label"] == "Reading"
    for elsewhere in ("/p/BCBM/imports/", "/p/BCBM/"):
        assert "Reading weights.csv" in scientist.get(elsewhere).get_text(" ")

    with holding(sqlite_database, with_worker, WORKER, shared=True):
        assert "Waiting for its turn" in told(scientist.get(BATCH))
        with holding(sqlite_database, with_worker, 1):
            table.begin(sqlite_database, 1)
            queue.tell(with_worker, 1, Progress(Step.JUDGE, 1_500, 3_000))
            piece = scientist.client.get(f"{BATCH}/progress")
            assert "Judging" in told(BeautifulSoup(piece.text, "html.parser"))
            assert 'value="0.475"' in piece.text
            assert "1,500 of 3,000" in piece.text
        assert "Interrupted" in told(scientist.get(BATCH))
        scientist.submit(scientist.get(BATCH), f"{BATCH}/again")

    work_off(with_worker)
    assert scientist.client.get(f"{BATCH}/progress").status_code == 204
    assert "Check" in only(scientist.get(BATCH), "h1").text
    assert "Under way" not in scientist.get("/p/BCBM/imports/").get_text(" ")


def test_while_it_is_read_nothing_else_is_done_with_it(scientist: Browser, with_worker: Settings) -> None:
    upload(scientist)
    work_off(with_worker)
    page = scientist.get(BATCH)
    scientist.submit(page, f"{BATCH}/check", create="y")
    again = scientist.client.post(f"{BATCH}/check", data=sent(page, f"{BATCH}/check") | {"form_id": "another"})
    assert again.status_code == 409
    assert "being read already" in again.text


def test_what_failed_says_why_and_is_tried_again(
    scientist: Browser, with_worker: Settings, monkeypatch: pytest.MonkeyPatch, sqlite_database: Database
) -> None:
    def full(*args: object, **settings: object) -> None:
        raise OSError(28, "No space left on device")

    upload(scientist)
    with monkeypatch.context() as broken:
        broken.setattr("lims.intake.run.check", full)
        work_off(with_worker)
    page = scientist.get(BATCH, heading="Not read")
    assert "No space left on device" in page.get_text(" ")
    scientist.submit(page, f"{BATCH}/again")
    work_off(with_worker)
    assert scientist.get(BATCH).select_one("[data-progress]") is None
    done = scientist.client.post(f"{BATCH}/again", data={"csrf_token": sent(scientist.get("/account/"), "/account/")["csrf_token"]})
    assert (done.status_code, "nothing left to do" in done.text) == (409, True)


def test_a_commit_that_fails_says_so_on_the_check_page(
    scientist: Browser, with_worker: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: object, **settings: object) -> None:
        raise RuntimeError("anything")

    upload(scientist)
    work_off(with_worker)
    scientist.submit(scientist.get(BATCH), f"{BATCH}/check", create="y")
    work_off(with_worker)
    with monkeypatch.context() as broken:
        broken.setattr("lims.intake.run.commit", busy)
        scientist.submit(scientist.get(BATCH), f"{BATCH}/commit")
        work_off(with_worker)
    page = scientist.get(BATCH, heading="Check")
    assert "Recording failed." in message(page)
    scientist.submit(page, f"{BATCH}/again")
    work_off(with_worker)
    assert "committed" in scientist.get(BATCH).get_text(" ")
