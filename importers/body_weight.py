"""Reads body weights: a row for each weighing, pairs of weight and date side by side, or a column for each date or day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from importers import values
from importers.base import AnimalFacts, Choices, Claim, Clock, Finding, Reading, Refused, Series, SetAside, Severity
from importers.blocks import TimeHeader, time_header
from importers.caliper_long import is_colony_log, measuring_table
from importers.columns import (
    ANIMAL,
    ARM,
    BIRTH,
    CAGE,
    DATE,
    DAY,
    DEVICE,
    HEADER_SEARCH_ROWS,
    MODEL,
    OPERATOR,
    SEX,
    STRAIN,
    STUDY,
    WEIGHT,
    Header,
    Layout,
    above,
    data_rows,
    find_table,
    match,
    unit_findings,
    uses,
    whole_sheet,
)
from importers.sheets import Sheet, Workbook
from importers.table_columns import When, raw_texts
from importers.tables import TableReader, Unit, times

ABOUT = (ARM, CAGE, STUDY, MODEL, SEX, BIRTH, STRAIN, OPERATOR, DEVICE)
LONG = (ANIMAL, DATE, DAY, WEIGHT, *ABOUT)
STATES_FACTS = tuple(("animal", role.key) for role in (SEX, BIRTH, STRAIN, ARM, CAGE, STUDY, MODEL))
WEIGHT_UNIT = Unit("weight_unit", "g", 5, 80)
LEAST_WEIGHINGS = 2

_WEIGHT = "bodyweight|weight|bw|mass"
_PAIR_WEIGHT = re.compile(rf"(?:{_WEIGHT})\d+\Z")
_PAIR_DATE = re.compile(rf"(?:date|dateof)(?:{_WEIGHT}|weighing)?\d*\Z|(?:{_WEIGHT}|weighing)date\d*\Z")
_SAYS_WEIGHT = re.compile(r"body.?weight|weight|\bbw\b|\bmass\b", re.IGNORECASE)
_PREFIX = re.compile(r"\s*(?:body[\s_]?weight|weight|bw|mass)[\s_:-]+(?=.*(?:[/.-]|[a-z]))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weighings:
    """A table with several weighings of an animal in one row.

    layout: its columns; `weight 1`, `weight 2`, … are roles in it. dates: for each weighing, the role of its date column.
    when: for each weighing, its date or day, where the header of the weight itself says it.
    """

    layout: Layout
    dates: tuple[str, ...] = ()
    when: tuple[TimeHeader, ...] = ()

    @property
    def weights(self) -> list[str]:
        """Roles of the weight columns, left to right."""
        return [f"weight {number}" for number in range(1, len(self.dates or self.when) + 1)]


class BodyWeight:
    """Body weights, long and wide."""

    key = "body_weight"
    title = "Body weight"
    reads = (
        "A table of body weights: id, date or day, and weight in each row; or Body Weight 1, Date Body Weight 1, … side by side; "
        "or a column for each date or day in a sheet that says body weight. Kind: body_weight."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet that holds body weights, unless the workbook holds tumour sizes by row."""
        if any(measuring_table(sheet) is not None for sheet in book.sheets):
            return None
        for sheet in book.sheets:
            table = None
            layout = _long(sheet)
            if layout is None and (table := _weighings(book, sheet)):
                layout = table.layout
            if layout is not None:
                quoted = layout.quoted("animal", "date", "day", *(table.weights if table else ["weight"]))
                said = f'header row {layout.header_row} of sheet "{sheet.name}" has {quoted}'
                return Claim(self.key, (said, "no column holds tumour sizes"), sheet.index, layout.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every weighing; other sheets that state sex, birth or arm of the same animals are read for that."""
        sheet = book.sheets[claim.sheet]
        long = _long(sheet)
        table = None if long else _weighings(book, sheet)
        layout = table.layout if table else long
        if layout is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no table of body weights')
        reader = TableReader(book, layout, choices)
        animals = reader.animals()
        series = _read_weighings(reader, table, animals) if table else _read_long(reader, animals)
        weighed = frozenset(series.rows if series else ())
        present = [row in weighed for row in range(reader.first_row, reader.first_row + reader.length)]
        facts, others = _from_other_sheets(book, reader, reader.facts(animals))
        return Reading(
            importer=self.key,
            series=() if series is None else (series,),
            data_rows={sheet.index: data_rows(sheet, layout.header_row)},
            columns=(*uses(layout, {**layout.not_chosen(), **reader.unread}), *(use for other in others for use in uses(other))),
            header_rows={one.sheet.index: [one.header_row] for one in (layout, *others)},
            animals=facts,
            set_aside=(
                *above(layout),
                *reader.blank_rows(present),
                *_set_aside(book, {sheet.index, *(other.sheet.index for other in others)}),
            ),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
        )


def _long(sheet: Sheet) -> Layout | None:
    layout = find_table(sheet, LONG, [("animal", "weight")])
    return None if layout is None or is_colony_log(layout) else layout


def _weighings(book: Workbook, sheet: Sheet) -> Weighings | None:
    for row in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
        layout = match(sheet, row, (ANIMAL, *ABOUT))
        if layout.has("animal") and (table := _pairs(layout) or _dated_columns(book, layout)):
            return table
    return None


def _pairs(layout: Layout) -> Weighings | None:
    """Pair each weight column with the date column beside it: by position, because dates are often headed alike."""
    pairs: list[tuple[Header, Header]] = []
    paired: set[int] = set()
    for one, other in zip(layout.headers, layout.headers[1:], strict=False):
        weight, dated = (one, other) if _PAIR_WEIGHT.match(one.name) else (other, one)
        if one.column not in paired and _PAIR_WEIGHT.match(weight.name) and _PAIR_DATE.match(dated.full):
            pairs.append((weight, dated))
            paired |= {one.column, other.column}
    if not pairs:
        return None
    numbered = list(enumerate(pairs, 1))
    found = {f"weight {number}": weight for number, (weight, _) in numbered}
    dates = {f"date {number}": dated for number, (_, dated) in numbered}
    return Weighings(_with_weights(layout, {**found, **dates}), dates=tuple(dates))


def _dated_columns(book: Workbook, layout: Layout) -> Weighings | None:
    """Find columns headed by a date or day, in a sheet that says body weight or under headers that do."""
    sheet, row = layout.sheet, layout.sheet.rows[layout.header_row - 1]
    titles = [
        book.name,
        sheet.name,
        *(cell for line in sheet.rows[: layout.header_row - 1] for cell in line if isinstance(cell, str)),
    ]
    titled = any(_SAYS_WEIGHT.search(title) for title in titles)
    found: list[tuple[Header, TimeHeader]] = []
    for one in layout.headers:
        cell = row[one.column - 1]
        bare = _PREFIX.sub("", cell) if isinstance(cell, str) else cell
        if (titled or bare != cell) and (time := time_header(bare, one.column)):
            found.append((one, time))
    if len(found) < LEAST_WEIGHINGS or len({isinstance(time.when, float) for _, time in found}) > 1:
        return None
    weights = {f"weight {number}": one for number, (one, _) in enumerate(found, 1)}
    return Weighings(_with_weights(layout, weights), when=tuple(time for _, time in found))


def _with_weights(layout: Layout, found: Mapping[str, Header]) -> Layout:
    roles = {key: WEIGHT if key.startswith("weight") else DATE for key in found}
    return replace(layout, found={**layout.found, **found}, roles={**layout.roles, **roles})


def _read_long(reader: TableReader, animals: Sequence[str]) -> Series | None:
    refused = unit_findings(reader.layout, ["weight"])
    reader.findings += refused
    clock, when = reader.when()
    if refused:
        reader.unread[reader.layout.found["weight"].column] = refused[0].message
        return None
    weight = reader.in_unit("body_weight", "weight", WEIGHT_UNIT)
    if weight is None:
        return None
    return reader.series(weight, reader.usable(weight.present(), animals, when), animals, clock, when)


def _read_weighings(reader: TableReader, table: Weighings, animals: Sequence[str]) -> Series | None:
    """Read all weighings into one series, weighing by weighing."""
    keys, layout = table.weights, table.layout
    reader.findings += [*unit_findings(layout, keys), *_headed_alike(layout, table)]
    numbers = [reader.numbers(key) for key in keys]
    clock, moments = _moments(reader, table)
    factor = reader.factor(keys, [number for column in numbers for number in column], WEIGHT_UNIT)
    if factor is None:
        return None
    entries = [
        (reader.first_row + index, layout.found[key].column, animals[index], moment, weight, text)
        for key, column, taken in zip(keys, numbers, moments, strict=True)
        for index, mark, moment, weight, text in zip(
            range(reader.length),
            reader.usable(
                [number is not None for number in column], animals, taken, key.replace("weight", "date") if table.dates else None
            ),
            taken,
            times(column, factor),
            raw_texts(layout.cells(key)),
            strict=True,
        )
        if mark and moment is not None
    ]
    if not entries:
        return None
    rows, columns, labels, when, weights, raw = (list(column) for column in zip(*entries, strict=True))
    return Series("body_weight", layout.sheet.index, clock, rows, columns, labels, when, weights, raw)


def _moments(reader: TableReader, table: Weighings) -> tuple[Clock, list[Sequence[When | None]]]:
    """Give for each weighing the date or day of every row."""
    if table.dates:
        read = [reader.dates(key) for key in table.dates]
        clocks = {clock for clock, _ in read}
        if len(clocks) > 1:
            raise Refused(
                "dates-mixed",
                f"the columns {reader.layout.quoted(*table.dates)} hold dates in some, and days or times of day in others",
                expected="dates in each of them",
                remedy="give all of them one format and upload again",
            )
        return clocks.pop(), [column for _, column in read]
    days = [float(time.when) * (7 if time.step == "week" else 1) for time in table.when if isinstance(time.when, float)]
    if days:
        return Clock.DAY, [[day] * reader.length for day in days]
    cells = [time.when for time in table.when if isinstance(time.when, date | str)]
    dates, problems = values.dates(cells, reader.date_order(cells))
    for index, problem in problems.items():
        reader.findings += values.problem_findings(
            {0: problem},
            cells[index : index + 1],
            sheet=reader.sheet.name,
            rows=[reader.layout.header_row],
            column=table.when[index].column,
        )
    return Clock.DATE, [[day] * reader.length for day in dates]


def _headed_alike(layout: Layout, table: Weighings) -> list[Finding]:
    """Warn of date columns that are headed alike, and say how each was used."""
    dates = [layout.found[key] for key in table.dates]
    return [
        Finding(
            Severity.WARNING,
            "header-repeated",
            f'"{one.text}" heads two columns; this one was taken as the date of "{layout.found[weight].text}" beside it',
            sheet=layout.sheet.name,
            row=layout.header_row,
            column=one.column,
            value=one.text,
            expected=f'a header of its own, such as "Date {layout.found[weight].text}"',
            remedy="acknowledge if each date belongs to the weight beside it, else correct the header",
        )
        for place, (weight, one) in enumerate(zip(table.weights, dates, strict=False))
        if one.full in {earlier.full for earlier in dates[:place]}
    ]


def _from_other_sheets(
    book: Workbook, reader: TableReader, facts: Mapping[str, AnimalFacts]
) -> tuple[dict[str, AnimalFacts], list[Layout]]:
    """Fill in what other sheets state about the same animals; give the tables that were read for it."""
    merged, read = dict(facts), []
    for sheet in book.sheets:
        layout = None if sheet is reader.sheet else find_table(sheet, (ANIMAL, *ABOUT), STATES_FACTS)
        if layout is None:
            continue
        other = TableReader(book, layout, reader.choices)
        stated = other.facts(other.animals())
        if facts.keys() & stated.keys():
            read.append(layout)
            reader.findings += other.findings
            merged |= {label: _filled(merged[label], stated[label]) for label in facts if label in stated}
    return merged, read


def _filled(facts: AnimalFacts, more: AnimalFacts) -> AnimalFacts:
    return replace(
        facts,
        sex=facts.sex or more.sex,
        birth_date=facts.birth_date or more.birth_date,
        strain=facts.strain or more.strain,
        cage=facts.cage or more.cage,
        arm=facts.arm or more.arm,
        study=facts.study or more.study,
        model=facts.model or more.model,
    )


def _set_aside(book: Workbook, read: set[int]) -> list[SetAside]:
    regions = []
    for sheet in book.sheets:
        if sheet.index not in read:
            of_animals = find_table(sheet, (ANIMAL,), [("animal",)])
            reason = "it does not say which kind of measurement it holds" if of_animals else "not of this table"
            regions.append(whole_sheet(sheet, reason))
    return [region for region in regions if region is not None]


IMPORTER = BodyWeight()
