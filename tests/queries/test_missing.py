"""Who was not measured when most of the arm was."""

from __future__ import annotations

from datetime import date, timedelta

from lims.db import Database
from lims.domain.vocabulary import Quality
from lims.models import Enrolment, Study
from lims.queries.missing import Gaps, Host, Presence, gaps_of, hosts_of, read_on
from tests.support import factories as make
from tests.support.statements import statements

ZERO = date(2026, 3, 2)


def day(number: int) -> date:
    """Give a day of the study."""
    return ZERO + timedelta(days=number)


def host(key: int, arm: int = 1, **days: object) -> Host:
    """Give an animal that could be measured all the time, unless told otherwise."""
    known: dict[str, object] = {"enrolled_on": ZERO, "died_on": None, "excluded_on": None, "day_zero_on": None} | days
    return Host(key, f"M{key}", arm, **known)  # type: ignore[arg-type]  # dates and a truth


def lacking(gaps: Gaps) -> list[tuple[str, date]]:
    """Give code and day of what is missing."""
    return [(one.code, on) for one, on in gaps.missing]


def test_an_animal_lacks_a_reading_when_more_than_half_of_its_arm_has_one() -> None:
    hosts = [host(n) for n in range(4)]
    gaps = gaps_of(hosts, {day(0): {0, 1, 2}, day(7): {0, 1}, day(14): {3}})
    assert lacking(gaps) == [("M3", day(0))]
    assert gaps.days == [day(0)]
    assert gaps_of(hosts, {}).rows == []


def test_each_arm_is_judged_by_itself() -> None:
    hosts = [*(host(n, arm=1) for n in range(3)), *(host(n, arm=2) for n in range(3, 6))]
    gaps = gaps_of(hosts, {day(0): {0, 1}, day(7): {0, 1, 2, 3, 4}})
    assert lacking(gaps) == [("M2", day(0)), ("M5", day(7))]
    ((_, third), (_, last)) = gaps.rows
    assert third == {day(0): Presence.MISSING, day(7): Presence.READ}
    assert last == {day(0): Presence.OTHER, day(7): Presence.MISSING}


def test_nothing_is_asked_of_the_dead_the_excluded_and_those_not_yet_enrolled() -> None:
    hosts = [host(0), host(1), host(2, died_on=day(7)), host(3, excluded_on=day(7)), host(4, enrolled_on=day(8)), host(5)]
    gaps = gaps_of(hosts, {day(7): {0, 1}})
    assert lacking(gaps) == [("M5", day(7))]
    assert hosts[2].on(day(6)) is None
    assert [one.on(day(7)) for one in hosts[2:5]] == [Presence.DEAD, Presence.EXCLUDED, Presence.NOT_YET]


def test_an_animal_that_died_nobody_knows_when_lacks_nothing_after_its_last_reading() -> None:
    hosts = [host(0), host(1), host(2), host(3, dead=True), host(4, dead=True)]
    gaps = gaps_of(hosts, {day(0): {0, 1, 2, 3}, day(7): {0, 1, 2}})
    assert lacking(gaps) == []


def test_excluded_readings_are_none_and_undated_ones_are_not_judged(database: Database) -> None:
    with make.declared(database) as session:
        study = make.cohort(session, make.project(session), arms=("vehicle",), animals=3)
        mice = [one.animal for one in session.query(Enrolment).filter_by(study_id=study.id).order_by(Enrolment.id)]
        for animal in mice[:2]:
            make.measurement(session, animal, taken_on=day(7))
        make.measurement(session, mice[2], taken_on=day(7), quality=Quality.EXCLUDED, quality_reason="wet")
        make.measurement(session, mice[0], taken_on=None, relative_day=9.0, study_id=study.id)
    with database.reading() as session:
        own = session.get_one(Study, study.id)
        with statements(database.engine) as seen:
            gaps = gaps_of(hosts_of(session, own.id), read_on(session, own, "body_weight"))
    assert lacking(gaps) == [(mice[2].code, day(7))]
    assert len(seen) == 2
