"""Runs statements that stand ready in their modules, and looks many keys up in few: never one query a key.

To build a statement anew costs three times what it takes to run it, and to let the unit of work run one of columns, which
concern it not, twice as much again: hence `read` and `rows_of`. In one of many keys `KEYS` is where they go. `rows_of` and
`driver_rows` write a statement once for each driver and hand it the text from then on: to fill in the keys of a statement
anew takes ten times as long as SQLite takes to find an animal by them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, CursorResult, Dialect, Executable, Select, TextClause, bindparam, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.compiler import ExpandedState

from lims.models import Base

Found = TypeVar("Found", bound=Base)

AnyColumns = Select[*tuple[Any, ...]]
"""A statement of columns, not of records."""
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


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement as a driver takes it, for lists of certain lengths. fixed: what it binds itself."""

    state: ExpandedState
    fixed: Mapping[str, Any]

    def parameters(self, bound: Mapping[str, Any]) -> Any:
        """Give the parameters as the driver takes them."""
        told, places = dict(self.fixed), self.state.parameter_expansion
        for name, value in bound.items():
            if isinstance(value, list):
                told.update(zip(places.get(name, ()), value, strict=True))
            else:
                told[name] = value
        for name, bind in self.state.processors.items():
            told[name] = bind(told[name])
        order = self.state.positiontup
        return told if order is None else tuple([told[name] for name in order])


@lru_cache(maxsize=256)
def _written(dialect: Dialect, statement: AnyColumns | TextClause, bound: tuple[tuple[str, int | None], ...]) -> _Written:
    """Write a statement of columns for a driver; `bound`: the names of its parameters, and how long those are that are lists."""
    compiled: Any = statement.compile(dialect=dialect)
    # Their values do not matter here: the statement has as many places as a list is long.
    asked = {name: None if length is None else [None] * length for name, length in bound}
    state = compiled.construct_expanded_state(asked)
    given = {place for name in asked for place in state.parameter_expansion.get(name, (name,))}
    return _Written(state, {name: value for name, value in state.parameters.items() if name not in given})


@dataclass(frozen=True, slots=True)
class _Typed:
    """What the types of a statement's columns make of the driver's values, by place, and the type of its rows."""

    readers: Sequence[tuple[int, Callable[[Any], Any]]]
    row: Any

    def rows(self, rows: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """Give rows of the driver as the statement's."""
        make, readers = self.row._make, self.readers
        for row in rows:
            values = list(row)
            for place, read_as in readers:
                values[place] = read_as(values[place])
            yield make(values)


@lru_cache(maxsize=256)
def _typed(dialect: Dialect, statement: AnyColumns, codes: tuple[Any, ...]) -> _Typed:
    """Say how to read a statement's rows; `codes`: what the driver says of the type of each column."""
    columns = list(statement.selected_columns)
    readers = [one.type.dialect_impl(dialect).result_processor(dialect, code) for one, code in zip(columns, codes, strict=True)]
    return _Typed(
        [(place, reader) for place, reader in enumerate(readers) if reader is not None],
        namedtuple("Row", [one.key or "" for one in columns], rename=True),
    )


def _runs(
    session: Session, statement: AnyColumns | TextClause, bound: Mapping[str, Any]
) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Run a statement of columns, with `CHUNK` of its keys at a time; gives what the driver says of the columns, and rows."""
    if not bound.get(KEYS.key, True):
        return
    if session.autoflush:
        session.flush()
    connection = session.connection()
    lists = {name: _padded(value) for name, value in bound.items() if isinstance(value, list) and name != KEYS.key}
    keys = bound.get(KEYS.key)
    for some in [()] if keys is None else [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]:
        told = {**bound, **lists, **({} if keys is None else {KEYS.key: _padded(some)})}
        names = tuple([(name, len(value) if isinstance(value, list) else None) for name, value in told.items()])
        written = _written(connection.dialect, statement, names)
        yield _fetched(connection, written.state.statement, written.parameters(told))


def _fetched(connection: Connection, statement: str, parameters: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Let the driver run a statement that reads: SQLAlchemy describes the columns of a text anew each time it runs.

    Those who listen to statements, such as the guard, hear of it; what the driver refuses is raised as SQLAlchemy raises it.
    """
    driver_errors, many = connection.dialect.loaded_dbapi.Error, False
    with closing(connection.connection.cursor()) as cursor:
        try:
            connection.dispatch.before_cursor_execute(connection, cursor, statement, parameters, None, many)
            cursor.execute(statement, parameters)
            return cursor.description or (), cursor.fetchall()
        except driver_errors as broken:
            raise DBAPIError.instance(statement, parameters, broken, driver_errors, dialect=connection.dialect) from broken


def _padded(keys: Sequence[Any]) -> list[Any]:
    """Give keys with the last one repeated, up to a power of two: so few lengths of lists are ever written."""
    return [*keys, *repeat(keys[-1], (1 << (len(keys) - 1).bit_length()) - len(keys))] if keys else []


def rows_of(session: Session, statement: AnyColumns, keys: Sequence[Any], **bound: Any) -> list[Any]:
    """Run a statement that stands ready for all keys, `CHUNK` at a time; gives all rows, of columns and not of records.

    `bound`: the values of its other parameters.
    """
    found: list[Any] = []
    for description, rows in _runs(session, statement, {KEYS.key: keys, **bound}):
        codes = tuple([column[1] for column in description])
        found += _typed(session.connection().dialect, statement, codes).rows(rows)
    return found


def driver_rows(session: Session, statement: AnyColumns | TextClause, **bound: Any) -> Sequence[Any]:
    """Do the same, for all `keys` where it has some, and give the rows as the driver has them: tuples, of what it makes of them.

    Of thousands of readings, to make of each value what its column's type says takes as long as to read them.
    """
    return list(chain.from_iterable(rows for _, rows in _runs(session, statement, bound)))


def as_date(told: str | date | None) -> date | None:
    """Give a date of `driver_rows`: SQLite has them as text."""
    return date.fromisoformat(told) if isinstance(told, str) else told


def by_id(session: Session, model: type[Found], keys: Iterable[int | None], *options: ORMOption) -> dict[Any, Found]:
    """Give records by id, with what `options` load beside them; a key that is `None` is of no record."""
    of: Any = model
    wanted = sorted({key for key in keys if key is not None})
    rows = in_chunks(session, wanted, lambda some: select(model).where(of.id.in_(some)).options(*options))
    return {one.id: one for (one,) in rows}
