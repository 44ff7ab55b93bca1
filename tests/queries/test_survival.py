"""Who was followed until when, and to what: fates by the study's rule, the living, the excluded, and who is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.cohort_terms import FateReason
from lims.domain.vocabulary import AnimalStatus, StudyStatus
from lims.models import Animal, Arm, Study
from lims.queries.series import day_count
from lims.queries.survival import FollowUp, follow_up
from tests.support import factories as make
from tests.support.statements import statements

ZERO, TODAY = date(2026, 3, 2), date(2026, 4, 1)


def study_of(session: Session, **columns: Any) -> tuple[Study, Arm]:
    """Give an active study with an arm."""
    project = make.project(session)
    study = make.study(session, project, **({"day_zero_on": ZERO, "state": StudyStatus.ACTIVE} | columns))
    return study, make.arm(session, study)


def mouse(session: Session, arm: Arm, code: str, enrolment: dict[str, object] | None = None, **columns: object) -> Animal:
    """Enrol an animal that lives, unless told otherwise."""
    from lims.models import Project

    project = session.get_one(Project, arm.project_id)
    animal = make.animal(session, project, code, **({"state": AnimalStatus.ALIVE} | columns))
    make.enrolment(session, arm, animal, **({"enrolled_on": ZERO} | (enrolment or {})))
    return animal


def died(session: Session, animal: Animal, on: date, reason: FateReason) -> None:
    """Record a fate."""
    session.refresh(animal)
    animal.state, animal.died_on = AnimalStatus.DEAD, on
    make.fate(session, animal, died_on=on, reason=reason)


def followed(database: Database, study: Study) -> FollowUp:
    """Read it as a page does."""
    with database.reading() as session:
        own = session.get_one(Study, study.id)
        return follow_up(session, own, day_count(session, own), TODAY)


def test_a_fate_is_an_event_or_censors_by_the_reasons_that_the_study_names(database: Database) -> None:
    with make.declared(database) as session:
        study, arm = study_of(session, event_reasons=["weight_endpoint"])
        for code, reason in (("M1", FateReason.WEIGHT_ENDPOINT), ("M2", FateReason.FOUND_DEAD), ("M3", FateReason.SCHEDULED)):
            died(session, mouse(session, arm, code), date(2026, 3, 12), reason)
    ends = followed(database, study).ends
    assert [(end.animal, end.days, end.event, end.ended_by) for end in ends] == [
        ("M1", 10, True, "weight endpoint"),
        ("M2", 10, False, "found dead"),
        ("M3", 10, False, "scheduled end of the study"),
    ]


def test_the_living_are_followed_until_today_or_where_the_study_is_over_until_last_read(
    database: Database,
) -> None:
    with make.declared(database) as session:
        running, arm = study_of(session)
        closed, old = study_of(session, state=StudyStatus.CLOSED)
        for one in (arm, old):
            make.measurement(session, mouse(session, one, f"{one.id}-READ"), taken_on=date(2026, 3, 9))
            mouse(session, one, f"{one.id}-SEEN", {"enrolled_on": date(2026, 3, 5)})
        unknown = mouse(session, arm, f"{arm.id}-UNKNOWN", state=AnimalStatus.NOT_RECORDED)
        make.measurement(session, unknown, taken_on=date(2026, 3, 20))
    assert [end.days for end in followed(database, running).ends] == [30, 30, 18]
    assert [end.days for end in followed(database, closed).ends] == [7, 3]
    assert not any(end.event for end in followed(database, running).ends)


def test_an_animals_own_day_zero_counts(database: Database) -> None:
    with make.declared(database) as session:
        study, arm = study_of(session)
        died(session, mouse(session, arm, "M1", {"day_zero_on": date(2026, 3, 10)}), date(2026, 3, 20), FateReason.TUMOUR_BURDEN)
    assert [(end.days, end.event) for end in followed(database, study).ends] == [(10, True)]


def test_a_death_without_a_reason_is_missing_and_never_guessed(database: Database) -> None:
    with make.declared(database) as session:
        study, arm = study_of(session)
        mouse(session, arm, "NO-FATE", state=AnimalStatus.DEAD)
        mouse(session, arm, "DATED", state=AnimalStatus.DEAD, died_on=date(2026, 3, 9))
        died(session, mouse(session, arm, "UNSAID"), date(2026, 3, 12), FateReason.NOT_RECORDED)
    found = followed(database, study)
    assert found.ends == []
    assert [(one.animal, one.why) for one in found.missing] == [
        ("DATED", "died on 2026-03-09, and nobody recorded why"),
        ("NO-FATE", "died, and nobody recorded why"),
        ("UNSAID", "died on 2026-03-12, and nobody recorded why"),
    ]


def test_an_excluded_animal_is_censored_on_that_day_and_named(database: Database) -> None:
    out = {"exclusion_reason": "no tumour took"}
    with make.declared(database) as session:
        study, arm = study_of(session)
        later = mouse(session, arm, "LATER", out | {"excluded_on": date(2026, 3, 12)})
        died(session, later, date(2026, 3, 20), FateReason.FOUND_DEAD)
        died(
            session,
            mouse(session, arm, "BEFORE", out | {"excluded_on": date(2026, 3, 25)}),
            date(2026, 3, 20),
            FateReason.FOUND_DEAD,
        )
        mouse(session, arm, "NEVER", out | {"excluded_on": ZERO})
        mouse(session, arm, "WHY", out | {"excluded_on": date(2026, 3, 12)}, state=AnimalStatus.DEAD, died_on=date(2026, 3, 30))
    found = followed(database, study)
    assert [(end.animal, end.days, end.event) for end in found.ends] == [
        ("BEFORE", 18, True),
        ("LATER", 10, False),
        ("WHY", 10, False),
    ]
    assert found.missing == []
    assert [one.animal for one in found.excluded] == ["BEFORE", "LATER", "NEVER", "WHY"]
    assert found.excluded[1].why == "from 2026-03-12: no tumour took"
    assert [one.animal for one in found.left_out] == ["NEVER"]


def test_what_ended_before_day_zero_is_left_out_and_what_has_no_day_zero_stops(database: Database) -> None:
    with make.declared(database) as session:
        study, arm = study_of(session)
        died(session, mouse(session, arm, "EARLY", {"enrolled_on": None}), date(2026, 2, 20), FateReason.TECHNICAL)
        undated, other = study_of(session, day_zero_on=None)
        mouse(session, other, "UNDATED")
    early = followed(database, study)
    assert [one.why for one in early.left_out] == [
        "technical: surgery, dosing or anaesthesia on 2026-02-20, before its day 0 on 2026-03-02"
    ]
    assert "no day 0" in followed(database, undated).missing[0].why


def test_it_takes_two_statements_whatever_the_number_of_animals(database: Database) -> None:
    with make.declared(database) as session:
        study, arm = study_of(session)
        for number in range(12):
            mouse(session, arm, f"M{number}")
    with database.reading() as session:
        own = session.get_one(Study, study.id)
        with statements(database.engine) as seen:
            found = follow_up(session, own, day_count(session, own), TODAY)
    assert len(found.by_arm()[arm.id]) == 12
    assert len(seen) == 2
