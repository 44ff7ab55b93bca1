"""What a cell count can say, and how long it holds: refused where numbers contradict each other, doubted where it is old.

Times are hours between the count and the end of surgery. How long a suspension of fresh tissue keeps its viability on ice has
no published limit; four hours is what laboratories of xenografts allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.surgery_limits import PRACTICE

FRESH_HOURS = 4.0
"""A count holds so long after it was made."""
ROUNDED = 1.01
"""Viable cells above all cells by less than this are rounding of the counter."""
FEWEST = 1_000.0
"""Viable cells/mL below which no suspension is implanted."""
PERCENT_APART = 2.0
"""Viability and the quotient of the concentrations differ by less than this where they are of one count."""


def require_count(viable: float, total: float | None) -> None:
    """Refuse more viable cells than cells, both per mL.

    Raises:
        DomainError: on `viable_cells_per_ml`.
    """
    if total is not None and viable > total * ROUNDED:
        raise DomainError(
            f"{viable:.3g} viable cells/mL are more than all {total:.3g} cells/mL.",
            field="viable_cells_per_ml",
            expected=f"at most {total:.3g} cells/mL",
            remedy="Look whether the two were exchanged, or one is in millions.",
            source=CONSISTENT,
        )


def doubts_of_count(viable: float, total: float | None, viability: float | None) -> Iterator[Notice]:
    """Doubt a viability that is not the one of its own concentrations, and a concentration that reads as one in millions."""
    if 0 < viable < FEWEST:
        told = f"{viable:g} viable cells/mL is next to none: in millions?"
        yield Notice("warning", "viable_cells_per_ml", told, "cells/mL, such as 2.6e6", source=PRACTICE)
    if not total or viability is None:
        return
    counted = 100 * viable / total
    if abs(counted - viability) > PERCENT_APART:
        told = f"Viability is {viability:g} %, and {viable:.3g} of {total:.3g} cells/mL are {counted:.1f} %."
        yield Notice("warning", "viability_percent", told, f"{counted:.1f} %", source=CONSISTENT)


def require_count_before(code: str, counted: datetime | date, implanted: datetime | date) -> None:
    """Refuse a count that was made after the implanting: it is of something else; both are times, or both days.

    Raises:
        DomainError: on `preparation_id`.
    """
    if counted > implanted:
        raise DomainError(
            f"{code} was counted at {_said(counted)}, after it was implanted at {_said(implanted)}.",
            field="preparation_id",
            expected="a count from before the surgery",
            remedy="Name the count of what was implanted, or correct the time that is wrong.",
            source=ORDER_OF_EVENTS,
        )


def doubts_of_age(code: str, counted: datetime | date, implanted: datetime | date) -> Iterator[Notice]:
    """Doubt a count that is older than `FRESH_HOURS`, or where only days are known, of another day."""
    if isinstance(counted, datetime) and isinstance(implanted, datetime):
        hours = (implanted - counted).total_seconds() / 3600
        told = f"{code} was counted {hours:.1f} hours before the end of surgery: fewer cells live by now than it says."
        old = hours > FRESH_HOURS
    else:
        days = implanted.toordinal() - counted.toordinal()
        told = f"{code} was counted {days} day{'' if days == 1 else 's'} before the surgery: fewer cells live by now than it says."
        old = days > 0
    if old:
        yield Notice("warning", "preparation_id", told, f"a count of the last {FRESH_HOURS:g} hours", source=PRACTICE)


def _said(moment: datetime | date) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else str(moment)
