"""The history of one record, as sentences for its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.words import NOT_SET, field_word, unit_of, value_text
from lims.models import AuditChange, AuditEvent, Measurement

_QUIET = frozenset({"project", "fs_uniquifier", "slot"})
"""Fields that say nothing to a reader: the page already stands in the project, keys are for machines."""
_SECRET = frozenset({"password"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event did to a record."""

    event: int
    at: datetime
    person: str
    origin: str
    action: str
    reason: str
    sentences: tuple[str, ...]
    created: bool
    """Whether the record was made by this event: its sentences then say what it was made with."""


def entries(session: Session, entity: str, key: int, limit: int = 200) -> list[Entry]:
    """Give a record's history, newest first, with values in people's units and words."""
    rows = session.execute(
        select(AuditEvent, AuditChange.fields)
        .join(AuditChange, AuditChange.event_seq == AuditEvent.seq)
        .where(AuditChange.entity == entity, AuditChange.key == key)
        .order_by(AuditChange.event_seq.desc(), AuditChange.position.desc())
        .limit(limit)
    ).all()
    kind = session.scalar(select(Measurement.kind).where(Measurement.id == key)) if entity == "measurement" else None
    first = session.scalar(
        select(AuditChange.event_seq)
        .where(AuditChange.entity == entity, AuditChange.key == key)
        .order_by(AuditChange.event_seq)
        .limit(1)
    )
    return [_entry(event, fields, entity, kind, created=event.seq == first) for event, fields in rows]


def _entry(event: AuditEvent, fields: str, entity: str, kind: str | None, *, created: bool) -> Entry:
    changed: dict[str, list[Any]] = orjson.loads(fields)
    made = created and all(old is None for old, _ in changed.values())
    told = sentences(entity, changed, kind)
    at = datetime.fromisoformat(event.at)
    return Entry(event.seq, at, event.actor, event.origin, event.action, event.reason, told, made)


def sentences(entity: str, changed: dict[str, list[Any]], kind: str | None = None) -> tuple[str, ...]:
    """Say what became of a record's fields, without those that say nothing to a reader."""
    return tuple(sentence(entity, field, old, new, kind) for field, (old, new) in changed.items() if field not in _QUIET)


def sentence(entity: str, field: str, old: Any, new: Any, kind: str | None = None) -> str:
    """Say what became of one field: `body weight 21.4 → 20.9 g`; of one that was not set before, only what it is."""
    word = field_word(entity, field, kind)
    if field in _SECRET:
        return f"{word} {'set' if old is None else 'changed'}"
    unit = unit_of(entity, field, kind)
    end = f" {unit}" if unit and new is not None else ""
    if old is None:
        return f"{word} {value_text(new)}{end}"
    return f"{word} {value_text(old)} → {value_text(new) if new is not None else NOT_SET}{end}"
