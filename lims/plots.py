"""Vega-Lite specifications for the pages and for publication: plain dicts, made by pure functions.

A point is a mapping with `animal`, `arm` (its arm's name, or None), `day` (number), `value` (in the kind's unit) and
`url` (the page a click opens). Arms are (name, role) pairs in the study's order; that order and role decide the colour
everywhere. The pages draw a specification with the same fonts, colours and direct labels that a figure on file has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

Point = Mapping[str, Any]
Arm = tuple[str, str]
Spec = dict[str, Any]

OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
"""Colours told apart with any colour vision (Okabe and Ito 2008), those that show best on white first; `app.css` has the same."""

VEHICLE_GREYS = ("#6b7075", "#a3a8ad")
"""Vehicle arms are grey; a study has one, or two with different routes."""

ACCENT = "#0b6470"
INK, MUTED, GRID = "#1f2428", "#5a6168", "#e6e8ea"
LIMIT = "#a3122a"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
DASHES = ([1, 0], [5, 3], [1, 2])

HEIGHT = 300
LABEL_GAP = 16
DIRECT_LABELS = 5
COUNTED_DAYS = 14

THEME: Spec = {
    "background": "#ffffff",
    "font": FONT,
    "mark": {"aria": False},
    "view": {"stroke": None},
    "axis": {
        "aria": False, "domainColor": "#8a9198", "gridColor": GRID, "labelColor": MUTED, "labelFontSize": 12, "tickColor": "#8a9198",
        "tickSize": 4, "titleColor": INK, "titleFontSize": 12, "titleFontWeight": "normal", "labelPadding": 4, "titlePadding": 8,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {"aria": False, "orient": "top", "title": None, "labelColor": INK, "labelFontSize": 12, "labelLimit": 240},
    "title": {"anchor": "start", "color": MUTED, "fontSize": 12, "fontWeight": "normal", "offset": 8},
}  # fmt: skip
"""The look of every plot; `styles.css` has the same fonts and greys."""


@dataclass(frozen=True, slots=True)
class Style:
    """How an arm is drawn: `slot` is the suffix of its CSS class, `dash` sets it apart where colours repeat."""

    slot: str
    colour: str
    dash: Sequence[int]


@dataclass(frozen=True, slots=True)
class Scale:
    """The value axis: its ends, and where a value lies in pixels from the top."""

    low: float
    high: float
    log: bool

    def pixel(self, value: float) -> float:
        """Give the distance in pixels from the top of the plot."""
        low, high, at = (math.log10(x) for x in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return round(HEIGHT * (high - at) / (high - low), 1)


def arm_styles(arms: Sequence[Arm]) -> dict[str, Style]:
    """Give each arm's style by name: vehicles grey, the others through the palette in arm order."""
    styles: dict[str, Style] = {}
    greys = colours = 0
    for name, role in arms:
        if role == "vehicle":
            slot, palette, place = "vehicle", VEHICLE_GREYS, greys
            greys += 1
        else:
            slot, palette, place = "arm", OKABE_ITO, colours
            colours += 1
        cycle, index = divmod(place, len(palette))
        styles[name] = Style(f"{slot}-{index}", palette[index], DASHES[cycle % len(DASHES)])
    return styles


def arm_colours(arms: Sequence[Arm]) -> dict[str, str]:
    """Give each arm's colour by name."""
    return {name: style.colour for name, style in arm_styles(arms).items()}


def shown(value: float, decimals: int | None) -> str:
    """Write a value with the digits of its kind: 1,234.5 with one decimal, 1.26e6 where `decimals` is None."""
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


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
    rows = [_row(point, f"{shown(point['value'], decimals)} {unit}") for point in points]
    drawn, note = _drawable(rows, "value", log)
    scale = _scale([row["value"] for row in drawn], log=log, also=limit)
    layers = [*_animal_layers(_axis(title_y, unit, scale), arms)]
    if limit is not None:
        layers += _limit_layers(limit, f"limit {shown(limit, 0)} {unit}")
    last = {(row["arm"], row["animal"]): row["value"] for row in sorted(drawn, key=lambda row: row["day"])}
    ends: dict[str, list[float]] = defaultdict(list)
    for (arm, _), value in last.items():
        ends[arm].append(value)
    layers += _arm_labels({arm: fmean(values) for arm, values in ends.items()}, arms, scale)
    return _spec(drawn, layers, arms, note=note, description=f"{title_y} in {unit} by day of study, one line per animal.")


def mean_sem(
    points: Sequence[Point],
    *,
    arms: Sequence[Arm],
    unit: str,
    title_y: str,
    decimals: int | None = 1,
    log: bool = False,
) -> Spec:
    """Draw each arm's mean ± standard error by day, with the number of animals under the axis.

    An animal read twice on a day counts once, with its mean. One animal alone has no error bar.
    """
    rows = mean_rows(points, decimals=decimals, unit=unit)
    drawn, note = _drawable(rows, "mean", log)
    scale = _scale([end for row in drawn for end in (row["mean"], row["low"], row["high"])], log=log)
    for row in drawn:
        row["low"] = max(row["low"], scale.low)
    day = _day_axis()
    axis = _axis(f"{title_y}, mean ± SEM", unit, scale)
    tooltip = _tooltip(("arm", "Arm"), ("on", "Day"), ("shown", "Mean ± SEM"), ("n", "Animals"))
    colour = _arm_colour(arms)
    layers: list[Spec] = [
        {"mark": {"type": "rule", "strokeWidth": 1.25}, "encoding": {"x": day, "y": axis | {"field": "low"}, "y2": {"field": "high"}, **colour}},
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"x": day, "y": axis | {"field": "mean"}, **colour, **_arm_dash(arms)}},
        {
            "mark": {"type": "point", "filled": True, "size": 44, "opacity": 1},
            "encoding": {"x": day, "y": axis | {"field": "mean"}, **colour, "tooltip": tooltip},
        },
    ]
    last = {row["arm"]: row["mean"] for row in drawn}
    layers += _arm_labels(last, arms, scale)
    counted, below = _count_layers(rows, arms)
    spec = _spec(drawn, layers + counted, arms, note=note, description=f"{title_y} in {unit}, mean and standard error by arm and day.")
    spec["padding"]["bottom"] += below
    return spec


def mean_rows(points: Iterable[Point], *, unit: str, decimals: int | None = 1) -> list[dict[str, Any]]:
    """Give one row per arm and day: `mean`, `sem` (None for one animal), `low`, `high`, `n` animals, and `shown` in words."""
    readings: dict[tuple[str, float], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        readings[_arm_name(point), point["day"]][point["animal"]].append(point["value"])
    rows = []
    for (arm, day), animals in sorted(readings.items()):
        values = [fmean(repeated) for repeated in animals.values()]
        mean, n = fmean(values), len(values)
        sem = stdev(values) / math.sqrt(n) if n > 1 else None
        words = f"{shown(mean, decimals)} ± {shown(sem, decimals)} {unit}" if sem is not None else f"{shown(mean, decimals)} {unit}"
        low, high = mean - (sem or 0), mean + (sem or 0)
        rows.append({"arm": arm, "day": day, "on": f"d{day:g}", "mean": mean, "sem": sem, "low": low, "high": high, "n": n, "shown": words})
    return rows


def percent_of_baseline(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Turn weights in g into percent of the animal's own baseline: `value` becomes the percent, `weight` keeps the grams.

    Baseline is the animal's last weight on or before day 0, or its first weight where it has none that early.
    """
    series: dict[str, list[Point]] = defaultdict(list)
    for point in sorted(points, key=lambda point: point["day"]):
        series[point["animal"]].append(point)
    rows = []
    for weights in series.values():
        early = [point for point in weights if point["day"] <= 0]
        baseline = (early[-1] if early else weights[0])["value"]
        rows += [{**point, "weight": point["value"], "value": 100 * point["value"] / baseline} for point in weights]
    return rows


def weight_change(points: Sequence[Point], *, arms: Sequence[Arm], limit_percent: float | None) -> Spec:
    """Draw body weight (points in g) as percent of each animal's baseline, with the study's limit, such as 80, as a line."""
    rows = [_row(point, f"{point['weight']:.1f} g, {point['value']:.1f} %") for point in percent_of_baseline(points)]
    scale = _scale([row["value"] for row in rows], also=limit_percent, zero=False)
    layers = _animal_layers(_axis("Body weight", "% of baseline", scale), arms)
    if limit_percent is not None:
        layers += _limit_layers(limit_percent, f"limit {limit_percent:g} %")
    ends: dict[str, list[float]] = defaultdict(list)
    for (arm, _), value in {(row["arm"], row["animal"]): row["value"] for row in sorted(rows, key=lambda row: row["day"])}.items():
        ends[arm].append(value)
    layers += _arm_labels({arm: fmean(values) for arm, values in ends.items()}, arms, scale)
    return _spec(rows, layers, arms, description="Body weight in percent of each animal's baseline by day of study.")


def new_against_existing(
    points: Sequence[Point],
    *,
    unit: str,
    title_y: str,
    decimals: int | None = 1,
    log: bool = False,
    dates: bool = False,
) -> Spec:
    """Draw what a file would add (`new` true: accent diamonds) over what is recorded (grey circles), joined per animal.

    With `dates` the points carry an ISO `date` in place of `day`.
    """
    time = "date" if dates else "day"
    rows = []
    for point in points:
        on = point["date"] if dates else f"d{point['day']:g}"
        words = f"{shown(point['value'], decimals)} {unit}"
        rows.append({key: point.get(key) for key in ("animal", time, "value", "url")} | {"on": on, "shown": words, "new": bool(point["new"])})
    new = sum(row["new"] for row in rows)
    names = (f"Recorded already: {len(rows) - new:,}", f"New in this file: {new:,}")
    for row in rows:
        row["state"] = names[row.pop("new")]
    drawn, note = _drawable(rows, "value", log)
    axis = _axis(title_y, unit, _scale([row["value"] for row in drawn], log=log)) | {"field": "value"}
    x = {"field": "date", "type": "temporal", "title": None} if dates else _day_axis()
    scales = (("color", ("#8a9198", ACCENT)), ("shape", ("circle", "diamond")), ("size", (24, 54)))
    by_state = {
        channel: {"field": "state", "type": "nominal", "scale": {"domain": list(names), "range": list(range_)}} for channel, range_ in scales
    }
    tooltip = _tooltip(("animal", "Animal"), ("on", "Date" if dates else "Day"), ("shown", title_y), ("state", "State"))
    line = {"mark": {"type": "line", "strokeWidth": 1, "color": "#c3c8cc"}, "encoding": {"x": x, "y": axis, "detail": {"field": "animal"}}}
    marks = {
        "mark": {"type": "point", "filled": True, "opacity": 0.9, "cursor": "pointer"},
        "encoding": {"x": x, "y": axis, **by_state, "tooltip": tooltip},
    }
    return _spec(drawn, [line, marks], (), note=note, description=f"{title_y} in {unit}: what the file adds beside what is recorded.")


def _arm_name(point: Point) -> str:
    return point["arm"] or "No arm"


def _row(point: Point, words: str) -> dict[str, Any]:
    row = {key: point.get(key) for key in ("animal", "day", "value", "url")}
    return row | {"arm": _arm_name(point), "on": f"d{point['day']:g}", "shown": words}


def _drawable(rows: list[dict[str, Any]], field: str, log: bool) -> tuple[list[dict[str, Any]], str]:
    """Leave out what a log axis cannot show, with the sentence that says so."""
    drawn = [row for row in rows if row[field] > 0] if log else rows
    missing = len(rows) - len(drawn)
    note = f"{missing} at or below 0 {'is' if missing == 1 else 'are'} not drawn on the log axis; the table has them." if missing else ""
    return drawn, note


def _scale(values: Sequence[float], *, log: bool = False, also: float | None = None, zero: bool = True) -> Scale:
    """Choose the ends of the value axis: whole decades, or round numbers about five steps apart."""
    ends = [*values, *([] if also is None else [also])] or [1.0]
    if log:
        ends = [end for end in ends if end > 0] or [1.0]
        low, high = math.floor(math.log10(min(ends))), math.ceil(math.log10(max(ends)))
        return Scale(10.0**low, 10.0 ** max(high, low + 1), log=True)
    low, high = min([*ends, 0.0] if zero else ends), max(ends)
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / 5))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= span / 5)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return Scale(bottom, top if top > bottom else bottom + step, log=False)


def _axis(title: str, unit: str, scale: Scale) -> Spec:
    axis: Spec = {"title": f"{title} ({unit})", "tickCount": 6}
    kind: Spec = {"domain": [scale.low, scale.high], "nice": False, "zero": False}
    if scale.log:
        decades = range(round(math.log10(scale.low)), round(math.log10(scale.high)) + 1)
        axis |= {"values": [10.0**decade for decade in decades], "labelExpr": "replace(format(datum.value, '.0e'), 'e+', 'e')"}
        kind = {"domain": [scale.low, scale.high], "nice": False, "type": "log"}
    return {"type": "quantitative", "scale": kind, "axis": axis}


def _day_axis() -> Spec:
    scale = {"zero": False, "nice": False, "padding": 10}
    return {"field": "day", "type": "quantitative", "title": "Day of study", "scale": scale, "axis": {"tickMinStep": 1}}


def _tooltip(*fields: tuple[str, str]) -> list[Spec]:
    return [{"field": field, "title": title} for field, title in fields]


def _arm_colour(arms: Sequence[Arm]) -> Spec:
    styles = arm_styles(_with_no_arm(arms))
    scale = {"domain": list(styles), "range": [style.colour for style in styles.values()]}
    legend = None if len(arms) <= DIRECT_LABELS else {"values": [name for name, _ in arms], "symbolType": "square"}
    return {"color": {"field": "arm", "type": "nominal", "scale": scale, "legend": legend}}


def _arm_dash(arms: Sequence[Arm]) -> Spec:
    styles = arm_styles(_with_no_arm(arms))
    scale = {"domain": list(styles), "range": [style.dash for style in styles.values()]}
    return {"strokeDash": {"field": "arm", "type": "nominal", "scale": scale, "legend": None}}


def _with_no_arm(arms: Sequence[Arm]) -> list[Arm]:
    """Animals outside every arm are drawn grey, after the arms."""
    return [*arms, ("No arm", "vehicle")]


def _animal_layers(axis: Spec, arms: Sequence[Arm]) -> list[Spec]:
    """Lines and points, one series an animal; pointing at one dims the others."""
    day, value, colour = _day_axis(), axis | {"field": "value"}, _arm_colour(arms)
    tooltip = _tooltip(("animal", "Animal"), ("arm", "Arm"), ("on", "Day"), ("shown", axis["axis"]["title"].split(" (")[0]))
    dimmed = {"opacity": {"condition": {"param": "pointed", "value": 0.85}, "value": 0.12}}
    pointed = {"name": "pointed", "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["animal"]}}
    line = {"x": day, "y": value, **colour, **_arm_dash(arms), "detail": {"field": "animal"}, **dimmed}
    return [
        {"mark": {"type": "line", "strokeWidth": 1.25}, "encoding": line},
        {
            "params": [pointed],
            "mark": {"type": "point", "filled": True, "size": 26, "cursor": "pointer"},
            "encoding": {"x": day, "y": value, **colour, "tooltip": tooltip, **dimmed},
        },
    ]


def _limit_layers(limit: float, words: str) -> list[Spec]:
    data = {"values": [{"limit": limit, "words": words}]}
    y = {"field": "limit", "type": "quantitative"}
    text = {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -3, "color": LIMIT, "fontSize": 12}
    return [
        {"data": data, "mark": {"type": "rule", "color": LIMIT, "strokeDash": [6, 3], "strokeWidth": 1.25}, "encoding": {"y": y}},
        {"data": data, "mark": text, "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "words"}}},
    ]


def _spread(pixels: Sequence[float]) -> list[float]:
    """Move labels apart that would overlap, keeping their order and staying inside the plot."""
    order = sorted(range(len(pixels)), key=pixels.__getitem__)
    placed = list(pixels)
    floor = -math.inf
    for index in order:
        placed[index] = floor = max(pixels[index], floor + LABEL_GAP)
    ceiling = float(HEIGHT)
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - LABEL_GAP
    return placed


def _arm_labels(ends: Mapping[str, float], arms: Sequence[Arm], scale: Scale) -> list[Spec]:
    """Name each arm at the right of the plot, level with its last value, in place of a legend."""
    if len(arms) > DIRECT_LABELS or not ends:
        return []
    places = _spread([scale.pixel(value) for value in ends.values()])
    return _margin_labels([{"arm": arm, "label": arm, "at": at} for arm, at in zip(ends, places, strict=True)], arms)


def _margin_labels(rows: list[Spec], arms: Sequence[Arm]) -> list[Spec]:
    """Write rows of `label` in the right margin, `at` pixels from the top, each with its arm's colour before it."""
    y = {"field": "at", "type": "quantitative", "scale": None}
    x = {"value": "width"}
    swatch = {"type": "point", "shape": "square", "filled": True, "size": 60, "opacity": 1, "xOffset": 12}
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": 21, "color": INK, "fontSize": 12, "limit": 170}
    return [
        {"data": {"values": rows}, "mark": swatch, "encoding": {"x": x, "y": y, **_arm_colour(arms)}},
        {"data": {"values": rows}, "mark": text, "encoding": {"x": x, "y": y, "text": {"field": "label"}}},
    ]


def _count_layers(rows: list[dict[str, Any]], arms: Sequence[Arm]) -> tuple[list[Spec], int]:
    """Write n under the day axis, one line an arm, and give the room in pixels that takes."""
    present = {row["arm"] for row in rows}
    names = [name for name, _ in _with_no_arm(arms) if name in present]
    top = HEIGHT + 52
    at = {name: top + LABEL_GAP * line for line, name in enumerate(names)}
    days = sorted({row["day"] for row in rows})
    step = max(1, math.ceil(len(days) / COUNTED_DAYS))
    written = set(days[::step])
    counts = [{"day": row["day"], "n": row["n"], "at": at[row["arm"]]} for row in rows if row["day"] in written and row["arm"] in at]
    text = {"type": "text", "baseline": "middle", "color": MUTED, "fontSize": 12}
    encoding = {"x": _day_axis(), "y": {"field": "at", "type": "quantitative", "scale": None}, "text": {"field": "n"}}
    heads = [{"arm": name, "label": f"n, {name}", "at": at[name]} for name in names]
    return [{"data": {"values": counts}, "mark": text, "encoding": encoding}, *_margin_labels(heads, arms)], LABEL_GAP * len(names)


def _spec(rows: Sequence[Mapping[str, Any]], layers: list[Spec], arms: Sequence[Arm], *, description: str, note: str = "") -> Spec:
    longest = max((len(name) for name, _ in arms), default=0) if len(arms) <= DIRECT_LABELS else 0
    right = min(30 + 7 * (longest + 3), 210) if longest else 12
    spec: Spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 4, "top": 8, "right": right, "bottom": 8},
        "data": {"values": list(rows)},
        "layer": layers,
        "config": THEME,
    }
    return spec | ({"title": note} if note else {})
