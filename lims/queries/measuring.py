"""What a measuring session goes through: a row for each animal, or for each of its tumours, in the order of the cages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from lims.domain.vocabulary import AnimalStatus, ImplantSite, RecordStatus
from lims.models import Animal, Arm, Cage, Enrolment, Implant, Measurement
from lims.queries.bench_order import along_the_racks, counting
from lims.queries.blinding import shown_arm
from lims.queries.measurements import in_study
from lims.queries.series import active

MOST_ROWS = 400
"""Of one session: more animals than anybody measures in a day."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An animal, or one of its tumours: what one row of a session is of. `arm` as this person may read it."""

    animal_id: int
    animal: str
    ear_tag: str | None
    cage: str | None
    arm: str | None
    excluded: bool
    """Left out of the study's analysis; its welfare is still looked after."""
    implant_id: int | None = None
    tumour: str | None = None
    site: ImplantSite | None = None

    @property
    def name(self) -> str:
        """Name it in a sentence."""
        return f"{self.animal} {self.tumour}" if self.tumour else self.animal


def lives_on(day: date) -> ColumnElement[bool]:
    """Give the condition that an animal is alive on a day, as far as anybody recorded it."""
    return or_(and_(Animal.died_on.is_(None), Animal.state != AnimalStatus.DEAD), Animal.died_on >= day)


def read_by_hand(session: Session, study_id: int) -> set[str]:
    """Give the kinds that somebody read by hand of a study's animals in its last week of such readings."""
    by_hand = Measurement.batch_id.is_(None), in_study(study_id), active()
    last = session.scalar(select(func.max(Measurement.taken_on)).where(*by_hand))
    if last is None:
        return set()
    week = Measurement.taken_on > last - timedelta(days=7)
    return set(session.scalars(select(Measurement.kind).where(*by_hand, week).distinct()))


def tumour_sites(session: Session, *, study_id: int | None, animals: Sequence[int]) -> set[ImplantSite | None]:
    """Give the sites at which a study's animals, and those named, carry tumours."""
    of: ColumnElement[bool] = Implant.animal_id.in_(animals)
    if study_id is not None:
        enrolled = select(Enrolment.animal_id).where(Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE)
        of = or_(of, Implant.animal_id.in_(enrolled))
    return set(session.scalars(select(Implant.site).where(of, Implant.status == RecordStatus.ACTIVE).distinct()))


def to_measure(
    session: Session,
    project_id: int,
    day: date,
    *,
    study_id: int | None = None,
    animals: Sequence[int] = (),
    tumours: bool = False,
    unblinded: bool,
) -> list[Measured]:
    """Give the living animals of a study, and those named whether they live or not; with `tumours` a row for each of them.

    One statement. An animal without a tumour has a row too: it is weighed with the others.
    """
    enrolled = and_(
        Enrolment.animal_id == Animal.id, Enrolment.study_id == (study_id or 0), Enrolment.status == RecordStatus.ACTIVE
    )
    grown = and_(Implant.animal_id == Animal.id, Implant.status == RecordStatus.ACTIVE, true() if tumours else false())
    rows = (
        select(Animal, Cage, shown_arm(unblinded=unblinded).label("arm"), Enrolment.excluded_on, Implant)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .outerjoin(Enrolment, enrolled)
        .outerjoin(Arm, Arm.id == Enrolment.arm_id)
        .outerjoin(Implant, grown)
        .where(Animal.project_id == project_id, Animal.status == RecordStatus.ACTIVE)
        .where(or_(and_(Enrolment.id.is_not(None), lives_on(day)), Animal.id.in_(animals)))
        .order_by(Animal.id, Implant.id)
        .limit(MOST_ROWS)
    )
    return [_measured(*row) for row in sorted(session.execute(rows).all(), key=_place)]


def _measured(animal: Animal, cage: Cage | None, arm: str | None, excluded_on: date | None, implant: Implant | None) -> Measured:
    return Measured(
        animal.id,
        animal.code,
        animal.ear_tag,
        cage.code if cage else None,
        arm,
        excluded_on is not None,
        implant.id if implant else None,
        implant.label if implant else None,
        implant.site if implant else None,
    )


def _place(row: Any) -> tuple[Any, ...]:
    animal, cage, *_, implant = row
    return (*along_the_racks(animal, cage), counting(implant.label if implant else ""))
