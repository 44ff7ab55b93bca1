"""Pages that are drawn once: what was drawn stays right for as long as nothing was recorded since.

Every change of a record ends the trail with an event (`lims.audit.guard` refuses any other), and the hash of that event
covers all that came before it. So what an address shows a role on a day is the same until the last of them is another::

    return kept_page("studies/arms.html", lambda: {"study": study_named(study_id), …})

What a page is drawn from is read inside that function, so that nothing is read where the page is kept. What is one person's or
one session's, or is not audited, such as jobs, a template draws through `own`::

    {{ own(frame_header) }}

and it is drawn each time, into the place that was left for it. Nothing else may hold a form. A reading session sees one moment
of the database (`lims.db`), so the last event and what is drawn are of one and the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from flask import Flask, g, render_template, request
from markupsafe import Markup

from lims.queries.audit import last_change
from lims.records.values import today
from lims.views.support import current_project, current_session
from lims.views.transaction import READING_METHODS, installation

LONGEST_ADDRESS = 500
PLACE = Markup("<!--own-->")
"""Stands in a page that is kept for what is drawn each time; what people typed is escaped and never reads like this."""
Part = TypeVar("Part")
Own = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as it is kept: what is the same for all of a role, and what comes between its pieces."""

    pieces: list[str]
    own: list[Own]

    def filled(self) -> str:
        """Give the page with what is drawn each time."""
        rest = (part for draw, piece in zip(self.own, self.pieces[1:], strict=True) for part in (draw(), piece))
        return "".join((self.pieces[0], *rest))


def kept_page(template: str, context: Callable[[], Mapping[str, Any]]) -> str:
    """Give the page, or part of one, at this address; `context` reads what it is drawn from, and is called where it is drawn."""
    if not keepable():
        return render_template(template, **context())
    return keep("page", partial(_drawn, template, context), _characters).filled()


def _drawn(template: str, context: Callable[[], Mapping[str, Any]]) -> Drawn:
    read = context()
    g.own = []
    try:
        text = render_template(template, **read)
    finally:
        own: list[Own] = g.pop("own")
    if 'name="csrf_token"' in text:
        raise RuntimeError(f"The page of {request.endpoint} holds a form, which is one session's: it cannot be kept.")
    return Drawn(text.split(PLACE), own)


def _characters(drawn: Drawn) -> int:
    return sum(map(len, drawn.pieces))


def own(draw: Callable[..., str], *args: Any) -> Markup:
    """Draw what is one person's, or of this moment; in a page that is kept, leave its place."""
    if "own" not in g:
        return Markup(draw(*args))  # noqa: S704  # as its macro escaped it
    g.own.append(partial(draw, *args))
    return PLACE


def keepable() -> bool:
    """Tell whether what this address shows can be kept: it is read, belongs to a project, and is none of endless many."""
    return request.method in READING_METHODS and len(request.full_path) <= LONGEST_ADDRESS and bool(g.get("project_code"))


def recorded_last() -> str:
    """Name the state of the records that this request sees, for what is kept until the next one."""
    if "trail_ends" not in g:
        g.trail_ends = last_change(current_session(), current_project().id)
    head: str = g.trail_ends
    return head


def keep(name: Hashable, make: Callable[[], Part], characters: Callable[[Part], int]) -> Part:
    """Give what `make` gives at this address (`keepable`), as it was made, or made now. characters: how much room it takes."""
    shelf, head = installation().shelf, recorded_last()
    key = (name, request.script_root, request.full_path, current_project().role, today(current_session()))
    found: Part | None = shelf.take(key, head)
    if found is None:
        found = make()
        shelf.put(key, head, found, characters(found))
    return found


def install(app: Flask) -> None:
    """Let templates leave room for what is not kept."""
    app.add_template_global(own)
