"""The pages of measurements: every number with its source, its recorder and its history."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from openpyxl import load_workbook

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.vocabulary import Quality, VolumeFormula
from lims.models import Animal, User
from lims.records.measurements import Correction, correct_measurements, withdraw_measurements
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import Browser, address, message
from tests.support.statements import statements
from tests.views.cohort import Cohort, add_cohort, add_people, add_reading
from tests.views.test_studies import cells

HERE = "/p/BCBM/measurements/"


@pytest.fixture
@kept
def cohort(sqlite_database: Database) -> Cohort:
    """Give a study with four animals, whose file was committed by Sara."""
    add_people(sqlite_database)
    with sqlite_database.reading() as session:
        sara = session.query(User).filter_by(email=address("Sara")).one()
    return add_cohort(sqlite_database, by=Actor(sara.id, sara.name))


@pytest.fixture
def auditor(app: Application, cohort: Cohort) -> Browser:
    """Give the auditor's browser."""
    return Browser(app).sign_in("Ines")


def numbers(browser: Browser, query: str) -> list[int]:
    """Give the ids of the readings on the page."""
    page = browser.get(f"{HERE}?{query}")
    return [int(str(link["href"]).rsplit("/", 1)[1]) for link in page.select("a[data-row-link]")]


def test_the_list_begins_with_what_was_recorded_last_and_says_by_whom(
    auditor: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database, "measurement:create", by=Actor(None, "Tom at the bench")) as session:
        make.measurement(session, session.get_one(Animal, cohort.animals[0]), value=20.25)
    page = auditor.get(HERE, heading="Measurements")
    assert "in all, by record number, highest first" in message(page)
    assert "by record number" not in message(auditor.get(f"{HERE}?sort=taken_on")), "the column says so itself"
    rows = cells(page, "Measurements")
    assert rows[0] == ["2026-03-09", cohort.codes[0], "", "Body weight", "20.2 g", "", "form", "Tom at the bench"]
    assert rows[1][4] == "19.0 g"
    flux = next(row for row in rows if row[3] == "Bioluminescence, total flux")
    assert flux[4:] == ["2.10e7 p/s", "", f"batch {cohort.batch} · Sheet1!C13", "Sara"]


def test_the_source_shows_the_text_of_the_cell(auditor: Browser, cohort: Cohort) -> None:
    page = auditor.get(f"{HERE}?kind=bli_total_flux&q=M01")
    assert [cell["title"] for cell in page.select("td [title]")] == [
        "The file says: 2.1e+07",
        "The file says: 4.5e+06",
        "The file says: 1.2e+06",
    ]


def test_filters_stand_in_the_address(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    suspect = add_reading(sqlite_database, cohort, 3e6, Quality.SUSPECT)
    assert numbers(auditor, "kind=body_weight&q=M02") == list(cohort.weights)[5:2:-1]
    assert numbers(auditor, "quality=suspect") == [suspect]
    assert numbers(auditor, "from=2026-03-17") == [suspect]
    assert len(numbers(auditor, "to=2026-03-02")) == 8
    assert len(numbers(auditor, f"batch={cohort.batch}")) == 24
    assert len(numbers(auditor, f"study={cohort.study}")) == 25
    assert numbers(auditor, "study=999") == numbers(auditor, "batch=999999") == numbers(auditor, "kind=x") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "'yesterday' is no date."),
        ("batch=99999999999999999999", '"99999999999999999999" is no batch.'),
        ("batch=first", '"first" is no batch.'),
        ("quality=fine", "none of the choices"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_in_words(auditor: Browser, query: str, said: str) -> None:
    assert said in message(auditor.get(f"{HERE}?{query}", status=422))


def test_withdrawn_readings_are_not_listed_and_stay_readable(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    gone = cohort.weights[0]
    with sqlite_database.transaction() as session:
        project = session.get_one(Animal, cohort.animals[0]).project_id
        withdraw_measurements(session, Actor(None, "Tom"), project, [gone], reason="wrong mouse")
    assert gone not in numbers(auditor, "kind=body_weight")
    assert "Measurements 23" in message(auditor.get(HERE))
    page = message(auditor.get(f"{HERE}{gone}"))
    assert "withdrawn" in page
    assert "Reason: wrong mouse" in page


def test_exactly_this_view_comes_as_csv_xlsx_and_json(auditor: Browser, cohort: Cohort) -> None:
    where = f"{HERE}?kind=bli_total_flux&q=M03&sort=value"
    with auditor.client.get(f"{where}&format=csv") as response:
        rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert [float(row["Value"]) for row in rows] == [1.2e6, 4.5e6, 2.1e7]
    first = rows[0]
    assert [first[name] for name in ("Unit", "Sheet", "Row", "Column", "Text in the file", "Recorded by")] == [
        "p/s",
        "Sheet1",
        "8",
        "3",
        "1.2e+06",
        "Sara",
    ]
    with auditor.client.get(f"{where}&format=xlsx") as response:
        sheet = load_workbook(io.BytesIO(response.data)).active
    assert sheet.max_row >= 4
    with auditor.client.get(f"{where}&format=json") as response:
        assert "1.2e+06" in json.dumps(json.loads(response.data))


def test_a_reading_says_where_it_comes_from_and_who_changed_it_when_and_why(
    auditor: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    key = cohort.weights[0]
    with sqlite_database.transaction() as session:
        project = session.get_one(Animal, cohort.animals[0]).project_id
        change = Correction(key, {"value": (21.0, 20.1)})
        correct_measurements(session, Actor(None, "Tom"), project, [change], reason="digits swapped")
    page = auditor.get(f"{HERE}{key}", heading=f"Measurement {key}")
    told = message(page)
    assert page.h1.get_text(" ", strip=True) == "Body weight 20.1 g"
    assert f"batch {cohort.batch} · Sheet1!2" in told
    assert "BM-014.xlsx" in told
    assert len(page.select_one(".hash").text) == 64
    assert "Tom changed body weight 21 → 20.1 g" in told
    assert "Reason: digits swapped" in told
    assert "Sara recorded it" in told


def test_a_caliper_reading_shows_its_diameters_and_formula(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        mouse = session.get_one(Animal, cohort.animals[0])
        tumour = make.implant(session, mouse, "left")
        sizes = {"length_mm": 8.0, "width_mm": 5.0, "formula": VolumeFormula.HALF_L_W2}
        key = make.measurement(session, mouse, "caliper_volume", 100.0, implant_id=tumour.id, **sizes).id
    told = message(auditor.get(f"{HERE}{key}"))
    assert "Length 8.0 mm" in told
    assert "Formula ½ · L · W²" in told
    assert "Source form" in told


def test_a_reading_on_a_day_without_a_date_shows_its_day(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        mouse = session.get_one(Animal, cohort.animals[0])
        key = make.measurement(session, mouse, taken_on=None, relative_day=14.0, study_id=cohort.study).id
    assert cells(auditor.get(HERE), "Measurements")[0][0] == "d14"
    assert "Study BM-014" in message(auditor.get(f"{HERE}{key}"))


def test_another_projects_reading_is_not_found(app: Application, cohort: Cohort) -> None:
    stranger = Browser(app).sign_in("Olga")
    stranger.get(f"{HERE}{cohort.flux[0]}", status=404)
    stranger.get(f"/p/OTHER/measurements/{cohort.flux[0]}", status=404)
    assert "No measurement yet." in message(stranger.get("/p/OTHER/measurements/"))


@pytest.mark.parametrize("query", ["", "?kind=body_weight", "?sort=value&page=2"])
def test_the_list_costs_the_same_with_ten_times_the_readings(
    auditor: Browser, cohort: Cohort, sqlite_database: Database, query: str
) -> None:
    costs = []
    for more in (0, 1):
        for _ in range(more):
            add_cohort(sqlite_database, "BM-015", animals=20)
        with statements(sqlite_database.engine) as seen:
            auditor.get(f"{HERE}{query}")
        costs.append(len(seen))
    # A list is counted where its first page does not hold all of it: once, however long it is.
    assert costs[0] <= costs[1] <= costs[0] + 1


def test_a_page_of_readings_costs_the_same_number_of_statements_as_one_of_none(auditor: Browser, sqlite_database: Database) -> None:
    with statements(sqlite_database.engine) as full:
        auditor.get(HERE)
    with statements(sqlite_database.engine) as empty:
        auditor.get(f"{HERE}?from={date(2099, 1, 1)}")
    # Nothing fits the filter: one more asks whether there is anything at all.
    assert len(full) + 1 == len(empty)
