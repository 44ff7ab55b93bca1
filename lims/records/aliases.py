"""Other names of animals, under which files know them: confirmed by a person once, and never another animal's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier
from lims.domain.sources import NEVER_TWICE
from lims.domain.vocabulary import RecordStatus
from lims.models import Animal, AnimalAlias
from lims.records.noun import Draft, Noun, judge_each


def _check_aliases(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a name that is an animal's id already, whatever became of that animal: ids are never given to another."""
    judge_each(drafts, _clean)
    names = [draft.values["alias"] for draft in drafts]
    taken = select(Animal).where(Animal.project_id == project_id, Animal.code.in_(names))
    by_code = {animal.code: animal for animal in session.scalars(taken)}
    judge_each(drafts, lambda draft: _refuse_id(draft, by_code.get(draft.values["alias"])))


def _clean(draft: Draft) -> None:
    draft.values["alias"] = clean_identifier(draft.values["alias"], what="other name")


def _refuse_id(draft: Draft, animal: Animal | None) -> None:
    if animal is None:
        return
    own = animal.id == draft.values["animal_id"]
    withdrawn = " (withdrawn)" if animal.status is RecordStatus.WITHDRAWN else ""
    raise DomainError(
        f'"{animal.code}" is the id of {"this animal itself" if own else f"another animal{withdrawn}"}.',
        field="alias",
        expected="a name that is no animal's id",
        remedy="Use the id itself." if own else "Take it for this file alone, or correct the file.",
        source=NEVER_TWICE,
    )


ALIAS: Noun[AnimalAlias] = Noun("alias", AnimalAlias, check=_check_aliases, key=("alias",))
"""An animal's other name. One that was withdrawn comes back, of whichever animal is named now."""
