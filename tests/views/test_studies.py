"""The pages of studies as the people of a lab use them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from bs4 import BeautifulSoup

from lims.db import Database
from lims.domain.vocabulary import Quality, StudyStatus
from lims.models import Arm, AuditEvent, Project, Study
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.pages import Browser, message, specification
from tests.support.statements import statements
from tests.views.cohort import Cohort, add_cohort, add_people, add_reading

PARTS = (
    *(f"/plots/{plot}" for plot in ("growth", "growth/table", "means", "spider", "weight", "survival/table")),
    "/survival/curves?limits=1",
    "/dosing/calendar",
)
"""What a study's pages leave room for."""
HERE = "/p/BCBM/studies/"


@pytest.fixture
def cohort(sqlite_database: Database) -> Cohort:
    """Give a study with four animals and their readings."""
    add_people(sqlite_database)
    return add_cohort(sqlite_database)


@pytest.fixture
def scientist(app: Application, cohort: Cohort) -> Browser:
    """Give the scientist's browser."""
    return Browser(app).sign_in("Sara")


def cells(page: BeautifulSoup, caption: str) -> list[list[str]]:
    """Give the rows of the table with this caption, as read."""
    for table in page.find_all("table"):
        if table.caption and table.caption.text == caption:
            return [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in table.tbody.find_all("tr")]
    raise AssertionError(f"no table {caption}")


def beside_arms(page: BeautifulSoup) -> list[str]:
    """Give the last value that a part of the page brings for each place beside an arm, in the order of the arms."""
    brought = {one["data-fills"]: one.text for one in page.select("[data-fills]")}
    return [brought[place["data-place"]] for place in page.select("aside [data-place]")]


def drawn(page: BeautifulSoup, plot: str) -> dict[str, Any]:
    """Give the specification of a plot."""
    found = page.find(id=f"{plot}-spec")
    assert found is not None, f"no plot {plot}"
    return specification(found.text)


def test_the_list_counts_and_leads_to_the_study(scientist: Browser, cohort: Cohort) -> None:
    page = scientist.get(HERE, heading="Studies")
    assert cells(page, "Studies") == [["BM-014", "Title of BM-014", "draft", "2", "4", "Efficacy", "2026-03-02"]]
    counted = scientist.get(f"{HERE}?columns=code,readings,last_on")
    assert cells(counted, "Studies") == [["BM-014", "24", "2026-03-16"]]
    assert page.select_one("a[data-row-link]")["href"] == f"{HERE}{cohort.study}"
    assert "Nothing fits" in message(scientist.get(f"{HERE}?state=closed"))


def test_the_study_draws_flux_first_then_means_then_weight(scientist: Browser, cohort: Cohort) -> None:
    page = scientist.whole(f"{HERE}{cohort.study}", heading="BM-014")
    assert [figure["id"] for figure in page.select("figure.plot")] == ["growth", "means", "spider", "weight"]
    growth = drawn(page, "growth")
    assert {(row["animal"], row["arm"], row["day"]) for row in growth["data"]["values"]} == {
        (code, arm, day) for code, arm in zip(cohort.codes, ("Vehicle", "Tucatinib") * 2, strict=True) for day in (0.0, 7.0, 14.0)
    }
    assert growth["data"]["values"][0]["url"] == f"/p/BCBM/animals/{cohort.animals[0]}"
    assert {row["n"] for row in drawn(page, "means")["data"]["values"]} == {2}
    assert min(row["value"] for row in drawn(page, "weight")["data"]["values"]) == pytest.approx(100 * 19 / 21)
    assert "Days count from randomisation on 2026-03-02" in message(page)
    assert "The line is a loss of 20 %." in message(page)
    assert cells(page, "Arms") == [["Vehicle", "2", "2", "…"], ["Tucatinib", "2", "2", "…"]]
    assert beside_arms(page) == ["2.10e7 of 2", "2.10e7 of 2"]
    assert [swatch["class"][-1] for swatch in page.select("aside .arm-swatch")] == ["vehicle-0", "arm-0"]


def test_the_kind_stands_in_the_address_and_only_kinds_with_data_are_offered(scientist: Browser, cohort: Cohort) -> None:
    page = scientist.whole(f"{HERE}{cohort.study}?kind=body_weight")
    assert [link["href"] for link in page.select(".kinds a")] == [
        f"{HERE}{cohort.study}?kind=bli_total_flux",
        f"{HERE}{cohort.study}?kind=body_weight",
    ]
    assert page.select_one(".kinds [aria-current]").get_text(" ", strip=True) == "Body weight"
    assert beside_arms(page)[0] == "19.0 of 2"
    assert "12 readings." in message(page)
    unknown = scientist.whole(f"{HERE}{cohort.study}?kind=caliper_volume")
    assert unknown.select_one(".kinds [aria-current]").get_text(" ", strip=True).startswith("Bioluminescence")


def test_suspect_readings_are_ringed_and_excluded_ones_not_drawn(
    scientist: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    add_reading(sqlite_database, cohort, 9e7, Quality.SUSPECT)
    add_reading(sqlite_database, cohort, 8e7, Quality.EXCLUDED)
    page = scientist.whole(f"{HERE}{cohort.study}")
    growth = drawn(page, "growth")
    values = [row["value"] for row in growth["data"]["values"]]
    assert 9e7 in values
    assert 8e7 not in values
    assert [row["value"] for row in growth["layer"][-1]["data"]["values"]] == [9e7]
    assert "1 reading is marked as suspect and ringed." in message(page)


def test_readings_that_a_log_axis_cannot_show_are_counted(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    add_reading(sqlite_database, cohort, -3.0e4)
    growth = drawn(scientist.whole(f"{HERE}{cohort.study}"), "growth")
    assert growth["title"].startswith("1 at or below 0 is not drawn")


def test_a_study_without_readings_says_what_to_do_first(scientist: Browser, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(make.Project).filter_by(code="BCBM").one()
        empty = make.study(session, project, "EMPTY").id
    page = scientist.get(f"{HERE}{empty}")
    assert "This study has no arm yet" in message(page)
    assert [link["href"] for link in page.select(".empty a")] == ["/p/BCBM/arms/new?study_id=EMPTY", "/p/BCBM/imports/new"]
    with make.declared(sqlite_database) as session:
        arm = make.arm(session, session.get_one(Study, empty)).id
    page = scientist.get(f"{HERE}{empty}")
    assert "No animal is in an arm yet" in message(page)
    assert page.select_one(".empty a")["href"] == f"/p/BCBM/studies/{empty}/randomise"
    with make.declared(sqlite_database) as session:
        make.enrolment(
            session, session.get_one(Arm, arm), make.animal(session, session.query(Project).filter_by(code="BCBM").one(), "E1")
        )
    page = scientist.get(f"{HERE}{empty}")
    assert "No reading of this study's animals is recorded yet" in message(page)
    assert page.select_one(".empty a")["href"] == "/p/BCBM/imports/new"


def test_the_tabs_have_addresses_of_their_own(scientist: Browser, cohort: Cohort) -> None:
    animals = scientist.get(f"{HERE}{cohort.study}/animals?arm={cohort.arms[0]}", heading="Animals of BM-014")
    assert [row[0] for row in cells(animals, "Animals of BM-014")] == [cohort.codes[0], cohort.codes[2]]
    files = scientist.get(f"{HERE}{cohort.study}/files", heading="Files of BM-014")
    assert cells(files, "Files of BM-014")[0][:2] == [str(cohort.batch), "BM-014.xlsx"]
    assert cells(files, "Files of BM-014")[0][4] == "24"
    history = scientist.get(f"{HERE}{cohort.study}/history", heading="History of BM-014")
    assert "tester recorded it" in message(history)


def test_the_readings_behind_a_plot_come_as_a_tidy_file(scientist: Browser, cohort: Cohort) -> None:
    page = scientist.whole(f"{HERE}{cohort.study}")
    (link,) = [one for one in page.select("#growth .plot-links a") if one.text.startswith("csv")]
    with scientist.client.get(str(link["href"])) as response:
        rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert len(rows) == 12
    assert {key: rows[0][key] for key in ("Animal", "Arm", "Date", "Quality")} == {
        "Animal": cohort.codes[0],
        "Arm": "Vehicle",
        "Date": "2026-03-02",
        "Quality": "ok",
    }
    assert [float(row["Day"]) for row in rows[:3]] == [0, 7, 14]
    assert [float(row["Bioluminescence, total flux (p/s)"]) for row in rows[:3]] == [1.2e6, 4.5e6, 2.1e7]


def test_a_study_is_started_and_what_was_typed_survives_an_error(scientist: Browser, sqlite_database: Database) -> None:
    page = scientist.get(f"{HERE}new", heading="Start a study")
    typed = {"code": "BM-020", "title": "Second line", "day_zero_on": "2.11.2026", "weight_loss_limit_percent": "17,5"}
    refused = scientist.submit(page, f"{HERE}new", status=422, **typed)
    assert '"2.11.2026" is no date. Expected: year-month-day, such as 2026-11-02.' in message(refused)
    assert isinstance(refused, BeautifulSoup)
    assert refused.find("input", attrs={"name": "title"})["value"] == "Second line"
    assert refused.find("input", attrs={"name": "weight_loss_limit_percent"})["value"] == "17,5"
    scientist.submit(refused, f"{HERE}new", day_zero_on="2026-11-02")
    with sqlite_database.reading() as session:
        study = session.query(Study).filter_by(code="BM-020").one()
        assert (study.title, str(study.day_zero_on), study.weight_loss_limit_percent) == ("Second line", "2026-11-02", 17.5)
        assert study.state is StudyStatus.DRAFT


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"code": ""}, "A code is needed"),
        ({"code": "BM-014", "title": "Again"}, 'Study "BM-014" exists already.'),
        ({"title": ""}, "A title is needed"),
        ({"weight_loss_limit_percent": "a fifth"}, '"a fifth" is no number.'),
        ({"weight_loss_limit_percent": "120"}, "a loss between 0 and 100 %"),
        ({"weight_loss_limit_percent": "nan"}, "a loss between 0 and 100 %"),
    ],
)
def test_a_study_that_cannot_be_recorded_is_refused_in_words(
    scientist: Browser, sqlite_database: Database, typed: dict[str, str], said: str
) -> None:
    page = scientist.get(f"{HERE}new")
    refused = scientist.submit(page, f"{HERE}new", status=422, **({"code": "BM-099", "title": "New"} | typed))
    assert said in message(refused)
    with sqlite_database.reading() as session:
        assert [study.code for study in session.query(Study)] == ["BM-014"]


def test_a_change_needs_a_reason_and_stands_in_the_history(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    action = f"{HERE}{cohort.study}/change"
    page = scientist.get(action, heading="Change BM-014")
    assert page.find("input", attrs={"name": "weight_loss_limit_percent"})["value"] == "20"
    refused = scientist.submit(page, action, status=422, weight_loss_limit_percent="15")
    assert "A reason is needed" in message(refused)
    scientist.submit(page, action, weight_loss_limit_percent="15", reason="protocol amended")
    history = message(scientist.get(f"{HERE}{cohort.study}/history"))
    assert "weight loss limit 20 → 15 %" in history
    assert "Reason: protocol amended" in history
    with sqlite_database.reading() as session:
        assert session.query(AuditEvent).order_by(AuditEvent.seq.desc()).first().action == "study:change"


def test_nothing_changed_is_refused(scientist: Browser, cohort: Cohort) -> None:
    action = f"{HERE}{cohort.study}/change"
    refused = scientist.submit(scientist.get(action), action, status=422, reason="looked at it")
    assert "Nothing differs from what is recorded." in message(refused)


def test_the_second_of_two_editors_gets_a_conflict(scientist: Browser, cohort: Cohort) -> None:
    action = f"{HERE}{cohort.study}/change"
    mine, theirs = scientist.get(action), scientist.get(action)
    scientist.submit(mine, action, title="Mine", reason="clearer")
    scientist.submit(theirs, action, status=409, title="Theirs", reason="clearer still")
    assert "Mine" in message(scientist.whole(f"{HERE}{cohort.study}"))


def test_a_locked_study_is_changed_by_nobody(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    page = scientist.get(f"{HERE}{cohort.study}/change")
    with make.declared(sqlite_database, "study:change") as session:
        study = session.get_one(Study, cohort.study)
        study.state = StudyStatus.LOCKED
        session.flush()
        version = str(study.version)
    action = f"{HERE}{cohort.study}/change"
    refused = scientist.submit(page, action, status=422, title="Late", reason="x", version=version)
    assert "is locked by a signature" in message(refused)
    assert "Change the study" not in message(scientist.whole(f"{HERE}{cohort.study}"))


@each("page", ["", "/animals", "/readings", "/files", "/history", "/survival/", "/missing/", "/export/"])
def test_an_auditor_reads_every_page_and_a_stranger_none(app: Application, cohort: Cohort, page: str) -> None:
    Browser(app).sign_in("Ines").get(f"{HERE}{cohort.study}{page}")
    stranger = Browser(app).sign_in("Olga")
    stranger.get(f"{HERE}{cohort.study}{page}", status=404)
    stranger.get(f"/p/OTHER/studies/{cohort.study}{page}", status=404)


@pytest.mark.parametrize("person", ["Ines", "Tom"])
def test_auditors_and_technicians_change_no_study(app: Application, cohort: Cohort, person: str) -> None:
    browser = Browser(app).sign_in(person)
    browser.get(f"{HERE}new", status=403)
    browser.get(f"{HERE}{cohort.study}/change", status=403)
    assert "Start a study" not in message(browser.get(HERE))


def test_a_page_costs_the_same_with_ten_times_the_animals(scientist: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    big = add_cohort(sqlite_database, "BM-015", animals=20)
    for page in (
        "",
        "?kind=body_weight",
        "/animals",
        "/readings",
        "/files",
        "/history",
        "/survival/?limits=1",
        "/missing/",
        "/export/",
        *PARTS,
    ):
        costs = []
        for study in (cohort.study, big.study):
            with statements(sqlite_database.engine) as seen, scientist.client.get(f"{HERE}{study}{page}") as response:
                assert response.status_code == 200, page
            costs.append(len(seen))
        # A list is counted where its first page does not hold all of it: once, however long it is.
        assert costs[0] <= costs[1] <= costs[0] + 1, page
        assert costs[0] <= 16, page


def test_the_list_costs_the_same_with_ten_times_the_studies(scientist: Browser, sqlite_database: Database) -> None:
    costs = []
    for more in (0, 9):
        for number in range(more):
            add_cohort(sqlite_database, f"BM-1{number}")
        with statements(sqlite_database.engine) as seen:
            scientist.get(HERE)
        costs.append(len(seen))
    assert costs[0] == costs[1]
