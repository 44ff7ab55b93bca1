"""The audited writer for many rows at once: rows and their trail straight to the driver, one leaf a row.

The caller builds each row's `fields` (canonical JSON of `{field: [new]}`, or `[old, new]`) by columns; this module writes the rows,
hashes and writes their changes. The event that they belong to follows when the transaction is sealed. No object and no
statement per row.

Text may be given as UTF-8 bytes: what was encoded to be hashed is not encoded again by the driver.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.orm import Session

from lims import progress
from lims.audit.canon import GENESIS
from lims.audit.record import current, writing

if TYPE_CHECKING:
    from lims.audit.record import Declared

Row = tuple[Any, ...]
Column: TypeAlias = "Sequence[Any] | repeat[Any]"
"""One value a row, or `repeat(value)` where all rows share it."""

_LAST = "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"
_PARAMETERS = 400
"""Values bound by one INSERT on SQLite: several rows in one statement share the cost of starting it."""
_MARKS = {"sqlite": ("?", "CAST(? AS TEXT)"), "postgresql": ("%s", "convert_from(%s, 'UTF8')")}
"""Where a value goes, and where text goes that is given as bytes."""
_PLAIN = re.compile(r"[\w .:-]*\Z", re.ASCII)
"""Text that can stand in a statement between quotes as it is."""
_PORTION = 5_000
"""Rows that are written, hashed and audited before the next are."""
_FEW = 8
"""Rows up to which an INSERT costs PostgreSQL less than a COPY, and is the same each time."""
_COPIED_ROWS = 2_000
"""Rows handed to COPY at a time: a block of a megabyte or so."""
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def reserve_ids(session: Session, table: Table, number: int) -> int:
    """Take `number` consecutive ids; returns the first. Others who write wait until this transaction ends (`lims.db`).

    Where the event's place in the trail is not known yet, the same statement tells it: a reading typed by hand waits for each.
    """
    declared = current(session)
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        taken = f"SELECT setval('{table.name}_id_seq', nextval('{table.name}_id_seq') + {number - 1}) AS last"
    else:
        taken = f'SELECT coalesce(max(id), 0) + {number} AS last FROM "{table.name}"'  # noqa: S608  # the table is ours
    if declared.place is None:
        both = f"SELECT ids.last, trail.seq, trail.hash FROM ({taken}) AS ids LEFT JOIN ({_LAST}) AS trail ON TRUE"  # noqa: S608  # ours
        taken_to, *place = connection.exec_driver_sql(both).one()
        declared.place = _behind(*place)
    else:
        taken_to = connection.exec_driver_sql(taken).scalar_one()
    return int(taken_to) - number + 1


def write_columns(connection: Connection, table: str, columns: Mapping[str, Column]) -> None:
    """Insert columns of equal length, at least one of them no `repeat`: many rows by `executemany`, or `COPY` on PostgreSQL.

    Values are strings, whole numbers, floats and `None`. Text without control characters, such as canonical JSON, may be
    given as UTF-8 bytes.

    Raises:
        ValueError: the columns are of different lengths.
    """
    # Without rows, a statement would run once with nothing bound.
    if number := _rows_of(table, columns):
        with writing(connection):
            if connection.dialect.name == "postgresql" and number > _FEW:
                _send(connection.connection.driver_connection, *_copy(table, columns))
            else:
                _execute_many(connection, table, columns, number)


def _rows_of(table: str, columns: Mapping[str, Column]) -> int:
    lengths = {len(column) for column in columns.values() if not isinstance(column, repeat)}
    if len(lengths) != 1:
        raise ValueError(f"{table}: columns of {sorted(lengths)} values")
    return lengths.pop()


def _execute_many(connection: Connection, table: str, columns: Mapping[str, Column], number: int) -> None:
    # What many rows share stands in the statement: the driver takes a microsecond to bind a `None`, which it tries to adapt.
    # Of a few rows it does not, so that the statement is prepared once for all events.
    shared = {} if number <= _FEW else {name: told for name, column in columns.items() if (told := _literal(column)) is not None}
    bound = [column for name, column in columns.items() if name not in shared]
    marks = _MARKS[connection.dialect.name]
    values = ", ".join(shared.get(name) or marks[_is_bytes(column)] for name, column in columns.items())
    rows = zip(*bound, strict=False)
    together = max(1, min(number, _PARAMETERS // len(bound)))
    whole, rest = divmod(number, together)
    for times, size in ((whole, together), (rest, 1)):
        if times:
            statement = f'INSERT INTO "{table}" ({_names(tuple(columns))}) VALUES {", ".join([f"({values})"] * size)}'  # noqa: S608  # names are ours, values plain
            bindings = [tuple(chain.from_iterable(islice(rows, size))) for _ in range(times)]
            connection.exec_driver_sql(statement, bindings if times > 1 else bindings[0])


@lru_cache(maxsize=64)
def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _literal(column: Column) -> str | None:
    """Write the value that all rows share as SQL, where nothing in it has to be escaped."""
    if not isinstance(column, repeat):
        return None
    value = next(column)
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    return f"'{value}'" if isinstance(value, str) and _PLAIN.match(value) else None


def _is_bytes(column: Column) -> bool:
    return isinstance(next(column) if isinstance(column, repeat) else column[0], bytes)


def _copy(table: str, columns: Mapping[str, Column]) -> tuple[str, list[bytes]]:
    """Give a COPY statement and its data, in blocks."""
    lines = map(b"\t".join, zip(*map(_copied, columns.values()), strict=False))
    blocks = iter(lambda: b"\n".join([*islice(lines, _COPIED_ROWS), b""]), b"")
    return f'COPY "{table}" ({_names(tuple(columns))}) FROM STDIN', list(blocks)


def _send(driver: Any, statement: str, blocks: Iterable[bytes]) -> None:
    utf8 = driver.info.encoding == "utf-8"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block if utf8 else block.decode())


@contextmanager
def _writing_behind(connection: Connection, rows: int) -> Iterator[Callable[[str, Mapping[str, Column]], None]]:
    """Give `write_columns` for portions of so many rows: PostgreSQL keeps one while the caller makes the next.

    Meanwhile the caller asks the database nothing. PostgreSQL takes several times as long to keep a row, with its indexes and
    references, as we do to make its text, and a thread that waits for it leaves the interpreter to the caller.
    """
    if connection.dialect.name != "postgresql" or rows <= _FEW:
        yield partial(write_columns, connection)
        return
    driver = connection.connection.driver_connection
    with writing(connection), ThreadPoolExecutor(1) as behind:
        sent: Future[None] | None = None

        def write(table: str, columns: Mapping[str, Column]) -> None:
            nonlocal sent
            _rows_of(table, columns)
            copied = _copy(table, columns)
            if sent is not None:
                sent.result()
            sent = behind.submit(_send, driver, *copied)

        yield write
        if sent is not None:
            sent.result()


def _copied(column: Column) -> Iterator[bytes]:
    """Give a column's cells in the text format of COPY; equal values are written once."""
    if isinstance(column, repeat):
        return repeat(_copied_cell(next(column)))
    types = set(map(type, column))
    if types == {bytes}:
        return (told.replace(b"\\", b"\\\\") for told in column)
    if types == {int}:
        return map(b"%d".__mod__, column)
    # 1, 1.0 and True are equal and written differently; text and None never are.
    if len(types - {type(None), str}) > 1:
        return map(_copied_cell, column)
    return map({one: _copied_cell(one) for one in set(column)}.__getitem__, column)


def _copied_cell(value: Any) -> bytes:
    if value is None:
        return b"\\N"
    if isinstance(value, bytes):
        return value.replace(b"\\", b"\\\\")
    return (value.translate(_COPY_ESCAPES) if isinstance(value, str) else repr(value)).encode()


def insert_many(
    session: Session,
    table: Table,
    columns: Mapping[str, Column],
    keys: Sequence[int],
    project: int | None,
    fields: Iterable[bytes],
) -> None:
    """Insert columns of driver values (`id` among them) with one audited change a row.

    Rows and trail are written by portions, so that what is hashed and written is still at hand and no more of the trail is
    held than that: `fields` may be an iterator that makes it as it goes, without asking the database.

    Raises:
        ValueError: there are not as many `fields` as `keys`.
    """
    declared = current(session)
    session.flush()
    connection, told = session.connection(), iter(fields)
    seq, _ = place_of(connection, declared)
    with _writing_behind(connection, len(keys)) as write:
        for start in range(0, len(keys), _PORTION):
            some = slice(start, start + _PORTION)
            write(table.name, {name: column if isinstance(column, repeat) else column[some] for name, column in columns.items()})
            write("audit_change", _changes(declared, seq, table.name, keys[some], project, list(islice(told, _PORTION))))
            progress.advance(len(keys[some]))


def update_many(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: list[Row],
    keys: Sequence[int],
    project: int | None,
    fields: list[str],
) -> None:
    """Set `columns` of the records `keys` to the values of `rows`, count up their versions, audit each."""
    if not keys:
        return
    declared = current(session)
    session.flush()
    connection = session.connection()
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    settings = ", ".join(f'"{column}" = {mark}' for column in columns)
    statement = f'UPDATE "{table.name}" SET {settings}, "version" = "version" + 1 WHERE "id" = {mark}'  # noqa: S608  # table and columns are ours
    with writing(connection):
        connection.exec_driver_sql(statement, [(*row, key) for row, key in zip(rows, keys, strict=True)])
    seq, _ = place_of(connection, declared)
    told = [one.encode() for one in fields]
    write_columns(connection, "audit_change", _changes(declared, seq, table.name, keys, project, told))


def _changes(
    declared: Declared, seq: int, entity: str, keys: Sequence[int], project: int | None, fields: list[bytes]
) -> dict[str, Column]:
    """Hash changes and give their columns, behind those that the transaction has written; its event follows when it is sealed."""
    written = len(declared.bulk_leaves)
    sha256 = hashlib.sha256
    head = f'\x00{{"entity":"{entity}","fields":'.encode()
    tail = f',"project":{"null" if project is None else project}}}'.encode()
    declared.bulk_leaves += [
        sha256(b'%b%b,"key":%d%b' % (head, told, key, tail)).digest() for told, key in zip(fields, keys, strict=True)
    ]
    return {
        "event_seq": repeat(seq),
        "position": range(written, written + len(fields)),
        # A plain string: SQLAlchemy's quoted names are a subclass, which drivers ask about adaptation row by row.
        "entity": repeat(str(entity)),
        "key": keys,
        "project_id": repeat(project),
        "fields": fields,
    }


def place_of(connection: Connection, declared: Declared) -> tuple[int, str]:
    """Give the number of this transaction's event and the hash before it: nobody else writes one meanwhile (`lims.db`)."""
    if declared.place is None:
        declared.place = _behind(*connection.exec_driver_sql(_LAST).first() or (None, None))
    return declared.place


def _behind(seq: int | None, last_hash: str | None) -> tuple[int, str]:
    """Give the place behind the last event of the trail, or the first one."""
    return (1, GENESIS) if seq is None or last_hash is None else (seq + 1, last_hash)
