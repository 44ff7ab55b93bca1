"""Read models of welfare: what humane endpoints ask of people, what became of animals, and the endpoints of a protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import ActionState, EndpointLevel, EndpointMeasure, WeightBaseline
from lims.domain.vocabulary import RecordStatus
from lims.models import (
    Animal,
    AnimalProtocol,
    AuditChange,
    AuditEvent,
    Cage,
    EndpointAction,
    EndpointRule,
    Enrolment,
    Fate,
    ImportBatch,
    Measurement,
)
from lims.queries.chunks import in_chunks, read
from lims.queries.series import AnySelect


@dataclass(frozen=True, slots=True)
class ActionLine:
    """What an endpoint asks about an animal, in one line. finding: the sentence with value, baseline and limit."""

    id: int
    animal_id: int
    animal: str
    cage: str | None
    measure: EndpointMeasure
    level: EndpointLevel
    state: ActionState
    finding: str
    reached_on: date
    deferred_until: date | None
    answer: str | None
    note: str | None

    def due(self, on: date) -> bool:
        """Tell whether it waits for somebody on a day: one that is deferred does from its day on."""
        return self.state is ActionState.OPEN or (self.deferred_until is not None and self.deferred_until <= on)


def unanswered() -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that an action counts and nobody has answered it for good."""
    return EndpointAction.status == RecordStatus.ACTIVE, EndpointAction.state != ActionState.CLOSED


def _lines() -> AnySelect:
    return (
        select(
            EndpointAction.id,
            EndpointAction.animal_id,
            Animal.code,
            Cage.code,
            EndpointRule.measure,
            EndpointAction.level,
            EndpointAction.state,
            EndpointAction.finding,
            EndpointAction.reached_on,
            EndpointAction.deferred_until,
            EndpointAction.answer,
            EndpointAction.note,
        )
        .join(Animal, Animal.id == EndpointAction.animal_id)
        .join(EndpointRule, EndpointRule.id == EndpointAction.rule_id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .order_by(
            EndpointAction.state != ActionState.OPEN,
            EndpointAction.level != EndpointLevel.ACT,
            case((EndpointAction.state == ActionState.DEFERRED, EndpointAction.deferred_until), else_=EndpointAction.reached_on),
            EndpointAction.id,
        )
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody in a project or a study: the most urgent, how many, and how many were deferred to a later day.

    acts: so many of those that wait are to act on.
    """

    first: list[ActionLine]
    count: int
    acts: int
    deferred: int


def waiting_actions(session: Session, project_id: int, on: date, most: int, *, study_id: int | None = None) -> Waiting:
    """Give the `most` urgent actions that wait on a day, of a project or of a study, open acts first, and count all of them."""
    of, key = ("project_id", project_id) if study_id is None else ("study_id", study_id)
    asked = {of: key, "on": on}
    count, acts, deferred = read(session, _waiting_counted(of), **asked).one()
    first = read(session, _waiting(of), **asked, most=most) if count and most else ()
    return Waiting([ActionLine(*row) for row in first], count, acts, deferred)


def _due() -> ColumnElement[bool]:
    """Give the condition of `ActionLine.due` on day `on`."""
    return or_(EndpointAction.state == ActionState.OPEN, EndpointAction.deferred_until <= bindparam("on"))


@cache
def _waiting(of: str) -> AnySelect:
    return _open(of).where(_due()).limit(bindparam("most", type_=BigInteger()))


@cache
def _waiting_counted(of: str) -> AnySelect:
    due, act = _due(), EndpointAction.level == EndpointLevel.ACT
    counts = [func.count(case((one, 1))) for one in (due, and_(due, act), ~due)]
    return _open(of).with_only_columns(*counts, maintain_column_froms=False).select_from(EndpointAction).order_by(None)


def open_actions(
    session: Session, project_id: int, *, animal_id: int | None = None, study_id: int | None = None
) -> list[ActionLine]:
    """List what nobody has answered for good, of a project, an animal or a study: open acts first, then watches, then deferred."""
    of = {"animal_id": animal_id, "study_id": study_id}
    asked = {name: key for name, key in of.items() if key is not None}
    return [ActionLine(*row) for row in read(session, _open(*asked), **(asked or {"project_id": project_id}))]


@cache
def _open(*of: str) -> AnySelect:
    """Select what is open in a project, or of the animal or study that `of` names; put together once, since many pages ask.

    Beside an animal or a study the project is not named: SQLite would read all of its actions. Those that are not answered are
    named, so that of a project's the answered ones are not read.
    """
    wanted = _lines().where(*unanswered(), EndpointAction.state.in_((ActionState.OPEN, ActionState.DEFERRED)))
    if "animal_id" in of:
        return wanted.where(EndpointAction.animal_id == bindparam("animal_id"))
    if "study_id" in of:
        wanted = wanted.join(Enrolment, Enrolment.animal_id == EndpointAction.animal_id)
        return wanted.where(Enrolment.study_id == bindparam("study_id"), Enrolment.status == RecordStatus.ACTIVE)
    return wanted.where(EndpointAction.project_id == bindparam("project_id"))


def actions_of_readings(session: Session, measurement_ids: Sequence[int]) -> list[ActionLine]:
    """List the unanswered actions that readings opened, raised or opened again."""
    asked = _lines().where(*unanswered())
    rows = in_chunks(session, measurement_ids, lambda some: asked.where(EndpointAction.measurement_id.in_(some)))
    return [ActionLine(*row) for row in rows]


def actions_of_batch(session: Session, batch: ImportBatch) -> list[ActionLine]:
    """List the unanswered actions that the commit of a batch opened, moved, raised or opened again, as the trail tells it."""
    table, open_now = str(EndpointAction.__tablename__), select(EndpointAction.id).where(*unanswered())
    told = session.execute(
        select(AuditChange.key, AuditChange.fields)
        .join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
        .where(AuditChange.entity == table, AuditChange.key.in_(open_now.where(EndpointAction.project_id == batch.project_id)))
        .where(AuditEvent.action == "batch:commit", AuditEvent.origin == batch.audit_label)
    )
    asked = sorted({key for key, fields in told if "finding" in json.loads(fields)})
    rows = in_chunks(session, asked, lambda some: _lines().where(EndpointAction.id.in_(some)))
    return [ActionLine(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Asked:
    """An unanswered action with the reading that asks for it: the batch, sheet and row it came from, if a file brought it."""

    line: ActionLine
    measurement_id: int | None
    batch_id: int | None
    sheet: str | None
    row: int | None


def asked_of_project(session: Session, project_id: int) -> list[Asked]:
    """List what nobody has answered for good, each with the reading that asks for it."""
    asked = _lines().outerjoin(Measurement, Measurement.id == EndpointAction.measurement_id)
    asked = asked.add_columns(Measurement.id, Measurement.batch_id, Measurement.source_sheet, Measurement.source_row)
    rows = session.execute(asked.where(EndpointAction.project_id == project_id, *unanswered()))
    return [Asked(ActionLine(*row[:-4]), *row[-4:]) for row in rows]


def action_list(project_id: int) -> AnySelect:
    """Select the project's actions, answered ones too, with their animals, cages and protocols."""
    return (
        select(
            Animal.code.label("animal"),
            Cage.code.label("cage"),
            AnimalProtocol.code.label("protocol"),
            EndpointRule.measure.label("measure"),
            EndpointAction.level.label("level"),
            EndpointAction.state.label("state"),
            EndpointAction.finding.label("finding"),
            EndpointAction.reached_on.label("reached_on"),
            EndpointAction.deferred_until.label("deferred_until"),
            EndpointAction.answer.label("answer"),
            EndpointAction.answered_on.label("answered_on"),
        )
        .select_from(EndpointAction)
        .join(Animal, Animal.id == EndpointAction.animal_id)
        .join(EndpointRule, EndpointRule.id == EndpointAction.rule_id)
        .join(AnimalProtocol, AnimalProtocol.id == EndpointRule.protocol_id)
        .outerjoin(Cage, Cage.id == Animal.cage_id)
        .where(EndpointAction.project_id == project_id)
    )


def endpoints_of(session: Session, protocol_id: int) -> Sequence[EndpointRule]:
    """List the endpoints of a protocol that count."""
    of_protocol = EndpointRule.protocol_id == protocol_id, EndpointRule.status == RecordStatus.ACTIVE
    return session.scalars(select(EndpointRule).where(*of_protocol).order_by(EndpointRule.id)).all()


@dataclass(frozen=True, slots=True)
class WeightLimit:
    """The loss of weight, in percent of `baseline`, at which a protocol acts."""

    protocol: str
    act_at: float
    baseline: WeightBaseline | None


def weight_limits(session: Session, study_id: int) -> list[WeightLimit]:
    """List the weight limits of the protocols that a study's animals are under, the strictest first."""
    rows = session.execute(
        select(AnimalProtocol.code, func.min(EndpointRule.act_at), EndpointRule.baseline)
        .join(EndpointRule, EndpointRule.protocol_id == AnimalProtocol.id)
        .where(EndpointRule.measure == EndpointMeasure.WEIGHT_LOSS, EndpointRule.status == RecordStatus.ACTIVE)
        .where(
            AnimalProtocol.id.in_(
                select(Animal.protocol_id)
                .join(Enrolment, Enrolment.animal_id == Animal.id)
                .where(Enrolment.study_id == study_id, Enrolment.status == RecordStatus.ACTIVE)
            )
        )
        .group_by(AnimalProtocol.code, EndpointRule.baseline)
        .order_by(func.min(EndpointRule.act_at), AnimalProtocol.code)
    )
    return [WeightLimit(*row) for row in rows]


_fate = Fate.__table__.c
_FATE = select(Fate.__table__).where(_fate.animal_id == bindparam("animal_id"), _fate.status == RecordStatus.ACTIVE)


def fate_of(session: Session, animal_id: int) -> Row[Any] | None:
    """Give what became of an animal, if that is recorded, as the columns of its fate."""
    return read(session, _FATE, animal_id=animal_id).one_or_none()


def without_fate() -> ColumnElement[bool]:
    """Give the condition that nobody recorded what became of an animal."""
    return ~select(Fate.id).where(Fate.animal_id == Animal.id, Fate.status == RecordStatus.ACTIVE).exists()


def fate_list(project_id: int) -> AnySelect:
    """Select the project's fates with their animals."""
    return (
        select(
            Animal.code.label("animal"),
            Fate.died_on.label("died_on"),
            Fate.reason.label("reason"),
            Fate.method.label("method"),
            Fate.note.label("note"),
            Fate.batch_id.label("batch_id"),
        )
        .select_from(Fate)
        .join(Animal, Animal.id == Fate.animal_id)
        .where(Fate.project_id == project_id)
    )
