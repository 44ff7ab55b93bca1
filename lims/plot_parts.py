"""Parts the plots are made of: the palette of the arms, means, the value axis, and layers that more than one plot has."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean
from typing import Any

Arm = tuple[str, str]
Spec = dict[str, Any]

OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
"""Colours told apart with any colour vision (Okabe and Ito 2008), best seen on white first; `app.css` has the same."""

VEHICLE_GREYS = ("#6b7075", "#a3a8ad")
"""Vehicle arms are grey; a study has one, or two with different routes."""

PALETTES: Mapping[str, Sequence[str]] = {"vehicle": VEHICLE_GREYS, "arm": OKABE_ITO}

ACCENT = "#0b6470"
INK, MUTED, GRID = "#1f2428", "#5a6168", "#e6e8ea"
RECORDED, JOINED = "#8a9198", "#c3c8cc"
LIMIT = "#a3122a"
SUSPECT = "#b07a00"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
DASHES: tuple[list[int], ...] = ([1, 0], [5, 3], [1, 2])

HEIGHT = 300
SMALL_HEIGHT = 150
LABEL_GAP = 16
DIRECT_LABELS = 5
NO_ARM = "No arm"
COUNTED_DAYS = 14
DATE_TICKS = 6
FINE_TICKS = 7

THEME: Spec = {
    "background": "#ffffff",
    "font": FONT,
    "mark": {"aria": False},
    "view": {"stroke": None},
    "axis": {
        "aria": False,
        "domainColor": RECORDED,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": 12,
        "labelPadding": 4,
        "tickColor": RECORDED,
        "tickSize": 4,
        "titleColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "aria": False,
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 240,
        "columns": 5,
    },
    "title": {"anchor": "start", "color": MUTED, "fontSize": 12, "fontWeight": "normal", "offset": 8},
}
"""The look of every plot; `app.css` has the same fonts and greys."""


@dataclass(frozen=True, slots=True)
class Style:
    """How an arm is drawn: `slot` is its CSS class, `dash` sets it apart where colours repeat."""

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
    used = {"vehicle": 0, "arm": 0}
    for name, role in arms:
        slot = "vehicle" if role == "vehicle" else "arm"
        palette = PALETTES[slot]
        cycle, index = divmod(used[slot], len(palette))
        used[slot] += 1
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


def mean_rows(
    arms: Sequence[str | None],
    days: Sequence[float],
    animals: Sequence[str],
    values: Sequence[float],
    *,
    unit: str,
    decimals: int | None = 1,
) -> list[dict[str, Any]]:
    """Give one row per arm and day: `mean`, `sem` (None for one animal), `low`, `high`, `n` animals, and `shown` in words.

    An animal read twice on a day counts once, with its mean. few: fewer than half of the animals that were ever read in the
    arm are left.
    """
    readings: dict[tuple[str | None, float], tuple[list[str], list[float]]] = defaultdict(lambda: ([], []))
    for arm_name, day, animal, value in zip(arms, days, animals, values, strict=True):
        who, read = readings[arm_name, day]
        who.append(animal)
        read.append(value)
    ever: dict[str | None, set[str]] = defaultdict(set)
    for (of, _), (who, _) in readings.items():
        ever[of].update(who)
    rows = []
    for (of, day), (who, read) in sorted(readings.items(), key=lambda one: (one[0][0] or NO_ARM, one[0][1])):
        arm, n = of or NO_ARM, len(set(who))
        each = read if n == len(read) else _each_animal(who, read)
        mean = fmean(each)
        sem = math.dist(each, [mean] * n) / math.sqrt((n - 1) * n) if n > 1 else None
        error = "" if sem is None else f" ± {shown(sem, decimals)}"
        words = f"{shown(mean, decimals)}{error} {unit}"
        ends = {"low": mean - (sem or 0), "high": mean + (sem or 0)}
        told = {"arm": arm, "day": day, "on": f"d{day:g}", "mean": mean, "sem": sem, "n": n, "shown": words}
        rows.append(told | ends | {"few": 2 * n < len(ever[of])})
    return rows


def _each_animal(animals: Sequence[str], values: Sequence[float]) -> list[float]:
    """Give the mean of each animal's values."""
    repeated: dict[str, list[float]] = defaultdict(list)
    for animal, value in zip(animals, values, strict=True):
        repeated[animal].append(value)
    return [fmean(one) for one in repeated.values()]


def value_scale(values: Sequence[float], *, log: bool = False, also: float | None = None) -> Scale:
    """Choose the ends of the value axis: round numbers, on a linear axis about five steps apart.

    A linear axis starts at 0 unless all values lie close together (the lowest above half the highest), as weights do.
    """
    ends = [*values, *([] if also is None else [also])] or [1.0]
    if log:
        ends = [end for end in ends if end > 0] or [1.0]
        marks = _round_between(min(ends), max(ends))
        return Scale(marks[0], marks[-1], log=True)
    low, high = min(ends), max(ends)
    if 0 < low <= high / 2:
        low = 0.0
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / 5))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= span / 5)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return Scale(bottom, top if top > bottom else bottom + step, log=False)


def _round_between(low: float, high: float) -> list[float]:
    """Give 1, 2 and 5 of each decade, from the last not above `low` to the first behind it that reaches `high`."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    marks = [float(f"{digit}e{decade}") for decade in decades for digit in (1, 2, 5)]
    first = max(place for place, mark in enumerate(marks) if mark <= low)
    last = next(place for place, mark in enumerate(marks) if mark >= high and place > first)
    return marks[first : last + 1]


NAMES: Spec = {"labelAngle": 0, "labelExpr": "split(datum.label, ' ')"}
"""An axis of names, a word a line: those beside each other stay apart on a tablet too."""


def value_axis(title: str, unit: str, scale: Scale) -> Spec:
    """Give the y encoding without its field: title with unit, ends, and on a log axis decades, with 2 and 5 of each where few."""
    axis: Spec = {"title": f"{title} ({unit})", "tickCount": 6}
    kind: Spec = {"domain": [scale.low, scale.high], "nice": False, "zero": False}
    if scale.log:
        marks = _round_between(scale.low, scale.high)
        decades = [mark for mark in marks if f"{mark:e}".startswith("1")]
        axis |= {
            "values": marks if len(marks) <= FINE_TICKS else decades,
            "labelExpr": "replace(format(datum.value, '.0e'), 'e+', 'e')",
        }
        kind = {"domain": [scale.low, scale.high], "nice": False, "type": "log"}
    return {"type": "quantitative", "scale": kind, "axis": axis}


def day_axis() -> Spec:
    """Give the x encoding of study days, in whole days: by significant digits day 10 would be written 1e+1."""
    scale = {"zero": False, "nice": False, "padding": 10}
    axis = {"tickMinStep": 1, "format": "~f"}
    return {"field": "day", "type": "quantitative", "title": "Day of study", "scale": scale, "axis": axis}


def date_axis(days: Sequence[str]) -> Spec:
    """Give the x encoding of calendar days, read as days wherever the reader is, written as ISO; none is marked twice."""
    few = not days or date.fromisoformat(max(days)) - date.fromisoformat(min(days)) <= timedelta(days=DATE_TICKS)
    axis = {"format": "%Y-%m-%d", "tickCount": "day" if few else DATE_TICKS, "labelOverlap": "greedy", "labelSeparation": 8}
    return {"field": "date", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": axis}


def tooltip(*fields: tuple[str, str]) -> list[Spec]:
    """Give the tooltip encoding of (field, title) pairs."""
    return [{"field": field, "title": title} for field, title in fields]


def arm_colour(arms: Sequence[Arm]) -> Spec:
    """Give the colour encoding by arm; a legend only where there are too many arms for direct labels."""
    styles = arm_styles(_with_no_arm(arms))
    scale = {"domain": list(styles), "range": [style.colour for style in styles.values()]}
    return {"color": {"field": "arm", "type": "nominal", "scale": scale, "legend": _legend(arms)}}


def arm_dash(arms: Sequence[Arm]) -> Spec:
    """Give the dash encoding by arm, which tells arms of one colour apart."""
    styles = arm_styles(_with_no_arm(arms))
    scale = {"domain": list(styles), "range": [style.dash for style in styles.values()]}
    return {"strokeDash": {"field": "arm", "type": "nominal", "scale": scale, "legend": _legend(arms)}}


def _legend(arms: Sequence[Arm]) -> Spec | None:
    return None if len(arms) <= DIRECT_LABELS else {"values": [name for name, _ in arms]}


def _with_no_arm(arms: Sequence[Arm]) -> list[Arm]:
    """Animals outside every arm are drawn grey, after the arms."""
    return [*arms, (NO_ARM, "vehicle")]


def animal_layers(axis: Spec, arms: Sequence[Arm]) -> list[Spec]:
    """Lines and points, one series an animal; pointing at one dims the others."""
    day, value, colour = day_axis(), axis | {"field": "value"}, arm_colour(arms)
    told = tooltip(("animal", "Animal"), ("arm", "Arm"), ("on", "Day"), ("shown", axis["axis"]["title"].split(" (")[0]))
    dimmed = {"opacity": {"condition": {"param": "pointed", "value": 0.85}, "value": 0.12}}
    pointed = {"name": "pointed", "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["animal"]}}
    line = {"x": day, "y": value, **colour, **arm_dash(arms), "detail": {"field": "animal"}, **dimmed}
    return [
        {"mark": {"type": "line", "strokeWidth": 1.25}, "encoding": line},
        {
            "params": [pointed],
            "mark": {"type": "point", "filled": True, "size": 26, "cursor": "pointer"},
            "encoding": {"x": day, "y": value, **colour, "tooltip": told, **dimmed},
        },
    ]


def limit_layers(limit: float, words: str) -> list[Spec]:
    """Draw a limit across the plot with its words on it."""
    data = {"values": [{"limit": limit, "words": words}]}
    y = {"field": "limit", "type": "quantitative"}
    text = {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -3, "color": LIMIT, "fontSize": 12}
    return [
        {"data": data, "mark": {"type": "rule", "color": LIMIT, "strokeDash": [6, 3], "strokeWidth": 1.25}, "encoding": {"y": y}},
        {"data": data, "mark": text, "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "words"}}},
    ]


def rule_layer(at: float) -> list[Spec]:
    """Draw a thin line across the plot where nothing has changed."""
    mark = {"type": "rule", "color": RECORDED, "strokeWidth": 1}
    return [{"data": {"values": [{"at": at}]}, "mark": mark, "encoding": {"y": {"field": "at", "type": "quantitative"}}}]


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


def arm_labels(ends: Mapping[str, float], arms: Sequence[Arm], scale: Scale) -> list[Spec]:
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
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": 21, "color": INK, "fontSize": 12, "limit": 200}
    return [
        {"data": {"values": rows}, "mark": swatch, "encoding": {"x": x, "y": y, **arm_colour(arms)}},
        {"data": {"values": rows}, "mark": text, "encoding": {"x": x, "y": y, "text": {"field": "label"}}},
    ]


def count_layers(
    rows: list[dict[str, Any]], arms: Sequence[Arm], *, x: Spec | None = None, what: str = "n", coloured: bool = False
) -> list[Spec]:
    """Write n under the axis of days, or `x`, one line an arm; `coloured` as the arms are."""
    present = {row["arm"] for row in rows}
    names = [name for name, _ in _with_no_arm(arms) if name in present]
    top = HEIGHT + 52
    at = {name: top + LABEL_GAP * line for line, name in enumerate(names)}
    days = sorted({row["day"] for row in rows})
    step = max(1, math.ceil(len(days) / COUNTED_DAYS))
    written = set(days[::step])
    counts = [{"arm": row["arm"], "day": row["day"], "n": row["n"], "at": at[row["arm"]]} for row in rows if row["day"] in written]
    text = {"type": "text", "baseline": "middle", "fontSize": 12} | ({"fontWeight": 600} if coloured else {"color": MUTED})
    encoding = {"x": x or day_axis(), "y": {"field": "at", "type": "quantitative", "scale": None}, "text": {"field": "n"}}
    encoding |= arm_colour(arms) if coloured else {}
    heads = [{"arm": name, "label": f"{what}, {name}", "at": at[name]} for name in names]
    return [{"data": {"values": counts}, "mark": text, "encoding": encoding}, *_margin_labels(heads, arms)]


def specification(rows: Sequence[Mapping[str, Any]], layers: list[Spec], *, description: str, note: str = "") -> Spec:
    """Put layers over rows: as wide as its place, with the theme, room for the labels and, on top, the note if any."""
    spec: Spec = {
        "description": description,
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        "data": {"values": list(rows)},
        "layer": layers,
        "config": THEME,
    }
    return spec | ({"title": note} if note else {})
