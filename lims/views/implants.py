"""The pages of implants: the list, one implant with its surgery and what came of it, surgery lists and harvests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false, func

from lims.audit.words import field_word, unit_of
from lims.domain.colony_terms import Engraftment
from lims.domain.passage import implant_passage, passage_label, passage_labels
from lims.domain.vocabulary import ImplantSite, PassageConvention, RecordStatus
from lims.models import Animal, Implant, Patient, PdxModel, Specimen
from lims.queries.implants import choices_of, first_seen_on, harvests_of, implant_list, readings_of
from lims.queries.scope import find
from lims.records.implant_doubts import SURGERY
from lims.records.implants import IMPLANT
from lims.records.nouns import change
from lims.records.values import EARLIEST
from lims.views.cells import badge
from lims.views.consent_flag import consent_filter
from lims.views.filters import moment
from lims.views.harvest import harvest_of
from lims.views.implant_forms import EngraftmentForm, ImplantForm
from lims.views.record_forms import Step, typed
from lims.views.record_pages import RecordPages, install
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    seen_version,
    whole_number,
)
from lims.views.surgery import done, due_times, site_words, surgery
from lims.views.tables import Cell, Column, Empty, Filter, Listing, as_text, choice, day, one_of, search


def _listing() -> tuple[Listing, Any]:
    project = current_project()
    rows = implant_list(project.id)
    column = rows.selected_columns
    options = choices_of(current_session(), project.id)
    listing = Listing(
        noun="implant",
        caption="Implants",
        columns=_columns(column),
        filters=(
            search("q", "Animal, tumour or note", Animal.code, Implant.label, Implant.note),
            one_of("model", "Model", PdxModel.code, options["model"]),
            choice("site", "Site", Implant.site, ImplantSite),
            Filter("passage", "Passage", "select", _of_passage, [(one, f"P{one}") for one, _ in options["passage"]]),
            choice("engraftment", "Engraftment", Implant.engraftment, Engraftment),
            one_of("patient", "Patient", Patient.code, options["patient"]),
            one_of("surgeon", "Surgeon", Implant.surgeon, options["surgeon"]),
            day("from", "From", Implant.implanted_on),
            day("to", "To", Implant.implanted_on, until=True),
            consent_filter(Implant.donor_id),
            choice("status", "Record", Implant.status, RecordStatus),
        ),
        sort="-implanted_on",
        key=Implant.id,
        page="implants.show",
        empty=Empty(
            "No implant yet. Take an aliquot and the animals to a surgery list; files of measurements bring tumours too.",
            "Record a surgery list",
            "implants.surgery",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("animal", "Animal", column.animal, mono=True),
        Column("label", "Tumour", Implant.label, mono=True),
        Column("model", "Model", column.model, mono=True),
        Column("passage", "Passage", Implant.passage, of_row=True, show=_passage_cell),
        Column("site", "Site", Implant.site, of_row=True, show=_site_cell),
        Column("implanted_on", "Implanted", Implant.implanted_on, order=func.coalesce(Implant.implanted_on, EARLIEST)),
        Column("engraftment", "Engraftment", Implant.engraftment, show=badge),
        Column("patient", "Patient", column.patient, mono=True),
        Column("region", "Region", Implant.region, on_page=False),
        Column("hemisphere", "Side", Implant.hemisphere, on_page=False),
        Column("aliquot", "Aliquot", column.aliquot, on_page=False),
        Column("preparation", "Cell preparation", column.preparation, on_page=False),
        Column("convention", "Passage convention", column.convention, on_page=False),
        *_surgical_columns(),
        Column("engrafted_on", "First seen", Implant.engrafted_on, on_page=False),
        Column("collection", "Orthotopic to collection", Implant.orthotopic_to_collection, on_page=False),
        Column("primary", "Orthotopic to primary", Implant.orthotopic_to_primary, on_page=False),
        Column("note", "Note", Implant.note, on_page=False),
        Column("status", "Record", Implant.status, on_page=False),
    )


def _surgical_columns() -> list[Column]:
    """Give the columns of the surgical record, which stand in files."""
    return [
        Column(name, _capital(field_word("implant", name)), getattr(Implant, name), unit=unit_of("implant", name), on_page=False)
        for name in SURGERY
        if name != "hemisphere"
    ]


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _of_passage(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else Implant.passage == number


def _passage_cell(row: Any) -> Cell:
    return passage_label(row.passage, row.convention or PassageConvention.FIRST_IS_P0)


def _site_cell(row: Any) -> Cell:
    side = row.hemisphere.value if row.hemisphere else None
    return ", ".join(part for part in (row.site.value.replace("_", " "), row.region, side) if part)


def _context(implant: Implant) -> dict[str, Any]:
    session = current_session()
    convention = implant.model.passage_convention if implant.model else PassageConvention.FIRST_IS_P0
    return {
        "passage": passage_label(implant.passage, convention),
        "passages": passage_labels(implant.passage, convention),
        "site": site_words(implant),
        "latency": _latency(implant),
        "readings": readings_of(session, implant.id),
        "harvests": _harvests(harvests_of(session, implant.id), convention),
        "due": [moment(at) for at in due_times(implant)],
        "orthotopic": [
            ("the collection site", implant.orthotopic_to_collection.value),
            ("the primary site", implant.orthotopic_to_primary.value),
        ],
    }


def _latency(implant: Implant) -> int | None:
    if implant.engrafted_on is None or implant.implanted_on is None:
        return None
    return (implant.engrafted_on - implant.implanted_on).days


def _harvests(harvests: Sequence[tuple[Specimen, int]], convention: PassageConvention) -> dict[str, Any]:
    columns = [
        {"key": "code", "label": "Specimen", "mono": True},
        {"key": "kind", "label": "Kind"},
        {"key": "site", "label": "Site"},
        {"key": "collected_on", "label": "Harvested"},
        {"key": "aliquots", "label": "Aliquots", "align": "end"},
        {"key": "next", "label": "Implanted next"},
    ]
    rows = [
        {
            "code": {"text": specimen.code, "url": url_for("specimens.show", record_id=specimen.id)},
            "kind": as_text(specimen.kind),
            "site": specimen.site,
            "collected_on": as_text(specimen.collected_on),
            "aliquots": str(aliquots),
            "next": passage_label(implant_passage(specimen.passage, from_patient=False), convention),
        }
        for specimen, aliquots in harvests
    ]
    return {"caption": "Harvests", "columns": columns, "rows": rows}


PAGES = RecordPages(
    pages=Blueprint("implants", __name__, url_prefix="/p/<project_code>/implants"),
    noun=IMPLANT,
    form=ImplantForm,
    listing=_listing,
    index_template="implants/index.html",
    template="implants/show.html",
    context=_context,
    makes=False,
    lead="Animal and aliquot are never changed: passage, donor and lineage follow from them.",
)
pages = install(PAGES)
pages.add_url_rule("/surgery", "surgery", surgery, methods=["GET", "POST"])
pages.add_url_rule("/surgery/done", "done", done)
pages.add_url_rule("/<int:record_id>/harvest", "harvest", harvest_of, methods=["GET", "POST"])


@pages.route("/<int:record_id>/engraftment", methods=["GET", "POST"])
@needs("implant:change")
def engraftment(record_id: int) -> ResponseReturnValue:
    """Record whether an implant grew."""
    session = current_session()
    implant = find(session, Implant, current_project().id, record_id)
    form = EngraftmentForm(obj=implant)
    if not form.is_submitted() and implant.engraftment is Engraftment.PENDING:
        form.engraftment.data, form.engrafted_on.data = Engraftment.ENGRAFTED.value, first_seen_on(session, implant.id)
    back = url_for(".show", record_id=implant.id)
    if form.validate_on_submit():
        with refusing(form):
            fields = {"engraftment": form.engraftment.term, "engrafted_on": form.engrafted_on.data}
            reason, version = typed(form.reason), seen_version(form)
            change(session, current_actor(), IMPLANT, implant, version=version, reason=reason, fields=fields)
            flash(f"{implant.animal.code} {implant.label}: {implant.engraftment.value}.", "success")
            return redirect(back)
    seen = first_seen_on(session, implant.id)
    lead = f"It was first measured with a volume on {seen}." if seen else ""
    step = Step("Engraftment of", "Record the outcome", back, f"{implant.animal.code} {implant.label}", lead)
    return render_form("records/step.html", form, step=step)
