"""What the import pages show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from importers.base import Finding, Severity
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.models import Animal, Dose, Fate, ImportBatch, ImportFinding, Measurement, Study
from lims.queries.scope import find, scoped

FINDINGS_A_PAGE = 100
EXISTING_POINTS = 2_000
"""Recorded readings drawn under those of a file."""


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of a batch's findings, and how many there are of each severity."""

    findings: Sequence[Finding]
    counts: dict[str, int]
    page: int
    pages: int


def batch_of(session: Session, project_id: int, batch_id: int) -> ImportBatch:
    """Give a batch of the project with its file and people.

    Raises:
        NotFound: no such batch in this project.
    """
    return find(session, ImportBatch, project_id, batch_id)


def batches(project_id: int) -> Select[Any]:
    """Select the project's batches for a list, newest first."""
    return scoped(ImportBatch, project_id).outerjoin(ImportBatch.uploaded_by).order_by(ImportBatch.id.desc())


def findings_of(session: Session, batch: ImportBatch, *, severity: str | None, page: int) -> FoundPage:
    """Give one page of findings: errors first, then in the order of the file."""
    of_batch = ImportFinding.batch_id == batch.id
    counted = select(ImportFinding.severity, func.count()).where(of_batch).group_by(ImportFinding.severity)
    counts: dict[str, int] = {one.value: 0 for one in Severity}
    counts.update((name, number) for name, number in session.execute(counted))
    shown = and_(of_batch, ImportFinding.severity == severity) if severity in counts else of_batch
    total = counts[severity] if severity in counts else sum(counts.values())
    pages = max(1, -(-total // FINDINGS_A_PAGE))
    page = min(max(1, page), pages)
    weight = case({one.value: place for place, one in enumerate(Severity)}, value=ImportFinding.severity)
    rows = session.scalars(
        select(ImportFinding)
        .where(shown)
        .order_by(weight, ImportFinding.id)
        .limit(FINDINGS_A_PAGE)
        .offset((page - 1) * FINDINGS_A_PAGE)
    )
    return FoundPage([_finding(row) for row in rows], counts, page, pages)


def _finding(row: ImportFinding) -> Finding:
    return Finding(
        Severity(row.severity),
        row.code,
        row.message,
        sheet=row.sheet,
        row=row.row_number,
        column=row.column_number,
        value=row.value,
        expected=row.expected,
        remedy=row.remedy,
        source=row.source,
    )


def recorded_points(session: Session, batch: ImportBatch, kind: str, animals: Sequence[str]) -> list[dict[str, Any]]:
    """Give what is recorded of these animals and this kind by anything but the batch itself, to draw beneath its points."""
    table = Measurement.__table__.c
    other: ColumnElement[bool] = table.batch_id.is_distinct_from(batch.id)
    rows = session.execute(
        select(Animal.code, table.taken_on, table.relative_day, table.value)
        .join(Animal, Animal.id == table.animal_id)
        .where(
            table.project_id == batch.project_id,
            table.kind == kind,
            table.status == RecordStatus.ACTIVE,
            other,
            Animal.code.in_(list(animals)[:500]),
        )
        .limit(EXISTING_POINTS)
    )
    return [
        {"animal": code, "date": str(taken_on) if taken_on else None, "day": day, "value": value, "new": False}
        for code, taken_on, day, value in rows
    ]


def active_studies(session: Session, project_id: int) -> Sequence[Study]:
    """Give the studies that a file can be imported into."""
    return session.scalars(scoped(Study, project_id).where(Study.status == RecordStatus.ACTIVE).order_by(Study.code)).all()


def recorded_by(session: Session, batch: ImportBatch) -> dict[str, int]:
    """Count the measurements, doses and fates that a batch recorded and that still count; one statement."""
    nouns: dict[str, Any] = {"measurement": Measurement, "dose": Dose, "fate": Fate}
    counted = [
        select(func.count()).where(model.batch_id == batch.id, model.status == RecordStatus.ACTIVE).scalar_subquery()
        for model in nouns.values()
    ]
    return dict(zip(nouns, session.execute(select(*counted)).one(), strict=True))


def successor(session: Session, batch: ImportBatch) -> ImportBatch | None:
    """Give the committed batch that superseded this one."""
    return session.scalar(
        scoped(ImportBatch, batch.project_id).where(
            ImportBatch.supersedes_id == batch.id, ImportBatch.state == BatchState.COMMITTED
        )
    )
