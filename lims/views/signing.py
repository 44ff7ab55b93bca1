"""Who signs: the password again, and at a session's first signature the address too (21 CFR 11.200(a)).

A view that signs looks like this::

    @pages.route("/lock", methods=["GET", "POST"])
    @needs("study:lock")
    @asks_password
    def lock(study_id: int) -> ResponseReturnValue:
        form = SignForm(data={…})
        if form.validate_on_submit() and signs(form):
            with refusing(form): …

What is typed wrongly is recorded as failed sign-ins are, and counts with them (`lims.views.security`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from flask import abort, current_app, g, redirect, request, session
from wtforms import EmailField, HiddenField, PasswordField, TextAreaField

from lims.audit.record import declare
from lims.domain.errors import DomainError
from lims.domain.signatures import MEANING_WORDS, SignatureMeaning
from lims.records.accounts import clean_email
from lims.records.signatures import Said
from lims.records.submissions import taken
from lims.views.form_fields import TermField, needed
from lims.views.once import OnceForm, sent_form
from lims.views.record_forms import Group, RecordForm
from lims.views.security import SIGNER, current_account
from lims.views.support import current_actor, current_project, current_session

View = TypeVar("View", bound=Callable[..., Any])
NOT_ONES_OWN = "This is not the address that you signed in with: nobody signs for another."
NOT_RIGHT = "The password is not right. This is recorded."


def asks_password(view: View) -> View:
    """Mark a view whose form asks for the password: what fails there counts as a failed sign-in."""
    view.asks_password = True  # type: ignore[attr-defined]  # read where failed sign-ins are limited
    return view


class SignerForm(OnceForm):
    """Who signs. The address is asked for at the first signature of a session."""

    email = EmailField(
        "Your e-mail address",
        [needed("The address that you sign in with is needed.")],
        description="Asked for at the first signature after you signed in.",
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "Your password", [needed("Your password is needed: it is what signs.")], render_kw={"autocomplete": "current-password"}
    )

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        if session.get(SIGNER) == current_account().id:
            del self.email


class SignForm(SignerForm, RecordForm):
    """A signature: in which sense, why, and by whom. seen: what the content of the study was when the form was opened."""

    groups: ClassVar[tuple[Group, ...]] = (
        Group("Signature", ("meaning", "statement")),
        Group("Who signs", ("email", "password"), "It binds as a signature on paper does, and cannot be taken back."),
    )

    meaning = TermField("Meaning", SignatureMeaning, default=SignatureMeaning.APPROVED, words=MEANING_WORDS.__getitem__)
    statement = TextAreaField(
        "Reason",
        [needed("Say why: it stands with the signature and in the audit trail.")],
        description="It stands beside your name.",
    )
    seen = HiddenField()
    version = HiddenField()

    def said(self) -> Said:
        """Give what is said by signing."""
        return Said(self.meaning.term, self.statement.data or "")


def signs(form: SignerForm) -> bool:
    """Tell whether the signed-in person gave their own password, and address where it is asked; records it where not.

    For the beginning of a request: what it changed so far is undone, since a password takes time to check.
    """
    account, typed = current_account(), form._fields.get("email")
    own = typed is None or str(typed.data).strip().lower() == account.email.lower()
    password = current_app.extensions["security"].password_util.normalize(form.password.data or "")
    if account.verify_and_update_password(password) and own:
        session[SIGNER] = account.id
        _take_place_again()
        return True
    g.sign_in_failed = True
    current_session().rollback()
    detail = {
        "address": request.remote_addr or "",
        "email": account.email if typed is None else _address(typed.data),
        "for": "signature",
    }
    declare(current_session(), current_actor(), "session:fail", project=current_project().id, detail=detail)
    current_session().commit()  # what failed stands; the form goes on with what it had read
    wrong = typed if typed is not None and not own else form.password
    wrong.errors = [NOT_RIGHT if own else NOT_ONES_OWN]
    return False


def _address(typed: str | None) -> str:
    """Give what was typed as an address; people type a password into the wrong field, and that is not kept."""
    try:
        return clean_email(typed or "")
    except DomainError:
        return "no address"


def _take_place_again() -> None:
    """Let the form be recorded once, as every form is: its place went with what was undone."""
    sent = sent_form()
    before = taken(current_session(), *sent) if sent else None
    if before is not None:
        abort(redirect(before))
