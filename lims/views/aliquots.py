"""The pages of aliquots: the list, one aliquot with all that happened to it, and the form that freezes new ones."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select

from lims.domain.tissue_terms import AliquotMaterial, AliquotState
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, Patient, Specimen, StoragePlace
from lims.queries.aliquots import AliquotRows, aliquot_rows, events_of, implants_of, parts_of
from lims.queries.scope import find
from lims.queries.specimens import donor_codes
from lims.queries.storage import below, chains
from lims.records.aliquots import freeze_aliquots
from lims.records.nouns import doubts
from lims.records.storage import ALIQUOT
from lims.records.values import today
from lims.views.aliquot_forms import AliquotForm, FreezeForm, codes_in, in_words
from lims.views.aliquot_steps import STEPS, add_steps
from lims.views.cells import amount, badge
from lims.views.record_forms import Step
from lims.views.record_pages import RecordPages, confirmation, confirmed, install
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form
from lims.views.tables import Cell, Column, Empty, Filter, Listing, choice, one_of, search
from lims.views.tissue_filters import model_filter, passage_filter


def aliquot_listing(caption: str, found: AliquotRows, empty: Empty, *, sort: str = "-code") -> Listing:
    """Describe a list of aliquots: all of the project's, or those in one freezer."""
    project = current_project()
    patients = [(code, code) for code in donor_codes(current_session(), project.id)]
    return Listing(
        noun="aliquot",
        caption=caption,
        columns=(
            Column("code", "Aliquot", Aliquot.code, mono=True),
            Column("specimen", "Specimen", Specimen.code, mono=True),
            Column("patient", "Patient", Patient.code, mono=True, roomy=True),
            Column("material", "Material", Aliquot.material, show=in_words),
            Column("amount", "Amount", Aliquot.amount, align="end", of_row=True, show=_amount_cell),
            Column("unit", "Unit", Aliquot.unit, on_page=False),
            Column("where", "Where", found.where, of_row=True, show=_where_cell, order=found.order),
            Column("box", "Box or place", StoragePlace.code, on_page=False),
            Column("position", "Position", found.position, on_page=False),
            Column("preserved_on", "Preserved", Aliquot.preserved_on),
            Column("thaw_count", "Thaws", Aliquot.thaw_count, on_page=False),
            Column("state", "State", Aliquot.state, show=badge),
            Column("note", "Note", Aliquot.note, on_page=False),
            Column("status", "Record", Aliquot.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Barcode", Aliquot.code),
            search("specimen", "Specimen", Specimen.code),
            one_of("patient", "Patient", Patient.code, patients),
            model_filter(),
            passage_filter(),
            choice("material", "Material", Aliquot.material, AliquotMaterial),
            choice("state", "State", Aliquot.state, AliquotState),
            Filter("place", "In place", "search", _standing_in),
            choice("status", "Record", Aliquot.status, RecordStatus),
        ),
        sort=sort,
        key=Aliquot.id,
        page="aliquots.show",
        empty=empty,
    )


def _standing_in(code: str) -> ColumnElement[bool]:
    """Filter by a box, rack or freezer, whatever stands in it included."""
    return Aliquot.place_id.in_(select(below(current_project().id, StoragePlace.code == code)))


def _amount_cell(row: Any) -> Cell:
    return amount(row.amount, row.unit)


def _where_cell(row: Any) -> Cell:
    if row.box is None:
        return None
    return {"text": f"{row.box} {row.position}" if row.position else row.box, "title": row.where}


def _listing() -> tuple[Listing, Any]:
    found = aliquot_rows(current_project().id)
    empty = Empty("No aliquot yet. Freeze the first from its specimen.", "Freeze aliquots", "aliquots.freeze")
    return aliquot_listing("Aliquots", found, empty), found.select


def _context(aliquot: Aliquot) -> dict[str, Any]:
    session = current_session()
    return {
        "chain": chains(session, [aliquot.place_id])[aliquot.place_id] if aliquot.place_id else [],
        "events": events_of(session, aliquot.id),
        "parts": parts_of(session, aliquot.id),
        "implants": implants_of(session, aliquot.id),
        "amount_of": amount,
        "words": in_words,
        "steps": [step for step in STEPS if step.suits(aliquot)],
    }


PAGES = RecordPages(
    pages=Blueprint("aliquots", __name__, url_prefix="/p/<project_code>/aliquots"),
    noun=ALIQUOT,
    form=AliquotForm,
    listing=_listing,
    template="aliquots/show.html",
    context=_context,
    index_template="aliquots/index.html",
    makes=False,
)
pages = install(PAGES)
add_steps(pages)


@pages.get("/<int:record_id>/label")
@needs("project:read")
def label(record_id: int) -> str:
    """Show an aliquot's label, to be printed for its tube."""
    aliquot = find(current_session(), Aliquot, current_project().id, record_id)
    return render_template("aliquots/label.html", aliquot=aliquot, amount=amount(aliquot.amount, aliquot.unit), words=in_words)


@pages.route("/freeze", methods=["GET", "POST"])
@needs("aliquot:create")
def freeze() -> ResponseReturnValue:
    """Freeze aliquots of a specimen; `?specimen_id=SP-0001&place_id=BX-03&box_row=A4` fills the form in beforehand."""
    asked = {
        name: value for name, value in request.args.items() if name in FreezeForm.groups[0].fields + FreezeForm.groups[2].fields
    }
    form = FreezeForm(data={"preserved_on": today(current_session()), **asked})
    if form.validate_on_submit():
        with refusing(form):
            values = {name: form.values()[name] for name in ("material", "amount", "unit", "preserved_on", "note")}
            row = {"specimen_id": form.specimen_id.record_id, **values}
            if confirmed(form, doubts(current_session(), ALIQUOT, current_project().id, [row])):
                return _frozen(form, values)
    step = Step("Freeze aliquots", "Freeze them", url_for(".index"))
    return render_form("records/step.html", form, step=step)


def _frozen(form: FreezeForm, values: dict[str, Any]) -> ResponseReturnValue:
    place, codes = form.place_id.record, codes_in(form.code.data)
    positions = form.box_row.read(place)
    made = freeze_aliquots(
        current_session(),
        current_actor(),
        form.specimen_id.record,
        values,
        count=len(codes) or len(positions) or 1 if form.count.data is None else int(form.count.data),
        codes=codes,
        place=place,
        positions=positions,
        reason=confirmation(form),
    )
    last = f" to {made[-1].code}" if len(made) > 1 else ""
    flash(f"Aliquot{'s' if last else ''} {made[0].code}{last} of {form.specimen_id.record.code} recorded.", "success")
    if place is not None:
        return redirect(url_for("storage.show", record_id=place.id))
    return redirect(url_for("aliquots.show", record_id=made[0].id))
