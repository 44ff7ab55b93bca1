"""The table of jobs: who asked for what, and what became of it. Each step is a transaction of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict
from lims.domain.vocabulary import BatchState, JobKind, JobState
from lims.models import ImportBatch, Job
from lims.queries.jobs import UNDER_WAY, active_job

MOST_ATTEMPTS = 3
"""A job that was interrupted so often takes its process down with it, and is not begun again by itself."""
_DOING = {JobKind.CHECK: "being read", JobKind.COMMIT: "being recorded"}


def require_idle(session: Session, batch: ImportBatch) -> None:
    """Raise `Conflict` while a batch is being read or recorded."""
    standing = active_job(session, batch)
    if standing is not None:
        raise Conflict(
            f"{batch.audit_label.capitalize()} is {_DOING[standing.kind]} already.",
            remedy="Its page says how far that is; wait for its end.",
        )


def ask(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    kind: JobKind,
    *,
    expect: str | None = None,
    reason: str = "",
    accept: Collection[str] = (),
) -> Job:
    """Put a job into the table; of a batch one thing is done at a time. The rest is what `lims.intake.run.commit` takes.

    Raises:
        Conflict: the batch is being read or recorded already.
    """
    require_idle(session, batch)
    job = Job(
        project_id=batch.project_id,
        batch_id=batch.id,
        kind=kind,
        user_id=actor.id,
        actor=actor.name,
        origin=actor.origin,
        request=actor.request,
        expect=None if expect is None else expect[:64],
        reason=reason,
        accept=sorted(accept),
        queued_at=datetime.now(UTC),
    )
    session.add(job)
    session.flush()
    return job


def waiting(database: Database) -> Sequence[int]:
    """List the jobs to be done, oldest first; those that run are among them, in case that nobody runs them any more."""
    with database.reading() as session:
        return session.scalars(select(Job.id).where(Job.state.in_(UNDER_WAY)).order_by(Job.id)).all()


def begin(database: Database, job_id: int) -> Job | None:
    """Mark a job as running; `None` where there is nothing to do any more. Its lock must be held."""
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        if not job.active:
            return None
        if job.attempts and job.kind is JobKind.COMMIT and job.batch.state is BatchState.COMMITTED:
            # It was killed between its commit and saying so.
            _over(job, JobState.DONE, None)
            return None
        if job.attempts >= MOST_ATTEMPTS:
            _over(
                job,
                JobState.FAILED,
                f"This was interrupted {job.attempts} times, and nothing was recorded. The server may be short of memory: "
                "tell the person who runs it, then try again.",
            )
            return None
        job.state, job.started_at = JobState.RUNNING, datetime.now(UTC)
        job.attempts += 1
        return job


def end(database: Database, job_id: int, state: JobState, message: str | None) -> None:
    """Say that a job is over, how, and what is to be said of it."""
    with database.transaction() as session:
        _over(session.get_one(Job, job_id), state, message)


def _over(job: Job, state: JobState, message: str | None) -> None:
    job.state, job.message, job.ended_at = state, message, datetime.now(UTC)
