"""Humane endpoints: from which value an animal is watched, from which somebody acts, and what a new value asks of people.

Sources: Directive 2010/63/EU, article 13(3) and annex VIII (severity; humane endpoints); UKCCCR guidelines, Workman et al.,
Br J Cancer 102:1555, 2010 (weight loss, tumour burden); body condition: Ullman-Culleré and Foltz, Lab Anim Sci 49:319, 1999.
Days are the laboratory's dates. Of several readings of a day the worst counts: the lowest weight and body condition, the
highest score. A tumour's weight follows from its volume at 1 g/cm³.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, WeightBaseline
from lims.domain.errors import DomainError

SOURCE = "Directive 2010/63/EU, annex VIII; UKCCCR, Br J Cancer 102:1555, 2010"
BODY_CONDITION_SOURCE = "Ullman-Culleré and Foltz, Lab Anim Sci 49:319, 1999"
MM3_PER_GRAM = 1_000
"""Tumour tissue at 1 g/cm³."""
SLACK = 1e-9
"""A loss of exactly 20 % reaches 20 %, whatever binary fractions make of it."""
_RANK = {None: 0, EndpointLevel.WATCH: 1, EndpointLevel.ACT: 2}

UNITS: dict[EndpointMeasure, str] = {
    EndpointMeasure.WEIGHT_LOSS: "%",
    EndpointMeasure.NEUROLOGICAL_SCORE: "",
    EndpointMeasure.BODY_CONDITION: "",
    EndpointMeasure.TUMOUR_VOLUME: "mm³",
    EndpointMeasure.TUMOUR_BURDEN: "%",
}
RANGES: dict[EndpointMeasure, tuple[float, float]] = {
    EndpointMeasure.WEIGHT_LOSS: (1, 50),
    EndpointMeasure.NEUROLOGICAL_SCORE: (1, 10),
    EndpointMeasure.BODY_CONDITION: (1, 3),
    EndpointMeasure.TUMOUR_VOLUME: (10, 20_000),
    EndpointMeasure.TUMOUR_BURDEN: (1, 25),
}
"""What a limit can be, both ends included."""
WORDS: dict[EndpointMeasure, str] = {
    EndpointMeasure.WEIGHT_LOSS: "weight loss",
    EndpointMeasure.NEUROLOGICAL_SCORE: "neurological score",
    EndpointMeasure.BODY_CONDITION: "body condition",
    EndpointMeasure.TUMOUR_VOLUME: "tumour volume",
    EndpointMeasure.TUMOUR_BURDEN: "tumour burden",
}
BASELINE_WORDS: dict[WeightBaseline, str] = {
    WeightBaseline.DAY_ZERO: "study day 0",
    WeightBaseline.IMPLANT_DAY: "implant day",
    WeightBaseline.PEAK: "the highest weight so far",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """An endpoint of a protocol. act_at, watch_at: in the measure's unit. consecutive_days: measured days in a row."""

    measure: EndpointMeasure
    act_at: float
    watch_at: float | None = None
    consecutive_days: int = 1
    baseline: WeightBaseline | None = None


class Worst(NamedTuple):
    """The value of a day that counts. source: the id of its reading; tumours: of how many it is the sum."""

    value: float
    source: int | None = None
    tumours: int = 1


@dataclass(slots=True)
class Course:
    """What was measured of an animal, by day: weight in g, scores as scored, volume in mm³."""

    weights: dict[date, Worst] = field(default_factory=dict)
    neurological: dict[date, Worst] = field(default_factory=dict)
    condition: dict[date, Worst] = field(default_factory=dict)
    volumes: dict[date, Worst] = field(default_factory=dict)
    day_zero_on: date | None = None
    implanted_on: date | None = None


class Finding(NamedTuple):
    """What a rule makes of a day: how much there is of what it looks at, and at which level.

    tell: gives the sentence. Of hundreds of days that a value is judged with, hardly one is ever told.
    """

    on: date
    amount: float
    level: EndpointLevel | None
    tell: Callable[[], str]
    source: int | None = None

    @property
    def said(self) -> str:
        """Say it in a sentence."""
        return self.tell()


_Amount = tuple[date, Worst, float, Callable[[], str]]
"""Of a day: the reading, how much of what the rule looks at, and what gives the beginning of the sentence."""


def lower_is_worse(measure: EndpointMeasure) -> bool:
    """Tell whether a low value is the bad one: of body condition alone, which runs from 1, wasted, to 5, obese."""
    return measure is EndpointMeasure.BODY_CONDITION


def reaches(measure: EndpointMeasure, amount: float, limit: float) -> bool:
    """Tell whether an amount reaches a limit, the limit itself included."""
    return amount <= limit + SLACK if lower_is_worse(measure) else amount >= limit - SLACK


def require_rule(rule: Rule) -> None:
    """Refuse limits that cannot be, a watch that comes after the act, and a baseline where it is not weight.

    Raises:
        DomainError: on the rule's column.
    """
    low, high = RANGES[rule.measure]
    unit, said = UNITS[rule.measure], WORDS[rule.measure]
    source = BODY_CONDITION_SOURCE if lower_is_worse(rule.measure) else SOURCE
    for name, limit in (("act_at", rule.act_at), ("watch_at", rule.watch_at)):
        if limit is not None and not low <= limit <= high:
            raise DomainError(
                f"A {said} of {_number(limit, unit)} is no endpoint.",
                field=name,
                expected=f"{low:g} to {_number(high, unit)}",
                source=source,
            )
    if rule.watch_at is not None and reaches(rule.measure, rule.watch_at, rule.act_at):
        raise DomainError(
            f"Watching from {_number(rule.watch_at, unit)} begins no earlier than acting at {_number(rule.act_at, unit)}.",
            field="watch_at",
            expected=f"{'above' if lower_is_worse(rule.measure) else 'below'} {_number(rule.act_at, unit)}, or nothing",
            source=source,
        )
    if (rule.measure is EndpointMeasure.WEIGHT_LOSS) != (rule.baseline is not None):
        wanted = rule.baseline is None
        raise DomainError(
            "Which weight is the loss counted from?" if wanted else f"A {said} has no baseline.",
            field="baseline",
            expected="study day 0, the day of implanting, or the highest weight" if wanted else "none",
            source=source,
        )


def limit_words(rule: Rule) -> str:
    """Say where somebody acts: `act at 20 %`, `act at 15 % on 2 measured days in a row`."""
    way = " or less" if lower_is_worse(rule.measure) else ""
    days = f" on {rule.consecutive_days} measured days in a row" if rule.consecutive_days > 1 else ""
    return f"act at {_number(rule.act_at, UNITS[rule.measure])}{way}{days}"


def watch_words(rule: Rule) -> str:
    """Say from where the animal is watched: `watch from 10 %`."""
    assert rule.watch_at is not None  # noqa: S101  # asked where the rule has one
    way = " or less" if lower_is_worse(rule.measure) else ""
    return f"watch from {_number(rule.watch_at, UNITS[rule.measure])}{way}"


def judge(rule: Rule, course: Course) -> list[Finding]:
    """Judge every measured day of an animal by a rule, in order. A day without what the rule looks at has no finding."""
    found: list[Finding] = []
    row = 0
    for on, worst, amount, begin in _amounts(rule, course):
        row = row + 1 if reaches(rule.measure, amount, rule.act_at) else 0
        level = _level(rule, amount, row)
        tell = begin if level is None else partial(_said, begin, rule, level, row)
        found.append(Finding(on, amount, level, tell, worst.source))
    return found


def _said(begin: Callable[[], str], rule: Rule, level: EndpointLevel, row: int) -> str:
    return begin() + _limit_said(rule, level, row)


def _level(rule: Rule, amount: float, row: int) -> EndpointLevel | None:
    if row >= rule.consecutive_days:
        return EndpointLevel.ACT
    if row or (rule.watch_at is not None and reaches(rule.measure, amount, rule.watch_at)):
        return EndpointLevel.WATCH  # a day too few to act is a day to look closely
    return None


def _limit_said(rule: Rule, level: EndpointLevel, row: int) -> str:
    if level is EndpointLevel.ACT:
        return f": {limit_words(rule)}"
    return f": {limit_words(rule)}, {row} so far" if row else f": {watch_words(rule)}"


def _amounts(rule: Rule, course: Course) -> list[_Amount]:
    """Give what there is on each day, in order."""
    match rule.measure:
        case EndpointMeasure.WEIGHT_LOSS:
            return _weight_losses(course, rule.baseline or WeightBaseline.PEAK)
        case EndpointMeasure.NEUROLOGICAL_SCORE:
            return _scores("Neurological score", course.neurological)
        case EndpointMeasure.BODY_CONDITION:
            return _scores("Body condition", course.condition)
        case EndpointMeasure.TUMOUR_VOLUME:
            return [(on, one, one.value, partial(_volume_said, one, on)) for on, one in sorted(course.volumes.items())]
        case EndpointMeasure.TUMOUR_BURDEN:
            return _burdens(course)


def _scores(word: str, scored: Mapping[date, Worst]) -> list[_Amount]:
    return [(on, one, one.value, partial("{} {:g} on {}".format, word, one.value, on)) for on, one in sorted(scored.items())]


def _volume_said(one: Worst, on: date) -> str:
    return f"Tumour volume {_volume(one)} on {on}"


def weight_loss_percent(weight: float, baseline: float) -> float:
    """Give how much lighter than its baseline an animal is, in percent of the baseline; a gain is negative."""
    return (baseline - weight) / baseline * 100


def tumour_burden_percent(volume_mm3: float, weight_g: float) -> float:
    """Give the weight of tumours at 1 g/cm³ in percent of the animal's, as weighed with them."""
    return volume_mm3 / MM3_PER_GRAM / weight_g * 100


def _weight_losses(course: Course, baseline: WeightBaseline) -> list[_Amount]:
    days = sorted(course.weights.items())
    fixed = _baseline(days, course, baseline)
    found: list[_Amount] = []
    peak: tuple[date, float] | None = None
    for on, one in days:
        peak = (on, one.value) if peak is None or one.value > peak[1] else peak
        word, (since, weight) = fixed or (BASELINE_WORDS[baseline], peak)
        percent = weight_loss_percent(one.value, weight)
        found.append((on, one, percent, partial(_loss_said, one.value, on, percent, weight, word, since)))
    return found


def _loss_said(weight: float, on: date, percent: float, before: float, word: str, since: date) -> str:
    way = f"{percent:.1f} % below" if percent >= 0 else f"{-percent:.1f} % above"
    return f"Weight {weight:.1f} g on {on} is {way} {word}, {before:.1f} g on {since}"


def _baseline(
    days: Sequence[tuple[date, Worst]], course: Course, baseline: WeightBaseline
) -> tuple[str, tuple[date, float]] | None:
    """Give the day's weight, the last one before it, or the first after it; where nobody dated the day, the first weight."""
    if baseline is WeightBaseline.PEAK or not days:
        return None
    asked = course.day_zero_on if baseline is WeightBaseline.DAY_ZERO else course.implanted_on
    first = (days[0][0], days[0][1].value)
    if asked is None:
        return "the first weight", first
    on, weight = next(((on, one.value) for on, one in reversed(days) if on <= asked), first)
    word = BASELINE_WORDS[baseline]
    if on == asked:
        return f"the weight of {word}", (on, weight)
    return f"the {'last weight before' if on < asked else 'first weight after'} {word}", (on, weight)


def _burdens(course: Course) -> list[_Amount]:
    """Judge each volume with the weight of its day, or the last one before; without any there is no burden."""
    weighed = sorted(course.weights)
    found: list[_Amount] = []
    for on, one in sorted(course.volumes.items()):
        before = bisect_right(weighed, on)
        if before:
            weight = course.weights[weighed[before - 1]].value
            percent = tumour_burden_percent(one.value, weight)
            found.append((on, one, percent, partial(_burden_said, one, on, percent, weight)))
    return found


def _burden_said(one: Worst, on: date, percent: float, weight: float) -> str:
    return f"Tumour burden {percent:.1f} % on {on}, {_volume(one)} at 1 g/cm³ in an animal of {weight:.1f} g"


def _volume(one: Worst) -> str:
    of = f" ({one.tumours} tumours)" if one.tumours > 1 else ""
    return f"{one.value:,.0f} mm³{of}"


def _number(value: float, unit: str) -> str:
    return f"{value:,g} {unit}".strip()


# What a new value asks of people


class Step(StrEnum):
    """What becomes of an animal's action under a rule."""

    OPENED = "opened"
    RAISED = "raised"
    REOPENED = "reopened"
    MOVED = "moved"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Standing:
    """An action that nobody has answered for good."""

    level: EndpointLevel
    state: ActionState
    reached_on: date
    deferred_until: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What to do: an action from a finding, or a note on the one that stands (None takes the note away)."""

    step: Step
    finding: Finding | None = None
    note: str | None = None


def respond(
    findings: Sequence[Finding], touched: Collection[date], standing: Standing | None, answered_on: date | None
) -> Response | None:
    """Say what new or corrected values of some days ask for; None where nothing changes.

    A new value may shift the baseline of later days, so these are judged again, but for those that people answered
    (`answered_on`: when the last action of this rule was closed).
    """
    first = min(touched)
    judged = [one for one in findings if one.level and (one.on in touched or (one.on > first and not _answered(one, answered_on)))]
    if standing is None:
        worst = _worst(judged)
        return Response(Step.OPENED, worst) if worst else None
    if standing.state is ActionState.DEFERRED:
        again = [one for one in judged if _reopens(one, standing)]
        return Response(Step.REOPENED, _worst(again)) if again else _noted(findings, standing)
    worst = _worst(judged)
    if worst and _RANK[worst.level] > _RANK[standing.level]:
        return Response(Step.RAISED, worst)
    if not _holds(findings, standing):
        other = _worst([one for one in findings if not _answered(one, answered_on)])
        if other and _RANK[other.level] >= _RANK[standing.level]:
            return Response(Step.MOVED, other)
    return _noted(findings, standing)


def _answered(one: Finding, answered_on: date | None) -> bool:
    return answered_on is not None and one.on <= answered_on


def _worst(findings: Sequence[Finding]) -> Finding | None:
    """Give the first day of the highest level."""
    return max(findings, key=lambda one: (_RANK[one.level], -one.on.toordinal())) if any(one.level for one in findings) else None


def _reopens(one: Finding, standing: Standing) -> bool:
    """A deferral holds until its day, unless it gets worse than what was deferred."""
    after = standing.deferred_until is None or one.on > standing.deferred_until
    worse = _RANK[one.level] - _RANK[standing.level]
    return worse > 0 or (after and worse == 0)


def _holds(findings: Sequence[Finding], standing: Standing) -> bool:
    return any(one.on == standing.reached_on and _RANK[one.level] >= _RANK[standing.level] for one in findings)


def _noted(findings: Sequence[Finding], standing: Standing) -> Response | None:
    """Note that the value was taken back, or that the last one no longer reaches it: closing it still needs a person."""
    note = None
    if not _holds(findings, standing):
        now = next((f" {one.said}." for one in findings if one.on == standing.reached_on), "")
        note = f"What is recorded of {standing.reached_on} no longer reaches the endpoint.{now}"
    elif findings[-1].level is None:
        note = f"{findings[-1].said}: it no longer reaches the endpoint."
    return None if note == standing.note else Response(Step.NOTED, note=note)


# The usual rules


USUAL: tuple[Rule, ...] = (
    Rule(EndpointMeasure.WEIGHT_LOSS, 20, 15, baseline=WeightBaseline.IMPLANT_DAY),
    Rule(EndpointMeasure.NEUROLOGICAL_SCORE, 3, 2),
    Rule(EndpointMeasure.BODY_CONDITION, 1, 2),
    Rule(EndpointMeasure.TUMOUR_VOLUME, 1_500, 1_200),
    Rule(EndpointMeasure.TUMOUR_BURDEN, 10, 8),
)
"""Proposed for brain and mammary work; the protocol's own limits count. A proposal that a person takes over and changes."""
