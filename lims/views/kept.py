"""Parts of pages that are drawn once: what was drawn stays right for as long as nothing was recorded since.

Every change of a record ends the trail with an event (`lims.audit.guard` refuses any other), and the hash of that event
covers all that came before it. So what an address shows a role on a day is the same until the last of them is another::

    {% call kept("overview") %}{% set shown = overview() %}…{% endcall %}

What a part is drawn from is called inside it, so that nothing is read where it is kept. No part may hold a form or anything
else of one person or session, nor what is not audited: jobs, findings of a check, or the time of day. A reading session sees
one moment of the database (`lims.db`), so the last event and what is drawn are of one and the same. Lists are kept as what
their template draws from (`lims.views.tables.answer`), since their headings tell how long they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from flask import Flask, g, request
from markupsafe import Markup

from lims.queries.audit import last_change
from lims.records.values import today
from lims.views.support import current_project, current_session
from lims.views.transaction import READING_METHODS, installation

LONGEST_ADDRESS = 500
Part = TypeVar("Part")


def kept(name: str, *, unless: bool = False, caller: Callable[[], Markup]) -> Markup:
    """Give a part of the page at this address: as it was drawn, or drawn now; `unless` it is one that cannot be kept."""

    def draw() -> Markup:
        drawn = caller()
        if can_keep and 'name="csrf_token"' in drawn:
            raise RuntimeError(f"Part {name!r} of {request.endpoint} holds a form, which is one session's: it cannot be kept.")
        return drawn

    can_keep = not unless and keepable()
    return keep(name, draw, len) if can_keep else draw()


def keepable() -> bool:
    """Tell whether this address can have parts that are kept: it is read, belongs to a project, and is none of endless many."""
    return request.method in READING_METHODS and len(request.full_path) <= LONGEST_ADDRESS and bool(g.get("project_code"))


def keep(name: Hashable, make: Callable[[], Part], characters: Callable[[Part], int]) -> Part:
    """Give what `make` gives at this address (`keepable`), as it was made, or made now. characters: how much room it takes."""
    if "trail_ends" not in g:
        g.trail_ends = last_change(current_session(), current_project().id)
    shelf = installation().shelf
    key = (name, request.script_root, request.full_path, current_project().role, today(current_session()))
    found: Part | None = shelf.take(key, g.trail_ends)
    if found is None:
        found = make()
        shelf.put(key, g.trail_ends, found, characters(found))
    return found


def install(app: Flask) -> None:
    """Let templates keep what they draw."""
    app.add_template_global(kept)
