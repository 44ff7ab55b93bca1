"""Judges the doses, deaths and stays of a plan: by the rules of time, by the rest of the file, by what is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from importers.base import Finding, Severity
from lims.domain.cohort_terms import DoseState
from lims.domain.dosing import VOLUME_LIMITS, VOLUMES
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_alive, require_not_future
from lims.domain.fates import REASON_WORDS
from lims.domain.sources import ORDER_OF_EVENTS
from lims.domain.vocabulary import RecordStatus, RowFate
from lims.intake.accepted import ACCEPT_OPTION, accepts_changes
from lims.intake.names import Host
from lims.intake.plan import Plan
from lims.intake.plan_events import PlannedDeaths, PlannedDoses, PlannedStays, RecordedDose, RecordedFate
from lims.intake.rules import TIME_RULES, after_birth, no_future, plausible_time
from lims.intake.stays import Run, runs_of
from lims.models import Animal, Cage, CageMove, Dose, Enrolment, Fate, Implant, ImportBatch, Measurement, Procedure
from lims.queries.chunks import in_chunks
from lims.records.doses import DOSE
from lims.records.nouns import doubts

_LIMITS = [limit for limit in VOLUME_LIMITS.values() if not limit.of_site]
MOST_ML_KG, USUAL_ML_KG = max(one.most for one in _LIMITS), max(one.usual for one in _LIMITS)
"""A log does not name the route: what the route with most room takes (`lims.domain.dosing`)."""

_LIVING = (
    ("last measurement", Measurement.animal_id, Measurement.taken_on),
    ("last dose", Dose.animal_id, Dose.given_on),
    ("implanting", Implant.animal_id, Implant.implanted_on),
    ("last move", CageMove.animal_id, CageMove.moved_on),
    ("last procedure", Procedure.animal_id, Procedure.done_on),
    ("enrolment", Enrolment.animal_id, Enrolment.enrolled_on),
)
"""What is done to living animals, and when."""


def _known(plan: Plan) -> list[int]:
    return sorted({host.id for host in plan.names.hosts.values() if host.id > 0})


# Deaths


def judge_deaths(session: Session, plan: Plan, deaths: PlannedDeaths, today: date, *, accept_changes: bool) -> Iterator[Finding]:
    """Judge the deaths first: what a file records of an animal after its death is refused by the rules that follow."""
    for rule in (no_future, plausible_time, after_birth):
        yield from rule(deaths, today)
    recorded = _recorded_fates(session, plan)
    last = _last_events(session, plan)
    by_host: dict[Host, list[int]] = defaultdict(list)
    for index, host in enumerate(deaths.hosts):
        if host is not None and index not in deaths.fates:
            by_host[host].append(index)
    for host, indices in by_host.items():
        yield from _death(deaths, host, indices, recorded.get(host.id), last.get(host.id), accept_changes=accept_changes)


def _recorded_fates(session: Session, plan: Plan) -> dict[int, RecordedFate]:
    columns = (Fate.animal_id, Fate.id, Fate.died_on, Fate.reason, Fate.batch_id, Fate.source_row)
    active = select(*columns).where(Fate.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, _known(plan), lambda some: active.where(Fate.animal_id.in_(some)))
    hosts = [host for host in plan.names.hosts.values() if host.id > 0]
    dead = {host.id: RecordedFate(0, host.died_on, None, None, None) for host in hosts if host.died_on}
    return dead | {animal: RecordedFate(*row) for animal, *row in rows}


def _last_events(session: Session, plan: Plan) -> dict[int, Fact]:
    """Give the last thing that is recorded to have been done to each animal alive; a statement for each kind of it."""
    last: dict[int, Fact] = {}
    for what, animal, on in _LIVING if plan.deaths else ():
        latest = select(animal, func.max(on)).where(on.class_.status == RecordStatus.ACTIVE, on.is_not(None)).group_by(animal)
        for key, day in in_chunks(session, _known(plan), lambda some: latest.where(animal.in_(some))):  # noqa: B023  # asked at once
            known = last.get(key)
            if known is None or known.on is None or day > known.on:
                last[key] = Fact(what, day)
    return last


def _death(
    deaths: PlannedDeaths, host: Host, indices: list[int], there: RecordedFate | None, last: Fact | None, *, accept_changes: bool
) -> Iterator[Finding]:
    """Judge all that a file says of one animal's end."""
    first, *others = indices
    if len({(deaths.taken_on[index], deaths.reasons[index]) for index in indices}) > 1:
        yield from _two_deaths(deaths, indices)
        return
    deaths.fates.update(dict.fromkeys(others, RowFate.SAME))
    on = deaths.taken_on[first]
    if there is not None and there.id and (there.died_on, there.reason) == (on, deaths.reasons[first]):
        deaths.fates[first] = RowFate.SAME
        return
    if there is not None and (there.id or there.died_on != on):
        yield _other_death(deaths, first, there, accept_changes=accept_changes)
        if deaths.fates[first] is RowFate.CONFLICTING:
            return
    if last is not None and last.on is not None and on is not None and on < last.on:
        yield deaths.refuse(
            first,
            "death-before-events",
            f"Death of {deaths.name(first)} is dated {on}, before its {last.what} on {last.on} by its record.",
            f"a date from {last.on} on",
            "Correct the date in the file, or what is recorded of the animal.",
            ORDER_OF_EVENTS,
        )
        return
    host.died_on = on


def _two_deaths(deaths: PlannedDeaths, indices: Sequence[int]) -> Iterator[Finding]:
    told = f"Animal {deaths.name(indices[0])} dies {len(indices)} times in this file"
    return deaths.contradict(indices, "two-deaths", told, "one date and one reason")


def _other_death(deaths: PlannedDeaths, index: int, there: RecordedFate, *, accept_changes: bool) -> Finding:
    by_file = there.id and there.batch_id is not None
    reason = f", {REASON_WORDS[there.reason]}" if there.reason else ""
    origin = f"from batch {there.batch_id}, row {there.source_row}" if by_file else "by hand"
    told = (
        f"Animal {deaths.name(index)} died on {there.died_on}{reason} by its record ({origin}); "
        f"this file says {deaths.taken_on[index]}, {REASON_WORDS[deaths.reasons[index]]}."
    )
    if not by_file:
        deaths.fates[index] = RowFate.CONFLICTING
        remedy = "Correct the record by hand if the file is right, or leave the row out."
        return deaths.finding(index, Severity.ERROR, "differs-from-record", told, expected=str(there.died_on), remedy=remedy)
    deaths.fates[index] = RowFate.CHANGED
    deaths.recorded[index] = there
    return deaths.finding(
        index,
        Severity.WARNING if accept_changes else Severity.ERROR,
        "differs-from-import",
        told,
        expected=str(there.died_on),
        remedy="Accept the changes with a reason, or leave the rows out.",
        option=ACCEPT_OPTION,
    )


# Doses

Day = tuple[int, int, date]
"""Animal, agent, day."""


def judge_doses(session: Session, plan: Plan, doses: PlannedDoses, batch: ImportBatch, today: date) -> Iterator[Finding]:
    """Judge each dose by time and volume, then by what is recorded of its animal, agent and day."""
    accept_changes = accepts_changes(batch.choices, "dose")
    for rule in TIME_RULES:
        yield from rule(doses, today)
    unusual = list(_volumes(doses))
    yield from unusual
    days: dict[Day, list[int]] = defaultdict(list)
    for index, (host, agent, on) in enumerate(zip(doses.hosts, doses.agents, doses.taken_on, strict=True)):
        if index not in doses.fates and host is not None and agent is not None and on is not None:
            days[host.id, agent.id, on].append(index)
    recorded = _recorded_doses(session, plan)
    moments: Sequence[Any] = doses.source.when
    for day, indices in days.items():
        there = recorded.get(day, [])
        if there or len(indices) > 1:
            indices.sort(key=lambda index: (moments[index], index))
            yield from _day(doses, indices, there, accept_changes=accept_changes)
    yield from _by_the_rules_of_forms(session, plan, doses, batch, {one.row for one in unusual})
    yield from _before_enrolment(session, plan, doses)


def _by_the_rules_of_forms(
    session: Session, plan: Plan, doses: PlannedDoses, batch: ImportBatch, unusual: AbstractSet[int | None]
) -> Iterator[Finding]:
    """Let the rules of doses judge those of animals and agents that are there; what is only planned contradicts nothing yet.

    What forms ask people to confirm are warnings here; `unusual` names rows whose volume was doubted already.
    """
    known = set(plan.names.hosts.values()) - {plan.names.hosts[facts.label] for facts in plan.names.new_animals}
    indices = [
        index
        for index in doses.indices(RowFate.NEW)
        if doses.hosts[index] in known and (agent := doses.agents[index]) and agent.id > 0
    ]
    try:
        doubted = doubts(session, DOSE, batch.project_id, [doses.row(index) | {"batch_id": batch.id} for index in indices])
    except DomainError as refused:
        for one in refused.every:
            remedy = one.remedy or "Correct the file, or what is recorded."
            yield doses.refuse(indices[one.row or 0], "dose-refused", str(one), one.expected, remedy, one.source)
        return
    for notice in doubted:
        first = indices[notice.rows[0]] if notice.rows else indices[0]
        if notice.field == "volume_ul" and doses.source.rows[first] in unusual:
            continue
        severity = Severity.WARNING if notice.severity == "warning" else Severity.NOTE
        remedy = "Look at the source again; record it if it is right."
        code = f"dose-{(notice.field or 'record').replace('_', '-')}-doubted"
        yield doses.finding(first, severity, code, notice.message, expected=notice.expected, remedy=remedy, source=notice.source)


def _before_enrolment(session: Session, plan: Plan, doses: PlannedDoses) -> Iterator[Finding]:
    """Doubt new doses of an animal before it came into any study, as the forms do: once an animal, at the first of them."""
    joined = select(Enrolment.animal_id, func.min(Enrolment.enrolled_on)).where(Enrolment.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, _known(plan), lambda some: joined.where(Enrolment.animal_id.in_(some)).group_by(Enrolment.animal_id))
    enrolled: dict[int, date] = {animal: on for animal, on in rows if on is not None}
    early: dict[int, list[int]] = defaultdict(list)
    for index in doses.indices(RowFate.NEW) if enrolled else ():
        host, on = doses.hosts[index], doses.taken_on[index]
        if host is not None and on is not None and on < enrolled.get(host.id, on):
            early[host.id].append(index)
    for key, indices in early.items():
        number = f"{len(indices)} doses" if len(indices) > 1 else "A dose"
        yield doses.finding(
            indices[0],
            Severity.WARNING,
            "dose-before-enrolment",
            f"{number} of {doses.source.animals[indices[0]]} {'are' if len(indices) > 1 else 'is'} dated before "
            f"its enrolment on {enrolled[key]}.",
            expected=f"doses from {enrolled[key]} on",
            remedy="Look whether it is the right animal and day; record them if they are right.",
            source=ORDER_OF_EVENTS,
        )


def _volumes(doses: PlannedDoses) -> Iterator[Finding]:
    """A dose has a volume, and not more than a mouse takes (Diehl et al. 2001)."""
    for index, (volume, weight) in enumerate(zip(doses.source.volumes, doses.source.weights, strict=True)):
        if volume is None or index in doses.fates:
            continue
        ml_kg = volume / weight if weight else None
        told = f"{volume:,g} µL of {doses.source.compounds[index]} in {doses.source.animals[index]}"
        told += f", a mouse of {weight:g} g," if weight else ""
        if volume <= 0 or (ml_kg is not None and ml_kg > MOST_ML_KG):
            yield doses.refuse(
                index,
                "dose-impossible",
                f"{told} {'is no dose' if volume <= 0 else 'is more than a mouse takes'}.",
                f"more than 0, and at most {MOST_ML_KG:g} mL/kg",
                "Correct the volume in the file; a decimal point may be missing, or it is in another unit.",
                VOLUMES,
            )
        elif ml_kg is not None and ml_kg > USUAL_ML_KG:
            yield doses.finding(
                index,
                Severity.WARNING,
                "dose-unusual",
                f"{told} is {ml_kg:.3g} mL/kg, more than good practice.",
                expected=f"up to {USUAL_ML_KG:g} mL/kg",
                remedy="Look at the source again; record it if it is right.",
                source=VOLUMES,
            )


def _recorded_doses(session: Session, plan: Plan) -> dict[Day, list[RecordedDose]]:
    """Give what is recorded of the file's animals, by agent and day, in the order of the day."""
    found: dict[Day, list[RecordedDose]] = defaultdict(list)
    day_of = (Dose.animal_id, Dose.agent_id, func.coalesce(Dose.given_on, Dose.due_on))
    amount = (Dose.nth, Dose.state, Dose.dose, Dose.dose_unit, Dose.volume_ul, Dose.given_at)
    wanted = select(*day_of, Dose.id, *amount, Dose.batch_id, Dose.source_row).where(Dose.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, _known(plan), lambda some: wanted.where(Dose.animal_id.in_(some)).order_by(Dose.nth, Dose.id))
    for animal, agent, day, *row in rows:
        found[animal, agent, day].append(RecordedDose(*row))
    return found


def _day(doses: PlannedDoses, indices: Sequence[int], there: Sequence[RecordedDose], *, accept_changes: bool) -> Iterator[Finding]:
    """Judge the doses of one animal, agent and day, in their order, against those that are recorded."""
    taken = {one.nth for one in there}
    free = (number for number in range(1, len(indices) + len(there) + 1) if number not in taken)
    for place, index in enumerate(indices):
        if place >= len(there):
            doses.nth[index] = next(free)
            continue
        one = there[place]
        doses.recorded[index] = one
        if one.state is DoseState.GIVEN and not doses.changed(index, one):
            doses.fates[index] = RowFate.SAME
        else:
            yield _other_dose(doses, index, one, accept_changes=accept_changes)


def _other_dose(doses: PlannedDoses, index: int, one: RecordedDose, *, accept_changes: bool) -> Finding:
    by_file = one.batch_id is not None and one.state is DoseState.GIVEN
    origin = f"from batch {one.batch_id}, row {one.source_row}" if one.batch_id is not None else "by hand"
    stands = one.state.value if one.state is not DoseState.GIVEN else _amount(one.volume, one.dose, one.unit.value)
    source = doses.source
    says = _amount(source.volumes[index], source.amounts[index], source.units[index])
    told = (
        f"{source.compounds[index]} of {source.animals[index]} on {doses.taken_on[index]} is recorded as {stands} ({origin}); "
        f"this file says {says}."
    )
    if not by_file:
        doses.fates[index] = RowFate.CONFLICTING
        remedy = "Correct the record by hand if the file is right, or leave the row out."
        return doses.finding(index, Severity.ERROR, "differs-from-record", told, expected=stands, remedy=remedy)
    doses.fates[index] = RowFate.CHANGED
    return doses.finding(
        index,
        Severity.WARNING if accept_changes else Severity.ERROR,
        "differs-from-import",
        told,
        expected=stands,
        remedy="Accept the changes with a reason, or leave the rows out.",
        option=ACCEPT_OPTION,
    )


def _amount(volume: float | None, dose: float | None, unit: str | None) -> str:
    parts = [f"{dose:g} {unit}" if dose is not None else "", f"{volume:g} µL" if volume is not None else ""]
    return ", ".join(filter(None, parts)) or "given"


# Stays


def judge_stays(session: Session, plan: Plan, stays: PlannedStays, today: date) -> Iterator[Finding]:
    """Find what is new of where animals live; what contradicts the record is said, and the record stays."""
    housed = _housed(session, plan)
    for label, runs in runs_of(stays.source, skip=stays.fates).items():
        host = plan.names.hosts[label]
        if label in plan.names.first_cages:
            stays.moves += [run.index for run in runs[1:]]
        elif host.id in housed:
            yield from _against_record(stays, runs, *housed[host.id])
    for index in [*stays.moves]:
        yield from _judged_move(stays, index, today)


def _housed(session: Session, plan: Plan) -> dict[int, tuple[str | None, date | None]]:
    """Give animal → the cage it is in by its record, and the day of its last move."""
    moved = select(CageMove.animal_id, func.max(CageMove.moved_on)).where(CageMove.status == RecordStatus.ACTIVE)
    caged = select(Animal.id, Cage.code).outerjoin(Cage, Cage.id == Animal.cage_id)
    known = _known(plan)
    last: Mapping[int, date] = dict(
        in_chunks(session, known, lambda some: moved.where(CageMove.animal_id.in_(some)).group_by(CageMove.animal_id))
    )
    return {key: (cage, last.get(key)) for key, cage in in_chunks(session, known, lambda some: caged.where(Animal.id.in_(some)))}


def _against_record(stays: PlannedStays, runs: Sequence[Run], cage: str | None, last: date | None) -> Iterator[Finding]:
    """Judge one animal's cages by the one that is recorded: what came before it is history, what follows it are moves."""
    same = {index for run in runs for index in run.all}
    new: list[Run] = []
    if cage is None:
        stays.settled.append(runs[0].index)
        new = list(runs)
        stays.moves += [run.index for run in runs[1:]]
    else:
        place = max((number for number, run in enumerate(runs) if run.cage == cage), default=None)
        follow = [run for run in (runs if place is None else runs[place + 1 :]) if last is None or (run.since and run.since > last)]
        if place is not None or (last is not None and follow):
            new = follow
            stays.moves += [run.index for run in follow]
        elif last is None or runs[-1].since is None:
            yield _other_cage(stays, runs[-1], cage)
            return
    stays.fates.update(dict.fromkeys(same - {index for run in new for index in run.all}, RowFate.SAME))


def _other_cage(stays: PlannedStays, run: Run, cage: str) -> Finding:
    stays.fates.update(dict.fromkeys(run.all, RowFate.CONFLICTING))
    return stays.finding(
        run.index,
        Severity.WARNING,
        "cage-differs",
        f"Animal {stays.name(run.index)} is in cage {cage} by its record, in {run.cage} by this file.",
        expected=cage,
        remedy="The record stays as it is; move the animal on the cage's page if the file is right.",
    )


def _judged_move(stays: PlannedStays, index: int, today: date) -> Iterator[Finding]:
    host = stays.hosts[index]
    if host is None:
        return
    fact = Fact(f"the move of {host.code}", stays.taken_on[index])
    try:
        require_not_future(fact, today, field="moved_on")
        require_alive(fact, Life(host.code, host.birth_date, None, host.died_on), field="moved_on")
    except DomainError as refused:
        stays.moves.remove(index)
        yield stays.refuse(index, "move-out-of-order", str(refused), refused.expected, refused.remedy, refused.source)
