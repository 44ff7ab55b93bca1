"""List pages: a table with filters, sort and pages in the address, and exactly that view as csv, xlsx or JSON.

A list in a view::

    ANIMALS = Listing(
        noun="animal",
        caption="Animals",
        columns=(Column("code", "Animal", Animal.code, mono=True), Column("birth_date", "Born", Animal.birth_date)),
        filters=(search("q", "Find", Animal.code, Animal.ear_tag), choice("state", "State", Animal.state, AnimalStatus)),
        sort="code",
        key=Animal.id,
        page="animals.show",
        empty=Empty("No animal yet.", "Upload a file", "imports.upload"),
    )

    @pages.get("/")
    @needs("project:read")
    def index() -> ResponseReturnValue:
        rows = select(Animal).where(Animal.project_id == current_project().id)
        return answer(lambda: (ANIMALS, rows), "animals/index.html")

`answer` shows the template with `view` (a `TableView` for `macros/table.html`), or the file if `?format=` asks for one. The view
is kept for as long as nothing is recorded (`lims.views.kept`), and the list with its choices is asked for where it is not.
Two queries a page, whatever its length. Only columns named here are sorted by, only filters named here are applied.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Any

from flask import Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import BigInteger, ColumnElement, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from lims.audit.record import declare
from lims.domain.errors import DomainError
from lims.exports.tables import FORMATS
from lims.queries.scope import LARGEST_ID
from lims.records.registries import REGISTRIES
from lims.views.addresses import numbered
from lims.views.downloads import attach
from lims.views.kept import kept_page
from lims.views.listing import EVERYTHING, Cell, Column, Empty, Filter, Listing, Source, as_text, choice, day, one_of, search
from lims.views.support import current_actor, current_project, current_session, whole_number
from lims.views.table_view import ColumnChoice, ShownFilter, TableView
from lims.views.transaction import installation

__all__ = [
    "EVERYTHING",
    "Cell",
    "Column",
    "Empty",
    "Filter",
    "Listing",
    "Source",
    "TableView",
    "answer",
    "as_text",
    "choice",
    "day",
    "one_of",
    "search",
    "send_file_of",
    "send_rows",
    "table_from_query",
    "table_from_rows",
]

PAGE_ROWS = 50
COUNTED_ROWS = 5_000
"""A list counts so far, and says of more that there are more: counting a million readings takes longer than their page."""
STREAMED_ROWS = 1_000
MOST_COLUMNS = 8
"""Columns on a page; files have no such limit."""


def _arguments(listing: Listing) -> dict[str, str]:
    """Give what the address says of this table, and nothing else that stands in it."""
    filters = {one.key for one in listing.filters}
    given = {key: value.strip() for key, value in request.args.items() if key in {"sort", "page", *filters} and value.strip()}
    for key, value in given.items():
        if any(unicodedata.category(character) == "Cc" for character in value):
            raise DomainError(f"The filter {key} contains characters that cannot be typed.", remedy="Type it again by hand.")
    elsewhere = bool(filters & request.args.keys())
    unsaid = [one for one in listing.filters if one.default and one.key not in given]
    given |= {one.key: EVERYTHING if elsewhere else one.default for one in unsaid}
    asked = set(",".join(request.args.getlist("columns")).split(","))
    if chosen := [column.key for column in listing.columns[1:] if column.key in asked]:
        given["columns"] = ",".join(chosen)
    return given


def _columns(listing: Listing, arguments: Mapping[str, str]) -> tuple[Column, ...]:
    """Give the columns that were chosen, in the list's order, or all of them; the first one leads to the record and stays."""
    chosen = arguments.get("columns", "").split(",")
    found = tuple(replace(column, on_page=True, roomy=False) for column in listing.columns[1:] if column.key in chosen)
    return (listing.columns[0], *found) if found else listing.columns


def _choices(listing: Listing, shown: Sequence[Column]) -> list[ColumnChoice]:
    keys = {column.key for column in shown}
    choices = [ColumnChoice(one.key, one.label, one.key in keys, one.roomy) for one in listing.columns[1:]]
    return choices if any(not column.on_page for column in listing.columns) else []


def _sorting(listing: Listing, asked: str) -> tuple[str, bool, Source]:
    """Give key, direction and what to sort by; a column that is not there or not sortable falls back to the usual one."""
    sortable = {column.key: column for column in listing.columns if column.sortable}
    chosen = asked if asked.removeprefix("-") in sortable else listing.sort
    descending, key = chosen.startswith("-"), chosen.removeprefix("-")
    column = sortable[key]
    return key, descending, column.source if column.order is None else column.order


def _selected(listing: Listing, rows: Select[Any], arguments: Mapping[str, str]) -> Select[Any]:
    conditions = tuple(one.condition(arguments[one.key]) for one in listing.filters if one.key in arguments)
    named = tuple((column.key, column.source) for column in listing.columns)
    return _narrowed(_with_columns(rows, (*named, ("key", listing.key))), conditions)


# Statements are put together once where a list keeps its parts, and their cache keys with them.


@lru_cache(maxsize=256)
def _with_columns(rows: Select[Any], named: tuple[tuple[str, Source], ...]) -> Select[Any]:
    labelled = [source.label(key) for key, source in named]
    return rows.with_only_columns(*labelled, maintain_column_froms=True).order_by(None)


@lru_cache(maxsize=256)
def _narrowed(selected: Select[Any], conditions: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    return selected.where(*conditions)


@lru_cache(maxsize=256)
def _ordered(selected: Select[Any], source: Source, key: Source, *, descending: bool) -> Select[Any]:
    return selected.order_by(source.desc() if descending else source.asc(), key)


@lru_cache(maxsize=256)
def _of_page(selected: Select[Any], source: Source, key: Source, *, descending: bool) -> Select[Any]:
    ordered = _ordered(selected, source, key, descending=descending)
    return ordered.limit(bindparam("most", type_=BigInteger())).offset(bindparam("before", type_=BigInteger()))


@lru_cache(maxsize=256)
def _keys_first(rows: Select[Any], selected: Select[Any], source: Source, key: Source, *, descending: bool) -> Select[Any]:
    """Select the rows of a page, each with how many there are: whoever sorts all of them has counted them."""
    keys = selected.with_only_columns(key.label("key"), func.count().over().label("counted"), maintain_column_froms=True)
    on_page = _of_page(keys, source, key, descending=descending).subquery()
    listed = rows.join(on_page, on_page.c.key == key).add_columns(on_page.c.counted)
    return _ordered(listed, source, key, descending=descending)


@lru_cache(maxsize=256)
def _counting(selected: Select[Any], key: Source) -> Select[int]:
    """Count the rows up to a number, without what their columns take: what nothing is read from, the engines need not join."""
    rows = selected.with_only_columns(key, maintain_column_froms=True).limit(bindparam("most", type_=BigInteger()))
    return select(func.count()).select_from(rows.subquery())


def _paged(listing: Listing, rows: Select[Any], selected: Select[Any], order: Source, *, descending: bool) -> Select[Any]:
    """Select the rows of a page, `most` of them after those `before` it."""
    if listing.keys_first:
        return _keys_first(_selected(listing, rows, {}), selected, order, listing.key, descending=descending)
    return _of_page(selected, order, listing.key, descending=descending)


def _page(session: Session, listing: Listing, paged: Select[Any], number: int) -> Sequence[Row[Any]]:
    place = {"most": PAGE_ROWS, "before": (number - 1) * PAGE_ROWS}
    # Columns need no unit of work, which costs as much as the statement.
    return session.connection().execute(paged, {**listing.bound, **place}).all()


def _count(session: Session, listing: Listing, selected: Select[Any], most: int = LARGEST_ID) -> int:
    return session.connection().scalar(_counting(selected, listing.key), {**listing.bound, "most": most}) or 0


def _found(session: Session, listing: Listing, paged: Select[Any], number: int) -> tuple[Sequence[Row[Any]], int | None]:
    """Give the rows of a page, and how many there are in all where that is known by then; of a later page of most lists, none."""
    if number > 1 and not listing.keys_first:
        return [], None
    found = _page(session, listing, paged, number)
    if listing.keys_first and found:
        return found, int(found[0].counted)
    return found, len(found) if number == 1 and len(found) < PAGE_ROWS else None


def _needed(listing: Listing, shown: Sequence[Column]) -> Listing:
    """Give the list with the columns of the page, and behind them those that one of them looks at."""
    here = {column.key for column in shown}
    whole = any(column.of_row is True for column in shown)
    read = {key for column in shown if isinstance(column.of_row, tuple) for key in column.of_row}
    behind = (column for column in listing.columns if column.key not in here and (whole or column.key in read))
    return replace(listing, columns=(*shown, *behind))


def _page_number(arguments: Mapping[str, str], pages: int) -> int:
    return min(whole_number(arguments.get("page")) or 1, pages)


def _shown(listing: Listing, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Show the rows of a page: each a cell by column, and `_url` where a row has a page."""
    shows = [(one.key, one.of_row, one.show if one.show_of is None else one.show_of(rows)) for one in listing.columns]
    shown: list[dict[str, Any]] = [
        {key: show(row if of_row else value) for (key, of_row, show), value in zip(shows, row, strict=False)} for row in rows
    ]
    page = _by_key(listing.page) if isinstance(listing.page, str) else listing.page
    if page:
        for cells, row in zip(shown, rows, strict=True):
            cells["_url"] = page(row)
    return shown


def _by_key(endpoint: str) -> Callable[[Any], str]:
    address = numbered(endpoint)
    return lambda row: address(row.key)


def table_from_query(session: Session, listing: Listing, rows: Select[Any]) -> TableView:
    """Make the page of the table that the address asks for: its rows, and how many there are where they are not all of them.

    `rows` selects what to list, scoped to the project, with the joins that the columns need; its own columns do not matter.

    Raises:
        DomainError: a filter holds something it cannot mean.
    """
    arguments = _arguments(listing)
    shown = tuple(column for column in _columns(listing, arguments) if column.on_page)[:MOST_COLUMNS]
    needed = _needed(listing, shown)
    selected = _selected(needed, rows, arguments)
    filtered = any(one.key in arguments for one in listing.filters)
    key, descending, order = _sorting(listing, arguments.get("sort", ""))
    paged = _paged(needed, rows, selected, order, descending=descending)
    asked = whole_number(arguments.get("page")) or 1
    # Far enough to say that there is another page, wherever one stands.
    most = max(COUNTED_ROWS, asked * PAGE_ROWS)
    found, counted = _found(session, listing, paged, asked)
    if counted is None:
        counted = _count(session, listing, selected, most + 1)
    pages = max(ceil(min(counted, most + 1) / PAGE_ROWS), 1)
    page = min(asked, pages)
    if counted and not found:
        found = _page(session, listing, paged, page)
    none_at_all = not counted and not (filtered and _count(session, listing, _selected(listing, rows, {}), 1))
    return TableView(
        caption=listing.caption,
        columns=shown,
        rows=_shown(needed, found),
        filters=[_shown_filter(one, arguments) for one in listing.filters],
        total=min(counted, most),
        page=page,
        pages=pages,
        sort=key,
        descending=descending,
        empty=_empty(listing.empty, none_at_all=none_at_all),
        arguments=arguments,
        workbook=_workbook(listing),
        choices=_choices(listing, shown),
        anchor=listing.anchor,
        more=counted > most,
    )


def _workbook(listing: Listing) -> str | None:
    """Give where a registry's templates are, on the page that lists all of it."""
    whole = (request.endpoint or "").endswith(".index") and listing.noun in REGISTRIES
    return url_for("templates.index", _anchor=listing.noun) if whole and "templates.index" in current_app.view_functions else None


def _shown_filter(one: Filter, arguments: Mapping[str, str]) -> ShownFilter:
    return ShownFilter(one.key, one.label, one.kind, arguments.get(one.key, ""), one.options, one.default)


def _empty(empty: Empty, *, none_at_all: bool) -> dict[str, str | None]:
    if not none_at_all:
        return {"sentence": "Nothing fits these filters.", "label": None, "url": None}
    leads_on = empty.endpoint in current_app.view_functions
    return {
        "sentence": empty.sentence,
        "label": empty.label if leads_on else None,
        "url": url_for(str(empty.endpoint)) if leads_on else None,
    }


def answer(
    listed: Callable[[], tuple[Listing, Select[Any]]],
    template: str,
    context: Callable[[], Mapping[str, Any]] = dict,
    *,
    keeps: bool = True,
) -> ResponseReturnValue:
    """Show a list page, or send exactly its view as a file where the address has `?format=csv`, `xlsx` or `json`.

    context: gives what else the template draws. keeps: the page tells of audited records alone, and is the same for all of a role.
    """

    def drawn_from() -> dict[str, Any]:
        return {"view": table_from_query(current_session(), *listed()), **context()}

    asked = request.args.get("format")
    if asked is None:
        return kept_page(template, drawn_from) if keeps else render_template(template, **drawn_from())
    if asked not in FORMATS:
        raise DomainError(f"{asked!r} is no format for this table.", expected=", ".join(FORMATS))
    return _as_file(*listed(), asked, current_project().id if g.get("project_code") else None)


def table_from_rows(
    caption: str,
    columns: tuple[Column, ...],
    rows: Sequence[Mapping[str, Any]],
    empty: str,
    keep: Sequence[str] = (),
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
    return attach(Response(content, content_type=content_type), name)


def _as_file(listing: Listing, rows: Select[Any], name: str, project: int | None) -> Response:
    arguments = _arguments(listing)
    _, descending, order = _sorting(listing, arguments.get("sort", ""))
    chosen = replace(listing, columns=_columns(listing, arguments))
    selected = _ordered(_selected(chosen, rows, arguments), order, listing.key, descending=descending)
    # The file is written while it is sent, when the request's own session is closed: hence one of its own, in which
    # count and rows are of the same moment.
    with ExitStack() as stack:
        session = stack.enter_context(installation().database.reader())
        total = _count(session, listing, selected)
        with installation().database.transaction() as writing:
            detail = {"rows": total, "format": name, **arguments}
            declare(writing, current_actor(), f"{listing.noun}:export", project=project, detail=detail)
        content_type, write = FORMATS[name]
        headings = [column.heading for column in chosen.columns]
        found = session.execute(selected.execution_options(yield_per=STREAMED_ROWS), listing.bound)
        response = attach(
            Response(write(headings, (row[:-1] for row in found)), content_type=content_type), f"{listing.caption}.{name}"
        )
        response.call_on_close(stack.pop_all().close)
    return response
