"""Takes the events of a batch back: doses, fates and moves withdrawn, corrected ones restored; its dead live as they did before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.audit.canon import text_of
from lims.domain.errors import Conflict
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.intake.trail import changes, created, typed_again
from lims.models import Animal, CageMove, Dose, Exposure, Fate, ImportBatch
from lims.queries.chunks import in_chunks
from lims.records.actions import answer_by_fates
from lims.records.fates import FATE, judge_revived_by
from lims.records.locked import keep_signed_records
from lims.records.moves import CAGE_MOVE
from lims.records.values import table_of

_ALIVE = {"died_on": None, "state": AnimalStatus.NOT_RECORDED}


def take_back_events(session: Session, batch: ImportBatch) -> None:
    """Withdraw what a batch recorded of doses, fates and cages, and restore what it corrected.

    Raises:
        Conflict: samples were taken after a dose of it, or what it corrected was changed again since.
        DomainError: a locked study says it.
    """
    _restore(session, batch, Dose)
    _withdraw_doses(session, batch)
    FATE.follow(session, _restore(session, batch, Fate))
    _revive(session, batch)
    _move_back(session, batch)


def _active(session: Session, batch: ImportBatch, model: type[Any]) -> list[Any]:
    return list(session.scalars(select(model).where(model.batch_id == batch.id, model.status == RecordStatus.ACTIVE)))


def _withdraw_doses(session: Session, batch: ImportBatch) -> None:
    needed = (
        select(func.count())
        .select_from(Exposure)
        .join(Dose, Dose.id == Exposure.dose_id)
        .where(Dose.batch_id == batch.id, Dose.status == RecordStatus.ACTIVE, Exposure.status == RecordStatus.ACTIVE)
    )
    if count := session.scalar(needed):
        raise Conflict(
            f"{count} samples for exposure were taken after doses of this batch.",
            remedy="Withdraw those samples first, or let them name other doses.",
        )
    doses = _active(session, batch, Dose)
    keep_signed_records(session, doses)
    for dose in doses:
        dose.status = RecordStatus.WITHDRAWN
    session.flush()


def _revive(session: Session, batch: ImportBatch) -> None:
    """Withdraw the fates of a batch; its animals live again, as the trail says that they did."""
    fates = _active(session, batch, Fate)
    keep_signed_records(session, fates)
    before = _before_death(session, batch)
    animals = in_chunks(session, sorted(fate.animal_id for fate in fates), lambda some: select(Animal).where(Animal.id.in_(some)))
    for fate in fates:
        fate.status = RecordStatus.WITHDRAWN
    for (animal,) in animals:
        for name, value in (_ALIVE | before.get(animal.id, {})).items():
            setattr(animal, name, value)
    session.flush()
    answer_by_fates(session, fates)
    judge_revived_by(session, fates)


def _before_death(session: Session, batch: ImportBatch) -> dict[int, dict[str, Any]]:
    """Give animal → state and day of death before a batch recorded its fate."""
    before: dict[int, dict[str, Any]] = {}
    for key, fields in changes(session, batch, "animal"):
        old, new = fields.get("state", (None, None))
        if old is not None and new == AnimalStatus.DEAD.value:
            died = fields.get("died_on", (None, None))[0]
            before.setdefault(key, {"state": AnimalStatus(old), "died_on": died and date.fromisoformat(died)})
    return before


def _move_back(session: Session, batch: ImportBatch) -> None:
    """Withdraw the moves of a batch, and let animals that had no cage be without one again."""
    moves = [
        move
        for (move,) in in_chunks(
            session, created(session, batch, CageMove), lambda some: select(CageMove).where(CageMove.id.in_(some))
        )
        if move.status is RecordStatus.ACTIVE
    ]
    for move in moves:
        move.status = RecordStatus.WITHDRAWN
    session.flush()
    if moves:
        CAGE_MOVE.follow(session, moves)
    settled = {
        key: fields["cage"][1][0]
        for key, fields in changes(session, batch, "animal")
        if fields.get("cage", (None, None))[0] is None and fields.get("cage", (None, None))[1] and "status" not in fields
    }
    for (animal,) in in_chunks(session, sorted(settled), lambda some: select(Animal).where(Animal.id.in_(some))):
        if animal.cage_id == settled[animal.id]:
            animal.cage_id = None
    session.flush()


def _restore(session: Session, batch: ImportBatch, model: type[Any]) -> list[Any]:
    """Bring back what a batch corrected, where nothing changed it since; gives those records."""
    corrected = _corrected(session, batch, model)
    if batch.supersedes_id is not None:
        # The commit of this batch brought back what the one before it had corrected; that is no correction of its own.
        before = _corrected(session, session.get_one(ImportBatch, batch.supersedes_id), model)
        undone = {key: {name: pair[::-1] for name, pair in fields.items()} for key, fields in before.items()}
        corrected = {key: fields for key, fields in corrected.items() if fields != undone.get(key)}
    found = [one for (one,) in in_chunks(session, sorted(corrected), lambda some: select(model).where(model.id.in_(some)))]
    keep_signed_records(session, found)
    for one in found:
        for name, (old, new) in corrected[one.id].items():
            if text_of(getattr(one, name)) != new:
                raise Conflict(
                    f"{one.audit_label.capitalize()}, which this batch corrected, was changed again since.",
                    remedy="Take back that later change first.",
                )
            setattr(one, name, typed_again(table_of(model).columns[name].type, old))
    session.flush()
    return found


def _corrected(session: Session, batch: ImportBatch, model: type[Any]) -> dict[int, Mapping[str, tuple[Any, Any]]]:
    return {key: fields for key, fields in changes(session, batch, model.__tablename__) if "status" not in fields}
