"""The pages of PDX models: the list with take rate and latency, and one model with implants, tissue and checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from flask import Blueprint, url_for
from sqlalchemy import ColumnElement, Row
from wtforms import StringField, TextAreaField

from lims.domain.cohorts import ClinicalCohort, clinical_cohort
from lims.domain.errors import DomainError
from lims.domain.model_checks import CHECK_TITLES, CHECK_WORDS, VALUE_WORDS
from lims.domain.passage import passage_label
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, CheckResult, Her2Result, ModelKind
from lims.domain.vocabulary import ModelStatus, PassageConvention, RecordStatus
from lims.models import Implant, ModelCheck, Patient, PdxModel, Specimen
from lims.queries.drift import her2_drift
from lims.queries.models import (
    Take,
    TakeTable,
    checks_of,
    implants_of,
    model_list,
    other_lines,
    take_table,
    tissue_available,
)
from lims.queries.specimens import in_cohort
from lims.records.pdx import FOUNDING_KINDS, MODEL
from lims.views.aliquot_forms import in_words
from lims.views.cells import badge, her2
from lims.views.consent_flag import consent_filter
from lims.views.form_fields import CodeField, IsoDateField, TermField
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.tables import Cell, Column, Empty, Filter, Listing, as_text, choice, search
from lims.views.tissue_filters import PATIENT

CONVENTION_WORDS = {
    PassageConvention.FIRST_IS_P0: "The first mouse is P0",
    PassageConvention.FIRST_IS_P1: "The first mouse is P1",
}


class ModelForm(RecordForm):
    """A line in mice, or a culture kept beside it."""

    groups = (
        Group("Model", ("code", "kind", "founding_specimen_id")),
        Group(
            "Where it stands",
            ("state", "established_on"),
            "Take rate and latency are not typed: they follow from its implants.",
        ),
        Group(
            "Names and labels",
            ("passage_convention", "luciferase_label"),
            "Passages are counted from the patient's tissue (PDX-MI); the convention only says how this laboratory writes them.",
        ),
        Group("Sharing", ("sharing_terms",)),
    )

    code = StringField("Code", description="Leave it blank to have the next free one given.")
    kind = TermField("Kind", ModelKind)
    founding_specimen_id = CodeField(
        "Founding specimen",
        Specimen,
        choose=lambda: Specimen.kind.in_(FOUNDING_KINDS),
        description="The tumour or CSF that was implanted or cultured first. Type or scan the code.",
    )
    state = TermField("State", ModelStatus)
    established_on = IsoDateField("Established on", description="The day from which it counts as a stable line.")
    passage_convention = TermField("Passages", PassageConvention, words=CONVENTION_WORDS.get)
    luciferase_label = StringField("Luciferase label", description="Such as Luc2-eGFP; blank where it has none.")
    sharing_terms = TextAreaField("Sharing terms", description="Who may have it, and on which conditions.")


def _listing() -> tuple[Listing, Any]:
    rows = model_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="model",
        caption="Models",
        columns=_columns(column),
        filters=(
            search("q", "Code, patient or site", PdxModel.code, Patient.code, Specimen.site),
            choice("state", "State", PdxModel.state, ModelStatus),
            choice("kind", "Kind", PdxModel.kind, ModelKind),
            choice("her2", "HER2", Specimen.her2_result, Her2Result),
            Filter("cohort", "Mimics DEBBRAH", "select", _mimicking, [(str(int(one)), one.title) for one in ClinicalCohort]),
            consent_filter(Specimen.donor_id),
            choice("status", "Record", PdxModel.status, RecordStatus),
        ),
        sort="code",
        key=PdxModel.id,
        page="models.show",
        empty=Empty(
            "No model yet. Record the first attempt: its founding specimen, then its implants say how it takes.",
            "Record a PDX model",
            "models.new",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("code", "Model", PdxModel.code, mono=True),
        Column("state", "State", PdxModel.state, of_row=True, show=_state_cell),
        Column("patient", "Founded from", column.patient, of_row=True, show=_founded_cell, roomy=True),
        Column("her2_result", "HER2", column.her2_result, of_row=True, show=_her2_cell),
        Column("cohort", "Mimics", column.cohort, show=lambda number: number and ClinicalCohort(number).title),
        Column("passage", "Passage", column.passage, of_row=True, show=_passage_cell, roomy=True),
        Column("take_percent", "Take rate", column.take_percent, unit="%", align="end", of_row=True, show=_take_cell),
        Column("latency", "Latency", column.latency, unit="d", align="end", show=_days),
        Column("kind", "Kind", PdxModel.kind, on_page=False),
        Column("site", "Founding site", column.site, on_page=False),
        Column("her2_label", "HER2 label", column.her2_label, on_page=False),
        Column("engrafted", "Engrafted", column.engrafted, on_page=False),
        Column("decided", "Engrafted or failed", column.decided, on_page=False),
        Column("convention", "Passage convention", PdxModel.passage_convention, on_page=False),
        Column("status", "Record", PdxModel.status, on_page=False),
    )


def _mimicking(typed: str) -> ColumnElement[bool]:
    numbers = [str(int(one)) for one in ClinicalCohort]
    if typed not in numbers:
        raise DomainError(f"{typed!r} is no cohort of DEBBRAH.", expected=", ".join(numbers))
    return in_cohort(ClinicalCohort(int(typed)))


def _state_cell(row: Any) -> Cell:
    cell = badge(row.state)
    return cell if row.kind is ModelKind.XENOGRAFT else cell | {"text": f"{cell['text']}, {as_text(row.kind)}"}


def _founded_cell(row: Any) -> Cell:
    return ", ".join(part for part in (row.patient, row.site) if part) or None


def _her2_cell(row: Any) -> Cell:
    return her2(row.her2_result, row.her2_label) if row.her2_result else None


def _passage_cell(row: Any) -> Cell:
    return passage_label(row.passage, row.convention)


def _take_cell(row: Any) -> Cell:
    return f"{row.engrafted}/{row.decided} · {row.take_percent:.0f}" if row.decided else None


def _days(days: float | None) -> str | None:
    return None if days is None else f"{days:g}"


def _context(model: PdxModel) -> dict[str, Any]:
    session, founding = current_session(), model.founding_specimen
    tissue = tissue_available(session, model.id)
    checks = checks_of(session, model.id)
    newest = {one.kind: one for one in reversed(checks)}
    takes = take_table(session, model.id)
    return {
        "founding": founding,
        "her2": her2(founding.her2_result, founding.her2_label) if founding else None,
        "cohort": clinical_cohort(founding.cns_status, founding.her2_result, founding.her2_label) if founding else None,
        "convention": CONVENTION_WORDS[model.passage_convention],
        "counts_from_one": model.passage_convention is PassageConvention.FIRST_IS_P1,
        "takes": _takes(model, takes),
        "implants": _implants(model, implants_of(session, model.id)),
        "implants_total": takes.overall.decided + takes.overall.pending,
        "tissue": _tissue(model, tissue),
        "tissue_total": sum(row.aliquots for row in tissue),
        "checks": _checks(checks),
        "failed": [(CHECK_WORDS[one.kind], one) for one in newest.values() if one.result is CheckResult.FAILED],
        "others": other_lines(session, model),
        "drift": her2_drift(session, model.project_id, founding.donor_id) if founding else None,
    }


def _takes(model: PdxModel, table: TakeTable) -> dict[str, Any]:
    columns = [
        {"key": "of", "label": "Implants"},
        {"key": "n", "label": "Engrafted", "align": "end"},
        {"key": "rate", "label": "Take rate", "align": "end"},
        {"key": "pending", "label": "Pending", "align": "end"},
        {"key": "latency", "label": "Latency", "unit": "d", "align": "end"},
        {"key": "dated", "label": "of n", "align": "end"},
    ]
    passages = [
        (passage_label(passage, model.passage_convention) or "passage not recorded", take)
        for passage, take in table.by_passage.items()
    ]
    sites = [(as_text(site) if site.value != "not_recorded" else "site not recorded", take) for site, take in table.by_site.items()]
    rows = [_take_row(of, take) for of, take in (("All", table.overall), *passages, *sites)]
    return {"caption": "Take rate and latency", "columns": columns, "rows": rows if len(rows) > 1 else []}


def _take_row(of: Any, take: Take) -> dict[str, Any]:
    return {
        "of": of,
        "rate": "none decided" if take.percent is None else f"{take.percent:.0f} %",
        "n": f"{take.engrafted} of {take.decided}",
        "pending": str(take.pending),
        "latency": _days(take.latency),
        "dated": str(len(take.days)),
    }


def _implants(model: PdxModel, implants: Sequence[Implant]) -> dict[str, Any]:
    columns = [
        {"key": "passage", "label": "Passage"},
        {"key": "implant", "label": "Implant", "mono": True},
        {"key": "site", "label": "Site"},
        {"key": "on", "label": "Implanted"},
        {"key": "engraftment", "label": "Engraftment"},
        {"key": "days", "label": "Latency", "unit": "d", "align": "end"},
    ]
    rows = [
        {
            "passage": passage_label(one.passage, model.passage_convention),
            "implant": {
                "text": f"{one.animal.code} {one.label}",
                "url": url_for("implants.show", record_id=one.id),
            },
            "site": as_text(one.site),
            "on": as_text(one.implanted_on),
            "engraftment": badge(one.engraftment),
            "days": _days((one.engrafted_on - one.implanted_on).days) if one.engrafted_on and one.implanted_on else None,
        }
        for one in implants
    ]
    return {"caption": "Implants by passage", "columns": columns, "rows": rows}


def _tissue(model: PdxModel, counted: Sequence[Row[Any]]) -> dict[str, Any]:
    """Tabulate available aliquots, passages down and materials across; each count leads to its aliquots."""
    materials = sorted({row.material for row in counted}, key=list(AliquotMaterial).index)
    columns = [
        {"key": "passage", "label": "Grown at"},
        *({"key": one.value, "label": in_words(one), "align": "end"} for one in materials),
        {"key": "all", "label": "In all", "align": "end"},
    ]
    rows = []
    for (own, passage), some in groupby(counted, key=lambda row: (row.own, row.passage)):
        asked: dict[str, Any] = {"model": str(model.id), "state": AliquotState.AVAILABLE.value}
        if own or passage is not None:
            asked["passage"] = PATIENT if own else f"P{passage}"
        label = "patient" if own else passage_label(passage, model.passage_convention) or "passage not recorded"
        counts = {row.material.value: row.aliquots for row in some}
        links = {name: {"text": str(n), "url": url_for("aliquots.index", **asked, material=name)} for name, n in counts.items()}
        everything = {"text": str(sum(counts.values())), "url": url_for("aliquots.index", **asked)}
        rows.append(dict.fromkeys(one.value for one in materials) | {"passage": label, "all": everything} | links)
    return {"caption": "Tissue available", "columns": columns, "rows": rows}


def _checks(checks: Sequence[ModelCheck]) -> dict[str, Any]:
    columns = [
        {"key": "on", "label": "Checked"},
        {"key": "kind", "label": "Check"},
        {"key": "result", "label": "Result"},
        {"key": "value", "label": "Value"},
        {"key": "tissue", "label": "Tissue", "mono": True},
        {"key": "method", "label": "Method"},
    ]
    rows = [
        {
            "on": {"text": str(one.checked_on), "url": url_for("checks.show", record_id=one.id)},
            "kind": CHECK_TITLES[one.kind],
            "result": badge(one.result),
            "value": f"{one.value_percent:.3g} % {VALUE_WORDS[one.kind]}" if one.value_percent is not None else None,
            "tissue": one.specimen.code if one.specimen else None,
            "method": one.method,
        }
        for one in checks
    ]
    return {"caption": "Checks", "columns": columns, "rows": rows}


PAGES = RecordPages(
    pages=Blueprint("models", __name__, url_prefix="/p/<project_code>/models"),
    noun=MODEL,
    form=ModelForm,
    listing=_listing,
    template="models/show.html",
    context=_context,
    lead="A line of a patient's tumour in mice, or a culture that is kept beside it.",
)
pages = install(PAGES)
