"""One's own tokens for the API: what they are for, when each was used last, one more, and an end to one."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice, SelectField, StringField  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs

from lims.domain.vocabulary import TokenScope
from lims.queries.tokens import find_token, tokens_of
from lims.records.tokens import make_token, withdraw_token
from lims.records.values import today
from lims.views.form_fields import IsoDateField, needed
from lims.views.once import OnceForm
from lims.views.record_forms import REASON
from lims.views.support import current_account, current_actor, current_session, own_pages_only, refusing, render_form

pages = Blueprint("tokens", __name__, url_prefix="/account/tokens")
USUAL_DAYS = 365


class TokenForm(OnceForm):
    """A token to make."""

    name = StringField(
        "What it is for", [needed("Say which program uses it.")], description="The program, such as growth curves in R."
    )
    expires_on = IsoDateField("Works until", description="Up to and with this day; left blank, until you withdraw it.")
    scope = SelectField(
        "What it may do",
        choices=[
            SelectChoice(TokenScope.READ.value, "Read"),
            SelectChoice(TokenScope.IMPORT.value, "Read, and import files and records"),
        ],
        default=TokenScope.READ.value,
        description="Never more than you may do yourself. One that only reads harms nothing if it strays.",
    )


class WithdrawTokenForm(OnceForm):
    """Why a token ends."""

    reason = StringField("Reason", [needed(REASON)], description="It stands in the audit trail.")


@pages.route("/", methods=["GET", "POST"])
@own_pages_only
def index() -> ResponseReturnValue:
    """List one's tokens; make one, and show it once."""
    session, person = current_session(), current_account().person
    form = TokenForm(data={"expires_on": today(session) + timedelta(days=USUAL_DAYS)})
    if form.validate_on_submit():
        with refusing(form):
            name, last, scope = form.name.data or "", form.expires_on.data, TokenScope(form.scope.data)
            token, secret = make_token(session, current_actor(), person, name=name, expires_on=last, scope=scope)
            return render_template("tokens/secret.html", token=token, secret=secret)
    session = current_session()
    return render_form("tokens/index.html", form, tokens=tokens_of(session, person.id), today=today(session))


@pages.route("/<int:token_id>/withdraw", methods=["GET", "POST"])
@own_pages_only
def withdraw(token_id: int) -> ResponseReturnValue:
    """Let a token read nothing any more."""
    token = find_token(current_session(), current_account().id, token_id)
    form = WithdrawTokenForm()
    if form.validate_on_submit():
        with refusing(form):
            withdraw_token(current_session(), current_actor(), token, reason=form.reason.data or "")
            flash(f"The token for {token.name} reads nothing any more.", "success")
            return redirect(url_for(".index"))
    return render_form("tokens/withdraw.html", form, token=token)
