"""Vega-Lite specifications for the pages and for publication: plain dicts, made by pure functions.

A point is a mapping with `animal`, `arm` (its arm's name, or None), `day` (number), `value` (in the kind's unit) and
`url` (the page a click opens). Arms are (name, role) pairs in the study's order; that order and role decide the colour
everywhere, and a point of an arm that is not among them raises ValueError. The pages draw a specification with the
fonts, colours and direct labels that a figure on file has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from statistics import fmean
from typing import Any

from lims.plot_parts import (
    ACCENT,
    JOINED,
    LIMIT,
    NAMES,
    NO_ARM,
    OKABE_ITO,
    RECORDED,
    SMALL_HEIGHT,
    SUSPECT,
    THEME,
    VEHICLE_GREYS,
    Arm,
    Spec,
    animal_layers,
    arm_colour,
    arm_colours,
    arm_dash,
    arm_labels,
    arm_styles,
    count_layers,
    date_axis,
    day_axis,
    limit_layers,
    mean_rows,
    rule_layer,
    shown,
    specification,
    tooltip,
    value_axis,
    value_scale,
)

__all__ = [
    "OKABE_ITO",
    "THEME",
    "VEHICLE_GREYS",
    "arm_colours",
    "arm_styles",
    "growth_curves",
    "mean_rows",
    "mean_sem",
    "new_against_existing",
    "over_time",
    "partitions",
    "percent_of_baseline",
    "shown",
    "spider",
    "weight_change",
    "with_suspects",
]

Point = Mapping[str, Any]


def growth_curves(
    points: Sequence[Point],
    *,
    arms: Sequence[Arm],
    unit: str,
    title_y: str,
    decimals: int | None = 1,
    log: bool = False,
    limit: float | None = None,
) -> Spec:
    """Draw one line per animal in its arm's colour, with the limit (in `unit`) as a line where there is one.

    A log axis has no place for readings at or below 0: they are left out, and the plot says how many.
    """
    _require_arms(points, arms)
    rows = [_row(point, f"{shown(point['value'], decimals)} {unit}") for point in points]
    drawn, note = _drawable(rows, "value", log=log)
    scale = value_scale([row["value"] for row in drawn], log=log, also=limit)
    layers = animal_layers(value_axis(title_y, unit, scale), arms)
    if limit is not None:
        layers += limit_layers(limit, f"limit {shown(limit, 0)} {unit}")
    layers += arm_labels(_last_means(drawn), arms, scale)
    return specification(drawn, layers, note=note, description=f"{title_y} in {unit} by day of study, one line per animal.")


def mean_sem(rows: list[dict[str, Any]], *, arms: Sequence[Arm], unit: str, title_y: str, log: bool = False) -> Spec:
    """Draw each arm's mean ± standard error by day (`mean_rows`), with the number of animals under the axis.

    One animal alone has no error bar. Where fewer than half of an arm's animals are left, its line is dotted and its points
    are hollow: it is the mean of those that lived.
    """
    _require_arms(rows, arms)
    drawn, note = _drawable(rows, "mean", log=log)
    scale = value_scale([end for row in drawn for end in (row["mean"], row["low"], row["high"])], log=log)
    for row in drawn:
        row["low"] = max(row["low"], scale.low)
    axis = value_axis(f"{title_y}, mean ± SEM", unit, scale)
    common = {"x": day_axis(), **arm_colour(arms)}
    mean = common | {"y": axis | {"field": "mean"}}
    told = tooltip(("arm", "Arm"), ("on", "Day"), ("shown", "Mean ± SEM"), ("n", "Animals"))
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "strokeWidth": 1.25},
            "encoding": common | {"y": axis | {"field": "low"}, "y2": {"field": "high"}},
        },
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": mean | arm_dash(arms), "transform": [{"filter": "!datum.few"}]},
        {"mark": {"type": "point", "filled": True, "size": 44, "opacity": 1}, "encoding": mean | {"tooltip": told}},
    ]
    if tails := _tails(drawn):
        dotted = {"type": "line", "strokeWidth": 1.5, "strokeDash": [1, 3]}
        hollow = {"type": "point", "filled": True, "size": 18, "opacity": 1, "color": "#ffffff"}
        place = {"x": day_axis(), "y": axis | {"field": "mean"}}
        layers.insert(1, {"data": {"values": tails}, "mark": dotted, "encoding": mean})
        layers.append({"mark": hollow, "encoding": place | {"tooltip": told}, "transform": [{"filter": "datum.few"}]})
    last = {row["arm"]: row["mean"] for row in drawn}
    layers += arm_labels(last, arms, scale)
    layers += count_layers(rows, arms)
    words = f"{title_y} in {unit}, mean and standard error by arm and day."
    return specification(drawn, layers, note=note, description=words)


def _tails(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows of few animals, each with its neighbours, so that the dotted line joins what is drawn whole."""
    kept = []
    for arm in dict.fromkeys(row["arm"] for row in rows):
        of_arm = [row for row in rows if row["arm"] == arm]
        few = [row["few"] for row in of_arm]
        near = [any(few[max(place - 1, 0) : place + 2]) for place in range(len(few))]
        kept += [row for row, close in zip(of_arm, near, strict=True) if close]
    return kept if any(row["few"] for row in kept) else []


def percent_of_baseline(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Turn values into percent of the animal's own baseline: `value` becomes the percent, `raw` keeps what was read.

    Baseline is the animal's last value on or before day 0, or its first one where it has none that early. Points of an
    animal whose baseline is not above 0 are left out: nothing is a percentage of nothing.
    """
    series: dict[str, list[Point]] = defaultdict(list)
    for point in sorted(points, key=itemgetter("day")):
        series[point["animal"]].append(point)
    rows = []
    for read in series.values():
        early = [point for point in read if point["day"] <= 0]
        baseline = (early[-1] if early else read[0])["value"]
        if baseline > 0:
            rows += [{**point, "raw": point["value"], "value": 100 * point["value"] / baseline} for point in read]
    return rows


def spider(rows: Sequence[Point], *, arms: Sequence[Arm], unit: str, title_y: str, decimals: int | None, log: bool) -> Spec:
    """Draw each animal's change from its own baseline (rows of `percent_of_baseline`), with a line where nothing has changed.

    In percent; what is drawn on a log axis, such as flux over four decades, as a multiple of the baseline.
    """
    _require_arms(rows, arms)
    changes = []
    for point in rows:
        change = point["value"] / 100 if log else point["value"] - 100
        words = f"{shown(change, 2)} × baseline" if log else f"{change:+.0f} %"
        row = _row(point, f"{words}, {shown(point['raw'], decimals)} {unit}")
        row["value"] = change
        changes.append(row)
    drawn, note = _drawable(changes, "value", log=log)
    scale = value_scale([row["value"] for row in drawn], log=log, also=1 if log else 0)
    axis = value_axis(f"{title_y}, change", "× baseline" if log else "% from baseline", scale)
    layers = animal_layers(axis, arms) + rule_layer(1 if log else 0) + arm_labels(_last_means(drawn), arms, scale)
    return specification(drawn, layers, note=note, description=f"{title_y}: each animal's change from its baseline by day.")


def weight_change(rows: Sequence[Point], *, arms: Sequence[Arm], limit_percent: float | None) -> Spec:
    """Draw body weight (in g, rows of `percent_of_baseline`) as percent, with the study's limit, such as 80, as a line."""
    _require_arms(rows, arms)
    rows = [_row(point, f"{point['raw']:.1f} g, {point['value']:.1f} %") for point in rows]
    scale = value_scale([row["value"] for row in rows], also=limit_percent)
    layers = animal_layers(value_axis("Body weight", "% of baseline", scale), arms)
    if limit_percent is not None:
        layers += limit_layers(limit_percent, f"limit {limit_percent:g} %")
    layers += arm_labels(_last_means(rows), arms, scale)
    return specification(rows, layers, description="Body weight in percent of each animal's baseline by day of study.")


def with_suspects(spec: Spec, points: Sequence[Point], *, log: bool = False) -> Spec:
    """Ring the readings that are marked as suspect (`suspect` true) on a plot drawn with one line per animal."""
    rows = [
        {"animal": point["animal"], "day": point["day"], "value": point["value"], "on": f"d{point['day']:g}", "quality": "suspect"}
        for point in points
        if point["suspect"] and (point["value"] > 0 or not log)
    ]
    if not rows:
        return spec
    encoding = {
        "x": day_axis(),
        "y": {"field": "value", "type": "quantitative"},
        "tooltip": tooltip(("animal", "Animal"), ("on", "Day"), ("quality", "Quality")),
    }
    mark = {"type": "point", "shape": "circle", "filled": False, "size": 120, "strokeWidth": 1.75, "opacity": 1, "color": SUSPECT}
    return spec | {"layer": [*spec["layer"], {"data": {"values": rows}, "mark": mark, "encoding": encoding}]}


def over_time(
    points: Sequence[Point], *, unit: str, title_y: str, colour: str, decimals: int | None = 1, log: bool = False
) -> Spec:
    """Draw one animal's readings by day, small enough for several beside each other; its tumours are lines of their own."""
    rows = [_row(point, f"{shown(point['value'], decimals)} {unit}") for point in points]
    drawn, note = _drawable(rows, "value", log=log)
    scale = value_scale([row["value"] for row in drawn], log=log)
    told = tooltip(("animal", "Of"), ("on", "Day"), ("shown", title_y))
    axis = value_axis(title_y, unit, scale)
    axis["axis"]["title"] = unit  # the kind stands over the plot; a small one has no room for it twice
    common = {"x": day_axis(), "y": axis | {"field": "value"}}
    layers: list[Spec] = [
        {"mark": {"type": "line", "strokeWidth": 1.5, "color": colour}, "encoding": common | {"detail": {"field": "animal"}}},
        {
            "mark": {"type": "point", "filled": True, "size": 30, "opacity": 1, "color": colour, "cursor": "pointer"},
            "encoding": common | {"tooltip": told},
        },
    ]
    if len({row["animal"] for row in drawn}) > 1:
        layers += _ends(drawn, common)
    small = specification(drawn, layers, note=note, description=f"{title_y} in {unit} by day.") | {"height": SMALL_HEIGHT}
    return with_suspects(small, points, log=log)


def _ends(rows: Sequence[Mapping[str, Any]], common: Spec) -> list[Spec]:
    """Name each line at its last point."""
    last = {row["animal"]: {**row, "words": row["animal"].split(" · ")[-1]} for row in sorted(rows, key=lambda row: row["day"])}
    mark = {"type": "text", "align": "right", "baseline": "bottom", "dx": -4, "dy": -5, "fontSize": 12}
    return [{"data": {"values": list(last.values())}, "mark": mark, "encoding": common | {"text": {"field": "words"}}}]


def partitions(points: Sequence[Point], *, arms: Sequence[Arm], title_y: str) -> Spec:
    """Draw partition coefficients by matrix in the colours of the arms, with a line at 1; bounds are arrowheads.

    A point has `animal`, `arm`, `matrix`, `value`, `bound` (`<`, `>` or nothing), `shown` and `url`. The axis is
    logarithmic; what is 0 is left out, and the plot says how many.
    """
    _require_arms(points, arms)
    fields = ("animal", "matrix", "value", "bound", "shown", "url")
    rows = [{field: point.get(field) for field in fields} | {"arm": _arm_name(point)} for point in points]
    drawn, note = _drawable(rows, "value", log=True)
    scale = value_scale([row["value"] for row in drawn], log=True, also=1)
    x = {"field": "matrix", "type": "nominal", "title": None, "sort": None, "axis": NAMES}
    shape = {"domain": ["", "<", ">"], "range": ["circle", "triangle-down", "triangle-up"]}
    told = tooltip(("animal", "Animal"), ("arm", "Arm"), ("matrix", "Sample"), ("shown", title_y))
    encoding = {
        "x": x,
        "xOffset": {"field": "arm", "type": "nominal"},
        "y": value_axis(title_y, "ratio", scale) | {"field": "value"},
        **arm_colour(arms),
        "shape": {"field": "bound", "type": "nominal", "scale": shape, "legend": None},
        "tooltip": told,
    }
    mark = {"type": "point", "filled": True, "size": 60, "opacity": 0.85, "cursor": "pointer"}
    layers: list[Spec] = [{"mark": mark, "encoding": encoding}, *limit_layers(1, "as in plasma")]
    layers += arm_labels({row["arm"]: row["value"] for row in drawn}, arms, scale)
    return specification(drawn, layers, note=note, description=f"{title_y} by sample and arm; arrowheads are bounds.")


def new_against_existing(
    points: Sequence[Point],
    *,
    unit: str,
    title_y: str,
    decimals: int | None = 1,
    log: bool = False,
    dates: bool = False,
) -> Spec:
    """Draw what a file would add over what is recorded (grey circles), joined per animal.

    A point's `state` is `recorded`, `new` (accent diamonds), `changed` (triangles, joined by a line to `old`, the recorded value)
    or `excluded` (crosses, beside the lines). With `dates` the points carry an ISO `date` in place of `day`.
    """
    rows = _state_rows(points, unit, decimals, dates=dates)
    drawn, note = _drawable(rows, "value", log=log)
    changed = [row for row in drawn if row["old"] is not None and (row["old"] > 0 or not log)]
    scale = value_scale([*(row["value"] for row in drawn), *(row["old"] for row in changed)], log=log)
    common = {
        "x": date_axis([point["date"] for point in points]) if dates else day_axis(),
        "y": value_axis(title_y, unit, scale) | {"field": "value"},
    }
    told = tooltip(("animal", "Animal"), ("on", "Date" if dates else "Day"), ("shown", title_y), ("state", "State"))
    line = {"type": "line", "strokeWidth": 1, "color": JOINED}
    mark = {"type": "point", "filled": True, "opacity": 0.9, "cursor": "pointer"}
    layers: list[Spec] = [
        {"mark": line, "encoding": common | {"detail": {"field": "animal"}}, "transform": [{"filter": "!datum.excluded"}]},
        {"mark": mark, "encoding": common | _by_state(rows) | {"tooltip": told}},
    ]
    if changed:
        rule = {"type": "rule", "strokeWidth": 1.5, "strokeDash": [3, 2], "color": SUSPECT}
        layers.insert(1, {"data": {"values": changed}, "mark": rule, "encoding": common | {"y2": {"field": "old"}}})
    words = f"{title_y} in {unit}: what the file adds beside what is recorded."
    return specification(drawn, layers, note=note, description=words)


_STATES: Mapping[str, tuple[str, tuple[str, str]]] = {
    "recorded": ("Recorded already", (RECORDED, "circle")),
    "new": ("New in this file", (ACCENT, "diamond")),
    "changed": ("Changed by this file", (SUSPECT, "triangle-up")),
    "excluded": ("Left out", (LIMIT, "cross")),
}
"""What a point of an import is: its words, colour and shape."""


def _state_rows(points: Sequence[Point], unit: str, decimals: int | None, *, dates: bool) -> list[dict[str, Any]]:
    counts = Counter(point["state"] for point in points)
    rows = []
    for point in points:
        row = {key: point.get(key) for key in ("animal", "date" if dates else "day", "value", "url", "old")}
        was = f", recorded {shown(row['old'], decimals)}" if row["old"] is not None else ""
        row |= {"on": point["date"] if dates else f"d{point['day']:g}", "shown": f"{shown(point['value'], decimals)} {unit}{was}"}
        state = point["state"]
        row |= {"state": f"{_STATES[state][0]}: {counts[state]:,}", "is": state}
        rows.append(row | {"new": state in ("new", "changed"), "excluded": state == "excluded"})
    return rows


def _by_state(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Give colour, shape and size by state; the legend names those that are there, and recorded and new ones in any case."""
    told = {row["is"]: row["state"] for row in rows}
    met = [state for state in _STATES if state in {"recorded", "new", *told}]
    domain = [told.get(state, f"{_STATES[state][0]}: 0") for state in met]
    ends = {channel: [_STATES[state][1][at] for state in met] for at, channel in enumerate(("color", "shape"))}
    scales = {of: {"field": "state", "type": "nominal", "scale": {"domain": domain, "range": ends[of]}} for of in ends}
    return scales | {"size": {"condition": {"test": "datum.new", "value": 54}, "value": 24}}


def _last_means(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Give each arm's mean of its animals' last values: where its label stands."""
    last = {(row["arm"], row["animal"]): row["value"] for row in sorted(rows, key=itemgetter("day"))}
    ends: dict[str, list[float]] = defaultdict(list)
    for (arm, _), value in last.items():
        ends[arm].append(value)
    return {arm: fmean(values) for arm, values in ends.items()}


def _arm_name(point: Point) -> str:
    return point["arm"] or NO_ARM


def _require_arms(points: Iterable[Point], arms: Sequence[Arm]) -> None:
    names = [name for name, _ in arms]
    if unknown := {point["arm"] for point in points}.difference([*names, NO_ARM, None]):
        raise ValueError(f"Points of {', '.join(sorted(unknown))}, but the study's arms are {', '.join(names)}.")


def _row(point: Point, words: str) -> dict[str, Any]:
    return {
        "animal": point["animal"],
        "day": point["day"],
        "value": point["value"],
        "url": point.get("url"),
        "arm": point["arm"] or NO_ARM,
        "on": _day_words(point["day"]),
        "shown": words,
    }


@lru_cache(maxsize=1024)
def _day_words(day: float) -> str:
    return f"d{day:g}"


def _drawable(rows: list[dict[str, Any]], field: str, *, log: bool) -> tuple[list[dict[str, Any]], str]:
    """Leave out what a log axis cannot show, with the sentence that says so."""
    drawn = [row for row in rows if row[field] > 0] if log else rows
    missing = len(rows) - len(drawn)
    note = (
        f"{missing} at or below 0 {'is' if missing == 1 else 'are'} not drawn on the log axis; the table has them."
        if missing
        else ""
    )
    return drawn, note
