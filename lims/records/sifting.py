"""Writes many records at once, each on its own merits: what a rule refuses is left out and named, the rest is written.

For files, whose good lines are recorded without the bad ones where a person says so. Forms write all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.records.noun import Draft, Noun, no_doubt
from lims.records.nouns import apply_all, draft_of, record

MOST_UNNAMED = 20
"""Refusals that do not say which record they are of, and are searched for one by one; of more, the rest is left out unjudged."""
MOST_ASKED = 500
"""Times that a rule is asked which records its doubts are about."""

Pair = tuple[Any, dict[str, Any]]
"""A record that is there, or nothing, and the values that it gets."""


@dataclass(slots=True)
class Sifted:
    """What became of a list: by the place in it.

    records: those that were written. changes: what each got, `{column: (old, new)}`. refused: why others were not.
    doubts: what is unusual about those that were; `None` for doubts that cannot be told apart.
    """

    records: dict[int, Any] = field(default_factory=dict)
    changes: dict[int, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    refused: dict[int, list[DomainError]] = field(default_factory=dict)
    doubts: list[tuple[int | None, Notice]] = field(default_factory=list)


def record_each(session: Session, actor: Actor, noun: Noun[Any], project_id: int, rows: Sequence[dict[str, Any]]) -> Sifted:
    """Record new ones by column, without those that a value, a reference or a rule refuses."""

    def write(sifted: Sifted, places: Sequence[int]) -> None:
        made = record(session, actor, noun, project_id, [rows[place] for place in places])
        sifted.records = dict(zip(places, made, strict=True))

    return _sift(session, noun, project_id, [(None, row) for row in rows], write)


def change_each(session: Session, noun: Noun[Any], project_id: int, pairs: Sequence[Pair], *, keep: bool) -> Sifted:
    """Change records that are there, without those that a rule refuses; unless `keep`, only say what would change.

    For services inside a declared action.
    """

    def write(sifted: Sifted, places: Sequence[int]) -> None:
        changes = apply_all(session, noun, [pairs[place] for place in places])
        sifted.changes = dict(zip(places, changes, strict=True))
        sifted.records = {place: pairs[place][0] for place in places}

    return _sift(session, noun, project_id, pairs, write, keep=keep)


def _sift(
    session: Session,
    noun: Noun[Any],
    project_id: int,
    pairs: Sequence[Pair],
    write: Callable[[Sifted, Sequence[int]], None],
    *,
    keep: bool = True,
) -> Sifted:
    sifted, unnamed = Sifted(), 0
    places = list(range(len(pairs)))
    while places:
        refused = _attempt(session, noun, project_id, pairs, places, write, sifted, keep=keep)
        if refused is None:
            break
        named = [one for one in refused.every if one.row is not None]
        if not named and unnamed == MOST_UNNAMED:
            sifted.refused |= {place: [_unjudged(unnamed)] for place in places}
            break
        if not named:
            unnamed += 1
            refused.row = places.index(_first_refused(session, noun, project_id, pairs, places, write))
            named = [refused]
        for one in named:
            sifted.refused.setdefault(places[one.row or 0], []).append(one)
        places = [place for place in places if place not in sifted.refused]
    return sifted


def _unjudged(others: int) -> DomainError:
    return DomainError(
        f"Whether it may be recorded was not asked: {others} others of its kind are refused, one because of the other.",
        remedy="Correct those first, and check again.",
    )


def _attempt(
    session: Session,
    noun: Noun[Any],
    project_id: int,
    pairs: Sequence[Pair],
    places: Sequence[int],
    write: Callable[[Sifted, Sequence[int]], None],
    sifted: Sifted,
    *,
    keep: bool,
) -> DomainError | None:
    """Ask what is unusual, then write; what is refused is taken back to where it was."""
    savepoint = session.begin_nested()
    try:
        doubts = _doubts(session, noun, project_id, pairs, places)
        write(sifted, places)
    except DomainError as refused:
        savepoint.rollback()
        return refused
    sifted.doubts = doubts
    if keep:
        savepoint.commit()
    else:
        savepoint.rollback()
    return None


def _first_refused(
    session: Session,
    noun: Noun[Any],
    project_id: int,
    pairs: Sequence[Pair],
    places: Sequence[int],
    write: Callable[[Sifted, Sequence[int]], None],
) -> int:
    """Search for the first record of a list with which the list is refused: all before it could be written."""

    def refused(some: Sequence[int]) -> bool:
        if _breaks_rule(session, noun, project_id, pairs, some):
            return True
        return not by_rule and _attempt(session, noun, project_id, pairs, some, write, Sifted(), keep=False) is not None

    by_rule = _breaks_rule(session, noun, project_id, pairs, places)  # then nothing has to be written to find it
    low, high = 0, len(places)  # the first `low` are taken, the first `high` are refused
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(places[:middle]) else (middle, high)
    return places[high - 1]


def _breaks_rule(session: Session, noun: Noun[Any], project_id: int, pairs: Sequence[Pair], places: Sequence[int]) -> bool:
    try:
        noun.check(session, project_id, _drafts(session, noun, pairs, places))
    except DomainError:
        return True
    return False


def _drafts(session: Session, noun: Noun[Any], pairs: Sequence[Pair], places: Sequence[int]) -> list[Draft]:
    drafts = [draft_of(session, noun, row, existing) for existing, row in (pairs[place] for place in places)]
    for draft in drafts:
        if noun.coded:
            draft.values.setdefault("code", "")  # one that is still to be given
    return drafts


def _doubts(
    session: Session, noun: Noun[Any], project_id: int, pairs: Sequence[Pair], places: Sequence[int]
) -> list[tuple[int | None, Notice]]:
    """Give what is unusual, with the place that each is about: as the noun says, or by asking of fewer and fewer records."""
    if noun.doubt is no_doubt:
        return []
    found: list[tuple[int | None, Notice]] = []
    waiting, asked = [list(places)], 0
    while waiting:
        some = waiting.pop()
        notices, asked = noun.doubt(session, project_id, _drafts(session, noun, pairs, some)), asked + 1
        found += [(some[row], one) for one in notices for row in one.rows]
        told = [one for one in notices if not one.rows]
        if told and (len(some) == 1 or asked >= MOST_ASKED):
            found += [(some[0] if len(some) == 1 else None, one) for one in told]
        elif told:
            found = [pair for pair in found if pair[0] not in some]
            waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
    return sorted(found, key=lambda pair: -1 if pair[0] is None else pair[0])
