"""The order of cages and animals at the bench, in lists that Python sorts and in those that the database sorts."""

from __future__ import annotations

from itertools import permutations

from sqlalchemy import select

from lims.db import Database
from lims.models import Animal, Cage
from lims.queries.bench_order import along_the_racks, counting, counting_column
from tests.support import factories

ORDERED = ["7", "31", "C1", "C2", "C10", "C100", "CAGE-9", "CAGE-10", "X"]


def test_codes_count() -> None:
    for codes in permutations(["C10", "c2", "C1", "B"]):
        assert sorted(codes, key=counting) == ["B", "C1", "c2", "C10"]
    assert sorted(["P2-T10", "P10-T1", "P2-T9", "", "²"], key=counting)[1:4] == ["P2-T9", "P2-T10", "P10-T1"]
    assert sorted(["9" * 5_000, "1"], key=counting)[0] == "1", "a number that Python would refuse to read"


def test_the_database_counts_the_same(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        for code in reversed(ORDERED):
            factories.cage(session, project, code)
        found = session.scalars(select(Cage.code).order_by(counting_column(Cage.code.expression))).all()
    assert list(found) == sorted(ORDERED, key=counting) == ORDERED


def test_one_walks_along_the_racks_and_comes_to_what_stands_in_none_last() -> None:
    cages = {
        "in the first rack": Cage(code="C3", rack="R2", rack_row=1, rack_column=2),
        "below it": Cage(code="C1", rack="R2", rack_row=2, rack_column=1),
        "in the second": Cage(code="C2", rack="R10", rack_row=1, rack_column=1),
        "loose": Cage(code="A"),
    }
    animals = [(Animal(code=f"{place} {tag}", ear_tag=tag), cage) for place, cage in cages.items() for tag in ("10", "9")]
    walked = sorted([(Animal(code="no cage"), None), *animals], key=lambda pair: along_the_racks(*pair))
    assert [animal.code for animal, _ in walked] == [f"{place} {tag}" for place in cages for tag in ("9", "10")] + ["no cage"]
