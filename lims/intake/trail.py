"""What the commit of a batch did, as the audit trail tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Enum, Float, select
from sqlalchemy.orm import Session

from lims.audit.canon import changed
from lims.domain.vocabulary import RecordStatus
from lims.models import AuditChange, AuditEvent, Base, ImportBatch
from lims.models.base import UtcDateTime


def changes(session: Session, batch: ImportBatch, entity: str) -> Iterator[tuple[int, dict[str, tuple[Any, Any]]]]:
    """Give key and fields of what the commit of a batch changed in one table, in order."""
    rows = session.execute(
        select(AuditChange.key, AuditChange.fields)
        .join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
        .where(AuditEvent.action == "batch:commit", AuditEvent.origin == batch.audit_label, AuditChange.entity == entity)
        .order_by(AuditChange.event_seq, AuditChange.position)
    )
    for key, fields in rows:
        yield key, changed(fields)


def touched(session: Session, batch: ImportBatch, table: type[Base]) -> list[int]:
    """Give what the commit of a batch made, brought back or changed."""
    return sorted({key for key, _ in changes(session, batch, table.__tablename__)})


def created(session: Session, batch: ImportBatch, table: type[Base]) -> list[int]:
    """Give what the commit of a batch made or brought back."""
    active = RecordStatus.ACTIVE.value
    return [key for key, fields in changes(session, batch, table.__tablename__) if fields.get("status", (None, None))[1] == active]


def typed_again(kind: Any, told: Any) -> Any:
    """Give a value of the trail as its column holds it."""
    if told is None:
        return None
    if isinstance(kind, Enum):
        return kind.enum_class(told) if kind.enum_class else told
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(told)
    if isinstance(kind, Date):
        return date.fromisoformat(told)
    return float(told) if isinstance(kind, Float) else told
