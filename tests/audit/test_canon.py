"""What is hashed, and how: held against the standards' own definitions."""

import hashlib
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lims.audit.canon import canonical, change_content, event_hash, leaf_hash, merkle_root, text_of
from lims.audit.standalone import verify_bundle

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT, lambda inner: st.lists(inner, max_size=3), max_leaves=8
)
KEYS = st.text(st.characters(codec="ascii"), max_size=12)
OBJECTS = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=3), max_size=6)


@given(OBJECTS)
def test_canonical_json_is_rfc_8785(value: dict[str, Any]) -> None:
    expected = rfc8785.dumps(value)
    assert canonical(value).encode() == expected
    assert verify_bundle.canonical(value) == expected


@given(
    st.sampled_from(["animal", "pdx_model"]),
    st.integers(1, 2**40),
    st.none() | st.integers(1, 99),
    OBJECTS,
)
def test_a_change_is_hashed_as_its_canonical_json(entity: str, key: int, project: int | None, fields: dict[str, Any]) -> None:
    told = {"entity": entity, "key": key, "project": project, "fields": fields}
    assert change_content(entity, key, project, canonical(fields)) == rfc8785.dumps(told)


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word: k is the largest power of two smaller than n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_merkle_root_is_rfc_6962(contents: list[bytes]) -> None:
    leaves = [leaf_hash(content) for content in contents]
    expected = defined_root(contents).hex()
    assert merkle_root(leaves) == expected
    assert verify_bundle.merkle_root(leaves) == expected


def test_every_column_of_an_event_is_hashed() -> None:
    event = {"seq": 1, "previous_hash": "0" * 64, "actor": "A", "reason": "", "detail": "{}", "changes": 0}
    hashes = {event_hash(event)} | {event_hash(event | {name: "other"}) for name in event}
    assert len(hashes) == len(event) + 1
    assert event_hash(event | {"hash": "x"}) == event_hash(event)


def test_values_become_the_text_that_people_see() -> None:
    amsterdam = datetime(2026, 7, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    assert text_of(21.4) == "21.4"
    assert text_of(-0.0) == "0.0"
    assert text_of(amsterdam) == "2026-07-01T10:30:00Z"
    assert text_of(datetime(2026, 7, 1, 12, 30, 0, 5, tzinfo=UTC)) == "2026-07-01T12:30:00.000005Z"
    assert text_of({"b": 1.5, "a": [True, None]}) == '{"a":[true,null],"b":"1.5"}'


@pytest.mark.parametrize("value", [math.nan, math.inf, b"bytes", object()])
def test_what_the_trail_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        text_of(value)
