"""What a list page is described by: its columns, its filters, and what it says when it is empty (`lims.views.tables`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from lims.audit.words import term_text
from lims.domain.errors import DomainError
from lims.views.filters import choice_words, term_words

Source: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]
Cell: TypeAlias = str | dict[str, Any] | None


def as_text(value: Any) -> Cell:
    """Show a value where the column says nothing else: terms with spaces, dates as ISO text, truth as yes and no."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return term_text(str(value.value))
    return str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: where its value comes from, and how it is shown. Files get the value itself.

    `show` takes the value, or the row where `of_row` is set (columns by their key, the record's id as `key`): all of it, or
    with the columns that `of_row` names beside those of the page.
    A column that is not `on_page` waits behind the list's "Columns"; files have it. One that is `roomy` is left out where
    the window is narrow, so that a list never scrolls sideways, unless a person chose the columns.
    """

    key: str
    label: str
    source: Source
    unit: str = ""
    align: str = "start"
    mono: bool = False
    sortable: bool = True
    show: Callable[[Any], Cell] = as_text
    of_row: bool | tuple[str, ...] = False
    on_page: bool = True
    roomy: bool = False
    order: Source | None = None
    """What it is sorted by, where that is not the value itself."""
    show_of: Callable[[Sequence[Any]], Callable[[Any], Cell]] | None = None
    """Gives `show` for the rows of a page, where it needs what is looked up for all of them at once."""

    @property
    def heading(self) -> str:
        """Give the header of a file's column, with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


EVERYTHING = "any"


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the address: `condition` makes its WHERE of what was typed.

    default: what a list opens with, where the address names no filter. A list that is filtered by something else has the option
    `EVERYTHING` of it, so that who looks for one code finds it in whatever state.
    """

    key: str
    label: str
    kind: str
    condition: Callable[[str], ColumnElement[bool]]
    options: Sequence[tuple[str, str]] = ()
    default: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty table says, and the page that leads on."""

    sentence: str
    label: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list page lists. `noun` is the audit trail's word for it; `sort` a column's key, with - for descending."""

    noun: str
    caption: str
    columns: tuple[Column, ...]
    sort: str
    key: Source
    filters: tuple[Filter, ...] = ()
    page: str | Callable[[Any], str] | None = None
    """The endpoint of a row's own page (`lims.views.addresses.RECORD_PAGES`), or what gives its address."""
    empty: Empty = field(default_factory=lambda: Empty("Nothing here yet."))
    bound: Mapping[str, Any] = field(default_factory=dict)
    """Values of the parameters of the statement that is listed, which is then put together once for all of its kind."""
    keys_first: bool = False
    """Find which rows a page has before their columns are read: where columns take long, and no index has the rows in order."""
    anchor: str = ""
    """Where on the page it stands, if the page has more than the list: its links lead there."""


def search(key: str, label: str, *columns: Source) -> Filter:
    """Filter by text that any of the columns contains, in whatever case."""
    return Filter(key, label, "search", lambda typed: or_(*(column.icontains(typed, autoescape=True) for column in columns)))


def choice(key: str, label: str, column: Source, terms: Iterable[Enum], *, words: Callable[[Any], str] = term_words) -> Filter:
    """Filter by one term of a vocabulary."""
    by_code = {str(term.value): term for term in terms}

    def condition(typed: str) -> ColumnElement[bool]:
        if typed not in by_code:
            raise DomainError(f"{typed!r} is none of the choices for {label}.", expected=", ".join(by_code))
        return column == by_code[typed]

    return Filter(key, label, "select", condition, [(code, choice_words(words(term))) for code, term in by_code.items()])


def worded(options: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Begin each of some options that are words, and no codes of the laboratory, with a capital."""
    return [(code, choice_words(words)) for code, words in options]


def one_of(key: str, label: str, column: Source, options: Sequence[tuple[str, str]]) -> Filter:
    """Filter by one of some values that the page has looked up, such as a study's code."""

    def condition(typed: str) -> ColumnElement[bool]:
        return column == typed if typed in dict(options) else false()

    return Filter(key, label, "select", condition, options)


def day(key: str, label: str, column: Source, *, until: bool = False) -> Filter:
    """Filter by a date: from that day on, or up to and with it."""

    def condition(typed: str) -> ColumnElement[bool]:
        try:
            limit = date.fromisoformat(typed)
        except ValueError as refused:
            raise DomainError(f"{typed!r} is no date.", expected="year-month-day, such as 2026-11-02") from refused
        return column <= limit if until else column >= limit

    return Filter(key, label, "date", condition)
