"""The plot of one marker in the regions of a specimen: a bar a region, to 100 % or to an H-score of 300."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lims.plot_parts import ACCENT, INK, Spec, specification, tooltip

BAR = 26
"""Height of a bar with its gap, in pixels."""
LABEL = 150
"""Width of a region's name, in pixels; the whole name stands in the table."""
ROOM = {"left": 4, "right": 48, "top": 4, "bottom": 4}
"""Padding, with room for the number at the end of the longest bar."""
TICKS = 6


def bar_by_region(points: Sequence[Mapping[str, Any]], *, title_x: str, highest: float) -> Spec:
    """Draw one bar a region, in the order given, with its number at its end. Points: region, value, shown, cells, url."""
    order = [point["region"] for point in points]
    y: Spec = {"field": "region", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": LABEL, "grid": False}}
    scale, axis = {"domain": [0, highest], "nice": False}, {"tickCount": TICKS}
    x: Spec = {"field": "value", "type": "quantitative", "title": title_x, "scale": scale, "axis": axis}
    told = tooltip(("region", "Region"), ("shown", title_x), ("cells", "Cells"), ("image", "Image"))
    bar = {"type": "bar", "color": ACCENT, "height": BAR - 8, "cursor": "pointer"}
    text = {"type": "text", "align": "left", "dx": 5, "color": INK, "fontSize": 12}
    layers: list[Spec] = [
        {"mark": bar, "encoding": {"y": y, "x": x, "tooltip": told}},
        {"mark": text, "encoding": {"y": y, "x": x, "text": {"field": "shown"}}},
    ]
    spec = specification(points, layers, description=f"{title_x} of each region.")
    return spec | {"height": BAR * max(len(points), 1), "padding": ROOM}
