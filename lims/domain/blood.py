"""How much blood a mouse can spare.

Source: NC3Rs, Blood sampling: Mouse. About 58.5 mL of blood a kilogram of body weight; less than 10 % of it on one occasion
and less than 15 % in 28 days; at a terminal draw under general anaesthesia the volume is not restricted. More than all of it
cannot be drawn: mice have 63 to 80 mL/kg at most (Diehl et al., Journal of Applied Toxicology 21:15, 2001).
"""

from __future__ import annotations

from collections.abc import Iterator

from lims.domain.errors import DomainError
from lims.domain.notices import Notice

SOURCE = "NC3Rs, blood sampling: mouse"
BLOOD_ML_KG = 58.5
MOST_BLOOD_ML_KG = 80.0
ONE_DRAW, FOUR_WEEKS = 0.10, 0.15
DAYS = 28
"""A mL/kg is a µL/g, the unit below."""


def require_blood(volume_ul: float, weight_g: float | None, name: str) -> None:
    """Refuse more blood than the animal has.

    Raises:
        DomainError: on `volume_ul`.
    """
    if weight_g is not None and volume_ul > MOST_BLOOD_ML_KG * weight_g:
        raise DomainError(
            f"{volume_ul:,g} µL is more blood than {name} has at {weight_g:g} g: about {BLOOD_ML_KG * weight_g:,.0f} µL.",
            field="volume_ul",
            expected=f"at most {MOST_BLOOD_ML_KG * weight_g:,.0f} µL",
            remedy="Look whether it was mL, or another animal.",
            source=SOURCE,
        )


def blood_doubts(volume_ul: float, before_ul: float, weight_g: float | None, name: str) -> Iterator[Notice]:
    """Doubt a draw above a tenth of the animal's blood, or one that makes more than 15 % of it in 28 days (`before_ul`)."""
    if weight_g is None:
        told = f"No weight of {name} is recorded, so the volume cannot be held against its blood."
        yield Notice("warning", "volume_ul", told, "a weight, measured first", SOURCE)
        return
    blood = BLOOD_ML_KG * weight_g
    if volume_ul > ONE_DRAW * blood:
        told = (
            f"{volume_ul:,g} µL is {100 * volume_ul / blood:.0f} % of the blood of {name}, about {blood:,.0f} µL at {weight_g:g} g."
        )
        yield Notice("warning", "volume_ul", told, f"at most {ONE_DRAW * blood:,.0f} µL, unless the draw is terminal", SOURCE)
    elif before_ul + volume_ul > FOUR_WEEKS * blood:
        told = f"With this, {before_ul + volume_ul:,g} µL were drawn from {name} in {DAYS} days."
        yield Notice("warning", "volume_ul", told, f"at most {FOUR_WEEKS * blood:,.0f} µL in {DAYS} days", SOURCE)
