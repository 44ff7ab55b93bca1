"""The steps of a study, each a page of its own: activate, close, reopen, blind, unblind."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lims.domain.vocabulary import StudyStatus
from lims.models import Study
from lims.queries.scope import find
from lims.records.nouns import change, doubts
from lims.records.studies import STUDY, blind, unblind
from lims.views.record_forms import Step
from lims.views.record_pages import confirmation, confirmed
from lims.views.study_forms import StepForm
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, seen_version

pages = Blueprint("study_steps", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>")

BOTH = ["GET", "POST"]


@pages.route("/activate", methods=BOTH)
@needs("study:change")
def activate(study_id: int) -> ResponseReturnValue:
    """Begin a study: what it says of itself is planned from then on."""
    lead = "Its animals can be dosed from then on. What was planned is amended, with a reason, and no longer simply changed."
    return _to_state(study_id, StudyStatus.ACTIVE, "Activate", "is active", lead)


@pages.route("/close", methods=BOTH)
@needs("study:change")
def close(study_id: int) -> ResponseReturnValue:
    """End a study."""
    lead = "It takes no animals and no doses any more, and keeps what it says. It can be reopened with a reason."
    return _to_state(study_id, StudyStatus.CLOSED, "Close", "is closed", lead)


@pages.route("/reopen", methods=BOTH)
@needs("study:change")
def reopen(study_id: int) -> ResponseReturnValue:
    """Go on with a study that was closed."""
    lead = "Why it is not over after all stands in its history."
    return _to_state(study_id, StudyStatus.ACTIVE, "Reopen", "is active again", lead)


@pages.route("/blind", methods=BOTH)
@needs("study:change")
def hide(study_id: int) -> ResponseReturnValue:
    """Hide which arm is which."""
    lead = "Administrators, study directors and auditors see the arms; everybody else sees a code drawn by chance, everywhere."

    def step(study: Study, form: StepForm) -> bool:
        blind(current_session(), current_actor(), study, version=seen_version(form), reason=form.reason.data or "")
        return True

    return _page(study_id, "Blind", "is blinded", lead, step)


@pages.route("/unblind", methods=BOTH)
@needs("study:change")
@needs("study:unblind")
def show_all(study_id: int) -> ResponseReturnValue:
    """Show to everybody which arm is which."""
    lead = "Everybody in the project sees from then on which arm is which. What was seen cannot be forgotten again."

    def step(study: Study, form: StepForm) -> bool:
        unblind(current_session(), current_actor(), study, version=seen_version(form), reason=form.reason.data or "")
        return True

    return _page(study_id, "Unblind", "is not blinded any more", lead, step)


def _to_state(study_id: int, state: StudyStatus, verb: str, done: str, lead: str) -> ResponseReturnValue:
    fields = {"state": state}

    def look(study: Study, form: StepForm) -> bool:
        return confirmed(form, doubts(current_session(), STUDY, study.project_id, [fields], study))

    def step(study: Study, form: StepForm) -> bool:
        if not look(study, form):
            return False
        said = confirmation(form)
        reason = f"{form.reason.data} ({said})" if said else form.reason.data or ""
        change(current_session(), current_actor(), STUDY, study, version=seen_version(form), reason=reason, fields=fields)
        return True

    return _page(study_id, verb, done, lead, step, look)


Judged = Callable[[Study, StepForm], bool]
"""Does a step, or looks whether it can be done: whether nothing stands in its way that the form has to show."""


def _page(study_id: int, verb: str, done: str, lead: str, step: Judged, look: Judged | None = None) -> ResponseReturnValue:
    study = find(current_session(), Study, current_project().id, study_id)
    back, form = url_for("studies.show", study_id=study.id), StepForm(obj=study)
    if form.validate_on_submit():
        with refusing(form):
            if step(study, form):
                flash(f"Study {study.code} {done}.", "success")
                return redirect(back)
    elif look is not None and not form.is_submitted():
        with refusing(form):
            look(study, form)
    page = Step(f"{verb} study", f"{verb} the study", back, study.code, lead)
    # What is missing is shown at once; nothing was refused to a person who only looks.
    return (
        render_form("records/step.html", form, step=page)
        if form.is_submitted()
        else render_template("records/step.html", form=form, step=page)
    )
