"""Makes cell preparations of what a counter wrote, whichever it is: from a table with a count a row, or from one count's lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from importers import values
from importers.base import Finding, Option, Records, Severity
from importers.columns import Role, squash
from importers.sheets import Sheet
from importers.tables import TableReader, times

NOUN = "preparation"
SAMPLE = Role("sample", ("sample id", "sample"))
COUNT_NAME = Role("count_name", ("file name", "name", "image"))
VIABLE = Role("viable", ("viable (x10^6) cells/ml", "viable cells /ml", "live", "total viable cells / ml"))
TOTAL = Role("total", ("total (x10^6) cells/ml", "total cells /ml", "total"))
VIABILITY = Role("viability", ("viability",))
DIAMETER = Role("diameter", ("average diameter", "avg diam", "diameter", "estimated cell diameter"))
DILUTION = Role("dilution", ("dilution factor", "dilution", "multiplication factor"))
WHEN = Role("when", ("analysis date/time", "sample date/time", "sample data/time", "sample date", "rundate", "date time"))
"""Vi-CELL XR writes "data" for "date" in some versions."""
OPERATOR = Role("operator", ("analysis by", "operator"))
DEVICE = Role("device", ("instrument",))
STATUS = Role("status", ("status",))
NOTE = Role("note", ("comment", "tag"))

ROLES = (SAMPLE, COUNT_NAME, VIABLE, TOTAL, VIABILITY, DIAMETER, DILUTION, WHEN, OPERATOR, DEVICE, STATUS, NOTE)
NUMBERS = {
    "viable": "viable_cells_per_ml",
    "total": "total_cells_per_ml",
    "viability": "viability_percent",
    "diameter": "mean_diameter_um",
    "dilution": "dilution_factor",
}
"""Roles of columns of numbers, by the field they fill."""
TEXTS = ("count_name", "operator", "device", "status", "note")
NOT_NEEDED = "not needed of a count"

_MILLIONS = "106"
_BY_DAY = re.compile(r"\d{8}(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\s+(\d\d)(\d\d)(\d\d))?")


@dataclass(frozen=True, slots=True)
class _When:
    """When each row was counted; no time where only the day is known."""

    days: Sequence[date | None]
    moments: Sequence[datetime | None]


def per_ml(text: str) -> float:
    """Give the factor from a header's concentration to cells/mL: those in millions say `10^6`."""
    return 1e6 if _MILLIONS in squash(text) else 1.0


def records_of_table(reader: TableReader, device: str, order: str | None = None) -> tuple[tuple[Records, ...], list[bool]]:
    """Read a table with a count a row; beside the records, which rows below the header have a count.

    device: the counter, where no column names it. order: of day and month, proposed where the dates leave it open.
    """
    layout = reader.layout
    found = {key: _numbers(reader, key) for key in NUMBERS if layout.has(key)}
    present = [value is not None for value in found["viable"]]
    samples, when = reader.animals("sample"), _when(reader, order)
    reader.findings += _incomplete(reader, present, samples, when)
    live = [at for at, here in enumerate(present) if here and samples[at] and when.days[at] is not None]
    if not live:
        return (), present
    texts = {key: reader.texts(key) for key in TEXTS if layout.has(key)}
    reader.findings += [_flagged(reader, at, said) for at in live if (said := _unwell(texts, at))]
    fields: dict[str, Sequence[Any]] = {
        "sample": [samples[at] for at in live],
        "counted_on": [when.days[at] for at in live],
        "counted_at": [when.moments[at] for at in live],
        **{NUMBERS[key]: [rounded(column[at]) for at in live] for key, column in found.items()},
        "device": [" ".join(filter(None, (device, texts.get("device", [""] * reader.length)[at]))) for at in live],
        "note": [" · ".join(filter(None, (_unwell(texts, at), *_noted(texts, at)))) or None for at in live],
        **{key: [texts[key][at] or None for at in live] for key in ("count_name", "operator") if key in texts},
    }
    columns = {NUMBERS.get(key, key): one.column for key, one in layout.found.items() if key in (*NUMBERS, *TEXTS, "sample")}
    columns |= {name: layout.found["when"].column for name in ("counted_on", "counted_at") if layout.has("when")}
    read = sorted({one.column for one in layout.found.values()})
    rows = [reader.first_row + at for at in live]
    raw = [" · ".join(filter(None, (values.cell_text(_cell(reader.sheet, row, column)) for column in read))) for row in rows]
    at = layout.found["viable"].column
    shown = {name: column for name, column in columns.items() if name in fields}
    return (Records(NOUN, reader.sheet.index, rows, at, fields, shown, raw),), present


def _numbers(reader: TableReader, key: str) -> list[float | None]:
    numbers = reader.numbers(key)
    return times(numbers, per_ml(reader.layout.found[key].text)) if key in ("viable", "total") else numbers


def rounded(value: float | None) -> float | None:
    """Take off what a computer adds to 0.84 million cells: counters give four figures at most."""
    return None if value is None else float(f"{value:.9g}")


def _cell(sheet: Sheet, row: int, column: int) -> Any:
    cells = sheet.rows[row - 1]
    return cells[column - 1] if column <= len(cells) else ""


def _unwell(texts: Mapping[str, Sequence[str]], at: int) -> str:
    """Give what the counter says of a count that did not go well."""
    said = texts["status"][at] if "status" in texts else ""
    return "" if said.casefold() in ("", "ok") else said


def _noted(texts: Mapping[str, Sequence[str]], at: int) -> list[str]:
    return [texts["note"][at]] if "note" in texts else []


def _when(reader: TableReader, order: str | None) -> _When:
    if not reader.layout.has("when"):
        return _by_name(reader)
    _, read = reader.dates("when", order)
    days = [one.date() if isinstance(one, datetime) else one if isinstance(one, date) else None for one in read]
    return _When(days, [one if isinstance(one, datetime) else None for one in read])


def _by_name(reader: TableReader) -> _When:
    """Ask for the day where no column has it; the counts' own names begin with it at some counters."""
    names = reader.texts("count_name") if reader.layout.has("count_name") else [""] * reader.length
    days = [compact_moment(name)[0] if _BY_DAY.match(name) else None for name in names]
    whole = all(day is not None for day, name in zip(days, names, strict=True) if name) and any(days)
    answer = reader.asked.ask(
        "counted_on",
        "When were these counted?",
        [Option("name", "on the day that each name begins with")],
        proposed="name" if whole else None,
        evidence=f'Every name begins with a day; "{next(filter(None, names))}" says {next(filter(None, days))}.' if whole else "",
        samples=list(filter(None, names))[:3],
        sheet=reader.sheet.name,
        typed="one day for all, such as 2024-01-31",
    )
    if answer and answer != "name":
        (day,), problems = values.dates([answer], None)
        reader.findings += values.problem_findings(
            problems, [answer], sheet=reader.sheet.name, rows=[reader.layout.header_row], column=1
        )
        days = [day.date() if isinstance(day, datetime) else day] * reader.length
    return _When(days if answer else [None] * reader.length, [None] * reader.length)


def compact_moment(text: str) -> tuple[date | None, datetime | None]:
    """Read a day, and a time where there is one, written without signs: `20231120 163016`."""
    found = _COMPACT.match(text)
    if found is None:
        return None, None
    numbers = [int(one) for one in found.groups() if one is not None]
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001  # three or six numbers; the counter's clock
    except ValueError:
        return None, None
    return moment.date(), moment if len(numbers) > 3 else None


def _incomplete(reader: TableReader, present: Sequence[bool], samples: Sequence[str], when: _When) -> Iterator[Finding]:
    """Refuse counts without a name or a day; one whose date could not be read is told already."""
    told = {finding.row for finding in reader.findings if finding.severity is Severity.ERROR}
    waiting = any(question.answer is None for question in reader.asked.questions)
    for at, here in enumerate(present):
        row = reader.first_row + at
        if not here or row in told or waiting or (samples[at] and when.days[at] is not None):
            continue
        key, what = ("when", "date") if samples[at] else ("sample", "sample")
        column = reader.layout.found[key if reader.layout.has(key) else "count_name"].column
        yield Finding(
            Severity.ERROR,
            f"{what}-missing",
            f"the row has a count but no {what}",
            *(reader.sheet.name, row, column, ""),
            f"a {what} in every row that has a count",
            f"write the {what} in this row, or leave the row out",
        )


def _flagged(reader: TableReader, at: int, said: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "counter-warning",
        f'the counter says of this count: "{said}"',
        *(reader.sheet.name, reader.first_row + at, reader.layout.found["status"].column, said),
        "OK",
        "acknowledge if the count can be used; what the counter says is kept as its note",
    )
