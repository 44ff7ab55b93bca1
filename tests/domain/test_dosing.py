"""What an animal is to be given, and how much of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.cohort_terms import DoseRoute, DoseState, DoseUnit, RegimenStart
from lims.domain.dosing import (
    VOLUME_LIMITS,
    Course,
    DoseStanding,
    concentration_needed,
    dose_volume_ul,
    doubt_actual,
    doubt_volume,
    doubt_weight,
    expected_mg,
    first_day,
    planned_doses,
    require_lot,
    require_volume,
    same_until,
    standing,
)
from lims.domain.errors import DomainError
from lims.domain.schedules import parse_schedule

DAY = date(2026, 3, 2)


def on(day: int) -> date:
    return DAY + timedelta(days=day)


def test_it_starts_on_a_study_day_or_the_day_after_its_trigger() -> None:
    assert first_day(RegimenStart.STUDY_DAY, 14, DAY, None) == on(14)
    assert first_day(RegimenStart.STUDY_DAY, None, DAY, None) == DAY
    assert first_day(RegimenStart.STUDY_DAY, 14, None, None) is None
    assert first_day(RegimenStart.TRIGGER, None, DAY, on(9)) == on(10)
    assert first_day(RegimenStart.TRIGGER, None, DAY, None) is None


@pytest.mark.parametrize(
    ("course", "days"),
    [
        (Course(None), []),
        (Course(DAY), [0, 1, 2, 3, 4]),
        (Course(DAY, enrolled_on=on(2)), [2, 3, 4]),
        (Course(DAY, ends_on=on(3)), [0, 1, 2]),
        (Course(DAY, enrolled_on=on(2), ends_on=on(3)), [2]),
        (Course(DAY, ends_on=DAY), []),
        (Course(DAY, enrolled_on=on(9)), []),
    ],
)
def test_enrolment_and_end_bound_what_is_planned(course: Course, days: list[int]) -> None:
    assert [day for day, _ in planned_doses(parse_schedule("QDx5"), course)] == [on(day) for day in days]


def test_an_open_end_is_planned_as_far_as_asked() -> None:
    weekly = parse_schedule("QW")
    assert planned_doses(weekly, Course(DAY), last=on(15)) == ((on(0), 1), (on(7), 1), (on(14), 1))
    assert planned_doses(weekly, Course(DAY), first=on(7), last=on(7)) == ((on(7), 1),)
    assert planned_doses(weekly, Course(DAY, ends_on=on(8))) == ((on(0), 1), (on(7), 1))
    with pytest.raises(ValueError, match="until which day"):
        planned_doses(weekly, Course(DAY))


@given(st.integers(-5, 40), st.integers(-5, 40), st.sampled_from(["QDx21", "BIDx7", "Q3Wx2", "5on/2off x3", "3 Gy x 10", "QOD"]))
def test_a_window_is_a_part_of_the_whole(first: int, last: int, schedule: str) -> None:
    parsed, course = parse_schedule(schedule), Course(DAY, enrolled_on=on(1), ends_on=on(30))
    whole = planned_doses(parsed, course)
    within = planned_doses(parsed, course, first=on(first), last=on(last))
    assert within == tuple(one for one in whole if on(first) <= one[0] <= on(last))


def test_fractions_keep_off_the_weekend() -> None:
    wednesday = on(2)
    days = [day.weekday() for day, _ in planned_doses(parse_schedule("3 Gy x 10"), Course(wednesday))]
    assert days == [2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_where_a_dose_stands() -> None:
    assert [standing(on(day), on(3)) for day in (2, 3, 4)] == [DoseStanding.OVERDUE, DoseStanding.DUE, DoseStanding.PLANNED]
    assert standing(on(2), on(3), DoseState.HELD) is DoseStanding.HELD


def test_volume_and_amount_follow_from_the_weight() -> None:
    assert dose_volume_ul(10, 21.4) == 214
    assert dose_volume_ul(None, 21.4) is dose_volume_ul(10, None) is None
    assert expected_mg(10, DoseUnit.MG_PER_KG, 20) == pytest.approx(0.2)
    assert (
        expected_mg(10, DoseUnit.MG_PER_KG, None) is expected_mg(3, DoseUnit.GRAY, 20) is expected_mg(None, DoseUnit.MG, 20) is None
    )
    assert expected_mg(2, DoseUnit.MG, None) == 2
    assert concentration_needed(10, DoseUnit.MG_PER_KG, 5) == 2


# Route, usual and largest volume in a mouse of 20 g (Diehl et al. 2001, table 1).
LIMITS = [
    (DoseRoute.ORAL_GAVAGE, 200, 1000),
    (DoseRoute.SUBCUTANEOUS, 200, 800),
    (DoseRoute.INTRAPERITONEAL, 400, 1600),
    (DoseRoute.INTRAVENOUS, 100, 500),
    (DoseRoute.INTRAMUSCULAR, 50, 100),
]


@pytest.mark.parametrize(("route", "usual", "most"), LIMITS)
def test_each_route_takes_so_much(route: DoseRoute, usual: float, most: float) -> None:
    assert doubt_volume(route, usual, 20) is None
    assert doubt_volume(route, usual + 1, 20) is not None
    require_volume(route, most, 20)
    with pytest.raises(DomainError, match="more than a mouse takes") as error:
        require_volume(route, most + 1, 20)
    assert "Diehl" in str(error.value.source)


def test_routes_without_a_published_limit_pass() -> None:
    for route in set(DoseRoute) - set(VOLUME_LIMITS):
        require_volume(route, 10_000, 20)
        assert doubt_volume(route, 10_000, 20) is None


def test_a_weight_holds_three_days() -> None:
    assert doubt_weight(on(0), on(3)) is None
    assert doubt_weight(on(0), on(4)) is not None
    assert doubt_weight(None, on(4)) is not None


def test_a_tenth_more_or_less_is_no_rounding() -> None:
    assert doubt_actual(110, 100) is None
    assert "20 % less" in str(doubt_actual(80, 100))
    assert doubt_actual(80, None) is doubt_actual(None, 100) is None


def test_the_last_day_of_a_lot_counts() -> None:
    require_lot("L1", None, on(0), on(0), of_agent=True)
    with pytest.raises(DomainError, match="expired"):
        require_lot("L1", None, on(0), on(1), of_agent=True)


def test_what_was_planned_up_to_a_day() -> None:
    assert same_until(4, parse_schedule("QDx5"), parse_schedule("QDx21"))
    assert not same_until(5, parse_schedule("QDx5"), parse_schedule("QDx21"))
    assert not same_until(0, parse_schedule("2 Gy x 5"), parse_schedule("3 Gy x 5"))
