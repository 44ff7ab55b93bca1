"""Reads records that a program sent as JSON: of any noun that a file may write, and measurements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from importers.base import Choices, Claim, Clock, ColumnUse, Finding, Reading, Records, Refused, Series, Severity
from importers.sheets import CellValue, Sheet, Workbook
from importers.values import Problem, cell_text, dates, numbers

KEY = "json_records"
READINGS = "measurement"
"""The noun whose rows are readings, not records."""
_NEEDED = ("animal", "kind", "value")
_TEXTS = ("tumour", "operator", "device")
_FIELDS = frozenset({*_NEEDED, *_TEXTS, "date", "day"})


class JsonRecords:
    """Records as JSON."""

    key = KEY
    title = "Records as JSON"
    reads = (
        'JSON of a program: {"noun": "exposure", "rows": [{…}]}, each row the fields of a record by the names that the API gives '
        "them; references by code. Measurements: animal, kind, value, and date or day."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim what says of itself what it is."""
        if book.kind != "json":
            return None
        return Claim(KEY, (f'the file is JSON with rows of the noun "{book.sheets[0].name}"',), certain=True)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Give each row as a record; what its fields mean is judged with the records. Of measurements, read the values."""
        if book.kind != "json":
            raise Refused(
                "format-not-this",
                f'"{book.name}" is no JSON.',
                expected='{"noun": …, "rows": […]}',
                remedy="Let the importer be found by itself.",
            )
        sheet = book.sheets[0]
        names = [cell_text(cell) for cell in sheet.rows[0]]
        rows = [number for number, cells in enumerate(sheet.rows[1:], 2) if any(cell != "" for cell in cells)]
        table = {name: [sheet.rows[number - 1][place] for number in rows] for place, name in enumerate(names)}
        read = _readings(sheet, rows, table) if sheet.name == READINGS else _records(sheet, rows, table)
        return Reading(
            importer=KEY,
            series=read.series,
            records=read.records,
            data_rows={0: rows},
            columns=tuple(ColumnUse(0, place, name, name) for place, name in enumerate(names, 1)),
            header_rows={0: [1]},
            findings=tuple(read.findings),
        )


@dataclass(slots=True)
class _Read:
    """What the rows became."""

    series: tuple[Series, ...] = ()
    records: tuple[Records, ...] = ()
    findings: list[Finding] = field(default_factory=list)


Table = dict[str, list[CellValue]]


def _records(sheet: Sheet, rows: list[int], table: Table) -> _Read:
    fields = {name: [None if cell == "" else cell for cell in cells] for name, cells in table.items()}
    places = {name: place for place, name in enumerate(table, 1)}
    return _Read(records=(Records(sheet.name, 0, rows, 1, fields, places, _as_written(sheet, rows)),) if rows else ())


def _as_written(sheet: Sheet, rows: Sequence[int]) -> list[str]:
    return [" · ".join(cell_text(cell) for cell in sheet.rows[number - 1] if cell != "") for number in rows]


def _readings(sheet: Sheet, rows: list[int], table: Table) -> _Read:
    """Give the readings by kind and clock; a row with a value that cannot be read is refused."""
    _require_fields(table)
    read, blank = _Read(), [""] * len(rows)
    values, no_numbers = numbers(table["value"], ".")
    days, no_days = numbers(table.get("day", blank), ".")
    on, no_dates = dates(table.get("date", blank), None)
    for name, problems in (("value", no_numbers), ("day", no_days), ("date", no_dates)):
        read.findings += [_unread(sheet, rows[at], table, name, at, problem) for at, problem in problems.items()]
    bad = {*no_numbers, *no_days, *no_dates}
    lines: dict[tuple[str, Clock], list[int]] = defaultdict(list)
    when: dict[int, Any] = {}
    for at in range(len(rows)):
        missing = [name for name in _NEEDED if table[name][at] == ""]
        if at not in bad and (missing or (on[at] is None) == (days[at] is None)):
            read.findings.append(_incomplete(sheet, rows[at], missing))
        elif at not in bad:
            moment = on[at] if on[at] is not None else days[at]
            clock = Clock.DATETIME if isinstance(moment, datetime) else Clock.DATE if isinstance(moment, date) else Clock.DAY
            when[at] = moment
            lines[cell_text(table["kind"][at]), clock].append(at)
    read.series = tuple(_series(kind, clock, places, rows, table, when, values) for (kind, clock), places in lines.items())
    return read


def _series(
    kind: str, clock: Clock, places: list[int], rows: list[int], table: Table, when: dict[int, Any], values: list[float | None]
) -> Series:
    texts = {name: [cell_text(table[name][at]) or None for at in places] if name in table else None for name in _TEXTS}
    return Series(
        kind=kind,
        sheet=0,
        clock=clock,
        rows=[rows[at] for at in places],
        columns=list(table).index("value") + 1,
        animals=[cell_text(table["animal"][at]) for at in places],
        when=[when[at] for at in places],
        values=[values[at] for at in places],
        raw=[cell_text(table["value"][at]) for at in places],
        tumours=texts["tumour"],
        operators=texts["operator"],
        devices=texts["device"],
    )


def _require_fields(table: Table) -> None:
    unknown = [name for name in table if name not in _FIELDS]
    missing = [name for name in _NEEDED if name not in table]
    if unknown or missing:
        told = [f'a measurement has no field "{name}"' for name in unknown] + [f'"{name}" is missing' for name in missing]
        raise Refused(
            "field-unknown" if unknown else "column-missing",
            f"The rows cannot be taken: {'; '.join(told)}.",
            expected=f"{', '.join(_NEEDED)}, date or day, and where known {', '.join(_TEXTS)}",
            remedy="Correct the names of the fields and send it again.",
        )


def _unread(sheet: Sheet, row: int, table: Table, name: str, at: int, problem: Problem) -> Finding:
    value = cell_text(table[name][at])
    return Finding(
        problem.severity,
        problem.code,
        f"`{value}` {problem.reason}.",
        sheet=sheet.name,
        row=row,
        column=list(table).index(name) + 1,
        value=value,
        expected=problem.expected,
        remedy="Correct the value and send it again.",
    )


def _incomplete(sheet: Sheet, row: int, missing: list[str]) -> Finding:
    told = f"has no {' and no '.join(missing)}" if missing else "needs either a date or a day, one of them"
    return Finding(
        Severity.ERROR,
        "reading-incomplete",
        f"Row {row - 1} of the rows {told}.",
        sheet=sheet.name,
        row=row,
        expected="animal, kind, value, and a date or the day of the study",
        remedy="Complete it and send it again.",
    )


IMPORTER = JsonRecords()
