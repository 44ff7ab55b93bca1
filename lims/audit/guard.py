"""Refuses every statement that would change an audited table outside the audited writer."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Engine, event

from lims.audit.record import UnauditedChange
from lims.models import Base

_WRITES = re.compile(
    r'^\s*(?:WITH\b.*?\b)?(INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY|MERGE\s+INTO)'
    r'\s+(?:ONLY\s+)?"?(\w+)"?',
    re.IGNORECASE | re.DOTALL,
)
_FREE = frozenset(mapper.local_table.name for mapper in Base.registry.mappers if not mapper.class_.audited) - {
    "audit_event",
    "audit_change",
}
"""Tables that are no record of anybody's work (findings of the last check, checkpoints)."""


def _check(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    if connection.info.get("audited_writer"):
        return
    written = _WRITES.match(statement)
    if written and written[2].lower() not in _FREE:
        raise UnauditedChange(f"{written[1].upper()} {written[2]} outside the audited writer: go through lims.records")


def install(engine: Engine) -> None:
    """Watch an engine's statements."""
    event.listen(engine, "before_cursor_execute", _check)
