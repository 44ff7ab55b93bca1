"""The records that a file made or changed, each with its page and the cell that it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from lims.audit.words import entity_word
from lims.domain.cells import cell_address
from lims.models import ImportBatch, RecordSource
from lims.queries.audit import labels_of
from lims.queries.import_records import records_of, tables_of
from lims.queries.imports import batch_of
from lims.views.addresses import page_of
from lims.views.import_file import require_unveiled
from lims.views.listing import Column, Empty, Filter, Listing, search
from lims.views.support import current_project, current_session, needs
from lims.views.tables import answer

pages = Blueprint("import_records", __name__, url_prefix="/p/<project_code>/imports")


@pages.get("/<int:batch_id>/records")
@needs("project:read")
def index(batch_id: int) -> ResponseReturnValue:
    """List what a batch made or changed beside its measurements and events, in the order of the file."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_unveiled(batch)
    return answer(
        lambda: (_listing(batch, tables_of(current_session(), batch.id)), records_of(batch.id)),
        "imports/records.html",
        lambda: {"batch": batch},
    )


def _listing(batch: ImportBatch, tables: list[str]) -> Listing:
    options = [(table, entity_word(table)) for table in tables]
    return Listing(
        noun="batch",
        caption=f"Records of batch {batch.id}",
        columns=(
            Column("row", "Row", RecordSource.source_row, align="end", show=_cell, of_row=True),
            Column("record", "Record", RecordSource.record_id, show_of=_records, of_row=True),
            Column("what", "What the file did", RecordSource.made, show=lambda made: "made it" if made else "changed it"),
            Column("raw", "In the file", RecordSource.raw),
            Column("sheet", "Sheet", RecordSource.source_sheet, roomy=True),
            Column("column", "Column", RecordSource.source_column, on_page=False),
            Column("table", "Table", RecordSource.entity, on_page=False),
            Column("batch", "Batch", RecordSource.batch_id, on_page=False),
        ),
        filters=(
            search("q", "Find", RecordSource.raw),
            Filter("table", "Records", "select", lambda typed: RecordSource.entity == typed, options),
        ),
        sort="row",
        key=RecordSource.id,
        empty=Empty("This file made and changed no such records."),
    )


def _records(rows: Sequence[Any]) -> Callable[[Any], dict[str, Any]]:
    """Name the records of a page as people do, each with its page."""
    labels = labels_of(current_session(), [(row.table, row.record) for row in rows])
    return lambda row: {"text": labels[row.table, row.record].text, "url": page_of(row.table, row.record)}


def _cell(row: Any) -> dict[str, Any]:
    return {"text": str(row.row), "url": row_of(row.batch, row.sheet, row.row)}


def row_of(batch_id: int, sheet: str, row: int) -> str:
    """Give the address of a row of a file among its neighbours."""
    return url_for("import_edits.row", batch_id=batch_id, sheet=sheet, row=row)


def place_of(source: Any) -> dict[str, str]:
    """Give the cell that a record came from, as its history shows it: the address in the file, its text, and where to see it."""
    address = cell_address(source.source_sheet, source.source_row, source.source_column)
    return {"text": address, "raw": source.raw, "url": row_of(source.batch_id, source.source_sheet, source.source_row)}
