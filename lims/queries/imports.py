"""What the import pages show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, joinedload

from importers.base import Finding, Severity
from lims.domain.cells import cell_address
from lims.domain.implanting import subject_name
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.models import (
    Animal,
    Base,
    Dose,
    Fate,
    Implant,
    ImportBatch,
    ImportFinding,
    ImportProfileVersion,
    Measurement,
    Project,
    RecordSource,
    StoredFile,
    Study,
)
from lims.queries.scope import LARGEST_ID, find, scoped

EXISTING_POINTS = 2_000
"""Recorded readings drawn under those of a file."""


def batch_of(session: Session, project_id: int, batch_id: int) -> ImportBatch:
    """Give a batch of the project with its file and people.

    Raises:
        NotFound: no such batch in this project.
    """
    return find(session, ImportBatch, project_id, batch_id)


def batch_of_bytes(session: Session, project_id: int, sha256: str) -> ImportBatch | None:
    """Give the last batch of a project that was made of these bytes, whatever became of it."""
    of_bytes = scoped(ImportBatch, project_id).join(ImportBatch.file).where(StoredFile.sha256 == sha256)
    return session.scalar(of_bytes.order_by(ImportBatch.id.desc()).limit(1))


def several_batches(session: Session, project_id: int, ids: Sequence[int]) -> Sequence[ImportBatch]:
    """Give some batches of a project with their profiles, in the order of their ids; one statement."""
    profile = joinedload(ImportBatch.profile_version).joinedload(ImportProfileVersion.profile)
    return session.scalars(
        scoped(ImportBatch, project_id).where(ImportBatch.id.in_(ids)).options(profile).order_by(ImportBatch.id)
    ).all()


def first_errors(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Give the first error found in each of some batches; one statement."""
    first = (
        select(func.min(ImportFinding.id))
        .where(ImportFinding.batch_id.in_(ids), ImportFinding.severity == Severity.ERROR)
        .group_by(ImportFinding.batch_id)
    )
    found = select(ImportFinding.batch_id, ImportFinding.message).where(ImportFinding.id.in_(first))
    return {row.batch_id: row.message for row in session.execute(found)}


def batches(project_id: int) -> Select[Any]:
    """Select the project's batches for a list, newest first."""
    return scoped(ImportBatch, project_id).outerjoin(ImportBatch.uploaded_by).order_by(ImportBatch.id.desc())


def sheets_found(session: Session, batch: ImportBatch) -> list[str]:
    """Give the sheets in which something was found."""
    named = select(ImportFinding.sheet).where(ImportFinding.batch_id == batch.id, ImportFinding.sheet.is_not(None))
    return [sheet for sheet in session.scalars(named.distinct().order_by(ImportFinding.sheet)) if sheet]


def findings_of_batch(batch: ImportBatch) -> Select[Any]:
    """Select all findings of a batch, for a list."""
    return select(ImportFinding).where(ImportFinding.batch_id == batch.id)


def place_in(batch: ImportBatch, sheet: str | None, row: int | None, column: int | None) -> str:
    """Say where in its file something stands; the one sheet of a text, which is called like the file, is not named again."""
    return cell_address(None if sheet == PurePath(batch.file_name).stem else sheet, row, column)


def all_findings(session: Session, batch: ImportBatch) -> list[Finding]:
    """Give every finding of a batch, in the order of the file."""
    return [
        Finding(
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
        for row in session.scalars(findings_of_batch(batch).order_by(ImportFinding.id))
    ]


def project_of_batch(session: Session, batch_id: int) -> str | None:
    """Give the code of a batch's project. Says nothing of who may see it: the caller asks."""
    if not 0 < batch_id <= LARGEST_ID:
        return None
    of_batch = select(Project.code).join(ImportBatch, ImportBatch.project_id == Project.id)
    return session.scalar(of_batch.where(ImportBatch.id == batch_id))


def values_found(session: Session, batch: ImportBatch, code: str) -> list[str]:
    """Give what was quoted by the findings of a kind, each once."""
    quoted = select(ImportFinding.value).where(ImportFinding.batch_id == batch.id, ImportFinding.code == code)
    return [value for value in session.scalars(quoted.distinct()) if value]


def recorded_points(session: Session, batch: ImportBatch, kind: str, animals: Sequence[str]) -> list[dict[str, Any]]:
    """Give what is recorded of these animals and this kind by anything but the batch itself, to draw beneath its points."""
    table = Measurement.__table__.c
    other: ColumnElement[bool] = table.batch_id.is_distinct_from(batch.id)
    if batch.supersedes_id is not None:
        other = and_(other, table.batch_id.is_distinct_from(batch.supersedes_id))
    rows = session.execute(
        select(Animal.code, Implant.label, table.taken_on, table.relative_day, table.value)
        .join(Animal, Animal.id == table.animal_id)
        .outerjoin(Implant, Implant.id == table.implant_id)
        .where(
            table.project_id == batch.project_id,
            table.kind == kind,
            table.status == RecordStatus.ACTIVE,
            other,
            Animal.code.in_(sorted({name for one in animals for name in (one, one.rpartition(" ")[0]) if name})[:500]),
        )
        .order_by(table.id)
        .limit(EXISTING_POINTS)
    )
    found = [
        {"animal": subject_name(code, label), "date": str(on) if on else None, "day": day, "value": value, "state": "recorded"}
        for code, label, on, day, value in rows
    ]
    return [one for one in found if one["animal"] in set(animals)]


def active_studies(session: Session, project_id: int) -> Sequence[Study]:
    """Give the studies that a file can be imported into."""
    return session.scalars(scoped(Study, project_id).where(Study.status == RecordStatus.ACTIVE).order_by(Study.code)).all()


def recorded_by(session: Session, batch: ImportBatch) -> dict[str, int]:
    """Count what a batch recorded and what still counts: measurements, doses and fates, and other records by their table."""
    nouns: dict[str, Any] = {"measurement": Measurement, "dose": Dose, "fate": Fate}
    counted = [
        select(func.count()).where(model.batch_id == batch.id, model.status == RecordStatus.ACTIVE).scalar_subquery()
        for model in nouns.values()
    ]
    counts = dict(zip(nouns, session.execute(select(*counted)).one(), strict=True))
    return counts | {entity: number for entity, number in _sourced(session, batch).items() if entity not in nouns}


def _sourced(session: Session, batch: ImportBatch) -> dict[str, int]:
    """Count the records that a batch made by the cells they came from, and that still count: a statement a table."""
    made = (RecordSource.batch_id == batch.id, RecordSource.made)
    counts: dict[str, int] = {}
    for entity in session.scalars(select(RecordSource.entity).where(*made).distinct().order_by(RecordSource.entity)):
        table = Base.metadata.tables[entity].c
        of = select(func.count()).select_from(RecordSource).join(Base.metadata.tables[entity], table.id == RecordSource.record_id)
        counts[entity] = session.scalar(of.where(*made, RecordSource.entity == entity, table.status == RecordStatus.ACTIVE)) or 0
    return counts


def successor(session: Session, batch: ImportBatch) -> ImportBatch | None:
    """Give the committed batch that superseded this one."""
    return session.scalar(
        scoped(ImportBatch, batch.project_id).where(
            ImportBatch.supersedes_id == batch.id, ImportBatch.state == BatchState.COMMITTED
        )
    )
