"""Reads object data of HALO (Indica Labs): a row for each cell, counted by image, analysis region and channel as rows pass by.

HALO says of each cell 0 or 1 for each channel and phenotype, and 0 to 3 for how strongly it is stained. The area of a region is
not in its object data. Files of a gigabyte are usual: nothing is kept of single cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from importers.base import Choices, Claim, Finding, Reading, Refused, Severity
from importers.columns import HEADER_SEARCH_ROWS, in_words, is_blank, other_sheets, squash
from importers.questions import Asked
from importers.sheets import CellValue, Sheet, Workbook
from importers.stain_counts import Channel, Region, column_uses, left_out, stain_records, table_aside
from importers.values import cell_text

REQUIRED = ("imagelocation", "objectid")
PLACES = ("imagelocation", "analysisregion", "classifierlabel", "algorithmname")
WHOLE_IMAGE = "whole image"
MOST_COMBINATIONS = 100_000
"""Different rows of channels; more of them are no yes and no."""

_STRENGTHS = {"weak": "weak", "moderate": "moderate", "strong": "strong", "1+": "weak", "2+": "moderate", "3+": "strong"}
_OF = r"(?: (?:cells?|nucle(?:us|i)|cytoplasm|membrane))*"
_POSITIVE = re.compile(rf"(?P<channel>.+?) positive(?P<part>{_OF})(?: classification)?", re.IGNORECASE)
_STRENGTH = re.compile(
    rf"(?P<channel>.+?) (?P<level>weak|moderate|strong|[123]\+)(?: positive)?{_OF}(?: classification)?", re.IGNORECASE
)
_GRADE = re.compile(rf"(?P<channel>.+?){_OF} (?:intensity (?:bin|class)|score)", re.IGNORECASE)
_MEASURE = re.compile(
    r"^[xy](?:min|max)$|\b(?:id|copies|area|intensity|od|perimeter|roundness|completeness|diameter|axis|length|width|distance|count"
    r"|classified|label|tag|name|location|region|spots?|clusters?)\b",
    re.IGNORECASE,
)
_GRADES = {"0": "negative", "1": "weak", "2": "moderate", "3": "strong"}
_YES_NO = frozenset(("0", "1", ""))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that says something of each cell's staining. level: of a column for one strength; grades: it holds 0 to 3."""

    column: int
    text: str
    channel: str
    level: str = "positive"
    grades: bool = False
    phenotype: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    header_row: int
    places: Mapping[str, int]
    columns: tuple[_Column, ...]
    unread: Mapping[int, str]


@dataclass(slots=True)
class _Passed:
    """counted: what stands in the places and columns → objects; first: → the row of the first."""

    counted: dict[tuple[CellValue, ...], int] = field(default_factory=dict)
    first: dict[tuple[CellValue, ...], int] = field(default_factory=dict)
    short: list[int] = field(default_factory=list)
    last_row: int = 0


class Halo:
    """Object data of HALO."""

    key = "halo"
    title = "HALO object data"
    reads = (
        "Object data of HALO, a row for each cell: Image Location, Analysis Region, Object Id, columns such as DAB Positive. "
        "A stained region for each image, analysis region and marker. Files of any size."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table with image location and object id."""
        for sheet in book.sheets:
            for number in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
                names = {squash(str(cell)): str(cell) for cell in sheet.rows[number - 1]}
                if all(name in names for name in REQUIRED):
                    said = in_words([f'"{names[name]}"' for name in (*REQUIRED, *PLACES[1:]) if name in names])
                    return Claim(self.key, (f"header row {number} has {said}",), sheet.index, number)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Count the cells of each region by channel."""
        found = self.claim(book)
        if found is None:
            raise Refused("table-missing", f'"{book.name}" has no columns Image Location and Object Id')
        sheet, asked = book.sheets[found.sheet], Asked(choices)
        table = _table(sheet, found.header_row)
        passed = _pass(sheet, table)
        regions, odd = _regions(table, passed)
        columns = {"image": table.places["imagelocation"], "region": table.places.get("analysisregion", 1)}
        records = stain_records(asked, sheet, regions, _channels(table, regions), columns)
        asked.findings += [
            _odd(sheet, one, *odd[one.column]) for one in table.columns if one.column in odd and not left_out(asked, one.channel)
        ]
        objects = sum(passed.counted.values())
        roles = {column: name for name, column in table.places.items()} | {one.column: one.channel for one in table.columns}
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: sorted({row for one in records for row in one.rows} or {one.row for one in regions})},
            columns=column_uses(sheet, table.header_row, roles, table.unread, "measured of each object; only counts are kept"),
            header_rows={sheet.index: [table.header_row]},
            set_aside=(
                *table_aside(sheet, table.header_row, passed.last_row, f"{objects:,} objects, counted by region", records),
                *other_sheets(book, [sheet.index]),
            ),
            findings=(*_said(sheet, passed), *asked.findings),
            questions=tuple(asked.questions),
            records=records,
        )


def _table(sheet: Sheet, header_row: int) -> _Table:
    """Find which columns say where a cell is, and which say yes, no or how strongly of a channel."""
    header = sheet.rows[header_row - 1]
    names = {squash(str(cell)): column for column, cell in reversed(list(enumerate(header, 1))) if not is_blank(cell)}
    places = {name: names[name] for name in PLACES if name in names}
    samples = sheet.rows[header_row:]
    found: list[_Column] = []
    unread: dict[int, str] = {}
    for column, cell in enumerate(header, 1):
        text = str(cell).strip()
        if not text or column in places.values():
            continue
        seen = {cell_text(row[column - 1]) for row in samples if column <= len(row)}
        one = _column(column, text, seen)
        if one is not None:
            found.append(one)
    graded = {one.channel for one in found if one.grades or one.level != "positive"}
    kept: dict[tuple[str, str], _Column] = {}
    for one in found:
        if one.channel in graded and not one.grades and one.level == "positive":
            unread[one.column] = f"the strengths of {one.channel} are read instead"
        elif (before := kept.setdefault((one.channel, "grades" if one.grades else one.level), one)) is not one:
            unread[one.column] = f'"{before.text}" is read instead'
    return _Table(header_row, places, tuple(kept[key] for key in kept if kept[key].column not in unread), unread)


def _column(column: int, text: str, seen: set[str]) -> _Column | None:
    """Tell what a column says of staining by its header, and by its first values that it says so with 0, 1 and at most 3."""
    if (told := _GRADE.fullmatch(text)) and seen <= {*_GRADES, ""}:
        return _Column(column, text, told["channel"], grades=True)
    if not seen <= _YES_NO or seen <= {""}:
        return None
    if told := _STRENGTH.fullmatch(text):
        return _Column(column, text, told["channel"], _STRENGTHS[told["level"].casefold()])
    if told := _POSITIVE.fullmatch(text):
        return _Column(column, text, told["channel"])
    return None if _MEASURE.search(text) else _Column(column, text, text, phenotype=True)


def _pass(sheet: Sheet, table: _Table) -> _Passed:
    """Let all rows pass by, and count those that say the same."""
    passed = _Passed(last_row=table.header_row)
    pick = itemgetter(*(column - 1 for column in (*table.places.values(), *(one.column for one in table.columns))))
    single = len(table.places) + len(table.columns) == 1
    counted, first = passed.counted, passed.first
    for number, row in enumerate(islice(sheet.every_row(), table.header_row, None), table.header_row + 1):
        try:
            key = (pick(row),) if single else pick(row)
        except IndexError:
            if any(row):
                passed.short.append(number)
                passed.last_row = number
            continue
        passed.last_row = number
        if key in counted:
            counted[key] += 1
            continue
        counted[key], first[key] = 1, number
        if len(counted) > MOST_COMBINATIONS:
            raise _no_classes(sheet, table, number)
    return passed


def _no_classes(sheet: Sheet, table: _Table, number: int) -> Refused:
    named = in_words([f"“{one.text}”" for one in table.columns[:6]])
    return Refused(
        "classes-unclear",
        f"Up to row {number:,} of {sheet.name} the columns {named} hold more different values than yes, no and strengths can.",
        expected="0 or 1 in each column of a channel or phenotype",
        remedy="Export the object data without the columns that hold other numbers, and import that.",
    )


def _regions(table: _Table, passed: _Passed) -> tuple[list[Region], dict[int, tuple[int, str]]]:
    """Make regions of what was counted; and give column → row and text of the first value that is neither yes nor no."""
    regions: dict[tuple[str, ...], Region] = {}
    odd: dict[int, tuple[int, str]] = {}
    for key, objects in passed.counted.items():
        said = {name: cell_text(cell) for name, cell in zip(table.places, key, strict=False)}
        row = passed.first[key]
        new = region_of(said, row)
        region = regions.setdefault((new.image, new.name, new.software), new)
        region.cells = (region.cells or 0) + objects
        for one, cell in zip(table.columns, key[len(table.places) :], strict=True):
            value = cell_text(cell)
            level = _GRADES.get(value) if one.grades else one.level if value == "1" else None
            if level is not None:
                region.add(one.channel, level, objects)
            elif value not in _YES_NO:
                odd.setdefault(one.column, (row, value))
    for region in regions.values():
        for one in table.columns:
            region.counts.setdefault(one.channel, {"positive" if one.level == "positive" and not one.grades else "weak": 0})
    return list(regions.values()), odd


def region_of(said: Mapping[str, str], row: int) -> Region:
    """Name a region by what a row says of image, analysis region, class and algorithm; nothing is counted in it yet."""
    image = re.split(r"[\\/]", said["imagelocation"])[-1]
    name = " · ".join(filter(None, (said.get("analysisregion") or WHOLE_IMAGE, said.get("classifierlabel"))))
    return Region(image, name, row, 0, " ".join(filter(None, ("HALO", said.get("algorithmname")))))


def _odd(sheet: Sheet, of: _Column, row: int, value: str) -> Finding:
    return Finding(
        *(Severity.ERROR, "class-unclear", f'"{value}" says neither yes nor no nor how strongly the cell is stained'),
        sheet=sheet.name,
        row=row,
        column=of.column,
        value=value,
        expected="0 or 1, or 0 to 3 for strengths",
        remedy=f"answer none for “{of.channel}” if it is no stain, or export the object data again",
    )


def _channels(table: _Table, regions: Sequence[Region]) -> list[Channel]:
    def cells(channel: str) -> int:
        return sum(number for one in regions for level, number in one.counts.get(channel, {}).items() if level != "negative")

    different = dict.fromkeys(one.channel for one in table.columns)
    phenotypes = {one.channel for one in table.columns if one.phenotype}
    return [Channel(one, one, cells(one), sure=one not in phenotypes) for one in different]


def _said(sheet: Sheet, passed: _Passed) -> Iterator[Finding]:
    """Say which rows were cut off."""
    if passed.short:
        yield Finding(
            *(
                Severity.ERROR,
                "row-cut-off",
                f"{len(passed.short):,} rows end before their last column; the first is row {passed.short[0]:,}",
            ),
            sheet=sheet.name,
            row=passed.short[0],
            expected="a cell for each header in every row",
            remedy="export the file again: it was cut off while it was written or copied",
        )


IMPORTER = Halo()
