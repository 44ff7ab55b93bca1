"""What stands around every page: where one can go, who one is, which project one is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, get_flashed_messages, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from lims.domain.permissions import allowed
from lims.queries.accounts import MyProject
from lims.views.list_tabs import head_of
from lims.views.security import signed_in
from lims.views.support import current_account

HOME = "home"
"""The blueprint of the first pages: each is a place of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page the rail leads to, and what one must be allowed to do to see it there."""

    group: str
    label: str
    icon: str
    endpoint: str
    action: str = "project:read"

    @property
    def key(self) -> str:
        """Give what marks it as the page that is shown: its blueprint, which the first pages share."""
        blueprint, _, _ = self.endpoint.partition(".")
        return self.endpoint if blueprint == HOME else blueprint


PROJECT_PLACES = (
    Place("Today", "Today", "calendar-check", "home.project"),
    Place("Today", "Open actions", "bell-fill", "actions.index"),
    Place("Tissue", "Patients", "person-vcard", "patients.index"),
    Place("Tissue", "Specimens", "eyedropper", "specimens.index"),
    Place("Tissue", "Alterations", "grid-3x3-gap", "alterations.index"),
    Place("Tissue", "Models", "diagram-3", "models.index"),
    Place("Tissue", "Aliquots", "snow", "aliquots.index"),
    Place("Tissue", "Storage", "box-seam", "storage.index"),
    Place("Colony", "Colony", "grid", "colony.index"),
    Place("Colony", "Animals", "tag", "animals.index"),
    Place("Colony", "Implants", "bullseye", "implants.index"),
    Place("Colony", "Cages", "card-checklist", "cages.index"),
    Place("Colony", "Fates", "heart-pulse", "fates.index"),
    Place("Colony", "Protocols", "journal-check", "protocols.index"),
    Place("Studies", "Studies", "graph-up", "studies.index"),
    Place("Studies", "Treatment", "capsule", "agents.index"),
    Place("Studies", "Measurements", "table", "measurements.index"),
    Place("Record", "Imports", "upload", "imports.index"),
    Place("Record", "Audit trail", "shield-check", "audit.index", "audit:read"),
    Place("Record", "Identifiers", "upc-scan", "patterns.index", "pattern:change"),
)
PLACES = (Place("Today", "Home", "house", "home.index"), Place("Today", "Projects", "folder2", "projects.index"))
ADMINISTRATION_PLACES = (Place("Today", "People", "people", "people.index"),)
ACCOUNT_PLACES = (
    Place("Account", "Account", "gear", "account.index"),
    Place("Account", "API tokens", "key", "tokens.index"),
    Place("Account", "API", "download", "api_guide.index"),
)


_TOKEN = Markup("<!--token-->")
"""Stands in the header, which is drawn once, where each session has its own; what people typed is escaped and never reads so."""


def _macros(app: Flask) -> Any:
    return app.jinja_env.get_template("macros/frame.html").module


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of the proxy
    return app


def _shown() -> str | None:
    return request.endpoint if request.blueprint == HOME else head_of(request.endpoint)


# Drawn within the application at this root, once for everybody to whom it is the same.


@lru_cache(maxsize=16)
def _assets(app: Flask, root: str) -> Markup:
    drawn: Markup = _macros(app).assets()
    return drawn


@lru_cache(maxsize=1024)
def _rail(app: Flask, root: str, administrator: bool, project: MyProject | None, shown: str | None) -> Markup:
    of_installation = PLACES + (ADMINISTRATION_PLACES if administrator else ())
    of_project = [place for place in PROJECT_PLACES if project and allowed(project.role, place.action)]
    drawn: Markup = _macros(app).rail([*of_installation, *of_project], shown)
    return drawn


@lru_cache(maxsize=1024)
def _header(
    app: Flask,
    root: str,
    name: str,
    email: str,
    projects: tuple[MyProject, ...],
    project: MyProject | None,
    shown: str | None,
    searched: str | None,
) -> Markup:
    drawn: Markup = _macros(app).header(name, email, projects, project, ACCOUNT_PLACES, shown, searched, _TOKEN)
    return drawn


def frame_assets() -> Markup:
    """Draw what every page links to: styles and scripts."""
    return _assets(_app(), request.script_root)


def frame_rail() -> Markup:
    """Draw the places where one may go, beside the page: an administrator's are more than their role's."""
    return _rail(_app(), request.script_root, current_account().administrator, g.get("project"), _shown())


def frame_header() -> str:
    """Draw the top of the page: the search, the person's projects, their menu with the form that signs them out."""
    if not signed_in():
        return str(_macros(_app()).brand())
    known = current_account()
    searched = request.args.get("q", "") if request.endpoint == "search.index" else None
    name, projects = known.name or known.email, tuple(known.projects)
    drawn = _header(_app(), request.script_root, name, known.email, projects, g.get("project"), _shown(), searched)
    return drawn.replace(_TOKEN, generate_csrf())


def frame_messages() -> str:
    """Draw what is to be said once, such as that something was recorded."""
    told = get_flashed_messages(with_categories=True)
    return str(_macros(_app()).messages(told)) if told else ""


def install(app: Flask) -> None:
    """Give `templates/base.html` what every page has around it."""
    # Named so that nothing a view hands to its template hides them.
    for part in (frame_assets, frame_rail, frame_header, frame_messages, signed_in):
        app.add_template_global(part)
