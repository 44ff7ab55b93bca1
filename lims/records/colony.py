"""Writes animals and their tumours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.identifiers import clean_identifier
from lims.domain.vocabulary import AnimalStatus, ImplantSite, Sex
from lims.models import Animal, Implant
from lims.queries.chunks import in_chunks
from lims.records.common import add_or_reinstate


@dataclass(frozen=True, slots=True)
class NewAnimal:
    """An animal to record; whatever is not known stays not recorded."""

    code: str
    sex: Sex = Sex.NOT_RECORDED
    birth_date: date | None = None
    strain: str | None = None
    cage: str | None = None
    ear_tag: str | None = None
    genotype: str | None = None
    source: str | None = None
    arrived_on: date | None = None
    state: AnimalStatus = AnimalStatus.NOT_RECORDED
    died_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewImplant:
    """A tumour to record in an animal that is there."""

    animal_id: int
    label: str
    site: ImplantSite = ImplantSite.NOT_RECORDED
    region: str | None = None
    model_id: int | None = None
    implanted_on: date | None = None


def add_animals(session: Session, actor: Actor, project_id: int, animals: Sequence[NewAnimal], *, reason: str = "") -> list[Animal]:
    """Record animals; one is a list of one. Codes must be free, or belong to withdrawn animals, which come back.

    Raises:
        DomainError: a code is taken or empty, or has characters that do not show.
    """
    declare(session, actor, "animal:create", reason=reason, project=project_id)
    codes = [clean_identifier(animal.code, what="animal id") for animal in animals]
    known = in_chunks(
        session,
        codes,
        lambda some: select(Animal).where(Animal.project_id == project_id, Animal.code.in_(some)),
    )
    existing = {animal.code: animal for (animal,) in known}
    wanted = [
        (
            code,
            {
                "project_id": project_id,
                "code": code,
                "sex": one.sex,
                "birth_date": one.birth_date,
                "strain": one.strain,
                "cage": one.cage,
                "ear_tag": one.ear_tag,
                "genotype": one.genotype,
                "source": one.source,
                "arrived_on": one.arrived_on,
                "state": one.state,
                "died_on": one.died_on,
            },
        )
        for code, one in zip(codes, animals, strict=True)
    ]
    return add_or_reinstate(session, existing, wanted, Animal)


def add_implants(
    session: Session, actor: Actor, project_id: int, implants: Sequence[NewImplant], *, reason: str = ""
) -> list[Implant]:
    """Record tumours in animals of this project.

    Raises:
        DomainError: a label is taken in that animal, or cannot be used.
    """
    declare(session, actor, "implant:create", reason=reason, project=project_id)
    hosts = sorted({one.animal_id for one in implants})
    known = in_chunks(session, hosts, lambda some: select(Implant).where(Implant.animal_id.in_(some)))
    existing = {(implant.animal_id, implant.label): implant for (implant,) in known}
    wanted = [
        (
            (one.animal_id, label),
            {
                "project_id": project_id,
                "animal_id": one.animal_id,
                "label": label,
                "site": one.site,
                "region": one.region,
                "model_id": one.model_id,
                "implanted_on": one.implanted_on,
            },
        )
        for one in implants
        for label in [clean_identifier(one.label, what="tumour label")]
    ]
    return add_or_reinstate(session, existing, wanted, Implant)
