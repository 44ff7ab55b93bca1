"""The plot of a randomisation: baselines of all animals before it, and of each arm after it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from lims.plot_parts import INK, NAMES, RECORDED, Arm, Spec, arm_styles, shown, specification, tooltip, value_axis, value_scale

ALL = "All animals"
LEFT_OUT = "Left out"


def baseline_by_arm(
    points: Sequence[Mapping[str, Any]],
    *,
    arms: Sequence[Arm],
    unit: str,
    title_y: str,
    decimals: int | None = 1,
    log: bool = False,
) -> Spec:
    """Draw one point an animal, in the column of all animals and in that of its arm; a line marks each column's mean.

    On a log axis the mean is the geometric one. Points are as in `lims.plots`, without a day; those without an arm were left out.
    """
    rows = [row for point in points if point["value"] > 0 or not log for row in _twice(point, unit, decimals)]
    styles = arm_styles(arms)
    columns = [ALL, *styles, *([LEFT_OUT] if any(row["column"] == LEFT_OUT for row in rows) else [])]
    colours = [RECORDED, *(style.colour for style in styles.values()), RECORDED][: len(columns)]
    scale = value_scale([row["value"] for row in rows], log=log)
    axis = value_axis(title_y, unit, scale)
    x: Spec = {"field": "column", "type": "nominal", "sort": columns, "title": None, "axis": NAMES, "scale": {"domain": columns}}
    colour = {"field": "column", "type": "nominal", "scale": {"domain": columns, "range": colours}, "legend": None}
    told = tooltip(("animal", "Animal"), ("column", "Group"), ("shown", title_y))
    means = _means(rows, log=log)
    layers: list[Spec] = [
        {
            "mark": {"type": "point", "filled": True, "size": 46, "opacity": 0.75, "cursor": "pointer"},
            "encoding": {"x": x, "y": axis | {"field": "value"}, "color": colour, "tooltip": told},
        },
        {
            "data": {"values": [{"column": column, "mean": mean} for column, mean in means.items()]},
            "mark": {"type": "tick", "thickness": 2, "size": 44, "color": INK},
            "encoding": {"x": x, "y": axis | {"field": "mean"}},
        },
    ]
    return specification(rows, layers, description=f"{title_y} in {unit} of all animals and of each arm; lines are means.")


def _twice(point: Mapping[str, Any], unit: str, decimals: int | None) -> list[dict[str, Any]]:
    row = {key: point.get(key) for key in ("animal", "value", "url")} | {"shown": f"{shown(point['value'], decimals)} {unit}"}
    if point["arm"] is None:
        return [row | {"column": LEFT_OUT}]
    return [row | {"column": ALL}, row | {"column": point["arm"]}]


def _means(rows: Sequence[Mapping[str, Any]], *, log: bool) -> dict[str, float]:
    columns: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        columns[row["column"]].append(math.log10(row["value"]) if log else row["value"])
    return {column: 10 ** fmean(values) if log else fmean(values) for column, values in columns.items()}
