"""Forms of receptor assays; they are shown on their specimen's page, with the HER2 status that follows from them."""

from __future__ import annotations

from typing import ClassVar

from flask import Blueprint, url_for
from wtforms import StringField, TextAreaField

from lims.domain.tissue_terms import Her2Ihc, IshProbe
from lims.models import ReceptorAssay, Specimen
from lims.records.tissue import RECEPTOR_ASSAY
from lims.views.form_fields import CodeField, IsoDateField, NumberField, TermField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install


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


def _home(assay: ReceptorAssay) -> str:
    return url_for("specimens.show", record_id=assay.specimen_id, _anchor="receptors")


PAGES = RecordPages(
    pages=Blueprint("assays", __name__, url_prefix="/p/<project_code>/assays"),
    noun=RECEPTOR_ASSAY,
    form=AssayForm,
    home=_home,
    lead="Copy the report as it is. HER2 of the specimen is derived from all its reports.",
)
pages = install(PAGES)
