"""The pages of receptor assays; each is shown on its specimen's page too, with the HER2 status that follows from all."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField, TextAreaField

from lims.domain.tissue_terms import Her2Ihc, IshProbe
from lims.domain.vocabulary import RecordStatus
from lims.models import Patient, ReceptorAssay, Specimen
from lims.queries.drift import ish_words
from lims.queries.specimens import as_report, donor_codes
from lims.queries.tissue_lists import assay_list
from lims.records.tissue import RECEPTOR_ASSAY
from lims.views.cells import badge, her2
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Cell, Column, Empty, Listing, choice, day, one_of, search


class AssayForm(RecordForm):
    """One report, as it was written."""

    groups = (
        Group("Report", ("specimen_id", "assayed_on", "laboratory")),
        Group("Hormone receptors and proliferation", ("er_percent", "pr_percent", "ki67_percent"), "Stained tumour nuclei."),
        Group(
            "HER2 immunohistochemistry",
            ("her2_ihc", "antibody"),
            "The score of the report (ASCO/CAP 2018, affirmed 2023). The result follows from it, and is not typed.",
        ),
        Group(
            "HER2 in-situ hybridisation",
            ("ish_probe", "her2_copies", "her2_cep17_ratio"),
            "IHC 2+ is decided by ISH. A dual probe counts HER2 and CEP17 and gives a ratio; a single one counts HER2 alone.",
        ),
        Group("Note", ("note",)),
    )
    units: ClassVar = {"er_percent": "%", "pr_percent": "%", "ki67_percent": "%", "her2_copies": "per cell"}
    once: ClassVar = frozenset({"specimen_id"})

    specimen_id = CodeField("Specimen", Specimen, [needed("Name the specimen that was stained.")])
    assayed_on = IsoDateField(
        "Date", description="Of the report. Of two reports the newer counts; one without a date is the oldest."
    )
    laboratory = StringField("Laboratory")
    er_percent = NumberField("ER")
    pr_percent = NumberField("PR")
    ki67_percent = NumberField("Ki-67")
    her2_ihc = TermField("HER2 IHC score", Her2Ihc, blank="Not done")
    antibody = StringField("Antibody", description="Clone, such as 4B5.")
    ish_probe = TermField("ISH probe", IshProbe, blank="Not done")
    her2_copies = NumberField("HER2 copies", description="Mean HER2 signals per cell.")
    her2_cep17_ratio = NumberField("HER2/CEP17 ratio", description="With a dual probe only.")
    note = TextAreaField("Note")


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    patients = [(code, code) for code in donor_codes(current_session(), project.id)]
    listing = Listing(
        noun="assay",
        caption="Receptor assays",
        columns=(
            Column("assayed_on", "Report", ReceptorAssay.assayed_on, show=lambda on: str(on or "no date")),
            Column("specimen", "Specimen", Specimen.code, mono=True),
            Column("patient", "Patient", Patient.code, mono=True),
            Column("er_percent", "ER", ReceptorAssay.er_percent, unit="%", align="end", show=_number),
            Column("pr_percent", "PR", ReceptorAssay.pr_percent, unit="%", align="end", show=_number),
            Column("ki67_percent", "Ki-67", ReceptorAssay.ki67_percent, unit="%", align="end", show=_number),
            Column("her2_ihc", "HER2 IHC", ReceptorAssay.her2_ihc),
            Column("ish_probe", "ISH", ReceptorAssay.ish_probe, of_row=True, show=_ish_cell),
            Column("her2_copies", "HER2 copies", ReceptorAssay.her2_copies, on_page=False),
            Column("her2_cep17_ratio", "HER2/CEP17 ratio", ReceptorAssay.her2_cep17_ratio, on_page=False),
            Column("antibody", "Antibody", ReceptorAssay.antibody, on_page=False),
            Column("laboratory", "Laboratory", ReceptorAssay.laboratory, on_page=False),
            Column("note", "Note", ReceptorAssay.note, on_page=False),
            Column("status", "Record", ReceptorAssay.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Specimen or laboratory", Specimen.code, ReceptorAssay.laboratory),
            one_of("patient", "Patient", Patient.code, patients),
            choice("her2_ihc", "HER2 IHC", ReceptorAssay.her2_ihc, Her2Ihc),
            choice("ish_probe", "ISH probe", ReceptorAssay.ish_probe, IshProbe),
            day("from", "Report from", ReceptorAssay.assayed_on),
            day("to", "To", ReceptorAssay.assayed_on, until=True),
            choice("status", "Record", ReceptorAssay.status, RecordStatus),
        ),
        sort="-assayed_on",
        key=ReceptorAssay.id,
        page="assays.show",
        empty=Empty("No receptor assay yet. HER2 of a specimen follows from its reports.", "Record an assay", "assays.new"),
    )
    return listing, assay_list(project.id)


def _number(value: float | None) -> Cell:
    return None if value is None else f"{value:g}"


def _ish_cell(row: Any) -> Cell:
    return _ish(row) or None


def _ish(assay: Any) -> str:
    """Write probe and counts: `dual probe, ratio 2.4, 5.1 copies`."""
    probe = f"{assay.ish_probe.value} probe" if assay.ish_probe else ""
    return ", ".join(part for part in (probe, ish_words(as_report(assay))) if part)


def _context(assay: ReceptorAssay) -> dict[str, Any]:
    specimen = assay.specimen
    return {"ish": _ish(assay), "her2": her2(specimen.her2_result, specimen.her2_label)}


def _home(assay: ReceptorAssay) -> str:
    return url_for("specimens.show", record_id=assay.specimen_id, _anchor="receptors")


PAGES = RecordPages(
    pages=Blueprint("assays", __name__, url_prefix="/p/<project_code>/assays"),
    noun=RECEPTOR_ASSAY,
    form=AssayForm,
    listing=_listing,
    template="assays/show.html",
    context=_context,
    home=_home,
    lead="Copy the report as it is. HER2 of the specimen is derived from all its reports.",
)
pages = install(PAGES)
