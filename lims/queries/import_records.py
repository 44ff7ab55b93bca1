"""Which records a file made or changed, and from which of its cells."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from lims.models import RecordSource

_OF_RECORD = (
    select(RecordSource)
    .where(RecordSource.entity == bindparam("entity"), RecordSource.record_id == bindparam("key"))
    .where(RecordSource.project_id == bindparam("project_id"))
    .order_by(RecordSource.id)
)


def records_of(batch_id: int) -> Select[Any]:
    """Select the records of a batch with their cells."""
    return select(RecordSource.id).where(RecordSource.batch_id == batch_id)


def tables_of(session: Session, batch_id: int) -> list[str]:
    """Give the tables of which a batch made or changed records."""
    found = select(RecordSource.entity).where(RecordSource.batch_id == batch_id).distinct().order_by(RecordSource.entity)
    return list(session.scalars(found))


def cells_of(session: Session, project_id: int, entity: str, key: int) -> dict[int, RecordSource]:
    """Give batch → the cell of its file that made or changed a record; of several the last."""
    own = {"entity": entity, "key": key, "project_id": project_id}
    return {one.batch_id: one for one in session.scalars(_OF_RECORD, own)}
