"""What the check page draws of a file: its readings by kind, those that change what is recorded, and those of rows left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from importers.base import Series
from lims.domain.implanting import subject_name
from lims.domain.vocabulary import RowFate
from lims.domain.volumes import caliper_volumes
from lims.intake.plan import Plan, Planned

PLOT_POINTS = 3_000
"""Readings drawn on the check page; of more, whole animals are left out, and the page says so."""
EXCLUDED = "excluded"
"""What is drawn of rows that a person left out, beside the fates of readings."""
_DRAWN = (RowFate.NEW, RowFate.CHANGED, RowFate.SAME)


def plot_points(plan: Plan) -> list[dict[str, Any]]:
    """Give points to draw, by kind: animal (with its tumour), day or date, value, fate, and the recorded value that it changes."""
    points: list[dict[str, Any]] = []
    room = PLOT_POINTS // max(1, len(plan.planned) + len(plan.left_out))
    for planned in plan.planned:
        shown = _whole_animals(planned.series.animals, room)
        points.extend(_points(planned, shown))
    for series in plan.left_out:
        points.extend(_left_out(plan, series, _whole_animals(series.animals, room)))
    return points


def _whole_animals(labels: Sequence[str], room: int) -> set[str]:
    animals = list(dict.fromkeys(labels))
    per_animal = max(1, len(labels) // max(1, len(animals)))
    return set(animals[: max(1, room // per_animal)])


def _points(planned: Planned, shown: set[str]) -> list[dict[str, Any]]:
    return [
        {
            "kind": planned.kind.code,
            "animal": _named(planned, index),
            "on": str(planned.taken_on[index]) if planned.taken_on[index] else None,
            "day": planned.days[index] if planned.days is not None else None,
            "value": planned.values[index],
            "fate": fate.value,
            "old": planned.recorded[index].value if fate is RowFate.CHANGED else None,
        }
        for index, animal in enumerate(planned.series.animals)
        if animal in shown and (fate := planned.fate(index)) in _DRAWN
    ]


def _named(planned: Planned, index: int) -> str:
    """Name a reading's subject as what is recorded of it is named, whatever the file calls it."""
    host = planned.hosts[index]
    tumour = planned.tumours[index] if planned.tumours else None
    return subject_name(host.code if host else planned.series.animals[index], tumour[1] if tumour else None)


def _left_out(plan: Plan, series: Series, shown: set[str]) -> list[dict[str, Any]]:
    values = list(series.values)
    if series.lengths is not None and series.widths is not None:
        computed = caliper_volumes(series.lengths, series.widths)
        values = [stated if volume is None else volume for volume, stated in zip(computed, values, strict=True)]
    hosts, zeros = plan.names.hosts, plan.names.day_zero
    found = []
    for index, label in enumerate(series.animals):
        if label not in shown or values[index] is None:
            continue
        moment: Any = series.when[index]
        on = moment.date() if isinstance(moment, datetime) else moment if isinstance(moment, date) else None
        host = hosts.get(label)
        tumour = series.tumours[index] if series.tumours else None
        found.append(
            {
                "kind": series.kind,
                "animal": subject_name(host.code if host else label, tumour),
                "on": str(on) if on else None,
                "day": None if on or label in zeros else moment,
                "value": values[index],
                "fate": EXCLUDED,
                "old": None,
            }
        )
    return found
