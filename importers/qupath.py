"""Reads measurements of QuPath: annotations with what was counted in them, and detections, counted here region by region.

A class such as `Tumor: 2+` says whose cell it is and how strongly it is stained. Where no class of a file says how strongly, each
part of a class (`CD8: PD1`) is a channel of its own. Detections may be millions: their rows pass by and are only counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from importers import values
from importers.base import Choices, Claim, Finding, Option, Reading, Refused, Severity
from importers.columns import HEADER_SEARCH_ROWS, in_words, is_blank, other_sheets, squash
from importers.questions import Asked
from importers.sheets import CellValue, Sheet, Workbook
from importers.stain_counts import LEVELS, NONE, Channel, Region, column_uses, stain_records, table_aside

IMAGE, CLASSIFICATION = ("image",), ("classification", "class")
TYPE, NAME, PARENT, MISSING, OBJECT_ID = ("objecttype",), ("name",), ("parent",), ("missing",), ("objectid",)
ALSO = (*TYPE, *OBJECT_ID, *PARENT, "roi", "tmacore")
"""At least one of these stands beside image and class."""
SOFTWARE = "QuPath"
WHOLE_IMAGE = "whole image"

WORDS = {"negative": "negative", "0": "negative", "1+": "weak", "2+": "moderate", "3+": "strong", "positive": "positive"}
"""What QuPath calls intensities, by the level that each is proposed as."""
_AREA = re.compile(r"area\s*[\[(]?\s*(?P<unit>µm|μm|um|mm|px|pixels)\s*(?:\^?2|²)?\s*[\])]?", re.IGNORECASE)
_MM2 = {"µm": 1e-6, "μm": 1e-6, "um": 1e-6, "mm": 1.0}
_COUNT = re.compile(r"num (?P<of>.+?)", re.IGNORECASE)
_FOLLOWS = re.compile(r"positive %|h-score|allred|per mm|\(base\)", re.IGNORECASE)
_ANNOTATIONS = ("annotation", "pathannotationobject", "tmacore", "tmacoreobject", "rootobject", "pathrootobject")
_DETECTIONS = ("", "cell", "detection", "pathcellobject", "pathdetectionobject")
_WHOLE = re.compile(r"(?:path)?root(?: object)?(?:\s*\(image\))?|image", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Table:
    """header_row; columns: role → column; counts: column → class; area: column and factor to mm² (`None`: pixels)."""

    header_row: int
    columns: Mapping[str, int]
    counts: Mapping[int, str]
    area: tuple[int, float | None] | None

    def cell(self, row: Sequence[CellValue], role: str) -> str:
        column = self.columns.get(role, 0)
        return values.cell_text(row[column - 1]) if 0 < column <= len(row) else ""


@dataclass(slots=True)
class _Found:
    """objects: (image, region, class) → detections, with the row of the first. annotations: those of the file, by row."""

    objects: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], int] = field(default_factory=dict)
    annotations: list[tuple[int, Sequence[CellValue]]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    last_row: int = 0


class QuPath:
    """Measurements of QuPath."""

    key = "qupath"
    title = "QuPath measurements"
    reads = (
        "Measurements of QuPath: of annotations (Num Detections, Num Positive, Area µm^2) or detections (Classification, Parent), "
        "tab or comma. A stained region for each image, annotation and marker. Files of any size."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table with image and classification, and what else QuPath says of an object."""
        for sheet in book.sheets:
            table = _table(sheet)
            if table is not None:
                header = sheet.rows[table.header_row - 1]
                said = in_words([f'"{header[column - 1]}"' for column in list(table.columns.values())[:4]])
                return Claim(self.key, (f"header row {table.header_row} has {said}",), sheet.index, table.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Count the cells of each region; nothing is kept of single cells."""
        sheet = book.sheets[claim.sheet]
        table = _table(sheet)
        if table is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no columns Image and Classification')
        asked, found = Asked(choices), _passed(sheet, table)
        regions, channels = _regions(asked, book, sheet, table, found)
        for region in regions:
            for channel in channels:
                if channel.key not in region.stated:
                    region.counts.setdefault(channel.key, {"positive": 0})
        columns = {"image": table.columns["image"], "region": table.columns.get("parent" if found.objects else "name", 1)}
        records = stain_records(asked, sheet, regions, channels, columns)
        told = f"{sum(found.objects.values()):,} detections and {len(found.annotations):,} annotations, counted by region"
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: sorted({row for one in records for row in one.rows} or {one.row for one in regions})},
            columns=column_uses(sheet, table.header_row, _roles(table), {}, "measured of each object; only counts are kept"),
            header_rows={sheet.index: [table.header_row]},
            set_aside=(*table_aside(sheet, table.header_row, found.last_row, told, records), *other_sheets(book, [sheet.index])),
            findings=(*_said(sheet, found, table), *asked.findings),
            questions=tuple(asked.questions),
            records=records,
        )


def _table(sheet: Sheet) -> _Table | None:
    for number, row in enumerate(sheet.rows[:HEADER_SEARCH_ROWS], 1):
        names = {squash(str(cell)): column for column, cell in reversed(list(enumerate(row, 1))) if not is_blank(cell)}
        roles = {
            "image": IMAGE,
            "class": CLASSIFICATION,
            "type": TYPE,
            "name": NAME,
            "parent": PARENT,
            "id": OBJECT_ID,
            "missing": MISSING,
        }
        columns = {role: names[name] for role, aliases in roles.items() for name in aliases if name in names}
        if not ({"image", "class"} <= columns.keys() and any(name in names for name in ALSO)):
            continue
        counts, area = {}, None
        for column, cell in enumerate(row, 1):
            text = str(cell).strip()
            if (told := _COUNT.fullmatch(text)) and not _FOLLOWS.search(text):
                counts[column] = told["of"]
            elif (unit := _AREA.fullmatch(text)) and area is None:
                area = (column, _MM2.get(unit["unit"].casefold()))
            elif squash(text) == "positive" and "%" in text:
                columns["percent"] = column
            elif squash(text) == "hscore":
                columns["h_score"] = column
        return _Table(number, columns, counts, area)
    return None


def _roles(table: _Table) -> dict[int, str]:
    roles = {column: role for role, column in table.columns.items()}
    return roles | dict.fromkeys(table.counts, "cells") | ({table.area[0]: "area"} if table.area else {})


def _passed(sheet: Sheet, table: _Table) -> _Found:
    """Let all rows pass by: detections are counted by image, region and class, annotations are kept."""
    found = _Found(last_row=table.header_row)
    width = max(table.columns.values())
    places = {role: table.columns[role] - 1 for role in ("type", "image", "parent", "class") if role in table.columns}
    pick, kind_at = itemgetter(*places.values()), places.get("type")
    counted: dict[tuple[CellValue, ...], int] = {}
    first: dict[tuple[CellValue, ...], int] = {}
    annotates = {"": bool(table.counts)}
    for number, cells in enumerate(islice(sheet.every_row(), table.header_row, None), table.header_row + 1):
        if not any(cells):
            continue
        row = cells if len(cells) >= width else [*cells, *[""] * (width - len(cells))]
        found.last_row = number
        kind = "" if kind_at is None else str(row[kind_at])
        if kind not in annotates:
            annotates[kind] = squash(kind) in _ANNOTATIONS
        if annotates[kind]:
            found.annotations.append((number, row))
            continue
        key = pick(row)
        if key in counted:
            counted[key] += 1
        else:
            counted[key], first[key] = 1, number
    _sort_out(found, table, places, counted, first)
    return found


def _sort_out(
    found: _Found,
    table: _Table,
    places: Mapping[str, int],
    counted: Mapping[tuple[CellValue, ...], int],
    first: Mapping[tuple[CellValue, ...], int],
) -> None:
    """Name what was counted, and leave out what is no cell: tiles, points, and cores that are missing."""
    for key, cells in counted.items():
        said = {role: values.cell_text(cell) for role, cell in zip(places, key, strict=True)}
        if squash(said.get("type", "")) not in _DETECTIONS:
            found.others[said["type"]] += cells
            continue
        of = (said["image"], said.get("parent", ""), said["class"])
        found.objects[of] += cells
        found.first.setdefault(of, first[key])
    kept = [(row, cells) for row, cells in found.annotations if squash(table.cell(cells, "missing")) != "true"]
    found.missing, found.annotations = len(found.annotations) - len(kept), kept


def _regions(asked: Asked, book: Workbook, sheet: Sheet, table: _Table, found: _Found) -> tuple[list[Region], list[Channel]]:
    """Make regions of what was counted, with the channels that their classes name."""
    classes: Counter[str] = Counter()
    for (_, _, said), cells in found.objects.items():
        classes[said] += cells
    annotated = [_annotation(book, sheet, table, asked, number, row) for number, row in found.annotations]
    if not found.objects:
        for one in annotated:
            classes.update(one.classes)
    levels = _levels(asked, sheet, classes)
    if levels is not None:
        asked.findings += _unscored(sheet, classes, levels)
    if not found.objects:
        return _of_annotations(annotated, levels), _channels(classes, levels, stated=any(one.stated for one in annotated))
    areas = {(one.image, one.name): one.area for one in annotated} | {(one.image, one.plain): one.area for one in annotated}
    regions: dict[tuple[str, str], Region] = {}
    for key, cells in found.objects.items():
        image, parent, said = key
        _count(regions, image, _named(parent), said, cells, levels, found.first[key], areas.get((image, parent)))
    return sorted(regions.values(), key=lambda one: one.row), _channels(classes, levels)


@dataclass(frozen=True, slots=True)
class _Annotation:
    row: int
    object_id: str
    image: str
    plain: str
    name: str
    cells: int | None
    area: float | None
    classes: Mapping[str, int]
    stated: Mapping[str, float]


def _annotation(book: Workbook, sheet: Sheet, table: _Table, asked: Asked, number: int, row: Sequence[CellValue]) -> _Annotation:
    """Read what one annotation says: its name, area, and the cells of each class."""

    def read(column: int) -> float | None:
        cell = row[column - 1] if column <= len(row) else ""
        (value,), problems = values.numbers([cell], book.decimal, ("nan",))
        asked.findings.extend(values.problem_findings(problems, [cell], sheet=sheet.name, rows=[number], column=column))
        return value

    counted = {said: int(value) for column, said in table.counts.items() if (value := read(column)) is not None}
    total = next((cells for said, cells in counted.items() if said.casefold() == "detections"), None)
    area = read(table.area[0]) if table.area else None
    told = {one: read(table.columns[one]) for one in ("percent", "h_score") if one in table.columns}
    stated = {one: value for one, value in told.items() if value is not None}
    plain, said = table.cell(row, "name"), table.cell(row, "class")
    name = said if said.endswith(plain) and said else " · ".join(filter(None, (plain, said)))
    return _Annotation(
        number,
        table.cell(row, "id"),
        table.cell(row, "image"),
        plain or said,
        _named(name),
        total,
        None if area is None or table.area is None or table.area[1] is None or not area else area * table.area[1],
        {one: cells for one, cells in counted.items() if one.casefold() != "detections"},
        stated,
    )


def _of_annotations(annotated: Sequence[_Annotation], levels: Mapping[str, str] | None) -> list[Region]:
    """Make regions of annotations; those of one name in an image are told apart by their ids."""
    names = Counter((one.image, one.name) for one in annotated)
    regions: list[Region] = []
    for place, one in enumerate(annotated, 1):
        name = one.name if names[one.image, one.name] == 1 else f"{one.name} ({one.object_id[:8] or place})"
        counted: dict[tuple[str, str], Region] = {}
        for said, cells in one.classes.items():
            _count(counted, one.image, name, said, cells, levels, one.row, one.area)
        if levels is None and one.cells is not None:
            for region in counted.values():
                region.cells = one.cells
        if not counted and one.stated:
            counted[one.image, name] = Region(one.image, name, one.row, one.cells, SOFTWARE, one.area)
        if len(counted) == 1 and one.stated:
            next(iter(counted.values())).stated["stain"] = dict(one.stated)
        regions += counted.values()
    return regions


def _count(
    regions: dict[tuple[str, str], Region],
    image: str,
    name: str,
    said: str,
    cells: int,
    levels: Mapping[str, str] | None,
    row: int,
    area: float | None,
) -> None:
    """Add cells of one class to their region. Classes that say how strongly are of one stain, by the kind of cell before that."""
    parts = [part.strip() for part in said.split(":") if part.strip()]
    if levels is None:
        region = regions.setdefault((image, name), Region(image, name, row, 0, SOFTWARE, area))
        region.cells = (region.cells or 0) + cells
        for part in parts:
            region.add(part, "positive", cells)
    else:
        word = next((part for part in parts if part.casefold() in levels), None)
        level = NONE if word is None else levels[word.casefold()]
        if level == NONE:
            return
        kind = " · ".join(part for part in parts if part != word)
        whole = f"{name} · {kind}" if kind else name
        region = regions.setdefault((image, whole), Region(image, whole, row, 0, SOFTWARE, area))
        region.cells = (region.cells or 0) + cells
        region.add("stain", level, cells)
    region.row = min(region.row, row)


def _named(parent: str) -> str:
    return WHOLE_IMAGE if not parent or _WHOLE.fullmatch(parent) else parent


def _levels(asked: Asked, sheet: Sheet, classes: Counter[str]) -> dict[str, str] | None:
    """Ask how strongly each word that says so is stained; `None` where no class of the file has such a word."""
    words: Counter[str] = Counter()
    example: dict[str, str] = {}
    for said, cells in classes.items():
        for part in said.split(":"):
            if part.strip().casefold() in WORDS:
                words[part.strip()] += cells
                example.setdefault(part.strip(), said)
    if not words:
        return None
    levels = {}
    for word, cells in words.items():
        answer = asked.ask(
            f"level_{word.casefold().replace('+', 'plus')}",
            f"How strongly are cells of the class “{word}” stained?",
            [*(Option(level, level) for level in LEVELS), Option(NONE, "leave them out")],
            proposed=WORDS[word.casefold()],
            evidence=f"{cells:,} cells, such as of “{example[word]}”.",
            samples=[example[word]],
            sheet=sheet.name,
        )
        levels[word.casefold()] = answer or NONE
    return levels


def _scored(said: str, levels: Mapping[str, str]) -> bool:
    return any(part.strip().casefold() in levels for part in said.split(":"))


def _unscored(sheet: Sheet, classes: Counter[str], levels: Mapping[str, str]) -> list[Finding]:
    """Say of how many cells no class says how strongly they are stained."""
    left = {said: cells for said, cells in classes.items() if not _scored(said, levels) and cells}
    if not left:
        return []
    named = in_words([f"“{said or 'without a class'}”" for said in list(left)[:3]])
    told = f"{sum(left.values()):,} cells of {named} say nothing of their staining, and are not counted"
    return [Finding(Severity.NOTE, "cells-unscored", told, sheet=sheet.name)]


def _channels(classes: Counter[str], levels: Mapping[str, str] | None, *, stated: bool = False) -> list[Channel]:
    """Give the one stain whose intensities the classes say, or each part of the classes."""
    if levels is not None:
        total = sum(cells for said, cells in classes.items() if _scored(said, levels))
        return [Channel("stain", "the stain", total)]
    parts: Counter[str] = Counter()
    for said, cells in classes.items():
        parts.update({part.strip(): cells for part in said.split(":") if part.strip()})
    channels = [Channel(part, part, cells) for part, cells in parts.items()]
    return channels or ([Channel("stain", "the stain", 0)] if stated else [])


def _said(sheet: Sheet, found: _Found, table: _Table) -> Iterable[Finding]:
    """Say what was left out or is not known."""
    if found.others:
        told = in_words([f"{number:,} of type {kind}" for kind, number in found.others.items()])
        yield Finding(
            Severity.NOTE, "objects-left-out", f"{told} are neither cells nor annotations, and not counted", sheet=sheet.name
        )
    if found.missing:
        yield Finding(Severity.NOTE, "cores-missing", f"{found.missing} cores are marked as missing and not read", sheet=sheet.name)
    if table.area is not None and table.area[1] is None:
        yield Finding(
            *(Severity.WARNING, "area-in-pixels", "areas are in pixels, so that no density can be told"),
            sheet=sheet.name,
            row=table.header_row,
            column=table.area[0],
            expected="Area µm^2",
            remedy="set the pixel size of the image in QuPath, and export again",
        )


IMPORTER = QuPath()
