"""Reads a file and judges what it holds: all that its check and its commit have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from importers.base import Claim, Finding, Question, Reading, Refused, Series, Severity
from importers.identify import identify
from importers.overlay import Edit, overlay, without_problem_column, without_rows
from importers.preflight import MAX_UPLOAD_BYTES, too_large
from importers.registry import STREAMED, by_key
from importers.streams import open_long_text
from importers.workbook import Workbook, open_workbook
from lims.audit.record import Actor
from lims.intake.commit import create_named
from lims.intake.plan import Plan, make_plan
from lims.intake.resolve import Resolver
from lims.intake.validate import validate
from lims.models import ImportBatch


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
        return (*self.book.questions, *self.reading.questions)

    def without_cells(self) -> Opened:
        """Let go of the cells: what was read of them stands in the reading, and a large file needs the room."""
        sheets = tuple(replace(sheet, rows=()) for sheet in self.book.sheets)
        return replace(self, book=replace(self.book, sheets=sheets))


def open_file(path: Path, name: str, choices: dict[str, str], importer: str | None, edits: tuple[Edit, ...] = ()) -> Opened:
    """Read a file, with what people corrected and left out, by the importer that claims it, or by the one that a person chose.

    Raises:
        Refused: nothing can be read of it.
    """
    streamed = None if edits else _streamed(path, name, choices, importer)
    if streamed is not None:
        return streamed
    if path.stat().st_size > MAX_UPLOAD_BYTES:
        raise too_large(path.stat().st_size)
    book = overlay(without_problem_column(open_workbook(path.read_bytes(), name, choices)), edits)
    if importer is None:
        claim = identify(book)
    else:
        found = by_key(importer).claim(book)
        claim = found or Claim(importer, ("chosen by a person",))
    reading, left_out = without_rows(book, by_key(claim.importer).read(book, claim, choices), edits)
    return Opened(book, claim, reading, edits, left_out)


def _streamed(path: Path, name: str, choices: dict[str, str], importer: str | None) -> Opened | None:
    """Read long text whose rows may pass by, as its first rows tell; `None` for what has to be held whole."""
    book = open_long_text(path, name, choices)
    if book is None:
        return None
    try:
        claim = identify(book, importer)
    except Refused:
        return None  # held whole it may be recognised, and otherwise it is refused with all of its headers
    found = by_key(claim.importer)
    return Opened(book, claim, found.read(book, claim, choices)) if found.key in STREAMED else None


def judge_file(
    session: Session, actor: Actor, batch: ImportBatch, opened: Opened, *, zone: ZoneInfo, today: date, create: bool
) -> Plan:
    """Resolve and judge; with `create`, what the file names is made first, so that slots carry final ids."""
    names = Resolver(session, batch, opened.book, opened.reading).resolve()
    if create:
        create_named(session, actor, batch, names)
    plan = make_plan(opened.book, opened.reading, names, zone)
    plan.edits, plan.left_out = opened.edits, opened.left_out
    validate(session, plan, batch, today=today)
    plan.findings.extend(_proposals((*opened.questions, *names.questions), batch.choices))
    if not any(opened.reading.data_rows.values()):
        plan.findings.append(_no_rows(opened))
    return plan


def _no_rows(opened: Opened) -> Finding:
    return Finding(
        Severity.ERROR,
        "no-rows",
        "The table has a header and no rows below it; there is nothing to record.",
        sheet=opened.book.sheets[opened.claim.sheet].name,
        row=opened.claim.header_row,
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
                value=question.answer,
                expected="your confirmation",
                remedy=f"If that is wrong, answer it and check again (on the command line: --set {question.key}=…).",
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
