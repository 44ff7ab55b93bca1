"""The events of a colony's log beside its measurements: doses, deaths, and the cages that animals were in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import compress
from typing import Any

from importers.base import Clock, Deaths, Doses, Finding, Option, SetAside, Severity, Stays
from importers.columns import Role, in_words, is_blank
from importers.table_columns import When, raw_texts
from importers.tables import TableReader, Unit, times

COMPOUND = Role("compound", ("compound", "drug", "agent", "substance", "test article"))
DOSED_VOLUME = Role(
    "dosed volume",
    ("injection volume", "injected volume", "dose volume", "dosing volume", "volume given", "volume injected"),
    {"µl": 1.0, "ul": 1.0, "ml": 1000.0},
)
DOSE_UNITS: Mapping[str, tuple[str, float]] = {
    "mg/kg": ("mg/kg", 1.0),
    "mpk": ("mg/kg", 1.0),
    "µg/kg": ("mg/kg", 0.001),
    "ug/kg": ("mg/kg", 0.001),
    "g/kg": ("mg/kg", 1000.0),
    "mg": ("mg", 1.0),
    "µg": ("mg", 0.001),
    "ug": ("mg", 0.001),
    "gy": ("Gy", 1.0),
    "cgy": ("Gy", 0.01),
}
"""Unit as people write it → unit as it is recorded, and the factor."""
DOSE = Role("dose", ("dose", "dose given", "dose level", "dosage"), {unit: factor for unit, (_, factor) in DOSE_UNITS.items()})
ROUTE = Role("route", ("route", "administration route", "route of administration", "dose route"))
DOSE_REMARK = Role("dose remark", ("treatment remark", "dose remark", "dosing remark"))
DIED = Role("death", ("date deceased", "date of death", "deceased", "dod", "sacrifice date", "date sacrificed", "death date"))
DEATH_REASON = Role(
    "death reason",
    ("sacrifice reason", "reason of death", "cause of death", "death reason", "reason for sacrifice", "reason deceased"),
)
DEATH_REMARK = Role("death remark", ("sacrifice remark", "death remark", "necropsy remark", "necropsy"))

VOLUME_UNIT = Unit("dose_volume_unit", "µl", 10, 2000)
"""A mouse takes 5–20 µL for each gram."""

_NUMBER = r"(?P<amount>\d+(?:[.,]\d+)?)\s*(?P<unit>" + "|".join(sorted(DOSE_UNITS, key=len, reverse=True)) + r")"
_AMOUNT = re.compile(rf"{_NUMBER}\Z", re.IGNORECASE)
_BESIDE_NAME = re.compile(rf"(?P<name>.*?\S)(?:\s+|\s*[(\[,;]\s*){_NUMBER}\s*[)\]]?\Z", re.IGNORECASE)
_MEANT_AS_DOSE = re.compile(r"(?P<name>.*?\S)\s*[(\[](?=[^)\]]*\d)(?=[^)\]]*(?:mg|kg|µg|ug|gy))[^)\]]*[)\]]\Z", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d+,\d{3}\Z")

Stated = tuple[float | None, str | None]
"""A dose as stated and its unit."""


@dataclass(frozen=True, slots=True)
class Given:
    """The doses of a log, and the rows whose dose is left out, each with the reason."""

    doses: Doses | None = None
    left_out: Mapping[int, str] = field(default_factory=dict)


def read_doses(
    reader: TableReader,
    animals: Sequence[str],
    clock: Clock,
    when: Sequence[When | None],
    weights: Sequence[float | None] | None,
) -> Given:
    """Read what was given, when and how much; a dose without compound, animal or date is an error finding.

    weights: g, of each row.
    """
    if not reader.layout.has("compound"):
        return Given()
    texts = reader.texts("compound")
    volumes, amounts = _volumes(reader), _amounts(reader)
    if volumes is None or amounts is None:
        return Given()
    if clock is Clock.DAY:
        _report_undated(reader, texts)
        return Given()
    names, stated = _names(reader, texts)
    present = _whole(reader, texts, volumes)
    marks = reader.usable(present, animals, when)
    left_out = _written_twice(reader, marks, animals, names, when)
    keep = [mark and index not in left_out for index, mark in enumerate(marks)]
    if not any(keep):
        return Given(None, left_out)
    chosen = [amount if amount[0] is not None else beside for amount, beside in zip(amounts, stated, strict=True)]
    columns = {
        "rows": range(reader.first_row, reader.first_row + reader.length),
        "animals": animals,
        "compounds": names,
        "amounts": [amount for amount, _ in chosen],
        "units": [unit for _, unit in chosen],
        "volumes": volumes,
        "weights": weights or [None] * reader.length,
        "routes": [route or None for route in reader.texts("route")] if reader.layout.has("route") else [None] * reader.length,
        "raw": _raw(reader),
    }
    return Given(_kept(reader, clock, when, keep, columns), left_out)


def _kept(
    reader: TableReader, clock: Clock, when: Sequence[When | None], keep: Sequence[bool], columns: Mapping[str, Sequence[Any]]
) -> Doses:
    """Make doses of the rows that are kept."""
    return Doses(
        sheet=reader.sheet.index,
        clock=clock,
        columns=reader.layout.found["compound"].column,
        when=[moment for moment in compress(when, keep) if isinstance(moment, date)],
        **{name: list(compress(column, keep)) for name, column in columns.items()},
    )


def _volumes(reader: TableReader) -> list[float | None] | None:
    """Give the volumes in µL; `None` while their unit is not known."""
    if not reader.layout.has("dosed volume"):
        return [None] * reader.length
    numbers = reader.numbers("dosed volume")
    if all(number is None for number in numbers):
        return numbers
    factor = reader.factor(["dosed volume"], numbers, VOLUME_UNIT)
    return None if factor is None else times(numbers, factor)


def _amounts(reader: TableReader) -> list[Stated] | None:
    """Give the doses of a column of their own; `None` while their unit is not known."""
    if not reader.layout.has("dose"):
        return [(None, None)] * reader.length
    cells = reader.layout.cells("dose")
    texts = raw_texts(cells)
    beside = {text: _stated(match) for text in set(texts) if (match := _AMOUNT.match(text))}
    numbers = reader.numbers("dose", blanks=list(beside))
    if all(number is None for number in numbers):
        return [beside.get(text, (None, None)) for text in texts]
    unit = reader.layout.found["dose"].unit or reader.asked.ask(
        "dose_unit",
        f"Which unit are the doses under {reader.layout.quoted('dose')} in? The header does not say.",
        [Option(one, one) for one in ("mg/kg", "mg", "gy")],
        evidence=f"They are {in_words(sorted({text for text in texts if text})[:5])}.",
        sheet=reader.sheet.name,
    )
    if unit is None or unit not in DOSE_UNITS:
        return None
    name, factor = DOSE_UNITS[unit]
    return [
        beside.get(text, (None, None)) if number is None else (number * factor, name)
        for number, text in zip(numbers, texts, strict=True)
    ]


def _stated(match: re.Match[str]) -> Stated:
    unit, factor = DOSE_UNITS[match["unit"].casefold().replace("\u03bc", "\u00b5")]
    return round(float(match["amount"].replace(",", ".")) * factor, 9), unit


def _names(reader: TableReader, texts: Sequence[str]) -> tuple[list[str], list[Stated]]:
    """Take the dose off each compound's name; one that cannot be read is a warning, and the name stays without it."""
    read: dict[str, tuple[str, Stated]] = {}
    for index, text in enumerate(texts):
        if text in read:
            continue
        match = _BESIDE_NAME.match(text)
        if match and not _THOUSANDS.match(match["amount"]):
            read[text] = match["name"], _stated(match)
        elif meant := _MEANT_AS_DOSE.match(text):
            read[text] = meant["name"], (None, None)
            _find(
                reader,
                Severity.WARNING,
                "dose-unreadable",
                f'the dose that stands beside the compound in "{text}" cannot be read; its doses are recorded without it',
                (index, "compound", text),
                "a dose such as 45 mg/kg, 2 mg or 3 Gy",
                "correct the cells, or acknowledge that the doses are recorded by their volume only",
            )
        else:
            read[text] = text, (None, None)
    return [read[text][0] for text in texts], [read[text][1] for text in texts]


def _whole(reader: TableReader, texts: Sequence[str], volumes: Sequence[float | None]) -> list[bool]:
    """Mark the rows with a dose; a volume or dose without a compound is an error, one that cannot be read is told already."""
    cells = {key: reader.layout.cells(key) for key in ("dosed volume", "dose") if reader.layout.has(key)}
    marks = []
    for index, text in enumerate(texts):
        beside = next((key for key, column in cells.items() if not is_blank(column[index])), None)
        if not text and beside is not None:
            _find(
                reader,
                Severity.ERROR,
                "compound-missing",
                f"the row has a {beside} but no compound",
                (index, "compound", ""),
                "what was given, in every row with a dose",
                "write the compound in this row, or clear the volume and the dose",
            )
        unread = "dosed volume" in cells and volumes[index] is None and not is_blank(cells["dosed volume"][index])
        marks.append(bool(text) and not unread)
    return marks


def _written_twice(
    reader: TableReader, marks: Sequence[bool], animals: Sequence[str], names: Sequence[str], when: Sequence[When | None]
) -> dict[int, str]:
    """Ask whether a compound that an animal has twice on a day was given twice; gives the rows that are left out, and why."""
    days: dict[tuple[str, str, date], list[int]] = defaultdict(list)
    for index, mark in enumerate(marks):
        moment = when[index]
        if mark and isinstance(moment, date):
            days[animals[index], names[index].casefold(), _day(moment)].append(index)
    several = [sorted(rows, key=lambda index: (str(when[index]), index)) for rows in days.values() if len(rows) > 1]
    if not several:
        return {}
    first = several[0]
    rows = [str(reader.first_row + index) for index in first]
    answer = reader.asked.ask(
        "dose_twice",
        "Animals have one compound more than once on one day in this log. Was it given again, or written again?",
        (Option("again", "given again: each row is a dose"), Option("once", "written again: the first of the day counts")),
        proposed="again",
        evidence=f"It is so {len(several)} times; {names[first[0]]} of animal {animals[first[0]]} stands in rows {in_words(rows)}.",
        samples=[str(when[index]) for index in first],
        sheet=reader.sheet.name,
    )
    later = sorted(index for group in several for index in group[1:])
    if answer == "once":
        return dict.fromkeys(later, "the dose was written again: the first of the day counts")
    for index in later if "dose_twice" not in reader.choices else ():
        _find(
            reader,
            Severity.WARNING,
            "dose-repeated",
            f"{names[index]} of animal {animals[index]} stands more than once on {_day(when[index])}; this row is a dose too",
            (index, "compound", raw_texts([reader.layout.cells("compound")[index]])[0]),
            "one dose of a compound in a day",
            "say that it was written again, or acknowledge that it was given",
            "--set dose_twice=once",
        )
    return {}


def _day(moment: When | None) -> date:
    return moment.date() if isinstance(moment, datetime) else moment  # type: ignore[return-value]  # days of doses are dates


def _raw(reader: TableReader) -> list[str]:
    columns = [
        raw_texts(reader.layout.cells(key))
        for key in ("compound", "dose", "dosed volume", "route", "dose remark")
        if reader.layout.has(key)
    ]
    return [" · ".join(filter(None, texts)) for texts in zip(*columns, strict=True)]


def _report_undated(reader: TableReader, texts: Sequence[str]) -> None:
    first = next((index for index, text in enumerate(texts) if text), None)
    if first is not None:
        _find(
            reader,
            Severity.WARNING,
            "dose-undated",
            f"the log counts days, and a dose needs a date; {sum(map(bool, texts)):,} doses are left out",
            (first, "compound", texts[first]),
            "dates in the log",
            "export the log with its dates, or acknowledge that its doses are left out",
        )


def set_doses_aside(reader: TableReader, left_out: Mapping[int, str], recorded: set[int]) -> list[SetAside]:
    """Set aside the dose cells of the rows left out. Where nothing else of the row is recorded, the row counts as skipped."""
    columns = [reader.layout.found[key].column for key in ("compound", "dose", "dosed volume") if reader.layout.has(key)]
    rows = ((reader.first_row + index, reason) for index, reason in sorted(left_out.items()))
    return [
        SetAside(reader.sheet.index, row, row, min(columns), max(columns), reason, row_fate=row not in recorded)
        for row, reason in rows
    ]


def read_deaths(reader: TableReader, animals: Sequence[str]) -> Deaths | None:
    """Read when animals died and why; a reason without a date is a warning, a date without an animal an error."""
    if not reader.layout.has("death"):
        return None
    clock, days = reader.dates("death")
    said = [reader.texts(key) if reader.layout.has(key) else [""] * reader.length for key in ("death reason", "death remark")]
    reasons, remarks = ([text or None for text in texts] for texts in said)
    undated = [is_blank(cell) for cell in reader.layout.cells("death")]
    if clock is Clock.DAY:
        days = [None] * reader.length
    for index, (reason, remark) in enumerate(zip(reasons, remarks, strict=True)):
        if undated[index] and (reason or remark):
            _report_no_day(reader, index, animals[index], reason or remark or "")
    marks = reader.usable([day is not None for day in days], animals, days, "death")
    if not any(marks):
        return None
    shown = [raw_texts(reader.layout.cells(key)) for key in ("death", "death reason") if reader.layout.has(key)]
    return Deaths(
        reader.sheet.index,
        list(compress(range(reader.first_row, reader.first_row + reader.length), marks)),
        reader.layout.found["death"].column,
        list(compress(animals, marks)),
        [_day(day) for day in compress(days, marks)],
        list(compress(reasons, marks)),
        list(compress(remarks, marks)),
        [" · ".join(filter(None, texts)) for texts in compress(zip(*shown, strict=True), marks)],
    )


def _report_no_day(reader: TableReader, index: int, animal: str, said: str) -> None:
    _find(
        reader,
        Severity.WARNING,
        "death-undated",
        f'the row says of the end of animal {animal} "{said}", but no date; no fate is recorded from it',
        (index, "death", said),
        f"a date under {reader.layout.quoted('death')}",
        "write the date and upload the file again, or acknowledge that this fate is left out",
    )


def read_stays(reader: TableReader, animals: Sequence[str], when: Sequence[When | None]) -> Stays | None:
    """Read which cage each row says that its animal is in."""
    if not reader.layout.has("cage"):
        return None
    cages = reader.texts("cage")
    marks = [bool(animal and cage) for animal, cage in zip(animals, cages, strict=True)]
    if not any(marks):
        return None
    named = list(compress(cages, marks))
    return Stays(
        reader.sheet.index,
        list(compress(range(reader.first_row, reader.first_row + reader.length), marks)),
        reader.layout.found["cage"].column,
        list(compress(animals, marks)),
        [_day(moment) if isinstance(moment, date) else None for moment in compress(when, marks)],
        named,
        named,
    )


def last_cages(stays: Stays | None) -> dict[str, str]:
    """Give animal → the cage that its latest dated row names, else the first of its rows without a date."""
    latest: dict[str, tuple[date, str]] = {}
    for animal, on, cage in zip(stays.animals, stays.when, stays.cages, strict=True) if stays else ():
        known = latest.get(animal)
        if known is None or (on or date.min) > known[0]:
            latest[animal] = (on or date.min, cage)
    return {animal: cage for animal, (_, cage) in latest.items()}


def _find(
    reader: TableReader,
    severity: Severity,
    code: str,
    message: str,
    at: tuple[int, str, str],
    expected: str,
    remedy: str,
    option: str | None = None,
) -> None:
    """Say something about a cell: at which index, in the column of which role, with which text."""
    index, key, text = at
    column = reader.layout.found[key].column
    reader.findings.append(
        Finding(severity, code, message, reader.sheet.name, reader.first_row + index, column, text, expected, remedy, option=option)
    )
