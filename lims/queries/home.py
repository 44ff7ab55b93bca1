"""Reads what the first pages show: studies with their animals, latest imports. A fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import BatchState, RecordStatus, StudyStatus
from lims.models import Enrolment, ImportBatch, Project, Study, User


@dataclass(frozen=True, slots=True)
class StudyLine:
    """A study in one line: how many animals are enrolled."""

    id: int
    project: str
    code: str
    title: str
    state: StudyStatus
    animals: int


@dataclass(frozen=True, slots=True)
class BatchLine:
    """An import in one line."""

    id: int
    project: str
    file_name: str
    state: BatchState
    uploaded_at: datetime
    uploaded_by: str | None


def studies(session: Session, project_ids: Sequence[int], limit: int = 12) -> list[StudyLine]:
    """List the newest studies of some projects with n enrolled animals."""
    enrolled = (
        select(Enrolment.study_id, func.count().label("animals"))
        .where(Enrolment.project_id.in_(project_ids), Enrolment.status == RecordStatus.ACTIVE)
        .group_by(Enrolment.study_id)
        .subquery()
    )
    rows = session.execute(
        select(Study.id, Project.code, Study.code, Study.title, Study.state, func.coalesce(enrolled.c.animals, 0))
        .join(Project, Project.id == Study.project_id)
        .outerjoin(enrolled, enrolled.c.study_id == Study.id)
        .where(Study.project_id.in_(project_ids), Study.status == RecordStatus.ACTIVE)
        .order_by(Study.id.desc())
        .limit(limit)
    )
    return [StudyLine(*row) for row in rows]


def batches(session: Session, project_ids: Sequence[int], limit: int = 8) -> list[BatchLine]:
    """List the latest imports of some projects."""
    rows = session.execute(
        select(ImportBatch.id, Project.code, ImportBatch.file_name, ImportBatch.state, ImportBatch.uploaded_at, User.name)
        .join(Project, Project.id == ImportBatch.project_id)
        .outerjoin(User, User.id == ImportBatch.uploaded_by_id)
        .where(ImportBatch.project_id.in_(project_ids))
        .order_by(ImportBatch.id.desc())
        .limit(limit)
    )
    return [BatchLine(*row) for row in rows]
