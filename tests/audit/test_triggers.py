"""Nobody can edit the trail: the database itself refuses (21 CFR 11.10(e))."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lims.audit.checkpoint import make_checkpoint
from lims.audit.record import writing
from lims.audit.triggers import APPEND_ONLY, REFUSAL
from lims.config import Settings
from lims.db import Database
from tests.audit.trail import write_trail
from tests.support import factories

TABLES = sorted(APPEND_ONLY)


@pytest.fixture
def filled(database: Database, settings: Settings) -> Database:
    write_trail(database)
    with database.transaction() as session:
        make_checkpoint(session, settings)
    with factories.declared(database) as session:
        factories.signature(session, factories.study(session, factories.project(session)), factories.user(session))
    return database


def refused(database: Database, statement: str) -> None:
    with database.engine.connect() as connection, writing(connection):
        with pytest.raises(DBAPIError, match=REFUSAL):
            connection.execute(text(statement))
        connection.rollback()


@pytest.mark.parametrize("table", TABLES)
def test_clause_4_the_database_refuses_update_and_delete(filled: Database, table: str) -> None:
    column = APPEND_ONLY[table][0]
    refused(filled, f"UPDATE {table} SET {column} = {column}")
    refused(filled, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_clause_4_the_database_refuses_replacing_and_emptying(filled: Database, table: str) -> None:
    if filled.dialect == "sqlite":
        with filled.engine.connect() as connection:
            # As in the sqlite3 shell, where a replaced row fires no delete trigger.
            connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
        refused(filled, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        refused(filled, f"REPLACE INTO {table} SELECT * FROM {table}")
    else:
        refused(filled, f"TRUNCATE {table}")
        refused(
            filled,
            f"INSERT INTO {table} SELECT * FROM {table} "
            f"ON CONFLICT ({', '.join(APPEND_ONLY[table])}) DO UPDATE SET {APPEND_ONLY[table][0]} = 0",
        )
