"""The outcome of checking a file, as JSON: what the check page shows, the batch page keeps and `import --json` prints."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from importers.base import Claim, Finding, Question, Severity
from lims.domain.vocabulary import RowFate
from lims.intake.names import Host, Names
from lims.intake.plan import Plan
from lims.intake.report_changes import change_counts, changes_told
from lims.intake.report_events import cages_told, doses_by_compound, event_counts, event_digest, fates_told
from lims.intake.report_plot import plot_points
from lims.intake.report_records import added, lines_told, made_ids, noun_counts, record_digest, veiled_names

_WORST_FIRST = (RowFate.REFUSED, RowFate.CONFLICTING, RowFate.CHANGED, RowFate.NEW, RowFate.SAME)


def rows_by_fate(plan: Plan) -> dict[int, dict[RowFate, set[int]]]:
    """Give sheet → fate → rows, each data row once: by the worst that happens to anything in it; nothing read: skipped."""
    sheets = {*plan.reading.data_rows, *(planned.source.sheet for planned in plan.entries)}
    met: dict[int, dict[RowFate, set[int]]] = {sheet: {fate: set() for fate in RowFate} for sheet in sheets}
    for planned in plan.entries:
        of_sheet, rows = met[planned.source.sheet], planned.source.rows
        for index, fate in planned.fates.items():
            of_sheet[fate].add(rows[index])
        of_sheet[RowFate.NEW].update(
            rows if not planned.fates else (row for index, row in enumerate(rows) if index not in planned.fates)
        )
    _refuse_rows_with_errors(plan, met)
    for sheet, of_sheet in met.items():
        left = set(plan.reading.data_rows.get(sheet, ()))
        for fate in _WORST_FIRST:
            of_sheet[fate] &= left
            left -= of_sheet[fate]
        of_sheet[RowFate.SKIPPED] = left
    return met


def _refuse_rows_with_errors(plan: Plan, met: dict[int, dict[RowFate, set[int]]]) -> None:
    """Count a row with an error finding as refused, unless the finding says that it changes or conflicts."""
    by_name = {sheet.name: met[sheet.index] for sheet in plan.book.sheets if sheet.index in met}
    for finding in plan.findings:
        if finding.severity is Severity.ERROR and finding.row is not None and finding.sheet in by_name:
            of_sheet = by_name[finding.sheet]
            if finding.row not in of_sheet[RowFate.CONFLICTING] and finding.row not in of_sheet[RowFate.CHANGED]:
                of_sheet[RowFate.REFUSED].add(finding.row)


def row_counts(plan: Plan) -> dict[str, int]:
    """Give the books: rows read = new + same + changed + conflicting + refused + skipped."""
    sheets = rows_by_fate(plan).values()
    counts = {fate.value: sum(len(of_sheet[fate]) for of_sheet in sheets) for fate in RowFate}
    return {"read": sum(counts.values())} | counts


def reading_counts(plan: Plan) -> dict[str, dict[str, int]]:
    """Give kind → fate → number of readings."""
    counts: dict[str, Counter[str]] = {}
    for planned in plan.planned:
        of_kind = counts.setdefault(planned.kind.code, Counter())
        of_kind.update(fate.value for fate in planned.fates.values())
        of_kind[RowFate.NEW.value] += len(planned) - len(planned.fates)
    return {kind: {fate: number for fate, number in of_kind.items() if number} for kind, of_kind in counts.items()}


def animals_of_new_readings(plan: Plan) -> int:
    """Count the animals that get a new reading."""
    found: set[Host | None] = set()
    for planned in plan.planned:
        if not planned.fates:
            found.update(planned.hosts)
        else:
            found.update(host for index, host in enumerate(planned.hosts) if planned.fates.get(index, RowFate.NEW) is RowFate.NEW)
    return len({host.id for host in found if host})


def empty_report() -> dict[str, Any]:
    """Give the report of a file that could not be read at all."""
    return {
        "rows": dict.fromkeys(("read", *(fate.value for fate in RowFate)), 0),
        "findings": {Severity.ERROR.value: 1, Severity.WARNING.value: 0, Severity.NOTE.value: 0},
        "records": {"measurement": 0},
        "questions": [],
    }


def digest(plan: Plan) -> str:
    """Give a hash of exactly what would be recorded: what was previewed is what is committed, or the commit stops."""
    hashed = hashlib.sha256()
    for planned in plan.planned:
        series = planned.series
        for column in (series.kind, series.rows, series.animals, series.tumours, planned.values, planned.slots, series.columns):
            hashed.update(repr(column).encode())
        replaced = {index: one.value for index, one in planned.recorded.items()}
        hashed.update(repr([(index, fate.value, replaced.get(index)) for index, fate in sorted(planned.fates.items())]).encode())
    hashed.update(repr(event_digest(plan)).encode())
    names = plan.names
    hashed.update(repr(record_digest(plan.records)).encode())
    made = made_ids(plan.records, "animal")
    hashed.update(repr([(label, host.id not in made and host.id) for label, host in names.hosts.items()]).encode())
    hashed.update(repr([names.new_studies, names.new_arms, names.new_animals, names.new_tumours, names.new_enrolments]).encode())
    hashed.update(repr([names.new_agents, names.new_cages]).encode())
    hashed.update(repr([(one.sheet, one.row, one.column, one.value) for one in plan.edits]).encode())
    return hashed.hexdigest()


def finding_counts(plan: Plan) -> dict[str, int]:
    """Give severity → number of findings."""
    severities = Counter(finding.severity.value for finding in plan.findings)
    return {severity.value: severities[severity.value] for severity in Severity}


def build_report(plan: Plan, claim: Claim, questions: Iterable[Question], *, drawn: bool) -> dict[str, Any]:
    """Give everything about a checked file but the findings, which are rows of their own."""
    names = plan.names
    readings, events = reading_counts(plan), event_counts(plan)
    return {
        "evidence": list(claim.evidence),
        "rows": row_counts(plan),
        "readings": readings,
        "animals": animals_of_new_readings(plan),
        "events": events,
        "records": added(
            {"measurement": sum(of_kind.get("new", 0) for of_kind in readings.values())}
            | {noun: counts["new"] for noun, counts in events.items() if counts.get("new") and noun in ("dose", "fate")}
            | names.counts(),
            plan.records,
        ),
        "nouns": noun_counts(plan.records),
        "lines": lines_told(plan.records),
        "veiled": veiled_names(plan.records),
        "findings": finding_counts(plan),
        "questions": [_question(question) for question in (*questions, *names.questions)],
        "doses": doses_by_compound(plan),
        "fates": fates_told(plan),
        "cages": cages_told(plan),
        "create": _created(names),
        "unknown_animals": [one.value for one in names.findings if one.code == "animal-unknown"],
        **_books(plan),
        "changes": changes_told(plan),
        "changed": change_counts(plan),
        "plot": plot_points(plan) if drawn else [],
        "digest": digest(plan) if drawn else None,
    }


def _created(names: Names) -> dict[str, Any]:
    """Give what the file names and the project does not have: made so that its readings and events have a place."""
    return {
        "study": names.new_studies,
        "arms": [f"{study}: {arm}" for study, arm in names.new_arms],
        "animals": [facts.label for facts in names.new_animals],
        "tumours": len(names.new_tumours),
        "agents": [one.code for one in names.new_agents],
        "cages": list(names.new_cages),
    }


def _books(plan: Plan) -> dict[str, Any]:
    """Give what each column was read as, what was set aside, and where headers stand."""
    sheet_name, reading = plan.sheet_name, plan.reading
    return {
        "columns": [
            {"sheet": sheet_name(one.sheet), "column": one.column, "header": one.header, "role": one.role, "reason": one.reason}
            for one in reading.columns
        ],
        "set_aside": [
            {
                "sheet": sheet_name(one.sheet),
                "rows": [one.first_row, one.last_row],
                "columns": [one.first_column, one.last_column],
                "reason": one.reason,
            }
            for one in reading.set_aside
        ],
        "header_rows": {sheet_name(index): list(rows) for index, rows in reading.header_rows.items()},
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "prompt": question.prompt,
        "options": [[option.value, option.label] for option in question.options],
        "proposed": question.proposed,
        "answer": question.answer,
        "evidence": question.evidence,
        "samples": list(question.samples),
        "typed": question.typed,
    }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """Give a finding as the command line prints it; `column` is the sheet's letter."""
    from lims.domain.cells import column_letter

    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "sheet": finding.sheet,
        "row": finding.row,
        "column": column_letter(finding.column) if finding.column else None,
        "value": finding.value,
        "message": finding.message,
        "expected": finding.expected,
        "remedy": finding.remedy,
        "source": finding.source,
    }
