"""Starts jobs, for pages and programs, and waits a moment for those that are soon done."""

from __future__ import annotations

import time
from collections.abc import Collection

from lims.audit.record import Actor
from lims.config import JobsRun, Settings
from lims.db import Database
from lims.domain.vocabulary import JobKind
from lims.intake.groups import ALL
from lims.jobs import queue, table
from lims.jobs.locks import WORKER, held
from lims.jobs.work import do
from lims.models import ImportBatch, Job

PATIENCE_SECONDS = 1.0
"""How long a page waits for its job before it shows how far that is."""
_FIRST_LOOK, _LATER_LOOKS = 0.02, 0.1


def start(
    settings: Settings,
    database: Database,
    batch_id: int,
    actor: Actor,
    kind: JobKind,
    *,
    expect: str | None = None,
    reason: str = "",
    accept: Collection[str] = (ALL,),
) -> Job:
    """Have a batch checked or committed; gives the job as it stands when it is over, or after a moment.

    The caller's own transaction must be over: the job has transactions of its own.

    Raises:
        Conflict: the batch is being read or recorded already.
    """
    with database.transaction() as session:
        batch = session.get_one(ImportBatch, batch_id)
        job_id = table.ask(session, actor, batch, kind, expect=expect, reason=reason, accept=accept).id
    return go_on(settings, database, job_id)


def go_on(settings: Settings, database: Database, job_id: int) -> Job:
    """Have a job taken up that was interrupted, or that nobody took up yet; gives it as `start` does."""
    if settings.jobs is JobsRun.HERE:
        do(database, settings, job_id)
    else:
        queue.wake(settings)
    return wait(database, job_id)


def wait(database: Database, job_id: int, seconds: float = PATIENCE_SECONDS) -> Job:
    """Give a job when it is over, or as it stands after so many seconds."""
    deadline, pause = time.monotonic() + seconds, _FIRST_LOOK
    while True:
        with database.reading() as session:
            job = session.get_one(Job, job_id)
        if not job.active or time.monotonic() >= deadline:
            return job
        time.sleep(pause)
        pause = min(2 * pause, _LATER_LOOKS)


def worker_runs(settings: Settings, database: Database) -> bool:
    """Tell whether any worker runs."""
    return held(database, settings, WORKER)


def interrupted(settings: Settings, database: Database, job: Job) -> bool:
    """Tell whether a job that should be running is run by nobody any more."""
    return job.active and job.attempts > 0 and not held(database, settings, job.id)
