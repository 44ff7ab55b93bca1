"""Imports under way: how far the check or the commit of a batch is, and going on with one that was interrupted or failed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lims.config import JobsRun
from lims.domain.errors import Conflict
from lims.domain.permissions import require
from lims.domain.vocabulary import JobKind, JobState
from lims.intake.groups import ALL
from lims.jobs import queue
from lims.jobs.start import interrupted, start, worker_runs
from lims.jobs.table import ask
from lims.models import ImportBatch, Job
from lims.queries.imports import batch_of
from lims.queries.jobs import jobs_under_way, latest_job
from lims.views.support import current_actor, current_project, current_session, needs
from lims.views.transaction import answer_now, installation

pages = Blueprint("import_jobs", __name__, url_prefix="/p/<project_code>/imports")

TITLES = {JobKind.CHECK: "Reading", JobKind.COMMIT: "Recording"}
QUEUED = "Waiting for its turn"
BEGINNING = "Beginning"
NO_WORKER = "Waiting: nothing is working at the moment"
INTERRUPTED = "Interrupted: the process was ended"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a job under way, as pages show it.

    fraction: of the whole, `None` while nobody says. held_up: why it does not move.
    """

    job: Job
    title: str
    words: str
    counted: str = ""
    fraction: float | None = None
    held_up: str = ""


def look_at(job: Job) -> Look:
    """Look how far a job is."""
    settings, database = installation().settings, installation().database
    title = TITLES[job.kind]
    working = settings.jobs is JobsRun.HERE or worker_runs(settings, database)
    if job.state is JobState.QUEUED or interrupted(settings, database, job):
        words = INTERRUPTED if job.attempts else QUEUED
        if working:
            held_up = "Nothing of it was recorded. It is taken up again within a minute." if job.attempts else ""
            return Look(job, title, words, held_up=held_up)
        held_up = "It begins as soon as a worker runs. The person who runs the system starts one with lims worker."
        return Look(job, title, NO_WORKER, held_up=f"Nothing of it was recorded. {held_up}" if job.attempts else held_up)
    now = queue.told(settings, job.id) if settings.jobs is JobsRun.WORKER else None
    if now is None:
        return Look(job, title, BEGINNING)
    return Look(job, title, now.words, now.counted, now.fraction)


def under_way() -> list[Look]:
    """Look at the jobs of the project of the address that wait or run."""
    return [look_at(job) for job in jobs_under_way(current_session(), [current_project().id])]


def progress_page(batch: ImportBatch, job: Job) -> ResponseReturnValue:
    """Show how far a batch's job is, or why it failed before there was anything to show."""
    failed = job.state is JobState.FAILED
    return render_template("imports/progress.html", batch=batch, batch_id=batch.id, job=job, look=None if failed else look_at(job))


def begin(
    batch: ImportBatch, kind: JobKind, *, expect: str | None = None, reason: str = "", accept: Collection[str] = (ALL,)
) -> Job:
    """Have a batch checked or committed, together with all that this request changed so far; gives the job, over or not."""
    job = ask(current_session(), current_actor(), batch, kind, expect=expect, reason=reason, accept=accept)
    answer_now(url_for("imports.show", batch_id=job.batch_id))
    return start(installation().settings, installation().database, job.id)


@pages.get("/<int:batch_id>/progress")
@needs("project:read")
def progress(batch_id: int) -> ResponseReturnValue:
    """Give how far a batch's job is, as the piece of its page that changes; nothing once it is over."""
    session = current_session()
    job = latest_job(session, batch_of(session, current_project().id, batch_id))
    if job is None or not job.active:
        return "", HTTPStatus.NO_CONTENT
    return render_template("imports/_progress.html", look=look_at(job), batch_id=batch_id)


@pages.post("/<int:batch_id>/again")
@needs("batch:check")
def again(batch_id: int) -> ResponseReturnValue:
    """Go on with a job that was interrupted, or try one again that failed."""
    session = current_session()
    batch = batch_of(session, current_project().id, batch_id)
    job = latest_job(session, batch)
    if job is None or job.state is JobState.DONE:
        raise Conflict(f"There is nothing left to do of batch {batch_id}.", remedy="Open its page.")
    if job.kind is JobKind.COMMIT:
        require(current_project().role, "batch:commit")
    page = url_for("imports.show", batch_id=batch_id)
    if job.active:
        answer_now(page)
        start(installation().settings, installation().database, job.id)
    else:
        begin(batch, job.kind, expect=job.expect, reason=job.reason, accept=job.accept)
    return redirect(page)
