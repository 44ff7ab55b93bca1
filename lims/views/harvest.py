"""The harvest from an implant: tissue that comes back, and the aliquots made of it in the same step."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, FieldList, Form, FormField, StringField

from lims.domain.errors import DomainError
from lims.domain.permissions import allowed
from lims.domain.tissue_terms import AliquotMaterial, AmountUnit
from lims.domain.vocabulary import CollectionProcedure, SpecimenKind
from lims.models import Implant, StoragePlace
from lims.queries.scope import find, scoped
from lims.records.harvests import Piece, doubt_harvest, harvest, lives
from lims.records.values import today
from lims.views.form_fields import IsoDateField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm, typed
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form

BLANK_ROWS = 4


class PieceRow(Form):
    """One piece of tissue, and the aliquots made of it."""

    kind = TermField("Kind", SpecimenKind, blank="")
    site = StringField("Site")
    count = WholeNumberField("Aliquots")
    material = TermField("Material", AliquotMaterial, blank="")
    amount = NumberField("Amount each")
    unit = TermField("Unit", AmountUnit, blank="")
    place = StringField("Box or place", render_kw={"autocomplete": "off"})
    note = StringField("Note")

    @property
    def blank(self) -> bool:
        """Tell whether nothing was typed."""
        return not any((field.raw_data or [""])[0].strip() for field in self)


class HarvestForm(RecordForm):
    """What was taken out, when and how."""

    groups = (
        Group(
            "Harvest",
            ("collected_on", "procedure", "killed"),
            "Donor and passage follow from the implant. A tumour that was still pending counts as engrafted.",
        ),
    )
    once: ClassVar = frozenset()

    collected_on = IsoDateField("Harvested on", [needed("The day of the harvest is needed.")])
    procedure = TermField("Procedure", CollectionProcedure, default=CollectionProcedure.NECROPSY)
    killed = BooleanField("The animal was killed for this harvest: record its fate, tissue harvest, of the same day")
    pieces = FieldList(FormField(PieceRow), min_entries=BLANK_ROWS)

    def begin(self, implant: Implant) -> None:
        """Begin a fresh form: today, or the day of death; and the tumour itself as the first piece."""
        self.collected_on.data = implant.animal.died_on or today(current_session())
        self.pieces[0].form.kind.data = SpecimenKind.TUMOUR.value
        self.pieces[0].form.site.data = implant.region or implant.site.value.replace("_", " ")

    @property
    def kills(self) -> bool:
        """Tell whether the animal was killed for it; asked only where it lives by its record."""
        return "killed" in self and bool(self.killed.data)

    def harvested(self) -> list[Piece]:
        """Give the pieces that were typed; raises `DomainError`, naming the row, for one that is not whole."""
        filled = [(number, entry.form) for number, entry in enumerate(self.pieces, start=1) if not entry.form.blank]
        codes = [row.place.data.strip() for _, row in filled if row.place.data]
        session, project = current_session(), current_project()
        found = session.scalars(scoped(StoragePlace, project.id).where(StoragePlace.code.in_(codes)))
        places = {place.code: place for place in found}
        return [_piece(number, row, places) for number, row in filled]


def _piece(number: int, row: PieceRow, places: dict[str, StoragePlace]) -> Piece:
    code, count = (row.place.data or "").strip(), int(row.count.data or 0)
    if row.kind.term is None:
        raise DomainError(f"Row {number}: what kind of tissue is it?", field="pieces", expected="a kind")
    if count and row.material.term is None:
        raise DomainError(f"Row {number}: what are the aliquots?", field="pieces", expected="a material")
    if not count and (row.material.term or row.amount.data is not None or code):
        raise DomainError(f"Row {number}: how many aliquots were made?", field="pieces", expected="a number, such as 4")
    if code and code not in places:
        raise DomainError(
            f'Row {number}: there is no place "{code}" in this project.', field="pieces", expected="a box or place by its code"
        )
    aliquots = {"material": row.material.term, "amount": row.amount.data, "unit": row.unit.term, "note": typed(row.note)}
    return Piece({"kind": row.kind.term, "site": typed(row.site)}, aliquots if count else {}, count, places.get(code))


@needs("specimen:create")
def harvest_of(record_id: int) -> ResponseReturnValue:
    """Record a harvest from an implant."""
    session = current_session()
    implant = find(session, Implant, current_project().id, record_id)
    form = HarvestForm()
    if not (lives(implant.animal) and allowed(current_project().role, "fate:create")):
        del form.killed
    if not form.is_submitted():
        form.begin(implant)
    if form.validate_on_submit():
        with refusing(form):
            pieces = form.harvested()
            when: dict[str, Any] = {"on": typed(form.collected_on), "procedure": form.procedure.term, "killed": form.kills}
            if confirmed(form, doubt_harvest(session, implant, pieces, **when)):
                made = harvest(session, current_actor(), implant, pieces, **when, reason=confirmation(form))
                flash(f"Harvested: {', '.join(specimen.code for specimen in made)}.", "success")
                return redirect(url_for(".show", record_id=implant.id))
    return render_form("implants/harvest.html", form, implant=implant)
