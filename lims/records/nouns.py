"""The one way records of tissue and colony are written: made, changed with a reason, withdrawn, brought back.

A noun says what is its own (`lims.records.noun`). Forms, imports and the API all call `record`, `change` and `withdraw`;
one record is a list of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.audit.bulk import reserve_ids
from lims.audit.record import Actor, declare
from lims.audit.words import entity_word
from lims.domain.errors import Conflict, DomainError, each_row
from lims.domain.notices import Notice
from lims.domain.sources import NEVER_CHANGED
from lims.domain.vocabulary import RecordStatus
from lims.models import Base
from lims.records.accounts import require_reason
from lims.records.noun import Draft, Noun, Record, judge_each, no_doubt
from lims.records.noun_keys import give_codes, with_withdrawn
from lims.records.references import check_references
from lims.records.values import clean, table_of, word
from lims.records.versions import check_version

Written = TypeVar("Written")


def record(
    session: Session, actor: Actor, noun: Noun[Record], project_id: int, rows: Sequence[Mapping[str, Any]], *, reason: str = ""
) -> list[Record]:
    """Record new ones, by column; a code left blank is generated, and a withdrawn record of the same code comes back.

    Raises:
        DomainError: a value, a reference or a rule refuses; `field` names the column. Nothing is recorded then.
    """
    declare(session, actor, f"{noun.name}:create", reason=reason, project=project_id)
    drafts = each_row(rows, lambda row: Draft(_complete(session, noun, row)))
    if noun.coded:
        give_codes(session, noun, project_id, drafts)
    if noun.key:
        drafts = with_withdrawn(session, noun, project_id, drafts, rows)
    check_references(session, noun.model, project_id, [draft.values for draft in drafts])
    noun.check(session, project_id, drafts)
    records: list[Record] = _flushed(session, noun, lambda: _written(session, noun, project_id, drafts))
    noun.follow(session, records)
    return records


def doubts(
    session: Session, noun: Noun[Record], project_id: int, rows: Sequence[Mapping[str, Any]], existing: Record | None = None
) -> list[Notice]:
    """Give what is unusual about new records, or about `existing` with new fields; nothing is recorded.

    Raises:
        DomainError: a value does not fit its column, or a rule refuses.
    """
    if noun.doubt is no_doubt:
        return []
    return noun.doubt(session, project_id, [draft_of(session, noun, row, existing) for row in rows])


def draft_of(session: Session, noun: Noun[Record], row: Mapping[str, Any], existing: Record | None = None) -> Draft:
    """Give a new record as it would stand, or `existing` with new fields.

    Raises:
        DomainError: a value does not fit its column.
    """
    if existing is None:
        return Draft(_complete(session, noun, row))
    standing = {name: getattr(existing, name) for name in noun.columns | noun.derived}
    return Draft(standing | clean(session, noun.model, row, future=noun.future), existing)


def change(
    session: Session, actor: Actor, noun: Noun[Record], existing: Record, *, version: int, reason: str, fields: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Change fields of a record; gives `{column: (old, new)}` for those that differ, what followed from them included.

    `version` is the version that the person was shown.

    Raises:
        DomainError: no reason is given, nothing differs, or a value or rule refuses.
        Conflict: somebody else changed the record meanwhile, or it was withdrawn.
    """
    begin_change(session, actor, noun, existing, version=version, reason=reason)
    unknown = sorted(fields.keys() - noun.columns)
    if unknown:
        raise TypeError(f"not changeable: {', '.join(unknown)}")
    changed = apply(session, noun, existing, clean(session, noun.model, fields, future=noun.future))
    if not changed:
        raise DomainError("Nothing differs from what is recorded.", remedy="Change a field, or leave the page.")
    return changed


def begin_change(session: Session, actor: Actor, noun: Noun[Record], existing: Record, *, version: int, reason: str) -> None:
    """Declare the change of a record, as `change` does; for services that change rows beside it too, with `apply`.

    Raises:
        DomainError: no reason is given.
        Conflict: somebody else changed the record meanwhile, or it was withdrawn.
    """
    project_id: int = existing.project_id  # type: ignore[attr-defined]  # nouns belong to projects
    declare(session, actor, f"{noun.name}:change", reason=require_reason(reason), project=project_id)
    check_version(existing, version)  # type: ignore[arg-type]  # nouns count their versions
    _require_active(noun, existing)


def apply(session: Session, noun: Noun[Record], existing: Record, fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Judge a record with new values, write what differs, and what follows; for services inside a declared action."""
    return apply_all(session, noun, [(existing, fields)])[0]


def apply_all(
    session: Session, noun: Noun[Record], wanted: Sequence[tuple[Record, Mapping[str, Any]]]
) -> list[dict[str, tuple[Any, Any]]]:
    """Do the same for several records of one project: they are judged together, before any of them is written."""
    if not wanted:
        return []
    names = noun.columns | noun.derived
    drafts = [Draft({name: getattr(existing, name) for name in names} | dict(fields), existing) for existing, fields in wanted]
    judge_each(drafts, lambda draft: _refuse_fixed(noun, draft))
    differing = [{name: value for name, value in draft.values.items() if draft.changes(name)} for draft in drafts]
    project_id: int = drafts[0].record.project_id
    check_references(session, noun.model, project_id, differing)
    noun.check(session, project_id, drafts)
    changes = [
        {name: (getattr(draft.record, name), new) for name, new in draft.values.items() if getattr(draft.record, name) != new}
        for draft in drafts
    ]
    for draft, changed in zip(drafts, changes, strict=True):
        for name, (_, new) in changed.items():
            setattr(draft.record, name, new)
    if any(changes):
        _flushed(session, noun, session.flush)
        noun.follow(session, [draft.record for draft, changed in zip(drafts, changes, strict=True) if changed])
    return changes


def _refuse_fixed(noun: Noun[Any], draft: Draft) -> None:
    for name in sorted(noun.fixed):
        if draft.changes(name):
            raise DomainError(
                f"{word(noun.model, name).capitalize()} is never changed: what was made since follows from it.",
                field=name,
                remedy=f"Withdraw this {noun.word} and record it anew.",
                source=NEVER_CHANGED,
            )


def withdraw(session: Session, actor: Actor, noun: Noun[Record], existing: Record, *, version: int, reason: str) -> None:
    """Withdraw a record with a reason: it stays readable and does not count.

    Raises:
        DomainError: no reason is given.
        Conflict: somebody else changed it meanwhile, it is withdrawn already, or active records stand on it.
    """
    project_id: int = existing.project_id  # type: ignore[attr-defined]  # nouns belong to projects
    declare(session, actor, f"{noun.name}:withdraw", reason=require_reason(reason), project=project_id)
    check_version(existing, version)  # type: ignore[arg-type]  # nouns count their versions
    _require_active(noun, existing)
    for model, column, *narrowed in noun.dependents:
        _refuse_while_needed(session, noun, existing, model, column, *narrowed)
    noun.stay(session, existing)
    existing.status = RecordStatus.WITHDRAWN  # type: ignore[attr-defined]  # nouns can be withdrawn
    session.flush()
    noun.follow(session, [existing])


def reinstate(session: Session, actor: Actor, noun: Noun[Record], existing: Record, *, version: int, reason: str) -> None:
    """Bring a withdrawn record back, judged by its rules as they are today."""
    project_id: int = existing.project_id  # type: ignore[attr-defined]  # nouns belong to projects
    declare(session, actor, f"{noun.name}:change", reason=require_reason(reason), project=project_id)
    check_version(existing, version)  # type: ignore[arg-type]  # nouns count their versions
    if existing.status is not RecordStatus.WITHDRAWN:  # type: ignore[attr-defined]  # nouns can be withdrawn
        raise Conflict(f"This {noun.word} is not withdrawn.")
    draft = Draft({name: getattr(existing, name) for name in noun.columns | noun.derived}, existing)
    check_references(session, noun.model, project_id, [draft.values])
    noun.check(session, project_id, [draft])
    _flushed(session, noun, lambda: _written(session, noun, project_id, [draft]))
    noun.follow(session, [existing])


def _complete(session: Session, noun: Noun[Record], row: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(row.keys() - noun.columns)
    if unknown:
        raise TypeError(f"no columns of {noun.name} to fill in: {', '.join(unknown)}")
    columns = noun.columns - ({"code"} if noun.coded and not row.get("code") else set())
    values = clean(session, noun.model, {name: row.get(name) for name in sorted(columns)}, future=noun.future)
    return {**dict.fromkeys(noun.derived - {name for name in noun.derived if _has_default(noun, name)}), **values}


def _has_default(noun: Noun[Record], name: str) -> bool:
    return table_of(noun.model).columns[name].default is not None


def _written(session: Session, noun: Noun[Record], project_id: int, drafts: Sequence[Draft]) -> list[Record]:
    """Write what was judged: new records, and withdrawn ones that come back."""
    records: list[Record] = []
    new = sum(draft.record is None for draft in drafts)
    # With numbers of their own they go to the database together, and not one by one to get them.
    numbers = iter(range(first := reserve_ids(session, table_of(noun.model), new), first + new) if new > 1 else ())
    for draft in drafts:
        record: Any = draft.record
        if record is None:
            record = noun.model(**draft.values, project_id=project_id)
            record.id = next(numbers, None)
            session.add(record)
        else:
            for name, value in draft.values.items():
                if getattr(record, name) != value:
                    setattr(record, name, value)
            record.status = RecordStatus.ACTIVE
        records.append(record)
    session.flush()
    return records


def _flushed(session: Session, noun: Noun[Record], write: Callable[[], Written]) -> Written:
    """Write; what only the database can see, such as two people taking the same place at once, reads as a sentence too."""
    try:
        return write()
    except IntegrityError as refused:
        raise DomainError(
            f"This {noun.word} contradicts another record or a limit of the database.",
            remedy="Look whether somebody recorded it, or took its place, a moment ago.",
        ) from refused


def _require_active(noun: Noun[Record], existing: Record) -> None:
    if existing.status is RecordStatus.WITHDRAWN:  # type: ignore[attr-defined]  # nouns can be withdrawn
        raise Conflict(f"This {noun.word} was withdrawn: it is read, and not changed any more.")


def _refuse_while_needed(
    session: Session, noun: Noun[Record], existing: Record, model: type[Base], column: str, *narrowed: ColumnElement[bool]
) -> None:
    refers: Any = inspect(model).columns[column]
    active = inspect(model).columns["status"] == RecordStatus.ACTIVE
    key: int = existing.id  # type: ignore[attr-defined]  # every record has one
    count = session.scalar(select(func.count()).select_from(model).where(refers == key, active, *narrowed))
    if count:
        what = entity_word(str(model.__tablename__))
        raise Conflict(
            f"{count} active record{'s' if count > 1 else ''} ({what}) stand{'' if count > 1 else 's'} on this {noun.word}.",
            remedy="Withdraw them first; nothing may hang in the air.",
        )
