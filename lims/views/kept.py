"""Parts of pages that are drawn once: what was drawn stays right for as long as the audit trail ends where it did.

Every change of a record ends the trail with an event (`lims.audit.guard` refuses any other), and the hash of its last event
covers all that came before it. So what an address shows a role on a day is the same until that hash differs::

    {% call kept("overview") %}{% set shown = overview() %}…{% endcall %}

What a part is drawn from is called inside it, so that nothing is read where it is kept. No part may hold a form or anything
else of one person or session, nor what is not audited: jobs, findings of a check, or the time of day. A reading session sees
one moment of the database (`lims.db`), so the last event and what is drawn are of one and the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from flask import Flask, current_app, g, request
from markupsafe import Markup

from lims.queries.audit import last_hash
from lims.records.values import today
from lims.views.support import current_project, current_session
from lims.views.transaction import READING_METHODS

MOST_CHARACTERS = 24_000_000
"""Of all parts that a process keeps: some dozens of the largest."""
LONGEST_ADDRESS = 500


class Shelf:
    """The parts that one application keeps, those asked for last."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._parts: OrderedDict[Hashable, tuple[str, Markup]] = OrderedDict()
        self._most, self._characters, self._lock = most, 0, Lock()

    def take(self, key: Hashable, head: str) -> Markup | None:
        """Give what was drawn under this key while the trail ended with `head`."""
        with self._lock:
            found = self._parts.get(key)
            if found is None or found[0] != head:
                return None
            self._parts.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, head: str, part: Markup) -> None:
        """Keep a part in place of an older one, and let go of those that nobody asked for the longest."""
        with self._lock:
            self._drop(key)
            self._parts[key] = head, part
            self._characters += len(part)
            while self._characters > self._most:
                self._drop(next(iter(self._parts)))

    def _drop(self, key: Hashable) -> None:
        _, part = self._parts.pop(key, ("", Markup()))
        self._characters -= len(part)


def kept(name: str, *, unless: bool = False, caller: Callable[[], Markup]) -> Markup:
    """Give a part of the page at this address: as it was drawn, or drawn now; `unless` it is one that cannot be kept."""
    if unless or request.method not in READING_METHODS or len(request.full_path) > LONGEST_ADDRESS:
        return caller()
    if "trail_ends" not in g:
        g.trail_ends = last_hash(current_session())
    shelf: Shelf = current_app.extensions["lims.kept"]
    key = (name, request.script_root, request.full_path, current_project().role, today(current_session()))
    found = shelf.take(key, g.trail_ends)
    if found is None:
        found = caller()
        if "csrf_token" in found:
            raise RuntimeError(f"Part {name!r} of {request.endpoint} holds a form, which is one session's: it cannot be kept.")
        shelf.put(key, g.trail_ends, found)
    return found


def install(app: Flask) -> None:
    """Let templates keep what they draw."""
    app.extensions["lims.kept"] = Shelf()
    app.add_template_global(kept)
