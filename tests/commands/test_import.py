"""`lims import`: the JSON contract, exit statuses, what may be created, and sentences for whatever is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from lims.cli import main
from lims.config import Settings
from lims.db import Database
from lims.models import Project
from tests.support import factories
from tests.support.pages import add_project

ROWS = {"read", "new", "same", "changed", "conflicting", "refused", "skipped"}
KEYS = {"batch", "state", "importer", "evidence", "rows", "records", "readings", "events", "create", "questions", "findings"}
FINDING = {"severity", "code", "sheet", "row", "column", "value", "message", "expected", "remedy", "source"}
COHORT = "Mouse,Date,Volume (mm3),Group,Study\nM1,2026-03-02,120,Vehicle,S1\nM2,2026-03-02,98,Drug,S1\n"
WEIGHTS = "id,date,weight (g)\nM1,2026-03-02,20\n"


class Shell:
    """Somebody at the command line of a fresh installation with one project."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder

    def file(self, content: str | bytes, name: str = "file.csv") -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run(self, *arguments: str, status: int = 0) -> Result:
        environment = {"LIMS_DATABASE_URL": self.settings.url}
        result = CliRunner().invoke(main, ["--data", str(self.settings.data_dir), *arguments], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        answer = json.loads(self.run("import", "--json", *arguments, status=status).stdout)
        assert answer.keys() == KEYS
        assert answer["rows"].keys() == ROWS
        assert all(type(number) is int for number in answer["rows"].values())
        assert answer["rows"]["read"] == sum(answer["rows"].values()) - answer["rows"]["read"]
        assert type(answer["batch"]) is int
        assert "measurement" in answer["records"]
        assert all(finding.keys() - {"option"} == FINDING for finding in answer["findings"])
        return answer


@pytest.fixture
def shell(settings: Settings, sqlite_database: Database, tmp_path: Path) -> Shell:
    add_project(sqlite_database, "P1")
    return Shell(settings, tmp_path)


@pytest.fixture
def shell_on_each(settings: Settings, database: Database, tmp_path: Path) -> Shell:
    add_project(database, "P1")
    return Shell(settings, tmp_path)


@pytest.mark.child
def test_check_commit_and_again(shell_on_each: Shell) -> None:
    shell = shell_on_each
    file = shell.file(COHORT)

    looked = shell.json(file, "--create")
    assert (looked["state"], looked["importer"]) == ("checked", "caliper_long")
    assert looked["create"]["animals"] == ["M1", "M2"]
    assert looked["evidence"]

    done = shell.json(file, "--create", "animals,arms,study", "--commit")
    assert (done["state"], done["batch"]) == ("committed", looked["batch"])
    assert done["records"] == {"measurement": 2, "study": 1, "arm": 2, "animal": 2, "implant": 2, "enrolment": 2}

    again = shell.json(shell.file(COHORT, "copy.csv"), "--commit")
    assert (again["state"], again["batch"]) == ("committed", done["batch"])
    assert (again["rows"]["new"], again["rows"]["same"]) == (0, 2)
    (note,) = again["findings"]
    assert note["code"] == "already-imported"
    assert f"batch {done['batch']}" in note["message"]
    shell.run("audit", "verify")


def test_what_is_refused_ends_with_status_1_and_places_in_letters(shell: Shell) -> None:
    answer = shell.json(shell.file("id,date,weight (g)\nM1,2026-03-02,1*\n"), "--create", "--commit", status=1)

    assert (answer["state"], answer["rows"]["refused"]) == ("refused", 1)
    (finding,) = [one for one in answer["findings"] if one["severity"] == "error"]
    assert (finding["sheet"], finding["row"], finding["column"], finding["value"]) == ("file", 2, "C", "1*")


def test_a_file_that_cannot_be_read_answers_in_the_same_form(shell: Shell) -> None:
    answer = shell.json(shell.file(b"PK\x03\x04cut off", "weights.xlsx"), status=1)

    assert (answer["state"], answer["importer"], answer["records"]) == ("refused", None, {"measurement": 0})
    assert answer["findings"][0]["code"] == "file-damaged"


def test_the_text_answer_says_the_same(shell: Shell) -> None:
    output = shell.run("import", shell.file("id,date,weight (g)\nM1,2026-03-02,1*\n"), "--create", status=1).output

    assert "Rows: 1 read, 1 refused" in output
    assert "ERROR file 2 C" in output
    assert "expected:" in output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--create", "mice"], "'mice' cannot be created"),
        (["--create", "animals,mice"], "'mice' cannot be created"),
        (["--set", "decimal"], "KEY=VALUE"),
        (["--as", "nonsense"], "no importer"),
        (["--project", "P9"], 'no project "P9"'),
        (["--supersede", "1"], "--reason"),
        (["--supersede", "one"], "not a valid integer"),
        (["--frobnicate"], "No such option"),
    ],
)
def test_wrong_usage_ends_with_status_2_and_stores_nothing(shell: Shell, arguments: list[str], told: str) -> None:
    assert told in shell.run("import", shell.file(WEIGHTS), *arguments, status=2).output
    assert not [path for path in shell.settings.file_dir.rglob("*") if path.is_file()]


def test_a_file_that_is_not_there_or_a_folder_is_wrong_usage(shell: Shell) -> None:
    shell.run("import", str(shell.folder / "nowhere.csv"), status=2)
    shell.run("import", str(shell.folder), status=2)
    shell.run("import", status=2)


def test_an_empty_file_an_unknown_study_and_an_unknown_batch_are_sentences(shell: Shell) -> None:
    assert "is empty" in shell.run("import", shell.file("", "empty.csv"), status=1).output
    said = shell.run("import", shell.file(COHORT), "--study", "S9", "--create", "animals", "--commit", status=1).output
    assert 'no study "S9" in project P1' in said
    assert "--create study" in said
    said = shell.run("import", shell.file(COHORT), "--supersede", "99", "--reason", "wrong", status=1).output
    assert "no batch 99 in project P1" in said


def test_a_study_named_on_the_command_line_is_made_where_that_is_agreed(shell: Shell) -> None:
    days = "Mouse,Day,Volume (mm3)\nM1,0,120\nM1,3,130\n"

    made = shell.json(shell.file(days), "--study", "S9", "--create", "--commit", "--set", "day0=2026-03-02")
    assert made["create"]["study"] == ["S9"]
    grown = shell.json(shell.file(days + "M1,7,150\n", "grown.csv"), "--study", "S9", "--commit")
    assert (grown["rows"]["same"], grown["rows"]["new"]) == (2, 1)


def test_a_permission_holds_for_one_command(shell: Shell) -> None:
    file = shell.file(WEIGHTS + "M2,2026-03-02,500\n")
    shell.json(file, "--create", "--leave-out-refused")

    answer = shell.json(file, "--commit", status=1)

    assert {finding["code"] for finding in answer["findings"] if finding["severity"] == "error"} >= {
        "animal-unknown",
        "value-impossible",
    }
    done = shell.json(file, "--create", "--leave-out-refused", "--commit")
    assert (done["state"], done["rows"]["new"], done["rows"]["refused"]) == ("committed", 1, 1)


def test_a_corrected_file_supersedes_a_batch(shell: Shell) -> None:
    old = shell.json(shell.file(WEIGHTS), "--create", "--commit")["batch"]

    new = shell.json(
        shell.file(WEIGHTS.replace(",20\n", ",21\n"), "b.csv"), "--supersede", str(old), "--reason", "wrong scale", "--commit"
    )

    assert (new["state"], new["rows"]["new"]) == ("committed", 1)
    assert shell.run("audit", "verify").exit_code == 0


def test_another_projects_batch_study_and_animals_are_not_there(shell: Shell, sqlite_database: Database) -> None:
    add_project(sqlite_database, "P2")
    file = shell.file(COHORT)
    old = shell.json(file, "--project", "P1", "--create", "--commit")["batch"]

    assert "Say which project" in shell.run("import", file, status=2).output
    other = shell.file(COHORT.replace("120", "121"), "b.csv")
    said = shell.run("import", other, "--project", "P2", "--supersede", str(old), "--reason", "mine", status=1).output
    assert f"no batch {old} in project P2" in said
    assert 'no study "S1" in project P2' in shell.run("import", other, "--project", "P2", "--study", "S1", status=1).output
    answer = shell.json(other, "--project", "P2", status=1)
    assert [one["value"] for one in answer["findings"] if one["code"] == "animal-unknown"] == ["M1", "M2"]


def test_a_full_disk_is_a_sentence(shell: Shell) -> None:
    def fill(connection: Any, record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", fill)
    try:
        said = shell.run("import", shell.file(WEIGHTS + "".join(f"M{n},2026-03-02,20\n" for n in range(2, 400))), status=1).output
    finally:
        event.remove(Engine, "connect", fill)
    assert "disk of the database is full" in said


def test_two_processes_at_once_agree_on_one_batch(shell_on_each: Shell) -> None:
    shell = shell_on_each
    file = shell.file(WEIGHTS)
    command = [
        sys.executable,
        "-m",
        "lims.cli",
        "--data",
        str(shell.settings.data_dir),
        "import",
        file,
        "--create",
        "--commit",
        "--json",
    ]
    environment = {"LIMS_DATABASE_URL": shell.settings.url, "PATH": "/usr/bin:/bin"}
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=root)
        for _ in range(2)
    ]
    answers = [one.communicate(timeout=60) for one in running]

    assert [one.returncode for one in running] == [0, 0], answers
    told = [json.loads(out) for out, _ in answers]
    assert {one["batch"] for one in told} == {told[0]["batch"]}
    assert sorted(one["rows"]["new"] for one in told) == [0, 1]
    shell.run("audit", "verify")


def test_the_importers_are_listed(shell: Shell) -> None:
    output = shell.run("importers").output

    for key in ("living_image", "caliper_long", "caliper_wide", "group_headed", "colony_log", "body_weight"):
        assert key in output


def test_cells_rows_names_and_warnings_are_said_on_the_command_line(shell_on_each: Shell) -> None:
    shell = shell_on_each
    shell.json(shell.file("id,date,weight (g)\nM007,2026-02-02,20\n", "first.csv"), "--create", "--commit")
    file = shell.file("id,date,weight (g)\nM7,2026-03-02,20*\nM7,2026-03-03,21\nM7,2026-03-04,200\nM7,2026-03-05,9\n")
    assert "need --reason" in shell.run("import", file, "--edit", "C2=20", status=2).output
    for option, wrong in [("--edit", "C2"), ("--edit", "2=20"), ("--exclude", "C2"), ("--alias", "M7")]:
        assert "Invalid value" in shell.run("import", file, option, wrong, "--reason", "x", status=2).output
    assert 'no animal "M9"' in shell.run("import", file, "--alias", "M7=M9", status=1).output
    assert "is a header" in shell.run("import", file, "--exclude", "1", "--reason", "x", status=1).output
    assert "There is no cell" in shell.run("import", file, "--edit", "file!J2=20", "--reason", "x", status=1).output

    said = ("--alias", "M7=M007", "--edit", "file!C2=20.5", "--exclude", "4", "--reason", "misread")
    looked = shell.json(file, *said)
    assert (looked["state"], looked["rows"]["new"], looked["rows"]["skipped"]) == ("checked", 3, 1)
    stopped = shell.json(file, *said, "--accept", "value-jumps", "--commit", status=1)
    assert stopped["state"] == "checked"
    assert stopped["findings"][-1]["code"] == "warnings-not-accepted"
    assert "1 × value-unusual" in stopped["findings"][-1]["message"]
    done = shell.json(file, *said, "--accept", "value-jumps", "--accept", "value-unusual", "--commit")
    assert (done["state"], done["records"]["measurement"]) == ("committed", 3)
    shell.run("audit", "verify")


def test_a_workbook_above_the_limit_is_refused_before_it_is_stored_and_long_text_is_not(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lims.commands.imports.MAX_UPLOAD_BYTES", 20)
    refused = shell.run("import", shell.file(b"PK\x03\x04" + b"\x00" * 100, "large.xlsx"), status=1)
    assert "large.xlsx: The file has" in refused.output
    assert "split the file" in refused.output
    assert not any(path.is_file() for path in shell.settings.file_dir.rglob("*"))
    assert shell.json(shell.file(WEIGHTS), "--create", "animals")["rows"]["new"] == 1


def test_a_profile_is_named_or_recognises_the_file_by_itself(shell: Shell, sqlite_database: Database) -> None:
    with factories.declared(sqlite_database) as session:
        project = session.scalars(select(Project)).one()
        factories.import_profile(session, project, "Barn")
    table = "Tier Barn;Wann;KG\nM1;2026-03-02;21,5\n"
    own = shell.json(shell.file(table), "--create")
    assert (own["state"], own["importer"]) == ("checked", "mapped_table")
    assert own["evidence"] == ['profile "Barn" (version 1) knows these headers']
    more = table.replace("KG", "KG;more").replace("21,5", "21,5;x")
    named = shell.json("--create", "animals", "--profile", "barn", shell.file(more, "more.csv"))
    assert "column-not-mapped" in {finding["code"] for finding in named["findings"]}
    missing = shell.json("--profile", "Barn", shell.file(table.replace("KG", "Gewicht"), "less.csv"), status=1)
    assert [finding["code"] for finding in missing["findings"]] == ["headers-changed"]
    assert 'no import profile "Stall"' in shell.run("import", "--profile", "Stall", shell.file(table, "x.csv"), status=1).output
    assert "--as" in shell.run("import", "--profile", "Barn", "--as", "body_weight", shell.file(table), status=2).output
