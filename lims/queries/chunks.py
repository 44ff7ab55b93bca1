"""Looks many keys up in few statements: as many bound values as every engine takes, never one query a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.orm import Session

CHUNK = 5_000
"""SQLite takes 32,766 bound values in a statement, PostgreSQL 65,535."""


def in_chunks(session: Session, keys: Sequence[Any], statement: Callable[[Sequence[Any]], Executable]) -> list[Any]:
    """Run `statement(some_keys)` for all keys, `CHUNK` at a time; gives all rows."""
    rows: list[Any] = []
    for start in range(0, len(keys), CHUNK):
        rows.extend(session.execute(statement(keys[start : start + CHUNK])).all())
    return rows
