"""The patterns a project names its records by, and the codes that come next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.words import entity_word
from lims.domain.naming import DEFAULT_PATTERNS, Noun, render
from lims.models import Aliquot, Animal, Cage, CellPreparation, IdentifierPattern, Patient, PdxModel, Specimen, StoragePlace
from lims.queries.chunks import in_chunks

NAMED: Mapping[str, Any] = MappingProxyType(
    {
        Noun.PATIENT: Patient,
        Noun.SPECIMEN: Specimen,
        Noun.ALIQUOT: Aliquot,
        Noun.MODEL: PdxModel,
        Noun.ANIMAL: Animal,
        Noun.CAGE: Cage,
        Noun.PLACE: StoragePlace,
        Noun.PREPARATION: CellPreparation,
    }
)
"""Tables whose codes count within the project. An implant's label counts within its animal."""
AHEAD = 100
"""Codes looked up at once, where many were typed by hand."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How records of a noun are named. last_number: given last, None where each animal counts anew."""

    noun: str
    word: str
    pattern: str
    last_number: int | None
    next_code: str


def patterns_of(session: Session, project_id: int) -> dict[str, tuple[str, int]]:
    """Give a project's pattern and the last number given for each noun, the usual pattern where it has none of its own."""
    own = session.execute(
        select(IdentifierPattern.noun, IdentifierPattern.pattern, IdentifierPattern.last_number).where(
            IdentifierPattern.project_id == project_id
        )
    )
    usual = {str(noun): (pattern, 0) for noun, pattern in DEFAULT_PATTERNS.items()}
    return usual | {noun: (pattern, last) for noun, pattern, last in own if noun in usual}


def namings(session: Session, project_id: int) -> list[Naming]:
    """Tell how a project names its records, and what the next one of each noun will be called."""
    return [_naming(session, project_id, noun, *known) for noun, known in patterns_of(session, project_id).items()]


def free_codes(session: Session, model: Any, project_id: int, pattern: str, after: int, count: int) -> tuple[list[str], int]:
    """Give the next `count` codes of a pattern and the last one's number; codes that were typed by hand are stepped over."""
    codes, number = list[str](), after
    while len(codes) < count:
        ahead = max(count - len(codes), AHEAD)
        candidates = {render(pattern, number + step): number + step for step in range(1, ahead + 1)}
        taken = _taken(session, project_id, model, list(candidates))
        for code, of_code in candidates.items():
            if len(codes) == count:
                break
            number = of_code
            if code not in taken:
                codes.append(code)
    return codes, number


def _naming(session: Session, project_id: int, noun: str, pattern: str, last: int) -> Naming:
    if noun not in NAMED:
        return Naming(noun, "implant within its animal", pattern, None, render(pattern, 1))
    (code,), _ = free_codes(session, NAMED[noun], project_id, pattern, last, 1)
    return Naming(noun, entity_word(str(NAMED[noun].__tablename__)), pattern, last, code)


def _taken(session: Session, project_id: int, model: Any, codes: list[str]) -> set[str]:
    rows = in_chunks(session, codes, lambda some: select(model.code).where(model.project_id == project_id, model.code.in_(some)))
    return {code for (code,) in rows}
