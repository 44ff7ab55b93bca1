"""The migrations: up, down and up again on both engines, and the tables they make are the models' tables exactly."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, select, text
from sqlalchemy import Enum as EnumType
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims import migrate
from lims.audit.record import writing
from lims.audit.triggers import create_statements, drop_statements
from lims.db import Database
from lims.models import Animal, Base, Patient
from tests.support import factories
from tests.support.databases import PostgresqlServer
from tests.support.whole import whole

ENUM_COLUMNS = [
    (table, column.name, column.type.enum_class)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, EnumType) and column.type.enum_class
]


def revisions() -> list[str]:
    """Every revision, oldest first."""
    return [one.revision for one in reversed(list(ScriptDirectory.from_config(migrate.config()).walk_revisions()))]


def table_names(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def fill(session: Session) -> None:
    """Put at least one row into every table of records, the cyclic reference included."""
    project = factories.project(session)
    person = factories.member(session, project)
    factories.saved_view(session, person, project)
    key = factories.token(session, person)
    factories.pattern(session, project)
    experiment = factories.cohort(session, project, animals=1)
    factories.signature(session, experiment, person)
    mouse = whole(session, project).animals
    factories.alias(session, mouse)
    of_file = factories.batch(session, project, study_id=experiment.id)
    factories.measurement(session, mouse, batch_id=of_file.id, formula="stated")
    factories.import_edit(session, of_file)
    factories.acceptance(session, of_file)
    factories.record_source(session, of_file, mouse)
    factories.job(session, of_file)
    factories.import_request(session, of_file, key)


def catalogue(engine: Engine) -> set[tuple[str, ...]]:
    """Everything the database itself knows of its tables, Alembic's own aside, as comparable text."""
    read = _sqlite_catalogue if engine.dialect.name == "sqlite" else _postgresql_catalogue
    with engine.connect() as connection:
        return {row for row in read(connection) if not any("alembic_version" in part for part in row)}


def _sqlite_catalogue(connection: Connection) -> set[tuple[str, ...]]:
    master = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    # SQLAlchemy writes one column or constraint a line; in which order does not matter.
    return {(kind, name, line.strip().rstrip(",")) for kind, name, sql in master for line in sql.splitlines()}


def _postgresql_catalogue(connection: Connection) -> set[tuple[str, ...]]:
    queries = (
        "SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT 'column', table_name, column_name, data_type, character_maximum_length, numeric_precision, is_nullable, "
        "column_default FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal",
    )
    return {tuple(map(str, row)) for query in queries for row in connection.execute(text(query))}


def test_there_is_one_newest_revision() -> None:
    assert migrate.heads() == (revisions()[-1],)


def test_each_revision_goes_up_down_and_up_again(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    before = "base"
    for revision in revisions():
        migrate.upgrade(empty_url, revision)
        migrate.downgrade(empty_url, before)
        migrate.upgrade(empty_url, revision)
        assert migrate.current(empty_url) == revision
        before = revision
    assert table_names(empty_url) == set(Base.metadata.tables) | {"alembic_version"}


def test_a_database_with_data_goes_down_and_up_again(database: Database, database_url: str) -> None:
    with factories.declared(database) as session:
        fill(session)
    with database.reading() as session:
        empty = [table.name for table in Base.metadata.sorted_tables if session.execute(select(table).limit(1)).first() is None]
    assert set(empty) == {"audit_checkpoint", "form_submission", "import_finding"}
    database.close()

    migrate.downgrade(database_url, "base")
    assert table_names(database_url) == {"alembic_version"}
    migrate.upgrade(database_url)
    with factories.declared(database) as session:
        fill(session)


def test_upgrading_twice_changes_nothing(database: Database, database_url: str) -> None:
    with factories.declared(database) as session:
        code = factories.animal(session, factories.project(session)).code
    before = catalogue(database.engine)
    migrate.upgrade(database_url)
    assert catalogue(database.engine) == before
    with database.reading() as session:
        assert session.scalar(select(Animal.code)) == code


def test_migrated_tables_are_those_of_the_models(database: Database, empty_url: str) -> None:
    made = create_engine(empty_url)
    with made.begin() as connection:
        Base.metadata.create_all(connection)
        for statement in create_statements(database.dialect):
            connection.execute(text(statement))
    expected = catalogue(made)
    if database.dialect == "sqlite":
        # None can be added to a table that exists, so `create_all` leaves out whichever reference of a cycle it comes to last.
        for column, table in (("source_implant_id", "implant"), ("source_animal_id", "animal")):
            reference = f"CONSTRAINT fk_specimen_{column}_{table} FOREIGN KEY({column}) REFERENCES {table} (id)"
            expected.add(("table", "specimen", reference))
    try:
        assert catalogue(database.engine) == expected
    finally:
        made.dispose()


# SQLite does not tell of expressions in an index; the comparison of the catalogues above does.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index:UserWarning")
def test_models_differ_in_nothing_a_new_migration_would_have_to_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_term_of_a_vocabulary_is_stored_and_nothing_else(database: Database) -> None:
    with factories.declared(database) as session:
        fill(session)
    with database.engine.execution_options(writes=True).connect() as connection, connection.begin(), writing(connection):
        for drop in drop_statements(database.dialect):
            connection.execute(text(drop))
        for table, column, terms in ENUM_COLUMNS:
            row = table.c.id == connection.scalar(select(table.c.id).limit(1))
            stored = []
            for term in terms:
                connection.execute(table.update().where(row).values({column: term}))
                stored.append(connection.scalar(select(table.c[column]).where(row)))
            assert stored == list(terms), f"{table.name}.{column}"
            with pytest.raises(IntegrityError, match=r"(?i)check"), connection.begin_nested():
                connection.execute(text(f"UPDATE {table.name} SET {column} = 'nonsense'"))


def test_one_active_reading_a_slot(database: Database) -> None:
    with factories.declared(database) as session:
        mouse = factories.animal(session, factories.project(session))
        factories.measurement(session, mouse, slot="2026-03-09", status="withdrawn")
        factories.measurement(session, mouse, slot="2026-03-09")
        factories.measurement(session, mouse, slot="2026-03-09", occurrence=2)
    with pytest.raises(IntegrityError), factories.declared(database) as session:
        factories.measurement(session, mouse, slot="2026-03-09")


def test_an_e_mail_address_has_one_account_whatever_its_case(database: Database) -> None:
    with factories.declared(database) as session:
        factories.user(session, email="Ada@lab.example")
    with pytest.raises(IntegrityError), factories.declared(database) as session:
        factories.user(session, email="ada@LAB.example")


def test_a_specimen_has_one_source(database: Database) -> None:
    with pytest.raises(IntegrityError), factories.declared(database) as session:
        donor: Patient = factories.patient(session, factories.project(session))
        factories.specimen(session, donor, patient_id=None)


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    engine.dispose()
    with pytest.raises(migrate.MigrationError, match=r"'from-the-future'.*newer version used it last"):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == "from-the-future"


def test_references_to_nothing_stop_a_migration(sqlite_database: Database) -> None:
    with factories.declared(sqlite_database) as session:
        factories.animal(session, factories.project(session))
    file = sqlite_database.engine.url.database
    sqlite_database.close()
    assert file is not None
    with sqlite3.connect(file) as unchecked:
        unchecked.execute("DELETE FROM project")
    unchecked.close()
    with pytest.raises(migrate.MigrationError, match="from animal row 1 to project"):
        migrate.upgrade(f"sqlite:///{file}")


def test_a_folder_with_a_percent_sign_is_found(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "migrations_dir", lambda: tmp_path / "100%(here)s")
    assert migrate.config().get_main_option("script_location") == str(tmp_path / "100%(here)s")


def test_two_processes_that_start_at_once_both_find_the_tables(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.create(template="template1")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.upgrade, [url, url]))
    assert migrate.current(url) == migrate.heads()[0]
    postgresql_server.drop(url)
