"""The first page after the sign-in, and the first page of a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template

from lims.queries import home
from lims.queries.accounts import MyProject
from lims.views.kept import kept_page
from lims.views.support import current_account, current_project, current_session, needs, own_pages_only, projects_of_account
from lims.views.today import running, sections

pages = Blueprint("home", __name__)
pages.add_app_template_global(running)


def _drawn_from(projects: Sequence[MyProject], project: MyProject | None) -> dict[str, Any]:
    session, ids = current_session(), [one.id for one in projects]
    return {
        "projects": projects,
        "project": project,
        "sections": sections() if project else [],
        "studies": home.studies(session, ids),
        "batches": home.batches(session, ids),
    }


@pages.get("/")
@own_pages_only
def index() -> str:
    """Show the person's projects, their studies and latest imports."""
    administrator = current_account().administrator
    return render_template("home/index.html", administrator=administrator, **_drawn_from(projects_of_account(), None))


@pages.get("/p/<project_code>/")
@needs("project:read")
def project() -> str:
    """Show what is due today in a project, its studies and latest imports."""
    return kept_page("home/index.html", lambda: _drawn_from([current_project()], current_project()))
