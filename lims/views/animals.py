"""The pages of animals: the list, one animal with tumours, readings and moves, a delivery, and moving to another cage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache, partial
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, false, true
from sqlalchemy.orm import joinedload

from lims.domain.errors import DomainError
from lims.domain.passage import passage_label
from lims.domain.vocabulary import AnimalStatus, PassageConvention, RecordStatus
from lims.models import Animal, AnimalProtocol, Cage, CageMove, Measurement
from lims.queries.animals import animal_list, enrolled_in, tumours_of
from lims.queries.colony import moves_of, protocol_codes
from lims.queries.measurements import measurements_of_animal
from lims.queries.scope import find
from lims.queries.series import AnySelect
from lims.queries.studies import ArmOfStudy, arms_of_studies, study_names
from lims.records.arrivals import arrival_doubts
from lims.records.arrivals import arrive as record_arrival
from lims.records.colony import ANIMAL
from lims.records.moves import move as move_animals
from lims.views.animal_columns import animal_columns
from lims.views.animal_events import event_tables
from lims.views.animal_forms import AnimalForm, ArrivalForm
from lims.views.animal_plots import place_of
from lims.views.cages import cage_cell
from lims.views.cells import badge
from lims.views.filters import url_of
from lims.views.listing import worded
from lims.views.measurements import columns_of
from lims.views.moves import MoveForm
from lims.views.project_kinds import kind_choices
from lims.views.record_forms import Step, typed
from lims.views.record_pages import RecordPages, confirmation, confirmed, install
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    sees_arms,
    whole_number,
)
from lims.views.tables import EVERYTHING, Column, Empty, Filter, Listing, answer, choice, one_of, search, table_from_query


def _listing() -> tuple[Listing, Any]:
    project, session = current_project(), current_session()
    rows = animal_list(project.id, unblinded=sees_arms())
    arms = _arms_to_choose_from()
    protocols = [(code, code) for code in protocol_codes(session, project.id)]
    listing = Listing(
        noun="animal",
        caption="Animals",
        columns=_columns(rows),
        filters=(
            search("q", "Animal, ear tag, RFID or cage", Animal.code, Animal.ear_tag, Animal.rfid, Cage.code),
            Filter("study", "Study", "select", _in_study, [(str(key), code) for key, code in study_names(session, project.id)]),
            *_in_arms(arms),
            Filter("state", "State", "select", _in_state, worded(_STATES), default=LIVING),
            one_of("protocol", "Protocol", AnimalProtocol.code, protocols),
            Filter("cage", "Cage", "select", _in_cage, [("some", "In a cage"), ("none", "Without a cage")]),
            choice("status", "Record", Animal.status, RecordStatus),
            *_of_delivery(),
        ),
        sort="code",
        key=Animal.id,
        page="animals.show",
        empty=Empty(
            "No animal yet. Record a delivery, or import a file of measurements: it lists the animals it would create.",
            "Animals have arrived",
            "animals.arrive",
        ),
    )
    return listing, rows


@lru_cache(maxsize=64)
def _columns(rows: AnySelect) -> tuple[Column, ...]:
    in_files = animal_columns(rows, "ear_tag", "strain", "protocol", "arrived_on", "status")
    shown = animal_columns(rows, "code", "arms", "sex", "birth_date", "cage", "state", "weight", "last_on")
    return (*shown, *(replace(column, on_page=False) for column in in_files))


def _arms_to_choose_from() -> list[ArmOfStudy]:
    """Give the arms of the chosen study; years of studies have more arms than anybody chooses from."""
    study = whole_number(request.args.get("study"))
    if study is None and not request.args.get("arm"):
        return []
    return arms_of_studies(current_session(), current_project().id, study, unblinded=sees_arms(), count=False)


LIVING = "living"
_STATES = [
    (LIVING, "living"),
    (EVERYTHING, "living and dead"),
    *((str(one.value), str(one.value).replace("_", " ")) for one in AnimalStatus),
]


@lru_cache(maxsize=16)
def _in_state(typed: str) -> ColumnElement[bool]:
    if typed not in dict(_STATES):
        raise DomainError(f"{typed!r} is no state of an animal.", expected=", ".join(dict(_STATES)))
    if typed == LIVING:
        return and_(Animal.state != AnimalStatus.DEAD, Animal.died_on.is_(None))
    return true() if typed == EVERYTHING else Animal.state == AnimalStatus(typed)


def _in_cage(typed: str) -> ColumnElement[bool]:
    return {"some": Animal.cage_id.is_not(None), "none": Animal.cage_id.is_(None)}.get(typed, false())


def _of_delivery() -> list[Filter]:
    """Give the filter by which a delivery that was just recorded is shown alone: the first and the last of its ids."""
    first, _, last = request.args.get("delivery", "").partition("-")
    ids = whole_number(first), whole_number(last)
    if None in ids:
        return []
    return [Filter("delivery", "Delivery", "select", lambda _: Animal.id.between(*ids), [(f"{ids[0]}-{ids[1]}", "just recorded")])]


def _in_study(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else enrolled_in(study_id=number)


def _in_arms(arms: Sequence[ArmOfStudy]) -> list[Filter]:
    """Give the filter by these arms, where there are any to choose from."""
    if not arms and not request.args.get("arm"):
        return []
    ids = {arm.key: arm.id for arm in arms}
    choices = [(arm.key, f"{arm.study}: {arm.name}") for arm in arms]
    return [Filter("arm", "Arm", "select", lambda typed: enrolled_in(arm_id=ids[typed]) if typed in ids else false(), choices)]


def _context(animal: Animal) -> dict[str, Any]:
    """Give what an animal's page shows: tumours, its latest readings, where it was."""
    session, place = current_session(), place_of(animal)
    latest, rows = _measurements_of(animal)
    return {
        "arm": place.arm,
        "enrolments": place.enrolments,
        "tumours": _tumours_table(tumours_of(session, animal.id)),
        **event_tables(animal),
        "moves": _moves_table(moves_of(session, animal_id=animal.id)),
        "view": table_from_query(session, latest, rows),
    }


def _measurements_of(animal: Animal) -> tuple[Listing, AnySelect]:
    listing = Listing(
        noun="measurement",
        caption=f"Measurements of {animal.code}",
        columns=columns_of(of_one_animal=True),
        filters=(one_of("kind", "Kind", Measurement.kind, kind_choices()),),
        sort="-taken_on",
        key=Measurement.id,
        page="measurements.show",
        empty=Empty("This animal has no readings yet.", "Import a file", "imports.upload"),
        bound={"animal_id": animal.id},
    )
    return listing, measurements_of_animal()


def _tumours_table(tumours: Sequence[Any]) -> dict[str, Any]:
    columns = [
        {"key": "label", "label": "Tumour", "mono": True},
        {"key": "site", "label": "Site"},
        {"key": "model", "label": "Model", "mono": True},
        {"key": "passage", "label": "Passage"},
        {"key": "implanted_on", "label": "Implanted"},
        {"key": "engraftment", "label": "Engraftment"},
        {"key": "readings", "label": "Readings", "align": "end"},
    ]
    rows = [
        {
            "label": {"text": tumour.label, "url": url_of("implants.show", record_id=tumour.id)},
            "site": ", ".join(part for part in (tumour.site.value.replace("_", " "), tumour.region) if part),
            "model": {"text": tumour.model, "url": url_of("models.show", record_id=tumour.model_id)} if tumour.model else None,
            "passage": passage_label(tumour.passage, tumour.convention or PassageConvention.FIRST_IS_P0),
            "implanted_on": str(tumour.implanted_on) if tumour.implanted_on else "not recorded",
            "engraftment": badge(tumour.engraftment),
            "readings": f"{tumour.readings:,}",
        }
        for tumour in tumours
    ]
    return {"caption": "Tumours", "columns": columns, "rows": rows}


def _moves_table(moves: Sequence[CageMove]) -> dict[str, Any]:
    columns = [
        {"key": "moved_on", "label": "Moved"},
        {"key": "from_cage", "label": "From", "mono": True},
        {"key": "to_cage", "label": "To", "mono": True},
        {"key": "note", "label": "Reason"},
    ]
    rows = [
        {"moved_on": str(one.moved_on), "from_cage": cage_cell(one.from_cage), "to_cage": cage_cell(one.to_cage), "note": one.note}
        for one in moves
    ]
    return {"caption": "Moves between cages", "columns": columns, "rows": rows}


PAGES = RecordPages(
    pages=Blueprint("animals", __name__, url_prefix="/p/<project_code>/animals"),
    noun=ANIMAL,
    form=AnimalForm,
    listing=_listing,
    index_template="animals/index.html",
    template="animals/show.html",
    context=_context,
    loads=(joinedload(Animal.cage), joinedload(Animal.protocol)),
    keeps=True,
    parameter="animal_id",
)
pages = install(PAGES)


@pages.get("/<int:animal_id>/measurements")
@needs("project:read")
def measurements(animal_id: int) -> ResponseReturnValue:
    """List all of an animal's measurements."""
    animal = cache(partial(find, current_session(), Animal, current_project().id, animal_id))
    return answer(lambda: _measurements_of(animal()), "animals/measurements.html", lambda: {"animal": animal()})


@pages.route("/arrive", methods=["GET", "POST"])
@needs("animal:create")
def arrive() -> ResponseReturnValue:
    """Record a delivery of animals."""
    form = ArrivalForm(data=dict(request.args))
    form.begin()
    session, project = current_session(), current_project()
    if form.validate_on_submit():
        with refusing(form):
            arrival = form.arrival()
            if confirmed(form, arrival_doubts(session, project.id, arrival)):
                made = record_arrival(session, current_actor(), project.id, arrival, reason=confirmation(form))
                flash(_arrived([animal.code for animal in made]), "success")
                return redirect(url_for(".index", delivery=f"{made[0].id}-{made[-1].id}"))
    step = Step("Animals have arrived", "Record the animals", url_for(".index"), lead="Either all of them are recorded, or none.")
    return render_form("records/step.html", form, step=step)


def _arrived(codes: Sequence[str]) -> str:
    return (
        f"{len(codes)} animals were recorded: {codes[0]} to {codes[-1]}." if len(codes) > 1 else f"Animal {codes[0]} was recorded."
    )


@pages.route("/<int:animal_id>/move", methods=["GET", "POST"])
@needs("cage:change")
def move(animal_id: int) -> ResponseReturnValue:
    """Move an animal to another cage."""
    animal = find(current_session(), Animal, current_project().id, animal_id)
    form = MoveForm()
    form.begin()
    back = url_for(".show", animal_id=animal.id)
    if form.validate_on_submit():
        with refusing(form):
            to = form.to_cage_id.record
            move_animals(current_session(), current_actor(), [animal], to, on=typed(form.moved_on), note=typed(form.note))
            flash(f"Animal {animal.code} was moved to cage {to.code}.", "success")
            return redirect(back)
    now = f"It is in cage {animal.cage.code}." if animal.cage else "It has no cage yet."
    return render_form("records/step.html", form, step=Step("Move animal", "Move it", back, animal.code, now))
