"""Partition of a drug between plasma and tissue, with values below the limit of quantification carried as bounds."""

from __future__ import annotations

from datetime import date

import pytest

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.errors import DomainError
from lims.domain.exposure import (
    Ratio,
    Sample,
    Unbound,
    hours_between,
    mass_per_ml,
    nearest,
    partition,
    require_unit,
    summarise,
)

ML, G, NM = ConcentrationUnit.NG_PER_ML, ConcentrationUnit.NG_PER_G, ConcentrationUnit.NANOMOLAR
PLASMA, RIM, BRAIN, CSF = (
    ExposureMatrix.PLASMA,
    ExposureMatrix.LESION_RIM,
    ExposureMatrix.CONTRALATERAL_BRAIN,
    ExposureMatrix.CSF,
)
DAY = date(2026, 3, 9)
UNBOUND = Unbound(plasma=0.05, brain=0.02)


def plasma(value: float | None, lloq: float | None = None, hours: float | None = 2.0, unit: ConcentrationUnit = ML) -> Sample:
    return Sample(PLASMA, value, unit, lloq, hours, DAY)


@pytest.mark.parametrize(
    ("tissue", "against", "kp", "kp_uu"),
    [
        (Sample(BRAIN, 40, G, hours=2), plasma(400), "0.10", "0.040"),
        (Sample(CSF, 10, ML, hours=2), plasma(400), "0.025", "0.50"),
        (Sample(BRAIN, None, G, 1, 2), plasma(400), "< 0.0025", "< 0.0010"),
        (Sample(BRAIN, 40, G, hours=2), plasma(None, 2), "> 20", "> 8.0"),
        (Sample(ExposureMatrix.EXTRACRANIAL_TUMOUR, 200, G, hours=2), plasma(400), "0.50", None),
    ],
)
def test_kp_and_kp_uu_with_bounds_as_bounds(tissue: Sample, against: Sample, kp: str, kp_uu: str | None) -> None:
    found = partition(tissue, [against], UNBOUND)
    assert found.kp is not None
    assert found.kp.shown == kp
    assert (found.kp_uu.shown if found.kp_uu else None) == kp_uu


@pytest.mark.parametrize(
    ("tissue", "against", "unbound", "why"),
    [
        (Sample(BRAIN, 40, G, hours=2), [], UNBOUND, "no plasma of this animal at that time"),
        (Sample(BRAIN, None, G, 1, 2), [plasma(None, 2)], UNBOUND, "both below the limit of quantification"),
        (Sample(BRAIN, None, G, None, 2), [plasma(4)], UNBOUND, "the limit of quantification is not recorded"),
        (Sample(BRAIN, 40, G, hours=2), [plasma(0)], UNBOUND, "nothing in plasma"),
        (Sample(BRAIN, 40, NM, hours=2), [plasma(400)], UNBOUND, "molecular weight not recorded"),
        (Sample(BRAIN, 40, G, hours=2), [plasma(400)], Unbound(None, 0.02), "fraction unbound in plasma not recorded"),
        (Sample(BRAIN, 40, G, hours=2), [plasma(400)], Unbound(0.05, None), "fraction unbound in this tissue not recorded"),
        (Sample(BRAIN, 40, G, hours=2), [plasma(400)], None, "fractions unbound are the agent's own"),
    ],
)
def test_what_is_missing_is_said(tissue: Sample, against: list[Sample], unbound: Unbound | None, why: str) -> None:
    found = partition(tissue, against, unbound)
    assert found.kp_uu is None
    assert found.why == why


def test_molar_and_mass_are_compared_by_molecular_weight() -> None:
    assert mass_per_ml(100, NM, 480.5) == pytest.approx(48.05)
    found = partition(Sample(BRAIN, 100, NM, hours=2), [plasma(480.5)], UNBOUND, 480.5)
    assert found.kp is not None
    assert found.kp.value == pytest.approx(0.1)


def test_the_nearest_plasma_is_taken_and_of_the_same_day_where_hours_are_not_known() -> None:
    early, late = plasma(1, hours=1), plasma(2, hours=24)
    assert nearest(Sample(RIM, 5, G, hours=3), [late, early]) is early
    assert nearest(Sample(RIM, 5, G, hours=20), [late, early]) is late
    undated = plasma(3, hours=None)
    assert nearest(Sample(RIM, 5, G, on=DAY), [undated]) is undated
    assert nearest(Sample(RIM, 5, G, on=date(2026, 3, 10)), [undated]) is None


@pytest.mark.parametrize(
    ("ratios", "shown", "counted"),
    [
        ([Ratio(0.1), Ratio(0.2), Ratio(0.6)], "0.20", "3"),
        ([Ratio(0.05, "<"), Ratio(0.2), Ratio(0.6)], "0.20", "3, 1 a bound"),
        ([Ratio(0.05, "<"), Ratio(0.04, "<"), Ratio(0.6)], "< 0.050", "3, 2 a bound"),
        ([Ratio(2, ">"), Ratio(3, ">"), Ratio(0.6)], "> 2.0", "3, 2 a bound"),
        ([], "–", "0"),
    ],
)
def test_the_middle_of_several_is_a_number_only_where_it_is_one(ratios: list[Ratio], shown: str, counted: str) -> None:
    assert (summarise(ratios).shown, summarise(ratios).counted) == (shown, counted)


@pytest.mark.parametrize(("matrix", "unit"), [(PLASMA, G), (BRAIN, ML)])
def test_a_fluid_by_weight_and_a_tissue_by_volume_are_refused(matrix: ExposureMatrix, unit: ConcentrationUnit) -> None:
    require_unit(matrix, NM)
    with pytest.raises(DomainError) as refused:
        require_unit(matrix, unit)
    assert refused.value.field == "unit"


def test_hours_count_from_the_dose_and_no_sample_comes_before_it() -> None:
    assert hours_between(0, 5_400) == 1.5
    with pytest.raises(DomainError, match="before the dose"):
        hours_between(3_600, 0)


def test_a_sample_below_the_limit_is_written_as_such() -> None:
    assert [plasma(12.44).shown, plasma(None, 0.5).shown, plasma(None).shown] == ["12.4 ng/mL", "< 0.5 ng/mL", "below LLOQ"]
    assert [plasma(value).shown for value in (0.0, 1362.0, 75000.0, 2e-5)] == [
        "0 ng/mL",
        "1,360 ng/mL",
        "7.50e4 ng/mL",
        "2.00e-5 ng/mL",
    ]
