"""Soft findings: what is unusual but possible, and is recorded once a person has confirmed it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as column
from typing import Literal

Severity = Literal["warning", "note"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One finding beside a value that is accepted.

    `warning` asks a person to confirm; `note` only tells. `field` is the name of the model's column, or nothing where
    the finding is about the record as a whole. `source` names where a published rule stands, such as `ASCO/CAP 2018`.
    What cannot be is refused instead (`lims.domain.errors.DomainError`).
    """

    severity: Severity
    field: str | None
    message: str
    expected: str | None = None
    source: str | None = None
    rows: tuple[int, ...] = column(default=(), compare=False)
    """Which of a list of records it is about, counted from 0, where the rule says so."""
