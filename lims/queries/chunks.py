"""Runs statements that stand ready in their modules, and looks many keys up in few: never one query a key.

To build a statement anew costs three times what it takes to run it, and to let the unit of work run one of columns, which
concern it not, twice as much again: hence `read` and `rows_of`. In one of many keys `KEYS` is where they go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import BindParameter, CursorResult, Executable, bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from lims.models import Base

Found = TypeVar("Found", bound=Base)

CHUNK = 5_000
"""SQLite takes 32,766 bound values in a statement, PostgreSQL 65,535."""
KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""Where the keys go in a statement that stands ready."""


def read(session: Session, statement: Executable, **bound: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement of columns, not of records, that stands ready. `bound`: the values of its parameters."""
    if session.autoflush:
        session.flush()
    return session.connection().execute(statement, bound)


def in_chunks(session: Session, keys: Sequence[Any], statement: Callable[[Sequence[Any]], Executable]) -> list[Any]:
    """Run `statement(some_keys)` for all keys, `CHUNK` at a time; gives all rows."""
    rows: list[Any] = []
    for start in range(0, len(keys), CHUNK):
        rows.extend(session.execute(statement(keys[start : start + CHUNK])).all())
    return rows


def rows_of(session: Session, statement: Executable, keys: Sequence[Any], **bound: Any) -> list[Any]:
    """Run a statement that stands ready for all keys, `CHUNK` at a time; gives all rows, of columns and not of records.

    `bound`: the values of its other parameters.
    """
    rows: list[Any] = []
    for start in range(0, len(keys), CHUNK):
        rows.extend(read(session, statement, keys=keys[start : start + CHUNK], **bound).all())
    return rows


def driver_rows(session: Session, statement: Executable, **bound: Any) -> Sequence[Any]:
    """Give all rows of a statement of columns as the driver has them: tuples, of what it makes of the columns' types.

    Of thousands of readings, to make of each value what its column's type says takes as long as to read them.
    """
    with closing(read(session, statement, **bound)) as result:
        return result.cursor.fetchall()


def as_date(told: str | date | None) -> date | None:
    """Give a date of `driver_rows`: SQLite has them as text."""
    return date.fromisoformat(told) if isinstance(told, str) else told


def by_id(session: Session, model: type[Found], keys: Iterable[int | None], *options: ORMOption) -> dict[Any, Found]:
    """Give records by id, with what `options` load beside them; a key that is `None` is of no record."""
    of: Any = model
    wanted = sorted({key for key in keys if key is not None})
    rows = in_chunks(session, wanted, lambda some: select(model).where(of.id.in_(some)).options(*options))
    return {one.id: one for (one,) in rows}
