"""Writes the events of a plan: doses, moves between cages, and fates, in the order in which animals live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import RowFate
from lims.intake.accepted import accepts_changes
from lims.intake.entries import Entries
from lims.intake.names import Names
from lims.intake.plan import Plan
from lims.intake.plan_events import PlannedDeaths, PlannedDoses, PlannedStays
from lims.models import Animal, Base, Dose, Fate, ImportBatch
from lims.queries.chunks import in_chunks
from lims.records.colony import ANIMAL
from lims.records.doses import DOSE, record_doses
from lims.records.fates import FATE, record_fates
from lims.records.moves import CAGE_MOVE
from lims.records.nouns import apply_all, record


class EventRefused(Exception):
    """A rule of the records refused an event; `findings` say where."""

    def __init__(self, entries: Entries, indices: Sequence[int], refused: DomainError) -> None:
        super().__init__(str(refused))
        self.findings = [
            entries.refuse(
                indices[one.row or 0],
                f"{entries.title.lower()}-refused",
                str(one),
                one.expected,
                one.remedy or "Correct the file, or what is recorded.",
                one.source,
            )
            for one in refused.every
        ]


def record_events(session: Session, actor: Actor, batch: ImportBatch, plan: Plan) -> None:
    """Record the new doses, moves and fates, and correct those that changed where a person accepted that.

    Raises:
        EventRefused: a rule of the records refuses one, which the check could not know.
    """
    if plan.doses is not None:
        _doses(session, actor, batch, plan.doses, plan.names)
        if accepts_changes(batch.choices, "dose"):
            _correct_doses(session, plan.doses)
    if plan.stays is not None:
        _moves(session, actor, batch, plan.stays, plan.names)
    if plan.deaths is not None:
        _fates(session, actor, batch, plan.deaths)
        if accepts_changes(batch.choices, "fate"):
            _correct_fates(session, plan.deaths)


def _guarded(entries: Entries, indices: Sequence[int], write: Callable[[], object]) -> None:
    try:
        write()
    except DomainError as refused:
        raise EventRefused(entries, indices, refused) from refused


def _source(entries: Entries, index: int, batch: ImportBatch) -> dict[str, Any]:
    return {
        "batch_id": batch.id,
        "source_sheet": entries.sheet[:LONGEST],
        "source_row": entries.source.rows[index],
        "raw": entries.source.raw[index],
    }


def _doses(session: Session, actor: Actor, batch: ImportBatch, doses: PlannedDoses, names: Names) -> None:
    indices = list(doses.indices(RowFate.NEW))
    # Whoever is in no arm of the study is not in the study.
    studies = {label: place.id for label, place in names.studies.items() if label in names.arms}
    rows = [
        doses.row(index)
        | {"study_id": studies.get(doses.source.animals[index]), "source_column": doses.source.columns}
        | _source(doses, index, batch)
        for index in indices
    ]
    if rows:
        _guarded(doses, indices, lambda: record_doses(session, actor, batch.project_id, rows))


def _loaded(session: Session, model: type[Any], keys: Sequence[int]) -> dict[int, Any]:
    return {one.id: one for (one,) in in_chunks(session, keys, lambda some: select(model).where(model.id.in_(some)))}


def _correct_doses(session: Session, doses: PlannedDoses) -> None:
    indices = list(doses.indices(RowFate.CHANGED))
    standing = _loaded(session, Dose, [doses.recorded[index].id for index in indices])
    wanted = []
    for index in indices:
        one = doses.recorded[index]
        wanted.append((standing[one.id], doses.changed(index, one)))
    _guarded(doses, indices, lambda: apply_all(session, DOSE, wanted))


def _moves(session: Session, actor: Actor, batch: ImportBatch, stays: PlannedStays, names: Names) -> None:
    """Let animals without a cage have their first one, then move them day by day."""
    animals = _loaded(session, Animal, [_host(stays, index) for index in stays.settled])
    wanted = [(animals[_host(stays, index)], {"cage_id": names.cage_ids[stays.source.cages[index]]}) for index in stays.settled]
    _guarded(stays, stays.settled, lambda: apply_all(session, ANIMAL, wanted))
    days: dict[date, list[int]] = defaultdict(list)
    for index in stays.moves:
        on = stays.taken_on[index]
        if on is not None and index not in stays.fates:
            days[on].append(index)
    for on, indices in sorted(days.items()):
        rows = [
            {
                "animal_id": _host(stays, index),
                "to_cage_id": names.cage_ids[stays.source.cages[index]],
                "moved_on": on,
                "note": f"{batch.audit_label}, row {stays.source.rows[index]}",
            }
            for index in indices
        ]
        _guarded(stays, indices, lambda: record(session, actor, CAGE_MOVE, batch.project_id, rows))  # noqa: B023  # called at once


def _host(entries: Entries, index: int) -> int:
    host = entries.hosts[index]
    assert host is not None  # noqa: S101  # what has no animal is refused
    return host.id


def _fates(session: Session, actor: Actor, batch: ImportBatch, deaths: PlannedDeaths) -> None:
    indices = list(deaths.indices(RowFate.NEW))
    rows = [
        {
            "animal_id": _host(deaths, index),
            "died_on": deaths.taken_on[index],
            "reason": deaths.reasons[index],
            "note": deaths.source.remarks[index],
        }
        | _source(deaths, index, batch)
        for index in indices
    ]
    if rows:
        _guarded(deaths, indices, lambda: record_fates(session, actor, batch.project_id, rows))


def _correct_fates(session: Session, deaths: PlannedDeaths) -> None:
    indices = list(deaths.indices(RowFate.CHANGED))
    standing: dict[int, Base] = _loaded(session, Fate, [deaths.recorded[index].id for index in indices])
    wanted: list[Any] = [
        (standing[deaths.recorded[index].id], {"died_on": deaths.taken_on[index], "reason": deaths.reasons[index]})
        for index in indices
    ]
    _guarded(deaths, indices, lambda: apply_all(session, FATE, wanted))
