"""The pages of the colony: protocols, arrivals and animals, and who may use them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from lims.db import Database
from lims.models import Animal, Cage
from lims.records.moves import move
from lims.records.values import today
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.pages import COMMAND_LINE, Browser, message, only
from tests.views.colony import HERE, ROLES, arriving, boxes, die, fill, key, now, part, where
from tests.views.test_studies import cells

# Protocols


def test_protocols_show_what_is_used_and_how_long_they_hold(bench: Browser, colony: Database) -> None:
    page = bench.get(f"{HERE}/protocols/", heading="Animal protocols")
    rows = cells(page, "Animal protocols")
    assert [(row[0], row[2], row[5]) for row in rows] == [("A-07", "expired", "0 of 18"), ("A-12", "expiring", "10 of 18")]
    assert [(bar["value"], bar["max"]) for bar in page.select("td meter")] == [("0", "18"), ("10", "18")]
    assert cells(bench.get(f"{HERE}/protocols/?state=expired"), "Animal protocols")[0][0] == "A-07"
    with bench.client.get(f"{HERE}/protocols/?format=csv") as response:
        told = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert [(row["State"], row["Animals used"], row["Animals allowed"]) for row in told] == [
        ("expired", "0", "18"),
        ("expiring", "10", "18"),
    ]


def test_a_protocol_says_what_it_allows_and_that_it_ends(bench: Browser, colony: Database) -> None:
    page = bench.get(f"{HERE}/protocols/1", heading="A-12")
    assert [one.text for one in page.select(".terms li")] == ["Intracranial implanting", "Imaging"]
    assert "It expires in 30 days" in message(page)
    assert "10 of 18, 8 left" in message(page)
    assert len(cells(page, "Animals under A-12")) == 10
    assert "It expired on" in message(bench.get(f"{HERE}/protocols/2"))


def test_a_scientist_records_a_protocol_and_its_amendment(scientist: Browser, colony: Database) -> None:
    form = f"{HERE}/protocols/new"
    sent: dict[str, Any] = {
        "code": "A-31",
        "title": "Dosing",
        "expires_on": "2199-01-31",
        "animals_allowed": "40",
        "procedures": ["dosing", "imaging"],
    }
    made: Any = scientist.submit(scientist.get(form), form, **sent)
    page = scientist.get(made.location)
    assert [one.text for one in page.select(".terms li")] == ["Dosing", "Imaging"]
    change = f"{made.location}/change"
    page = scientist.get(change)
    assert [box["value"] for box in page.select("input[name=procedures][checked]")] == ["dosing", "imaging"]
    kept: dict[str, Any] = {"procedures": ["dosing", "imaging"]}
    refused = scientist.submit(page, change, 422, expires_on="soon", reason="amendment", **kept)
    assert '"soon" is no date' in message(refused)
    scientist.submit(page, change, animals_allowed="60", reason="amendment", **kept)
    assert "animals allowed 40 → 60" in message(scientist.get(f"{made.location}/history"))


# Arrivals


def test_twenty_under_a_protocol_for_eighteen_are_refused_and_nothing_is_recorded(bench: Browser, colony: Database) -> None:
    page = arriving(bench, 422, count="20", protocol_id="A-12", strain="NSG")
    told = "Protocol A-12 allows 18 animals; 10 are used and 20 were asked for: 12 too many."
    assert told in part(page, "#protocol_id-error").text
    assert part(page, "#count")["value"] == "20"
    assert part(page, "#strain")["value"] == "NSG"
    with colony.reading() as session:
        assert session.query(Animal).count() == 10
        assert session.query(Cage).count() == 4


def test_eight_arrive_in_new_cages_with_ear_tags(bench: Browser, colony: Database) -> None:
    tags = "\r\n".join(["1", "2", "3", "4"] * 2)
    made = arriving(bench, count="8", protocol_id="a-12".upper(), per_cage="4", ear_tags=tags, sex="male", strain="NSG")
    assert "8 animals were recorded: M0011 to M0018." in message(bench.get(made.location))
    assert [where(colony, code) for code in ("M0011", "M0014", "M0015")] == ["C-001", "C-001", "C-002"]
    with colony.reading() as session:
        assert session.query(Animal).filter_by(code="M0016").one().ear_tag == "2"


def test_after_an_arrival_its_animals_are_shown_alone(bench: Browser, colony: Database) -> None:
    made = arriving(bench, count="3", protocol_id="A-12", codes="Z9\r\nA1\r\nK5")
    page = bench.get(made.location)
    assert [row[0] for row in cells(page, "Animals")] == ["A1", "K5", "Z9"]
    assert "The animals that were just recorded. All living animals" in message(page)
    (surgery,) = [one for one in page.select("a") if one.get_text(strip=True) == "Surgery list of these"]
    rows = bench.get(str(surgery["href"])).select("input[name$=-animal]")
    assert [one.get("value") for one in rows][:4] == ["A1", "K5", "Z9", ""]
    assert len(cells(bench.get(f"{HERE}/animals/?delivery=1-x"), "Animals")) == 13


def test_animals_that_were_looked_for_are_measured_without_typing_them_again(bench: Browser, colony: Database) -> None:
    assert "Measure these" not in message(bench.get(f"{HERE}/animals/"))
    found = bench.get(f"{HERE}/animals/?q=M000")
    codes = [row[0] for row in cells(found, "Animals")]
    (measure,) = [one for one in found.select("a") if one.get_text(strip=True) == "Measure these"]
    listed = bench.get(f"{measure['href']}&kind=body_weight").select("table.entry th[scope=row] a")
    assert sorted(one.text for one in listed) == sorted(codes) != []
    assert "Measure these" not in message(bench.get(f"{HERE}/animals/?q=nothing-like-it"))


def test_the_list_of_animals_opens_on_the_living_and_says_how_to_see_all(bench: Browser, colony: Database) -> None:
    die(colony, "M0001", "M0002")
    page = bench.get(f"{HERE}/animals/")
    assert len(cells(page, "Animals")) == 8
    assert only(page, "#filter-state option[selected]")["value"] == "living"
    (everything,) = [link for link in page.select("main a") if link.text == "Show the dead ones too"]
    page = bench.get(str(everything["href"]))
    assert [row[0] for row in cells(page, "Animals")][:2] == ["M0001", "M0002"]
    assert page.select_one("form.filters a") is not None
    assert "M0001" not in bench.client.get(f"{HERE}/animals/?format=csv").text
    found = bench.get(f"{HERE}/animals/?q=M0001")
    assert [row[0] for row in cells(found, "Animals")] == ["M0001"]
    assert only(found, "#filter-state option[selected]")["value"] == "any"
    assert [row[0] for row in cells(bench.get(f"{HERE}/animals/?state=dead"), "Animals")] == ["M0001", "M0002"]
    assert "is no state of an animal" in bench.client.get(f"{HERE}/animals/?state=merry").text


def test_where_all_are_dead_the_list_does_not_say_that_there_are_none(bench: Browser, colony: Database) -> None:
    die(colony, *(f"M{number:04}" for number in range(1, 11)))
    told = message(bench.get(f"{HERE}/animals/"))
    assert "Nothing fits these filters." in told
    assert "No animal yet" not in told


def test_a_cage_remembers_who_died_in_it_and_who_left(bench: Browser, colony: Database) -> None:
    die(colony, "M0001")
    with colony.transaction() as session:
        mouse = session.query(Animal).filter_by(code="M0002").one()
        move(session, COMMAND_LINE, [mouse], session.query(Cage).filter_by(code="K1").one(), on=today(session), note="fighting")
    page = bench.get(f"{HERE}/cages/{key(colony, Cage, 'C0')}")
    assert {(row[0], row[4]) for row in cells(page, "Animals that were in C0")} == {("M0001", "dead"), ("M0002", "moved to K1")}
    assert len(cells(page, "Animals in C0")) == 3
    assert "Were here" not in message(bench.get(f"{HERE}/cages/{key(colony, Cage, 'C1')}"))


def test_the_card_has_a_barcode_that_the_search_box_understands(bench: Browser, colony: Database) -> None:
    page = bench.get(f"{HERE}/cages/{key(colony, Cage, 'C1')}/card")
    drawn = part(page, ".cage-card svg.barcode")
    assert drawn["aria-label"] == "Barcode of C1"
    assert str(part(page, ".cage-card svg.barcode path")["d"]).startswith("M10 0h2v40h-2z")
    found = bench.client.get(f"{HERE}/search/?q=C1")
    assert found.location == f"{HERE}/cages/{key(colony, Cage, 'C1')}"


@each(
    ("typed", "told"),
    [
        ({"protocol_id": "A-07"}, "Protocol A-07 expired on"),
        ({"protocol_id": "A-99"}, 'There is no animal protocol "A-99" in this project'),
        ({"protocol_id": ""}, "The protocol they arrive under is needed."),
        ({"count": ""}, "How many animals arrived is needed."),
        ({"count": "two"}, '"two" is no number'),
        ({"count": "2.5"}, "no whole number"),
        ({"arrived_on": "yesterday"}, '"yesterday" is no date'),
        ({"arrived_on": "2199-01-01"}, "lies in the future"),
        ({"codes": "M0001\nM0002"}, 'Animal "M0001" exists already'),
        ({"ear_tags": "1"}, "1 stand in the list, for 2 animals"),
        ({"cages": "C0"}, "Cage C0 is full: 5 of 5 animals are in it"),
        ({"per_cage": "0"}, "0 animals in a cage cannot be"),
    ],
)
def test_a_delivery_that_cannot_be(bench: Browser, colony: Database, typed: dict[str, str], told: str) -> None:
    page = arriving(bench, 422, **{"count": "2", "protocol_id": "A-12", **typed})
    assert told in message(page)
    with colony.reading() as session:
        assert session.query(Animal).count() == 10


def test_ear_tags_of_animals_that_live_there_are_confirmed(bench: Browser, colony: Database) -> None:
    first: dict[str, Any] = {"count": "1", "protocol_id": "A-12", "cages": "K1", "ear_tags": "7"}
    arriving(bench, **first)
    page = arriving(bench, 422, **first)
    assert "Animal M0011 of the same cage has ear tag 7 too." in message(page)
    made = arriving(bench, confirmed="y", **first)
    assert made.status_code == 302


# One animal


def test_an_animal_is_recorded_changed_and_withdrawn(scientist: Browser, colony: Database) -> None:
    form = f"{HERE}/animals/new"
    page = scientist.get(form, heading="Record an animal")
    assert "Cage C0 is full" in message(scientist.submit(page, form, 422, code="X1", cage_id="C0"))
    made: Any = scientist.submit(page, form, code="X1", cage_id="C2", protocol_id="A-12", rfid="900 1")
    address = made.location
    page = scientist.get(address, heading="X1")
    assert [link["href"] for link in page.select("dl.facts a")] == [f"{HERE}/cages/3", f"{HERE}/protocols/1"]
    change = f"{address}/change"
    page = scientist.get(change)
    assert page.select("[name=cage_id]") == []
    told = message(scientist.submit(page, change, 422, died_on=str(now(colony)), reason="found"))
    assert "is not alive" in told
    scientist.submit(page, change, died_on=str(now(colony)), state="dead", reason="found dead")
    assert "dead" in message(scientist.get(address))
    scientist.submit(scientist.get(f"{address}/withdraw"), f"{address}/withdraw", reason="never came")
    assert "X1" not in [row[0] for row in cells(scientist.get(f"{HERE}/animals/"), "Animals")]
    assert cells(scientist.get(f"{HERE}/animals/?status=withdrawn"), "Animals")[0][0] == "X1"
    assert "never came" in message(scientist.get(f"{address}/history"))


def test_animals_are_filtered_by_protocol(bench: Browser, colony: Database) -> None:
    assert len(cells(bench.get(f"{HERE}/animals/?protocol=A-12"), "Animals")) == 10
    assert "Nothing fits these filters." in message(bench.get(f"{HERE}/animals/?protocol=A-07"))


# Who may


WRITES = {
    "animals/arrive": {"Tom", "Sara"},
    "animals/new": {"Tom", "Sara"},
    "animals/1/change": {"Tom", "Sara"},
    "animals/1/move": {"Tom", "Sara"},
    "animals/1/withdraw": {"Sara"},
    "cages/new": {"Tom", "Sara"},
    "cages/1/change": {"Tom", "Sara"},
    "cages/1/move-in": {"Tom", "Sara"},
    "cages/1/withdraw": {"Sara"},
    "protocols/new": {"Sara"},
    "protocols/1/change": {"Sara"},
    "protocols/1/withdraw": {"Sara"},
}
READS = (
    "colony/",
    "animals/",
    "animals/1",
    "animals/1/history",
    "cages/",
    "cages/1",
    "cages/1/card",
    "cages/1/history",
    "protocols/",
    "protocols/1",
    "protocols/1/history",
)


@pytest.mark.parametrize("name", ROLES)
def test_who_may_do_what(app: Application, colony: Database, name: str) -> None:
    browser = Browser(app).sign_in(name)
    for path in READS:
        browser.get(f"{HERE}/{path}")
    for path, allowed in WRITES.items():
        browser.get(f"{HERE}/{path}", status=200 if name in allowed else 403)
    links = {str(link["href"]) for path in READS for link in browser.get(f"{HERE}/{path}").select("a[href]")}
    offered = {path for path in WRITES if any(link.split("?")[0] == f"{HERE}/{path}" for link in links)}
    assert offered == {path for path, allowed in WRITES.items() if name in allowed}


def test_another_projects_colony_is_not_found(app: Application, colony: Database) -> None:
    stranger = Browser(app).sign_in("Olga")
    for path in (*READS, *WRITES):
        stranger.get(f"{HERE}/{path}", status=404)
        if "/1" in path:
            stranger.get(f"/p/OTHER/{path}", status=404)
    page = stranger.get("/p/OTHER/animals/arrive")
    refused = stranger.submit(page, "/p/OTHER/animals/arrive", 422, count="1", protocol_id="A-12")
    assert "in this project" in message(refused)


def test_the_pages_are_the_same_on_both_engines(app_on_each: Application, database: Database) -> None:
    fill(database)
    bench = Browser(app_on_each).sign_in("Tom")
    assert cells(bench.get(f"{HERE}/cages/?sort=-animals"), "Cages")[0][:5] == ["C0", "R1", "A1", "5 of 5", "female"]
    assert [row[2] for row in cells(bench.get(f"{HERE}/protocols/?sort=state"), "Animal protocols")] == ["expired", "expiring"]
    address = f"{HERE}/cages/{key(database, Cage, 'K1')}/move-in"
    bench.submit(bench.get(address), address, codes="m0001")
    assert boxes(bench.get(f"{HERE}/colony/?strain=NSG"), ".cages") == {"K1": "1 of 5 animals, 1 female"}
    arriving(bench, count="8", protocol_id="A-12")
    assert "18 of 18, none left" in message(bench.get(f"{HERE}/protocols/1"))
    for path in READS:
        bench.get(f"{HERE}/{path}")
