"""Canonical text and hashes: what exactly is hashed, and how.

Values inside changes are strings, whole numbers, booleans, null and lists of them; keys are ASCII. For that subset
compact JSON with sorted keys is RFC 8785, so orjson serves (a test holds it against the `rfc8785` library).
Hashing of a tree is RFC 6962 section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import orjson

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
GENESIS = "0" * 64
"""What the first event names as its predecessor's hash."""

_LEAF = b"\x00"
_NODE = b"\x01"


def text_of(value: Any) -> Any:
    """Turn a column's value into what the trail holds: numbers as the decimal text people see, dates as ISO text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return canonical({key: text_of(item) for key, item in value.items()})
    raise TypeError(f"the audit trail cannot hold a {type(value).__name__}: {value!r}")


def canonical(value: Any) -> str:
    """Give the canonical JSON of a value of the allowed subset."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def change_content(entity: str, key: int, project: int | None, fields: str) -> bytes:
    """Give the bytes of one change as hashed; `fields` is canonical JSON already."""
    of_project = "null" if project is None else project
    return f'{{"entity":"{entity}","fields":{fields},"key":{key},"project":{of_project}}}'.encode()


def leaf_hash(content: bytes) -> bytes:
    """Hash one change."""
    return hashlib.sha256(_LEAF + content).digest()


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Give the RFC 6962 root over leaf hashes, as hex; of nothing, the hash of the empty string."""
    if not leaves:
        return EMPTY_ROOT
    sha256, level = hashlib.sha256, list(leaves)
    while len(level) > 1:
        # Pairing from the left and carrying an odd last node up gives the same tree as the RFC's recursive split.
        paired = [sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0].hex()


def event_hash(event: dict[str, Any]) -> str:
    """Hash an event's canonical JSON: every column but the hash itself."""
    return hashlib.sha256(canonical(event).encode()).hexdigest()
