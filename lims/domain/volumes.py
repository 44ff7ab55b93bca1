"""Tumour volume from caliper diameters.

Source: Euhus et al. 1986 and Tomayko & Reynolds 1989 (½·L·W²; π/6·L·W·H for three diameters), both usual in xenograft
work. L is the longer diameter by definition, whichever way round a file wrote the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lims.domain.vocabulary import VolumeFormula


def caliper_volume(length: float, width: float, height: float | None = None, *, formula: VolumeFormula) -> float:
    """Give the volume in mm³ from diameters in mm.

    Raises:
        ValueError: the formula needs a height that was not measured, or computes nothing (`stated`).
    """
    long, short = max(length, width), min(length, width)
    if formula is VolumeFormula.HALF_L_W2:
        return 0.5 * long * short * short
    if formula is VolumeFormula.ELLIPSOID_LW2:
        return math.pi / 6 * long * short * short
    if formula is VolumeFormula.ELLIPSOID_LWH:
        if height is None:
            raise ValueError("π/6·L·W·H needs a height")
        return math.pi / 6 * length * width * height
    raise ValueError("a stated volume is not computed")


def caliper_volumes(lengths: Sequence[float | None], widths: Sequence[float | None]) -> list[float | None]:
    """Give ½·L·W² of whole columns, mm³, rounded to a thousandth; `None` where a diameter is missing."""
    return [
        None if length is None or width is None else round(0.5 * length * width * (width if width <= length else length), 3)
        for length, width in zip(lengths, widths, strict=True)
    ]
