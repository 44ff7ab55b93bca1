"""The pages of the colony: protocols, cages, arrivals, moves, and the racks."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.cohort_terms import FateReason
from lims.domain.vocabulary import RoleName, Sex
from lims.models import Animal, Cage, Project
from lims.records.arrivals import Arrival, arrive
from lims.records.colony import ANIMAL, CAGE, PROTOCOL, cages_named
from lims.records.fates import record_fates
from lims.records.moves import move
from lims.records.nouns import record
from lims.records.values import today
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import COMMAND_LINE, Browser, add_person, add_project, message, only
from tests.support.statements import statements
from tests.views.cohort import add_cohort
from tests.views.test_studies import cells

HERE = "/p/BCBM"
ROLES = {"Ines": RoleName.AUDITOR, "Tom": RoleName.TECHNICIAN, "Sara": RoleName.SCIENTIST}


@kept
def fill(database: Database) -> None:
    """Record two protocols, a rack of three cages and one beside it, with ten animals in two of them."""
    for code in ("BCBM", "OTHER"):
        add_project(database, code)
    for name, role in ROLES.items():
        add_person(database, name, BCBM=role)
    add_person(database, "Olga", OTHER=RoleName.SCIENTIST)
    with database.transaction() as session:
        home = session.scalar(select(Project.id).where(Project.code == "BCBM")) or 0
        now = today(session)
        terms = {"title": "Brain metastases", "animals_allowed": 18, "approved_on": now - timedelta(400)}
        holds, _ = record(
            session,
            COMMAND_LINE,
            PROTOCOL,
            home,
            [
                terms | {"code": "A-12", "expires_on": now + timedelta(30), "procedures": ["intracranial", "imaging"]},
                terms | {"code": "A-07", "expires_on": now - timedelta(1), "procedures": []},
            ],
        )
        places = [{"code": f"C{n}", "rack": "R1", "rack_row": 1 + n // 2, "rack_column": 1 + n % 2} for n in range(3)]
        record(session, COMMAND_LINE, CAGE, home, [*places, {"code": "K1"}])
        facts: dict[str, Any] = {"strain": "NSG", "sex": Sex.FEMALE, "protocol_id": holds.id, "cages": ["C0", "C1"]}
        arrive(session, COMMAND_LINE, home, Arrival(10, now - timedelta(10), **facts))


@pytest.fixture
def colony(sqlite_database: Database) -> Database:
    """Give a filled colony."""
    fill(sqlite_database)
    return sqlite_database


@pytest.fixture
def bench(app: Application, colony: Database) -> Browser:
    """Give the technician's browser."""
    return Browser(app).sign_in("Tom")


@pytest.fixture
def scientist(app: Application, colony: Database) -> Browser:
    """Give the scientist's browser."""
    return Browser(app).sign_in("Sara")


def part(page: Any, selector: str) -> Any:
    """Give the one part of a page that a selector finds."""
    (found,) = page.select(selector)
    return found


def key(database: Database, table: Any, code: str) -> int:
    with database.reading() as session:
        found: int = session.scalars(select(table.id).where(table.code == code)).one()
        return found


def where(database: Database, code: str) -> str | None:
    with database.reading() as session:
        cage = session.scalars(select(Animal).where(Animal.code == code)).one().cage
        return cage.code if cage else None


def now(database: Database) -> date:
    with database.reading() as session:
        return today(session)


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


def die(database: Database, *codes: str) -> None:
    with database.transaction() as session:
        mice = session.scalars(select(Animal).where(Animal.code.in_(codes))).all()
        rows = [{"animal_id": mouse.id, "died_on": today(session), "reason": FateReason.SCHEDULED} for mouse in mice]
        record_fates(session, COMMAND_LINE, mice[0].project_id, rows)


def arriving(browser: Browser, status: int = 302, **typed: str) -> Any:
    address = f"{HERE}/animals/arrive"
    return browser.submit(browser.get(address, heading="Animals have arrived"), address, status, **typed)


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


# Moves


def test_one_animal_moves_and_its_page_says_where_it_was(bench: Browser, colony: Database) -> None:
    mouse = key(colony, Animal, "M0001")
    address = f"{HERE}/animals/{mouse}/move"
    page = bench.get(address, heading="Move animal M0001")
    assert "It is in cage C0." in message(page)
    bench.submit(page, address, to_cage_id="K1", note="fighting")
    page = bench.get(f"{HERE}/animals/{mouse}")
    assert cells(page, "Moves between cages") == [[str(now(colony)), "C0", "K1", "fighting"]]
    page = bench.get(f"{HERE}/cages/{key(colony, Cage, 'K1')}", heading="K1")
    assert cells(page, "Moves into and out of K1") == [[str(now(colony)), "M0001", "in", "C0", "fighting"]]
    assert "1 of 5 animals, room for 4 more" in message(page)


@each(
    ("typed", "told"),
    [
        ({"to_cage_id": "C1"}, "Cage C1 is full: 5 of 5 animals are in it, and 1 would come."),
        ({"to_cage_id": "C0"}, "Animal M0001 is in this cage already."),
        ({"to_cage_id": "Z9"}, 'There is no cage "Z9" in this project'),
        ({"to_cage_id": ""}, "Scan the card of the cage it goes to."),
        ({"to_cage_id": "K1", "moved_on": "2000-01-01"}, "comes before the arrival of M0001"),
    ],
)
def test_a_move_that_cannot_be(bench: Browser, colony: Database, typed: dict[str, str], told: str) -> None:
    address = f"{HERE}/animals/{key(colony, Animal, 'M0001')}/move"
    assert told in message(bench.submit(bench.get(address), address, 422, **typed))
    assert where(colony, "M0001") == "C0"


def test_animals_are_scanned_into_a_cage(bench: Browser, colony: Database) -> None:
    address = f"{HERE}/cages/{key(colony, Cage, 'K1')}/move-in"
    page = bench.get(address, heading="Move animals to cage K1")
    bench.submit(page, address, codes="M0001\r\nm0002,\r\n\r\n M0001 \r\n")
    assert [where(colony, code) for code in ("M0001", "M0002", "M0003")] == ["K1", "K1", "C0"]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ("M0001\nM9999\nM0002", 'There is no animal "M9999" in this project.'),
        ("\n".join(f"Q{n}" for n in range(7)), '"Q4" in this project, nor 2 more.'),
        ("\n".join(f"M{n:04}" for n in range(1, 7)), "Cage K1 has room for 5 more: 0 of 5 animals are in it, and 6 would come."),
        ("", "Scan at least one animal."),
        (" \n,", "No animal is named."),
        ("M0001\nDEAD", "Animal DEAD is dead since"),
    ],
)
def test_a_list_of_codes_moves_whole_or_not_at_all(bench: Browser, colony: Database, codes: str, told: str) -> None:
    with colony.transaction() as session:
        home = session.scalars(select(Project.id).where(Project.code == "BCBM")).one()
        record(session, COMMAND_LINE, ANIMAL, home, [{"code": "DEAD", "died_on": today(session), "state": "dead"}])
    address = f"{HERE}/cages/{key(colony, Cage, 'K1')}/move-in"
    page = bench.submit(bench.get(address), address, 422, codes=codes)
    assert told in message(page)
    assert where(colony, "M0001") == "C0"


# Cages


def test_cages_with_room_place_and_card(bench: Browser, colony: Database) -> None:
    page = bench.get(f"{HERE}/cages/", heading="Cages")
    assert cells(page, "Cages")[:3] == [
        ["C0", "R1", "A1", "5 of 5", "female", "NSG", ""],
        ["C1", "R1", "A2", "5 of 5", "female", "NSG", ""],
        ["C2", "R1", "B1", "0 of 5", "", "", ""],
    ]
    card = message(bench.get(f"{HERE}/cages/1/card", heading="Card of cage C0"))
    assert "Strain NSG" in card
    assert "Protocol A-12" in card
    assert "rack R1 A1 · 5 of 5 animals" in card
    assert "No living animal" in message(bench.get(f"{HERE}/cages/3/card"))


@each(
    ("typed", "told"),
    [
        ({"rack": "R1", "position": "A1"}, "Cage C0 stands at A1 of rack R1."),
        ({"rack": "R1", "position": "top"}, '"top" is no position in a rack.'),
        ({"position": "A1"}, "A position needs the rack it is in."),
        ({"capacity": "21"}, "1 to 20"),
        ({"code": "C0"}, 'Cage "C0" exists already'),
    ],
)
def test_a_cage_that_cannot_be(bench: Browser, typed: dict[str, str], told: str) -> None:
    address = f"{HERE}/cages/new"
    assert told in message(bench.submit(bench.get(address), address, 422, **typed))


def test_a_cage_is_recorded_and_moved_to_another_place(bench: Browser, colony: Database) -> None:
    address = f"{HERE}/cages/new"
    made: Any = bench.submit(bench.get(address), address, rack="R1", position="b2")
    change = f"{made.location}/change"
    page = bench.get(change, heading="Change cage C-001")
    assert part(page, "#position")["value"] == "B2"
    bench.submit(page, change, position="C2", reason="moved")
    assert "position C2" in message(bench.get(made.location))


# The racks


def boxes(page: BeautifulSoup, inside: str) -> dict[str, str]:
    """Give the cages drawn in the racks or beside them: code → what is told to those who do not see them."""
    return {part(box, ".cage-code").text: part(box, ".visually-hidden").text for box in page.select(f"{inside} a.cage")}


def test_the_racks_are_drawn_with_who_lives_where(bench: Browser, colony: Database) -> None:
    add_cohort(colony)
    page = bench.get(f"{HERE}/colony/", heading="Colony")
    assert "14 living animals in 5 cages" in message(page)
    grid = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in page.select(".rack tbody tr")]
    assert [[cell[:2] for cell in row] for row in grid] == [["C0", "C1"], ["C2", "no"]]
    assert boxes(page, ".rack")["C0"] == "5 of 5 animals, 5 female"
    assert boxes(page, ".cages") == {"C7": "4 of 5 animals, 2 in BM-014 Vehicle, 2 in BM-014 Tucatinib", "K1": "0 of 5 animals"}
    assert [swatch["class"][-1] for swatch in page.select(".cages .arm-swatch")] == ["vehicle-0", "arm-0"]
    assert part(page, ".rack a[title^=C0]")["href"] == f"{HERE}/cages/1"


def test_the_racks_are_filtered_by_protocol_and_strain(bench: Browser, colony: Database) -> None:
    add_cohort(colony)
    page = bench.get(f"{HERE}/colony/?protocol=A-12&strain=NSG")
    assert boxes(page, ".rack")["C2"] == "0 of 5 animals, none that fits the filter"
    assert boxes(page, ".rack")["C1"] == "5 of 5 animals, 5 female"
    assert boxes(page, ".cages") == {}
    assert all("none that fits" in told for told in boxes(bench.get(f"{HERE}/colony/?protocol=A-07"), ".rack").values())


def test_too_many_animals_in_a_cage_are_seen(bench: Browser, colony: Database) -> None:
    with colony.transaction() as session:
        home = session.scalars(select(Project.id).where(Project.code == "BCBM")).one()
        cage = cages_named(session, COMMAND_LINE, home, ["K1"])["K1"]
        record(session, COMMAND_LINE, ANIMAL, home, [{"cage_id": cage}] * 7)
    assert boxes(bench.get(f"{HERE}/colony/"), ".cages")["K1"] == "7 of 5 animals, too many"
    page = message(bench.get(f"{HERE}/cages/{cage}"))
    assert "7 animals live in a cage that has room for 5" in page
    assert "7 of 5 animals, 2 too many" in page


def test_an_empty_colony_says_what_to_do_first(app: Application, colony: Database) -> None:
    olga = Browser(app).sign_in("Olga")
    for place, first in (
        ("colony", "Animals have arrived"),
        ("cages", "Animals have arrived"),
        ("protocols", "Record an animal protocol"),
    ):
        page = olga.get(f"/p/OTHER/{place}/")
        assert part(page, ".empty a.btn").text == first


def test_the_racks_cost_the_same_with_ten_times_the_cages(bench: Browser, colony: Database) -> None:
    def cost(path: str) -> int:
        with statements(colony.engine) as seen:
            bench.get(path)
        return len(seen)

    paths = [f"{HERE}/{path}" for path in ("colony/", "cages/", "protocols/", "protocols/1", "cages/1", "animals/1", "animals/")]
    with colony.transaction() as session:
        mice = session.scalars(select(Animal).where(Animal.id <= 2)).all()
        for cage in session.scalars(select(Cage).where(Cage.code.in_(["K1", "C0"])).order_by(Cage.code.desc())):
            move(session, COMMAND_LINE, mice, cage, on=today(session))
    before = [cost(path) for path in paths]
    with colony.transaction() as session:
        home = session.scalars(select(Project.id).where(Project.code == "BCBM")).one()
        rows = [{"code": f"N{n}", "rack": f"R{n % 4}", "rack_row": 3 + n // 10, "rack_column": 1 + n % 10} for n in range(40)]
        cages = record(session, COMMAND_LINE, CAGE, home, rows)
        record(session, COMMAND_LINE, ANIMAL, home, [{"cage_id": cage.id, "strain": f"S{cage.id % 3}"} for cage in cages] * 2)
        mice = session.scalars(select(Animal).where(Animal.id <= 2)).all()
        for cage in [*cages[:10], session.get_one(Cage, 1)]:
            move(session, COMMAND_LINE, mice, cage, on=today(session))
    # Once more, however many there are: a list, or a history, that its page does not hold is counted.
    after = [cost(path) for path in paths]
    assert all(few <= many <= few + 1 for few, many in zip(before, after, strict=True)), (before, after)


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


def test_cages_are_listed_as_people_count_and_the_uncaged_lead_to_themselves(scientist: Browser, colony: Database) -> None:
    with colony.transaction() as session:
        home = session.scalar(select(Project.id).where(Project.code == "BCBM")) or 0
        record(session, COMMAND_LINE, CAGE, home, [{"code": "K10"}, {"code": "K2"}])
        record(session, COMMAND_LINE, ANIMAL, home, [{"code": "FREE-1"}])
    listed = [row[0] for row in cells(scientist.get(f"{HERE}/cages/"), "Cages")]
    assert listed == ["C0", "C1", "C2", "K1", "K2", "K10"]
    drawn = scientist.get(f"{HERE}/colony/")
    assert message(drawn).index("K2") < message(drawn).index("K10")
    link = only(drawn, "a:-soup-contains-own('1 without a cage')")
    assert [row[0] for row in cells(scientist.get(str(link["href"])), "Animals")] == ["FREE-1"]
    assert len(cells(scientist.get(f"{HERE}/animals/?cage=some"), "Animals")) == 10
    assert message(scientist.get(f"{HERE}/animals/?cage=other")).count("Nothing fits these filters.") == 1
