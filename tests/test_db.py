"""What the engines are told as they connect, and what statements tell them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from lims.db import Database
from lims.domain.vocabulary import RecordStatus
from lims.migrate import upgrade
from lims.models import Fate
from tests.support.databases import PostgresqlServer


def _cost(url: str) -> str:
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW random_page_cost").scalar_one())
    finally:
        database.close()


def test_postgresql_is_told_of_its_disk_unless_the_address_says_more(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.create(template="template1")
    assert _cost(url) == "1.1"
    assert _cost(f"{url}{'&' if '?' in url else '?'}options={quote('-c random_page_cost=3')}") == "3"
    postgresql_server.drop(url)


def test_sqlite_is_made_with_large_pages_and_lives_on_with_those_it_has(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    with closing(sqlite3.connect(kept)) as other:
        other.executescript("PRAGMA page_size = 4096; CREATE TABLE was (id INTEGER)")
    for file, size in ((tmp_path / "new.db", 8192), (kept, 4096)):
        upgrade(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA page_size").fetchone() == (size,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_term_stands_in_the_statement_which_sqlite_would_prepare_anew_for_a_bound_one() -> None:
    active = select(Fate.id).where(Fate.status == RecordStatus.ACTIVE, Fate.animal_id == 7)
    compiled = active.compile(dialect=sqlite.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's own constructor
    assert "fate.status = 'active'" in str(compiled)
    assert list(compiled.params.values()) == [7]
