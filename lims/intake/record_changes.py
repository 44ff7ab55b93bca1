"""Tells changes of records field by field, and finds those that somebody else made since a file was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.canon import changed, text_of
from lims.audit.capture import label_of
from lims.audit.record import field_name
from lims.audit.words import term_text, unit_of
from lims.domain.errors import DomainError
from lims.intake.plan_records import PlannedRecords
from lims.intake.record_nouns import FileNoun
from lims.models import AuditChange
from lims.queries.chunks import in_chunks
from lims.records.references import refers_to
from lims.records.values import word

BLANK = "nothing"
"""What a field that is not set reads as."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A field that somebody changed since the file was written. now: what is recorded; said: what the file says."""

    column: str
    now: str
    said: str

    def told(self, planned: PlannedRecords, index: int) -> DomainError:
        """Say it of one line."""
        what = word(planned.kind.noun.model, self.column)
        return DomainError(
            f"{planned.title} {planned.name(index)}: {what} was changed to {self.now} since this file was written; "
            f"the file says {self.said}.",
            field=self.column,
            expected=self.now,
            remedy="Correct the record on its page if the file is right, or leave the line out.",
        )


def stale_fields(session: Session, planned: PlannedRecords, wanted: Mapping[int, Mapping[str, Any]]) -> dict[int, list[Stale]]:
    """Find the fields in which a line would undo what somebody changed since: one statement, however many lines.

    Where the file says which version of a record it was written from, what changed after that version; otherwise a value
    that the record had before, and that was changed to another one.
    """
    lines = {planned.standing[index].id: index for index in wanted}
    trail = _trail(session, planned.kind.entity, sorted(lines))
    versions = planned.records.versions
    found: dict[int, list[Stale]] = {}
    for key, index in lines.items():
        one, steps = planned.standing[index], trail[key]
        seen = versions[index] if versions else None
        if seen is not None:
            later = {name for step in (steps[seen - one.version :] if seen < one.version else ()) for name in step}
            stale = [name for name in wanted[index] if field_name(name) in later]
        else:
            stale = [name for name, value in wanted[index].items() if _undoes(steps, field_name(name), value)]
        if stale:
            found[index] = [
                Stale(
                    name,
                    shown(session, planned.kind, name, getattr(one, name)),
                    shown(session, planned.kind, name, wanted[index][name]),
                )
                for name in stale
            ]
    return found


def _trail(session: Session, entity: str, keys: Sequence[int]) -> dict[int, list[dict[str, tuple[Any, Any]]]]:
    """Give what was changed of records, step by step, the first step first."""
    rows = in_chunks(
        session,
        keys,
        lambda some: (
            select(AuditChange.key, AuditChange.fields)
            .where(AuditChange.entity == entity, AuditChange.key.in_(some))
            .order_by(AuditChange.event_seq, AuditChange.position)
        ),
    )
    found: dict[int, list[dict[str, tuple[Any, Any]]]] = defaultdict(list)
    for key, fields in rows:
        found[key].append(changed(fields))
    return found


def _undoes(steps: Sequence[Mapping[str, Sequence[Any]]], field: str, value: Any) -> bool:
    """Tell whether a value stood in a field before and was changed to another one."""
    if value is None:
        return False
    told = text_of(value)
    replaced = [pair[0] for step in steps if (pair := step.get(field)) and pair[0] is not None]
    return told in [one[0] if isinstance(one, list) and len(one) == 2 and isinstance(one[0], int) else one for one in replaced]


def shown(session: Session, kind: FileNoun, column: str, value: Any) -> str:
    """Write a value as people read it: a reference by its name, a term in words, a number in its column's unit."""
    if value is None:
        return BLANK
    if kind.table.columns[column].foreign_keys:
        return label_of(session, str(refers_to(kind.noun.model, column).__tablename__), value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or BLANK
    told = text_of(value)
    if not isinstance(value, float | int):
        return term_text(told) if hasattr(value, "value") else str(told)
    return f"{value:.15g}"


def tell_change(session: Session, planned: PlannedRecords, index: int, changes: Mapping[str, tuple[Any, Any]]) -> DomainError:
    """Keep what a line changes of a record as people read it, and say it in one sentence."""
    kind = planned.kind
    told = {name: (shown(session, kind, name, old), shown(session, kind, name, new)) for name, (old, new) in changes.items()}
    planned.told[index] = told
    said = "; ".join(
        f"{word(kind.noun.model, name)} {old} → {new} {unit_of(kind.entity, name)}".rstrip() for name, (old, new) in told.items()
    )
    first = next(iter(told))
    return DomainError(
        f"{planned.title} {planned.name(index)} is recorded otherwise: {said}.",
        field=first,
        expected=told[first][0],
        remedy="Accept the changes with a reason, or leave the lines out.",
    )


def named_by(session: Session, planned: PlannedRecords, wanted: Mapping[int, Mapping[str, Any]]) -> list[Any]:
    """Read what the changed references of all lines refer to, before and after: a statement a column."""
    columns, found = planned.kind.table.columns, list[Any]()
    for name in {name for fields in wanted.values() for name in fields if columns[name].foreign_keys}:
        model: Any = refers_to(planned.kind.noun.model, name)
        lines = [index for index, fields in wanted.items() if name in fields]
        keys = {key for index in lines for key in (getattr(planned.standing[index], name), wanted[index][name]) if key is not None}
        found += in_chunks(session, sorted(keys), lambda some: select(model).where(model.id.in_(some)))  # noqa: B023  # asked at once
    return found
