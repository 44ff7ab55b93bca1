"""The pages of animals."""

from __future__ import annotations

import csv
import io
import json

import pytest

from lims.db import Database
from lims.domain.vocabulary import Quality
from lims.models import Animal, Project
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.pages import Browser, message
from tests.support.statements import statements
from tests.views.cohort import Cohort, add_cohort, add_people, add_reading
from tests.views.test_studies import cells, drawn

HERE = "/p/BCBM/animals/"


@pytest.fixture
def cohort(sqlite_database: Database) -> Cohort:
    """Give a study with four animals and their readings."""
    add_people(sqlite_database)
    return add_cohort(sqlite_database)


@pytest.fixture
def auditor(app: Application, cohort: Cohort) -> Browser:
    """Give the auditor's browser: whoever reads everything sees these pages."""
    return Browser(app).sign_in("Ines")


def test_the_list_shows_the_arm_in_its_colour_and_the_last_weight(auditor: Browser, cohort: Cohort) -> None:
    page = auditor.get(HERE, heading="Animals")
    rows = cells(page, "Animals")
    assert [cell for cell in rows[0] if cell] == [cohort.codes[0], "Vehicle", "C7", "not recorded", "19.0", "2026-03-16"]
    assert [swatch["class"][-1] for swatch in page.select("tbody .arm-swatch")] == ["vehicle-0", "arm-0"] * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=m02", [1]),
        ("q=C7", [0, 1, 2, 3]),
        ("arm={arm}", [0, 2]),
        ("study={study}", [0, 1, 2, 3]),
        ("study={study}&arm={arm}&q=M03", [2]),
        ("study=999", []),
        ("arm=99999999999999999999999", []),
        ("state=dead", []),
    ],
)
def test_filters_stand_in_the_address(auditor: Browser, cohort: Cohort, query: str, expected: list[int]) -> None:
    page = auditor.get(f"{HERE}?{query.format(arm=cohort.arms[0], study=cohort.study)}")
    assert [link.text for link in page.select("a[data-row-link]")] == [cohort.codes[index] for index in expected]


def test_the_page_has_facts_tumours_plots_and_where_each_reading_comes_from(auditor: Browser, cohort: Cohort) -> None:
    page = auditor.whole(f"{HERE}{cohort.animals[0]}", heading=cohort.codes[0])
    assert cells(page, "Tumours") == [["brain", "not recorded", "", "", "not recorded", "pending", "0"]]
    assert [figure["id"] for figure in page.select("figure.plot")] == ["over-time-bli-total-flux", "over-time-body-weight"]
    weights = drawn(page, "over-time-body-weight")["data"]["values"]
    assert [(row["day"], row["value"]) for row in weights] == [(0.0, 21.0), (7.0, 20.0), (14.0, 19.0)]
    assert weights[0]["url"] == f"/p/BCBM/measurements/{cohort.weights[0]}"
    latest = {row[2]: row for row in reversed(cells(page, f"Measurements of {cohort.codes[0]}"))}
    flux = latest["Bioluminescence, total flux"]
    assert flux[0] == "2026-03-16"
    assert flux[3] == "2.10e7 p/s"
    assert flux[5] == f"batch {cohort.batch} · Sheet1!C4"
    assert "Days as in study BM-014." in message(page)
    assert "tester recorded it" in message(page)


def test_two_tumours_are_two_lines(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        mouse = session.get_one(Animal, cohort.animals[0])
        for label, value in (("left", 80.0), ("right", 120.0)):
            tumour = make.implant(session, mouse, label)
            make.measurement(session, mouse, "caliper_volume", value, implant_id=tumour.id)
    page = auditor.whole(f"{HERE}{cohort.animals[0]}")
    volumes = drawn(page, "over-time-caliper-volume")["data"]["values"]
    assert {row["animal"] for row in volumes} == {f"{cohort.codes[0]} · left", f"{cohort.codes[0]} · right"}


def test_excluded_readings_stand_in_the_table_and_not_in_the_plot(
    auditor: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    add_reading(sqlite_database, cohort, 5.5e8, Quality.EXCLUDED)
    page = auditor.whole(f"{HERE}{cohort.animals[0]}")
    assert 5.5e8 not in [row["value"] for row in drawn(page, "over-time-bli-total-flux")["data"]["values"]]
    assert ["5.50e8 p/s", "excluded"] in [row[3:5] for row in cells(page, f"Measurements of {cohort.codes[0]}")]


def test_an_animal_in_no_study_counts_days_from_its_first_reading(
    auditor: Browser, cohort: Cohort, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        loose, unread = make.animal(session, project, "LOOSE"), make.animal(session, project, "UNREAD")
        make.measurement(session, loose)
    page = auditor.whole(f"{HERE}{loose.id}")
    assert "Days count from the animal's first reading on 2026-03-09." in message(page)
    assert "In no study" in message(page)
    assert "This animal has no readings yet." in message(auditor.get(f"{HERE}{unread.id}"))


def test_all_measurements_come_filtered_and_as_a_file(auditor: Browser, cohort: Cohort) -> None:
    address = f"{HERE}{cohort.animals[1]}/measurements?kind=body_weight"
    assert len(cells(auditor.get(address), f"Measurements of {cohort.codes[1]}")) == 3
    with auditor.client.get(f"{address}&format=csv") as response:
        rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert [float(row["Value"]) for row in rows] == [19.0, 20.0, 21.0]
    assert {row["Unit"] for row in rows} == {"g"}


def test_the_list_comes_as_json_with_the_arms_in_words(auditor: Browser, cohort: Cohort) -> None:
    with auditor.client.get(f"{HERE}?format=json&q=M01") as response:
        rows = json.loads(response.data)
    told = rows["rows"][0] if isinstance(rows, dict) else rows[0]
    assert "BM-014: Vehicle" in (told.values() if isinstance(told, dict) else told)


@pytest.mark.parametrize("page", ["", "/measurements", "/history", "/plots"])
def test_another_projects_animal_is_not_found(app: Application, cohort: Cohort, page: str) -> None:
    stranger = Browser(app).sign_in("Olga")
    stranger.get(f"/p/OTHER/animals/{cohort.animals[0]}{page}", status=404)
    stranger.get(f"{HERE}{cohort.animals[0]}{page}", status=404)


def test_lists_and_pages_cost_the_same_with_ten_times_the_rows(auditor: Browser, cohort: Cohort, sqlite_database: Database) -> None:
    def cost(path: str) -> int:
        with statements(sqlite_database.engine) as seen:
            auditor.whole(path)
        return len(seen)

    paths = [HERE, f"{HERE}{cohort.animals[0]}", f"{HERE}{cohort.animals[0]}/measurements"]
    before = [cost(path) for path in paths]
    add_cohort(sqlite_database, "BM-015", animals=20)
    for number in range(30):
        add_reading(sqlite_database, cohort, 1e6 + number)
    assert [cost(path) for path in paths] == before


def test_other_names_are_listed_given_withdrawn_with_a_reason_and_brought_back(app: Application, cohort: Cohort) -> None:
    page, names = f"{HERE}{cohort.animals[0]}", "/p/BCBM/other-names"
    sara = Browser(app).sign_in("Sara")
    assert "Files know it by its id alone" in message(sara.get(page))
    new = f"{names}/new?animal_id={cohort.codes[0]}"
    assert sara.submit(sara.get(new), new, alias="L 12").location == page  # type: ignore[union-attr]  # a page without it fails the test
    refused = sara.submit(sara.get(new), new, 422, alias=cohort.codes[1])
    assert f'"{cohort.codes[1]}" is the id of another animal' in message(refused)
    caption = f"Other names of {cohort.codes[0]}"
    assert cells(sara.get(page), caption) == [["L 12", "active", "Withdraw"]]
    assert cells(Browser(app).sign_in("Ines").get(page), caption) == [["L 12", "active", ""]]

    for step, state, other in (("Withdraw", "withdrawn", "Bring back"), ("Bring back", "active", "Withdraw")):
        address = sara.get(page).find("a", string=step, href=f"{names}/1/withdraw")["href"]
        assert "Reason" in message(sara.submit(sara.get(address), address, 422))
        sara.submit(sara.get(address), address, reason=f"{step}: of the litter mate")
        assert cells(sara.get(page), caption) == [["L 12", state, other]]
    told = message(sara.get(f"{names}/1/history"))
    assert "Withdraw: of the litter mate" in told
    sara.get(f"{names}/1/change", status=404)
    Browser(app).sign_in("Olga").get("/p/OTHER/other-names/1/history", status=404)
