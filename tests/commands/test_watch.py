"""`lims watch`: complete files are taken in once, nothing is recorded, and no file ends the watch over the others."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lims.commands.watch import Folder, take_in
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import BatchState
from lims.models import ImportBatch, Measurement
from tests.support import factories
from tests.support.pages import add_project

WEIGHTS = "id,date,weight (g)\nM1,2026-03-02,20\n"
START_SECONDS = 60


@pytest.fixture
def folder(settings: Settings, sqlite_database: Database, tmp_path: Path) -> Folder:
    project = add_project(sqlite_database, "BCBM")
    with factories.declared(sqlite_database) as session:
        factories.animal(session, project, "M1")
    watched = tmp_path / "from the balance"
    watched.mkdir()
    return Folder(watched, lambda file: take_in(settings, "BCBM", file, None))


def batches(database: Database) -> list[tuple[str, BatchState]]:
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Measurement)) == 0, "nothing is ever recorded"
        return [(one.file_name, one.state) for one in session.scalars(select(ImportBatch).order_by(ImportBatch.id))]


def test_a_file_is_taken_in_once_it_is_complete_and_only_once(
    folder: Folder, sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lims.watch")
    growing, scan = folder.path / "growing.csv", folder.path / "scan.csv"
    scan.write_text(WEIGHTS)
    growing.write_text("id,date")
    assert folder.look() == 0, "nobody knows yet whether they are complete"
    growing.write_text(WEIGHTS.replace("20\n", "21\n"))
    for name in (".hidden.csv", "~$open.xlsx", "scan.csv.part", "new.csv.crdownload", "empty.csv"):
        (folder.path / name).write_text("" if name == "empty.csv" else WEIGHTS)
    (folder.path / "folder").mkdir()
    assert folder.look() == 1
    assert folder.look() == 1
    assert folder.look() == 0
    assert batches(sqlite_database) == [("scan.csv", BatchState.CHECKED), ("growing.csv", BatchState.CHECKED)]
    assert scan.read_text() == WEIGHTS, "it is neither moved nor changed"

    (folder.path / "copy of scan.csv").write_text(WEIGHTS)
    again = Folder(folder.path, folder.take)  # a new start remembers by what the project was given
    again.look()
    again.look()
    assert len(batches(sqlite_database)) == 2
    assert any(message == "copy of scan.csv: is batch 1 already (checked)." for message in caplog.messages)
    assert any(message.startswith("scan.csv: batch 1, checked, 1 rows.") for message in caplog.messages)


def test_what_cannot_be_read_is_told_once_and_ends_nothing(
    folder: Folder, sqlite_database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "lims.watch")
    locked, unknown, picture = (folder.path / name for name in ("a locked.csv", "b fruit.csv", "c picture.png"))
    locked.write_text(WEIGHTS)
    unknown.write_text("Colour,Taste\nred,sweet\n")
    picture.write_bytes(b"\x89PNG and more")
    opened = Path.open

    def refuse(path: Path, *how: str, **more: str) -> object:
        if path.name == "a locked.csv":
            raise PermissionError(13, "Permission denied")
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", refuse)
    for _ in range(4):
        folder.look()
    monkeypatch.undo()
    folder.look()
    assert batches(sqlite_database) == [
        ("b fruit.csv", BatchState.REFUSED),
        ("c picture.png", BatchState.REFUSED),
        ("a locked.csv", BatchState.CHECKED),
    ]
    denied = [message for message in caplog.messages if "Permission denied" in message]
    assert denied == ["a locked.csv cannot be read (Permission denied). It is tried again at every look."]
    assert any(message.startswith("b fruit.csv: batch 1, refused, 0 rows. no importer recognises") for message in caplog.messages)

    folder.path.rename(folder.path.with_name("away"))
    folder.look()
    folder.look()
    gone = [message for message in caplog.messages if "No such file" in message]
    assert len(gone) == 1
    folder.path.with_name("away").rename(folder.path)
    assert folder.look() == 0


def test_the_command_stops_when_it_is_asked_to(folder: Folder, settings: Settings, sqlite_database: Database) -> None:
    (folder.path / "scan.csv").write_text(WEIGHTS)
    environment = os.environ | {"LIMS_DATABASE_URL": settings.url}
    command = [sys.executable, "-m", "lims.cli", "--data", str(settings.data_dir), "watch", str(folder.path)]
    refused = subprocess.run([*command, "--profile", "Barn"], env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert 'no import profile "Barn"' in refused.stderr
    with subprocess.Popen([*command, "--every", "0.1"], env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + START_SECONDS
        while not batches(sqlite_database) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 0, log
    assert "stopped watching" in log
    assert [name for name, _ in batches(sqlite_database)] == ["scan.csv"]
