"""Takes a committed batch back: what it recorded withdrawn, corrections undone, what it created and nobody uses withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import Conflict, DomainError
from lims.domain.studies import require_unlocked
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.intake.trail import changes, created, touched
from lims.intake.withdraw_events import take_back_events
from lims.intake.withdraw_records import take_back_records, take_back_samples, withdraw_unused
from lims.models import (
    Agent,
    Animal,
    Arm,
    Cage,
    Enrolment,
    Implant,
    ImportBatch,
    Measurement,
    PdxModel,
    Regimen,
    Study,
)
from lims.queries.chunks import by_id, in_chunks
from lims.records.locked import keep_signed_records
from lims.records.measurements import Correction, correct_measurements, withdraw_measurements

_CREATED: tuple[type[Any], ...] = (Enrolment, Implant, Animal, Cage, Arm, Study, PdxModel, Agent)
"""What an import may have created, those that depend on others first."""


def withdraw(session: Session, actor: Actor, batch: ImportBatch, *, reason: str) -> int:
    """Withdraw a committed batch. Returns the number of readings taken back.

    Raises:
        DomainError: no reason is given, or a locked study says some of it.
        Conflict: the batch is not committed, or a value it corrected was changed again since.
    """
    if not reason.strip():
        raise DomainError("Withdrawing a batch needs a reason.", field="reason", expected="why its numbers should not count")
    declare(session, actor, "batch:withdraw", project=batch.project_id, reason=reason)
    number = _take_back(session, actor, batch, reason)
    for table in _CREATED:
        withdraw_unused(session, table, created(session, batch, table))
    batch.state = BatchState.WITHDRAWN
    return number


def supersede(session: Session, actor: Actor, batch: ImportBatch, *, reason: str) -> None:
    """Take back the batch that this one replaces; animals and arms stay, for the corrected file names them again.

    Raises:
        Conflict: the other batch is not committed any more.
    """
    old = session.get_one(ImportBatch, batch.supersedes_id)
    _take_back(session, actor, old, reason or f"superseded by {batch.audit_label}")
    old.state = BatchState.SUPERSEDED
    session.flush()


def _take_back(session: Session, actor: Actor, batch: ImportBatch, reason: str) -> int:
    if batch.state is not BatchState.COMMITTED:
        raise Conflict(f"{batch.audit_label.capitalize()} is {batch.state.value}, not committed.", remedy="Open its page.")
    _require_unlocked(session, batch)
    restored = list(_restorations(session, batch))
    take_back_samples(session, batch)
    take_back_events(session, batch)
    ids = session.scalars(
        select(Measurement.id)
        .where(Measurement.batch_id == batch.id, Measurement.status == RecordStatus.ACTIVE)
        .order_by(Measurement.id)
    ).all()
    withdraw_measurements(session, actor, batch.project_id, ids, reason=reason)
    correct_measurements(session, actor, batch.project_id, restored, reason=reason)
    take_back_records(session, batch)
    return len(ids)


def _require_unlocked(session: Session, batch: ImportBatch) -> None:
    """Refuse to take back what a locked study is made of; what is recorded of its animals is kept where that is written."""
    keep_signed_records(session, by_id(session, Implant, created(session, batch, Implant)).values())
    planned = by_id(session, Regimen, touched(session, batch, Regimen)).values()
    arms = by_id(session, Arm, [*touched(session, batch, Arm), *(one.arm_id for one in planned)]).values()
    enrolled = by_id(session, Enrolment, touched(session, batch, Enrolment)).values()
    of = [*touched(session, batch, Study), *(one.study_id for one in arms), *(one.study_id for one in enrolled)]
    for study in by_id(session, Study, of).values():
        require_unlocked(study.code, study.state)


def _restorations(session: Session, batch: ImportBatch) -> Iterator[Correction]:
    """Give corrections that bring back the values this batch replaced, where nothing changed them since."""
    replaced = _replaced(session, batch)
    if batch.supersedes_id is not None:
        # The commit of this batch brought back what the one before it had replaced; that is no correction of its own.
        before = _replaced(session, session.get_one(ImportBatch, batch.supersedes_id))
        undone = {key: {name: pair[::-1] for name, pair in fields.items()} for key, fields in before.items()}
        replaced = {key: fields for key, fields in replaced.items() if fields != undone.get(key)}
    found = in_chunks(session, list(replaced), lambda some: select(Measurement).where(Measurement.id.in_(some)))
    for (now,) in found:
        key, fields = now.id, replaced[now.id]
        pairs = {name: (getattr(now, name), _number(old)) for name, (old, _) in fields.items()}
        if any(pairs[name][0] != _number(new) for name, (_, new) in fields.items()):
            raise Conflict(
                f"Measurement {key}, which this batch corrected, was changed again since.",
                remedy="Take back that later change first.",
            )
        yield Correction(key, pairs)


def _replaced(session: Session, batch: ImportBatch) -> dict[int, dict[str, tuple[Any, Any]]]:
    """Give measurement → field → (old, new) of the values that the commit of a batch replaced."""
    found = changes(session, batch, "measurement")
    return {key: fields for key, fields in found if "value" in fields and fields["value"][0] is not None}


def _number(told: str | None) -> float | None:
    return None if told is None else float(told)
