"""Makes readings of a table's columns by what a person said of them: one a row, or one for each date or day over the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from importers import values
from importers.base import Clock, Refused, Series
from importers.blocks import TimeHeader
from importers.caliper_long import any_present, two_diameters
from importers.caliper_units import ask_length_unit, ask_step
from importers.mapping import HEIGHT, LENGTH, VALUE, WIDTH, MappedColumn, time_of
from importers.sheets import CellValue
from importers.sizes import SIZED, Sides, diameters
from importers.tables import Measured, TableReader, times

Columns = Mapping[int, MappedColumn]
"""What a person said of each column of the sheet, 1-based."""


def key_of(column: int) -> str:
    """Name the role under which a column of values stands in the layout."""
    return f"value {column}"


def _values(columns: Columns) -> dict[int, MappedColumn]:
    return {column: one for column, one in columns.items() if one.role == VALUE}


def by_row(reader: TableReader, columns: Columns, animals: Sequence[str]) -> tuple[list[Series], list[bool]]:
    """Read a table with a reading a row: a series for each column of values, and one for length and width."""
    clock, when = reader.when()
    measured = _measured(reader, columns)
    if reader.layout.has(LENGTH, WIDTH):
        measured.append(_two_columns(reader, columns))
    if (labels := _texts(reader, "tumour")) is not None:
        measured = [replace(one, tumours=labels) for one in measured]
    present = any_present(measured, reader.length)
    usable = reader.usable(present, animals, when)
    series = [one for entry in measured if (one := reader.series(entry, usable, animals, clock, when))]
    return series, present


def _measured(reader: TableReader, columns: Columns) -> list[Measured]:
    """Read each column of values; cells with two diameters among volumes are read as such, in a unit that is asked once."""
    sides = {column: _sides(reader, column) for column, one in _values(columns).items() if one.kind == SIZED}
    lengths = [one[0] for of_column in sides.values() for one in of_column.values()]
    factor = ask_length_unit(reader.asked, lengths, reader.sheet.name) if lengths else None
    return [_column(reader, column, one, sides.get(column, {}), factor) for column, one in _values(columns).items()]


def _sides(reader: TableReader, column: int) -> dict[str, Sides]:
    """Give the different cells of a column that hold diameters, as they are written."""
    written = {cell for cell in reader.layout.cells(key_of(column)) if isinstance(cell, str)}
    return {cell: found for cell in written if (found := diameters(cell))}


def _column(
    reader: TableReader, column: int, one: MappedColumn, sides: Mapping[str, Sides], length_factor: float | None
) -> Measured:
    read = reader.measured(one.kind, key_of(column), blanks=[cell.strip() for cell in sides])
    read = replace(read, values=times(read.values, one.factor))
    if not sides or length_factor is None:
        return read
    found = [sides.get(cell) if isinstance(cell, str) else None for cell in reader.layout.cells(key_of(column))]
    lengths, widths, heights = (times([None if one is None else one[place] for one in found], length_factor) for place in range(3))
    tall = any(height is not None for height in heights)
    return replace(read, lengths=lengths, widths=widths, heights=heights if tall else None)


def _two_columns(reader: TableReader, columns: Columns) -> Measured:
    factor = {one.role: one.factor for one in columns.values()}
    length, width = (times(reader.numbers(key), factor[key]) for key in (LENGTH, WIDTH))
    measured = two_diameters(reader, LENGTH, WIDTH, length, width)
    if reader.layout.has(HEIGHT):
        measured = replace(measured, heights=times(reader.numbers(HEIGHT), factor[HEIGHT]))
    return measured


@dataclass(frozen=True, slots=True)
class _Entry:
    """One cell of a table with a column for each date or day. index: of its row in the table."""

    index: int
    column: int
    when: date | float
    of: Measured


def spread(reader: TableReader, columns: Columns, animals: Sequence[str]) -> tuple[list[Series], list[bool]]:
    """Read a table with a column for each date or day: a series for each kind of measurement."""
    moments = _moments(reader, _values(columns))
    present = [False] * reader.length
    entries: dict[str, list[_Entry]] = {}
    for one in _measured(reader, columns):
        if one.column not in moments:
            continue
        moment, here = moments[one.column], one.present()
        marks = reader.usable(here, animals, [moment] * reader.length)
        present = [before or now for before, now in zip(present, here, strict=True)]
        found = [_Entry(index, one.column, moment, one) for index, mark in enumerate(marks) if mark]
        if found:
            entries.setdefault(one.kind, []).extend(found)
    return [_of_entries(reader, kind, found, animals) for kind, found in entries.items()], present


def _of_entries(reader: TableReader, kind: str, entries: Sequence[_Entry], animals: Sequence[str]) -> Series:
    labels, operators = _texts(reader, "tumour"), _texts(reader, "operator")
    sized = any(one.of.lengths is not None for one in entries)
    tall = any(one.of.heights is not None for one in entries)

    def side(name: str) -> list[float | None]:
        return [None if (of := getattr(one.of, name)) is None else of[one.index] for one in entries]

    return Series(
        kind,
        reader.sheet.index,
        Clock.DATE if isinstance(entries[0].when, date) else Clock.DAY,
        [reader.first_row + one.index for one in entries],
        [one.column for one in entries],
        [animals[one.index] for one in entries],
        [one.when for one in entries],
        [one.of.values[one.index] for one in entries],
        [one.of.raw[one.index] for one in entries],
        tumours=None if labels is None else [labels[one.index] for one in entries],
        lengths=side("lengths") if sized else None,
        widths=side("widths") if sized else None,
        heights=side("heights") if tall else None,
        operators=None if operators is None else [operators[one.index] for one in entries],
    )


def _texts(reader: TableReader, key: str) -> list[str | None] | None:
    return [text or None for text in reader.texts(key)] if reader.layout.has(key) else None


def _moments(reader: TableReader, columns: Columns) -> dict[int, date | float]:
    """Give each column's date or day; a header that is no date, or stays open, is not among them and said."""
    row = reader.sheet.rows[reader.layout.header_row - 1]
    headers = [read[1] for column in columns if (read := time_of(row[column - 1], column))]
    numbers = sorted({time.when for time in headers if isinstance(time.when, float) and time.step is None})
    step = ask_step(reader.asked, numbers, reader.sheet.name) if numbers else None
    factors = {"day": 1.0, "week": 7.0, None: step}
    known: dict[int, date | float] = {}
    dated = [time for time in headers if not isinstance(time.when, float)]
    for time in headers:
        factor = factors[time.step]
        if isinstance(time.when, float) and factor is not None:
            known[time.column] = time.when * factor
    if dated and known:
        raise Refused(
            "dates-mixed",
            f"some headers are dates ({dated[0].text}), others days ({next(iter(known.values())):g})",
            expected="dates in all of them, or days in all",
            remedy="give all of them one form and upload the file again, or map them in two files",
        )
    return known | _dates(reader, dated)


def _dates(reader: TableReader, headers: Sequence[TimeHeader]) -> dict[int, date]:
    cells: list[CellValue] = [time.when for time in headers if isinstance(time.when, date | str)]
    read, problems = values.dates(cells, reader.date_order(cells))
    for index, problem in problems.items():
        rows, column = [reader.layout.header_row], headers[index].column
        reader.findings += values.problem_findings({0: problem}, [cells[index]], sheet=reader.sheet.name, rows=rows, column=column)
    return {time.column: moment for time, moment in zip(headers, read, strict=True) if moment is not None}


def tumours_of(series: Sequence[Series]) -> dict[str, tuple[str, ...]]:
    """Give the tumours that the readings name, by animal."""
    found: dict[str, dict[str, None]] = {}
    for one in series:
        for animal, label in zip(one.animals, one.tumours or (), strict=False):
            if label:
                found.setdefault(animal, {})[label] = None
    return {animal: tuple(labels) for animal, labels in found.items()}
