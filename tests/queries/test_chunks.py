"""Statements that the driver runs by their text give what they give when SQLAlchemy runs them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import bindparam, column, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.vocabulary import AnimalStatus
from lims.models import Animal, Measurement, Study
from lims.queries import chunks
from tests.support import factories as make
from tests.support.statements import statements

READINGS = (
    select(Animal.code, Animal.state, Animal.died_on, Study.blinded.label("hidden"), Measurement.value, Measurement.taken_at)
    .join(Measurement, Measurement.animal_id == Animal.id)
    .outerjoin(Study, Study.id == Measurement.study_id)
    .where(Animal.id.in_(chunks.KEYS), Measurement.kind.in_(bindparam("kinds", expanding=True)))
    .where(Measurement.taken_on <= bindparam("last"))
    .order_by(Measurement.id)
    .limit(40)
)
"""With a column of each type, and a value that the statement binds itself."""
KINDS = ["body_weight", "caliper_volume", "mri_volume"]
LAST = date(2026, 3, 9)


def weighed(session: Session, number: int) -> list[int]:
    """Record animals with a reading on the last day and one after it; gives their ids."""
    project = make.project(session)
    study = make.study(session, project, blinded=True)
    dead = {"state": AnimalStatus.DEAD, "died_on": date(2026, 4, 1)}
    animals = [make.animal(session, project, f"M{one}", **({} if one else dead)) for one in range(number)]
    for place, animal in enumerate(animals):
        at = datetime(2026, 3, 9, 7, 30, tzinfo=UTC)
        make.measurement(session, animal, value=20.0 + place, taken_on=LAST, taken_at=at, study_id=study.id if place % 2 else None)
        make.measurement(session, animal, "caliper_volume", taken_on=date(2026, 3, 10))
    return [animal.id for animal in animals]


@pytest.mark.parametrize("number", [1, 2, 5])
def test_rows_are_those_of_the_statement_whatever_the_number_of_keys(
    database: Database, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make.declared(database) as session:
        ids = weighed(session, number)
    monkeypatch.setattr(chunks, "CHUNK", 3)
    with database.reading() as session:
        expected = session.execute(READINGS, {"keys": ids, "kinds": KINDS, "last": LAST}).all()
        with statements(database.engine) as seen:
            read = chunks.rows_of(session, READINGS, ids, kinds=KINDS, last=LAST)
    assert [tuple(row) for row in read] == [tuple(row) for row in expected]
    assert [list(map(type, row)) for row in read] == [list(map(type, row)) for row in expected]
    assert [(row.code, row.value, row.hidden) for row in read] == [(row.code, row.value, row.hidden) for row in expected]
    assert len(read) == number
    assert len(seen) == -(-number // 3)  # who counts statements, or refuses some, hears of them


def test_an_empty_list_beside_the_keys_matches_nothing(database: Database) -> None:
    with make.declared(database) as session:
        ids = weighed(session, 1)
    with database.reading() as session:
        assert chunks.rows_of(session, READINGS, ids, kinds=[], last=LAST) == []


def test_without_keys_nothing_is_asked(database: Database) -> None:
    with database.reading() as session, statements(database.engine) as seen:
        assert chunks.rows_of(session, READINGS, [], kinds=KINDS, last=LAST) == []
    assert seen == []


def test_what_the_driver_refuses_is_raised_as_of_any_statement(database: Database) -> None:
    nowhere: chunks.AnyColumns = select(column("nothing")).select_from(table("nowhere"))
    with database.reading() as session, pytest.raises(DBAPIError, match="nowhere"):
        chunks.driver_rows(session, nowhere)
