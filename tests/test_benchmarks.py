"""The benchmarks measure what they say they measure: the files they make, the floors, the lines. No time is judged."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest
from sqlalchemy.engine import make_url

from benchmarks import audit, cohort_data, cohorts, imports, laboratory, measure
from importers.identify import identify
from importers.registry import by_key
from importers.workbook import open_workbook

ROWS = 200


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return laboratory.prepare_sqlite(tmp_path_factory.mktemp("bench"), ROWS)


def test_the_table_is_the_same_every_time_and_read_by_the_importer():
    content = laboratory.write_workbook(ROWS)
    assert list(laboratory.caliper_rows(ROWS)) == list(laboratory.caliper_rows(ROWS))
    book = open_workbook(content, "good.xlsx")
    assert tuple(book.sheets[0].rows[0]) == laboratory.HEADER
    claim = identify(book)
    reading = by_key(claim.importer).read(book, claim, {})
    assert claim.importer == "caliper_long"
    assert [len(series) for series in reading.series] == [ROWS]
    assert reading.findings == ()
    assert reading.questions == ()
    assert reading.series[0].when[0] == date(2025, 1, 6)
    assert len(reading.animals) == ROWS // laboratory.READINGS_PER_ANIMAL


def test_every_row_of_the_wrong_table_is_refused_and_of_the_good_one_recorded(prepared):
    for batch in (laboratory.GOOD, laboratory.WRONG):
        with prepared.copy() as url:
            assert imports.commit(prepared.job, url, batch).wall > 0


def test_an_import_that_comes_to_something_else_is_not_measured(prepared):
    with prepared.copy() as url:
        imports.commit(prepared.job, url, laboratory.GOOD)
        with pytest.raises(Exception, match="committed already"):
            imports.commit(prepared.job, url, laboratory.GOOD)


def test_the_floor_writes_the_very_rows_that_an_import_writes(prepared):
    with prepared.copy() as url:
        kept = imports.keep_rows(prepared.job, url)
        imported = _rows(url)
    with prepared.copy() as url:
        assert _rows(url) == []
        imports.floor(prepared.job, url, kept)
        assert _rows(url) == imported
    assert len(imported) == ROWS


def _rows(url):
    with sqlite3.connect(make_url(url).database) as connection:
        return connection.execute("SELECT * FROM measurement ORDER BY id").fetchall()


def test_the_trail_holds_and_is_as_long_as_asked_for(tmp_path):
    url = audit.write_trail(tmp_path, ROWS)
    chain, whole, changes = audit.verified(url)
    assert chain.wall > 0
    assert whole.wall > 0
    assert changes >= ROWS
    exported, plain = tmp_path / "trail", tmp_path / "plain"
    audit.exported(url, "csv", exported)
    audit.written(url, "csv", plain)
    # The export has a header, and a line for each event that changed no record.
    assert len(exported.read_text().splitlines()) >= len(plain.read_text().splitlines()) + 1
    audit.written(url, "jsonl", plain)
    assert sum(len(json.loads(line)[1]) for line in plain.read_text().splitlines()) == changes


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    with cohorts.filled("sqlite", cohort_data.Size(studies=3, animals=8)) as filled:
        yield filled


def test_a_laboratory_of_studies_has_what_its_pages_show(studies):
    with sqlite3.connect(make_url(studies.url).database) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("study", "arm", "animal", "enrolment", "regimen", "dose", "fate", "import_batch")
        }
        kinds = dict(connection.execute("SELECT kind, count(*) FROM measurement GROUP BY kind"))
        states = dict(connection.execute("SELECT state, count(*) FROM study GROUP BY state"))
    assert counts["animal"] == counts["enrolment"] == 24
    assert (counts["study"], counts["arm"], counts["regimen"], counts["import_batch"]) == (3, 12, 15, 3)
    assert counts["dose"] > 0
    assert counts["fate"] == 12
    assert len(set(kinds.values())) == 1
    assert set(kinds) == {"body_weight", "bli_total_flux", "caliper_volume"}
    assert states == {"active": cohort_data.RUNNING, "closed": 1}


def test_every_page_that_is_measured_answers(studies):
    database = cohorts.Database(studies.url)
    client = cohorts.signed_in(cohorts.create_app(studies.settings, database))
    for address in cohorts.addresses(database).values():
        cohorts.asked(client, address)()  # raises unless it is answered with 200
    database.close()


def test_a_page_is_measured_beside_the_bare_one(studies, monkeypatch):
    monkeypatch.setattr(cohorts, "ROUND_SECONDS", 0.0)
    found = measure.apart(cohorts.page_rounds, studies, studies, 1, ("today", "study"))
    assert set(found) == {"today", "study"}
    assert all(len(column) == 1 for of in found.values() for column in (of.values, of.agains, of.floors, of.smalls))


def test_a_reading_inserted_by_the_driver_alone_stands_in_the_trail(studies, tmp_path):
    copy = tmp_path / "lims.db"  # what the other tests count stays as it is
    with closing(sqlite3.connect(make_url(studies.url).database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    database = cohorts.Database(f"sqlite:///{copy}")
    before = audit.verified(str(database.engine.url))[2]
    borrowed = database.engine.raw_connection()
    day = cohort_data.TODAY.isoformat()
    moment = cohorts.datetime.fromisoformat(f"{day}T08:00:00+00:00")
    cohorts.insert_audited(borrowed.driver_connection, "sqlite", 1, (1, "S001-001"), moment)
    borrowed.close()
    database.close()
    assert audit.verified(str(database.engine.url))[2] == before + 1


def test_a_figure_compares_pair_by_pair_and_is_one_line():
    values = [measure.Spent(wall, wall / 2) for wall in (2.0, 6.0, 9.0)]
    floors = [measure.Spent(wall, wall) for wall in (1.0, 2.0, 9.0)]
    told = json.loads(measure.figure("name", values, floors, 2.0, size=30).line())
    assert told["ratio"] == 2.0
    assert told["spread"] == [1.0, 3.0]
    assert (told["value"], told["floor"], told["rounds"], told["target"]) == (6.0, 2.0, 3, 2.0)
    assert (told["cpu_ratio"], told["rate"]) == (1.0, 5)
    assert measure.by_a_server(measure.figure("name", values, floors, 2.0)).cpu_ratio is None
