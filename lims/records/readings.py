"""Writes readings typed by hand: judged as those of files are, recorded by the same function, corrected with a reason.

`judge_readings` looks at a whole list at once and refuses or doubts each row by itself, so that a page can say beside every
field what is wrong; `record_readings` records all of them or none. A reading that a file brought keeps the value of the file:
it is excluded with a reason, and the right value may then be typed beside it. One typed by hand is changed or withdrawn alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from lims.audit.record import Actor, current, declare
from lims.domain.errors import Conflict, DomainError, refuse_together
from lims.domain.events_order import Life
from lims.domain.notices import Notice
from lims.domain.readings import CALIPER_KINDS, Before, Diameters, Subject, doubts_of, refuse_day, refuse_value, shown, value_of
from lims.domain.slots import date_slot, moment_slot
from lims.domain.sources import CONSISTENT, NEVER_CHANGED
from lims.domain.vocabulary import KIND_BY_CODE, AnimalStatus, MeasurementKind, Quality, VolumeFormula
from lims.domain.vocabulary import Subject as Of
from lims.models import Measurement
from lims.queries.kinds import kinds_of, unknown_kind
from lims.queries.measurements import Key, SameSlot, measured_implants, measured_lives, readings_around, study_days
from lims.records.endpoints import judge_new
from lims.records.locked import keep_signed, locks_of, refuse_added, stay_signed
from lims.records.measurements import Readings, record_measurements
from lims.records.noun import Draft, Noun
from lims.records.values import clean, today

UNMEASURED = Diameters()
MOST_READINGS = 2_000
"""In one list: more than anybody takes in a day."""


@dataclass(frozen=True, slots=True)
class NewReading:
    """One reading to record. `value`, or `of` for the kinds that are made of diameters (mm).

    taken_at: aware, where the time of day is known. study_id: the study that it is taken for, whose enrolments it is held
    against; the reading itself is of the animal.
    """

    animal_id: int
    kind: str
    taken_on: date
    value: float | None = None
    of: Diameters = UNMEASURED
    formula: VolumeFormula = VolumeFormula.HALF_L_W2
    implant_id: int | None = None
    taken_at: datetime | None = None
    operator: str | None = None
    device: str | None = None
    study_id: int | None = None

    @property
    def slot(self) -> str:
        """Give its moment as text."""
        return moment_slot(self.taken_at) if self.taken_at else date_slot(self.taken_on)

    @property
    def key(self) -> Key:
        """Give what it is of."""
        return self.animal_id, self.implant_id or 0, self.kind


@dataclass(slots=True)
class Judged:
    """A reading with what was found: the value in the kind's unit, what refuses it, and what a person has to confirm."""

    reading: NewReading
    value: float | None = None
    before: Before | None = None
    occurrence: int = 1
    refusals: list[DomainError] = field(default_factory=list)
    doubts: list[Notice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a list of readings refers to, read in one statement a kind of record; `locks`: of the dead, and of studies, alone."""

    kinds: Mapping[str, MeasurementKind]
    animals: Mapping[int, Row[Any]]
    implants: Mapping[int, Row[Any]]
    before: Mapping[Key, Before]
    taken: Mapping[tuple[Key, str], list[SameSlot]]
    enrolled: Mapping[tuple[int, int], date]
    locks: Mapping[int, Sequence[Row[Any]]]

    def subject(self, reading: NewReading) -> Subject:
        """Give what a reading is of, as the rules see it."""
        animal, implant = self.animals[reading.animal_id], self.implants.get(reading.implant_id or 0)
        life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
        name = f"{animal.code} {implant.label}" if implant else animal.code
        enrolled = self.enrolled.get((reading.study_id or 0, animal.id))
        return Subject(name, life, implant.implanted_on if implant else None, enrolled, self.before.get(reading.key))


def judge_readings(session: Session, project_id: int, readings: Sequence[NewReading]) -> list[Judged]:
    """Judge each reading of a list by itself, and by what is recorded; nothing is written."""
    return _judge_all(session, _read(session, project_id, readings), readings)


def _judge_all(session: Session, known: _Known, readings: Sequence[NewReading]) -> list[Judged]:
    now = today(session)
    seen: dict[tuple[Key, str], int] = {}
    judged = []
    for number, reading in enumerate(readings):
        one = Judged(reading, before=known.before.get(reading.key))
        try:
            _judge(session, one, known, now)
            twice = seen.setdefault((reading.key, reading.slot), number)
            if twice != number:
                raise DomainError("This stands twice in the list.", field="value", expected="one row", source=CONSISTENT)
        except DomainError as refused:
            one.refusals.extend(refused.every)
        judged.append(one)
    return judged


def _read(session: Session, project_id: int, readings: Sequence[NewReading]) -> _Known:
    animals = sorted({one.animal_id for one in readings})
    codes = sorted({one.kind for one in readings})
    last = max((one.taken_on for one in readings), default=today(session))
    studies = sorted({one.study_id for one in readings if one.study_id is not None})
    lives = measured_lives(session, project_id, animals)
    dead = [key for key, life in lives.items() if life.died_on is not None or life.state is AnimalStatus.DEAD]
    before, taken = readings_around(session, animals, codes, last, {one.slot for one in readings})
    return _Known(
        KIND_BY_CODE if KIND_BY_CODE.keys() >= set(codes) else kinds_of(session, project_id),
        lives,
        measured_implants(session, project_id, sorted({one.implant_id for one in readings if one.implant_id is not None})),
        before,
        taken,
        study_days(session, studies, animals),
        locks_of(session, animals if studies else dead),
    )


def _judge(session: Session, one: Judged, known: _Known, now: date) -> None:
    reading = one.reading
    kind = known.kinds.get(reading.kind)
    if kind is None:
        raise unknown_kind(reading.kind)
    _require_subject(reading, kind, known)
    refuse_added(known.locks.get(reading.animal_id, ()), reading.study_id)
    subject = known.subject(reading)
    hands = clean(session, Measurement, {"operator": reading.operator, "device": reading.device}, future=frozenset())
    one.reading = replace(reading, **hands)
    refuse_day(kind, reading.taken_on, subject, now)
    one.value = value_of(kind, reading.value, reading.of, reading.formula)
    refuse_value(kind, one.value, subject.name)
    one.occurrence = next_occurrence(kind, subject.name, known.taken.get((reading.key, reading.slot), []))
    one.doubts.extend(doubts_of(kind, one.value, reading.taken_on, subject, reading.of, one.reading.operator))


def _require_subject(reading: NewReading, kind: MeasurementKind, known: _Known) -> None:
    if reading.animal_id not in known.animals:
        raise DomainError(f"There is no animal {reading.animal_id} in this project.", field="animal_id")
    implant = known.implants.get(reading.implant_id or 0)
    if kind.subject is Of.ANIMAL and reading.implant_id is not None:
        raise DomainError(f"{kind.title} is of an animal, not of a tumour.", field="implant_id", source=CONSISTENT)
    if kind.subject is Of.IMPLANT and (implant is None or implant.animal_id != reading.animal_id):
        code = known.animals[reading.animal_id].code
        raise DomainError(f"Which tumour of {code}?", field="implant_id", expected="a tumour of this animal", source=CONSISTENT)


def next_occurrence(kind: MeasurementKind, name: str, there: Sequence[SameSlot]) -> int:
    """Give the number of a reading among those of its moment; one beside an excluded reading is the next.

    Raises:
        DomainError: the moment has a reading that counts.
    """
    counting = next((one for one in there if one.quality is not Quality.EXCLUDED), None)
    if counting is not None:
        raise DomainError(
            f"{shown(kind, counting.value)} of {name} is recorded for this moment already.",
            field="value",
            expected="one reading of a moment",
            remedy="Change that one with a reason, or give the time of day that tells the two apart.",
            source=CONSISTENT,
        )
    return max((one.occurrence for one in there), default=0) + 1


def record_readings(
    session: Session, actor: Actor, project_id: int, readings: Sequence[NewReading], *, reason: str = ""
) -> list[int]:
    """Record a list of readings, all or none; gives their ids, kind by kind. What is in doubt is the caller's to confirm.

    Raises:
        DomainError: nothing was typed, or a row is refused; `row` and `others` say which and why.
    """
    declare(session, actor, "measurement:create", reason=reason, project=project_id)
    if not 1 <= len(readings) <= MOST_READINGS:
        raise DomainError(
            "Nothing was typed." if not readings else f"{len(readings):,} readings are too many for one list.",
            field="rows",
            expected=f"1 to {MOST_READINGS:,} readings",
        )
    known = _read(session, project_id, readings)
    judged = _judge_all(session, known, readings)
    for number, one in enumerate(judged):
        for refused in one.refusals:
            refused.row = number
    refuse_together([refused for one in judged for refused in one.refusals[:1]])
    alike: dict[tuple[str, bool], list[Judged]] = defaultdict(list)
    for one in judged:
        alike[one.reading.kind, one.reading.taken_at is not None].append(one)
    ids: list[int] = []
    for (code, _), some in alike.items():
        columns = _columns(known, project_id, code, some)
        ids.extend(record_measurements(session, actor, columns, reason=reason))
    return ids


def _columns(known: _Known, project_id: int, code: str, judged: Sequence[Judged]) -> Readings:
    readings = [one.reading for one in judged]
    animals = [known.animals[one.animal_id] for one in readings]
    tumours = [known.implants[one.implant_id] if one.implant_id else None for one in readings]
    caliper = code in CALIPER_KINDS
    return Readings(
        project=(project_id, animals[0].project),
        kind=code,
        animals=[(animal.id, animal.code) for animal in animals],
        implants=[(one.id, one.label) for one in tumours if one is not None] if any(tumours) else None,
        values=[float(one.value or 0) for one in judged],
        slots=[one.slot for one in readings],
        taken_on=[one.taken_on.isoformat() for one in readings],
        taken_at=[one.taken_at for one in readings if one.taken_at] or None,
        lengths=_as_stored(one.of.length for one in readings) if caliper else None,
        widths=_as_stored(one.of.width for one in readings) if caliper else None,
        heights=_as_stored(one.of.height for one in readings) if caliper else None,
        formula=[one.formula for one in readings] if code == "caliper_volume" else None,
        occurrences=[one.occurrence for one in judged],
        operators=_known_names(one.operator for one in readings),
        devices=_known_names(one.device for one in readings),
    )


def _as_stored(column: Iterable[float | None]) -> list[float | None]:
    """Give numbers as the table holds them, whole ones too: the trail says what the table says."""
    return [None if one is None else float(one) for one in column]


def _known_names(column: Iterable[str | None]) -> list[str | None] | None:
    names = list(column)
    return names if any(names) else None


# One reading that is recorded


_VALUE = ("value", "length_mm", "width_mm", "height_mm", "formula", "taken_on")


def _check_readings(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Compute the value anew, hold it and its day against the same rules, and keep an imported value as its file says it."""
    keep_signed(session, drafts)
    kinds = kinds_of(session, project_id, withdrawn=True)
    for draft in drafts:
        values = draft.values
        _check_quality(draft)
        if draft.changes(*_VALUE):
            _require_typed(draft)
            kind, of = kinds[values["kind"]], _diameters(values)
            values["value"] = value_of(kind, values["value"], of, _formula(values))
            refuse_value(kind, values["value"], draft.record.animal.code)
        if draft.changes("taken_on") or draft.record.status.value == "withdrawn":
            _check_slot(session, draft, kinds[values["kind"]])
        elif draft.record.quality is Quality.EXCLUDED and values["quality"] is not Quality.EXCLUDED:
            # A file that has several readings of a moment says so as it is recorded: they may count side by side.
            own = draft.record.batch_id
            others = [one for one in _beside(session, draft) if own is None or one.batch_id != own]
            next_occurrence(kinds[values["kind"]], draft.record.animal.code, others)


def _diameters(values: Mapping[str, Any]) -> Diameters:
    return Diameters(values["length_mm"], values["width_mm"], values["height_mm"])


def _formula(values: Mapping[str, Any]) -> VolumeFormula | None:
    """Give what a value is computed by: nothing where no diameter stands with it, or its file states it."""
    if values["length_mm"] is None:
        return None
    return values["formula"] or VolumeFormula.HALF_L_W2


def _check_quality(draft: Draft) -> None:
    values = draft.values
    if values["quality"] is Quality.OK:
        values["quality_reason"] = None
    elif values["quality_reason"] is None:
        raise DomainError(
            f"Why is this reading {values['quality'].value}?",
            field="quality_reason",
            expected="a reason, such as moved during imaging",
            source="ARRIVE 2.0, item 3b",
        )


def _require_typed(draft: Draft) -> None:
    if draft.record.batch_id is not None:
        raise DomainError(
            "An imported reading keeps the value of its file.",
            field="value",
            expected="another quality, with its reason",
            remedy="Exclude it and type the right value beside it, or import the corrected file.",
            source=NEVER_CHANGED,
        )


def _check_slot(session: Session, draft: Draft, kind: MeasurementKind) -> None:
    """A reading that moves to another day, or comes back, finds its place among those of that moment."""
    values, was = draft.values, draft.record
    if was.taken_at is not None and draft.changes("taken_on"):
        raise DomainError(
            "It has a time of day, which does not move with the date.",
            field="taken_on",
            expected=f"{was.taken_on}",
            remedy="Withdraw this reading and type it anew.",
            source=CONSISTENT,
        )
    implants = measured_implants(session, was.project_id, [was.implant_id] if was.implant_id else [])
    implant = implants.get(was.implant_id or 0)
    life = Life(was.animal.code, was.animal.birth_date, was.animal.arrived_on, was.animal.died_on)
    if values["taken_on"] is not None:
        subject = Subject(was.animal.code, life, implant.implanted_on if implant else None)
        refuse_day(kind, values["taken_on"], subject, today(session))
    if draft.changes("taken_on"):
        values["slot"] = date_slot(values["taken_on"])
    values["occurrence"] = next_occurrence(kind, was.animal.code, _beside(session, draft))


def _beside(session: Session, draft: Draft) -> list[SameSlot]:
    """Give the other readings of its moment."""
    was, slot = draft.record, draft.values["slot"]
    key: Key = (was.animal_id, was.implant_id or 0, was.kind)
    _, same = readings_around(session, [was.animal_id], [was.kind], was.taken_on or date.min, {slot})
    there = same.get((key, slot), [])
    return [one for one in there if one.id != was.id]


def _doubt_readings(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    kinds = kinds_of(session, project_id, withdrawn=True)
    notices: list[Notice] = []
    for draft in drafts:
        values = draft.values
        if not draft.changes(*_VALUE) or values["taken_on"] is None:
            continue
        kind, of, animal = kinds[values["kind"]], _diameters(values), draft.record.animal
        value = value_of(kind, values["value"], of, _formula(values))
        key: Key = (draft.record.animal_id, draft.record.implant_id or 0, kind.code)
        before, _ = readings_around(session, [key[0]], [kind.code], values["taken_on"], {draft.record.slot})
        subject = Subject(animal.code, Life(animal.code), before=before.get(key))
        notices.extend(doubts_of(kind, value, values["taken_on"], subject, of, values["operator"]))
    return notices


def _judge_endpoints(session: Session, changed: Sequence[Measurement]) -> None:
    """Let the humane endpoints judge the days that a change touches: the one it has now, and the one it had."""
    declared = current(session)
    days = [(one.animal_id, one.kind, one.taken_on) for one in changed]
    for record, fields in declared.flushed:
        if isinstance(record, Measurement) and "taken_on" in fields:
            days.append((record.animal_id, record.kind, fields["taken_on"][0]))
    judge_new(session, declared.actor, changed[0].project_id, {animal for animal, *_ in days}, lambda: days)


def _keep_imported(session: Session, reading: Measurement) -> None:
    stay_signed(session, reading)
    if reading.batch_id is not None:
        raise Conflict(
            f"This reading came with import {reading.batch_id}, whose books must balance: it is not withdrawn alone.",
            remedy="Exclude it with a reason, or withdraw the whole import on its page.",
        )


MEASUREMENT: Noun[Measurement] = Noun(
    "measurement",
    Measurement,
    check=_check_readings,
    doubt=_doubt_readings,
    follow=_judge_endpoints,
    stay=_keep_imported,
    fixed=frozenset(
        {
            *("animal_id", "implant_id", "kind", "taken_at", "relative_day", "study_id"),
            *("batch_id", "source_sheet", "source_row", "source_column", "raw"),
        }
    ),
    derived=frozenset({"slot", "occurrence"}),
    key=(),
)
