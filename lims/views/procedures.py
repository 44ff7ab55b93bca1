"""The pages of procedures: imaging, blood draws, CSF taps, irradiation, surgery; of one animal or of several at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from lims.domain.cohort_terms import ProcedureKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, Procedure
from lims.queries.animals import animals_named
from lims.queries.procedures import procedure_list
from lims.records.nouns import doubts, record
from lims.records.procedures import PROCEDURE, rows_for, words
from lims.records.values import today
from lims.views.cells import badge
from lims.views.filters import moment, sentence
from lims.views.form_fields import IsoDateField, LinesField, NumberField, TermField, needed
from lims.views.implant_forms import ClockField
from lims.views.moves import scanned
from lims.views.record_forms import Group, RecordForm, Step
from lims.views.record_pages import RecordPages, confirmation, confirmed, install
from lims.views.support import (
    current_account,
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
)
from lims.views.tables import Column, Empty, Listing, choice, day, search
from lims.views.transaction import installation


class ProcedureForm(RecordForm):
    """What was done."""

    groups: ClassVar[tuple[Group, ...]] = (
        Group("Procedure", ("kind", "done_on", "clock", "operator")),
        Group("Drawn", ("volume_ul",), "Of blood: below 10 % of the animal's on one occasion, below 15 % in 28 days (NC3Rs)."),
        Group("How", ("device", "anaesthetic", "note")),
    )
    units: ClassVar = {"volume_ul": "µL"}
    once: ClassVar = frozenset()

    kind = TermField("Procedure", ProcedureKind, words=words)
    done_on = IsoDateField("Done on", [needed("The day is needed.")])
    clock = ClockField("Time")
    operator = StringField("Done by")
    volume_ul = NumberField("Volume", description="Of each animal. Blank where nothing was drawn.")
    device = StringField("Device", description="Such as IVIS Lumina, or 7 T MRI.")
    anaesthetic = StringField("Anaesthetic", description="With its dose.")
    note = TextAreaField("Note")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        standing = settings.get("obj")
        if standing is not None and standing.done_at is not None and not self.is_submitted():
            self.clock.data = standing.done_at.astimezone(installation().settings.zone).time()

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed, the time of day with its date."""
        values = super().values(changing=changing)
        clock, on = values.pop("clock"), values["done_on"]
        return values | {"done_at": datetime.combine(on, clock, installation().settings.zone) if clock and on else None}


class ProceduresForm(ProcedureForm):
    """The same for several animals at once."""

    groups = (Group("Animals", ("codes",)), *ProcedureForm.groups)

    codes = LinesField(
        "Codes or RFIDs",
        [needed("Scan at least one animal.")],
        rows=5,
        description="One a line, typed or scanned. All of them are recorded, or none.",
    )

    def animals(self) -> list[Animal]:
        """Give the animals that were named."""
        return animals_named(current_session(), current_project().id, list(dict.fromkeys(scanned(self.codes.data))))


def _listing() -> tuple[Listing, Any]:
    rows = procedure_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="procedure",
        caption="Procedures",
        columns=(
            Column("done_on", "Done", Procedure.done_on),
            Column("animal", "Animal", column.animal, mono=True),
            Column("kind", "Procedure", Procedure.kind, show=lambda kind: sentence(words(kind))),
            Column("volume_ul", "Drawn", Procedure.volume_ul, unit="µL", align="end", show=lambda one: one and f"{one:,g}"),
            Column("device", "Device", Procedure.device),
            Column("operator", "By", Procedure.operator),
            Column("done_at", "Time", Procedure.done_at, show=moment, on_page=False),
            Column("anaesthetic", "Anaesthetic", Procedure.anaesthetic, on_page=False),
            Column("note", "Note", Procedure.note, on_page=False),
            Column("status", "Record", Procedure.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Animal, device or operator", Animal.code, Procedure.device, Procedure.operator),
            choice("kind", "Procedure", Procedure.kind, ProcedureKind, words=words),
            day("from", "From", Procedure.done_on),
            day("to", "To", Procedure.done_on, until=True),
            choice("status", "Record", Procedure.status, RecordStatus),
        ),
        sort="-done_on",
        key=Procedure.id,
        page="procedures.show",
        empty=Empty(
            "No procedure yet. Record imaging, a blood draw or irradiation of one animal or of several at once.",
            "Record procedures",
            "procedures.new",
        ),
    )
    return listing, rows


PAGES = RecordPages(
    pages=Blueprint("procedures", __name__, url_prefix="/p/<project_code>/procedures"),
    noun=PROCEDURE,
    form=ProcedureForm,
    listing=_listing,
    template="procedures/show.html",
    context=lambda one: {"title": sentence(words(one.kind))},
    makes=False,
    lead="The animal is never changed: withdraw this one and record it at the other animal.",
)
pages = install(PAGES)


@pages.route("/new", methods=["GET", "POST"])
@needs("procedure:create")
def new() -> ResponseReturnValue:
    """Record a procedure of one animal or of several: `?animal=M0017&animal=M0018&kind=blood_draw`."""
    session, project = current_session(), current_project()
    form = ProceduresForm(data={"kind": request.args.get("kind")})
    codes = request.args.getlist("animal")
    if not form.is_submitted():
        form.codes.data, form.done_on.data, form.operator.data = codes, today(session), current_account().name
    back = url_for(".index")
    if form.validate_on_submit():
        with refusing(form):
            columns = {name: value for name, value in form.values().items() if name != "codes"}
            rows = rows_for(form.animals(), columns)
            if confirmed(form, doubts(session, PROCEDURE, project.id, rows)):
                made = record(session, current_actor(), PROCEDURE, project.id, rows, reason=confirmation(form))
                whom = made[0].animal.code if len(made) == 1 else f"{len(made)} animals"
                flash(f"{sentence(words(made[0].kind))} of {whom} was recorded.", "success")
                return redirect(url_for("animals.show", animal_id=made[0].animal_id) if len(made) == 1 else back)
    return render_form("records/step.html", form, step=Step("Record procedures", "Record the procedures", back))
