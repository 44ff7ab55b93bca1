"""The audited writer for many rows at once: rows and their trail straight to the driver, one leaf a row.

The caller builds each row's `fields` (canonical JSON of `{field: [old, new]}`) by columns; this module hashes them,
writes the rows now and the trail when the transaction is sealed. No object and no statement per row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.orm import Session

from lims.audit.record import current, writing

if TYPE_CHECKING:
    from lims.audit.record import Declared

Row = tuple[Any, ...]


def reserve_ids(session: Session, table: Table, number: int) -> int:
    """Take `number` consecutive ids; returns the first. Call after `declare`, whose lock keeps others out."""
    current(session)
    if session.get_bind().dialect.name == "postgresql":
        sequence = f"{table.name}_id_seq"
        first = int(session.execute(text(f"SELECT nextval('{sequence}')")).scalar_one())
        session.execute(text(f"SELECT setval('{sequence}', :last)"), {"last": first + number - 1})
        return first
    return int(session.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1


def write_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert plain tuples: `executemany` on SQLite, `COPY` on PostgreSQL."""
    names = ", ".join(f'"{column}"' for column in columns)
    with writing(connection):
        if connection.dialect.name == "postgresql":
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                write_row = copy.write_row
                for row in rows:
                    write_row(row)
            return
        marks = ", ".join("?" * len(columns))
        # An empty list would run the statement once, with nothing bound.
        listed = rows if isinstance(rows, list) else list(rows)
        if listed:
            connection.exec_driver_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', listed)  # noqa: S608  # table and columns are ours


def _collect(declared: Declared, entity: str, keys: Sequence[int], project: int | None, fields: list[str]) -> None:
    sha256 = hashlib.sha256
    head = f'\x00{{"entity":"{entity}","fields":'
    tail = f',"project":{"null" if project is None else project}}}'
    declared.bulk_leaves += [
        sha256(f'{head}{told},"key":{key}{tail}'.encode()).digest() for told, key in zip(fields, keys, strict=True)
    ]
    # A plain string: SQLAlchemy's quoted names are a subclass, which drivers ask about adaptation row by row.
    declared.bulk_rows.append((str(entity), keys, project, fields))


def insert_many(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: list[Row],
    keys: Sequence[int],
    project: int | None,
    fields: list[str],
) -> None:
    """Insert rows (driver values, `id` among the columns) with one audited change each. `fields` is consumed as it is."""
    declared = current(session)
    session.flush()
    write_rows(session.connection(), table.name, columns, rows)
    _collect(declared, table.name, keys, project, fields)


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
    _collect(declared, table.name, keys, project, fields)
