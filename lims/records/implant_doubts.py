"""What a person is asked about an implant that the rules allow: unusual surgery, doubtful models, the same place twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.model_checks import CHECK_WORDS
from lims.domain.notices import Notice
from lims.domain.sources import AUTHORISED, CONSISTENT, LINEAGE, QUALITY
from lims.domain.surgery import SurgicalRecord, check_surgery
from lims.domain.tissue_terms import CheckResult
from lims.domain.vocabulary import ModelStatus, RecordStatus
from lims.models import Animal, Implant, PdxModel
from lims.queries.chunks import in_chunks
from lims.queries.models import latest_checks
from lims.records.noun import Draft

SURGERY = tuple(field.name for field in fields(SurgicalRecord))
"""Columns of the surgical record."""
_PLACE = ("animal_id", "site", "hemisphere", "implanted_on")


def anew(draft: Draft, *columns: str) -> bool:
    """Tell whether any of the columns has to be judged: it is new, changes, or comes back with the record."""
    return draft.changes(*columns) or draft.returns


def surgical_record(draft: Draft) -> SurgicalRecord:
    """Give the part of an implant that the rules of surgery judge."""
    return SurgicalRecord(**{name: draft.values[name] for name in SURGERY})


def doubts_of(
    draft: Draft, animal: Animal, models: Mapping[int, list[str]], taken: dict[tuple[Any, ...], set[object]]
) -> Iterator[Notice]:
    """Doubt one implant: `models` as `doubted_models` gives them, `taken` as `taken_places` does, and this one is added to it."""
    values, key = draft.values, draft.record.id if draft.record else object()
    if anew(draft, "site", *SURGERY):
        yield from check_surgery(values["site"], surgical_record(draft))
    if draft.record is None and values["aliquot_id"] is None:
        yield Notice(
            "warning", "aliquot_id", "No aliquot is named, so no passage follows.", "the aliquot that was implanted", source=LINEAGE
        )
    if anew(draft, "model_id"):
        for told in models.get(values["model_id"], ()):
            yield Notice("warning", "model_id", told, "a model that passed its checks", source=QUALITY)
    if values["implanted_on"] is not None and anew(draft, *_PLACE):
        if animal.protocol_id is None:
            yield Notice(
                "warning",
                "animal_id",
                "The animal is under no animal protocol.",
                "a protocol that allows this surgery",
                source=AUTHORISED,
            )
        others = taken.setdefault(_place(values), set())
        if others - {key}:
            yield Notice(
                "warning",
                "animal_id",
                "It has an implant of that day in the same place already.",
                "another place or day",
                source=CONSISTENT,
            )
        others.add(key)


def doubted_models(session: Session, models: Sequence[PdxModel]) -> dict[int, list[str]]:
    """Say what speaks against implanting each model: that it was given up, and the checks that failed when last done."""
    codes = {model.id: model.code for model in models}
    told: dict[int, list[str]] = {
        model.id: [f"Model {model.code} is recorded as {model.state.value}."]
        for model in models
        if model.state in {ModelStatus.FAILED, ModelStatus.RETIRED}
    }
    for key, by_kind in latest_checks(session, sorted(codes)).items():
        told.setdefault(key, []).extend(
            f"Model {codes[key]} failed {CHECK_WORDS[check.kind]} on {check.checked_on}."
            for check in by_kind.values()
            if check.result is CheckResult.FAILED
        )
    return told


def _place(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values[name] for name in _PLACE)


def taken_places(session: Session, drafts: Sequence[Draft]) -> dict[tuple[Any, ...], set[object]]:
    """Give the implants that the animals have, by animal, place and day."""
    columns = [getattr(Implant, name) for name in _PLACE]
    rows = in_chunks(
        session,
        sorted({draft.values["animal_id"] for draft in drafts}),
        lambda some: select(Implant.id, *columns).where(Implant.animal_id.in_(some), Implant.status == RecordStatus.ACTIVE),
    )
    places: dict[tuple[Any, ...], set[object]] = defaultdict(set)
    for key, *place in rows:
        places[tuple(place)].add(key)
    return places
