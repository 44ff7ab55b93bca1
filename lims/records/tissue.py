"""Writes specimens and what was found in them: receptor assays, alterations, STR profiles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.models import Aliquot, Alteration, Implant, PdxModel, ReceptorAssay, Specimen, StrProfile
from lims.queries.chunks import in_chunks
from lims.records.nouns import Draft, Noun


def _check_specimens(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """One source each; donor and passage follow from it."""
    for draft in drafts:
        sources = [draft.values["patient_id"], draft.values["source_implant_id"]]
        if sum(source is not None for source in sources) != 1:
            raise DomainError(
                f'Specimen "{draft.values["code"]}" has {"two sources" if all(sources) else "no source"}.',
                field="patient_id",
                expected="either the patient it was taken from, or the tumour in an animal",
            )
    grown = _implants(session, [draft.values["source_implant_id"] for draft in drafts])
    for draft in drafts:
        implant = grown.get(draft.values["source_implant_id"])
        draft.values["donor_id"] = draft.values["patient_id"] if implant is None else implant.donor_id
        draft.values["passage"] = None if implant is None else implant.passage


def _implants(session: Session, keys: Sequence[int | None]) -> dict[int | None, Implant]:
    wanted = sorted({key for key in keys if key is not None})
    return {one.id: one for (one,) in in_chunks(session, wanted, lambda some: select(Implant).where(Implant.id.in_(some)))}


SPECIMEN: Noun[Specimen] = Noun(
    "specimen",
    Specimen,
    check=_check_specimens,
    fixed=frozenset({"patient_id", "source_implant_id"}),
    derived=frozenset({"donor_id", "passage", "her2_result", "her2_label"}),
    dependents=((Aliquot, "specimen_id"), (PdxModel, "founding_specimen_id")),
)
RECEPTOR_ASSAY: Noun[ReceptorAssay] = Noun("assay", ReceptorAssay, fixed=frozenset({"specimen_id"}), key=())
ALTERATION: Noun[Alteration] = Noun("alteration", Alteration, fixed=frozenset({"specimen_id"}), key=())
STR_PROFILE: Noun[StrProfile] = Noun("profile", StrProfile, fixed=frozenset({"specimen_id"}), key=())
