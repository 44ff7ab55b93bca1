"""Collects what the unit of work changes, for the event that the transaction will be sealed with.

Attached to the session class once (`install`): nothing that flushes gets past it, and what a savepoint takes back is
taken back here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Float, event, inspect, select
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction
from sqlalchemy.orm.util import identity_key

from lims.audit.canon import canonical, secret_text, text_of
from lims.audit.record import Change, Declared, UnauditedChange, current, field_name
from lims.audit.seal import seal
from lims.models import Base


def changed_fields(instance: Base) -> dict[str, list[Any]]:
    """Give `{column: [old, new]}` for what the flush at hand changes in one record; `{column: [new]}` where it makes it."""
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
                fields[attribute.key] = [new]
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


_TOGETHER = 5_000
"""Keys bound in one statement: SQLite takes 32,766."""
_Names = dict[tuple[str, int], str]
"""Names of records that changes refer to, by table and id: each is read once, however many refer to it."""


def _named(session: Session, names: _Names, instance: Base, column: str, value: Any) -> Any:
    """Give a reference as `[id, name]`, a secret as its hash, everything else as text."""
    described = instance.__table__.columns[column]
    if value is None:
        return None
    if described.foreign_keys:
        target = next(iter(described.foreign_keys)).column.table.name
        if (target, value) not in names:
            names[target, value] = label_of(session, target, value)
        return [value, names[target, value]]
    if column in instance.secret_columns:
        return secret_text(value)
    # A form may hand 21 to a column of fractions; the database gives back 21.0, and the trail says what it gives.
    return text_of(float(value) if isinstance(described.type, Float) else value)


def label_of(session: Session, table: str, key: int) -> str:
    """Give the name of the record that a reference points to."""
    found = session.get(_model_of(table), key)
    return found.audit_label if isinstance(found, Base) else f"#{key}"


def _model_of(table: str) -> Any:
    for mapper in Base.registry.mappers:
        if mapper.class_.__tablename__ == table and mapper.inherits is None:
            return mapper.class_
    raise UnauditedChange(f"no table {table}")


def _names_of(session: Session, flushed: Sequence[tuple[Base, dict[str, list[Any]]]]) -> _Names:
    """Name what changes refer to and the session let go of, table by table: however many there are, never one by one."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for instance, fields in flushed:
        for column, sides in fields.items():
            for foreign in instance.__table__.columns[column].foreign_keys:
                wanted[foreign.column.table.name].update(side for side in sides if side is not None)
    names: _Names = {}
    for table, keys in wanted.items():
        model = _model_of(table)
        gone = sorted(key for key in keys if identity_key(model, key) not in session.identity_map)
        for start in range(0, len(gone), _TOGETHER):
            for one in session.scalars(select(model).where(model.id.in_(gone[start : start + _TOGETHER]))):
                names[table, one.id] = one.audit_label
    return names


def _as_change(session: Session, names: _Names, instance: Base, fields: dict[str, list[Any]]) -> Change:
    told = {
        field_name(column): [_named(session, names, instance, column, side) for side in sides] for column, sides in fields.items()
    }
    table = instance.__tablename__
    # A project is its own scope; what belongs to none (people, roles, stored files) has no such column.
    project = instance.id if table == "project" else getattr(instance, "project_id", None)  # type: ignore[attr-defined]  # as below
    return Change(table, instance.id, project, canonical(told))  # type: ignore[attr-defined]  # every audited table has an id


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    declared = session.info.pop("audit", None)
    if not isinstance(declared, Declared):
        return
    with session.no_autoflush:
        names = _names_of(session, declared.flushed)
        declared.changes.extend(_as_change(session, names, instance, fields) for instance, fields in declared.flushed)
    if declared.changes or declared.bulk_leaves or declared.detail:
        seal(session.connection(), declared)


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
