"""Turns columns of a file's records into what the tables hold: terms, yes and no, numbers, dates and times from text."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer
from sqlalchemy import Enum as EnumType

from importers.values import Problem, dates, numbers
from lims.audit.words import term_text
from lims.domain.slots import local_moment
from lims.domain.term_words import term_of, yes_or_no
from lims.models.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a value cannot be taken: the rest of a sentence after the value, and what was expected."""

    reason: str
    expected: str


def typed(column: Column[Any], values: Sequence[Any], zone: ZoneInfo) -> list[Any]:
    """Give values as the column holds them; what cannot be read is an `Unread`, blank is `None`. Each distinct one is read once."""
    read = _reader(column, zone)
    seen: dict[Any, Any] = {}
    told = []
    for value in values:
        if not isinstance(value, Hashable):
            told.append(read(value))
            continue
        key = (type(value), value)  # 1, 1.0 and True are equal
        if key not in seen:
            blank = value is None or (isinstance(value, str) and not value.strip())
            seen[key] = None if blank else read(value)
        told.append(seen[key])
    return told


def _reader(column: Column[Any], zone: ZoneInfo) -> Callable[[Any], Any]:
    kind = column.type
    if isinstance(kind, EnumType):
        return lambda value: _term(kind.enum_class, value)
    if isinstance(kind, Boolean):
        return _truth
    if isinstance(kind, UtcDateTime):
        return lambda value: _moment(value, zone)
    if isinstance(kind, Date):
        return _day
    if isinstance(kind, Integer | Float):
        return _number
    return _list if isinstance(kind, JSON) else _text


def _term(vocabulary: Any, value: Any) -> Any:
    if isinstance(value, vocabulary):
        return value
    found = term_of(vocabulary, _text(value))
    if found is not None:
        return found
    terms = ", ".join(term_text(str(term.value)) for term in vocabulary)
    return Unread("is none of the terms", f"one of {terms}")


def _truth(value: Any) -> Any:
    said = value if isinstance(value, bool) else yes_or_no(_text(value))
    return Unread("says neither yes nor no", "yes or no") if said is None else said


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return Unread("is a truth value, not a number", "a number such as 12.5")
    if isinstance(value, int | float):
        return value if math.isfinite(value) else Unread("is no finite number", "a number such as 12.5")
    (found,), problems = numbers([str(value)], _decimal(str(value)))
    return _unread(problems[0]) if problems else found


def _decimal(text: str) -> str:
    """Give the decimal mark of a number that stands alone; a comma before three digits may be either."""
    _, comma, after = text.strip().rpartition(",")
    if not comma or "." in after:
        return "."
    return "?" if len(after) == 3 else ","


def _day(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    (found,), problems = dates([value], None)
    if problems:
        return _unread(problems[0])
    return found.date() if isinstance(found, datetime) else found


def _moment(value: Any, zone: ZoneInfo) -> Any:
    """Give a moment; a date alone is none, and a time without a zone is the laboratory's."""
    found = value
    if isinstance(value, str):
        (found,), problems = dates([value], None)
        if problems:
            return _unread(problems[0])
    if not isinstance(found, datetime):
        return Unread("has no time of day", "date and time, such as 2026-11-02 14:05")
    return found if found.tzinfo is not None else local_moment(found, zone)


def _unread(problem: Problem) -> Unread:
    return Unread(problem.reason, problem.expected)


def _list(value: Any) -> list[str]:
    parts = value.replace(";", ",").split(",") if isinstance(value, str) else value
    return [str(one).strip() for one in parts if str(one).strip()]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return str(value)
