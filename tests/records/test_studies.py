"""Studies, arms and enrolments."""

from __future__ import annotations

from datetime import date

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import RecordStatus, StudyStatus
from lims.models import Animal, Arm, Enrolment, Project, Study
from lims.records.studies import NewArm, NewEnrolment, NewStudy, add_arms, add_study, change_study, enrol
from tests.support import factories

ACTOR = factories.actor()


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


def make(database: Database, project: Project, code: str = "S1", *arms: str) -> tuple[Study, list[Arm]]:
    with database.transaction() as session:
        study = add_study(session, ACTOR, project.id, NewStudy(code, "A study"))
        return study, add_arms(session, ACTOR, study, [NewArm(arm, arm.title()) for arm in arms])


def test_a_study_with_arms_in_their_order(database: Database, project: Project) -> None:
    study, arms = make(database, project, "S1", "vehicle", "drug")
    with database.transaction() as session:
        (third,) = add_arms(session, ACTOR, session.get_one(Study, study.id), [NewArm("both", "Both")])

    assert [arm.position for arm in (*arms, third)] == [0, 1, 2]
    assert verify(database).problems == []


def test_a_code_is_given_once_and_a_withdrawn_study_comes_back(database: Database, project: Project) -> None:
    study, _ = make(database, project)
    with pytest.raises(DomainError, match='"S1" exists already'):
        make(database, project)
    with factories.declared(database) as session:
        session.get_one(Study, study.id).status = RecordStatus.WITHDRAWN

    assert make(database, project)[0].id == study.id


def test_an_arm_is_not_overwritten(database: Database, project: Project) -> None:
    study, _ = make(database, project, "S1", "drug")

    with pytest.raises(DomainError, match='Arm "drug" exists already'), database.transaction() as session:
        add_arms(session, ACTOR, session.get_one(Study, study.id), [NewArm("drug", "Another drug")])


def test_an_animal_is_in_one_arm_of_a_study(database: Database, project: Project) -> None:
    study, (vehicle, drug) = make(database, project, "S1", "vehicle", "drug")
    with factories.declared(database) as session:
        mouse: Animal = factories.animal(session, project, "M1")

    def put(arm: Arm) -> list[Enrolment]:
        with database.transaction() as session:
            return enrol(session, ACTOR, session.get_one(Study, study.id), [NewEnrolment(arm.id, mouse.id)])

    (enrolment,) = put(vehicle)
    with pytest.raises(DomainError, match='M1 is in arm "Vehicle" of study S1 already'):
        put(drug)
    with pytest.raises(DomainError, match="exists already"):
        put(vehicle)
    with factories.declared(database) as session:
        session.get_one(Enrolment, enrolment.id).status = RecordStatus.WITHDRAWN
    (again,) = put(drug)
    assert (again.id, again.arm_id) == (enrolment.id, drug.id)
    assert verify(database).problems == []


def test_a_study_changes_with_a_reason_in_the_version_that_was_seen(database: Database, project: Project) -> None:
    study, _ = make(database, project)

    def change(version: int, reason: str = "dated now", **fields: object) -> dict[str, tuple[object, object]]:
        with database.transaction() as session:
            return change_study(session, ACTOR, session.get_one(Study, study.id), version=version, reason=reason, **fields)

    assert change(1, day_zero_on=date(2026, 3, 2)) == {"day_zero_on": (None, date(2026, 3, 2))}
    with pytest.raises(Conflict, match="Somebody else changed"):
        change(1, title="Mine")
    with pytest.raises(DomainError, match="Nothing differs"):
        change(2, title="A study")
    with pytest.raises(DomainError):
        change(2, reason=" ", title="Another")
    with pytest.raises(TypeError, match="code"):
        change(2, code="S2")
    change(2, state=StudyStatus.LOCKED)
    with pytest.raises(DomainError, match="locked by a signature"):
        change(3, title="Another")
    assert verify(database).problems == []
