"""Does what the table of jobs asks for: in a worker, or in the process of whoever asked."""

from __future__ import annotations

from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from lims.audit.record import Actor
from lims.config import JobsRun, Settings
from lims.db import Database, why_unavailable
from lims.domain.errors import DomainError, told
from lims.domain.vocabulary import JobKind, JobState
from lims.intake import run
from lims.jobs import queue, table
from lims.jobs.locks import holding
from lims.models import Job

TRY_AGAIN = "Try again; if that does not help, tell the person who runs the system."
NOT_KEPT = frozenset({"checkpoint-not-copied", "warnings-not-accepted"})
"""Findings about the run and not about the file: they are not kept with the batch."""
log = structlog.stdlib.get_logger("lims.jobs")


def work_off(settings: Settings) -> None:
    """Do all that waits, oldest first, interrupted jobs included; what another process is at is left to it."""
    database = Database(settings.url, settings.zone)
    try:
        while any(do(database, settings, job_id) for job_id in table.waiting(database)):
            pass
    except DBAPIError as unavailable:
        log.warning("database", error=why_unavailable(unavailable))
    finally:
        database.close()


def do(database: Database, settings: Settings, job_id: int) -> bool:
    """Do one job, unless it is over or somebody is at it; gives whether it was done here.

    Whatever happens to this process meanwhile: the job's transaction leaves all or nothing, its lock is free, and the table
    still says that it runs, which is how the next worker knows that it does not.
    """
    with holding(database, settings, job_id) as ours:
        job = table.begin(database, job_id) if ours else None
        if job is None:
            return False
        state, message = _outcome(settings, job)
        log.info("job", job=job_id, kind=job.kind.value, state=state.value)
        table.end(database, job_id, state, message)
    if settings.jobs is JobsRun.WORKER:
        queue.forget(settings, job_id)
    return True


def _outcome(settings: Settings, job: Job) -> tuple[JobState, str | None]:
    """Run a job; gives how that ended, and what is to be said. What is wrong with a file is no failure: its batch says it."""
    try:
        return JobState.DONE, _run(settings, job)
    except DomainError as refused:
        return JobState.FAILED, told(refused)
    except OperationalError as unavailable:
        return JobState.FAILED, why_unavailable(unavailable)
    except OSError as failed:
        return JobState.FAILED, f"The server could not read or write ({failed.strerror}); nothing was recorded. {TRY_AGAIN}"
    except Exception:
        log.exception("job", job=job.id)
        said = f"Something went wrong here, and it was noted under job {job.id}; nothing was recorded."
        return JobState.FAILED, f"{said} {TRY_AGAIN}"


def _run(settings: Settings, job: Job) -> str | None:
    """Check or commit the job's batch; gives what its page does not say by itself."""
    actor = Actor(job.user_id, job.actor, job.origin, job.request)
    listener = partial(queue.tell, settings, job.id) if settings.jobs is JobsRun.WORKER else None
    if job.kind is JobKind.CHECK:
        outcome = run.check(settings, settings.url, job.batch_id, actor, listener=listener)
    else:
        expect, accept = job.expect, job.accept
        outcome = run.commit(
            settings, settings.url, job.batch_id, actor, expect=expect, reason=job.reason, accept=accept, listener=listener
        )
    said = [one for one in outcome.findings if one.code in NOT_KEPT]
    return " ".join(f"{one.message} {one.remedy or ''}".strip() for one in said) or None
