"""The page about the API: how a token is used, and every kind of record with its fields."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lims.queries.api_resources import RESOURCES
from lims.views.api.words import about, kind_of
from lims.views.support import own_pages_only, projects_of_account

pages = Blueprint("api_guide", __name__, url_prefix="/api")


@pages.get("/")
@own_pages_only
def index() -> ResponseReturnValue:
    """Explain the API."""
    project = next((one.code for one in projects_of_account()), "PROJECT")
    example = url_for("api.index", project_code=project, plural="animals", state="alive", _external=True)
    imports = url_for("api_imports.take", project=project, mode="commit", _external=True)
    shown = {"resources": RESOURCES.values(), "about": about, "kind_of": kind_of}
    return render_template("api/index.html", **shown, example=example, imports=imports)
