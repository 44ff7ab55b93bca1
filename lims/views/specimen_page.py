"""What the page of one specimen shows: HER2 with what it is made of, the cohort it mimics, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from lims.domain.cohorts import clinical_cohort
from lims.domain.her2 import combine, deciding
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import CnsStatus, Her2Result
from lims.domain.vocabulary import PassageConvention, RecordStatus, SpecimenKind, TumourOrigin
from lims.models import Aliquot, Alteration, Implant, ReceptorAssay, Specimen
from lims.queries.alterations import finding_words
from lims.queries.drift import her2_drift, ish_words
from lims.queries.specimens import (
    aliquots_of,
    alterations_of,
    as_report,
    assays_of,
    models_founded_on,
    profiles_of,
    source_animal,
    source_implant,
)
from lims.records.pdx import FOUNDING_KINDS
from lims.views import stains
from lims.views.addresses import page_of
from lims.views.cells import badge, her2
from lims.views.support import current_session
from lims.views.tables import as_text

LONGEST_COLD_ISCHAEMIA = 60
"""Minutes to fixation that ASCO/CAP 2018 allows for HER2 testing."""


def page_context(specimen: Specimen) -> dict[str, Any]:
    """Give everything that the page of a specimen shows beside the record itself; the number of statements is fixed."""
    session = current_session()
    implant, assays = source_implant(session, specimen), assays_of(session, specimen.id)
    standing = [assay for assay in assays if assay.status is RecordStatus.ACTIVE]
    reports = [as_report(assay) for assay in standing]
    scored, counted = (None if place is None else standing[place] for place in deciding(reports))
    cold = specimen.cold_ischaemia_minutes
    return {
        "implant": implant,
        "animal": source_animal(session, specimen),
        "passage": _passage(specimen, implant),
        "what": what(specimen),
        "her2": her2(specimen.her2_result, specimen.her2_label),
        "assays": assays,
        "finding": combine(reports) if reports else None,
        "scored": scored,
        "counted": counted,
        "said": _said,
        "ish": lambda assay: ish_words(as_report(assay)),
        "late_fixation": cold is not None and cold > LONGEST_COLD_ISCHAEMIA,
        "cohort": clinical_cohort(specimen.cns_status, specimen.her2_result, specimen.her2_label),
        "no_cohort": _no_cohort(specimen),
        "drift": her2_drift(session, specimen.project_id, specimen.donor_id),
        "alterations": _alterations_table(alterations_of(session, specimen.id)),
        "stains": stains.of_specimen(specimen),
        "profiles": profiles_of(session, specimen.id),
        "aliquots": _aliquots_table(aliquots_of(session, specimen.id)),
        "models": models_founded_on(session, specimen.id),
        "may_found": specimen.kind in FOUNDING_KINDS,
    }


def what(specimen: Any) -> str:
    """Say what it is: `Metastatic tumour`, `CSF`."""
    kind = "CSF" if specimen.kind is SpecimenKind.CSF else str(as_text(specimen.kind))
    words = kind if specimen.origin is TumourOrigin.NOT_RECORDED else f"{as_text(specimen.origin)} {kind}"
    return words[0].upper() + words[1:]


def _passage(specimen: Specimen, implant: Implant | None) -> str | None:
    model = implant.model if implant is not None else None
    return passage_label(specimen.passage, model.passage_convention if model is not None else PassageConvention.FIRST_IS_P0)


def _said(assay: ReceptorAssay) -> str:
    """Name a report in a sentence."""
    when = f"report of {assay.assayed_on}" if assay.assayed_on else "report without a date"
    return f"{when} ({assay.laboratory})" if assay.laboratory else when


def _no_cohort(specimen: Specimen) -> str:
    """Say what keeps a specimen from mimicking a cohort."""
    if specimen.patient_id is None:
        return "the patient's brain disease is recorded with the tissue that founded the model."
    if specimen.cns_status is CnsStatus.NOT_RECORDED:
        return "the CNS disease at collection is not recorded."
    if specimen.her2_result is Her2Result.NOT_ASSESSED:
        return "HER2 is not assessed."
    return "none took this CNS disease with this HER2 class."


def _alterations_table(alterations: Sequence[Alteration]) -> dict[str, Any]:
    columns = [("gene", "Gene"), ("compartment", "Compartment"), ("kind", "Kind"), ("finding", "Finding"), ("platform", "Platform")]
    return {
        "caption": "Alterations",
        "columns": [{"key": key, "label": label, "mono": key == "gene"} for key, label in columns],
        "rows": [
            {
                "_url": url_for("alterations.show", record_id=one.id),
                "gene": one.gene,
                "compartment": as_text(one.compartment),
                "kind": as_text(one.kind),
                "finding": finding_words(one),
                "platform": one.platform,
            }
            for one in alterations
        ],
    }


def _aliquots_table(aliquots: Sequence[Aliquot]) -> dict[str, Any]:
    columns = [("code", "Aliquot"), ("material", "Material"), ("amount", "Amount"), ("place", "Kept in"), ("state", "State")]
    return {
        "caption": "Aliquots",
        "columns": [{"key": key, "label": label, "mono": key == "code"} for key, label in columns],
        "rows": [
            {
                "_url": page_of("aliquot", one.id),
                "code": one.code,
                "material": as_text(one.material),
                "amount": f"{one.amount:g} {one.unit.value}" if one.amount is not None and one.unit else None,
                "place": one.place.code if one.place else None,
                "state": badge(one.state),
            }
            for one in aliquots
        ],
    }
