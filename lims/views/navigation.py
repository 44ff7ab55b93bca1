"""What the frame shows: where one can go, which project one is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, g, request

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
ACCOUNT_PLACES = (
    Place("Account", "Account", "gear", "account.index"),
    Place("Account", "API tokens", "key", "tokens.index"),
    Place("Account", "API", "download", "api_guide.index"),
)
ADMINISTRATION_PLACES = (Place("Account", "People", "people", "people.index"),)


@lru_cache(maxsize=64)
def _places(role: RoleName | None, *, administrator: bool) -> tuple[Place, ...]:
    """Give where somebody may go, in a project where they have a role."""
    of_project = [place for place in PROJECT_PLACES if role and allowed(role, place.action)]
    return (*PLACES, *of_project, *ACCOUNT_PLACES, *(ADMINISTRATION_PLACES if administrator else ()))


def _frame() -> dict[str, Any]:
    if not signed_in():
        return {"nav": (), "my_projects": (), "current_project": None}
    project = g.get("project")
    return {
        "nav": _places(project.role if project else None, administrator=current_account().administrator),
        "nav_shown": request.endpoint if request.blueprint == HOME else head_of(request.blueprint),
        "current_project": project,
        "my_projects": projects_of_account(),
    }


def install(app: Flask) -> None:
    """Give every page the frame's globals, in the words of `templates/base.html`."""
    app.context_processor(_frame)
