"""Reads caliper and bioluminescence tables with one measuring session of one animal in each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from importers.base import Choices, Claim, Finding, Option, Reading, Refused, Severity
from importers.columns import (
    ANIMAL,
    ARM,
    BIRTH,
    CAGE,
    DATE,
    DAY,
    DEVICE,
    HEIGHT,
    LENGTH,
    LENGTH_UNITS,
    MODEL,
    OPERATOR,
    RLU,
    SEX,
    STRAIN,
    STUDY,
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
    other_sheets,
    squash,
    unit_findings,
    uses,
)
from importers.sheets import Sheet, Workbook
from importers.table_columns import raw_texts
from importers.tables import Measured, TableReader, Unit, times

LEFT_LENGTH = Role("left_length", ("l dmax", "l length", "left length", "length l", "left l"), LENGTH_UNITS)
LEFT_WIDTH = Role("left_width", ("l dmin", "l width", "left width", "width l", "left w"), LENGTH_UNITS)
RIGHT_LENGTH = Role("right_length", ("r dmax", "r length", "right length", "length r", "right l"), LENGTH_UNITS)
RIGHT_WIDTH = Role("right_width", ("r dmin", "r width", "right width", "width r", "right w"), LENGTH_UNITS)

ROLES = (
    *(LEFT_LENGTH, LEFT_WIDTH, RIGHT_LENGTH, RIGHT_WIDTH, ANIMAL, DATE, DAY, VOLUME, LENGTH, WIDTH, HEIGHT, RLU, WEIGHT),
    *(ARM, CAGE, STUDY, TUMOUR, MODEL, SEX, BIRTH, STRAIN, OPERATOR, DEVICE),
)
SIDES = (("L", "left_length", "left_width"), ("R", "right_length", "right_width"))
REQUIRED = (
    ("animal", "left_length", "left_width", "right_length", "right_width"),
    ("animal", "volume"),
    ("animal", "length", "width"),
    ("animal", "rlu"),
)

VOLUME_UNIT = Unit("volume_unit", "mm3", 1, 20_000)
LENGTH_UNIT = Unit("length_unit", "mm", 1.5, 40)
WEIGHT_UNIT = Unit("weight_unit", "g", 5, 80)

DERIVED = frozenset(
    map(
        squash,
        (
            *("l vol", "r vol", "max vol", "total vol", "log tv", "log max tv", "l rtv", "r rtv", "rtv", "r total vol"),
            *("diff total vol", "days implant", "age", "area", "ratio", "fold change"),
        ),
    )
)
"""Columns that a person or program computed from the others, which the application computes itself."""

EXCHANGE_SIGNATURE = frozenset(("contributor", "arms", "times", "volume", "study", "id"))
"""Headers of the exchange table of tumour volumes per study arm, in which `Tumor` names the model and must be there."""

COLONY_LOG_SIGNATURE = frozenset(("animalid", "treatmentday", "compound", "datedeceased"))
"""Headers of a colony's event log, which has doses and fates beside the sizes and an importer of its own."""


class CaliperLong:
    """Caliper table, long."""

    key = "caliper_long"
    title = "Caliper table, long"
    reads = (
        "A table with a row for each animal and day or date: volume, or length and width (one or two tumours), or RLU, "
        "and body weight beside them. Kinds: caliper_volume, bli_rlu, body_weight."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with an id column and a volume, diameters or RLU column."""
        for sheet in book.sheets:
            layout = measuring_table(sheet)
            if layout is not None:
                headers = layout.quoted("animal", *_time_keys(layout), *_value_keys(layout))
                return Claim(self.key, (f"header row {layout.header_row} has {headers}",), sheet.index, layout.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every row; one series for each kind."""
        layout = measuring_table(book.sheets[claim.sheet])
        if layout is None:
            raise Refused("table-missing", f'the sheet "{book.sheets[claim.sheet].name}" has no table of this format')
        _require_model(layout, choices)
        reader = TableReader(book, layout, choices)
        reader.findings += unit_findings(layout, _value_keys(layout))
        measured = _measured(reader)
        animals, arm_scope = _scoped_ids(reader)
        clock, when = reader.when()
        labels, layout = _tumour_labels(reader, animals)
        present = any_present(measured, reader.length)
        usable = reader.usable(present, animals, when)
        measured = [
            replace(one, tumours=labels) if one.tumours is None and one.kind == "caliper_volume" else one for one in measured
        ]
        series = [one for entry in measured if (one := reader.series(entry, usable, animals, clock, when))]
        facts = reader.facts(animals, _tumours_of(measured, animals))
        return Reading(
            importer=self.key,
            series=tuple(series),
            data_rows={layout.sheet.index: data_rows(layout.sheet, layout.header_row)},
            columns=uses(layout, {**_derived(layout), **reader.unread}),
            header_rows={layout.sheet.index: [layout.header_row]},
            animals=facts,
            set_aside=(*above(layout), *other_sheets(book, [layout.sheet.index]), *reader.blank_rows(present)),
            findings=(*reader.findings, *arm_scope, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
        )


def measuring_table(sheet: Sheet) -> Layout | None:
    """Find the table. In an exchange table `Tumor` names the model, never one of an animal's tumours."""
    layout = find_table(sheet, ROLES, REQUIRED)
    if layout is None or is_colony_log(layout):
        return None
    if not _is_exchange_table(layout) or not layout.has("tumour"):
        return layout
    found = {key: one for key, one in layout.found.items() if key not in {"tumour", "model"}}
    return replace(layout, found={**found, "model": layout.found["tumour"]})


def is_colony_log(layout: Layout) -> bool:
    """Whether these are the headers of a colony's event log."""
    return {one.full for one in layout.headers} >= COLONY_LOG_SIGNATURE


def _is_exchange_table(layout: Layout) -> bool:
    return {one.full for one in layout.headers} >= EXCHANGE_SIGNATURE


def _value_keys(layout: Layout) -> tuple[str, ...]:
    keys = ("left_length", "left_width", "right_length", "right_width", "volume", "length", "width", "height", "rlu", "weight")
    return tuple(key for key in keys if layout.has(key))


def _time_keys(layout: Layout) -> tuple[str, ...]:
    return ("date",) if layout.has("date") else ("day",) if layout.has("day") else ()


def _require_model(layout: Layout, choices: Choices) -> None:
    """Refuse an exchange table that does not say which tumour it is about, unless a person said one to an animal."""
    if not _is_exchange_table(layout) or layout.has("model") or choices.get("tumour") == "one-per-animal":
        return
    names = {one.full for one in layout.headers}
    optional = [name for name in ("Disease_Type", "Body_Weight") if squash(name) not in names]
    also = f"; {in_words(optional)} {'is' if len(optional) == 1 else 'are'} missing too, but may be" if optional else ""
    raise Refused(
        "column-missing",
        f'the column "Tumor" is missing, which says which tumour model each animal carries{also}',
        expected="the columns Contributor, Arms, Times, Volume, Study, ID and Tumor (Disease_Type and Body_Weight if known)",
        remedy='add the column "Tumor" and upload again, or, where each animal carries one tumour, map its columns',
        option="--set tumour=one-per-animal",
    )


def _measured(reader: TableReader) -> list[Measured]:
    layout, readable = reader.layout, _readable(reader.layout)
    measured = []
    if readable.issuperset(("left_length", "left_width", "right_length", "right_width")):
        measured += _two_sides(reader)
    if "rlu" in readable:
        measured.append(reader.measured("bli_rlu", "rlu"))
    if readable.issuperset(("length", "width")):
        volume = reader.in_unit("caliper_volume", "volume", VOLUME_UNIT) if "volume" in readable else None
        measured += _diameters(reader, volume)
    elif "volume" in readable and (volume := reader.in_unit("caliper_volume", "volume", VOLUME_UNIT)):
        measured.append(volume)
    if "weight" in readable and (weight := reader.in_unit("body_weight", "weight", WEIGHT_UNIT)):
        measured.append(weight)
    for key in set(_value_keys(layout)) - readable:
        reader.unread[layout.found[key].column] = f'"{layout.found[key].unit}" is not a unit of this column'
    return measured


def _readable(layout: Layout) -> set[str]:
    units = {
        key for key in _value_keys(layout) if layout.roles[key].units and layout.found[key].unit and layout.factor(key) is None
    }
    return set(_value_keys(layout)) - units


def _two_sides(reader: TableReader) -> list[Measured]:
    keys = [key for _, *pair in SIDES for key in pair]
    numbers = {key: reader.numbers(key) for key in keys}
    factor = reader.factor(keys, [number for key in keys for number in numbers[key]], LENGTH_UNIT)
    if factor is None:
        return []
    return [
        two_diameters(
            reader, length, width, times(numbers[length], factor), times(numbers[width], factor), tumours=[label] * reader.length
        )
        for label, length, width in SIDES
    ]


def _diameters(reader: TableReader, volume: Measured | None) -> list[Measured]:
    numbers = {key: reader.numbers(key) for key in ("length", "width")}
    factor = reader.factor(["length", "width"], [*numbers["length"], *numbers["width"]], LENGTH_UNIT)
    if factor is None:
        return []
    pair = two_diameters(reader, "length", "width", times(numbers["length"], factor), times(numbers["width"], factor))
    if reader.layout.has("height"):
        pair = replace(pair, heights=times(reader.numbers("height"), factor))
    if volume is None:
        return [pair]
    # A volume without diameters is a reading of its own; beside diameters it is only a check of them.
    lengths = pair.lengths or []
    alone = [None if length is not None else value for value, length in zip(volume.values, lengths, strict=True)]
    raw = [of_pair if length is not None else own for of_pair, own, length in zip(pair.raw, volume.raw, lengths, strict=True)]
    return [
        replace(
            pair,
            values=alone,
            raw=raw,
            stated=[None if length is None else v for v, length in zip(volume.values, lengths, strict=True)],
        )
    ]


def two_diameters(
    reader: TableReader,
    length: str,
    width: str,
    lengths: Sequence[float | None],
    widths: Sequence[float | None],
    tumours: Sequence[str | None] | None = None,
) -> Measured:
    """Put two diameters together; where one of them is blank, the other does not make a reading and is a finding."""
    layout = reader.layout
    raw_length, raw_width = raw_texts(layout.cells(length)), raw_texts(layout.cells(width))
    for index, (one, other) in enumerate(zip(raw_length, raw_width, strict=True) if "" in {*raw_length, *raw_width} else ()):
        # A remark in place of a diameter says why there is none; only a number asks for its partner.
        if bool(one) != bool(other) and (lengths[index] is not None or widths[index] is not None):
            missing, present = (length, width) if not one else (width, length)
            reader.findings.append(
                Finding(
                    Severity.ERROR,
                    "diameter-missing",
                    f'"{layout.found[present].text}" is {other or one}, but "{layout.found[missing].text}" is blank',
                    sheet=layout.sheet.name,
                    row=reader.first_row + index,
                    column=layout.found[missing].column,
                    value="",
                    expected="both diameters in mm",
                    remedy="write the missing diameter, or leave the row out with a reason",
                )
            )
    return Measured(
        "caliper_volume",
        layout.found[length].column,
        [None] * reader.length,
        [f"{one} × {other}" if one else "" for one, other in zip(raw_length, raw_width, strict=True)],
        tumours,
        *_complete(lengths, widths),
    )


def _complete(lengths: Sequence[float | None], widths: Sequence[float | None]) -> Sequence[Sequence[float | None]]:
    """Keep of two diameters what has its partner."""
    if None not in lengths and None not in widths:
        return lengths, widths
    complete = [one is not None and other is not None for one, other in zip(lengths, widths, strict=True)]
    return [[one if both else None for one, both in zip(side, complete, strict=True)] for side in (lengths, widths)]


def any_present(measured: Sequence[Measured], rows: int) -> list[bool]:
    """Mark the rows of a table that have a value of any kind."""
    marks = [one.present() for one in measured]
    if len(marks) == 1 or any(map(all, marks)):
        return next((one for one in marks if all(one)), marks[0])
    return list(map(any, zip(*marks, strict=True))) or [False] * rows


def _scoped_ids(reader: TableReader) -> tuple[list[str], list[Finding]]:
    """Read the ids; where one id stands in two arms, make it one animal for each arm unless a person says otherwise."""
    animals = reader.animals()
    if not reader.layout.has("arm"):
        return animals, []
    arms = reader.texts("arm")
    arms_of: dict[str, list[str]] = {}
    for animal, arm in dict.fromkeys(zip(animals, arms, strict=True)):
        if animal and arm:
            arms_of.setdefault(animal, []).append(arm)
    twice = [(animal, several) for animal, several in arms_of.items() if len(several) > 1]
    if not twice:
        return animals, []
    example, several = twice[0]
    where = f'"{example}" stands in {in_words([f"{chr(34)}{arm}{chr(34)}" for arm in several])}'
    scope = reader.asked.ask(
        "id_scope",
        "Is the same id in two groups one animal or two?",
        [Option("group", "two animals: ids are unique only within their group"), Option("animal", "one animal that changed group")],
        proposed="group",
        evidence=f"{len(twice)} of {len(arms_of)} ids stand in more than one group: {where}.",
        samples=[f"{arm}-{example}" for arm in several],
        sheet=reader.sheet.name,
    )
    if scope != "group":
        return animals, []
    warning = Finding(
        Severity.WARNING,
        "id-not-unique",
        f"{where}: the group was put before every id, as in {several[0]}-{example}",
        sheet=reader.sheet.name,
        column=reader.layout.found["animal"].column,
        value=example,
        expected="ids that are unique in the colony",
        remedy="acknowledge, or, if it is one animal, answer so",
        option="--set id_scope=animal",
    )
    return [f"{arm}-{animal}" if animal and arm else animal for animal, arm in zip(animals, arms, strict=True)], [warning]


def _tumour_labels(reader: TableReader, animals: Sequence[str]) -> tuple[list[str | None] | None, Layout]:
    """Read which tumour of the animal each row is about; ask where `Tumor` may as well name the model it came from."""
    layout = reader.layout
    if _is_exchange_table(layout) and not layout.has("model"):
        reader.asked.ask(
            "tumour", "How many tumours does each animal carry?", [Option("one-per-animal", "one")], sheet=reader.sheet.name
        )
    if not layout.has("tumour"):
        return None, layout
    labels = reader.texts("tumour")
    if layout.found["tumour"].full in {"tumor", "tumour"} and not layout.has("model"):
        pairs = {(animal, label) for animal, label in zip(animals, labels, strict=True) if animal and label}
        several = len({animal for animal, _ in pairs}) < len(pairs)
        shared = len({label for _, label in pairs}) < len(pairs)
        answer = reader.asked.ask(
            "tumour_column",
            f"What does {layout.quoted('tumour')} name?",
            [
                Option("label", "one of the animal's tumours, as in left and right"),
                Option("model", "the model the tumour came from"),
            ],
            proposed="model" if shared and not several else "label",
            evidence="Some animals have several." if several else "Each animal has only one.",
            samples=list(dict.fromkeys(filter(None, labels)))[:3],
            sheet=reader.sheet.name,
        )
        if answer != "label":
            found = {key: one for key, one in layout.found.items() if key != "tumour"}
            reader.layout = replace(layout, found={**found, "model": layout.found["tumour"]} if answer else found)
            return None, reader.layout
    return [label or None for label in labels], layout


def _tumours_of(measured: Sequence[Measured], animals: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for one in measured:
        if one.tumours is not None:
            present = one.present()
            for animal, label, here in dict.fromkeys(zip(animals, one.tumours, present, strict=True)):
                if animal and label and here:
                    found.setdefault(animal, {})[label] = None
    return {animal: tuple(labels) for animal, labels in found.items()}


def _derived(layout: Layout) -> Mapping[int, str]:
    return {**layout.not_chosen(), **{one.column: "derived" for one in layout.headers if one.full in DERIVED}}


IMPORTER = CaliperLong()
