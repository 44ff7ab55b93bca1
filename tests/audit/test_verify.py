"""The check finds what was done behind the application's back, and says where."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from lims.audit.bulk import update_many
from lims.audit.canon import GENESIS, event_hash
from lims.audit.checkpoint import make_checkpoint, signing_key
from lims.audit.problems import Report
from lims.audit.record import declare
from lims.audit.verify import verify
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import RecordStatus
from lims.intake.store import FileStore
from lims.models import Animal, AuditChange, AuditEvent, Measurement, StoredFile
from tests.audit.trail import rename, tamper, write_trail
from tests.support import factories


def kinds(report: Report) -> list[str]:
    return sorted({problem.kind for problem in report.problems})


def checkpoint(database: Database, settings: Settings) -> str:
    with database.transaction() as session:
        return make_checkpoint(session, settings)


def test_an_untouched_trail_holds(database: Database, settings: Settings) -> None:
    trail = write_trail(database)
    note = checkpoint(database, settings)
    report = verify(database, key=signing_key(settings).verifier, checkpoints=[note])
    assert report.problems == []
    assert (report.events, report.checkpoints, report.remarks) == (3, 1, [])
    with database.reading() as session:
        assert report.changes == len(session.scalars(select(AuditChange.position)).all())
        assert session.get_one(Measurement, trail.measurements[0]).value == 21.4


def test_bulk_insert_and_update_replay_clean(database: Database) -> None:
    trail = write_trail(database)
    with database.transaction() as session:
        declare(session, factories.actor(), "measurement:change", reason="mistyped", project=trail.project)
        changes = ['{"value":["21.4","22.5"]}', '{"value":["21.0","21.25"]}']
        update_many(session, Measurement.__table__, ["value"], [(22.5,), (21.25,)], trail.measurements[:2], trail.project, changes)
    report = verify(database)
    assert report.problems == []
    with database.reading() as session:
        assert session.get_one(Measurement, trail.measurements[1]).value == 21.25
        assert session.get_one(Measurement, trail.measurements[1]).version == 2


def test_a_bulk_change_that_misstates_the_old_value_is_found(database: Database) -> None:
    trail = write_trail(database)
    with database.transaction() as session:
        declare(session, factories.actor(), "measurement:change", project=trail.project)
        update_many(
            session, Measurement.__table__, ["value"], [(9.5,)], trail.measurements[:1], trail.project, ['{"value":["7.0","9.5"]}']
        )
    (problem,) = verify(database).problems
    assert (problem.kind, problem.event, problem.expected, problem.found) == ("broken history", 4, "21.4", "7.0")


def test_a_record_is_made_once_and_first(database: Database) -> None:
    trail = write_trail(database)
    with database.transaction() as session:
        declare(session, factories.actor(), "measurement:change", project=trail.project)
        rows: list[tuple[float]] = [(22.5,)]
        update_many(session, Measurement.__table__, ["value"], rows, trail.measurements[:1], trail.project, ['{"value":["22.5"]}'])
    (problem,) = verify(database).problems
    assert (problem.kind, problem.event, problem.field) == ("broken history", 4, "value")
    assert "it was made then, but it was there already" in problem.sentence


def test_a_rolled_back_savepoint_leaves_no_trace_in_the_trail(database: Database) -> None:
    trail = write_trail(database)
    with factories.declared(database, "animal:change") as session:
        animal = session.get_one(Animal, trail.animal)
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            animal.ear_tag = "C7"
            session.flush()
            raise ZeroDivisionError
        session.refresh(animal)
        animal.strain = "NSG"
    assert verify(database).problems == []


def test_clause_7_a_withdrawn_record_keeps_its_trail_and_its_row(database: Database) -> None:
    trail = write_trail(database)
    with factories.declared(database, "animal:withdraw") as session:
        session.get_one(Animal, trail.animal).status = RecordStatus.WITHDRAWN
    assert verify(database).ok
    # The row behind the withdrawn record is removed after all.
    tamper(database, "DELETE FROM measurement", f"DELETE FROM animal WHERE id = {trail.animal}")
    report = verify(database)
    assert kinds(report) == ["row gone"]
    gone = {(problem.entity, problem.key) for problem in report.problems}
    assert gone == {("animal", trail.animal), *(("measurement", key) for key in trail.measurements)}


def test_clause_4_an_edit_with_the_shell_is_named_with_record_field_and_values(database: Database) -> None:
    trail = write_trail(database)
    tamper(database, f"UPDATE measurement SET value = 18.2 WHERE id = {trail.measurements[0]}")
    (problem,) = verify(database).problems
    assert (problem.entity, problem.key, problem.field) == ("measurement", trail.measurements[0], "value")
    assert (problem.expected, problem.found, problem.event) == ("21.4", "18.2", 2)
    number = trail.measurements[0]
    assert problem.sentence == f"Measurement #{number}, body weight: the trail says 21.4 (event 2), the table holds 18.2."


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("animal", "ear_tag", "'C9'"),
        ("animal", "ear_tag", "NULL"),
        ("animal", "rfid", "'985'"),
        ("animal", "birth_date", "'2026-01-06'"),
        ("animal", "state", "'dead'"),
        ("measurement", "animal_id", "1"),
        ("measurement", "status", "'withdrawn'"),
        ("measurement", "occurrence", "7"),
        ("measurement", "taken_at", "'2026-03-02 10:00:00'"),
        ("study", "title", "'Other'"),
    ],
)
def test_any_column_edited_behind_the_log_is_found(database: Database, table: str, column: str, value: str) -> None:
    trail = write_trail(database)
    key = {"animal": trail.animal, "measurement": trail.measurements[0], "study": trail.study}[table]
    tamper(database, f"UPDATE {table} SET {column} = {value} WHERE id = {key}")
    (problem,) = verify(database).problems
    assert (problem.kind, problem.entity, problem.key) == ("changed behind the log", table, key)
    assert problem.field == column.removesuffix("_id")


def test_a_row_that_nothing_logged_is_named(database: Database) -> None:
    trail = write_trail(database)
    tamper(database, "INSERT INTO project (id, code, title, status, version) VALUES (77, 'GHOST', 'Ghost', 'active', 1)")
    (problem,) = verify(database).problems
    assert (problem.kind, problem.entity, problem.key) == ("row not logged", "project", 77)
    assert "GHOST" in problem.sentence
    assert trail.project != 77


def test_a_secret_is_not_in_the_trail_but_its_change_behind_the_log_is(database: Database) -> None:
    with factories.declared(database) as session:
        person = factories.user(session)
        factories.member(session, factories.project(session), person=person)
    with database.reading() as session:
        assert factories.PASSWORD_HASH not in "".join(session.scalars(select(AuditChange.fields)))
    assert verify(database).ok
    tamper(database, f"UPDATE user_account SET password = 'other' WHERE id = {person.id}")
    (problem,) = verify(database).problems
    assert (problem.entity, problem.field) == ("user_account", "password")


def test_a_deleted_audit_row_and_a_changed_value_are_both_named(database: Database) -> None:
    trail = write_trail(database)
    tamper(
        database,
        "DELETE FROM audit_change WHERE event_seq = 2 AND position = 1",
        f"UPDATE animal SET ear_tag = 'C9' WHERE id = {trail.animal}",
    )
    report = verify(database)
    told = {(problem.kind, problem.event, problem.entity, problem.key) for problem in report.problems}
    assert ("change missing", 2, None, None) in told
    assert ("row not logged", None, "measurement", trail.measurements[1]) in told
    assert ("changed behind the log", 3, "animal", trail.animal) in told
    assert len(told) == 3


@pytest.mark.parametrize(
    "column", ["at", "actor", "origin", "action", "reason", "request", "detail", "root", "hash", "previous_hash"]
)
def test_fault_33_every_text_of_an_event_is_protected(database: Database, column: str) -> None:
    write_trail(database)
    tamper(database, f"UPDATE audit_event SET {column} = 'x' WHERE seq = 2")
    report = verify(database)
    assert 2 in {problem.event for problem in report.problems}


@pytest.mark.parametrize("column", ["actor_id", "project_id", "changes"])
def test_fault_33_every_number_of_an_event_is_protected(database: Database, column: str) -> None:
    write_trail(database)
    tamper(database, f"UPDATE audit_event SET {column} = 99 WHERE seq = 2")
    assert "event changed" in kinds(verify(database))


@pytest.mark.parametrize(
    "change", ["entity = 'animal'", "key = 4711", "project_id = 99", "fields = replace(fields, '21.4', '24.1')"]
)
def test_fault_33_an_edited_change_is_found_and_located(database: Database, change: str) -> None:
    trail = write_trail(database)
    tamper(database, f"UPDATE audit_change SET {change} WHERE event_seq = 2 AND position = 0")
    report = verify(database)
    assert ("change changed", 2) in {(problem.kind, problem.event) for problem in report.problems}
    if change.startswith("fields"):
        assert (trail.measurements[0], "value", "24.1", "21.4") in {
            (problem.key, problem.field, problem.expected, problem.found) for problem in report.problems
        }


@pytest.mark.parametrize("fields", ["no json", "[]", '{"value":7}', '{"animal":[3],"value":["1"]}', '{ "value": ["21.4"] }'])
def test_nonsense_in_the_trail_is_reported_not_fallen_over(database: Database, fields: str) -> None:
    write_trail(database)
    tamper(database, "UPDATE audit_change SET fields = :fields WHERE event_seq IN (2, 3)", fields=fields)
    assert {"change changed"} <= set(kinds(verify(database)))


class TestFault34:
    """A deleted, moved or cut event, and a chain written anew, against a checkpoint kept elsewhere."""

    def test_deleted(self, database: Database, settings: Settings) -> None:
        write_trail(database)
        note = checkpoint(database, settings)
        tamper(database, "DELETE FROM audit_event WHERE seq = 2")
        report = verify(database, checkpoints=[note])
        sentences = [problem.sentence for problem in report.problems if problem.event == 2]
        assert "The trail has a gap: event 2 is missing." in sentences
        assert "The trail holds 3 changes of event 2, but not the event itself." in sentences

    def test_reordered(self, database: Database, settings: Settings) -> None:
        write_trail(database)
        note = checkpoint(database, settings)
        tamper(
            database,
            *(
                f"UPDATE {table} SET {column} = {new} WHERE {column} = {old}"
                for old, new in ((2, 99), (3, 2), (99, 3))
                for table, column in (("audit_event", "seq"), ("audit_change", "event_seq"))
            ),
        )
        report = verify(database, checkpoints=[note])
        assert {"chain broken", "event changed", "chain rebuilt"} <= set(kinds(report))

    def test_tail_cut(self, database: Database, settings: Settings) -> None:
        trail = write_trail(database)
        note = checkpoint(database, settings)
        tamper(
            database,
            "DELETE FROM audit_event WHERE seq = 3",
            "DELETE FROM audit_change WHERE event_seq = 3",
            "DELETE FROM audit_checkpoint",
            f"UPDATE animal SET ear_tag = 'C1' WHERE id = {trail.animal}",
        )
        assert verify(database).ok, "without a checkpoint a cut tail leaves no trace"
        (problem,) = verify(database, checkpoints=[note]).problems
        assert (problem.kind, problem.expected, problem.found) == ("tail cut", 3, 2)

    def test_chain_rebuilt(self, database: Database, settings: Settings) -> None:
        write_trail(database)
        note = checkpoint(database, settings)
        tamper(database, "UPDATE audit_event SET reason = 'harmless' WHERE seq = 2", "DELETE FROM audit_checkpoint")
        rebuild(database)
        assert verify(database).ok, "without a checkpoint a chain written anew leaves no trace"
        (problem,) = verify(database, checkpoints=[note]).problems
        assert (problem.kind, problem.event) == ("chain rebuilt", 3)

    def test_forged_checkpoint(self, database: Database, settings: Settings, tmp_path: Path) -> None:
        write_trail(database)
        forged = checkpoint(database, settings.model_copy(update={"data_dir": tmp_path / "other"}))
        report = verify(database, key=signing_key(settings).verifier, checkpoints=[forged])
        assert kinds(report) == ["checkpoint forged"]


def rebuild(database: Database) -> None:
    with database.engine.connect() as connection:
        events = [dict(row._mapping) for row in connection.execute(select(AuditEvent.__table__).order_by(AuditEvent.seq))]
    previous = GENESIS
    for event in events:
        event["previous_hash"] = previous
        previous = event_hash(event)
        tamper(
            database,
            "UPDATE audit_event SET previous_hash = :previous, hash = :hash WHERE seq = :seq",
            previous=event["previous_hash"],
            hash=previous,
            seq=event["seq"],
        )


def test_clause_18_an_older_backup_is_noticed(database: Database, settings: Settings) -> None:
    trail = write_trail(database)
    checkpoint(database, settings)
    rename(database, trail.project, "Renamed")
    later = checkpoint(database, settings)
    tamper(
        database,
        "DELETE FROM audit_event WHERE seq = 4",
        "DELETE FROM audit_change WHERE event_seq = 4",
        "DELETE FROM audit_checkpoint WHERE seq = 4",
        f"UPDATE project SET title = 'Project BCBM' WHERE id = {trail.project}",
    )
    assert verify(database).ok
    (problem,) = verify(database, checkpoints=[later]).problems
    assert "an older backup was restored" in problem.sentence


def test_source_files_are_hashed_again(database: Database, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    with factories.declared(database) as session:
        for content in (b"one", b"two", b"three"):
            session.add(StoredFile(sha256=store.put(content), size=len(content), stored_at=datetime.now(UTC)))
    assert verify(database, files=store).ok
    with database.reading() as session:
        first, second, _ = session.scalars(select(StoredFile.sha256).order_by(StoredFile.id))
    store.path(first).unlink()
    store.path(second).write_bytes(b"TWO")
    found = [(problem.kind, problem.expected) for problem in verify(database, files=store).problems]
    assert found == [("file missing", first), ("file changed", second)]


def test_a_table_emptied_behind_the_log_is_counted_not_listed_without_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lims.audit.problems.MAX_LISTED", 2)
    write_trail(database)
    tamper(database, "DELETE FROM measurement")
    report = verify(database)
    assert (len(report.problems), report.more_problems, report.ok) == (2, 1, False)


def test_progress_is_told(database: Database) -> None:
    write_trail(database)
    told: list[str] = []
    verify(database, progress=lambda what, done: told.append(what))
    assert "audit_event" in told
    assert "measurement" in told


def test_verify_changes_nothing(database: Database) -> None:
    write_trail(database)
    with database.engine.connect() as connection:
        before = connection.execute(text("SELECT count(*) FROM audit_event")).scalar_one()
    verify(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar_one() == before
