"""A colony's event log: one row for each weighing, caliper measurement, dose or death, with pivots and groups beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from importers import values
from importers.base import AnimalFacts, Choices, Claim, Option, Reading, Refused, SetAside
from importers.colony_events import (
    COMPOUND,
    DEATH_REASON,
    DEATH_REMARK,
    DIED,
    DOSE,
    DOSE_REMARK,
    DOSED_VOLUME,
    ROUTE,
    last_cages,
    read_deaths,
    read_doses,
    read_stays,
    set_doses_aside,
)
from importers.colony_tumours import holds_any, read_tumours, set_sizes_aside
from importers.columns import (
    ANIMAL,
    ARM,
    BIRTH,
    CAGE,
    DATE,
    DAY,
    LENGTH,
    SEX,
    STRAIN,
    TUMOUR,
    VOLUME,
    WEIGHT,
    WIDTH,
    Layout,
    Role,
    above,
    data_rows,
    find_table,
    in_words,
    squash,
    unit_findings,
    uses,
    whole_sheet,
)
from importers.sheets import Sheet, Workbook
from importers.table_columns import When
from importers.tables import FACTS, TableReader, Unit

KEY = "colony_log"

LOCATION = Role("tumour", (*TUMOUR.aliases, "location"))
FACTS_OF_LIFE = (SEX, STRAIN, BIRTH)
EVENTS = (COMPOUND, DOSED_VOLUME, DOSE, ROUTE, DOSE_REMARK, DIED, DEATH_REASON, DEATH_REMARK)

ROLES = (ANIMAL, DATE, DAY, WEIGHT, LOCATION, LENGTH, WIDTH, VOLUME, ARM, CAGE, *FACTS_OF_LIFE, *EVENTS)
MEASURES = ("animal", "date", "weight", "tumour", "length", "width")
REQUIRED = tuple((*MEASURES, key) for key in ("compound", "dosed volume", "dose", "death", "death reason"))

WEIGHT_UNIT = Unit("weight_unit", "g", 5, 80)

NOT_READ = "neither a weight, a tumour, a dose, a death nor a cage"
DERIVED_DAY = "derived from the study's day 0"
FACTS_ONLY = "states facts of an animal (group, sex) and nothing that happened"
NO_EVENT = "records a session or a remark without a weight, a tumour size or a dose"

_GROUP_NAMES = frozenset(map(squash, (*ARM.aliases, "EGP name", "group name", "name", "arm name")))
_GROUP_ROWS = 10
_PIVOT_ROWS = 10


class ColonyLog:
    """The log that colony software exports, with its pivot sheets and its sheet of groups."""

    key = KEY
    title = "Colony event log"
    reads = (
        "A workbook with one log sheet (AnimalId, Date, Body weight, Tumor (Location), Tumor (L), Tumor (W), Compound, Injection"
        " volume, Cage, Date deceased, Sacrifice reason, …), with pivots and groups beside it. Doses, fates and cages; kinds:"
        " body_weight, caliper_volume."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a sheet whose rows hold weights, tumours, and doses or deaths."""
        for sheet in book.sheets:
            layout = _table(sheet)
            if layout is not None:
                headers = layout.quoted(*MEASURES, "compound", "death")
                evidence = [f'row {layout.header_row} of sheet "{sheet.name}" has {headers}']
                evidence += [f'sheet "{one.name}" is a pivot' for one in book.sheets if _is_pivot(one)]
                return Claim(KEY, tuple(evidence), sheet.index, layout.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read weights, tumours, doses, deaths and cages of the log; everything else is set aside with the reason."""
        layout = _table(book.sheets[claim.sheet])
        if layout is None:
            raise Refused("table-missing", f'the sheet "{book.sheets[claim.sheet].name}" has no log of a colony')
        without_arm = {key: one for key, one in layout.found.items() if key != "arm"}
        reader = TableReader(book, replace(layout, found=without_arm), choices)
        reader.findings += unit_findings(layout, [key for key in ("weight", "volume", "dosed volume", "dose") if layout.has(key)])
        animals = reader.animals()
        clock, when = reader.when()
        weight = reader.in_unit("body_weight", "weight", WEIGHT_UNIT) if holds_any(reader, "weight") else None
        tumours = read_tumours(reader, animals)
        measured = [one for one in (weight, tumours.measured) if one is not None]
        present = [any(marks) for marks in zip(*(one.present() for one in measured), strict=True)] or [False] * reader.length
        usable = reader.usable(present, animals, when)
        series = [one for entry in measured if (one := reader.series(entry, usable, animals, clock, when))]
        given = read_doses(reader, animals, clock, when, weight.values if weight else None)
        deaths, stays = read_deaths(reader, animals), read_stays(reader, animals, when)
        events = [one for one in (*series, given.doses, deaths, stays) if one is not None]
        recorded = {row for one in events for row in one.rows}
        aside = [*set_sizes_aside(reader, tumours.left_out, recorded), *set_doses_aside(reader, given.left_out, recorded)]
        facts = reader.facts(animals, tumours.of_animal, [key for key in FACTS if key != "cage"])
        rows = data_rows(layout.sheet, layout.header_row)
        said = recorded | {one.first_row for one in aside} | {one.row for one in reader.findings if one.row is not None}
        arms = _arms(reader, layout, animals, when)
        return Reading(
            KEY,
            tuple(replace(one, repeats=False) for one in series),
            {layout.sheet.index: rows},
            uses(layout, {**reader.unread, **_unread(layout)}, NOT_READ),
            {layout.sheet.index: [layout.header_row]},
            _completed(facts, arms, _descriptions(book), last_cages(stays)),
            (*aside, *_eventless(layout, rows, said, when), *above(layout), *_beside(book, layout.sheet.index)),
            (*reader.findings, *reader.asked.findings),
            tuple(reader.asked.questions),
            given.doses,
            deaths,
            stays,
        )


def _table(sheet: Sheet) -> Layout | None:
    """Find the log. A bracket such as the L of `Tumor (L)` is part of the name, not a unit."""
    layout = find_table(sheet, ROLES, REQUIRED)
    if layout is None:
        return None
    named = {
        key: replace(one, unit=None) if one.full in {squash(alias) for alias in layout.roles[key].aliases} else one
        for key, one in layout.found.items()
    }
    return replace(layout, found=named)


def _is_pivot(sheet: Sheet) -> bool:
    top = {cell for row in sheet.rows[:_PIVOT_ROWS] for cell in row if isinstance(cell, str)}
    return "Row Labels" in top or "Column Labels" in top


def _unread(layout: Layout) -> dict[int, str]:
    read = {one.column for one in layout.found.values()}
    reasons = {column: reason for column, reason in layout.not_chosen().items() if column not in read}
    return reasons | ({layout.found["day"].column: DERIVED_DAY} if layout.has("day") else {})


def _eventless(layout: Layout, rows: Sequence[int], said: set[int], when: Sequence[When | None]) -> list[SetAside]:
    """Set aside the rows without any event, in runs; rows with a finding are dealt with by a person."""
    width = max(map(len, layout.sheet.rows), default=0)
    runs: list[SetAside] = []
    for row in rows:
        if row in said:
            continue
        reason = NO_EVENT if when[row - layout.header_row - 1] is not None else FACTS_ONLY
        if runs and runs[-1].last_row == row - 1 and runs[-1].reason == reason:
            runs[-1] = replace(runs[-1], last_row=row)
        else:
            runs.append(SetAside(layout.sheet.index, row, row, 1, width, reason, row_fate=True))
    return runs


def _beside(book: Workbook, log: int) -> list[SetAside]:
    """Set aside the other sheets, each with what it is."""
    regions = []
    for sheet in book.sheets:
        if sheet.index == log:
            continue
        reason = "not the log"
        if _is_pivot(sheet):
            reason = "a pivot of the log"
        elif _group_table(sheet):
            reason = "names the groups; read as the arms' descriptions"
        regions.append(whole_sheet(sheet, reason))
    return [region for region in regions if region is not None]


@dataclass(frozen=True, slots=True)
class _Groups:
    header_row: int
    name: int
    description: int


def _group_table(sheet: Sheet) -> _Groups | None:
    """Find a table of group names and descriptions near the top of a sheet."""
    for number, row in enumerate(sheet.rows[:_GROUP_ROWS], 1):
        headers = [squash(cell) if isinstance(cell, str) else "" for cell in row]
        name = next((place for place, text in enumerate(headers) if text in _GROUP_NAMES), None)
        if name is not None and "description" in headers:
            return _Groups(number, name, headers.index("description"))
    return None


def _descriptions(book: Workbook) -> dict[str, str]:
    """Map each group's name to its description, from the sheet of groups."""
    found: dict[str, str] = {}
    for sheet in book.sheets:
        groups = _group_table(sheet)
        if groups is not None:
            rows = [row for row in sheet.rows[groups.header_row :] if len(row) > max(groups.name, groups.description)]
            names = values.texts([row[groups.name] for row in rows])
            found |= dict(zip(names, values.texts([row[groups.description] for row in rows]), strict=True))
    return found


def _arms(reader: TableReader, layout: Layout, animals: Sequence[str], when: Sequence[When | None]) -> dict[str, str]:
    """Give each animal its group. Animals move between groups (induction, then treatment), so which counts is asked."""
    if not layout.has("arm"):
        return {}
    arms = values.texts(layout.cells("arm"))
    spans: dict[str, dict[str, tuple[When, When]]] = defaultdict(dict)
    undated: dict[str, str] = {}
    for animal, arm, moment in zip(animals, arms, when, strict=True):
        if not animal or not arm:
            continue
        if moment is None:
            undated.setdefault(animal, arm)
            continue
        first, last = spans[animal].get(arm, (moment, moment))
        spans[animal][arm] = (_earlier(first, moment), _earlier(last, moment, latest=True))
    moved = [animal for animal, several in spans.items() if len(several) > 1]
    latest = not moved or _ask_arm(reader, len(moved), len(spans), moved[0], spans[moved[0]]) != "first"
    return undated | {animal: _in_order(several)[-1 if latest else 0] for animal, several in spans.items()}


def _earlier(one: When, other: When, *, latest: bool = False) -> When:
    return one if (_sortable(one) <= _sortable(other)) != latest else other


def _sortable(moment: When) -> float:
    """Put dates, date-times and days on one line each; one log holds one of them."""
    if isinstance(moment, datetime):
        return moment.toordinal() + (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86_400
    return float(moment.toordinal()) if isinstance(moment, date) else moment


def _in_order(several: Mapping[str, tuple[When, When]]) -> list[str]:
    """Order an animal's groups by their last row."""
    return sorted(several, key=lambda arm: _sortable(several[arm][1]))


def _ask_arm(reader: TableReader, moved: int, animals: int, example: str, several: Mapping[str, tuple[When, When]]) -> str | None:
    ordered = _in_order(several)
    until = [f"{arm} until {several[arm][1]}" for arm in ordered[:-1]]
    return reader.asked.ask(
        "arm_of",
        "Animals change their group in this log. Which one is the animal's arm?",
        (Option("latest", "the group of its latest row"), Option("first", "the group of its first row")),
        proposed="latest",
        evidence=f"{moved} of {animals} animals change group: {example} is in {in_words(until)}, then in {ordered[-1]}.",
        samples=ordered,
        sheet=reader.sheet.name,
    )


def _completed(
    facts: Mapping[str, AnimalFacts], arms: Mapping[str, str], descriptions: Mapping[str, str], cages: Mapping[str, str]
) -> dict[str, AnimalFacts]:
    """Give each animal its last cage and its arm: the group's name with its description, as in `11636.1 Control group`."""
    named = {arm: f"{arm} {descriptions.get(arm, '')}".strip() for arm in set(arms.values())}
    return {label: replace(one, arm=named.get(arms.get(label, "")), cage=cages.get(label)) for label, one in facts.items()}


IMPORTER = ColonyLog()
