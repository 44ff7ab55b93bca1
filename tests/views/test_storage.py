"""Storage as pages: the tree, a box as its grid, moving by a click or a scan, the map, and what a freezer holds."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import select

from lims.db import Database
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, AmountUnit, PlaceKind
from lims.domain.vocabulary import RoleName
from lims.models import Aliquot, AliquotEvent, Project, StoragePlace
from lims.views.transaction import Application
from tests.support import factories
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, add_project, message, only
from tests.support.statements import statements

STORAGE = "/p/P1/storage/"


@pytest.fixture
@kept
def stored(sqlite_database: Database) -> dict[str, int]:
    """A freezer with a box of 3 × 4 that holds AL-1 in A1 and AL-2 in B3, and AL-3 loose in the freezer."""
    add_project(sqlite_database, "P1")
    add_project(sqlite_database, "P2")
    for name, role in (("Ada", RoleName.SCIENTIST), ("Tess", RoleName.TECHNICIAN), ("Otto", RoleName.AUDITOR)):
        add_person(sqlite_database, name, P1=role)
    with factories.declared(sqlite_database) as session:
        project, other = (session.scalars(select(Project).where(Project.code == code)).one() for code in ("P1", "P2"))
        freezer = factories.place(session, project, "FZ-1", title="Ultra-low", temperature_celsius=-80)
        box = factories.box(session, project, "BX-03", parent_id=freezer.id, box_rows=3, box_columns=4)
        specimen = factories.specimen(session, factories.patient(session, project, "BCBM-P01"), "SP-0001")
        held = {"amount": 4.0, "unit": AmountUnit.FRAGMENTS, "preserved_on": date(2026, 2, 3)}
        factories.aliquot(session, specimen, "AL-1", place_id=box.id, box_row=1, box_column=1, **held)
        factories.aliquot(session, specimen, "AL-2", place_id=box.id, box_row=2, box_column=3, material=AliquotMaterial.SNAP_FROZEN)
        factories.aliquot(session, specimen, "AL-3", place_id=freezer.id)
        foreign = factories.box(session, other, "BX-99")
        away = factories.aliquot(session, factories.specimen(session, factories.patient(session, other)), "AL-99")
        return {"freezer": freezer.id, "box": box.id, "foreign": foreign.id, "away": away.id}


def _cells(page: BeautifulSoup) -> dict[str, Tag]:
    grid = page.find("table", class_="box-grid")
    assert isinstance(grid, Tag)
    columns = [one.text for one in grid.select("thead th")]
    found: dict[str, Tag] = {}
    for row in grid.select("tbody tr"):
        head, *cells = row.find_all(["th", "td"])
        found |= {f"{head.text}{column}": cell for column, cell in zip(columns, cells, strict=True)}
    return found


def _where(database: Database, code: str) -> tuple[int | None, int | None, int | None]:
    with database.reading() as session:
        one = session.scalars(select(Aliquot).where(Aliquot.code == code)).one()
        return one.place_id, one.box_row, one.box_column


def test_empty_storage_says_what_to_do_first(sqlite_database: Database, browser: Browser) -> None:
    add_project(sqlite_database, "P1")
    add_person(sqlite_database, "Ada", P1=RoleName.SCIENTIST)
    page = browser.sign_in("Ada").get(STORAGE, heading="Storage")
    assert "Record the freezer first" in message(page)
    form = browser.get(f"{STORAGE}new?kind=freezer", heading="Record a storage place")
    chosen = form.select_one("select[name=kind] option[selected]")
    assert chosen is not None
    assert chosen["value"] == "freezer"


def test_the_tree_shows_what_is_taken_and_free(stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Otto").get(STORAGE, heading="Storage")
    lines = [" ".join(one.get_text(" ").split()) for one in page.select(".outline-line")]
    assert lines == ["FZ-1 Ultra-low -80 °C 2 taken 10 free", "BX-03 box 2 taken 10 free"]
    assert "Record a place" not in message(page)


def test_a_page_costs_as_many_statements_however_much_it_shows(
    sqlite_database: Database, stored: dict[str, int], browser: Browser
) -> None:
    browser.sign_in("Ada")

    def cost(visit: int) -> list[int]:
        counts = []
        for path in ("", f"{stored['box']}", f"{stored['freezer']}/contents"):
            with statements(sqlite_database.engine) as seen:
                browser.get(f"{STORAGE}{path}?visit={visit}")  # at an address of its own, so that nothing of it is kept
            counts.append(len(seen))
        return counts

    cost(1)  # what is asked once a process
    before = cost(2)
    with factories.declared(sqlite_database) as session:
        one = session.scalars(select(Aliquot).where(Aliquot.code == "AL-1")).one()
        for column in (2, 3, 4):
            factories.aliquot(session, one.specimen, place_id=stored["box"], box_row=1, box_column=column)
            factories.box(session, session.get_one(Project, one.project_id), parent_id=stored["freezer"])
    assert cost(3) == before


def test_a_box_is_its_grid(stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Ada").get(f"{STORAGE}{stored['box']}", heading="BX-03")
    cells = _cells(page)
    assert list(cells) == [f"{row}{column}" for row in "ABC" for column in range(1, 5)]
    assert " ".join(cells["A1"].get_text(" ").split()) == "AL-1 viable BCBM-P01"
    assert " ".join(cells["B3"].get_text(" ").split()) == "AL-2 snap BCBM-P01"
    taken, free = cells["A1"].a, cells["A2"].a
    assert taken is not None
    assert free is not None
    assert taken["aria-label"] == "A1: AL-1, viable, BCBM-P01"
    assert free["href"] == "/p/P1/aliquots/freeze?place_id=BX-03&box_row=A2"
    assert "-80 °C" in message(page)
    form = browser.get(str(free["href"]), heading="Freeze aliquots")
    filled = {name: form.select_one(f"[name={name}]") for name in ("place_id", "box_row")}
    assert [one and one["value"] for one in filled.values()] == ["BX-03", "A2"]


def test_who_only_reads_sees_no_way_to_write(stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Otto").get(f"{STORAGE}{stored['box']}?moving=AL-1", heading="BX-03")
    cells = _cells(page)
    assert cells["A2"].find(["a", "button"]) is None
    assert cells["A1"].a is not None
    assert "Change" not in message(page)
    assert page.find("form", action=f"{STORAGE}{stored['box']}/put") is None


def test_an_aliquot_is_moved_by_a_click_into_a_free_cell(
    sqlite_database: Database, stored: dict[str, int], browser: Browser
) -> None:
    page = browser.sign_in("Tess").get(f"{STORAGE}{stored['box']}?moving=AL-1", heading="BX-03")
    cells = _cells(page)
    button, own = cells["C4"].button, cells["A1"].a
    assert button is not None
    assert own is not None
    assert (button["name"], button["value"], own["aria-current"]) == ("box_row", "C4", "true")
    browser.submit(page, f"{STORAGE}{stored['box']}/put", box_row="C4")
    assert _where(sqlite_database, "AL-1") == (stored["box"], 3, 4)
    assert "Aliquot AL-1 was moved to BX-03 C4." in message(browser.get(f"{STORAGE}{stored['box']}"))
    with sqlite_database.reading() as session:
        told = session.scalars(select(AliquotEvent)).one()
        assert (told.from_position, told.to_position) == ("FZ-1 / BX-03 A1", "FZ-1 / BX-03 C4")


def test_an_aliquot_is_put_into_a_place_without_positions(
    sqlite_database: Database, stored: dict[str, int], browser: Browser
) -> None:
    tree = browser.sign_in("Tess").get(f"{STORAGE}?moving=AL-1", heading="Storage")
    assert "Moving AL-1 : choose its new box or place." in message(tree)
    assert tree.find("a", href=f"{STORAGE}{stored['freezer']}?moving=AL-1")
    page = browser.get(f"{STORAGE}{stored['freezer']}?moving=AL-1")
    browser.submit(page, f"{STORAGE}{stored['freezer']}/put")
    assert _where(sqlite_database, "AL-1") == (stored["freezer"], None, None)


@pytest.mark.parametrize(
    ("moving", "position", "told"),
    [
        ("AL-1", "B3", "Position B3 of BX-03 holds AL-2."),
        ("AL-1", "Z9", 'Position "Z9" lies outside of the box'),
        ("AL-1", "?", '"?" is no position in a box'),
        ("AL-99", "C4", 'There is no aliquot "AL-99" in this project'),
        ("", "C4", "There is no aliquot"),
    ],
)
def test_a_position_that_cannot_be_taken_says_why(
    sqlite_database: Database, stored: dict[str, int], browser: Browser, moving: str, position: str, told: str
) -> None:
    page = browser.sign_in("Tess").get(f"{STORAGE}{stored['box']}?moving=AL-1")
    browser.submit(page, f"{STORAGE}{stored['box']}/put", moving=moving, box_row=position)
    assert told in message(browser.get(f"{STORAGE}{stored['box']}"))
    assert _where(sqlite_database, "AL-1") == (stored["box"], 1, 1)


def test_what_was_used_up_is_not_picked_any_more(sqlite_database: Database, stored: dict[str, int], browser: Browser) -> None:
    with factories.declared(sqlite_database) as session:
        one = session.scalars(select(Aliquot).where(Aliquot.code == "AL-3")).one()
        one.state, one.place_id = AliquotState.USED_UP, None
    page = browser.sign_in("Ada").get(f"{STORAGE}{stored['box']}?moving=AL-3")
    assert "Moving" not in message(page)


@pytest.mark.parametrize(
    ("code", "page"),
    [("AL-1", "AL-1"), ("bx-03", "BX-03"), (" FZ-1 ", "FZ-1")],
    ids=["aliquot", "box in lower case", "freezer with spaces"],
)
def test_a_scan_goes_to_what_has_the_barcode(stored: dict[str, int], browser: Browser, code: str, page: str) -> None:
    browser.sign_in("Otto")
    found = browser.client.get(f"{STORAGE}scan", query_string={"code": code})
    browser.get(found.location, heading=page)


@pytest.mark.parametrize("code", ["AL-99", "BX-99", "nothing", "", "<b>", "' OR 1=1 --"])
def test_a_scan_of_something_else_says_so(stored: dict[str, int], browser: Browser, code: str) -> None:
    browser.sign_in("Otto")
    found = browser.client.get(f"{STORAGE}scan", query_string={"code": code})
    told = message(browser.get(found.location, heading="Storage"))
    assert (f'has the barcode "{code}"' if code else "Scan or type a barcode first") in told


def test_the_map_is_the_grid_with_its_date(stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Otto").get(f"{STORAGE}{stored['box']}/map", heading="Map of BX-03")
    assert "2 taken, 10 free · printed 20" in message(page)
    assert " ".join(_cells(page)["A1"].get_text(" ").split()) == "AL-1 viable BCBM-P01 2026-02-03"
    assert not page.select(".box-grid a, .box-grid button")


def test_a_freezers_map_is_an_index_and_the_grid_of_every_box(
    stored: dict[str, int], browser: Browser, sqlite_database: Database
) -> None:
    with factories.declared(sqlite_database) as session:
        freezer = session.get_one(StoragePlace, stored["freezer"])
        project = session.get_one(Project, freezer.project_id)
        rack = factories.place(session, project, "R2", kind=PlaceKind.RACK, parent_id=freezer.id)
        factories.box(session, project, "BX-10", parent_id=rack.id, box_rows=2, box_columns=2, title="Plasma")
    page = browser.sign_in("Otto").get(f"{STORAGE}{stored['freezer']}/map", heading="Map of FZ-1")
    assert "2 boxes, 2 taken, 14 free · printed 20" in message(page)
    index = [[cell.text.strip() for cell in row.select("td")] for row in page.select("table.data tbody tr")]
    assert index == [["2", "BX-03", "", "FZ-1", "2", "10"], ["3", "BX-10", "Plasma", "FZ-1 / R2", "0", "4"]]
    assert [only(one, "h2").text for one in page.select("section.box-page")] == ["BX-03", "BX-10 Plasma"]
    assert page.select_one(f"#box-{stored['box']} table.box-grid") is not None
    assert "In FZ-1 without a position AL-3" in message(page)
    assert browser.get(f"{STORAGE}{stored['freezer']}").select_one(f".page-actions a[href='{STORAGE}{stored['freezer']}/map']")


def test_a_place_without_boxes_says_that_a_map_draws_boxes(
    stored: dict[str, int], browser: Browser, sqlite_database: Database
) -> None:
    with factories.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "P1")).one()
        bare = factories.place(session, project, "FZ-2").id
    assert "No box stands in FZ-2 yet" in message(browser.sign_in("Otto").get(f"{STORAGE}{bare}/map"))


def test_a_map_costs_the_same_with_twenty_boxes(stored: dict[str, int], browser: Browser, sqlite_database: Database) -> None:
    browser.sign_in("Otto")
    costs = []
    for more in (1, 20):
        with factories.declared(sqlite_database) as session:
            freezer = session.get_one(StoragePlace, stored["freezer"])
            project = session.get_one(Project, freezer.project_id)
            for number in range(more):
                factories.box(session, project, f"N{more}-{number}", parent_id=freezer.id)
        with statements(sqlite_database.engine) as seen:
            browser.get(f"{STORAGE}{stored['freezer']}/map")
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_a_freezer_is_listed_with_all_that_stands_in_it(stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Otto").get(f"{STORAGE}{stored['freezer']}/contents", heading="Contents of FZ-1")
    assert [row.td.text for row in page.select("table.data tbody tr") if row.td] == ["AL-1", "AL-2", "AL-3"]
    found = browser.client.get(f"{STORAGE}{stored['freezer']}/contents?format=csv")
    rows = list(csv.DictReader(io.StringIO(found.data.decode("utf-8-sig"))))
    assert [(row["Aliquot"], row["Where"], row["Position"]) for row in rows] == [
        ("AL-1", "FZ-1 / BX-03 A1", "A1"),
        ("AL-2", "FZ-1 / BX-03 B3", "B3"),
        ("AL-3", "FZ-1", ""),
    ]
    assert (rows[0]["Amount"], rows[0]["Unit"], rows[0]["Box or place"]) == ("4.0", "fragments", "BX-03")


def test_a_place_is_recorded_changed_and_withdrawn(sqlite_database: Database, stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Ada").get(f"{STORAGE}new?parent_id=FZ-1", heading="Record a storage place")
    action = f"{STORAGE}new?parent_id=FZ-1"
    refused = browser.submit(page, action, status=422, box_rows="9")
    assert "A box needs its rows and columns." in message(refused)
    refused = browser.submit(page, action, status=422, box_rows="inf", box_columns="9")
    assert '"inf" is no number' in message(refused)
    made = browser.submit(page, action, box_rows="9", box_columns="9")
    assert not isinstance(made, BeautifulSoup)
    assert "Grid 9 × 9" in message(browser.get(made.location, heading="BX-001"))
    with sqlite_database.reading() as session:
        box = session.scalars(select(StoragePlace).where(StoragePlace.code == "BX-001")).one()
        assert (box.kind, box.parent_id) == (PlaceKind.BOX, stored["freezer"])
    change = f"{STORAGE}{box.id}/change"
    browser.submit(browser.get(change), change, box_rows="8", reason="counted again")
    withdraw = f"{STORAGE}{box.id}/withdraw"
    browser.submit(browser.get(withdraw), withdraw, reason="broken")
    assert "withdrawn" in message(browser.get(f"{STORAGE}{box.id}"))
    full = f"{STORAGE}{stored['box']}/withdraw"
    told = browser.submit(browser.get(full), full, status=409, reason="broken")
    assert "2 active records (aliquot) stand on this storage place" in message(told)


@pytest.mark.parametrize(
    ("name", "path"),
    [("Tess", "new"), ("Tess", "{box}/change"), ("Tess", "{box}/withdraw"), ("Otto", "new"), ("Otto", "{box}/change")],
)
def test_places_are_the_scientists(stored: dict[str, int], browser: Browser, name: str, path: str) -> None:
    browser.sign_in(name).get(STORAGE + path.format(**stored), status=403)


@pytest.mark.parametrize(
    "path", ["{foreign}", "{foreign}/map", "{foreign}/contents", "{foreign}/change", "999999", "{foreign}/history"]
)
def test_another_projects_box_is_not_found(stored: dict[str, int], browser: Browser, path: str) -> None:
    browser.sign_in("Ada").get(STORAGE + path.format(**stored), status=404)


def test_nothing_is_put_into_another_projects_box(app: Application, stored: dict[str, int], browser: Browser) -> None:
    page = browser.sign_in("Ada").get(f"{STORAGE}{stored['box']}?moving=AL-1")
    token = page.select_one("form[action$='/put'] [name=csrf_token]")
    assert token is not None
    sent = {"csrf_token": str(token["value"]), "moving": "AL-1", "box_row": "A1"}
    assert browser.client.post(f"{STORAGE}{stored['foreign']}/put", data=sent).status_code == 404
