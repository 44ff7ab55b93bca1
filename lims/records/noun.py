"""What a noun is: a kind of record of tissue or colony, with what is its own, and the drafts of records that it judges.

A noun names its table, which columns follow from others, and its rules. A rule sees each record as it would stand
(`Draft`), whether it is new or changed, so that none is written twice::

    def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.values["stopped_on"] ...:
                raise DomainError(...)

    THERAPY_LINE = Noun("therapy", TherapyLine, check=_check, fixed=frozenset({"patient_id"}))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from lims.audit.words import entity_word
from lims.domain.errors import each_row
from lims.domain.notices import Notice
from lims.domain.vocabulary import RecordStatus
from lims.models import Base
from lims.records.values import table_of

Record = TypeVar("Record", bound=Base)
BOOKKEEPING = frozenset({"id", "project_id", "status", "version"})


@dataclass(slots=True)
class Draft:
    """A record as it would stand: `values` by column, to be judged and completed; `record` where it exists already."""

    values: dict[str, Any]
    record: Any = None

    def changes(self, *columns: str) -> bool:
        """Tell whether any of the columns gets another value than it has; a new record's all do."""
        return self.record is None or any(getattr(self.record, one) != self.values.get(one) for one in columns)

    @property
    def returns(self) -> bool:
        """Tell whether a record that was withdrawn comes back."""
        return self.record is not None and self.record.status is RecordStatus.WITHDRAWN

    @property
    def comes(self) -> bool:
        """Tell whether a record is new, or comes back."""
        return self.record is None or self.returns


Check = Callable[[Session, int, Sequence[Draft]], None]
"""Judges drafts of one project, all at once, and fills in what follows from other fields; raises `DomainError`."""


def no_rule(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Judge nothing beyond the columns' own limits."""


def judge_each(drafts: Sequence[Draft], judge: Callable[[Draft], None]) -> None:
    """Judge drafts one by one, and refuse all that is wrong together; each refusal says which draft it is of."""
    each_row(drafts, judge)


Doubt = Callable[[Session, int, Sequence[Draft]], list[Notice]]
"""Names what is unusual about drafts that the rules allow; a person confirms it before anything is recorded."""


def no_doubt(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Find nothing unusual."""
    return []


def doubt_each(drafts: Sequence[Draft], doubt: Callable[[Draft], Iterable[Notice]]) -> list[Notice]:
    """Doubt drafts one by one; each notice, and each refusal of what nobody has to confirm, says which draft it is of."""
    found = each_row(drafts, lambda draft: tuple(doubt(draft)))
    return [replace(one, rows=(number,)) for number, notices in enumerate(found) for one in notices]


def nothing_follows(session: Session, records: Sequence[Any]) -> None:
    """Change nothing else."""


def free_to_go(session: Session, record: Any) -> None:
    """Hold no record back."""


@dataclass(frozen=True)
class Noun(Generic[Record]):
    """One kind of record.

    name: its word in the audit trail (`lims.audit.tags`). fixed: columns that never change once recorded.
    derived: columns that the rules fill in, and nobody else. future: dates that may lie ahead.
    key: what makes a record unique; one that was withdrawn comes back under it.
    check: its rules. doubt: what a person has to confirm. follow: what else has to change when records of it did.
    dependents: (table, column) of records that stand on it, and keep it from being withdrawn while they are active; what
    follows the column narrows them further, such as to animals that live. stay: refuses a withdrawal for other reasons.
    """

    name: str
    model: type[Record]
    check: Check = no_rule
    doubt: Doubt = no_doubt
    follow: Callable[[Session, Sequence[Any]], None] = nothing_follows
    stay: Callable[[Session, Any], None] = free_to_go
    fixed: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    future: frozenset[str] = frozenset()
    key: tuple[str, ...] = ("code",)
    dependents: tuple[tuple[type[Base], str, *tuple[ColumnElement[bool], ...]], ...] = field(default=())

    @property
    def coded(self) -> bool:
        """Tell whether its records have codes of their own."""
        return "code" in table_of(self.model).columns

    @cached_property
    def columns(self) -> frozenset[str]:
        """Give the columns that people fill in."""
        return frozenset(table_of(self.model).columns.keys()) - BOOKKEEPING - self.derived

    @property
    def word(self) -> str:
        """Name a record of it."""
        return entity_word(str(self.model.__tablename__))
