"""Faults 28 to 30, 36 and 38: a full disk, a lost database, an older backup, a clock that was set back."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import event, make_url, select
from sqlalchemy.engine import Engine

from lims.audit.checkpoint import make_checkpoint, saved_notes, signing_key
from lims.audit.verify import verify
from lims.cli import main
from lims.config import Settings
from lims.db import Database
from lims.models import AuditEvent, User
from tests.faults.conftest import HERE, Lab
from tests.support import factories
from tests.support.databases import PostgresqlServer
from tests.support.pages import sent


def rename(lab: Lab, name: str) -> int:
    """Change one's own name through the page; gives the status of the answer."""
    browser = lab.browser("technician")
    return browser.client.post("/account/", data=sent(browser.get("/account/"), "/account/") | {"name": name}).status_code


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(User.name)))


def test_a_full_disk_is_a_page_that_says_so_and_the_next_form_is_saved(lab: Lab) -> None:
    lab.browser("technician")
    events = lab.events()

    def fill(connection: sqlite3.Connection, record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    lab.database.close()
    event.listen(Engine, "connect", fill)
    try:
        form = sent(lab.browser("technician").get("/account/"), "/account/") | {"name": "N" * 200}
        for _ in range(20):  # until what is free inside the file is used up
            answer = lab.browser("technician").client.post("/account/", data=form)
            if answer.status_code != HTTPStatus.FOUND:
                break
            form = sent(lab.browser("technician").get("/account/"), "/account/") | {"name": f"{lab.events()}" * 50}
            events += 1
    finally:
        event.remove(Engine, "connect", fill)
        lab.database.close()
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "disk of the database is full" in answer.text
    assert lab.events() == events
    assert rename(lab, "Tara") == HTTPStatus.FOUND
    assert verify(lab.database).ok


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_database_that_went_away_is_back_with_the_next_request(lab_on_each: Lab, postgresql_server: PostgresqlServer) -> None:
    lab = lab_on_each
    assert rename(lab, "Tara") == HTTPStatus.FOUND
    postgresql_server.disconnect(lab.settings.url)
    lab.browser("technician").get("/account/")
    postgresql_server.disconnect(lab.settings.url)
    assert rename(lab, "Tara Two") == HTTPStatus.FOUND
    assert "Tara Two" in names(lab.database)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_database_lost_in_the_middle_of_a_request_is_a_page_that_says_so(
    lab_on_each: Lab, postgresql_server: PostgresqlServer
) -> None:
    lab = lab_on_each
    rename(lab, "Tara")
    before = (lab.events(), names(lab.database))

    def cut(*_: object) -> None:
        event.remove(lab.database.engine, "before_cursor_execute", cut_before_update)
        postgresql_server.disconnect(lab.settings.url)

    def cut_before_update(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE user_account"):
            cut()

    form = sent(lab.browser("technician").get("/account/"), "/account/")
    event.listen(lab.database.engine, "before_cursor_execute", cut_before_update)
    answer = lab.browser("technician").client.post("/account/", data=form | {"name": "Lost"})
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Nothing of this was saved" in answer.text
    assert (lab.events(), names(lab.database)) == before
    assert rename(lab, "Found") == HTTPStatus.FOUND
    assert verify(lab.database).ok


def test_an_older_backup_is_noticed_by_the_checkpoints_kept_elsewhere(
    sqlite_database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = settings.model_copy(update={"checkpoint_dir": tmp_path / "elsewhere"})
    file, backup = Path(str(make_url(settings.url).database)), tmp_path / "backup.db"
    with factories.declared(sqlite_database) as session:
        factories.project(session, HERE)
    with sqlite3.connect(file) as live, sqlite3.connect(backup) as copy:
        live.backup(copy)
    live.close()
    copy.close()
    for code in ("SECOND", "THIRD"):
        with factories.declared(sqlite_database) as session:
            factories.project(session, code)
    with sqlite_database.transaction() as session:
        make_checkpoint(session, kept)
    sqlite_database.close()
    for leftover in file.parent.glob(f"{file.name}-*"):
        leftover.unlink()
    shutil.copyfile(backup, file)

    restored = Database(settings.url)
    key = signing_key(settings).verifier
    assert verify(restored, key=key).ok, "the backup is whole: only what is kept elsewhere shows its age"
    report = verify(restored, key=key, checkpoints=saved_notes(tmp_path / "elsewhere"))
    restored.close()
    (problem,) = report.problems
    assert "attests 3 events, but the trail ends at event 1" in problem.sentence

    monkeypatch.setenv("LIMS_DATABASE_URL", settings.url)
    monkeypatch.setenv("LIMS_CHECKPOINT_DIR", str(tmp_path / "elsewhere"))
    told = CliRunner().invoke(main, ["--data", str(settings.data_dir), "audit", "verify"])
    assert told.exit_code == 1
    assert "an older backup was restored" in told.output


def test_a_clock_set_back_changes_no_order_and_breaks_no_chain(database: Database) -> None:
    noon = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    for code, moved in (("FIRST", timedelta()), ("SECOND", timedelta(days=-3)), ("THIRD", timedelta(hours=1))):
        with time_machine.travel(noon + moved, tick=False), factories.declared(database) as session:
            factories.project(session, code)
    with database.reading() as session:
        events = session.execute(select(AuditEvent.seq, AuditEvent.at).order_by(AuditEvent.seq)).all()
    assert [seq for seq, _ in events] == [1, 2, 3]
    assert events[1].at < events[0].at < events[2].at, "the clock's own word is kept as it was"
    report = verify(database)
    assert report.ok
    assert report.problems == []
