"""The people of the installation, for those who administer it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_security import hash_password
from flask_security.recoverable import generate_reset_link
from sqlalchemy import select
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import InputRequired

from lims.audit.record import declare
from lims.models import User
from lims.queries.accounts import find_user, my_projects
from lims.records.accounts import change_user, create_user, deactivate_user, reactivate_user
from lims.records.passwords import generate_password
from lims.views.filters import moment
from lims.views.once import OnceForm
from lims.views.security import Account
from lims.views.support import administrators_only, current_actor, current_session, refusing, render_form, seen_version
from lims.views.tables import Column, Empty, Listing, answer, search

pages = Blueprint("people", __name__, url_prefix="/people")

PEOPLE = Listing(
    noun="user",
    caption="People",
    columns=(
        Column("name", "Name", User.name),
        Column("email", "E-mail address", User.email),
        Column("administrator", "Administrator", User.administrator),
        Column("active", "May sign in", User.active),
        Column("current_login_at", "Last sign-in", User.current_login_at, show=moment),
    ),
    sort="name",
    key=User.id,
    filters=(search("q", "Name or address", User.name, User.email),),
    page=lambda row: url_for("people.show", user_id=row.key),
    empty=Empty("Nobody is recorded yet."),
)


class NewPersonForm(OnceForm):
    """A person to add."""

    email = StringField("E-mail address", [InputRequired("An address is needed: it is what one signs in with.")])
    name = StringField("Printed name", [InputRequired("A name is needed: it stands in the audit trail.")])
    administrator = BooleanField("Administers people and projects of the whole installation")


class PersonForm(OnceForm):
    """What may be changed of a person."""

    name = StringField("Printed name", [InputRequired("A name is needed: it stands in the audit trail.")])
    administrator = BooleanField("Administers people and projects of the whole installation")
    reason = StringField("Reason", [InputRequired("A reason is needed: it stands in the audit trail.")])
    version = HiddenField()


class AccessForm(OnceForm):
    """Ending a person's access, or giving it back."""

    reason = StringField("Reason", [InputRequired("A reason is needed: it stands in the audit trail.")], id="access-reason")
    version = HiddenField(id="access-version")


def _page_of(person: User, form: PersonForm, access_form: AccessForm) -> ResponseReturnValue:
    belongs_to = my_projects(current_session(), person.id)
    return render_form("people/show.html", form, access_form, person=person, access_form=access_form, belongs_to=belongs_to)


@pages.get("/")
@administrators_only
def index() -> ResponseReturnValue:
    """List people."""
    return answer(lambda: (PEOPLE, select(User)), "people/index.html")


@pages.route("/new", methods=["GET", "POST"])
@administrators_only
def new() -> ResponseReturnValue:
    """Add a person, and show their first password once."""
    form = NewPersonForm()
    if form.validate_on_submit():
        password = generate_password()
        with refusing(form):
            person = create_user(
                current_session(),
                current_actor(),
                email=form.email.data or "",
                name=form.name.data or "",
                administrator=form.administrator.data,
                password_hash=hash_password(password),
            )
            return render_template("people/secret.html", person=person, password=password)
    return render_form("people/new.html", form)


@pages.route("/<int:user_id>", methods=["GET", "POST"])
@administrators_only
def show(user_id: int) -> ResponseReturnValue:
    """Show and change a person."""
    person = find_user(current_session(), user_id)
    form = PersonForm(obj=person)
    if form.validate_on_submit():
        with refusing(form):
            change_user(
                current_session(),
                current_actor(),
                person,
                version=seen_version(form),
                name=form.name.data or "",
                administrator=form.administrator.data,
                reason=form.reason.data or "",
            )
            flash(f"{person.name} was changed.", "success")
            return redirect(url_for(".show", user_id=user_id))
    return _page_of(person, form, AccessForm(formdata=None, obj=person))


@pages.post("/<int:user_id>/access")
@administrators_only
def access(user_id: int) -> ResponseReturnValue:
    """End an active person's access; give it back to one whose access was ended."""
    person = find_user(current_session(), user_id)
    form = AccessForm()
    if form.validate_on_submit():
        with refusing(form):
            step = deactivate_user if person.active else reactivate_user
            step(current_session(), current_actor(), person, version=seen_version(form), reason=form.reason.data or "")
            flash(f"{person.name} may {'sign in again' if person.active else 'not sign in any more'}.", "success")
            return redirect(url_for(".show", user_id=user_id))
    return _page_of(person, PersonForm(formdata=None, obj=person), form)


@pages.post("/<int:user_id>/reset")
@administrators_only
def reset(user_id: int) -> ResponseReturnValue:
    """Make a link that sets a new password, once, and show it once."""
    person = find_user(current_session(), user_id)
    declare(current_session(), current_actor(), "user:reset", detail={"email": person.email})
    link, _ = generate_reset_link(Account(person))
    return render_template("people/secret.html", person=person, link=link)
