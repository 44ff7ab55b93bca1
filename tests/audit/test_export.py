"""Exports of the trail: complete, counted, readable by people and machines (21 CFR 11.10(b))."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from lims.audit.checkpoint import make_checkpoint
from lims.audit.export import HEADER, Filters, Format, count_changes, export, record_export
from lims.audit.verify import verify
from lims.config import Settings
from lims.db import Database
from lims.domain.formulas import harmless
from lims.models import Animal, AuditChange, AuditEvent
from tests.audit.trail import Trail, write_trail
from tests.support import factories


def written(database: Database, form: Format, filters: Filters | None = None) -> tuple[int, bytes]:
    stream = io.BytesIO()
    with database.reading() as session:
        count = export(session, form, stream, filters or Filters())
    return count, stream.getvalue()


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_clause_5_csv_is_complete_and_counted(database: Database) -> None:
    trail = write_trail(database)
    count, content = written(database, "csv")
    rows = csv_rows(content)
    assert tuple(rows[0]) == HEADER
    with database.reading() as session:
        fields = sum(len(json.loads(one)) for one in session.scalars(select(AuditChange.fields)))
        assert count_changes(session) == session.scalar(select(func.count()).select_from(AuditChange))
    assert count == len(rows) == fields
    moved = rows[-1]
    assert (moved["event"], moved["reason"], moved["record"]) == ("3", "moved", str(trail.animal))
    assert (moved["entity"], moved["field"], moved["old"], moved["new"]) == ("animal", "ear_tag", "C1", "C2")


def test_clause_3_who_what_when_old_new_reason(database: Database) -> None:
    write_trail(database)
    _, content = written(database, "jsonl")
    event = [json.loads(line) for line in content.splitlines()][-1]
    assert (event["person"], event["action"], event["reason"]) == ("tester", "animal:change", "moved")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(event["time"])) < timedelta(minutes=5)
    assert event["changes"][0]["fields"] == {"ear_tag": ["C1", "C2"]}


def test_clause_2_the_old_value_stays_readable(database: Database) -> None:
    trail = write_trail(database)
    for cage in ("C3", "C4"):
        with factories.declared(database, "animal:change") as session:
            session.get_one(Animal, trail.animal).ear_tag = cage
    _, content = written(database, "csv", Filters(entity="animal", key=trail.animal))
    assert [row["old"] for row in csv_rows(content) if row["field"] == "ear_tag"] == ["", "C1", "C2", "C3"]


def test_jsonl_ends_with_the_newest_checkpoint(database: Database, settings: Settings) -> None:
    write_trail(database)
    with database.transaction() as session:
        note = make_checkpoint(session, settings)
    count, content = written(database, "jsonl")
    *events, last = [json.loads(line) for line in content.splitlines()]
    assert count == len(events) == 3
    assert last == {"checkpoint": note}
    assert sum(len(event["changes"]) for event in events) == verify(database).changes


FILTERS: dict[str, tuple[Callable[[Trail], Filters], set[int]]] = {
    "project": (lambda trail: Filters(project=trail.project), {1, 2, 3}),
    "other project": (lambda trail: Filters(project=99), set()),
    "study": (lambda trail: Filters(study=trail.study), {1}),
    "record": (lambda trail: Filters(entity="animal", key=trail.animal), {1, 3}),
    "action": (lambda trail: Filters(action="measurement:create"), {2}),
    "person": (lambda trail: Filters(person=4), set()),
    "since": (lambda trail: Filters(since=datetime(2100, 1, 1, tzinfo=UTC)), set()),
    "until": (lambda trail: Filters(until=datetime(2100, 1, 1, tzinfo=UTC)), {1, 2, 3}),
}


def test_filters(database: Database) -> None:
    trail = write_trail(database)
    for name, (make, expected) in FILTERS.items():
        count, content = written(database, "csv", make(trail))
        rows = csv_rows(content)
        assert {int(row["event"]) for row in rows} == expected, name
        assert count == len(rows), name


def test_formulas_are_quoted_in_csv_and_text_in_xlsx(database: Database) -> None:
    with factories.declared(database) as session:
        factories.project(session, "=1+1", title="-1.5")
        factories.project(session, "@SUM(A1)", title="a\x01b\r\nc")
    rows = csv_rows(written(database, "csv")[1])
    news = [row["new"] for row in rows]
    assert {"'=1+1", "'@SUM(A1)", "-1.5"} <= set(news)
    count, content = written(database, "xlsx")
    sheet = load_workbook(io.BytesIO(content))["Audit trail"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert sheet.max_row == count + 1
    assert "f" not in {cell.data_type for cell in cells}
    assert {"=1+1", "@SUM(A1)", "-1.5"} <= {cell.value for cell in cells}


@pytest.mark.parametrize("number", ["-1.5", "+3", "-1e-07", "12"])
def test_numbers_are_not_quoted(number: str) -> None:
    assert harmless(number) == number


@pytest.mark.parametrize("text", ["=A1", "+A1", "-A1", "@x", "\t=A1", "-1+cmd|'/c calc'!A1", "--1"])
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert harmless(text) == "'" + text


def test_the_second_sheet_shows_the_checkpoint(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        note = make_checkpoint(session, settings)
    sheet = load_workbook(io.BytesIO(written(database, "xlsx")[1]))["Checkpoint"]
    assert [row[0].value or "" for row in sheet.iter_rows()] == note.splitlines()


def test_the_export_is_itself_an_event(database: Database) -> None:
    trail = write_trail(database)
    filters = Filters(project=trail.project)
    count, _ = written(database, "csv", filters)
    with database.transaction() as session:
        record_export(session, factories.actor(), "csv", filters, count)
    with database.reading() as session:
        event = session.get_one(AuditEvent, 4)
        assert (event.action, event.changes, event.project_id) == ("audit:export", 0, trail.project)
        assert json.loads(event.detail) == {
            "format": "csv",
            "rows": count,
            "filters": json.dumps({"project": 1}, separators=(",", ":")),
        }
    assert verify(database).ok
    again = csv_rows(written(database, "csv")[1])
    assert (again[-1]["action"], again[-1]["record"]) == ("audit:export", "")
