"""Canonical text and hashes: what exactly is hashed, and how.

Values inside changes are strings, whole numbers, booleans, null and lists of them; keys are ASCII. For that subset
compact JSON with sorted keys is RFC 8785, so orjson serves (a test holds it against the `rfc8785` library).
A change is `{field: [old, new]}`, and of a record that it makes `{field: [new]}`.
Hashing of a tree is RFC 6962 section 2.1. An event's hash is of two levels, so that an event can be sealed in a bundle
for another project's auditor (its content hidden behind `content_hash`) and the chain through it still be recomputed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import orjson

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
GENESIS = "0" * 64
"""What the first event names as its predecessor's hash."""

CHAIN_FIELDS = frozenset({"seq", "previous_hash", "hash"})
"""An event's place in the chain; all its other columns are what it says."""

_LEAF, _NODE = hashlib.sha256(b"\x00"), hashlib.sha256(b"\x01")
"""Hashes that have begun with what tells leaf and node apart: OpenSSL copies one in less time than it begins another."""


def text_of(value: Any) -> Any:
    """Turn a column's value into what the trail holds: numbers as the decimal text people see, dates as ISO text."""
    match value:
        case Enum():
            text: Any = value.value
        case None | bool() | int() | str():
            text = value
        case float() if math.isfinite(value):
            # Adding 0.0 turns -0.0, which SQLite does not keep, into 0.0.
            text = repr(value + 0.0)
        case datetime():
            text = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            text = value.isoformat()
        case dict():
            text = canonical({key: text_of(item) for key, item in value.items()})
        case list() | tuple():
            text = [text_of(item) for item in value]
        case _:
            raise TypeError(f"the audit trail cannot hold a {type(value).__name__}: {value!r}")
    return text


def canonical(value: Any) -> str:
    """Give the canonical JSON of a value of the allowed subset."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def sides(told: Sequence[Any]) -> tuple[Any, Any]:
    """Give what a field was and what it became: of a record that was made then, nothing was before.

    Raises:
        ValueError: it is neither `[new]` nor `[old, new]`.
    """
    (old, new) = told if len(told) != 1 else (None, *told)
    return old, new


def changed(fields: str) -> dict[str, tuple[Any, Any]]:
    """Give field → (old, new) of a change's text."""
    return {field: sides(told) for field, told in orjson.loads(fields).items()}


def makes(fields: str) -> bool:
    """Tell whether a change made its record: nothing was before in any of its fields."""
    return all(len(told) == 1 for told in orjson.loads(fields).values())


def change_content(entity: str, key: int, project: int | None, fields: str) -> bytes:
    """Give the bytes of one change as hashed; `fields` is canonical JSON already."""
    of_project = "null" if project is None else project
    return f'{{"entity":"{entity}","fields":{fields},"key":{key},"project":{of_project}}}'.encode()


def leaf_hash(content: bytes) -> bytes:
    """Hash one change."""
    begun = _LEAF.copy()
    begun.update(content)
    return begun.digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    begun = _NODE.copy()
    begun.update(left + right)
    return begun.digest()


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Give the RFC 6962 root over leaf hashes, as hex; of nothing, the hash of the empty string."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        # Pairing from the left and carrying an odd last node up gives the same tree as the RFC's recursive split.
        paired = list(map(_node_hash, level[::2], level[1::2]))
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0].hex()


def secret_text(value: str | None) -> str | None:
    """Stand in for a secret (a password's hash): a change of it shows and can be replayed, the secret itself cannot be read."""
    return None if value is None else f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def content_hash(event: Mapping[str, Any]) -> str:
    """Hash what an event says: the canonical JSON of every column but its place in the chain."""
    said = {name: value for name, value in event.items() if name not in CHAIN_FIELDS}
    return hashlib.sha256(canonical(said).encode()).hexdigest()


SIGNED_FIELDS = frozenset(
    {"act", "content", "entity", "event_seq", "key", "meaning", "name", "person", "project", "signed_at", "statement"}
)
"""What a signature says of itself, by the names that the trail has for it."""


def signature_hash(said: Mapping[str, Any]) -> str:
    """Hash a signature: the canonical JSON of all it says, people and projects by their numbers."""
    if said.keys() != SIGNED_FIELDS:
        raise ValueError(f"no signature: {sorted(said.keys() ^ SIGNED_FIELDS)}")
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def link_hash(seq: int, previous_hash: str, content: str) -> str:
    """Hash an event's place in the chain together with the hash of what it says."""
    return hashlib.sha256(canonical({"content": content, "previous_hash": previous_hash, "seq": seq}).encode()).hexdigest()


def event_hash(event: Mapping[str, Any]) -> str:
    """Hash an event: its number, its predecessor's hash and the hash of everything else it says."""
    return link_hash(event["seq"], event["previous_hash"], content_hash(event))
