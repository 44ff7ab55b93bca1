"""Code 128 barcodes (ISO/IEC 15417), which every laboratory scanner reads, as bars to be drawn."""

from __future__ import annotations

from itertools import accumulate

QUIET = 10
"""Modules of white that a scanner needs on either side."""


def code128(text: str) -> list[tuple[int, int]] | None:
    """Give the bars as (place, width) in modules, from the first one; None for what Code 128 cannot say, such as `µ`."""
    if not text or not all(" " <= one <= "~" for one in text):
        return None
    from reportlab.graphics.barcode.code128 import Code128

    coded = Code128(text)
    coded.validate()
    coded.encode()
    coded.decompose()
    # One letter a bar or a space, by turns: a or A is one module wide, d or D four.
    widths = [ord(one.lower()) - ord("a") + 1 for one in coded.decomposed]
    places = accumulate(widths, initial=0)
    return list(zip(places, widths, strict=False))[::2]


def width_of(bars: list[tuple[int, int]]) -> int:
    """Give how wide a barcode is with the white that it needs, in modules."""
    place, width = bars[-1]
    return place + width + 2 * QUIET
