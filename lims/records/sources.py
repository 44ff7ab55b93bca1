"""Writes which cell of which file records came from: in columns, with one audited change a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.bulk import insert_many, reserve_ids
from lims.audit.canon import canonical
from lims.models import ImportBatch, Project, RecordSource
from lims.records.values import table_of

TABLE = table_of(RecordSource)


@dataclass(frozen=True, slots=True)
class Sources:
    """Records of one table and the cells that they came from: columns of equal length. made: which of them are new."""

    entity: str
    records: Sequence[int]
    made: Sequence[bool]
    sheet: str
    rows: Sequence[int]
    columns: Sequence[int]
    raw: Sequence[str]


def record_sources(session: Session, batch: ImportBatch, sources: Sources) -> None:
    """Write the sources of records that a batch made or changed, inside the declared action."""
    number = len(sources.records)
    if not number:
        return
    project = session.get_one(Project, batch.project_id)
    first = reserve_ids(session, TABLE, number)
    keys = range(first, first + number)
    told = {
        "batch": [[batch.id, batch.audit_label]],
        "entity": [sources.entity],
        "project": [[project.id, project.audit_label]],
        "source_sheet": [sources.sheet],
    }
    rows = zip(sources.records, sources.made, sources.rows, sources.columns, sources.raw, strict=True)
    fields = [_fields(told, *row).encode() for row in rows]
    columns: dict[str, Any] = {
        "id": keys,
        "project_id": repeat(project.id),
        "batch_id": repeat(batch.id),
        "entity": repeat(sources.entity),
        "record_id": sources.records,
        "made": list(sources.made),
        "source_sheet": repeat(sources.sheet),
        "source_row": sources.rows,
        "source_column": sources.columns,
        "raw": sources.raw,
    }
    insert_many(session, TABLE, columns, keys, project.id, fields)


def _fields(told: dict[str, Any], record: int, made: bool, row: int, column: int, raw: str) -> str:  # a column's value
    own = {"record": record, "made": made, "source_row": row, "source_column": column, "raw": raw}
    return canonical(told | {name: [value] for name, value in own.items()})
