"""Randomisation: from implanted animals with a baseline to enrolments that anybody can make again from the seed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import AllocationMethod, Stratum
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import KIND_BY_CODE, AnimalStatus, Quality, RecordStatus, Sex, StudyStatus
from lims.models import Agent, Allocation, Animal, Arm, AuditEvent, Dose, Enrolment, Measurement, Project, Randomisation, Study
from lims.queries.allocation import eligible_animals
from lims.records.randomisations import Wish, made_again, randomise
from tests.support import factories
from tests.support.cases import each

DAY_14 = date(2026, 3, 16)
FLUX = KIND_BY_CODE["bli_total_flux"]


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


@pytest.fixture
def study(database: Database, project: Project) -> Study:
    """Three arms for sixteen, and seventeen animals with a brain tumour; the last one has no flux."""
    with factories.declared(database) as session:
        experiment = factories.study(session, project, "EFF-1")
        for position, (code, places) in enumerate((("vehicle", 6), ("tucatinib", 5), ("t-dxd", 5))):
            factories.arm(session, experiment, code, position, target_n=places)
        for number in range(17):
            sex = Sex.FEMALE if number % 2 else Sex.MALE
            mouse = factories.animal(session, project, f"M{number:02}", sex=sex)
            factories.implant(session, mouse)
            if number < 16:
                flux = 10 ** (5 + number * 7 % 16 / 8)
                factories.measurement(session, mouse, FLUX.code, flux, taken_on=DAY_14, slot=f"{DAY_14}")
        return experiment


def ids(database: Database, *codes: str) -> list[int]:
    with database.reading() as session:
        wanted = select(Animal.id).order_by(Animal.code)
        return list(session.scalars(wanted.where(Animal.code.in_(codes)) if codes else wanted))


def run(database: Database, study: Study, **wish: Any) -> Randomisation:
    animals = ids(database)
    values: dict[str, Any] = {
        "method": AllocationMethod.STRATIFIED_BLOCKS,
        "animals": animals[:16],
        "left_out": {animals[16]: "no flux on day 14"},
        "kind": FLUX,
        "baseline_on": DAY_14,
        "seed": "7",
    }
    with database.transaction() as session:
        return randomise(session, factories.actor(), session.get_one(Study, study.id), Wish(**values | wish))


def enrolled(database: Database) -> dict[str, str]:
    with database.reading() as session:
        rows = session.execute(
            select(Animal.code, Arm.code)
            .join(Enrolment, Enrolment.animal_id == Animal.id)
            .join(Arm, Arm.id == Enrolment.arm_id)
            .where(Enrolment.status == RecordStatus.ACTIVE)
        )
        return dict(rows.all())


@pytest.mark.parametrize("method", AllocationMethod)
def test_animals_come_into_arms_with_all_that_it_takes_to_do_it_again(
    database: Database, study: Study, method: AllocationMethod
) -> None:
    made = run(database, study, method=method, strata=(Stratum.SEX,))
    assert Counter(enrolled(database).values()) == {"vehicle": 6, "tucatinib": 5, "t-dxd": 5}
    with database.reading() as session:
        kept = session.get_one(Randomisation, made.id)
        assert (kept.number, kept.seed, kept.places) == (1, "7", ["vehicle: 6", "tucatinib: 5", "t-dxd: 5"])
        assert made_again(session, kept, FLUX)
        left_out = session.scalars(select(Allocation).where(Allocation.arm_id.is_(None))).one()
        assert left_out.exclusion_reason == "no flux on day 14"
        assert session.scalar(select(AuditEvent.action).order_by(AuditEvent.seq.desc()).limit(1)) == "randomisation:create"
    assert verify(database).problems == []


def test_a_reading_that_changes_later_does_not_change_what_was_allocated(database: Database, study: Study) -> None:
    made = run(database, study)
    with factories.declared(database) as session:
        allocation = session.scalars(
            select(Allocation).where(Allocation.randomisation_id == made.id, Allocation.position == 1)
        ).one()
        allocation.baseline_value = 1.0
    with database.reading() as session:
        assert not made_again(session, session.get_one(Randomisation, made.id), FLUX)


def test_a_second_run_needs_a_reason_and_replaces_the_first(database: Database, study: Study) -> None:
    run(database, study)
    before = enrolled(database)
    with pytest.raises(DomainError, match="needs a reason"):
        run(database, study, seed="8")
    assert enrolled(database) == before
    again = run(database, study, seed="8", reason="M03 was mixed up with M04")
    assert again.number == 2
    assert enrolled(database) != before
    assert len(enrolled(database)) == 16
    assert verify(database).problems == []


def test_nothing_is_allocated_anew_once_animals_are_treated(database: Database, study: Study, project: Project) -> None:
    run(database, study)
    with factories.declared(database) as session:
        agent = Agent(
            project_id=project.id, code="TUC", name="tucatinib", agent_class=AgentClass.TYROSINE_KINASE_INHIBITOR, targets=[]
        )
        session.add(agent)
        session.flush()
        session.add(
            Dose(project_id=project.id, animal_id=ids(database, "M01")[0], agent_id=agent.id, study_id=study.id, given_on=DAY_14)
        )
    with pytest.raises(DomainError, match="1 dose is recorded"):
        run(database, study, reason="better luck")


@each(
    ("wish", "told"),
    [
        ({"animals": "all", "left_out": {}}, "M16 has no reading"),
        ({"left_out": {"M16": " "}}, "nobody says why"),
        ({"left_out": {"M16": "no flux", "M00": "small"}}, "allocated and left out at once"),
        ({"baseline_on": None}, "day of the baseline"),
        ({"baseline_on": date(2999, 1, 1)}, "in the future"),
        ({"baseline_on": date(2026, 3, 20)}, "have no reading"),
        ({"animals": [999_999]}, "no animal 999999"),
        ({"animals": []}, "no animal to allocate"),
    ],
)
def test_what_cannot_be_randomised_is_refused_and_nothing_is_recorded(
    database: Database, study: Study, wish: dict[str, Any], told: str
) -> None:
    by_code = dict(zip(("M" + f"{n:02}" for n in range(17)), ids(database), strict=True))
    if wish.get("animals") == "all":
        wish = wish | {"animals": list(by_code.values())}
    if "left_out" in wish:
        wish = wish | {"left_out": {by_code[code]: why for code, why in wish["left_out"].items()}}
    with pytest.raises(DomainError, match=told) as refused:
        run(database, study, **wish)
    assert refused.value.expected
    assert enrolled(database) == {}
    with database.reading() as session:
        assert session.query(Randomisation).count() == 0


def test_a_closed_study_takes_no_animals(database: Database, study: Study) -> None:
    with factories.declared(database) as session:
        session.get_one(Study, study.id).state = StudyStatus.CLOSED
    with pytest.raises(DomainError, match="is closed"):
        run(database, study)


def test_an_arm_without_a_planned_number_cannot_be_filled(database: Database, study: Study) -> None:
    with factories.declared(database) as session:
        session.scalars(select(Arm).where(Arm.code == "t-dxd")).one().target_n = None
    with pytest.raises(DomainError, match="t-dxd of study EFF-1 has no planned number"):
        run(database, study)


def test_an_excluded_reading_is_no_baseline(database: Database, study: Study) -> None:
    with factories.declared(database) as session:
        reading = session.scalars(select(Measurement).where(Measurement.animal_id == ids(database, "M04")[0])).one()
        reading.quality, reading.quality_reason = Quality.EXCLUDED, "failed luciferin injection"
    with pytest.raises(DomainError, match="M04 has no reading"):
        run(database, study)


def test_only_living_animals_with_a_tumour_that_are_in_no_arm_are_offered(
    database: Database, study: Study, project: Project
) -> None:
    with factories.declared(database) as session:
        factories.animal(session, project, "NO-TUMOUR")
        dead = factories.animal(session, project, "DEAD", died_on=date(2026, 3, 10))
        factories.implant(session, dead)
        other = factories.animal(session, project, "ENROLLED")
        factories.implant(session, other)
        factories.enrolment(session, session.scalars(select(Arm).where(Arm.code == "vehicle")).one(), other)
    with database.reading() as session:
        assert [one.code for one in eligible_animals(session, project.id, study.id)] == [f"M{n:02}" for n in range(17)]


@pytest.mark.parametrize(
    ("code", "columns", "told"),
    [
        ("DEAD", {"died_on": DAY_14, "state": AnimalStatus.DEAD}, "DEAD is dead"),
        ("DEAD", {"state": AnimalStatus.DEAD}, "DEAD is dead"),
        ("ENROLLED", {}, "ENROLLED is in an arm already, put there by hand"),
    ],
)
def test_the_dead_and_those_put_in_an_arm_by_hand_are_not_allocated(
    database: Database, study: Study, project: Project, code: str, columns: dict[str, Any], told: str
) -> None:
    with factories.declared(database) as session:
        mouse = factories.animal(session, project, code, **columns)
        factories.implant(session, mouse)
        factories.measurement(session, mouse, FLUX.code, 1e6, taken_on=DAY_14, slot=f"{DAY_14}")
        if code == "ENROLLED":
            factories.enrolment(session, session.scalars(select(Arm).where(Arm.code == "vehicle")).one(), mouse)
    before = enrolled(database)
    with pytest.raises(DomainError, match=told) as refused:
        run(database, study, animals=ids(database, "M00", "M01", code), left_out={})
    assert refused.value.field == "animals"
    assert enrolled(database) == before
