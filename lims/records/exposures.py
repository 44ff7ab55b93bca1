"""Writes concentrations of agents in samples of animals; the time after the dose follows from the dose where that has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import ConcentrationUnit
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_harvest, require_time_of
from lims.domain.exposure import BRAIN, hours_between, require_unit
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, Exposure, Implant, Specimen
from lims.queries.blinding import blinded_animals
from lims.queries.chunks import in_chunks
from lims.queries.exposures import Given, given_doses, recorded_samples
from lims.queries.measurements import measured_animals, measured_implants
from lims.records.locked import keep_signed, stay_signed
from lims.records.noun import Draft, Noun, doubt_each, judge_each
from lims.records.values import today, zone_of

SAME_HOURS = 0.05
"""Samples of one tissue closer together than this, in hours, are one sample."""


@dataclass(frozen=True, slots=True)
class _Known:
    animals: Mapping[int, Animal]
    implants: Mapping[int, Row[Any]]
    specimens: Mapping[int, tuple[Specimen, int | None]]
    """With the animal that it was taken from."""
    doses: Mapping[tuple[int, int], list[Given]]


def _read(session: Session, project_id: int, drafts: Sequence[Draft]) -> _Known:
    def keys(name: str) -> list[int]:
        return sorted({draft.values[name] for draft in drafts if draft.values[name] is not None})

    animals = measured_animals(session, project_id, keys("animal_id"))
    implants = measured_implants(session, project_id, keys("implant_id"))
    specimens = in_chunks(session, keys("specimen_id"), _with_animal)
    doses = given_doses(session, sorted(animals), keys("agent_id"))
    return _Known(animals, implants, {one.id: (one, grown or one.source_animal_id) for one, grown in specimens}, doses)


def _with_animal(some: Sequence[int]) -> Any:
    rows = select(Specimen, Implant.animal_id).outerjoin(Implant, Implant.id == Specimen.source_implant_id)
    return rows.where(Specimen.id.in_(some))


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse half a value, a unit of another matrix, samples of other animals, and a time before the dose."""
    keep_signed(session, drafts)
    known, now, zone = _read(session, project_id, drafts), today(session), zone_of(session)
    judge_each(drafts, lambda draft: _check_one(draft, known, now, zone))


def _check_one(draft: Draft, known: _Known, now: date, zone: tzinfo) -> None:
    values = draft.values
    animal = known.animals.get(values["animal_id"])
    if animal is None:
        return  # another project's, refused as a reference
    life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
    require_harvest(values["collected_on"], None, life, now)
    if values["batch_id"] is None and draft.changes("collected_on", "collected_at"):
        require_time_of(Fact("the sample", values["collected_on"]), values["collected_at"], zone, field="collected_at")
    require_unit(values["matrix"], values["unit"])
    _check_value(values)
    _check_sources(values, animal, known)
    dose = _dose_of(values, known)
    values["dose_id"] = dose.id if dose is not None else None
    if dose is not None and dose.at is not None and values["collected_at"] is not None:
        values["hours_after_dose"] = hours_between(dose.at.timestamp(), values["collected_at"].timestamp())
    elif getattr(draft.record, "dose_id", None) is not None and draft.changes("dose_id") and not draft.changes("hours_after_dose"):
        values["hours_after_dose"] = None  # they were counted from another dose


def _check_value(values: Mapping[str, Any]) -> None:
    amount, below, lloq = values["concentration"], values["below_lloq"], values["lloq"]
    if below and amount is not None:
        raise DomainError(
            f"A value below the limit is no number, and {amount:g} stands here.",
            field="concentration",
            expected="the limit alone, such as <0.5",
            source=CONSISTENT,
        )
    if not below and amount is None:
        raise DomainError("Which concentration?", field="concentration", expected="a number, or < and the limit")
    if amount is not None and lloq is not None and amount < lloq:
        raise DomainError(
            f"{amount:g} lies below the limit of quantification, {lloq:g}.",
            field="concentration",
            expected=f"{lloq:g} or more, or <{lloq:g}",
            remedy="Type < and the limit: what lies below it is not quantified.",
            source="ICH M10, lower limit of quantification",
        )


def _check_sources(values: Mapping[str, Any], animal: Animal, known: _Known) -> None:
    implant = known.implants.get(values["implant_id"] or 0)
    if implant is not None and implant.animal_id != animal.id:
        raise DomainError(
            f"That tumour is of another animal than {animal.code}.",
            field="implant_id",
            expected=f"a tumour of {animal.code}",
            source=CONSISTENT,
        )
    specimen, of = known.specimens.get(values["specimen_id"] or 0, (None, None))
    if specimen is not None and of != animal.id:
        raise DomainError(
            f"Specimen {specimen.code} was not taken from {animal.code}.",
            field="specimen_id",
            expected=f"a sample of {animal.code}",
            source=CONSISTENT,
        )


def _dose_of(values: Mapping[str, Any], known: _Known) -> Given | None:
    """Give the last dose of the agent up to the sample: by time where both have one, otherwise by day."""
    on, at = values["collected_on"], values["collected_at"]
    if on is None:
        return None
    given = known.doses.get((values["animal_id"], values["agent_id"]), [])
    before = [one for one in given if (one.at <= at if one.at is not None and at is not None else one.on <= on)]
    return before[-1] if before else None


def _doubt(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt a sample of an animal that was given nothing, the same sample twice, and nM of an agent without a weight.

    Of an animal in a blinded study the first two would tell who asks what its arm is given.
    """
    animals = measured_animals(session, project_id, sorted({draft.values["animal_id"] for draft in drafts}))
    agents = sorted({draft.values["agent_id"] for draft in drafts if draft.values["agent_id"] is not None})
    doses, there = given_doses(session, sorted(animals), agents), recorded_samples(session, sorted(animals), agents)
    weighed = {one.id: one for (one,) in in_chunks(session, agents, _agents)}
    blinded = blinded_animals(session, sorted(animals))

    def doubt(draft: Draft) -> Iterator[Notice]:
        values, animal, agent = draft.values, animals.get(draft.values["animal_id"]), weighed.get(draft.values["agent_id"])
        if animal is None or agent is None or not draft.changes("animal_id", "agent_id", "matrix", "unit", "collected_on"):
            return
        if values["unit"] is ConcentrationUnit.NANOMOLAR and agent.molecular_weight is None:
            told = f"The molecular weight of {agent.code} is not recorded: nM cannot be compared with ng/mL."
            yield Notice("warning", "unit", told, "its molecular weight, on the agent's page")
        if animal.id in blinded:
            return
        given = doses.get((animal.id, agent.id), [])
        if values["collected_on"] and not any(one.on <= values["collected_on"] for one in given):
            told = f"No dose of {agent.code} to {animal.code} is recorded up to {values['collected_on']}."
            yield Notice("warning", "agent_id", told, "a dose before the sample", ORDER_OF_EVENTS)
        key = (animal.id, agent.id, values["analyte"], values["matrix"])
        own = draft.record.id if draft.record is not None else None
        if any(_same(values, on, hours) for one, on, hours in there.get(key, []) if one != own):
            told = f"{values['matrix'].value.replace('_', ' ').capitalize()} of {animal.code} is recorded for this time already."
            yield Notice("warning", "matrix", told, "one value of a sample")

    return doubt_each(drafts, doubt)


def _same(values: Mapping[str, Any], on: date | None, hours: float | None) -> bool:
    if on != values["collected_on"]:
        return False
    asked = values["hours_after_dose"]
    return asked is None or hours is None or abs(asked - hours) < SAME_HOURS


def _agents(some: Sequence[int]) -> Any:
    return select(Agent).where(Agent.id.in_(some))


EXPOSURE: Noun[Exposure] = Noun(
    "exposure",
    Exposure,
    check=_check,
    doubt=_doubt,
    stay=stay_signed,
    fixed=frozenset({"animal_id", "agent_id", "batch_id"}),
    key=(),
)


def lesion_of(implants: Sequence[Implant], matrix: Any) -> int | None:
    """Give the one tumour that a sample within the skull can be of; nothing where there is none or a choice."""
    if matrix not in BRAIN:
        return None
    inside = [one for one in implants if one.site.value == "intracranial" and one.status is RecordStatus.ACTIVE]
    return inside[0].id if len(inside) == 1 else None
