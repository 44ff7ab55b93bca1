"""What is written beside records that a file brings, as the pages do: the events that histories of vials and animals consist of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.models import ImportBatch
from lims.records import moves
from lims.records.aliquots import begin_histories, positions_of, tell_moves
from lims.records.values import today


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells what happens to the records of one noun in one file; of most nouns there is nothing to tell."""

    session: Session
    actor: Actor
    batch: ImportBatch

    def begin(self, made: Sequence[Any]) -> None:
        """Tell that records were made."""

    def before(self, standing: Sequence[Any]) -> Any:
        """Look at records before they are changed."""

    def after(self, changed: Sequence[Any], before: Any) -> None:
        """Tell what became of records that were changed; `before` is what was seen then."""


class AliquotTeller(Teller):
    """Tells where vials were put, and put elsewhere."""

    __slots__ = ()

    def begin(self, made: Sequence[Any]) -> None:
        """Begin each history on the day of preservation, or today."""
        now = today(self.session)
        begin_histories(self.session, self.actor, made, {one.id: one.preserved_on or now for one in made})

    def before(self, standing: Sequence[Any]) -> dict[int, str]:
        """Look where they stand."""
        return positions_of(self.session, standing)

    def after(self, changed: Sequence[Any], before: dict[int, str]) -> None:
        """Tell which of them stand elsewhere now."""
        tell_moves(self.session, self.actor, changed, before, today(self.session), self.batch.audit_label)


class AnimalTeller(Teller):
    """Tells of moves between cages: they are dated the day on which the list is recorded."""

    __slots__ = ()

    def before(self, standing: Sequence[Any]) -> dict[int, int | None]:
        """Look in which cages they are."""
        return {one.id: one.cage_id for one in standing}

    def after(self, changed: Sequence[Any], before: dict[int, int | None]) -> None:
        """Tell which of them are in another one now."""
        moves.tell_moves(self.session, changed, before, today(self.session), self.batch.audit_label)
