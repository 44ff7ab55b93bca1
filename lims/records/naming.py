"""Gives records their codes: by the project's pattern, and no number twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.naming import DEFAULT_PATTERNS, check_pattern, render
from lims.models import Base, IdentifierPattern
from lims.queries.chunks import in_chunks
from lims.records.accounts import require_reason


def pattern_of(session: Session, project_id: int, noun: str) -> IdentifierPattern:
    """Give the project's pattern for a noun, made from the usual one where it has none yet."""
    wanted = select(IdentifierPattern).where(IdentifierPattern.project_id == project_id, IdentifierPattern.noun == noun)
    found = session.scalar(wanted)
    if found is None:
        found = IdentifierPattern(project_id=project_id, noun=noun, pattern=DEFAULT_PATTERNS[noun], last_number=0)
        session.add(found)
        session.flush()
    return found


def next_codes(session: Session, project_id: int, noun: str, count: int, model: type[Base]) -> list[str]:
    """Give `count` new codes; those that somebody has typed by hand before are stepped over."""
    if count == 0:
        return []
    if noun not in DEFAULT_PATTERNS:
        raise DomainError("A code is needed.", field="code", expected="the code it is known by")
    pattern, codes = pattern_of(session, project_id, noun), list[str]()
    while len(codes) < count:
        missing = count - len(codes)
        candidates = [render(pattern.pattern, pattern.last_number + step) for step in range(1, missing + 1)]
        pattern.last_number += missing
        taken = _taken(session, project_id, model, candidates)
        codes += [code for code in candidates if code not in taken]
    session.flush()
    return codes


def _taken(session: Session, project_id: int, model: Any, codes: list[str]) -> set[str]:
    rows = in_chunks(session, codes, lambda some: select(model.code).where(model.project_id == project_id, model.code.in_(some)))
    return {code for (code,) in rows}


def change_pattern(session: Session, actor: Actor, project_id: int, noun: str, *, pattern: str, reason: str) -> IdentifierPattern:
    """Let records of a noun be named differently from now on; numbers go on from the last one given.

    Raises:
        DomainError: the pattern has no number in it, or cannot be used.
    """
    declare(session, actor, "pattern:change", reason=require_reason(reason), project=project_id)
    check_pattern(pattern)
    found = pattern_of(session, project_id, noun)
    found.pattern = pattern.strip()
    session.flush()
    return found
