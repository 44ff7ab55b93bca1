"""What the engines are told as they connect."""

from urllib.parse import quote

from lims.db import Database
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
