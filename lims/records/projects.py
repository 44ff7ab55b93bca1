"""Writes projects and who belongs to them."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import Membership, Project, User
from lims.records.accounts import clean_name, require_reason, role_named
from lims.records.versions import check_version

CODE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def clean_project_code(text: str) -> str:
    """Give a project's code; it stands in every address of the project's pages, so its alphabet is small.

    Raises:
        DomainError: it is not made of letters, digits, dots, hyphens and underscores.
    """
    code = text.strip()
    if not CODE_PATTERN.fullmatch(code):
        raise DomainError(
            f"{text!r} cannot be a project code.",
            field="code",
            expected="1 to 40 letters, digits, dots, hyphens or underscores, a letter or digit first, such as BCBM-01",
        )
    return code


def create_project(session: Session, actor: Actor, *, code: str, title: str, reason: str = "") -> Project:
    """Record a project.

    Raises:
        DomainError: the code is not usable, or another project has it in whatever case.
    """
    declare(session, actor, "project:create", reason=reason)
    code = clean_project_code(code)
    taken = DomainError(f"There is a project {code} already.", field="code", expected="another code")
    if session.scalar(select(Project.id).where(func.lower(Project.code) == code.lower())):
        raise taken
    project = Project(code=code, title=clean_name(title, field="title"), status=RecordStatus.ACTIVE)
    session.add(project)
    try:
        session.flush()
    except IntegrityError as refused:  # two administrators at the same moment
        raise taken from refused
    return project


def change_project(session: Session, actor: Actor, project: Project, *, version: int, title: str, reason: str) -> None:
    """Change a project's title. Its code stays: addresses and printed labels name it."""
    declare(session, actor, "project:change", reason=require_reason(reason), project=project.id)
    check_version(project, version)
    project.title = clean_name(title, field="title")
    session.flush()


def withdraw_project(session: Session, actor: Actor, project: Project, *, version: int, reason: str) -> None:
    """Close a project: its members read it, nobody writes in it."""
    declare(session, actor, "project:withdraw", reason=require_reason(reason), project=project.id)
    check_version(project, version)
    if project.status is RecordStatus.WITHDRAWN:
        raise Conflict(f"Project {project.code} was withdrawn already.")
    project.status = RecordStatus.WITHDRAWN
    session.flush()


def add_member(session: Session, actor: Actor, project: Project, user: User, role: RoleName, *, reason: str = "") -> Membership:
    """Give a person a role in a project; a withdrawn membership comes back with the new role.

    Raises:
        DomainError: the person is a member already, or may not sign in.
    """
    declare(session, actor, "membership:create", reason=reason, project=project.id)
    if not user.active:
        raise DomainError(f"{user.name} may not sign in any more.", field="email", remedy="Reactivate the account first.")
    already = DomainError(f"{user.name} is a member of {project.code} already.", field="email", remedy="Change the role instead.")
    membership = session.scalar(select(Membership).where(Membership.user_id == user.id, Membership.project_id == project.id))
    if membership is not None and membership.status is RecordStatus.ACTIVE:
        raise already
    role_id = role_named(session, role).id
    if membership is None:
        membership = Membership(user_id=user.id, project_id=project.id, role_id=role_id, status=RecordStatus.ACTIVE)
        session.add(membership)
    else:
        membership.role_id = role_id
        membership.status = RecordStatus.ACTIVE
    try:
        session.flush()
    except IntegrityError as refused:  # two administrators at the same moment
        raise already from refused
    return membership


def change_member(session: Session, actor: Actor, membership: Membership, role: RoleName, *, version: int, reason: str) -> None:
    """Give a member another role in the project."""
    declare(session, actor, "membership:change", reason=require_reason(reason), project=membership.project_id)
    check_version(membership, version)
    membership.role_id = role_named(session, role).id
    session.flush()


def withdraw_member(session: Session, actor: Actor, membership: Membership, *, version: int, reason: str) -> None:
    """End a person's access to a project; what they recorded stays theirs."""
    declare(session, actor, "membership:withdraw", reason=require_reason(reason), project=membership.project_id)
    check_version(membership, version)
    if membership.status is RecordStatus.WITHDRAWN:
        raise Conflict("This membership was withdrawn already.")
    membership.status = RecordStatus.WITHDRAWN
    session.flush()
