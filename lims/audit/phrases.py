"""What was done to a record, as the people who did it say it: `moved it from BX-03 A1 to BX-03 B2`, `thawed it`.

A step of the bench changes several columns at once, and is one phrase. What is no such step is told column by column.
Values are those of the trail, as text; `before` and `after` say of the record what a phrase needs beside what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from importers.registry import IMPORTERS
from lims.domain.positions import position_label

Values = Mapping[str, Any]
"""A record's values by field, as the trail writes them."""
BESIDE: Mapping[str, tuple[str, ...]] = {
    "aliquot": ("place_id", "box_row", "box_column", "amount", "unit"),
    "cage": ("rack", "rack_row", "rack_column"),
}
"""Columns, by table, without which a change of one of them cannot be told."""
GRIDS = {"box_row": "box_column", "rack_row": "rack_column"}
"""Rows of a position, and the columns that they go with."""
_FORMATS = {one.key: one.title for one in IMPORTERS}
_CAME_TO = {
    "checked": "checked it",
    "refused": "checked it: something stands in the way",
    "committed": "recorded what it holds",
    "withdrawn": "took back what it recorded",
    "superseded": "replaced it by another file",
}
_LEFT = {"used_up": "used it up", "shipped": "shipped it", "discarded": "discarded it"}


def phrases(entity: str, changed: Mapping[str, tuple[Any, Any]], before: Values, after: Values) -> tuple[list[str], frozenset[str]]:
    """Give the steps that an event was for a record, and the fields that they account for."""
    told: list[str] = []
    fields: set[str] = set()
    for names, say in _STEPS.get(entity, ()) + _ANY:
        if not fields.isdisjoint(names) or changed.keys().isdisjoint(names):
            continue
        phrase = say(changed, before, after)
        if phrase:
            told.append(phrase)
            fields.update(names)
    return told, frozenset(fields)


def position(values: Values, row: str) -> str:
    """Give the label of a position in a box or rack: A1 is top left."""
    first, second = values.get(row), values.get(GRIDS[row])
    return position_label(int(first), int(second)) if first and second else ""


def _name(value: Any) -> str:
    return str(value[1]) if isinstance(value, list) else str(value or "")


def _moved(was: str, now: str) -> str:
    if was and now:
        return f"moved it from {was} to {now}"
    return f"put it into {now}" if now else f"took it out of {was}" if was else ""


def _in_storage(changed: Values, before: Values, after: Values) -> str:
    state = changed.get("state", (None, None))[1]
    was, now = (" ".join(filter(None, (_name(one.get("place")), position(one, "box_row")))) for one in (before, after))
    if state in _LEFT:
        return f"{_LEFT[state]}{f' ({was} is free)' if was and not now else ''}"
    if state == "available":
        return f"took it back{f', into {now}' if now else ''}"
    return _moved(was, now)


def _thawed(changed: Values, before: Values, after: Values) -> str:
    was, now = changed["thaw_count"]
    if now is None or now <= (was or 0):
        return ""
    return f"thawed it{f', the {now}. time' if now > 1 else ''}"


def _taken(changed: Values, before: Values, after: Values) -> str:
    was, now = changed["amount"]
    if was is None or now is None or float(now) >= float(was):
        return ""
    unit = f" {after['unit']}" if after.get("unit") else ""
    return f"took {float(was) - float(now):.12g} of {float(was):.12g}{unit}"


def _in_rack(changed: Values, before: Values, after: Values) -> str:
    was, now = (" ".join(filter(None, (str(one.get("rack") or ""), position(one, "rack_row")))) for one in (before, after))
    return _moved(was, now)


def _in_cage(changed: Values, before: Values, after: Values) -> str:
    was, now = (_name(one) for one in changed["cage"])
    return _moved(was and f"cage {was}", now and f"cage {now}")


def _died(changed: Values, before: Values, after: Values) -> str:
    if changed.get("state", (None, None))[1] != "dead":
        return ""
    on = changed.get("died_on", (None, None))[1]
    return f"recorded its death{f' on {on}' if on else ''}"


def _engrafted(changed: Values, before: Values, after: Values) -> str:
    outcome, on = changed.get("engraftment", (None, None))[1], changed.get("engrafted_on", (None, None))[1]
    told = {"engrafted": "recorded that it engrafted", "failed": "recorded that it did not engraft"}.get(outcome or "", "")
    return told and f"{told}{f' on {on}' if on else ''}"


def _read(changed: Values, before: Values, after: Values) -> str:
    now = changed["importer"][1]
    return f"had it read as {_FORMATS.get(now, now)}" if now else ""


def _of_batch(changed: Values, before: Values, after: Values) -> str:
    return _CAME_TO.get(changed.get("state", (None, None))[1] or "", "")


def _withdrawn(changed: Values, before: Values, after: Values) -> str:
    return {"withdrawn": "withdrew it", "active": "brought it back"}.get(changed["status"][1], "")


Step = tuple[tuple[str, ...], Callable[[Any, Values, Values], str]]
_ANY: tuple[Step, ...] = ((("status",), _withdrawn),)
_STEPS: dict[str, tuple[Step, ...]] = {
    "aliquot": (
        (("amount",), _taken),
        (("thaw_count",), _thawed),
        (("state", "place", "box_row", "box_column"), _in_storage),
    ),
    "cage": ((("rack", "rack_row", "rack_column"), _in_rack),),
    "animal": ((("state", "died_on"), _died), (("cage",), _in_cage)),
    "import_batch": ((("importer",), _read), (("state", "committed_at", "committed_by"), _of_batch)),
    "implant": ((("engraftment", "engrafted_on"), _engrafted),),
}
"""Fields that change together, and how people say it; an empty phrase leaves them to be told one by one."""
