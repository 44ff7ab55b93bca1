"""Keeps what a locked study says of its animals as it was signed: fates, readings, doses and samples hang on the animals.

What is there is not changed, withdrawn or brought back, and nothing is added of an animal that is dead. One that lives on is
weighed for its own sake, may be dosed in another study, and will die: that is recorded as of any animal. What has to be
corrected all the same is an amendment, which is signed (`lims.records.signatures`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from lims.domain.errors import each_row
from lims.domain.studies import signed_already
from lims.domain.vocabulary import AnimalStatus, RecordStatus, StudyStatus
from lims.models import Animal, Enrolment, Measurement, Study
from lims.queries.chunks import KEYS, rows_of
from lims.queries.signed import PARTS
from lims.records.noun import Draft

_LOCKED = (
    select(Enrolment.animal_id, Enrolment.study_id, Animal.code.label("animal"), Study.code.label("study"))
    .add_columns(Animal.state, Animal.died_on)
    .join(Animal, Animal.id == Enrolment.animal_id)
    .join(Study, Study.id == Enrolment.study_id)
    .where(Enrolment.animal_id.in_(KEYS), Enrolment.status == RecordStatus.ACTIVE, Study.state == StudyStatus.LOCKED)
    .order_by(Enrolment.id)
)


_ANY_LOCKED = select(Study.id).where(Study.project_id == bindparam("project"), Study.state == StudyStatus.LOCKED).limit(1)
_SIGNED_READINGS = (
    select(Animal.code, Study.code)
    .select_from(Measurement)
    .join(Animal, Animal.id == Measurement.animal_id)
    .join(Enrolment, and_(Enrolment.animal_id == Animal.id, Enrolment.status == RecordStatus.ACTIVE))
    .join(Study, and_(Study.id == Enrolment.study_id, Study.state == StudyStatus.LOCKED))
    .where(Measurement.id.in_(KEYS), or_(Measurement.study_id.is_(None), Measurement.study_id == Study.id))
    .limit(1)
)


@contextmanager
def amending(session: Session) -> Iterator[None]:
    """Let what a locked study says be corrected, for the one step that a signature of the same transaction is of."""
    session.info["amends"] = True
    try:
        yield
    finally:
        del session.info["amends"]


def locks_of(session: Session, animals: Collection[int]) -> dict[int, list[Row[Any]]]:
    """Give the locked studies that animals are in, by animal; none to an amendment."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    if "amends" in session.info:
        return found
    for row in rows_of(session, _LOCKED, sorted(set(animals))):
        found[row.animal_id].append(row)
    return found


def refuse_added(locks: Sequence[Row[Any]], study_id: int | None = None) -> None:
    """Refuse a new record of an animal, taken for a study where that is known, which a locked study would count.

    Raises:
        DomainError: it is taken for the locked study, or the animal is dead: what was left out of it then stays out.
    """
    for lock in locks:
        if study_id == lock.study_id or (study_id is None and (lock.died_on is not None or lock.state is AnimalStatus.DEAD)):
            raise signed_already(lock.animal, lock.study)


def refuse_altered(locks: Sequence[Row[Any]], study_id: int | None = None) -> None:
    """Refuse to alter a record of an animal which a locked study counts: it is of that study, or of none.

    Raises:
        DomainError: one does.
    """
    for lock in locks:
        if says(lock, study_id):
            raise signed_already(lock.animal, lock.study)


def says(lock: Row[Any], study_id: int | None) -> bool:
    """Tell whether a locked study counts a record of one of its animals: it is of that study, or of none."""
    return study_id in (None, lock.study_id)


def keep_signed(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse drafts of records of animals (`animal_id`, perhaps `study_id`) that alter what a locked study says.

    Raises:
        DomainError: `row` says of which draft.
    """
    _keep_all(session, drafts, lambda draft: draft.values["animal_id"])


def _keep_all(session: Session, drafts: Sequence[Draft], animal_of: Callable[[Draft], int | None]) -> None:
    """Judge drafts by the locked studies of the animals that they are of; `animal_of` gives none where nothing is altered."""
    of = [animal_of(draft) for draft in drafts]
    locks = locks_of(session, {key for key in of if key is not None})
    if locks:
        each_row(zip(drafts, of, strict=True), lambda one: _keep(one[0], locks.get(one[1] or 0, ())))


def _keep(draft: Draft, locks: Sequence[Row[Any]]) -> None:
    judge = refuse_added if draft.record is None else refuse_altered
    judge(locks, draft.values.get("study_id"))


def keep_signed_records(session: Session, records: Iterable[Any]) -> None:
    """Refuse to alter recorded ones in any way where a locked study says one of them; enrolments too."""
    keep_signed(session, [Draft({"animal_id": one.animal_id, "study_id": getattr(one, "study_id", None)}, one) for one in records])


def keep_signed_animals(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse to alter what a locked study says of an animal itself, and the death of one that is dead.

    Raises:
        DomainError: `row` says of which draft.
    """
    _keep_all(session, drafts, _altered_animal)


def keep_signed_implants(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse to alter what a locked study says of an implant, to bring one back, and to add one to an animal that is dead.

    Raises:
        DomainError: `row` says of which draft.
    """
    _keep_all(session, drafts, _touched_by_implant)


def _altered_animal(draft: Draft) -> int | None:
    was: Animal | None = draft.record
    if was is None:
        return None
    dead = was.died_on is not None or was.state is AnimalStatus.DEAD
    return was.id if draft.changes(*PARTS["animal"].only, *(("died_on", "state") if dead else ())) else None


def _touched_by_implant(draft: Draft) -> int | None:
    touched = draft.comes or draft.changes(*PARTS["implant"].only)
    return draft.values["animal_id"] if touched else None


def stay_signed(session: Session, record: Any) -> None:
    """Keep a record of an animal from being withdrawn where a locked study says it."""
    keep_signed_records(session, [record])


def keep_signed_readings(session: Session, project_id: int, ids: Sequence[int]) -> None:
    """Refuse to alter readings by id where a locked study counts one of them; a project without locked studies costs a statement.

    Raises:
        DomainError: naming the first.
    """
    if session.connection().scalar(_ANY_LOCKED, {"project": project_id}) is None:
        return
    for animal, study in rows_of(session, _SIGNED_READINGS, ids):
        raise signed_already(animal, study)
