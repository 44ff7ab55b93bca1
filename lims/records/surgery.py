"""Records a surgery list: several animals implanted with one aliquot in one go, and the aliquot used once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.naming import DEFAULT_PATTERNS, Noun, next_number, render
from lims.models import Aliquot, IdentifierPattern, Implant
from lims.queries.chunks import in_chunks
from lims.records.aliquots import use
from lims.records.implants import IMPLANT
from lims.records.nouns import record

MOST_ANIMALS = 100
"""In one list: more than anybody operates on in a day."""


@dataclass(frozen=True, slots=True)
class TissueUsed:
    """What the whole list took from the aliquot: an amount in its own unit, or all that was left."""

    amount: float | None = None
    all_of_it: bool = False


def with_labels(session: Session, project_id: int, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows with a label each: what was typed, or the next one of the animal by the project's pattern.

    Labels of withdrawn implants are not given again.
    """
    wanted = (IdentifierPattern.project_id == project_id, IdentifierPattern.noun == Noun.IMPLANT_LABEL)
    pattern = session.scalar(select(IdentifierPattern.pattern).where(*wanted)) or DEFAULT_PATTERNS[Noun.IMPLANT_LABEL]
    labels: dict[int, list[str]] = {row["animal_id"]: [] for row in rows}
    known = in_chunks(
        session, sorted(labels), lambda some: select(Implant.animal_id, Implant.label).where(Implant.animal_id.in_(some))
    )
    for animal_id, label in (*known, *((row["animal_id"], row["label"]) for row in rows if row.get("label"))):
        labels[animal_id].append(label)
    named = []
    for row in rows:
        of_animal = labels[row["animal_id"]]
        label = row.get("label")
        if not label:
            label = render(pattern, next_number(pattern, of_animal))
            of_animal.append(label)
        named.append({**row, "label": label})
    return named


def implant_animals(
    session: Session,
    actor: Actor,
    project_id: int,
    rows: Sequence[Mapping[str, Any]],
    *,
    used: TissueUsed | None = None,
    reason: str = "",
) -> list[Implant]:
    """Record implants, each a row by column, and that they used their aliquot: all of it, or nothing.

    Raises:
        DomainError: there is no row, they are of several aliquots or days, or a rule refuses one; `row` says which.
    """
    declare(session, actor, "implant:create", reason=reason, project=project_id)
    if not 1 <= len(rows) <= MOST_ANIMALS:
        raise DomainError(
            f"A list of {len(rows)} animals cannot be recorded.",
            field="rows",
            expected=f"1 to {MOST_ANIMALS} animals",
            remedy="Scan the animals of this list." if not rows else "Record it in two lists.",
        )
    made = record(session, actor, IMPLANT, project_id, with_labels(session, project_id, rows), reason=reason)
    taken = {(implant.aliquot_id, implant.implanted_on) for implant in made}
    if used is None:
        return made
    if len(taken) > 1:
        raise DomainError("One list uses one aliquot, on one day.", field="aliquot_id", expected="a list for each aliquot and day")
    aliquot_id, on = taken.pop()
    if aliquot_id is not None and on is not None:
        aliquot = session.get_one(Aliquot, aliquot_id)
        use(session, actor, aliquot, amount=used.amount, on=on, all_of_it=used.all_of_it, note=_note(len(made)))
    return made


def _note(count: int) -> str:
    return f"implanted in {count} animal{'' if count == 1 else 's'}"
