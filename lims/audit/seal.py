"""Seals a transaction: one event at the end of the hash chain, with the Merkle root over all it changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from lims.audit.canon import GENESIS, canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.audit.record import Declared, writing
from lims.models import AuditChange, AuditEvent


def seal(connection: Connection, declared: Declared) -> int:
    """Write the event with its changes at the end of the chain. Returns its sequence number."""
    last = connection.execute(select(AuditEvent.seq, AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    if declared.seq not in (None, seq):
        raise RuntimeError(f"the trail went on to event {seq} while event {declared.seq} was being written")
    leaves = declared.bulk_leaves + [
        leaf_hash(change_content(one.entity, one.key, one.project, one.fields)) for one in declared.changes
    ]
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
                    for position, one in enumerate(declared.changes, len(declared.bulk_leaves))
                ],
            )
    return seq
