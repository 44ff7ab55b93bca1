"""Writes agents, their lots, and what an arm is given (ARRIVE 2.0, item 9a; PDX-MI, treatment)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.blinding import arm_word
from lims.domain.cohort_terms import DoseRoute, DoseUnit, RegimenStart
from lims.domain.dosing import WITHOUT_VOLUME, doubt_volume, require_volume, same_until
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, require_order
from lims.domain.genes import clean_gene
from lims.domain.notices import Notice
from lims.domain.schedules import Schedule, parse_schedule
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.studies import ARRIVE, require_changeable
from lims.domain.tissue_terms import AgentClass, Compartment
from lims.domain.vocabulary import ArmRole, RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Arm, Dose, Exposure, Regimen, Study
from lims.queries.chunks import by_id, in_chunks
from lims.queries.kinds import kinds_of
from lims.records.noun import Draft, Noun, judge_each
from lims.records.values import today

RADIATION = frozenset({AgentClass.WHOLE_BRAIN_RADIOTHERAPY, AgentClass.STEREOTACTIC_RADIOSURGERY, AgentClass.RADIOTHERAPY_OTHER})
MOUSE_G = 20.0
"""A usual weight, at which a planned volume is judged before anybody is weighed."""
AMENDMENT = f"{ARRIVE}, item 19"


# Agents


def _check_agents(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Resolve targets to approved symbols; a vehicle has none."""
    judge_each(drafts, _check_agent)


def _check_agent(draft: Draft) -> None:
    targets = [one for one in draft.values["targets"] or [] if one.strip()]
    try:
        draft.values["targets"] = list(dict.fromkeys(clean_gene(one, Compartment.HUMAN_TUMOUR) for one in targets))
    except DomainError as refused:
        refused.field = "targets"
        raise
    if draft.values["agent_class"] is AgentClass.VEHICLE and targets:
        raise DomainError("A vehicle has no target.", field="targets", expected="no gene, or another class", source=CONSISTENT)


AGENT: Noun[Agent] = Noun(
    "agent",
    Agent,
    check=_check_agents,
    dependents=((AgentLot, "agent_id"), (Regimen, "agent_id"), (Dose, "agent_id"), (Exposure, "agent_id")),
)


# Lots


def _check_lots(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse an expiry before the receipt, and one before a dose that was given from the lot."""
    redated = [draft.record.id for draft in drafts if draft.record is not None and draft.changes("expires_on", "received_on")]
    spans = select(Dose.lot_id, func.min(Dose.given_on), func.max(Dose.given_on)).where(Dose.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, redated, lambda some: spans.where(Dose.lot_id.in_(some)).group_by(Dose.lot_id))
    given = {key: (first, last) for key, first, last in rows}
    judge_each(drafts, lambda draft: _check_lot(draft, *given.get(draft.record.id if draft.record else None, (None, None))))


def _check_lot(draft: Draft, first: date | None, last: date | None) -> None:
    code = draft.values["code"]
    received = Fact(f"the receipt of {code}", draft.values["received_on"])
    expiry = Fact(f"the expiry of {code}", draft.values["expires_on"])
    require_order(received, expiry, field="expires_on")
    require_order(received, Fact(f"the first dose from {code}", first), field="received_on")
    require_order(Fact(f"the last dose from {code}", last), expiry, field="expires_on")


def _doubt_lots(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a lot that has expired already: no dose may be given from it any more."""
    _check_lots(session, project_id, drafts)
    now = today(session)
    return [
        Notice(
            "warning",
            "expires_on",
            f"Lot {draft.values['code']} expired on {draft.values['expires_on']}: no dose is given from it any more.",
            "a lot that has not expired",
            ORDER_OF_EVENTS,
        )
        for draft in drafts
        if draft.changes("expires_on") and draft.values["expires_on"] is not None and draft.values["expires_on"] < now
    ]


LOT: Noun[AgentLot] = Noun(
    "lot",
    AgentLot,
    check=_check_lots,
    doubt=_doubt_lots,
    fixed=frozenset({"agent_id"}),
    future=frozenset({"expires_on"}),
    key=("agent_id", "code"),
    dependents=((Dose, "lot_id"),),
)


# Regimens


def _check_regimens(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Normalise the schedule; refuse what contradicts agent, arm or study, and what rewrites days that were dosed."""
    agents = by_id(session, Agent, (draft.values["agent_id"] for draft in drafts))
    arms = by_id(session, Arm, (draft.values["arm_id"] for draft in drafts))
    studies = by_id(session, Study, (arm.study_id for arm in arms.values()))
    kinds = frozenset(kinds_of(session, project_id))
    dosed = _dosed(session, [draft.record.id for draft in drafts if draft.record is not None])

    def judge(draft: Draft) -> None:
        arm = arms[draft.values["arm_id"]]
        _check_study(draft, arm, studies[arm.study_id])
        _check_dose(draft, agents[draft.values["agent_id"]], parse_schedule(draft.values["schedule"]))
        _check_start(draft, kinds)
        if draft.record is not None and draft.record.id in dosed:
            _check_dosed(draft, *dosed[draft.record.id])

    judge_each(drafts, judge)


def _dosed(session: Session, regimens: Sequence[int]) -> dict[int, tuple[date, date]]:
    """Give the first and the last day on which a dose of each regimen was due and recorded."""
    spans = select(Dose.regimen_id, func.min(Dose.due_on), func.max(Dose.due_on)).where(Dose.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, regimens, lambda some: spans.where(Dose.regimen_id.in_(some)).group_by(Dose.regimen_id))
    return {key: (first, last) for key, first, last in rows}


def _check_study(draft: Draft, arm: Arm, study: Study) -> None:
    """A regimen is planned while its study is a draft; one that comes later says why, one of a closed study does not come."""
    require_changeable(study.code, study.state, ["arm_id"])
    if arm.role is ArmRole.UNTREATED:
        raise DomainError(
            f"Arm {arm_word(arm.title, arm.blind_code, blinded=study.blinded)} is untreated.",
            field="arm_id",
            expected="an arm that is treated, or given a vehicle",
            remedy="Change the arm's role first, if its animals are given something.",
            source=CONSISTENT,
        )
    if draft.record is None and study.state is StudyStatus.ACTIVE and not draft.values["note"]:
        raise DomainError(
            f"Study {study.code} is running: why is this regimen added?",
            field="note",
            expected="the reason",
            source=AMENDMENT,
        )


def _check_dose(draft: Draft, agent: Agent, schedule: Schedule) -> None:
    values = draft.values
    values["schedule"] = schedule.notation
    if schedule.gray is not None:
        values["dose"] = schedule.gray if values["dose"] is None else values["dose"]
        values["dose_unit"] = DoseUnit.GRAY
        if values["dose"] != schedule.gray:
            raise _contradicts("dose", f"The schedule says {schedule.gray:g} Gy, and the dose {values['dose']:g}.", "the same dose")
    in_gray, radiation = values["dose_unit"] is DoseUnit.GRAY, agent.agent_class in RADIATION
    if in_gray != radiation or radiation != (values["route"] is DoseRoute.IRRADIATION):
        told = f"{agent.code} is {'radiation' if radiation else 'no radiation'}."
        raise _contradicts("route", told, "radiation in Gy, by irradiation; everything else in mg/kg or mg, by another route")
    if (values["dose"] is None) != (agent.agent_class is AgentClass.VEHICLE):
        told = f"{agent.code} is a vehicle, which has no dose." if values["dose"] is not None else f"How much of {agent.code}?"
        raise _contradicts("dose", told, "no dose of a vehicle, and a dose of every agent")
    _check_volume(values)


def _check_volume(values: dict[str, Any]) -> None:
    route, volume = values["route"], values["volume_ml_kg"]
    if volume is None:
        return
    if route in WITHOUT_VOLUME:
        raise _contradicts("volume_ml_kg", f"No volume is given {route.value.replace('_', ' ')}.", "no volume")
    require_volume(route, volume * MOUSE_G, MOUSE_G, field="volume_ml_kg")


def _check_start(draft: Draft, kinds: frozenset[str]) -> None:
    values = draft.values
    if values["start"] is RegimenStart.STUDY_DAY:
        values["start_day"] = values["start_day"] or 0
        for name in ("trigger_kind", "trigger_above"):
            if values[name] is not None:
                raise _contradicts(name, "It starts on a day of the study, and not by a trigger.", "no trigger, or a start by one")
        return
    if values["start_day"] is not None:
        raise _contradicts("start_day", "It starts by a trigger, and not on a day of the study.", "no day, or a start on one")
    if values["trigger_kind"] not in kinds:
        raise _contradicts("trigger_kind", "Which measurement starts it?", "a kind of measurement of this project")
    if values["trigger_above"] is None:
        raise _contradicts("trigger_above", "Above which value does it start?", "a value in the kind's unit")


def _contradicts(field: str, told: str, expected: str) -> DomainError:
    return DomainError(told, field=field, expected=expected, source=CONSISTENT)


_BEGUN = ("agent_id", "route", "start", "start_day", "trigger_kind", "trigger_above")


def _check_dosed(draft: Draft, first: date, last: date) -> None:
    """Days that were dosed stay as they were planned; what is to come may change."""
    for name in _BEGUN:
        if draft.changes(name):
            raise DomainError(
                f"Doses of it are recorded from {first} to {last}.",
                field=name,
                expected="what was recorded when the first dose was",
                remedy="Record another regimen for what is to come.",
                source=AMENDMENT,
            )
    before, after = parse_schedule(draft.record.schedule), parse_schedule(draft.values["schedule"])
    if not same_until((last - first).days, before, after):
        raise DomainError(
            f"{after.notation} plans other doses for the days that are dosed already, {first} to {last}.",
            field="schedule",
            expected=f"the doses of {before.notation} up to then",
            remedy="Change what is to come only, or record another regimen.",
            source=AMENDMENT,
        )


def _doubt_regimens(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a regimen that changes while its study runs, and a volume above good practice."""
    _check_regimens(session, project_id, drafts)
    arms = by_id(session, Arm, (draft.values["arm_id"] for draft in drafts))
    studies = by_id(session, Study, (arm.study_id for arm in arms.values()))
    found: list[Notice | None] = []
    for draft in drafts:
        study = studies[arms[draft.values["arm_id"]].study_id]
        if study.state is StudyStatus.ACTIVE:
            told = f"Study {study.code} is running: this changes what its animals are given from now on."
            found.append(Notice("warning", None, told, "a plan that stands when the study begins", AMENDMENT))
        if draft.values["volume_ml_kg"] is not None and draft.changes("volume_ml_kg", "route"):
            volume = draft.values["volume_ml_kg"] * MOUSE_G
            found.append(doubt_volume(draft.values["route"], volume, MOUSE_G, field="volume_ml_kg"))
    return [one for one in found if one is not None]


def _stay_planned(session: Session, regimen: Regimen) -> None:
    """A study that is over keeps what it planned, given or not."""
    study = session.get_one(Study, regimen.arm.study_id)
    require_changeable(study.code, study.state, ["arm_id"])


REGIMEN: Noun[Regimen] = Noun(
    "regimen",
    Regimen,
    check=_check_regimens,
    doubt=_doubt_regimens,
    stay=_stay_planned,
    fixed=frozenset({"arm_id"}),
    key=(),
    dependents=((Dose, "regimen_id"),),
)
