"""Starts jobs, for pages and programs, and waits a moment for those that are soon done."""

from __future__ import annotations

import time
from collections.abc import Sequence

from lims.config import JobsRun, Settings
from lims.db import Database
from lims.jobs import queue
from lims.jobs.locks import WORKER, held
from lims.jobs.work import do
from lims.models import Job

PATIENCE_SECONDS = 1.0
"""How long a page waits for its job before it shows how far that is."""
_FIRST_LOOK, _LATER_LOOKS = 0.02, 0.1


def start(settings: Settings, database: Database, job_id: int) -> Job:
    """Have a job done that stands in the table (`lims.jobs.table.ask`); gives it when it is over, or after a moment.

    Also for one that was interrupted. The transaction that asked for it must be over: the job has transactions of its own.
    """
    if settings.jobs is JobsRun.HERE:
        do(database, settings, job_id)
    else:
        queue.wake(settings)
    return wait(database, job_id)


def start_all(settings: Settings, database: Database, job_ids: Sequence[int]) -> None:
    """Have several jobs done that stand in the table, without waiting for those that a worker does."""
    if settings.jobs is JobsRun.HERE:
        for job_id in job_ids:
            do(database, settings, job_id)
    elif job_ids:
        queue.wake(settings)


def wait(database: Database, job_id: int, seconds: float | None = None) -> Job:
    """Give a job when it is over, or as it stands after so many seconds, usually `PATIENCE_SECONDS`."""
    deadline, pause = time.monotonic() + (PATIENCE_SECONDS if seconds is None else seconds), _FIRST_LOOK
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
