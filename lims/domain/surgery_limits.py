"""Limits of an implanting into a mouse, each with its source: what cannot be, and what is unusual.

Atlas: Franklin and Paxinos, The Mouse Brain in Stereotaxic Coordinates. Volumes: Diehl et al., J Appl Toxicol 21:15 (2001), and
NC3Rs, Procedures with care; for the brain and for cells, usual practice of stereotactic and xenograft work. Care: AVMA
and NC3Rs guidance on analgesia in rodent surgery; Directive 2010/63/EU, article 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lims.domain.colony_terms import StereotacticOrigin
from lims.domain.sources import PLAUSIBLE
from lims.domain.vocabulary import KIND_BY_CODE, ImplantSite

ATLAS = "Franklin and Paxinos, The Mouse Brain in Stereotaxic Coordinates"
VOLUMES = "Diehl et al., J Appl Toxicol 21:15 (2001); NC3Rs, Procedures with care"
CARE = "AVMA and NC3Rs, analgesia in rodent surgery; Directive 2010/63/EU, article 14"
PRACTICE = "usual practice of stereotactic and xenograft surgery"
REPORTED = "ARRIVE 2.0, item 9: where and how it was done"

_WEIGHT = KIND_BY_CODE["body_weight"]
_LOOK = "Look at the unit and the decimal point."


class Range(NamedTuple):
    """What a value may be at all, both ends included."""

    title: str
    lowest: float
    highest: float
    unit: str
    remedy: str = _LOOK


class Amount(NamedTuple):
    """What is usual at a site at most, and what there is room for."""

    usual: float
    most: float


RANGES: Mapping[str, Range] = {
    # The brain of an adult mouse reaches from 4.5 mm in front of bregma to 8.5 mm behind it (Franklin and Paxinos).
    "ap_mm": Range("AP", -10, 10, " mm"),
    # It is 11 mm at its widest (Franklin and Paxinos).
    "ml_mm": Range("ML", -6, 6, " mm"),
    # It is 6 mm at its deepest, below the skull (Franklin and Paxinos).
    "dv_mm": Range("DV", 0, 8, " mm"),
    # From upright to lying.
    "angle_degrees": Range("An angle", -90, 90, "°"),
    "viability_percent": Range("A viability", 0, 100, " %"),
    # 10⁸ cells are more than 1 mL of packed suspension holds in a syringe for a mouse.
    "cell_count": Range("A count", 1, 100_000_000, " cells"),
    # The longest edge of a piece that goes under the skin of a mouse.
    "fragment_mm": Range("An edge", 0.05, 15, " mm"),
    # The largest volume of any site: 40 mL/kg under the skin of a mouse of 25 g (Diehl et al. 2001).
    "volume_ul": Range("A volume", 0.01, 1_000, " µL"),
    "rate_ul_min": Range("A rate", 0.001, 10_000, " µL/min"),
    # Longer anaesthesia for a needle that only waits is no practice.
    "dwell_min": Range("A dwell time", 0, 60, " min"),
    # Slow-release buprenorphine lasts 72 hours, the longest of all in use; a week is no interval of analgesia.
    "analgesia_hours": Range("An interval between doses", 1, 168, " h"),
    "analgesia_doses": Range("A plan of analgesia", 0, 30, " doses"),
    "weight_g": Range("A weight", _WEIGHT.hard_min, _WEIGHT.hard_max, " g"),
}

STEREOTACTIC_SITES = frozenset({ImplantSite.INTRACRANIAL, ImplantSite.INTRATHECAL, ImplantSite.NOT_RECORDED})
"""The ventricles and the cisterna magna are reached in the frame too."""

SURGICAL_SITES = frozenset(
    {
        ImplantSite.INTRACRANIAL,
        ImplantSite.INTRACAROTID,
        ImplantSite.INTRACARDIAC,
        ImplantSite.INTRATHECAL,
        ImplantSite.MAMMARY_FAT_PAD,
    }
)
"""Sites that need anaesthesia and pain relief (AVMA, NC3Rs; Directive 2010/63/EU, article 14)."""

VOLUMES_UL: Mapping[ImplantSite, Amount] = {
    ImplantSite.INTRACRANIAL: Amount(5, 20),  # usual practice: 1 to 5 µL; the brain is 0.4 mL
    ImplantSite.INTRATHECAL: Amount(10, 50),  # the mouse has 35 to 40 µL of CSF (Pardridge 2016)
    ImplantSite.INTRACARDIAC: Amount(100, 250),  # usual practice: 100 µL; as into a vein
    ImplantSite.INTRACAROTID: Amount(100, 250),  # usual practice: 100 µL; as into a vein
    ImplantSite.TAIL_VEIN: Amount(200, 500),  # 5 to 10 mL/kg at once; 25 mL/kg slowly, of 20 g (Diehl et al. 2001)
    ImplantSite.MAMMARY_FAT_PAD: Amount(200, 500),  # usual practice: 20 to 100 µL
    ImplantSite.SUBCUTANEOUS: Amount(250, 1_000),  # 10 mL/kg, at most 40, of 25 g (Diehl et al. 2001)
}

RATES_UL_MIN: Mapping[ImplantSite, Amount] = {
    ImplantSite.INTRACRANIAL: Amount(1, 10),  # usual practice: 0.2 to 1 µL/min; faster flows back along the needle
}

USUAL_CELLS: Mapping[ImplantSite, int] = {
    ImplantSite.INTRACRANIAL: 1_000_000,  # usual practice: 10⁴ to 5 × 10⁵
    ImplantSite.INTRATHECAL: 1_000_000,
    ImplantSite.INTRACARDIAC: 1_000_000,  # usual practice: 10⁵ to 5 × 10⁵; more makes clots
    ImplantSite.INTRACAROTID: 1_000_000,
    ImplantSite.TAIL_VEIN: 2_000_000,  # more blocks the lung
    ImplantSite.MAMMARY_FAT_PAD: 10_000_000,
    ImplantSite.SUBCUTANEOUS: 10_000_000,
}

USUAL_FRAGMENT_MM: Mapping[ImplantSite, float] = {
    ImplantSite.INTRACRANIAL: 2,  # usual practice: 1 mm through a trocar
    ImplantSite.MAMMARY_FAT_PAD: 5,  # usual practice: 2 to 3 mm (PDX-MI laboratories)
    ImplantSite.SUBCUTANEOUS: 5,
}

USUAL_AP_MM: Mapping[StereotacticOrigin, tuple[float, float]] = {
    StereotacticOrigin.BREGMA: (-8.5, 4.5),
    StereotacticOrigin.LAMBDA: (-4.3, 8.7),  # lambda lies 4.2 mm behind bregma
}
"""Franklin and Paxinos: the first and the last section of the atlas."""
USUAL_ML_MM = 4.5
"""Franklin and Paxinos: the cortex at its widest lies 4.5 to 5 mm from the midline."""
USUAL_DV_MM = 5.5
"""Franklin and Paxinos: the base of the brain lies 5 to 6 mm below the skull."""
USUAL_ANGLE_DEGREES = 30
"""Usual stereotactic practice."""
SHORTEST_DWELL_MIN = 1
"""Usual stereotactic practice: 2 to 5 minutes, against flow along the track of the needle."""
USUAL_VIABILITY_PERCENT = 80
"""Usual practice with suspensions from fresh tissue."""
POOR_VIABILITY_PERCENT = 50
USUAL_WEIGHT_G = (_WEIGHT.soft_min, _WEIGHT.soft_max)
"""Of the kind of measurement `body_weight`."""

SOURCES: Mapping[str, str] = {
    **dict.fromkeys(("ap_mm", "ml_mm", "dv_mm", "coordinate_origin", "depth_reference", "hemisphere"), ATLAS),
    **dict.fromkeys(("anaesthetic", "analgesic", "analgesia_hours", "analgesia_doses"), CARE),
    **dict.fromkeys(("angle_degrees", "rate_ul_min", "dwell_min", "needle"), PRACTICE),
    **dict.fromkeys(("material", "cell_count", "fragment_mm", "viability_percent"), PRACTICE),
    "volume_ul": VOLUMES,
    "weight_g": PLAUSIBLE,
}
"""By column, where its limits stand."""
