"""Projects and who belongs to them. These pages show no data of a project: administrators see data only as members."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired

from lims.domain.permissions import ROLE_DESCRIPTIONS, ROLE_TITLES, allowed, require
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import Membership, Project
from lims.queries.accounts import find_membership, members, project_by_code, user_by_email
from lims.records.projects import add_member, change_member, change_project, create_project, withdraw_member, withdraw_project
from lims.views.filters import choice_words
from lims.views.once import OnceForm
from lims.views.support import (
    administrators_only,
    current_account,
    current_actor,
    current_session,
    own_pages_only,
    projects_of_account,
    refusing,
    render_form,
    role_in,
    seen_version,
)
from lims.views.tables import Column, Empty, Listing, answer, choice, search

pages = Blueprint("projects", __name__, url_prefix="/projects")
REASON = "A reason is needed: it stands in the audit trail."
ROLES = [SelectChoice(role.value, choice_words(title)) for role, title in ROLE_TITLES.items()]
_ROLES_TOLD = [{"label": choice_words(ROLE_TITLES[role]), "value": told} for role, told in ROLE_DESCRIPTIONS.items()]
_MEMBERS = (
    select(func.count())
    .where(Membership.project_id == Project.id, Membership.status == RecordStatus.ACTIVE)
    .correlate(Project)
    .scalar_subquery()
)
PROJECTS = Listing(
    noun="project",
    caption="Projects",
    columns=(
        Column("code", "Project", Project.code, mono=True),
        Column("title", "Title", Project.title),
        Column("members", "Members", _MEMBERS, align="end"),
        Column("status", "Status", Project.status, show=lambda status: {"text": status.value, "badge": status.value}),
    ),
    sort="code",
    key=Project.id,
    filters=(search("q", "Code or title", Project.code, Project.title), choice("status", "Status", Project.status, RecordStatus)),
    page=lambda row: url_for("projects.show", code=row.code),
    empty=Empty("No project yet.", "Make a project", "projects.new"),
)


class NewProjectForm(OnceForm):
    """A project to make."""

    code = StringField("Code", [InputRequired("A code is needed: it stands in every address of the project.")])
    title = StringField("Title", [InputRequired("A title is needed.")])


class ProjectForm(OnceForm):
    """What may be changed of a project."""

    title = StringField("Title", [InputRequired("A title is needed.")])
    reason = StringField("Reason", [InputRequired(REASON)])
    version = HiddenField()


class WithdrawalForm(OnceForm):
    """Closing a project, or ending a membership."""

    reason = StringField("Reason", [InputRequired(REASON)], id="withdrawal-reason")
    version = HiddenField(id="withdrawal-version")


class NewMemberForm(OnceForm):
    """A person to add to a project."""

    email = StringField("E-mail address", [InputRequired("Whom? Name the address they sign in with.")])
    role = SelectField(
        "Role",
        [InputRequired("A role is needed: it says what they may do.")],
        choices=[SelectChoice("", "Choose the role"), *ROLES],
    )


class MemberForm(OnceForm):
    """Another role for a member."""

    role = SelectField("Role", choices=ROLES)
    reason = StringField("Reason", [InputRequired(REASON)])
    version = HiddenField()


def _managed(code: str, action: str) -> Project:
    """Give the project, if the person administers the installation or has a role in the project that may do `action`."""
    if not current_account().administrator:
        require(role_in(code), action)
    return project_by_code(current_session(), code)


def _page_of(project: Project, form: NewMemberForm, *, manages: bool) -> ResponseReturnValue:
    people = current_session().execute(members(project.id)).all()
    return render_form("projects/show.html", form, project=project, members=people, manages=manages, roles=_ROLES_TOLD)


@pages.get("/")
@own_pages_only
def index() -> ResponseReturnValue:
    """List projects: all of them for administrators of the installation, one's own for everybody else."""
    rows = select(Project)
    if not current_account().administrator:
        rows = rows.where(Project.id.in_([project.id for project in projects_of_account()]))
    return answer(lambda: (PROJECTS, rows), "projects/index.html", lambda: {"administrator": current_account().administrator})


@pages.route("/new", methods=["GET", "POST"])
@administrators_only
def new() -> ResponseReturnValue:
    """Make a project."""
    form = NewProjectForm()
    if form.validate_on_submit():
        with refusing(form):
            project = create_project(current_session(), current_actor(), code=form.code.data or "", title=form.title.data or "")
            flash(f"Project {project.code} was made. Now add the people who work in it.", "success")
            return redirect(url_for(".show", code=project.code))
    return render_form("projects/new.html", form)


@pages.get("/<code>")
@own_pages_only
def show(code: str) -> ResponseReturnValue:
    """Show a project and its members, to administrators of the installation and to its members."""
    project = _managed(code, "project:read")
    manages = current_account().administrator or allowed(role_in(code), "membership:change")
    return _page_of(project, NewMemberForm(), manages=manages)


@pages.post("/<code>/members")
@own_pages_only
def add(code: str) -> ResponseReturnValue:
    """Add a member."""
    project = _managed(code, "membership:create")
    form = NewMemberForm()
    if form.validate_on_submit():
        with refusing(form):
            person = user_by_email(current_session(), form.email.data or "")
            add_member(current_session(), current_actor(), project, person, RoleName(form.role.data))
            flash(f"{person.name} was added as {ROLE_TITLES[RoleName(form.role.data)]}.", "success")
            return redirect(url_for(".show", code=code))
    return _page_of(project, form, manages=True)


@pages.route("/<code>/change", methods=["GET", "POST"])
@own_pages_only
def change(code: str) -> ResponseReturnValue:
    """Change a project's title."""
    project = _managed(code, "project:change")
    form = ProjectForm(obj=project)
    if form.validate_on_submit():
        with refusing(form):
            change_project(
                current_session(),
                current_actor(),
                project,
                version=seen_version(form),
                title=form.title.data or "",
                reason=form.reason.data or "",
            )
            flash(f"Project {project.code} was changed.", "success")
            return redirect(url_for(".show", code=code))
    return render_form("projects/change.html", form, project=project)


@pages.route("/<code>/withdraw", methods=["GET", "POST"])
@administrators_only
def withdraw(code: str) -> ResponseReturnValue:
    """Close a project."""
    project = project_by_code(current_session(), code)
    form = WithdrawalForm(obj=project)
    if form.validate_on_submit():
        with refusing(form):
            reason = form.reason.data or ""
            withdraw_project(current_session(), current_actor(), project, version=seen_version(form), reason=reason)
            flash(f"Project {project.code} was withdrawn: it can be read, and nothing is recorded in it any more.", "success")
            return redirect(url_for(".show", code=code))
    return render_form("projects/withdraw.html", form, project=project)


@pages.route("/<code>/members/<int:membership_id>", methods=["GET", "POST"])
@own_pages_only
def member(code: str, membership_id: int) -> ResponseReturnValue:
    """Give a member another role."""
    project = _managed(code, "membership:change")
    membership = find_membership(current_session(), project.id, membership_id)
    form = MemberForm(role=membership.role.name.value, version=membership.version)
    if form.validate_on_submit():
        with refusing(form):
            role, reason = RoleName(form.role.data), form.reason.data or ""
            change_member(current_session(), current_actor(), membership, role, version=seen_version(form), reason=reason)
            flash(f"{membership.user.name} is {ROLE_TITLES[role]} now.", "success")
            return redirect(url_for(".show", code=code))
    withdrawal = WithdrawalForm(formdata=None, obj=membership)
    return render_form("projects/member.html", form, withdrawal, project=project, membership=membership, withdrawal=withdrawal)


@pages.post("/<code>/members/<int:membership_id>/withdraw")
@own_pages_only
def end(code: str, membership_id: int) -> ResponseReturnValue:
    """End a membership."""
    project = _managed(code, "membership:withdraw")
    membership = find_membership(current_session(), project.id, membership_id)
    form = WithdrawalForm()
    if form.validate_on_submit():
        with refusing(form):
            reason = form.reason.data or ""
            withdraw_member(current_session(), current_actor(), membership, version=seen_version(form), reason=reason)
            flash(f"{membership.user.name} belongs to {project.code} no more.", "success")
            return redirect(url_for(".show", code=code))
    roles = MemberForm(formdata=None, role=membership.role.name.value, version=membership.version)
    return render_form("projects/member.html", roles, form, project=project, membership=membership, withdrawal=form)
