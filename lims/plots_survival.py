"""The plot of survival: Kaplan–Meier curves in the colours of the arms, ticks where animals are censored, numbers at risk.

Rows are what `lims.analysis.survival` computes, written as plain values, so that drawing knows no statistics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lims.plot_parts import (
    COUNTED_DAYS,
    Arm,
    Scale,
    Spec,
    arm_colour,
    arm_dash,
    arm_labels,
    count_layers,
    day_axis,
    specification,
    tooltip,
)

PERCENT = Scale(0.0, 100.0, log=False)
_SHARE: Spec = {
    "type": "quantitative",
    "scale": {"domain": [PERCENT.low, PERCENT.high], "nice": False},
    "axis": {"title": "Survival (%)", "values": [0, 25, 50, 75, 100]},
}
"""The axis of the share that is left, in percent."""


@dataclass(frozen=True, slots=True)
class Step:
    """A corner of a curve: from `day` on so many percent are left; limits in percent, none where they are not known."""

    arm: str
    day: float
    survival: float
    lower: float
    upper: float
    at_risk: int
    events: int
    censored: int


def survival_curves(
    steps: Sequence[Step],
    at_risk: Mapping[str, Sequence[tuple[float, int]]],
    *,
    arms: Sequence[Arm],
    limits: bool = False,
    title_x: str = "Day of study",
) -> Spec:
    """Draw the curve of each arm from day 0 on, with 95 % limits where asked for, and the numbers `at_risk` (day, n) beneath."""
    names = [name for name, _ in arms]
    if unknown := {step.arm for step in steps}.difference(names):
        raise ValueError(f"Curves of {', '.join(sorted(unknown))}, but the study's arms are {', '.join(names)}.")
    rows = [_row(step) for step in steps]
    x = day_axis() | {"title": title_x, "scale": {"zero": True, "nice": False, "padding": 10}}
    common = {"x": x, **arm_colour(arms)}
    layers = _curves(common, arms)
    if limits:
        layers.insert(0, _band(rows, common))
    layers += arm_labels({step.arm: step.survival for step in steps}, arms, PERCENT)
    counts = [{"arm": arm, "day": day, "n": n} for arm in names for day, n in at_risk.get(arm, ())[:COUNTED_DAYS]]
    layers += count_layers(counts, arms, x=x, what="at risk", coloured=True)
    words = "Share of animals without an event by day and arm (Kaplan–Meier); ticks are censored animals."
    return specification(rows, layers, description=words)


def _curves(common: Spec, arms: Sequence[Arm]) -> list[Spec]:
    """Draw the steps of each arm, a tick for each censored animal, and points that only tell."""
    curve = common | {"y": _SHARE | {"field": "survival"}}
    told = tooltip(("arm", "Arm"), ("on", "Day"), ("shown", "Survival"), ("said", "There"))
    return [
        {"mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2}, "encoding": curve | arm_dash(arms)},
        {
            "mark": {"type": "point", "shape": "stroke", "angle": 90, "size": 90, "strokeWidth": 1.75, "opacity": 1},
            "encoding": curve | {"tooltip": told},
            "transform": [{"filter": "datum.censored > 0"}],
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0},
            "encoding": curve | {"tooltip": told},
        },
    ]


def _band(rows: Sequence[Mapping[str, Any]], common: Spec) -> Spec:
    """Draw the limits, where they are known."""
    band = {"type": "area", "interpolate": "step-after", "opacity": 0.14}
    ends = common | {"y": _SHARE | {"field": "lower"}, "y2": {"field": "upper"}}
    known = [row for row in rows if row["lower"] is not None]
    return {"data": {"values": known}, "mark": band, "encoding": ends}


def _row(step: Step) -> dict[str, Any]:
    known = not (math.isnan(step.lower) or math.isnan(step.upper))
    spread = f" (95 % limits {step.lower:.0f} to {step.upper:.0f})" if known else ""
    happened = [f"{number} {word}" for number, word in ((step.events, "with an event"), (step.censored, "censored")) if number]
    return {
        "arm": step.arm,
        "day": step.day,
        "on": f"d{step.day:g}",
        "survival": step.survival,
        "lower": step.lower if known else None,
        "upper": step.upper if known else None,
        "censored": step.censored,
        "shown": f"{step.survival:.0f} %{spread}",
        "said": ", ".join(happened) or f"{step.at_risk} at risk",
    }
