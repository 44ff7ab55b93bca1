"""Plots, survival, missing data and tidy tables of a study, as pages and as files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook

from lims.db import Database
from lims.domain.cohort_terms import AllocationMethod, EndpointMeasure, FateReason
from lims.domain.vocabulary import AnimalStatus, Quality, RoleName, StudyStatus
from lims.exports.tidy import TABLES
from lims.models import Allocation, Animal, Arm, AuditEvent, Enrolment, Project, Randomisation, Study
from lims.views.figures import STUDY_PLOTS
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.pages import Browser, add_person, message
from tests.support.statements import statements
from tests.views.cohort import DAY_ZERO, Cohort, add_cohort, add_people, add_reading
from tests.views.test_studies import drawn

HERE = "/p/BCBM/studies/"
IMAGES = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.fixture
def cohort(sqlite_database: Database) -> Cohort:
    """Give a study with four animals and their readings."""
    add_people(sqlite_database)
    return add_cohort(sqlite_database)


@pytest.fixture
def scientist(app: Application, cohort: Cohort) -> Browser:
    """Give the scientist's browser."""
    return Browser(app).sign_in("Sara")


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
    """Get a csv file."""
    with browser.client.get(path) as response:
        assert response.status_code == 200, f"{path}: {response.status}"
        return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))


def end(database: Database, cohort: Cohort, ends: dict[int, tuple[int, FateReason]]) -> None:
    """Let animals of the cohort, by their place in it, die on study days."""
    with make.declared(database) as session:
        for place, (day, reason) in ends.items():
            animal = session.get_one(Animal, cohort.animals[place])
            animal.state, animal.died_on = AnimalStatus.DEAD, DAY_ZERO + timedelta(days=day)
            make.fate(session, animal, died_on=animal.died_on, reason=reason)


def change(database: Database, cohort: Cohort, **columns: object) -> None:
    """Change the study behind the pages' back."""
    with make.declared(database, "study:change") as session:
        study = session.get_one(Study, cohort.study)
        for name, value in columns.items():
            setattr(study, name, value)


def treat(database: Database, cohort: Cohort) -> None:
    """Dose, sample and randomise the first animal, let an endpoint ask for something, and sign."""
    with make.declared(database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        animal, agent = session.get_one(Animal, cohort.animals[0]), make.agent(session, project, "SECRETIB")
        regimen = make.regimen(session, session.get_one(Arm, cohort.arms[0]), agent)
        make.dose(session, animal, agent, study_id=cohort.study, regimen_id=regimen.id, due_on=DAY_ZERO, reason="told: Vehicle")
        for matrix in ("plasma", "lesion_core"):
            make.exposure(session, animal, agent, matrix=matrix)
        rule = make.endpoint_rule(session, make.protocol(session, project), EndpointMeasure.WEIGHT_LOSS, 15.0)
        make.endpoint_action(session, rule, animal)
        make.signature(session, session.get_one(Study, cohort.study), make.user(session), statement="better than Vehicle")
        run = Randomisation(
            project_id=project.id, study_id=cohort.study, number=1, method=AllocationMethod.MINIMISATION, algorithm="m/1", seed="1"
        )
        run.baseline_kind, run.baseline_on, run.strata, run.places, run.made_on = "bli_total_flux", DAY_ZERO, [], [], DAY_ZERO
        session.add(run)
        session.flush()
        allocation = {"randomisation_id": run.id, "animal_id": animal.id, "arm_id": cohort.arms[0], "position": 1}
        session.add(Allocation(project_id=project.id, baseline_value=1.2e6, **allocation))


@each("form", ["svg", "png", "pdf", "csv", "xlsx", "json"])
@each("plot", ["growth", "means", "spider", "weight", "survival"])
def test_every_plot_is_a_figure_and_a_table_and_stands_in_the_trail(
    scientist: Browser, cohort: Cohort, sqlite_database: Database, plot: str, form: str
) -> None:
    with scientist.client.get(f"{HERE}{cohort.study}/plots/{plot}.{form}") as response:
        assert response.status_code == 200, response.data[:500]
        assert response.data.startswith(IMAGES.get(form, b""))
        disposition = response.headers["Content-Disposition"]
        assert f".{form}" in disposition
        assert disposition.isascii(), "a server sends headers as ASCII; Kaplan–Meier and ± SEM are not"
    with sqlite_database.reading() as session:
        event = session.query(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1).one()
        assert event.action == "study:export"
        assert json.loads(event.detail).items() >= {"study": "BM-014", "plot": plot, "format": form}.items()


def test_plots_of_exposure_and_balance_are_drawn_once_there_is_something(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    base = f"{HERE}{cohort.study}/plots/"
    for path in ("exposure.svg?of=SECRETIB", "exposure.svg", "balance.svg"):
        scientist.get(f"{base}{path}", status=404)
    treat(sqlite_database, cohort)
    for path in ("exposure.svg?of=SECRETIB", "balance.svg"):
        assert scientist.client.get(f"{base}{path}").data.startswith(b"<svg")
    scientist.get(f"{base}exposure.svg?of=OTHER", status=404)


@each(
    ("path", "said"),
    [
        ("waterfall.svg", "has no plot 'waterfall'"),
        ("growth.gif", "is no 'gif'"),
        ("growth.svg?kind=caliper_volume", "nothing to draw"),
        ("growth.csv?kind=%27%20OR%201", "nothing to draw"),
        ("exposure.svg?of=x", "nothing to draw"),
    ],
)
def test_a_plot_that_is_not_there_is_not_found_in_words(scientist: Browser, cohort: Cohort, path: str, said: str) -> None:
    page = scientist.get(f"{HERE}{cohort.study}/plots/{path}", status=404)
    assert said in message(page)


def test_nothing_is_written_to_the_trail_for_what_was_not_found(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    with sqlite_database.reading() as session:
        before = session.query(AuditEvent).count()
    for path in ("plots/nothing.svg", "plots/growth.gif", "export/nothing.csv", "export/animals.pdf", "export/all.csv"):
        scientist.get(f"{HERE}{cohort.study}/{path}", status=404)
    with sqlite_database.reading() as session:
        assert session.query(AuditEvent).count() == before


def test_another_projects_study_and_animal_are_not_found(app: Application, cohort: Cohort) -> None:
    stranger = Browser(app).sign_in("Olga")
    for path in ("plots/growth.svg", "export/animals.csv", "export/all.zip", "missing/?format=csv"):
        stranger.get(f"/p/OTHER/studies/{cohort.study}/{path}", status=404)
    stranger.get(f"/p/OTHER/animals/{cohort.animals[0]}/plots/body_weight.svg", status=404)


def test_an_animals_plot_is_a_file_too(scientist: Browser, cohort: Cohort) -> None:
    with scientist.client.get(f"/p/BCBM/animals/{cohort.animals[0]}/plots") as drawn:
        page = BeautifulSoup(drawn.text, "html.parser")
    (link,) = [one["href"] for one in page.select("#over-time-body-weight .plot-links a") if one.text.startswith("csv")]
    assert [row["Value (g)"] for row in rows_of(scientist, str(link))] == ["21.0", "20.0", "19.0"]
    path = f"/p/BCBM/animals/{cohort.animals[0]}/plots/"
    assert scientist.client.get(f"{path}bli_total_flux.pdf").data.startswith(b"%PDF")
    scientist.get(f"{path}neurological_score.svg", status=404)
    scientist.get(f"{path}body_weight.gif", status=404)


def test_the_files_of_a_plot_are_blinded_as_its_page_is(app: Application, cohort: Cohort, sqlite_database: Database) -> None:
    treat(sqlite_database, cohort)
    change(sqlite_database, cohort, blinded=True)
    add_person(sqlite_database, "Dora", BCBM=RoleName.STUDY_DIRECTOR)
    for name, sees in (("Sara", False), ("Dora", True)):
        browser = Browser(app).sign_in(name)
        for plot in ("growth", "means", "spider", "weight", "survival"):
            figure = browser.client.get(f"{HERE}{cohort.study}/plots/{plot}.svg").text
            assert ("Tucatinib" in figure) is sees, (name, plot)
            rows = rows_of(browser, f"{HERE}{cohort.study}/plots/{plot}.csv")
            assert ({row["Arm"] for row in rows} == {"Vehicle", "Tucatinib"}) is sees
        exposure = browser.client.get(f"{HERE}{cohort.study}/plots/exposure.csv?of=SECRETIB")
        assert exposure.status_code == (200 if sees else 404)


def test_survival_shows_curves_medians_and_what_was_tested(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    change(sqlite_database, cohort, state=StudyStatus.CLOSED)
    reason = FateReason.WEIGHT_ENDPOINT
    end(sqlite_database, cohort, {0: (10, reason), 2: (20, reason), 1: (30, reason), 3: (40, FateReason.SCHEDULED)})
    page = scientist.whole(f"{HERE}{cohort.study}/survival/", heading="Survival in BM-014")
    told = message(page)
    assert "log-rank test: χ² = 2.88 with 1 degree of freedom" in told
    assert "whether Vehicle, Tucatinib have one survival curve" in told
    assert "survival/1" in told
    medians = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in page.select("table.data tbody tr")]
    assert ["Vehicle", "2", "2", "0", "15", "10 to not reached"] in medians
    assert ["Tucatinib", "2", "1", "1", "35", "30 to not reached"] in medians or any(row[0] == "Tucatinib" for row in medians)
    spec = drawn(page, "survival")
    assert not [layer for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    with_limits = scientist.whole(f"{HERE}{cohort.study}/survival/?limits=1")
    spec = drawn(with_limits, "survival")
    assert [layer for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    assert all("limits=1" in link["href"] for link in with_limits.select("#survival .plot-links a"))


def test_a_death_nobody_explained_stops_survival_and_is_listed(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        session.get_one(Animal, cohort.animals[0]).state = AnimalStatus.DEAD
    page = scientist.whole(f"{HERE}{cohort.study}/survival/")
    assert "Survival is not computed: of 1 animal" in message(page)
    assert cohort.codes[0] in message(page)
    assert not page.select("figure.plot")
    (step,) = page.select(".message a.btn")
    assert step["href"] == f"/p/BCBM/fates/several?animal={cohort.codes[0]}"
    scientist.get(f"{HERE}{cohort.study}/plots/survival.svg", status=404)


def test_a_test_that_cannot_be_estimated_says_why(scientist: Browser, cohort: Cohort) -> None:
    told = message(scientist.whole(f"{HERE}{cohort.study}/survival/"))
    assert "The log-rank test cannot be estimated. No animal had an event." in told


def test_excluded_animals_are_named_on_the_survival_page(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        enrolment = session.query(Enrolment).filter_by(animal_id=cohort.animals[3]).one()
        enrolment.excluded_on, enrolment.exclusion_reason = DAY_ZERO + timedelta(days=3), "no tumour took"
    page = scientist.whole(f"{HERE}{cohort.study}/survival/")
    assert "from 2026-03-05: no tumour took" in message(page)
    overview = scientist.whole(f"{HERE}{cohort.study}")
    assert "Tucatinib 2 1 … 1" in message(overview)


def test_the_weight_limit_is_the_protocols_where_there_is_one(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        protocol = make.protocol(session, project, code="A-15")
        make.endpoint_rule(session, protocol, EndpointMeasure.WEIGHT_LOSS, 15.0)
        session.get_one(Animal, cohort.animals[0]).protocol_id = protocol.id
    page = scientist.whole(f"{HERE}{cohort.study}")
    assert "The line is a loss of 15 %, at which protocol A-15 acts" in message(page)
    assert '"limit": 85.0' in json.dumps(drawn(page, "weight"))


def test_missing_readings_are_drawn_and_come_as_a_file(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    assert "whenever most of an arm was read, all of it was" in message(scientist.get(f"{HERE}{cohort.study}/missing/"))
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        late = make.animal(session, project, "LATE")
        make.enrolment(session, session.get_one(Arm, cohort.arms[0]), late, enrolled_on=date(2026, 3, 8))
        make.measurement(session, late, "bli_total_flux", 1e6, taken_on=date(2026, 3, 9), slot="2026-03-09")
    page = scientist.get(f"{HERE}{cohort.study}/missing/", heading="Missing data of BM-014")
    assert "1 reading is missing, of 1 animal" in message(page)
    (row,) = page.select("table.presence tbody tr")
    assert row.get_text(" ", strip=True) == "LATE Vehicle missing"
    assert [cell.get_text(" ", strip=True) for cell in page.select("table.presence thead th")][2:] == ["2026-03-16 d14"]
    assert rows_of(scientist, f"{HERE}{cohort.study}/missing/?format=csv") == [
        {"Animal": "LATE", "Arm": "Vehicle", "Not read for": "bli_total_flux", "Date": "2026-03-16", "Study day": "14"}
    ]
    weights = scientist.get(f"{HERE}{cohort.study}/missing/?kind=body_weight&days=999&page=x")
    assert "2 readings are missing" in message(weights)
    assert "'pdf' is no format" in message(scientist.get(f"{HERE}{cohort.study}/missing/?format=pdf", status=422))


def test_overdue_doses_are_counted_by_arm(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    assert "None: each dose that was due is recorded" in message(scientist.get(f"{HERE}{cohort.study}/missing/"))
    change(sqlite_database, cohort, state=StudyStatus.ACTIVE)
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        make.regimen(session, session.get_one(Arm, cohort.arms[1]), make.agent(session, project), "QDx5")
    page = scientist.get(f"{HERE}{cohort.study}/missing/")
    assert "10 doses were due" in message(page)
    assert "Tucatinib 10 2 2026-03-02" in message(page)


@pytest.mark.parametrize("table", list(TABLES))
def test_each_tidy_table_has_the_columns_that_the_page_describes(
    scientist: Browser, cohort: Cohort, sqlite_database: Database, table: str
) -> None:
    treat(sqlite_database, cohort)
    rows = rows_of(scientist, f"{HERE}{cohort.study}/export/{table}.csv")
    assert list(rows[0]) == list(TABLES[table].columns)
    if "animal" in rows[0]:
        assert rows[0]["animal"] == cohort.codes[0]
        assert rows[0]["arm"] == "Vehicle"
    first = next(iter(TABLES[table].columns))
    with scientist.client.get(f"{HERE}{cohort.study}/export/{table}.json") as response:
        assert [row[first] for row in response.get_json()] == [row[first] for row in rows]
    told = message(scientist.get(f"{HERE}{cohort.study}/export/", heading="Export of BM-014"))
    assert all(words in told for words in TABLES[table].columns.values())


def test_tidy_tables_tell_outcome_and_what_is_excluded(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    end(sqlite_database, cohort, {0: (10, FateReason.WEIGHT_ENDPOINT)})
    add_reading(sqlite_database, cohort, 9e7, Quality.EXCLUDED)
    animals = rows_of(scientist, f"{HERE}{cohort.study}/export/animals.csv")
    assert [animals[0][name] for name in ("fate", "outcome", "followed_days", "event")] == ["weight_endpoint", "event", "10.0", "1"]
    assert (animals[1]["fate"], animals[1]["outcome"]) == ("", "")
    readings = rows_of(scientist, f"{HERE}{cohort.study}/export/readings.csv")
    assert [(row["value"], row["unit"]) for row in readings if row["quality"] == "excluded"] == [("90000000.0", "p/s")]
    weights = rows_of(scientist, f"{HERE}{cohort.study}/export/weights.csv")
    assert [round(float(row["percent_of_baseline"]), 1) for row in weights[:3]] == [100.0, 95.2, 90.5]


def test_the_workbook_and_the_archive_have_every_table_and_their_dictionary(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    treat(sqlite_database, cohort)
    with scientist.client.get(f"{HERE}{cohort.study}/export/all.xlsx") as response:
        book = load_workbook(io.BytesIO(response.data), read_only=True)
    assert book.sheetnames == [*TABLES, "columns"]
    assert [cell.value for cell in next(book["readings"].iter_rows(max_row=1))] == list(TABLES["readings"].columns)
    assert sum(1 for _ in book["readings"].iter_rows()) == 1 + 24
    with scientist.client.get(f"{HERE}{cohort.study}/export/all.zip") as response:
        archive = zipfile.ZipFile(io.BytesIO(response.data))
    assert archive.testzip() is None
    assert archive.namelist() == [*(f"{name}.csv" for name in TABLES), "columns.csv"]
    assert b"percent_of_baseline" in archive.read("columns.csv")


def test_blinded_people_get_codes_and_nothing_of_what_arms_are_given(
    app: Application, cohort: Cohort, sqlite_database: Database
) -> None:
    treat(sqlite_database, cohort)
    change(sqlite_database, cohort, blinded=True)
    browser = Browser(app).sign_in("Tom")
    for table in TABLES:
        with browser.client.get(f"{HERE}{cohort.study}/export/{table}.csv") as response:
            text = response.data.decode()
        assert not any(word in text for word in ("Vehicle", "Tucatinib", "SECRETIB")), table
        assert (text.count("\n") > 1) is not TABLES[table].secret
    told = message(browser.get(f"{HERE}{cohort.study}/export/"))
    assert told.count("not for you while the study is blinded") == 3


def test_tables_and_pages_on_both_engines(app_on_each: Application, database: Database) -> None:
    add_people(database)
    cohort = add_cohort(database)
    treat(database, cohort)
    end(database, cohort, {0: (10, FateReason.WEIGHT_ENDPOINT)})
    browser = Browser(app_on_each).sign_in("Sara")
    for page in ("", "/survival/?limits=1", "/missing/", "/missing/?format=csv", "/export/", "/export/all.zip", "/export/all.xlsx"):
        with browser.client.get(f"{HERE}{cohort.study}{page}") as response:
            assert response.status_code == 200, page
            assert response.data
    for plot in STUDY_PLOTS:
        with browser.client.get(f"{HERE}{cohort.study}/plots/{plot}.csv?of=SECRETIB") as response:
            assert response.status_code == 200, plot


@pytest.mark.parametrize(
    "path", ["plots/growth.csv", "plots/survival.csv", "export/animals.csv", "export/readings.csv", "missing/?format=csv"]
)
def test_a_file_costs_the_same_with_ten_times_the_animals(
    scientist: Browser, cohort: Cohort, sqlite_database: Database, path: str
) -> None:
    big = add_cohort(sqlite_database, "BM-015", animals=20)
    costs = []
    for study in (cohort.study, big.study):
        with statements(sqlite_database.engine) as seen, scientist.client.get(f"{HERE}{study}/{path}") as response:
            assert response.data
        costs.append(len(seen))
    assert costs[0] == costs[1]


@each("path", ["plots/growth", "plots/growth/table", "survival/curves", "dosing/calendar"])
def test_parts_of_another_projects_study_are_not_found(
    app: Application, cohort: Cohort, sqlite_database: Database, path: str
) -> None:
    stranger = Browser(app).sign_in("Olga")
    for place in (f"/p/OTHER/studies/{cohort.study}", f"{HERE}{cohort.study}"):
        with stranger.client.get(f"{place}/{path}") as response:
            assert response.status_code == 404


@each("path", ["plots/waterfall", "plots/growth?kind=neurological_score", "plots/growth/table?kind=none", "plots/exposure/table"])
def test_a_part_with_nothing_to_draw_is_not_found(scientist: Browser, cohort: Cohort, path: str) -> None:
    scientist.get(f"{HERE}{cohort.study}/{path}", status=404)


def test_a_page_says_what_is_on_its_way_and_where_its_numbers_are(scientist: Browser, cohort: Cohort) -> None:
    page = scientist.get(f"{HERE}{cohort.study}?kind=body_weight")
    parts = page.select("[data-later]")
    assert [part["data-title"] for part in parts[:2]] == ["Body weight, each animal", "Body weight, mean ± SEM"]
    for part in parts:
        assert part["aria-busy"] == "true"
        assert part.select_one("[role=status]").text.startswith(str(part["data-title"]))
        numbers = scientist.client.get(str(part.select_one("noscript a")["href"]))
        assert "<caption" in numbers.text
