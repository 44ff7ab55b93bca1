"""Reads the lines of a file's records into values by column, and finds the record that each one meets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from importers.base import Finding, Records, Severity
from lims.audit.words import entity_word, plural
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus, RowFate
from lims.intake.entries import Entries
from lims.intake.record_nouns import FileNoun, Values, target_of
from lims.intake.record_values import Unread, typed
from lims.intake.resolve_records import find
from lims.models import Base
from lims.queries.chunks import in_chunks
from lims.records.references import refers_to
from lims.records.values import clean, word

Lines = Sequence[int]
"""Entries of one block that are worked on together, by their place in it."""


class UnknownReference(DomainError):
    """No record of the project has this name; a person may say which one is meant. `field`: of the file."""


@dataclass(slots=True)
class PlannedRecords(Entries):
    """The records of one noun from one sheet, with what becomes of each.

    rows: values by column. standing: entry → the record that is there already; keys: its number. told: entry → column → what
    changes, as people read it: (old, new). made: entry → the number of the record that it became, or changed.
    names: entry → what it refers to, by field: the name in the file, and the number of a record that was there before.
    unknown: what nobody knows and no cell of a line says by itself, such as the specimen of an image → the entries of it.
    """

    records: Records
    sheet: str
    kind: FileNoun
    rows: list[Values]
    fates: dict[int, RowFate] = field(default_factory=dict)
    standing: dict[int, Any] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    told: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)
    names: dict[int, dict[str, tuple[str, int | None]]] = field(default_factory=dict)
    made: dict[int, int] = field(default_factory=dict)
    unknown: dict[tuple[str, str], tuple[UnknownReference, list[int]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def source(self) -> Any:
        """Give the columns as the importer read them."""
        return self.records

    @property
    def title(self) -> str:
        """Name the noun."""
        told = self.kind.noun.word
        return told[0].upper() + told[1:]

    def column(self, index: int) -> int:
        """Give the sheet's column of one entry."""
        of = self.records.column
        return of if isinstance(of, int) else of[index]

    def name(self, index: int) -> str:
        """Name an entry by the code that the file gives it, or by what its key refers to."""
        names = [name.removesuffix("_id") for name in self.kind.key]
        said = [self.records.fields[name][index] for name in names if name in self.records.fields]
        return " ".join(str(getattr(one, "value", one)) for one in said if one is not None) or f"row {self.records.rows[index]}"

    def field_of(self, column: str | None) -> str | None:
        """Give the file's field that a column of the table comes from."""
        told = None if column is None else column.removesuffix("_id")
        found = next((one for one in (column, told) if one in self.records.fields), None)
        if found is None and column is not None:
            found = next((name for name in self.kind.beside if name in self.records.fields and column.startswith("box_")), None)
        return found

    def tell(
        self, index: int, severity: Severity, code: str, refused: DomainError, option: str | None = None, also: Lines = ()
    ) -> None:
        """Say something about one entry, at the cell of the field that it is about; it stands for those of `also`."""
        named = self.field_of(refused.field)
        value = self.records.fields[named][index] if named else None
        told = self.finding(
            index,
            severity,
            code,
            str(refused),
            value=self.records.raw[index] if value is None else str(getattr(value, "value", value)),
            expected=refused.expected,
            remedy=refused.remedy or ("Correct the file, or what is recorded." if severity is Severity.ERROR else None),
            source=refused.source,
            option=option,
            also=((self.sheet, tuple(self.records.rows[one] for one in also)),) if also else (),
        )
        self.findings.append(replace(told, column=self.records.columns.get(named or "", told.column)))

    def refuse_all(self, index: int, refused: Iterable[DomainError], code: str | None = None) -> None:
        """Keep one entry from being recorded, for each of these reasons."""
        self.fates[index] = RowFate.REFUSED
        for one in refused:
            about = one.field if isinstance(one, UnknownReference) else None
            if isinstance(one, UnknownReference) and about and about not in self.records.columns:
                self.unknown.setdefault((about, str(one)), (one, []))[1].append(index)
                continue
            own = f"{about}-unknown" if about else f"{self.kind.noun.name}-refused"
            self.tell(index, Severity.ERROR, code or own, one)

    def tell_unknown(self) -> None:
        """Say once of each name nobody knows, at the first entry of it, how many wait for it."""
        for (about, said), (one, indices) in self.unknown.items():
            waiting = f"; {len(indices):,} {plural(self.kind.noun.word)} of the file are of it." if len(indices) > 1 else "."
            told = DomainError(f"{said.rstrip('.')}{waiting}", field=one.field, expected=one.expected, remedy=one.remedy)
            self.tell(indices[0], Severity.ERROR, f"{about}-unknown", told, also=indices)

    def open(self, lines: Iterable[int]) -> list[int]:
        """Give those of these entries of which nothing is decided yet."""
        return [index for index in lines if index not in self.fates]


@dataclass(slots=True)
class Reader:
    """Reads the lines of a file into values by column. made: table → numbers of the records that earlier lines made."""

    session: Session
    project_id: int
    zone: ZoneInfo
    made: Mapping[str, set[int]]

    def read(self, planned: PlannedRecords, lines: Lines) -> None:
        """Give each line its values by column; a line with one that cannot be read, or that refers to nothing, is refused."""
        records, kind = planned.records, planned.kind
        refused: dict[int, list[DomainError]] = defaultdict(list)
        for name in sorted(records.fields, key=lambda name: self._narrowed(kind, name)):
            cells = [records.fields[name][index] for index in lines]
            if name in kind.beside:
                _read_beside(planned, name, zip(lines, cells, strict=True), refused)
                continue
            column = kind.column_of(name) or context_of(kind, name)
            model = _referred(kind, column)
            if model is not None:
                values = self._references(planned, model, lines, cells, refused, name)
            else:
                values = typed(kind.table.columns[column], cells, self.zone)
            for index, value in zip(lines, values, strict=True):
                if isinstance(value, Unread):
                    refused[index].append(_unread(kind, column, records.fields[name][index], value))
                else:
                    planned.rows[index][column] = value
        for index in lines:
            if index in refused:
                planned.refuse_all(index, refused[index])
            else:
                self._clean(planned, index)

    @staticmethod
    def _narrowed(kind: FileNoun, name: str) -> bool:
        """Read names that stand within another record after those of that record."""
        column = kind.column_of(name)
        model = _referred(kind, column) if column else None
        return model is not None and target_of(model).within is not None

    def _references(
        self,
        planned: PlannedRecords,
        model: type[Base],
        lines: Lines,
        cells: Sequence[Any],
        refused: dict[int, list[DomainError]],
        name: str,
    ) -> list[Any]:
        target = target_of(model)
        keys = [
            None
            if cell is None or not str(cell).strip()
            else (planned.rows[index].get(target.within) if target.within else None, target.plain(_named(cell)))
            for index, cell in zip(lines, cells, strict=True)
        ]
        found = find(self.session, self.project_id, model, list({key for key in keys if key is not None}))
        ids: list[int | None] = []
        made = self.made.get(str(model.__tablename__), ())
        for index, cell, key in zip(lines, cells, keys, strict=True):
            ids.append(None if key is None else found.ids.get(key))
            if ids[-1] is not None:
                planned.names.setdefault(index, {})[name] = (_named(cell), None if ids[-1] in made else ids[-1])
            within_unknown = target.within is not None and index in refused
            if key is not None and ids[-1] is None and not within_unknown:
                refused[index].append(_unknown(planned.kind, model, name, _named(cell), several=key in found.several))
        return ids

    def _clean(self, planned: PlannedRecords, index: int) -> None:
        """Bring one line's values to the form in which they are kept; all that do not fit are told."""
        kind, row = planned.kind, planned.rows[index]
        own = {name: value for name, value in row.items() if name in kind.noun.columns}
        blank = [name for name, value in own.items() if value is None]
        said = {name: value for name, value in own.items() if value is not None}
        try:
            row_read = clean(self.session, kind.noun.model, said, future=kind.noun.future)
        except DomainError:
            row_read, problems = {}, []
            for name, value in said.items():
                try:
                    row_read |= clean(self.session, kind.noun.model, {name: value}, future=kind.noun.future)
                except DomainError as problem:
                    problems.append(problem)
            planned.refuse_all(index, problems)
        kind.prepare(row_read)
        # What a blank of our own export takes away of a column that always says something is what it says by itself.
        cleared = planned.records.blank_clears
        planned.rows[index] = row_read | {name: default_of(kind.table, name) if cleared else None for name in blank}


def default_of(table: Table, name: str) -> Any:
    """Give what a column that is never blank says where nothing else is said; nothing for all others."""
    default = None if table.columns[name].nullable else table.columns[name].default
    return None if default is None else default.arg  # type: ignore[attr-defined]  # constants only


def context_of(kind: FileNoun, name: str) -> str:
    """Give the column of a field that only narrows another one, such as the study of an arm."""
    narrowing = {target_of(model).within for model in (_referred(kind, one) for one in kind.noun.columns) if model is not None}
    if f"{name}_id" not in narrowing:
        raise TypeError(f"{kind.noun.name} has no field {name}")
    return f"{name}_id"


def _referred(kind: FileNoun, column: str) -> type[Base] | None:
    """Give the table that a column refers to; nothing where it refers to none."""
    if column in kind.table.columns:
        return refers_to(kind.noun.model, column) if kind.table.columns[column].foreign_keys else None
    for own in kind.noun.columns:
        model = _referred(kind, own)
        if model is not None and target_of(model).within == column:
            return refers_to(model, column)
    return None


def _named(cell: Any) -> str:
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell).strip()


def _unread(kind: FileNoun, column: str, value: Any, unread: Unread) -> DomainError:
    told = word(kind.noun.model, column)
    return DomainError(
        f'{told[0].upper()}{told[1:]} "{value}" {unread.reason}.',
        field=column,
        expected=unread.expected,
        remedy="Correct the cell.",
    )


def _unknown(kind: FileNoun, model: type[Base], name: str, said: str, *, several: bool) -> DomainError:
    what = entity_word(str(model.__tablename__))
    target = target_of(model)
    if several:
        told = f'More than one {what} is called "{said}".'
        expected = "one record, named so that no other has the name"
    else:
        told, expected = f'There is no {what} "{said}" in this project.', f"the {' or '.join(target.names)} of a recorded {what}"
    if target.within is not None:
        expected += f", together with its {entity_word(target.within.removesuffix('_id'))}"
    if several:
        return DomainError(told, field=name, expected=expected, remedy="Name it so that only one can be meant.")
    remedy = f"Say which one it is, correct the name, or record the {what} first, in this file or before it."
    return UnknownReference(told, field=name, expected=expected, remedy=remedy)


def _read_beside(
    planned: PlannedRecords, name: str, cells: Iterable[tuple[int, Any]], refused: dict[int, list[DomainError]]
) -> None:
    for index, cell in cells:
        try:
            planned.rows[index] |= planned.kind.beside[name](cell)
        except DomainError as problem:
            refused[index].append(problem)


# What is recorded already


def meet(session: Session, project_id: int, planned: PlannedRecords, lines: Lines) -> None:
    """Find the record that each line is about: by the number that our own export gave it, by its code, or by its natural key."""
    numbers = planned.records.known or ()
    known = {index: number for index in planned.open(lines) if numbers and (number := numbers[index]) is not None}
    model: Any = planned.kind.noun.model
    mine = select(model).where(model.project_id == project_id)
    there = {one.id: one for (one,) in in_chunks(session, sorted(set(known.values())), lambda some: mine.where(model.id.in_(some)))}
    for index, number in known.items():
        one = there.get(number)
        if one is None or one.status is RecordStatus.WITHDRAWN:
            planned.refuse_all(index, [_gone(planned, number, withdrawn=one is not None)], "record-gone")
            planned.fates[index] = RowFate.CONFLICTING
        else:
            planned.standing[index], planned.keys[index] = one, one.id
    rest = [index for index in planned.open(lines) if index not in known]
    if planned.kind.key:
        _meet_by_key(session, mine, planned, rest)


def _gone(planned: PlannedRecords, number: int, *, withdrawn: bool) -> DomainError:
    what = planned.kind.noun.word
    told = "was withdrawn since this file was exported" if withdrawn else "is not in this project"
    return DomainError(
        f"{what[0].upper()}{what[1:]} #{number} {told}.",
        expected=f"a {what} of this project that is not withdrawn",
        remedy="Leave the row out, or bring the record back first.",
    )


def _meet_by_key(session: Session, mine: Any, planned: PlannedRecords, lines: Lines) -> None:
    model: Any = planned.kind.noun.model
    keys = {index: key_of(planned, index) for index in lines}
    first = planned.kind.key[0]
    column = getattr(model, first)
    wanted = sorted(
        {planned.rows[index][first] for index, key in keys.items() if key and planned.rows[index].get(first) is not None}
    )
    active = mine.where(model.status == RecordStatus.ACTIVE).order_by(model.id)
    there: dict[tuple[Any, ...], Any] = {}
    for (one,) in in_chunks(session, wanted, lambda some: active.where(column.in_(some))):
        there.setdefault(_key(planned.kind, lambda name: getattr(one, name)), one)  # noqa: B023  # called at once
    for index, key in keys.items():
        if key in there:
            planned.standing[index], planned.keys[index] = there[key], there[key].id
    if planned.kind.moment is not None:
        _meet_without_moment(planned, {index: key for index, key in keys.items() if key and key not in there}, there)


def _meet_without_moment(
    planned: PlannedRecords, keys: Mapping[int, tuple[Any, ...]], there: Mapping[tuple[Any, ...], Any]
) -> None:
    """Let a line meet the only record that agrees in all but the moment, where one of the two says none.

    A blank of our own export would take the moment away, so that a line of it without one is about a record of its own.
    """
    place = planned.kind.key.index(planned.kind.moment or "")
    others: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for known in there:
        others[known[:place] + known[place + 1 :]].append(known)
    met = set(planned.keys.values())
    for index, key in keys.items():
        if key[place] is None and planned.records.blank_clears:
            continue
        meant = [known for known in others[key[:place] + key[place + 1 :]] if key[place] is None or known[place] is None]
        if len(meant) == 1 and there[meant[0]].id not in met:
            planned.standing[index], planned.keys[index] = there[meant[0]], there[meant[0]].id
            met.add(planned.keys[index])


def key_of(planned: PlannedRecords, index: int) -> tuple[Any, ...] | None:
    """Give what tells a line's record from all others; nothing where its code is still to be given."""
    row, table = planned.rows[index], planned.kind.table
    if "code" in planned.kind.key and not row.get("code"):
        return None

    def value(name: str) -> Any:
        said = row.get(name)
        return default_of(table, name) if said is None else said

    return _key(planned.kind, value)


def _key(kind: FileNoun, value: Any) -> tuple[Any, ...]:
    key = tuple(value(name) for name in kind.key)
    return key if key[-1] is not None else (*key, *(value(name) for name in kind.otherwise))


def in_turn(planned: PlannedRecords) -> Iterator[Lines]:
    """Give the lines in turns: one that refers to another of its block comes after it, such as a part after its whole."""
    fields = planned.records.fields
    own = [
        name
        for name in fields
        if (column := planned.kind.column_of(name)) and _referred(planned.kind, column) is planned.kind.noun.model
    ]
    if not own or "code" not in fields:
        yield range(len(planned))
        return
    lines_of = {str(code).strip(): index for index, code in enumerate(fields["code"]) if code is not None}
    left = dict.fromkeys(range(len(planned)))
    waits = {index: {lines_of.get(str(fields[name][index]).strip()) for name in own} - {None, index} for index in left}
    while left:
        turn = [index for index in left if not waits[index] & left.keys()] or list(left)
        yield turn
        for index in turn:
            del left[index]
