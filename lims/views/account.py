"""One's own account: name, password, sign-ins."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired

from lims.queries.accounts import sign_ins
from lims.records.accounts import rename
from lims.views.once import OnceForm
from lims.views.support import current_account, current_actor, current_session, own_pages_only, refusing, render_form, seen_version

pages = Blueprint("account", __name__, url_prefix="/account")


class NameForm(OnceForm):
    """One's printed name."""

    name = StringField("Printed name", [InputRequired("Your name stands beside everything you record.")])
    version = HiddenField()


@pages.route("/", methods=["GET", "POST"])
@own_pages_only
def index() -> ResponseReturnValue:
    """Show and change one's own account."""
    person = current_account().person
    form = NameForm(obj=None if request.form else person)
    if form.validate_on_submit():
        with refusing(form):
            rename(current_session(), current_actor(), person, version=seen_version(form), name=form.name.data or "")
            flash("Your name was changed. What you recorded before keeps the name it was recorded under.", "success")
            return redirect(url_for(".index"))
    return render_form("account/index.html", form, events=sign_ins(current_session(), current_account().id))
