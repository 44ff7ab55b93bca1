"""How the project names its records: the pattern of each kind of code, the next code, and a form to change it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import null
from wtforms import StringField

from lims.domain.errors import NotFound
from lims.queries.patterns import Naming, namings
from lims.records.naming import change_pattern
from lims.views.form_fields import needed
from lims.views.once import OnceForm
from lims.views.record_forms import REASON
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form
from lims.views.tables import Column, table_from_rows

pages = Blueprint("patterns", __name__, url_prefix="/p/<project_code>/identifiers")

COLUMNS = (
    Column("word", "Codes of", null(), sortable=False, show=lambda word: str(word)[0].upper() + str(word)[1:]),
    Column("pattern", "Pattern", null(), sortable=False, mono=True),
    Column("last_number", "Last number given", null(), sortable=False, align="end"),
    Column("next_code", "Next code", null(), sortable=False, mono=True),
)


class PatternForm(OnceForm):
    """A pattern, and why it changes."""

    pattern = StringField(
        "Pattern",
        [needed("A pattern is needed.")],
        description="Letters and - _ . : / around one {number}; {number:05} fills up with zeros to five digits.",
    )
    reason = StringField("Reason", [needed(REASON)], description="It stands in the audit trail.")


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the patterns with the codes that come next."""
    rows = [
        {column.key: getattr(one, column.key) for column in COLUMNS} | {"_url": url_for(".change", noun=one.noun)}
        for one in namings(current_session(), current_project().id)
    ]
    return render_template("patterns/index.html", view=table_from_rows("Identifiers", COLUMNS, rows, "No patterns."))


@pages.route("/<noun>", methods=["GET", "POST"])
@needs("pattern:change")
def change(noun: str) -> ResponseReturnValue:
    """Change a noun's pattern, with a reason."""
    naming = _named(noun)
    form = PatternForm(data={"pattern": naming.pattern})
    if form.validate_on_submit():
        with refusing(form):
            pattern, reason = form.pattern.data or "", form.reason.data or ""
            change_pattern(current_session(), current_actor(), current_project().id, noun, pattern=pattern, reason=reason)
            flash(f"The next {naming.word} will be {_named(noun).next_code}.", "success")
            return redirect(url_for(".index"))
    return render_form("patterns/change.html", form, naming=naming)


def _named(noun: str) -> Naming:
    found = next((one for one in namings(current_session(), current_project().id) if one.noun == noun), None)
    if found is None:
        raise NotFound("Records of this kind have no pattern.")
    return found
