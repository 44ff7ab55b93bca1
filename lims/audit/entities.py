"""Which live columns the trail must agree with, and how a live column reads as the trail's text.

Values are read as the database holds them, not as the mapped types would have them: whoever edits a row behind the
log may leave something there that no type accepts, and that must be reported, not crash the check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

import orjson
from sqlalchemy import JSON, Column, Date, Float, Table

from lims.audit.canon import secret_text, text_of
from lims.audit.record import field_name
from lims.models import Base
from lims.models.base import UtcDateTime


class Kind(Enum):
    """How a column's live values become the trail's."""

    PLAIN = auto()
    REFERENCE = auto()
    FRACTION = auto()
    DATE = auto()
    MOMENT = auto()
    JSON = auto()
    SECRET = auto()


@dataclass(frozen=True, slots=True)
class AuditedColumn:
    """A column under audit, and its field's name in the trail."""

    name: str
    field: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Entity:
    """A table under audit."""

    table: str
    columns: tuple[AuditedColumn, ...]

    def select(self, dialect: str, where: str = "") -> str:
        """Give the SQL that reads every row, or those of a condition, in order of id: `id` first and then the columns."""
        wanted = ", ".join(["id", *(_expression(column, dialect) for column in self.columns)])
        return f'SELECT {wanted} FROM "{self.table}" {where} ORDER BY id'  # noqa: S608  # names from the mapped tables


@cache
def entities() -> dict[str, Entity]:
    """Give every audited table, by name."""
    audited = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.audited]
    return {model.__tablename__: _entity(model) for model in sorted(audited, key=lambda model: str(model.__tablename__))}


def _entity(model: type[Base]) -> Entity:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  # narrows the mapped selectable for the type checker
    columns = [
        AuditedColumn(column.name, field_name(column.name), _kind(column, model.secret_columns))
        for column in table.columns
        if column.name != "id" and column.name not in model.unaudited_columns
    ]
    return Entity(table.name, tuple(columns))


def _kind(column: Column[Any], secrets: frozenset[str]) -> Kind:
    if column.name in secrets:
        return Kind.SECRET
    if column.foreign_keys:
        return Kind.REFERENCE
    kinds = {Float: Kind.FRACTION, UtcDateTime: Kind.MOMENT, Date: Kind.DATE, JSON: Kind.JSON}
    return next((kind for described, kind in kinds.items() if isinstance(column.type, described)), Kind.PLAIN)


def _expression(column: AuditedColumn, dialect: str) -> str:
    quoted = f'"{column.name}"'
    if dialect != "postgresql":
        return quoted
    if column.kind is Kind.MOMENT:
        return f"to_char({quoted} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return f"{quoted}::text" if column.kind in {Kind.DATE, Kind.JSON} else quoted


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return f"{value[:10]}T{value[11:].removesuffix('.000000')}Z"


def _secret(value: Any) -> Any:
    return secret_text(str(value))


def _json(value: Any) -> Any:
    try:
        return text_of(orjson.loads(value))
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return value


_READ: dict[Kind, Callable[[Any], Any]] = {Kind.MOMENT: _moment, Kind.JSON: _json, Kind.SECRET: _secret}


def live_texts(kind: Kind, values: Sequence[Any]) -> list[Any]:
    """Turn a live column's values, as the database holds them, into the trail's."""
    if kind is Kind.FRACTION:
        return [None if value is None else repr(value) for value in values]
    read = _READ.get(kind)
    if read is None:
        return list(values)
    return [None if value is None else read(value) for value in values]


def same(kind: Kind, logged: Any, live: Any) -> bool:
    """Tell whether a logged value and a live one are the same value in different words, such as 21 and 21.0."""
    if logged == live:
        return True
    if kind is Kind.FRACTION and isinstance(logged, str) and isinstance(live, str):
        try:
            return float(logged) == float(live)
        except ValueError:
            return False
    return False
