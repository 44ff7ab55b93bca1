"""Read models of measurements: the list with source and recorder, and one reading with its provenance.

The list is read backwards along (project_id, id), so its first page costs the same with a thousand readings and with
a million; who recorded a reading is looked up for the rows of the page alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import Session

from lims.domain.errors import NotFound
from lims.domain.readings import Before
from lims.domain.vocabulary import Quality, RecordStatus
from lims.models import (
    Animal,
    AuditChange,
    AuditEvent,
    Enrolment,
    Implant,
    ImportBatch,
    Measurement,
    Project,
    StoredFile,
    Study,
    User,
)
from lims.queries.chunks import KEYS, in_chunks, rows_of
from lims.queries.scope import LARGEST_ID
from lims.queries.series import AnySelect, active, counted

Key = tuple[int, int, str]
"""What a reading is of: animal, implant (0: the animal itself), kind."""


def recorded_by() -> ColumnElement[str]:
    """Give who recorded a reading: whoever committed its batch, or else the actor of its first audited change."""
    first = (
        select(AuditEvent.actor)
        .join(AuditChange, AuditChange.event_seq == AuditEvent.seq)
        .where(AuditChange.entity == literal_column("'measurement'"), AuditChange.key == Measurement.id)
        .order_by(AuditChange.event_seq)
        .limit(1)
        .correlate(Measurement)
        .scalar_subquery()
    )
    return func.coalesce(User.name, first)


@lru_cache(maxsize=64)
def measurement_list(project_id: int) -> AnySelect:
    """Select the project's active readings; `in_study` narrows them to a study."""
    return every_measurement().where(Measurement.project_id == project_id)


@cache
def measurements_of_animal() -> AnySelect:
    """Select the active readings of `animal_id`, along the slot index: with the project named too, SQLite reads all of that."""
    return every_measurement().where(Measurement.animal_id == bindparam("animal_id"))


@cache
def every_measurement() -> AnySelect:
    """Select all active readings with their animals, tumours and sources. Outer joins: a count leaves them out."""
    return (
        select(
            Measurement.id.label("id"),
            Measurement.taken_on.label("taken_on"),
            Measurement.taken_at.label("taken_at"),
            Measurement.relative_day.label("relative_day"),
            Measurement.animal_id.label("animal_id"),
            Animal.code.label("animal"),
            Implant.label.label("tumour"),
            Measurement.kind.label("kind"),
            Measurement.value.label("value"),
            Measurement.quality.label("quality"),
            Measurement.quality_reason.label("quality_reason"),
            Measurement.batch_id.label("batch_id"),
            Measurement.source_sheet.label("sheet"),
            Measurement.source_row.label("row"),
            Measurement.source_column.label("column"),
            Measurement.raw.label("raw"),
            recorded_by().label("recorded_by"),
        )
        .outerjoin(Animal, Animal.id == Measurement.animal_id)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
        .outerjoin(ImportBatch, ImportBatch.id == Measurement.batch_id)
        .outerjoin(User, User.id == ImportBatch.committed_by_id)
        .where(active())
    )


def in_study(study_id: int) -> ColumnElement[bool]:
    """Give the condition that a reading is of an animal of the study, and not taken for another one."""
    animals = select(Enrolment.animal_id).where(Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE)
    return and_(Measurement.animal_id.in_(animals), func.coalesce(Measurement.study_id, study_id) == study_id)


def find_measurement(session: Session, project_id: int, measurement_id: int) -> Any:
    """Give one reading with its animal, tumour, study, batch and file; a withdrawn one too.

    Raises:
        NotFound: there is none with this id in the project.
    """
    wanted = {"project_id": project_id, "measurement_id": measurement_id}
    found = session.execute(_one_reading(), wanted).first() if 0 < measurement_id <= LARGEST_ID else None
    if found is None:
        raise NotFound(f"There is no measurement {measurement_id} in this project.")
    return found


@cache
def _one_reading() -> AnySelect:
    return (
        select(
            Measurement,
            Animal.code.label("animal"),
            Implant.label.label("tumour"),
            Study.code.label("study"),
            ImportBatch.file_name,
            ImportBatch.importer,
            ImportBatch.committed_at,
            StoredFile.sha256,
            recorded_by().label("recorded_by"),
        )
        .join(Animal, Animal.id == Measurement.animal_id)
        .outerjoin(Implant, Implant.id == Measurement.implant_id)
        .outerjoin(Study, Study.id == Measurement.study_id)
        .outerjoin(ImportBatch, ImportBatch.id == Measurement.batch_id)
        .outerjoin(StoredFile, StoredFile.id == ImportBatch.file_id)
        .outerjoin(User, User.id == ImportBatch.committed_by_id)
        .where(Measurement.project_id == bindparam("project_id"), Measurement.id == bindparam("measurement_id"))
    )


@dataclass(frozen=True, slots=True)
class SameSlot:
    """An active reading of a moment."""

    id: int
    value: float
    occurrence: int
    quality: Quality
    batch_id: int | None


_SUBJECT = Measurement.animal_id, func.coalesce(Measurement.implant_id, literal_column("0")).label("implant_id"), Measurement.kind
_OF_KINDS = Measurement.animal_id.in_(KEYS), Measurement.kind.in_(bindparam("kinds", expanding=True))


def _around() -> AnySelect:
    here = Measurement.slot.in_(bindparam("slots", expanding=True))
    latest = func.row_number().over(
        partition_by=(*_SUBJECT, here),
        order_by=(Measurement.slot.desc(), Measurement.occurrence.desc(), Measurement.id.desc()),
    )
    columns = Measurement.value, Measurement.taken_on, Measurement.operator, Measurement.slot
    more = Measurement.id, Measurement.occurrence, Measurement.quality, Measurement.batch_id
    before = and_(Measurement.taken_on <= bindparam("on"), *counted())
    rows = (
        select(*_SUBJECT, *columns, *more, here.label("here"), latest.label("place"))
        .where(active(), *_OF_KINDS, or_(here, before))
        .subquery()
    )
    return select(*rows.c).where(or_(rows.c.here, rows.c.place == 1)).order_by(rows.c.id)


_AROUND = _around()
_LIVES = (
    select(Animal.id, Animal.code, Animal.birth_date, Animal.arrived_on, Animal.died_on, Animal.state)
    .add_columns(Project.code.label("project"))
    .join(Project, Project.id == Animal.project_id)
    .where(Animal.id.in_(KEYS), Animal.project_id == bindparam("project"), Animal.status == RecordStatus.ACTIVE)
)
_IMPLANTS = select(Implant.id, Implant.animal_id, Implant.label, Implant.implanted_on).where(
    Implant.id.in_(KEYS), Implant.project_id == bindparam("project"), Implant.status == RecordStatus.ACTIVE
)
_ENROLLED = select(Enrolment.study_id, Enrolment.animal_id, Enrolment.enrolled_on).where(
    Enrolment.animal_id.in_(KEYS),
    Enrolment.study_id.in_(bindparam("studies", expanding=True)),
    Enrolment.status == RecordStatus.ACTIVE,
    Enrolment.enrolled_on.is_not(None),
)


def readings_around(
    session: Session, animals: Sequence[int], kinds: Sequence[str], on: date, slots: Collection[str]
) -> tuple[dict[Key, Before], dict[tuple[Key, str], list[SameSlot]]]:
    """Give each subject's last counted reading up to a day at other moments than these, and the active ones of these moments.

    The latter by what they are of and their moment; one statement.
    """
    before: dict[Key, Before] = {}
    same: dict[tuple[Key, str], list[SameSlot]] = defaultdict(list)
    for row in rows_of(session, _AROUND, animals, kinds=kinds, on=on, slots=sorted(slots)):
        key = row.animal_id, row.implant_id, row.kind
        if row.here:
            same[key, row.slot].append(SameSlot(row.id, row.value, row.occurrence, row.quality, row.batch_id))
        else:
            before[key] = Before(row.value, row.taken_on, row.operator)
    return before, same


def last_before(session: Session, animals: Sequence[int], kinds: Sequence[str], on: date) -> dict[Key, Before]:
    """Give each subject's last counted reading up to a day."""
    return readings_around(session, animals, kinds, on, ())[0]


def measured_animals(session: Session, project_id: int, ids: Sequence[int]) -> dict[int, Animal]:
    """Give active animals of the project by id."""
    scope = Animal.project_id == project_id, Animal.status == RecordStatus.ACTIVE
    return {one.id: one for (one,) in in_chunks(session, ids, lambda some: select(Animal).where(Animal.id.in_(some), *scope))}


def measured_lives(session: Session, project_id: int, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Give id, code, dates of birth, arrival and death, state of active animals of the project, and the project's code, by id."""
    return {one.id: one for one in rows_of(session, _LIVES, ids, project=project_id)}


def measured_implants(session: Session, project_id: int, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Give id, animal, label and day of active implants of the project, by id."""
    return {one.id: one for one in rows_of(session, _IMPLANTS, ids, project=project_id)}


def study_days(session: Session, studies: Sequence[int], animals: Sequence[int]) -> dict[tuple[int, int], date]:
    """Give the days of enrolment that are recorded, by study and animal."""
    if not studies:
        return {}
    rows = rows_of(session, _ENROLLED, animals, studies=studies)
    return {(study, animal): on for study, animal, on in rows}
