"""What the domain refuses, in sentences a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

Row = TypeVar("Row")
Made = TypeVar("Made")


class DomainError(Exception):
    """A rule of the domain was broken: what was wrong, which value, what was expected, what to do.

    `source` names where a published rule stands, such as `ASCO/CAP 2018`; what is plain sense has none.
    """

    row: int | None = None
    """Which of a list of records it is about, counted from 0 (`about_row`)."""
    others: tuple[DomainError, ...] = ()
    """What else was refused in the same go, of the same record or of others in the list (`refuse_together`)."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
        source: str | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.expected = expected
        self.remedy = remedy
        self.source = source

    @property
    def every(self) -> tuple[DomainError, ...]:
        """Give it and what else was refused in the same go, in order."""
        return (self, *self.others)


class NotFound(DomainError):
    """No such record in this project; another project's record is not found either."""


class NotAllowed(DomainError):
    """This person's role may not do that."""


class Conflict(DomainError):
    """Somebody else was faster, or the state that the record is in does not allow this."""


class ChangedMeanwhile(Conflict):
    """Somebody else changed the record after the person opened it. `what`: what of it was changed, if not the record itself."""

    def __init__(self, record: Any, what: str = "") -> None:
        super().__init__(
            f"Somebody else changed {what or 'this record'} after you opened it, so nothing of yours was saved yet.",
            remedy="Look at what is recorded now, then save again what should stand.",
        )
        self.record = record
        self.whole = not what


def told(refused: DomainError) -> str:
    """Say what was wrong, what was expected, what to do, and where the rule stands, in one line."""
    expected = f"Expected: {refused.expected}." if refused.expected else ""
    source = f"Rule: {refused.source}." if refused.source else ""
    return " ".join(part for part in (str(refused), expected, refused.remedy or "", source) if part)


@contextmanager
def about_row(number: int) -> Iterator[None]:
    """Let what is refused meanwhile say which of a list of records it is about."""
    try:
        yield
    except DomainError as refused:
        for one in refused.every:
            one.row = number if one.row is None else one.row
        raise


def refuse_together(refused: Sequence[DomainError]) -> None:
    """Raise the first of what was refused, with the others beside it; nothing where nothing was."""
    if refused:
        every = [one for found in refused for one in found.every]
        every[0].others = tuple(every[1:])
        raise every[0]


def each_row(rows: Iterable[Row], make: Callable[[Row], Made]) -> list[Made]:
    """Make something of each row, and refuse all that is wrong together; each refusal says which row it is of."""
    made: list[Made] = []
    refused: list[DomainError] = []
    for number, row in enumerate(rows):
        try:
            with about_row(number):
                made.append(make(row))
        except DomainError as one:
            refused.append(one)
    refuse_together(refused)
    return made
