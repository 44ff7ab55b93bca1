"""What migrations share: the types as text, a table with a CHECK for each column that holds a term.

What a released migration wrote must stay what it was, so nothing here reads the models or the vocabularies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(name: str, *terms: str) -> sa.Enum:
    """Give the type of a term out of a list, as text; `create_table` adds the CHECK."""
    return sa.Enum(*terms, name=name, native_enum=False, create_constraint=False, length=40)


def any_of(column: str, terms: Iterable[str]) -> str:
    """Give the condition that a column holds one of the terms; joined by OR: SQLite builds a list for IN anew for each row."""
    return " OR ".join(f"{column} = '{term}'" for term in terms)


def create_table(name: str, *items: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table with a CHECK for each column that holds a term."""
    checks = [
        sa.CheckConstraint(any_of(item.name, item.type.enums), name=op.f(f"ck_{name}_{item.name}"))
        for item in items
        if isinstance(item, sa.Column) and isinstance(item.type, sa.Enum)
    ]
    op.create_table(name, *items, *checks, **options)


def create(tables: Sequence[Callable[[], None]]) -> None:
    """Create tables by the functions that bear their names, in the order of their references."""
    for make in tables:
        make()


def drop(tables: Sequence[Callable[[], None]]) -> None:
    """Drop the tables again, in the opposite order."""
    for make in reversed(tables):
        op.drop_table(make.__name__.removeprefix("_"))
