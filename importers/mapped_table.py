"""Reads any table by what a person said of its columns (`importers.mapping`). It claims no file by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from importers import values
from importers.base import Choices, Claim, Clock, Finding, Reading, Refused, Series, SetAside, Severity
from importers.blocks import TimeHeader
from importers.caliper_long import any_present, two_diameters
from importers.caliper_units import ask_step
from importers.columns import Header, Layout, Role, above, data_rows, headers_in, in_words, other_sheets, uses, whole_sheet
from importers.mapping import (
    HEIGHT,
    KEY,
    LENGTH,
    NOT_NEEDED,
    UNREAD,
    VALUE,
    WIDTH,
    MappedColumn,
    TableMapping,
    difference,
    located,
    mapping_in,
    missing,
    rows_of,
    signature,
    time_of,
)
from importers.tables import FACTS, Measured, TableReader, When, times
from importers.workbook import CellValue, Sheet, Workbook

NOT_MAPPED = "the mapping does not mention it"


@dataclass(frozen=True, slots=True)
class _Found:
    """The table in the file: its header row, what each column holds, and sheets that have the same table."""

    sheet: Sheet
    row: int
    columns: Mapping[int, MappedColumn]
    alike: tuple[Sheet, ...]


class MappedTable:
    """Any table, mapped by a person."""

    key = "mapped_table"
    title = "Table mapped by a person"
    reads = "Any table with a header row, once somebody has said on its mapping page, or in a profile, what its columns hold."

    def claim(self, book: Workbook) -> Claim | None:
        """Claim nothing: a person says, or a profile, that a file is read so."""
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every row by the mapping among the answers."""
        mapping = mapping_in(choices)
        if mapping is None:
            raise Refused(
                "mapping-missing",
                "Nobody has said what the columns of this table hold.",
                expected="a mapping of the columns",
                remedy="map them, or name a profile",
                option=f"--profile NAME, or --set {KEY}=MAPPING",
            )
        found = _find(book, mapping)
        layout = _layout(found)
        reader = TableReader(book, layout, choices)
        reader.findings += [*_units_differ(found, layout), *_not_mapped(found, layout), *_alike(found)]
        animals = reader.animals()
        if any(one.spread for one in mapping.of(VALUE)):
            series, present = _spread(reader, found, animals)
        else:
            series, present = _by_row(reader, found, animals)
        tumours = _tumours_of(series)
        return Reading(
            importer=self.key,
            series=tuple(series),
            data_rows={found.sheet.index: data_rows(found.sheet, found.row)},
            columns=uses(layout, {**_unread(found), **reader.unread}, NOT_MAPPED),
            header_rows={found.sheet.index: [found.row]},
            animals=reader.facts(animals, tumours, [key for key in FACTS if layout.has(key)]),
            set_aside=(*above(layout), *reader.blank_rows(present), *_other_sheets(book, found)),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
        )


def _find(book: Workbook, mapping: TableMapping) -> _Found:
    """Find the header row that has every column to be read: on the mapping's own sheet if there, else on the first."""
    rows = [(sheet, number, row) for sheet, number, row in rows_of(book) if not missing(row, mapping)]
    if not rows:
        raise _headers_changed(book, mapping)
    own = [entry for entry in rows if entry[0].name == mapping.sheet]
    sheet, number, row = min(own or rows[:1], key=lambda entry: abs(entry[1] - mapping.header_row))
    alike = dict.fromkeys(one.index for one, _, _ in rows if one is not sheet)
    return _Found(sheet, number, located(row, mapping), tuple(book.sheets[index] for index in alike))


def _headers_changed(book: Workbook, mapping: TableMapping) -> Refused:
    nearest = min(
        rows_of(book), key=lambda entry: (len(missing(entry[2], mapping)), entry[0].name != mapping.sheet, entry[1]), default=None
    )
    lacks = missing(nearest[2], mapping) if nearest else [one for one in mapping.columns if one.role != UNREAD]
    names = in_words([f'"{one.title}"' for one in lacks])
    place = f'row {nearest[1]} of sheet "{nearest[0].name}", which is most like it, lacks' if nearest else "the file lacks"
    seen = signature(nearest[2]) if nearest else []
    known = [one.title for one in mapping.columns]
    return Refused(
        "headers-changed",
        f"No row has the headers that the mapping names: {place} {names}.",
        expected=f"the headers {in_words([f'{chr(34)}{one}{chr(34)}' for one in known])}",
        remedy=f"Map its columns again on the mapping page ({difference(known, seen)}), or correct the headers and upload again.",
    )


def _layout(found: _Found) -> Layout:
    """Give the table as `TableReader` takes it: each column to be read under a role of its own."""
    headers = headers_in(found.sheet, found.row)
    keys = {
        column: f"value {column}" if one.role == VALUE else one.role for column, one in found.columns.items() if one.role != UNREAD
    }
    roles = {key: Role(key, ()) for key in keys.values()}
    return Layout(found.sheet, found.row, headers, {keys[one.column]: one for one in headers if one.column in keys}, {}, roles)


def _unread(found: _Found) -> dict[int, str]:
    return {column: one.reason or NOT_NEEDED for column, one in found.columns.items() if one.role == UNREAD}


def _values(found: _Found) -> dict[int, MappedColumn]:
    return {column: one for column, one in found.columns.items() if one.role == VALUE}


def _units_differ(found: _Found, layout: Layout) -> list[Finding]:
    """Warn where a header states another unit than the mapping."""
    stated = {one.column: one.unit for one in layout.headers}
    return [
        Finding(
            Severity.WARNING,
            "unit-differs",
            f'the header "{_header(layout, column).text}" says {stated[column]}, the mapping {one.unit}: read in {one.unit}',
            sheet=layout.sheet.name,
            row=layout.header_row,
            column=column,
            value=_header(layout, column).text,
            expected=f"values in {one.unit}",
            remedy="acknowledge if the mapping is right, else correct the unit on the mapping page",
        )
        for column, one in found.columns.items()
        if one.unit and stated.get(column) in _UNITS and _UNITS.get(_plain(one.unit)) != _UNITS[stated[column] or ""]
    ]


_UNITS = {"mm": "mm", "cm": "cm", "g": "g", "kg": "kg", "mg": "mg", "mm3": "mm3", "cm3": "cm3", "mm2": "mm2", "cm2": "cm2"}
"""Units that a header can hardly mean otherwise, as `importers.columns.unit_name` writes them."""


def _plain(unit: str) -> str:
    return unit.replace("²", "2").replace("³", "3")


def _header(layout: Layout, column: int) -> Header:
    return next(one for one in layout.headers if one.column == column)


def _not_mapped(found: _Found, layout: Layout) -> list[Finding]:
    """Warn of columns that the mapping does not know: somebody added them since."""
    return [
        Finding(
            Severity.WARNING,
            "column-not-mapped",
            f'the mapping does not mention the column "{one.text}"; it was not read',
            sheet=layout.sheet.name,
            row=layout.header_row,
            column=one.column,
            value=one.text,
            expected="a column that the mapping knows",
            remedy="acknowledge, or say on the mapping page what it holds",
        )
        for one in layout.headers
        if one.column not in found.columns
    ]


def _alike(found: _Found) -> list[Finding]:
    """Warn of sheets with the same table, of which one was read."""
    return [
        Finding(
            Severity.WARNING,
            "sheet-not-read",
            f'the sheet "{one.name}" has the same headers; only "{found.sheet.name}" was read',
            sheet=one.name,
            expected="one sheet with this table",
            remedy="acknowledge, or upload that sheet as a file of its own",
        )
        for one in found.alike
    ]


def _other_sheets(book: Workbook, found: _Found) -> list[SetAside]:
    regions = [whole_sheet(one, f'only the sheet "{found.sheet.name}" is read') for one in found.alike]
    rest = other_sheets(book, [found.sheet.index, *(one.index for one in found.alike)])
    return [*(region for region in regions if region is not None), *rest]


def _by_row(reader: TableReader, found: _Found, animals: Sequence[str]) -> tuple[list[Series], list[bool]]:
    """Read a table with a reading a row: a series for each column of values, and one for length and width."""
    clock, when = reader.when()
    measured = [_column(reader, column, one) for column, one in _values(found).items()]
    if reader.layout.has(LENGTH, WIDTH):
        measured.append(_diameters(reader, found))
    if reader.layout.has("tumour"):
        labels = [label or None for label in reader.texts("tumour")]
        measured = [replace(one, tumours=labels) for one in measured]
    present = any_present(measured, reader.length)
    usable = reader.usable(present, animals, when)
    series = [one for entry in measured if (one := reader.series(entry, usable, animals, clock, when))]
    return series, present


def _column(reader: TableReader, column: int, one: MappedColumn) -> Measured:
    read = reader.measured(one.kind, f"value {column}")
    return replace(read, values=times(read.values, one.factor))


def _diameters(reader: TableReader, found: _Found) -> Measured:
    factor = {one.role: one.factor for one in found.columns.values()}
    length, width = (times(reader.numbers(key), factor[key]) for key in (LENGTH, WIDTH))
    measured = two_diameters(reader, LENGTH, WIDTH, length, width)
    if reader.layout.has(HEIGHT):
        measured = replace(measured, heights=times(reader.numbers(HEIGHT), factor[HEIGHT]))
    return measured


def _spread(reader: TableReader, found: _Found, animals: Sequence[str]) -> tuple[list[Series], list[bool]]:
    """Read a table with a column for each date or day: a series for each kind of measurement."""
    moments = _moments(reader, _values(found))
    labels = [label or None for label in reader.texts("tumour")] if reader.layout.has("tumour") else None
    operators = [text or None for text in reader.texts("operator")] if reader.layout.has("operator") else None
    present = [False] * reader.length
    series = []
    for kind in dict.fromkeys(one.kind for one in _values(found).values()):
        taken = {column: moments[column] for column, one in _values(found).items() if one.kind == kind and column in moments}
        entries = []
        for column, moment in taken.items():
            read = _column(reader, column, found.columns[column])
            here = read.present()
            marks = reader.usable(here, animals, [moment] * reader.length)
            present = [one or other for one, other in zip(present, here, strict=True)]
            entries += [(index, column, moment, read.values[index], read.raw[index]) for index, mark in enumerate(marks) if mark]
        if entries:
            series.append(_of_entries(reader, kind, entries, animals, labels, operators))
    return series, present


def _of_entries(
    reader: TableReader,
    kind: str,
    entries: Sequence[tuple[int, int, When, float | None, str]],
    animals: Sequence[str],
    labels: Sequence[str | None] | None,
    operators: Sequence[str | None] | None,
) -> Series:
    indices, columns, when, numbers, raw = (list(column) for column in zip(*entries, strict=True))
    return Series(
        kind,
        reader.sheet.index,
        Clock.DATE if isinstance(when[0], date) else Clock.DAY,
        [reader.first_row + index for index in indices],
        columns,
        [animals[index] for index in indices],
        when,
        numbers,
        raw,
        tumours=None if labels is None else [labels[index] for index in indices],
        operators=None if operators is None else [operators[index] for index in indices],
    )


def _moments(reader: TableReader, columns: Mapping[int, MappedColumn]) -> dict[int, date | float]:
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


def _tumours_of(series: Sequence[Series]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for one in series:
        for animal, label in zip(one.animals, one.tumours or (), strict=False):
            if label:
                found.setdefault(animal, {})[label] = None
    return {animal: tuple(labels) for animal, labels in found.items()}


IMPORTER = MappedTable()
