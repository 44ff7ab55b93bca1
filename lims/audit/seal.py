"""Seals a transaction: one event at the end of the hash chain, with the Merkle root over all it changed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, insert, select

from lims.audit.bulk import Column, write_columns
from lims.audit.canon import GENESIS, canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.audit.record import Declared, writing
from lims.models import AuditChange, AuditEvent

_LAST = select(AuditEvent.seq, AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)
_EVENT, _CHANGE = insert(AuditEvent), insert(AuditChange)


def seal(connection: Connection, declared: Declared) -> int:
    """Write the event with its changes at the end of the chain. Returns its sequence number."""
    last = connection.execute(_LAST).first()
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
        connection.execute(_EVENT, row)
        if declared.changes:
            connection.execute(
                _CHANGE,
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
        _write_bulk_changes(connection, seq, len(declared.changes), declared)
    return seq


def _write_bulk_changes(connection: Connection, seq: int, offset: int, declared: Declared) -> None:
    """Write the trail of the bulk rows, behind the `offset` changes that the unit of work made."""
    for entity, keys, project, fields in declared.bulk_rows:
        columns: dict[str, Column] = {
            "event_seq": repeat(seq),
            "position": range(offset, offset + len(fields)),
            "entity": repeat(entity),
            "key": keys,
            "project_id": repeat(project),
            "fields": fields,
        }
        write_columns(connection, "audit_change", columns)
        offset += len(fields)
