"""A colony that the page tests look at: protocols, a rack of cages, animals in two of them, and people of three roles."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.cohort_terms import FateReason
from lims.domain.vocabulary import RoleName, Sex
from lims.models import Animal, Project
from lims.records.arrivals import Arrival, arrive
from lims.records.colony import CAGE, PROTOCOL
from lims.records.fates import record_fates
from lims.records.nouns import record
from lims.records.values import today
from tests.support.databases import kept
from tests.support.pages import COMMAND_LINE, Browser, add_person, add_project

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


def part(page: Any, selector: str) -> Any:
    """Give the one part of a page that a selector finds."""
    (found,) = page.select(selector)
    return found


def key(database: Database, table: Any, code: str) -> int:
    """Give the id of a record by its code."""
    with database.reading() as session:
        found: int = session.scalars(select(table.id).where(table.code == code)).one()
        return found


def where(database: Database, code: str) -> str | None:
    """Give the code of an animal's cage."""
    with database.reading() as session:
        cage = session.scalars(select(Animal).where(Animal.code == code)).one().cage
        return cage.code if cage else None


def now(database: Database) -> date:
    """Give today, as the installation counts it."""
    with database.reading() as session:
        return today(session)


def die(database: Database, *codes: str) -> None:
    """Record that animals died."""
    with database.transaction() as session:
        mice = session.scalars(select(Animal).where(Animal.code.in_(codes))).all()
        rows = [{"animal_id": mouse.id, "died_on": today(session), "reason": FateReason.SCHEDULED} for mouse in mice]
        record_fates(session, COMMAND_LINE, mice[0].project_id, rows)


def arriving(browser: Browser, status: int = 302, **typed: str) -> Any:
    """Send the form of a delivery."""
    address = f"{HERE}/animals/arrive"
    return browser.submit(browser.get(address, heading="Animals have arrived"), address, status, **typed)


def boxes(page: BeautifulSoup, inside: str) -> dict[str, str]:
    """Give the cages drawn in the racks or beside them: code → what is told to those who do not see them."""
    return {part(box, ".cage-code").text: part(box, ".visually-hidden").text for box in page.select(f"{inside} a.cage")}
