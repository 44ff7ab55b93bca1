"""Refuses every statement that would change an audited table outside the audited writer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event

from lims.audit.record import UnauditedChange
from lims.models import Base

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""Text literals and comments: what they say is no statement."""
_WRITES = re.compile(
    r"(?:^|;|\(|\bWITH\b.*?\))\s*"
    r"(INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY|MERGE\s+INTO)"
    r"\s+(?:ONLY\s+)?[\"`\[]?(\w+)",
    re.IGNORECASE | re.DOTALL,
)
_FREE = frozenset(mapper.class_.__tablename__ for mapper in Base.registry.mappers if not mapper.class_.audited) - {
    "audit_event",
    "audit_change",
}
"""Tables that are no record of anybody's work (findings of the last check, checkpoints)."""


@lru_cache(maxsize=512)
def refused(statement: str) -> str | None:
    """Give the write, such as `UPDATE animal`, for which a statement is refused; `None` where it may pass."""
    for verb, table in _WRITES.findall(_NOISE.sub(" ", statement)):
        if table.lower() not in _FREE:
            return f"{verb.upper()} {table}"
    return None


def _check(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    if connection.info.get("audited_writer"):
        return
    write = refused(statement)
    if write:
        raise UnauditedChange(f"{write} outside the audited writer: go through lims.records")


def install(engine: Engine) -> None:
    """Watch an engine's statements."""
    event.listen(engine, "before_cursor_execute", _check)
