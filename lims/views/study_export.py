"""The export tab of a study: its tidy tables one by one, or all of them as a workbook or an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from lims.domain.errors import NotFound
from lims.exports.tables import FORMATS, csv_blocks, workbook_blocks, zip_blocks
from lims.exports.tidy import DICTIONARY, TABLES, Source, Tidy, dictionary
from lims.models import Study
from lims.queries.blinding import hides_arms
from lims.queries.scope import find
from lims.records.values import today
from lims.views.kept import kept_page
from lims.views.support import current_project, current_session, needs, sees_arms
from lims.views.tables import send_file_of
from lims.views.transaction import installation

pages = Blueprint("study_export", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>/export")

WHOLE = {"xlsx": FORMATS["xlsx"][0], "zip": "application/zip"}
"""Formats of all tables at once, with their content types."""


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


@pages.get("/")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show which tables there are, what a row of each is, and what each column holds."""
    return kept_page("studies/export.html", partial(_drawn_from, study_id))


def _drawn_from(study_id: int) -> dict[str, Any]:
    study, unblinded = _study(study_id), sees_arms()
    return {
        "study": study,
        "tables": [(table, table.hidden(study, unblinded=unblinded)) for table in TABLES.values()],
        "hidden": hides_arms(study, unblinded=unblinded),
        "formats": list(FORMATS),
    }


@pages.get("/<table>.<form>")
@needs("project:export")
def download(study_id: int, table: str, form: str) -> ResponseReturnValue:
    """Send one table as csv, xlsx or JSON; `all.xlsx` and `all.zip` have every one, and the description of their columns."""
    study = _study(study_id)
    formats = WHOLE if table == "all" else {name: kind for name, (kind, _) in FORMATS.items()}
    if table != "all" and table not in TABLES:
        raise NotFound(f"A study has no table {table!r}.", expected=", ".join((*TABLES, "all")))
    if form not in formats:
        raise NotFound(f"Table {table!r} does not come as {form!r}.", expected=", ".join(formats))
    # Written while it is sent, when the request's own session is closed: hence one of its own.
    with ExitStack() as stack:
        session = stack.enter_context(installation().database.reader())
        read = session.get_one(Study, study.id)
        source = Source(session, read, today(session), unblinded=sees_arms())
        content = _all(source, form) if table == "all" else _one(TABLES[table], source, form)
        detail = {"study": study.code, "table": table, "format": form}
        response: Response = send_file_of("study", f"{study.code} {table}.{form}", content, formats[form], detail)
        response.call_on_close(stack.pop_all().close)
    return response


def _one(table: Tidy, source: Source, form: str) -> Iterator[bytes]:
    _, write = FORMATS[form]
    return write(tuple(table.columns), table.rows(source))


def _all(source: Source, form: str) -> Iterator[bytes]:
    tables = [(table.name, tuple(table.columns), table.rows(source)) for table in TABLES.values()]
    tables.append(("columns", DICTIONARY, dictionary()))
    if form == "xlsx":
        return workbook_blocks(tables)
    return zip_blocks((f"{name}.csv", csv_blocks(headers, rows)) for name, headers, rows in tables)
