"""Aliquots as pages: the list, one aliquot, freezing, and every step by keyboard or scan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.tissue_terms import AliquotEventKind, AliquotState, AmountUnit
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import Aliquot, AliquotEvent, Project, StoragePlace
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.pages import Browser, add_person, add_project, message

ALIQUOTS = "/p/P1/aliquots/"
TODAY = "2026-03-09"
Get = Callable[[str], Aliquot]


@pytest.fixture
def get(sqlite_database: Database) -> Get:
    """A box of 2 × 3 with AL-1 (4 fragments, A1) and AL-2 (A2), in project P1; people of three roles. Gives them by code."""
    add_project(sqlite_database, "P1")
    add_project(sqlite_database, "P2")
    for name, role in (("Ada", RoleName.SCIENTIST), ("Tess", RoleName.TECHNICIAN), ("Otto", RoleName.AUDITOR)):
        add_person(sqlite_database, name, P1=role)
    with factories.declared(sqlite_database) as session:
        project, other = (session.scalars(select(Project).where(Project.code == code)).one() for code in ("P1", "P2"))
        freezer = factories.place(session, project, "FZ-1")
        box = factories.box(session, project, "BX-03", parent_id=freezer.id, box_rows=2, box_columns=3)
        patient = factories.patient(session, project, "BCBM-P01")
        specimen = factories.specimen(session, patient, "SP-0001", collected_on=date(2026, 2, 1))
        held = {"place_id": box.id, "box_row": 1, "preserved_on": date(2026, 2, 2)}
        first = factories.aliquot(session, specimen, "AL-1", box_column=1, amount=4, unit=AmountUnit.FRAGMENTS, **held)
        factories.aliquot(session, specimen, "AL-2", box_column=2, **held)
        factories.aliquot_event(session, first, happened_on=date(2026, 2, 2), to_position="FZ-1 / BX-03 A1")
        away = factories.specimen(session, factories.patient(session, other), "SP-0009")
        factories.aliquot(session, away, "AL-99")
        factories.box(session, other, "BX-99")

    def by_code(code: str) -> Aliquot:
        with sqlite_database.reading() as session:
            return session.scalars(select(Aliquot).where(Aliquot.code == code)).one()

    return by_code


def _last(database: Database, aliquot: Aliquot) -> AliquotEvent:
    with database.reading() as session:
        own = select(AliquotEvent).where(AliquotEvent.aliquot_id == aliquot.id)
        return session.scalars(own.order_by(AliquotEvent.id.desc())).first() or AliquotEvent()


def _do(browser: Browser, path: str, status: int = 302, **values: Any) -> Any:
    return browser.submit(browser.get(path), path, status=status, **({"happened_on": TODAY} | values))


def test_the_list_is_filtered_by_what_people_look_for(get: Get, browser: Browser) -> None:
    browser.sign_in("Otto")
    page = browser.get(ALIQUOTS, heading="Aliquots")
    rows = [[" ".join(cell.get_text(" ").split()) for cell in row.select("td")] for row in page.select("table.data tbody tr")]
    assert rows == [
        ["AL-2", "SP-0001", "BCBM-P01", "viably frozen", "", "BX-03 A2", "2026-02-02", "available"],
        ["AL-1", "SP-0001", "BCBM-P01", "viably frozen", "4 fragments", "BX-03 A1", "2026-02-02", "available"],
    ]
    for query, count in {
        "q=al-1": 1,
        "specimen=SP-0001": 2,
        "patient=BCBM-P01": 2,
        "material=ffpe": 0,
        "state=available": 2,
        "state=shipped": 0,
        "place=FZ-1": 2,
        "place=BX-99": 0,
    }.items():
        assert len(browser.get(f"{ALIQUOTS}?{query}").select("table.data tbody tr")) == count, query
    browser.get(f"{ALIQUOTS}?state=melted", status=422)


def test_an_aliquots_page_tells_where_it_is_and_what_happened(get: Get, browser: Browser) -> None:
    page = browser.sign_in("Ada").get(f"{ALIQUOTS}{get('AL-1').id}", heading="AL-1")
    assert [one.text for one in page.select(".place-path a")] == ["FZ-1", "BX-03"]
    told = message(page)
    assert "available viably frozen, 4 fragments" in told
    assert "2026-02-02 stored to FZ-1 / BX-03 A1" in told
    steps = [" ".join(one.text.split()) for one in page.select(".steps a")]
    assert steps[:7] == ["Move", "Take out", "Thaw", "Use", "Split", "Ship", "Discard"]


def test_who_only_reads_is_offered_no_step(get: Get, browser: Browser) -> None:
    page = browser.sign_in("Otto").get(f"{ALIQUOTS}{get('AL-1').id}", heading="AL-1")
    assert page.select(".steps a") == []
    assert "Pick another place" not in message(page)
    for path in ("move", "thaw", "freeze", f"{get('AL-1').id}/use", f"{get('AL-1').id}/withdraw"):
        browser.get(ALIQUOTS + path, status=403)


def test_a_technician_moves_and_thaws_and_withdraws_nothing(sqlite_database: Database, get: Get, browser: Browser) -> None:
    browser.sign_in("Tess")
    _do(browser, f"{ALIQUOTS}thaw?aliquots=AL-1", put_back="y")
    assert (get("AL-1").thaw_count, get("AL-1").box_column) == (1, 1)
    browser.get(f"{ALIQUOTS}{get('AL-1').id}/withdraw", status=403)


def test_aliquots_are_frozen_into_the_next_free_positions(sqlite_database: Database, get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}freeze?specimen_id=SP-0001&place_id=BX-03"
    values: dict[str, Any] = {"count": "3", "amount": "2e6", "unit": "cells", "preserved_on": "2026-03-01"}
    done = browser.sign_in("Tess").submit(browser.get(path, heading="Freeze aliquots"), path, **values)
    assert not isinstance(done, BeautifulSoup)
    assert "Aliquots AL-00001 to AL-00003 of SP-0001 recorded." in message(browser.get(done.location, heading="BX-03"))
    made = [get(f"AL-0000{number}") for number in (1, 2, 3)]
    assert [(one.box_row, one.box_column) for one in made] == [(1, 3), (2, 1), (2, 2)]
    assert (made[0].amount, made[0].unit, made[0].preserved_on) == (2e6, AmountUnit.CELLS, date(2026, 3, 1))
    assert _last(sqlite_database, made[0]).to_position == "FZ-1 / BX-03 A3"


def test_the_box_is_asked_before_its_positions(browser: Browser, get: Get) -> None:
    page = browser.sign_in("Tess").get(f"{ALIQUOTS}freeze")
    assert [str(one["name"]) for one in page.select("fieldset input[name=place_id], fieldset input[name=box_row]")] == [
        "place_id",
        "box_row",
    ]


def test_a_label_has_the_barcode_and_what_the_tube_holds(browser: Browser, get: Get) -> None:
    page = browser.sign_in("Tess").get(f"{ALIQUOTS}{get('AL-1').id}/label", heading="Label of AL-1")
    (label,) = page.select("article")
    assert label.select_one("svg.barcode[aria-label='Barcode of AL-1']")
    assert "SP-0001" in label.text
    assert browser.get(f"{ALIQUOTS}{get('AL-1').id}").select_one(f".page-actions a[href='{ALIQUOTS}{get('AL-1').id}/label']")


def test_tubes_with_barcodes_of_their_own_keep_them(get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}freeze?specimen_id=SP-0001&place_id=BX-03&box_row=B1 B3"
    browser.sign_in("Tess").submit(browser.get(path), path, code="T-1\r\nT-2\r\n", preserved_on="2026-03-01")
    assert [(get(code).box_row, get(code).box_column) for code in ("T-1", "T-2")] == [(2, 1), (2, 3)]


@each(
    ("values", "told"),
    [
        ({"specimen_id": ""}, "Specimen : Name the specimen."),
        ({"specimen_id": "SP-0009"}, 'There is no specimen "SP-0009" in this project'),
        ({"place_id": "BX-99"}, 'There is no place "BX-99" in this project'),
        ({"count": "5"}, "BX-03 has 4 free positions, and 5 are needed"),
        ({"count": "0"}, "0 aliquots cannot be made at once"),
        ({"count": "1.5"}, "no whole number"),
        ({"count": "nan"}, '"nan" is no number'),
        ({"amount": "4"}, "Unit : 4 of what?"),
        ({"amount": "four"}, '"four" is no number'),
        ({"box_row": "A1"}, "Position A1 of BX-03 holds AL-1. Expected: a free position."),
        ({"box_row": "C1"}, 'Position "C1" lies outside of the box, which has 2 rows and 3 columns'),
        ({"box_row": "A3", "place_id": ""}, "A position needs its box"),
        ({"box_row": "A3", "place_id": "FZ-1"}, "FZ-1 is a freezer, and only boxes have positions"),
        ({"preserved_on": "2026-01-31"}, "comes before the collection"),
        ({"preserved_on": "2.3.26"}, "is no date"),
        ({"code": "AL-1"}, '"AL-1" exists already'),
        ({"code": "A\u200b1"}, "do not show"),
        ({"material": "gold"}, "Material"),
    ],
)
def test_freezing_says_at_the_field_what_is_wrong(get: Get, browser: Browser, values: dict[str, str], told: str) -> None:
    path = f"{ALIQUOTS}freeze?specimen_id=SP-0001&place_id=BX-03"
    usual = {"preserved_on": "2026-03-01", "note": "kept as typed"}
    page = browser.sign_in("Ada").submit(browser.get(path), path, status=422, **(usual | values))
    assert told in message(page)
    assert isinstance(page, BeautifulSoup)
    note = page.select_one("[name=note]")
    assert note is not None
    assert note["value"] == "kept as typed"


def test_unusual_material_is_confirmed_first(get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}freeze?specimen_id=SP-0001"
    values = {"material": "csf", "preserved_on": "2026-03-01"}
    page = browser.sign_in("Ada").submit(browser.get(path), path, status=422, **values)
    assert "CSF is not usually made of a specimen of the kind tumour." in message(page)
    assert isinstance(page, BeautifulSoup)
    browser.submit(page, path, confirmed="y")
    assert get("AL-00001").place_id is None


def test_several_are_moved_by_scanning_them_and_the_box(sqlite_database: Database, get: Get, browser: Browser) -> None:
    browser.sign_in("Tess")
    _do(browser, f"{ALIQUOTS}move", aliquots="AL-1\r\nAL-2\r\nAL-1\r\n", place_id="BX-03")
    assert [(get(code).box_row, get(code).box_column) for code in ("AL-1", "AL-2")] == [(1, 3), (2, 1)]
    _do(browser, f"{ALIQUOTS}move", aliquots="AL-2", place_id="FZ-1")
    last = _last(sqlite_database, get("AL-2"))
    assert (last.kind, last.from_position, last.to_position) == (AliquotEventKind.MOVED, "FZ-1 / BX-03 B1", "FZ-1")


@each(
    ("values", "told"),
    [
        ({"aliquots": "AL-99"}, 'There is no aliquot "AL-99" in this project'),
        ({"aliquots": ""}, "Scan or type at least one barcode"),
        ({"aliquots": " \r\n "}, "No aliquot is named"),
        ({"place_id": ""}, "Name the box or place"),
        ({"box_row": "A2"}, "Position A2 of BX-03 holds AL-2"),
        ({"box_row": "A3 B1"}, "2 positions for 1 aliquot"),
        ({"happened_on": "2100-01-01"}, "lies in the future"),
        ({"happened_on": ""}, "Say when it happened"),
        ({"happened_on": "2026-02-01"}, "The last thing recorded of AL-1 happened on 2026-02-02, after 2026-02-01."),
    ],
)
def test_a_move_that_cannot_be_says_why(get: Get, browser: Browser, values: dict[str, str], told: str) -> None:
    browser.sign_in("Ada")
    page = _do(browser, f"{ALIQUOTS}move", status=422, **({"aliquots": "AL-1", "place_id": "BX-03"} | values))
    assert told in message(page)
    assert (get("AL-1").box_row, get("AL-1").box_column) == (1, 1)


def test_using_up_an_aliquot_frees_its_position(sqlite_database: Database, get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}{get('AL-1').id}/use"
    browser.sign_in("Tess")
    assert "It holds 4 fragments." in message(browser.get(path, heading="Use aliquot AL-1"))
    page = _do(browser, path, status=422, amount="5")
    assert "AL-1 holds 4 fragments, and 5 fragments cannot be taken from it." in message(page)
    _do(browser, path, amount="1", note="implant")
    stale = browser.get(path)
    _do(browser, path, all_of_it="y")
    used = get("AL-1")
    assert (used.amount, used.state, used.place_id) == (0, AliquotState.USED_UP, None)
    assert _last(sqlite_database, used).amount == 3
    told = browser.submit(stale, path, status=409, happened_on=TODAY, amount="1")
    assert "Tess changed this record at 20" in message(told)
    assert browser.get(f"{ALIQUOTS}{used.id}").select(".steps a") == []
    assert "AL-1 is used up" in message(_do(browser, path, status=422, amount="1"))


def test_an_aliquot_is_split_into_equal_shares(get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}{get('AL-1').id}/split"
    browser.sign_in("Tess")
    assert "Say how many" in message(_do(browser, path, status=422, parts=""))
    assert "501 parts cannot be made" in message(_do(browser, path, status=422, parts="501"))
    done = _do(browser, path, parts="2", place_id="BX-03", box_row="A1 A3")
    assert [(get(code).amount, get(code).box_column) for code in ("AL-00001", "AL-00002")] == [(2, 1), (2, 3)]
    page = browser.get(done.location, heading="AL-1")
    assert "used up" in message(page)
    assert [one.text for one in page.select("td.mono a")] == ["AL-00001", "AL-00002"]
    assert "Split from AL-1" in message(browser.get(f"{ALIQUOTS}{get('AL-00001').id}"))


def test_what_is_shipped_comes_back(sqlite_database: Database, get: Get, browser: Browser) -> None:
    browser.sign_in("Tess")
    path = f"{ALIQUOTS}ship?aliquots=AL-1"
    assert "Say who receives them" in message(_do(browser, path, status=422))
    page = _do(browser, path, status=422, partner="Biobank North", tracking="1Z-44")
    assert "No consent of patient BCBM-P01 in force on 2026-03-09 permits sharing." in message(page)
    browser.submit(page, path, confirmed="y")
    assert (get("AL-1").state, get("AL-1").place_id) == (AliquotState.SHIPPED, None)
    assert _last(sqlite_database, get("AL-1")).partner == "Biobank North, 1Z-44"
    shown = browser.get(f"{ALIQUOTS}{get('AL-1').id}")
    assert [" ".join(one.text.split()) for one in shown.select(".steps a")] == ["Take back"]
    assert "AL-1 was shipped" in message(_do(browser, f"{ALIQUOTS}thaw?aliquots=AL-1", status=422))
    _do(browser, f"{ALIQUOTS}return?aliquots=AL-1", place_id="BX-03", happened_on="2026-03-10")
    assert (get("AL-1").state, get("AL-1").box_column) == (AliquotState.AVAILABLE, 1)


def test_discarding_needs_a_reason(sqlite_database: Database, get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}discard?aliquots=AL-1,AL-2"
    browser.sign_in("Tess")
    assert "A reason is needed" in message(_do(browser, path, status=422))
    _do(browser, path, reason="freezer failed")
    assert {get(code).state for code in ("AL-1", "AL-2")} == {AliquotState.DISCARDED}
    assert _last(sqlite_database, get("AL-2")).note == "freezer failed"


def test_taking_out_frees_the_position(get: Get, browser: Browser) -> None:
    _do(browser.sign_in("Tess"), f"{ALIQUOTS}take-out?aliquots=AL-1")
    assert get("AL-1").place_id is None
    page = browser.get(f"{ALIQUOTS}{get('AL-1').id}")
    assert "It stands in no place." in message(page)
    assert "Take out" not in message(page)


def test_a_label_is_corrected_with_a_reason(get: Get, browser: Browser) -> None:
    path = f"{ALIQUOTS}{get('AL-1').id}/change"
    browser.sign_in("Ada").submit(browser.get(path), path, material="snap_frozen", reason="misread")
    assert get("AL-1").material.value == "snap_frozen"
    withdraw = f"{ALIQUOTS}{get('AL-1').id}/withdraw"
    browser.submit(browser.get(withdraw), withdraw, reason="typed twice")
    assert (get("AL-1").status, get("AL-1").place_id) == (RecordStatus.WITHDRAWN, None)
    assert "AL-1" not in [row.text for row in browser.get(ALIQUOTS).select("td.mono")]


def test_implants_made_from_it_are_listed(sqlite_database: Database, get: Get, browser: Browser) -> None:
    with factories.declared(sqlite_database) as session:
        one = session.get_one(Aliquot, get("AL-1").id)
        mouse = factories.animal(session, session.get_one(Project, one.project_id), "M0017")
        factories.implant(session, mouse, "brain", aliquot_id=one.id, implanted_on=date(2026, 3, 3))
    page = browser.sign_in("Otto").get(f"{ALIQUOTS}{get('AL-1').id}")
    assert "M0017 brain not recorded 2026-03-03" in message(page)


@pytest.mark.parametrize("path", ["{}", "{}/use", "{}/split", "{}/change", "{}/withdraw", "{}/history"])
def test_another_projects_aliquot_is_not_found(get: Get, browser: Browser, path: str) -> None:
    browser.sign_in("Ada").get(ALIQUOTS + path.format(get("AL-99").id), status=404)


def test_there_is_one_way_to_make_aliquots(get: Get, browser: Browser) -> None:
    browser.sign_in("Ada").get(f"{ALIQUOTS}new", status=404)


def test_freezing_and_moving_work_on_each_engine(app_on_each: Application, database: Database) -> None:
    add_project(database, "P1")
    add_person(database, "Ada", P1=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        project = session.scalars(select(Project)).one()
        freezer = factories.place(session, project, "FZ-1")
        factories.box(session, project, "BX-03", parent_id=freezer.id)
        factories.specimen(session, factories.patient(session, project), "SP-0001")
    browser = Browser(app_on_each).sign_in("Ada")
    path = f"{ALIQUOTS}freeze?specimen_id=SP-0001&place_id=BX-03"
    browser.submit(browser.get(path), path, count="11")
    path = f"{ALIQUOTS}move?aliquots=AL-00001&place_id=BX-03&box_row=I9"
    browser.submit(browser.get(path), path)
    with database.reading() as session:
        box = session.scalars(select(StoragePlace).where(StoragePlace.code == "BX-03")).one()
    page = browser.get(f"/p/P1/storage/{box.id}/contents", heading="Contents of BX-03")
    where = [row.select("td")[5].text.strip() for row in page.select("table.data tbody tr")]
    assert where == [f"BX-03 {label}" for label in ["A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "B1", "B2", "I9"]]
    assert browser.client.get(f"/p/P1/storage/{box.id}/contents?format=xlsx").status_code == 200
    assert "11 taken 70 free" in message(browser.get("/p/P1/storage/"))
