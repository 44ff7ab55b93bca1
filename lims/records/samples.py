"""Records what is collected of animals at once: fluids, brain and organs of each, and the tumours of their implants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.cohort_terms import FateReason
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.vocabulary import CollectionProcedure, SpecimenKind
from lims.models import Animal, Implant, Specimen
from lims.records.colony import require_procedure
from lims.records.fates import record_fates
from lims.records.harvests import Piece, harvest, lives, require_grown
from lims.records.nouns import record
from lims.records.tissue import SPECIMEN

MOST_SAMPLES = 1_000
ALLOWED_AS = {
    CollectionProcedure.NECROPSY: ProtocolProcedure.NECROPSY,
    CollectionProcedure.CSF_TAP: ProtocolProcedure.CSF_TAP,
}
"""What a protocol has to allow for it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One sample: of the animal itself, or the tumour of one implant in it."""

    animal: Animal
    kind: SpecimenKind
    site: str | None = None
    implant: Implant | None = None


def doubt_collection(wanted: Sequence[Wanted], *, procedure: CollectionProcedure, killed: bool) -> list[Notice]:
    """Doubt a necropsy of animals that live by their records."""
    alive = sorted({one.animal.code for one in wanted if lives(one.animal)})
    if procedure is not CollectionProcedure.NECROPSY or killed or not alive:
        return []
    listed = ", ".join(alive[:5]) + (f" and {len(alive) - 5} more" if len(alive) > 5 else "")
    told = f"{listed} {'is' if len(alive) == 1 else 'are'} not recorded as dead, and this is a necropsy."
    return [Notice("warning", "procedure", told, "their fate: killed for this harvest, or another one", ORDER_OF_EVENTS)]


def collect_samples(
    session: Session,
    actor: Actor,
    project_id: int,
    wanted: Sequence[Wanted],
    *,
    on: date,
    procedure: CollectionProcedure,
    killed: bool = False,
    reason: str = "",
) -> list[Specimen]:
    """Record samples of several animals, all or none; `killed`: the living among them were killed for it, which is their fate.

    Raises:
        DomainError: nothing is wanted, a protocol does not allow it, or a rule of specimens or implants refuses.
    """
    declare(session, actor, "specimen:create", reason=reason, project=project_id)
    if not 1 <= len(wanted) <= MOST_SAMPLES:
        raise DomainError(
            "Nothing is ticked." if not wanted else f"{len(wanted):,} samples are too many for one list.",
            field="rows",
            expected=f"1 to {MOST_SAMPLES:,} samples",
            source=CONSISTENT,
        )
    animals = list({one.animal.id: one.animal for one in wanted}.values())
    if procedure in ALLOWED_AS:
        require_procedure(session, animals, ALLOWED_AS[procedure], on)
    same = {"collected_on": on, "procedure": procedure}
    own = [{"source_animal_id": one.animal.id, "kind": one.kind, "site": one.site, **same} for one in wanted if one.implant is None]
    made = record(session, actor, SPECIMEN, project_id, own, reason=reason) if own else []
    for one in wanted:
        if one.implant is None:
            continue
        require_grown(one.implant, field="rows")
        piece = Piece({"kind": one.kind, "site": one.site})
        made += harvest(session, actor, one.implant, [piece], on=on, procedure=procedure, reason=reason)
    fates = [{"animal_id": one.id, "died_on": on, "reason": FateReason.TISSUE_HARVEST} for one in animals if lives(one)]
    if killed and fates:
        record_fates(session, actor, project_id, fates, reason=reason)
    return made
