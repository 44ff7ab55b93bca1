"""Records a harvest: tissue that comes back from an implant, the aliquots made of it at once, and that it had grown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.cohort_terms import FateReason
from lims.domain.colony_terms import Engraftment, ProtocolProcedure
from lims.domain.errors import DomainError, about_row
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, LINEAGE, ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, CollectionProcedure, SpecimenKind
from lims.models import Animal, Implant, Specimen, StoragePlace
from lims.queries.implants import first_seen_on
from lims.records.aliquots import freeze_aliquots
from lims.records.colony import require_procedure
from lims.records.fates import record_fates
from lims.records.implants import IMPLANT
from lims.records.nouns import apply, doubts, record
from lims.records.tissue import SPECIMEN

AFTER_DEATH = timedelta(days=1)
"""Until then tissue of an animal found dead is usually still taken."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What was taken out: columns of its specimen; and the aliquots made of it, alike in their columns, with the place."""

    specimen: Mapping[str, Any]
    aliquots: Mapping[str, Any] = field(default_factory=dict)
    count: int = 0
    place: StoragePlace | None = None


def _rows(implant: Implant, pieces: Sequence[Piece], on: date, procedure: CollectionProcedure) -> list[dict[str, Any]]:
    same = {"source_implant_id": implant.id, "collected_on": on, "procedure": procedure}
    return [{**piece.specimen, **same} for piece in pieces]


def doubt_harvest(
    session: Session, implant: Implant, pieces: Sequence[Piece], *, on: date, procedure: CollectionProcedure, killed: bool = False
) -> list[Notice]:
    """Doubt a necropsy of an animal that lives by its record, a harvest long after death, and what is unusual of a specimen."""
    notices = doubts(session, SPECIMEN, implant.project_id, _rows(implant, pieces, on, procedure))
    animal = implant.animal
    if procedure is CollectionProcedure.NECROPSY and not killed and lives(animal):
        told = f"Animal {animal.code} is not recorded as dead, and this is a necropsy."
        notices.append(
            Notice(
                "warning",
                "procedure",
                told,
                "its fate: killed for this harvest, or another one",
                source=ORDER_OF_EVENTS,
            )
        )
    if animal.died_on is not None and on > animal.died_on + AFTER_DEATH:
        told = f"Animal {animal.code} died on {animal.died_on}, {(on - animal.died_on).days} days before."
        notices.append(Notice("warning", "collected_on", told, "the day of death", source=ORDER_OF_EVENTS))
    return notices


def lives(animal: Animal) -> bool:
    """Tell whether an animal is not known to be dead."""
    return animal.died_on is None and animal.state is not AnimalStatus.DEAD


def harvest(
    session: Session,
    actor: Actor,
    implant: Implant,
    pieces: Sequence[Piece],
    *,
    on: date,
    procedure: CollectionProcedure = CollectionProcedure.NECROPSY,
    killed: bool = False,
    reason: str = "",
) -> list[Specimen]:
    """Record what was harvested from an implant; a tumour says that it grew, where that was still open.

    Donor and passage follow from the implant: what is implanted of it next is one passage on. `killed`: its animal was
    killed for the harvest, and its fate is recorded with it.

    Raises:
        DomainError: nothing was harvested, a tumour of an implant that failed, or a rule of specimens or aliquots refuses.
    """
    declare(session, actor, "specimen:create", reason=reason, project=implant.project_id)
    if not pieces:
        raise DomainError("What was harvested?", field="pieces", expected="at least one piece of tissue", source=LINEAGE)
    tumour = any(piece.specimen["kind"] is SpecimenKind.TUMOUR for piece in pieces)
    if tumour:
        require_grown(implant, field="pieces")
    if procedure is CollectionProcedure.NECROPSY:
        require_procedure(session, [implant.animal], ProtocolProcedure.NECROPSY, on)
    specimens = record(session, actor, SPECIMEN, implant.project_id, _rows(implant, pieces, on, procedure), reason=reason)
    for number, (specimen, piece) in enumerate(zip(specimens, pieces, strict=True)):
        if piece.count:
            with about_row(number):
                values = {"preserved_on": on, **piece.aliquots}
                freeze_aliquots(session, actor, specimen, values, count=piece.count, place=piece.place)
    if tumour and implant.engraftment is Engraftment.PENDING:
        apply(session, IMPLANT, implant, _grew(session, implant, on))
    if killed:
        fate = {"animal_id": implant.animal_id, "died_on": on, "reason": FateReason.TISSUE_HARVEST}
        record_fates(session, actor, implant.project_id, [fate], reason=reason)
    return specimens


def require_grown(implant: Implant, *, field: str) -> None:
    """Refuse a tumour of an implant that failed."""
    if implant.engraftment is Engraftment.FAILED:
        raise DomainError(
            f"Implant {implant.label} of {implant.animal.code} is recorded as failed, so no tumour can come from it.",
            field=field,
            expected="tissue of another kind, or an implant that grew",
            remedy="Correct at the implant whether it engrafted, then record the harvest.",
            source=CONSISTENT,
        )


def _grew(session: Session, implant: Implant, on: date) -> dict[str, Any]:
    """First seen when it was first measured; otherwise when it was taken out, the animal's day of death at the latest."""
    days = (first_seen_on(session, implant.id), on, implant.animal.died_on)
    return {"engraftment": Engraftment.ENGRAFTED, "engrafted_on": min(day for day in days if day is not None)}
