"""Writes protocols, cages and animals."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.models import Animal, AnimalProtocol, Cage, CageMove, Implant
from lims.queries.chunks import in_chunks
from lims.records.nouns import Noun, record

PROTOCOL: Noun[AnimalProtocol] = Noun(
    "protocol", AnimalProtocol, future=frozenset({"expires_on"}), dependents=((Animal, "protocol_id"),)
)
CAGE: Noun[Cage] = Noun("cage", Cage, dependents=((Animal, "cage_id"),))
ANIMAL: Noun[Animal] = Noun("animal", Animal, dependents=((Implant, "animal_id"),))
CAGE_MOVE: Noun[CageMove] = Noun("cage", CageMove, fixed=frozenset({"animal_id"}), key=())


def cages_named(session: Session, actor: Actor, project_id: int, codes: Iterable[str | None]) -> dict[str | None, int]:
    """Give the ids of cages by code, and make those that are not there yet, as a file or an arrival names them."""
    wanted = sorted({code.strip() for code in codes if code and code.strip()})
    known = in_chunks(
        session, wanted, lambda some: select(Cage.code, Cage.id).where(Cage.project_id == project_id, Cage.code.in_(some))
    )
    found: dict[str | None, int] = dict(known)
    missing = [code for code in wanted if code not in found]
    made = record(session, actor, CAGE, project_id, [{"code": code} for code in missing]) if missing else []
    return found | {cage.code: cage.id for cage in made}
