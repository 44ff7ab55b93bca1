"""The audit trail's own tables. Append-only: triggers refuse everything but INSERT, and the hash chain proves it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from lims.models.base import BIG_INTEGER, Base, Code, Id, Name, Prose, Sha256


class AuditEvent(Base):
    """One transaction that changed something, or one thing that happened (a sign-in, an export).

    `hash` = SHA-256 over the canonical JSON (RFC 8785) of `seq`, `previous_hash` and the SHA-256 of everything else here
    (`lims.audit.canon.event_hash`); `root` is the RFC 6962 Merkle root over the event's changes. No foreign keys: the
    trail outlives what it speaks of.
    """

    __tablename__ = "audit_event"
    audited = False

    seq: Mapped[int] = mapped_column(BIG_INTEGER, primary_key=True, autoincrement=False)
    """Gap-free, from 1."""
    at: Mapped[str] = mapped_column(String(32))
    """Server's UTC time, ISO 8601 with microseconds and Z: as hashed, so kept as text."""
    actor_id: Mapped[int | None] = mapped_column(BIG_INTEGER)
    actor: Mapped[Name]
    """Printed name at that moment."""
    origin: Mapped[Code]
    """form, batch N, api, command line, migration."""
    action: Mapped[Code]
    """`noun:verb` from `lims.audit.tags`."""
    reason: Mapped[Prose]
    request: Mapped[Code]
    project_id: Mapped[int | None] = mapped_column(BIG_INTEGER)
    detail: Mapped[Prose]
    """Canonical JSON of what else is known of an event without changes (rows exported, address signed in from)."""
    changes: Mapped[int] = mapped_column(Integer)
    root: Mapped[Sha256]
    previous_hash: Mapped[Sha256]
    hash: Mapped[Sha256]

    __table_args__ = (Index(None, "project_id", "seq"),)


class AuditChange(Base):
    """One record changed by an event: canonical JSON of `{field: [old, new]}`, or of `{field: [new]}` where it was made."""

    __tablename__ = "audit_change"
    audited = False

    event_seq: Mapped[int] = mapped_column(BIG_INTEGER, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """From 0: the leaf's place in the event's Merkle tree."""
    entity: Mapped[Code]
    key: Mapped[int] = mapped_column(BIG_INTEGER)
    project_id: Mapped[int | None] = mapped_column(BIG_INTEGER)
    fields: Mapped[Prose]

    # With a rowid on SQLite: without one, the trigger that refuses a REPLACE doubles the time of an import.
    __table_args__ = (Index(None, "entity", "key"),)


class AuditCheckpoint(Base):
    """A signed statement of the trail's size and root at a time (C2SP signed note, Ed25519)."""

    __tablename__ = "audit_checkpoint"
    audited = False

    id: Mapped[Id]
    seq: Mapped[int] = mapped_column(BIG_INTEGER)
    made_at: Mapped[datetime]
    note: Mapped[Prose]
