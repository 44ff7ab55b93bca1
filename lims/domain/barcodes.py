"""Code 128 barcodes (ISO/IEC 15417), which every laboratory scanner reads, as bars to be drawn.

Code set B alone: it has every character that is typed, and labels are short.
"""

from __future__ import annotations

from itertools import accumulate

QUIET = 10
"""Modules of white that a scanner needs on either side."""
_START_B, _STOP = 104, "2331112"
_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 "
    "123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 "
    "131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 "
    "213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 "
    "141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 "
    "124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 "
    "411131 211412 211214 211232"
)
_WIDTHS = _TABLE.split()
"""By value, the widths of three bars and the spaces behind them, in modules."""


def code128(text: str) -> list[tuple[int, int]] | None:
    """Give the bars as (place, width) in modules, from the first one; None for what Code 128 cannot say, such as `µ`."""
    if not text or not all(" " <= one <= "~" for one in text):
        return None
    values = [_START_B, *(ord(one) - 32 for one in text)]
    check = (_START_B + sum(place * value for place, value in enumerate(values))) % 103
    widths = [int(width) for width in "".join(_WIDTHS[value] for value in [*values, check]) + _STOP]
    places = accumulate(widths, initial=0)
    return list(zip(places, widths, strict=False))[::2]


def width_of(bars: list[tuple[int, int]]) -> int:
    """Give how wide a barcode is with the white that it needs, in modules."""
    place, width = bars[-1]
    return place + width + 2 * QUIET
