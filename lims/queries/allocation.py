"""Read models of randomisation: animals that may be allocated with their baselines, and what the runs of a study did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Allocation, Animal, Arm, Cage, Dose, Enrolment, Implant, Measurement, PdxModel, Randomisation, Study
from lims.queries.chunks import in_chunks
from lims.queries.series import counted

BASELINE_DAYS = 3
"""A baseline may have been read so many days before its date: an older one is no baseline (usual practice)."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """A living animal with a tumour that is in no arm of the study, or was put in one by the run before.

    implanted_on: its first implant. sites: of all of them, as the vocabulary has them. elsewhere: another study that it is in
    and that is not closed.
    """

    id: int
    code: str
    ear_tag: str | None
    sex: str
    cage: str | None
    model: str | None
    sites: tuple[str, ...]
    implanted_on: date | None
    elsewhere: str | None


@dataclass(frozen=True, slots=True)
class BaselineReading:
    """What an animal is ranked by: in the kind's unit, and when it was read."""

    value: float
    taken_on: date


def eligible_animals(session: Session, project_id: int, study_id: int) -> list[Eligible]:
    """List the animals that may be allocated, in the order of cages and codes, in one statement."""
    rows = session.execute(
        select(
            *(Animal.id, Animal.code, Animal.ear_tag, Animal.sex, Cage.code, _elsewhere(study_id)),
            *(PdxModel.code, Implant.site, Implant.implanted_on),
        )
        .join(Implant, Implant.animal_id == Animal.id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(
            Animal.project_id == project_id,
            Animal.status == RecordStatus.ACTIVE,
            Implant.status == RecordStatus.ACTIVE,
            Animal.state != AnimalStatus.DEAD,
            Animal.died_on.is_(None),
            Animal.id.not_in(_settled(study_id)),
        )
        .order_by(Cage.code, Animal.code, Implant.implanted_on)
    )
    by_animal: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_animal[row[0]].append(row)
    return [_eligible(several) for several in by_animal.values()]


def _settled(study_id: int) -> Select[int]:
    """Select the animals that somebody put in an arm of the study by hand."""
    return select(Enrolment.animal_id).where(
        Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE, Enrolment.randomisation_id.is_(None)
    )


def _elsewhere(study_id: int) -> ScalarSelect[str]:
    """Select the other study that an animal is at work in: a draft or an active one."""
    return (
        select(func.min(Study.code))
        .join(Enrolment, Enrolment.study_id == Study.id)
        .where(
            Enrolment.animal_id == Animal.id,
            Enrolment.status == RecordStatus.ACTIVE,
            Study.id != study_id,
            Study.status == RecordStatus.ACTIVE,
            Study.state.in_((StudyStatus.DRAFT, StudyStatus.ACTIVE)),
        )
        .correlate(Animal)
        .scalar_subquery()
    )


def settled_animals(session: Session, study_id: int) -> set[int]:
    """Give the ids of the animals that are in the study, and were not put there by a run."""
    return set(session.scalars(_settled(study_id)))


def _eligible(rows: Sequence[Any]) -> Eligible:
    key, code, tag, sex, cage, elsewhere = rows[0][:6]
    models = [row[6] for row in rows if row[6]]
    implanted = [row[8] for row in rows if row[8]]
    sites = tuple(dict.fromkeys(row[7].value for row in rows))
    first = min(implanted, default=None)
    return Eligible(key, code, tag, sex.value, cage, models[0] if models else None, sites, first, elsewhere)


def baselines(session: Session, animal_ids: Sequence[int], kind: str, on: date) -> dict[int, BaselineReading]:
    """Give each animal's latest reading of a kind on a day or shortly before; tumours of one animal are added up."""
    reading = Measurement.__table__.c
    rows = in_chunks(
        session,
        sorted(animal_ids),
        lambda some: (
            select(reading.animal_id, reading.taken_on, reading.implant_id, func.avg(reading.value))
            .where(
                reading.animal_id.in_(some),
                reading.kind == kind,
                reading.taken_on.between(on - timedelta(days=BASELINE_DAYS), on),
                *counted(),
            )
            .group_by(reading.animal_id, reading.taken_on, reading.implant_id)
        ),
    )
    by_day: dict[int, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for animal, taken_on, _, value in rows:
        by_day[animal][taken_on] += value
    return {animal: BaselineReading(days[max(days)], max(days)) for animal, days in by_day.items()}


def runs_of(session: Session, study_id: int) -> list[Randomisation]:
    """List the runs of a study, the last one first."""
    wanted = select(Randomisation).where(Randomisation.study_id == study_id, Randomisation.status == RecordStatus.ACTIVE)
    return list(session.scalars(wanted.order_by(Randomisation.number.desc())))


@dataclass(frozen=True, slots=True)
class AllocatedAnimal:
    """One animal of a run. baseline: in the kind's unit. now: it stands in that arm still."""

    animal_id: int
    code: str
    sex: str
    arm_id: int | None
    baseline: float | None
    stratum: str | None
    exclusion_reason: str | None


def allocations_of(session: Session, run_id: int) -> list[AllocatedAnimal]:
    """List the animals of a run in the order in which they were allocated, those left out last."""
    rows = session.execute(
        select(
            Allocation.animal_id,
            Animal.code,
            Animal.sex,
            Allocation.arm_id,
            Allocation.baseline_value,
            Allocation.stratum,
            Allocation.exclusion_reason,
        )
        .join(Animal, Animal.id == Allocation.animal_id)
        .where(Allocation.randomisation_id == run_id)
        .order_by(Allocation.position)
    )
    return [AllocatedAnimal(row[0], row[1], row[2].value, *row[3:]) for row in rows]


def planned_arms(session: Session, study_id: int) -> list[Arm]:
    """List the arms of a study in their order."""
    wanted = select(Arm).where(Arm.study_id == study_id, Arm.status == RecordStatus.ACTIVE)
    return list(session.scalars(wanted.order_by(Arm.position)))


def doses_recorded(session: Session, study_id: int) -> int:
    """Count the doses recorded in a study."""
    wanted = select(func.count()).select_from(Dose).where(Dose.study_id == study_id, Dose.status == RecordStatus.ACTIVE)
    return session.scalar(wanted) or 0


def animals_of(session: Session, project_id: int, ids: Iterable[int]) -> dict[int, Animal]:
    """Give animals of the project by id."""
    wanted = sorted(set(ids))
    found = in_chunks(
        session,
        wanted,
        lambda some: select(Animal).where(
            Animal.project_id == project_id, Animal.id.in_(some), Animal.status == RecordStatus.ACTIVE
        ),
    )
    return {animal.id: animal for (animal,) in found}
