"""What a file would change of what is recorded: one line for each field, from what it is to what it would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any

from lims.domain.vocabulary import RowFate
from lims.intake.entries import Entries
from lims.intake.plan import Plan, Planned
from lims.intake.plan_events import PlannedDeaths, PlannedDoses
from lims.intake.plan_records import PlannedRecords

CHANGES_SHOWN = 1_000
"""Changes listed one by one; of more, the counts say how many."""


def changes_told(plan: Plan) -> list[dict[str, Any]]:
    """Give the first changes: kind, noun and number of the record, what it is of, field, old and new, and the row that says so."""
    told: list[dict[str, Any]] = []
    for one in _all(plan):
        if len(told) == CHANGES_SHOWN:
            break
        told.append(one)
    return told


def change_counts(plan: Plan) -> dict[str, int]:
    """Give kind → how many records of it would change."""
    counts: Counter[str] = Counter()
    for entries, group in _parts(plan):
        counts[group] += sum(1 for fate in entries.fates.values() if fate is RowFate.CHANGED)
    return {group: number for group, number in counts.items() if number}


def _parts(plan: Plan) -> Iterator[tuple[Entries, str]]:
    yield from ((planned, planned.kind.code) for planned in plan.planned)
    if plan.doses is not None:
        yield plan.doses, "dose"
    if plan.deaths is not None:
        yield plan.deaths, "fate"
    yield from ((planned, planned.kind.noun.name) for planned in plan.records)


def _all(plan: Plan) -> Iterator[dict[str, Any]]:
    for entries, group in _parts(plan):
        for index in entries.indices(RowFate.CHANGED):
            for noun, key, of, fields in _of_entry(entries, index):
                place = {"sheet": entries.sheet, "row": entries.source.rows[index], "column": entries.column(index)}
                for field, (old, new) in fields.items():
                    yield {"group": group, "noun": noun, "key": key, "of": of, "field": field, "old": old, "new": new} | place


def _of_entry(entries: Entries, index: int) -> Iterator[tuple[str, int, str, dict[str, tuple[Any, Any]]]]:
    if isinstance(entries, Planned):
        yield (
            "measurement",
            entries.recorded[index].id,
            f"{entries.name(index)}, {entries.when(index)}",
            _of_reading(entries, index),
        )
    elif isinstance(entries, PlannedDoses):
        one = entries.recorded[index]
        stands = {"volume_ul": one.volume, "given_at": one.given_at, "dose": one.dose, "dose_unit": one.unit}
        fields = {name: (_plain(stands[name]), _plain(new)) for name, new in entries.changed(index, one).items()}
        yield "dose", one.id, f"{entries.name(index)}, {entries.taken_on[index]}", fields
    elif isinstance(entries, PlannedDeaths):
        there = entries.recorded[index]
        both = {"died_on": (there.died_on, entries.taken_on[index]), "reason": (there.reason, entries.reasons[index])}
        fields = {name: (_plain(old), _plain(new)) for name, (old, new) in both.items() if old != new}
        yield "fate", there.id, entries.name(index), fields
    elif isinstance(entries, PlannedRecords):
        yield entries.kind.entity, entries.keys[index], entries.name(index), dict(entries.told[index])


def _of_reading(planned: Planned, index: int) -> dict[str, tuple[Any, Any]]:
    old, series = planned.recorded[index], planned.series
    said = {
        "value": (old.value, planned.values[index]),
        "length_mm": (old.length, series.lengths[index] if series.lengths else old.length),
        "width_mm": (old.width, series.widths[index] if series.widths else old.width),
    }
    return {name: pair for name, pair in said.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, int | float | str) else str(value)
