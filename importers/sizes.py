"""Gathers tumour sizes column by column, asks once what the numbers are, and makes the series of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import compress

from importers import values
from importers.base import Clock, Finding, Series, Severity
from importers.caliper_units import ask_kind, ask_length_unit, ask_volume_unit
from importers.columns import AREA_UNITS, VOLUME_UNITS
from importers.questions import Asked
from importers.sheets import CellValue, Sheet

When = date | datetime | float
Sides = tuple[float, float, float | None]

SIZED = "caliper_volume"
"""The kind of measurement of which a cell may hold two diameters, such as `4.5x3.2`, from which the volume is computed."""
EXPECTED = "a number, two diameters such as 4.5x3.2, or a blank cell"

_SIDE = r"(\d+(?:[.,]\d{1,2})?)\s*(?:mm\s*)?"
_DIAMETERS = re.compile(rf"\s*{_SIDE}[x×*]\s*{_SIDE}(?:[x×*]\s*{_SIDE})?$", re.IGNORECASE)
_UNITS: Mapping[str, Mapping[str, float]] = {"caliper_volume": VOLUME_UNITS, "caliper_area": AREA_UNITS}


@dataclass(slots=True)
class _Gathered:
    """Cells of one kind, unit and clock: numbers, or diameters in `sides`."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    animals: list[str] = field(default_factory=list)
    tumours: list[str | None] = field(default_factory=list)
    when: list[When] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    sides: list[Sides] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SizeColumn:
    """A column's cells to be gathered, with what each belongs to. kind and unit: `None` where the header states none."""

    column: int
    rows: Sequence[int]
    cells: Sequence[CellValue]
    animals: Sequence[str]
    when: Sequence[When]
    tumours: Sequence[str | None] | None = None
    kind: str | None = None
    unit: str | None = None


class Sizes:
    """The sizes of one sheet. A cell that is no size becomes an error finding; `rows` are those with a size or a finding."""

    def __init__(self, sheet: Sheet, decimal: str, asked: Asked) -> None:
        """Start with nothing gathered."""
        self.sheet = sheet
        self.decimal = decimal
        self.asked = asked
        self.findings: list[Finding] = []
        self.rows: set[int] = set()
        self._numbers: dict[tuple[str | None, str | None, Clock], _Gathered] = defaultdict(_Gathered)
        self._diameters: dict[Clock, _Gathered] = defaultdict(_Gathered)

    def add(self, column: SizeColumn) -> None:
        """Gather a column: numbers as they are, `4.5x3.2` as length and width, blanks not at all."""
        numbers, problems = values.numbers(column.cells, self.decimal)
        sides = {index: found for index in problems if (found := diameters(column.cells[index]))}
        broken = {row for row, at in self.sheet.problems if at == column.column}
        self._report(column, {index: problem for index, problem in problems.items() if index not in sides}, broken)
        clock = Clock.DATE if any(isinstance(when, date) for when in column.when) else Clock.DAY
        present = [number is not None and row not in broken for number, row in zip(numbers, column.rows, strict=True)]
        if any(present):
            one = self._numbers[column.kind, column.unit, clock]
            self._extend(one, column, present)
            one.numbers.extend(number for number in compress(numbers, present) if number is not None)
        if sides:
            pairs = self._diameters[clock]
            self._extend(pairs, column, [index in sides for index in range(len(numbers))])
            pairs.sides.extend(sides[index] for index in sorted(sides))

    def error(self, code: str, message: str, row: int, column: int, value: str, expected: str = EXPECTED) -> None:
        """Report a cell or row that cannot be read."""
        self._find(Severity.ERROR, code, message, row, column, value, expected)

    def _find(
        self, severity: Severity, code: str, message: str, row: int, column: int, value: str, expected: str = EXPECTED
    ) -> None:
        self.rows.add(row)
        remedy = "correct the cell, or leave the row out with a reason"
        self.findings.append(Finding(severity, code, message, self.sheet.name, row, column, value, expected, remedy))

    def series(self) -> list[Series]:
        """Ask what the file leaves open, and make a series of each kind and clock. What stays open is not in any."""
        kinds = self._kinds()
        volume = self._volume_factor(kinds)
        length = self._length_factor()
        made = [self._of_numbers(kind, key, volume) for kind, key in zip(kinds, self._numbers, strict=True)]
        made += [] if length is None else [self._of_diameters(clock, length) for clock in self._diameters]
        return [series for series in made if series is not None]

    def _extend(self, one: _Gathered, column: SizeColumn, keep: Sequence[bool]) -> None:
        rows = list(compress(column.rows, keep))
        one.rows.extend(rows)
        one.columns.extend([column.column] * len(rows))
        one.animals.extend(compress(column.animals, keep))
        one.tumours.extend([None] * len(rows) if column.tumours is None else compress(column.tumours, keep))
        one.when.extend(compress(column.when, keep))
        one.raw.extend(values.texts(list(compress(column.cells, keep))))
        self.rows.update(rows)

    def _report(self, column: SizeColumn, problems: Mapping[int, values.Problem], broken: set[int]) -> None:
        for index, problem in problems.items():
            if column.rows[index] not in broken:
                text = values.cell_text(column.cells[index])
                message = f'"{text}" {problem.reason}; the row\'s other cells are read'
                self._find(problem.severity, problem.code, message, column.rows[index], column.column, text)
        for row in sorted(broken.intersection(column.rows)):
            said = self.sheet.problems[row, column.column]
            self.error("cell-error", f"the cell holds no value but {said}", row, column.column, said)

    def _kinds(self) -> list[str | None]:
        """Give the kind of each gathered group of numbers, asked once for those whose headers state none."""
        unsaid = [number for (kind, _, _), one in self._numbers.items() if kind is None for number in one.numbers]
        asked = ask_kind(self.asked, unsaid, self.sheet.name) if unsaid else None
        return [kind or asked for kind, _, _ in self._numbers]

    def _volume_factor(self, kinds: Sequence[str | None]) -> float | None:
        """Factor to mm³ for the volumes whose headers name no unit, asked once for all of them."""
        unsaid = [
            one
            for kind, ((_, unit, _), one) in zip(kinds, self._numbers.items(), strict=True)
            if kind == "caliper_volume" and unit is None
        ]
        if not unsaid:
            return None
        return ask_volume_unit(self.asked, [number for one in unsaid for number in one.numbers], _firsts(unsaid), self.sheet.name)

    def _length_factor(self) -> float | None:
        lengths = [length for one in self._diameters.values() for length, _, _ in one.sides]
        return ask_length_unit(self.asked, lengths, self.sheet.name) if lengths else None

    def _of_numbers(self, kind: str | None, key: tuple[str | None, str | None, Clock], volume: float | None) -> Series | None:
        if kind is None:
            return None
        _, unit, clock = key
        one = self._numbers[key]
        factor = _UNITS[kind].get(unit) if unit else 1.0 if kind == "caliper_area" else volume
        if factor is None and unit:
            message = f'the headers give the unit "{unit}", which is not one of this kind of size'
            self.error("unit-unknown", message, one.rows[0], one.columns[0], unit, f"one of {', '.join(_UNITS[kind])}")
        if factor is None:
            return None
        sizes = [number * factor for number in one.numbers]
        return Series(kind, self.sheet.index, clock, one.rows, one.columns, one.animals, one.when, sizes, one.raw, _labels(one))

    def _of_diameters(self, clock: Clock, factor: float) -> Series:
        one = self._diameters[clock]
        lengths = [length * factor for length, _, _ in one.sides]
        widths = [width * factor for _, width, _ in one.sides]
        heights = [None if height is None else height * factor for _, _, height in one.sides]
        return Series(
            SIZED,
            self.sheet.index,
            clock,
            one.rows,
            one.columns,
            one.animals,
            one.when,
            [None] * len(one.rows),
            one.raw,
            _labels(one),
            lengths,
            widths,
            heights if any(height is not None for height in heights) else None,
        )


def _labels(one: _Gathered) -> list[str | None] | None:
    return one.tumours if any(one.tumours) else None


def _firsts(groups: Iterable[_Gathered]) -> list[float]:
    """Give each animal's first value."""
    first: dict[str, float] = {}
    for one in groups:
        for animal, number in zip(one.animals, one.numbers, strict=True):
            first.setdefault(animal, number)
    return list(first.values())


def diameters(cell: CellValue) -> Sides | None:
    """Read `4.5x3.2` or `4,5 x 3,2 mm` as length, width and perhaps height; `None` where the cell is something else."""
    found = _DIAMETERS.fullmatch(cell.strip()) if isinstance(cell, str) else None
    if found is None:
        return None
    length, width, height = (None if side is None else float(side.replace(",", ".")) for side in found.groups())
    return None if length is None or width is None else (length, width, height)
