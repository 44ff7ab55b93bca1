"""The live tables against the trail: what the comparison of texts, which spares parsing, must not let through."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from lims.audit import expected, replay
from lims.audit import verify as verifying
from lims.audit.problems import Report
from lims.audit.record import declare
from lims.audit.verify import verify
from lims.db import Database
from lims.models import Animal, AuditChange, Project
from lims.records.measurements import Correction, Readings, correct_measurements, record_measurements
from tests.audit.trail import tamper, write_trail
from tests.support import factories

RAW = ["21.4 µ%", 'é "quoted"', "null", "0", "%s", "20.9\n", "last"]


def record(database: Database, project: tuple[int, str], animal: tuple[int, str]) -> range:
    """Record seven weights with much beside them, in one event."""
    days = [f"2026-04-{day:02}" for day in range(1, 8)]
    readings = Readings(
        project,
        "body_weight",
        [animal] * 7,
        None,
        [21.4, 24.1, 0.0, 21.0, 20.0, 20.9, 1e-7],
        days,
        days,
        operators=["Ann", None, "Beam", "Ann", "Ann", "Ann", None],
        devices=["Beam", "Ann", None, "Beam", "Beam", "Beam", None],
        sheet="Weights",
        rows=list(range(2, 9)),
        columns=5,
        raw=RAW,
    )
    with database.transaction() as session:
        return record_measurements(session, factories.actor(), readings)


@pytest.fixture
def weights(database: Database) -> range:
    """Ids of seven weights, recorded after a small trail."""
    trail = write_trail(database)
    with database.reading() as session:
        animal = session.get_one(Animal, trail.animal)
        return record(database, (trail.project, "BCBM"), (animal.id, animal.code))


def found(report: Report) -> set[tuple[str, int | None, str | None]]:
    return {(problem.kind, problem.key, problem.field) for problem in report.problems}


def test_what_was_recorded_holds(database: Database, weights: range) -> None:
    assert verify(database).problems == []


@pytest.mark.parametrize(
    ("index", "settings", "fields"),
    [
        (0, {"value": 24.1}, ["value"]),
        (0, {"value": 21.400000000000002}, ["value"]),
        (6, {"value": 1e-8}, ["value"]),
        (0, {"operator": "Beam", "device": "Ann"}, ["device", "operator"]),
        (2, {"operator": None, "device": "Beam"}, ["device", "operator"]),
        (0, {"source_row": 5, "source_column": 2}, ["source_column", "source_row"]),
        (0, {"operator": None}, ["operator"]),
        (1, {"operator": ""}, ["operator"]),
        (1, {"operator": "null"}, ["operator"]),
        (2, {"raw": None}, ["raw"]),
        (1, {"raw": 'e\u0301 "quoted"'}, ["raw"]),
        (3, {"raw": "0.0"}, ["raw"]),
        (4, {"raw": "%%s"}, ["raw"]),
        (5, {"raw": "20.9"}, ["raw"]),
        (6, {"raw": 'last"],"source_column":[5'}, ["raw"]),
        (0, {"occurrence": 2}, ["occurrence"]),
    ],
)
def test_a_row_edited_to_something_alike_is_found(
    database: Database, weights: range, index: int, settings: dict[str, Any], fields: list[str]
) -> None:
    told = ", ".join(f"{column} = :{column}" for column in settings)
    tamper(database, f"UPDATE measurement SET {told} WHERE id = {weights[index]}", **settings)
    assert sorted(found(verify(database))) == [("changed behind the log", weights[index], field) for field in fields]


def test_values_exchanged_between_two_rows_are_found(database: Database, weights: range) -> None:
    tamper(
        database,
        f"UPDATE measurement SET raw = 'last' WHERE id = {weights[0]}",
        f"UPDATE measurement SET raw = '21.4 µ%' WHERE id = {weights[6]}",
    )
    assert found(verify(database)) == {("changed behind the log", weights[index], "raw") for index in (0, 6)}


def test_minus_zero_is_zero(database: Database, weights: range) -> None:
    tamper(database, f"UPDATE measurement SET value = -0.0 WHERE id = {weights[2]}")
    assert verify(database).ok


@pytest.mark.parametrize(
    ("column", "value"),
    [("raw", "x'3231'"), ("raw", "CAST('0' AS BLOB)"), ("value", "'heavy'"), ("occurrence", "1.5")],
)
def test_values_of_a_kind_that_the_column_never_has_are_found(database: Database, weights: range, column: str, value: str) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps such values out of its columns")
    tamper(database, f"UPDATE measurement SET {column} = {value} WHERE id = {weights[3]}")
    assert found(verify(database)) == {("changed behind the log", weights[3], column)}


def test_a_whole_number_in_a_column_of_fractions_is_the_same_number(database: Database, weights: range) -> None:
    tamper(database, f"UPDATE measurement SET value = 21 WHERE id = {weights[3]}")
    assert verify(database).ok


@pytest.mark.parametrize(
    "edit",
    [
        lambda fields: fields.replace('"21.4"', '"24.1"'),
        lambda fields: fields.replace('"operator":["Ann"]', '"operator":["Bob"]'),
        lambda fields: fields.replace('"operator":["Ann"],', ""),
        lambda fields: fields.replace('"device":["Beam"]', '"device":["Beam",null]'),
        lambda fields: fields.replace('"value":[', '"value":["20.0",'),
        lambda fields: fields.replace('"value":[', '"value":[null,'),
        lambda fields: fields.replace('"value":[', '"value":[null,null,'),
        lambda fields: fields.replace('"source_row":[2]', '"source_row":["2"]'),
        lambda fields: fields.replace(":[", ": [", 1),
        lambda fields: fields.replace('"raw"', '"\\u0072aw"'),
        lambda fields: '{"animal":[[9,"M9"]],' + fields.removeprefix("{"),
    ],
)
def test_an_edited_text_of_the_trail_is_found_by_the_replay_too(
    database: Database, weights: range, edit: Callable[[str], str]
) -> None:
    with database.reading() as session:
        before = session.scalars(select(AuditChange.fields).where(AuditChange.key == weights[0], AuditChange.event_seq == 4)).one()
    assert edit(before) != before
    tamper(database, f"UPDATE audit_change SET fields = :fields WHERE key = {weights[0]} AND event_seq = 4", fields=edit(before))
    report = verify(database)
    assert "change changed" in {problem.kind for problem in report.problems}
    assert weights[0] in {problem.key for problem in report.problems}


def test_a_reference_renamed_between_two_events_holds_and_is_still_guarded(database: Database, weights: range) -> None:
    with factories.declared(database, "animal:change") as session:
        animal = session.scalars(select(Animal).where(Animal.ear_tag == "C2")).one()
        animal.code = "RENAMED"
        other = factories.animal(session, session.get_one(Project, animal.project_id), code="OTHER")
        session.flush()
        keys, project = (animal.id, other.id), animal.project_id
    with database.transaction() as session:
        days = ["2026-05-01", "2026-05-02"]
        again = Readings((project, "BCBM"), "body_weight", [(keys[0], "RENAMED")] * 2, None, [20.0, 20.5], days, days)
        later = record_measurements(session, factories.actor(), again)
    assert verify(database).problems == []
    tamper(database, f"UPDATE measurement SET animal_id = {keys[1]} WHERE id IN ({weights[0]}, {later[1]})")
    assert found(verify(database)) == {("changed behind the log", key, "animal") for key in (weights[0], later[1])}


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 10_000])
def test_windows_of_any_size_find_the_same(database: Database, weights: range, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "CHUNK", chunk)
    monkeypatch.setattr(verifying, "CHUNK", chunk)
    monkeypatch.setattr(expected, "MAX_NAMES", chunk)
    with database.reading() as session:
        project = session.execute(text("SELECT min(id) FROM project")).scalar_one()
    for old, new in ((21.4, 22.0), (22.0, 23.0), (23.0, 24.0)):
        with database.transaction() as session:
            correction = Correction(weights[0], {"value": (old, new)})
            correct_measurements(session, factories.actor(), project, [correction], reason="mistyped")
    with database.transaction() as session:
        correction = Correction(weights[4], {"operator": ("Ann", None), "raw": ("%s", "20")})
        correct_measurements(session, factories.actor(), project, [correction], reason="mistyped")
    report = verify(database)
    assert (report.problems, report.records) == ([], verify(database).records)
    copied = "project_id, animal_id, kind, value, taken_on, slot, occurrence, quality, status, version"
    tamper(
        database,
        f"DELETE FROM measurement WHERE id IN ({weights[1]}, {weights[2]}, {weights[6]})",
        f"INSERT INTO measurement (id, {copied}) SELECT id + 1000, {copied.replace('slot', ':slot')} FROM measurement "
        f"WHERE id = {weights[3]}",
        f"UPDATE measurement SET value = 22.0 WHERE id = {weights[0]}",
        f"UPDATE measurement SET operator = 'Ann' WHERE id = {weights[4]}",
        f"UPDATE measurement SET raw = 'x' WHERE id = {weights[5]}",
        slot="elsewhere",
    )
    assert found(verify(database)) == {
        *(("row gone", weights[index], None) for index in (1, 2, 6)),
        ("row not logged", weights[3] + 1000, None),
        ("changed behind the log", weights[0], "value"),
        ("changed behind the log", weights[4], "operator"),
        ("changed behind the log", weights[5], "raw"),
    }


def test_a_table_emptied_or_never_logged_is_compared_to_its_end(
    database: Database, weights: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    tamper(database, "DELETE FROM measurement", "DELETE FROM audit_change WHERE entity = 'animal'")
    kinds = [problem.kind for problem in verify(database).problems]
    assert (kinds.count("row gone"), kinds.count("row not logged")) == (10, 7)


@pytest.mark.parametrize("project", ["0", "'null'"])
def test_a_change_of_no_project_given_one_is_found(database: Database, project: str) -> None:
    if project == "'null'" and database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps text out of a column of numbers")
    write_trail(database)
    with factories.declared(database) as session:
        factories.user(session)
    assert verify(database).ok
    tamper(database, f"UPDATE audit_change SET project_id = {project} WHERE entity = 'user_account'")
    assert "change changed" in {problem.kind for problem in verify(database).problems}


def test_declared_events_without_changes_need_no_replay(database: Database) -> None:
    with database.transaction() as session:
        declare(session, factories.actor(), "audit:check", detail={"events": 0})
    report = verify(database)
    assert (report.problems, report.changes, report.records) == ([], 0, 0)
