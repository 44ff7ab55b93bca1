"""How the files of a source are read, kept under a name: profiles with their versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.models.accounts import User
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Versioned, Withdrawable, reference
from lims.models.studies import Study


class ImportProfile(InProject, Withdrawable, Versioned, Base):
    """How the files of one source are read, under a name that people gave it; what exactly, its latest version says."""

    __tablename__ = "import_profile"

    id: Mapped[Id]
    name: Mapped[Name]
    note: Mapped[Prose | None]
    number: Mapped[int] = mapped_column(default=1)
    """Of its latest version."""

    __table_args__ = (UniqueConstraint("project_id", "name"),)


class ImportProfileVersion(InProject, Base):
    """What a profile said from some day on; it never changes, so that a batch can always name how it was read."""

    __tablename__ = "import_profile_version"

    id: Mapped[Id]
    profile_id: Mapped[int] = reference("import_profile")
    number: Mapped[int]
    importer: Mapped[Code]
    choices: Mapped[dict[str, str]] = mapped_column(JSON)
    """Answers to the file's questions, a mapping of its columns among them; `importers.base.Choices`."""
    signature: Mapped[list[str]] = mapped_column(JSON)
    """The headers by which its files are recognised; `importers.signature`."""
    study_id: Mapped[int | None] = reference("study")
    """The study that its files belong to, where all of them do."""
    reason: Mapped[Prose]
    made_by_id: Mapped[int | None] = reference("user_account")
    """Empty where the command line did it, as for a batch."""
    made_at: Mapped[datetime]

    profile: Mapped[ImportProfile] = relationship()
    study: Mapped[Study | None] = relationship()
    made_by: Mapped[User | None] = relationship()

    __table_args__ = (UniqueConstraint("profile_id", "number"),)

    @property
    def audit_label(self) -> str:
        """Name it as people do."""
        return f"version {self.number} of profile {self.profile_id}"
