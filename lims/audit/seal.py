"""Seals a transaction: one event at the end of the hash chain, with the Merkle root over all it changed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import Connection

from lims.audit.bulk import Column, place_of, write_columns
from lims.audit.canon import canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.audit.record import Declared


def seal(connection: Connection, declared: Declared) -> int:
    """Write the event with its changes at the end of the chain. Returns its sequence number."""
    seq, previous = place_of(connection, declared)
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
    write_columns(connection, "audit_event", {name: [value] for name, value in row.items()})
    own = declared.changes
    columns: dict[str, Column] = {
        "event_seq": repeat(seq),
        "position": range(len(declared.bulk_leaves), len(leaves)),
        "entity": [one.entity for one in own],
        "key": [one.key for one in own],
        "project_id": [one.project for one in own],
        "fields": [one.fields for one in own],
    }
    write_columns(connection, "audit_change", columns)
    return seq
