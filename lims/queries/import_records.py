"""Which records a file made or changed, and from which of its cells."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from lims.models import RecordSource
from lims.queries.chunks import read

_source = RecordSource.__table__.c
_OF_RECORD = (
    select(_source.batch_id, _source.source_sheet, _source.source_row, _source.source_column, _source.raw)
    .where(_source.entity == bindparam("entity"), _source.record_id == bindparam("key"))
    .where(_source.project_id == bindparam("project_id"))
    .order_by(_source.id)
)


def records_of(batch_id: int) -> Select[Any]:
    """Select the records of a batch with their cells."""
    return select(RecordSource.id).where(RecordSource.batch_id == batch_id)


def tables_of(session: Session, batch_id: int) -> list[str]:
    """Give the tables of which a batch made or changed records."""
    found = select(RecordSource.entity).where(RecordSource.batch_id == batch_id).distinct().order_by(RecordSource.entity)
    return list(session.scalars(found))


def cells_of(session: Session, project_id: int, entity: str, key: int) -> dict[int, Row[Any]]:
    """Give batch → the cell of its file that made or changed a record; of several the last."""
    return {one.batch_id: one for one in read(session, _OF_RECORD, entity=entity, key=key, project_id=project_id)}
