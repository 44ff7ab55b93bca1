"""Reads any table by what a person said of its columns (`importers.mapping`). It claims no file by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from importers.base import Choices, Claim, Finding, Reading, Refused, SetAside, Severity
from importers.columns import (
    Header,
    Layout,
    Role,
    above,
    data_rows,
    headers_in,
    in_words,
    merged_down,
    other_sheets,
    uses,
    whole_sheet,
)
from importers.mapped_readings import by_row, key_of, spread, tumours_of
from importers.mapping import (
    ANIMAL,
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
)
from importers.sheets import Sheet, Workbook
from importers.summaries import summary_rows, without_rows
from importers.tables import FACTS, TableReader

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
        rows, summaries = without_rows(found.sheet, _summaries(found))
        layout = _layout(replace(found, sheet=rows))
        reader = TableReader(book, layout, choices)
        reader.findings += [*_units_differ(found, layout), *_not_mapped(found, layout), *_alike(found)]
        animals = reader.animals()
        if any(one.spread for one in mapping.of(VALUE)):
            series, present = spread(reader, found.columns, animals)
        else:
            series, present = by_row(reader, found.columns, animals)
        tumours = tumours_of(series)
        return Reading(
            importer=self.key,
            series=tuple(series),
            data_rows={found.sheet.index: data_rows(found.sheet, found.row)},
            columns=uses(layout, {**_unread(found), **reader.unread}, NOT_MAPPED),
            header_rows={found.sheet.index: [found.row]},
            animals=reader.facts(animals, tumours, [key for key in FACTS if layout.has(key)]),
            set_aside=(*above(layout), *summaries, *reader.blank_rows(present), *_other_sheets(book, found)),
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
        column: key_of(column) if one.role == VALUE else one.role for column, one in found.columns.items() if one.role != UNREAD
    }
    roles = {key: Role(key, ()) for key in keys.values()}
    return Layout(found.sheet, found.row, headers, {keys[one.column]: one for one in headers if one.column in keys}, {}, roles)


def _summaries(found: _Found) -> set[int]:
    """Find the sheet's rows that sum up others (MEAN, SD), by every column that holds no values."""
    measured = {VALUE, LENGTH, WIDTH, HEIGHT}
    labels = {
        column: merged_down(found.sheet, column, found.row) for column, one in found.columns.items() if one.role not in measured
    }
    animal = next(column for column, one in found.columns.items() if one.role == ANIMAL)
    return {found.row + 1 + place for place in summary_rows(labels[animal], labels.values())}


def _unread(found: _Found) -> dict[int, str]:
    return {column: one.reason or NOT_NEEDED for column, one in found.columns.items() if one.role == UNREAD}


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


IMPORTER = MappedTable()
