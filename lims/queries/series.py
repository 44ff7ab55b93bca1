"""Readings as columns over study days: what the plots draw and the arms' table sums up.

Excluded and withdrawn readings never count. Each plot costs one statement, whatever the number of animals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.domain.vocabulary import DayZero, MeasurementKind, Quality, RecordStatus
from lims.models import Animal, Arm, Enrolment, Implant, Measurement, Study
from lims.queries.blinding import shown_arm
from lims.queries.chunks import read
from lims.queries.days import days_between
from lims.queries.kinds import kinds_of, measured_kinds

AnySelect = Select[*tuple[Any, ...]]
"""A statement whose columns are named by their labels."""

ANCHORS = {DayZero.IMPLANTATION: "implantation", DayZero.RANDOMISATION: "randomisation", DayZero.FIRST_DOSE: "the first dose"}


def counted() -> tuple[ColumnElement[bool], ...]:
    """Give the conditions under which a reading counts: active, and not excluded."""
    return active(), Measurement.quality != Quality.EXCLUDED


def active() -> ColumnElement[bool]:
    """Give the condition that a reading is not withdrawn, written as the slot index's own so that both engines use it."""
    return Measurement.status == literal_column(f"'{RecordStatus.ACTIVE.value}'")


def of_study(statement: AnySelect, study_id: InstrumentedAttribute[int] | BindParameter[int] | int) -> AnySelect:
    """Let `statement` read the counted readings of a study: of its animals, and not taken for another study."""
    return (
        statement.select_from(Enrolment)
        .join(Measurement, Measurement.animal_id == Enrolment.animal_id)
        .where(
            Enrolment.study_id == study_id,
            Enrolment.status == RecordStatus.ACTIVE,
            *counted(),
            or_(Measurement.study_id.is_(None), Measurement.study_id == Enrolment.study_id),
        )
    )


@dataclass(frozen=True, slots=True)
class DayCount:
    """Where the days of a study count from; `first_reading` stands in where nobody dated day 0."""

    anchor: DayZero
    day_zero_on: date | None
    first_reading: date | None = None

    @property
    def origin(self) -> date | None:
        """Give the date of day 0 for readings whose animal has none of its own."""
        return self.day_zero_on or self.first_reading

    @property
    def sentence(self) -> str:
        """Say where days count from."""
        if self.day_zero_on:
            return f"Days count from {ANCHORS[self.anchor]} on {self.day_zero_on}, or from the animal's own day 0 where it has one."
        if self.first_reading:
            return f"No date of day 0 is recorded: days count from the study's first reading on {self.first_reading}."
        return "Days are those that the files gave."

    def column(self, own_zero: InstrumentedAttribute[date | None] | None = Enrolment.day_zero_on) -> ColumnElement[float]:
        """Give the study day of a reading: as the file counted it, or from the animal's own day 0, or from the study's."""
        zeros = [zero for zero in (own_zero, literal(self.origin, Date()) if self.origin else None) if zero is not None]
        if not zeros:
            return func.coalesce(Measurement.relative_day, 0.0)
        zero = func.coalesce(*zeros) if len(zeros) > 1 else zeros[0]
        return func.coalesce(Measurement.relative_day, days_between(Measurement.taken_on, zero), 0.0)


def day_count(session: Session, study: Study) -> DayCount:
    """Say where the study's days count from; asks for its first reading only where day 0 has no date."""
    if study.day_zero_on is not None:
        return DayCount(study.day_zero, study.day_zero_on)
    first = session.scalar(of_study(select(func.min(Measurement.taken_on)), study.id).where(Enrolment.day_zero_on.is_(None)))
    return DayCount(study.day_zero, None, first)


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one kind as columns of equal length, by animal, tumour and day.

    arms: name of the arm, None outside every arm. subjects: the animal, with its tumour where it has several. tumours: its
    label, None of the animal itself.
    values: in the kind's unit. excluded: whether the animal was left out of analysis when it was read.
    """

    kind: MeasurementKind
    ids: Sequence[int] = ()
    animal_ids: Sequence[int] = ()
    animals: Sequence[str] = ()
    subjects: Sequence[str] = ()
    arms: Sequence[str | None] = ()
    days: Sequence[float] = ()
    values: Sequence[float] = ()
    taken_on: Sequence[date | None] = ()
    qualities: Sequence[str] = ()
    excluded: Sequence[bool] = ()
    tumours: Sequence[str | None] = ()

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.ids)

    @property
    def suspect(self) -> int:
        """Count the readings marked as suspect."""
        return sum(quality == Quality.SUSPECT for quality in self.qualities)

    def points(self, urls: Mapping[int, str] | None = None, *, by_tumour: bool = False) -> list[dict[str, Any]]:
        """Give the points that `lims.plots` draws, an animal's tumours apart where asked; `urls` by animal id."""
        names = self.subjects if by_tumour else self.animals
        links = urls or {}
        columns = zip(names, self.arms, self.days, self.values, self.animal_ids, self.qualities, strict=True)
        return [
            {"animal": name, "arm": arm, "day": day, "value": value, "url": links.get(key), "suspect": quality == Quality.SUSPECT}
            for name, arm, day, value, key, quality in columns
        ]

    def analysed(self) -> Series:
        """Give the readings without those of animals that were left out of analysis by then (ARRIVE 2.0 item 3b)."""
        if not any(self.excluded):
            return self
        kept = [not out for out in self.excluded]
        columns = (getattr(self, one.name) for one in fields(self)[1:])
        return Series(self.kind, *(list(compress(column, kept)) for column in columns))

    def last_values(self) -> dict[str | None, list[float]]:
        """Give each arm's animals' last values, an animal with several tumours with their mean: n measured is their number."""
        last: dict[tuple[str | None, str], dict[str, tuple[float, float]]] = {}
        for arm, animal, subject, day, value in zip(self.arms, self.animals, self.subjects, self.days, self.values, strict=True):
            tumours = last.setdefault((arm, animal), {})
            if subject not in tumours or day >= tumours[subject][0]:
                tumours[subject] = (day, value)
        by_arm: dict[str | None, list[float]] = {}
        for (arm, _), tumours in last.items():
            by_arm.setdefault(arm, []).append(sum(value for _, value in tumours.values()) / len(tumours))
        return by_arm


_measured = measured_kinds().subquery()
_KINDS_READ = select(_measured.c.kind).where(
    of_study(select(Measurement.id), bindparam("study_id"))
    .where(Measurement.kind == _measured.c.kind)
    .correlate(_measured)
    .exists()
)
"""Looks for one reading of each kind that counts, and at no second."""


def kinds_read(session: Session, study: Study) -> dict[str, MeasurementKind]:
    """Give the kinds that a study has counted readings of by code, in the order of `kinds_of`; nothing counts them."""
    known = kinds_of(session, study.project_id, withdrawn=True)
    found = set(read(session, _KINDS_READ, study_id=study.id).scalars())
    return {code: kind for code, kind in known.items() if code in found}


def kinds_of_study(session: Session, study_id: int) -> list[tuple[MeasurementKind, int]]:
    """List the kinds a study has counted readings of, in the order of `kinds_of`, with how many."""
    statement = of_study(select(Measurement.kind, func.count()), study_id).group_by(Measurement.kind)
    counts = {row[0]: row[1] for row in session.execute(statement)}
    kinds = kinds_of(session, session.get_one(Study, study_id).project_id, withdrawn=True)
    return [(kind, counts[code]) for code, kind in kinds.items() if code in counts]


@lru_cache(maxsize=64)
def study_readings(study_id: int, days: DayCount, *, unblinded: bool) -> AnySelect:
    """Select a study's counted readings with animal, tumour, study day, and arm as a person may see it.

    `excluded_on` and `exclusion_reason` say from when on, and why, the animal is left out of analysis. Outer joins:
    a count leaves them out.
    """
    columns: AnySelect = select(
        Measurement.id.label("id"),
        Measurement.animal_id.label("animal_id"),
        Animal.code.label("animal"),
        Implant.label.label("tumour"),
        Enrolment.arm_id.label("arm_id"),
        shown_arm(unblinded=unblinded).label("arm"),
        Measurement.kind.label("kind"),
        days.column().label("day"),
        Measurement.taken_on.label("taken_on"),
        Measurement.value.label("value"),
        Measurement.quality.label("quality"),
        Enrolment.excluded_on.label("excluded_on"),
        Enrolment.exclusion_reason.label("exclusion_reason"),
    )
    return (
        of_study(columns, study_id)
        .outerjoin(Animal, Animal.id == Enrolment.animal_id)
        .outerjoin(Arm, Arm.id == Enrolment.arm_id)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
    )


def study_series(session: Session, study: Study, kind: MeasurementKind, days: DayCount, arm_names: Mapping[int, str]) -> Series:
    """Read a study's readings of one kind by animal, tumour and slot; `arm_names` by arm id.

    One statement, and one more where readings are of tumours. Thousands of rows pass as columns, in the order of the slot
    index, so that nothing sorts or makes an object of each.
    """
    columns: AnySelect = select(
        *(Measurement.id, Measurement.animal_id, Animal.code, Measurement.implant_id, Enrolment.arm_id, days.column()),
        *(Measurement.taken_on, Measurement.value, type_coerce(Measurement.quality, String()), Enrolment.excluded_on),
    )
    by_slot = (Measurement.animal_id, func.coalesce(Measurement.implant_id, literal_column("0")), Measurement.slot)
    statement = of_study(columns, study.id).join(Animal, Animal.id == Enrolment.animal_id)
    statement = statement.where(Measurement.kind == kind.code).order_by(*by_slot, Measurement.occurrence)
    rows = sorted(session.connection().execute(statement).all(), key=itemgetter(2))
    if not rows:
        return Series(kind)
    ids, animal_ids, animals, implants, arm_ids, study_days, taken_on, values, qualities, out_on = zip(*rows, strict=True)
    tumours = _labels(session, study.id, implants)
    if any(out_on):
        excluded = [out is not None and (on is None or on >= out) for out, on in zip(out_on, taken_on, strict=True)]
    else:
        excluded = [False] * len(rows)
    arms = [arm_names.get(arm_id) for arm_id in arm_ids]
    subjects = _subjects(animals, tumours)
    return Series(kind, ids, animal_ids, animals, subjects, arms, study_days, values, taken_on, qualities, excluded, tumours)


def _labels(session: Session, study_id: int, implants: Sequence[int | None]) -> Sequence[str | None]:
    """Name the tumours of readings; of those of the animals themselves none."""
    if not any(implants):
        return [None] * len(implants)
    of_study_animals = select(Enrolment.animal_id).where(Enrolment.study_id == study_id)
    rows = session.connection().execute(select(Implant.id, Implant.label).where(Implant.animal_id.in_(of_study_animals)))
    labels: dict[int | None, str] = {key: label for key, label in rows}  # noqa: C416  # a result has keys of its own
    return [labels.get(key) for key in implants]


def own_day_count(session: Session, animal_id: int) -> DayCount:
    """Count an animal's days from its first reading, where it is in no study."""
    first = select(func.min(Measurement.taken_on)).where(Measurement.animal_id == animal_id, *counted())
    return DayCount(DayZero.RANDOMISATION, None, session.scalar(first))


def animal_series(session: Session, animal: Animal, study_id: int | None, days: DayCount, arm: str | None = None) -> list[Series]:
    """Read all counted readings of one animal in one statement, a series for each kind.

    Days count as in the study named, or as `own_day_count` says where there is none.
    """
    own_zero = None if study_id is None else Enrolment.day_zero_on
    statement = (
        select(Measurement.kind, Measurement.id, Implant.label, days.column(own_zero))
        .add_columns(Measurement.taken_on, Measurement.value, Measurement.quality)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
        .where(Measurement.animal_id == animal.id, *counted())
        .order_by(Measurement.slot, Measurement.occurrence, Measurement.id)
    )
    if study_id is not None:
        same = and_(Enrolment.animal_id == Measurement.animal_id, Enrolment.study_id == study_id)
        statement = statement.outerjoin(Enrolment, same)
    by_kind: dict[str, list[Any]] = {}
    for row in session.execute(statement):
        by_kind.setdefault(row.kind, []).append(row[1:])
    kinds = kinds_of(session, animal.project_id, withdrawn=True)
    return [_one_animal(animal, kind, by_kind[code], arm) for code, kind in kinds.items() if code in by_kind]


def _one_animal(animal: Animal, kind: MeasurementKind, rows: Sequence[Any], arm: str | None) -> Series:
    ids, tumours, study_days, taken_on, values, qualities = zip(*rows, strict=True)
    n = len(ids)
    codes = [animal.code] * n
    subjects, nobody = _subjects(codes, tumours), [False] * n
    return Series(kind, ids, [animal.id] * n, codes, subjects, [arm] * n, study_days, values, taken_on, qualities, nobody, tumours)


def _subjects(animals: Sequence[str], tumours: Sequence[str | None]) -> list[str]:
    """Name each reading's subject: the animal alone, unless it has readings of several tumours."""
    counts = Counter(animal for animal, _ in set(zip(animals, tumours, strict=True)))
    several = {animal for animal, number in counts.items() if number > 1}
    if not several:
        return list(animals)
    return [
        f"{animal} · {tumour}" if tumour and animal in several else animal for animal, tumour in zip(animals, tumours, strict=True)
    ]
