"""Read models of exposure: the list, and the samples of one animal or of a study with the arm they are of.

A concentration names its agent, and so its animal's arm: while a study is blinded it is not there for those who may not
unblind (`lims.queries.blinding.readable`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import DoseState, ExposureMatrix
from lims.domain.exposure import Partition, Sample, Unbound, partition
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Animal, Arm, Dose, Enrolment, Exposure, Implant
from lims.queries.blinding import readable
from lims.queries.chunks import in_chunks
from lims.queries.series import AnySelect


def exposure_list(project_id: int, *, unblinded: bool) -> AnySelect:
    """Select the project's concentrations with animal, agent and tumour."""
    return (
        select(
            Animal.code.label("animal"),
            Agent.code.label("agent"),
            Implant.label.label("tumour"),
            Exposure.below_lloq.label("below"),
            Exposure.lloq.label("limit"),
        )
        .select_from(Exposure)
        .join(Animal, Animal.id == Exposure.animal_id)
        .join(Agent, Agent.id == Exposure.agent_id)
        .outerjoin(Implant, Implant.id == Exposure.implant_id)
        .where(Exposure.project_id == project_id, readable(Exposure, unblinded=unblinded))
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """One tissue sample of an animal against its plasma. `analyte` is none where it is the agent itself."""

    animal_id: int
    animal: str
    arm_id: int | None
    agent: str
    analyte: str | None
    found: Partition
    excluded: bool = False
    """The animal was left out of the study's analysis when the tissue was taken."""

    @property
    def substance(self) -> str:
        """Name what was measured."""
        return f"{self.analyte} (of {self.agent})" if self.analyte else self.agent


def of_study(session: Session, study_id: int, *, unblinded: bool) -> list[Compared]:
    """Compare all tissue samples of a study's animals with plasma, by arm; one statement."""
    enrolled = select(Exposure, Animal.code, Agent, Arm.id.label("arm"), Enrolment.excluded_on)
    rows = (
        enrolled.join(Animal, Animal.id == Exposure.animal_id)
        .join(Agent, Agent.id == Exposure.agent_id)
        .join(Enrolment, (Enrolment.animal_id == Animal.id) & (Enrolment.status == RecordStatus.ACTIVE))
        .join(Arm, Arm.id == Enrolment.arm_id)
        .where(Enrolment.study_id == study_id, Exposure.status == RecordStatus.ACTIVE, readable(Exposure, unblinded=unblinded))
        .order_by(Arm.position, Animal.code, Exposure.matrix, Exposure.id)
    )
    return _compared(session.execute(rows))


def of_animal(session: Session, animal_id: int, *, unblinded: bool) -> list[Compared]:
    """Compare an animal's tissue samples with its plasma."""
    rows = session.execute(_of_animal(unblinded=unblinded), {"animal_id": animal_id})
    return _compared((one, code, agent, None, None) for one, code, agent in rows)


@cache
def _of_animal(*, unblinded: bool) -> AnySelect:
    return (
        select(Exposure, Animal.code, Agent)
        .join(Animal, Animal.id == Exposure.animal_id)
        .join(Agent, Agent.id == Exposure.agent_id)
        .where(Exposure.animal_id == bindparam("animal_id"), Exposure.status == RecordStatus.ACTIVE)
        .where(readable(Exposure, unblinded=unblinded))
        .order_by(Agent.code, Exposure.matrix, Exposure.id)
    )


def sample_of(one: Exposure) -> Sample:
    """Give a recorded concentration as the domain compares it."""
    value = None if one.below_lloq else one.concentration
    return Sample(one.matrix, value, one.unit, one.lloq, one.hours_after_dose, one.collected_on, one.id)


def _compared(rows: Iterable[Any]) -> list[Compared]:
    """Compare samples of one animal, agent and analyte with each other: rows of sample, animal, agent, arm and exclusion."""
    read = list(rows)
    plasma: dict[tuple[int, int, str | None], list[Sample]] = defaultdict(list)
    for one, *_ in read:
        if one.matrix is ExposureMatrix.PLASMA:
            plasma[one.animal_id, one.agent_id, one.analyte].append(sample_of(one))
    compared = []
    for one, code, agent, arm, out in read:
        if one.matrix is ExposureMatrix.PLASMA:
            continue
        unbound = Unbound(agent.fraction_unbound_plasma, agent.fraction_unbound_brain) if one.analyte is None else None
        weight = agent.molecular_weight if one.analyte is None else None
        found = partition(sample_of(one), plasma[one.animal_id, one.agent_id, one.analyte], unbound, weight)
        excluded = out is not None and (one.collected_on is None or one.collected_on >= out)
        compared.append(Compared(one.animal_id, code, arm, agent.code, one.analyte, found, excluded))
    return compared


@dataclass(frozen=True, slots=True)
class Given:
    """A dose that was given."""

    id: int
    on: date
    at: datetime | None


def given_doses(session: Session, animals: Sequence[int], agents: Sequence[int]) -> dict[tuple[int, int], list[Given]]:
    """Give the doses of agents that animals were given, by animal and agent, the first one first."""
    found: dict[tuple[int, int], list[Given]] = defaultdict(list)
    wanted = (
        select(Dose.animal_id, Dose.agent_id, Dose.id, Dose.given_on, Dose.given_at)
        .where(Dose.agent_id.in_(agents), Dose.state == DoseState.GIVEN, Dose.status == RecordStatus.ACTIVE)
        .order_by(Dose.given_on, Dose.given_at.nulls_first(), Dose.id)
    )
    for animal, agent, key, on, at in in_chunks(session, animals, lambda some: wanted.where(Dose.animal_id.in_(some))):
        if on is not None:
            found[animal, agent].append(Given(key, on, at))
    return found


def recorded_samples(
    session: Session, animals: Sequence[int], agents: Sequence[int]
) -> dict[tuple[int, int, str | None, ExposureMatrix], list[tuple[int, date | None, float | None]]]:
    """Give the active samples of animals and agents, by what they are of: id, day and hours."""
    found: dict[tuple[int, int, str | None, ExposureMatrix], list[tuple[int, date | None, float | None]]] = defaultdict(list)
    columns = (Exposure.animal_id, Exposure.agent_id, Exposure.analyte, Exposure.matrix)
    told = (Exposure.id, Exposure.collected_on, Exposure.hours_after_dose)
    wanted = select(*columns, *told).where(Exposure.agent_id.in_(agents), Exposure.status == RecordStatus.ACTIVE)
    for animal, agent, analyte, matrix, *one in in_chunks(
        session, animals, lambda some: wanted.where(Exposure.animal_id.in_(some))
    ):
        key, on, hours = one
        found[animal, agent, analyte, matrix].append((key, on, hours))
    return found
