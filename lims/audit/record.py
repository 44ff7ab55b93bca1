"""What a transaction says of itself: who acts, what is done and why, and what it has changed so far.

A service calls `declare` first. From then on whatever the unit of work flushes is collected (`lims.audit.capture`), and
the event, its changes and its place in the hash chain are written by the same transaction just before it commits
(`lims.audit.seal`). A flush without a declaration raises `UnauditedChange`; so does any INSERT, UPDATE or DELETE that
bypasses the unit of work (`lims.audit.guard`) and does not come from the bulk writer (`lims.audit.bulk`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from lims.audit.tags import check_tag
from lims.models import Base


class UnauditedChange(RuntimeError):
    """Something tried to change a record without saying who does it and what it is: a defect, never a user's mistake."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in person, or the command line under the operating system's account."""

    id: int | None
    name: str
    origin: str = "form"
    request: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One record changed: `fields` is canonical JSON of `{field: [old, new]}`, or of `{field: [new]}` where it was made."""

    entity: str
    key: int
    project: int | None
    fields: str


@dataclass(slots=True)
class Declared:
    """What the running transaction said of itself, and what it changed so far."""

    actor: Actor
    action: str
    reason: str
    project: int | None
    detail: dict[str, Any]
    flushed: list[tuple[Base, dict[str, list[Any]]]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    bulk_leaves: list[bytes] = field(default_factory=list)
    """Hashes of the changes that the bulk writer has written already; `changes` follow them in the tree."""
    place: tuple[int, str] | None = None
    """The event's number and the hash before it, once somebody had to know them."""

    def size(self) -> tuple[int, int]:
        """Count what is collected so far: a savepoint's mark."""
        return len(self.flushed), len(self.bulk_leaves)

    def shrink(self, size: tuple[int, int]) -> None:
        """Forget what was collected since `size` was counted."""
        flushed, leaves = size
        del self.flushed[flushed:], self.bulk_leaves[leaves:]


def declare(
    session: Session,
    actor: Actor,
    action: str,
    *,
    reason: str = "",
    project: int | None = None,
    detail: dict[str, Any] | None = None,
) -> Declared:
    """Say what this transaction does. The first declaration names the event; services called within it are part of it."""
    check_tag(action)
    declared = session.info.get("audit")
    if isinstance(declared, Declared):
        return declared
    declared = Declared(actor, action, reason, project, dict(detail or {}))
    session.info["audit"] = declared
    return declared


def current(session: Session) -> Declared:
    """Give the running declaration; raises `UnauditedChange` without one."""
    declared = session.info.get("audit")
    if not isinstance(declared, Declared):
        raise UnauditedChange("a record changed in a transaction that declared no action: call lims.audit.record.declare first")
    return declared


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Let statements through the guard for as long as the audited writer itself is at work."""
    depth = connection.info.get("audited_writer", 0)
    connection.info["audited_writer"] = depth + 1
    try:
        yield
    finally:
        connection.info["audited_writer"] = depth


def field_name(column: str) -> str:
    """Give the field's name in the trail: references drop their `_id`, for they carry id and name."""
    return column.removesuffix("_id")
