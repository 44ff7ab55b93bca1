"""Fates: their list, the form of one, and that of several animals at once. A fate is shown on its animal's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from importers.columns import in_words
from lims.domain.cohort_terms import FateReason
from lims.domain.fates import REASON_WORDS
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, Fate
from lims.queries.animals import animals_named
from lims.queries.scope import find
from lims.queries.welfare import fate_list, without_fate
from lims.records.fates import FATE, record_fates
from lims.records.values import today
from lims.views.cells import badge
from lims.views.form_fields import CodeField, IsoDateField, LinesField, TermField, needed
from lims.views.moves import scanned
from lims.views.record_forms import Group, RecordForm, Step, typed
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form
from lims.views.tables import Column, Empty, Listing, choice, day, search

_ASKED = [one for one in FateReason if one is not FateReason.NOT_RECORDED]
"""Reasons that a person may give; that none is known only an old file may say."""
ENDING = ("died_on", "reason", "method", "note")


class Ending(RecordForm):
    """When, why and how."""

    died_on = IsoDateField("Died on", [needed("The day of death is needed.")])
    reason = TermField(
        "Reason",
        _ASKED,
        words=REASON_WORDS.__getitem__,
        blank="Choose the reason",
        validators=[needed("Why it died is needed.")],
    )
    method = StringField("Method", description="Such as CO₂, or perfusion under anaesthesia (Directive 2010/63/EU, annex IV).")
    note = TextAreaField("Note")


EXPLAINED = "Each study says which reasons count as an event in its survival analysis; all others censor."


class FateForm(Ending):
    """What became of an animal."""

    groups = (Group("Animal", ("animal_id",)), Group("Fate", ENDING, EXPLAINED))
    once: ClassVar = frozenset({"animal_id"})

    animal_id = CodeField("Animal", Animal, [needed("Scan the animal.")], choose=without_fate)


class SeveralFatesForm(Ending):
    """What became of several animals, alike."""

    groups = (Group("Animals", ("codes",)), Group("Fate", ENDING, EXPLAINED))

    codes = LinesField(
        "Codes or RFIDs",
        [needed("Scan at least one animal.")],
        description="One a line, typed or scanned. Either all of the fates are recorded, or none.",
    )

    def rows(self) -> list[dict[str, Any]]:
        """Give a fate for each animal that was named; one that is scanned twice dies once."""
        animals = animals_named(current_session(), current_project().id, scanned(self.codes.data))
        ending = {name: typed(self._fields[name]) for name in ENDING}
        return [{"animal_id": key, **ending} for key in dict.fromkeys(animal.id for animal in animals)]


def _listing() -> tuple[Listing, Any]:
    rows = fate_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="fate",
        caption="Fates",
        columns=(
            Column("animal", "Animal", column.animal, mono=True),
            Column("died_on", "Died", column.died_on),
            Column("reason", "Reason", column.reason, show=REASON_WORDS.get),
            Column("method", "Method", column.method),
            Column("note", "Note", column.note),
            Column("batch_id", "Import", column.batch_id, on_page=False),
            Column("status", "Record", Fate.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Animal", column.animal),
            choice("reason", "Reason", Fate.reason, FateReason, words=REASON_WORDS.__getitem__),
            day("from", "From", Fate.died_on),
            day("to", "To", Fate.died_on, until=True),
            choice("status", "Record", Fate.status, RecordStatus),
        ),
        sort="-died_on",
        key=Fate.id,
        page="fates.show",
        empty=Empty("No fate yet. When an animal dies, its day and reason are recorded here.", "Record fates", "fates.several"),
    )
    return listing, rows


def _home(fate: Fate) -> str:
    return url_for("animals.show", animal_id=fate.animal_id)


PAGES = RecordPages(
    pages=Blueprint("fates", __name__, url_prefix="/p/<project_code>/fates"),
    noun=FATE,
    form=FateForm,
    listing=_listing,
    index_template="fates/index.html",
    home=_home,
    start=lambda: {"died_on": today(current_session())},
    lead="The animal is dead from that day on, and what its endpoints ask is answered by it.",
)
pages = install(PAGES)


@pages.get("/<int:record_id>")
@needs("project:read")
def show(record_id: int) -> ResponseReturnValue:
    """Lead to the animal that a fate is of."""
    return redirect(_home(find(current_session(), Fate, current_project().id, record_id)))


NAMED = 6
"""So many animals are named in a message; of more it says how many."""


def _whom(made: Sequence[Fate]) -> str:
    codes = [one.animal.code for one in made]
    return f"{in_words(codes) if len(codes) <= NAMED else f'{len(codes)} animals'} {'were' if len(codes) > 1 else 'was'}"


@pages.route("/several", methods=["GET", "POST"])
@needs("fate:create")
def several() -> ResponseReturnValue:
    """Record the fates of several animals at once."""
    form = SeveralFatesForm(data={"died_on": today(current_session()), "codes": request.args.getlist("animal")})
    if form.validate_on_submit():
        with refusing(form):
            made = record_fates(current_session(), current_actor(), current_project().id, form.rows())
            flash(f"The {'fates' if len(made) > 1 else 'fate'} of {_whom(made)} recorded.", "success")
            return redirect(url_for(".index"))
    lead = "The animals are dead from that day on, and what their endpoints ask is answered by it."
    step = Step("Record the fates of animals", "Record the fates", url_for(".index"), lead=lead)
    return render_form("records/step.html", form, step=step)
