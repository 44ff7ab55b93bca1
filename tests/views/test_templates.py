"""The page of templates, its downloads with their trace in the trail, and the command that writes the same files."""

from __future__ import annotations

import io
from http import HTTPStatus
from pathlib import Path

import openpyxl
import orjson
from click.testing import CliRunner
from sqlalchemy import select

from lims.cli import main
from lims.config import Settings
from lims.db import Database
from lims.models import AuditEvent, Project
from lims.records.registries import REGISTRIES
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.pages import Browser, message
from tests.support.statements import statements
from tests.views.cohort import add_people

HOME = "/p/BCBM"


def _patients(database: Database, number: int) -> None:
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        for one in range(number):
            make.patient(session, project, f"P{one:03}")


def _exports(database: Database) -> list[dict[str, object]]:
    with database.reading() as session:
        told = session.execute(select(AuditEvent.actor, AuditEvent.detail).where(AuditEvent.action == "patient:export"))
        return [{"by": name} | orjson.loads(detail) for name, detail in told]


def test_a_registry_is_downloaded_blank_or_with_what_is_recorded(app: Application, sqlite_database: Database) -> None:
    add_people(sqlite_database)
    _patients(sqlite_database, 2)
    browser = Browser(app).sign_in("Tom")

    page = browser.get(f"{HOME}/templates/", heading="Templates")
    assert [cell.text for cell in page.select("tbody th")] == [one.title for one in REGISTRIES.values()]
    assert "Year of birth of the patient. whole number, 1900 to 2100" in message(page)
    blank = browser.client.get(f"{HOME}/templates/patient.xlsx")
    filled = browser.client.get(f"{HOME}/templates/patient.xlsx?filled=1")
    assert filled.headers["Content-Disposition"] == 'attachment; filename="BCBM patients.xlsx"'
    sheets = [openpyxl.load_workbook(io.BytesIO(sent.data)).worksheets[0] for sent in (blank, filled)]
    assert [sheet.max_row for sheet in sheets] == [2, 4]
    assert [cell.value for cell in sheets[1]["C"]] == ["patient", "P-0001", "P000", "P001"]

    version = REGISTRIES["patient"].version
    told = {"template": "Patients", "version": version}
    assert [one | told == one for one in _exports(sqlite_database)] == [True, True]
    assert [one["filled"] for one in _exports(sqlite_database)] == [False, True]
    assert browser.client.get(f"{HOME}/templates/mouse.xlsx").status_code == HTTPStatus.NOT_FOUND
    assert browser.client.get("/p/OTHER/templates/").status_code == HTTPStatus.NOT_FOUND


def test_lists_and_the_upload_page_lead_to_it(app: Application, sqlite_database: Database) -> None:
    add_people(sqlite_database)
    browser = Browser(app).sign_in("Sara")
    for path, noun in (("patients", "patient"), ("therapy", "therapy"), ("animals", "animal"), ("aliquots", "aliquot")):
        page = browser.get(f"{HOME}/{path}/")
        assert page.select(f'main a[href$="/templates/#{noun}"]'), path
    assert browser.get(f"{HOME}/imports/new").select('aside a[href$="/templates/"]')


def test_a_longer_registry_takes_no_more_statements(app: Application, sqlite_database: Database) -> None:
    add_people(sqlite_database)
    _patients(sqlite_database, 2)
    browser = Browser(app).sign_in("Sara")

    def asked() -> int:
        with statements(sqlite_database.engine) as seen:
            browser.client.get(f"{HOME}/templates/patient.xlsx?filled=1")
        return len(seen)

    asked()
    few = asked()
    with make.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        for one in range(40):
            make.patient(session, project, f"Q{one:03}")
    assert asked() == few


def test_the_command_writes_the_same_files(settings: Settings, sqlite_database: Database, tmp_path: Path) -> None:
    add_people(sqlite_database)
    _patients(sqlite_database, 1)
    file = tmp_path / "patients.xlsx"

    def run(*arguments: str, status: int = 0) -> str:
        environment = {"LIMS_DATABASE_URL": settings.url}
        result = CliRunner().invoke(main, ["--data", str(settings.data_dir), "template", *arguments], env=environment)
        assert result.exit_code == status, result.output
        return result.output

    assert run().splitlines()[0] == "patient      Patients, 7 columns"
    assert run("patient", "--project", "BCBM", "--filled", "-o", str(file)) == f"Wrote {file}\n"
    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert [cell.value for cell in sheet["C"]] == ["patient", "P-0001", "P000"]
    assert str(_exports(sqlite_database)[0]["by"]).startswith("command line")
    assert "expected" in run("mouse", "--project", "BCBM", "-o", str(file), status=1).casefold()
    assert "-o FILE.xlsx" in run("patient", status=2)
