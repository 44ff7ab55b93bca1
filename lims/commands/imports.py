"""`lims import` and `lims importers`: files in from the command line, with a JSON answer that scripts may rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.base import Finding, Refused, Severity
from importers.preflight import MAX_STREAMED_BYTES, MAX_UPLOAD_BYTES, too_large
from importers.registry import by_key
from importers.workbook import is_text
from lims.commands.support import Refusal, command_line_actor, open_database, resolve_project, settings_of
from lims.config import Settings
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.intake import run
from lims.intake.report import finding_as_json
from lims.intake.resolve import CREATABLE
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.models import ImportBatch, Project, Study


class CreateList(click.ParamType[str]):
    """A comma-separated list of what an import may create."""

    name = "animals,arms,study,agents,cages"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check every word of the list."""
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        for word in words:
            if word not in CREATABLE:
                self.fail(f"{word!r} cannot be created by an import; expected some of {','.join(CREATABLE)}", param, ctx)
        return ",".join(words)


class Answer(click.ParamType[tuple[str, str]]):
    """`key=value`: the answer to one of the file's questions."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the last sign of equality that has something on both sides."""
        key, sign, answer = str(value).rpartition("=")
        if not sign or not key or not answer:
            self.fail(f"{value!r} is no answer; expected KEY=VALUE such as decimal=comma", param, ctx)
        return key, answer


def _known_importer(context: click.Context, param: click.Parameter, key: str | None) -> str | None:
    """Refuse a key that is no importer's before anything is stored."""
    if key is not None:
        try:
            by_key(key)
        except Refused as refused:
            raise click.BadParameter(f"{refused.finding.message}; expected {refused.finding.expected}") from refused
    return key


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", "project_code", help="Project by code; not needed where there is only one.")
@click.option("--study", "study_code", help="Study by code; with --create study it is made where it is not there.")
@click.option(
    "--as", "importer", callback=_known_importer, help="Importer to use, where none or several claim the file (lims importers)."
)
@click.option("--set", "answers", multiple=True, type=Answer(), help="Answer a question of the file; may be given several times.")
@click.option(
    "--create",
    type=CreateList(),
    is_flag=False,
    flag_value=",".join(CREATABLE),
    help="What the file may create: some of animals,arms,study,agents,cages; --create alone means all of them.",
)
@click.option("--leave-out-refused", is_flag=True, help="Record what is right; what is refused stays in the batch.")
@click.option("--supersede", type=int, metavar="BATCH", help="This file replaces a committed batch.")
@click.option("--reason", default="", help="Why; needed with --supersede.")
@click.option("--check", "mode", flag_value="check", default=True, help="Only look (default).")
@click.option("--commit", "mode", flag_value="commit", help="Record it if nothing stands in the way.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def import_file(
    context: click.Context,
    file: Path,
    project_code: str | None,
    study_code: str | None,
    importer: str | None,
    answers: tuple[tuple[str, str], ...],
    create: str | None,
    leave_out_refused: bool,
    supersede: int | None,
    reason: str,
    mode: str,
    as_json: bool,
) -> None:
    """Read FILE, say what would be recorded, and with --commit record it, whole or not at all."""
    settings = settings_of(context)
    if supersede and not reason.strip():
        raise click.UsageError("--supersede needs --reason: why the earlier numbers should not count.")
    # A permission holds for the command that gives it; answers about the file (--set) are kept.
    choices = {"create": create or "", "leave_out": "refused" if leave_out_refused else "", **dict(answers)}
    _require_size(file)
    with open_database(settings) as database:
        batch_id, again = _receive(
            database, settings, file, project_code, study_code, importer=importer, choices=choices, supersede=supersede
        )
        if again:
            answer = _already(database, batch_id)
        else:
            # The child process must not find an open connection: SQLite's do not survive a fork.
            database.close()
            answer = _run(database, settings, batch_id, commit=mode == "commit", reason=reason)
    click.echo(json.dumps(answer, ensure_ascii=False, indent=None if as_json else 2) if as_json else _in_words(answer))
    if answer["state"] == BatchState.REFUSED.value:
        context.exit(1)


def _require_size(file: Path) -> None:
    """Refuse what is too large to be read, before it is stored: text may be larger than a workbook, as its rows may pass by."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        most = MAX_STREAMED_BYTES if is_text(stream.read(1024)) else MAX_UPLOAD_BYTES
    if size > most:
        found = too_large(size).finding
        raise Refusal(f"{file.name}: {found.message} Expected: {found.expected}. {found.remedy}")


def _run(database: Database, settings: Settings, batch_id: int, *, commit: bool, reason: str) -> dict[str, Any]:
    """Check or commit; gives the answer to print."""
    if not commit:
        return _answer(run.check(settings, settings.url, batch_id, command_line_actor()))
    try:
        return _answer(run.commit(settings, settings.url, batch_id, command_line_actor(), reason=reason))
    except Conflict:
        # Somebody else recorded the same file a moment before.
        answer = _already(database, batch_id)
        if answer["state"] != BatchState.COMMITTED.value:
            raise
        return answer


def _receive(
    database: Database,
    settings: Settings,
    file: Path,
    project_code: str | None,
    study_code: str | None,
    *,
    importer: str | None,
    choices: dict[str, str],
    supersede: int | None,
) -> tuple[int, bool]:
    """Store the file; gives the batch, and whether it had been committed before."""
    with database.transaction() as session:
        project = resolve_project(session, project_code)
        study = _study(session, project, study_code)
        if study_code and study is None:
            if "study" not in choices["create"].split(","):
                raise _no_study(session, project, study_code)
            choices["study"] = study_code
        replaced = session.get(ImportBatch, supersede) if supersede else None
        if supersede and (replaced is None or replaced.project_id != project.id):
            raise DomainError(f"There is no batch {supersede} in project {project.code}.")
        batch, _ = receive(
            session,
            command_line_actor(),
            FileStore(settings.file_dir),
            project,
            file.name,
            file,
            study=study,
            importer=importer,
            choices=choices,
            supersedes=replaced,
        )
        return batch.id, batch.state is BatchState.COMMITTED


def _study(session: Session, project: Project, code: str | None) -> Study | None:
    if code is None:
        return None
    named = select(Study).where(Study.project_id == project.id, Study.code == code, Study.status == RecordStatus.ACTIVE)
    return session.scalar(named)


def _no_study(session: Session, project: Project, code: str) -> DomainError:
    codes = session.scalars(
        select(Study.code).where(Study.project_id == project.id, Study.status == RecordStatus.ACTIVE).order_by(Study.code)
    ).all()
    return DomainError(
        f'There is no study "{code}" in project {project.code}.',
        expected=f"one of {', '.join(codes)}" if codes else "a study; there is none yet",
        remedy="Correct the code, or let the import make the study with --create study.",
    )


def _answer(outcome: run.Outcome) -> dict[str, Any]:
    """Give the JSON contract of `import --json`."""
    report = outcome.report
    return {
        "batch": outcome.batch_id,
        "state": outcome.state.value,
        "importer": outcome.importer,
        "evidence": report.get("evidence", []),
        "rows": report["rows"],
        "records": report["records"],
        "readings": report.get("readings", {}),
        "events": report.get("events", {}),
        "create": report.get("create", {}),
        "questions": report["questions"],
        "findings": [finding_as_json(finding) for finding in outcome.findings],
    }


def _already(database: Database, batch_id: int) -> dict[str, Any]:
    """Say of a file that was committed before: every row is there already."""
    with database.reading() as session:
        batch = session.get_one(ImportBatch, batch_id)
        report = batch.report or {}
        rows = report.get("rows", {})
        there = sum(rows.get(fate, 0) for fate in ("new", "same", "changed"))
        when = f"{batch.committed_at:%Y-%m-%d %H:%M} UTC" if batch.committed_at else "before"
        said = Finding(
            Severity.NOTE,
            "already-imported",
            f'The same file was imported as batch {batch.id} ("{batch.file_name}", {when}); nothing was recorded again.',
        )
        return {
            "batch": batch.id,
            "state": batch.state.value,
            "importer": batch.importer,
            "evidence": report.get("evidence", []),
            "rows": rows | {"new": 0, "same": there, "changed": 0},
            "records": {"measurement": 0},
            "readings": {},
            "events": {},
            "create": {},
            "questions": report.get("questions", []),
            "findings": [finding_as_json(said)],
        }


def _in_words(answer: dict[str, Any]) -> str:
    rows = ", ".join(f"{number} {fate}" for fate, number in answer["rows"].items() if number or fate == "read")
    records = ", ".join(f"{number} {noun}{'s' if number != 1 else ''}" for noun, number in answer["records"].items() if number)
    lines = [f"Batch {answer['batch']}: {answer['state']}", f"Importer: {answer['importer'] or 'none'}"]
    lines += [f"  {sentence}" for sentence in answer["evidence"]]
    lines += [f"Rows: {rows or 'none read'}", f"Records: {records or 'none'}"]
    for finding in answer["findings"]:
        place = " ".join(str(finding[part]) for part in ("sheet", "row", "column") if finding.get(part))
        lines.append(f"{finding['severity'].upper()}{place and ' '}{place}: {finding['message']}")
        hints = (("expected", finding.get("expected")), ("to do", finding.get("remedy")), ("rule", finding.get("source")))
        lines += [f"    {label}: {hint}" for label, hint in hints if hint]
    return "\n".join(lines)


@click.command("importers")
def list_importers() -> None:
    """List the formats that can be read."""
    from importers.registry import IMPORTERS

    for importer in IMPORTERS:
        click.echo(f"{importer.key:<16} {importer.title}\n{'':<16} {importer.reads}")
