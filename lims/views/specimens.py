"""The pages of specimens: the list, and one specimen with its receptors, alterations, profiles, aliquots and models."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint
from sqlalchemy import ColumnElement
from wtforms import StringField

from lims.domain.cohorts import ClinicalCohort
from lims.domain.errors import DomainError
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import CnsStatus, Her2Label, Her2Result
from lims.domain.vocabulary import CollectionProcedure, PassageConvention, RecordStatus, SpecimenKind, TumourOrigin
from lims.models import Patient, Specimen
from lims.queries.specimens import donor_codes, in_cohort, specimen_list
from lims.records.tissue import SPECIMEN
from lims.views.cells import badge, her2
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, WholeNumberField, YesNoField, needed
from lims.views.listing import worded
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.samples import collect
from lims.views.specimen_page import page_context, what
from lims.views.support import current_project, current_session
from lims.views.tables import Cell, Column, Empty, Filter, Listing, choice, one_of, search


class SpecimenForm(RecordForm):
    """Tissue or fluid that was taken from a patient. A harvest is recorded at the animal, and changed here."""

    groups = (
        Group("Specimen", ("code", "patient_id", "kind")),
        Group(
            "Collection",
            ("collected_on", "procedure", "site", "site_uberon", "origin"),
            "When, how and where it was taken (PDX-MI clinical module, MIABIS).",
        ),
        Group(
            "Brain disease at collection",
            ("cns_status", "on_steroids"),
            "Of the patient, on the day of collection. With HER2 it says which cohort of DEBBRAH (NCT04420598) the tissue mimics.",
        ),
        Group(
            "Handling",
            ("warm_ischaemia_minutes", "cold_ischaemia_minutes"),
            "SPREC 3.0, elements 4 and 5: warm is from interrupted blood supply to removal, cold from removal to preservation.",
        ),
        Group(
            "Pathology",
            ("tumour_content_percent", "necrosis_percent", "histology", "grade", "pathologist"),
            "HER2 is not typed here: it follows from the receptor assays, which are recorded on the specimen's page.",
        ),
    )
    units: ClassVar = {
        "warm_ischaemia_minutes": "min",
        "cold_ischaemia_minutes": "min",
        "tumour_content_percent": "%",
        "necrosis_percent": "%",
    }
    once: ClassVar = frozenset({"code", "patient_id"})

    code = StringField("Code", description="Leave it blank to have the next free one given.")
    patient_id = CodeField(
        "Patient", Patient, [needed("Name the patient it was taken from.")], description="Type or scan the code."
    )
    kind = TermField("Kind", SpecimenKind)
    collected_on = IsoDateField("Collected on")
    procedure = TermField("Procedure", CollectionProcedure, default=CollectionProcedure.NOT_RECORDED)
    site = StringField("Anatomical site", description="Such as frontal lobe.")
    site_uberon = StringField("UBERON code", description="Of the site, such as UBERON:0016525 for the frontal lobe.")
    origin = TermField("Origin", TumourOrigin, default=TumourOrigin.NOT_RECORDED)
    cns_status = TermField("CNS disease", CnsStatus, default=CnsStatus.NOT_RECORDED)
    on_steroids = YesNoField("On steroids")
    warm_ischaemia_minutes = WholeNumberField("Warm ischaemia")
    cold_ischaemia_minutes = WholeNumberField("Cold ischaemia")
    tumour_content_percent = NumberField("Tumour content")
    necrosis_percent = NumberField("Necrosis")
    histology = StringField("Histology", description="As the pathologist wrote it.")
    grade = WholeNumberField("Grade", description="Nottingham, 1 to 3.")
    pathologist = StringField("Pathologist", description="Who signed the report.")


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    rows = specimen_list(project.id)
    column = rows.selected_columns
    patients = [(code, code) for code in donor_codes(current_session(), project.id)]
    listing = Listing(
        noun="specimen",
        caption="Specimens",
        columns=_columns(column),
        filters=(
            search("q", "Code, site or histology", Specimen.code, Specimen.site, Specimen.site_uberon, Specimen.histology),
            one_of("patient", "Patient", Patient.code, patients),
            choice("kind", "Kind", Specimen.kind, SpecimenKind),
            choice("origin", "Origin", Specimen.origin, TumourOrigin),
            choice("cns_status", "CNS status", Specimen.cns_status, CnsStatus),
            Filter("her2", "HER2", "select", _with_her2, worded((code, code.replace("_", " ")) for code in _HER2)),
            Filter("cohort", "Mimics DEBBRAH", "select", _mimicking, _COHORTS),
            choice("status", "Record", Specimen.status, RecordStatus),
        ),
        sort="code",
        key=Specimen.id,
        page="specimens.show",
        empty=Empty(
            "No specimen yet. Record what was collected from a patient; harvests from animals come here by themselves.",
            "Record a specimen",
            "specimens.new",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("code", "Specimen", Specimen.code, mono=True),
        Column("patient", "Patient", column.patient, mono=True),
        Column("passage", "From", Specimen.passage, of_row=True, show=_source_cell),
        Column("kind", "Kind", Specimen.kind, of_row=True, show=lambda row: _unbroken(what(row))),
        Column("site", "Site", Specimen.site, roomy=True),
        Column("collected_on", "Collected", Specimen.collected_on, roomy=True),
        Column("her2_result", "HER2", Specimen.her2_result, of_row=True, show=lambda row: her2(row.her2_result, row.her2_label)),
        Column("cohort", "Mimics", column.cohort, show=_cohort_cell),
        Column("her2_label", "HER2 label", Specimen.her2_label, on_page=False),
        Column("origin", "Origin", Specimen.origin, on_page=False),
        Column("cns_status", "CNS status", Specimen.cns_status, on_page=False),
        Column("site_uberon", "UBERON", Specimen.site_uberon, on_page=False),
        Column("model", "Model", column.model, on_page=False),
        Column("animal", "Animal", column.animal, on_page=False),
        Column("of_animal", "Of the animal itself", column.of_animal, on_page=False),
        Column("convention", "Passage convention", column.convention, on_page=False),
        Column("status", "Record", Specimen.status, show=badge, on_page=False),
    )


_HER2 = {str(one.value): Specimen.her2_result == one for one in Her2Result} | {
    str(one.value): Specimen.her2_label == one for one in Her2Label
}
"""What one may filter HER2 by, results and research labels alike."""


def _with_her2(typed: str) -> ColumnElement[bool]:
    if typed not in _HER2:
        raise DomainError(f"{typed!r} is no HER2 result or label.", expected=", ".join(_HER2))
    return _HER2[typed]


_COHORTS = [(str(int(one)), f"{int(one)}: {one.description}") for one in ClinicalCohort]


def _mimicking(typed: str) -> ColumnElement[bool]:
    if typed not in dict(_COHORTS):
        raise DomainError(f"{typed!r} is no cohort of DEBBRAH.", expected=", ".join(dict(_COHORTS)))
    return in_cohort(ClinicalCohort(int(typed)))


def _source_cell(row: Any) -> Cell:
    if row.animal is None:
        return "patient"
    if row.of_animal:
        return _unbroken(row.animal)
    passage = passage_label(row.passage, row.convention or PassageConvention.FIRST_IS_P0) or "P?"
    return _unbroken(f"{passage} · {row.animal}")


def _cohort_cell(number: int | None) -> Cell:
    return None if number is None else _unbroken(ClinicalCohort(number).title)


def _unbroken(words: str) -> str:
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def _her2_cell(row: Any) -> Cell:
    return her2(row.her2_result, row.her2_label)


PAGES = RecordPages(
    pages=Blueprint("specimens", __name__, url_prefix="/p/<project_code>/specimens"),
    noun=SPECIMEN,
    form=SpecimenForm,
    listing=_listing,
    template="specimens/show.html",
    context=page_context,
    lead="What was collected from a patient. Tissue grown in an animal is recorded as a harvest at the implant.",
)
pages = install(PAGES)
pages.add_url_rule("/collect", "collect", collect, methods=["GET", "POST"])
