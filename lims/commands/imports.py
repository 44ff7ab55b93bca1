"""`lims import` and `lims importers`: files in from the command line, with a JSON answer that scripts may rely on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from importers.base import Refused
from importers.preflight import MAX_STREAMED_BYTES, MAX_UPLOAD_BYTES, too_large
from importers.registry import by_key
from importers.workbook import is_text
from lims.commands.import_edits import CellEdit, CellOption, NameOption, RowOption, RowPlace, Said, keep
from lims.commands.support import Refusal, command_line_actor, open_database, resolve_project, settings_of
from lims.config import Settings
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.intake.answers import already_there, answer_of, study_named
from lims.intake.groups import ALL
from lims.intake.profiles import receive_by_profile
from lims.intake.resolving import CREATABLE
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.models import ImportBatch
from lims.progress import Listener


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
@click.option("--profile", metavar="NAME", help="Import profile of the project to read it by, whatever its headers.")
@click.option("--set", "answers", multiple=True, type=Answer(), help="Answer a question of the file; may be given several times.")
@click.option(
    "--create",
    type=CreateList(),
    is_flag=False,
    flag_value=",".join(CREATABLE),
    help="What the file may create: some of animals,arms,study,agents,cages; --create alone means all of them.",
)
@click.option("--leave-out-refused", is_flag=True, help="Record what is right; what is refused stays in the batch.")
@click.option("--edit", "cells", multiple=True, type=CellOption(), help="Read another value in place of a cell; needs --reason.")
@click.option("--exclude", "rows", multiple=True, type=RowOption(), help="Leave a row out; needs --reason.")
@click.option("--alias", "names", multiple=True, type=NameOption(), help="The file calls this animal so, now and in later files.")
@click.option(
    "--accept",
    multiple=True,
    metavar="CODE",
    help="With --commit: record in spite of warnings of this kind, and of no other; without it, of all kinds.",
)
@click.option("--supersede", type=int, metavar="BATCH", help="This file replaces a committed batch.")
@click.option("--reason", default="", help="Why; needed with --supersede, --edit and --exclude.")
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
    profile: str | None,
    answers: tuple[tuple[str, str], ...],
    create: str | None,
    leave_out_refused: bool,
    cells: tuple[CellEdit, ...],
    rows: tuple[RowPlace, ...],
    names: tuple[tuple[str, str], ...],
    accept: tuple[str, ...],
    supersede: int | None,
    reason: str,
    mode: str,
    as_json: bool,
) -> None:
    """Read FILE, say what would be recorded, and with --commit record it, whole or not at all."""
    settings = settings_of(context)
    said = Said(cells, rows, names, reason)
    said.require_reason()
    if supersede and not reason.strip():
        raise click.UsageError("--supersede needs --reason: why the earlier numbers should not count.")
    if profile and importer:
        raise click.UsageError("--profile says which importer reads the file: leave --as out.")
    # A permission holds for the command that gives it; answers about the file (--set) are kept.
    choices = {"create": create or "", "leave_out": "refused" if leave_out_refused else "", **dict(answers)}
    require_size(file)
    with open_database(settings) as database:
        where = (database, settings, file, project_code, study_code)
        batch_id, again = _receive(*where, importer=importer, profile=profile, choices=choices, supersede=supersede)
        if again:
            answer = _already(database, batch_id)
        else:
            answer = _read(database, settings, batch_id, said, commit=mode == "commit", accept=accept or (ALL,))
    click.echo(json.dumps(answer, ensure_ascii=False, indent=None if as_json else 2) if as_json else _in_words(answer))
    if answer["state"] == BatchState.REFUSED.value or (mode == "commit" and answer["state"] == BatchState.CHECKED.value):
        context.exit(1)


def _read(
    database: Database, settings: Settings, batch_id: int, said: Said, *, commit: bool, accept: tuple[str, ...]
) -> dict[str, Any]:
    """Keep what was said of the file, and check or commit it."""
    # The child process must not find an open connection: SQLite's do not survive a fork.
    database.close()
    keep(database, settings, batch_id, command_line_actor(), said)
    database.close()
    return _run(database, settings, batch_id, commit=commit, reason=said.reason, accept=accept)


def require_size(file: Path) -> None:
    """Refuse what is too large to be read, before it is stored: text may be larger than a workbook, as its rows may pass by."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        most = MAX_STREAMED_BYTES if is_text(stream.read(1024)) else MAX_UPLOAD_BYTES
    if size > most:
        found = too_large(size).finding
        raise Refusal(f"{file.name}: {found.message} Expected: {found.expected}. {found.remedy}")


def _run(
    database: Database, settings: Settings, batch_id: int, *, commit: bool, reason: str, accept: Sequence[str]
) -> dict[str, Any]:
    """Check or commit, with a bar on standard error where a person looks; gives the answer to print."""
    task = (settings, settings.url, batch_id, command_line_actor())
    try:
        with _progress_bar() as listener:
            if not commit:
                return _answer(run.check(*task, listener=listener))
            return _answer(run.commit(*task, reason=reason, accept=accept, listener=listener))
    except Conflict:
        # Somebody else recorded the same file a moment before.
        answer = _already(database, batch_id)
        if answer["state"] != BatchState.COMMITTED.value:
            raise
        return answer


@contextmanager
def _progress_bar() -> Iterator[Listener | None]:
    """Draw how far the import is; where nobody looks, such as in a script, nothing is written."""
    if not sys.stderr.isatty():
        yield None
        return
    steps = 1000
    shown = click.progressbar(
        length=steps,
        file=sys.stderr,
        show_pos=False,
        show_eta=False,
        item_show_func=lambda now: now and f"{now.words} {now.counted}",
    )
    with shown as bar:
        yield lambda now: bar.update(round(now.fraction * steps) - bar.pos, now)


def _receive(
    database: Database,
    settings: Settings,
    file: Path,
    project_code: str | None,
    study_code: str | None,
    *,
    importer: str | None,
    profile: str | None,
    choices: dict[str, str],
    supersede: int | None,
) -> tuple[int, bool]:
    """Store the file; gives the batch, and whether it had been committed before."""
    with database.transaction() as session:
        project = resolve_project(session, project_code)
        study = study_named(session, project, study_code, choices, made_by="--create study")
        replaced = session.get(ImportBatch, supersede) if supersede else None
        if supersede and (replaced is None or replaced.project_id != project.id):
            raise DomainError(f"There is no batch {supersede} in project {project.code}.")
        place = (session, command_line_actor(), FileStore(settings.file_dir), project, file.name, file)
        said: dict[str, Any] = {"study": study, "choices": choices, "supersedes": replaced}
        batch, _ = receive_by_profile(*place, profile, **said) if profile else receive(*place, importer=importer, **said)
        return batch.id, batch.state is BatchState.COMMITTED


def _answer(outcome: run.Outcome) -> dict[str, Any]:
    answer = answer_of(outcome.batch_id, outcome.state, outcome.importer, outcome.report, outcome.findings)
    # What is kept with the batch says what to do; only this door says it in options.
    for told, finding in zip(answer["findings"], outcome.findings, strict=True):
        if finding.option:
            told["option"] = finding.option
    return answer


def _already(database: Database, batch_id: int) -> dict[str, Any]:
    with database.reading() as session:
        return already_there(session.get_one(ImportBatch, batch_id))


def _in_words(answer: dict[str, Any]) -> str:
    rows = ", ".join(f"{number} {fate}" for fate, number in answer["rows"].items() if number or fate == "read")
    records = ", ".join(f"{number} {noun}{'s' if number != 1 else ''}" for noun, number in answer["records"].items() if number)
    lines = [f"Batch {answer['batch']}: {answer['state']}", f"Importer: {answer['importer'] or 'none'}"]
    lines += [f"  {sentence}" for sentence in answer["evidence"]]
    lines += [f"Rows: {rows or 'none read'}", f"Records: {records or 'none'}"]
    for finding in answer["findings"]:
        place = " ".join(str(finding[part]) for part in ("sheet", "row", "column") if finding.get(part))
        lines.append(f"{finding['severity'].upper()}{place and ' '}{place}: {finding['message']}")
        hints = (("expected", "expected"), ("to do", "remedy"), ("with", "option"), ("rule", "source"))
        lines += [f"    {label}: {finding[key]}" for label, key in hints if finding.get(key)]
    return "\n".join(lines)


@click.command("importers")
def list_importers() -> None:
    """List the formats that can be read."""
    from importers.registry import IMPORTERS

    for importer in IMPORTERS:
        click.echo(f"{importer.key:<16} {importer.title}\n{'':<16} {importer.reads}")
