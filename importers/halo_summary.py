"""Reads summaries of HALO (Indica Labs): a row for each image and analysis region, with the cells of each channel and their share.

Counts stand before percentages: a share follows from them. Where a channel has none, its percentage or H-score is read as stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from importers import values
from importers.aside import rows_aside
from importers.base import Choices, Claim, Finding, Reading, Refused, Severity
from importers.columns import (
    HEADER_SEARCH_ROWS,
    Header,
    above,
    column_cells,
    data_rows,
    headers_in,
    in_words,
    match,
    other_sheets,
)
from importers.halo import PLACES, region_of
from importers.questions import Asked
from importers.sheets import Sheet, Workbook
from importers.stain_counts import Channel, Region, column_uses, stain_records
from importers.values import cell_text

TOTALS = ("totalcells", "totalnuclei")
AREAS = ("areaanalyzed", "analyzedarea", "regionarea")
IMAGES = ("imagelocation", "imagetag")
OBJECT = "objectid"
"""Stands in tables of single cells, which another importer reads."""
ALONE = "stain"
"""The channel of columns that name none, such as `Positive Cells`."""

_MM2 = {"µm2": 1e-6, "um2": 1e-6, "mm2": 1.0}
_LEVELS = {"1+": "weak", "2+": "moderate", "3+": "strong"}
_NOTHING = ("nan", "n/a", "na", "-")
_WORD = r"(?<![^\s%])"
_CELLS = re.compile(
    rf"(?P<percent>%\s*)?(?P<channel>.*?)\s*(?:{_WORD}(?P<level>negative|weak|moderate|strong|[123]\+))?"
    rf"\s*(?P<positive>{_WORD}positive)?\s*{_WORD}(?:cells?|nuclei|nucleus|cytoplasm|membrane)",
    re.IGNORECASE,
)
_SCORE = re.compile(r"(?P<channel>.*?)\s*h[- ]?score", re.IGNORECASE)
UNCOUNTED = "no marker that is read was counted in it"
_OF_EACH = "not recorded of a region"
_FOLLOWS = "follows from the counts"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column about a channel. level: of counts, or `percent` or `h_score` for what the file states itself."""

    column: int
    text: str
    channel: str
    level: str
    phenotype: bool = False

    @property
    def stated(self) -> bool:
        return self.level in ("percent", "h_score")


@dataclass(frozen=True, slots=True)
class _Table:
    """places: of a region, by their squashed headers. total, area: columns; to_mm2: factor of the area."""

    header_row: int
    places: Mapping[str, int]
    total: int
    area: int | None
    to_mm2: float
    columns: tuple[_Column, ...]
    unread: Mapping[int, str]


class HaloSummary:
    """Summary of HALO."""

    key = "halo_summary"
    title = "HALO summary"
    reads = (
        "Summary data of HALO, a row for each image or analysis region: Image Location, Total Cells, columns such as DAB Positive "
        "Cells, % DAB Positive Cells, H-Score, Area Analyzed. A stained region for each row and marker."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table with an image, a total of cells, and cells of a channel."""
        for sheet in book.sheets:
            for number in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
                table = _table(sheet, number)
                if table is not None and table.columns:
                    header = sheet.rows[number - 1]
                    told = (min(table.places.values()), table.total, table.columns[0].column)
                    said = in_words([f'"{header[column - 1]}"' for column in told])
                    return Claim(self.key, (f"header row {number} has {said}, and no Object Id",), sheet.index, number)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read the counts of each row, or what it states where it gives no counts."""
        found = self.claim(book)
        table = None if found is None else _table(book.sheets[found.sheet], found.header_row)
        if found is None or table is None:
            raise Refused("table-missing", f'"{book.name}" has no columns such as Image Location, Total Cells and Positive Cells')
        sheet, asked = book.sheets[found.sheet], Asked(choices)
        regions = _regions(book, sheet, table, asked.findings)
        columns = {"image": table.places["imagelocation"], "region": table.places.get("analysisregion", 1), "cells": table.total}
        records = stain_records(asked, sheet, regions, _channels(table, regions), columns)
        layout = match(sheet, table.header_row, ())
        rows = data_rows(sheet, table.header_row)
        recorded = {row for one in records for row in one.rows}
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: rows},
            columns=column_uses(sheet, table.header_row, _roles(table), table.unread, _OF_EACH),
            header_rows={sheet.index: [table.header_row]},
            set_aside=(
                *above(layout),
                *rows_aside(sheet, [row for row in rows if row not in recorded], UNCOUNTED, row_fate=True),
                *other_sheets(book, [sheet.index]),
            ),
            findings=tuple(asked.findings),
            questions=tuple(asked.questions),
            records=records,
        )


def _table(sheet: Sheet, header_row: int) -> _Table | None:
    """Find which columns say where a region is, and which count or state something of a channel."""
    headers = headers_in(sheet, header_row)
    names = {one.full: one.column for one in reversed(headers)}
    total = next((names[name] for name in TOTALS if name in names), None)
    image = next((names[name] for name in IMAGES if name in names), None)
    if total is None or image is None or OBJECT in names:
        return None
    places = {name: names[name] for name in PLACES if name in names} | {"imagelocation": image}
    area = next((one for name in AREAS for one in headers if one.name == name and one.unit in _MM2), None)
    others = [one for one in headers if one.column not in {total, area and area.column, *places.values()}]
    columns, unread = _chosen([found for one in others if (found := _column(one))])
    area_column, to_mm2 = (None, 1.0) if area is None else (area.column, _MM2[area.unit or ""])
    return _Table(header_row, places, total, area_column, to_mm2, columns, unread)


def _column(one: Header) -> _Column | None:
    """Tell what a column says of which channel by its header; nothing where it is about something else."""
    if score := _SCORE.fullmatch(one.text):
        return _Column(one.column, one.text, score["channel"].strip() or ALONE, "h_score")
    told = _CELLS.fullmatch(one.text)
    if told is None or one.full in TOTALS:
        return None
    channel, level = told["channel"].strip(), (told["level"] or "").casefold()
    level = _LEVELS.get(level, level)
    if not level and not told["positive"]:  # cells of a phenotype, such as `CD8+ Cells`, asked as those of object data are
        name = one.text.removeprefix(told["percent"] or "")
        return _Column(one.column, one.text, name, "percent" if told["percent"] else "positive", phenotype=True)
    if told["percent"]:
        return _Column(one.column, one.text, channel or ALONE, f"% {level}" if level else "percent")
    return _Column(one.column, one.text, channel or ALONE, level or "positive")


def _chosen(found: Sequence[_Column]) -> tuple[tuple[_Column, ...], dict[int, str]]:
    """Choose what is read of each channel: strengths before all that are positive, counts before shares."""
    graded = {one.channel for one in found if one.level in _LEVELS.values()}
    counted = {one.channel for one in found if one.level in ("positive", *_LEVELS.values())}
    kept: dict[tuple[str, str], _Column] = {}
    unread: dict[int, str] = {}
    for one in found:
        if one.channel in graded and one.level == "positive":
            unread[one.column] = f"the strengths of {one.channel} are read instead"
        elif one.level.startswith("% ") or (one.level == "percent" and one.channel in counted):
            unread[one.column] = _FOLLOWS
        elif (before := kept.setdefault((one.channel, one.level), one)) is not one:
            unread[one.column] = f'"{before.text}" is read instead'
    return tuple(kept.values()), unread


def _roles(table: _Table) -> dict[int, str]:
    roles = {column: name for name, column in table.places.items()} | {one.column: one.channel for one in table.columns}
    return roles | {table.total: "cells"} | ({table.area: "area"} if table.area else {})


def _regions(book: Workbook, sheet: Sheet, table: _Table, findings: list[Finding]) -> list[Region]:
    """Make a region of each row that says anything of a channel."""
    texts = {name: [cell_text(cell) for cell in column_cells(sheet, at, table.header_row)] for name, at in table.places.items()}
    totals = _counts(book, sheet, table, table.total, findings)
    areas = _numbers(book, sheet, table, table.area, findings) if table.area else [None] * len(totals)
    read = [(one, (_numbers if one.stated else _counts)(book, sheet, table, one.column, findings)) for one in table.columns]
    regions = []
    for place, total in enumerate(totals):
        area = areas[place]
        said = {name: column[place] for name, column in texts.items()}
        region = replace(
            region_of(said, table.header_row + 1 + place),
            cells=None if total is None else int(total),
            area_mm2=area * table.to_mm2 if area else None,
        )
        for one, numbers in read:
            value = numbers[place]
            if value is None:
                continue
            if one.stated:
                region.stated.setdefault(one.channel, {})[one.level] = value
            else:
                region.add(one.channel, one.level, int(value))
        if region.counts or region.stated:
            regions.append(region)
    return regions


def _numbers(book: Workbook, sheet: Sheet, table: _Table, column: int, findings: list[Finding]) -> list[float | None]:
    cells = column_cells(sheet, column, table.header_row)
    read, problems = values.numbers(cells, book.decimal, _NOTHING)
    rows = range(table.header_row + 1, table.header_row + 1 + len(cells))
    findings += values.problem_findings(problems, cells, sheet=sheet.name, rows=rows, column=column)
    return read


def _counts(book: Workbook, sheet: Sheet, table: _Table, column: int, findings: list[Finding]) -> list[float | None]:
    """Read whole numbers; a broken one is an error, since no cell is half."""
    read = _numbers(book, sheet, table, column, findings)
    findings += _broken(sheet, table, column, read)
    return [None if number is None or number % 1 else number for number in read]


def _broken(sheet: Sheet, table: _Table, column: int, numbers: Sequence[float | None]) -> Iterator[Finding]:
    for place, number in enumerate(numbers):
        if number is not None and number % 1:
            yield Finding(
                *(Severity.ERROR, "count-broken", f"{number:g} is no number of cells"),
                sheet=sheet.name,
                row=table.header_row + 1 + place,
                column=column,
                value=f"{number:g}",
                expected="a whole number",
                remedy="look whether the decimal mark was read right, or correct the cell",
            )


def _channels(table: _Table, regions: Sequence[Region]) -> list[Channel]:
    def cells(channel: str) -> int:
        return sum(number for one in regions for level, number in one.counts.get(channel, {}).items() if level != "negative")

    phenotypes = {one.channel for one in table.columns if one.phenotype}
    different = dict.fromkeys(one.channel for one in table.columns)
    return [Channel(one, "the stain" if one == ALONE else one, cells(one), sure=one not in phenotypes) for one in different]


IMPORTER = HaloSummary()
