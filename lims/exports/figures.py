"""Figures on file: a plot's specification as SVG, PNG or PDF, drawn on the server by the same Vega-Lite as in the browser.

The drawing library runs its own JavaScript in this process and is allowed no address, so that nothing leaves the server.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lims.domain.errors import DomainError

VEGA_LITE = "6.4"
WIDTH = 860
"""Pixels of a figure with its labels; at 96 to the inch it fills a page's width with a print of 2.5 pixels to one."""
SCALE = 2.5
MOST_MARKS = 20_000
"""Beyond this many points a figure takes minutes to draw and nobody can read it."""
FONT = "Liberation Sans"
"""Comes with the drawing library, so that a figure looks the same whatever the server has installed."""
FAMILY = f"{FONT}, Arial, Helvetica, sans-serif"

PADDING = {"left": 5, "top": 5, "bottom": 5, "right": 28}
"""On the right, room for the labels of who opens the SVG without any of these fonts: others are wider, and would be cut off."""

IMAGES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
"""Formats with their content types."""


def figure(spec: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Make a page's specification one that stands alone: with a width, with its title, without what answers a pointer."""
    alone = copy.deepcopy(dict(spec))
    note = alone.get("title")
    alone |= {
        "width": WIDTH,
        "padding": PADDING,
        "config": alone.get("config", {}) | {"font": FAMILY},
        "title": {"text": title, "color": "#1f2428", "fontSize": 14, **({"subtitle": note} if isinstance(note, str) else {})},
    }
    for layer in alone.get("layer", ()):
        _still(layer)
    return alone


def _still(layer: dict[str, Any]) -> None:
    """Take away what follows the pointer; single marks that let light through also take long to draw."""
    layer.pop("params", None)
    encoding = layer.get("encoding", {})
    for channel in ("opacity", "tooltip"):
        encoding.pop(channel, None)


def draw(spec: Mapping[str, Any], form: str) -> bytes:
    """Draw a specification that `figure` made as `svg`, `png` or `pdf`.

    Raises:
        DomainError: there is no such format, or too much is to be drawn.
    """
    if form not in IMAGES:
        raise DomainError(f"{form!r} is no format of a figure.", expected=", ".join(IMAGES))
    marks = len(spec["data"]["values"])
    if marks > MOST_MARKS:
        raise DomainError(
            f"The plot has {marks:,} points, too many for a figure.",
            expected=f"{MOST_MARKS:,} at most",
            remedy="Download its table, or draw the means of the arms.",
        )
    import vl_convert

    same: dict[str, Any] = {"vl_version": VEGA_LITE, "allowed_base_urls": []}
    if form == "svg":
        return vl_convert.vegalite_to_svg(dict(spec), **same).encode()
    if form == "png":
        return vl_convert.vegalite_to_png(dict(spec), scale=SCALE, **same)
    return vl_convert.vegalite_to_pdf(dict(spec), **same)
