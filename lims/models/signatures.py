"""Electronic signatures. Append-only as the trail is: triggers refuse all but INSERT, and the trail tells of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.signatures import SignatureAct, SignatureMeaning
from lims.models.base import BIG_INTEGER, Base, Code, Id, InProject, Name, Prose, Sha256, reference


class Signature(InProject, Base):
    """What a person signed, when and in what sense (21 CFR 11.50), bound to the content of it (11.70).

    `content` is what was signed as canonical JSON (RFC 8785): of a study, for each of its tables how many records, the last
    one's number and the SHA-256 over them (`lims.queries.signed`). `sha256` is over the canonical JSON of all other columns,
    so that no part of a signature can be moved to another.
    """

    __tablename__ = "signature"

    id: Mapped[Id]
    entity: Mapped[Code]
    """The table of what was signed."""
    key: Mapped[int] = mapped_column(BIG_INTEGER)
    act: Mapped[SignatureAct]
    meaning: Mapped[SignatureMeaning]
    person_id: Mapped[int] = reference("user_account")
    name: Mapped[Name]
    """Printed name as it was."""
    signed_at: Mapped[datetime]
    statement: Mapped[Prose]
    """Why, in the signer's words."""
    event_seq: Mapped[int] = mapped_column(BIG_INTEGER)
    """The event of the trail that it was made by."""
    content: Mapped[Prose]
    sha256: Mapped[Sha256]

    __table_args__ = (Index(None, "entity", "key"), Index(None, "project_id"), Index(None, "person_id"))

    @property
    def audit_label(self) -> str:
        """Name the signer."""
        return f"of {self.name}"
