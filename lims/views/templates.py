"""The page of registry templates: workbooks to fill in, blank or with the records there are, to edit and bring back."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lims.exports.tables import FORMATS
from lims.exports.template_rows import Reader
from lims.exports.templates import STEPS, file_name, template_blocks
from lims.queries.blinding import veil
from lims.records.registries import REGISTRIES, registry_named
from lims.views.list_tabs import tabs_of
from lims.views.support import current_project, current_session, needs, sees_arms
from lims.views.tables import send_file_of
from lims.views.transaction import installation

pages = Blueprint("templates", __name__, url_prefix="/p/<project_code>/templates")


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the registries, with the columns of each and its two workbooks."""
    hidden = veil(current_session(), current_project().id, unblinded=sees_arms()).studies
    tabs = tabs_of(pages.name)
    return render_template("templates/index.html", registries=REGISTRIES.values(), steps=STEPS, hidden=sorted(hidden), tabs=tabs)


@pages.get("/<registry>.xlsx")
@needs("project:export")
def download(registry: str) -> ResponseReturnValue:
    """Send a registry's workbook; with `?filled=1` the records that this person may see stand in it."""
    wanted, project, filled = registry_named(registry), current_project(), request.args.get("filled") == "1"
    # Written while it is sent, when the request's own session is closed: hence one of its own.
    with ExitStack() as stack:
        session = stack.enter_context(installation().database.reader())
        reader = Reader(session, project.id, unblinded=sees_arms(), zone=installation().settings.zone)
        contents = reader.contents(wanted, project.code, filled=filled)
        detail = {"template": wanted.title, "version": wanted.version, "filled": filled}
        response = send_file_of(wanted.name, file_name(contents), template_blocks(contents), FORMATS["xlsx"][0], detail)
        response.call_on_close(stack.pop_all().close)
    return response
