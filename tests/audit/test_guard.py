"""There is no path round the audited writer: every one of them raises."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from lims.audit.guard import refused
from lims.audit.record import UnauditedChange, declare
from lims.db import Database
from lims.models import Animal, AuditEvent, Project
from tests.audit.trail import Trail, write_trail
from tests.support import factories

Path = Callable[[Session, Trail], object]


def change_undeclared(session: Session, trail: Trail) -> None:
    session.get_one(Animal, trail.animal).ear_tag = "C9"
    session.flush()


def delete_declared(session: Session, trail: Trail) -> None:
    declare(session, factories.actor(), "animal:change")
    session.delete(session.get_one(Animal, trail.animal))
    session.flush()


def bulk_save(session: Session, trail: Trail) -> None:
    session.bulk_save_objects([Project(code="X", title="X")])


PATHS: dict[str, Path] = {
    "add without declaring": lambda session, _: (session.add(Project(code="X", title="X")), session.flush()),
    "change without declaring": change_undeclared,
    "session.delete": delete_declared,
    "bulk_save_objects": bulk_save,
    "bulk_insert_mappings": lambda session, _: session.bulk_insert_mappings(Project, [{"code": "X", "title": "X", "version": 1}]),
    "core insert": lambda session, _: session.execute(insert(Project).values(code="X", title="X")),
    "core update": lambda session, _: session.execute(update(Animal).values(ear_tag="C9")),
    "core delete": lambda session, _: session.execute(delete(Animal)),
    "text": lambda session, _: session.execute(text("UPDATE animal SET ear_tag = 'C9'")),
    "driver": lambda session, _: session.connection().exec_driver_sql("DELETE FROM animal"),
    "with": lambda session, _: session.execute(text("WITH x AS (SELECT 1) UPDATE animal SET ear_tag = 'C9'")),
    "comment": lambda session, _: session.execute(text("/* fix */ UPDATE animal SET ear_tag = 'C9'")),
    "trail itself": lambda session, _: session.execute(update(AuditEvent).values(reason="x")),
    "copy": lambda session, _: session.connection().exec_driver_sql("COPY animal FROM STDIN"),
}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_clause_1_no_path_round_the_writer(database: Database, path: str) -> None:
    trail = write_trail(database)
    with pytest.raises(UnauditedChange), database.transaction() as session:
        PATHS[path](session, trail)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM animal WHERE ear_tag = 'C9'")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM animal")).scalar_one() == 7
        assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar_one() == 3


def test_a_plain_connection_is_guarded_too(database: Database) -> None:
    with database.engine.connect() as connection, pytest.raises(UnauditedChange, match="INSERT INTO project"):
        connection.exec_driver_sql("INSERT INTO project (code) VALUES ('X')")


@pytest.mark.parametrize(
    ("statement", "write"),
    [
        ("SELECT * FROM animal FOR UPDATE", None),
        ("SELECT 'x; DELETE FROM animal'", None),
        ("SELECT replace(code, 'a', 'b') FROM animal", None),
        ("INSERT INTO import_finding (id) VALUES (1)", None),
        ("COPY (SELECT 1) TO STDOUT", None),
        ("SELECT 1; DELETE FROM animal", "DELETE FROM animal"),
        ("-- tidy up\nTRUNCATE ONLY animal", "TRUNCATE animal"),
        ("WITH gone AS (DELETE FROM animal RETURNING *) SELECT * FROM gone", "DELETE FROM animal"),
        ("INSERT OR REPLACE INTO [animal] VALUES (1)", "INSERT OR REPLACE INTO animal"),
        ("MERGE INTO animal USING x ON true WHEN MATCHED THEN DELETE", "MERGE INTO animal"),
        ("update `animal` set ear_tag = 1", "UPDATE animal"),
    ],
)
def test_statements_that_write_are_told_from_those_that_read(statement: str, write: str | None) -> None:
    assert refused(statement) == write
