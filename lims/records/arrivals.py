"""Writes arrivals: many animals of one delivery at once, with their cages (ARRIVE 2.0 item 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, ONE_TAG, PLAUSIBLE
from lims.domain.vocabulary import AnimalStatus, RecordStatus, Sex
from lims.models import Animal, Cage
from lims.queries.chunks import in_chunks
from lims.records.colony import ANIMAL, CAGE
from lims.records.nouns import doubts, record

MOST_ANIMALS = 500
"""A delivery is some cages; a list of more is a file to import."""
USUAL_CAPACITY: int = Cage.__table__.columns["capacity"].default.arg
_SHARED = ("arrived_on", "strain", "genotype", "sex", "birth_date", "source", "protocol_id")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery of `count` animals of one kind.

    codes, ear_tags: one for each animal in order, or none. per_cage: how many go into a cage; None houses them nowhere
    yet. cages: the codes of their cages, there already or new; none makes new ones by the pattern.
    """

    count: int
    arrived_on: date
    strain: str | None = None
    genotype: str | None = None
    sex: Sex = Sex.NOT_RECORDED
    birth_date: date | None = None
    source: str | None = None
    protocol_id: int | None = None
    codes: Sequence[str] = ()
    ear_tags: Sequence[str] = ()
    per_cage: int | None = USUAL_CAPACITY
    cages: Sequence[str] = ()

    @property
    def cages_needed(self) -> int:
        """Count the cages it takes."""
        return ceil(self.count / self.per_cage) if self.per_cage else 0


def arrive(session: Session, actor: Actor, project_id: int, arrival: Arrival, *, reason: str = "") -> list[Animal]:
    """Record the animals of a delivery, living, in their cages, under their protocol; in order of their codes.

    Raises:
        DomainError: the protocol does not allow as many, lists do not fit the number, a code is taken or a cage is full.
            Nothing is recorded then.
    """
    declare(session, actor, "animal:create", reason=reason, project=project_id)
    _check(arrival)
    known = _known_cages(session, project_id, arrival.cages)
    cages = _cages(session, actor, project_id, arrival, known)
    return record(session, actor, ANIMAL, project_id, _rows(arrival, cages))


def arrival_doubts(session: Session, project_id: int, arrival: Arrival) -> list[Notice]:
    """Give what is unusual about a delivery, such as ear tags that animals of the same cage have already.

    Raises:
        DomainError: lists do not fit the number, or a value its column.
    """
    _check(arrival)
    known = _known_cages(session, project_id, arrival.cages)
    return doubts(session, ANIMAL, project_id, _rows(arrival, [known.get(code) for code in arrival.cages]))


def _known_cages(session: Session, project_id: int, codes: Sequence[str]) -> dict[str, int]:
    rows = in_chunks(
        session,
        list(codes),
        lambda some: select(Cage.code, Cage.id).where(
            Cage.project_id == project_id, Cage.code.in_(some), Cage.status == RecordStatus.ACTIVE
        ),
    )
    return dict(rows)


def _cages(session: Session, actor: Actor, project_id: int, arrival: Arrival, known: Mapping[str, int]) -> list[int | None]:
    """Give the cages in order, with new cards for those that are not there yet."""
    codes: list[str | None] = [*arrival.cages] or [None] * arrival.cages_needed
    capacity = max(arrival.per_cage or 0, USUAL_CAPACITY)
    new = [{"code": code, "capacity": capacity} for code in codes if code not in known]
    made = iter(record(session, actor, CAGE, project_id, new) if new else [])
    return [known[code] if code is not None and code in known else next(made).id for code in codes]


def _rows(arrival: Arrival, cages: Sequence[int | None]) -> list[dict[str, Any]]:
    shared = {name: getattr(arrival, name) for name in _SHARED} | {"state": AnimalStatus.ALIVE}
    return [
        shared
        | {
            "code": arrival.codes[number] if arrival.codes else None,
            "ear_tag": arrival.ear_tags[number] if arrival.ear_tags else None,
            "cage_id": cages[number // arrival.per_cage] if cages and arrival.per_cage else None,
        }
        for number in range(arrival.count)
    ]


def _check(arrival: Arrival) -> None:
    if not 1 <= arrival.count <= MOST_ANIMALS:
        raise DomainError(
            f"{arrival.count} animals cannot arrive at once.",
            field="count",
            expected=f"1 to {MOST_ANIMALS}",
            remedy="Import a longer list as a file.",
            source=PLAUSIBLE,
        )
    if arrival.per_cage is not None and arrival.per_cage < 1:
        raise DomainError(
            f"{arrival.per_cage} animals in a cage cannot be.", field="per_cage", expected="1 or more", source=PLAUSIBLE
        )
    for field, given, needed, noun in (
        ("codes", arrival.codes, arrival.count, "animals"),
        ("ear_tags", arrival.ear_tags, arrival.count, "animals"),
        ("cages", arrival.cages, arrival.cages_needed, "cages"),
    ):
        if given and len(given) != needed:
            raise DomainError(
                f"{len(given)} stand in the list, for {needed} {noun}.",
                field=field,
                expected=f"{needed}, one a line, or none",
                remedy="Complete the list, or correct the number of animals.",
                source=CONSISTENT,
            )
    _check_tags(arrival)


def _check_tags(arrival: Arrival) -> None:
    """Two of one ear tag that would come into one cage are a slip of the pen."""
    cage = arrival.per_cage or arrival.count
    placed = Counter((number // cage, tag) for number, tag in enumerate(arrival.ear_tags))
    twice = next((tag for (_, tag), times in placed.items() if times > 1), None)
    if twice is not None and arrival.per_cage:
        raise DomainError(
            f"Ear tag {twice} stands twice among the animals of one cage.",
            field="ear_tags",
            expected="ear tags that tell the animals of a cage apart",
            source=ONE_TAG,
        )
