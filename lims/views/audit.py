"""The audit trail's pages: its events, one event, a record's whole history, verification, review and export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any, Literal, cast

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired

from lims.audit.bundle import bundle as write_bundle
from lims.audit.checkpoint import CheckpointError, read_note, saved_notes, signing_key
from lims.audit.export import ExportTooLong, Filters, record_export
from lims.audit.export import export as write_trail
from lims.audit.problems import Report
from lims.audit.verify import verify as verify_trail
from lims.domain.errors import DomainError
from lims.domain.permissions import require
from lims.intake.store import FileStore
from lims.models import Signature
from lims.queries.audit import (
    changes_of,
    count_changes_of,
    count_events,
    find_event,
    last_noted,
    newest_checkpoint,
    newest_event,
    problems_of,
    require_record,
    reviewed_up_to,
    trail_is_longer_than,
)
from lims.queries.signed import judge_review
from lims.records.audit import CHECK, REVIEW, record_check, record_review
from lims.views.audit_filters import EXPORTS, filters_of, trail_view
from lims.views.audit_words import action_words, details, origin_url, record_url
from lims.views.record_history import history_of
from lims.views.signing import SignerForm, asks_password, signs
from lims.views.support import (
    current_account,
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    whole_number,
)
from lims.views.transaction import commit_now, installation

pages = Blueprint("audit", __name__, url_prefix="/p/<project_code>/audit")

VERIFIED_HERE = 200_000
"""Changes up to which a page may wait for the check of the whole trail."""
WHOLE_HISTORY = 1_000
"""Changes of one record that its history page tells; beyond, it leads to the list of events, which has pages."""
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
    "zip": "application/zip",
}


class ReviewForm(SignerForm):
    """A signed mark that one has looked at the trail up to the newest event shown."""

    comment = StringField(
        "What you looked at, and what you found", [DataRequired("Say what you looked at: it stands in the trail.")]
    )
    up_to = HiddenField()


@pages.get("/")
@needs("audit:read")
def index() -> ResponseReturnValue:
    """List the project's events, newest first, below what attests them."""
    return _list(ReviewForm(data={"up_to": newest_event(current_session(), current_project().id)}))


def _list(form: ReviewForm) -> ResponseReturnValue:
    session, project_id = current_session(), current_project().id
    filters = filters_of(request.args)
    reviewed = last_noted(session, project_id, REVIEW, current_account().id)
    return render_form(
        "audit/index.html",
        form,
        view=trail_view(filters),
        checkpoint=_checkpoint(),
        checked=last_noted(session, project_id, CHECK),
        reviewed=reviewed,
        standing=judge_review(session, reviewed.seq) if reviewed else None,
        unreviewed=count_events(session, project_id, after=reviewed_up_to(session, project_id, reviewed)),
        never_reviewed=reviewed is None and request.args.get("review"),
    )


def _checkpoint() -> dict[str, Any] | None:
    """Give the newest checkpoint as read: size, time, the key's name, and the note itself."""
    newest = newest_checkpoint(current_session())
    if newest is None:
        return None
    try:
        key_name = read_note(newest.note).origin
    except CheckpointError:
        key_name = None
    return {"size": newest.seq, "at": newest.made_at, "key_name": key_name, "note": newest.note}


@pages.get("/<int:seq>")
@needs("audit:read")
def event(seq: int) -> str:
    """Show one event with its place in the chain and what it changed."""
    session, project_id = current_session(), current_project().id
    found = find_event(session, project_id, seq)
    return render_template(
        "audit/event.html",
        event=found,
        what=action_words(found.action),
        changes=changes_of(session, project_id, found, request.args.get("page", 1, type=int)),
        origin_url=origin_url(found.origin),
        details=details(found),
        record_url=record_url,
    )


@pages.get("/record/<entity>/<int:key>")
@needs("project:read")
def record(entity: str, key: int) -> str:
    """Show the whole history of one record, to all who may read the record itself."""
    if entity == Signature.__tablename__:  # it quotes what reviewers of the trail found
        require(current_project().role, "audit:read")
    label = require_record(current_session(), current_project().id, entity, key)
    return render_template(
        "audit/record.html",
        label=label.text,
        entity=entity,
        key=key,
        history=history_of(entity, key, WHOLE_HISTORY, made_with=True),
        total=count_changes_of(current_session(), entity, key),
        own_page=record_url(entity, key),
    )


@pages.post("/verify")
@needs("audit:read")
def verify() -> ResponseReturnValue:
    """Check the whole trail and the tables against it, and say what does not hold."""
    project, actor = current_project(), current_actor()
    if trail_is_longer_than(current_session(), VERIFIED_HERE):
        raise DomainError(
            f"The trail holds more than {VERIFIED_HERE:,} changes; checking it takes longer than a page can wait.",
            remedy="Ask the person who runs this system for the outcome of: lims audit verify",
        )
    commit_now()
    report = _verified()
    own = problems_of(current_session(), project.id, report.problems)
    record_check(current_session(), actor, project.id, report, own)
    hidden = len(report.problems) - len(own) + report.more_problems
    return render_template("audit/verified.html", report=report, problems=own, hidden=hidden, record_url=record_url)


def _verified() -> Report:
    settings = installation().settings
    kept = saved_notes(settings.checkpoint_dir) if settings.checkpoint_dir else []
    try:
        key = signing_key(settings).verifier
    except CheckpointError as unreadable:
        raise DomainError(f"The checkpoints cannot be checked: {unreadable}.") from unreadable
    return verify_trail(installation().database, key=key, checkpoints=kept)


@pages.post("/review")
@needs("audit:read")
@asks_password
def review() -> ResponseReturnValue:
    """Record, signed, that the signed-in person has reviewed the trail up to the newest event they saw."""
    form = ReviewForm()
    if form.validate_on_submit() and signs(form):
        with refusing(form):
            up_to = whole_number(form.up_to.data) or 0
            record_review(current_session(), current_actor(), current_project().id, up_to=up_to, comment=form.comment.data or "")
            flash(f"Your signed review up to event {up_to} is recorded.", "success")
            return redirect(url_for(".index"))
    return _list(form)


@pages.get("/export")
@needs("audit:export")
def export() -> ResponseReturnValue:
    """Send the changes of the events that the filters select as a file; that is an event itself, with the number of rows."""
    asked = request.args.get("format", "")
    if asked not in EXPORTS:
        raise DomainError(f"{asked!r} is no format for the audit trail.", expected=", ".join(EXPORTS))
    form = cast(Literal["csv", "jsonl", "xlsx"], asked)
    filters, database = filters_of(request.args), installation().database

    def write(file: IO[bytes]) -> None:
        try:
            with database.reading() as session:
                rows = write_trail(session, form, file, filters)
        except ExportTooLong as refused:
            raise DomainError(f"{str(refused).capitalize()}.") from refused
        with database.transaction() as session:
            record_export(session, current_actor(), form, filters, rows)

    return _download(write, form)


@pages.post("/bundle")
@needs("audit:export")
def bundle() -> ResponseReturnValue:
    """Send the project's trail with its source files, checkpoints and a check of its own, as one archive."""
    project, actor, settings = current_project(), current_actor(), installation().settings
    commit_now()

    def write(file: IO[bytes]) -> None:
        try:
            store = FileStore(settings.file_dir)
            counts = write_bundle(installation().database, settings, store, file, project=project.id)
        except (CheckpointError, OSError) as failed:
            raise DomainError(f"The bundle needs a checkpoint, and none could be made: {failed}.") from failed
        record_export(current_session(), actor, "bundle", Filters(project=project.id), counts.events)

    return _download(write, "zip")


def _download(write: Callable[[IO[bytes]], None], suffix: str) -> Response:
    """Send what `write` writes from a file on disk, so that its length is known and memory stays flat."""
    stamp = datetime.now(installation().settings.zone).strftime("%Y-%m-%d")
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        write(file)
        length = file.seek(0, 2)
        file.seek(0)
        name = f"{current_project().code}-audit-trail-{stamp}.{suffix}"
        response = send_file(file, mimetype=_TYPES[suffix], as_attachment=True, download_name=name)
        response.content_length = length
        response.call_on_close(stack.pop_all().close)
    return response
