"""Several files in one drop: a batch each, and the page that lists what became of every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response
from werkzeug.datastructures import FileStorage

from lims.domain.errors import DomainError, NotFound, told
from lims.domain.vocabulary import BatchState, JobKind
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.jobs.start import start_all
from lims.jobs.table import ask
from lims.models import ImportBatch, Project, Study
from lims.queries.blinding import Veil, veil
from lims.queries.imports import first_errors, several_batches
from lims.queries.jobs import jobs_under_way
from lims.views.filters import format_title, sentence
from lims.views.support import current_actor, current_project, current_session, needs, sees_arms, whole_number
from lims.views.transaction import answer_now, installation

pages = Blueprint("uploads", __name__, url_prefix="/p/<project_code>/imports")

MANY = 200
"""Files that one page lists."""


def take_several(files: Sequence[FileStorage], study: Study | None) -> Response:
    """Take several files in and have each of them read; one that cannot be stored is told and stops none of the others.

    Raises:
        DomainError: not one of them could be stored.
    """
    session, actor = current_session(), current_actor()
    place = (session, actor, FileStore(installation().settings.file_dir), session.get_one(Project, current_project().id))
    taken, jobs, refusals = list[ImportBatch](), list[int](), list[DomainError]()
    for file in files:
        try:
            batch, _ = receive(*place, file.filename or "file", file.read(), study=study)
            taken.append(batch)
            if batch.state is not BatchState.COMMITTED:
                jobs.append(ask(session, actor, batch, JobKind.CHECK).id)
        except DomainError as refused:
            refusals.append(refused)
    if not taken:
        refusals[0].others = tuple(refusals[1:])
        raise refusals[0]
    for one in refusals:
        flash(told(one), "error")
    page = url_for("uploads.show", batch=list(dict.fromkeys(batch.id for batch in taken)))
    answer_now(page)
    start_all(installation().settings, installation().database, jobs)
    return redirect(page)


@pages.get("/uploaded")
@needs("project:read")
def show() -> ResponseReturnValue:
    """List what became of each of several files."""
    session, project = current_session(), current_project()
    wanted = [number for text in request.args.getlist("batch")[:MANY] if (number := whole_number(text))]
    batches = several_batches(session, project.id, wanted)
    if not batches:
        raise NotFound("There are no such imports in this project.", remedy="Look at the list of imports.")
    working = {job.batch_id for job in jobs_under_way(session, [project.id])}
    errors = first_errors(session, [batch.id for batch in batches])
    hide = veil(session, project.id, unblinded=sees_arms())
    rows = [_row(batch, errors.get(batch.id, ""), hide, reading=batch.id in working) for batch in batches]
    view = {"caption": "Uploaded files", "columns": COLUMNS, "rows": rows}
    reading = sum(batch.id in working for batch in batches)
    return render_template("imports/several.html", view=view, files=len(batches), reading=reading, here=request.full_path)


COLUMNS = [
    {"key": "file", "label": "File"},
    {"key": "state", "label": "State"},
    {"key": "format", "label": "Read as"},
    {"key": "new", "label": "New rows", "align": "end"},
    {"key": "refused", "label": "Refused", "align": "end"},
    {"key": "first", "label": "What stands in the way"},
]


def _row(batch: ImportBatch, error: str, hide: Veil, *, reading: bool) -> dict[str, Any]:
    rows = (batch.report or {}).get("rows", {})
    state = "being read" if reading else batch.state.value
    by = f" · {batch.profile_version.profile.name}" if batch.profile_version else ""
    return {
        "_url": url_for("imports.show", batch_id=batch.id),
        "file": batch.file_name,
        "state": {"text": state, "badge": "stored" if reading else state},
        "format": f"{format_title(batch.importer)}{by}" if batch.importer else "not known",
        "new": "" if reading else f"{rows.get('new', 0):,}",
        "refused": "" if reading else f"{rows.get('refused', 0):,}",
        "first": "" if reading or batch.state is not BatchState.REFUSED else sentence(hide.text(error)),
    }
