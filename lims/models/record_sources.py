"""Which cell of which file a record came from, or was changed by, for records of any noun."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Prose, reference
from lims.models.imports import ImportBatch


class RecordSource(InProject, Base):
    """One record that a batch made, brought back or changed, with the cell that said so.

    A record that several files changed has one for each. Measurements, of which there are many, carry their source themselves.
    """

    __tablename__ = "record_source"

    id: Mapped[Id]
    batch_id: Mapped[int] = reference("import_batch")
    entity: Mapped[str] = mapped_column(String(40))
    """The record's table."""
    record_id: Mapped[int] = mapped_column(BIG_INTEGER)
    made: Mapped[bool] = mapped_column(Boolean)
    """Whether the batch made the record, or changed one that was there."""
    source_sheet: Mapped[Code]
    source_row: Mapped[int]
    source_column: Mapped[int]
    raw: Mapped[Prose]

    batch: Mapped[ImportBatch] = relationship()

    __table_args__ = (Index(None, "batch_id"), Index(None, "entity", "record_id"), Index(None, "project_id"))

    @property
    def audit_label(self) -> str:
        """Give the row of the sheet."""
        return f"{self.source_sheet} row {self.source_row}"
