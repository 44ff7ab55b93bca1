"""What people corrected, left out and acknowledged of files before they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from importers.overlay import Edit
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import RecordStatus
from lims.models import ImportAcceptance, ImportBatch, ImportEdit

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


def edits_of_row(session: Session, batch_id: int | None, sheet: str | None, row: int | None) -> Sequence[ImportEdit]:
    """Give what was corrected in the row that a record came from; `sheet` as records keep it."""
    if batch_id is None or row is None:
        return ()
    found = session.scalars(active_edits(batch_id).where(ImportEdit.row_number == row)).all()
    return [one for one in found if sheet is None or one.sheet[:LONGEST] == sheet[:LONGEST]]


def acceptances(session: Session, batch_id: int) -> dict[str, ImportAcceptance]:
    """Give kind of warning → who acknowledged it, and which."""
    rows = session.scalars(select(ImportAcceptance).where(ImportAcceptance.batch_id == batch_id))
    return {one.code: one for one in rows}
