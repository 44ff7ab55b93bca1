"""What a file reads as, in JSON: the other half of a pair in `tests/golden`.

`python -m tests.support.golden` writes the expectation of every file that has none, and of every file named as an argument; what it
wrote is to be read before it is committed. The answers to an importer's questions stand under `choices` and are kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from importers.base import Claim, Deaths, Doses, Finding, Question, Reading, Records, Refused, Series, Stays
from importers.identify import identify
from importers.registry import by_key, questions_for
from importers.sheets import Workbook
from importers.workbook import open_workbook
from tests.importers.tables_support import rows_without_fate, unaccounted

FOLDER = Path(__file__).parents[1] / "golden"
EXPECTED = ".json"


def pairs() -> list[Path]:
    """Give the files, each of which has its expectation beside it under its whole name and `.json`."""
    return sorted(one for one in FOLDER.iterdir() if one.suffix != EXPECTED and one.is_file())


def expectation(file: Path) -> Path:
    """Give the place of a file's expectation."""
    return file.with_name(file.name + EXPECTED)


def told(file: Path, choices: Mapping[str, str]) -> dict[str, Any]:
    """Open, identify and read a file; says everything that came of it, or why nothing did."""
    try:
        book = open_workbook(file.read_bytes(), file.name, choices)
        claim = identify(book)
        reading = by_key(claim.importer).read(book, claim, choices)
    except Refused as refused:
        return {"refused": _finding(refused.finding)}
    assert unaccounted(book, reading) == []
    assert rows_without_fate(reading) == []
    return _told(book, claim, reading)


def _beside(question: Question) -> list[str]:
    return ["text"] if question.typed or not question.options else []


def _told(book: Workbook, claim: Claim, reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {
        "importer": claim.importer,
        "evidence": list(claim.evidence),
        "questions": [
            f"{one.key}: {one.answer} of {'|'.join([*(option.value for option in one.options), *_beside(one)])}; {one.evidence}"
            for one in (*questions_for(claim.importer, book), *reading.questions)
        ],
        "readings": [line for series in reading.series for line in _series(series)],
        "doses": _entries(reading.doses),
        "deaths": _entries(reading.deaths),
        "stays": _entries(reading.stays),
        "records": [line for records in reading.records for line in _records(records)],
        "animals": [_said(facts) for facts in reading.animals.values()],
        "columns": [f"{one.column} {one.header!r}: {one.role or 'not read, ' + one.reason}" for one in reading.columns],
        "set_aside": [
            f"{'rows' if one.row_fate else 'cells'} {one.first_row}-{one.last_row}, columns {one.first_column}-{one.last_column} "
            f"of sheet {one.sheet}: {one.reason}"
            for one in reading.set_aside
        ],
        "findings": [_finding(one) for one in (*book.findings, *reading.findings)],
    }
    return {key: value for key, value in found.items() if value}


def _series(series: Series) -> Iterator[str]:
    for index, row in enumerate(series.rows):
        column = series.columns if isinstance(series.columns, int) else series.columns[index]
        parts = {
            "tumour": series.tumours,
            "length": series.lengths,
            "width": series.widths,
            "height": series.heights,
            "stated": series.stated,
            "operator": series.operators,
            "device": series.devices,
        }
        more = [f"{name} {values[index]}" for name, values in parts.items() if values is not None and values[index] is not None]
        suspect = [f"suspect: {series.suspect[index]}"] if index in series.suspect else []
        value = "computed" if series.values[index] is None else f"{series.values[index]:.10g}"
        head = f"{row}:{column} {series.kind} {series.animals[index]} {_text(series.when[index])} = {value}"
        yield "; ".join([head, *more, *suspect, f"raw {series.raw[index]!r}"])


def _entries(entries: Doses | Deaths | Stays | None) -> list[str]:
    if entries is None:
        return []
    names = [name for name in entries.__dataclass_fields__ if name not in ("sheet", "clock", "columns", "rows")]
    columns: dict[str, Sequence[Any]] = {name: getattr(entries, name) for name in names}
    return [
        f"{row}: " + "; ".join(f"{name} {_text(values[index])}" for name, values in columns.items() if values[index] is not None)
        for index, row in enumerate(entries.rows)
    ]


def _records(records: Records) -> Iterator[str]:
    for index, row in enumerate(records.rows):
        column = records.column if isinstance(records.column, int) else records.column[index]
        values = [f"{name} {_text(of[index])}" for name, of in records.fields.items() if of[index] is not None]
        yield "; ".join([f"{row}:{column} {records.noun}", *values, f"raw {records.raw[index]!r}"])


def _said(facts: Any) -> str:
    said = {name: getattr(facts, name) for name in facts.__dataclass_fields__ if name not in ("label", "sheet", "row")}
    return " ".join([facts.label, *(f"{name} {_text(value)};" for name, value in said.items() if value)]).rstrip(";")


def _finding(finding: Finding) -> str:
    said = [f"{finding.severity.value} {finding.code}", finding.address, finding.message, finding.expected, finding.remedy]
    return " | ".join(one for one in (*said, finding.option) if one)


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def main(names: Sequence[str]) -> None:
    """Write expectations."""
    for file in pairs():
        kept = expectation(file)
        if kept.exists() and file.name not in names:
            continue
        choices = json.loads(kept.read_text(encoding="utf-8")).get("choices", {}) if kept.exists() else {}
        found = {"choices": choices} | told(file, choices) if choices else told(file, choices)
        kept.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"{kept.name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
