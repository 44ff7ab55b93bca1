"""Read models of storage: the tree of places with what is taken and free, chains of places, and what a box holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import CTE, ColumnElement, Select, Text, cast, func, literal, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.positions import Position, position_label
from lims.domain.tissue_terms import PlaceKind
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, Specimen, StoragePlace
from lims.queries.bench_order import counting

LONGEST_POSITION = 200
"""Characters that the event of an aliquot keeps of a position."""


def chains(session: Session, place_ids: Collection[int]) -> dict[int, list[StoragePlace]]:
    """Give each of these places with those that it stands in, outermost first: one statement."""
    start = select(StoragePlace.id.label("origin"), StoragePlace.id.label("id"), StoragePlace.parent_id, literal(0).label("steps"))
    up = start.where(StoragePlace.id.in_(place_ids)).cte("up", recursive=True)
    above = select(up.c.origin, StoragePlace.id, StoragePlace.parent_id, up.c.steps + 1)
    up = up.union_all(above.join(StoragePlace, StoragePlace.id == up.c.parent_id))
    rows = select(up.c.origin, StoragePlace).join(StoragePlace, StoragePlace.id == up.c.id)
    found: dict[int, list[StoragePlace]] = defaultdict(list)
    for origin, place in session.execute(rows.order_by(up.c.origin, up.c.steps.desc())):
        found[origin].append(place)
    return found


def position_text(chain: Sequence[StoragePlace], row: int | None, column: int | None) -> str:
    """Write where something is as people read it: `FZ-1 / R2 / BX-03 A4`; what is too long loses its outermost places."""
    codes = [place.code for place in chain]
    label = f" {position_label(row, column)}" if row is not None and column is not None else ""
    while len(" / ".join(codes) + label) > LONGEST_POSITION:
        codes.pop(0)
    return " / ".join(codes) + label


def below(project_id: int, *which: ColumnElement[bool]) -> CTE:
    """Give the ids of the places that fit, and of all that stand in them at any depth: a recursive statement to select from."""
    start = select(StoragePlace.id).where(StoragePlace.project_id == project_id, *which).cte("below", recursive=True)
    return start.union_all(select(StoragePlace.id).join(start, StoragePlace.parent_id == start.c.id))


def paths(project_id: int) -> CTE:
    """Give where each place of the project stands as text, outermost first: `FZ-1 / R2 / BX-03`."""
    code = cast(StoragePlace.code, Text)
    top = select(StoragePlace.id, code.label("path")).where(StoragePlace.project_id == project_id, StoragePlace.parent_id.is_(None))
    down = top.cte("paths", recursive=True)
    inside = select(StoragePlace.id, down.c.path + " / " + code).join(down, StoragePlace.parent_id == down.c.id)
    return down.union_all(inside)


@dataclass(slots=True)
class Branch:
    """A place with what stands in it. held: aliquots in it and below; positions and taken: those of its boxes."""

    place: StoragePlace
    inside: list[Branch] = field(default_factory=list)
    held: int = 0
    positions: int = 0
    taken: int = 0

    @property
    def free(self) -> int:
        """Count the free positions of its boxes."""
        return self.positions - self.taken


def tree(session: Session, project_id: int) -> list[Branch]:
    """Give the project's places as they stand in each other, with counts over all below: two statements."""
    scope = (StoragePlace.project_id == project_id, StoragePlace.status == RecordStatus.ACTIVE)
    branches = {place.id: Branch(place) for place in session.scalars(select(StoragePlace).where(*scope))}
    stock = select(Aliquot.place_id, func.count(), func.count(Aliquot.box_row))
    stock = stock.where(Aliquot.project_id == project_id, Aliquot.status == RecordStatus.ACTIVE).group_by(Aliquot.place_id)
    for place_id, held, taken in session.execute(stock):
        if place_id in branches:
            branches[place_id].held, branches[place_id].taken = held, taken
    for branch in branches.values():
        branch.positions = (branch.place.box_rows or 0) * (branch.place.box_columns or 0)
    # Inner levels first, so that each place is complete before it is added to the one it stands in.
    levels = list(PlaceKind)
    ordered = sorted(branches.values(), key=lambda one: (-levels.index(one.place.kind), counting(one.place.code)))
    tops = []
    for branch in ordered:
        around = branches.get(branch.place.parent_id or 0)
        if around is None:
            tops.append(branch)
            continue
        around.inside.append(branch)
        around.held += branch.held
        around.positions += branch.positions
        around.taken += branch.taken
    return sorted(tops, key=lambda one: (levels.index(one.place.kind), counting(one.place.code)))


def walk(branches: Sequence[Branch]) -> Iterator[Branch]:
    """Go through a tree, each place before what stands in it."""
    for branch in branches:
        yield branch
        yield from walk(branch.inside)


def branch_of(branches: Sequence[Branch], place_id: int) -> Branch | None:
    """Find a place in a tree."""
    return next((branch for branch in walk(branches) if branch.place.id == place_id), None)


def held_by(session: Session, place: StoragePlace) -> list[Aliquot]:
    """List the aliquots that a place itself holds, in order of position, each with specimen and donor: one statement."""
    return list(session.scalars(_holding().where(Aliquot.place_id == place.id)))


def held_below(session: Session, place: StoragePlace) -> dict[int, list[Aliquot]]:
    """List what a place and all that stands in it hold, by the place that holds it, as `held_by` does: one statement."""
    inside = select(below(place.project_id, StoragePlace.id == place.id))
    found: dict[int, list[Aliquot]] = defaultdict(list)
    for aliquot in session.scalars(_holding().where(Aliquot.place_id.in_(inside))):
        found[aliquot.place_id or place.id].append(aliquot)
    return found


def _holding() -> Select[Aliquot]:
    loaded = select(Aliquot).options(joinedload(Aliquot.specimen).joinedload(Specimen.donor))
    return loaded.where(Aliquot.status == RecordStatus.ACTIVE).order_by(Aliquot.box_row, Aliquot.box_column, Aliquot.code)


def taken_positions(session: Session, place_id: int) -> dict[Position, str]:
    """Give the positions of a box that are taken, each with the code of its aliquot."""
    taken = select(Aliquot.box_row, Aliquot.box_column, Aliquot.code)
    rows = session.execute(taken.where(Aliquot.place_id == place_id, Aliquot.box_row.is_not(None)))
    return {(row, column): code for row, column, code in rows if row is not None and column is not None}
