"""Doses of a colony log: what compounds and routes are called, and what a form would ask of a dose."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from importers.base import Severity
from lims.domain.cohort_terms import DoseRoute, FateReason
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.models import Agent, Animal, Dose, Fate, Project
from lims.records.colony import ANIMAL
from lims.records.nouns import change, record
from lims.records.treatment import AGENT
from tests.intake.desk import Desk, balanced, codes, found, weights
from tests.intake.event_log import DEAD_ON, FRIDAY, HEADER, LATER, MONDAY, TUESDAY, doses, event, log
from tests.support import factories


def test_an_unknown_compound_is_refused_until_it_is_created_or_said(desk: Desk) -> None:
    with desk.database.transaction() as session:
        record(
            session,
            desk.actor,
            AGENT,
            desk.project,
            [{"code": "T-DXd", "name": "trastuzumab deruxtecan", "agent_class": AgentClass.OTHER, "targets": []}],
        )
    rows = (event(compound="Enhertu"), event(when=TUESDAY, compound="TRASTUZUMAB DERUXTECAN"), event(when=FRIDAY, compound="t-dxd"))

    refused = desk.record(log(*rows), "log.xlsx", create="animals")

    finding = found(refused, "agent-unknown")
    assert (finding.value, finding.row, balanced(refused)) == ("Enhertu", 2, {"read": 3, "new": 2, "refused": 1})
    (question,) = [one for one in refused.report["questions"] if one["key"] == "agent:Enhertu"]
    assert [value for value, _ in question["options"]] == ["T-DXd", "new"]

    said = desk.record(log(*rows), "log.xlsx", create="animals", **{"agent:Enhertu": "T-DXd"})
    assert said.state is BatchState.COMMITTED
    assert {row[1] for row in doses(desk)} == {"T-DXd"}

    # What was answered once is proposed for the next file, and counts there.
    later = desk.record(log(event("M9", compound="Enhertu")), "next.xlsx", create="animals")
    assert later.state is BatchState.COMMITTED
    assert desk.codes(Agent) == ["T-DXd"]
    assert "earlier file" in found_note(later, "proposal-agent:Enhertu")


def found_note(outcome: Any, code: str) -> str:
    (finding,) = [one for one in outcome.findings if one.code == code]
    return str(finding.message)


def test_an_answer_that_is_no_agent_is_an_error(desk: Desk) -> None:
    with desk.database.transaction() as session:
        record(
            session,
            desk.actor,
            AGENT,
            desk.project,
            [{"code": "T-DXd", "name": "T-DXd", "agent_class": AgentClass.OTHER, "targets": []}],
        )

    outcome = desk.record(log(event(compound="X")), "log.xlsx", create="animals", **{"agent:X": "Y"})

    assert "question-agent:X" in codes(outcome)
    assert outcome.state is BatchState.REFUSED


def test_words_that_are_not_understood_are_asked_and_not_recorded_while_nobody_says(desk: Desk) -> None:
    rows = (
        event(when=None, died=DEAD_ON, why="Cat"),
        event("M2", when=None, died=DEAD_ON, why="Died after injection"),
        event("M3", weight=2e1),
    )

    outcome = desk.check(log(*rows), "log.xlsx", create="animals")

    finding = found(outcome, "fate-reason-unknown")
    assert (finding.severity, finding.value) == (Severity.WARNING, "Cat")
    assert [one["reason"] for one in outcome.report["fates"]] == ["not_recorded", "technical"]
    desk.record(log(*rows), "log.xlsx", **{"fate:Cat": "unrelated"})
    assert [one.reason for one in desk.records(Fate)] == [FateReason.UNRELATED, FateReason.TECHNICAL]


def test_a_route_is_recorded_and_an_unknown_one_is_said(desk: Desk) -> None:
    header = [*HEADER, "Route"]
    rows = ([*event(compound="X"), "i.p."], [*event(when=TUESDAY, compound="X"), "by ear"])

    outcome = desk.record(log(*rows, header=header), "log.xlsx")

    assert found(outcome, "route-unknown").value == "by ear"
    assert [one.route for one in desk.records(Dose)] == [DoseRoute.INTRAPERITONEAL, None]


def test_what_a_form_would_ask_of_a_dose_is_a_warning_of_the_file(desk: Desk) -> None:
    header = [*HEADER, "Route"]
    desk.record(log([*event(weight=20, compound="X"), "i.v."], header=header), "log.xlsx")
    later = log([*event(when=TUESDAY, weight=20, compound="X"), "i.v."], [*event(when=FRIDAY, weight=20), None], header=header)

    batch = desk.check(later, "log 2.xlsx")
    doubt = found(batch, "dose-volume-ul-doubted")
    assert (doubt.severity.value, doubt.row) == ("warning", 2)
    assert "more than good practice" in doubt.message

    stopped = run.commit(desk.settings, desk.settings.url, batch.batch_id, desk.actor, accept=())
    assert (stopped.state, stopped.findings[-1].code) == (BatchState.CHECKED, "warnings-not-accepted")
    assert len(desk.records(Dose)) == 1
    done = run.commit(desk.settings, desk.settings.url, batch.batch_id, desk.actor, accept=[doubt.code])
    assert (done.state, len(desk.records(Dose))) == (BatchState.COMMITTED, 2)


def test_a_dose_of_an_animal_born_later_is_refused(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-12", 20)), "weights.csv")
    with desk.database.transaction() as session:
        mouse = session.scalars(select(Animal)).one()
        change(
            session, desk.actor, ANIMAL, mouse, version=mouse.version, reason="looked up", fields={"birth_date": date(2026, 3, 4)}
        )

    outcome = desk.record(log(event(compound="X")), "log.xlsx")

    assert found(outcome, "date-before-birth").row == 2


def test_a_dose_that_its_protocol_does_not_allow_is_refused_by_the_check(desk: Desk) -> None:
    desk.record(log(event(weight=20, compound="X")), "log.xlsx")
    with factories.declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        protocol = factories.protocol(session, project, expires_on=date(2026, 3, 4))
        mouse = session.scalars(select(Animal)).one()
        mouse.protocol_id = protocol.id

    outcome = desk.check(log(event(when=FRIDAY, compound="X")), "log 2.xlsx")

    finding = found(outcome, "dose-refused")
    assert (finding.row, outcome.state) == (2, BatchState.REFUSED)
    assert "expired" in finding.message


def test_doses_before_the_enrolment_are_told_once_an_animal(desk: Desk) -> None:
    desk.record(log(event(when=LATER, weight=20, compound="X")), "log.xlsx")
    with factories.declared(desk.database) as session:
        arm = factories.arm(session, factories.study(session, session.get_one(Project, desk.project), "S1"), "drug", 0)
        factories.enrolment(session, arm, session.scalars(select(Animal)).one(), enrolled_on=date(2026, 3, 6))

    outcome = desk.check(log(*(event(when=on, compound="X") for on in (MONDAY, TUESDAY, FRIDAY))), "log 2.xlsx")

    assert codes(outcome).count("dose-before-enrolment") == 1
    finding = found(outcome, "dose-before-enrolment")
    assert (finding.row, finding.message) == (2, "2 doses of M1 are dated before its enrolment on 2026-03-06.")
