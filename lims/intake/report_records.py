"""What a report says of the records of a file: counts by noun and fate, and the first lines of what would be recorded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from lims.audit.words import term_text, unit_of
from lims.domain.vocabulary import RowFate
from lims.intake.plan_records import PlannedRecords
from lims.records.values import word

LINES_SHOWN = 50
"""Lines of a block that are shown as they would be recorded; of more, the counts say how many."""
MANY = 10_000
"""From here on the thousands of a number stand apart; below are years."""
GIVES = frozenset({"agent", "arm", "compound", "regimen"})
"""Fields that may tell what the arm of an animal is given."""


def noun_counts(blocks: Sequence[PlannedRecords]) -> dict[str, dict[str, int]]:
    """Give noun → fate → number of records, nouns as the trail calls them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for planned in blocks:
        of_noun = counts[planned.kind.noun.name]
        of_noun.update(fate.value for fate in planned.fates.values())
        of_noun[RowFate.NEW.value] += len(planned) - len(planned.fates)
    return {noun: {fate.value: of_noun[fate.value] for fate in RowFate if of_noun[fate.value]} for noun, of_noun in counts.items()}


def added(counts: dict[str, int], blocks: Sequence[PlannedRecords]) -> dict[str, int]:
    """Give how many records of each noun are new: those counted elsewhere, and those of these blocks."""
    new = {noun: of_noun.get(RowFate.NEW.value, 0) for noun, of_noun in noun_counts(blocks).items()}
    return counts | {noun: counts.get(noun, 0) + number for noun, number in new.items() if number or noun in counts}


def lines_told(blocks: Sequence[PlannedRecords]) -> list[dict[str, Any]]:
    """Give the first lines of each block that are not recorded the same already: what each field is called, and what is in it."""
    return [
        {
            "noun": planned.kind.noun.name,
            "entity": planned.kind.entity,
            "sheet": planned.sheet,
            "total": len(planned),
            "fields": [_field_word(planned, name) for name in planned.records.fields],
            "lines": [
                {
                    "row": planned.records.rows[index],
                    "fate": planned.fate(index).value,
                    "values": [_value(planned, name, index) for name in planned.records.fields],
                }
                for index in islice(_differing(planned), LINES_SHOWN)
            ],
        }
        for planned in blocks
        if len(planned)
    ]


def _differing(planned: PlannedRecords) -> Iterator[int]:
    return (index for index in range(len(planned)) if planned.fate(index) is not RowFate.SAME)


def _field_word(planned: PlannedRecords, name: str) -> str:
    column = planned.kind.column_of(name)
    told = word(planned.kind.noun.model, column) if column else name.replace("_", " ")
    unit = unit_of(planned.kind.entity, column) if column else ""
    return f"{told[0].upper()}{told[1:]}{f' ({unit})' if unit else ''}"


def _value(planned: PlannedRecords, name: str, index: int) -> str:
    """Give what was understood of a field; a reference, and what was not understood, as the file has it."""
    column = planned.kind.column_of(name)
    said = planned.records.fields[name][index]
    refers = column is None or bool(planned.kind.table.columns[column].foreign_keys)
    value = said if refers or column not in planned.rows[index] else planned.rows[index][column]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return f"{value:,.15g}" if abs(value) >= MANY else f"{value:.15g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}" + (" UTC" if value.utcoffset() is not None else "")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return term_text(str(value.value)) if hasattr(value, "value") else str(value)


def veiled_names(blocks: Sequence[PlannedRecords]) -> list[str]:
    """Give what may tell the arms of a study: names of arms, and of what animals are given."""
    names: set[str] = set()
    for planned in blocks:
        told = GIVES | ({"code", "title"} if planned.kind.entity == "arm" else frozenset())
        for name in told & planned.records.fields.keys():
            names.update(str(one) for one in planned.records.fields[name] if one is not None)
    return sorted(names)


def made_ids(blocks: Sequence[PlannedRecords], entity: str) -> frozenset[int]:
    """Give the numbers of the records of a table that the file makes itself; they differ each time that it is checked."""
    of = [planned for planned in blocks if planned.kind.entity == entity]
    return frozenset(key for planned in of for index, key in planned.made.items() if index not in planned.standing)


def record_digest(blocks: Sequence[PlannedRecords]) -> list[Any]:
    """Give what would be recorded, to be hashed: the same in each check, whatever numbers new records get."""
    return [
        [
            planned.kind.entity,
            planned.sheet,
            list(planned.records.rows),
            [_said(planned, index) for index in range(len(planned))],
            sorted((index, fate.value) for index, fate in planned.fates.items()),
            sorted((index, sorted(changes.items())) for index, changes in planned.told.items()),
        ]
        for planned in blocks
    ]


def _said(planned: PlannedRecords, index: int) -> list[Any]:
    columns = planned.kind.table.columns
    values = {name: value for name, value in planned.rows[index].items() if name in columns and not columns[name].foreign_keys}
    return [sorted(values.items(), key=lambda pair: pair[0]), planned.names.get(index)]
