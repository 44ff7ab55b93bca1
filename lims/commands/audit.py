"""`lims audit verify` and `lims audit export`: the trail checked against itself and the tables, and written out."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

import click

from lims.commands.support import Refusal, command_line_actor, open_database, resolve_project, settings_of

if TYPE_CHECKING:
    from lims.audit.export import Filters
    from lims.audit.problems import Report
    from lims.config import Settings
    from lims.db import Database


@click.group()
def audit() -> None:
    """Verify and export the audit trail."""


@audit.command("verify")
@click.option("--no-files", is_flag=True, help="Do not hash the stored files again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify_trail(context: click.Context, *, no_files: bool, as_json: bool) -> None:
    """Check chain, roots, checkpoints and files, and the tables against the trail; exit status 1 where something does not hold."""
    from lims.audit.checkpoint import CheckpointError, saved_notes, signing_key
    from lims.audit.verify import verify
    from lims.intake.store import FileStore

    settings = settings_of(context)
    kept = saved_notes(settings.checkpoint_dir) if settings.checkpoint_dir else []
    try:
        key = signing_key(settings).verifier
    except CheckpointError as unreadable:
        raise Refusal(str(unreadable)) from unreadable
    with open_database(settings) as database:
        report = verify(database, files=None if no_files else FileStore(settings.file_dir), key=key, checkpoints=kept)
    click.echo(json.dumps(asdict(report) | {"ok": report.ok}, default=str) if as_json else _in_words(report))
    context.exit(0 if report.ok else 1)


def _in_words(report: Report) -> str:
    counted = [f"{getattr(report, what):,} {what}" for what in ("events", "changes", "records", "checkpoints")]
    lines = [f"Checked: {', '.join(counted)}.", *report.remarks, *(problem.sentence for problem in report.problems)]
    if report.more_problems:
        lines.append(f"And {report.more_problems:,} more.")
    lines.append("Everything holds." if report.ok else "The audit trail does not hold.")
    return "\n".join(lines)


@audit.command("checkpoint")
@click.pass_context
def make_a_checkpoint(context: click.Context) -> None:
    """Sign the trail's present end and print the note; keep it where this database's administrator cannot change it."""
    from lims.audit.checkpoint import make_checkpoint

    settings = settings_of(context)
    with open_database(settings) as database, database.transaction() as session:
        click.echo(make_checkpoint(session, settings))


@audit.command("export")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "xlsx", "bundle"]), required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; otherwise standard output.")
@click.option("--project", "code", metavar="CODE", help="Only what happened in this project.")
@click.pass_context
def export_trail(context: click.Context, form: str, output: Path | None, code: str | None) -> None:
    """Write the trail out; the export is an event of the trail itself."""
    from lims.audit.export import ExportTooLong, Filters, record_export

    settings = settings_of(context)
    with open_database(settings) as database:
        with database.reading() as session:
            filters = Filters(project=resolve_project(session, code).id if code else None)
        try:
            rows = _write(database, settings, form, output, filters)
        except ExportTooLong as refused:
            raise Refusal(str(refused)) from refused
        except BrokenPipeError:
            # Whoever reads our output has seen enough; nothing complete left, so nothing is recorded as exported.
            context.exit(1)
        except OSError as failed:
            raise Refusal(f"{failed.filename or output} cannot be written: {failed.strerror}.") from failed
        with database.transaction() as session:
            record_export(session, command_line_actor(), form, filters, rows)
    click.echo(f"{rows:,} {'changes packed' if form == 'bundle' else 'rows written'}.", err=True)


def _write(database: Database, settings: Settings, form: str, output: Path | None, filters: Filters) -> int:
    from lims.audit.bundle import bundle
    from lims.audit.export import export
    from lims.intake.store import FileStore

    with _opened(output) as stream:
        if form == "bundle":
            return bundle(database, settings, FileStore(settings.file_dir), stream, project=filters.project).changes
        with database.reading() as session:
            return export(session, cast(Literal["csv", "jsonl", "xlsx"], form), stream, filters)


def _opened(output: Path | None) -> AbstractContextManager[IO[bytes]]:
    if output:
        return output.open("wb")
    return nullcontext(sys.stdout.buffer)
