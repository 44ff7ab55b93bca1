"""The first page after the sign-in, and the first page of a project."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template

from lims.queries import home
from lims.queries.accounts import MyProject
from lims.views.support import current_account, current_project, current_session, needs, own_pages_only, projects_of_account
from lims.views.today import running, sections

pages = Blueprint("home", __name__)


def _first_page(projects: Sequence[MyProject], project: MyProject | None) -> str:
    ids = [one.id for one in projects]
    return render_template(
        "home/index.html",
        projects=projects,
        project=project,
        administrator=current_account().administrator,
        due=sections,
        running=running() if project else [],
        lists=lambda: (home.studies(current_session(), ids), home.batches(current_session(), ids)),
    )


@pages.get("/")
@own_pages_only
def index() -> str:
    """Show the person's projects, their studies and latest imports."""
    return _first_page(projects_of_account(), None)


@pages.get("/p/<project_code>/")
@needs("project:read")
def project() -> str:
    """Show what is due today in a project, its studies and latest imports."""
    return _first_page([current_project()], current_project())
