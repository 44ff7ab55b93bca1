"""Readings as columns over study days: what the plots draw and the arms' table sums up.

Excluded and withdrawn readings never count. Each plot costs a few statements, whatever the number of animals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache, lru_cache
from itertools import accumulate, chain, compress, repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.domain.vocabulary import DayZero, MeasurementKind, Quality, RecordStatus
from lims.models import Animal, Arm, Enrolment, Implant, Measurement, Study
from lims.queries.blinding import shown_arm
from lims.queries.chunks import as_date, driver_rows, read
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

    def day(self, relative_day: float | None, taken_on: date | None, own_zero: date | None) -> float:
        """Give the study day of a reading: as the file counted it, or from the animal's own day 0, or from the study's."""
        zero = own_zero or self.origin
        if relative_day is not None:
            return relative_day
        return float((taken_on - zero).days) if taken_on and zero else 0.0

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
    values: in the kind's unit. excluded: whether the animal was left out of analysis when it was read. ids: the readings' own,
    of one animal's; a study's thousands go without.
    """

    kind: MeasurementKind
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
    ids: Sequence[int] = ()

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.values)

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


_ENROLLED = (
    select(Enrolment.animal_id, Animal.code, Enrolment.arm_id, Enrolment.day_zero_on, Enrolment.excluded_on)
    .join(Animal, Animal.id == Enrolment.animal_id)
    .where(Enrolment.study_id == bindparam("study_id"), Enrolment.status == RecordStatus.ACTIVE)
)
_READINGS = (
    of_study(
        select(Measurement.animal_id, Measurement.implant_id, Measurement.relative_day, Measurement.taken_on)
        .add_columns(Measurement.value, func.nullif(Measurement.quality, literal_column(f"'{Quality.OK.value}'")))
        .order_by(Enrolment.animal_id, func.coalesce(Measurement.implant_id, literal_column("0")))
        .order_by(Measurement.slot, Measurement.occurrence),
        bindparam("study_id"),
    )
).where(Measurement.kind == bindparam("kind"))
"""The subject comes first, as in the slot index, so that SQLite sorts no more than a subject's readings. What most readings say,
that they are good, is no text: the driver makes one for each."""
_TUMOURS = (
    select(Implant.id, Implant.label)
    .join(Enrolment, Enrolment.animal_id == Implant.animal_id)
    .where(Enrolment.study_id == bindparam("study_id"))
)


def study_series(session: Session, study: Study, kind: MeasurementKind, days: DayCount, arm_names: Mapping[int, str]) -> Series:
    """Read a study's readings of one kind by animal, tumour and slot; `arm_names` by arm id.

    Two statements, and one more where readings are of tumours. Thousands of rows pass as columns; what an animal's readings
    share is looked up once for all of them, and each day of so many readings is read once.
    """
    of = {"study_id": study.id}
    rows = driver_rows(session, _READINGS, **of, kind=kind.code)
    if not rows:
        return Series(kind)
    counts = Counter(map(itemgetter(0, 1), rows))
    codes = {key: (code, *more) for key, code, *more in driver_rows(session, _ENROLLED, **of)}
    runs = sorted(counts, key=lambda run: codes[run[0]][0])
    if runs != list(counts):
        ends = dict(zip(counts, accumulate(counts.values()), strict=True))
        rows = list(chain.from_iterable(rows[ends[run] - counts[run] : ends[run]] for run in runs))

    def of_each(values: Iterable[Any]) -> list[Any]:
        return list(chain.from_iterable(map(repeat, values, map(counts.__getitem__, runs))))

    names, arm_ids, zeros, out_on = zip(*(codes[animal] for animal, _ in runs), strict=True)
    animal_ids, _, relative_days, dates, values, qualities = zip(*rows, strict=True)
    taken_on = list(map({told: as_date(told) for told in set(dates)}.__getitem__, dates))
    labels = _labels(session, of, [implant for _, implant in runs])
    animals, tumours = of_each(names), of_each(labels)
    return Series(
        kind,
        animal_ids,
        animals,
        of_each(_subjects(names, labels)) if len(set(names)) < len(names) else animals,
        of_each(map(arm_names.get, arm_ids)),
        _study_days(days, relative_days, taken_on, of_each(map(as_date, zeros)) if any(zeros) else None),
        values,
        taken_on,
        [one or Quality.OK.value for one in qualities] if any(qualities) else [Quality.OK.value] * len(rows),
        _left_out(of_each(map(as_date, out_on)), taken_on) if any(out_on) else [False] * len(rows),
        tumours,
    )


def _study_days(
    days: DayCount, relative_days: Sequence[float | None], taken_on: Sequence[date | None], zeros: Sequence[date | None] | None
) -> list[float]:
    """Give the study day of each reading; a day that many share is counted once. zeros: the animals' own, if any has one."""
    if zeros is None and not any(day is not None for day in set(relative_days)):
        return list(map({on: days.day(None, on, None) for on in set(taken_on)}.__getitem__, taken_on))
    return list(map(cache(days.day), relative_days, taken_on, zeros or repeat(None)))


def _left_out(out_on: Sequence[date | None], taken_on: Sequence[date | None]) -> list[bool]:
    """Tell of each reading whether its animal was left out of analysis when it was taken."""
    return [out is not None and (on is None or on >= out) for out, on in zip(out_on, taken_on, strict=True)]


def _labels(session: Session, of: Mapping[str, int], implants: Sequence[int | None]) -> Sequence[str | None]:
    """Name tumours; animals themselves have no such name."""
    if not any(implants):
        return [None] * len(implants)
    labels: dict[int | None, str] = dict(driver_rows(session, _TUMOURS, **of))
    return list(map(labels.get, implants))


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
    arms = [arm] * n
    return Series(kind, [animal.id] * n, codes, subjects, arms, study_days, values, taken_on, qualities, nobody, tumours, ids)


def _subjects(animals: Sequence[str], tumours: Sequence[str | None]) -> list[str]:
    """Name each reading's subject: the animal alone, unless it has readings of several tumours."""
    counts = Counter(animal for animal, _ in set(zip(animals, tumours, strict=True)))
    several = {animal for animal, number in counts.items() if number > 1}
    if not several:
        return list(animals)
    return [
        f"{animal} · {tumour}" if tumour and animal in several else animal for animal, tumour in zip(animals, tumours, strict=True)
    ]
