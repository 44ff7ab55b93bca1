"""Gives records their codes: by the project's pattern, and no number twice."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.naming import DEFAULT_PATTERNS, LARGEST_NUMBER, check_pattern, render
from lims.models import Base, IdentifierPattern
from lims.queries.patterns import NAMED, free_codes, patterns_of
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
    pattern = pattern_of(session, project_id, noun)
    codes, pattern.last_number = free_codes(session, model, project_id, pattern.pattern, pattern.last_number, count)
    session.flush()
    return codes


def change_pattern(session: Session, actor: Actor, project_id: int, noun: str, *, pattern: str, reason: str) -> IdentifierPattern:
    """Let records of a noun be named differently from now on; numbers go on from the last one given.

    Raises:
        DomainError: the pattern has no number in it, makes codes that other records have, or is the one there is.
    """
    declare(session, actor, "pattern:change", reason=require_reason(reason), project=project_id)
    cleaned = check_pattern(pattern)
    if noun in NAMED:
        _require_own(session, project_id, noun, cleaned)
    found = pattern_of(session, project_id, noun)
    if found.pattern == cleaned:
        raise DomainError("Nothing differs from the pattern there is.", field="pattern", remedy="Change it, or leave the page.")
    found.pattern = cleaned
    session.flush()
    return found


def _require_own(session: Session, project_id: int, noun: str, pattern: str) -> None:
    """Refuse a pattern that makes the same codes as another noun's: a scan would not say which of the two it is."""
    for other, (known, _) in patterns_of(session, project_id).items():
        if other != noun and other in NAMED and render(known, LARGEST_NUMBER) == render(pattern, LARGEST_NUMBER):
            raise DomainError(
                f"The codes of {other}s are made by {known}: a scan would not tell the two apart.",
                field="pattern",
                expected="a pattern with letters of its own",
            )
