"""Studies, arms and enrolments: states, full arms, one arm for each animal, order of events, exclusion, blinding."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Arm, AuditEvent, Enrolment, Project, Study
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from lims.records.studies import ARM, ENROLMENT, STUDY, blind, enrol, unblind
from tests.support import factories

ACTOR = factories.actor()
OUTCOME = {"primary_outcome": "growth rate of total flux"}


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


def make(database: Database, project: Project, code: str = "S1", *arms: str, **design: Any) -> tuple[Study, list[Arm]]:
    with database.transaction() as session:
        (study,) = record(session, ACTOR, STUDY, project.id, [{"code": code, "title": "A study", **design}])
        rows = [{"study_id": study.id, "code": arm, "title": arm.title()} for arm in arms]
        return study, record(session, ACTOR, ARM, project.id, rows) if rows else []


def mouse(database: Database, project: Project, code: str = "M1", **columns: Any) -> Animal:
    with factories.declared(database) as session:
        return factories.animal(session, project, code, **columns)


def put(database: Database, arm: Arm, *animals: Animal, **columns: Any) -> list[Enrolment]:
    with database.transaction() as session:
        rows = [{"arm_id": arm.id, "animal_id": animal.id, **columns} for animal in animals]
        return enrol(session, ACTOR, session.get_one(Study, arm.study_id), rows)


def changed(database: Database, noun: Any, found: Any, reason: str = "as agreed", **fields: Any) -> dict[str, Any]:
    """Change a record in the version that it has now."""
    with database.transaction() as session:
        now = session.get_one(noun.model, found.id)
        return change(session, ACTOR, noun, now, version=now.version, reason=reason, fields=fields)


def step(database: Database, study: Study, state: StudyStatus) -> None:
    changed(database, STUDY, study, state=state)


# Arms


def test_a_study_with_arms_in_their_order(database: Database, project: Project) -> None:
    study, arms = make(database, project, "S1", "vehicle", "drug")
    with database.transaction() as session:
        (third,) = record(session, ACTOR, ARM, project.id, [{"study_id": study.id, "code": "both", "title": "Both"}])

    assert [arm.position for arm in (*arms, third)] == [0, 1, 2]
    assert len({arm.blind_code for arm in (*arms, third)}) == 3
    assert verify(database).problems == []


def test_a_code_is_given_once_and_a_withdrawn_study_comes_back(database: Database, project: Project) -> None:
    study, _ = make(database, project)
    with pytest.raises(DomainError, match='"S1" exists already'):
        make(database, project)
    with factories.declared(database) as session:
        session.get_one(Study, study.id).status = RecordStatus.WITHDRAWN

    assert make(database, project)[0].id == study.id


@pytest.mark.parametrize(
    ("row", "field", "told"),
    [
        ({"code": "drug", "title": "Another drug"}, "code", 'Arm "drug" exists already'),
        ({"code": "drug2", "title": "Drug"}, "title", 'has an arm called "Drug" already'),
        ({"code": "", "title": "Nameless"}, "code", "A code is needed"),
        ({"code": "late", "title": ""}, "title", "Title is needed"),
        ({"code": "few", "title": "Few", "target_n": -1}, "target_n", "-1 cannot be"),
    ],
)
def test_an_arm_that_cannot_be(database: Database, project: Project, row: dict[str, Any], field: str, told: str) -> None:
    study, _ = make(database, project, "S1", "drug")

    with pytest.raises(DomainError, match=told) as refused, database.transaction() as session:
        record(session, ACTOR, ARM, project.id, [{"study_id": study.id, **row}])
    assert refused.value.field == field


def test_an_arm_is_not_planned_for_fewer_animals_than_are_in_it(database: Database, project: Project) -> None:
    _, (arm,) = make(database, project, "S1", "drug")
    put(database, arm, mouse(database, project), mouse(database, project, "M2"))

    with pytest.raises(DomainError, match="2 animals are in this arm already") as refused:
        changed(database, ARM, arm, target_n=1)
    assert (refused.value.field, refused.value.expected) == ("target_n", "2 or more")
    changed(database, ARM, arm, target_n=2)


def test_an_arm_with_animals_in_it_is_not_withdrawn(database: Database, project: Project) -> None:
    _, (arm,) = make(database, project, "S1", "drug")
    put(database, arm, mouse(database, project))

    with pytest.raises(Conflict, match="stands on this arm"), database.transaction() as session:
        now = session.get_one(Arm, arm.id)
        withdraw(session, ACTOR, ARM, now, version=now.version, reason="planned twice")


# Enrolments


def test_an_animal_is_in_one_arm_of_a_study(database: Database, project: Project) -> None:
    _, (vehicle, drug) = make(database, project, "S1", "vehicle", "drug")
    animal = mouse(database, project)
    (enrolment,) = put(database, vehicle, animal)

    for arm in (vehicle, drug):
        with pytest.raises(DomainError, match='M1 is in arm "Vehicle" of study S1 already') as refused:
            put(database, arm, animal)
        assert refused.value.field == "animal_id"
    with pytest.raises(DomainError, match="stands twice in this list"):
        put(database, drug, *[mouse(database, project, "M2")] * 2)
    with pytest.raises(DomainError, match="does not change its arm") as moved:
        changed(database, ENROLMENT, enrolment, arm_id=drug.id)
    assert "Withdraw this enrolment" in (moved.value.remedy or "")
    assert verify(database).problems == []


def test_an_enrolment_is_withdrawn_and_the_animal_comes_into_another_arm(database: Database, project: Project) -> None:
    _, (vehicle, drug) = make(database, project, "S1", "vehicle", "drug")
    animal = mouse(database, project)
    (enrolment,) = put(database, vehicle, animal, enrolled_on=date(2026, 3, 2))
    changed(database, ENROLMENT, enrolment, excluded_on=date(2026, 3, 9), exclusion_reason="no tumour")
    with database.transaction() as session:
        now = session.get_one(Enrolment, enrolment.id)
        withdraw(session, ACTOR, ENROLMENT, now, version=now.version, reason="wrong arm scanned")

    (again,) = put(database, drug, animal)
    assert (again.id, again.arm_id, again.excluded_on) == (enrolment.id, drug.id, None)
    assert verify(database).problems == []


def test_a_withdrawn_enrolment_is_brought_back_as_it_was(database: Database, project: Project) -> None:
    _, (vehicle,) = make(database, project, "S1", "vehicle")
    (enrolment,) = put(database, vehicle, mouse(database, project))
    changed(database, ENROLMENT, enrolment, excluded_on=date(2026, 3, 9), exclusion_reason="no tumour")
    for turn in (withdraw, reinstate):
        with database.transaction() as session:
            now = session.get_one(Enrolment, enrolment.id)
            turn(session, ACTOR, ENROLMENT, now, version=now.version, reason="looked again")
    with database.reading() as session:
        now = session.get_one(Enrolment, enrolment.id)
        assert (now.status, now.excluded_on) == (RecordStatus.ACTIVE, date(2026, 3, 9))


def test_a_full_arm_takes_no_animal_and_is_named_by_its_code_where_it_is_blinded(database: Database, project: Project) -> None:
    study, (arm,) = make(database, project, "S1", "vehicle")
    changed(database, ARM, arm, target_n=1)
    first, second, third = (mouse(database, project, code) for code in ("M1", "M2", "M3"))
    with pytest.raises(DomainError, match="Arm Vehicle of study S1 has room for 1 more: 0 of 1 animals are in it, and 2 would"):
        put(database, arm, first, second)
    put(database, arm, first)
    with database.transaction() as session:
        now = session.get_one(Study, study.id)
        blind(session, ACTOR, now, version=now.version, reason="randomised")

    with pytest.raises(DomainError, match=f"Arm {arm.blind_code} of study S1 is full") as refused:
        put(database, arm, second, third)
    assert (refused.value.field, refused.value.expected) == ("arm_id", "an arm with room for them")
    assert "Vehicle" not in str(refused.value)
    with pytest.raises(DomainError, match=f'in arm "{arm.blind_code}" of study S1 already'):
        put(database, arm, first)


@pytest.mark.parametrize(
    ("animal", "on", "told"),
    [
        ({"died_on": date(2026, 3, 1), "state": AnimalStatus.DEAD}, date(2026, 3, 2), "comes after the death of M1 on 2026-03-01"),
        ({"birth_date": date(2026, 3, 3)}, date(2026, 3, 2), "comes before the birth of M1"),
        ({"arrived_on": date(2026, 3, 3)}, date(2026, 3, 2), "comes before the arrival of M1"),
        ({}, date(2026, 2, 1), "comes before the implanting of M1 on 2026-02-10"),
        ({}, date(2999, 1, 1), "lies in the future"),
    ],
)
def test_an_enrolment_out_of_order_is_refused(
    database: Database, project: Project, animal: dict[str, Any], on: date, told: str
) -> None:
    _, (arm,) = make(database, project, "S1", "vehicle")
    with factories.declared(database) as session:
        one = factories.animal(session, project, "M1", **animal)
        factories.implant(session, one, implanted_on=date(2026, 2, 10))

    with pytest.raises(DomainError, match=told) as refused:
        put(database, arm, one, enrolled_on=on)
    assert refused.value.field == "enrolled_on"


def test_another_studys_arm_and_another_projects_animal_are_refused(database: Database, project: Project) -> None:
    study, _ = make(database, project, "S1", "vehicle")
    _, (other,) = make(database, project, "S2", "drug")
    with factories.declared(database) as session:
        stranger = factories.animal(session, factories.project(session), "X1")
    for arm, animal, told in ((other, mouse(database, project), "none of study S1"), (other, stranger, "There is no animal")):
        with pytest.raises(DomainError, match=told), database.transaction() as session:
            enrol(session, ACTOR, session.get_one(Study, study.id), [{"arm_id": arm.id, "animal_id": animal.id}])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"excluded_on": date(2026, 3, 9)}, "exclusion_reason"),
        ({"exclusion_reason": "outlier"}, "excluded_on"),
        ({"excluded_on": date(2026, 3, 1), "exclusion_reason": "outlier"}, "excluded_on"),
    ],
)
def test_an_exclusion_has_a_day_after_the_enrolment_and_a_reason(
    database: Database, project: Project, fields: dict[str, Any], field: str
) -> None:
    _, (arm,) = make(database, project, "S1", "vehicle")
    (enrolment,) = put(database, arm, mouse(database, project), enrolled_on=date(2026, 3, 2))

    with pytest.raises(DomainError) as refused:
        changed(database, ENROLMENT, enrolment, **fields)
    assert refused.value.field == field


def test_a_dead_animal_without_a_day_of_death_is_doubted(database: Database, project: Project) -> None:
    study, (arm,) = make(database, project, "S1", "vehicle")
    dead = mouse(database, project, state=AnimalStatus.DEAD)
    with database.reading() as session:
        rows = [{"study_id": study.id, "arm_id": arm.id, "animal_id": dead.id}]
        (notice,) = doubts(session, ENROLMENT, project.id, rows)
    assert "M1 is dead" in notice.message


# The states of a study


def test_a_study_begins_with_arm_outcome_and_event_rule(database: Database, project: Project) -> None:
    bare, _ = make(database, project, "BARE")
    with pytest.raises(DomainError, match="BARE has no arm"):
        step(database, bare, StudyStatus.ACTIVE)
    study, (arm,) = make(database, project, "S1", "vehicle")
    with pytest.raises(DomainError, match="no primary outcome"):
        step(database, study, StudyStatus.ACTIVE)
    changed(database, STUDY, study, event_reasons=[], **OUTCOME)
    with pytest.raises(DomainError, match="which fates count as an event") as refused:
        step(database, study, StudyStatus.ACTIVE)
    assert refused.value.field == "event_reasons"
    changed(database, STUDY, study, event_reasons=["found_dead"])
    with database.reading() as session:
        asked = doubts(session, STUDY, project.id, [{"state": StudyStatus.ACTIVE}], session.get_one(Study, study.id))
    assert {one.field for one in asked} >= {"hypothesis", "experimental_unit", "sample_size_reasoning", "statistical_methods"}
    assert {one.source for one in asked if one.field == "blinding"} == {"ARRIVE 2.0, item 5"}
    step(database, study, StudyStatus.ACTIVE)
    put(database, arm, mouse(database, project))


def test_steps_out_of_turn_are_refused(database: Database, project: Project) -> None:
    study, _ = make(database, project, "S1", "vehicle", **OUTCOME)
    for state in (StudyStatus.CLOSED, StudyStatus.LOCKED):
        with pytest.raises(DomainError, match="is draft, and cannot become") as refused:
            step(database, study, state)
        assert refused.value.field == "state"
    with pytest.raises(DomainError, match="cannot become closed"):
        make(database, project, "S2", state=StudyStatus.CLOSED)
    with pytest.raises(DomainError, match="is no fate"):
        changed(database, STUDY, study, event_reasons=["bored"])


def test_a_closed_study_keeps_what_it_says_until_it_is_reopened_with_a_reason(database: Database, project: Project) -> None:
    study, (arm,) = make(database, project, "S1", "vehicle", **OUTCOME)
    (enrolment,) = put(database, arm, mouse(database, project))
    step(database, study, StudyStatus.ACTIVE)
    with database.reading() as session:
        (living,) = doubts(session, STUDY, project.id, [{"state": StudyStatus.CLOSED}], session.get_one(Study, study.id))
    assert "1 animal of the study lives without a fate: M1" in living.message
    step(database, study, StudyStatus.CLOSED)

    with pytest.raises(DomainError, match="S1 is closed") as refused:
        changed(database, STUDY, study, hypothesis="it worked")
    assert "Reopen it first" in (refused.value.remedy or "")
    with pytest.raises(DomainError, match="who is in it does not change"):
        put(database, arm, mouse(database, project, "M2"))
    with pytest.raises(DomainError, match="who is in it does not change"):
        changed(database, ENROLMENT, enrolment, excluded_on=date(2026, 3, 9), exclusion_reason="outlier")
    with pytest.raises(DomainError, match="who is in it does not change"), database.transaction() as session:
        now = session.get_one(Enrolment, enrolment.id)
        withdraw(session, ACTOR, ENROLMENT, now, version=now.version, reason="tidier")
    changed(database, STUDY, study, title="A study with a better title")
    with pytest.raises(DomainError, match="reason is needed"):
        changed(database, STUDY, study, reason=" ", state=StudyStatus.ACTIVE)
    step(database, study, StudyStatus.ACTIVE)
    changed(database, STUDY, study, statistical_methods="mixed model")


def test_what_was_planned_is_amended_after_a_doubt(database: Database, project: Project) -> None:
    study, _ = make(database, project, "S1", "vehicle", **OUTCOME)
    step(database, study, StudyStatus.ACTIVE)
    with database.reading() as session:
        rows = [{"primary_outcome": "survival", "hypothesis": "said for the first time"}]
        (notice,) = doubts(session, STUDY, project.id, rows, session.get_one(Study, study.id))
    assert (notice.field, notice.source) == ("primary_outcome", "ARRIVE 2.0, item 19")


def test_a_study_changes_with_a_reason_in_the_version_that_was_seen(database: Database, project: Project) -> None:
    study, _ = make(database, project)

    def at(version: int, reason: str = "dated now", **fields: object) -> dict[str, tuple[object, object]]:
        with database.transaction() as session:
            return change(session, ACTOR, STUDY, session.get_one(Study, study.id), version=version, reason=reason, fields=fields)

    assert at(1, day_zero_on=date(2026, 3, 2)) == {"day_zero_on": (None, date(2026, 3, 2))}
    with pytest.raises(Conflict, match="Somebody else changed"):
        at(1, title="Mine")
    with pytest.raises(DomainError, match="Nothing differs"):
        at(2, title="A study")
    with pytest.raises(DomainError):
        at(2, reason=" ", title="Another")
    with pytest.raises(DomainError, match="never changed"):
        at(2, code="S2")
    with factories.declared(database, "study:change") as session:
        session.get_one(Study, study.id).state = StudyStatus.LOCKED
    with pytest.raises(DomainError, match="locked by a signature"):
        at(3, title="Another")
    assert verify(database).problems == []


# Blinding


def test_a_study_is_blinded_and_unblinded_with_a_reason(database: Database, project: Project) -> None:
    study, _ = make(database, project, "S1", "vehicle", "drug")

    def turn(how: Any, reason: str = "as the protocol says") -> None:
        with database.transaction() as session:
            now = session.get_one(Study, study.id)
            how(session, ACTOR, now, version=now.version, reason=reason)

    with pytest.raises(DomainError, match="is not blinded"):
        turn(unblind)
    turn(blind)
    with pytest.raises(DomainError, match="is blinded already"):
        turn(blind)
    with pytest.raises(DomainError, match="reason is needed"):
        turn(unblind, " ")
    with pytest.raises(TypeError, match="blinded"):
        changed(database, STUDY, study, blinded=False)
    turn(unblind)
    with database.reading() as session:
        assert session.get_one(Study, study.id).blinded is False
        last = session.query(AuditEvent).order_by(AuditEvent.seq.desc()).first()
        assert last is not None
        assert (last.action, last.reason) == ("study:unblind", "as the protocol says")
    assert verify(database).problems == []


def test_days_that_move_away_from_doses_are_doubted(database: Database, project: Project) -> None:
    study, (vehicle,) = make(database, project, "S1", "vehicle", **OUTCOME, day_zero_on=date(2026, 3, 2))
    step(database, study, StudyStatus.ACTIVE)
    (enrolment,) = put(database, vehicle, mouse(database, project))
    with factories.declared(database) as session:
        animal = session.get_one(Animal, enrolment.animal_id)
        factories.dose(session, animal, factories.agent(session, project), study_id=study.id, given_on=date(2026, 3, 9))

    def told(noun: Any, of: Any, **fields: Any) -> list[tuple[str | None, str]]:
        with database.reading() as session:
            found = doubts(session, noun, project.id, [fields], session.get_one(type(of), of.id))
        return [(one.field, one.message) for one in found]

    assert told(ENROLMENT, enrolment, enrolled_on=date(2026, 3, 9)) == []
    assert told(ENROLMENT, enrolment, enrolled_on=date(2026, 3, 10)) == [
        ("enrolled_on", "Animal M1 was given its first dose on 2026-03-09, before this day.")
    ]
    assert told(ENROLMENT, enrolment, day_zero_on=date(2026, 3, 3)) == [
        ("day_zero_on", "1 dose of M1 followed from the day 0 before: what is planned moves away.")
    ]
    ((field, message),) = told(STUDY, study, day_zero_on=date(2026, 3, 3))
    assert (field, message.endswith("changing it now is an amendment.")) == ("day_zero_on", True)
