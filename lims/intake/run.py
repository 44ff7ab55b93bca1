"""Checks and commits a batch from its stored bytes. Runs whole inside the limited child process.

Check and commit are the same path: read the bytes, resolve the names, judge every reading. The check keeps what it
found; the commit does it again inside the writing transaction, and stops if anything differs from what was previewed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from itertools import repeat
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from importers.base import Finding, Refused, Severity
from lims import progress
from lims.audit.bulk import Column, write_columns
from lims.audit.checkpoint import make_checkpoint
from lims.audit.record import Actor, declare
from lims.config import Settings
from lims.db import Database
from lims.domain.errors import Conflict
from lims.domain.permissions import require
from lims.domain.vocabulary import BatchState
from lims.intake.accepted import accepts_changes
from lims.intake.commit import commit_plan
from lims.intake.commit_events import EventRefused
from lims.intake.commit_records import record_all
from lims.intake.failed_rows import OwnSheet, failed_rows
from lims.intake.groups import ALL, groups_of, not_accepted, open_groups, told
from lims.intake.judge import Opened, blocking, judge_file, open_file, preview_changed
from lims.intake.limited import run_limited
from lims.intake.names import LONGEST_NAME
from lims.intake.plan import Plan
from lims.intake.plan_records import PlannedRecords
from lims.intake.profiles import recognise_batch
from lims.intake.report import build_report, empty_report, finding_counts
from lims.intake.store import FileStore
from lims.intake.upload import answer
from lims.intake.withdraw import supersede
from lims.models import ImportBatch, ImportFinding, Project, Study
from lims.progress import Step
from lims.queries.accounts import role_of
from lims.queries.import_edits import acceptances, edits_for_reading
from lims.records.import_edits import accept_warnings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What checking or committing came to. `findings` are all of them, in the order of the file."""

    batch_id: int
    state: BatchState
    importer: str | None
    report: dict[str, Any]
    findings: tuple[Finding, ...]

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to the parent with findings as columns: 100,000 objects, each with a state of its own, take seconds."""
        columns = tuple(zip(*map(_CELLS, self.findings), strict=True))
        return (_outcome_again, (self.batch_id, self.state, self.importer, self.report, columns))

    @property
    def blocked(self) -> bool:
        """Tell whether something keeps the file from being committed."""
        return self.state is BatchState.REFUSED


_CELLS = attrgetter(*(one.name for one in fields(Finding)))


def _outcome_again(batch_id: int, state: BatchState, importer: str | None, report: dict[str, Any], columns: Any) -> Outcome:
    return Outcome(batch_id, state, importer, report, tuple(map(Finding, *columns)) if columns else ())


@dataclass(frozen=True, slots=True)
class Task:
    """One run: which batch, for whom, and whether to commit. Small and picklable: it travels to the child process."""

    url: str
    settings: Settings
    batch_id: int
    actor: Actor
    commit: bool = False
    expect: str | None = None
    """The digest of the preview that a person confirmed; `None`: check and commit in one go."""
    reason: str = ""
    accept: tuple[str, ...] = (ALL,)
    """Kinds of warnings that are acknowledged with the commit, beside those that were before."""
    today: date | None = None
    """The lab's date, read where the task is made; `None`: read when it runs."""


class Blocked(Exception):
    """The commit stops: errors stand in the way, or the preview no longer holds."""

    def __init__(self, plan: Plan, *finding: Finding) -> None:
        super().__init__("the import is blocked")
        plan.findings.extend(finding)
        self.plan = plan


class NotAccepted(Exception):
    """The commit stops: nobody looked at some of the warnings. The file itself may be recorded, and stays as it was checked."""

    def __init__(self, plan: Plan, finding: Finding) -> None:
        super().__init__("warnings are not acknowledged")
        self.plan = plan
        self.finding = finding


def check(settings: Settings, url: str, batch_id: int, actor: Actor, *, listener: progress.Listener | None = None) -> Outcome:
    """Read, resolve and judge a stored file in a limited child; keeps report and findings with the batch.

    A `listener` is told how far that is.
    """
    return _in_child(Task(url, settings, batch_id, actor, today=_today(settings.zone)), listener)


def commit(
    settings: Settings,
    url: str,
    batch_id: int,
    actor: Actor,
    *,
    expect: str | None = None,
    reason: str = "",
    accept: Collection[str] = (ALL,),
    listener: progress.Listener | None = None,
) -> Outcome:
    """Do the same and record it, in one transaction, or refuse with the findings that say why.

    `accept` names the kinds of warnings that the person looked at; others must have been acknowledged before, or nothing is
    recorded. By default whoever commits answers for all of them. What was acknowledged is kept, with who and when.
    A checkpoint of the audit trail follows what was recorded; one that cannot be copied to its folder is said, not hidden.
    """
    today = _today(settings.zone)
    task = Task(url, settings, batch_id, actor, commit=True, expect=expect, reason=reason, accept=tuple(accept), today=today)
    outcome = _in_child(task, listener)
    return _attest(settings, url, outcome) if outcome.state is BatchState.COMMITTED else outcome


def _attest(settings: Settings, url: str, outcome: Outcome) -> Outcome:
    database = Database(url, settings.zone)
    try:
        with database.transaction() as session:
            make_checkpoint(session, settings)
    except OSError as failed:
        said = Finding(
            Severity.WARNING,
            "checkpoint-not-copied",
            f"The measurements are recorded, but the checkpoint of the audit trail could not be written: {failed.strerror}.",
            value=str(settings.checkpoint_dir),
            expected="a folder this installation may write to",
            remedy="Tell the administrator; lims audit checkpoint makes one again.",
        )
        return replace(outcome, findings=(*outcome.findings, said))
    finally:
        database.close()
    return outcome


def take_answers(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    *,
    study: Study | None = None,
    importer: str | None = None,
    choices: dict[str, str],
) -> None:
    """Keep what a person says of a file, for the next check."""
    declare(session, actor, "batch:check", project=batch.project_id)
    answer(batch, study=study, importer=importer, choices=choices)


def confirm_proposals(session: Session, actor: Actor, batch: ImportBatch) -> None:
    """Keep the proposals a person saw on the check page as that person's answers."""
    proposed = {one["key"]: one["answer"] for one in (batch.report or {}).get("questions", []) if one["answer"] is not None}
    declare(session, actor, "batch:check", project=batch.project_id)
    answer(batch, choices=proposed)


def refused_rows(settings: Settings, url: str, batch_id: int, actor: Actor) -> list[OwnSheet]:
    """Give the header rows and every row that was not recorded in the file's own layout, with what was wrong beside each."""
    task = Task(url, settings, batch_id, actor)
    return run_limited(_refused_rows, task, memory_mb=settings.import_memory_mb, seconds=settings.import_seconds)


def _refused_rows(task: Task) -> list[OwnSheet]:
    database = Database(task.url, task.settings.zone)
    try:
        opened = _open(database, task)
        with database.writer() if opened.reading.records else database.reader() as session:
            batch = session.get_one(ImportBatch, task.batch_id)
            plan = _judge(session, task, batch, opened, _records(session, task, batch, opened), create=False)
            committed = batch.state is BatchState.COMMITTED
    finally:
        database.close()
    return failed_rows(plan, committed=committed)


def _in_child(task: Task, listener: progress.Listener | None) -> Outcome:
    settings = task.settings
    limits = {"memory_mb": settings.import_memory_mb, "seconds": settings.import_seconds}
    try:
        return run_limited(process, task, listener=listener, **limits)
    except Refused as refused:
        database = Database(task.url, task.settings.zone)
        try:
            return _refuse(database, task, refused)
        finally:
            database.close()


def process(task: Task) -> Outcome:
    """Run one task in this process; `check` and `commit` call it in the child."""
    database = Database(task.url, task.settings.zone)
    try:
        try:
            opened = _open(database, task).without_cells()
        except Refused as refused:
            return _refuse(database, task, refused)
        try:
            return _commit(database, task, opened) if task.commit else _check(database, task, opened)
        except (DataError, database.engine.dialect.loaded_dbapi.DataError) as problem:
            return _refuse(database, task, _not_storable(problem))
    finally:
        database.close()


def _not_storable(problem: Exception) -> Refused:
    """Say that the database takes no such text: PostgreSQL has no NUL characters."""
    told = str(getattr(problem, "orig", problem)).splitlines()[0]
    return Refused(
        "text-not-storable",
        f"The file holds text that cannot be recorded ({told}).",
        expected="text of characters that can be seen",
        remedy="Save the sheet as a new .csv file, look for cells with strange characters, and upload that.",
    )


def _open(database: Database, task: Task) -> Opened:
    progress.begin(Step.READ)
    store = FileStore(task.settings.file_dir)
    recognised = recognise_batch(database, task.actor, task.batch_id, store)
    with database.reading() as session:
        batch = session.get_one(ImportBatch, task.batch_id)
        sha256, name, choices, importer = batch.file.sha256, batch.file_name, batch.choices, batch.importer
        edits = edits_for_reading(session, batch.id)
        project = session.get_one(Project, batch.project_id).code
    path = store.checked(sha256)
    with recognised.explaining(path, name, choices):
        return recognised.told(open_file(path, name, choices, importer, edits, project=project))


def _records(session: Session, task: Task, batch: ImportBatch, opened: Opened) -> list[PlannedRecords]:
    """Judge and write the records of other nouns; a session that only checks is rolled back."""
    return record_all(session, task.actor, batch, opened.book, opened.reading, task.settings.zone) if opened.reading.records else []


def _judge(
    session: Session, task: Task, batch: ImportBatch, opened: Opened, records: list[PlannedRecords], *, create: bool
) -> Plan:
    zone = task.settings.zone
    day = task.today or _today(zone)
    return judge_file(session, task.actor, batch, opened, records, zone=zone, today=day, create=create)


def _today(zone: ZoneInfo) -> date:
    return datetime.now(zone).date()


def _check(database: Database, task: Task, opened: Opened) -> Outcome:
    with database.reading() as session:
        replaces = session.get_one(ImportBatch, task.batch_id).supersedes_id is not None
    with database.writer() if replaces or opened.reading.records else database.reader() as session:
        # What is written here shows what the commit would meet: the file's own records, and no batch that it replaces.
        # All of it is rolled back.
        batch = session.get_one(ImportBatch, task.batch_id)
        if replaces:
            supersede(session, task.actor, batch, reason="check only")
        plan = _judge(session, task, batch, opened, _records(session, task, batch, opened), create=False)
        state = BatchState.REFUSED if blocking(plan, batch.choices) else BatchState.CHECKED
    return _keep(database, task, _unrecorded(task, opened, plan, state))


def _commit(database: Database, task: Task, opened: Opened) -> Outcome:
    try:
        with database.transaction() as session:
            outcome = _record(session, task, opened)
            progress.begin(Step.SEAL)
    except NotAccepted as asks:
        kept = _keep(database, task, _unrecorded(task, opened, asks.plan, BatchState.CHECKED))
        return replace(kept, findings=(*kept.findings, asks.finding))
    except Blocked as blocked:
        return _keep(database, task, _unrecorded(task, opened, blocked.plan, BatchState.REFUSED))
    return outcome


def _record(session: Session, task: Task, opened: Opened) -> Outcome:
    batch = session.get_one(ImportBatch, task.batch_id)
    actor = replace(task.actor, origin=batch.audit_label)
    declare(session, actor, "batch:commit", project=batch.project_id, reason=task.reason)
    session.refresh(batch, with_for_update=True)
    if batch.state not in (BatchState.STORED, BatchState.CHECKED, BatchState.REFUSED):
        raise Conflict(f"{batch.audit_label.capitalize()} is {batch.state.value} already.", remedy="Open its page.")
    if batch.supersedes_id is not None:
        supersede(session, task.actor, batch, reason=task.reason)
    records = _records(session, task, batch, opened)
    preview = _judge(session, task, batch, opened, records, create=False) if task.expect is not None else None
    report = build_report(preview, opened.claim, opened.questions, drawn=True) if preview else None
    if preview and report and report["digest"] != task.expect:
        raise Blocked(preview, preview_changed(batch.report, report))
    plan = _judge(session, task, batch, opened, records, create=True)
    if blocking(plan, batch.choices):
        raise Blocked(plan)
    _accept(session, task, batch, preview or plan)
    try:
        commit_plan(session, task.actor, batch, plan, reason=task.reason)
    except EventRefused as refused:
        raise Blocked(preview or plan, *refused.findings) from refused
    report = report or build_report(plan, opened.claim, opened.questions, drawn=False)
    report["findings"] = finding_counts(plan)
    _require_its_parts(session, task.actor, batch, report)
    outcome = Outcome(batch.id, batch.state, opened.claim.importer, report, tuple(plan.findings))
    _write_outcome(session, batch, outcome)
    return outcome


def _unrecorded(task: Task, opened: Opened, plan: Plan, state: BatchState) -> Outcome:
    report = build_report(plan, opened.claim, opened.questions, drawn=True)
    return Outcome(task.batch_id, state, opened.claim.importer, report, tuple(plan.findings))


def _require_its_parts(session: Session, actor: Actor, batch: ImportBatch, report: dict[str, Any]) -> None:
    """Let a batch be recorded by those who may make every kind of record that it made: whoever asked, and however."""
    if actor.id is not None:
        role = role_of(session, actor.id, batch.project_id)
        for action in needed_to_record(batch, report):
            require(role, action)


def needed_to_record(batch: ImportBatch, report: Mapping[str, Any]) -> list[str]:
    """Give the actions that somebody must be allowed who records a batch: by what its report says that it makes and changes."""
    made = [f"{noun}:create" for noun, number in report.get("records", {}).items() if number]
    changed = [noun for noun, counts in report.get("nouns", {}).items() if counts.get("changed")]
    accepted = [f"{noun}:change" for noun in changed if accepts_changes(batch.choices, noun)]
    return [*made, *accepted, *(["batch:supersede"] if batch.supersedes_id is not None else [])]


def _accept(session: Session, task: Task, batch: ImportBatch, plan: Plan) -> None:
    """Keep who looked at which warnings, or stop where nobody did."""
    groups = groups_of(plan.findings)
    before = {code: one.digest for code, one in acceptances(session, batch.id).items()}
    missing = open_groups(groups, before, task.accept)
    if missing:
        raise NotAccepted(plan, not_accepted(missing))
    accept_warnings(session, task.actor, batch, {one.code: (one.number, one.digest) for one in groups if one.to_accept})


def _refuse(database: Database, task: Task, refused: Refused) -> Outcome:
    return _keep(database, task, Outcome(task.batch_id, BatchState.REFUSED, None, empty_report(), (refused.finding,)))


def _keep(database: Database, task: Task, outcome: Outcome) -> Outcome:
    """Keep an outcome that recorded nothing; a batch that somebody else committed meanwhile stays as it is."""
    with database.transaction() as session:
        batch = session.get_one(ImportBatch, task.batch_id)
        declare(session, task.actor, "batch:check", project=batch.project_id)
        if batch.state not in (BatchState.STORED, BatchState.CHECKED, BatchState.REFUSED):
            return replace(outcome, state=batch.state, report=batch.report or outcome.report)
        batch.state = outcome.state
        _write_outcome(session, batch, outcome)
    return outcome


def _write_outcome(session: Session, batch: ImportBatch, outcome: Outcome) -> None:
    batch.importer = outcome.importer or batch.importer
    outcome.report["groups"] = told(groups_of(outcome.findings))
    batch.report = outcome.report
    session.flush()
    session.execute(delete(ImportFinding).where(ImportFinding.batch_id == batch.id))
    found = outcome.findings
    columns: dict[str, Column] = {
        "batch_id": repeat(batch.id),
        "severity": [one.severity.value for one in found],
        "code": [one.code for one in found],
        "sheet": [one.sheet and one.sheet[:LONGEST_NAME] for one in found],
        "row_number": [one.row for one in found],
        "column_number": [one.column for one in found],
        "value": [one.value for one in found],
        "message": [one.message for one in found],
        "expected": [one.expected for one in found],
        "remedy": [one.remedy for one in found],
        "source": [one.source for one in found],
    }
    write_columns(session.connection(), "import_finding", columns)
