"""What people corrected, left out and acknowledged of a file before it was recorded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from lims.domain.cells import cell_address
from lims.models.accounts import User
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Sha256, Versioned, Withdrawable, reference


class ImportEdit(InProject, Withdrawable, Versioned, Base):
    """A cell of a file that a person corrected, or a row that a person left out; the stored file stays as it is.

    Row and column count from 1, as the sheet does; without a column it is the whole row. `raw`: what the file has there.
    `value`: what is read in its place. What was taken back is withdrawn, and another correction of the cell is a row of its own.
    """

    __tablename__ = "import_edit"

    id: Mapped[Id]
    batch_id: Mapped[int] = reference("import_batch")
    sheet: Mapped[Name]
    row_number: Mapped[int]
    column_number: Mapped[int | None]
    raw: Mapped[Prose | None]
    value: Mapped[Prose | None]
    reason: Mapped[Prose]
    made_by_id: Mapped[int | None] = reference("user_account")
    """Empty where the command line did it: the audit trail then names the account of the operating system."""
    made_at: Mapped[datetime]

    made_by: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint("row_number >= 1", name="row_number"),
        CheckConstraint("column_number >= 1", name="column_number"),
        Index(None, "batch_id", "sheet", "row_number"),
        Index(None, "project_id"),
    )

    @property
    def address(self) -> str:
        """Say where it is, as people do: `Sheet1!C7`, `Sheet1 row 7`."""
        return cell_address(self.sheet, self.row_number, self.column_number)

    @property
    def audit_label(self) -> str:
        """Give the address."""
        return self.address


class ImportAcceptance(InProject, Versioned, Base):
    """Somebody looked at all warnings of one kind in a file, and takes the file as it is.

    It holds for exactly those warnings: `digest` is of where they stand and what they say (`lims.intake.groups`).
    """

    __tablename__ = "import_acceptance"

    id: Mapped[Id]
    batch_id: Mapped[int] = reference("import_batch")
    code: Mapped[Code]
    number: Mapped[int]
    digest: Mapped[Sha256]
    accepted_by_id: Mapped[int | None] = reference("user_account")
    accepted_at: Mapped[datetime]

    accepted_by: Mapped[User | None] = relationship()

    __table_args__ = (UniqueConstraint("batch_id", "code"), Index(None, "project_id"))

    @property
    def audit_label(self) -> str:
        """Give the kind of warning."""
        return self.code
