"""Enrolments: animals put in an arm by hand, one enrolment with its exclusion, and the forms to change and withdraw it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from lims.models import Animal, Enrolment, Study
from lims.queries.scope import find
from lims.queries.studies import arms_of_studies
from lims.records.nouns import change, doubts
from lims.records.studies import ENROLMENT, enrol
from lims.views.record_forms import Step, typed
from lims.views.record_pages import RecordPages, confirmation, confirmed, install
from lims.views.study_forms import EnrolForm, EnrolmentForm, ExcludeForm, StepForm
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
    sees_arms,
)


def _context(enrolment: Enrolment) -> dict[str, Any]:
    session = current_session()
    arms = arms_of_studies(session, enrolment.project_id, enrolment.study_id, unblinded=sees_arms())
    return {
        "animal": enrolment.animal,
        "study": session.get_one(Study, enrolment.study_id),
        "arm": next((arm for arm in arms if arm.id == enrolment.arm_id), None),
    }


PAGES = RecordPages(
    pages=Blueprint("enrolments", __name__, url_prefix="/p/<project_code>/enrolments"),
    noun=ENROLMENT,
    form=EnrolmentForm,
    template="studies/enrolment.html",
    context=_context,
    makes=False,
    lead="Animal and arm stay as they are: an animal comes into another arm once this enrolment is withdrawn.",
)
pages = install(PAGES)


@pages.route("/of/<int:study_id>/new", methods=["GET", "POST"])
@needs("enrolment:create")
def new(study_id: int) -> ResponseReturnValue:
    """Put animals whose codes are scanned in an arm."""
    session, project = current_session(), current_project()
    study = find(session, Study, project.id, study_id)
    arms = arms_of_studies(session, project.id, study.id, unblinded=sees_arms())
    form = EnrolForm()
    form.begin(arms)
    back = url_for("studies.animals", study_id=study.id)
    if form.validate_on_submit():
        with refusing(form):
            rows = _rows(form, {arm.key: arm.id for arm in arms}[form.arm_id.data], form.animals())
            if confirmed(form, doubts(session, ENROLMENT, project.id, [{**row, "study_id": study.id} for row in rows])):
                made = enrol(session, current_actor(), study, rows, reason=confirmation(form))
                flash(f"{len(made)} animal{'s were' if len(made) > 1 else ' was'} enrolled in {study.code}.", "success")
                return redirect(back)
    step = Step("Enrol animals in", "Enrol the animals", back, study.code, "Either all of them are enrolled, or none.")
    return render_form("records/step.html", form, step=step)


def _rows(form: EnrolForm, arm_id: int, animals: list[Animal]) -> list[dict[str, Any]]:
    dates = {"enrolled_on": typed(form.enrolled_on), "day_zero_on": typed(form.day_zero_on)}
    return [{"arm_id": arm_id, "animal_id": animal.id, **dates} for animal in animals]


@pages.route("/<int:record_id>/exclude", methods=["GET", "POST"])
@needs("enrolment:change")
def exclude(record_id: int) -> ResponseReturnValue:
    """Leave an animal out of analysis from a day on; its data stay."""
    lead = "Its data stay, marked as excluded on pages and in files; means, survival and tests leave them out from that day on."
    form = ExcludeForm(obj=_enrolment(record_id))
    fields = {name: typed(form[name]) for name in ("excluded_on", "exclusion_reason")}
    reason = f"excluded: {fields['exclusion_reason']}"
    return _step(record_id, form, fields, reason, ("Exclude from analysis", "Exclude the animal", lead))


@pages.route("/<int:record_id>/include", methods=["GET", "POST"])
@needs("enrolment:change")
def include(record_id: int) -> ResponseReturnValue:
    """Let an animal count again that was left out of analysis."""
    form = StepForm(obj=_enrolment(record_id))
    fields = {"excluded_on": None, "exclusion_reason": None}
    return _step(record_id, form, fields, form.reason.data or "", ("Include in analysis", "Include the animal", "It counts again."))


def _enrolment(record_id: int) -> Enrolment:
    return find(current_session(), Enrolment, current_project().id, record_id)


def _step(record_id: int, form: Any, fields: dict[str, Any], reason: str, words: tuple[str, str, str]) -> ResponseReturnValue:
    enrolment, back = _enrolment(record_id), url_for(".show", record_id=record_id)
    title, button, lead = words
    if form.validate_on_submit():
        with refusing(form):
            version = seen_version(form)
            change(current_session(), current_actor(), ENROLMENT, enrolment, version=version, reason=reason, fields=fields)
            flash(
                f"Animal {enrolment.animal.code} {'counts again' if fields['excluded_on'] is None else 'is excluded'}.", "success"
            )
            return redirect(back)
    return render_form("records/step.html", form, step=Step(title, button, back, enrolment.animal.code, lead))
