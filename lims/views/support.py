"""What every view uses: the request's session, who acts, in which project, and whether they may.

A view in ten lines (pages of a project live under `/p/<project_code>`, which a view neither takes nor passes on)::

    pages = Blueprint("animals", __name__, url_prefix="/p/<project_code>/animals")

    @pages.get("/<int:animal_id>")
    @needs("project:read")
    def show(animal_id: int) -> str:
        animal = find(current_session(), Animal, current_project().id, animal_id)
        return render_template("animals/show.html", animal=animal)

A form: `form → one call of lims.records → response`. Refusals become errors on the form, and nothing is saved::

    @pages.route("/new", methods=["GET", "POST"])
    @needs("animal:create")
    def new() -> ResponseReturnValue:
        form = AnimalForm()
        if form.validate_on_submit():
            with refusing(form):
                add_animals(current_session(), current_actor(), current_project().id, [form.animal()])
                return redirect(url_for(".index"))
        return render_form("animals/new.html", form)

Name the blueprint in `BLUEPRINTS` of `lims/app.py`. The transaction commits by itself when the response is below 400
(`lims.views.transaction`); `render_form` answers 422 when the form has errors, so a refused form never commits. Every
view needs a `needs(…)` or `administrators_only`, unless it shows nothing but the signed-in person's own things
(`own_pages_only`); a test walks the url map. Lists: `lims.views.tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import Unauthorized

from lims.audit.record import Actor
from lims.domain.errors import ChangedMeanwhile, Conflict, DomainError, NotAllowed, NotFound, told
from lims.domain.permissions import require, roles_for, writes
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.queries.accounts import MyProject
from lims.queries.blinding import may_unblind
from lims.queries.scope import LARGEST_ID
from lims.views.api.bearer import sign_in_by_token
from lims.views.api.problems import for_program
from lims.views.conflicts import show_both
from lims.views.once import OnceForm, tokens
from lims.views.request_log import request_id
from lims.views.security import current_account, renew_session, signed_in
from lims.views.transaction import current_session

__all__ = [
    "administrators_only",
    "current_account",
    "current_actor",
    "current_project",
    "current_session",
    "needs",
    "own_pages_only",
    "projects_of_account",
    "refusing",
    "render_form",
    "role_in",
    "seen_version",
    "whole_number",
]

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned", bound=ResponseReturnValue)
OPEN_ENDPOINTS = frozenset({"static", "security.login", "security.logout", "security.forgot_password", "security.reset_password"})
"""What answers without a sign-in; everything else redirects to the sign-in page, and the API refuses."""


def current_actor() -> Actor:
    """Give the signed-in person as the audit trail names one."""
    account = current_account()
    return Actor(account.id, account.name, "form", request_id())


def projects_of_account() -> list[MyProject]:
    """Give the signed-in person's projects, as they were when the request began."""
    return current_account().projects


def project_named(code: str) -> MyProject:
    """Give one of the signed-in person's projects, with their role in it.

    Raises:
        NotFound: there is none, or the person is no member. Administrators of the installation manage projects and
            people, but see a project's data only as its members: who reads patients' tissue is a matter of record.
    """
    for project in projects_of_account():
        if project.code == code:
            return project
    raise NotFound("There is no such project, or you are no member of it.")


def role_in(code: str) -> RoleName:
    """Give the signed-in person's role in a project; raises `NotFound` for those who are no members."""
    return project_named(code).role


def current_project() -> MyProject:
    """Give the project of the address; raises `NotFound` for those who are no members."""
    if "project" not in g:
        g.project = project_named(str(g.project_code))
    found: MyProject = g.project
    return found


def sees_arms() -> bool:
    """Tell whether the signed-in person sees which arm is which while a study of the project is blinded."""
    return may_unblind(current_project().role)


def needs(action: str) -> Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]:
    """Let a view be used only by members whose role may do `action` (`lims.domain.permissions`)."""
    roles_for(action)  # a misspelt action fails when the module is loaded

    def decorate(view: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
        @wraps(view)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
            project = current_project()
            require(project.role, action)
            if writes(action) and project.status is RecordStatus.WITHDRAWN:
                raise Conflict(f"Project {project.code} was withdrawn: it can be read, and nothing is recorded in it any more.")
            return view(*args, **kwargs)

        checked.guarded_by = action  # type: ignore[attr-defined]  # read by the test that walks the url map
        return checked

    return decorate


def administrators_only(view: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Let a view be used only by those who manage the installation's people and projects."""

    @wraps(view)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        if not current_account().administrator:
            raise NotAllowed("Only an administrator of this installation may do this.")
        return view(*args, **kwargs)

    checked.guarded_by = "administrator"  # type: ignore[attr-defined]  # read by the test that walks the url map
    return checked


def own_pages_only(view: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Mark a view that shows and changes nothing but the signed-in person's own things."""
    view.guarded_by = "own"  # type: ignore[attr-defined]  # read by the test that walks the url map
    return view


@contextmanager
def refusing(form: OnceForm) -> Iterator[None]:
    """Turn a refusal by the records into an error on the form, and undo what was done.

    What somebody else recorded meanwhile is shown beside what was typed, which can be saved again. A record of the address
    that is not found keeps its own page; one that was typed into a field is an error of the field.
    """
    try:
        yield
    except NotAllowed:
        raise
    except (ChangedMeanwhile, StaleDataError) as refused:
        if not isinstance(refused, ChangedMeanwhile) and form.shows is None:
            raise
        current_session().rollback()
        form.conflict = True
        show_both(form, refused if isinstance(refused, ChangedMeanwhile) else ChangedMeanwhile(form.shows))
    except DomainError as refused:
        if isinstance(refused, NotFound) and refused.field not in form._fields:
            raise
        current_session().rollback()
        form.conflict = isinstance(refused, Conflict)
        for one in refused.every:
            field = form._fields.get(one.field or "")
            if field is None:
                form.form_errors.append(told(one))
            else:
                field.errors = [*field.errors, told(one)]


def whole_number(text: str | None) -> int | None:
    """Give the number of a page, version or record that an address or a hidden field names; None where it is none.

    No such number has more digits than `LARGEST_ID`, and Python itself refuses to read some thousands of them.
    """
    if text is None or len(text) > len(str(LARGEST_ID)) or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def seen_version(form: OnceForm) -> int:
    """Give the version of the record that the form was made from; a form without one saw none."""
    return whole_number(str(form._fields["version"].data or "")) or 0


def render_form(template: str, *forms: OnceForm, **context: Any) -> ResponseReturnValue:
    """Show a page with its forms (the first one is `form` there).

    The status is 200 when all are fresh; 409 where somebody else was faster, and 422 where something is refused or to be
    confirmed: then nothing is committed.
    """
    status = HTTPStatus.OK
    if any(form.errors or form.notices for form in forms):
        status = HTTPStatus.CONFLICT if any(form.conflict for form in forms) else HTTPStatus.UNPROCESSABLE_ENTITY
    return render_template(template, form=forms[0], **context), status


def _take_project_code(endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.project_code = values.pop("project_code", None) if values else None


def _give_project_code(endpoint: str, values: dict[str, Any]) -> None:
    if "project_code" in values or not g.get("project_code"):
        return
    if current_app.url_map.is_endpoint_expecting(endpoint, "project_code"):
        values["project_code"] = g.project_code


def _require_sign_in() -> ResponseReturnValue | None:
    if request.endpoint in OPEN_ENDPOINTS:
        return None
    sign_in_by_token()
    if not signed_in():
        if for_program():
            raise Unauthorized
        return current_app.login_manager.unauthorized()  # type: ignore[attr-defined,no-any-return]  # set by Flask-Login
    if not for_program():
        renew_session()
    if g.project_code is not None:
        g.project = current_project()
    return None


def install(app: Flask) -> None:
    """Require a sign-in everywhere (to the API, a token is one), and resolve the project of the address."""
    app.url_value_preprocessor(_take_project_code)
    app.url_defaults(_give_project_code)
    app.before_request(_require_sign_in)
    app.add_template_global(tokens)
    app.add_template_global(projects_of_account)
