"""What the JSON API reads: lists of a kind of record, narrowed and page by page, and single records, as one person may see them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer, Select, func, select
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError, NotFound
from lims.domain.vocabulary import RecordStatus
from lims.queries.api_resources import Field, Resource
from lims.queries.blinding import readable, shown_arm, shown_id
from lims.queries.scope import LARGEST_ID, scoped

USUAL_PAGE, LARGEST_PAGE = 100, 1000
"""Records on a page of a list."""
ANY_STATUS = "any"
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. after: the id to go on after, where there is more. count: how many there are, where asked."""

    records: list[dict[str, Any]]
    after: int | None
    count: int | None


def list_records(
    session: Session,
    resource: Resource,
    project_id: int,
    asked: Mapping[str, str],
    *,
    after: int,
    size: int,
    count: bool,
    unblinded: bool,
) -> Page:
    """Give a project's records by id, from the first one after `after`, narrowed to what is `asked` (parameter: value).

    `unblinded` is `lims.queries.blinding.may_unblind` of the reader's role.

    Records that were withdrawn are given where `status` asks for them. Ids only grow, so that a walk from page to page
    meets each record that was there at its beginning once, whatever is recorded meanwhile.

    Raises:
        DomainError: a filter is not known, or its value cannot be one of the column's.
    """
    key = resource.model.id
    chosen = _selected(resource, project_id, unblinded=unblinded).where(*_conditions(resource, asked, unblinded=unblinded))
    rows = session.execute(chosen.where(key > after).order_by(key).limit(size + 1)).all()
    records = [_record(resource.fields, row) for row in rows[:size]]
    _add_parts(session, resource, records, unblinded=unblinded)
    counted = session.scalar(select(func.count()).select_from(chosen.with_only_columns(key).subquery())) if count else None
    return Page(records, records[-1]["id"] if len(rows) > size else None, counted)


def find_record(session: Session, resource: Resource, project_id: int, record_id: int, *, unblinded: bool) -> dict[str, Any]:
    """Give one record of the project, a withdrawn one too.

    Raises:
        NotFound: there is none with this id, or it belongs to another project; the two cannot be told apart.
    """
    wanted = _selected(resource, project_id, unblinded=unblinded).where(resource.model.id == record_id)
    row = session.execute(wanted).first() if 0 < record_id <= LARGEST_ID else None
    if row is None:
        raise NotFound(f"There is no {resource.word} {record_id} in this project.")
    record = _record(resource.fields, row)
    _add_parts(session, resource, [record], unblinded=unblinded)
    return record


def _selected(resource: Resource, project_id: int, *, unblinded: bool) -> Select[Any]:
    rows = scoped(resource.model, project_id).where(readable(resource.model, unblinded=unblinded))
    statement, columns = _joined(rows, resource.fields, unblinded=unblinded)
    return statement.with_only_columns(*columns, maintain_column_froms=True)


def _joined(statement: Select[Any], fields: Iterable[Field], *, unblinded: bool) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """Join what the references name; gives the columns to select, a reference's name behind its id."""
    columns: list[ColumnElement[Any]] = []
    for one in fields:
        columns.append(one.source.label(one.name))
        if one.target is not None and one.naming is not None:
            name: ColumnElement[Any] = one.target.c[one.naming]
            if one.is_arm:
                columns[-1] = shown_id(one.target, unblinded=unblinded).label(one.name)
                name = shown_arm(unblinded=unblinded, arm=one.target, column=one.naming)
            columns.append(name.label(f"{one.name}.{one.naming}"))
            statement = statement.outerjoin(one.target, one.target.c.id == one.source)
    return statement, columns


def _record(fields: Sequence[Field], row: Sequence[Any]) -> dict[str, Any]:
    values = iter(row)
    told: dict[str, Any] = {}
    for one in fields:
        value = next(values)
        if one.target is not None:
            named = {} if one.naming is None else {one.naming: next(values)}
            value = None if value is None and not any(named.values()) else {"id": value, **named}
        told[one.name] = value
    return told


def _add_parts(session: Session, resource: Resource, records: Sequence[dict[str, Any]], *, unblinded: bool) -> None:
    """Put the rows within each record that count; one statement for each kind of them."""
    for name, part in resource.parts.items():
        fields, refers = resource.nested[name], getattr(part.model, part.parent)
        of_records = select(part.model).where(refers.in_([one["id"] for one in records]), part.counts)
        statement, columns = _joined(of_records, fields, unblinded=unblinded)
        rows = session.execute(statement.with_only_columns(refers, *columns, maintain_column_froms=True).order_by(part.model.id))
        found = defaultdict(list)
        for key, *row in rows:
            found[key].append(_record(fields, row))
        for one in records:
            one[name] = found[one["id"]]


def _conditions(resource: Resource, asked: Mapping[str, str], *, unblinded: bool) -> list[ColumnElement[bool]]:
    unknown = sorted(asked.keys() - resource.filters.keys())
    if unknown:
        raise DomainError(
            f'A list of {resource.plural} is not filtered by "{ascii(unknown[0][:40])[1:-1]}".',
            field=unknown[0],
            expected=", ".join(resource.filters),
        )
    wanted = dict(asked)
    if resource.can_be_withdrawn and wanted.setdefault("status", RecordStatus.ACTIVE.value) == ANY_STATUS:
        del wanted["status"]
    conditions = []
    for parameter, typed in wanted.items():
        one = resource.filters[parameter]
        source: Any = one.source
        if one.target is not None and one.is_arm:
            source = shown_id(one.target, unblinded=unblinded)
        conditions.append(source.is_(None) if typed == "" else source == _value(one, typed))
    return conditions


def _value(one: Field, typed: str) -> Any:
    """Read a filter's value as its column takes it."""
    expected, kind = "text that can be typed", one.type
    if one.terms:
        expected = ", ".join((*one.terms, *([ANY_STATUS] if one.name == "status" else [])))
        if typed in one.terms:
            return kind.enum_class(typed) if isinstance(kind, EnumType) and kind.enum_class else typed
    elif isinstance(kind, Boolean):
        expected = "true or false"
        if typed in _TRUTH:
            return _TRUTH[typed]
    elif isinstance(kind, Integer):
        expected = "a whole number"
        if _WHOLE.fullmatch(typed):
            return int(typed)
    elif isinstance(kind, Date):
        expected = "a date, such as 2026-11-02"
        if (day := _day(typed)) is not None:
            return day
    elif not any(unicodedata.category(character) == "Cc" for character in typed):
        return unicodedata.normalize("NFC", typed)
    raise DomainError(f'"{ascii(typed[:40])[1:-1]}" cannot be the {one.parameter}.', field=one.parameter, expected=expected)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        return None
