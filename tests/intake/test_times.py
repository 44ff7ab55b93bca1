"""When a reading was taken: dates, local times, and days counted from a day 0."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from lims.audit.record import declare
from lims.config import Settings
from lims.domain.vocabulary import BatchState
from lims.models import Measurement, Project, Study
from tests.intake.desk import Desk, balanced, codes, found, weights
from tests.support import factories

DAYS = "Mouse,Day,Volume (mm3)\nM1,0,100\nM1,3,120\n"
FLUX = "Image Number\tROI\tROI Label\tDate and Time\tTotal Flux [p/s]\n"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"timezone": "Europe/Amsterdam"})


def images(*moments: str) -> str:
    return FLUX + "".join(
        f"MFM2025{number:04}_001\tROI 1\tM1\t{moment}\t{number}e6\n" for number, moment in enumerate(moments, start=1)
    )


def test_days_of_a_dated_study_are_dates(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record(DAYS, "S1.csv", day0="2026-03-02")

    assert outcome.state is BatchState.COMMITTED
    assert [slot for _, _, slot, _ in desk.readings()] == ["2026-03-02", "2026-03-05"]
    assert [(one.taken_on, one.relative_day) for one in desk.records(Measurement)] == [
        (date(2026, 3, 2), 0.0),
        (date(2026, 3, 5), 3.0),
    ]
    desk.sound()


def test_days_of_an_undated_study_are_slots_of_the_study_and_a_grown_file_agrees(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(DAYS, "S1.csv")
    assert [slot for _, _, slot, _ in desk.readings()] == ["s1d0", "s1d3"]

    grown = desk.record(DAYS + "M1,7,160\n", "grown.csv", study="S1")

    assert balanced(grown) == {"read": 3, "new": 1, "same": 2}
    assert [(one.taken_on, one.study_id) for one in desk.records(Measurement)] == [(None, 1)] * 3
    desk.sound()


def test_days_without_a_study_are_refused_and_cannot_be_left_out_into_nowhere(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record(DAYS, "S1.csv", create="animals")
    assert (outcome.state, found(outcome, "study-unknown").value) == (BatchState.REFUSED, "S1")
    assert balanced(outcome) == {"read": 2, "refused": 2}

    left = desk.record(DAYS, "S1.csv", create="animals", leave_out="refused")

    assert (left.state, desk.readings()) == (BatchState.COMMITTED, [])
    desk.sound()


def test_an_animals_own_day_0_counts_for_it(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        of = session.get_one(Project, desk.project)
        study = factories.study(session, of, "S1", day_zero_on=date(2026, 3, 2))
        arm = factories.arm(session, study)
        late, early = (factories.animal(session, of, code) for code in ("M1", "M2"))
        factories.enrolment(session, arm, late, day_zero_on=date(2026, 3, 10))
        factories.enrolment(session, arm, early)

    desk.record(DAYS + "M2,0,90\n", study="S1")

    assert [(animal, slot) for animal, _, slot, _ in desk.readings()] == [
        ("M1", "2026-03-10"),
        ("M1", "2026-03-13"),
        ("M2", "2026-03-02"),
    ]


@pytest.mark.parametrize(("day", "day0"), [("1e300", "2026-03-02"), ("-4000", ""), ("45352", "")])
def test_a_day_no_study_reaches_is_refused(desk: Desk, day: str, day0: str) -> None:
    outcome = desk.record(f"Mouse,Day,Volume (mm3)\nM1,{day},100\n", day0=day0)

    assert (outcome.state, codes(outcome)) == (BatchState.REFUSED, ["day-impossible"])
    assert found(outcome, "day-impossible").row == 2


def test_a_day_0_that_is_no_date_is_refused(desk: Desk) -> None:
    outcome = desk.record(DAYS, day0="yesterday")

    assert found(outcome, "question-day0").value == "yesterday"
    assert desk.readings() == []


def test_days_close_together_are_two_slots(desk: Desk) -> None:
    outcome = desk.record("Mouse,Day,Volume (mm3)\nM1,100.0001,100\nM1,100.0002,101\n")

    assert balanced(outcome) == {"read": 2, "new": 2}
    assert [slot for _, _, slot, _ in desk.readings()] == ["s1d100.0001", "s1d100.0002"]


def test_local_times_are_kept_in_utc_on_both_sides_of_the_change_of_clocks(desk_on_each: Desk) -> None:
    desk = desk_on_each
    outcome = desk.record(
        images("03/30/2025 01:59:00", "03/30/2025 03:00:00", "10/26/2025 01:59:00", "10/26/2025 02:30:00", "10/26/2025 03:00:00"),
        "flux.txt",
    )

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    flux = [one for one in desk.records(Measurement) if one.kind == "bli_total_flux"]
    assert [one.taken_at for one in flux] == [
        datetime(2025, 3, 30, 0, 59, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 0, tzinfo=UTC),
        datetime(2025, 10, 25, 23, 59, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),  # the first of the two half past two
        datetime(2025, 10, 26, 2, 0, tzinfo=UTC),
    ]
    assert [one.slot for one in flux][:2] == ["2025-03-30T00:59:00Z", "2025-03-30T01:00:00Z"]
    assert flux[2].taken_on == date(2025, 10, 26)
    desk.sound()


def test_a_date_in_the_future_is_refused_by_the_labs_calendar_not_by_utc(desk: Desk) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    with time_machine.travel(datetime(2026, 3, 10, 0, 30, tzinfo=zone), tick=False):
        outcome = desk.check(weights(("M1", "2026-03-10", 20), ("M1", "2026-03-11", 20)), create="animals")

    finding = found(outcome, "date-in-future")
    assert (finding.row, finding.expected) == (3, "a date up to 2026-03-10")


def test_dates_outside_an_animals_life_are_refused(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        of = session.get_one(Project, desk.project)
        factories.animal(session, of, "M1", birth_date=date(2026, 1, 5), died_on=date(2026, 4, 1))

    outcome = desk.record(weights(*(("M1", f"2026-{day}", 20) for day in ("01-04", "01-05", "04-01", "04-02"))))

    assert balanced(outcome) == {"read": 4, "new": 2, "refused": 2}
    assert found(outcome, "date-before-birth").row == 2
    assert "2026-01-05" in found(outcome, "date-before-birth").expected
    assert found(outcome, "date-after-death").row == 5


@pytest.mark.parametrize("when", ["0001-01-01", "1900-01-01", "1969-12-31"])
def test_a_date_before_there_were_xenografts_is_refused(desk: Desk, when: str) -> None:
    assert found(desk.record(weights(("M1", when, 20))), "date-too-early").row == 2


def test_the_first_and_the_last_moment_of_the_calendar_are_refused_not_stumbled_over(desk: Desk) -> None:
    outcome = desk.record(images("01/01/0001 00:10:00", "12/31/9999 23:59:00"), "flux.txt")

    assert outcome.state is BatchState.REFUSED
    assert {"date-too-early", "date-in-future"} <= set(codes(outcome))


@pytest.mark.parametrize("first", ["", "2026-02-02"])
def test_a_day_0_dated_or_moved_later_doubles_nothing(desk_on_each: Desk, first: str) -> None:
    desk = desk_on_each
    desk.record(DAYS, "S1.csv", day0=first)
    before = desk.readings()
    with desk.database.transaction() as session:
        declare(session, desk.actor, "system:set-up")
        session.get_one(Study, 1).day_zero_on = date(2026, 3, 2)

    grown = desk.record(DAYS.replace("120", "121") + "M1,7,160\n", "grown.csv", study="S1", changed="accept", reason="remeasured")

    assert balanced(grown) == {"read": 3, "new": 1, "same": 1, "changed": 1}
    assert [slot for _, _, slot, _ in desk.readings()] == sorted([*(slot for _, _, slot, _ in before), "2026-03-09"])
    assert [value for *_, value in desk.readings()].count(121.0) == 1
    desk.sound()
