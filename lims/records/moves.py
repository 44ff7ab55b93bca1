"""Writes moves of animals between cages: where each one was, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_alive, require_order
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, Cage, CageMove
from lims.queries.chunks import by_id, in_chunks
from lims.records.colony import require_room
from lims.records.noun import Draft, Noun
from lims.records.nouns import record


def _check_moves(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a move of the dead, before the arrival or an earlier move, or to the cage it is in; room is judged as it follows."""
    new = [draft for draft in drafts if draft.record is None]  # of one that is recorded only the note is ever changed
    keys = [draft.values["animal_id"] for draft in new]
    animals = by_id(session, Animal, keys)
    last = dict(
        in_chunks(
            session,
            keys,
            lambda some: (
                select(CageMove.animal_id, func.max(CageMove.moved_on))
                .where(CageMove.animal_id.in_(some), CageMove.status == RecordStatus.ACTIVE)
                .group_by(CageMove.animal_id)
            ),
        )
    )
    for draft in new:
        animal = animals[draft.values["animal_id"]]
        _check_move(draft, animal, last.get(animal.id))


def _check_move(draft: Draft, animal: Animal, last_moved_on: date | None) -> None:
    values = draft.values
    if not _lives(animal):
        raise DomainError(
            f"Animal {animal.code} is dead{f' since {animal.died_on}' if animal.died_on else ''}: it is not moved any more.",
            field="animal_id",
            expected="living animals",
            remedy="Look whether it is the right animal.",
            source=ORDER_OF_EVENTS,
        )
    if values["to_cage_id"] == animal.cage_id:
        raise DomainError(
            f"Animal {animal.code} is in this cage already.",
            field="animal_id",
            expected="animals of other cages",
            source=CONSISTENT,
        )
    moving = Fact(f"the move of {animal.code}", values["moved_on"])
    require_alive(moving, Life(animal.code, animal.birth_date, animal.arrived_on), field="moved_on")
    require_order(Fact(f"the last move of {animal.code}", last_moved_on), moving, field="moved_on")
    values["from_cage_id"] = animal.cage_id


def _follow_moves(session: Session, moves: Sequence[CageMove]) -> None:
    """Let each animal be where its last move took it; without any it is where it was before.

    A living animal needs room there, whether a move was recorded, withdrawn or brought back.

    Raises:
        DomainError: a cage is full, or was withdrawn.
    """
    keys = [move.animal_id for move in moves]
    standing = in_chunks(
        session,
        keys,
        lambda some: (
            select(CageMove.animal_id, CageMove.to_cage_id)
            .where(CageMove.animal_id.in_(some), CageMove.status == RecordStatus.ACTIVE)
            .order_by(CageMove.moved_on, CageMove.id)
        ),
    )
    last, animals = dict(standing), by_id(session, Animal, keys)
    goes = {move.animal_id: last.get(move.animal_id, move.from_cage_id) for move in moves}
    joining = Counter(cage for key, cage in goes.items() if cage not in (None, animals[key].cage_id) and _lives(animals[key]))
    require_room(session, joining, field="to_cage_id")
    for key, cage in goes.items():
        animals[key].cage_id = cage
    session.flush()


def _lives(animal: Animal) -> bool:
    return animal.died_on is None and animal.state is not AnimalStatus.DEAD


CAGE_MOVE: Noun[CageMove] = Noun(
    "cage",
    CageMove,
    check=_check_moves,
    follow=_follow_moves,
    fixed=frozenset({"animal_id", "to_cage_id", "moved_on"}),
    derived=frozenset({"from_cage_id"}),
    key=(),
)


def move(
    session: Session, actor: Actor, animals: Sequence[Animal], to_cage: Cage, *, on: date, note: str | None = None
) -> list[CageMove]:
    """Move animals to a cage; one that is named twice moves once.

    Raises:
        DomainError: no animal is named, one is dead, in that cage already, of another project, or was elsewhere later, or
            the cage has no room for all of them. Nothing is moved then.
    """
    declare(session, actor, "cage:change", reason=note or "", project=to_cage.project_id)
    keys = list(dict.fromkeys(animal.id for animal in animals))
    if not keys:
        raise DomainError("No animal is named.", field="animal_id", expected="at least one")
    rows = [{"animal_id": key, "to_cage_id": to_cage.id, "moved_on": on, "note": note} for key in keys]
    return record(session, actor, CAGE_MOVE, to_cage.project_id, rows)


def tell_moves(session: Session, animals: Sequence[Animal], before: Mapping[int, int | None], on: date, note: str) -> None:
    """Write the moves of animals that a list says are in another cage than they were, inside the declared action.

    before: their cages then, by id. That there is room for them was judged with the animals; a first cage is no move.
    """
    for animal in animals:
        old = before[animal.id]
        if None not in (old, animal.cage_id) and old != animal.cage_id:
            went = {"animal_id": animal.id, "from_cage_id": old, "to_cage_id": animal.cage_id, "moved_on": on, "note": note}
            session.add(CageMove(project_id=animal.project_id, **went))
    session.flush()
