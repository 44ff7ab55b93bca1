"""Animals and tumours: added, brought back, never overwritten."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import RecordStatus, Sex
from lims.models import Animal, Cage, Implant, Project
from lims.records import nouns
from lims.records.colony import ANIMAL, cages_named
from lims.records.implants import IMPLANT
from lims.records.nouns import record
from tests.support import factories


@pytest.fixture
def project(database: Database) -> Project:
    with factories.declared(database) as session:
        return factories.project(session)


def add(database: Database, project: Project, *animals: dict[str, Any]) -> list[Animal]:
    with database.transaction() as session:
        return record(session, factories.actor(), ANIMAL, project.id, animals)


def withdraw(database: Database, table: type[Animal | Cage | Implant], key: int) -> None:
    with factories.declared(database) as session:
        session.get_one(table, key).status = RecordStatus.WITHDRAWN


def test_many_animals_in_their_order_and_the_code_cleaned(database: Database, project: Project) -> None:
    added = add(database, project, {"code": " M2 ", "sex": Sex.FEMALE}, {"code": "M1", "birth_date": date(2026, 1, 5)})

    assert [(one.code, one.sex, one.birth_date) for one in added] == [
        ("M2", Sex.FEMALE, None),
        ("M1", Sex.NOT_RECORDED, date(2026, 1, 5)),
    ]
    assert add(database, project) == []
    assert verify(database).problems == []


@pytest.mark.parametrize("codes", [["M1", "M1"], ["M1", " M1"], ["Zo\u00eb", "Zoe\u0308"]])
def test_two_of_one_code_are_refused(database: Database, project: Project, codes: list[str]) -> None:
    with pytest.raises(DomainError, match="stands 2 times"):
        add(database, project, *({"code": code} for code in codes))

    assert add(database, project, {"code": codes[0]})


def test_an_animal_that_is_there_is_never_overwritten(database: Database, project: Project) -> None:
    (mouse,) = add(database, project, {"code": "M1", "sex": Sex.FEMALE})

    with pytest.raises(DomainError, match='Animal "M1" exists already'):
        add(database, project, {"code": "M1", "sex": Sex.MALE})

    with database.reading() as session:
        assert session.get_one(Animal, mouse.id).sex is Sex.FEMALE


def test_a_withdrawn_animal_comes_back_under_its_id(database: Database, project: Project) -> None:
    (mouse,) = add(database, project, {"code": "M1"})
    withdraw(database, Animal, mouse.id)

    with database.transaction() as session:
        cage = cages_named(session, factories.actor(), project.id, ["C7"])["C7"]

    (again,) = add(database, project, {"code": "M1", "cage_id": cage})

    assert (again.id, again.status, again.cage_id) == (mouse.id, RecordStatus.ACTIVE, cage)
    assert verify(database).problems == []


def test_cages_are_named_as_a_file_writes_them_and_a_withdrawn_one_comes_back(database: Database, project: Project) -> None:
    composed, decomposed = "K\u00e4fig 1", "Ka\u0308fig 1"

    def named(*codes: str | None) -> dict[str | None, int]:
        with database.transaction() as session:
            return cages_named(session, factories.actor(), project.id, codes)

    first = named(composed)
    assert named(f" {decomposed} ", composed, None, " ") == {f" {decomposed} ": first[composed], composed: first[composed]}
    withdraw(database, Cage, first[composed])
    assert named(decomposed) == {decomposed: first[composed]}
    with database.reading() as session:
        assert session.get_one(Cage, first[composed]).status is RecordStatus.ACTIVE
    with pytest.raises(DomainError, match="do not show"):
        named("C\u200b1")


@pytest.mark.parametrize("kept", ["enrolment", "measurement"])
def test_an_animal_that_counts_in_a_study_is_not_withdrawn(database: Database, project: Project, kept: str) -> None:
    (mouse,) = add(database, project, {"code": "M1"})
    with factories.declared(database) as session:
        if kept == "enrolment":
            factories.enrolment(session, factories.arm(session, factories.study(session, project)), mouse)
        else:
            factories.measurement(session, mouse)
    with pytest.raises(Conflict, match=rf"1 active record \({kept}\) stands on this animal"), database.transaction() as session:
        found = session.get_one(Animal, mouse.id)
        nouns.withdraw(session, factories.actor(), ANIMAL, found, version=found.version, reason="typed twice")


def test_a_code_belongs_to_its_project(database: Database, project: Project) -> None:
    with factories.declared(database) as session:
        other = factories.project(session)
    (one,) = add(database, project, {"code": "M1"})
    (two,) = add(database, other, {"code": "M1"})

    assert one.id != two.id


@pytest.mark.parametrize("code", ["M\u200b1", "M" * 81])
def test_a_code_that_cannot_be_used_is_refused(database: Database, project: Project, code: str) -> None:
    with pytest.raises(DomainError):
        add(database, project, {"code": code})


def test_a_blank_code_is_generated_and_steps_over_those_typed_by_hand(database: Database, project: Project) -> None:
    add(database, project, {"code": "M0002"})

    assert [one.code for one in add(database, project, {"code": ""}, {})] == ["M0001", "M0003"]
    assert verify(database).problems == []


def test_tumours_by_label_once_in_an_animal(database: Database, project: Project) -> None:
    mouse, other = add(database, project, {"code": "M1"}, {"code": "M2"})

    def implant(*new: dict[str, Any]) -> list[Implant]:
        with database.transaction() as session:
            return record(session, factories.actor(), IMPLANT, project.id, new)

    first, *_ = implant(
        {"animal_id": mouse.id, "label": "L4"}, {"animal_id": mouse.id, "label": "R4"}, {"animal_id": other.id, "label": "L4"}
    )
    with pytest.raises(DomainError, match='Implant "L4" exists already'):
        implant({"animal_id": mouse.id, "label": "L4"})
    withdraw(database, Implant, first.id)
    assert [one.id for one in implant({"animal_id": mouse.id, "label": "L4"})] == [first.id]
    assert verify(database).problems == []
