"""Writes people: who may sign in, and how."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.permissions import ROLE_DESCRIPTIONS
from lims.domain.vocabulary import RoleName
from lims.models import Role, User
from lims.records.versions import check_version


def clean_email(text: str) -> str:
    """Give the address in its normal form; raises `DomainError` where it is none."""
    try:
        return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as refused:
        raise DomainError(
            f"{text!r} is no e-mail address: {refused}", field="email", expected="an address such as a.person@lab.org"
        ) from refused


def clean_name(text: str, *, field: str = "name", longest: int = 200) -> str:
    """Give a printed name or title without outer blanks; raises `DomainError` where it is empty, too long or unprintable."""
    name = " ".join(text.split())
    if not name or len(name) > longest or not name.isprintable():
        raise DomainError(f"{text[:40]!r} cannot be used here.", field=field, expected=f"1 to {longest} printable characters")
    return name


def require_reason(reason: str) -> str:
    """Give the reason without outer blanks; raises `DomainError` where there is none."""
    cleaned = reason.strip()
    if not cleaned:
        raise DomainError("A reason is needed: it stands in the audit trail.", field="reason", expected="why this is done")
    return cleaned


def role_named(session: Session, name: RoleName) -> Role:
    """Give the role's record, making it where this database does not have it yet (inside the declared action)."""
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        role = Role(name=name, description=ROLE_DESCRIPTIONS[name])
        session.add(role)
        session.flush()
    return role


def create_user(
    session: Session, actor: Actor, *, email: str, name: str, password_hash: str, administrator: bool = False, reason: str = ""
) -> User:
    """Record a person who may sign in, with a hash of `lims.records.passwords.hash_password`.

    An `administrator` manages people and projects of the whole installation.

    Raises:
        DomainError: the address is none, or somebody has it already (also somebody deactivated: ids are not given away).
    """
    declare(session, actor, "user:create", reason=reason)
    email = clean_email(email)
    taken = DomainError(f"Somebody with the address {email} is recorded already.", field="email", expected="another address")
    if session.scalar(select(User.id).where(func.lower(User.email) == email.lower())):
        raise taken
    user = User(
        email=email,
        name=clean_name(name),
        password=password_hash,
        administrator=administrator,
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        password_changed_at=datetime.now(UTC),
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as refused:  # two administrators at the same moment
        raise taken from refused
    return user


def change_user(session: Session, actor: Actor, user: User, *, version: int, name: str, administrator: bool, reason: str) -> None:
    """Change a person's printed name or rights over the installation.

    Raises:
        Conflict: somebody else changed it since `version`.
        DomainError: no name or no reason, or the last active administrator would be gone.
    """
    declare(session, actor, "user:change", reason=require_reason(reason))
    check_version(user, version)
    if user.administrator and not administrator:
        _keep_one_administrator(session, user)
    user.name = clean_name(name)
    user.administrator = administrator
    session.flush()


def rename(session: Session, actor: Actor, user: User, *, version: int, name: str) -> None:
    """Change one's own printed name; what was signed under the old one keeps it."""
    declare(session, actor, "user:change", reason="own name")
    check_version(user, version)
    user.name = clean_name(name)
    session.flush()


def deactivate_user(session: Session, actor: Actor, user: User, *, version: int, reason: str) -> None:
    """End a person's access, at once and on every device; what they did stays theirs."""
    declare(session, actor, "user:withdraw", reason=require_reason(reason))
    check_version(user, version)
    if user.id == actor.id:
        raise DomainError("Nobody ends their own access: ask another administrator.", field="reason")
    if user.administrator:
        _keep_one_administrator(session, user)
    user.active = False
    user.fs_uniquifier = uuid.uuid4().hex
    session.flush()


def reactivate_user(session: Session, actor: Actor, user: User, *, version: int, reason: str) -> None:
    """Let a person sign in again."""
    declare(session, actor, "user:change", reason=require_reason(reason))
    check_version(user, version)
    user.active = True
    session.flush()


def set_password(session: Session, actor: Actor, user: User, *, password_hash: str, reason: str = "") -> None:
    """Give a person a new password; every session of theirs ends."""
    declare(session, actor, "user:reset", reason=reason)
    user.password = password_hash
    user.fs_uniquifier = uuid.uuid4().hex
    user.password_changed_at = datetime.now(UTC)
    session.flush()


def _keep_one_administrator(session: Session, leaving: User) -> None:
    others = select(func.count()).select_from(User).where(User.administrator, User.active, User.id != leaving.id)
    if not session.scalar(others):
        raise DomainError(
            f"{leaving.name} is the only active administrator: nobody could manage people any more.",
            remedy="Make somebody else an administrator first.",
        )
