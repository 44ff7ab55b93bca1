"""Writes what was counted in regions of stained slides; a percentage follows from counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, require_not_future, require_order
from lims.domain.notices import Notice
from lims.domain.sources import LINEAGE, NEVER_TWICE
from lims.domain.stains import clean_marker, complete, unknown_marker
from lims.domain.tissue_terms import Compartment
from lims.domain.vocabulary import RecordStatus
from lims.models import Specimen, StainRegion
from lims.queries.chunks import by_id, in_chunks
from lims.records.noun import Draft, Noun, doubt_each, judge_each
from lims.records.values import today

KEY = ("specimen_id", "marker", "compartment", "image", "region", "software")
"""What makes a region's count the only one."""


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Keep markers under their approved symbols; no mouse in a patient, and nothing analysed before it was collected."""
    keys = sorted({draft.values["specimen_id"] for draft in drafts if draft.values["specimen_id"] is not None})
    specimens = by_id(session, Specimen, keys)
    now, taken = today(session), _standing(session, keys)

    def judge(draft: Draft) -> None:
        values, specimen = draft.values, specimens.get(draft.values["specimen_id"])
        values["marker"] = clean_marker(values["marker"], values["compartment"])
        if draft.record is not None and draft.changes("cells", "positive_cells") and not draft.changes("positive_percent"):
            values["positive_percent"] = None  # it followed from the counts that are replaced
        complete(values)
        _require_free(draft, taken)
        if specimen is None:
            return
        if specimen.patient_id is not None and values["compartment"] is Compartment.MOUSE_HOST:
            raise DomainError(
                f"{specimen.code} was taken from a patient, and there is no mouse host in it.",
                field="compartment",
                expected="human tumour",
                remedy="Look whether it is the right specimen.",
                source=LINEAGE,
            )
        analysis = Fact("the analysis", values["analysed_on"])
        require_not_future(analysis, now, field="analysed_on")
        require_order(Fact(f"the collection of {specimen.code}", specimen.collected_on), analysis, field="analysed_on")

    judge_each(drafts, judge)


def _standing(session: Session, specimens: Sequence[int]) -> dict[tuple[Any, ...], int]:
    """Give what stands of these specimens: key → id."""
    columns = [getattr(StainRegion, name) for name in KEY]
    active = select(StainRegion.id, *columns).where(StainRegion.status == RecordStatus.ACTIVE)
    rows = in_chunks(session, specimens, lambda some: active.where(StainRegion.specimen_id.in_(some)))
    return {tuple(row[1:]): row[0] for row in rows}


def _require_free(draft: Draft, taken: dict[tuple[Any, ...], int]) -> None:
    """Refuse a second count of one marker in one region by one means, recorded or in the same list."""
    key = tuple(draft.values[name] for name in KEY)
    own = -1 if draft.record is None else draft.record.id
    if key in taken and (own < 0 or taken[key] != own):
        raise DomainError(
            f"{draft.values['marker']} in {draft.values['region']} of {draft.values['image']} is recorded already by "
            f"{draft.values['software']}.",
            field="region",
            expected="each region of an image once for a marker and a program",
            remedy="Change that record, or name the region otherwise.",
            source=NEVER_TWICE,
        )
    taken[key] = own


def _doubt(session: Session, project_id: int, drafts: Sequence[Draft]) -> list[Notice]:
    """Ask about markers that are neither genes of the list nor known stains."""

    def doubt(draft: Draft) -> Iterable[Notice]:
        marker, compartment = draft.values["marker"], draft.values["compartment"]
        return unknown_marker(clean_marker(marker, compartment), compartment) if draft.changes("marker", "compartment") else ()

    return doubt_each(drafts, doubt)


STAIN_REGION: Noun[StainRegion] = Noun(
    "stain",
    StainRegion,
    check=_check,
    doubt=_doubt,
    fixed=frozenset({"specimen_id"}),
    key=(),
)
