"""The pages of cages: the list, one cage as its card says, the card to print, and moving animals into it."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from lims.domain.errors import DomainError
from lims.domain.positions import parse_position, position_label
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Cage
from lims.queries.animals import animal_list
from lims.queries.bench_order import counting_column
from lims.queries.colony import animals_in, cage_list, living, moves_of, were_in
from lims.queries.scope import find
from lims.records.arrivals import USUAL_CAPACITY
from lims.records.colony import CAGE
from lims.records.moves import move
from lims.views.animal_columns import animal_columns, sex_words
from lims.views.cells import badge
from lims.views.form_fields import WholeNumberField, needed
from lims.views.moves import MoveInForm
from lims.views.record_forms import Group, RecordForm, Step, typed
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, sees_arms
from lims.views.tables import Cell, Column, Empty, Listing, choice, search, table_from_query


class CageForm(RecordForm):
    """A cage by its card."""

    groups = (
        Group("Card", ("code", "capacity")),
        Group("Place", ("rack", "position"), "The colony is drawn by it. Leave it blank for a cage that stands in no rack."),
        Group("Note", ("note",)),
    )
    units: ClassVar = {"capacity": "animals"}

    code = StringField("Code", description="On its card. Leave it blank to have the next free one given.")
    capacity = WholeNumberField("Room for", [needed("How many animals it may hold is needed.")], default=USUAL_CAPACITY)
    rack = StringField("Rack")
    position = StringField("Position in the rack", description="Row and column, such as B3; A1 is top left.")
    note = TextAreaField("Note")

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed, by column: a position is a row and a column."""
        values = super().values(changing=changing)
        typed = values.pop("position")
        row, column = _parsed(typed) if typed else (None, None)
        return values | {"rack_row": row, "rack_column": column}


def _parsed(typed: str) -> tuple[int, int]:
    try:
        return parse_position(typed)
    except DomainError as refused:
        raise DomainError(
            f'"{typed[:20]}" is no position in a rack.', field="position", expected="row letter and column number, such as B3"
        ) from refused


def _room(row: Any) -> Cell:
    return {"text": f"{row.animals} of {row.capacity}", "part": (row.animals, row.capacity)}


def _place(row: Any) -> Cell:
    return position_label(row.rack_row, row.rack_column) if row.rack_row and row.rack_column else None


def _listing() -> tuple[Listing, Any]:
    rows = cage_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="cage",
        caption="Cages",
        columns=(
            Column("code", "Cage", column.code, mono=True, order=counting_column(Cage.code.expression)),
            Column("rack", "Rack", column.rack, mono=True),
            Column("rack_row", "Position", column.rack_row, show=_place, of_row=True, sortable=False),
            Column("rack_column", "Column", column.rack_column, on_page=False),
            Column("animals", "Animals", column.animals, show=_room, of_row=True),
            Column("capacity", "Room for", column.capacity, on_page=False),
            Column("sex", "Sex", column.sex, show=sex_words),
            Column("strain", "Strain", column.strain),
            Column("note", "Note", column.note),
            Column("status", "Record", Cage.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Code, rack or note", Cage.code, Cage.rack, Cage.note),
            choice("status", "Record", Cage.status, RecordStatus),
        ),
        sort="code",
        key=Cage.id,
        page="cages.show",
        empty=Empty(
            "No cage yet. Cages get their cards when animals arrive, or one by one.", "Animals have arrived", "animals.arrive"
        ),
    )
    return listing, rows


def _animals(cage: Cage) -> tuple[Listing, Any]:
    every = animal_list(cage.project_id, unblinded=sees_arms())
    rows = every.where(Animal.cage_id == cage.id, *living())
    listing = Listing(
        noun="animal",
        caption=f"Animals in {cage.code}",
        columns=animal_columns(every, "code", "ear_tag", "arms", "sex", "protocol", "strain"),
        sort="code",
        key=Animal.id,
        page="animals.show",
    )
    return listing, rows


def moves_table(cage: Cage) -> dict[str, Any]:
    """Give the moves into and out of a cage."""
    rows = [
        {
            "moved_on": str(one.moved_on),
            "animal": {"text": one.animal.code, "url": url_for("animals.show", animal_id=one.animal_id)},
            "way": "in" if one.to_cage_id == cage.id else "out",
            "other": cage_cell(one.from_cage if one.to_cage_id == cage.id else one.to_cage),
            "note": one.note,
        }
        for one in moves_of(current_session(), cage_id=cage.id)
    ]
    columns = [
        {"key": "moved_on", "label": "Moved"},
        {"key": "animal", "label": "Animal", "mono": True},
        {"key": "way", "label": "In or out"},
        {"key": "other", "label": "From or to", "mono": True},
        {"key": "note", "label": "Reason"},
    ]
    return {"caption": f"Moves into and out of {cage.code}", "columns": columns, "rows": rows}


def _were_here(cage: Cage) -> dict[str, Any]:
    """Give the animals that died in a cage or left it."""
    columns = [
        {"key": "code", "label": "Animal", "mono": True},
        {"key": "ear_tag", "label": "Ear tag", "mono": True},
        {"key": "sex", "label": "Sex"},
        {"key": "on", "label": "Until"},
        {"key": "became", "label": "What became of it"},
    ]
    rows = [
        {
            "_url": url_for("animals.show", animal_id=animal.id),
            "code": animal.code,
            "ear_tag": animal.ear_tag,
            "sex": sex_words(animal.sex),
            "on": str(left) if (left := move.moved_on if move else animal.died_on) else None,
            "became": _moved_to(move.to_cage) if move else badge(AnimalStatus.DEAD),
        }
        for animal, move in were_in(current_session(), cage.id)
    ]
    return {"caption": f"Animals that were in {cage.code}", "columns": columns, "rows": rows}


def cage_cell(cage: Cage | None) -> Cell:
    """Show a cage as a link to its page, or that there is none."""
    return _link(cage, cage.code) if cage else "no cage"


def _moved_to(cage: Cage | None) -> Cell:
    return _link(cage, f"moved to {cage.code}") if cage else "moved out of its cage"


def _link(cage: Cage, text: str) -> dict[str, Any]:
    return {"text": text, "url": url_for("cages.show", record_id=cage.id)}


def _context(cage: Cage) -> dict[str, Any]:
    return {
        "view": table_from_query(current_session(), *_animals(cage)),
        "gone": _were_here(cage),
        "moves": moves_table(cage),
    }


PAGES = RecordPages(
    pages=Blueprint("cages", __name__, url_prefix="/p/<project_code>/cages"),
    noun=CAGE,
    form=CageForm,
    listing=_listing,
    template="cages/show.html",
    context=_context,
)
pages = install(PAGES)


@pages.get("/<int:record_id>/card")
@needs("project:read")
def card(record_id: int) -> str:
    """Show the cage's card, to be printed: its code in large letters, and who lives in it."""
    cage = find(current_session(), Cage, current_project().id, record_id)
    return render_template("cages/card.html", cage=cage, animals=animals_in(current_session(), cage.id))


@pages.route("/<int:record_id>/move-in", methods=["GET", "POST"])
@needs("cage:change")
def move_in(record_id: int) -> ResponseReturnValue:
    """Move the animals whose codes are scanned into this cage."""
    cage = find(current_session(), Cage, current_project().id, record_id)
    form = MoveInForm()
    form.begin()
    if form.validate_on_submit():
        with refusing(form):
            moved_on, note = typed(form.moved_on), typed(form.note)
            moves = move(current_session(), current_actor(), form.animals(), cage, on=moved_on, note=note)
            flash(f"{len(moves)} animal{'s were' if len(moves) > 1 else ' was'} moved to cage {cage.code}.", "success")
            return redirect(url_for(".show", record_id=cage.id))
    back = url_for(".show", record_id=cage.id)
    step = Step("Move animals to cage", f"Move them to {cage.code}", back, cage.code, "Either all of them move, or none.")
    return render_form("records/step.html", form, step=step)
