"""What the frame shows: where one can go, which project one is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, request
from markupsafe import Markup

from lims.domain.permissions import allowed
from lims.domain.vocabulary import RoleName
from lims.views.list_tabs import head_of
from lims.views.security import signed_in
from lims.views.support import current_account, projects_of_account

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


@dataclass(frozen=True, slots=True)
class Nav:
    """The places where one may go, as they stand on the page: beside it, and in the person's menu."""

    rail: Markup
    account: Markup


@lru_cache(maxsize=1024)
def _nav(app: Flask, root: str, project: str | None, role: RoleName | None, administrator: bool, shown: str | None) -> Nav:
    """Draw the places within the application at this root, for everybody who may go to the same ones from the same page."""
    macros: Any = app.jinja_env.get_template("macros/places.html").module
    of_project = [place for place in PROJECT_PLACES if role and allowed(role, place.action)]
    of_installation = PLACES + (ADMINISTRATION_PLACES if administrator else ())
    return Nav(macros.rail([*of_installation, *of_project], shown), macros.menu(ACCOUNT_PLACES, shown))


def _frame() -> dict[str, Any]:
    if not signed_in():
        return {"nav": None, "my_projects": (), "current_project": None}
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of the proxy
    project, administrator = g.get("project"), current_account().administrator
    of_project = (project.code, project.role) if project else (None, None)
    shown = request.endpoint if request.blueprint == HOME else head_of(request.endpoint)
    return {
        "nav": _nav(app, request.script_root, *of_project, administrator, shown),
        "current_project": project,
        "my_projects": projects_of_account(),
    }


def install(app: Flask) -> None:
    """Give every page the frame's globals, in the words of `templates/base.html`."""
    app.context_processor(_frame)
