"""Schedules: the field's notation read, written back, and counted out in days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.schedules import LONGEST_DAYS, parse_schedule

# What was typed → what is kept, how many doses, days from the first dose to the last.
READ = [
    ("QDx21", "QDx21", 21, 21),
    ("QD x 21", "QDx21", 21, 21),
    (" qd×21 ", "QDx21", 21, 21),
    ("QD*21", "QDx21", 21, 21),
    ("QD for 3 weeks", "QDx21", 21, 21),
    ("QDx21d", "QDx21", 21, 21),
    ("QD", "QD", None, None),
    ("BIDx14", "BIDx14", 28, 14),
    ("TID", "TID", None, None),
    ("QODx7", "QODx7", 7, 13),
    ("Q2Dx7", "QODx7", 7, 13),
    ("QOD x 14 days", "QODx7", 7, 13),
    ("Q3Dx4", "Q3Dx4", 4, 10),
    ("Q7Dx3", "QWx3", 3, 15),
    ("QW", "QW", None, None),
    ("qwk x 4", "QWx4", 4, 22),
    ("Q3Wx3", "Q3Wx3", 3, 43),
    ("Q21D x 3", "Q3Wx3", 3, 43),
    ("BIW", "BIW", None, None),
    ("BIWx4", "BIWx4", 8, 25),
    ("TIW x 2 weeks", "TIWx2", 6, 12),
    ("5on/2off", "5on/2off", None, None),
    ("5 on/2 off x4", "5on/2off x4", 20, 26),
    ("BID 5 days on / 2 days off x 3", "BID 5on/2off x3", 30, 19),
    ("21on/7off x2", "21on/7off x2", 42, 49),
    ("D1,4,8", "D1,4,8", 3, 8),
    ("d1, d4, d8", "D1,4,8", 3, 8),
    ("D1,2,3", "QDx3", 3, 3),
    ("D1,8 Q3Wx4", "D1,8 Q3Wx4", 8, 71),
    ("D1,4 QWx2", "BIWx2", 4, 11),
    ("single", "single", 1, 1),
    ("Once", "single", 1, 1),
    ("QDx1", "single", 1, 1),
    ("3 Gy x 10", "3 Gy x10", 10, 12),
    ("WBRT 3 Gy × 10", "3 Gy x10", 10, 12),
    ("1,8 Gy x 28", "1.8 Gy x28", 28, 38),
    ("20 Gy", "20 Gy x1", 1, 1),
]


@pytest.mark.parametrize(("typed", "kept", "total", "length"), READ)
def test_reads(typed: str, kept: str, total: int | None, length: int | None) -> None:
    schedule = parse_schedule(typed)

    assert (schedule.notation, schedule.total, schedule.length_days) == (kept, total, length)
    assert parse_schedule(kept) == schedule
    if total is not None:
        assert len(schedule.doses()) == total


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("QDx21", "once a day for 21 days: 21 doses on d0–d20"),
        ("BIDx1", "twice a day for 1 day: 2 doses on d0"),
        ("QD", "once a day, until the study ends"),
        ("Q2Dx2", "every other day, 2 times: 2 doses on d0, d2"),
        ("Q3Wx3", "every 3 weeks, 3 times: 3 doses on d0, d21, d42"),
        ("QWx4", "once a week, 4 times: 4 doses on d0, d7, d14, d21"),
        ("BIWx4", "twice a week for 4 weeks: 8 doses on d0, d3, d7, …, d24"),
        ("5on/2off x2", "once a day for 5 days, then 2 days off, for 2 weeks: 10 doses on d0–d4, d7–d11"),
        ("D1,8 Q3Wx2", "once a day on days 1,8 of every 3 weeks, 2 times: 4 doses on d0, d7, d21, d28"),
        ("BID D1 Q3Wx2", "twice a day on day 1 of every 3 weeks, 2 times: 4 doses on d0, d21"),
        ("D1,4", "once a day on the days listed: 2 doses on d0, d3"),
        ("single", "one dose on d0"),
        (
            "3 Gy x 10",
            "10 fractions of 3 Gy (30 Gy in all), 5 a week and none at weekends: on d0–d4, d7–d11 where d0 is a Monday",
        ),
    ],
)
def test_says_it_in_words(typed: str, said: str) -> None:
    assert parse_schedule(typed).words() == said


def test_words_count_from_the_day_it_starts_on() -> None:
    assert parse_schedule("QDx3").words(14) == "once a day for 3 days: 3 doses on d14–d16"


def test_doses_of_a_day_are_numbered() -> None:
    assert parse_schedule("BIDx2").doses() == ((0, 1), (0, 2), (1, 1), (1, 2))
    assert parse_schedule("TIWx2").doses() == ((0, 1), (2, 1), (4, 1), (7, 1), (9, 1), (11, 1))


def test_open_ended_goes_on_as_long_as_asked() -> None:
    weekly = parse_schedule("QW")

    assert weekly.doses(until=15) == ((0, 1), (7, 1), (14, 1))
    assert weekly.doses(until=-1) == ()
    with pytest.raises(ValueError, match="until which day"):
        weekly.doses()


def test_fractions_keep_off_weekends() -> None:
    wednesday = date(2026, 11, 4)
    schedule = parse_schedule("3 Gy x 5")

    assert [day for day, _ in schedule.doses(starts_on=wednesday)] == [0, 1, 2, 5, 6]
    assert [day for day, _ in schedule.doses(starts_on=date(2026, 11, 7))] == [2, 3, 4, 5, 6]
    assert [day for day, _ in schedule.doses(starts_on=wednesday, until=4)] == [0, 1, 2]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "x",
        "x3",
        "every now and then",
        "QDx0",
        "Q0D",
        "QDx",
        "QD21",
        "BID QW",
        "QW 5on/2off",
        "D0,3",
        "D4,8",
        "D1,8,4",
        "D1,4x3",
        "D1 4 8",
        "D1,30 Q3Wx2",
        "0on/2off",
        "5on/0off",
        "0 Gy x 10",
        "3 Gy x 0",
        "Q3Wx3 apples",
        "BIW x 10 days",
        "QDx٣x",
        f"QDx{LONGEST_DAYS + 1}",
        "Q99999W",
        "QDx99999999999999999999",
        "2 Gy x 9999",
        "1e3on/2off",
    ],
)
def test_refuses_what_cannot_be_read(typed: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse_schedule(typed)

    assert f'"{typed}"' in str(refused.value)
    assert refused.value.field == "schedule"
    assert "QDx21" in str(refused.value.expected)


COUNTS = st.integers(1, 60)
REPEATED = st.one_of(st.just(""), st.builds(lambda n, x: f"{x}{n}", COUNTS, st.sampled_from(["x", " x ", "×", "*"])))
DAYS = st.sets(st.integers(2, 21)).map(lambda days: "D" + ",".join(str(day) for day in sorted({1, *days})))
RHYTHMS = st.one_of(
    st.sampled_from(["QD", "BID", "TID", "QOD", "QW", "BIW", "TIW", "Q3W"]),
    st.builds(lambda n, unit: f"Q{n}{unit}", st.integers(1, 17), st.sampled_from("DW")),
    st.builds(lambda often, on, off: f"{often}{on}on/{off}off", st.sampled_from(["", "BID ", "QD "]), COUNTS, st.integers(1, 40)),
    st.builds(lambda days: f"{days} Q3W", DAYS),
)


@given(st.one_of(st.builds(str.__add__, RHYTHMS, REPEATED), DAYS, st.builds("{} Gy x{}".format, COUNTS, COUNTS)))
def test_what_is_kept_reads_as_what_was_typed(typed: str) -> None:
    try:
        schedule = parse_schedule(typed)
    except DomainError as refused:
        assert "longer than a mouse lives" in str(refused)
        return

    assert parse_schedule(schedule.notation) == schedule
    assert parse_schedule(schedule.notation.lower()).notation == schedule.notation
    doses = schedule.doses(until=200)
    assert doses == tuple(sorted(set(doses)))
    assert schedule.words()
