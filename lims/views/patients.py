"""The pages of patients: the list, and one patient with consents, treatment and tissue."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from lims.domain.vocabulary import RecordStatus, Sex
from lims.models import Patient
from lims.queries.derived import derived_counts, derived_rows, models_of
from lims.queries.drift import her2_drift
from lims.queries.patients import consents_of, patient_list, specimens_of, therapy_of
from lims.queries.scope import find
from lims.records.consents import doubts_of_end, end_consents
from lims.records.patients import PATIENT
from lims.records.values import today
from lims.views.cells import badge, her2
from lims.views.consent_flag import consent_cell, consent_filter, consent_of
from lims.views.consents import consent_rows
from lims.views.derived import derived_listing, reached
from lims.views.form_fields import IsoDateField, TermField, WholeNumberField, needed
from lims.views.record_forms import REASON, Group, RecordForm, Step
from lims.views.record_pages import RecordPages, confirmation, confirmed, install
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form
from lims.views.tables import Column, Empty, Listing, answer, choice, search
from lims.views.therapy import class_words, stop_words
from lims.views.therapy_timeline import timeline


class PatientForm(RecordForm):
    """A patient by pseudonym."""

    groups = (
        Group(
            "Pseudonym",
            ("code",),
            "No name, date of birth or hospital number: who it is, is kept outside this system (MIABIS, GDPR article 4(5)).",
        ),
        Group("Person", ("sex", "birth_year", "ethnicity")),
        Group(
            "Diagnosis",
            ("diagnosis", "diagnosis_ncit", "age_at_diagnosis"),
            "As PDX-MI asks: what the tumour is, and when it was found.",
        ),
    )
    units: ClassVar = {"age_at_diagnosis": "years"}

    code = StringField("Code", description="Leave it blank to have the next free one given.")
    sex = TermField("Sex", Sex, default=Sex.NOT_RECORDED)
    birth_year = WholeNumberField("Year of birth")
    ethnicity = StringField("Ethnicity")
    diagnosis = StringField("Diagnosis")
    diagnosis_ncit = StringField("NCI Thesaurus code", description="Such as C53556, HER2-positive breast carcinoma.")
    age_at_diagnosis = WholeNumberField("Age at diagnosis")


def _listing() -> tuple[Listing, Any]:
    rows = patient_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="patient",
        caption="Patients",
        columns=(
            Column("code", "Patient", column.code, mono=True),
            Column("sex", "Sex", column.sex, show=lambda sex: None if sex is Sex.NOT_RECORDED else sex.value),
            Column("birth_year", "Born", column.birth_year, align="end"),
            Column("diagnosis", "Diagnosis", column.diagnosis),
            Column("consent", "Consent", column.consent, show=consent_cell),
            Column("specimens", "Specimens", column.specimens, align="end"),
            Column("models", "Models", column.models, align="end"),
            Column("status", "Record", Patient.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Code or diagnosis", Patient.code, Patient.diagnosis),
            consent_filter(Patient.id),
            choice("status", "Record", Patient.status, RecordStatus),
        ),
        sort="code",
        key=Patient.id,
        page="patients.show",
        empty=Empty("No patient yet. Record the first by pseudonym, then the consent.", "Record a patient", "patients.new"),
    )
    return listing, rows


def _context(patient: Patient) -> dict[str, Any]:
    session = current_session()
    lines, specimens = therapy_of(session, patient.id), specimens_of(session, patient.id)
    return {
        "consents": consent_rows(consents_of(session, patient.id), today(session)),
        "lines": lines,
        "drawing": timeline(lines, specimens, today(session)),
        "class_words": class_words,
        "stop_words": stop_words,
        "specimens": [(specimen, her2(specimen.her2_result, specimen.her2_label)) for specimen in specimens],
        "drift": her2_drift(session, patient.project_id, patient.id),
        "models": models_of(session, patient.id),
        "counts": derived_counts(session, patient.id),
    }


PAGES = RecordPages(
    pages=Blueprint("patients", __name__, url_prefix="/p/<project_code>/patients"),
    noun=PATIENT,
    form=PatientForm,
    listing=_listing,
    template="patients/show.html",
    context=_context,
    lead="A patient is known here by a pseudonym only.",
)
pages = install(PAGES)


class WithdrawalForm(RecordForm):
    """The patient took the consent back."""

    groups = (Group("When and why", ("withdrawn_on", "reason"), "It ends every consent given up to that day."),)

    withdrawn_on = IsoDateField("Patient withdrew the consent on", [needed("Give the day on which the patient withdrew.")])
    reason = StringField(
        "Reason", [needed(REASON)], description="Such as the letter or talk it was told in. It stands in the audit trail."
    )


@pages.route("/<int:record_id>/withdraw-consent", methods=["GET", "POST"])
@needs("consent:change")
def withdraw_consent(record_id: int) -> ResponseReturnValue:
    """Show what a patient's withdrawal reaches, then record it."""
    session = current_session()
    patient = find(session, Patient, current_project().id, record_id)
    form = WithdrawalForm()
    if form.validate_on_submit():
        with refusing(form):
            on = form.withdrawn_on.data
            if confirmed(form, doubts_of_end(session, patient, on)):
                told = " ".join(part for part in (form.reason.data or "", confirmation(form) and f"({confirmation(form)})") if part)
                ended = end_consents(session, current_actor(), patient, on, reason=told)
                flash(f"{patient.code} withdrew on {on}: {len(ended)} consent{'s' if len(ended) > 1 else ''} ended.", "success")
                return redirect(url_for(".show", record_id=patient.id, _anchor="consents"))
    step = Step(
        "Record that consent was withdrawn by",
        "Record the withdrawal",
        back=url_for(".show", record_id=patient.id, _anchor="consents"),
        code=patient.code,
        lead="No specimen is received, no model founded and nothing implanted from then on. What exists stays, and says so.",
    )
    rows = derived_rows(session, patient.id)
    return render_form("patients/withdraw_consent.html", form, step=step, record=patient, reached=reached(rows), total=len(rows))


@pages.get("/<int:record_id>/derived")
@needs("project:read")
def derived(record_id: int) -> ResponseReturnValue:
    """List everything that was made of a patient's tissue."""
    session = current_session()
    patient = find(session, Patient, current_project().id, record_id)
    return answer(
        partial(derived_listing, patient),
        "patients/derived.html",
        lambda: {"record": patient, "counts": derived_counts(session, patient.id), "consent": consent_of(patient)},
    )
