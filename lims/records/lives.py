"""What an animal's dates, its fate and what was done to it say of its life: the one cannot contradict the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_death, require_order
from lims.domain.sources import ORDER_OF_EVENTS
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import CageMove, Dose, Enrolment, Fate, Implant, Measurement, Procedure, Specimen
from lims.queries.chunks import in_chunks
from lims.records.locked import keep_signed_animals
from lims.records.noun import Draft

_DATES = ("birth_date", "arrived_on", "died_on")


def _span(animal: InstrumentedAttribute[Any], on: InstrumentedAttribute[Any]) -> Select[int, date | None, date | None]:
    """Select the first and the last day of active records, by animal."""
    return select(animal, func.min(on), func.max(on)).where(on.class_.status == RecordStatus.ACTIVE).group_by(animal)


_HARVESTS = _span(Implant.animal_id, Specimen.collected_on).join_from(Specimen, Implant, Implant.id == Specimen.source_implant_id)
_EVENTS = (
    ("implanting", Implant.animal_id, _span(Implant.animal_id, Implant.implanted_on)),
    ("first sight of a tumour", Implant.animal_id, _span(Implant.animal_id, Implant.engrafted_on)),
    ("move", CageMove.animal_id, _span(CageMove.animal_id, CageMove.moved_on)),
    ("enrolment", Enrolment.animal_id, _span(Enrolment.animal_id, Enrolment.enrolled_on)),
    ("measurement", Measurement.animal_id, _span(Measurement.animal_id, Measurement.taken_on)),
    ("dose", Dose.animal_id, _span(Dose.animal_id, Dose.given_on)),
    ("procedure", Procedure.animal_id, _span(Procedure.animal_id, Procedure.done_on)),
    ("harvest", Implant.animal_id, _HARVESTS),
    ("sample", Specimen.source_animal_id, _span(Specimen.source_animal_id, Specimen.collected_on)),
)
"""What is done to an animal in its life, and when."""
_AFTER_DEATH_TOO = ("harvest", "sample")


def require_life(session: Session, drafts: Sequence[Draft], now: date) -> None:
    """Refuse dates and states of animals that their fate, or what was done to them, contradicts, and what a locked study keeps.

    Raises:
        DomainError: on the date or state.
    """
    _check_events(session, drafts, now)
    _check_fates(session, drafts)
    keep_signed_animals(session, drafts)


def _check_events(session: Session, drafts: Sequence[Draft], now: date) -> None:
    """Refuse a birth or an arrival behind what was done to an animal first, and a death before what was done last."""
    redated = {draft.record.id: draft for draft in drafts if draft.record is not None and draft.changes(*_DATES)}
    for what, animal, span in _EVENTS:
        rows = in_chunks(session, sorted(redated), lambda some: span.where(animal.in_(some)))  # noqa: B023  # asked at once
        for key, first, last in rows:
            _check_event(redated[key], what, first, None if what in _AFTER_DEATH_TOO else last, now)


def _check_event(draft: Draft, what: str, first: date | None, last: date | None, now: date) -> None:
    code, born, arrived, died = (draft.values[name] for name in ("code", *_DATES))
    began = Fact(f"the first {what} of {code}", first)
    if draft.changes("birth_date"):
        require_order(Fact(f"the birth of {code}", born), began, field="birth_date")
    if draft.changes("arrived_on"):
        require_order(Fact(f"the arrival of {code}", arrived), began, field="arrived_on")
    if draft.changes("died_on"):
        require_death(died, Life(code, born, arrived), now, Fact(f"the last {what} of {code}", last))


def _check_fates(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse a day of death, or a life, that the animal's recorded fate contradicts."""
    changed = {draft.record.id: draft for draft in drafts if draft.record is not None and draft.changes("died_on", "state")}
    active = select(Fate.animal_id, Fate.died_on).where(Fate.status == RecordStatus.ACTIVE)
    for key, on in in_chunks(session, sorted(changed), lambda some: active.where(Fate.animal_id.in_(some))):
        values = changed[key].values
        if values["died_on"] != on or values["state"] is not AnimalStatus.DEAD:
            raise DomainError(
                f"The fate of {values['code']} says that it died on {on}.",
                field="died_on" if values["died_on"] != on else "state",
                expected=f"dead since {on}",
                remedy="Change its fate, or withdraw the fate if the animal lives.",
                source=ORDER_OF_EVENTS,
            )
