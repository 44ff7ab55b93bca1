"""Takes names of a file as what a person said they mean: `M7` is animal M007, in this file alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from importers.base import AnimalFacts, Choices, Reading, Stays

NEW = "new"
"""Answer that a name is of a record to be made; it means no other name."""
FACTS = ("arm", "cage", "study", "model")
"""What is said of animals by name."""


def with_meanings(reading: Reading, choices: Choices) -> Reading:
    """Give a reading with each name replaced by the one that it was said to mean; keys of choices are `animal:M7`.

    Compounds of doses are left to the question which agent each is (`lims.intake.resolve_events`).
    """
    meant: dict[str, dict[str, str]] = {}
    for key, answer in choices.items():
        kind, colon, name = key.partition(":")
        if colon and answer and answer != NEW:
            meant.setdefault(kind, {})[name] = answer
    if not meant:
        return reading
    animals = meant.get("animal", {})
    parts = {name: _named(getattr(reading, name), animals) for name in ("doses", "deaths", "stays")}
    stays: Stays | None = parts["stays"]
    if stays is not None and "cage" in meant:
        parts["stays"] = replace(stays, cages=_renamed(stays.cages, meant["cage"]))
    return replace(
        reading,
        series=tuple(_named(series, animals) for series in reading.series),
        records=tuple(
            replace(one, fields={field: _renamed(column, meant.get(field, {})) for field, column in one.fields.items()})
            for one in reading.records
        ),
        animals=_facts(reading.animals, meant),
        **parts,
    )


def _named(part: Any, animals: Mapping[str, str]) -> Any:
    return part if part is None or not animals else replace(part, animals=_renamed(part.animals, animals))


def _renamed(column: Sequence[Any], meant: Mapping[str, str]) -> Sequence[Any]:
    if not meant or not any(name in meant for name in set(column) if isinstance(name, str)):
        return column
    return [meant.get(name, name) if isinstance(name, str) else name for name in column]


def _facts(animals: Mapping[str, AnimalFacts], meant: Mapping[str, Mapping[str, str]]) -> dict[str, AnimalFacts]:
    """Let facts follow their animals; where the file calls one animal by both names, its own name's facts stand."""
    own = meant.get("animal", {})
    told: dict[str, AnimalFacts] = {}
    for label, facts in animals.items():
        said = {field: meant.get(field, {}).get(getattr(facts, field) or "", getattr(facts, field)) for field in FACTS}
        name = own.get(label, label)
        if name == label or name not in animals:
            told.setdefault(name, replace(facts, label=name, **said))
    return told
