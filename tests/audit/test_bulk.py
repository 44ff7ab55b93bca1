"""The bulk writer: every value comes back as it was given, on both engines, whatever stands in it."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import pytest
from sqlalchemy import text

from lims.audit.bulk import write_columns
from lims.audit.record import writing
from lims.db import Database

HOSTILE = [
    "plain",
    "a\tb",
    "line\nbreak\r",
    "back\\slash",
    "\\N",
    "\\.",
    "it's",
    'say "so"',
    "100 % :name ?1",
    "Zoë µ 🐭",
    "",
    None,
]


@pytest.fixture
def scratch(database: Database) -> Database:
    """Give a database with a table that takes anything."""
    with database.transaction() as session, writing(session.connection()):
        session.execute(text("CREATE TABLE scratch (id INTEGER, told TEXT, shared TEXT, share DOUBLE PRECISION, note TEXT)"))
    return database


def written(scratch: Database, **columns: Any) -> list[tuple[Any, ...]]:
    """Write columns and read the rows back in order."""
    with scratch.transaction() as session:
        write_columns(session.connection(), "scratch", columns)
    with scratch.reading() as session:
        names = ", ".join(columns)
        return [tuple(row) for row in session.execute(text(f"SELECT {names} FROM scratch ORDER BY id"))]


def test_text_comes_back_as_it_was_given(scratch: Database) -> None:
    ids = list(range(len(HOSTILE)))
    assert written(scratch, id=ids, told=HOSTILE) == list(zip(ids, HOSTILE, strict=True))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_that_all_rows_share_stands_in_each(scratch: Database, value: str | None) -> None:
    assert written(scratch, id=[1, 2, 3], shared=repeat(value)) == [(1, value), (2, value), (3, value)]


def test_numbers_keep_their_kind_and_every_digit(scratch: Database) -> None:
    shares = [0.1, 1.0, -2.5e-300, None, 12345678901234.5]
    assert written(scratch, id=[1, 2, 3, 4, 5], share=shares) == list(zip([1, 2, 3, 4, 5], shares, strict=True))


def test_encoded_text_is_text_again(scratch: Database) -> None:
    told = ['{"a":"\\u0000 \\\\ Zoë"}', '{"b":["x\\ty"]}']
    assert written(scratch, id=[1, 2], told=[one.encode() for one in told]) == list(zip([1, 2], told, strict=True))


@pytest.mark.parametrize("number", [0, 1, 29, 30, 31, 61, 2_001])
def test_as_many_rows_as_were_given(scratch: Database, number: int) -> None:
    ids = list(range(number))
    columns = {"id": ids, "told": [f"row {one}" for one in ids], "share": [float(one) for one in ids], "shared": repeat("same")}
    columns["note"] = [None] * number
    assert written(scratch, **columns) == [(one, f"row {one}", float(one), "same", None) for one in ids]


def test_columns_of_different_lengths_are_refused_and_nothing_is_written(scratch: Database) -> None:
    with pytest.raises(ValueError, match=r"scratch: columns of \[1, 2\] values"):
        written(scratch, id=[1, 2], told=["one"])
    assert written(scratch, id=[]) == []
