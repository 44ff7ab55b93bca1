"""The lists of studies, animals and measurements: what they say, whose they are, and that they cost one statement."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import NotFound
from lims.domain.vocabulary import AnimalStatus, ArmRole, Quality, RecordStatus, RoleName
from lims.models import Animal, Project
from lims.queries.animals import animal_list, enrolled_in, enrolments_of, tumours_of
from lims.queries.measurements import find_measurement, in_study, measurement_list
from lims.queries.series import AnySelect
from lims.queries.studies import arms_of_studies, study_files, study_list
from lims.records.measurements import Readings, record_measurements
from tests.support import factories as make
from tests.support.statements import statements


def rows(session: Session, statement: AnySelect) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(statement).mappings()]


def test_studies_count_their_arms_animals_and_counted_readings(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study = make.cohort(session, project, animals=2)
        make.study(session, project, "EMPTY", day_zero_on=None)
        make.study(session, make.project(session), "ELSEWHERE")
        first, *_ = session.query(Animal).filter_by(project_id=project.id).order_by(Animal.id)
        make.measurement(session, first, taken_on=date(2026, 3, 9))
        make.measurement(session, first, taken_on=date(2026, 3, 11))
        make.measurement(session, first, taken_on=date(2026, 3, 30), quality=Quality.EXCLUDED)
    with database.reading() as session, statements(database.engine) as seen:
        listed = {row["code"]: row for row in rows(session, study_list(project.id))}
    assert len(seen) == 1
    assert set(listed) == {study.code, "EMPTY"}
    told = listed[study.code]
    assert (told["arms"], told["animals"], told["readings"], told["last_on"]) == (2, 4, 2, date(2026, 3, 11))
    assert (listed["EMPTY"]["readings"], listed["EMPTY"]["last_on"], listed["EMPTY"]["day_zero_on"]) == (0, None, None)


def test_arms_say_their_colour_and_who_is_at_risk(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study = make.cohort(session, project, arms=("vehicle", "tucatinib", "combo"), animals=2)
        make.arm(session, study, "sham", 4, role=ArmRole.VEHICLE)
        session.query(Animal).filter_by(project_id=project.id).order_by(Animal.id).first().state = AnimalStatus.DEAD
    with database.reading() as session, statements(database.engine) as seen:
        arms = arms_of_studies(session, project.id, study.id, unblinded=True)
    assert len(seen) == 1
    assert [(arm.code, arm.slot) for arm in arms] == [
        ("vehicle", "vehicle-0"),
        ("tucatinib", "arm-0"),
        ("combo", "arm-1"),
        ("sham", "vehicle-1"),
    ]
    assert [(arm.enrolled, arm.at_risk) for arm in arms] == [(2, 1), (2, 2), (2, 2), (0, 0)]


def test_arms_that_share_a_title_are_told_apart_by_their_code(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study = make.study(session, project)
        for position, code in enumerate(("A", "B"), start=1):
            make.arm(session, study, code, position, title="Combination")
    with database.reading() as session:
        assert [arm.name for arm in arms_of_studies(session, project.id, unblinded=True)] == ["Combination (A)", "Combination (B)"]


def test_animals_show_their_last_counted_weight_and_their_arms(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study = make.cohort(session, project, animals=1)
        mice = session.query(Animal).filter_by(project_id=project.id).order_by(Animal.id).all()
        make.measurement(session, mice[0], value=20.0, taken_on=date(2026, 3, 12))
        make.measurement(session, mice[0], value=21.0, taken_on=date(2026, 3, 9))
        make.measurement(session, mice[0], value=30.0, taken_on=date(2026, 3, 15), quality=Quality.EXCLUDED)
        make.animal(session, project, "LOOSE")
        make.animal(session, project, "GONE", status=RecordStatus.WITHDRAWN)
        arm = next(arm for arm in study.arms if arm.code == "tucatinib")
    with database.reading() as session:
        listed = {
            row["code"]: row
            for row in rows(session, animal_list(project.id, unblinded=True).where(Animal.status == RecordStatus.ACTIVE))
        }
        in_arm = rows(session, animal_list(project.id, unblinded=True).where(enrolled_in(arm_id=arm.id)))
        enrolled = rows(session, animal_list(project.id, unblinded=True).where(enrolled_in(study_id=study.id)))
    assert set(listed) == {mice[0].code, mice[1].code, "LOOSE"}
    assert (listed[mice[0].code]["weight"], listed[mice[0].code]["last_on"]) == (20.0, date(2026, 3, 12))
    assert listed["LOOSE"]["arms"] is None
    assert listed["LOOSE"]["weight"] is None
    assert [row["arms"] for row in in_arm] == [f"{study.code}: Tucatinib"]
    assert len(enrolled) == 2


def test_an_animals_tumours_and_enrolments(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        mouse = make.animal(session, project)
        study = make.study(session, project)
        make.enrolment(session, make.arm(session, study), mouse)
        left = make.implant(session, mouse, "left", model_id=make.model(session, project, "BM-7").id)
        make.implant(session, mouse, "right")
        make.measurement(session, mouse, "caliper_volume", 80.0, implant_id=left.id)
    with database.reading() as session:
        tumours = tumours_of(session, mouse.id)
        enrolments = enrolments_of(session, mouse.id)
    assert [(one.label, one.model, one.readings) for one in tumours] == [("left", "BM-7", 1), ("right", None, 0)]
    assert [(enrolment.animal_id, of.id) for enrolment, of in enrolments] == [(mouse.id, study.id)]


def batch_of(session: Session, project: Project, mouse: Animal, **columns: object) -> int:
    batch = make.batch(session, project, file_name="weights.csv", **columns)
    readings = Readings(
        project=(project.id, project.code),
        kind="body_weight",
        animals=[(mouse.id, mouse.code)] * 3,
        implants=None,
        values=[20.0, 20.5, 21.0],
        slots=["2026-03-03", "2026-03-04", "2026-03-05"],
        taken_on=["2026-03-03", "2026-03-04", "2026-03-05"],
        batch=(batch.id, f"batch {batch.id}"),
        sheet="Sheet1",
        rows=range(2, 5),
        columns=3,
        raw=["20.0", "20.5", "21"],
    )
    record_measurements(session, Actor(None, "nobody"), readings)
    return batch.id


def test_readings_say_who_recorded_them_by_batch_by_command_line_and_by_form(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        mouse = make.animal(session, project)
        ada = make.member(session, project, RoleName.SCIENTIST, make.user(session, "Ada Person"))
        by_ada = batch_of(session, project, mouse, committed_by_id=ada.id)
    with make.declared(database, "measurement:create", by=Actor(ada.id, "Ada at the time")) as session:
        typed = make.measurement(session, session.get_one(Animal, mouse.id))
    with make.declared(database, "batch:commit", by=Actor(None, "root", "command line")) as session:
        other = make.animal(session, session.get_one(Project, project.id))
        by_line = batch_of(session, session.get_one(Project, project.id), other)
    with database.reading() as session, statements(database.engine) as seen:
        listed = rows(session, measurement_list(project.id))
    assert len(seen) == 1
    assert {(row["batch_id"], row["recorded_by"]) for row in listed} == {
        (by_ada, "Ada Person"),
        (None, "Ada at the time"),
        (by_line, "root"),
    }
    assert next(row for row in listed if row["id"] == typed.id)["sheet"] is None


def test_readings_of_a_study_are_those_of_its_animals_not_taken_for_another(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        study, other = make.study(session, project), make.study(session, project)
        mouse, loose = make.animal(session, project), make.animal(session, project)
        make.enrolment(session, make.arm(session, study), mouse)
        mine = make.measurement(session, mouse)
        make.measurement(session, mouse, study_id=other.id)
        make.measurement(session, loose)
    with database.reading() as session:
        listed = rows(session, measurement_list(project.id).where(in_study(study.id)))
    assert [row["id"] for row in listed] == [mine.id]


def test_files_of_a_study_say_how_many_readings_they_brought(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        mouse, loose = make.animal(session, project), make.animal(session, project)
        study = make.study(session, project)
        make.enrolment(session, make.arm(session, study), mouse)
        brought = batch_of(session, project, mouse)
        batch_of(session, project, loose)
    with database.reading() as session:
        listed = rows(session, study_files(study.id))
    assert [(row["id"], row["file_name"], row["readings"]) for row in listed] == [(brought, "weights.csv", 3)]


def test_one_reading_has_its_provenance_and_another_projects_is_not_found(database: Database) -> None:
    with make.declared(database) as session:
        project, other = make.project(session), make.project(session)
        mouse = make.animal(session, project)
        batch_of(session, project, mouse)
    with database.reading() as session:
        key = rows(session, measurement_list(project.id))[0]["id"]
        found = find_measurement(session, project.id, key)
        assert (found.animal, found.file_name, len(found.sha256)) == (mouse.code, "weights.csv", 64)
        for project_id, wanted in ((other.id, key), (project.id, 10**30), (project.id, 0)):
            with pytest.raises(NotFound, match=f"no measurement {wanted}"):
                find_measurement(session, project_id, wanted)


def test_the_first_page_of_readings_comes_from_an_index(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        page = measurement_list(1).order_by(text("id DESC")).limit(50)
        compiled = page.compile(sqlite_database.engine, compile_kwargs={"literal_binds": True})
        steps = session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))
        # The statement's own steps; the few changes of one reading may be sorted in its subquery.
        plan = [row.detail for row in steps if row.parent == 0]
    assert any("ix_measurement_project_id_id" in step for step in plan)
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan)
