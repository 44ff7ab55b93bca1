"""Writes measurements: many at once or one, by the same function, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import repeat
from typing import Any

import orjson
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from lims.audit.bulk import Column, insert_many, reserve_ids, update_many
from lims.audit.canon import canonical, text_of
from lims.audit.record import Actor, declare, field_name
from lims.domain.errors import DomainError
from lims.domain.vocabulary import KIND_BY_CODE, Quality, RecordStatus, VolumeFormula
from lims.models import Measurement
from lims.queries.chunks import in_chunks
from lims.queries.kinds import kinds_of, unknown_kind
from lims.records.endpoints import JUDGED, Touched, judge_new
from lims.records.locked import keep_signed_readings

TABLE: Table = Measurement.__table__  # type: ignore[assignment]  # a mapped class's table is a Table

Reference = tuple[int, str]
"""A record's id and its name, as the audit trail holds references."""

COLUMNS = (
    "id",
    "project_id",
    "animal_id",
    "implant_id",
    "kind",
    "value",
    "length_mm",
    "width_mm",
    "height_mm",
    "formula",
    "taken_on",
    "taken_at",
    "relative_day",
    "study_id",
    "slot",
    "occurrence",
    "quality",
    "quality_reason",
    "operator",
    "device",
    "batch_id",
    "source_sheet",
    "source_row",
    "source_column",
    "raw",
    "status",
    "version",
)


@dataclass(slots=True)
class Readings:
    """Measurements of one kind to record, as columns of equal length; what is the same for all stands once.

    taken_on: ISO dates. taken_at: aware UTC. values in the kind's canonical unit; diameters in mm.
    """

    project: Reference
    kind: str
    animals: Sequence[Reference]
    implants: Sequence[Reference] | None
    values: Sequence[float]
    slots: Sequence[str]
    taken_on: Sequence[str | None]
    taken_at: Sequence[datetime] | None = None
    relative_days: Sequence[float] | None = None
    studies: Sequence[Reference | None] | None = None
    lengths: Sequence[float | None] | None = None
    widths: Sequence[float | None] | None = None
    heights: Sequence[float | None] | None = None
    formula: Sequence[VolumeFormula] | VolumeFormula | None = None
    occurrences: Sequence[int] | int = 1
    qualities: Sequence[Quality] | None = None
    quality_reasons: Sequence[str | None] | None = None
    operators: Sequence[str | None] | None = None
    devices: Sequence[str | None] | None = None
    batch: Reference | None = None
    sheet: str | None = None
    rows: Sequence[int] | None = None
    columns: Sequence[int] | int | None = None
    raw: Sequence[str] | None = None

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.values)


def record_measurements(session: Session, actor: Actor, readings: Readings, *, reason: str = "") -> range:
    """Record readings, each with its own audited change. Returns their ids.

    Raises:
        DomainError: the project knows no such kind.
    """
    declare(session, actor, "measurement:create", reason=reason, project=readings.project[0])
    if not readings.values:
        return range(0)
    if readings.kind not in KIND_BY_CODE and readings.kind not in kinds_of(session, readings.project[0]):
        raise unknown_kind(readings.kind)
    session.flush()
    first = reserve_ids(session, TABLE, len(readings))
    ids = range(first, first + len(readings))
    columns = dict(zip(COLUMNS, _driver_columns(readings, ids, session.get_bind().dialect.name), strict=True))
    insert_many(session, TABLE, columns, ids, readings.project[0], audit_fields(readings))
    if readings.kind in JUDGED:
        animals, kind, days = _ids(readings.animals), repeat(readings.kind), readings.taken_on
        judge_new(session, actor, readings.project[0], set(animals), lambda: zip(animals, kind, days, strict=False))
    return ids


def _ids(references: Sequence[Reference | None] | None) -> Any:
    return repeat(None) if references is None else [one and one[0] for one in references]


def _each(column: Any) -> Any:
    """Give something to iterate: a column as it is, a single value again and again."""
    return column if isinstance(column, (list, tuple, range)) else repeat(column)


def _terms(column: Sequence[StrEnum] | StrEnum | None) -> Any:
    return column and (column.value if isinstance(column, StrEnum) else [term.value for term in column])


def _moments(column: Sequence[datetime] | None, dialect: str) -> Any:
    if column is None:
        return repeat(None)
    # The text form that the column type writes, so that one table has one form.
    pattern = "%Y-%m-%d %H:%M:%S.%f" if dialect == "sqlite" else "%Y-%m-%d %H:%M:%S.%f+00"
    return [moment.strftime(pattern) for moment in column]


def _driver_columns(readings: Readings, ids: range, dialect: str) -> tuple[Column, ...]:
    """Give the values of `COLUMNS`, in their order."""
    return (
        ids,
        repeat(readings.project[0]),
        _ids(readings.animals),
        _ids(readings.implants),
        repeat(readings.kind),
        readings.values,
        _each(readings.lengths),
        _each(readings.widths),
        _each(readings.heights),
        _each(_terms(readings.formula)),
        readings.taken_on,
        _moments(readings.taken_at, dialect),
        _each(readings.relative_days),
        _ids(readings.studies),
        readings.slots,
        _each(readings.occurrences),
        _each(_terms(readings.qualities or Quality.OK)),
        _each(readings.quality_reasons),
        _each(readings.operators),
        _each(readings.devices),
        repeat(readings.batch and readings.batch[0]),
        repeat(readings.sheet),
        _each(readings.rows),
        _each(readings.columns),
        _each(readings.raw),
        repeat(RecordStatus.ACTIVE.value),
        repeat(1),
    )


def audit_fields(readings: Readings) -> Iterator[bytes]:
    """Give each reading's `{field: [value]}` as canonical JSON, made as it is asked for: one join a row and no object.

    Raises:
        ValueError: the columns are of different lengths.
    """
    pieces: list[Iterable[bytes]] = []
    # The first field, the animal, is always there; every other one brings its own comma.
    mark, shared = "{", ""
    for name, column in sorted(_audited(readings).items()):
        opening = f'{mark}"{name}":['
        mark = ","
        if not isinstance(column, (list, range)):
            shared += f"{opening}{_told(column)}]"
            continue
        if len(column) != len(readings):
            raise ValueError(f"{len(column)} of {name} for {len(readings)} readings")
        pieces.append(_column_told(column, shared.encode(), opening.encode()))
        shared = ""
    return map(b"".join, zip(*pieces, repeat(f"{shared}}}".encode()), strict=False))


def _column_told(column: Sequence[Any], before: bytes, opening: bytes) -> Iterable[bytes]:
    """Give a column's values as the trail's JSON, `before` and `opening` ahead of each; equal values are written once.

    Of what is not known `before` alone remains.
    """
    types: set[type] = {int} if isinstance(column, range) else set(map(type, column))
    head = before + opening
    if types == {int}:
        return map((head.replace(b"%", b"%%") + b"%d]").__mod__, column)
    distinct = list(set(column) - {None})
    types.discard(type(None))
    told: dict[Any, bytes]
    if types == {str}:
        # Within JSON's text every quote has a backslash before it, so `","` stands between two texts only.
        texts = orjson.dumps(distinct)[2:-2].split(b'","')
        told = {one: b'%b"%b"]' % (head, text) for one, text in zip(distinct, texts, strict=True)}
    elif types == {float}:
        # As `text_of` says: adding 0.0 turns -0.0 into 0.0.
        told = {one: b'%b"%a"]' % (head, one + 0.0) for one in distinct}
    else:
        told = {one: b"%b%b]" % (head, _told(one).encode()) for one in distinct}
    told[None] = before
    return map(told.__getitem__, column)


def _audited(readings: Readings) -> dict[str, Any]:
    """Give field name → column (a list or range), or the one value that all share; what is not known is left out."""
    fields = {
        "animal": readings.animals,
        "batch": readings.batch,
        "device": readings.devices,
        "formula": readings.formula,
        "height_mm": readings.heights,
        "implant": readings.implants,
        "kind": readings.kind,
        "length_mm": readings.lengths,
        "occurrence": readings.occurrences,
        "operator": readings.operators,
        "project": readings.project,
        "quality": readings.qualities or Quality.OK,
        "quality_reason": readings.quality_reasons,
        "raw": readings.raw,
        "relative_day": readings.relative_days,
        "source_column": readings.columns,
        "source_row": readings.rows,
        "source_sheet": readings.sheet,
        "status": RecordStatus.ACTIVE,
        "study": readings.studies,
        "taken_at": readings.taken_at,
        "taken_on": readings.taken_on,
        "value": readings.values,
        "width_mm": readings.widths,
    }
    return {name: column for name, column in fields.items() if column is not None}


def _told(value: Any) -> str:
    """Give a value as the trail's JSON: a reference as `[id, name]`, anything else as `text_of` says."""
    return canonical(list(value) if isinstance(value, tuple) else text_of(value))


@dataclass(frozen=True, slots=True)
class Correction:
    """A new value for a measurement that is recorded, with the source it comes from."""

    id: int
    fields: dict[str, tuple[Any, Any]]
    """column → (old, new), as the driver takes them; references stay as they are."""


def correct_measurements(
    session: Session, actor: Actor, project_id: int, corrections: Sequence[Correction], *, reason: str
) -> None:
    """Replace values of recorded measurements; the old ones stay in the trail.

    Raises:
        DomainError: no reason is given, or a locked study counts one of them.
    """
    if not reason.strip():
        raise DomainError("A correction needs a reason.", field="reason", expected="why the value was wrong")
    declare(session, actor, "measurement:change", reason=reason, project=project_id)
    keep_signed_readings(session, project_id, [one.id for one in corrections])
    by_columns: dict[tuple[str, ...], list[Correction]] = {}
    for one in corrections:
        by_columns.setdefault(tuple(sorted(one.fields)), []).append(one)
    for columns, some in by_columns.items():
        update_many(
            session,
            TABLE,
            columns,
            [tuple(one.fields[column][1] for column in columns) for one in some],
            [one.id for one in some],
            project_id,
            [
                canonical({field_name(column): [text_of(old), text_of(new)] for column, (old, new) in one.fields.items()})
                for one in some
            ],
        )
    touched = list(_corrected(session, corrections))
    judge_new(session, actor, project_id, {animal for animal, *_ in touched}, lambda: touched)


def _corrected(session: Session, corrections: Sequence[Correction]) -> Iterator[Touched]:
    """Give the days that corrections touch; that of a reading whose date moves is touched too."""
    ids = [one.id for one in corrections]
    columns = select(TABLE.c.id, TABLE.c.animal_id, TABLE.c.kind, TABLE.c.taken_on)
    before = {one.id: one.fields["taken_on"][0] for one in corrections if "taken_on" in one.fields}
    for key, *now in in_chunks(session, ids, lambda some: columns.where(TABLE.c.id.in_(some))):
        animal, kind, on = now
        yield animal, kind, on
        if key in before:
            yield animal, kind, before[key]


def withdraw_measurements(session: Session, actor: Actor, project_id: int, ids: Sequence[int], *, reason: str) -> None:
    """Take measurements out of every count; they stay readable.

    Raises:
        DomainError: no reason is given, or a locked study counts one of them.
    """
    withdrawn = {"status": (RecordStatus.ACTIVE.value, RecordStatus.WITHDRAWN.value)}
    correct_measurements(session, actor, project_id, [Correction(key, withdrawn) for key in ids], reason=reason)
