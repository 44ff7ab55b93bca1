"""What the plots of a study draw: which readings count, on which day, and in how many statements."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.vocabulary import KIND_BY_CODE, Quality, RecordStatus
from lims.models import Animal, Arm, Study
from lims.queries.series import Series, animal_series, day_count, kinds_of_study, own_day_count, study_series
from tests.support import factories as make
from tests.support.statements import statements

WEIGHT, VOLUME = KIND_BY_CODE["body_weight"], KIND_BY_CODE["caliper_volume"]
DAY_ZERO = date(2026, 3, 2)


def two_arms(session: Session, **study: object) -> tuple[Study, list[Arm]]:
    of = make.study(session, make.project(session), **study)
    return of, [make.arm(session, of, code, position) for position, code in enumerate(("vehicle", "tucatinib"), start=1)]


def enrolled(session: Session, arm: Arm, study: Study, code: str, **enrolment: object) -> Animal:
    from lims.models import Project

    project = session.get_one(Project, study.project_id)
    animal = make.animal(session, project, code)
    make.enrolment(session, arm, animal, **enrolment)
    return animal


def weights(session: Session, study: Study, arms: list[Arm]) -> Series:
    return study_series(session, study, WEIGHT, day_count(session, study), {arm.id: arm.title for arm in arms})


def test_days_count_from_the_study_and_from_the_animals_own_day_zero(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session)
        by_study = enrolled(session, arms[0], study, "M1")
        own = enrolled(session, arms[1], study, "M2", day_zero_on=date(2026, 3, 4))
        make.measurement(session, by_study, value=21.0, taken_on=date(2026, 3, 9))
        make.measurement(session, own, value=22.0, taken_on=date(2026, 3, 9))
        make.measurement(session, own, value=22.5, taken_on=None, relative_day=14.0, study_id=study.id)
    with database.reading() as session:
        read = weights(session, study, arms)
        said = day_count(session, study).sentence
    assert list(zip(read.animals, read.arms, read.days, read.values, strict=True)) == [
        ("M1", "Vehicle", 7.0, 21.0),
        ("M2", "Tucatinib", 5.0, 22.0),
        ("M2", "Tucatinib", 14.0, 22.5),
    ]
    assert "randomisation on 2026-03-02" in said


def test_without_a_date_of_day_zero_days_count_from_the_first_reading_and_the_page_says_so(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session, day_zero_on=None)
        animal = enrolled(session, arms[0], study, "M1")
        make.measurement(session, animal, value=21.0, taken_on=date(2026, 3, 9))
        make.measurement(session, animal, value=21.5, taken_on=date(2026, 3, 12))
        make.measurement(session, animal, value=9.0, taken_on=date(2026, 1, 1), status=RecordStatus.WITHDRAWN)
    with database.reading() as session:
        read = weights(session, study, arms)
        said = day_count(session, study).sentence
    assert list(read.days) == [0.0, 3.0]
    assert said == "No date of day 0 is recorded: days count from the study's first reading on 2026-03-09."


def test_excluded_and_withdrawn_readings_and_those_of_another_study_do_not_count(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session)
        animal = enrolled(session, arms[0], study, "M1")
        other = make.study(session, make.project(session))
        make.measurement(session, animal, value=1.0 * 20)
        make.measurement(session, animal, value=21.0, quality=Quality.SUSPECT)
        make.measurement(session, animal, value=22.0, quality=Quality.EXCLUDED, quality_reason="wet")
        make.measurement(session, animal, value=23.0, status=RecordStatus.WITHDRAWN)
        make.measurement(session, animal, value=24.0, study_id=other.id)
    with database.reading() as session:
        read = weights(session, study, arms)
        kinds = kinds_of_study(session, study.id)
    assert sorted(read.values) == [20.0, 21.0]
    assert read.suspect == 1
    assert [point["suspect"] for point in read.points()].count(True) == 1
    assert kinds == [(WEIGHT, 2)]


def test_an_animal_that_left_the_study_is_not_drawn(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session)
        animal = enrolled(session, arms[0], study, "M1", status=RecordStatus.WITHDRAWN)
        make.measurement(session, animal)
    with database.reading() as session:
        assert len(weights(session, study, arms)) == 0
        assert kinds_of_study(session, study.id) == []


def test_tumours_of_one_animal_are_apart_as_lines_and_one_as_animals(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session)
        both, one = enrolled(session, arms[0], study, "M1"), enrolled(session, arms[0], study, "M2")
        for animal, label, value in ((both, "left", 100.0), (both, "right", 300.0), (one, "left", 50.0)):
            tumour = make.implant(session, animal, label)
            make.measurement(session, animal, "caliper_volume", value, implant_id=tumour.id)
    with database.reading() as session:
        read = study_series(session, study, VOLUME, day_count(session, study), {arms[0].id: "Vehicle"})
    assert [point["animal"] for point in read.points(by_tumour=True)] == ["M1 · left", "M1 · right", "M2"]
    assert {point["animal"] for point in read.points()} == {"M1", "M2"}
    assert read.last_values() == {"Vehicle": [200.0, 50.0]}


def test_an_animals_readings_come_by_kind_on_the_days_of_its_study(database: Database) -> None:
    with make.declared(database) as session:
        study, arms = two_arms(session)
        animal = enrolled(session, arms[1], study, "M1")
        make.measurement(session, animal, value=21.0, taken_on=date(2026, 3, 9))
        make.measurement(session, animal, "bli_total_flux", 1.2e6, taken_on=date(2026, 3, 10))
    with database.reading() as session, statements(database.engine) as seen:
        days = day_count(session, study)
        read = animal_series(session, animal, study.id, days, "Tucatinib")
        alone = animal_series(session, animal, None, own_day_count(session, animal.id))
    assert [(series.kind.code, list(series.days)) for series in read] == [("bli_total_flux", [8.0]), ("body_weight", [7.0])]
    assert [list(series.days) for series in alone] == [[1.0], [0.0]]
    assert len(seen) == 5  # day 0, and for each of the two the readings and the laboratory's own kinds


@pytest.mark.parametrize("animals", [2, 20])
def test_a_plot_costs_two_statements_whatever_the_number_of_animals(database: Database, animals: int) -> None:
    with make.declared(database) as session:
        study = make.cohort(session, make.project(session), animals=animals)
        arms = list(study.arms)
        for enrolment in [one for arm in arms for one in session.query(make.Enrolment).filter_by(arm_id=arm.id)]:
            make.measurement(session, enrolment.animal)
    with database.reading() as session:
        days = day_count(session, study)
        with statements(database.engine) as seen:
            read = study_series(session, study, WEIGHT, days, {arm.id: arm.title for arm in arms})
    assert len(read) == 2 * animals
    assert len(seen) == 2  # the animals, and their readings
