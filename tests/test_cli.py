"""The command line as a person types it."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from jinja2 import DictLoader, Environment
from sqlalchemy import select

from lims.cli import COMMANDS, main
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import JobState
from lims.jobs.locks import WORKER, holding
from lims.models import AuditEvent, Membership, Project, User
from lims.views.compiled import kept_templates
from tests.support import factories


def run(*arguments: str, **environment: str) -> Result:
    """Run a command in this test's own data folder."""
    return CliRunner().invoke(main, arguments, env={"LIMS_PASSWORD_MEMORY_KIB": "19456"} | environment)


@pytest.fixture
def lab() -> Database:
    """Give the database of a set-up data folder with one project."""
    assert run("init", "--project", "BCBM", "--title", "Brain metastasis").exit_code == 0
    return Database(Settings().url)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    module, _, function = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), function)
    assert isinstance(command, click.Command)
    assert run(name, "--help").exit_code == 0


def test_help_loads_no_heavy_library() -> None:
    code = "import sys; from lims.cli import main; main(['--help'], standalone_mode=False); print(HEAVY & set(sys.modules))"
    code = code.replace("HEAVY", "{'flask', 'sqlalchemy', 'openpyxl', 'pydantic'}")
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip().endswith("set()")


def test_serve_loads_nothing_before_it_is_used(lab: Database) -> None:
    lab.close()
    code = """
import gc, sys, waitress
from lims.cli import main
from lims.config import Settings
def answer(app, **options):
    assert app.test_client().get("/login").status_code == 200
    unused = {"alembic", "openpyxl", "psycopg", "smtplib", "lims.views.mail"}
    print(gc.isenabled(), gc.get_freeze_count() > 100_000, unused & set(sys.modules))
waitress.serve = answer
main(["serve", "--port", sys.argv[1]])
"""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = str(one.getsockname()[1])
    answer = subprocess.run([sys.executable, "-c", code, port], capture_output=True, text=True, check=True)
    assert answer.stdout.strip().endswith("True True set()"), answer.stdout
    assert list((Settings().data_dir / "compiled-templates").iterdir())


@pytest.mark.parametrize("harm", ["others write", "a link", "gone"])
def test_compiled_templates_are_kept_where_only_this_account_writes(tmp_path: Path, harm: str) -> None:
    assert kept_templates(tmp_path) is not None
    folder = tmp_path / "compiled-templates"
    if harm == "others write":
        folder.chmod(0o777)
    elif harm == "a link":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    assert kept_templates(tmp_path / "nowhere" if harm == "gone" else tmp_path) is None


def test_a_compiled_template_that_is_spoilt_or_cannot_be_kept_harms_no_page(tmp_path: Path) -> None:
    for spoil in (lambda file: file.write_bytes(file.read_bytes()[:-50]), lambda file: (file.unlink(), file.mkdir())):
        for _ in range(2):
            page = Environment(loader=DictLoader({"page": "{{ 1 + 1 }}"}), bytecode_cache=kept_templates(tmp_path))
            assert page.get_template("page").render() == "2"
            (file,) = (tmp_path / "compiled-templates").iterdir()
            if file.is_file():
                spoil(file)


def test_init_twice_keeps_what_is_there(lab: Database) -> None:
    key = (Settings().data_dir / "secret-key").read_text()
    again = run("init", "--project", "BCBM")
    assert again.exit_code == 0
    assert (Settings().data_dir / "secret-key").read_text() == key
    lab.close()


def test_a_user_is_added_with_a_password_shown_once(lab: Database) -> None:
    answer = run("user", "add", "Tom@lab.test", "--role", "technician", "--name", "Tom Tech")
    assert answer.exit_code == 0
    assert "shown once" in answer.stdout
    with lab.reading() as session:
        person = session.scalars(select(User)).one()
        assert person.name == "Tom Tech"
        assert session.scalars(select(Membership)).one().role.name.value == "technician"
        assert session.scalars(select(AuditEvent.origin)).all()[-1] == "command line"
    lab.close()


def test_a_password_from_the_environment_is_not_printed(lab: Database) -> None:
    answer = run("user", "add", "tom@lab.test", "--administrator", LIMS_NEW_PASSWORD="ein langer Satz tut es")
    assert answer.exit_code == 0
    assert "Satz" not in answer.output
    assert "shown once" not in answer.output
    short = run("user", "reset", "tom@lab.test", LIMS_NEW_PASSWORD="short")
    assert (short.exit_code, "at least 12" in short.output) == (1, True)
    lab.close()


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("user", "add", "x", "--role", "auditor"), 1, "is no e-mail address"),
        (("user", "add", "a@lab.test"), 2, "--role"),
        (("user", "add", "a@lab.test", "--role", "king"), 2, "king"),
        (("user", "add", "a@lab.test", "--role", "auditor", "--project", "NONE"), 2, 'no project "NONE"'),
        (("user", "reset", "nobody@lab.test"), 1, "Nobody with the address"),
        (("project", "add", "bcbm", "--title", "x"), 1, "already"),
        (("project", "add", "a b", "--title", "x"), 1, "cannot be a project code"),
        (("nonsense",), 2, "No such command"),
    ],
)
def test_refusals_are_sentences_with_the_right_status(
    lab: Database, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    answer = run(*arguments)
    assert (answer.exit_code, sentence in answer.output) == (status, True), answer.output
    with lab.reading() as session:
        assert session.scalars(select(User)).all() == []
    lab.close()


def test_a_bad_setting_is_named() -> None:
    answer = run("doctor", LIMS_TIMEZONE="Mars/Olympus")
    assert answer.exit_code == 2
    assert "LIMS_TIMEZONE" in answer.output
    assert "Mars/Olympus" in answer.output


def test_a_list_that_is_no_list_is_named() -> None:
    answer = run("doctor", LIMS_TRUSTED_HOSTS="lims.lab.org")
    assert answer.exit_code == 2
    assert "trusted_hosts" in answer.output
    assert '["lims.lab.org"]' in answer.output


def test_the_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    assert run("--data", str(folder), "init").exit_code == 0
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o755)
    answer = run("--data", str(folder), "doctor")
    assert answer.exit_code == 1
    assert "chmod 700" in answer.output


def test_serve_refuses_a_database_without_tables() -> None:
    answer = run("serve")
    assert answer.exit_code == 1
    assert "lims init" in answer.output


def test_serve_says_when_the_port_is_taken(lab: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = run("serve", "--port", str(taken.getsockname()[1]))
    assert answer.exit_code == 1
    assert "Choose another" in answer.output
    lab.close()


def test_doctor_finds_an_open_secret_key(lab: Database) -> None:
    assert run("doctor").exit_code == 0
    (Settings().data_dir / "secret-key").chmod(0o644)
    answer = run("doctor")
    assert answer.exit_code == 1
    assert "chmod 600" in answer.output
    lab.close()


def test_doctor_says_whether_a_worker_runs_and_what_waits(lab: Database) -> None:
    assert "none needed" in run("doctor").output
    idle = run("doctor", LIMS_JOBS="worker")
    assert (idle.exit_code, "none runs, nothing to do" in idle.output) == (0, True)
    with factories.declared(lab) as session:
        waiting = factories.batch(session, session.scalars(select(Project)).one())
        factories.job(session, waiting, state=JobState.QUEUED)
    waits = run("doctor", LIMS_JOBS="worker")
    assert (waits.exit_code, "none runs, 1 job to do → run `lims serve` or `lims worker`" in waits.output) == (1, True)
    with holding(lab, Settings(), WORKER, shared=True):
        assert "runs, 1 job to do" in run("doctor", LIMS_JOBS="worker").output
    lab.close()


def test_doctor_before_init() -> None:
    answer = run("--data", str(Path("/nonexistent/lims")), "doctor")
    assert answer.exit_code == 1
    assert "lims init" in answer.output


def test_the_trail_verifies_and_exports(lab: Database, tmp_path: Path) -> None:
    assert "Everything holds." in run("audit", "verify").output
    file = tmp_path / "trail.csv"
    assert run("audit", "export", "--format", "csv", "-o", str(file)).exit_code == 0
    assert "BCBM" in file.read_text(encoding="utf-8-sig")
    with lab.reading() as session:
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)).all()[-1] == "audit:export"
    lab.close()
