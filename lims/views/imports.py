"""The import pages: drop a file, look at what it would add, record it, take it back."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from werkzeug import Response as BaseResponse

from importers.columns import in_words
from importers.registry import IMPORTERS
from lims.domain.errors import Conflict, DomainError, NotAllowed, NotFound, told
from lims.domain.permissions import require
from lims.domain.vocabulary import BatchState, JobKind, JobState
from lims.exports.own_layout import OWN_FORMATS
from lims.intake import run
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.intake.withdraw import withdraw as withdraw_batch
from lims.jobs.table import require_idle
from lims.models import ImportBatch, Job, Project, Study, User
from lims.queries.blinding import Veil
from lims.queries.imports import active_studies, batch_of, batches, findings_of_batch, recorded_by, successor
from lims.queries.jobs import latest_job
from lims.queries.scope import find
from lims.queries.welfare import actions_of_batch
from lims.records.import_edits import OPEN_STATES
from lims.views.actions import tell
from lims.views.cells import count
from lims.views.filters import format_title, moment
from lims.views.import_check import as_read, changed_lines, of_both, of_check
from lims.views.import_file import download, require_unveiled
from lims.views.import_findings import groups_shown, require_file_of_findings
from lims.views.import_forms import CommitForm, UploadForm, WithdrawForm, answers_form, commit_form, given_answers, question_fields
from lims.views.import_jobs import begin, progress_page, under_way
from lims.views.import_words import plots_of, recorded_words, records_of, what_commit_does
from lims.views.list_tabs import tabs_of
from lims.views.record_history import SHORT, history_of
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    whole_number,
)
from lims.views.tables import Column, Empty, Listing, choice, search
from lims.views.tables import answer as answer_listing
from lims.views.transaction import installation
from lims.views.uploads import take_several

pages = Blueprint("imports", __name__, url_prefix="/p/<project_code>/imports")

RECORDING = "recording"
"""The job whose end this person's browser has not been told yet."""

IMPORTS = Listing(
    noun="batch",
    caption="Imports",
    columns=(
        Column("id", "Batch", ImportBatch.id),
        Column("file_name", "File", ImportBatch.file_name),
        Column("state", "State", ImportBatch.state, show=lambda state: {"text": state.value, "badge": state.value}),
        Column("importer", "Format", ImportBatch.importer, show=format_title),
        Column("new", "New rows", ImportBatch.report["rows"]["new"].as_integer(), align="end", sortable=False, show=count),
        Column(
            "refused",
            "Refused",
            ImportBatch.report["rows"]["refused"].as_integer(),
            align="end",
            sortable=False,
            show=count,
            roomy=True,
        ),
        Column("uploaded_by", "By", User.name, roomy=True),
        Column("uploaded_at", "Uploaded", ImportBatch.uploaded_at, show=moment),
    ),
    filters=(search("q", "Find", ImportBatch.file_name), choice("state", "State", ImportBatch.state, BatchState)),
    sort="-id",
    key=ImportBatch.id,
    page="imports.show",
    empty=Empty("No file was imported yet. Drop the first one that an instrument wrote.", "Import a file", "imports.upload"),
)


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the imports."""
    listed, tabs = (IMPORTS, batches(current_project().id)), tabs_of(pages.name)
    # What a check reports of a batch is not in the trail.
    return answer_listing(lambda: listed, "imports/index.html", lambda: {"tabs": tabs, "jobs": under_way()}, keeps=False)


@pages.route("/new", methods=["GET", "POST"])
@needs("batch:store")
def upload() -> ResponseReturnValue:
    """Take files in, read them, and lead to what one would add, or to the list of several."""
    session, project = current_session(), current_project()
    form = UploadForm(data={"supersedes": request.args.get("supersedes", "")} if request.method == "GET" else None)
    form.offer(active_studies(session, project.id))
    if form.validate_on_submit():
        with refusing(form):
            study = find(session, Study, project.id, int(form.study.data)) if form.study.data else None
            superseded = _superseded(form.supersedes.data)
            if len(form.file.data) > 1:
                return _for_script(take_several(form.file.data, study))
            (file,) = form.file.data
            batch, new = receive(
                session,
                current_actor(),
                FileStore(installation().settings.file_dir),
                session.get_one(Project, project.id),
                file.filename or "file",
                file.read(),
                study=study,
                supersedes=superseded,
            )
            return _for_script(_check(batch) if new or batch.state in OPEN_STATES else _already(batch))
    return render_form("imports/upload.html", form, supersedes=_superseded(form.supersedes.data), importers=IMPORTERS)


def _for_script(answer: BaseResponse) -> BaseResponse:
    """Tell an upload by script where to go: if it followed a redirect itself, the next page's message would be lost."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        answer.status_code = HTTPStatus.CREATED
    return answer


def _superseded(text: str | None) -> ImportBatch | None:
    """Give the batch that a file is to replace, to those who may take batches back."""
    number = whole_number(text)
    if number is None:
        return None
    require(current_project().role, "batch:supersede")
    return batch_of(current_session(), current_project().id, number)


def _already(batch: ImportBatch) -> BaseResponse:
    flash(f"These very bytes were imported before, as batch {batch.id}; nothing was recorded again.", "warning")
    return redirect(url_for(".show", batch_id=batch.id))


def _check(batch: ImportBatch) -> BaseResponse:
    """Have the stored file read, and lead to the check page, which says how far that is until it is done."""
    batch_id = batch.id
    begin(batch, JobKind.CHECK)
    return redirect(url_for(".show", batch_id=batch_id))


@pages.get("/<int:batch_id>")
@needs("project:read")
def show(batch_id: int) -> ResponseReturnValue:
    """Show a batch: what it would add while it is open, what it added once it is recorded."""
    session, project = current_session(), current_project()
    batch = batch_of(session, project.id, batch_id)
    job = latest_job(session, batch)
    if job is not None and (job.active or (job.state is JobState.FAILED and batch.state is BatchState.STORED)):
        return progress_page(batch, job)
    if job is not None and browser.get(RECORDING) == job.id:
        del browser[RECORDING]
        _tell(batch, job)
    report, hide = as_read(batch)
    common, listing = of_both(batch, report, hide)
    if request.args.get("format"):
        require_file_of_findings(hide)
        return answer_listing(lambda: (listing, findings_of_batch(batch)), "")
    if batch.state in OPEN_STATES:
        form = answers_form(batch, active_studies(session, project.id), hide)
        return render_template(
            "imports/check.html",
            **common,
            failed=job if job is not None and job.state is JobState.FAILED else None,
            **of_check(batch, report),
            form=form,
            questions=question_fields(form),
            commit_form=commit_form(batch, report.get("digest")),
            button=what_commit_does(batch),
            may_not=_may_not_record(batch),
            plots=plots_of(session, batch),
        )
    return render_template(
        "imports/batch.html",
        **common,
        recorded=recorded_by(session, batch),
        asked=actions_of_batch(session, batch),
        successor=successor(session, batch),
        withdraw_form=WithdrawForm(),
        recorded_words=recorded_words,
        entries=history_of("import_batch", batch.id, SHORT),
    )


@pages.get("/<int:batch_id>/changes")
@needs("project:read")
def changes(batch_id: int) -> ResponseReturnValue:
    """Show what the file would change of what is recorded, field by field."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    report, _ = as_read(batch)
    return render_template("imports/changes.html", batch=batch, report=report, view=changed_lines(report))


@pages.post("/<int:batch_id>/check")
@needs("batch:check")
def check(batch_id: int) -> ResponseReturnValue:
    """Keep the answers and read the file again."""
    session, project = current_session(), current_project()
    batch = _open(batch_id)
    form = answers_form(batch, active_studies(session, project.id), Veil(()))
    if not form.validate_on_submit():
        raise DomainError("These answers do not fit the file any more.", remedy="Open the check page again and answer there.")
    run.take_answers(
        session,
        current_actor(),
        batch,
        study=find(session, Study, project.id, int(form.study.data)) if form.study.data else None,
        importer=form.importer.data or None,
        choices=given_answers(form, batch),
    )
    return _check(batch)


def _open(batch_id: int) -> ImportBatch:
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_idle(current_session(), batch)
    if batch.state not in OPEN_STATES:
        raise Conflict(f"Batch {batch.id} is {batch.state.value} already.", remedy="Open its page to see what it recorded.")
    return batch


@pages.post("/<int:batch_id>/commit")
@needs("batch:commit")
def commit(batch_id: int) -> ResponseReturnValue:
    """Record exactly what the check page showed, or say what changed since."""
    batch, form = _open(batch_id), CommitForm()
    _require_its_parts(batch)
    looked_at, reason = request.form.getlist("accept"), form.reason.data or ""
    left = [one for one in groups_shown(batch, batch.report or {}) if one.open and one.code not in looked_at]
    if left:
        flash(f"Nothing was recorded yet. Tick that you looked at: {in_words([one.title for one in left])}.", "error")
        return redirect(url_for(".show", batch_id=batch_id))
    if (batch.report or {}).get("changed") and batch.choices.get("changed") and not reason.strip():
        flash("Nothing was recorded yet. Say why recorded values change; the reason stands in the audit trail.", "error")
        return redirect(url_for(".show", batch_id=batch_id))
    run.confirm_proposals(current_session(), current_actor(), batch)
    job = begin(batch, JobKind.COMMIT, expect=form.digest.data or "", reason=reason, accept=looked_at)
    if job.active:
        browser[RECORDING] = job.id
    else:
        _tell(batch_of(current_session(), batch.project_id, batch_id), job)
    return redirect(url_for(".show", batch_id=batch_id))


def _tell(batch: ImportBatch, job: Job) -> None:
    """Say what a commit came to, on the next page."""
    if batch.state is BatchState.COMMITTED:
        report = batch.report or {}
        flash(f"Recorded {recorded_words(records_of(report), report.get('animals', 0))}.", "success")
        tell(actions_of_batch(current_session(), batch))
    elif job.state is JobState.DONE:
        flash("Nothing was recorded: something stands in the way. Look at the findings.", "error")
    if job.state is JobState.DONE and job.message:
        flash(job.message, "warning")


def _require_its_parts(batch: ImportBatch) -> None:
    """Let a batch be recorded by those who may make and change all that it does, whoever answered its questions."""
    for action in ("batch:commit", *run.needed_to_record(batch, batch.report or {})):
        require(current_project().role, action)


def _may_not_record(batch: ImportBatch) -> str:
    """Say why this person cannot record a batch; nothing where they can."""
    try:
        _require_its_parts(batch)
    except NotAllowed as refused:
        return told(refused)
    return ""


@pages.post("/<int:batch_id>/withdraw")
@needs("batch:withdraw")
def withdraw(batch_id: int) -> ResponseReturnValue:
    """Take a recorded batch back, with a reason."""
    session = current_session()
    batch, form = batch_of(session, current_project().id, batch_id), WithdrawForm()
    counts = recorded_by(session, batch)
    withdraw_batch(session, current_actor(), batch, reason=form.reason.data or "")
    undone = f"{recorded_words(counts)} no longer count" if any(counts.values()) else "what it corrected is as before"
    flash(f"Batch {batch.id} is withdrawn: {undone}. The file and the trail stay.", "success")
    return redirect(url_for(".show", batch_id=batch_id))


@pages.get("/<int:batch_id>/file")
@needs("project:read")
def source(batch_id: int) -> ResponseReturnValue:
    """Give the file back as it was uploaded."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_unveiled(batch)
    content = FileStore(installation().settings.file_dir).get(batch.file.sha256)
    return download(content, batch.file_name, "application/octet-stream")


@pages.get("/<int:batch_id>/refused.<name>")
@needs("project:read")
def refused(batch_id: int, name: str) -> ResponseReturnValue:
    """Give the refused rows in the file's own layout, with what was wrong beside each, to correct and upload."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_unveiled(batch)
    if name not in OWN_FORMATS:
        raise NotFound(f"Refused rows are no {name[:10]} file.", expected=" or ".join(OWN_FORMATS))
    settings, (mimetype, write) = installation().settings, OWN_FORMATS[name]
    rows = run.refused_rows(settings, settings.url, batch.id, current_actor())
    return download(write(rows), f"batch-{batch.id}-refused.{name}", mimetype)
