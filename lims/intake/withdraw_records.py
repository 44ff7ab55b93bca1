"""Takes the records of a batch back: those it made withdrawn where nothing stands on them, those it changed as they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from lims.audit.canon import text_of
from lims.audit.record import field_name
from lims.domain.errors import Conflict
from lims.domain.vocabulary import RecordStatus
from lims.intake.record_nouns import FILE_NOUNS, FileNoun
from lims.intake.trail import changes, created, typed_again
from lims.models import AliquotEvent, Animal, Base, Dose, Exposure, Fate, Implant, ImportBatch, RecordSource, TherapyAgent
from lims.queries.chunks import in_chunks
from lims.records.locked import keep_signed_animals, keep_signed_implants, keep_signed_records
from lims.records.noun import Draft

_FIRST = frozenset({Exposure})
"""What stands on doses, which are taken back before everything else is."""
_EVENTS = frozenset({Dose, Fate})
"""Taken back with the events of a log (`lims.intake.withdraw_events`), whatever file brought them."""
_SIGNED: Mapping[type[Any], Callable[[Session, Sequence[Draft]], None]] = {
    Animal: keep_signed_animals,
    Implant: keep_signed_implants,
}
"""What a locked study keeps of what is brought back as it was; of a study itself, see `lims.intake.withdraw`."""
_BESIDE: tuple[type[Any], ...] = (TherapyAgent, AliquotEvent)
"""What is made beside a record and goes with it."""


def take_back_samples(session: Session, batch: ImportBatch) -> None:
    """Take back what stands on the doses of a batch.

    Raises:
        Conflict: what it changed was changed again since.
        DomainError: a locked study says one of them.
    """
    touched = select(Exposure).join(
        RecordSource, and_(RecordSource.record_id == Exposure.id, RecordSource.entity == Exposure.__tablename__)
    )
    keep_signed_records(session, session.scalars(touched.where(RecordSource.batch_id == batch.id)))
    _take_back(session, batch, [kind for kind in FILE_NOUNS if kind.noun.model in _FIRST])


def take_back_records(session: Session, batch: ImportBatch) -> None:
    """Take back everything else that a batch made or changed, those first that others stand on last.

    Raises:
        Conflict: what it changed was changed again since.
    """
    _take_back_beside(session, batch)
    _take_back(session, batch, [kind for kind in reversed(FILE_NOUNS) if kind.noun.model not in _FIRST | _EVENTS])


def _take_back(session: Session, batch: ImportBatch, kinds: list[FileNoun]) -> None:
    rows = session.execute(
        select(RecordSource.entity, RecordSource.record_id, RecordSource.made).where(RecordSource.batch_id == batch.id)
    )
    touched: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for entity, key, made in rows:
        touched[entity, made].append(key)
    for kind in kinds:
        restored = _restore(session, batch, kind, set(touched[kind.entity, False]))
        if restored:
            kind.noun.follow(session, restored)
    for kind in kinds:
        # Parts go before their whole.
        while withdrawn := withdraw_unused(session, kind.noun.model, sorted(touched[kind.entity, True])):
            kind.noun.follow(session, withdrawn)


def _restore(session: Session, batch: ImportBatch, kind: FileNoun, keys: set[int]) -> list[Any]:
    """Bring back what a batch changed, where nobody changed it since; gives those records."""
    corrected = {key: fields for key, fields in _corrected(session, batch, kind).items() if key in keys}
    model: Any = kind.noun.model
    found = [one for (one,) in in_chunks(session, sorted(corrected), lambda some: select(model).where(model.id.in_(some)))]
    if model in _SIGNED:
        _SIGNED[model](session, [_as_before(kind, one, corrected[one.id]) for one in found])
    for one in found:
        for name, (old, new) in corrected[one.id].items():
            now = text_of(getattr(one, name))
            if now == _plain(old):
                continue  # what it followed from is taken back already
            if now != _plain(new):
                raise Conflict(
                    f"{kind.noun.word.capitalize()} {one.audit_label}, which this batch changed, was changed again since.",
                    remedy="Take back that later change first.",
                )
            setattr(one, name, typed_again(kind.table.columns[name].type, _plain(old)))
    session.flush()
    return found


def _as_before(kind: FileNoun, one: Any, fields: Mapping[str, tuple[Any, Any]]) -> Draft:
    was = {name: typed_again(kind.table.columns[name].type, _plain(old)) for name, (old, _) in fields.items()}
    return Draft({name: getattr(one, name) for name in kind.noun.columns | kind.noun.derived} | was, one)


def _corrected(session: Session, batch: ImportBatch, kind: FileNoun) -> dict[int, dict[str, tuple[Any, Any]]]:
    """Give record → column → (old, new) of what the commit of a batch changed, without what it only brought back."""
    columns = {field_name(name): name for name in kind.noun.columns}
    undone: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    if batch.supersedes_id is not None:
        for key, fields in changes(session, session.get_one(ImportBatch, batch.supersedes_id), kind.entity):
            undone[key].append({name: pair[::-1] for name, pair in fields.items()})
    found: dict[int, dict[str, tuple[Any, Any]]] = defaultdict(dict)
    for key, fields in changes(session, batch, kind.entity):
        if "status" in fields or fields in undone[key]:
            continue
        for name, (old, new) in fields.items():
            if name in columns:
                first = found[key].get(columns[name], (old, new))[0]
                found[key][columns[name]] = (first, new)
    return found


def _plain(told: Any) -> Any:
    """Give a reference's number; the trail keeps its name beside it."""
    return told[0] if isinstance(told, list) and len(told) == 2 and isinstance(told[0], int) else told


def _take_back_beside(session: Session, batch: ImportBatch) -> None:
    """Withdraw agents of therapy lines and events of aliquots that a batch brought, and bring back those that it took away."""
    for model in _BESIDE:
        withdraw_unused(session, model, created(session, batch, model))
        gone = (RecordStatus.ACTIVE.value, RecordStatus.WITHDRAWN.value)
        taken = [key for key, fields in changes(session, batch, model.__tablename__) if fields.get("status") == gone]
        for (one,) in in_chunks(session, taken, lambda some: select(model).where(model.id.in_(some))):  # noqa: B023  # asked at once
            one.status = RecordStatus.ACTIVE
        session.flush()


def withdraw_unused(session: Session, table: type[Any], keys: list[int]) -> list[Any]:
    """Withdraw those of these records that nothing active refers to; gives them."""
    session.flush()
    unused = select(table).where(table.status == RecordStatus.ACTIVE)
    for column in _users(table):
        alive = getattr(column.class_, "status", None)
        condition = column == table.id
        unused = unused.where(
            ~exists().where(condition, alive == RecordStatus.ACTIVE) if alive is not None else ~exists().where(condition)
        )
    withdrawn = [one for (one,) in in_chunks(session, keys, lambda some: unused.where(table.id.in_(some)))]
    for record in withdrawn:
        record.status = RecordStatus.WITHDRAWN
    session.flush()
    return withdrawn


def _users(table: type[Any]) -> Iterator[Any]:
    """Give every column that may refer to a record of the table."""
    for mapper in Base.registry.mappers:
        for column in mapper.columns:
            if column.references(table.__table__.c.id):
                yield mapper.get_property_by_column(column).class_attribute
