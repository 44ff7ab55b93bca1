"""Corrects cells, leaves rows out and acknowledges warnings of a file that is not recorded yet; each with who, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.cells import cell_address
from lims.domain.corrections import corrected_cell
from lims.domain.errors import Conflict, DomainError, NotFound, refuse_together
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.models import ImportAcceptance, ImportBatch, ImportEdit
from lims.queries.import_edits import acceptances, active_edits
from lims.records.accounts import require_reason
from lims.records.values import clean

OPEN_STATES = (BatchState.STORED, BatchState.CHECKED, BatchState.REFUSED)
"""States of a batch of which nothing is recorded yet."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to correct: `raw` is what the file has there, `value` what is to be read; row and column count from 1."""

    sheet: str
    row: int
    column: int
    raw: str
    value: str

    @property
    def address(self) -> str:
        """Say where it is."""
        return cell_address(self.sheet, self.row, self.column)


def correct_cells(
    session: Session, actor: Actor, batch: ImportBatch, cells: Sequence[Cell], *, reason: str, seen: int | None = None
) -> list[ImportEdit]:
    """Read other values in place of these cells. `seen`: the latest correction that the person was shown, by id.

    What the file says itself takes a cell's correction back.

    Raises:
        DomainError: no reason is given, or a value is no cell's; `others` has those of the other cells.
        Conflict: the batch is recorded already, or somebody else corrected one of the cells meanwhile.
    """
    _begin(session, actor, batch, reason)
    standing = _standing(session, batch)
    made, refused = [], []
    for cell in cells:
        before = standing.get((cell.sheet, cell.row, cell.column))
        _require_seen(before, seen)
        if before is not None and cell.value.strip() == cell.raw:
            before.status = RecordStatus.WITHDRAWN
            continue
        try:
            value = corrected_cell(cell.value, before.value or "" if before else cell.raw, cell.address)
        except DomainError as problem:
            refused.append(problem)
            continue
        if before is not None:
            before.status = RecordStatus.WITHDRAWN
        made.append(_made(session, actor, batch, cell.sheet, cell.row, cell.column, cell.raw, value, reason))
    refuse_together(refused)
    session.add_all(made)
    session.flush()
    return made


def leave_rows_out(
    session: Session, actor: Actor, batch: ImportBatch, rows: Sequence[tuple[str, int]], *, reason: str
) -> list[ImportEdit]:
    """Leave whole rows (sheet, row) out of what is recorded; those that are out already stay as they are.

    Raises:
        DomainError: no reason is given, or no row.
        Conflict: the batch is recorded already.
    """
    _begin(session, actor, batch, reason)
    if not rows:
        raise DomainError("No row is chosen.", field="rows", expected="at least one row", remedy="Tick the rows to leave out.")
    standing = _standing(session, batch)
    wanted = [place for place in dict.fromkeys(rows) if (*place, None) not in standing]
    made = [_made(session, actor, batch, sheet, row, None, None, None, reason) for sheet, row in wanted]
    session.add_all(made)
    session.flush()
    return made


def take_back(session: Session, actor: Actor, batch: ImportBatch, edits: Sequence[int], *, reason: str = "") -> int:
    """Read the cells as the file has them again, and count the rows again. Returns how many corrections went.

    Raises:
        NotFound: one is none of this batch's.
        Conflict: the batch is recorded already, or somebody took one back before.
    """
    _begin(session, actor, batch, reason or "taken back")
    found = session.scalars(select(ImportEdit).where(ImportEdit.batch_id == batch.id, ImportEdit.id.in_(edits))).all()
    if len(found) != len(set(edits)):
        raise NotFound(f"{batch.audit_label.capitalize()} has no such correction.")
    for edit in found:
        if edit.status is not RecordStatus.ACTIVE:
            raise Conflict(f"The correction of {edit.address} was taken back already.", remedy="Look at the check page again.")
        edit.status = RecordStatus.WITHDRAWN
    session.flush()
    return len(found)


def accept_warnings(session: Session, actor: Actor, batch: ImportBatch, groups: Mapping[str, tuple[int, str]]) -> None:
    """Acknowledge all warnings of some kinds: code → how many there are, and the digest of exactly those."""
    declare(session, actor, "batch:change", project=batch.project_id)
    known = acceptances(session, batch.id)
    for code, (number, digest) in groups.items():
        one = known.get(code)
        if one is not None and one.digest == digest:
            continue
        if one is None:
            one = ImportAcceptance(project_id=batch.project_id, batch_id=batch.id, code=code)
            session.add(one)
        one.number, one.digest, one.accepted_by_id, one.accepted_at = number, digest, actor.id, datetime.now(UTC)
    session.flush()


def require_open(batch: ImportBatch) -> None:
    """Refuse to change how a file is read once it was recorded."""
    if batch.state not in OPEN_STATES:
        raise Conflict(f"Batch {batch.id} is {batch.state.value} already.", remedy="Open its page to see what it recorded.")


def _begin(session: Session, actor: Actor, batch: ImportBatch, reason: str) -> None:
    """Declare the change and wait for whoever is changing, checking or recording the same batch."""
    declare(session, actor, "batch:change", project=batch.project_id, reason=require_reason(reason))
    session.refresh(batch, with_for_update=True)
    require_open(batch)


def _standing(session: Session, batch: ImportBatch) -> dict[tuple[str, int, int | None], ImportEdit]:
    return {(one.sheet, one.row_number, one.column_number): one for one in session.scalars(active_edits(batch.id))}


def _require_seen(before: ImportEdit | None, seen: int | None) -> None:
    if before is not None and seen is not None and before.id > seen:
        who = before.made_by.name if before.made_by else "The command line"
        raise Conflict(
            f'{who} corrected {before.address} to "{before.value or ""}" meanwhile ({before.reason}); nothing of yours was saved.',
            remedy="Look at it again, and correct it once more if it is still wrong.",
        )


def _made(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    sheet: str,
    row: int,
    column: int | None,
    raw: str | None,
    value: str | None,
    reason: str,
) -> ImportEdit:
    cleaned = clean(session, ImportEdit, {"reason": reason}, future=frozenset())
    return ImportEdit(
        project_id=batch.project_id,
        batch_id=batch.id,
        sheet=sheet,
        row_number=row,
        column_number=column,
        raw=raw,
        value=value,
        made_by_id=actor.id,
        made_at=datetime.now(UTC),
        **cleaned,
    )
