"""The pages of patients: the list, and one patient with consents, treatment and tissue."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField

from lims.domain.consents import ConsentState
from lims.domain.vocabulary import RecordStatus, Sex
from lims.models import Patient
from lims.queries.patients import consents_of, patient_list, specimens_of, therapy_of
from lims.records.patients import PATIENT
from lims.views.cells import badge
from lims.views.form_fields import TermField, WholeNumberField
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Listing, choice, search


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
            Column("consent", "Consent", column.consent, show=lambda state: badge(ConsentState(state))),
            Column("specimens", "Specimens", column.specimens, align="end"),
            Column("models", "Models", column.models, align="end"),
            Column("status", "Record", Patient.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Code or diagnosis", Patient.code, Patient.diagnosis),
            choice("status", "Record", Patient.status, RecordStatus),
        ),
        sort="code",
        key=Patient.id,
        page=lambda row: url_for("patients.show", record_id=row.key),
        empty=Empty("No patient yet. Record the first by pseudonym, then the consent.", "Record a patient", "patients.new"),
    )
    return listing, rows


def _context(patient: Patient) -> dict[str, Any]:
    session = current_session()
    return {
        "consents": consents_of(session, patient.id),
        "therapy": therapy_of(session, patient.id),
        "specimens": specimens_of(session, patient.id),
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
