"""Humane endpoints: levels and sentences by cases, and what a new value asks of people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, WeightBaseline
from lims.domain.endpoints import (
    RANGES,
    USUAL,
    Course,
    Finding,
    Response,
    Rule,
    Standing,
    Step,
    Worst,
    judge,
    require_rule,
    respond,
    tumour_burden_percent,
    weight_loss_percent,
)
from lims.domain.errors import DomainError

ACT, WATCH = EndpointLevel.ACT, EndpointLevel.WATCH
START = date(2026, 2, 20)
LOSS, NEURO, CONDITION = EndpointMeasure.WEIGHT_LOSS, EndpointMeasure.NEUROLOGICAL_SCORE, EndpointMeasure.BODY_CONDITION
VOLUME, BURDEN = EndpointMeasure.TUMOUR_VOLUME, EndpointMeasure.TUMOUR_BURDEN
PEAK, IMPLANTED, ZERO = WeightBaseline.PEAK, WeightBaseline.IMPLANT_DAY, WeightBaseline.DAY_ZERO


def day(number: int) -> date:
    return START + timedelta(days=number)


def days(**values: float) -> dict[date, Worst]:
    """Give values by day: `d3=20.1`."""
    return {day(int(name[1:])): Worst(value) for name, value in values.items()}


def levels(rule: Rule, course: Course) -> list[EndpointLevel | None]:
    return [one.level for one in judge(rule, course)]


@pytest.mark.parametrize(
    ("baseline", "weights", "expected"),
    [
        (IMPLANTED, {"d0": 21.4, "d28": 17.1}, [None, ACT]),
        (IMPLANTED, {"d0": 20.0, "d7": 16.0}, [None, ACT]),  # exactly 20 %
        (IMPLANTED, {"d0": 21.4, "d7": 17.12}, [None, ACT]),  # exactly 20 % but for binary fractions
        (IMPLANTED, {"d0": 20.0, "d7": 16.1, "d8": 17.0, "d9": 17.1}, [None, WATCH, WATCH, None]),
        (IMPLANTED, {"d0": 20.0, "d7": 26.0, "d9": 20.5}, [None, None, None]),  # a gain, then still above the implant day
        (PEAK, {"d0": 20.0, "d7": 26.0, "d9": 20.5}, [None, None, ACT]),
        (ZERO, {"d0": 25.0, "d14": 20.0, "d20": 17.0}, [None, None, WATCH]),  # what was lost before day 0 does not count
    ],
)
def test_weight_loss_counts_from_its_baseline(baseline: WeightBaseline, weights: dict[str, float], expected: list[object]) -> None:
    course = Course(days(**weights), implanted_on=START, day_zero_on=day(14))
    assert levels(Rule(LOSS, 20, 15, baseline=baseline), course) == expected


def test_the_sentence_names_weight_baseline_and_limit() -> None:
    course = Course(days(d0=21.4, d28=17.1), implanted_on=START)
    told = judge(Rule(LOSS, 20, 15, baseline=IMPLANTED), course)[-1].said
    assert told == "Weight 17.1 g on 2026-03-20 is 20.1 % below the weight of implant day, 21.4 g on 2026-02-20: act at 20 %"


@pytest.mark.parametrize(
    ("implanted", "weights", "said"),
    [
        (day(2), {"d0": 21.0, "d9": 16.0}, "the last weight before implant day, 21.0 g on 2026-02-20"),
        (day(-3), {"d0": 21.0, "d9": 16.0}, "the first weight after implant day, 21.0 g on 2026-02-20"),
        (None, {"d0": 21.0, "d9": 16.0}, "the first weight, 21.0 g on 2026-02-20"),
    ],
)
def test_a_baseline_that_was_not_weighed_is_told(implanted: date | None, weights: dict[str, float], said: str) -> None:
    found = judge(Rule(LOSS, 20, baseline=IMPLANTED), Course(days(**weights), implanted_on=implanted))
    assert said in found[-1].said
    assert found[-1].level is ACT


def test_consecutive_days_are_measured_days_in_a_row() -> None:
    rule = Rule(LOSS, 15, 10, consecutive_days=2, baseline=PEAK)
    course = Course(days(d0=20.0, d1=16.9, d2=18.5, d3=16.9, d6=16.8, d7=17.5))
    assert levels(rule, course) == [None, WATCH, None, WATCH, ACT, WATCH]
    assert judge(rule, course)[1].said.endswith("act at 15 % on 2 measured days in a row, 1 so far")


@pytest.mark.parametrize(
    ("rule", "course", "expected", "said"),
    [
        (
            Rule(NEURO, 3, 2),
            Course(neurological=days(d0=1, d1=2, d2=3)),
            [None, WATCH, ACT],
            "Neurological score 3 on 2026-02-22: act at 3",
        ),
        (
            Rule(CONDITION, 1, 2),
            Course(condition=days(d0=3, d1=2, d2=1)),
            [None, WATCH, ACT],
            "Body condition 1 on 2026-02-22: act at 1 or less",
        ),
        (
            Rule(VOLUME, 1_500, 1_200),
            Course(volumes={day(0): Worst(1_199.9), day(1): Worst(1_200), day(2): Worst(1_620, None, 2)}),
            [None, WATCH, ACT],
            "Tumour volume 1,620 mm³ (2 tumours) on 2026-02-22: act at 1,500 mm³",
        ),
        (
            Rule(BURDEN, 10),
            Course(weights=days(d0=20.0), volumes=days(d0=1_999, d2=2_000)),
            [None, ACT],
            "Tumour burden 10.0 % on 2026-02-22, 2,000 mm³ at 1 g/cm³ in an animal of 20.0 g: act at 10 %",
        ),
        (Rule(BURDEN, 10), Course(weights=days(d3=20.0), volumes=days(d0=9_000)), [], None),  # not weighed yet
        (Rule(VOLUME, 1_500), Course(), [], None),
    ],
)
def test_scores_volume_and_burden(rule: Rule, course: Course, expected: list[object], said: str | None) -> None:
    found = judge(rule, course)
    assert [one.level for one in found] == expected
    assert said is None or found[-1].said == said


def test_percentages_are_plain() -> None:
    assert weight_loss_percent(18, 20) == 10
    assert weight_loss_percent(22, 20) == -10
    assert tumour_burden_percent(2_000, 20) == 10


@pytest.mark.parametrize("rule", USUAL)
def test_the_usual_rules_are_rules(rule: Rule) -> None:
    require_rule(rule)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(LOSS, 20, 20, baseline=PEAK), "watch_at"),
        (Rule(LOSS, 20, 25, baseline=PEAK), "watch_at"),
        (Rule(CONDITION, 2, 1), "watch_at"),
        (Rule(CONDITION, 0.5), "act_at"),
        (Rule(LOSS, 90, baseline=PEAK), "act_at"),
        (Rule(LOSS, 20, 0, baseline=PEAK), "watch_at"),
        (Rule(NEURO, 30), "act_at"),
        (Rule(LOSS, 20), "baseline"),
        (Rule(VOLUME, 1_500, baseline=PEAK), "baseline"),
    ],
)
def test_rules_that_cannot_be_are_refused(rule: Rule, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        require_rule(rule)
    assert refused.value.field == field
    assert refused.value.expected
    assert refused.value.source


def test_every_measure_has_a_range() -> None:
    assert RANGES.keys() == set(EndpointMeasure)


def findings(*given: EndpointLevel | None) -> list[Finding]:
    """Give a finding for each day from d0 on."""
    return [Finding(day(number), 0, level, f"d{number}".__str__) for number, level in enumerate(given)]


def standing(level: EndpointLevel, on: int, until: int | None = None, note: str | None = None) -> Standing:
    state = ActionState.OPEN if until is None else ActionState.DEFERRED
    return Standing(level, state, day(on), None if until is None else day(until), note)


@pytest.mark.parametrize(
    ("found", "touched", "stands", "step", "on"),
    [
        (findings(None, WATCH), [1], None, Step.OPENED, 1),
        (findings(None, WATCH, ACT, ACT), [0, 1, 2, 3], None, Step.OPENED, 2),  # the first day of the worst level
        (findings(None, None), [0, 1], None, None, None),
        (findings(ACT, None, None), [2], None, None, None),  # what an older value asked for is not asked again
        (findings(WATCH, ACT), [1], standing(WATCH, 0), Step.RAISED, 1),
        (findings(ACT, ACT), [1], standing(ACT, 0), None, None),
        (findings(ACT, WATCH), [1], standing(ACT, 0), None, None),
        (findings(None, ACT), [0], standing(ACT, 0), Step.MOVED, 1),  # the value was corrected, a later one still asks
        (findings(ACT, ACT, ACT), [1], standing(ACT, 0, until=2), None, None),  # within the deferral
        (findings(ACT, ACT, ACT, ACT), [3], standing(ACT, 0, until=2), Step.REOPENED, 3),
        (findings(WATCH, ACT), [1], standing(WATCH, 0, until=4), Step.REOPENED, 1),  # worse than what was deferred
        (findings(ACT, ACT, WATCH), [2], standing(ACT, 0, until=1), None, None),
    ],
)
def test_what_a_new_value_asks(
    found: list[Finding], touched: list[int], stands: Standing | None, step: Step | None, on: int | None
) -> None:
    answer = respond(found, {day(one) for one in touched}, stands, None)
    assert (answer and answer.step) == step
    if on is not None:
        assert answer is not None
        assert answer.finding == found[on]


def test_a_value_that_no_longer_reaches_it_is_noted_and_the_action_stays() -> None:
    better = respond(findings(ACT, None), {day(1)}, standing(ACT, 0), None)
    assert better == Response(Step.NOTED, note="d1: it no longer reaches the endpoint.")
    corrected = respond(findings(None, None), {day(0)}, standing(ACT, 0), None)
    assert corrected == Response(Step.NOTED, note="What is recorded of 2026-02-20 no longer reaches the endpoint. d0.")
    taken_back = respond([], {day(0)}, standing(ACT, 0), None)
    assert taken_back == Response(Step.NOTED, note="What is recorded of 2026-02-20 no longer reaches the endpoint.")
    assert respond(findings(ACT, None), {day(1)}, standing(ACT, 0, note="d1: it no longer reaches the endpoint."), None) is None
    again = respond(findings(ACT, None, ACT), {day(2)}, standing(ACT, 0, note="d1: it no longer reaches the endpoint."), None)
    assert again == Response(Step.NOTED, note=None)


def test_days_that_people_answered_are_not_asked_again() -> None:
    shifted = findings(None, ACT, None)
    assert respond(shifted, {day(0)}, None, day(1)) is None
    assert respond(shifted, {day(0)}, None, day(0)) == Response(Step.OPENED, shifted[1])
    assert respond(shifted, {day(1)}, None, day(1)) == Response(Step.OPENED, shifted[1])
