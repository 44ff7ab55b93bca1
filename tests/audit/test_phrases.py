"""The history of a record in the words of the bench, through the steps that make it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from lims.audit.history import Entry, entries, sentences
from lims.audit.record import Actor
from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.tissue_terms import AmountUnit
from lims.domain.vocabulary import AnimalStatus
from lims.models import Aliquot, Animal, Base, Cage, Implant, Project, Specimen
from lims.records import aliquots
from lims.records.nouns import change, reinstate, withdraw
from lims.records.storage import ALIQUOT
from tests.support import factories
from tests.support.databases import kept
from tests.support.whole import Whole, whole

DAY = date(2026, 3, 30)


@pytest.fixture
@kept
def lab(database: Database) -> Whole:
    with factories.declared(database) as session:
        return whole(session, factories.project(session))


@pytest.fixture
def history(database: Database) -> Callable[[Base], list[Entry]]:
    """Give what was done to a record after it was made, the first first."""

    def of(record: Base) -> list[Entry]:
        with database.reading() as session:
            return entries(session, record.__tablename__, record.id)[-2::-1]  # type: ignore[attr-defined]  # records have ids

    return of


def test_an_aliquots_steps_read_as_they_were_done(
    database: Database, lab: Whole, actor: Actor, history: Callable[[Base], list[Entry]]
) -> None:
    with factories.declared(database) as session:
        other = factories.box(session, session.get_one(Project, lab.aliquots.project_id), "BX-2")
    with database.transaction() as session:
        vial = session.get_one(Aliquot, lab.aliquots.id)
        aliquots.move(session, actor, [vial], place=session.merge(lab.storage), positions=[(2, 3)], on=DAY)
    with database.transaction() as session:
        aliquots.move(session, actor, [session.get_one(Aliquot, vial.id)], place=session.merge(other), positions=[(1, 1)], on=DAY)
    with database.transaction() as session:
        aliquots.thaw(session, actor, [session.get_one(Aliquot, vial.id)], on=DAY)
    with database.transaction() as session:
        aliquots.use(session, actor, session.get_one(Aliquot, vial.id), amount=1, on=DAY)
    with database.transaction() as session:
        vial = session.get_one(Aliquot, vial.id)
        change(session, actor, ALIQUOT, vial, version=vial.version, reason="counted", fields={"amount": 4, "note": "two tubes"})
    with database.transaction() as session:
        aliquots.use(session, actor, session.get_one(Aliquot, vial.id), amount=4, on=DAY)

    told = [(*entry.steps, *entry.sentences) for entry in history(lab.aliquots)]
    assert told == [
        ("moved it from W-BX1 A1 to W-BX1 B3",),
        ("moved it from W-BX1 B3 to BX-2 A1",),
        ("thawed it", "took it out of BX-2 A1"),
        ("took 1 of 4 fragments",),
        ("amount 3 → 4 fragments", "note two tubes"),
        ("took 4 of 4 fragments", "used it up"),
    ]


def test_withdrawing_and_bringing_back_have_their_words(
    database: Database, lab: Whole, actor: Actor, history: Callable[[Base], list[Entry]]
) -> None:
    with factories.declared(database) as session:
        lone = factories.aliquot(session, session.get_one(Specimen, lab.specimens.id), "AL-9")
    for step in (withdraw, reinstate):
        with database.transaction() as session:
            vial = session.get_one(Aliquot, lone.id)
            step(session, actor, ALIQUOT, vial, version=vial.version, reason="mistaken")
    assert [entry.steps for entry in history(lone)] == [("withdrew it",), ("brought it back",)]


def test_an_animal_a_cage_and_an_implant_read_as_people_speak(
    database: Database, lab: Whole, history: Callable[[Base], list[Entry]]
) -> None:
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, lab.animals.id)
        mouse.cage_id = factories.cage(session, session.get_one(Project, mouse.project_id), "C-2").id
        cage = session.get_one(Cage, lab.cages.id)
        cage.rack, cage.rack_row, cage.rack_column = "R1", 1, 4
    with factories.declared(database) as session:
        mouse = session.get_one(Animal, lab.animals.id)
        mouse.state, mouse.died_on, mouse.cage_id = AnimalStatus.DEAD, date(2026, 4, 2), None
        session.get_one(Cage, lab.cages.id).rack_column = 5
        implant = session.get_one(Implant, lab.implants.id)
        implant.engraftment, implant.engrafted_on = Engraftment.ENGRAFTED, date(2026, 3, 10)

    assert [entry.steps for entry in history(lab.animals)] == [
        ("moved it from cage W-C1 to cage C-2",),
        ("recorded its death on 2026-04-02", "took it out of cage C-2"),
    ]
    assert [entry.steps for entry in history(lab.cages)] == [("put it into R1 A4",), ("moved it from R1 A4 to R1 A5",)]
    assert [entry.steps for entry in history(lab.implants)] == [("recorded that it engrafted on 2026-03-10",)]


def test_what_a_record_was_made_with_is_in_words_and_units(database: Database, lab: Whole) -> None:
    with database.reading() as session:
        (made,) = entries(session, "aliquot", lab.aliquots.id)
        (tissue,) = entries(session, "specimen", lab.specimens.id)
    assert {"amount 4 fragments", "position A1", "place W-BX1"} <= set(made.sentences)
    assert "HER2 label HER2-low" in tissue.sentences
    assert "CNS status at collection untreated asymptomatic" in tissue.sentences
    assert not [one for one in (*made.sentences, *tissue.sentences) if "_" in one or "status active" in one]


def test_a_moment_reads_in_the_laboratorys_zone() -> None:
    changed = {"implanted_at": (None, "2026-03-02T23:30:00Z")}
    assert sentences("implant", changed, zone=ZoneInfo("Europe/Madrid")) == ("end of surgery 2026-03-03 00:30",)
    assert sentences("implant", changed) == ("end of surgery 2026-03-02 23:30:00 UTC",)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"box_row": ("1", "2"), "box_column": ("4", "1")}, ("position A4 → B1",)),
        ({"box_row": ("1", None), "box_column": ("4", None)}, ("position A4 → not set",)),
        ({"box_row": ("1", "2")}, ("row in the box 1 → 2",)),
        ({"amount": ("4.0", "0.0")}, ("amount 4 → 0 mg",)),
        ({"amount": ("4.5", None)}, ("amount 4.5 → not set",)),
        ({"unit": (None, AmountUnit.MICROLITRE.value)}, ("unit µL",)),
    ],
)
def test_fields_that_are_no_step_are_told_one_by_one(
    changed: dict[str, tuple[str | None, str | None]], told: tuple[str, ...]
) -> None:
    assert sentences("aliquot", changed, unit="mg") == told
