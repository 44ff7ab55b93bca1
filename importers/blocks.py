"""Finds the blocks of a wide sheet: label columns, then one column for each date or day; several blocks to a sheet.

Blocks stand below each other, each with its header row, and beside each other, where the right ones are often copies
relative to day 0. What stands between them belongs to no table and is set aside by region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from importers.base import ColumnUse, SetAside
from importers.columns import (
    ANIMAL,
    ARM,
    BIRTH,
    CAGE,
    DATE,
    DAY,
    MODEL,
    SEX,
    STRAIN,
    STUDY,
    TUMOUR,
    Header,
    Layout,
    Role,
    header,
    is_blank,
    match,
    squash,
)
from importers.sheets import CellValue, Sheet
from importers.summaries import summary_rows

DEATH = Role("death", ("dod", "date of death", "death date", "date deceased", "death", "died"))

LABELS = (ANIMAL, ARM, BIRTH, DEATH, SEX, CAGE, STRAIN, MODEL, STUDY, TUMOUR, DATE, DAY)
"""What the columns before the dates or days may say about the animal."""

LEAST_TIMES = 2
"""Columns with a date or day that make a table wide."""

DAY_RANGE = (-400.0, 3000.0)
"""Numbers in a header row that may be days; above, a number is a spreadsheet's serial date or an id."""

KIND_OF_NAME: Mapping[str, str | None] = {
    **dict.fromkeys(("lxw", "lw", "area", "surface", "tumorarea", "tumourarea", "s"), "caliper_area"),
    **dict.fromkeys(("volume", "vol", "tv", "v", "tumorvolume", "tumourvolume", "tumorvol", "tumourvol"), "caliper_volume"),
    **dict.fromkeys(("", "size", "tumorsize", "tumoursize", "caliper")),
}
"""What may stand before the date or day in a header, squashed → the kind it states; `None` where it states none."""

KIND_OF_CODE: Mapping[str, str | None] = {"s": "caliper_area", "v": "caliper_volume", "z": None}
"""Type codes of a second header row: surface, volume, size of a kind that is not said."""

UNREAD: Mapping[str, str] = {
    "use": "marks the rows that another program analyses; every row is read",
    "death": "deaths are recorded with fates",
}
"""Why a label column is not read, by role or squashed header."""

_ANIMAL_NAMES = frozenset(map(squash, ANIMAL.aliases))
_NORMALISED = re.compile(r"normali[sz]ed", re.IGNORECASE)
_DATED = re.compile(r"^(?P<name>.*?)[\s_,:-]*(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./])\d{1,2}\3\d{4})$")
_NUMBERED = re.compile(
    r"^(?:(?P<name>.*?)[\s_]+)??(?P<unit>days?|d|weeks?|wks?|w)?[\s_.]*(?P<number>(?:(?<![^\W_])-)?\d+(?:[.,]\d+)?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TimeHeader:
    """The header of a column of readings.

    when: a date, a number of days or weeks, or the text of a date whose order of day and month is still open.
    step: `day` or `week` where the header says which. kind and unit: what the words before the date or day state.
    """

    column: int
    text: str
    when: date | float | str
    step: str | None = None
    kind: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One table: label columns (in `layout`), columns of readings, and the rows below them up to the next header row.

    codes: column → type code, from a second header row. first_row may lie beyond last_row: a header without data.
    """

    sheet: Sheet
    layout: Layout
    times: tuple[TimeHeader, ...]
    codes: Mapping[int, str]
    header_row: int
    first_row: int
    last_row: int
    first_column: int
    last_column: int

    def cells(self, column: int) -> list[CellValue]:
        """Give a column's cells in this block's rows; a merged cell counts for each of its rows."""
        rows = self.sheet.rows[self.first_row - 1 : self.last_row]
        cells = [row[column - 1] if column <= len(row) else "" for row in rows]
        for top, left, bottom, right in self.sheet.merged:
            if left == column == right and self.first_row <= top and bottom <= self.last_row:
                span = slice(top - self.first_row, bottom - self.first_row + 1)
                cells[span] = [self.sheet.rows[top - 1][left - 1]] * (bottom - top + 1)
        return cells

    def labels(self, key: str) -> list[CellValue] | None:
        """Give the cells of a role's column; `None` where the block has none."""
        found = self.layout.found.get(key)
        return None if found is None else self.cells(found.column)

    def summary_rows(self) -> set[int]:
        """Find rows such as MEAN, SD and SEM: the word stands in a label column."""
        labels = (self.cells(one.column) for one in self.layout.headers)
        return {self.first_row + place for place in summary_rows(self.labels("animal") or [], labels)}

    def is_normalised(self) -> bool:
        """Whether these are values relative to the first one: the cohort says so, or every animal starts at exactly 1."""
        if any(_NORMALISED.search(cell) for one in self.layout.headers for cell in self.cells(one.column) if isinstance(cell, str)):
            return True
        columns = [self.cells(time.column) for time in self.times]
        animals = self.cells(self.layout.found["animal"].column)
        series = [[cell for cell in row if not is_blank(cell)] for row in zip(*columns, strict=True)]
        grown = [values for values, animal in zip(series, animals, strict=True) if not is_blank(animal) and len(values) > 1]
        return bool(grown) and all(_is_one(values[0]) for values in grown)


def _is_one(cell: CellValue) -> bool:
    return cell == 1 if isinstance(cell, int | float) else re.fullmatch(r"1(?:[.,]0+)?", str(cell).strip()) is not None


def time_header(cell: CellValue, column: int) -> TimeHeader | None:
    """Read a header cell as a date, a day or a week, with the kind of measurement it names; `None` if it is none."""
    if isinstance(cell, str):
        return _written(cell.strip(), column)
    if isinstance(cell, date):
        day = cell.date() if isinstance(cell, datetime) else cell
        return TimeHeader(column, day.isoformat(), day)
    if isinstance(cell, int | float) and not isinstance(cell, bool) and _may_be_day(cell):
        return TimeHeader(column, f"{cell:g}", float(cell))
    return None


def _may_be_day(number: float) -> bool:
    return DAY_RANGE[0] <= number <= DAY_RANGE[1]


def _written(text: str, column: int) -> TimeHeader | None:
    parts = words_and_time(text)
    return None if parts is None else _named(column, text, *parts)


def words_and_time(text: str) -> tuple[str, date | float | str, str | None] | None:
    """Part a header into the words before its date or day, that time as in `TimeHeader`, and its step; `None` without a time."""
    dated = _DATED.match(text)
    if dated:
        when = _iso_date(dated["date"])
        return None if when is None else (dated["name"], when, None)
    numbered = _NUMBERED.match(text)
    if numbered is None:
        return None
    number = float(numbered["number"].replace(",", "."))
    unit = (numbered["unit"] or "").casefold()
    return (numbered["name"] or "", number, {"d": "day", "w": "week"}.get(unit[:1])) if _may_be_day(number) else None


def _named(column: int, text: str, name: str, when: date | float | str, step: str | None) -> TimeHeader | None:
    words = header(name, column)
    known = next((one for one in (words.full, words.name) if one in KIND_OF_NAME), None)
    if known is None:
        return None
    return TimeHeader(column, text, when, step, KIND_OF_NAME[known], words.unit if known == words.name else None)


def _iso_date(text: str) -> date | str | None:
    if "-" not in text:
        return text
    try:
        return date(*(int(part) for part in text.split("-")))
    except ValueError:
        return None


def find_blocks(sheet: Sheet, within: int | None = None) -> list[Block]:
    """Find all blocks of a sheet, top to bottom and left to right. within: look for header rows in so many rows only."""
    starts = [
        (number, tables)
        for number, row in enumerate(sheet.rows[:within], 1)
        if _names_animal_column(row) and (tables := _tables(sheet, number))
    ]
    ends = [*(number - 1 for number, _ in starts[1:]), len(sheet.rows)]
    return [
        _block(sheet, layout, times, number, end)
        for (number, tables), end in zip(starts, ends, strict=False)
        for layout, times in tables
    ]


def _names_animal_column(row: Sequence[CellValue]) -> bool:
    return len(row) > LEAST_TIMES and any(isinstance(cell, str) and squash(cell) in _ANIMAL_NAMES for cell in row)


def _tables(sheet: Sheet, row: int) -> list[tuple[Layout, tuple[TimeHeader, ...]]]:
    """Find the wide tables whose headers stand in this row, left to right."""
    segments = _segments(sheet.rows[row - 1])
    return [(layout, times) for names, times in segments if _in_order(times) and (layout := _layout(sheet, row, names))]


def _in_order(times: Sequence[TimeHeader]) -> bool:
    """Whether dates or days run from left to right; numbers in any other order are data, not headers."""
    dates = [time.when for time in times if isinstance(time.when, date)]
    days = [time.when for time in times if isinstance(time.when, float)]
    if dates != sorted(dates) or days != sorted(days):
        return False
    return len({type(time.when) for time in times}) == 1


def _segments(row: Sequence[CellValue]) -> Iterator[tuple[list[int], tuple[TimeHeader, ...]]]:
    """Cut a header row where a name follows a date or day: (columns of names, columns of readings) for each table."""
    names: list[int] = []
    times: list[TimeHeader] = []
    for column, cell in enumerate(row, 1):
        if is_blank(cell):
            continue
        time = time_header(cell, column)
        if time is not None and names:
            times.append(time)
        elif time is None:
            if times:
                if len(times) >= LEAST_TIMES:
                    yield names, tuple(times)
                names, times = [], []
            names.append(column)
    if len(times) >= LEAST_TIMES:
        yield names, tuple(times)


def _layout(sheet: Sheet, row: int, names: Sequence[int]) -> Layout | None:
    """Match a table's names to roles. A table with a column of dates or days has a reading a row, and is not wide."""
    chosen = frozenset(names)
    alone: list[CellValue] = [cell if column in chosen else "" for column, cell in enumerate(sheet.rows[row - 1], 1)]
    layout = match(replace(sheet, rows=[alone]), 1, LABELS)
    return layout if layout.has("animal") and not layout.has("date") and not layout.has("day") else None


def _block(sheet: Sheet, layout: Layout, times: tuple[TimeHeader, ...], header_row: int, last_row: int) -> Block:
    codes = _type_codes(sheet, header_row, last_row, times)
    return Block(
        sheet,
        layout,
        times,
        codes,
        header_row,
        header_row + (2 if codes else 1),
        last_row,
        layout.headers[0].column,
        times[-1].column,
    )


def _type_codes(sheet: Sheet, header_row: int, last_row: int, times: Sequence[TimeHeader]) -> dict[int, str]:
    """Read a second header row of single letters over the readings (S surface, V volume, Z size, x no measure)."""
    if header_row >= last_row:
        return {}
    row = sheet.rows[header_row]
    cells = {time.column: row[time.column - 1] for time in times if time.column <= len(row)}
    codes = {column: str(cell).strip().casefold() for column, cell in cells.items() if not is_blank(cell)}
    letters = all(len(code) == 1 and code.isalpha() for code in codes.values())
    return codes if letters and any(code in KIND_OF_CODE for code in codes.values()) else {}


def block_uses(blocks: Sequence[Block], unread: Mapping[int, str]) -> list[ColumnUse]:
    """List each block's columns, once for each header that stands over it."""
    listed: dict[tuple[int, str], ColumnUse] = {}
    for block in blocks:
        named = {one.column for one in block.layout.headers} | {time.column for time in block.times}
        uses = [_label_use(block, one) for one in block.layout.headers]
        for time in block.times:
            reason = unread.get(time.column, "")
            uses.append(ColumnUse(block.sheet.index, time.column, time.text, None if reason else "size", reason))
        uses += [
            ColumnUse(block.sheet.index, column, "", None, "no header")
            for column in range(block.first_column, block.last_column + 1)
            if column not in named and any(not is_blank(cell) for cell in block.cells(column))
        ]
        for use in uses:
            listed.setdefault((use.column, use.header), use)
    return sorted(listed.values(), key=lambda use: use.column)


def _label_use(block: Block, header: Header) -> ColumnUse:
    found = block.layout.found
    role = next((key for key, one in found.items() if one == header), None)
    reason = UNREAD.get(role or squash(header.text), "" if role else "not read by this importer")
    for key, others in block.layout.rivals.items():
        if role is None and header in others:
            reason = f'"{found[key].text}" was read as the {key}'
    return ColumnUse(block.sheet.index, header.column, header.text, None if reason else role, reason)


def strays(blocks: Sequence[Block]) -> list[SetAside]:
    """Set aside what stands outside every block: above the first header row, and beside the blocks."""
    regions: list[SetAside] = []
    for sheet in {block.sheet.index: block.sheet for block in blocks}.values():
        here = [block for block in blocks if block.sheet.index == sheet.index]
        width = max(map(len, sheet.rows))
        top = min(block.header_row for block in here) - 1
        regions += _bounding(sheet, 1, top, 1, width, "stands above the table")
        for row in sorted({block.header_row for block in here}):
            band = sorted((block for block in here if block.header_row == row), key=lambda block: block.first_column)
            edges = [(0, 0), *((block.first_column, block.last_column) for block in band), (width + 1, width + 1)]
            for (_, left), (right, _) in pairwise(edges):
                regions += _bounding(sheet, row, band[0].last_row, left + 1, right - 1, "stands outside every table")
    return regions


def _bounding(sheet: Sheet, top: int, bottom: int, left: int, right: int, reason: str) -> list[SetAside]:
    """Set aside the smallest region that holds every cell within these bounds; nothing where all are blank."""
    filled = [
        (row, column)
        for row, cells in enumerate(sheet.rows[top - 1 : bottom], top)
        for column, cell in enumerate(cells[left - 1 : right], left)
        if not is_blank(cell)
    ]
    if not filled:
        return []
    rows, columns = zip(*filled, strict=True)
    return [SetAside(sheet.index, min(rows), max(rows), min(columns), max(columns), reason)]
