"""What a project's first page shows as due today: a section of each kind of work, late things first.

A kind of work gives its section by a function in `PROVIDERS`, in the order of the page; None where the project has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for

from lims.queries.due import LATE_DAYS, due_in_project
from lims.queries.welfare import waiting_actions
from lims.records.values import today
from lims.views.actions import MOST_ACTIONS
from lims.views.import_jobs import under_way
from lims.views.support import current_project, current_session


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of work that is due. count: of what waits; template: draws it from `data`, below its heading.

    urgent: shown in the endpoint's colour. url: the list of all of it, with what that list is called in `all`.
    """

    key: str
    title: str
    count: int
    template: str
    data: Mapping[str, Any]
    url: str
    all: str
    urgent: bool = False


def _open_actions() -> Section:
    session = current_session()
    waiting = waiting_actions(session, current_project().id, today(session), MOST_ACTIONS)
    return Section(
        "actions",
        "Open actions",
        waiting.count,
        "today/actions.html",
        {"waiting": waiting},
        url_for("actions.index"),
        "All open actions",
        urgent=waiting.acts > 0,
    )


def _doses() -> Section | None:
    now = today(current_session())
    due = due_in_project(current_session(), current_project().id, now)
    if not due:
        return None
    count = sum(one.doses for one in due)
    told = {"due": due, "days": LATE_DAYS}
    return Section("doses", "Doses due today", count, "today/doses.html", told, url_for("doses.index"), "All recorded doses")


def _imports() -> Section | None:
    looks = under_way()
    if not looks:
        return None
    return Section(
        "jobs", "Imports under way", len(looks), "today/imports.html", {"looks": looks}, url_for("imports.index"), "All imports"
    )


PROVIDERS: tuple[Callable[[], Section | None], ...] = (_open_actions, _doses)


def sections() -> list[Section]:
    """Give what is due today in the project of the address, as its records tell."""
    return [section for provide in PROVIDERS if (section := provide()) is not None]


def running() -> str:
    """Draw what the server is doing: jobs, which change without a word in the trail."""
    section = _imports()
    return render_template("today/sections.html", sections=[section]) if section else ""
