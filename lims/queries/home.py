"""Reads what the first pages show: studies with their animals, latest imports. A fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import BatchState, RecordStatus, StudyStatus
from lims.models import Enrolment, ImportBatch, Project, Study, User
from lims.queries.chunks import read

LISTED_STUDIES, LISTED_BATCHES = 12, 8


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


_OF_PROJECTS: BindParameter[Any] = bindparam("projects", expanding=True)
_NEWEST = (
    select(Study.id, Project.code.label("project"), Study.code, Study.title, Study.state)
    .join(Project, Project.id == Study.project_id)
    .where(Study.project_id.in_(_OF_PROJECTS), Study.status == RecordStatus.ACTIVE)
    .order_by(Study.id.desc())
    .limit(LISTED_STUDIES)
    .subquery()
)
_ENROLLED = select(func.count()).where(Enrolment.study_id == _NEWEST.c.id, Enrolment.status == RecordStatus.ACTIVE)
_STUDIES = select(_NEWEST, _ENROLLED.correlate(_NEWEST).scalar_subquery()).order_by(_NEWEST.c.id.desc())
"""Only of those that are shown are the animals counted."""
_BATCHES = (
    select(ImportBatch.id, Project.code, ImportBatch.file_name, ImportBatch.state, ImportBatch.uploaded_at, User.name)
    .join(Project, Project.id == ImportBatch.project_id)
    .outerjoin(User, User.id == ImportBatch.uploaded_by_id)
    .where(ImportBatch.project_id.in_(_OF_PROJECTS))
    .order_by(ImportBatch.id.desc())
    .limit(LISTED_BATCHES)
)


def studies(session: Session, project_ids: Sequence[int]) -> list[StudyLine]:
    """List the newest studies of some projects with n enrolled animals."""
    return [StudyLine(*row) for row in read(session, _STUDIES, projects=project_ids)]


def batches(session: Session, project_ids: Sequence[int]) -> list[BatchLine]:
    """List the latest imports of some projects."""
    return [BatchLine(*row) for row in read(session, _BATCHES, projects=project_ids)]
