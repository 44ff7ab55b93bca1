"""What the audit pages show: a project's events, the changes of one, the names of records, reviews and checks.

An event belongs to a project if it says so, or if it belongs to none and changed one of the project's records (making
the project itself does). Sign-ins and what happens in other projects are not part of a project's trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from lims.audit.canon import changed, makes
from lims.audit.entities import entities
from lims.audit.export import Filters, event_conditions
from lims.audit.history import sentences
from lims.audit.problems import Problem
from lims.audit.words import entity_word, field_word
from lims.domain.errors import NotFound
from lims.domain.vocabulary import MeasurementKind
from lims.models import (
    Aliquot,
    AliquotEvent,
    Allocation,
    Alteration,
    Animal,
    AnimalAlias,
    AuditChange,
    AuditCheckpoint,
    AuditEvent,
    Base,
    CageMove,
    Consent,
    Dose,
    EndpointAction,
    Enrolment,
    Exposure,
    Fate,
    Implant,
    LabKind,
    Measurement,
    Membership,
    ModelCheck,
    Patient,
    PdxModel,
    Procedure,
    Randomisation,
    ReceptorAssay,
    Specimen,
    StainRegion,
    StrProfile,
    Study,
    TherapyLine,
    User,
)
from lims.queries.scope import LARGEST_ID

CHANGES_A_PAGE = 200
COUNTED_BY_KIND = 500
"""Changes of one event up to which a list says how many there are of each kind of record; beyond, how many in all."""

Reference = tuple[str, int]
"""A record: its table and its id."""


@dataclass(frozen=True, slots=True)
class RecordLabel:
    """How a record is named, and of which kind a measurement is."""

    text: str
    kind: str | MeasurementKind | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """What an event changed, for one line of a list: how many records of which kinds, and the one if there is one.

    Where they are very many, `total` counts changes and `by_kind` is empty.
    """

    total: int
    by_kind: dict[str, int]
    only: Reference | None = None


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What an event did to one record, in sentences."""

    entity: str
    key: int
    label: str
    created: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of an event's changes, in the order in which they were made."""

    records: list[RecordChange]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that says something of the trail itself: a review or a check."""

    seq: int
    at: str
    person: str
    detail: dict[str, Any]


def _of_project(project_id: int) -> ColumnElement[bool]:
    touched = select(AuditChange.position).where(AuditChange.event_seq == AuditEvent.seq, AuditChange.project_id == project_id)
    lone = and_(AuditEvent.project_id.is_(None), AuditEvent.changes > 0, touched.exists())
    return or_(AuditEvent.project_id == project_id, lone)


def _visible(project_id: int) -> ColumnElement[bool]:
    """Tell which changes of the project's events are its own: those of its records, and of what belongs to no project."""
    shared = and_(AuditChange.project_id.is_(None), AuditEvent.project_id == project_id)
    return or_(AuditChange.project_id == project_id, shared)


def events_of(project_id: int, filters: Filters) -> Select[Any]:
    """Select the project's events that fit the filters; whoever lists them orders and pages."""
    # Numbers first: SQLite would otherwise carry whole events through its sort.
    numbers = select(AuditEvent.seq).where(_of_project(project_id)).correlate(None)
    wanted = select(AuditEvent).where(AuditEvent.seq.in_(numbers), *event_conditions(filters))
    if filters.entity is None and filters.key is None:
        return wanted
    changes = select(AuditChange.event_seq).where(AuditChange.project_id == project_id)
    if filters.entity is not None:
        changes = changes.where(AuditChange.entity == filters.entity)
    if filters.key is not None:
        # Few events touched one record: begin with them. Of a kind of record there may be a million: ask event by event.
        return wanted.where(AuditEvent.seq.in_(changes.where(AuditChange.key == filters.key)))
    return wanted.where(changes.where(AuditChange.event_seq == AuditEvent.seq).exists())


def count_events(session: Session, project_id: int, *, after: int = 0) -> int:
    """Count the project's events, those after event `after` where it is given."""
    return session.scalar(select(func.count()).where(_of_project(project_id), AuditEvent.seq > after)) or 0


def newest_event(session: Session, project_id: int) -> int:
    """Give the number of the project's newest event, 0 where there is none."""
    newest = select(AuditEvent.seq).where(_of_project(project_id)).order_by(AuditEvent.seq.desc()).limit(1)
    return session.scalar(newest) or 0


_event = AuditEvent.__table__.c
_TELLING = or_(_event.changes > 0, _event.project_id == bindparam("project"))
_LAST_CHANGE = select(_event.hash).where(_TELLING).order_by(_event.seq.desc()).limit(1)


def last_change(session: Session, project_id: int) -> str:
    """Give the hash of the last event that changed a record or is of this project, which names all that was recorded until then.

    Whoever signs in, or exports what is another project's, changes nothing that a page of this project shows.
    """
    return session.connection().scalar(_LAST_CHANGE, {"project": project_id}) or ""


def find_event(session: Session, project_id: int, seq: int) -> AuditEvent:
    """Give one event of the project.

    Raises:
        NotFound: there is none with this number, or it is no part of the project's trail.
    """
    found = None
    if 0 < seq <= LARGEST_ID:
        found = session.scalar(select(AuditEvent).where(AuditEvent.seq == seq, _of_project(project_id)))
    if found is None:
        raise NotFound(f"There is no event {seq} in this project's audit trail.")
    return found


def touched_by(session: Session, project_id: int, seqs: Sequence[int]) -> dict[int, Touched]:
    """Say what each of some events changed in the project: two statements, however many records that is."""
    events = session.execute(select(AuditEvent.seq, AuditEvent.changes).where(AuditEvent.seq.in_(seqs))).all()
    large = {seq: Touched(changes, {}) for seq, changes in events if changes > COUNTED_BY_KIND}
    rows = session.execute(
        select(AuditChange.event_seq, AuditChange.entity, func.count(AuditChange.key.distinct()), func.min(AuditChange.key))
        .join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
        .where(AuditChange.event_seq.in_([seq for seq, changes in events if changes <= COUNTED_BY_KIND]), _visible(project_id))
        .group_by(AuditChange.event_seq, AuditChange.entity)
        .order_by(AuditChange.event_seq, AuditChange.entity)
    )
    small: dict[int, Touched] = {}
    for seq, kinds in groupby(rows, key=attrgetter("event_seq")):
        counted = list(kinds)
        # A stored file goes by the import it came with.
        counted = [row for row in counted if row.entity != "stored_file"] or counted
        by_kind = {entity: number for _, entity, number, _ in counted}
        only = (counted[0][1], counted[0][3]) if sum(by_kind.values()) == 1 else None
        small[seq] = Touched(sum(by_kind.values()), by_kind, only)
    return large | small


def changes_of(session: Session, project_id: int, event: AuditEvent, page: int = 1) -> ChangePage:
    """Give one page of what an event changed in the project, as sentences."""
    of_event = select(AuditChange).join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
    of_event = of_event.where(AuditChange.event_seq == event.seq, _visible(project_id))
    total = session.scalar(select(func.count()).select_from(of_event.subquery())) or 0
    pages = max(ceil(total / CHANGES_A_PAGE), 1)
    page = min(max(page, 1), pages)
    ordered = of_event.order_by(AuditChange.position).limit(CHANGES_A_PAGE).offset((page - 1) * CHANGES_A_PAGE)
    changes = session.scalars(ordered).all()
    labels = labels_of(session, [(change.entity, change.key) for change in changes])
    return ChangePage([_told(change, labels) for change in changes], total, page, pages)


def _told(change: AuditChange, labels: dict[Reference, RecordLabel]) -> RecordChange:
    label = labels[change.entity, change.key]
    said = sentences(change.entity, changed(change.fields), label.kind)
    return RecordChange(change.entity, change.key, label.text, makes(change.fields), said)


def labels_of(session: Session, references: Iterable[Reference]) -> dict[Reference, RecordLabel]:
    """Name records as people do: one statement for each kind of record; what is gone from its table goes by its number."""
    keys: dict[str, set[int]] = {}
    for entity, key in references:
        keys.setdefault(entity, set()).add(key)
    labels: dict[Reference, RecordLabel] = {}
    for entity, wanted in keys.items():
        named = _measurement_labels(session, wanted) if entity == "measurement" else _plain_labels(session, entity, wanted)
        for key in wanted:
            labels[entity, key] = named.get(key) or RecordLabel(f"{entity_word(entity)} #{key}")
    return labels


def _measurement_labels(session: Session, keys: Iterable[int]) -> dict[int, RecordLabel]:
    own = and_(LabKind.project_id == Measurement.project_id, LabKind.code == Measurement.kind)
    columns = (Measurement.id, Measurement.kind, Measurement.taken_on, Measurement.relative_day, Animal.code, LabKind)
    wanted = select(*columns).join(Animal, Animal.id == Measurement.animal_id).outerjoin(LabKind, own)
    labels = {}
    for key, code, taken_on, day, animal, lab_kind in session.execute(wanted.where(Measurement.id.in_(keys))):
        kind = code if lab_kind is None else lab_kind.as_kind
        when = f", {taken_on}" if taken_on else f", day {day:g}" if day is not None else ""
        labels[key] = RecordLabel(f"{field_word('measurement', 'value', kind)} of {animal}{when}", kind)
    return labels


_BESIDE: dict[str, tuple[Any, Any]] = {
    "aliquot_event": (AliquotEvent.aliquot_id, Aliquot),
    "allocation": (Allocation.animal_id, Animal),
    "alteration": (Alteration.specimen_id, Specimen),
    "animal_alias": (AnimalAlias.animal_id, Animal),
    "cage_move": (CageMove.animal_id, Animal),
    "consent": (Consent.patient_id, Patient),
    "dose": (Dose.animal_id, Animal),
    "endpoint_action": (EndpointAction.animal_id, Animal),
    "enrolment": (Enrolment.animal_id, Animal),
    "exposure": (Exposure.animal_id, Animal),
    "fate": (Fate.animal_id, Animal),
    "implant": (Implant.animal_id, Animal),
    "membership": (Membership.user_id, User),
    "model_check": (ModelCheck.model_id, PdxModel),
    "procedure": (Procedure.animal_id, Animal),
    "randomisation": (Randomisation.study_id, Study),
    "receptor_assay": (ReceptorAssay.specimen_id, Specimen),
    "stain_region": (StainRegion.specimen_id, Specimen),
    "str_profile": (StrProfile.specimen_id, Specimen),
    "therapy_line": (TherapyLine.patient_id, Patient),
}
"""Records that are named by the one they belong to."""
_NUMBERED = frozenset({"allocation", "enrolment", "membership"})
"""Those that have nothing but a number of their own beside it."""


def _plain_labels(session: Session, entity: str, keys: Iterable[int]) -> dict[int, RecordLabel]:
    if entity not in entities():
        return {}
    model: Any = next(mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__tablename__ == entity)
    reference, owner = _BESIDE.get(entity, (None, None))
    wanted = select(model) if owner is None else select(model, owner).join(owner, owner.id == reference)
    labels = {}
    for record, *beside in session.execute(wanted.where(model.id.in_(keys))):
        labels[record.id] = RecordLabel(_label(entity, record, beside[0] if beside else None))
    return labels


def _label(entity: str, record: Base, owner: Base | None) -> str:
    if entity == "import_batch":
        return record.audit_label
    own = "" if entity in _NUMBERED else record.audit_label
    of = f" of {owner.audit_label}" if owner is not None else ""
    return _without_echo(entity_word(entity), own) + of


def _without_echo(word: str, own: str) -> str:
    """Put a record's own name behind its word; what both of them say stands once: `therapy line`, `line 2`."""
    words, said = word.split(), own.split()
    shared = next((number for number in range(len(said), 0, -1) if words[-number:] == said[:number]), 0)
    return " ".join([*words, *said[shared:]])


def require_record(session: Session, project_id: int, entity: str, key: int) -> RecordLabel:
    """Give the name of a record that the project's trail speaks of.

    Raises:
        NotFound: the trail knows no such record in this project; another project's record is not found either.
    """
    known = None
    if entity in entities() and 0 < key <= LARGEST_ID:
        of_record = select(AuditChange.position).where(AuditChange.entity == entity, AuditChange.key == key)
        known = session.scalar(of_record.where(AuditChange.project_id == project_id).limit(1))
    if known is None:
        raise NotFound(f"There is no {entity_word(entity)} {key} in this project.")
    return labels_of(session, [(entity, key)])[entity, key]


def count_changes_of(session: Session, entity: str, key: int) -> int:
    """Count the changes of one record."""
    return session.scalar(select(func.count()).where(AuditChange.entity == entity, AuditChange.key == key)) or 0


def people_of(session: Session, project_id: int) -> list[tuple[int, str]]:
    """List who is or was a member of the project."""
    rows = session.execute(
        select(User.id, User.name).join(Membership, Membership.user_id == User.id).where(Membership.project_id == project_id)
    )
    return sorted(((key, name) for key, name in rows), key=lambda person: person[1].casefold())


def last_noted(session: Session, project_id: int, action: str, person_id: int | None = None) -> Noted | None:
    """Give the newest event of the project with this action, by this person where one is named."""
    wanted = select(AuditEvent).where(AuditEvent.project_id == project_id, AuditEvent.action == action)
    if person_id is not None:
        wanted = wanted.where(AuditEvent.actor_id == person_id)
    found = session.scalar(wanted.order_by(AuditEvent.seq.desc()).limit(1))
    return Noted(found.seq, found.at, found.actor, orjson.loads(found.detail)) if found else None


def reviewed_up_to(session: Session, project_id: int, review: Noted | None) -> int:
    """Give the event up to which a review leaves nothing open: its own, where nothing else came before it was recorded."""
    if review is None:
        return 0
    up_to = int(review.detail["up_to"])
    between = select(AuditEvent.seq).where(_of_project(project_id), AuditEvent.seq > up_to, AuditEvent.seq < review.seq)
    return review.seq if session.scalar(between.limit(1)) is None else up_to


def newest_checkpoint(session: Session) -> AuditCheckpoint | None:
    """Give the newest checkpoint of the installation's trail."""
    return session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.id.desc()).limit(1))


def trail_is_longer_than(session: Session, changes: int) -> bool:
    """Tell whether the installation's trail holds more changes than this, without counting them all."""
    some = select(AuditChange.position).limit(changes + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > changes


def problems_of(session: Session, project_id: int, problems: Sequence[Problem]) -> list[Problem]:
    """Give the problems that this project's people may read about: its own, and those of the trail as a whole.

    A check goes through all projects at once; what it quotes of another one's records stays there.
    """
    events = _projects_of_events(session, {one.event for one in problems if one.event is not None})
    records = _projects_of_records(session, {(one.entity, one.key) for one in problems if one.entity and one.key})
    own = []
    for problem in problems:
        project = events.get(problem.event or 0)
        if problem.entity and problem.key:
            shown = records.get((problem.entity, problem.key), {project}) - {None} == {project_id}
        else:
            shown = project in (project_id, None)
        if shown:
            own.append(problem)
    return own


def _projects_of_events(session: Session, seqs: Iterable[int]) -> dict[int, int | None]:
    rows = session.execute(select(AuditEvent.seq, AuditEvent.project_id).where(AuditEvent.seq.in_(seqs)))
    return {seq: project for seq, project in rows}  # noqa: C416  # rows are no pairs to the type checker


def _projects_of_records(session: Session, references: Iterable[Reference]) -> dict[Reference, set[int | None]]:
    """Give the projects that the trail and the live table name for each record; a table edited by hand may name another."""
    found: dict[Reference, set[int | None]] = {}
    for entity, group in groupby(sorted(references), key=lambda reference: reference[0]):
        keys = [key for _, key in group]
        logged = select(AuditChange.key, AuditChange.project_id).where(AuditChange.entity == entity, AuditChange.key.in_(keys))
        rows = session.execute(logged.distinct()).all()
        table = Base.metadata.tables.get(entity)
        if table is not None and "project_id" in table.c:
            rows = [*rows, *session.execute(select(table.c.id, table.c.project_id).where(table.c.id.in_(keys)))]
        for key, project in rows:
            found.setdefault((entity, key), set()).add(project)
    return found
