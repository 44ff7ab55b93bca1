"""The pages of storage: the tree of places, a box as its grid, what a freezer holds, and the map for its lid or door."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import HiddenField, StringField

from lims.domain.aliquots import MATERIAL_SHORT
from lims.domain.identifiers import LONGEST
from lims.domain.positions import position_label
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, PlaceKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, StoragePlace
from lims.queries.aliquots import aliquot_rows, named
from lims.queries.scope import find
from lims.queries.storage import Branch, below, branch_of, chains, held_below, held_by, tree, walk
from lims.records.aliquots import move
from lims.records.storage import PLACE
from lims.records.values import today
from lims.views.aliquot_forms import PositionsField
from lims.views.aliquots import aliquot_listing
from lims.views.form_fields import CodeField, NumberField, TermField, WholeNumberField
from lims.views.once import OnceForm
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_actor, current_project, current_session, needs, refusing
from lims.views.tables import Empty, Listing, answer

OPENED = 60
"""Places of a tree that is shown open down to its boxes; a larger one opens down to the freezers."""
ICONS = {
    PlaceKind.SITE: "house",
    PlaceKind.ROOM: "folder2",
    PlaceKind.FREEZER: "thermometer-half",
    PlaceKind.SHELF: "list-ul",
    PlaceKind.RACK: "grid",
    PlaceKind.BOX: "box-seam",
}
TONES = {
    AliquotMaterial.FRESH_FRAGMENT: "living",
    AliquotMaterial.VIABLY_FROZEN: "living",
    AliquotMaterial.CELL_SUSPENSION: "living",
    AliquotMaterial.ORGANOID: "living",
    AliquotMaterial.SNAP_FROZEN: "molecular",
    AliquotMaterial.LYSATE: "molecular",
    AliquotMaterial.FFPE: "embedded",
    AliquotMaterial.OCT: "embedded",
    AliquotMaterial.PLASMA: "fluid",
    AliquotMaterial.CSF: "fluid",
}
LEGEND = (
    ("living", "living tissue and cells"),
    ("molecular", "snap-frozen, lysate"),
    ("embedded", "embedded: FFPE, OCT"),
    ("fluid", "plasma, CSF"),
)
"""Colours of a box's cells; the material stands in each cell as a word too."""


class PlaceForm(RecordForm):
    """A place of the storage tree."""

    groups = (
        Group(
            "Place",
            ("kind", "code", "title", "parent_id"),
            "Site, room, freezer, shelf, rack, box: each stands in one of an outer level. Levels may be left out.",
        ),
        Group("Temperature", ("temperature_celsius",), "Of a freezer or room; what stands in it is as cold."),
        Group("Grid of a box", ("box_rows", "box_columns"), "Rows are letters, columns numbers: A1 is top left."),
    )
    units: ClassVar = {"temperature_celsius": "°C"}

    kind = TermField("Kind", PlaceKind, default=PlaceKind.BOX)
    code = StringField("Code", description="As its label says. Leave it blank to have the next free one given.")
    title = StringField("Title", description="Such as Vapour-phase nitrogen, or Viable tissue 2026.")
    parent_id = CodeField("Stands in", StoragePlace, description="Type or scan the code of the outer place.")
    temperature_celsius = NumberField("Temperature")
    box_rows = WholeNumberField("Rows")
    box_columns = WholeNumberField("Columns")


class PutForm(OnceForm):
    """The aliquot that was picked, and the position that was chosen for it."""

    moving = HiddenField()
    box_row = PositionsField("Position")


@dataclass(frozen=True, slots=True)
class Cell:
    """One position of a box, and what stands in it."""

    label: str
    aliquot: Aliquot | None

    @property
    def tone(self) -> str:
        """Give the colour of its material."""
        return TONES[self.aliquot.material] if self.aliquot else "free"


def _grid(box: StoragePlace, held: list[Aliquot]) -> list[list[Cell]]:
    taken = {(one.box_row, one.box_column): one for one in held}
    rows, columns = range(1, (box.box_rows or 0) + 1), range(1, (box.box_columns or 0) + 1)
    return [[Cell(position_label(row, column), taken.get((row, column))) for column in columns] for row in rows]


def _moving() -> Aliquot | None:
    """Give the aliquot that was picked to be moved, if one was and it still can be."""
    code = request.args.get("moving", "")
    found = named(current_session(), current_project().id, [code]).get(code) if code else None
    return found if found is not None and found.state is AliquotState.AVAILABLE else None


def _context(place: StoragePlace) -> dict[str, Any]:
    session, moving = current_session(), _moving()
    held = held_by(session, place)
    chain = chains(session, [place.id])[place.id]
    return {
        "chain": chain[:-1],
        "cold": next((one for one in reversed(chain) if one.temperature_celsius is not None), None),
        "branch": branch_of(tree(session, place.project_id), place.id),
        "grid": _grid(place, held) if place.kind is PlaceKind.BOX else [],
        "loose": [one for one in held if one.box_row is None],
        "moving": moving,
        "put": PutForm(formdata=None, data={"moving": moving.code if moving else ""}),
        "icons": ICONS,
        "legend": LEGEND,
        "short": MATERIAL_SHORT,
    }


PAGES = RecordPages(
    pages=Blueprint("storage", __name__, url_prefix="/p/<project_code>/storage"),
    noun=PLACE,
    form=PlaceForm,
    template="storage/show.html",
    context=_context,
)
pages = install(PAGES)


@pages.get("/")
@needs("project:read")
def index() -> str:
    """Show the tree of places."""
    branches = tree(current_session(), current_project().id)
    opened = sum(1 for _ in walk(branches)) <= OPENED
    return render_template("storage/index.html", branches=branches, icons=ICONS, moving=_moving(), opened=opened)


@pages.get("/scan")
@needs("project:read")
def scan() -> ResponseReturnValue:
    """Go to the aliquot, box or place of a barcode."""
    code = request.args.get("code", "").strip()
    for model, endpoint in ((Aliquot, "aliquots.show"), (StoragePlace, "storage.show")):
        own = select(model.id).where(model.project_id == current_project().id)
        for typed in dict.fromkeys((code, code.upper())):
            found = current_session().scalar(own.where(model.code == typed))
            if found is not None:
                return redirect(url_for(endpoint, record_id=found))
    told = (
        f'No aliquot, box or place of this project has the barcode "{code[:LONGEST]}".' if code else "Scan or type a barcode first."
    )
    flash(told, "error")
    return redirect(url_for("storage.index"))


@pages.post("/<int:record_id>/put")
@needs("aliquot:change")
def put(record_id: int) -> ResponseReturnValue:
    """Move the aliquot that was picked into a position of this box."""
    session, form = current_session(), PutForm()
    box = find(session, StoragePlace, current_project().id, record_id)
    code = form.moving.data or ""
    aliquot = named(session, box.project_id, [code]).get(code)
    if aliquot is None or not form.validate_on_submit():
        form.form_errors.append(f'There is no aliquot "{code[:LONGEST]}" in this project to be moved.')
    else:
        with refusing(form):
            move(session, current_actor(), [aliquot], place=box, positions=form.box_row.read(box), on=today(session))
    if form.errors:
        flash(" ".join(error for errors in form.errors.values() for error in errors), "error")
        return redirect(url_for("storage.show", record_id=record_id, moving=code))
    assert aliquot is not None  # noqa: S101  # it was moved
    where = position_label(aliquot.box_row, aliquot.box_column) if aliquot.box_row and aliquot.box_column else ""
    flash(f"Aliquot {aliquot.code} was moved to {box.code} {where}.".replace(" .", "."), "success")
    return redirect(url_for("storage.show", record_id=record_id))


@pages.get("/<int:record_id>/contents")
@needs("project:read")
def contents(record_id: int) -> ResponseReturnValue:
    """List all that a place holds, at whatever depth."""
    place = find(current_session(), StoragePlace, current_project().id, record_id)
    return answer(partial(_contents, place), "storage/contents.html", lambda: {"place": place})


def _contents(place: StoragePlace) -> tuple[Listing, Any]:
    found = aliquot_rows(place.project_id)
    inside = select(below(place.project_id, StoragePlace.id == place.id))
    rows = found.select.where(Aliquot.place_id.in_(inside), Aliquot.status == RecordStatus.ACTIVE)
    return aliquot_listing(f"Contents of {place.code}", found, Empty("Nothing stands in this place."), sort="where"), rows


@dataclass(frozen=True, slots=True)
class BoxMap:
    """One box of a map: where it stands, what is taken and free, and its grid."""

    branch: Branch
    chain: list[StoragePlace]
    grid: list[list[Cell]]


@pages.get("/<int:record_id>/map")
@needs("project:read")
def map_(record_id: int) -> str:
    """Show the grids of all boxes in a place, to be printed for its lid or door; of a box, its own alone."""
    session = current_session()
    place = find(session, StoragePlace, current_project().id, record_id)
    branch = branch_of(tree(session, place.project_id), place.id) or Branch(place)
    inside = list(walk([branch]))
    boxes = [one for one in inside if one.place.kind is PlaceKind.BOX]
    chain_of = chains(session, [place.id, *(one.place.id for one in boxes)])
    held = held_below(session, place)
    return render_template(
        "storage/map.html",
        record=place,
        branch=branch,
        chain=chain_of[place.id][:-1],
        boxes=[BoxMap(one, chain_of[one.place.id][:-1], _grid(one.place, held[one.place.id])) for one in boxes],
        loose=[(one.place, aliquots) for one in inside if (aliquots := [two for two in held[one.place.id] if two.box_row is None])],
        short=MATERIAL_SHORT,
        printed=today(session),
    )
