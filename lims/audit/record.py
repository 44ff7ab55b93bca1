"""Writes the trail: declares what a transaction does, collects its changes, and seals them into one event at commit.

A service calls `declare` first. From then on whatever the unit of work flushes is collected, and the event, its changes
and its place in the hash chain are written by the same transaction just before it commits. A flush without a
declaration raises `UnauditedChange`; so does any INSERT, UPDATE or DELETE that bypasses the unit of work
(`lims.audit.guard`) and does not come from the bulk writer (`lims.audit.bulk`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Float, event, insert, inspect, select, text
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction

from lims.audit.canon import GENESIS, canonical, change_content, event_hash, leaf_hash, merkle_root, secret_text, text_of
from lims.audit.tags import check_tag
from lims.models import AuditChange, AuditEvent, Base

LOCK_KEY = 0x11B5_A0D1
"""PostgreSQL advisory lock that puts audited transactions in one order: the chain has no forks."""


class UnauditedChange(RuntimeError):
    """Something tried to change a record without saying who does it and what it is: a defect, never a user's mistake."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in person, or the command line under the operating system's account."""

    id: int | None
    name: str
    origin: str = "form"
    request: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One record changed: `fields` is canonical JSON of `{field: [old, new]}`."""

    entity: str
    key: int
    project: int | None
    fields: str


@dataclass(slots=True)
class Declared:
    """What the running transaction said of itself, and what it changed so far."""

    actor: Actor
    action: str
    reason: str
    project: int | None
    detail: dict[str, Any]
    flushed: list[tuple[Base, dict[str, list[Any]]]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    bulk_leaves: list[bytes] = field(default_factory=list)
    """Hashes of changes whose rows the bulk writer has already written; they follow `changes` in the tree."""
    bulk_rows: list[tuple[str, Sequence[int], int | None, list[str]]] = field(default_factory=list)
    """(entity, keys, project, fields) of those, written when the event has its number."""

    def size(self) -> tuple[int, int, int]:
        """Count what is collected so far: a savepoint's mark."""
        return len(self.flushed), len(self.bulk_leaves), len(self.bulk_rows)

    def shrink(self, size: tuple[int, int, int]) -> None:
        """Forget what was collected since `size` was counted."""
        flushed, leaves, rows = size
        del self.flushed[flushed:], self.bulk_leaves[leaves:], self.bulk_rows[rows:]


def declare(
    session: Session,
    actor: Actor,
    action: str,
    *,
    reason: str = "",
    project: int | None = None,
    detail: dict[str, Any] | None = None,
) -> Declared:
    """Say what this transaction does. The first declaration names the event; services called within it are part of it.

    On PostgreSQL this takes the trail's lock, so that audited transactions commit in one order.
    """
    check_tag(action)
    declared = session.info.get("audit")
    if isinstance(declared, Declared):
        return declared
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    declared = Declared(actor, action, reason, project, dict(detail or {}))
    session.info["audit"] = declared
    return declared


def current(session: Session) -> Declared:
    """Give the running declaration; raises `UnauditedChange` without one."""
    declared = session.info.get("audit")
    if not isinstance(declared, Declared):
        raise UnauditedChange("a record changed in a transaction that declared no action: call lims.audit.record.declare first")
    return declared


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Let statements through the guard for as long as the audited writer itself is at work."""
    depth = connection.info.get("audited_writer", 0)
    connection.info["audited_writer"] = depth + 1
    try:
        yield
    finally:
        connection.info["audited_writer"] = depth


def changed_fields(instance: Base) -> dict[str, list[Any]]:
    """Give `{column: [old, new]}` for what the flush at hand changes in one record."""
    state = inspect(instance)
    created = state.key is None or not state.has_identity
    fields: dict[str, list[Any]] = {}
    for attribute in state.mapper.column_attrs:
        if attribute.key in instance.unaudited_columns or attribute.key == "id":
            continue
        history = state.attrs[attribute.key].history
        if created:
            new = getattr(instance, attribute.key)
            if new is not None:
                fields[attribute.key] = [None, new]
        elif history.has_changes():
            if not history.deleted:
                raise UnauditedChange(f"{instance!r}.{attribute.key} was set without its old value being loaded")
            old, new = next(iter(history.deleted)), next(iter(history.added))
            if old != new:
                fields[attribute.key] = [old, new]
    return fields


def _before_flush(session: Session, context: UOWTransaction, instances: object) -> None:
    if session.deleted:
        kinds = sorted(type(one).__name__ for one in session.deleted)
        raise UnauditedChange(f"nothing is deleted, it is withdrawn: {', '.join(kinds)}")


def _after_flush(session: Session, context: UOWTransaction) -> None:
    for instance in [*session.new, *session.dirty]:
        if isinstance(instance, Base) and instance.audited:
            fields = changed_fields(instance)
            if fields:
                current(session).flushed.append((instance, fields))


def _named(session: Session, instance: Base, column: str, value: Any) -> Any:
    """Give a reference as `[id, name]`, a secret as its hash, everything else as text."""
    described = instance.__table__.columns[column]
    if value is None:
        return None
    if described.foreign_keys:
        target = next(iter(described.foreign_keys)).column.table.name
        return [value, label_of(session, target, value)]
    if column in instance.secret_columns:
        return secret_text(value)
    # A form may hand 21 to a column of fractions; the database gives back 21.0, and the trail says what it gives.
    return text_of(float(value) if isinstance(described.type, Float) else value)


def label_of(session: Session, table: str, key: int) -> str:
    """Give the name of the record that a reference points to."""
    for mapper in Base.registry.mappers:
        if mapper.class_.__tablename__ == table and mapper.inherits is None:
            found = session.get(mapper.class_, key)
            return found.audit_label if isinstance(found, Base) else f"#{key}"
    raise UnauditedChange(f"no table {table}")


def field_name(column: str) -> str:
    """Give the field's name in the trail: references drop their `_id`, for they carry id and name."""
    return column.removesuffix("_id")


def _as_change(session: Session, instance: Base, fields: dict[str, list[Any]]) -> Change:
    told = {
        field_name(column): [_named(session, instance, column, old), _named(session, instance, column, new)]
        for column, (old, new) in fields.items()
    }
    table = instance.__tablename__
    project = instance.id if table == "project" else getattr(instance, "project_id", None)  # type: ignore[attr-defined]
    return Change(table, instance.id, project, canonical(told))  # type: ignore[attr-defined]  # every audited table has an id


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    declared = session.info.pop("audit", None)
    if not isinstance(declared, Declared):
        return
    with session.no_autoflush:
        declared.changes.extend(_as_change(session, instance, fields) for instance, fields in declared.flushed)
    if declared.changes or declared.bulk_leaves or declared.detail:
        seal(session.connection(), declared)


def seal(connection: Connection, declared: Declared) -> int:
    """Write the event with its changes at the end of the chain. Returns its sequence number."""
    from lims.audit.bulk import write_changes

    last = connection.execute(select(AuditEvent.seq, AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    leaves = [leaf_hash(change_content(one.entity, one.key, one.project, one.fields)) for one in declared.changes]
    leaves += declared.bulk_leaves
    actor = declared.actor
    row: dict[str, Any] = {
        "seq": seq,
        "at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "actor_id": actor.id,
        "actor": actor.name,
        "origin": actor.origin,
        "action": declared.action,
        "reason": declared.reason,
        "request": actor.request,
        "project_id": declared.project,
        "detail": canonical({key: text_of(value) for key, value in declared.detail.items()}),
        "changes": len(leaves),
        "root": merkle_root(leaves),
        "previous_hash": previous,
    }
    row["hash"] = event_hash(row)
    with writing(connection):
        connection.execute(insert(AuditEvent), row)
        if declared.changes:
            connection.execute(
                insert(AuditChange),
                [
                    {
                        "event_seq": seq,
                        "position": position,
                        "entity": one.entity,
                        "key": one.key,
                        "project_id": one.project,
                        "fields": one.fields,
                    }
                    for position, one in enumerate(declared.changes)
                ],
            )
        write_changes(connection, seq, len(declared.changes), declared)
    return seq


def _remember_savepoint(session: Session, transaction: SessionTransaction) -> None:
    declared = session.info.get("audit")
    if transaction.nested:
        # What was pending before the savepoint has been flushed by now: it belongs to the transaction around it.
        session.info.setdefault("audit_savepoints", {})[transaction] = declared.size() if isinstance(declared, Declared) else None


def _forget(session: Session, transaction: SessionTransaction) -> None:
    """Take back what a rolled-back transaction, or savepoint in it, had collected: it never happened."""
    if transaction.parent is None:
        session.info.pop("audit", None)
        return
    savepoints = session.info.get("audit_savepoints", {})
    if transaction not in savepoints:
        return
    size, declared = savepoints.pop(transaction), session.info.get("audit")
    if size is None:
        session.info.pop("audit", None)
    elif isinstance(declared, Declared):
        declared.shrink(size)


def _forget_savepoints(session: Session, transaction: SessionTransaction) -> None:
    # A savepoint ends before its rollback is told: marks can only go when everything is over.
    if transaction.parent is None:
        session.info.pop("audit_savepoints", None)


def install(target: Any) -> None:
    """Attach the audited writer to a session class or sessionmaker."""
    event.listen(target, "before_flush", _before_flush)
    event.listen(target, "after_flush", _after_flush)
    event.listen(target, "before_commit", _before_commit)
    event.listen(target, "after_transaction_create", _remember_savepoint)
    event.listen(target, "after_soft_rollback", _forget)
    event.listen(target, "after_transaction_end", _forget_savepoints)
