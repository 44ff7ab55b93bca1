"""Exports the trail: CSV, xlsx and JSON Lines, streamed, with the filters that an auditor asks for."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import IO, Any, Literal

import orjson
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from lims.audit.canon import text_of
from lims.audit.record import Actor, declare
from lims.audit.words import value_text
from lims.domain.formulas import harmless
from lims.models import Arm, AuditChange, AuditCheckpoint, AuditEvent, Enrolment, Implant, ImportBatch, Measurement

Format = Literal["csv", "jsonl", "xlsx"]

HEADER = ("event", "time (UTC)", "person", "origin", "action", "reason", "entity", "record", "field", "old", "new")
XLSX_ROWS = 1_048_576
NO_ACCOUNT = 0
CHUNK = 5_000


class ExportTooLong(ValueError):
    """More rows than the format can hold."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which part of the trail: all that is given must hold. Times are UTC; `until` is not included."""

    project: int | None = None
    study: int | None = None
    entity: str | None = None
    key: int | None = None
    person: int | None = None
    """An account's id; `NO_ACCOUNT` for what was done without one, on the command line."""
    since: datetime | None = None
    until: datetime | None = None
    action: str | None = None
    reason: str | None = None
    """Text that the reason contains, in whatever case."""
    after: int | None = None
    """Only events with a greater number."""

    def told(self) -> dict[str, Any]:
        """Give what is filtered by, as the trail holds it."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: text_of(value) for name, value in given.items() if value is not None}


ALL = Filters()


def export(session: Session, form: Format, destination: IO[bytes], filters: Filters = ALL) -> int:
    """Write the trail to a stream in constant memory.

    CSV and xlsx have one row a changed field (and one for an event that changed no record), JSON Lines one object an
    event with its changes. The newest checkpoint is the last line of JSON Lines and the second sheet of xlsx; a CSV has
    no room for it.

    Returns:
        The number of rows (CSV, xlsx) or of events (JSON Lines) written.

    Raises:
        ExportTooLong: the rows do not fit a worksheet.
    """
    return _WRITERS[form](session, destination, filters)


def record_export(session: Session, actor: Actor, form: str, filters: Filters, rows: int) -> None:
    """Make the export itself an event of the trail."""
    detail = {"format": form, "filters": filters.told(), "rows": rows}
    declare(session, actor, "audit:export", project=filters.project, detail=detail)


def count_changes(session: Session, filters: Filters = ALL) -> int:
    """Count the changes that an export with these filters holds."""
    return session.scalar(select(func.count()).select_from(_changes(filters).subquery())) or 0


def newest_checkpoint(session: Session) -> str | None:
    """Give the note of the newest checkpoint."""
    return session.scalar(select(AuditCheckpoint.note).order_by(AuditCheckpoint.id.desc()).limit(1))


def event_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Give what holds for an event."""
    pairs: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (filters.person, lambda person: AuditEvent.actor_id == (None if person == NO_ACCOUNT else person)),
        (filters.since, lambda since: AuditEvent.at >= _moment(since)),
        (filters.until, lambda until: AuditEvent.at < _moment(until)),
        (filters.action, lambda action: AuditEvent.action == action),
        (filters.reason, lambda reason: AuditEvent.reason.icontains(reason, autoescape=True)),
        (filters.after, lambda after: AuditEvent.seq > after),
    ]
    return [condition(value) for value, condition in pairs if value is not None]


def _moment(moment: datetime) -> str:
    """Write a moment with all its digits, as events do, so that text compares as time does."""
    return str(text_of(moment.replace(microsecond=0))).removesuffix("Z") + f".{moment.microsecond:06d}Z"


def _record_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Give what holds for a change."""
    conditions: list[ColumnElement[bool]] = []
    if filters.project is not None:
        conditions.append(AuditChange.project_id == filters.project)
    if filters.study is not None:
        conditions.append(_of_study(filters.study))
    if filters.entity is not None:
        conditions.append(AuditChange.entity == filters.entity)
    if filters.key is not None:
        conditions.append(AuditChange.key == filters.key)
    return conditions


def _of_study(study: int) -> ColumnElement[bool]:
    """A study's records: itself, arms, enrolments, imports, and animals, tumours and measurements of who is enrolled."""
    animals = select(Enrolment.animal_id).where(Enrolment.study_id == study)
    of: dict[str, Select[int]] = {
        "arm": select(Arm.id).where(Arm.study_id == study),
        "enrolment": select(Enrolment.id).where(Enrolment.study_id == study),
        "animal": animals,
        "implant": select(Implant.id).where(Implant.animal_id.in_(animals)),
        "import_batch": select(ImportBatch.id).where(ImportBatch.study_id == study),
        "measurement": select(Measurement.id).where(or_(Measurement.study_id == study, Measurement.animal_id.in_(animals))),
    }
    parts = [(AuditChange.entity == entity) & AuditChange.key.in_(keys) for entity, keys in of.items()]
    return or_((AuditChange.entity == "study") & (AuditChange.key == study), *parts)


def _changes(filters: Filters) -> Select[int, int]:
    joined = select(AuditChange.event_seq, AuditChange.position).join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
    return joined.where(*event_conditions(filters), *_record_conditions(filters))


def _rows(session: Session, filters: Filters) -> Iterator[Any]:
    """Give the joined rows in order, lists of some thousand: event columns, then entity, key and fields (or nulls)."""
    event = (AuditEvent.seq, AuditEvent.at, AuditEvent.actor, AuditEvent.origin, AuditEvent.action, AuditEvent.reason)
    of_record = _record_conditions(filters)
    # An event without changes (a sign-in) belongs to the whole trail or to its project, never to one record.
    lone = AuditEvent.changes == 0
    if filters.project is not None:
        lone &= AuditEvent.project_id == filters.project
    keeps_lone = filters.study is None and filters.entity is None and filters.key is None
    wanted = (or_(_all(of_record), lone) if keeps_lone else _all(of_record)) if of_record else None
    statement = (
        select(*event, AuditEvent.detail, AuditChange.position, AuditChange.entity, AuditChange.key, AuditChange.fields)
        .join(AuditChange, AuditChange.event_seq == AuditEvent.seq, isouter=True)
        .where(*event_conditions(filters), *([] if wanted is None else [wanted]))
        .order_by(AuditEvent.seq, AuditChange.position)
    )
    result = session.connection().execute(statement, execution_options={"stream_results": True, "max_row_buffer": CHUNK})
    return result.partitions(CHUNK)


def _all(conditions: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    joined, *others = conditions
    for one in others:
        joined &= one
    return joined


def _field_rows(session: Session, filters: Filters, guard: Callable[[Any], Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Give one row a changed field, some thousand at a time, each text passed through `guard`."""
    loads = orjson.loads
    head_of: tuple[Any, ...] = ()
    for rows in _rows(session, filters):
        told: list[tuple[Any, ...]] = []
        for seq, at, person, origin, action, reason, _detail, _position, entity, key, changed in rows:
            if not head_of or head_of[0] != seq:
                head_of = (seq, at, guard(person), guard(origin), action, guard(reason))
            if entity is None:
                told.append((*head_of, "", "", "", "", ""))
                continue
            told += [
                # As `canon.sides` says; a call for each field would take as long again.
                (*head_of, entity, key, field, guard(_cell(told[0] if len(told) == 2 else None)), guard(_cell(told[-1])))
                for field, told in loads(changed).items()
            ]
        yield told


def _cell(value: Any) -> Any:
    # What a field was before its record was made is empty, not the words "not set".
    return value if isinstance(value, str) else "" if value is None else value_text(value)


def _for_csv(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def _write_csv(session: Session, destination: IO[bytes], filters: Filters) -> int:
    text = io.TextIOWrapper(destination, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text)
        writer.writerow(HEADER)
        count = 0
        for rows in _field_rows(session, filters, _for_csv):
            writer.writerows(rows)
            count += len(rows)
        return count
    finally:
        text.flush()
        # The stream belongs to the caller.
        text.detach()


def _write_jsonl(session: Session, destination: IO[bytes], filters: Filters) -> int:
    """Write one event a line. The changes' text is canonical JSON already and goes in as it is."""
    count, last, begun = 0, None, False
    for rows in _rows(session, filters):
        pieces: list[str] = []
        for seq, at, person, origin, action, reason, detail, _position, entity, key, changed in rows:
            if seq != last:
                head = {"event": seq, "time": at, "person": person, "origin": origin, "action": action, "reason": reason}
                end = "" if last is None else "]}\n"
                pieces.append(f'{end}{orjson.dumps(head).decode()[:-1]},"detail":{detail},"changes":[')
                last, count, begun = seq, count + 1, False
            if entity is not None:
                pieces.append(f'{"," if begun else ""}{{"entity":"{entity}","record":{key},"fields":{changed}}}')
                begun = True
        destination.write("".join(pieces).encode())
    if last is not None:
        destination.write(b"]}\n")
    note = newest_checkpoint(session)
    if note is not None:
        destination.write(orjson.dumps({"checkpoint": note}) + b"\n")
    return count


def _write_xlsx(session: Session, destination: IO[bytes], filters: Filters) -> int:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Audit trail")

    sheet.append(HEADER)
    count = 0
    for rows in _field_rows(session, filters, _printable):
        count += len(rows)
        if count >= XLSX_ROWS:
            raise ExportTooLong(f"a worksheet holds {XLSX_ROWS:,} rows and this part of the trail has more; narrow it or take CSV")
        for row in rows:
            sheet.append([_as_text(sheet, value) for value in row])
    second = book.create_sheet("Checkpoint")
    for line in (newest_checkpoint(session) or "No checkpoint has been made yet.").splitlines():
        second.append([_as_text(second, line)])
    book.save(destination)
    return count


def _printable(value: Any) -> Any:
    return _ILLEGAL.sub("\ufffd", value) if isinstance(value, str) else value


def _as_text(sheet: Any, value: Any) -> Any:
    """Make text a text cell, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return value
    written = WriteOnlyCell(sheet, value=value)
    written.data_type = "s"
    return written


_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML cannot hold."""

_WRITERS: dict[Format, Callable[[Session, IO[bytes], Filters], int]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "xlsx": _write_xlsx,
}
