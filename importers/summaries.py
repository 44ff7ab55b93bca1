"""Rows of a sheet that sum up others, such as MEAN, SD and SEM: no animal is called so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from importers.aside import rows_aside
from importers.base import SetAside
from importers.columns import is_blank, squash
from importers.sheets import CellValue, Sheet

REASON = "a summary row (mean, SD, SEM), not an animal"

_WORDS = frozenset(
    (
        *("mean", "average", "avg", "median", "min", "max", "n", "count", "total", "sum", "cv"),
        *("sd", "std", "stdev", "stddev", "standarddeviation", "sem", "se", "stderr", "standarderror"),
    )
)


def sums_up(cell: CellValue) -> bool:
    """Tell whether a cell holds the name of a statistic and nothing else."""
    return isinstance(cell, str) and squash(cell) in _WORDS


def summary_rows(animals: Sequence[CellValue], labels: Iterable[Sequence[CellValue]]) -> set[int]:
    """Find the rows, by their place, that name a statistic for the animal, or in a label beside which no animal stands.

    A group may be called `N` or `Total`, so that a row with an animal is of that animal, whatever its labels say.
    """
    named = {place for place, cell in enumerate(animals) if sums_up(cell)}
    return named | {place for cells in labels for place, cell in enumerate(cells) if sums_up(cell) and is_blank(animals[place])}


def without_rows(sheet: Sheet, rows: Collection[int]) -> tuple[Sheet, tuple[SetAside, ...]]:
    """Give a sheet as if these rows were blank, and account for them."""
    if not rows:
        return sheet, ()
    kept: list[Sequence[CellValue]] = [[""] * len(row) if number in rows else row for number, row in enumerate(sheet.rows, 1)]
    problems = {(row, column): said for (row, column), said in sheet.problems.items() if row not in rows}
    return replace(sheet, rows=kept, problems=problems), tuple(rows_aside(sheet, sorted(rows), REASON, row_fate=True))
