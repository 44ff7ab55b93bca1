"""Kinds, procedures and concentrations: what is refused, what is doubted, and what follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix, ProcedureKind
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import Conflict, DomainError
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import Subject
from lims.models import Agent, Animal, Dose, Exposure, Procedure, Project
from lims.queries.kinds import kinds_of
from lims.records.exposures import EXPOSURE
from lims.records.kinds import KIND
from lims.records.nouns import doubts, record, withdraw
from lims.records.procedures import PROCEDURE
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept

ON = date(2026, 3, 9)


@pytest.fixture
@kept
def mouse(database: Database) -> Animal:
    """Give a mouse of 20 g under a protocol that allows blood draws until 2026-06."""
    with factories.declared(database) as session:
        project = factories.project(session)
        allowed = [ProtocolProcedure.BLOOD_DRAW.value]
        protocol = factories.protocol(session, project, procedures=allowed, expires_on=date(2026, 6, 1))
        animal = factories.animal(session, project, "M001", protocol_id=protocol.id)
        factories.measurement(session, animal, "body_weight", 20, taken_on=ON - timedelta(days=1))
        return animal


def kind(**more: Any) -> dict[str, Any]:
    usual = {"code": "rotarod", "title": "Rotarod latency", "unit": "s", "subject": Subject.ANIMAL, "hard_min": 0, "hard_max": 300}
    return usual | more


def test_a_labs_kind_is_a_kind_of_its_project_alone(database: Database) -> None:
    with factories.declared(database) as session:
        here, there = factories.project(session), factories.project(session)
        (made,) = record(session, factories.actor(), KIND, here.id, [kind(soft_max=250)])
        assert kinds_of(session, here.id)["rotarod"].soft_max == 250
        assert "rotarod" not in kinds_of(session, there.id)
        withdraw(session, factories.actor(), KIND, made, version=made.version, reason="a mistake")
        assert "rotarod" not in kinds_of(session, here.id)
        assert "rotarod" in kinds_of(session, here.id, withdrawn=True)


@each(
    ("wrong", "field"),
    [
        ({"code": "Rotarod latency"}, "code"),
        ({"code": "body_weight"}, "code"),
        ({"title": "Body weight"}, "title"),
        ({"hard_max": 0}, "hard_max"),
        ({"soft_min": -1}, "soft_min"),
        ({"soft_min": 10, "soft_max": 5}, "soft_max"),
        ({"decimals": 9}, "decimals"),
        ({"unit": " "}, "unit"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(database: Database, wrong: dict[str, Any], field: str) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
    with pytest.raises(DomainError) as refused, database.transaction() as session:
        record(session, factories.actor(), KIND, project.id, [kind(**wrong)])
    assert refused.value.field == field


def test_a_kind_with_readings_is_not_withdrawn(database: Database, mouse: Animal) -> None:
    with factories.declared(database) as session:
        (made,) = record(session, factories.actor(), KIND, mouse.project_id, [kind()])
        factories.measurement(session, session.get_one(Animal, mouse.id), "rotarod", 120)
    with (
        pytest.raises(Conflict, match="1 reading of this kind counts"),
        database.transaction() as session,
    ):
        withdraw(session, factories.actor(), KIND, session.get_one(type(made), made.id), version=1, reason="a mistake")


def draw(mouse: Animal, **more: Any) -> dict[str, Any]:
    return {"animal_id": mouse.id, "kind": ProcedureKind.BLOOD_DRAW, "done_on": ON, "volume_ul": 100} | more


def test_a_blood_draw_is_recorded_for_several_animals_in_the_trail(database: Database, mouse: Animal) -> None:
    with database.transaction() as session:
        (made,) = record(session, factories.actor(), PROCEDURE, mouse.project_id, [draw(mouse)])
        assert made.volume_ul == 100
    assert verify(database).problems == []


@each(
    ("wrong", "field", "said"),
    [
        ({"kind": ProcedureKind.MRI, "volume_ul": None}, "animal_id", "does not allow imaging"),
        ({"kind": ProcedureKind.SURGERY, "volume_ul": None}, "animal_id", "does not allow surgery other than implanting"),
        ({"done_on": date(2026, 7, 1)}, "animal_id", "expired on 2026-06-01"),
        ({"done_on": date(2025, 1, 1)}, "done_on", "the birth of M001"),
        ({"volume_ul": 1_700}, "volume_ul", "more blood than M001 has"),
        ({"kind": ProcedureKind.IRRADIATION}, "volume_ul", "Nothing is drawn at irradiation"),
        ({"volume_ul": -1}, "volume_ul", "cannot be"),
    ],
)
def test_a_procedure_that_is_not_allowed_or_cannot_be_is_refused(
    database: Database, mouse: Animal, wrong: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(DomainError, match=said) as refused, database.transaction() as session:
        record(session, factories.actor(), PROCEDURE, mouse.project_id, [draw(mouse, **wrong)])
    assert refused.value.field == field
    with database.reading() as session:
        assert session.query(Procedure).count() == 0


def test_nothing_is_done_to_the_dead(database: Database, mouse: Animal) -> None:
    with factories.declared(database) as session:
        session.get_one(Animal, mouse.id).died_on = ON - timedelta(days=1)
    with pytest.raises(DomainError, match="the death of M001"), database.transaction() as session:
        record(session, factories.actor(), PROCEDURE, mouse.project_id, [draw(mouse)])


def told(database: Database, mouse: Animal, **more: Any) -> list[str]:
    with database.reading() as session:
        return [one.message for one in doubts(session, PROCEDURE, mouse.project_id, [draw(mouse, **more)])]


def test_more_than_a_tenth_of_the_blood_and_fifteen_percent_in_four_weeks_are_doubted(database: Database, mouse: Animal) -> None:
    assert told(database, mouse, volume_ul=116) == []
    assert "10 % of the blood of M001, about 1,170 µL at 20 g" in told(database, mouse, volume_ul=118)[0]
    with database.transaction() as session:
        record(session, factories.actor(), PROCEDURE, mouse.project_id, [draw(mouse, volume_ul=100)])
    later = {"volume_ul": 90, "done_on": ON + timedelta(days=14)}
    assert told(database, mouse, **later) == ["With this, 190 µL were drawn from M001 in 28 days."]
    assert told(database, mouse, volume_ul=90, done_on=ON + timedelta(days=40)) == []


def test_a_terminal_draw_is_not_doubted_and_one_without_a_weight_is(database: Database, mouse: Animal) -> None:
    assert "No weight of M001" in told(database, mouse, done_on=date(2026, 2, 1))[0]
    with factories.declared(database) as session:
        session.get_one(Animal, mouse.id).died_on = ON
    assert told(database, mouse, volume_ul=700) == []


# Exposure


@pytest.fixture
def agent(database: Database, mouse: Animal) -> Agent:
    """Give an agent of which the mouse got a dose at 08:00 on the day."""
    with factories.declared(database) as session:
        values = {
            "project_id": mouse.project_id,
            "code": "TUC",
            "name": "Tucatinib",
            "agent_class": AgentClass.TYROSINE_KINASE_INHIBITOR,
        }
        agent = Agent(**values, targets=["ERBB2"], fraction_unbound_plasma=0.05, fraction_unbound_brain=0.02)
        session.add(agent)
        session.flush()
        at = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
        session.add(Dose(project_id=mouse.project_id, animal_id=mouse.id, agent_id=agent.id, given_on=ON, given_at=at))
        return agent


def sample(mouse: Animal, agent: Agent, **more: Any) -> dict[str, Any]:
    usual = {"animal_id": mouse.id, "agent_id": agent.id, "matrix": ExposureMatrix.PLASMA, "unit": ConcentrationUnit.NG_PER_ML}
    return usual | {"concentration": 400.0, "collected_on": ON} | more


def test_the_time_after_the_dose_follows_from_the_dose(database: Database, mouse: Animal, agent: Agent) -> None:
    at = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    with database.transaction() as session:
        timed, dated = record(
            session,
            factories.actor(),
            EXPOSURE,
            mouse.project_id,
            [sample(mouse, agent, collected_at=at), sample(mouse, agent, hours_after_dose=24)],
        )
        assert (timed.hours_after_dose, dated.hours_after_dose) == (2.5, 24)
        assert timed.dose_id is not None
        assert timed.dose_id == dated.dose_id
    assert verify(database).problems == []


@each(
    ("wrong", "field"),
    [
        ({"concentration": None}, "concentration"),
        ({"below_lloq": True, "lloq": 0.5}, "concentration"),
        ({"concentration": 0.3, "lloq": 0.5}, "concentration"),
        ({"concentration": -1.0}, "concentration"),
        ({"unit": ConcentrationUnit.NG_PER_G}, "unit"),
        ({"collected_on": date(2025, 1, 1)}, "collected_on"),
        ({"collected_on": date(2199, 1, 1)}, "collected_on"),
    ],
)
def test_a_concentration_that_cannot_be_is_refused(
    database: Database, mouse: Animal, agent: Agent, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(DomainError) as refused, database.transaction() as session:
        record(session, factories.actor(), EXPOSURE, mouse.project_id, [sample(mouse, agent, **wrong)])
    assert refused.value.field == field


def test_a_tumour_and_a_specimen_of_another_animal_are_refused(database: Database, mouse: Animal, agent: Agent) -> None:
    with factories.declared(database) as session:
        other = factories.animal(session, session.get_one(Project, mouse.project_id), "M002")
        tumour = factories.implant(session, other)
    with pytest.raises(DomainError) as refused, database.transaction() as session:
        record(session, factories.actor(), EXPOSURE, mouse.project_id, [sample(mouse, agent, implant_id=tumour.id)])
    assert refused.value.field == "implant_id"


def test_a_sample_without_a_dose_and_one_twice_are_doubted(database: Database, mouse: Animal, agent: Agent) -> None:
    def said(**more: Any) -> list[str]:
        with database.reading() as session:
            return [one.message for one in doubts(session, EXPOSURE, mouse.project_id, [sample(mouse, agent, **more)])]

    assert said() == []
    assert said(collected_on=ON - timedelta(days=1)) == ["No dose of TUC to M001 is recorded up to 2026-03-08."]
    assert "nM cannot be compared" in said(unit=ConcentrationUnit.NANOMOLAR)[0]
    with database.transaction() as session:
        record(session, factories.actor(), EXPOSURE, mouse.project_id, [sample(mouse, agent, hours_after_dose=2)])
    assert said(hours_after_dose=2) == ["Plasma of M001 is recorded for this time already."]
    assert said(hours_after_dose=4) == []
    with database.reading() as session:
        assert session.query(Exposure).count() == 1
