"""Reads people, projects and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from lims.domain.errors import NotAllowed, NotFound
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import AuditEvent, Membership, Project, Role, User
from lims.queries.scope import LARGEST_ID, find


@dataclass(frozen=True, slots=True)
class MyProject:
    """A project somebody belongs to, with their role in it."""

    id: int
    code: str
    title: str
    status: RecordStatus
    role: RoleName


@dataclass(frozen=True, slots=True)
class Person:
    """Who a session is of, and what they belong to now."""

    id: int
    email: str
    name: str
    active: bool
    administrator: bool
    fs_uniquifier: str
    projects: list[MyProject]


_user, _member, _project, _role = (model.__table__ for model in (User, Membership, Project, Role))
# Every page begins with this: hence columns and no objects, and a statement that is put together once.
_PEOPLE = (
    select(_user.c.id, _user.c.email, _user.c.name, _user.c.active, _user.c.administrator, _user.c.fs_uniquifier)
    .add_columns(_project.c.id, _project.c.code, _project.c.title, _project.c.status, _role.c.name)
    .select_from(_user)
    .outerjoin(_member, and_(_member.c.user_id == _user.c.id, _member.c.status == RecordStatus.ACTIVE))
    .outerjoin(_project, _project.c.id == _member.c.project_id)
    .outerjoin(_role, _role.c.id == _member.c.role_id)
    .order_by(_project.c.code)
)
_OF_SESSION = _PEOPLE.where(_user.c.fs_uniquifier == bindparam("session"))
_OF_ID = _PEOPLE.where(_user.c.id == bindparam("user_id"))
_OF_PERSON = 6
"""So many of the columns say who it is; the others, in which project."""


def person_of_session(session: Session, uniquifier: str) -> Person | None:
    """Give whom a session cookie names, with the projects they belong to by code; None for nobody."""
    return _person(session.connection().execute(_OF_SESSION, {"session": uniquifier}).all())


def my_projects(session: Session, user_id: int) -> list[MyProject]:
    """List the projects a person belongs to, by code, with the role in each."""
    person = _person(session.execute(_OF_ID, {"user_id": user_id}).all())
    return person.projects if person else []


def _person(rows: Sequence[Row[Any]]) -> Person | None:
    if not rows:
        return None
    projects = [MyProject(*row[_OF_PERSON:]) for row in rows if row[_OF_PERSON] is not None]
    said: list[Any] = [*rows[0][:_OF_PERSON], projects]
    return Person(*said)


def role_of(session: Session, user_id: int, project_id: int) -> RoleName:
    """Give a person's role in a project; raises `NotAllowed` for those who are no members of it any more."""
    role = session.scalar(
        select(Role.name)
        .join(Membership, Membership.role_id == Role.id)
        .where(Membership.user_id == user_id, Membership.project_id == project_id, Membership.status == RecordStatus.ACTIVE)
    )
    if role is None:
        raise NotAllowed("You are no member of this project any more.", remedy="Ask an administrator of the project.")
    return role


def find_user(session: Session, user_id: int) -> User:
    """Give a person by id; raises `NotFound`."""
    user = session.get(User, user_id) if 0 < user_id <= LARGEST_ID else None
    if user is None:
        raise NotFound(f"There is no person {user_id}.")
    return user


def user_by_email(session: Session, email: str) -> User:
    """Give a person by address, in whatever case; raises `NotFound`."""
    user = session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if user is None:
        raise NotFound(
            f"Nobody with the address {email.strip()!r} has an account.",
            field="email",
            remedy="Check the address, or add the person first.",
        )
    return user


def project_by_code(session: Session, code: str) -> Project:
    """Give a project by code; raises `NotFound`. Says nothing of who may see it: the caller has asked."""
    project = session.scalar(select(Project).where(Project.code == code))
    if project is None:
        raise NotFound(f"There is no project {code!r}.", field="project", remedy="`lims project add` makes one.")
    return project


def members(project_id: int) -> Select[Membership, User]:
    """Select a project's memberships with their people, withdrawn ones last."""
    return (
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.project_id == project_id)
        .order_by(Membership.status, func.lower(User.name), Membership.id)
    )


def find_membership(session: Session, project_id: int, membership_id: int) -> Membership:
    """Give one of a project's memberships; raises `NotFound`."""
    return find(session, Membership, project_id, membership_id)


def sign_ins(session: Session, user_id: int, limit: int = 20) -> Sequence[AuditEvent]:
    """Give a person's latest sign-ins, failed ones and sign-outs, newest first."""
    return session.scalars(
        select(AuditEvent)
        .where(AuditEvent.actor_id == user_id, AuditEvent.action.in_(("session:open", "session:fail", "session:close")))
        .order_by(AuditEvent.seq.desc())
        .limit(limit)
    ).all()
