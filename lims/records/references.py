"""What records refer to: active records of their own project; another project's is not found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lims.audit.words import entity_word
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.models import Base
from lims.queries.chunks import in_chunks
from lims.records.values import table_of


def check_references(session: Session, model: type[Base], project_id: int, rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse references to records that are not active ones of this project: another project's is not found.

    One statement for each referring column, however many rows.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        for name, value in row.items():
            if value is not None and table_of(model).columns[name].foreign_keys:
                wanted[name].add(value)
    for name, keys in wanted.items():
        target = refers_to(model, name)
        columns, scope = table_of(target).columns, list[ColumnElement[bool]]()
        if "status" in columns:  # an import has states of its own
            scope.append(columns["status"] == RecordStatus.ACTIVE)
        if "project_id" in columns:
            scope.append(columns["project_id"] == project_id)
        found = {
            key
            for (key,) in in_chunks(session, sorted(keys), lambda some: select(target.id).where(target.id.in_(some), *scope))  # type: ignore[attr-defined]  # noqa: B023  # asked at once
        }
        if keys - found:
            said = entity_word(str(target.__tablename__))
            raise DomainError(
                f"There is no {said} {min(keys - found)} in this project.",
                field=name,
                expected=f"a {said} of this project that is not withdrawn",
            )


def refers_to(model: type[Base], column: str) -> type[Base]:
    """Give the model that a referring column points to."""
    table = next(iter(table_of(model).columns[column].foreign_keys)).column.table
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)
