"""Correcting a file before it is recorded: cells, rows to leave out, warnings to acknowledge, changes to accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from werkzeug import Response as BaseResponse

from importers.base import Refused
from lims.domain.cells import column_letter
from lims.domain.errors import Conflict, DomainError, told
from lims.domain.vocabulary import JobKind
from lims.intake import run
from lims.intake.accepted import ACCEPT
from lims.intake.edits import (
    AROUND,
    StoredRows,
    cells_to_correct,
    header_rows,
    parse_cell,
    parse_row,
    require_row,
    rows_of_file,
)
from lims.intake.groups import rows_told
from lims.jobs.table import require_idle
from lims.models import ImportBatch, ImportEdit, ImportFinding
from lims.queries.import_edits import edits_of_row
from lims.queries.imports import batch_of
from lims.records.import_edits import accept_warnings, correct_cells, leave_rows_out, require_open, take_back
from lims.views.import_file import require_unveiled
from lims.views.import_jobs import begin
from lims.views.import_words import counted
from lims.views.support import current_actor, current_project, current_session, needs, whole_number
from lims.views.transaction import commit_now, installation

pages = Blueprint("import_edits", __name__, url_prefix="/p/<project_code>/imports")
READ_AS = "read-"
"""Names of fields for corrected cells begin so; `Sheet1!C7` follows."""
MOST_CELLS = 500
"""Cells and rows that one form corrects."""


def latest_edit(batch: ImportBatch) -> int:
    """Give the id of the latest correction of a batch, so that a form can tell whether there was one since."""
    return current_session().scalar(select(func.max(ImportEdit.id)).where(ImportEdit.batch_id == batch.id)) or 0


@pages.post("/<int:batch_id>/corrections")
@needs("batch:change")
def correct(batch_id: int) -> ResponseReturnValue:
    """Correct the cells that were typed in, or leave the ticked rows out, with one reason; then read the file again."""
    _open(batch_id)
    reason = request.form.get("reason", "")
    if request.form.get("do") == "leave-out":
        return _leave_out(batch_id, [parse_row(text) for text in request.form.getlist("rows")[:MOST_CELLS]], reason)
    typed = {
        parse_cell(name.removeprefix(READ_AS)): "" if f"empty-{name}" in request.form else value
        for name, value in list(request.form.items())[: 2 * MOST_CELLS]
        if name.startswith(READ_AS) and (value.strip() or f"empty-{name}" in request.form)
    }
    if not typed:
        return _refused(batch_id, DomainError("No cell was corrected.", remedy="Type what a cell should be, then save."))
    try:
        stored = _stored(batch_id, [(sheet, row) for sheet, row, _ in typed])
        batch = _open(batch_id)
        cells = cells_to_correct(
            stored,
            header_rows(batch.report),
            {(stored.sheet_named(sheet), row, column): value for (sheet, row, column), value in typed.items()},
        )
        made = correct_cells(
            current_session(), current_actor(), batch, cells, reason=reason, seen=whole_number(request.form.get("seen"))
        )
    except DomainError as refused:
        return _refused(batch_id, refused)
    flash(f"{counted(len(made) or len(cells), 'cell')} corrected; what the file says stays beside it.", "success")
    return _read_again(batch)


def _leave_out(batch_id: int, rows: list[tuple[str | None, int]], reason: str) -> BaseResponse:
    try:
        stored = _stored(batch_id, rows)
        batch = _open(batch_id)
        named = [(stored.sheet_named(sheet), row) for sheet, row in rows]
        for sheet, row in named:
            require_row(stored, header_rows(batch.report), sheet, row)
        made = leave_rows_out(current_session(), current_actor(), batch, named, reason=reason)
    except DomainError as refused:
        return _refused(batch_id, refused)
    flash(f"{counted(len(made), 'row')} left out, with the reason.", "success")
    return _read_again(batch)


@pages.post("/<int:batch_id>/left-out")
@needs("batch:change")
def leave_group_out(batch_id: int) -> ResponseReturnValue:
    """Leave all rows out in which something of one kind was found."""
    batch = _open(batch_id)
    rows = rows_told(batch.report or {}, request.form.get("code", ""))
    try:
        made = leave_rows_out(current_session(), current_actor(), batch, rows, reason=request.form.get("reason", ""))
    except DomainError as refused:
        return _refused(batch_id, refused)
    flash(f"{counted(len(made), 'row')} left out, with the reason.", "success")
    return _read_again(batch)


@pages.post("/<int:batch_id>/corrections/withdraw")
@needs("batch:change")
def withdraw(batch_id: int) -> ResponseReturnValue:
    """Take corrections back: the file says again what it says."""
    batch = _open(batch_id)
    numbers = [number for number in map(whole_number, request.form.getlist("edit")) if number is not None]
    gone = take_back(current_session(), current_actor(), batch, numbers, reason=request.form.get("reason", ""))
    flash(f"{counted(gone, 'correction')} taken back.", "success")
    return _read_again(batch)


@pages.post("/<int:batch_id>/accept")
@needs("batch:change")
def accept(batch_id: int) -> ResponseReturnValue:
    """Acknowledge all warnings of one kind."""
    batch = _open(batch_id)
    code = request.form.get("code", "")
    groups = {one["code"]: (one["number"], one["digest"]) for one in (batch.report or {}).get("groups", []) if one["accept"]}
    if code not in groups:
        raise DomainError(
            f'There are no warnings of the kind "{code[:80]}" to acknowledge.', remedy="Look at the check page again."
        )
    accept_warnings(current_session(), current_actor(), batch, {code: groups[code]})
    return _to_check(batch)


@pages.post("/<int:batch_id>/changes")
@needs("batch:check")
def accept_changes(batch_id: int) -> ResponseReturnValue:
    """Accept changes of recorded values, of the ticked kinds alone."""
    batch = _open(batch_id)
    known = (batch.report or {}).get("changed", {})
    chosen = [kind for kind in request.form.getlist("changed") if kind in known]
    every = len(chosen) == len(known)
    run.take_answers(current_session(), current_actor(), batch, choices={"changed": ACCEPT if every else ",".join(chosen)})
    return _read_again(batch)


@pages.get("/<int:batch_id>/rows")
@needs("project:read")
def row(batch_id: int) -> ResponseReturnValue:
    """Show one row of the file among its neighbours, as it stands there, with a field to correct each cell."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_unveiled(batch)
    number = whole_number(request.args.get("row"))
    if not number:
        raise DomainError(
            "The address names no row.", expected="a row of the file, such as row=7", remedy="Go back to the check page."
        )
    report = batch.report or {}
    wanted = request.args.get("sheet")
    heads = header_rows(report)
    near = [*heads.get(wanted or "", ()), *range(max(1, number - AROUND), number + AROUND + 1)]
    stored = _rows(batch.id, [(wanted, one) for one in near])
    sheet = stored.sheet_named(wanted)
    require_row(stored, {}, sheet, number)
    edits = {one.column_number: one for one in edits_of_row(current_session(), batch.id, sheet, number)}
    found = select(ImportFinding).where(ImportFinding.batch_id == batch.id, ImportFinding.row_number == number)
    return render_template(
        "imports/row.html",
        batch=batch,
        sheet=sheet,
        number=number,
        cells=_cells(stored, report, sheet, number, edits),
        around=_around(stored, heads.get(sheet, ()), sheet),
        found=current_session().scalars(found.where(ImportFinding.sheet == sheet).order_by(ImportFinding.id).limit(50)).all(),
        left_out=edits.get(None),
        seen=latest_edit(batch),
        last=stored.sheets[sheet][0],
        header=number in heads.get(sheet, ()),
    )


def _cells(
    stored: StoredRows, report: Mapping[str, Any], sheet: str, number: int, edits: Mapping[int | None, ImportEdit]
) -> list[dict[str, Any]]:
    """Give the cells of a row: letter, header, what the column is read as, the file's text, and its correction."""
    texts = stored.rows[sheet, number]
    columns = {one["column"]: one for one in report.get("columns", []) if one["sheet"] == sheet}
    width = max([len(texts), *columns])
    return [
        {
            "letter": column_letter(column),
            "header": columns.get(column, {}).get("header", ""),
            "role": columns.get(column, {}).get("role"),
            "raw": texts[column - 1] if column <= len(texts) else "",
            "edit": edits.get(column),
            "name": f"{READ_AS}{sheet}!{column_letter(column)}{number}",
        }
        for column in range(1, width + 1)
    ]


def _around(stored: StoredRows, heads: Any, sheet: str) -> list[dict[str, Any]]:
    width = max((len(texts) for (of, _), texts in stored.rows.items() if of == sheet), default=0)
    rows = sorted((number, texts) for (of, number), texts in stored.rows.items() if of == sheet)
    return [
        {"number": number, "head": number in heads, "texts": [*texts, *([""] * (width - len(texts)))]} for number, texts in rows
    ]


def _stored(batch_id: int, places: list[Any]) -> StoredRows:
    """Let go of the database and read rows of the file; what was read from it before is to be read again."""
    commit_now()
    return _rows(batch_id, places)


def _rows(batch_id: int, places: list[Any]) -> StoredRows:
    settings = installation().settings
    try:
        return rows_of_file(settings, settings.url, batch_id, places)
    except Refused as refused:
        raise DomainError(refused.finding.message, expected=refused.finding.expected, remedy=refused.finding.remedy) from refused


def _open(batch_id: int) -> ImportBatch:
    """Give a batch that is neither recorded nor being read."""
    batch = batch_of(current_session(), current_project().id, batch_id)
    require_idle(current_session(), batch)
    require_open(batch)
    return batch


def _read_again(batch: ImportBatch) -> BaseResponse:
    batch_id = batch.id
    begin(batch, JobKind.CHECK)
    return redirect(_check_page(batch_id))


def _to_check(batch: ImportBatch) -> BaseResponse:
    return redirect(_check_page(batch.id))


def _check_page(batch_id: int) -> str:
    """Give the address of the check page with the filters that the person had set."""
    kept = {
        key: request.form[f"view-{key}"] for key in ("severity", "code", "sheet", "q", "page") if request.form.get(f"view-{key}")
    }
    query = f"?{urlencode(kept)}#findings" if kept else ""
    return url_for("imports.show", batch_id=batch_id) + query


def _refused(batch_id: int, refused: DomainError) -> BaseResponse:
    """Say what was wrong, on the page the person came from; nothing was kept. A conflict has a page of its own."""
    if isinstance(refused, Conflict):
        raise refused
    current_session().rollback()
    for one in refused.every:
        flash(told(one), "error")
    return redirect(_check_page(batch_id))
