"""Slots: the moment a reading stands for, as text."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.slots import LONGEST_STUDY_DAYS, date_slot, dated, day_slot, local_moment, moment_slot

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SENSIBLE = st.datetimes(datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2100-01-01"))


def test_each_clock_has_its_form() -> None:
    assert date_slot(date(2026, 11, 2)) == "2026-11-02"
    assert moment_slot(datetime(2026, 11, 2, 11, 14, 5, tzinfo=AMSTERDAM)) == "2026-11-02T10:14:05Z"
    assert [day_slot(3, day) for day in (14, 14.0, -7, 0.5, -0.0, 100.0001)] == [
        "s3d14",
        "s3d14",
        "s3d-7",
        "s3d0.5",
        "s3d0",
        "s3d100.0001",
    ]


@given(SENSIBLE)
def test_a_local_time_comes_back_from_utc_unless_the_clocks_skipped_it(naive: datetime) -> None:
    moment = local_moment(naive, AMSTERDAM)

    assert moment.tzinfo is UTC
    back = moment.astimezone(AMSTERDAM).replace(tzinfo=None)
    skipped = timedelta(hours=1) if back != naive else timedelta()
    assert back - naive == skipped


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2025-03-30 01:59", "2025-03-30T00:59:00Z"),
        ("2025-03-30 02:30", "2025-03-30T01:30:00Z"),  # skipped: no clock showed it
        ("2025-03-30 03:00", "2025-03-30T01:00:00Z"),
        ("2025-10-26 02:30", "2025-10-26T00:30:00Z"),  # shown twice: the first
        ("2025-10-26 03:00", "2025-10-26T02:00:00Z"),
    ],
)
def test_both_changes_of_clocks(local: str, utc: str) -> None:
    assert moment_slot(local_moment(datetime.fromisoformat(local), AMSTERDAM)) == utc


@given(st.datetimes(), st.sampled_from(["Europe/Amsterdam", "America/New_York", "Pacific/Kiritimati", "UTC"]))
def test_no_time_of_the_calendar_is_stumbled_over(naive: datetime, zone: str) -> None:
    assert len(moment_slot(local_moment(naive, ZoneInfo(zone)))) <= 40


def test_a_fraction_of_a_day_belongs_to_its_day() -> None:
    zero = date(2026, 3, 2)

    assert [dated(day, zero) for day in (0, 0.9, 1, -0.1, -1)] == [
        date(2026, 3, 2),
        date(2026, 3, 2),
        date(2026, 3, 3),
        date(2026, 3, 1),
        date(2026, 3, 1),
    ]


@given(st.floats(allow_nan=False, allow_infinity=False), st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 1, 1)))
def test_a_day_that_no_study_reaches_has_no_date(day: float, zero: date) -> None:
    assert (dated(day, zero) is None) == (abs(day) > LONGEST_STUDY_DAYS)
    assert len(day_slot(2**40, day)) <= 40


def test_no_date_lies_beyond_the_calendar() -> None:
    assert dated(1, date.max) is None


@given(st.floats(min_value=-LONGEST_STUDY_DAYS, max_value=LONGEST_STUDY_DAYS))
def test_the_slot_of_a_day_is_a_number_again(day: float) -> None:
    assert math.isclose(float(day_slot(1, day).removeprefix("s1d")), day, rel_tol=1e-9, abs_tol=1e-300)
    assert unicodedata.is_normalized("NFC", day_slot(1, day))
