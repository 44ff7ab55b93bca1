"""List pages: a table with filters, sort and pages in the address, and exactly that view as csv, xlsx or JSON.

A list in a view::

    ANIMALS = Listing(
        noun="animal",
        caption="Animals",
        columns=(Column("code", "Animal", Animal.code, mono=True), Column("birth_date", "Born", Animal.birth_date)),
        filters=(search("q", "Find", Animal.code, Animal.ear_tag), choice("state", "State", Animal.state, AnimalStatus)),
        sort="code",
        key=Animal.id,
        page=lambda row: url_for("animals.show", animal_id=row.key),
        empty=Empty("No animal yet.", "Upload a file", "imports.upload"),
    )

    @pages.get("/")
    @needs("project:read")
    def index() -> ResponseReturnValue:
        rows = select(Animal).where(Animal.project_id == current_project().id)
        return answer(ANIMALS, rows, "animals/index.html")

`answer` shows the template with `view` (a `TableView` for `macros/table.html`), or the file if `?format=` asks for one.
Two queries a page, whatever its length. Only columns named here are sorted by, only filters named here are applied.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from math import ceil
from typing import Any, TypeAlias
from urllib.parse import urlencode

from flask import Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Row, Select, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.audit.record import declare
from lims.db import Database
from lims.domain.errors import DomainError
from lims.exports.tables import FORMATS
from lims.views.support import current_actor, current_project, current_session, whole_number
from lims.views.transaction import installation

PAGE_ROWS = 50
STREAMED_ROWS = 1_000
Source: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]
Cell: TypeAlias = str | dict[str, Any] | None


def as_text(value: Any) -> Cell:
    """Show a value where the column says nothing else: terms with spaces, dates as ISO text, truth as yes and no."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    return str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where its value comes from, and how it is shown. Files get the value itself.

    `show` takes the value, or the whole row where `of_row` is set (other columns by their key, the record's id as `key`).
    A column that is not `on_page` stands in files only, such as a sheet and row that the page shows as one address.
    """

    key: str
    label: str
    source: Source
    unit: str = ""
    align: str = "start"
    mono: bool = False
    sortable: bool = True
    show: Callable[[Any], Cell] = as_text
    of_row: bool = False
    on_page: bool = True
    order: Source | None = None
    """What it is sorted by, where that is not the value itself."""

    @property
    def heading(self) -> str:
        """Give the header of a file's column, with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the address: `condition` makes its WHERE of what was typed."""

    key: str
    label: str
    kind: str
    condition: Callable[[str], ColumnElement[bool]]
    options: Sequence[tuple[str, str]] = ()


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
    page: Callable[[Any], str] | None = None
    empty: Empty = field(default_factory=lambda: Empty("Nothing here yet."))


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """A filter with what is set in it."""

    key: str
    label: str
    kind: str
    value: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TableView:
    """What `macros/table.html` draws."""

    caption: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    filters: list[ShownFilter]
    total: int
    page: int
    pages: int
    sort: str
    descending: bool
    empty: Mapping[str, str | None]
    arguments: Mapping[str, str]

    def url(self, **changes: Any) -> str:
        """Give this page's address with parts of the query changed; None takes one away."""
        merged = {**self.arguments, **changes}
        query = urlencode({key: value for key, value in merged.items() if value not in (None, "")})
        return f"{request.path}?{query}" if query else request.path

    @property
    def exports(self) -> list[tuple[str, str]]:
        """Give the links to this very view as files."""
        return [(name, self.url(format=name, page=None)) for name in FORMATS]


def search(key: str, label: str, *columns: Source) -> Filter:
    """Filter by text that any of the columns contains, in whatever case."""
    return Filter(key, label, "search", lambda typed: or_(*(column.icontains(typed, autoescape=True) for column in columns)))


def choice(key: str, label: str, column: Source, terms: Iterable[Enum]) -> Filter:
    """Filter by one term of a vocabulary."""
    by_code = {str(term.value): term for term in terms}

    def condition(typed: str) -> ColumnElement[bool]:
        if typed not in by_code:
            raise DomainError(f"{typed!r} is none of the choices for {label}.", expected=", ".join(by_code))
        return column == by_code[typed]

    return Filter(key, label, "select", condition, [(code, code.replace("_", " ")) for code in by_code])


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


def _arguments(listing: Listing) -> dict[str, str]:
    """Give what the address says of this table, and nothing else that stands in it."""
    known = {"sort", "page", *(one.key for one in listing.filters)}
    given = {key: value.strip() for key, value in request.args.items() if key in known and value.strip()}
    for key, value in given.items():
        if any(unicodedata.category(character) == "Cc" for character in value):
            raise DomainError(f"The filter {key} contains characters that cannot be typed.", remedy="Type it again by hand.")
    return given


def _sorting(listing: Listing, asked: str) -> tuple[str, bool, ColumnElement[Any]]:
    """Give key, direction and expression to sort by; a column that is not there or not sortable falls back to the usual one."""
    sortable = {column.key: column for column in listing.columns if column.sortable}
    chosen = asked if asked.removeprefix("-") in sortable else listing.sort
    descending, key = chosen.startswith("-"), chosen.removeprefix("-")
    column = sortable[key]
    source = column.source if column.order is None else column.order
    return key, descending, source.desc() if descending else source.asc()


def _selected(listing: Listing, rows: Select[Any], arguments: Mapping[str, str]) -> Select[Any]:
    conditions = [one.condition(arguments[one.key]) for one in listing.filters if one.key in arguments]
    columns = [column.source.label(column.key) for column in listing.columns]
    return rows.with_only_columns(*columns, listing.key.label("key"), maintain_column_froms=True).where(*conditions)


def _count(session: Session, selected: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(selected.order_by(None).subquery())) or 0


def _page_number(arguments: Mapping[str, str], pages: int) -> int:
    return min(whole_number(arguments.get("page")) or 1, pages)


def _shown(listing: Listing, row: Row[Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {
        column.key: column.show(row if column.of_row else value) for column, value in zip(listing.columns, row, strict=False)
    }
    if listing.page:
        cells["_url"] = listing.page(row)
    return cells


def table_from_query(session: Session, listing: Listing, rows: Select[Any], *, count: Select[Any] | None = None) -> TableView:
    """Make the page of the table that the address asks for: two queries.

    `rows` selects what to list, scoped to the project, with the joins that the columns need; its own columns do not matter.
    `count` is a cheaper statement for how many rows there are, asked where no filter is set.

    Raises:
        DomainError: a filter holds something it cannot mean.
    """
    arguments = _arguments(listing)
    selected = _selected(listing, rows, arguments)
    filtered = any(one.key in arguments for one in listing.filters)
    total = _count(session, selected) if filtered or count is None else session.scalar(count) or 0
    pages = max(ceil(total / PAGE_ROWS), 1)
    page = _page_number(arguments, pages)
    key, descending, order = _sorting(listing, arguments.get("sort", ""))
    found = session.execute(selected.order_by(None).order_by(order, listing.key).limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS))
    empty = listing.empty
    filtered = any(one.key in arguments for one in listing.filters)
    leads_on = not filtered and empty.endpoint in current_app.view_functions
    return TableView(
        caption=listing.caption,
        columns=tuple(column for column in listing.columns if column.on_page),
        rows=[_shown(listing, row) for row in found],
        filters=[ShownFilter(one.key, one.label, one.kind, arguments.get(one.key, ""), one.options) for one in listing.filters],
        total=total,
        page=page,
        pages=pages,
        sort=key,
        descending=descending,
        empty={
            "sentence": "Nothing fits these filters." if filtered else empty.sentence,
            "label": empty.label if leads_on else None,
            "url": url_for(str(empty.endpoint)) if leads_on else None,
        },
        arguments=arguments,
    )


def answer(
    listing: Listing, rows: Select[Any], template: str, *, count: Select[Any] | None = None, **context: Any
) -> ResponseReturnValue:
    """Show a list page, or send exactly its view as a file where the address has `?format=csv`, `xlsx` or `json`."""
    asked = request.args.get("format")
    if asked is None:
        return render_template(template, view=table_from_query(current_session(), listing, rows, count=count), **context)
    if asked not in FORMATS:
        raise DomainError(f"{asked!r} is no format for this table.", expected=", ".join(FORMATS))
    return _as_file(listing, rows, asked, current_project().id if g.get("project_code") else None)


def table_from_rows(
    caption: str, columns: tuple[Column, ...], rows: Sequence[Mapping[str, Any]], empty: str, keep: Sequence[str] = ()
) -> TableView:
    """Make the page of a table whose rows no single statement gives, each a value by column; its columns have no source.

    `keep` names what else of the address belongs to the page. `_url` in a row is its record's page.
    """
    arguments = {key: request.args[key] for key in keep if request.args.get(key)}
    pages = max(ceil(len(rows) / PAGE_ROWS), 1)
    page = _page_number(request.args, pages)
    shown = [
        {one.key: one.show(row if one.of_row else row[one.key]) for one in columns} | {"_url": row.get("_url")}
        for row in rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    ]
    nothing = {"sentence": empty, "label": None, "url": None}
    return TableView(caption, columns, shown, [], len(rows), page, pages, "", descending=False, empty=nothing, arguments=arguments)


def send_rows(
    noun: str, caption: str, columns: tuple[Column, ...], rows: Sequence[Mapping[str, Any]], name: str, detail: Mapping[str, Any]
) -> Response:
    """Send a table of rows as a file, and say so in the audit trail.

    Raises:
        DomainError: there is no such format.
    """
    if name not in FORMATS:
        raise DomainError(f"{name!r} is no format for this table.", expected=", ".join(FORMATS))
    content_type, write = FORMATS[name]
    values = ([row[column.key] for column in columns] for row in rows)
    sent = write([column.heading for column in columns], values)
    return send_file_of(noun, f"{caption}.{name}", sent, content_type, {"rows": len(rows), "format": name, **detail})


def send_file_of(noun: str, name: str, content: Iterable[bytes], content_type: str, detail: Mapping[str, Any]) -> Response:
    """Send something of the project as a file, and say so in the audit trail."""
    with installation().database.transaction() as writing:
        declare(writing, current_actor(), f"{noun}:export", project=current_project().id, detail=dict(detail))
    response = Response(content, content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _as_file(listing: Listing, rows: Select[Any], name: str, project: int | None) -> Response:
    arguments = _arguments(listing)
    _, _, order = _sorting(listing, arguments.get("sort", ""))
    selected = _selected(listing, rows, arguments).order_by(None).order_by(order, listing.key)
    # The file is written while it is sent, when the request's own session is closed: hence one of its own, in which
    # count and rows are of the same moment.
    with ExitStack() as stack:
        session = stack.enter_context(_snapshot(installation().database))
        total = _count(session, selected)
        with installation().database.transaction() as writing:
            detail = {"rows": total, "format": name, **arguments}
            declare(writing, current_actor(), f"{listing.noun}:export", project=project, detail=detail)
        content_type, write = FORMATS[name]
        headings = [column.heading for column in listing.columns]
        found = session.execute(selected.execution_options(yield_per=STREAMED_ROWS))
        response = Response(write(headings, (row[:-1] for row in found)), content_type=content_type)
        response.headers.set("Content-Disposition", "attachment", filename=f"{listing.caption}.{name}")
        response.call_on_close(stack.pop_all().close)
    return response


def _snapshot(database: Database) -> Session:
    session = database.reader()
    if database.dialect == "postgresql":  # SQLite reads one moment as it is
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session
