"""HER2 status: every branch of ASCO/CAP 2018, affirmed 2023."""

from __future__ import annotations

import itertools
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.her2 import SOURCE, AssayReport, classify, combine, ish_group
from lims.domain.tissue_terms import Her2Ihc, Her2Label, Her2Result, IshProbe

ZERO, ONE, TWO, THREE = Her2Ihc
SINGLE, DUAL = IshProbe.SINGLE, IshProbe.DUAL
POSITIVE, NEGATIVE, EQUIVOCAL = Her2Result.POSITIVE, Her2Result.NEGATIVE, Her2Result.EQUIVOCAL
LOW, NONE = Her2Label.HER2_LOW, None
HER2_0 = Her2Label.HER2_ZERO


@pytest.mark.parametrize(
    ("ihc", "result", "label"), [(ZERO, NEGATIVE, HER2_0), (ONE, NEGATIVE, LOW), (TWO, EQUIVOCAL, NONE), (THREE, POSITIVE, NONE)]
)
def test_ihc_alone(ihc: Her2Ihc, result: Her2Result, label: Her2Label | None) -> None:
    found = classify(ihc, None, None, None)

    assert (found.result, found.label, found.group) == (result, label, None)
    assert found.needs == (("in-situ hybridisation (ISH)",) if ihc is TWO else ())
    assert found.source == SOURCE


# Group 1 to 5, each at its lower edge → what IHC None, 0, 1+, 2+, 3+ make of it.
DUAL_PROBE = [
    (4.0, 2.0, 1, (POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE)),
    (3.99, 2.0, 2, (EQUIVOCAL, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
    (6.0, 1.99, 3, (EQUIVOCAL, NEGATIVE, NEGATIVE, POSITIVE, POSITIVE)),
    (4.0, 1.99, 4, (EQUIVOCAL, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
    (5.99, 1.0, 4, (EQUIVOCAL, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
    (3.99, 1.99, 5, (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
    (0.0, 0.0, 5, (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
]
LABELS = {None: None, ZERO: HER2_0, ONE: LOW, TWO: LOW, THREE: None}


@pytest.mark.parametrize(("copies", "ratio", "group", "results"), DUAL_PROBE)
def test_dual_probe_with_each_score(copies: float, ratio: float, group: int, results: tuple[Her2Result, ...]) -> None:
    for ihc, result in zip((None, ZERO, ONE, TWO, THREE), results, strict=True):
        found = classify(ihc, DUAL, copies, ratio)

        assert (found.result, found.group) == (result, group), ihc
        assert found.label is (LABELS[ihc] if result is NEGATIVE else None), ihc
        assert found.needs == (("the IHC score",) if result is EQUIVOCAL else ())
        assert f"group {group}" in found.rule


@pytest.mark.parametrize(
    ("copies", "results"),
    [
        (6.0, (POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE)),
        (5.99, (EQUIVOCAL, NEGATIVE, NEGATIVE, EQUIVOCAL, POSITIVE)),
        (4.0, (EQUIVOCAL, NEGATIVE, NEGATIVE, EQUIVOCAL, POSITIVE)),
        (3.99, (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE)),
    ],
)
def test_single_probe_with_each_score(copies: float, results: tuple[Her2Result, ...]) -> None:
    for ihc, result in zip((None, ZERO, ONE, TWO, THREE), results, strict=True):
        found = classify(ihc, SINGLE, copies, None)

        assert (found.result, found.group) == (result, None), ihc
        assert found.label is (LABELS[ihc] if result is NEGATIVE else None), ihc
        assert found.needs == (("ISH with a dual probe",) if result is EQUIVOCAL else ())


@pytest.mark.parametrize(
    ("ihc", "probe", "copies", "ratio"),
    [(ZERO, DUAL, 9, 3), (ONE, DUAL, 9, 3), (ONE, SINGLE, 9, None), (THREE, DUAL, 2, 1), (THREE, SINGLE, 2, None)],
)
def test_tests_that_contradict_each_other_are_positive_and_say_so(
    ihc: Her2Ihc, probe: IshProbe, copies: float, ratio: float | None
) -> None:
    found = classify(ihc, probe, copies, ratio)

    assert found.result is POSITIVE
    assert found.discordant
    assert "have both reviewed" in found.rule


@pytest.mark.parametrize(
    ("ihc", "probe", "copies", "ratio", "needs"),
    [
        (TWO, DUAL, None, None, ("the mean HER2 copies per cell", "the HER2/CEP17 ratio")),
        (TWO, DUAL, 5, None, ("the HER2/CEP17 ratio",)),
        (TWO, DUAL, None, 2.4, ("the mean HER2 copies per cell",)),
        (TWO, None, None, 2.4, ("the mean HER2 copies per cell",)),
        (TWO, SINGLE, None, None, ("the mean HER2 copies per cell",)),
        (TWO, None, 7, None, ("whether the ISH probe was single or dual",)),
        (None, None, 7, None, ("the IHC score", "whether the ISH probe was single or dual")),
        (None, DUAL, 7, None, ("the IHC score", "the HER2/CEP17 ratio")),
        (None, SINGLE, None, None, ("the IHC score", "the mean HER2 copies per cell")),
    ],
)
def test_what_is_missing_is_named(
    ihc: Her2Ihc | None, probe: IshProbe | None, copies: float | None, ratio: float | None, needs: tuple[str, ...]
) -> None:
    found = classify(ihc, probe, copies, ratio)

    assert (found.result, found.label, found.group) == (EQUIVOCAL, None, None)
    assert found.needs == needs


@pytest.mark.parametrize(("ihc", "result"), [(ZERO, NEGATIVE), (ONE, NEGATIVE), (THREE, POSITIVE)])
def test_a_score_that_decides_needs_no_whole_ish(ihc: Her2Ihc, result: Her2Result) -> None:
    for probe, copies, ratio in ((DUAL, 7, None), (DUAL, None, 2.4), (SINGLE, None, None), (None, 7, None)):
        assert classify(ihc, probe, copies, ratio).result is result


def test_nothing_is_not_assessed() -> None:
    found = classify(None, None, None, None)

    assert (found.result, found.label, found.group) == (Her2Result.NOT_ASSESSED, None, None)
    assert combine([]) == found
    assert combine([AssayReport(date(2026, 1, 2), None, None, None, None)]) == found


def test_a_ratio_without_a_probe_comes_from_a_dual_one() -> None:
    assert classify(TWO, None, 6.2, 2.4) == classify(TWO, DUAL, 6.2, 2.4)


def test_a_single_probe_has_no_ratio() -> None:
    with pytest.raises(DomainError, match=r"2\.4 cannot come from a single probe") as refused:
        classify(TWO, SINGLE, 6.2, 2.4)

    assert refused.value.field == "her2_cep17_ratio"
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("copies", "ratio", "field"),
    [
        (-0.1, 2, "her2_copies"),
        (200.1, 2, "her2_copies"),
        (math.nan, 2, "her2_copies"),
        (math.inf, 2, "her2_copies"),
        (5, -1, "her2_cep17_ratio"),
        (5, 101, "her2_cep17_ratio"),
        (None, math.nan, "her2_cep17_ratio"),
    ],
)
def test_impossible_numbers(copies: float | None, ratio: float, field: str) -> None:
    with pytest.raises(DomainError, match="no possible") as refused:
        classify(TWO, DUAL, copies, ratio)

    assert refused.value.field == field


COPIES = st.none() | st.floats(min_value=0, max_value=200)
RATIOS = st.none() | st.floats(min_value=0, max_value=100)


@given(st.sampled_from([None, *Her2Ihc]), st.sampled_from([None, *IshProbe]), COPIES, RATIOS)
def test_every_report_has_one_finding_that_holds_together(
    ihc: Her2Ihc | None, probe: IshProbe | None, copies: float | None, ratio: float | None
) -> None:
    if probe is SINGLE:
        ratio = None
    found = classify(ihc, probe, copies, ratio)

    assert (found.result in {EQUIVOCAL, Her2Result.NOT_ASSESSED}) == bool(found.needs)
    assert found.label is None or found.result is NEGATIVE
    assert found.rule.endswith(".")
    assert found.rule.count(". ") == 0
    assert not (ihc is THREE and found.result is not POSITIVE)


@given(st.floats(min_value=0, max_value=200), st.floats(min_value=0, max_value=100))
def test_the_groups_share_out_the_plane(copies: float, ratio: float) -> None:
    assert (ish_group(copies, ratio) <= 2) == (ratio >= 2)
    assert (ish_group(copies, ratio) in {2, 5}) == (copies < 4)


def report(
    day: int | None,
    ihc: Her2Ihc | None = None,
    probe: IshProbe | None = None,
    copies: float | None = None,
    ratio: float | None = None,
) -> AssayReport:
    return AssayReport((day and date(2026, 1, day)) or None, ihc, probe, copies, ratio)


def test_the_newest_score_goes_with_the_newest_ish() -> None:
    reports = [report(1, ONE), report(9, TWO), report(12, None, DUAL, 3, 1.2), report(4, None, DUAL, 9, 3)]

    for order in itertools.permutations(reports):
        found = combine(order)
        assert (found.result, found.label, found.group) == (NEGATIVE, LOW, 5)


def test_an_undated_report_is_the_oldest() -> None:
    assert combine([report(1, ONE), report(None, THREE)]).label is LOW
    assert combine([report(None, THREE)]).result is POSITIVE


def test_of_one_day_the_later_in_the_sequence_counts() -> None:
    assert combine([report(1, ONE), report(1, THREE)]).result is POSITIVE
    assert combine([report(1, THREE), report(1, ONE)]).result is NEGATIVE
    assert combine([report(None, THREE), report(None, ONE)]).result is NEGATIVE


def test_a_report_without_counts_hides_no_ish() -> None:
    assert combine([report(1, TWO, DUAL, 9, 3), report(5, None, DUAL)]).result is POSITIVE
