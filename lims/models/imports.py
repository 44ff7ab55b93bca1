"""Files as they were stored, the imports made of them, and what was found in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import BatchState
from lims.models.accounts import User
from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Name, Prose, Sha256, Versioned, reference
from lims.models.import_profiles import ImportProfileVersion


class StoredFile(Base):
    """The bytes of an upload, kept by their SHA-256 in the file store; this row is the index to them."""

    __tablename__ = "stored_file"

    id: Mapped[Id]
    sha256: Mapped[Sha256] = mapped_column(unique=True)
    size: Mapped[int] = mapped_column(BIG_INTEGER)
    """Bytes."""
    stored_at: Mapped[datetime]

    @property
    def audit_label(self) -> str:
        """Give the beginning of the hash."""
        return self.sha256[:12]


class ImportBatch(InProject, Versioned, Base):
    """One file taken in: who, when, by which importer with which answers, and what became of every row.

    `report` is the outcome of the last check (`lims.intake.report`): counts, questions, what would be created, plot.
    It can be made again from the stored bytes and is not part of the audited record; the findings are rows of their own.
    """

    __tablename__ = "import_batch"
    unaudited_columns = frozenset({"version", "report"})

    id: Mapped[Id]
    file_id: Mapped[int] = reference("stored_file")
    file_name: Mapped[Name]
    study_id: Mapped[int | None] = reference("study")
    state: Mapped[BatchState]
    importer: Mapped[Code | None]
    choices: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Answers a person gave, by question key; `importers.base.Choices`."""
    profile_version_id: Mapped[int | None] = reference("import_profile_version")
    """The profile that it was read by, as it was then; what a person answered otherwise stands in `choices`."""
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    uploaded_by_id: Mapped[int | None] = reference("user_account")
    """Empty where the command line did it: the audit trail then names the account of the operating system."""
    uploaded_at: Mapped[datetime]
    committed_by_id: Mapped[int | None] = reference("user_account")
    committed_at: Mapped[datetime | None]
    supersedes_id: Mapped[int | None] = mapped_column(BIG_INTEGER, ForeignKey("import_batch.id"))

    file: Mapped[StoredFile] = relationship()
    profile_version: Mapped[ImportProfileVersion | None] = relationship()
    uploaded_by: Mapped[User | None] = relationship(foreign_keys="ImportBatch.uploaded_by_id")
    committed_by: Mapped[User | None] = relationship(foreign_keys="ImportBatch.committed_by_id")

    __table_args__ = (
        Index(None, "project_id", "id"),
        # One live import of the same bytes in a project, however many people drop the file at once.
        Index(
            "uq_import_batch_live_file",
            "project_id",
            "file_id",
            unique=True,
            sqlite_where=text("state NOT IN ('withdrawn', 'superseded')"),
            postgresql_where=text("state NOT IN ('withdrawn', 'superseded')"),
        ),
    )

    @property
    def audit_label(self) -> str:
        """Name it as people do."""
        return f"batch {self.id}"


class ImportFinding(Base):
    """One thing found in a file by the last check; made again with every check, so not audited."""

    __tablename__ = "import_finding"
    audited = False

    id: Mapped[Id]
    batch_id: Mapped[int] = reference("import_batch")
    severity: Mapped[str] = mapped_column(String(10))
    code: Mapped[Code]
    sheet: Mapped[Name | None]
    row_number: Mapped[int | None]
    column_number: Mapped[int | None]
    value: Mapped[Prose | None]
    message: Mapped[Prose]
    expected: Mapped[Prose | None]
    remedy: Mapped[Prose | None]
    source: Mapped[Prose | None]
    """Where the rule stands that judged it."""

    __table_args__ = (Index(None, "batch_id", "id"),)
