"""What people corrected, left out and acknowledged of files before they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from importers.overlay import Edit
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import RecordStatus
from lims.models import Base, ImportAcceptance, ImportBatch, ImportEdit, RecordSource

LATEST = 200
"""Corrections that a batch's page shows."""


def active_edits(batch_id: int) -> Select[Any]:
    """Select what is corrected or left out of a batch's file as it stands, in the order in which it was done."""
    return (
        select(ImportEdit).where(ImportEdit.batch_id == batch_id, ImportEdit.status == RecordStatus.ACTIVE).order_by(ImportEdit.id)
    )


def edits_for_reading(session: Session, batch_id: int) -> tuple[Edit, ...]:
    """Give them as the reader takes them."""
    rows = session.execute(
        select(ImportEdit.sheet, ImportEdit.row_number, ImportEdit.column_number, ImportEdit.value, ImportEdit.reason)
        .where(ImportEdit.batch_id == batch_id, ImportEdit.status == RecordStatus.ACTIVE)
        .order_by(ImportEdit.sheet, ImportEdit.row_number, ImportEdit.column_number)
    )
    return tuple(Edit(sheet, row, column, value or "", reason) for sheet, row, column, value, reason in rows)


def edits_shown(session: Session, batch: ImportBatch) -> tuple[Sequence[ImportEdit], int]:
    """Give the latest corrections of a batch with their people, and how many there are."""
    total = session.scalar(select(func.count()).select_from(active_edits(batch.id).subquery())) or 0
    newest = active_edits(batch.id).order_by(None).order_by(ImportEdit.id.desc()).limit(LATEST)
    return session.scalars(newest).all() if total else (), total


def edits_of_row(session: Session, batch_id: int, sheet: str, row: int) -> Sequence[ImportEdit]:
    """Give what is corrected in one row of a file."""
    return session.scalars(active_edits(batch_id).where(ImportEdit.sheet == sheet, ImportEdit.row_number == row)).all()


def edits_of_record(session: Session, entity: str, key: int) -> Sequence[ImportEdit]:
    """Give what was corrected in the rows that a record came from, or was changed by, in the order in which it was done."""
    found = session.execute(_of_record(entity), {"key": key})
    return [edit for edit, sheet in found if sheet is None or edit.sheet[:LONGEST] == sheet[:LONGEST]]


@cache
def _of_record(entity: str) -> Select[ImportEdit, str | None]:
    """Select the corrections of the rows that a record of a table came from, each with the row's sheet; put together once."""
    table = Base.metadata.tables[entity]
    if "source_row" in table.columns and "batch_id" in table.columns:
        source, of_record = table, table.c.id == bindparam("key")
    else:
        source = Base.metadata.tables[RecordSource.__tablename__]
        of_record = and_(source.c.entity == entity, source.c.record_id == bindparam("key"))
    same_row = and_(source.c.batch_id == ImportEdit.batch_id, source.c.source_row == ImportEdit.row_number)
    return (
        select(ImportEdit, source.c.source_sheet)
        .join(source, and_(of_record, same_row))
        .where(ImportEdit.status == RecordStatus.ACTIVE)
        .order_by(ImportEdit.id)
    )


def acceptances(session: Session, batch_id: int) -> dict[str, ImportAcceptance]:
    """Give kind of warning → who acknowledged it, and which."""
    rows = session.scalars(select(ImportAcceptance).where(ImportAcceptance.batch_id == batch_id))
    return {one.code: one for one in rows}
