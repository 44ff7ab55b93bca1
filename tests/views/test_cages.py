"""The pages of cages: moves, cages with their cards, and the racks."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from lims.db import Database
from lims.models import Animal, Cage, Project
from lims.records.colony import ANIMAL, CAGE, cages_named
from lims.records.moves import move
from lims.records.nouns import record
from lims.records.values import today
from lims.views.transaction import Application
from tests.support.cases import each
from tests.support.pages import COMMAND_LINE, Browser, message, only
from tests.support.statements import statements
from tests.views.cohort import add_cohort
from tests.views.colony import HERE, boxes, key, now, part, where
from tests.views.test_studies import cells

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
