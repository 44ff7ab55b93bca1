"""Rows of a file that were not recorded, in the file's own layout, with a column that says what was wrong with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from importers.base import Reading, Severity
from importers.overlay import PROBLEM_COLUMN
from importers.sheets import CellValue, Sheet
from importers.template_format import DESCRIBING, marker_of
from lims.domain.vocabulary import RowFate
from lims.intake.plan import Plan
from lims.intake.report import rows_by_fate

OwnSheet = tuple[str, list[list[CellValue]]]
"""A sheet's name and its rows, cell by cell."""
TOLD = 3
"""Problems told of one row; of more it says how many."""
WITH_THE_REST = "was left out when the rest of the file was recorded"


def failed_rows(plan: Plan, *, committed: bool) -> list[OwnSheet]:
    """Give the headers and the rows that are not recorded: those refused, and once the rest is committed whatever it left out.

    Cells are as they are read: what people corrected stands corrected. Where a blank group means the one above, the row says it
    itself, for what stood above is not there any more.
    """
    left = [RowFate.REFUSED, RowFate.CONFLICTING, RowFate.CHANGED, *([RowFate.NEW] if committed else [])]
    wanted = {index: set().union(*(of[fate] for fate in left)) for index, of in rows_by_fate(plan).items()}
    problems = _problems(plan)
    failed = [
        (sheet.name, _rows(sheet, plan.reading, wanted[sheet.index], problems[sheet.name], _filled_down(plan, sheet)))
        for sheet in plan.book.sheets
        if wanted.get(sheet.index)
    ]
    # By these a template is known for what it is when it comes back.
    own = DESCRIBING if failed and marker_of(plan.book.sheets) else ()
    return [*failed, *((sheet.name, list(map(list, sheet.rows))) for sheet in plan.book.sheets if sheet.name in own)]


def _problems(plan: Plan) -> dict[str, dict[int, list[str]]]:
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in plan.findings:
        if one.severity is not Severity.ERROR or not one.sheet or not one.row:
            continue
        for sheet, rows in one.also or ((one.sheet, (one.row,)),):
            for row in rows:
                if one.message not in found[sheet][row]:
                    found[sheet][row].append(one.message)
    return found


def _filled_down(plan: Plan, sheet: Sheet) -> set[int]:
    """Give the columns of a sheet in which a blank stands for the group above it."""
    if not any(one.code == "group-filled-down" and one.sheet == sheet.name for one in plan.findings):
        return set()
    return {one.column for one in plan.reading.columns if one.sheet == sheet.index and one.role == "arm"}


def _rows(
    sheet: Sheet, reading: Reading, wanted: Collection[int], problems: Mapping[int, Sequence[str]], filled: Collection[int]
) -> list[list[CellValue]]:
    heads = sorted(reading.header_rows.get(sheet.index, ()))
    numbers = sorted({*heads, *wanted})
    rows = dict(zip(numbers, map(list, _at(sheet, numbers)), strict=True))
    width = max(map(len, rows.values()))
    for number, row in rows.items():
        row.extend([""] * (width - len(row)))
        if number in wanted:
            for column in filled:
                row[column - 1] = row[column - 1] or _above(sheet, number, column)
        if heads:  # without a header nobody could tell the column from the file's own when it comes back
            row.append(_told(problems.get(number, ())) if number in wanted else PROBLEM_COLUMN if number == heads[-1] else "")
    return list(rows.values())


def _at(sheet: Sheet, numbers: Sequence[int]) -> Iterable[Sequence[CellValue]]:
    """Give rows by their numbers; of text that streams, all rows pass by until the last of them."""
    if sheet.stream is None:
        return (sheet.rows[number - 1] for number in numbers)
    wanted = set(numbers)
    return (row for number, row in enumerate(islice(sheet.every_row(), numbers[-1]), 1) if number in wanted)


def _above(sheet: Sheet, number: int, column: int) -> CellValue:
    return next((row[column - 1] for row in reversed(sheet.rows[: number - 1]) if len(row) >= column and row[column - 1] != ""), "")


def _told(problems: Sequence[str]) -> str:
    if not problems:
        return WITH_THE_REST
    return " ".join(problems[:TOLD]) + (f" (and {len(problems) - TOLD} more)" if len(problems) > TOLD else "")
