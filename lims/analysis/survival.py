"""Survival of cohorts: Kaplan–Meier curves, medians with intervals, the log-rank test, numbers at risk.

Sources: Kaplan and Meier, J Am Stat Assoc 53:457 (1958); Greenwood's variance with limits on the log scale and the midpoint
convention for quantiles, both as R's survival::survfit has them (Therneau and Grambsch 2000); log-rank for several groups:
Mantel, Cancer Chemother Rep 50:163 (1966). Days are study days of the event, or of the last day an animal was followed.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress, pairwise
from typing import NamedTuple, Protocol

VERSION = "survival/1"
"""Name and version of these definitions, kept with every result."""
Z_95 = 1.959963984540054
_HALF = 0.5
_EQUAL = 1e-9
"""S is a product of fractions: one that should be ½ differs from it in the last digits."""


class Ended(Protocol):
    """What the analysis takes of an animal: how long it was followed, in days, and whether its end was an event."""

    @property
    def days(self) -> float:
        """Give how long it was followed."""
        ...

    @property
    def event(self) -> bool:
        """Tell whether its end was an event; otherwise it is censored."""
        ...


class Followed(NamedTuple):
    """One animal: how long it was followed, in days, and whether its end was an event; otherwise it is censored."""

    animal: str
    days: float
    event: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """One group's Kaplan–Meier curve, as steps: `survival[i]` holds from `days[i]` until the next step.

    at_risk, events, censored: counts at each step. lower, upper: 95 % limits on the log scale. median: in days, None where the
    curve does not reach one half; so its limits.
    """

    group: str
    n: int
    events: int
    days: tuple[float, ...]
    survival: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    at_risk: tuple[int, ...]
    died: tuple[int, ...]
    censored: tuple[int, ...]
    median: float | None
    median_lower: float | None
    median_upper: float | None


@dataclass(frozen=True, slots=True)
class LogRank:
    """The test that groups have one survival curve. why_not: why it cannot be estimated, where it cannot."""

    chi_squared: float | None
    degrees: int
    p: float | None
    why_not: str | None = None


def kaplan_meier(group: str, animals: Sequence[Ended]) -> Curve:
    """Estimate one group's curve.

    Raises:
        ValueError: there is no animal, or one was followed for less than no time.
    """
    if not animals:
        raise ValueError(f"group {group} has no animal")
    followed, events = [one.days for one in animals], [one.event for one in animals]
    if not all(map(math.isfinite, followed)) or min(followed) < 0:
        raise ValueError(f"group {group} has an animal followed for no finite time")
    from statsmodels.duration.survfunc import SurvfuncRight

    estimate = SurvfuncRight(followed, list(map(int, events)))
    ended, died = Counter(followed), Counter(compress(followed, events))
    days = tuple(sorted(ended))
    survival, lower, upper = _columns_at(days, estimate.surv_times, estimate.surv_prob, estimate.surv_prob_se)
    return Curve(
        group,
        len(animals),
        died.total(),
        days,
        survival,
        lower,
        upper,
        tuple(len(animals) - before for before in accumulate([ended[day] for day in days[:-1]], initial=0)),
        tuple(died[day] for day in days),
        tuple(ended[day] - died[day] for day in days),
        _half(days, survival),
        _half(days, lower),
        _half(days, upper),
    )


def _columns_at(
    days: Sequence[float], times: Iterable[float], shares: Sequence[float], errors: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Give the share and its limits on each day, by the estimate at the last event up to it."""
    at_event = {float(day): place for place, day in enumerate(times)}
    steps = [(1.0, 1.0, 1.0)]
    for day in days:
        place = at_event.get(day)
        share = None if place is None else float(shares[place])
        steps.append(steps[-1] if place is None or share is None else (share, *_limits(share, float(errors[place]))))
    survival, lower, upper = zip(*steps[1:], strict=True)
    return survival, lower, upper


def _limits(survival: float, error: float) -> tuple[float, float]:
    """Give 95 % limits on the log scale; of a group that died out they are not known."""
    if survival <= _EQUAL:
        return math.nan, math.nan
    spread = Z_95 * error / survival
    return survival * math.exp(-spread), min(survival * math.exp(spread), 1.0)


def _half(days: Sequence[float], curve: Sequence[float]) -> float | None:
    """Give the day on which a curve falls to one half; where it stays at one half for a while, the middle of that while.

    Where a group died out, its limits end with the day before: they are not known any more, as in R.
    """
    for place, (day, at) in enumerate(zip(days, curve, strict=True)):
        if math.isnan(at):
            return None
        if abs(at - _HALF) < _EQUAL:
            later = next(
                (
                    one
                    for one, value in zip(days[place:], curve[place:], strict=True)
                    if _HALF - value > _EQUAL or math.isnan(value)
                ),
                None,
            )
            return day if later is None else (day + later) / 2
        if at < _HALF:
            return day
    return None


def log_rank(groups: Mapping[str, Sequence[Ended]]) -> LogRank:
    """Test whether the groups differ; two groups or more with animals in them."""
    filled = [animals for animals in groups.values() if animals]
    degrees = max(len(filled) - 1, 0)
    days = [one.days for animals in filled for one in animals]
    events = [one.event for animals in filled for one in animals]
    if why_not := _why_not(len(filled), days, events):
        return LogRank(None, degrees, None, why_not)
    from statsmodels.duration.survfunc import survdiff

    numbers = [number for number, animals in enumerate(filled) for _ in animals]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a group that is alone at risk: its terms are 0 and count as such
        chi_squared, p = survdiff(days, list(map(int, events)), numbers)
    return LogRank(float(chi_squared), degrees, float(p))


def _why_not(groups: int, days: Sequence[float], events: Sequence[bool]) -> str | None:
    if groups < 2:
        return "It takes two arms with animals."
    with_events = set(compress(days, events))
    if not with_events:
        return "No animal had an event."
    last = max(days)
    if with_events == {last}:
        return f"All events fall on the last day ({last:g}): the order of the arms is not known."
    return None


def numbers_at_risk(animals: Sequence[Ended], days: Sequence[float]) -> list[int]:
    """Count the animals that were followed up to each day or longer."""
    ends = sorted(one.days for one in animals)
    return [len(ends) - bisect_left(ends, day) for day in days]


def risk_days(animals: Sequence[Ended], most: int = 7) -> list[float]:
    """Choose round days for a table of numbers at risk, from 0 on."""
    last = max((one.days for one in animals), default=0.0)
    step = next(size for size in (1, 2, 5, 7, 10, 14, 20, 28, 50, 56, 100, 200, 500, 1_000, 10_000) if last / size < most)
    return [float(step * number) for number in range(int(last // step) + 1)]


def as_steps(curve: Curve) -> list[tuple[float, float]]:
    """Give the corners of the curve from day 0, S = 1, to be joined by steps."""
    corners = [(0.0, 1.0)]
    for day, value in zip(curve.days, curve.survival, strict=True):
        corners.append((day, value))
    assert all(first[0] <= then[0] for first, then in pairwise(corners))  # noqa: S101  # days are not negative and sorted
    return corners
