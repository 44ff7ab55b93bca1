"""Reads a file and judges what it holds: all that its check and its commit have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from importers.base import Claim, Finding, Question, Reading, Refused, Series, Severity
from importers.identify import identify
from importers.meanings import with_meanings
from importers.overlay import Edit, overlay, without_problem_column, without_rows
from importers.preflight import MAX_UPLOAD_BYTES, too_large
from importers.registry import STREAMED, by_key, questions_for
from importers.sheets import Workbook
from importers.streams import open_long_text
from importers.workbook import open_workbook
from lims import progress
from lims.audit.record import Actor
from lims.domain.vocabulary import MeasurementKind
from lims.intake.commit import create_named
from lims.intake.commit_records import findings_of
from lims.intake.known_fields import require_known
from lims.intake.own_templates import require_own
from lims.intake.plan import Plan, make_plan
from lims.intake.plan_records import PlannedRecords
from lims.intake.resolve import Resolver
from lims.intake.validate import validate
from lims.models import ImportBatch
from lims.progress import Step
from lims.queries.kinds import kinds_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A file, read: everything that needs no database.

    edits: what people corrected and left out, which lies over the file already. left_out: series of the rows left out.
    """

    book: Workbook
    claim: Claim
    reading: Reading
    edits: tuple[Edit, ...] = ()
    left_out: tuple[Series, ...] = ()

    @property
    def questions(self) -> Iterable[Question]:
        """Give the reader's questions and the importer's."""
        return (*questions_for(self.claim.importer, self.book), *self.reading.questions)

    def without_cells(self) -> Opened:
        """Let go of the cells: what was read of them stands in the reading, and a large file needs the room."""
        sheets = tuple(replace(sheet, rows=()) for sheet in self.book.sheets)
        return replace(self, book=replace(self.book, sheets=sheets))


def open_file(
    path: Path, name: str, choices: dict[str, str], importer: str | None, edits: tuple[Edit, ...] = (), *, project: str
) -> Opened:
    """Read a file, with what people corrected and left out, by the importer that claims it, or by the one that a person chose.

    Raises:
        Refused: nothing can be read of it.
    """
    corrected = any(edit.column is not None for edit in edits)  # a corrected cell needs all of them held
    found = None if corrected else _streamed(path, name, choices, importer)
    book, claim = found or _held(path, name, choices, importer, edits, project)
    read = by_key(claim.importer).read(book, claim, choices)
    require_known(read)
    reading, left_out = without_rows(book, read, edits)
    return Opened(book, claim, with_meanings(reading, choices), edits, left_out)


def _held(
    path: Path, name: str, choices: dict[str, str], importer: str | None, edits: tuple[Edit, ...], project: str
) -> tuple[Workbook, Claim]:
    """Open a file with all of its cells, as corrected, and find the importer that it is of."""
    if path.stat().st_size > MAX_UPLOAD_BYTES:
        raise too_large(path.stat().st_size)
    book = open_workbook(path.read_bytes(), name, choices)
    require_own(book, project)
    book = overlay(without_problem_column(book), edits)
    if importer is None:
        return book, identify(book)
    return book, by_key(importer).claim(book) or Claim(importer, ("chosen by a person",))


def _streamed(path: Path, name: str, choices: dict[str, str], importer: str | None) -> tuple[Workbook, Claim] | None:
    """Open long text whose rows may pass by, as its first rows tell; `None` for what has to be held whole."""
    try:
        book = open_long_text(path, name, choices)
        claim = identify(book, importer) if book is not None else None
    except Refused:
        if path.stat().st_size > MAX_UPLOAD_BYTES:
            raise
        return None  # held whole it may be recognised, and otherwise it is refused with all of its headers
    return (book, claim) if book is not None and claim is not None and claim.importer in STREAMED else None


def judge_file(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    opened: Opened,
    records: Sequence[PlannedRecords],
    *,
    zone: ZoneInfo,
    today: date,
    create: bool,
) -> Plan:
    """Resolve and judge; with `create`, what the file names is made first, so that slots carry final ids.

    `records`: those of other nouns, which are judged and written already; the file's readings may be of them.
    """
    kinds = kinds_of(session, batch.project_id)
    opened, unknown = _of_known_kinds(opened, kinds)
    progress.begin(Step.RESOLVE)
    names = Resolver(session, batch, opened.book, opened.reading, kinds).resolve()
    if create:
        create_named(session, actor, batch, names)
    plan = make_plan(opened.book, opened.reading, names, zone, kinds)
    plan.findings.extend(unknown)
    plan.edits, plan.left_out, plan.records = opened.edits, opened.left_out, list(records)
    plan.findings.extend(findings_of(records))
    progress.begin(Step.JUDGE, sum(len(one) for one in plan.planned))
    validate(session, plan, batch, today=today)
    plan.findings.extend(_proposals((*opened.questions, *names.questions), batch.choices))
    if not any(opened.reading.data_rows.values()):
        plan.findings.append(_no_rows(opened))
    return plan


def _of_known_kinds(opened: Opened, kinds: Mapping[str, MeasurementKind]) -> tuple[Opened, list[Finding]]:
    """Leave out what is said to be of a kind that the project does not know: a mapping may outlive a laboratory's own kind."""
    unknown = dict.fromkeys(series.kind for series in opened.reading.series if series.kind not in kinds)
    found = [
        Finding(
            Severity.ERROR,
            "kind-unknown",
            f'There is no kind of measurement "{kind}" in this project; its columns were not read.',
            value=kind,
            expected=f"one of {', '.join(kinds)}",
            remedy="Map the columns to another kind, or bring the kind back.",
        )
        for kind in unknown
    ]
    series = tuple(one for one in opened.reading.series if one.kind in kinds)
    return (replace(opened, reading=replace(opened.reading, series=series)) if unknown else opened), found


def _no_rows(opened: Opened) -> Finding:
    claimed = opened.claim.sheet, opened.claim.header_row
    sheet, header_row = next(((sheet, rows[0]) for sheet, rows in opened.reading.header_rows.items() if rows), claimed)
    return Finding(
        Severity.ERROR,
        "no-rows",
        "The table has a header and no rows below it; there is nothing to record.",
        sheet=opened.book.sheets[sheet].name,
        row=header_row,
        expected="at least one row with a reading",
        remedy="Export it again with its data, and upload that.",
    )


def _proposals(questions: Iterable[Question], choices: dict[str, str]) -> Iterable[Finding]:
    """Say which proposals were used where nobody answered: never in silence."""
    for question in questions:
        if question.answer is not None and question.key not in choices:
            label = next((one.label for one in question.options if one.value == question.answer), question.answer)
            yield Finding(
                Severity.NOTE,
                f"proposal-{question.key}",
                f"{question.prompt} Taken as “{label}”, as proposed. {_sentence(question.evidence)}".strip(),
                expected="your confirmation",
                remedy="If that is wrong, answer it and check again.",
                option=f"--set {question.key}=ANSWER",
            )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def blocking(plan: Plan, choices: dict[str, str]) -> list[Finding]:
    """Give the errors that keep a plan from being committed; errors of single rows do not where a person leaves those out."""
    errors = [finding for finding in plan.findings if finding.severity is Severity.ERROR]
    if choices.get("leave_out") == "refused":
        return [finding for finding in errors if finding.row is None]
    return errors


def preview_changed(before: dict[str, Any] | None, after: dict[str, Any]) -> Finding:
    """Say what would be recorded now and was not shown."""
    seen = (before or {}).get("rows", {})
    differs = ", ".join(
        f"{fate} {seen.get(fate, 0)} → {number}" for fate, number in after["rows"].items() if number != seen.get(fate)
    )
    return Finding(
        Severity.ERROR,
        "preview-changed",
        f"What would be recorded changed since you looked at it ({differs or 'same counts, other values'}); nothing was recorded.",
        expected="what the check page showed",
        remedy="Look at the check page again and confirm.",
    )
