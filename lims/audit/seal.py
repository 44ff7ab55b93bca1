"""Seals a transaction: one event at the end of the hash chain, with the Merkle root over all it changed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, select

from lims.audit.bulk import Column, write_columns
from lims.audit.canon import GENESIS, canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.audit.record import Declared
from lims.models import AuditEvent

_LAST = select(AuditEvent.seq, AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)


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
    write_columns(connection, "audit_event", {name: [value] for name, value in row.items()})
    _write_changes(connection, seq, declared)
    return seq


def _write_changes(connection: Connection, seq: int, declared: Declared) -> None:
    """Write what the unit of work changed, and behind it the trail of the bulk rows."""
    own = declared.changes
    columns: dict[str, Column] = {
        "event_seq": repeat(seq),
        "position": range(len(own)),
        "entity": [one.entity for one in own],
        "key": [one.key for one in own],
        "project_id": [one.project for one in own],
        "fields": [one.fields for one in own],
    }
    write_columns(connection, "audit_change", columns)
    offset = len(own)
    for entity, keys, project, fields in declared.bulk_rows:
        places: dict[str, Column] = {
            "position": range(offset, offset + len(fields)),
            "entity": repeat(entity),
            "project_id": repeat(project),
        }
        write_columns(connection, "audit_change", {**columns, **places, "key": keys, "fields": fields})
        offset += len(fields)
