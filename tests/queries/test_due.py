"""What is counted of doses by course is what the doses of each animal come to."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.cohort_terms import DoseState, RegimenStart
from lims.domain.dosing import DoseStanding
from lims.domain.vocabulary import AnimalStatus, StudyStatus
from lims.models import Arm, Enrolment, Project, Study
from lims.queries.doses import dosing_of
from lims.queries.due import due_in_project, overdue_in_study
from tests.support import factories as make
from tests.support.statements import statements

ZERO = date(2026, 3, 2)
TODAY = ZERO + timedelta(days=9)
TRIGGER = {"start": RegimenStart.TRIGGER, "start_day": None, "trigger_kind": "caliper_volume", "trigger_above": 100.0}


def treated_study(session: Session, project: Project) -> Study:
    """Make two arms of four: a daily dose without an end, and twice a day from a trigger on; of each arm one died, one is out."""
    key = make.cohort(session, project, animals=4).id
    session.expunge_all()  # what is read anew can be changed
    study = session.get_one(Study, key)
    study.day_zero_on, study.state = ZERO, StudyStatus.ACTIVE
    arms = session.query(Arm).filter_by(study_id=study.id).order_by(Arm.position).all()
    agent = make.agent(session, project)
    plans = [make.regimen(session, arms[0], agent, "QD"), make.regimen(session, arms[1], agent, "BIDx7", **TRIGGER)]
    for arm, regimen in zip(arms, plans, strict=True):
        places = session.query(Enrolment).filter_by(arm_id=arm.id).order_by(Enrolment.id).all()
        for number, place in enumerate(places):
            if arm is arms[1] and number < 3:
                make.measurement(session, place.animal, "caliper_volume", 120.0, taken_on=ZERO + timedelta(days=1 + number))
        places[0].animal.state, places[0].animal.died_on = AnimalStatus.DEAD, ZERO + timedelta(days=5)
        places[1].excluded_on, places[1].exclusion_reason = ZERO + timedelta(days=6), "cage fight"
        for days in (4, 9):
            on = ZERO + timedelta(days=days)
            given = {"regimen_id": regimen.id, "study_id": study.id, "due_on": on, "given_on": on, "state": DoseState.GIVEN}
            make.dose(session, places[2].animal, agent, **given)
    return study


def counted_one_by_one(session: Session, study: Study) -> tuple[dict[int, tuple[date, int, set[int]]], int, int]:
    """Count what is overdue by arm, what is due today, and was in the week before of those still in it, dose by dose."""
    late, due, of_the_week = defaultdict(list), 0, 0
    for one in dosing_of(session, study, TODAY).planned:
        if one.standing is DoseStanding.OVERDUE:
            late[one.treated.animal.arm_id].append(one)
            of_the_week += one.due_on >= TODAY - timedelta(days=7) and one.treated.course.ends_on is None
        due += one.standing is DoseStanding.DUE
    return (
        {
            arm: (min(one.due_on for one in doses), len(doses), {one.treated.animal.id for one in doses})
            for arm, doses in late.items()
        },
        due,
        of_the_week,
    )


def test_doses_counted_by_course_are_those_of_each_animal(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study = treated_study(session, project)
        make.cohort(session, make.project(session))
    with database.reading() as session:
        own = session.get_one(Study, study.id)
        overdue, due, late = counted_one_by_one(session, own)
        assert len(overdue) == 2
        with statements(database.engine) as seen:
            found = overdue_in_study(session, own, TODAY)
            today = due_in_project(session, project.id, TODAY)
    assert {arm: (one.since, one.doses, one.animals) for arm, one in found.items()} == overdue
    assert [(one.study, one.doses, one.late) for one in today] == [(own.code, due, late)]
    assert due > 0 < late
    assert len(seen) == 6


def test_nothing_is_overdue_in_a_draft_or_after_the_last_dose_of_a_closed_study(database: Database) -> None:
    with make.declared(database) as session:
        study = treated_study(session, make.project(session))
        study.state = StudyStatus.DRAFT
    with database.reading() as session:
        assert overdue_in_study(session, session.get_one(Study, study.id), TODAY) == {}
    with make.declared(database) as session:
        session.get_one(Study, study.id).state = StudyStatus.CLOSED
    later = TODAY + timedelta(days=100)
    with database.reading() as session:
        closed = session.get_one(Study, study.id)
        late = overdue_in_study(session, closed, later)
        planned = [one for one in dosing_of(session, closed, later).planned if one.standing is DoseStanding.OVERDUE]
    assert sum(one.doses for one in late.values()) == len(planned) > 0
