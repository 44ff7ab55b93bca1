"""Reads jobs: the one of a batch, and those that are under way in projects."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.vocabulary import JobState
from lims.models import ImportBatch, Job

UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)


def latest_job(session: Session, batch: ImportBatch) -> Job | None:
    """Give the job of a batch that was asked for last."""
    return session.scalar(select(Job).where(Job.batch_id == batch.id).order_by(Job.id.desc()).limit(1))


def active_job(session: Session, batch: ImportBatch) -> Job | None:
    """Give the job of a batch that waits or runs."""
    return session.scalar(select(Job).where(Job.batch_id == batch.id, Job.state.in_(UNDER_WAY)))


_KEYS_UNDER_WAY = select(Job.id).where(Job.project_id.in_(bindparam("project_ids", expanding=True)), Job.state.in_(UNDER_WAY))


def jobs_under_way(session: Session, project_ids: Collection[int]) -> Sequence[Job]:
    """List the jobs of these projects that wait or run, oldest first, with their batches."""
    # Mostly there are none, and asking for keys takes a quarter of what asking for records does.
    keys = session.connection().scalars(_KEYS_UNDER_WAY, {"project_ids": list(project_ids)}).all()
    if not keys:
        return ()
    return session.scalars(select(Job).where(Job.id.in_(keys)).order_by(Job.id).options(joinedload(Job.batch))).all()
