"""Humane endpoints: every new and corrected value is judged as it is saved, and what it asks stands until people answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, WeightBaseline
from lims.domain.errors import DomainError
from lims.domain.vocabulary import AnimalStatus, Quality
from lims.models import Animal, AnimalProtocol, AuditChange, EndpointAction, EndpointRule, Project
from lims.records.actions import close, defer
from lims.records.colony import ANIMAL
from lims.records.endpoints import ENDPOINT, use_usual_rules
from lims.records.measurements import Readings, record_measurements
from lims.records.nouns import change, record, withdraw
from tests.records.welfare import Ward
from tests.support import factories
from tests.support.cases import each
from tests.support.statements import statements

ACT, WATCH = EndpointLevel.ACT, EndpointLevel.WATCH
OPEN, DEFERRED, CLOSED = ActionState.OPEN, ActionState.DEFERRED, ActionState.CLOSED


@pytest.fixture
def ward(database: Database) -> Ward:
    """Give two animals under a protocol: watch from 15 % of weight lost since implanting, act at 20 %."""
    ward = Ward.open(database)
    ward.rule()
    ward.measure("M1", "2026-02-20", 21.4)
    return ward


def told(ward: Ward) -> list[tuple[EndpointLevel, ActionState, date]]:
    return [(one.level, one.state, one.reached_on) for one in ward.actions()]


def test_a_value_that_reaches_an_endpoint_opens_an_action_in_its_own_event(ward: Ward) -> None:
    ward.measure("M1", "2026-03-10", 20.4)
    assert ward.actions() == []
    (key,) = ward.measure("M1", "2026-03-20", 17.1)
    (action,) = ward.actions()
    assert (action.level, action.state, action.reached_on, action.measurement_id) == (ACT, OPEN, date(2026, 3, 20), key)
    assert (
        action.finding == "Weight 17.1 g on 2026-03-20 is 20.1 % below the weight of implant day, 21.4 g on 2026-02-20: act at 20 %"
    )
    event = ward.last_event()
    assert (event.action, event.changes) == ("measurement:create", 2)
    assert verify(ward.database).problems == []


def test_a_watch_becomes_an_act_and_no_second_action_opens(ward: Ward) -> None:
    ward.measure("M1", "2026-03-18", 18.0)
    assert told(ward) == [(WATCH, OPEN, date(2026, 3, 18))]
    ward.measure("M1", "2026-03-19", 17.9)
    assert told(ward) == [(WATCH, OPEN, date(2026, 3, 18))]
    ward.measure("M1", "2026-03-20", 17.0)
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 20))]
    ward.measure("M1", "2026-03-21", 16.8)
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 20))]
    assert verify(ward.database).problems == []


def test_a_corrected_value_opens_an_action_and_one_that_no_longer_reaches_it_is_noted(ward: Ward) -> None:
    (key,) = ward.measure("M1", "2026-03-20", 20.1)
    ward.correct(key, value=(20.1, 17.1))
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 20))]
    ward.correct(key, value=(17.1, 21.7))
    (action,) = ward.actions()
    assert (action.level, action.state) == (ACT, OPEN)
    assert action.note == (
        "What is recorded of 2026-03-20 no longer reaches the endpoint. "
        "Weight 21.7 g on 2026-03-20 is 1.4 % above the weight of implant day, 21.4 g on 2026-02-20."
    )
    ward.correct(key, value=(21.7, 17.1))
    assert ward.actions()[0].note is None
    assert verify(ward.database).problems == []


def test_a_withdrawn_or_excluded_value_is_noted_too(ward: Ward) -> None:
    (key,) = ward.measure("M1", "2026-03-20", 17.1)
    ward.correct(key, quality=(Quality.OK.value, Quality.EXCLUDED.value), quality_reason=(None, "scale"))
    assert ward.actions()[0].note == "What is recorded of 2026-03-20 no longer reaches the endpoint."
    ward.correct(key, quality=(Quality.EXCLUDED.value, Quality.OK.value), quality_reason=("scale", None))
    assert ward.actions()[0].note is None
    ward.withdraw(key)
    assert ward.actions()[0].note == "What is recorded of 2026-03-20 no longer reaches the endpoint."
    assert ward.actions()[0].state is OPEN


def test_a_corrected_baseline_judges_the_days_after_it(ward: Ward) -> None:
    (key,) = ward.measure("M2", "2026-02-20", 20.0)
    ward.measure("M2", "2026-03-20", 17.5)
    assert ward.actions() == []
    ward.correct(key, value=(20.0, 22.0))
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 20))]


def test_a_moved_date_is_judged_where_it_was_and_where_it_is(ward: Ward) -> None:
    (key,) = ward.measure("M1", "2026-03-20", 17.1)
    ward.correct(key, taken_on=("2026-03-20", "2026-03-21"), slot=("2026-03-20", "2026-03-21"))
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 21))]


def test_of_several_values_of_a_day_the_worst_counts_and_of_several_tumours_the_sum(database: Database) -> None:
    ward = Ward.open(database)
    ward.rule(EndpointMeasure.NEUROLOGICAL_SCORE, 3, 2)
    ward.rule(EndpointMeasure.TUMOUR_VOLUME, 1_500, None)
    ward.rule(EndpointMeasure.TUMOUR_BURDEN, 10, None)
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, ward.animals["M1"])
        tumours = [factories.implant(session, mouse, label).id for label in ("MFP L", "MFP R")]
    ward.measure("M1", "2026-03-20", 1, 3, kind="neurological_score")
    ward.measure("M1", "2026-03-20", 700, 750, kind="caliper_volume", implants=tumours)
    assert [one.value for one in ward.actions()] == [3]
    ward.measure("M1", "2026-03-21", 750, 800, kind="caliper_volume", implants=tumours)
    assert [one.value for one in ward.actions()] == [3, 1_550]
    ward.measure("M1", "2026-03-19", 14.0)  # the weight alone completes the burden
    assert [round(one.value, 1) for one in ward.actions()] == [3, 1_550, 10.4]
    assert "1,450 mm³ (2 tumours)" in ward.actions()[2].finding
    assert verify(database).problems == []


def test_who_is_not_judged(ward: Ward) -> None:
    ward.house("FREE", protocol_id=None)
    ward.house("DEAD", died_on=date(2026, 4, 1), state=AnimalStatus.DEAD)
    for code in ("FREE", "DEAD"):
        ward.measure(code, "2026-02-20", 21.4)
        ward.measure(code, "2026-03-20", 12.0)
    ward.measure("M1", "2026-03-20", 1e6, kind="bli_total_flux")
    assert ward.actions() == []


def test_a_withdrawn_rule_judges_nothing(ward: Ward) -> None:
    with ward.database.transaction() as session:
        rule = session.scalars(select(EndpointRule)).one()
        withdraw(session, factories.actor(), ENDPOINT, rule, version=1, reason="amended")
    ward.measure("M1", "2026-03-21", 12.0)
    assert ward.actions() == []


# Answers


def _answer(ward: Ward, step: Callable[..., None], **how: Any) -> None:
    with ward.database.transaction() as session:
        action = session.get_one(EndpointAction, 1)
        step(session, factories.actor(), action, version=action.version, **how)


def _ahead(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


def test_a_deferral_holds_until_its_day_and_then_opens_again(ward: Ward) -> None:
    ward.measure("M1", "2026-03-20", 17.1)
    _answer(ward, defer, until=_ahead(3), reason="wet food, weighed again on Monday")
    (action,) = ward.actions()
    assert (action.state, action.deferred_until, action.answer) == (DEFERRED, _ahead(3), "wet food, weighed again on Monday")
    assert action.answered_on == _ahead(0)
    event = ward.last_event()
    assert (event.action, event.reason) == ("action:change", "wet food, weighed again on Monday")
    ward.measure("M1", "2026-03-21", 17.0)
    assert ward.actions()[0].state is DEFERRED
    with factories.declared(ward.database) as session:
        session.get_one(EndpointAction, action.id).deferred_until = date(2026, 3, 23)
    ward.measure("M1", "2026-03-23", 16.9)
    assert ward.actions()[0].state is DEFERRED
    ward.measure("M1", "2026-03-24", 16.9)
    (again,) = ward.actions()
    assert (again.state, again.deferred_until, again.answer, again.reached_on) == (OPEN, None, None, date(2026, 3, 24))
    assert verify(ward.database).problems == []


def test_what_gets_worse_than_was_deferred_opens_at_once(ward: Ward) -> None:
    ward.measure("M1", "2026-03-18", 18.0)
    _answer(ward, defer, until=_ahead(5), reason="watched daily")
    ward.measure("M1", "2026-03-19", 17.0)
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 19))]


@pytest.mark.parametrize("days", [None, -1, 0, 15])
def test_a_deferral_has_a_day_that_is_not_far(ward: Ward, days: int | None) -> None:
    ward.measure("M1", "2026-03-20", 17.1)
    with pytest.raises(DomainError) as refused:
        _answer(ward, defer, until=None if days is None else _ahead(days), reason="later")
    assert refused.value.field == "deferred_until"
    assert refused.value.expected == f"{_ahead(1)} to {_ahead(14)}"
    assert ward.actions()[0].state is OPEN


def test_answers_have_reasons(ward: Ward) -> None:
    ward.measure("M1", "2026-03-18", 18.0)
    for step, how in ((defer, {"until": _ahead(1)}), (close, {})):
        with pytest.raises(DomainError, match="reason"):
            _answer(ward, step, reason=" ", **how)
    assert ward.actions()[0].state is OPEN


def test_an_act_is_closed_by_a_person_only_when_the_value_no_longer_reaches_it(ward: Ward) -> None:
    (key,) = ward.measure("M1", "2026-03-20", 17.1)
    with pytest.raises(DomainError, match="It is not closed while the animal reaches the endpoint") as refused:
        _answer(ward, close, reason="looks fine")
    assert refused.value.expected == "its fate, or a deferral with a reason"
    ward.correct(key, value=(17.1, 21.7))
    _answer(ward, close, reason="digits swapped, weighed again")
    assert (ward.actions()[0].state, ward.actions()[0].answer) == (CLOSED, "digits swapped, weighed again")
    with pytest.raises(DomainError, match="answered already"):
        _answer(ward, defer, until=_ahead(1), reason="again")
    ward.measure("M1", _ahead(0).isoformat(), 17.0)  # reaches it anew
    assert [one.state for one in ward.actions()] == [CLOSED, OPEN]
    assert verify(ward.database).problems == []


def test_a_watch_is_closed_with_a_reason(ward: Ward) -> None:
    ward.measure("M1", "2026-03-18", 18.0)
    _answer(ward, close, reason="eats again")
    ward.measure("M1", "2026-03-17", 18.1)  # an older value is asked about, for it was not there
    assert [one.state for one in ward.actions()] == [CLOSED, OPEN]


# Rules


def _record(ward: Ward, **values: object) -> EndpointRule:
    with ward.database.transaction() as session:
        (rule,) = record(session, factories.actor(), ENDPOINT, ward.project[0], [{"protocol_id": ward.protocol, **values}])
        return rule


def test_a_new_rule_judges_the_last_value_of_the_living(ward: Ward) -> None:
    ward.measure("M1", "2026-03-18", 4, kind="neurological_score")
    ward.measure("M1", "2026-03-20", 2, kind="neurological_score")
    ward.measure("M2", "2026-03-20", 3, kind="neurological_score")
    rule = _record(ward, measure=EndpointMeasure.NEUROLOGICAL_SCORE, act_at=3, consecutive_days=1)
    assert [(one.animal_id, one.value) for one in ward.actions()] == [(ward.animals["M2"], 3)]
    with ward.database.transaction() as session:
        found = session.get_one(EndpointRule, rule.id)
        change(session, factories.actor(), ENDPOINT, found, version=1, reason="amendment 2", fields={"act_at": 2})
    assert [(one.animal_id, one.value) for one in ward.actions()] == [(ward.animals["M2"], 3), (ward.animals["M1"], 2)]
    assert ward.last_event().action == "endpoint:change"
    assert verify(ward.database).problems == []


@each(
    ("values", "field"),
    [
        ({"measure": EndpointMeasure.WEIGHT_LOSS, "baseline": WeightBaseline.IMPLANT_DAY, "act_at": 18}, "measure"),
        ({"measure": EndpointMeasure.WEIGHT_LOSS, "act_at": 18}, "baseline"),
        ({"measure": EndpointMeasure.BODY_CONDITION, "act_at": 2, "watch_at": 1}, "watch_at"),
        ({"measure": EndpointMeasure.TUMOUR_BURDEN, "act_at": 60}, "act_at"),
        ({"measure": EndpointMeasure.TUMOUR_BURDEN, "act_at": 10, "consecutive_days": 31}, "consecutive_days"),
        ({"measure": EndpointMeasure.TUMOUR_BURDEN, "act_at": None}, "act_at"),
    ],
)
def test_rules_that_cannot_be_are_refused(ward: Ward, values: dict[str, object], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        _record(ward, **values)
    assert refused.value.field == field
    with ward.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(EndpointRule)) == 1


def test_the_usual_rules_complete_what_the_protocol_has(ward: Ward) -> None:
    def use() -> int:
        with ward.database.transaction() as session:
            return len(use_usual_rules(session, factories.actor(), session.get_one(AnimalProtocol, ward.protocol)))

    assert use() == 4
    with pytest.raises(DomainError, match="of every usual measure"):
        use()


# Cost


def _weigh_all(ward: Ward, on: str, value: float) -> None:
    of = [(key, code) for code, key in ward.animals.items()]
    with ward.database.transaction() as session:
        record_measurements(
            session,
            factories.actor(),
            Readings(ward.project, "body_weight", of, None, [value] * len(of), [on] * len(of), [on] * len(of)),
        )


def test_judging_costs_the_same_however_many_are_judged(ward: Ward) -> None:
    _weigh_all(ward, "2026-02-21", 21.4)
    with statements(ward.database.engine) as few:
        _weigh_all(ward, "2026-03-12", 17.0)
    ward.house(*(f"N{number}" for number in range(20)))
    _weigh_all(ward, "2026-02-22", 21.4)
    with statements(ward.database.engine) as many:
        _weigh_all(ward, "2026-03-22", 17.0)
    assert len(ward.actions()) == 22
    assert len(many) <= len(few) + 2  # the bulk writer writes whole blocks, then what is left


def test_a_value_that_asks_nothing_is_judged_by_two_statements(ward: Ward) -> None:
    with statements(ward.database.engine) as seen:
        ward.measure("M1", "2026-03-10", 21.0)
    reads = [one for one in seen if one.startswith(("SELECT animal.id, animal.code", "SELECT measurement"))]
    assert [("endpoint_action" in one, "measurement.taken_on" in one) for one in reads] == [(True, False), (False, True)]
    assert sum("endpoint" in one for one in seen) == 1


def test_a_project_without_endpoints_pays_one_statement(database: Database) -> None:
    ward = Ward.open(database)
    ward.measure("M1", "2026-02-20", 21.4)
    with statements(database.engine) as seen:
        ward.measure("M1", "2026-03-20", 17.0)
    assert sum("endpoint" in one for one in seen) == 1
    with statements(database.engine) as seen:
        ward.measure("M1", "2026-03-20", 17.0, kind="bli_total_flux")
    assert not any("endpoint" in one for one in seen)
    with database.reading() as session:
        assert set(session.scalars(select(AuditChange.entity))) >= {"measurement"}


def test_an_animal_that_comes_under_another_protocol_is_judged_by_its_endpoints(database: Database) -> None:
    ward = Ward.open(database)
    ward.rule()
    with factories.declared(database) as session:
        project = session.get_one(Project, ward.project[0])
        strict = factories.protocol(session, project, "A-2")
        factories.endpoint_rule(session, strict, EndpointMeasure.WEIGHT_LOSS, 10, baseline=WeightBaseline.IMPLANT_DAY)
        strict_id = strict.id
    for animal in ("M1", "M2"):
        ward.measure(animal, "2026-02-20", 20.0)
        ward.measure(animal, "2026-03-01", 17.8)
    assert told(ward) == []
    protocol(ward, "M1", strict_id, "renewed under A-2")
    (action,) = ward.actions()
    assert (action.animal_id, action.level, action.reached_on) == (ward.animals["M1"], ACT, date(2026, 3, 1))
    assert ward.last_event().action == "animal:change"

    with database.transaction() as session:
        mouse = session.get_one(Animal, ward.animals["M1"])
        change(session, factories.actor(), ANIMAL, mouse, version=mouse.version, reason="read off", fields={"ear_tag": "7"})
    assert len(ward.actions()) == 1, "nothing else of an animal asks again"
    protocol(ward, "M1", ward.protocol, "back")
    assert told(ward) == [(ACT, OPEN, date(2026, 3, 1))], "the looser protocol asks nothing, and what was asked stands"
    assert verify(database).problems == []


def protocol(ward: Ward, animal: str, key: int, why: str) -> None:
    with ward.database.transaction() as session:
        mouse = session.get_one(Animal, ward.animals[animal])
        change(session, factories.actor(), ANIMAL, mouse, version=mouse.version, reason=why, fields={"protocol_id": key})
