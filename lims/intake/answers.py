"""What an import answers to programs: the JSON of `lims import --json` and of the API, and what they may say of a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.base import Finding, Severity
from lims.domain.errors import DomainError
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.intake.report import finding_as_json
from lims.models import ImportBatch, Project, Study


def answer_of(
    batch_id: int, state: BatchState, importer: str | None, report: dict[str, Any], findings: Iterable[Finding]
) -> dict[str, Any]:
    """Give what a check or a commit came to."""
    return {
        "batch": batch_id,
        "state": state.value,
        "importer": importer,
        "evidence": report.get("evidence", []),
        "rows": report.get("rows", {}),
        "records": report.get("records", {}),
        "readings": report.get("readings", {}),
        "events": report.get("events", {}),
        "create": report.get("create", {}),
        "questions": report.get("questions", []),
        "findings": [finding_as_json(finding) for finding in findings],
    }


def already_there(batch: ImportBatch) -> dict[str, Any]:
    """Say of a file that was committed before: every row is there already."""
    report = batch.report or {}
    rows = report.get("rows", {})
    there = sum(rows.get(fate, 0) for fate in ("new", "same", "changed"))
    when = f"{batch.committed_at:%Y-%m-%d %H:%M} UTC" if batch.committed_at else "before"
    said = Finding(
        Severity.NOTE,
        "already-imported",
        f'The same file was imported as batch {batch.id} ("{batch.file_name}", {when}); nothing was recorded again.',
    )
    nothing = {"rows": rows | {"new": 0, "same": there, "changed": 0}, "records": {"measurement": 0}}
    kept = {name: report[name] for name in ("evidence", "questions") if name in report}
    return answer_of(batch.id, batch.state, batch.importer, kept | nothing, [said])


def study_named(session: Session, project: Project, code: str | None, choices: dict[str, str], *, made_by: str) -> Study | None:
    """Give the study of a code; one that the import may create is noted in `choices`. made_by: how whoever asks lets it.

    Raises:
        DomainError: there is none, and none may be created.
    """
    if not code:
        return None
    active = select(Study).where(Study.project_id == project.id, Study.status == RecordStatus.ACTIVE)
    study = session.scalar(active.where(Study.code == code))
    if study is None and "study" in choices.get("create", "").split(","):
        choices["study"] = code
    elif study is None:
        codes = [one.code for one in session.scalars(active.order_by(Study.code))]
        raise DomainError(
            f'There is no study "{code}" in project {project.code}.',
            field="study",
            expected=f"one of {', '.join(codes)}" if codes else "a study; there is none yet",
            remedy=f"Correct the code, or let the import make the study with {made_by}.",
        )
    return study
