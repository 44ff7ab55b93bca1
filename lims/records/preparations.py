"""Writes cell preparations, and judges those that implants name: what they were made of, and how old the count was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError, about_row, refuse_together
from lims.domain.events_order import Fact, require_not_future, require_order, require_time_of
from lims.domain.notices import Notice
from lims.domain.preparations import doubts_of_age, doubts_of_count, require_count, require_count_before
from lims.domain.sources import CONSISTENT, LINEAGE
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, CellPreparation, Implant, PdxModel, Specimen
from lims.queries.chunks import by_id, in_chunks
from lims.records.noun import Draft, Noun
from lims.records.values import today, zone_of


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse numbers that contradict each other, a count before its tissue was there, and two origins; specimens follow."""
    _follow_sample(session, project_id, drafts)
    aliquots = by_id(session, Aliquot, (draft.values["aliquot_id"] for draft in drafts))
    named = {draft.values["specimen_id"] for draft in drafts} | {aliquot.specimen_id for aliquot in aliquots.values()}
    specimens = by_id(session, Specimen, named)
    now, zone = today(session), zone_of(session)
    refused: list[DomainError] = []
    for number, draft in enumerate(drafts):
        try:
            with about_row(number):
                _follow_aliquot(draft.values, aliquots)
                _check_one(draft.values, specimens, now, zone)
        except DomainError as one:
            refused.append(one)
    refuse_together(refused)


def _check_one(values: Mapping[str, Any], specimens: Mapping[int, Specimen], now: date, zone: tzinfo) -> None:
    count = Fact("the count", values["counted_on"])
    require_not_future(count, now, field="counted_on")
    require_time_of(count, values["counted_at"], zone, field="counted_at")
    specimen = specimens.get(values["specimen_id"] or 0)
    if specimen is not None:
        require_order(Fact(f"the collection of {specimen.code}", specimen.collected_on), count, field="counted_on")
    require_count(values["viable_cells_per_ml"], values["total_cells_per_ml"])


_MADE_OF: Mapping[str, Any] = {"aliquot_id": Aliquot, "specimen_id": Specimen, "model_id": PdxModel}


def _follow_sample(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Name what a new count is of where the sample has exactly the code of an aliquot, else of a specimen, else of a model."""
    unnamed = [one for one in drafts if one.record is None and all(one.values[name] is None for name in _MADE_OF)]
    for name, model in _MADE_OF.items():
        codes = sorted({draft.values["sample"] for draft in unnamed})
        mine = select(model.code, model.id).where(model.project_id == project_id, model.status == RecordStatus.ACTIVE)
        known = dict(in_chunks(session, codes, lambda some: mine.where(model.code.in_(some))))  # noqa: B023  # asked at once
        for draft in unnamed:
            draft.values[name] = known.get(draft.values["sample"])
        unnamed = [draft for draft in unnamed if draft.values[name] is None]


def _follow_aliquot(values: dict[str, Any], aliquots: Mapping[int, Aliquot]) -> None:
    aliquot = aliquots.get(values["aliquot_id"] or 0)
    if aliquot is None:
        return
    if values["specimen_id"] not in (None, aliquot.specimen_id):
        raise DomainError(
            f"Aliquot {aliquot.code} is of another specimen than this one.",
            field="specimen_id",
            expected="the specimen of the aliquot, or none: it follows",
            source=LINEAGE,
        )
    values["specimen_id"] = aliquot.specimen_id


def _doubt(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Doubt viability that is not the one of its concentrations."""
    _check(session, project_id, drafts)  # nobody confirms what is refused anyway
    columns = ("viable_cells_per_ml", "total_cells_per_ml", "viability_percent")
    told = (doubts_of_count(*(draft.values[name] for name in columns)) for draft in drafts if draft.changes(*columns))
    return [notice for notices in told for notice in notices]


PREPARATION: Noun[CellPreparation] = Noun(
    "preparation", CellPreparation, check=_check, doubt=_doubt, dependents=((Implant, "preparation_id"),)
)


def preparations_of(session: Session, drafts: Sequence[Draft]) -> dict[int, CellPreparation]:
    """Give the preparations that implants name, by id."""
    return by_id(session, CellPreparation, (draft.values["preparation_id"] for draft in drafts))


def follow_preparation(draft: Draft, preparation: CellPreparation | None) -> None:
    """Take an implant's viability from the count where none is typed; refuse other tissue and a later count.

    Raises:
        DomainError: on `preparation_id`.
    """
    if preparation is None or not (draft.record is None or draft.changes("preparation_id", *_MOMENT, "viability_percent")):
        return
    values = draft.values
    if values["viability_percent"] is None:
        values["viability_percent"] = preparation.viability_percent
    of = preparation.aliquot_id
    if of is not None and values["aliquot_id"] is not None and of != values["aliquot_id"]:
        raise DomainError(
            f"{preparation.code} was made of another aliquot than the one that was implanted.",
            field="preparation_id",
            expected="a count of the aliquot that is implanted",
            source=CONSISTENT,
        )
    for counted, implanted in _moments(preparation, values):
        require_count_before(preparation.code, counted, implanted)


_MOMENT = ("implanted_on", "implanted_at")


def doubts_of_preparation(draft: Draft, preparation: CellPreparation | None) -> Iterator[Notice]:
    """Doubt an implant of a suspension that was counted long before."""
    if preparation is not None and draft.changes("preparation_id", *_MOMENT):
        for counted, implanted in _moments(preparation, draft.values):
            yield from doubts_of_age(preparation.code, counted, implanted)


def _moments(preparation: CellPreparation, values: Mapping[str, Any]) -> Iterator[tuple[datetime | date, datetime | date]]:
    """Give count and implanting as times where both have one, else as days; nothing where the day of surgery is not told."""
    if preparation.counted_at is not None and values["implanted_at"] is not None:
        yield preparation.counted_at, values["implanted_at"]
    elif values["implanted_on"] is not None:
        yield preparation.counted_on, values["implanted_on"]
