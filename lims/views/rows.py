"""The rows of every table, drawn here and not in a template: a page has hundreds of cells, and most of them are a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, url_for
from markupsafe import Markup, escape

from lims.views.marks import SPRITE, arm_badge, bar, status_badge

_LONGEST_WORD = 23
KEPT_CELLS = 8192
"""Texts that were drawn last: dates, states and cages stand in row after row, and on page after page."""


def table_rows(rows: Iterable[Mapping[str, Any]], styles: Iterable[tuple[str, str]]) -> Markup:
    """Draw the body of a table (`templates/macros/table.html`, which says what a cell is).

    styles: each column's key with the classes of its cells. The first column leads to the record's page, `row["_url"]`.
    """
    columns, sprite = list(styles), url_for("static", filename=SPRITE)
    drawn = []
    for row in rows:
        page = row.get("_url")
        drawn.append("<tr>")
        for key, classes in columns:
            cell = row.get(key)
            if type(cell) is str and page is None:
                drawn.append(_text_cell(classes, cell))
                continue
            if isinstance(cell, dict):
                # Most are a badge, which stands in row after row as well.
                alone = page is None and "url" not in cell
                drawn.append(_mark_cell(sprite, classes, *cell.items()) if alone else _rich_cell(classes, cell, page))
            else:
                drawn.append(f"{_opening(classes, cell)}{_plain(cell, page)}</td>")
            page = None
        drawn.append("</tr>\n")
    return Markup("".join(drawn))  # noqa: S704  # each cell was escaped where it was drawn


@lru_cache(KEPT_CELLS)
def _text_cell(classes: str, text: str) -> str:
    return f"{_opening(classes, text)}{escape(text)}</td>"


@lru_cache(KEPT_CELLS)
def _mark_cell(sprite: str, classes: str, *cell: tuple[str, Any]) -> str:
    """Draw a cell that leads nowhere. sprite: where its icon comes from, of which there is one address within the application."""
    return _rich_cell(classes, dict(cell), None)


def _rich_cell(classes: str, cell: Mapping[str, Any], page: str | None) -> str:
    text = cell.get("text")
    return f"{_opening(classes, text)}{_rich(cell, text, page)}</td>"


def _opening(classes: str, text: Any) -> str:
    return _of_classes(f"{classes} whole" if _is_whole(text) else classes)


@lru_cache(256)
def _of_classes(classes: str) -> str:
    named = " ".join(classes.split())
    return f'<td class="{named}">' if named else "<td>"


def _is_whole(text: Any) -> bool:
    """Tell whether a cell is never broken over two lines: a word that is not too long, or a time."""
    if not isinstance(text, str):
        return False
    if " " not in text:
        return len(text) <= _LONGEST_WORD
    return len(text) == len("YYYY-MM-DD HH:MM") and text[10] == " " and text[13] == ":"


def _plain(text: Any, page: str | None) -> str:
    shown = "" if text is None else escape(text)
    return f'<a href="{escape(page)}" data-row-link>{shown}</a>' if page else shown


def _rich(cell: Mapping[str, Any], text: Any, page: str | None) -> str:
    """Draw a cell that is more than a text; the way to the row's own page goes before the cell's."""
    shown = _marked(cell, text)
    if page:
        return f'<a href="{escape(page)}" data-row-link>{shown}</a>'
    return f'<a href="{escape(cell["url"])}">{shown}</a>' if cell.get("url") else shown


def _marked(cell: Mapping[str, Any], text: Any) -> str:
    if cell.get("badge"):
        return status_badge(cell["badge"], text)
    if cell.get("arm"):
        return arm_badge(text, cell["arm"])
    shown = "" if text is None else escape(text)
    if cell.get("part"):
        return f'<span class="whole">{bar(*cell["part"])} {shown}</span>'
    if cell.get("tone"):
        return f'<span class="text-tone tone-{cell["tone"]}">{shown}</span>'
    if cell.get("place"):
        return f'<span data-place="{escape(cell["place"])}">{shown}</span>'
    return f'<span title="{escape(cell["title"])}">{shown}</span>' if cell.get("title") else shown


def options(choices: Iterable[tuple[Any, str]], chosen: Any) -> Markup:
    """Draw the options of a filter, of which a list of studies has hundreds."""
    now = str(chosen)
    drawn = [_option(value, label, selected=str(value) == now) for value, label in choices]
    return Markup("".join(drawn))  # noqa: S704  # each part was escaped where it was drawn


@lru_cache(KEPT_CELLS, typed=True)
def _option(value: Any, label: str, *, selected: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if selected else ""}>{escape(label)}</option>'


def install(app: Flask) -> None:
    """Make them known to the templates."""
    app.add_template_global(table_rows)
    app.add_template_global(options)
