"""The slot of a reading: the moment it stands for, as text that is the same on every database.

A slot with subject, kind and occurrence identifies a reading, so a file that is imported again adds nothing, whoever
does it and however often.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

UNDATED = "s"
"""Begins the slot of a day that nobody dated; those of dates and times come before it."""


def date_slot(taken_on: date) -> str:
    """`2026-11-02`: the source gives a date only."""
    return taken_on.isoformat()


def moment_slot(taken_at: datetime) -> str:
    """`2026-11-02T10:14:05Z`: the source gives a time; `taken_at` is aware."""
    return taken_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_slot(study: int | str, day: float) -> str:
    """`s3d14`: day 14 of study 3, whose day 0 has no date."""
    return f"{UNDATED}{study}d{day + 0.0:.10g}"  # -0 is day 0


def local_moment(naive: datetime, zone: ZoneInfo) -> datetime:
    """Read a file's local time in the lab's zone; gives UTC. In the hour that occurs twice, the first one is meant."""
    try:
        return naive.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # hours from the first or the last day of the calendar: no reading of anybody's
        return naive.replace(tzinfo=UTC)


LONGEST_STUDY_DAYS = 3_650
"""A mouse lives for three years: a day further than ten years from day 0 is a date or a mistake."""


def dated(day: float, day_zero: date) -> date | None:
    """Give the date of a study day; a fraction of a day belongs to its day. `None` for a day no study reaches."""
    if abs(day) > LONGEST_STUDY_DAYS:
        return None
    try:
        return day_zero + timedelta(days=int(day // 1))
    except OverflowError:  # a day 0 at the end of the calendar
        return None
