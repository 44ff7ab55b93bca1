"""Places of storage: levels, grids, and what may be changed or withdrawn while something stands there."""

from __future__ import annotations

from typing import Any

import pytest

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.tissue_terms import PlaceKind
from lims.models import StoragePlace
from lims.queries.storage import below, branch_of, chains, position_text, tree
from lims.records.nouns import change, doubts, record, withdraw
from lims.records.storage import PLACE
from tests.support import factories
from tests.support.cases import each

GRID = {"box_rows": 9, "box_columns": 9}


def _places(database: Database) -> dict[str, int]:
    """A freezer with a rack and a box of 9 × 9, whose B2 is taken; and another project's freezer."""
    with factories.declared(database) as session:
        project = factories.project(session)
        freezer = factories.place(session, project, "FZ-1", temperature_celsius=-80)
        rack = factories.place(session, project, "R2", kind=PlaceKind.RACK, parent_id=freezer.id)
        box = factories.box(session, project, "BX-03", parent_id=rack.id)
        specimen = factories.specimen(session, factories.patient(session, project))
        factories.aliquot(session, specimen, "AL-1", place_id=box.id, box_row=2, box_column=2)
        factories.aliquot(session, specimen, "AL-2", place_id=freezer.id)
        foreign = factories.place(session, factories.project(session), "FZ-1")
        return {"project": project.id, "freezer": freezer.id, "rack": rack.id, "box": box.id, "foreign": foreign.id}


@each(
    ("row", "field", "told"),
    [
        ({"kind": PlaceKind.BOX}, "box_rows", "A box needs its rows and columns"),
        ({"kind": PlaceKind.BOX, "box_rows": 9}, "box_columns", "A box needs its rows and columns"),
        ({"kind": PlaceKind.BOX, "box_rows": 27, "box_columns": 9}, "box_rows", "Rows of the box 27 cannot be"),
        ({"kind": PlaceKind.BOX, "box_rows": 0, "box_columns": 9}, "box_rows", "Rows of the box 0 cannot be"),
        ({"kind": PlaceKind.SHELF, "box_columns": 9}, "box_columns", "A shelf has no rows and columns"),
        ({"kind": PlaceKind.FREEZER, "parent_id": "rack"}, "parent_id", "A freezer cannot stand in the rack R2"),
        ({"kind": PlaceKind.RACK, "parent_id": "rack"}, "parent_id", "A rack cannot stand in the rack R2"),
        ({"kind": PlaceKind.FREEZER, "parent_id": "foreign"}, "parent_id", "There is no storage place"),
        ({"kind": PlaceKind.FREEZER, "temperature_celsius": -300}, "temperature_celsius", "Nothing is kept at -300 °C"),
        ({"kind": PlaceKind.FREEZER, "code": "FZ-1"}, "code", '"FZ-1" exists already'),
    ],
)
def test_places_that_cannot_be_are_refused(database: Database, actor: Actor, row: dict[str, Any], field: str, told: str) -> None:
    known = _places(database)
    row = {name: known.get(value, value) if name == "parent_id" else value for name, value in row.items()}
    with database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        record(session, actor, PLACE, known["project"], [row])
    assert refused.value.field == field


def test_a_small_laboratory_keeps_a_box_at_the_top(database: Database, actor: Actor) -> None:
    known = _places(database)
    with database.transaction() as session:
        (box,) = record(session, actor, PLACE, known["project"], [{"kind": PlaceKind.BOX, **GRID}])
    assert box.code == "BX-001"


@each(
    ("place", "fields", "field", "told"),
    [
        ("box", {"box_rows": 1}, "box_rows", "Position B2 of BX-03 holds AL-1"),
        ("box", {"box_columns": 1}, "box_columns", "Position B2 of BX-03 holds AL-1"),
        (
            "box",
            {"kind": PlaceKind.SHELF, "box_rows": None, "box_columns": None},
            "parent_id",
            "A shelf cannot stand in the rack R2",
        ),
        ("freezer", {"kind": PlaceKind.RACK}, "kind", "A rack cannot stand in the rack FZ-1. It stands there now: R2"),
        ("freezer", {"parent_id": "rack"}, "parent_id", "A freezer cannot stand in the rack R2"),
        ("rack", {"parent_id": "rack"}, "parent_id", "A rack cannot stand in the rack R2"),
    ],
)
def test_changes_that_leave_something_hanging_are_refused(
    database: Database, actor: Actor, place: str, fields: dict[str, Any], field: str, told: str
) -> None:
    known = _places(database)
    fields = {name: known.get(value, value) if name == "parent_id" else value for name, value in fields.items()}
    with database.transaction() as session:
        found = session.get_one(StoragePlace, known[place])
        with pytest.raises(DomainError, match=told) as refused:
            change(session, actor, PLACE, found, version=found.version, reason="mistyped", fields=fields)
    assert refused.value.field == field


def test_a_box_shrinks_as_far_as_what_it_holds(database: Database, actor: Actor) -> None:
    known = _places(database)
    with database.transaction() as session:
        found = session.get_one(StoragePlace, known["box"])
        fields = {"box_rows": 2, "box_columns": 2}
        change(session, actor, PLACE, found, version=found.version, reason="smaller box", fields=fields)
        assert (found.box_rows, found.box_columns) == (2, 2)


@pytest.mark.parametrize("place", ["freezer", "rack", "box"])
def test_a_place_with_something_in_it_is_not_withdrawn(database: Database, actor: Actor, place: str) -> None:
    known = _places(database)
    with database.transaction() as session:
        found = session.get_one(StoragePlace, known[place])
        with pytest.raises(Conflict, match="1 active record"):
            withdraw(session, actor, PLACE, found, version=found.version, reason="sold")


def test_a_freezer_above_freezing_is_doubted(database: Database) -> None:
    known = _places(database)
    with database.reading() as session:
        warm = {"kind": PlaceKind.FREEZER, "code": "X", "temperature_celsius": 80}
        (told,) = doubts(session, PLACE, known["project"], [warm])
        assert told.message == "A freezer at 80 °C: is the minus sign missing?"
        assert doubts(session, PLACE, known["project"], [warm | {"temperature_celsius": -80}]) == []


def test_the_tree_counts_over_all_that_stands_in_a_place(database: Database) -> None:
    known = _places(database)
    with database.reading() as session:
        branches = tree(session, known["project"])
        assert [branch.place.code for branch in branches] == ["FZ-1"]
        assert (branches[0].held, branches[0].positions, branches[0].taken, branches[0].free) == (2, 81, 1, 80)
        box = branch_of(branches, known["box"])
        assert box is not None
        assert (box.held, box.taken) == (1, 1)
        assert branch_of(branches, known["foreign"]) is None
        chain = chains(session, [known["box"], known["freezer"]])
        assert [place.code for place in chain[known["box"]]] == ["FZ-1", "R2", "BX-03"]
        assert position_text(chain[known["box"]], 2, 2) == "FZ-1 / R2 / BX-03 B2"
        inside = below(known["project"], StoragePlace.id == known["rack"])
        assert set(session.scalars(inside.select())) == {known["rack"], known["box"]}


def test_a_position_too_long_for_an_event_loses_its_outermost_places() -> None:
    chain = [StoragePlace(code=letter * 80) for letter in "ABC"]
    assert position_text(chain, 1, 2) == f"{'B' * 80} / {'C' * 80} A2"
