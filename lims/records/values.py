"""Cleans what was typed, imported or sent before it becomes a record: by the columns' own types and limits.

Limits stand once, in the tables' CHECK constraints; a value outside is refused here with a sentence, not there with a code.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Date, Float, Integer, String, Table, Text
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Session

from lims.audit.words import field_word, unit_of
from lims.domain.errors import DomainError
from lims.domain.identifiers import UNICODE_SOURCE, clean_identifier
from lims.domain.sources import ORDER_OF_EVENTS, PLAUSIBLE
from lims.models import Base
from lims.models.base import UtcDateTime

LARGEST_INTEGER = 2**31 - 1
EARLIEST = date(1900, 1, 1)
_BETWEEN = re.compile(r"(\w+) BETWEEN ([\d.]+) AND ([\d.]+)")
_AT_LEAST = re.compile(r"(\w+) >= ([\d.]+)")
_LINE_ENDS = "\n\r\t"


@cache
def limits(model: type[Base]) -> dict[str, tuple[float, float | None]]:
    """Give the lowest and highest value of each column that has a CHECK of one column against numbers."""
    found: dict[str, tuple[float, float | None]] = {}
    for constraint in table_of(model).constraints:
        if not isinstance(constraint, CheckConstraint):
            continue
        condition = str(constraint.sqltext)
        if between := _BETWEEN.fullmatch(condition):
            found[between[1]] = float(between[2]), float(between[3])
        elif at_least := _AT_LEAST.fullmatch(condition):
            found[at_least[1]] = float(at_least[2]), None
    return found


def table_of(model: type[Base]) -> Table:
    """Give the mapped table."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  # narrows the mapped selectable for the type checker
    return table


def today(session: Session) -> date:
    """Give the date it is in the laboratory (`lims.db.Database` knows its zone)."""
    return datetime.now(zone_of(session)).date()


def zone_of(session: Session) -> tzinfo:
    """Give the laboratory's time zone."""
    zone: tzinfo = session.info.get("zone", UTC)
    return zone


def clean(session: Session, model: type[Base], values: Mapping[str, Any], *, future: frozenset[str]) -> dict[str, Any]:
    """Give the values as they are kept: text normalised, blanks as nothing, all within the columns' limits.

    `future` names the dates that may lie ahead.

    Raises:
        DomainError: a value does not fit its column; `field` is the column's name.
    """
    columns = table_of(model).columns
    return {name: _cleaned(session, model, columns[name], value, may_lie_ahead=name in future) for name, value in values.items()}


def _cleaned(session: Session, model: type[Base], column: Column[Any], value: Any, *, may_lie_ahead: bool) -> Any:
    if isinstance(value, str) and not isinstance(column.type, EnumType):
        value = _text(model, column, value)
    if value is None:
        if not column.nullable and column.default is None and not column.primary_key:
            raise DomainError(f"{word(model, column.name).capitalize()} is needed.", field=column.name)
        return column.default.arg if not column.nullable and column.default is not None else None  # type: ignore[attr-defined]  # constants only
    kind = column.type
    if isinstance(kind, Integer | Float) and not isinstance(kind, Boolean):
        return _number(model, column, value)
    if isinstance(kind, UtcDateTime):
        return _moment(model, column, value)
    if isinstance(kind, Date):
        return _date(session, model, column, value, may_lie_ahead=may_lie_ahead)
    if isinstance(kind, JSON):
        return [str(one) for one in value]
    return value


def word(model: type[Base], column: str) -> str:
    """Name a column as people do."""
    return field_word(str(model.__tablename__), column.removesuffix("_id"))


def _text(model: type[Base], column: Column[Any], value: str) -> str | None:
    # Browsers end lines otherwise than files do; a text that went out and comes back is the same.
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    if not text:
        return None
    if column.name == "code":
        return clean_identifier(text, what="code")
    allowed = _LINE_ENDS if isinstance(column.type, Text) else ""
    hidden = sorted({one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn") and one not in allowed})
    if hidden:
        names = ", ".join(f"U+{ord(one):04X}" for one in hidden)
        raise DomainError(
            f"{word(model, column.name).capitalize()} contains characters that do not show ({names}).",
            field=column.name,
            expected="only characters that can be seen",
            remedy="Type it again by hand instead of pasting it.",
            source=UNICODE_SOURCE,
        )
    longest = column.type.length if isinstance(column.type, String) else None
    if longest is not None and len(text) > longest:
        raise DomainError(
            f"{word(model, column.name).capitalize()} has {len(text)} characters.",
            field=column.name,
            expected=f"at most {longest}",
            source=PLAUSIBLE,
        )
    return text


def _number(model: type[Base], column: Column[Any], value: Any) -> Any:
    lowest, highest = limits(model).get(column.name, (None, None))
    unit = unit_of(str(model.__tablename__), column.name)
    is_id = bool(column.foreign_keys) or column.primary_key
    if not math.isfinite(value) or (lowest is not None and value < lowest) or (highest is not None and value > highest):
        span = f"{lowest:g} or more" if highest is None and lowest is not None else f"{lowest or 0:g} to {highest or 0:g}"
        raise DomainError(
            f"{word(model, column.name).capitalize()} {value:g}{f' {unit}' if unit else ''} cannot be.",
            field=column.name,
            expected=f"{span}{f' {unit}' if unit else ''}" if lowest is not None else "a finite number",
            source=PLAUSIBLE,
        )
    if isinstance(column.type, Integer) and not is_id:
        if value != int(value) or abs(value) > LARGEST_INTEGER:
            raise DomainError(
                f"{word(model, column.name).capitalize()} {value:g} cannot be.",
                field=column.name,
                expected="a whole number",
                source=PLAUSIBLE,
            )
        return int(value)
    return value


def _date(session: Session, model: type[Base], column: Column[Any], value: date, *, may_lie_ahead: bool) -> date:
    now = today(session)
    if value < EARLIEST:
        raise DomainError(
            f"{word(model, column.name).capitalize()} {value} is before {EARLIEST.year}.",
            field=column.name,
            expected="a date with a year of four digits",
            source=PLAUSIBLE,
        )
    if value > now and not may_lie_ahead:
        raise DomainError(
            f"{word(model, column.name).capitalize()} {value} lies in the future: today is {now}.",
            field=column.name,
            expected="today or earlier",
            source=ORDER_OF_EVENTS,
        )
    return value


def _moment(model: type[Base], column: Column[Any], value: datetime) -> datetime:
    if value > datetime.now(UTC) + timedelta(minutes=5):
        raise DomainError(
            f"{word(model, column.name).capitalize()} lies in the future.",
            field=column.name,
            expected="now or earlier",
            source=ORDER_OF_EVENTS,
        )
    return value
