"""What the frame shows: where one can go, which project one is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for

from lims.domain.permissions import allowed
from lims.views.list_tabs import head_of
from lims.views.security import signed_in
from lims.views.support import current_account, current_project, projects_of_account


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the rail or of the person's menu."""

    key: str
    label: str
    icon: str
    url: str
    active: bool
    group: str


@dataclass(frozen=True, slots=True)
class Place:
    """A page the rail leads to, and what one must be allowed to do to see it there."""

    group: str
    label: str
    icon: str
    endpoint: str
    action: str = "project:read"


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
ACCOUNT_PLACES = (
    Place("Account", "Account", "gear", "account.index"),
    Place("Account", "API tokens", "key", "tokens.index"),
    Place("Account", "API", "download", "api_guide.index"),
)
ADMINISTRATION_PLACES = (Place("Account", "People", "people", "people.index"),)


def _link(place: Place) -> Link:
    blueprint = place.endpoint.partition(".")[0]
    active = request.endpoint == place.endpoint or (blueprint == head_of(request.blueprint) and blueprint != "home")
    return Link(place.endpoint, place.label, place.icon, url_for(place.endpoint), active, place.group)


def _nav() -> list[Link]:
    places = list(PLACES)
    if g.get("project_code") and "project" in g:
        role = current_project().role
        places += [place for place in PROJECT_PLACES if allowed(role, place.action)]
    places += ACCOUNT_PLACES
    if current_account().administrator:
        places += ADMINISTRATION_PLACES
    return [_link(place) for place in places if place.endpoint in current_app.view_functions]


def _frame() -> dict[str, Any]:
    if not signed_in():
        return {"nav": [], "my_projects": [], "current_project": None}
    return {
        "nav": _nav(),
        "current_project": g.get("project"),
        "my_projects": [
            {"code": one.code, "title": one.title, "url": url_for("home.project", project_code=one.code)}
            for one in projects_of_account()
        ],
    }


def install(app: Flask) -> None:
    """Give every page the frame's globals, in the words of `templates/base.html`."""
    app.context_processor(_frame)
