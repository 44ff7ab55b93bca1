"""The history of one record, as sentences for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import JSON, Float, and_, bindparam, select
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Session

from lims.audit import canon
from lims.audit.answers import answers_changed
from lims.audit.capture import label_of
from lims.audit.phrases import BESIDE, GRIDS, phrases, position
from lims.audit.record import field_name
from lims.audit.words import NOT_SET, field_word, term_text, unit_of, value_text
from lims.domain.vocabulary import MeasurementKind
from lims.models import AuditChange, AuditEvent, Base, LabKind, Measurement
from lims.models.base import UtcDateTime

_QUIET = frozenset({"project", "fs_uniquifier", "slot", "content", "event_seq"})
"""Fields that say nothing to a reader: the page stands in the project, keys and what a signature is bound to are for machines."""
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
    steps: tuple[str, ...]
    """What was done, with verbs: `moved it from BX-03 A1 to BX-03 B2`."""
    sentences: tuple[str, ...]
    """What else became of its fields: `body weight 21.4 → 20.9 g`."""
    created: bool
    """Whether the record was made by this event: its sentences then say what it was made with."""


_event, _change = AuditEvent.__table__.c, AuditChange.__table__.c
_OF_RECORD = _change.entity == bindparam("entity"), _change.key == bindparam("key")
# The page of every record asks these: columns and no objects, and put together once.
_LATEST = (
    select(_event.seq, _event.at, _event.actor, _event.origin, _event.action, _event.reason, _change.fields)
    .join(AuditChange.__table__, _change.event_seq == _event.seq)
    .where(*_OF_RECORD)
    .order_by(_change.event_seq.desc(), _change.position.desc())
    .limit(bindparam("limit"))
)
_FIRST = select(_change.event_seq).where(*_OF_RECORD).order_by(_change.event_seq).limit(1)
_KIND = (
    select(Measurement.kind, LabKind)
    .outerjoin(LabKind, and_(LabKind.project_id == Measurement.project_id, LabKind.code == Measurement.kind))
    .where(Measurement.id == bindparam("key"))
)


def entries(session: Session, entity: str, key: int, limit: int = 200) -> list[Entry]:
    """Give a record's history, newest first, with values in people's units and words and times of the laboratory."""
    of_record = {"entity": entity, "key": key}
    rows = session.connection().execute(_LATEST, {**of_record, "limit": limit}).all()
    kind = _kind(session, key) if entity == "measurement" else None
    first = session.connection().scalar(_FIRST, of_record) if len(rows) == limit else rows[-1].seq if rows else None
    told, after = [], _standing(session, entity, key)
    for event in rows:
        changed = canon.changed(event.fields)
        before = {**after, **{field: old for field, (old, _) in changed.items()}}
        created = event.seq == first and canon.makes(event.fields)
        steps, covered = ([], frozenset({"status"})) if created else phrases(entity, changed, before, after)
        rest = {field: values for field, values in changed.items() if field not in covered}
        said = sentences(entity, rest, kind, session.info.get("zone", UTC), unit=after.get("unit"))
        at = datetime.fromisoformat(event.at)
        told.append(Entry(event.seq, at, event.actor, event.origin, event.action, event.reason, tuple(steps), said, created))
        after = before
    return told


def _standing(session: Session, entity: str, key: int) -> dict[str, Any]:
    """Give what the record holds now of the columns that phrases need, as the trail writes it."""
    columns = [Base.metadata.tables[entity].columns[name] for name in BESIDE.get(entity, ())]
    if not columns:
        return {}
    row = session.execute(select(*columns).where(Base.metadata.tables[entity].columns.id == key)).one_or_none()
    told = {}
    for column, value in zip(columns, row or (), strict=bool(row)):
        told[field_name(column.name)] = canon.text_of(value)
        for target in column.foreign_keys if value is not None else ():
            told[field_name(column.name)] = [value, label_of(session, target.column.table.name, value)]
    return told


def _kind(session: Session, measurement_id: int) -> str | MeasurementKind | None:
    """Give the kind of a reading: its code, or what the laboratory recorded of a kind of its own."""
    found = session.execute(_KIND, {"key": measurement_id}).first()
    return None if found is None else found.LabKind.as_kind if found.LabKind else found.kind


def sentences(
    entity: str,
    changed: Mapping[str, tuple[Any, Any]],
    kind: str | MeasurementKind | None = None,
    zone: tzinfo = UTC,
    *,
    unit: str | None = None,
) -> tuple[str, ...]:
    """Say what became of a record's fields, without those that say nothing to a reader.

    `unit`: that of an amount, which stands in a column of its own.
    """
    told = []
    for field, (old, new) in changed.items():
        if field in GRIDS and GRIDS[field] in changed:
            was, now = (position({name: values[side] for name, values in changed.items()}, field) for side in (0, 1))
            told.append(f"position {was} → {now or NOT_SET}" if was else f"position {now}")
        elif field not in _QUIET and not any(field == column and row in changed for row, column in GRIDS.items()):
            told.append(sentence(entity, field, old, new, kind, zone, unit=unit))
    return tuple(told)


def sentence(
    entity: str,
    field: str,
    old: Any,
    new: Any,
    kind: str | MeasurementKind | None = None,
    zone: tzinfo = UTC,
    *,
    unit: str | None = None,
) -> str:
    """Say what became of one field: `body weight 21.4 → 20.9 g`; of one that was not set before, only what it is."""
    word = field_word(entity, field, kind)
    if field in _SECRET:
        return f"{word} {'set' if old is None else 'changed'}"
    if isinstance(_type_of(entity, field), JSON) and (told := answers_changed(old, new)) is not None:
        return f"{word} {told}"
    unit = unit if field == "amount" else unit_of(entity, field, kind)
    end = f" {unit}" if unit and new is not None else ""
    now = field_word(entity, "value", kind) if (entity, field) == ("measurement", "kind") else _say(entity, field, new, zone)
    if old is None:
        return f"{word} {now}{end}"
    return f"{word} {_say(entity, field, old, zone)} → {now}{end}"


def _say(entity: str, field: str, value: Any, zone: tzinfo) -> str:
    """Write a value of the trail as its column's kind is read: terms in words, whole numbers without a fraction."""
    match _type_of(entity, field), value:
        case EnumType(), str():
            return term_text(value)
        case JSON(), list():
            return ", ".join(term_text(str(one)) for one in value)
        case Float(), str():
            return value.removesuffix(".0")
        case UtcDateTime(), str() if zone is not UTC:
            return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
    return value_text(value)


@cache
def _type_of(entity: str, field: str) -> Any:
    columns: Any = Base.metadata.tables[entity].columns if entity in Base.metadata.tables else {}
    column = columns.get(field)
    return None if column is None else column.type
