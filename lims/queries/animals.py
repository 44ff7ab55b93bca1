"""Read models of animals: the list with arms and last readings, one animal's tumours, enrolments and readings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, ScalarSelect, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.domain.slots import UNDATED
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, AnimalAlias, AnimalProtocol, Arm, Cage, Enrolment, Implant, Measurement, PdxModel, Study
from lims.queries.blinding import shown_arm
from lims.queries.chunks import in_chunks, read
from lims.queries.series import AnySelect, counted


def last_weight() -> ColumnElement[float]:
    """Give an animal's last counted weight, as a column of a statement that selects from `Animal`.

    It stands at the end of the slot index, where the animal itself is implant 0; days of a study that nobody dated count
    where no weight has a date.
    """
    of_animal = Measurement.animal_id == Animal.id, func.coalesce(Measurement.implant_id, literal_column("0")) == 0
    weights = select(Measurement.value).where(*of_animal, Measurement.kind == "body_weight", *counted()).limit(1).correlate(Animal)
    dated = weights.where(Measurement.slot < UNDATED).order_by(Measurement.slot.desc(), Measurement.occurrence.desc())
    undated = weights.order_by(Measurement.relative_day.desc().nulls_last(), Measurement.id.desc())
    return func.coalesce(dated.scalar_subquery(), undated.scalar_subquery())


def last_reading_on() -> ScalarSelect[Any]:
    """Give the date of an animal's last counted reading, as a column of a statement that selects from `Animal`."""
    latest = select(func.max(Measurement.taken_on)).where(Measurement.animal_id == Animal.id, *counted())
    return latest.correlate(Animal).scalar_subquery()


def arms(*, unblinded: bool) -> ScalarSelect[str]:
    """Give an animal's arms as a person may see them, as `study: arm, study: arm`, in a statement that selects from `Animal`."""
    names = (
        select(func.aggregate_strings(Study.code + ": " + shown_arm(unblinded=unblinded), ", "))
        .select_from(Enrolment)
        .join(Arm, Arm.id == Enrolment.arm_id)
        .join(Study, Study.id == Enrolment.study_id)
        .where(Enrolment.animal_id == Animal.id, Enrolment.status == RecordStatus.ACTIVE)
    )
    return names.correlate(Animal).scalar_subquery()


@lru_cache(maxsize=64)
def animal_list(project_id: int, *, unblinded: bool) -> AnySelect:
    """Select the project's animals with their arms as a person may see them, last weight (g) and the date of the last reading."""
    return (
        select(
            Animal.id.label("id"),
            Animal.code.label("code"),
            Animal.sex.label("sex"),
            Animal.birth_date.label("birth_date"),
            Animal.strain.label("strain"),
            AnimalProtocol.code.label("protocol"),
            arms(unblinded=unblinded).label("arms"),
            Cage.code.label("cage"),
            Animal.state.label("state"),
            last_weight().label("weight"),
            last_reading_on().label("last_on"),
        )
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .outerjoin(AnimalProtocol, AnimalProtocol.id == Animal.protocol_id)
        .where(Animal.project_id == project_id)
    )


@lru_cache(maxsize=64)
def study_animals(study_id: int, *, unblinded: bool) -> AnySelect:
    """Select the animals of a study with their arm as a person may see it, last weight (g), readings and the last one's date."""
    readings = select(func.count()).where(Measurement.animal_id == Animal.id, *counted()).correlate(Animal).scalar_subquery()
    return (
        select(
            Animal.id.label("id"),
            Animal.code.label("code"),
            shown_arm(unblinded=unblinded).label("arm"),
            Enrolment.id.label("enrolment"),
            Enrolment.enrolled_on.label("enrolled_on"),
            Enrolment.day_zero_on.label("day_zero_on"),
            Enrolment.excluded_on.label("excluded_on"),
            Enrolment.exclusion_reason.label("exclusion_reason"),
            Animal.sex.label("sex"),
            Cage.code.label("cage"),
            Animal.state.label("state"),
            last_weight().label("weight"),
            readings.label("readings"),
            last_reading_on().label("last_on"),
        )
        .join(Enrolment, Enrolment.animal_id == Animal.id)
        .join(Arm, Arm.id == Enrolment.arm_id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .where(Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE, Animal.status == RecordStatus.ACTIVE)
    )


def enrolled_in(*, study_id: int | None = None, arm_id: int | None = None) -> ColumnElement[bool]:
    """Give the condition that an animal is in this study, or in this arm."""
    enrolled = select(Enrolment.animal_id).where(Enrolment.status == RecordStatus.ACTIVE)
    if study_id is not None:
        enrolled = enrolled.where(Enrolment.study_id == study_id)
    if arm_id is not None:
        enrolled = enrolled.where(Enrolment.arm_id == arm_id)
    return Animal.id.in_(enrolled)


def tumours_of(session: Session, animal_id: int) -> Sequence[Row[Any]]:
    """List an animal's tumours with their model and number of counted readings."""
    return read(session, _tumours(), animal_id=animal_id).all()


@cache
def _tumours() -> AnySelect:
    animal: BindParameter[int] = bindparam("animal_id")
    readings = select(func.count()).where(Measurement.implant_id == Implant.id, Measurement.animal_id == animal, *counted())
    return (
        select(
            Implant.id,
            Implant.label,
            Implant.site,
            Implant.region,
            PdxModel.code.label("model"),
            PdxModel.passage_convention.label("convention"),
            Implant.model_id,
            Implant.passage,
            Implant.implanted_on,
            Implant.engraftment,
            readings.correlate(Implant).scalar_subquery().label("readings"),
        )
        .outerjoin(PdxModel, PdxModel.id == Implant.model_id)
        .where(Implant.animal_id == animal, Implant.status == RecordStatus.ACTIVE)
        .order_by(Implant.label)
    )


_ENROLMENTS = (
    select(Enrolment, Study)
    .join(Study, Study.id == Enrolment.study_id)
    .join(Arm, Arm.id == Enrolment.arm_id)
    .where(Enrolment.animal_id == bindparam("animal_id"), Enrolment.status == RecordStatus.ACTIVE)
    .order_by(Enrolment.id.desc())
)


def enrolments_of(session: Session, animal_id: int) -> list[tuple[Enrolment, Study]]:
    """List an animal's active enrolments with their studies, the latest first."""
    return [(enrolment, study) for enrolment, study in session.execute(_ENROLMENTS, {"animal_id": animal_id})]


_alias = AnimalAlias.__table__.c
_ALIASES = (
    select(_alias.id, _alias.alias, _alias.status)
    .where(_alias.animal_id == bindparam("animal_id"))
    .order_by(_alias.status, _alias.alias)
)


def aliases_of(session: Session, animal_id: int) -> Sequence[Row[Any]]:
    """Give the other names of an animal with id and status, those that count first."""
    return read(session, _ALIASES, animal_id=animal_id).all()


def animals_known(session: Session, project_id: int, names: Sequence[str]) -> dict[str, Animal]:
    """Give the animals that codes or RFIDs name, by name; scanners that write in the other case are understood."""
    wanted = sorted({name.casefold() for name in names})
    known: dict[str, Animal] = {}
    rows = in_chunks(
        session,
        wanted,
        lambda some: select(Animal).where(
            Animal.project_id == project_id,
            Animal.status == RecordStatus.ACTIVE,
            or_(func.lower(Animal.code).in_(some), func.lower(Animal.rfid).in_(some)),
        ),
    )
    for (animal,) in rows:
        known |= {name.casefold(): animal for name in (animal.rfid, animal.code) if name}
    exact = {animal.code: animal for (animal,) in rows}
    return {name: exact.get(name, known[name.casefold()]) for name in names if name.casefold() in known}


def animals_named(session: Session, project_id: int, names: Sequence[str]) -> list[Animal]:
    """Give the animals that codes or RFIDs name, in their order (`animals_known`).

    Raises:
        DomainError: on `codes`, listing the names that no animal of the project has.
    """
    known = animals_known(session, project_id, names)
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(f'"{name}"' for name in unknown[:5])
        raise DomainError(
            f"There is no animal {listed} in this project{f', nor {len(unknown) - 5} more' if len(unknown) > 5 else ''}.",
            field="codes",
            expected="codes or RFIDs of animals, one a line",
            remedy="Scan the card again, or take the line out.",
        )
    return [known[name] for name in names]
