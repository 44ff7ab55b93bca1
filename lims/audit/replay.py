"""Replays the trail: the log rebuilt must equal the live tables, record by record and field by field.

Two streams in order of key, the log's changes and the live rows, are cut into windows of the same keys. Most records have
one change, whose text must be what the live row gives (`lims.audit.expected`): texts are compared, a column at a time.
Where they differ, and where a record has several changes, the changes are parsed, followed and compared field by field.
In memory are two windows and, whole, the changes of the one record that has most.
"""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection, text

from lims.audit.entities import AuditedColumn, Entity, Kind, entities, live_texts, same
from lims.audit.expected import Expected
from lims.audit.problems import Problem, Progress, Report
from lims.audit.words import field_word, record_name, value_text

CHUNK = 2_000
"""Records compared at a time: few enough to stay in the processor's cache."""

Row = tuple[Any, ...]
"""As the driver gives it. Of the log: key, event, position, fields; of a table: id and the audited columns."""

State = dict[str, Any]
"""What each field is, as the trail tells it."""

_KEY = itemgetter(0)
_PLACE = itemgetter(0, 1, 2)
_CURSORS = count(1)


def replay(connection: Connection, report: Report, progress: Progress | None = None) -> None:
    """Compare every audited table with the log; adds what differs to the report."""
    _unknown_tables(connection, report)
    for entity in entities().values():
        _Replay(connection, entity, report).run(progress)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cycle collector: a million parsed changes are no cycles, and looking for some doubles the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def stream(
    connection: Connection, statement: Any, parameters: dict[str, Any] | None = None, size: int = CHUNK
) -> Iterator[Sequence[Any]]:
    """Run a query without holding its result: gives lists of up to `size` rows."""
    result = connection.execute(statement, parameters or {}, execution_options={"stream_results": True, "max_row_buffer": size})
    yield from result.partitions(size)


def plain_rows(connection: Connection, statement: str, size: int = CHUNK) -> Iterator[list[Row]]:
    """Run SQL without parameters straight on the driver, in the running transaction: gives lists of up to `size` tuples.

    What `stream` gives are SQLAlchemy's rows, which take as long again as reading them.
    """
    driver: Any = connection.connection.driver_connection
    # On PostgreSQL only a named cursor leaves the result on the server.
    named = {"name": f"audit_{next(_CURSORS)}"} if connection.dialect.name == "postgresql" else {}
    with closing(driver.cursor(**named)) as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(size):
            yield rows


def _unknown_tables(connection: Connection, report: Report) -> None:
    for entity, changes in connection.execute(text("SELECT entity, count(*) FROM audit_change GROUP BY entity ORDER BY entity")):
        if entity not in entities():
            sentence = f"The trail holds {changes} changes of {entity!r}, which is no table of this system."
            report.add(Problem("unknown table", sentence, entity=entity))


def _windows(log: Iterator[list[Row]], live: Iterator[list[Row]]) -> Iterator[tuple[list[Row], list[Row]]]:
    """Cut two streams in order of key into windows that hold, of both, everything of the same range of keys."""
    changes: list[Row] = []
    rows: list[Row] = []
    more_changes = more_rows = True
    while more_changes or more_rows or changes or rows:
        # The last key's later changes may come with the next chunk: a window ends before it, so there must be another key.
        while more_changes and (len(changes) < CHUNK or changes[0][0] == changes[-1][0]):
            chunk = next(log, [])
            more_changes = bool(chunk)
            changes += chunk
        if more_rows and len(rows) < CHUNK:
            chunk = next(live, [])
            more_rows = bool(chunk)
            rows += chunk
        ends = [changes[-1][0]] if more_changes else []
        if more_rows:
            ends.append(rows[-1][0] + 1)
        end = min(ends, default=None)
        of_changes = len(changes) if end is None else bisect_left(changes, end, key=_KEY)
        of_rows = len(rows) if end is None else bisect_left(rows, end, key=_KEY)
        yield changes[:of_changes], rows[:of_rows]
        del changes[:of_changes], rows[:of_rows]


class _Replay:
    """One table against its part of the log."""

    def __init__(self, connection: Connection, entity: Entity, report: Report) -> None:
        self.connection, self.entity, self.report = connection, entity, report
        self.expected = Expected(entity)
        self.references = {column.field for column in entity.columns if column.kind is Kind.REFERENCE}
        self.keys: list[int] = []
        self.states: list[State] = []
        self.rows: list[Row] = []

    def run(self, progress: Progress | None) -> None:
        """Compare window by window."""
        log = plain_rows(
            self.connection,
            f"SELECT key, event_seq, position, fields FROM audit_change WHERE entity = '{self.entity.table}' "  # noqa: S608  # the name of a mapped table
            "ORDER BY key",
            CHUNK,
        )
        live = plain_rows(self.connection, self.entity.select(self.connection.dialect.name), CHUNK)
        for changes, rows in _windows(log, live):
            self._compare(changes, rows)
            self.report.records += len(rows)
            if progress:
                progress(self.entity.table, self.report.records)

    def _compare(self, changes: list[Row], rows: list[Row]) -> None:
        keys, live = [change[0] for change in changes], [row[0] for row in rows]
        if keys != live:
            there = set(live)
            single = {key for key, number in Counter(keys).items() if number == 1 and key in there}
            self._compare_parsed([one for one in changes if one[0] not in single], [one for one in rows if one[0] not in single])
            changes, rows = [one for one in changes if one[0] in single], [one for one in rows if one[0] in single]
        if rows:
            self._compare_texts(changes, rows)

    def _compare_texts(self, changes: list[Row], rows: list[Row]) -> None:
        """Compare records of one change each, in the same order."""
        told = [change[3] for change in changes]
        try:
            expected = self.expected.texts(rows, told)
        except TypeError:
            # Somebody put bytes or such into a table, which the trail has no text for.
            self._compare_parsed(changes, rows)
            return
        if expected != told:
            differing = [index for index, (one, other) in enumerate(zip(expected, told, strict=True)) if one != other]
            changed, found = [changes[index] for index in differing], [rows[index] for index in differing]
            self.expected.forget(found)
            self._compare_parsed(changed, found)

    def _compare_parsed(self, changes: Iterable[Row], rows: Iterable[Row]) -> None:
        """Follow each record's changes, and compare by fields what they come to."""
        # Few records have several changes: the database need not sort within each.
        states = self._followed(sorted(changes, key=_PLACE))
        for row in rows:
            state = states.pop(row[0], None)
            if state is None:
                self._unlogged(row[0], row)
                continue
            self.keys.append(row[0])
            self.states.append(state)
            self.rows.append(row)
        for key, state in states.items():
            self._vanished(key, state)
        if self.keys:
            self._compare_columns()
        self.keys, self.states, self.rows = [], [], []

    def _followed(self, changes: Iterable[Row]) -> dict[int, State]:
        loads, dumps, sort = orjson.loads, orjson.dumps, orjson.OPT_SORT_KEYS
        states: dict[int, State] = {}
        for key, seq, position, fields in changes:
            try:
                change = loads(fields)
                if dumps(change, option=sort).decode() != fields:
                    self._unreadable(key, seq, position, "is not in the canonical form")
            except orjson.JSONDecodeError:
                self._unreadable(key, seq, position, "is no JSON")
                change = {}
            if key in states:
                self._follow(key, seq, position, states[key], change)
            else:
                states[key] = self._begin(key, seq, position, change)
        return states

    def _begin(self, key: int, seq: int, position: int, change: Any) -> State:
        """Take a record's first change: it must have made it, for nothing in the trail had set anything before."""
        state: State = {}
        for field, told in self._formed(key, seq, position, change):
            if len(told) != 1:
                said = f"{value_text(told[0])} before, but nothing in the trail had set it"
                self._broken_history(key, seq, position, field, said, None, told[0])
            state[field] = told[-1]
        return state

    def _follow(self, key: int, seq: int, position: int, state: State, change: Any) -> None:
        """Apply a later change of a record: what it calls the old value must be what the log had made of it."""
        for field, told in self._formed(key, seq, position, change):
            before, old = state.get(field), told[0]
            known, said = (_id(before), _id(old)) if field in self.references else (before, old)
            if len(told) == 1:
                self._broken_history(key, seq, position, field, "made then, but it was there already", before, old)
            elif known != said:
                sentence = f"{value_text(old)} before, but the trail had left it at {value_text(before)}"
                self._broken_history(key, seq, position, field, sentence, before, old)
            state[field] = told[-1]

    def _formed(self, key: int, seq: int, position: int, change: Any) -> Iterator[tuple[str, list[Any]]]:
        """Give what a change says of each field; names what is not of its form, and leaves it out."""
        if not isinstance(change, dict):
            self._unreadable(key, seq, position, "is not of the form {field: [old, new]}")
            return
        for field, told in change.items():
            formed = isinstance(told, list) and len(told) in (1, 2)
            if formed and field in self.references:
                formed = all(one is None or (isinstance(one, list) and one) for one in told)
            if formed:
                yield field, told
            else:
                sentence = f"{record_name(self.entity.table, key)}, {field}: the trail holds {told!r} where [old, new] belongs."
                self._add("malformed change", sentence, key, field, event=seq, position=position)

    def _compare_columns(self) -> None:
        for column, values in zip(self.entity.columns, list(zip(*self.rows, strict=True))[1:], strict=True):
            logged = [state.get(column.field) for state in self.states]
            if column.kind is Kind.REFERENCE:
                logged = [one if one is None else one[0] for one in logged]
            live = live_texts(column.kind, values)
            if logged != live:
                self._check_values(column, logged, live)

    def _check_values(self, column: AuditedColumn, logged: list[Any], live: list[Any]) -> None:
        for index, (said, found) in enumerate(zip(logged, live, strict=True)):
            if not same(column.kind, said, found):
                key, state = self.keys[index], self.states[index]
                event = self._event_of(key, column.field)
                by = f"event {event}" if event else "no event sets it"
                word = field_word(self.entity.table, column.field, state.get("kind"))
                sentence = f"{self._name(key, state)}, {word}: the trail says {value_text(said)} ({by}), "
                sentence += f"the table holds {value_text(found)}."
                self._add("changed behind the log", sentence, key, column.field, event=event, expected=said, found=found)

    def _event_of(self, key: int, field: str) -> int | None:
        """Give the last event that set a field."""
        changes = self.connection.execute(
            text("SELECT event_seq, fields FROM audit_change WHERE entity = :entity AND key = :key ORDER BY event_seq, position"),
            {"entity": self.entity.table, "key": key},
        ).all()
        return next((seq for seq, fields in reversed(changes) if f'"{field}":' in fields), None)

    def _vanished(self, key: int, state: State) -> None:
        sentence = f"{self._name(key, state)} stands in the trail, but its row is gone from the table {self.entity.table}."
        self._add("row gone", sentence, key)

    def _unlogged(self, key: int, row: Any) -> None:
        values = {column.field: value for column, value in zip(self.entity.columns, row[1:], strict=True)}
        sentence = f"{self._name(key, values)} stands in the table {self.entity.table}, but nothing in the trail made it."
        self._add("row not logged", sentence, key)

    def _broken_history(self, key: int, seq: int, position: int, field: str, said: str, expected: Any, found: Any) -> None:
        where = f"{record_name(self.entity.table, key)}, {field_word(self.entity.table, field)}"
        sentence = f"{where}: event {seq} says it was {said}."
        self._add("broken history", sentence, key, field, event=seq, position=position, expected=expected, found=found)

    def _unreadable(self, key: int, seq: int, position: int, what: str) -> None:
        sentence = f"Event {seq}, change {position + 1}, of {record_name(self.entity.table, key)}: its text {what}."
        self._add("malformed change", sentence, key, event=seq, position=position)

    def _add(self, kind: str, sentence: str, key: int, field: str | None = None, **more: Any) -> None:
        self.report.add(Problem(kind, sentence[0].upper() + sentence[1:], entity=self.entity.table, key=key, field=field, **more))

    def _name(self, key: int, state: State) -> str:
        return record_name(self.entity.table, key, state.get("code") or state.get("name") or state.get("label"))


def _id(reference: Any) -> Any:
    return reference[0] if isinstance(reference, list) and reference else reference
