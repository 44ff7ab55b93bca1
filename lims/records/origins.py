"""Carries what follows from an implant down its line: donor, passage and model of what was harvested and implanted again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import current
from lims.domain.passage import implant_passage
from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, Implant, PdxModel, Specimen
from lims.queries.chunks import in_chunks
from lims.queries.series import AnySelect


def spread_origin(session: Session, implants: Sequence[Implant]) -> None:
    """Let what was harvested from implants, and implanted again, follow their donor, passage and model: a step a generation.

    The model only where none was known, or the one that the source had before: a line founded from a harvest is its own.
    """
    before = _models_before(session)
    sources = {implant.id: (implant, before.get(implant.id, implant.model_id)) for implant in implants}
    while sources:
        harvested = [specimen for (specimen,) in in_chunks(session, sorted(sources), _harvested)]
        for specimen in harvested:
            source, _ = sources[specimen.source_implant_id]
            _follow(specimen, source.donor_id, source.passage)
        generation = {}
        for implant, specimen in in_chunks(session, sorted(specimen.id for specimen in harvested), _implanted_again):
            source, replaced = sources[specimen.source_implant_id]
            had = implant.model_id
            if had in (None, replaced):
                implant.model_id = source.model_id
            moved = _follow(implant, specimen.donor_id, implant_passage(specimen.passage, from_patient=False))
            if moved or implant.model_id != had:
                generation[implant.id] = implant, had
        sources = generation
    session.flush()


def give_models(session: Session, specimen_ids: Sequence[int]) -> None:
    """Let implants of these specimens that have no model be of the one that was founded from theirs, and their line with them.

    Two models of one specimen leave it open whose they are: a person says so at the implant.
    """
    founded: dict[int, list[int]] = {}
    for model_id, specimen_id in in_chunks(session, specimen_ids, _founded):
        founded.setdefault(specimen_id, []).append(model_id)
    only = {specimen_id: models[0] for specimen_id, models in founded.items() if len(models) == 1}
    followers = []
    for implant, specimen_id in in_chunks(session, sorted(only), _without_model):
        implant.model_id = only[specimen_id]
        followers.append(implant)
    session.flush()
    spread_origin(session, followers)


def _models_before(session: Session) -> dict[int, int | None]:
    """Give the models that implants had before the running transaction gave them another."""
    before: dict[int, int | None] = {}
    for record, fields in current(session).flushed:
        if isinstance(record, Implant) and "model_id" in fields:
            before.setdefault(record.id, fields["model_id"][0])
    return before


def _harvested(implant_ids: Sequence[int]) -> AnySelect:
    return select(Specimen).where(Specimen.source_implant_id.in_(implant_ids))


def _implanted_again(specimen_ids: Sequence[int]) -> AnySelect:
    rows = select(Implant, Specimen).join(Aliquot, Aliquot.id == Implant.aliquot_id)
    return rows.join(Specimen, Specimen.id == Aliquot.specimen_id).where(Specimen.id.in_(specimen_ids))


def _founded(specimen_ids: Sequence[int]) -> AnySelect:
    standing = select(PdxModel.id, PdxModel.founding_specimen_id).where(PdxModel.status == RecordStatus.ACTIVE)
    return standing.where(PdxModel.founding_specimen_id.in_(specimen_ids))


def _without_model(specimen_ids: Sequence[int]) -> AnySelect:
    rows = select(Implant, Aliquot.specimen_id).join(Aliquot, Aliquot.id == Implant.aliquot_id)
    open_ones = (Implant.model_id.is_(None), Implant.status == RecordStatus.ACTIVE)
    return rows.where(Aliquot.specimen_id.in_(specimen_ids), *open_ones)


def _follow(follower: Specimen | Implant, donor_id: int | None, passage: int | None) -> bool:
    """Give a record its donor and passage; tells whether they differ from what it had."""
    differs = (follower.donor_id, follower.passage) != (donor_id, passage)
    if differs:
        follower.donor_id, follower.passage = donor_id, passage
    return differs
