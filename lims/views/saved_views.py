"""Views of lists that people save for themselves: saved, opened and removed from the list's own page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, current_app, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.errors import DomainError, NotFound, told
from lims.queries.views import own_view, views_of
from lims.records.views import LONGEST_QUERY, remove_view, save_view
from lims.views.kept import keep, keepable
from lims.views.support import current_account, current_actor, current_project, current_session, needs

pages = Blueprint("views", __name__, url_prefix="/p/<project_code>/views")

_NOT_SAVED = frozenset({"page", "format"})
"""What an address says beside filters and order."""


@dataclass(frozen=True, slots=True)
class OwnView:
    """A saved view, and whether the page shows it now."""

    id: int
    name: str
    url: str
    shown: bool


@dataclass(frozen=True, slots=True)
class ViewMenu:
    """What the menu of a list offers: one's own views, and to save the list as it is now."""

    endpoint: str
    query: str
    views: list[OwnView]


@pages.post("/")
@needs("project:read")
def save() -> ResponseReturnValue:
    """Save a list as it is shown."""
    endpoint, query = request.form.get("endpoint", ""), _filters(request.form.get("query", ""))
    back = _list_url(endpoint, query)
    name = request.form.get("name", "")
    try:
        view = save_view(current_session(), current_actor(), current_project().id, endpoint=endpoint, name=name, query=query)
        flash(f"“{view.name}” was saved: it stands under Views of this list.", "success")
    except DomainError as refused:
        current_session().rollback()
        flash(f"The view was not saved. {told(refused)}", "error")
    return redirect(back)


@pages.post("/<int:view_id>/remove")
@needs("project:read")
def remove(view_id: int) -> ResponseReturnValue:
    """Remove one's own view, and show the list."""
    view = own_view(current_session(), current_project().id, current_account().id, view_id)
    remove_view(current_session(), current_actor(), view)
    flash(f"“{view.name}” was removed.", "success")
    return redirect(_list_url(view.endpoint, ""))


@pages.app_template_global()
def can_be_saved() -> bool:
    """Tell whether this page is a list, of which views are saved; not one where the table is part of a record's page."""
    return bool(g.get("project_code") and request.endpoint and not request.view_args)


@pages.app_template_global()
def saved_views(caption: str, arguments: Mapping[str, str]) -> str:
    """Draw the menu of a list, whose views are kept for their person: one query."""
    read = partial(_menu, arguments)
    menu = keep(("views", current_account().id), read, _room) if keepable() else read()
    macros: Any = current_app.jinja_env.get_template("macros/table.html").module
    return str(macros.views_menu(caption, menu))


def _menu(arguments: Mapping[str, str]) -> ViewMenu:
    endpoint = request.endpoint or ""
    now = _filters(urlencode(arguments))
    found = views_of(current_session(), current_project().id, current_account().id, endpoint)
    own = [OwnView(one.id, one.name, _list_url(one.endpoint, one.query), one.query == now) for one in found]
    return ViewMenu(endpoint, now, own)


def _room(menu: ViewMenu) -> int:
    return len(menu.query) + sum(len(one.name) + len(one.url) for one in menu.views) + 1


def _filters(query: str) -> str:
    """Give the filters and the order of an address, in one spelling; the list itself judges them when it is opened."""
    try:
        given = parse_qsl(query[: 2 * LONGEST_QUERY], max_num_fields=50)
    except ValueError as refused:
        raise DomainError("These are more filters than any list has.") from refused
    return urlencode(sorted((key, value) for key, value in given if key not in _NOT_SAVED))


def _list_url(endpoint: str, query: str) -> str:
    """Give the address of a list, which is a page of the project that needs nothing else."""
    rules = current_app.url_map.iter_rules(endpoint) if endpoint in current_app.view_functions else ()
    if not any(rule.arguments == {"project_code"} and "GET" in (rule.methods or ()) for rule in rules):
        raise NotFound("There is no such list.")
    return url_for(endpoint) + (f"?{query}" if query else "")
