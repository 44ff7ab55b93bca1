"""What the command line says of single cells, rows and names of a file before it is read: the check page in options."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.domain.errors import DomainError, told
from lims.domain.vocabulary import RecordStatus
from lims.intake import run
from lims.intake.edits import cells_to_correct, header_rows, parse_cell, parse_row, require_row, rows_of_file
from lims.models import AnimalAlias, ImportBatch
from lims.queries.animals import animals_known
from lims.queries.import_edits import active_edits
from lims.records.aliases import ALIAS
from lims.records.import_edits import correct_cells, leave_rows_out
from lims.records.nouns import record

CellEdit = tuple[tuple[str | None, int, int], str]
RowPlace = tuple[str | None, int]


class CellOption(click.ParamType[CellEdit]):
    """`SHEET!C7=12.3`: what is read in place of a cell; without a sheet, of the first one."""

    name = "SHEET!C7=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> CellEdit:
        """Split at the first sign of equality after the cell."""
        sheet, mark, rest = str(value).rpartition("!") if "!" in str(value).partition("=")[0] else ("", "", str(value))
        cell, sign, text = rest.partition("=")
        if not sign:
            self.fail(f"{value!r} corrects no cell; expected such as Sheet1!C7=12.3", param, ctx)
        return self._parsed(parse_cell, f"{sheet}{mark}{cell}", param, ctx), text

    def _parsed(self, parse: Any, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return parse(text)
        except DomainError as refused:
            self.fail(told(refused), param, ctx)


class RowOption(click.ParamType[RowPlace]):
    """`SHEET!7` or `7`: a row to leave out."""

    name = "SHEET!ROW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> RowPlace:
        """Read sheet and row."""
        try:
            return parse_row(str(value))
        except DomainError as refused:
            self.fail(told(refused), param, ctx)


class NameOption(click.ParamType[tuple[str, str]]):
    """`M7=M007`: a name of the file, and the animal that it is."""

    name = "NAME=ANIMAL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the last sign of equality."""
        name, _, code = str(value).rpartition("=")
        if not name.strip() or not code.strip():
            self.fail(f"{value!r} names no animal; expected such as M7=M007", param, ctx)
        return name.strip(), code.strip()


@dataclass(frozen=True, slots=True)
class Said:
    """All that was said of a file's cells, rows and names, and why."""

    cells: Sequence[CellEdit]
    rows: Sequence[RowPlace]
    names: Sequence[tuple[str, str]]
    reason: str

    def require_reason(self) -> None:
        """Refuse to correct without saying why."""
        if (self.cells or self.rows) and not self.reason.strip():
            raise click.UsageError("--edit and --exclude need --reason: why the file is not read as it stands.")


def keep(database: Database, settings: Settings, batch_id: int, actor: Actor, said: Said) -> None:
    """Keep what was said; what was said before in the same words stays as it is."""
    if said.names:
        with database.transaction() as session:
            _keep_names(session, actor, session.get_one(ImportBatch, batch_id), said.names)
    if not said.cells and not said.rows:
        return
    with database.reading() as session:
        known = session.get_one(ImportBatch, batch_id).report is not None
    database.close()
    if not known:  # which rows are headers is known once the file was read
        run.check(settings, settings.url, batch_id, actor)
    places = [*((sheet, row) for (sheet, row, _), _ in said.cells), *said.rows]
    stored = rows_of_file(settings, settings.url, batch_id, places)
    with database.transaction() as session:
        batch = session.get_one(ImportBatch, batch_id)
        heads = header_rows(batch.report)
        standing = {(one.sheet, one.row_number, one.column_number): one.value for one in session.scalars(active_edits(batch_id))}
        wanted = {(stored.sheet_named(sheet), row, column): text for (sheet, row, column), text in said.cells}
        new = {place: text for place, text in wanted.items() if standing.get(place) != text}
        if new:
            correct_cells(session, actor, batch, cells_to_correct(stored, heads, new), reason=said.reason)
        rows = [(stored.sheet_named(sheet), row) for sheet, row in said.rows]
        for sheet, row in rows:
            require_row(stored, heads, sheet, row)
        if rows:
            leave_rows_out(session, actor, batch, rows, reason=said.reason)


def _keep_names(session: Session, actor: Actor, batch: ImportBatch, names: Sequence[tuple[str, str]]) -> None:
    known = animals_known(session, batch.project_id, [code for _, code in names])
    standing: dict[str, int] = defaultdict(int)
    active = select(AnimalAlias).where(AnimalAlias.project_id == batch.project_id, AnimalAlias.status == RecordStatus.ACTIVE)
    for one in session.scalars(active.where(AnimalAlias.alias.in_([name for name, _ in names]))):
        standing[one.alias] = one.animal_id
    for _, code in names:
        if code not in known:
            raise DomainError(f'There is no animal "{code}" in this project.', expected="the id of an animal of this project")
    rows = [{"animal_id": known[code].id, "alias": name} for name, code in names if standing[name] != known[code].id]
    if rows:
        record(session, actor, ALIAS, batch.project_id, rows, reason=f"named so in {batch.audit_label}")
