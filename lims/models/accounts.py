"""Projects, people and what they may do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import RoleName
from lims.models.base import Base, Code, Id, InProject, Name, Versioned, Withdrawable, reference


class Project(Withdrawable, Versioned, Base):
    """The access boundary: everything below belongs to one, and another project's record is not found."""

    __tablename__ = "project"

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    title: Mapped[Name]


class Role(Base):
    """One of the roles of `RoleName`, with what it may do in words."""

    __tablename__ = "role"

    id: Mapped[Id]
    name: Mapped[RoleName] = mapped_column(unique=True)
    description: Mapped[Name]


class User(Versioned, Base):
    """A person who signs in. Never deleted, never shared, and the id is never given to another."""

    __tablename__ = "user_account"
    unaudited_columns = frozenset({"version", "last_login_at", "current_login_at", "login_count"})
    secret_columns = frozenset({"password", "fs_uniquifier"})

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(255))
    name: Mapped[Name]
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    administrator: Mapped[bool] = mapped_column(default=False)
    """Manages people and projects of the whole installation."""
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    """Changes with the password, so that older sessions end (Flask-Security)."""
    password_changed_at: Mapped[datetime | None]
    current_login_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    login_count: Mapped[int] = mapped_column(default=0)

    memberships: Mapped[list[Membership]] = relationship(back_populates="user")

    __table_args__ = (Index("uq_user_account_email", func.lower(text("email")), unique=True),)

    @property
    def audit_label(self) -> str:
        """Give the printed name."""
        return self.name


class Membership(InProject, Withdrawable, Versioned, Base):
    """A person's role in a project."""

    __tablename__ = "membership"

    id: Mapped[Id]
    user_id: Mapped[int] = reference("user_account")
    role_id: Mapped[int] = reference("role")

    user: Mapped[User] = relationship(back_populates="memberships")
    project: Mapped[Project] = relationship()
    role: Mapped[Role] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("user_id", "project_id"), Index(None, "project_id"))
