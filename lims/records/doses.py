"""Writes doses: given, held and missed ones, judged alike whether a form, a file or a list brings them (ARRIVE 2.0, item 9a)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lims.audit.record import Actor
from lims.domain.cohort_terms import DoseRoute, DoseState
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.dosing import (
    dose_volume_ul,
    doubt_actual,
    doubt_volume,
    doubt_weight,
    planned_doses,
    require_lot,
    require_outcome,
    require_volume,
)
from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.events_order import Fact, Life, require_alive, require_time_of
from lims.domain.notices import Notice
from lims.domain.protocols import require_protocol
from lims.domain.schedules import parse_schedule
from lims.domain.sources import CONSISTENT, NEVER_TWICE, ORDER_OF_EVENTS
from lims.domain.studies import require_active, require_unlocked
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import AgentLot, Animal, Dose, Enrolment, Exposure, Regimen, Study
from lims.queries.chunks import by_id, in_chunks
from lims.queries.doses import Treated, latest_weight, treated_animals, weights_until
from lims.records.exposures import EXPOSURE
from lims.records.locked import keep_signed, stay_signed
from lims.records.noun import Draft, Noun
from lims.records.nouns import apply_all, record
from lims.records.values import today, zone_of

NAMED = 20
"""Animals that a doubt names; of more it says how many."""
_WHICH = ("animal_id", "agent_id", "regimen_id", "due_on", "nth")
"""Which dose it is: never changed."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What drafts refer to, read in one statement a kind."""

    now: date
    zone: tzinfo
    animals: dict[int, Animal]
    studies: dict[int, Study]
    enrolled: dict[tuple[int, int], Enrolment]
    """By animal and study."""
    regimens: dict[int, Regimen]
    treated: dict[tuple[int, int], Treated]
    """By animal and regimen."""
    lots: dict[int, AgentLot]
    weights: Mapping[int, list[tuple[date, float]]]


def _read(session: Session, drafts: Sequence[Draft]) -> _Known:
    now = today(session)
    animals = _ids(drafts, "animal_id")
    regimens = by_id(session, Regimen, _ids(drafts, "regimen_id"), joinedload(Regimen.arm))
    planned = [draft for draft in drafts if draft.values["regimen_id"] is not None]
    treated: list[Treated] = []
    if planned:
        own = (Enrolment.animal_id.in_(_ids(planned, "animal_id")), Regimen.id.in_(_ids(planned, "regimen_id")))
        treated = treated_animals(session, now, *own)
    studies = {draft.values["study_id"] for draft in drafts} | {regimen.arm.study_id for regimen in regimens.values()}
    keys = sorted(key for key in studies if key is not None)
    enrolled = select(Enrolment).where(Enrolment.study_id.in_(keys), Enrolment.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, animals, lambda some: enrolled.where(Enrolment.animal_id.in_(some))) if keys else []
    weighed = {draft.values["animal_id"]: draft.values["given_on"] for draft in planned if _needs_weight(draft)}
    return _Known(
        now,
        zone_of(session),
        by_id(session, Animal, animals, joinedload(Animal.protocol)),
        by_id(session, Study, keys),
        {(one.animal_id, one.study_id): one for (one,) in rows},
        regimens,
        {(one.animal.id, one.regimen.id): one for one in treated},
        by_id(session, AgentLot, _ids(drafts, "lot_id"), joinedload(AgentLot.agent)),
        weights_until(session, weighed, max(weighed.values())) if weighed else {},
    )


def _ids(drafts: Sequence[Draft], column: str) -> list[int]:
    return sorted({draft.values[column] for draft in drafts if draft.values[column] is not None})


def _needs_weight(draft: Draft) -> bool:
    values = draft.values
    return values["state"] is DoseState.GIVEN and values["given_on"] is not None and values["weight_g"] is None


def _check_doses(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Complete doses from their regimens and the latest weights; refuse what cannot have been given, or is recorded already."""
    _judge(session, drafts)


def _judge(session: Session, drafts: Sequence[Draft]) -> _Known:
    keep_signed(session, drafts)
    known = _read(session, drafts)
    refused: list[DomainError] = []
    for number, draft in enumerate(drafts):
        try:
            with about_row(number):
                _judge_one(draft, known)
        except DomainError as one:
            refused.append(one)
    refused += _recorded_twice(session, drafts, known)
    refuse_together(refused)
    return known


def _judge_one(draft: Draft, known: _Known) -> None:
    values, animal = draft.values, known.animals[draft.values["animal_id"]]
    regimen = known.regimens.get(values["regimen_id"])
    require_outcome(values["state"], values)
    if regimen is not None:
        _complete(draft, regimen)
        _check_planned(draft, regimen, animal, known)
    _check_study(draft, animal, known)
    if values["state"] is DoseState.GIVEN:
        _check_life(draft, animal, known)
        lot = known.lots.get(values["lot_id"])
        if lot is not None and (draft.comes or draft.changes("lot_id", "given_on")):
            ours = lot.agent_id == values["agent_id"]
            require_lot(lot.code, lot.received_on, lot.expires_on, values["given_on"], of_agent=ours)
        _check_protocol(draft, animal)
        _compute(draft, regimen, known)


def _complete(draft: Draft, regimen: Regimen) -> None:
    """Take from the regimen what the row does not say."""
    values = draft.values
    if values["agent_id"] != regimen.agent_id:
        raise DomainError("The regimen is of another agent.", field="agent_id", expected="the regimen's own", source=CONSISTENT)
    values["study_id"] = regimen.arm.study_id
    if draft.record is None:
        values["due_on"] = values["due_on"] or values["given_on"]
        values["dose_unit"] = regimen.dose_unit
        values["route"] = values["route"] or regimen.route
        if values["dose"] is None:
            values["dose"] = regimen.dose


def _check_planned(draft: Draft, regimen: Regimen, animal: Animal, known: _Known) -> None:
    if draft.record is not None:
        return
    treated, due = known.treated.get((animal.id, regimen.id)), draft.values["due_on"]
    if treated is None:
        raise DomainError(
            f"Animal {animal.code} is not in the arm of this regimen.",
            field="animal_id",
            expected="an animal of the arm",
            remedy="Look whether it is the right animal; a dose beside the plan has no regimen.",
            source=CONSISTENT,
        )
    # Death and exclusion end the plan, and have rules of their own.
    course = replace(treated.course, ends_on=None)
    if (due, draft.values["nth"]) not in planned_doses(parse_schedule(regimen.schedule), course, first=due, last=due):
        raise DomainError(
            f"{regimen.schedule} plans no dose {draft.values['nth']} of animal {animal.code} on {due}.",
            field="due_on",
            expected="a day on which the regimen plans a dose",
            remedy="Record it as a dose beside the plan, without its regimen.",
            source=CONSISTENT,
        )


def _check_study(draft: Draft, animal: Animal, known: _Known) -> None:
    """A planned dose is given in an active study; a file may tell of doses of old ones, and corrections come later."""
    values = draft.values
    study = known.studies.get(values["study_id"])
    if study is None:
        return
    if draft.record is None and values["batch_id"] is None:
        require_active(study.code, study.state, "A dose")
    else:
        require_unlocked(study.code, study.state)
    if (animal.id, study.id) not in known.enrolled:
        raise DomainError(
            f"Animal {animal.code} is not in study {study.code}.",
            field="animal_id",
            expected="an animal of the study",
            source=CONSISTENT,
        )


def _check_life(draft: Draft, animal: Animal, known: _Known) -> None:
    """No dose to the dead, and none before birth or arrival."""
    values = draft.values
    life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
    require_alive(Fact(f"the dose of {animal.code}", values["given_on"]), life, field="given_on")
    by_file = values["batch_id"] is not None
    if not by_file and draft.changes("given_on", "given_at"):
        require_time_of(Fact("the dose", values["given_on"]), values["given_at"], known.zone, field="given_at")
    undated = animal.state is AnimalStatus.DEAD and animal.died_on is None and not by_file
    if undated and (draft.comes or draft.changes("given_on")):
        raise DomainError(
            f"Animal {animal.code} is recorded as dead, and nobody said since when.",
            field="animal_id",
            expected="a living animal",
            remedy="Look whether it is the right animal; record the day of its death first.",
            source=ORDER_OF_EVENTS,
        )
    due_on = values["due_on"]
    if due_on is not None and draft.changes("given_on") and values["given_on"] < due_on and not by_file:
        raise DomainError(
            f"It is due on {due_on}, and cannot be given for that day on {values['given_on']}.",
            field="given_on",
            expected=f"{due_on} or later",
            remedy="Record a dose that was given early as one beside the plan, and the planned one as held.",
            source=ORDER_OF_EVENTS,
        )


def _check_protocol(draft: Draft, animal: Animal) -> None:
    protocol = animal.protocol
    if protocol is None or not (draft.comes or draft.changes("given_on")):
        return
    by_beam = draft.values["route"] is DoseRoute.IRRADIATION
    try:
        require_protocol(
            protocol.code,
            protocol.expires_on,
            protocol.approved_on,
            protocol.animals_allowed,
            animals_used=0,
            wanted=0,  # it is counted already
            on=draft.values["given_on"],
            procedure=ProtocolProcedure.IRRADIATION if by_beam else ProtocolProcedure.DOSING,
            procedures=protocol.procedures,
        )
    except DomainError as refused:
        refused.field = "animal_id"
        raise


def _compute(draft: Draft, regimen: Regimen | None, known: _Known) -> None:
    """Give weight and volume; a volume that nobody typed is taken as the computed one."""
    values = draft.values
    weighed = latest_weight(known.weights.get(values["animal_id"], ()), values["given_on"])
    if values["weight_g"] is None and weighed is not None:
        values["weight_on"], values["weight_g"] = weighed
    if regimen is not None and (draft.record is None or draft.changes("weight_g")):
        values["computed_volume_ul"] = dose_volume_ul(regimen.volume_ml_kg, values["weight_g"])
        if draft.record is None and values["volume_ul"] is None:
            values["volume_ul"] = values["computed_volume_ul"]
    if None not in (values["route"], values["volume_ul"], values["weight_g"]) and draft.changes("volume_ul", "weight_g"):
        require_volume(values["route"], values["volume_ul"], values["weight_g"])


def _identity(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return values["animal_id"], values["agent_id"], values["regimen_id"], values["due_on"] or values["given_on"], values["nth"]


def _recorded_twice(session: Session, drafts: Sequence[Draft], known: _Known) -> list[DomainError]:
    """Refuse the same dose twice: of one animal, agent, regimen and day, with the same number on that day."""
    columns = (Dose.id, Dose.animal_id, Dose.agent_id, Dose.regimen_id, Dose.due_on, Dose.given_on, Dose.nth, Dose.state)
    fresh = [(number, draft) for number, draft in enumerate(drafts) if draft.comes]
    rows = in_chunks(
        session,
        sorted({draft.values["animal_id"] for _, draft in fresh}),
        lambda some: select(*columns).where(Dose.animal_id.in_(some), Dose.status == RecordStatus.ACTIVE),
    )
    there = {_identity(row._mapping): row.state for row in rows}
    refused = []
    for number, draft in fresh:
        key, state = _identity(draft.values), draft.values["state"]
        if key in there:
            error = DomainError(
                f"Dose {key[-1]} of animal {known.animals[key[0]].code} on {key[-2]} is recorded already, as {there[key].value}.",
                field="nth",
                expected="each dose once",
                remedy="Change the one that is recorded, or say which dose of the day this is.",
                source=NEVER_TWICE,
            )
            error.row = number
            refused.append(error)
        there.setdefault(key, state)
    return refused


def _doubt_doses(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a dose before enrolment or after exclusion, an old weight, and an unusual volume; alike ones are told once."""
    known = _judge(session, drafts)
    found: dict[Notice, dict[int, str]] = defaultdict(dict)
    for row, draft in enumerate(drafts):
        if draft.values["state"] is DoseState.GIVEN:
            for notice in _doubts_of(draft, known):
                found[notice][row] = known.animals[draft.values["animal_id"]].code
    return [
        replace(notice, message=f"{_named(list(dict.fromkeys(codes.values())))}: {notice.message}", rows=tuple(codes))
        for notice, codes in found.items()
    ]


def _named(codes: Sequence[str]) -> str:
    return ", ".join(codes[:NAMED]) + (f" and {len(codes) - NAMED} more" if len(codes) > NAMED else "")


def _doubts_of(draft: Draft, known: _Known) -> Iterator[Notice]:
    values = draft.values
    if draft.changes("given_on") and not values["reason"]:
        yield from _outside(draft, known.enrolled.get((values["animal_id"], values["study_id"])))
    regimen = known.regimens.get(values["regimen_id"])
    if regimen is not None and regimen.volume_ml_kg is not None and draft.changes("given_on"):
        yield from _told(doubt_weight(values["weight_on"], values["given_on"]))
    if values["volume_ul"] is not None and draft.changes("volume_ul"):
        yield from _told(doubt_actual(values["volume_ul"], values["computed_volume_ul"]))
        if values["route"] is not None and values["weight_g"] is not None:
            yield from _told(doubt_volume(values["route"], values["volume_ul"], values["weight_g"]))


def _outside(draft: Draft, enrolled: Enrolment | None) -> Iterator[Notice]:
    """Doubt a dose outside the animal's time in the study; with a reason it is recorded as it is."""
    if enrolled is None:
        return
    on = draft.values["given_on"]
    joined, left = enrolled.enrolled_on, enrolled.excluded_on
    sides = [
        (f"It was enrolled on {joined}, after this dose.", joined is not None and on < joined),
        (f"It was excluded on {left}, before this dose.", left is not None and on > left),
    ]
    for message, outside in sides:
        if outside:
            expected = "a dose while the animal is in the study, or the reason for it"
            yield Notice("warning", "given_on", message, expected, ORDER_OF_EVENTS)


def _told(notice: Notice | None) -> Iterator[Notice]:
    if notice is not None:
        yield notice


def _follow_doses(session: Session, doses: Sequence[Dose]) -> None:
    """Let the samples that were taken after a dose count their hours from it as it stands now."""
    taken = select(Exposure).where(Exposure.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, sorted(one.id for one in doses), lambda some: taken.where(Exposure.dose_id.in_(some)))
    apply_all(session, EXPOSURE, [(sample, {}) for (sample,) in rows])


DOSE: Noun[Dose] = Noun(
    "dose",
    Dose,
    check=_check_doses,
    doubt=_doubt_doses,
    follow=_follow_doses,
    stay=stay_signed,
    fixed=frozenset({*_WHICH, "study_id"}),
    derived=frozenset({"computed_volume_ul"}),
    key=(),
    dependents=((Exposure, "dose_id"),),
)


def record_doses(
    session: Session, actor: Actor, project_id: int, rows: Sequence[Mapping[str, Any]], *, reason: str = ""
) -> list[Dose]:
    """Record doses, each a row by column: all of them, or nothing; a constant number of statements, however many.

    A row names `animal_id`, `agent_id`, and `given_on` (or `due_on` and `reason` where it was held or missed); several doses
    of an animal, agent and day differ by `nth`. With `regimen_id` it is one that was planned, and takes from the regimen what
    it does not say. A file's rows have `batch_id` and their source, and may tell of studies that are not active.

    Raises:
        DomainError: a rule refuses; `row` says which, and `others` what else is wrong.
    """
    return record(session, actor, DOSE, project_id, rows, reason=reason)
