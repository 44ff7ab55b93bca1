"""Makes a cell preparation of a file that holds one count, in lines such as `Viability (%): 68.2`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from importers import values
from importers.base import Finding, Reading, Records, SetAside, Severity
from importers.cell_counts import NOT_NEEDED, NOUN, NUMBERS, ROLES, compact_moment, per_ml, rounded
from importers.columns import Role, header
from importers.lines import columns_of, set_aside
from importers.sheets import Sheet, Workbook


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file that holds one count: `Viability (%): 68.2`. column: where the value stands."""

    row: int
    column: int
    name: str
    value: str


def read_lines(importer: str, book: Workbook, lines: Sequence[Line], device: str, name: tuple[int, str] | None = None) -> Reading:
    """Read the lines of one count, of which at least one says the viable cells.

    device: the counter. name: row and text of the sample's name, where no line has it.
    """
    sheet = book.sheets[0]
    found = {role.key: line for role in ROLES if (line := _line(role, lines)) is not None}
    findings: list[Finding] = []
    fields, columns = _values(sheet, found, book.decimal, findings)
    day, moment = _moment(sheet, found.get("when"), findings)
    texts: dict[str, Any] = {key: found[key].value or None for key in ("sample", "count_name", "operator", "note") if key in found}
    fields |= {"sample": None, **texts, "counted_on": day, "counted_at": moment, "device": device}
    if fields["sample"] is None and name is not None:
        fields["sample"] = name[1]
    at, raw = found["viable"], " · ".join(f"{line.name} {line.value}" for line in found.values())
    one = Records(NOUN, sheet.index, [at.row], at.column, {key: [value] for key, value in fields.items()}, columns, [raw])
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    read = {line.row for line in found.values()} | ({name[0]} if name else set())
    return Reading(
        importer=importer,
        series=(),
        data_rows={sheet.index: [at.row]},
        columns=columns_of(sheet, [at.row], "viable", at.name),
        header_rows={sheet.index: sorted(read - {at.row})},
        set_aside=(*set_aside(sheet, read, NOT_NEEDED), *(_given_up(sheet, at, findings) if refused else ())),
        findings=tuple(findings),
        records=() if refused else (one,),
    )


def _given_up(sheet: Sheet, at: Line, findings: Sequence[Finding]) -> tuple[SetAside, ...]:
    """Set the count's own line aside where another line, and not itself, keeps it from being recorded."""
    if any(finding.row == at.row for finding in findings):
        return ()
    reason = "another line of the count cannot be read"
    return (SetAside(sheet.index, at.row, at.row, 1, len(sheet.rows[at.row - 1]), reason, row_fate=True),)


def _values(
    sheet: Sheet, found: Mapping[str, Line], decimal: str, findings: list[Finding]
) -> tuple[dict[str, Any], dict[str, int]]:
    fields: dict[str, Any] = {}
    for key, column in NUMBERS.items():
        if key in found:
            (value,), problems = values.numbers([found[key].value], decimal)
            findings += _problems(sheet, found[key], problems)
            factor = per_ml(found[key].name) if key in ("viable", "total") else 1.0
            fields[column] = rounded(None if value is None else value * factor)
    return fields, {NUMBERS[key]: found[key].column for key in NUMBERS if key in found}


def _line(role: Role, lines: Sequence[Line]) -> Line | None:
    ranked = [(rank, at) for at, line in enumerate(lines) if (rank := role.rank(header(line.name, 1))) is not None]
    return lines[min(ranked)[1]] if ranked else None


def _problems(sheet: Sheet, line: Line, problems: Mapping[int, values.Problem]) -> list[Finding]:
    return values.problem_findings(problems, [line.value], sheet=sheet.name, rows=[line.row], column=line.column)


def _moment(sheet: Sheet, line: Line | None, findings: list[Finding]) -> tuple[date | None, datetime | None]:
    if line is None:
        missing = ("date-missing", "the file does not say when this was counted")
        findings.append(
            Finding(Severity.ERROR, *missing, sheet.name, expected="a line with date and time", remedy="export it again")
        )
        return None, None
    day, moment = compact_moment(line.value)
    if day is None:
        (read,), problems = values.dates([line.value], None)
        findings += _problems(sheet, line, problems)
        moment = read if isinstance(read, datetime) else None
        day = read.date() if isinstance(read, datetime) else read
    return day, moment
