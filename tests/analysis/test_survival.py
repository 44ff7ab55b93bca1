from __future__ import annotations

import csv
import math
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.analysis.survival import Followed, as_steps, kaplan_meier, log_rank, numbers_at_risk, risk_days
from lims.commands.warm import STATISTICS

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "survival"


def _rows(name: str) -> list[dict[str, str]]:
    if not (REFERENCE / name).exists():
        pytest.skip(f"the reference data {name} are not here")
    with (REFERENCE / name).open(newline="") as file:
        return list(csv.DictReader(file))


def _reference() -> dict[str, list[Followed]]:
    groups: dict[str, list[Followed]] = defaultdict(list)
    for row in _rows("tumgrowth_TFS_time_event.csv"):
        groups[row["group"]].append(Followed(row["animal"], float(row["time"]), row["event"] == "1"))
    return groups


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)


def test_medians_and_their_limits_agree_with_the_reference() -> None:
    groups = _reference()
    for row in _rows("expected_medians.csv"):
        curve = kaplan_meier(row["group"], groups[row["group"]])
        assert (curve.n, curve.events) == (int(row["n"]), int(row["events"]))
        assert (curve.median, curve.median_lower, curve.median_upper) == (
            _number(row["median"]),
            _number(row["lcl95"]),
            _number(row["ucl95"]),
        ), row["group"]


def test_the_log_rank_test_agrees_with_the_reference() -> None:
    (row,) = _rows("expected_logrank.csv")
    found = log_rank(_reference())
    assert found.chi_squared == pytest.approx(float(row["logrank_chisq"]), rel=1e-9)
    assert found.degrees == int(row["df"])
    assert found.p == pytest.approx(float(row["p"]), rel=1e-9)


def _followed(*days: float, censored: tuple[float, ...] = ()) -> list[Followed]:
    ends = [(day, True) for day in days] + [(day, False) for day in censored]
    return [Followed(f"M{number}", day, event) for number, (day, event) in enumerate(ends)]


def test_the_estimate_is_the_product_of_the_fractions_that_lived_on() -> None:
    curve = kaplan_meier("a", _followed(10, 20, 20, 40, censored=(15, 40)))
    assert curve.days == (10, 15, 20, 40)
    assert curve.survival == pytest.approx((5 / 6, 5 / 6, 5 / 6 * 2 / 4, 5 / 6 * 2 / 4 * 1 / 2))
    assert curve.at_risk == (6, 5, 4, 2)
    assert (curve.died, curve.censored) == ((1, 0, 2, 1), (0, 1, 0, 1))
    assert curve.lower[0] == pytest.approx(5 / 6 * math.exp(-1.959964 * math.sqrt(1 / 30)))


@pytest.mark.parametrize(
    ("animals", "median"),
    [
        (_followed(10, 20, 30, 40), 25),  # S is ½ from 20 to 30
        (_followed(10, 20, 30), 20),
        (_followed(10, censored=(30, 30, 30)), None),
        (_followed(10, 20, censored=(30, 30)), 20),  # stays at ½ to the end
        (_followed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 5.5),
    ],
)
def test_the_median_is_the_middle_of_the_time_spent_at_one_half(animals: list[Followed], median: float | None) -> None:
    assert kaplan_meier("a", animals).median == median


@pytest.mark.parametrize(
    ("groups", "why_not"),
    [
        ({"a": _followed(1, 2), "b": []}, "two arms"),
        ({"a": _followed(censored=(3, 4)), "b": _followed(censored=(5,))}, "No animal had an event"),
        ({"a": _followed(30, censored=(12,)), "b": _followed(30, 30)}, r"last day \(30\)"),
    ],
)
def test_what_cannot_be_estimated_says_why(groups: dict[str, list[Followed]], why_not: str) -> None:
    found = log_rank(groups)
    assert (found.p, found.chi_squared) == (None, None)
    with pytest.raises(AssertionError, match=why_not):
        raise AssertionError(found.why_not)


@pytest.mark.parametrize("animals", [[], _followed(-1), _followed(math.nan)])
def test_a_group_that_cannot_be_followed_is_refused(animals: list[Followed]) -> None:
    with pytest.raises(ValueError, match="group a"):
        kaplan_meier("a", animals)


def test_numbers_at_risk_stand_at_round_days() -> None:
    animals = _followed(10, 20, 45, censored=(30,))
    days = risk_days(animals)
    assert days == [0, 7, 14, 21, 28, 35, 42]
    assert numbers_at_risk(animals, days) == [4, 4, 3, 2, 2, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=40))
def test_a_curve_falls_from_one_and_keeps_its_limits(ends: list[tuple[int, bool]]) -> None:
    curve = kaplan_meier("a", [Followed(str(number), day, event) for number, (day, event) in enumerate(ends)])
    corners = as_steps(curve)
    assert corners[0] == (0.0, 1.0)
    assert all(0 <= later <= earlier for (_, earlier), (_, later) in pairwise(corners))
    for value, low, high in zip(curve.survival, curve.lower, curve.upper, strict=True):
        assert math.isnan(low) == (value < 1e-9)
        assert value < 1e-9 or low <= value <= high
    assert sum(curve.died) + sum(curve.censored) == curve.n


def test_what_a_server_loads_when_it_is_idle_is_what_curves_are_estimated_with() -> None:
    kaplan_meier("A", [Followed("M1", 3.0, True)])
    assert STATISTICS in sys.modules
