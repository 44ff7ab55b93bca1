"""Opens a document of the Allotrope simple model (ASM) as a table: a row for each measurement, a column for each value in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importers.base import Refused

MANIFEST = "$asm.manifest"
COUNTS = "cell counting"
DEEPEST = 20
"""Levels of nesting; the model has ten."""

_WITHOUT_UNIT = frozenset(("", "(unitless)"))


def is_asm(told: Mapping[str, Any]) -> bool:
    """Tell whether a JSON object is a document of the model."""
    return MANIFEST in told


def rows_of_counts(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the values of each measurement by name, those of its document and of the whole among them.

    A value with a unit is named with it: `viable cell density (cell counter) (10^6 cells/mL)`.

    Raises:
        Refused: a document of something else than cell counting, or none at all.
    """
    aggregate = told.get(f"{COUNTS} aggregate document")
    if not isinstance(aggregate, dict):
        kinds = " and ".join(
            sorted(name.removesuffix(" aggregate document") for name in told if name.endswith("aggregate document"))
        )
        raise _refused(f"is of {kinds or 'nothing that it names'}")
    shared = _leaves({name: node for name, node in aggregate.items() if name != f"{COUNTS} document"})
    rows = []
    for document in _objects(aggregate.get(f"{COUNTS} document")):
        outer = _leaves({name: node for name, node in document.items() if name != "measurement aggregate document"})
        measured = document.get("measurement aggregate document")
        found = _objects(measured.get("measurement document") if isinstance(measured, dict) else None)
        rows += [shared | outer | _leaves(measurement) for measurement in found]
    if not rows:
        raise _refused("has no measurement")
    return rows


def _objects(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, list) or not all(isinstance(one, dict) for one in node):
        raise _refused("is not built as the model is")
    return node


def _leaves(node: Any) -> dict[str, Any]:
    """Give the single values below a node by name; a name that stands again is counted: `name 2`."""
    found: dict[str, Any] = {}
    for name, value in _walk("", node, 0):
        number = 1
        while (numbered := name if number == 1 else f"{name} {number}") in found:
            number += 1
        found[numbered] = value
    return found


def _walk(name: str, node: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > DEEPEST:
        raise _refused("is nested deeper than the model")
    if isinstance(node, dict) and node.keys() >= {"value", "unit"} and not isinstance(node["value"], dict | list):
        unit = str(node["unit"] or "")
        yield (name if unit in _WITHOUT_UNIT else f"{name} ({unit})"), node["value"]
        yield from _walk(name, {f"{name} {own}": below for own, below in node.items() if own not in ("value", "unit")}, depth + 1)
    elif isinstance(node, dict):
        for own, below in node.items():
            yield from _walk(own, below, depth + 1)
    elif isinstance(node, list):
        for below in node:
            yield from _walk(name, below, depth + 1)
    else:
        yield name, node


def _refused(why: str) -> Refused:
    return Refused(
        "asm-unreadable",
        f"The ASM document {why}.",
        expected="a document of cell counting, with a measurement or more",
        remedy="Import the instrument's own file, or map the table of it on the mapping page.",
    )
