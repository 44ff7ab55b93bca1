"""Writes what was done to animals beside implanting and dosing, within what their protocols allow (ARRIVE 2.0 items 9, 14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from lims.domain.blood import DAYS, blood_doubts, require_blood
from lims.domain.cohort_terms import ProcedureKind
from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.events_order import Fact, Life, require_alive, require_time_of
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT
from lims.models import Animal, Procedure
from lims.queries.measurements import last_before, measured_animals
from lims.queries.procedures import blood_drawn
from lims.records.colony import require_procedure
from lims.records.noun import Draft, Noun
from lims.records.values import zone_of

ALLOWED_AS = {
    ProcedureKind.BIOLUMINESCENCE: ProtocolProcedure.IMAGING,
    ProcedureKind.MRI: ProtocolProcedure.IMAGING,
    ProcedureKind.CT: ProtocolProcedure.IMAGING,
    ProcedureKind.PET: ProtocolProcedure.IMAGING,
    ProcedureKind.IRRADIATION: ProtocolProcedure.IRRADIATION,
    ProcedureKind.BLOOD_DRAW: ProtocolProcedure.BLOOD_DRAW,
    ProcedureKind.CSF_TAP: ProtocolProcedure.CSF_TAP,
    ProcedureKind.SURGERY: ProtocolProcedure.SURGERY,
}
"""What a protocol has to allow for each."""
DRAWN = frozenset({ProcedureKind.BLOOD_DRAW, ProcedureKind.CSF_TAP})
WEIGHT = "body_weight"


def words(kind: ProcedureKind) -> str:
    """Write a procedure as people say it."""
    text = kind.value.replace("_", " ")
    return text.upper() if kind in (ProcedureKind.MRI, ProcedureKind.CT, ProcedureKind.PET) else text.replace("csf", "CSF")


def _animals(session: Session, project_id: int, drafts: Sequence[Draft]) -> dict[int, Animal]:
    return measured_animals(session, project_id, sorted({draft.values["animal_id"] for draft in drafts}))


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse what the protocol does not allow, what was done outside the animal's life, and more blood than it has."""
    animals = _animals(session, project_id, drafts)
    weights = _weights(session, drafts)
    refused: list[DomainError] = []
    alike: dict[tuple[ProcedureKind, date], list[Animal]] = defaultdict(list)
    for number, draft in enumerate(drafts):
        animal = animals.get(draft.values["animal_id"])
        if animal is None or not _judged(draft):
            continue
        try:
            with about_row(number):
                _check_one(draft, animal, weights.get((animal.id, draft.values["done_on"])), zone_of(session))
        except DomainError as one:
            refused.append(one)
        alike[draft.values["kind"], draft.values["done_on"]].append(animal)
    refuse_together(refused)
    for (kind, on), some in alike.items():
        require_procedure(session, some, ALLOWED_AS[kind], on)


def _judged(draft: Draft) -> bool:
    return draft.changes("kind", "done_on", "done_at", "volume_ul") or draft.returns


def _check_one(draft: Draft, animal: Animal, weight: float | None, zone: tzinfo) -> None:
    values = draft.values
    life = Life(animal.code, animal.birth_date, animal.arrived_on, animal.died_on)
    done = Fact(f"the {words(values['kind'])} of {animal.code}", values["done_on"])
    require_alive(done, life, field="done_on")
    require_time_of(done, values["done_at"], zone, field="done_at")
    if values["volume_ul"] is not None and values["kind"] not in DRAWN:
        raise DomainError(
            f"Nothing is drawn at {words(values['kind'])}.",
            field="volume_ul",
            expected="no volume, or a blood draw or CSF tap",
            source=CONSISTENT,
        )
    if values["kind"] is ProcedureKind.BLOOD_DRAW and values["volume_ul"] is not None:
        require_blood(values["volume_ul"], weight, animal.code)


def _weights(session: Session, drafts: Sequence[Draft]) -> dict[tuple[int, date], float]:
    """Give the last weight of each animal up to the day of its procedure; a statement for each day."""
    by_day: dict[date, set[int]] = defaultdict(set)
    for draft in drafts:
        if draft.values["kind"] is ProcedureKind.BLOOD_DRAW:
            by_day[draft.values["done_on"]].add(draft.values["animal_id"])
    return {
        (key[0], on): before.value
        for on, animals in by_day.items()
        for key, before in last_before(session, sorted(animals), [WEIGHT], on).items()
    }


def _doubt(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt draws above what NC3Rs advises; a terminal one, on the day of death, may take all."""
    draws = [draft for draft in drafts if draft.values["kind"] is ProcedureKind.BLOOD_DRAW and draft.values["volume_ul"]]
    animals, weights = _animals(session, project_id, draws), _weights(session, draws)
    own = frozenset(draft.record.id for draft in draws if draft.record is not None)
    days = {draft.values["done_on"] for draft in draws}
    drawn = {on: blood_drawn(session, sorted(animals), on - timedelta(days=DAYS), on, leaving_out=own) for on in days}
    notices: list[Notice] = []
    for draft in draws:
        values, animal = draft.values, animals.get(draft.values["animal_id"])
        if animal is None or animal.died_on == values["done_on"] or not draft.changes("volume_ul", "done_on"):
            continue
        before, weight = drawn[values["done_on"]].get(animal.id, 0.0), weights.get((animal.id, values["done_on"]))
        notices.extend(blood_doubts(values["volume_ul"], before, weight, animal.code))
    return notices


PROCEDURE: Noun[Procedure] = Noun("procedure", Procedure, check=_check, doubt=_doubt, fixed=frozenset({"animal_id"}), key=())


def rows_for(animals: Sequence[Animal], columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a row for each animal of what was done to all of them alike."""
    return [{**columns, "animal_id": animal.id} for animal in animals]
