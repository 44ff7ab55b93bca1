"""What people set up for themselves: saved views, tokens for the API, the patterns of identifiers; and forms they sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import TokenScope
from lims.models.accounts import User
from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference


class SavedView(InProject, Withdrawable, Versioned, Base):
    """A list page with its filters, under a name, for one person."""

    __tablename__ = "saved_view"

    id: Mapped[Id]
    user_id: Mapped[int] = reference("user_account")
    endpoint: Mapped[Code]
    name: Mapped[Name]
    query: Mapped[Prose]
    """The address's query: filters and sort, in the words of the list."""

    user: Mapped[User] = relationship()

    __table_args__ = (UniqueConstraint("user_id", "project_id", "endpoint", "name"), Index(None, "project_id"))


class ApiToken(Withdrawable, Versioned, Base):
    """Lets a program read what its owner may read, and import files where its scope says so. Shown once, kept as a hash."""

    __tablename__ = "api_token"
    unaudited_columns = frozenset({"version", "last_used_on"})
    secret_columns = frozenset({"token_sha256"})

    id: Mapped[Id]
    user_id: Mapped[int] = reference("user_account")
    name: Mapped[Name]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    scope: Mapped[TokenScope] = mapped_column(default=TokenScope.READ)
    last_used_on: Mapped[date | None]

    user: Mapped[User] = relationship()

    __table_args__ = (Index(None, "user_id"),)


class IdentifierPattern(InProject, Versioned, Base):
    """How a project names records of one kind, and the last number given: no number is given twice."""

    __tablename__ = "identifier_pattern"

    id: Mapped[Id]
    noun: Mapped[Code]
    pattern: Mapped[Name]
    """`AL-{number:05}`: text and one number."""
    last_number: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("project_id", "noun"), CheckConstraint("last_number >= 0", name="last_number"))

    @property
    def audit_label(self) -> str:
        """Give the kind of record it names."""
        return self.noun


class FormSubmission(Base):
    """A form that was sent, so that it is recorded once. Bookkeeping of the pages, of some days; no record of anybody's work."""

    __tablename__ = "form_submission"
    audited = False

    user_id: Mapped[int] = mapped_column(BIG_INTEGER, ForeignKey("user_account.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    """What was sent, form id and all, as a hash."""
    location: Mapped[Prose | None]
    """The address that answered it; none while it is still being answered."""
    made_at: Mapped[datetime]
