"""Tumour volume from caliper diameters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.vocabulary import VolumeFormula
from lims.domain.volumes import caliper_volume, caliper_volumes

DIAMETERS = st.floats(min_value=0, max_value=40)


@pytest.mark.parametrize(
    ("formula", "volume"),
    [
        (VolumeFormula.HALF_L_W2, 144.0),
        (VolumeFormula.ELLIPSOID_LW2, math.pi / 6 * 288),
        (VolumeFormula.ELLIPSOID_LWH, math.pi / 6 * 240),
    ],
)
def test_the_formulas(formula: VolumeFormula, volume: float) -> None:
    assert caliper_volume(8, 6, 5, formula=formula) == pytest.approx(volume)


def test_what_cannot_be_computed_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a height"):
        caliper_volume(8, 6, formula=VolumeFormula.ELLIPSOID_LWH)
    with pytest.raises(ValueError, match="not computed"):
        caliper_volume(8, 6, formula=VolumeFormula.STATED)


@given(DIAMETERS, DIAMETERS)
def test_the_longer_diameter_is_the_length_whichever_way_round(one: float, other: float) -> None:
    (volume,) = caliper_volumes([one], [other])

    assert caliper_volumes([other], [one]) == [volume]
    assert volume == pytest.approx(caliper_volume(one, other, formula=VolumeFormula.HALF_L_W2), abs=0.000_51)


def test_a_missing_diameter_has_no_volume() -> None:
    assert caliper_volumes([8, None, 8], [6, 6, None]) == [144.0, None, None]
    assert caliper_volumes([], []) == []
