"""Somebody's hands in the demo: each step is a transaction of its own, as it is when people work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lims.audit.record import Actor
from lims.db import Database
from lims.records.noun import Noun
from lims.records.nouns import change, record


@dataclass(frozen=True, slots=True)
class Hands:
    """A person at work in a project."""

    database: Database
    actor: Actor
    project: int

    def record(self, noun: Noun[Any], *rows: dict[str, Any], reason: str = "") -> list[Any]:
        """Record some of one kind."""
        with self.database.transaction() as session:
            return record(session, self.actor, noun, self.project, list(rows), reason=reason)

    def change(self, noun: Noun[Any], existing: Any, reason: str, **fields: Any) -> None:
        """Change a record as it stands now."""
        with self.database.transaction() as session:
            found = session.get_one(noun.model, existing.id)
            change(session, self.actor, noun, found, version=found.version, reason=reason, fields=fields)
