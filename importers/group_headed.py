"""Tumour sizes under the names of groups: one row for each day, one column for each animal, and no ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress

from importers import values
from importers.base import AnimalFacts, Choices, Claim, ColumnUse, Finding, Reading, SetAside, Severity
from importers.block_times import day
from importers.blocks import time_header
from importers.caliper_units import ask_step
from importers.columns import (
    ANIMAL,
    DATE,
    DAY,
    HEADER_SEARCH_ROWS,
    Header,
    above,
    column_cells,
    data_rows,
    headers_in,
    in_words,
    is_blank,
    match,
    other_sheets,
)
from importers.questions import Asked
from importers.sheets import Sheet, Workbook
from importers.sizes import SizeColumn, Sizes

KEY = "group_headed"

LEAST_ANIMALS = 2
"""Columns with one group's name that make the header a row of groups."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the table stands. animals: the id made for each column of readings, as `Control-1`."""

    sheet: Sheet
    header_row: int
    time: Header
    columns: tuple[Header, ...]
    animals: tuple[str, ...]


def _find(sheet: Sheet) -> _Table | None:
    """Find a row that starts with a day or date column and then repeats names of groups."""
    for row in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
        headers = headers_in(sheet, row)
        if len(headers) <= LEAST_ANIMALS or all(one.rank(headers[0]) is None for one in (DAY, DATE)):
            continue
        columns = headers[1:]
        counts = Counter(one.text for one in columns)
        named = all(time_header(one.text, one.column) is None and ANIMAL.rank(one) is None for one in columns)
        if named and min(counts.values()) >= LEAST_ANIMALS:
            seen: Counter[str] = Counter()
            animals = []
            for one in columns:
                seen[one.text] += 1
                animals.append(f"{one.text}-{seen[one.text]}")
            return _Table(sheet, row, headers[0], columns, tuple(animals))
    return None


class GroupHeaded:
    """`Time,Control,Control,…,,Treatment,…`: duplicate headers are groups, and an animal is its column's position."""

    key = KEY
    title = "Caliper, columns headed by group"
    reads = (
        "A table with a day or date in the first column and a column for each animal under its group's name"
        " (Time, Control, Control, …, Treatment, …), holding tumour volumes or L × W."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a sheet whose header starts with a time and then has every name at least twice."""
        for sheet in book.sheets:
            table = _find(sheet)
            if table is not None:
                counts = Counter(one.text for one in table.columns)
                groups = in_words([f'{count} columns headed "{name}"' for name, count in counts.items()])
                evidence = f'row {table.header_row} of sheet "{sheet.name}" has "{table.time.text}" and then {groups}'
                return Claim(KEY, (evidence, "no header names an animal"), sheet.index, table.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every column as one animal; its id is the group and the position in it."""
        table = _find(book.sheets[claim.sheet])
        if table is None:
            raise LookupError(f"sheet {claim.sheet} has no header row of groups")
        asked = Asked(choices)
        sizes = Sizes(table.sheet, book.decimal, asked)
        _gather(table, sizes, asked)
        series = sizes.series()
        rows = data_rows(table.sheet, table.header_row)
        return Reading(
            KEY,
            tuple(series),
            {table.sheet.index: rows},
            tuple(_uses(table)),
            {table.sheet.index: [table.header_row]},
            _facts(table),
            (*_empty_rows(table, rows, sizes.rows), *_above(table), *other_sheets(book, [table.sheet.index])),
            (*asked.findings, _ids_by_position(table), *sizes.findings, *_headless(table)),
            tuple(asked.questions),
        )


def _gather(table: _Table, sizes: Sizes, asked: Asked) -> None:
    """Hand each column to `sizes`, with the days of its rows; a size without a day is an error."""
    when = _when(table, sizes, asked)
    timed = [moment is not None for moment in when]
    numbers = range(table.header_row + 1, len(table.sheet.rows) + 1)
    rows = list(compress(numbers, timed))
    moments = [moment for moment in when if moment is not None]
    columns = [column_cells(table.sheet, one.column, table.header_row) for one in table.columns]
    for one, animal, cells in zip(table.columns, table.animals, columns, strict=True):
        sizes.add(SizeColumn(one.column, rows, list(compress(cells, timed)), [animal] * len(rows), moments))
    if "day_unit" in {question.key for question in asked.questions if question.answer is None}:
        return
    for row, has_time, sized in zip(numbers, timed, zip(*columns, strict=True), strict=True):
        if not has_time and row not in sizes.rows and any(not is_blank(cell) for cell in sized):
            message = f'the row has sizes but nothing under "{table.time.text}"; it was not read'
            sizes.error("date-missing", message, row, table.time.column, "", "a day or date in every row with sizes")


def _when(table: _Table, sizes: Sizes, asked: Asked) -> Sequence[date | float | None]:
    """Read the first column as days, weeks or dates; what is neither becomes an error, and its row is not read."""
    cells = column_cells(table.sheet, table.time.column, table.header_row)
    days, problems = values.numbers(cells, sizes.decimal)
    when: list[date | float | None]
    if len(problems) * 2 > sum(not is_blank(cell) for cell in cells):
        dates, problems = values.dates(cells, asked.choices.get("date_order"))
        when = [None if moment is None else day(moment) for moment in dates]
    else:
        step = _step(table, [number for number in days if number is not None], asked)
        when = [None if number is None or step is None else number * step for number in days]
    for index, problem in problems.items():
        text = values.cell_text(cells[index])
        row = table.header_row + 1 + index
        message = f'"{text}" {problem.reason}; the row was not read'
        sizes.error(problem.code, message, row, table.time.column, text, "a day such as 21, or a date such as 2024-01-31")
    return when


def _step(table: _Table, days: Sequence[float], asked: Asked) -> float | None:
    said = (table.time.unit or table.time.name)[:1]
    if said == "d":
        return 1.0
    return 7.0 if said == "w" else ask_step(asked, days, table.sheet.name)


def _ids_by_position(table: _Table) -> Finding:
    shown = in_words([*table.animals[:2], "so on"])
    return Finding(
        Severity.WARNING,
        "ids-by-position",
        f"the file names no animals: each column is one, numbered by its position in its group ({shown})."
        " If a column is moved or taken out in a later file, the same id will be another animal",
        sheet=table.sheet.name,
        row=table.header_row,
        expected="a header with each animal's id",
        remedy="confirm that columns always keep their position, or write the ids into the header row",
    )


def _facts(table: _Table) -> dict[str, AnimalFacts]:
    return {
        animal: AnimalFacts(animal, table.sheet.index, table.header_row, arm=one.text)
        for animal, one in zip(table.animals, table.columns, strict=True)
    }


def _unheaded(table: _Table) -> list[int]:
    """Find the columns that have no header and yet hold something; a separating column holds nothing."""
    headed = {table.time.column, *(one.column for one in table.columns)}
    width = max(map(len, table.sheet.rows))
    empty = (column for column in range(1, width + 1) if column not in headed)
    return [column for column in empty if any(not is_blank(cell) for cell in column_cells(table.sheet, column, table.header_row))]


def _headless(table: _Table) -> list[Finding]:
    return [
        Finding(
            Severity.WARNING,
            "column-without-header",
            "the column holds values but has no header, so their group is not known; it was not read",
            sheet=table.sheet.name,
            column=column,
            expected="a group's name over every column of sizes",
            remedy="write the group's name over the column and upload the file again, if these are sizes",
        )
        for column in _unheaded(table)
    ]


def _uses(table: _Table) -> list[ColumnUse]:
    index = table.sheet.index
    role = "date" if DATE.rank(table.time) is not None else "day"
    uses = [ColumnUse(index, table.time.column, table.time.text, role)]
    uses += [ColumnUse(index, one.column, one.text, "size") for one in table.columns]
    uses += [ColumnUse(index, column, "", None, "no header") for column in _unheaded(table)]
    return sorted(uses, key=lambda use: use.column)


def _empty_rows(table: _Table, rows: Sequence[int], read: set[int]) -> list[SetAside]:
    width = max(map(len, table.sheet.rows))
    return [
        SetAside(table.sheet.index, row, row, 1, width, "no size in this row", row_fate=True) for row in rows if row not in read
    ]


def _above(table: _Table) -> tuple[SetAside, ...]:
    return above(match(table.sheet, table.header_row, ()))


IMPORTER = GroupHeaded()
