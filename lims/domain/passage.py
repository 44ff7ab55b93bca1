"""Passage of a xenograft: counted from 0 for the first mouse, derived from where the tissue came from, never typed.

Source: PDX-MI (Meehan et al., Cancer Research 77:e62, 2017), model creation module. Some laboratories call the first
mouse P1: that is kept with the model and only shown.
"""

from __future__ import annotations

from lims.domain.errors import DomainError
from lims.domain.sources import LINEAGE
from lims.domain.vocabulary import PassageConvention


def implant_passage(specimen_passage: int | None, from_patient: bool) -> int | None:
    """Give an implant's passage: a patient's own tissue 0, tissue grown at Pn n + 1, unknown where that is unknown.

    Source: PDX-MI. No unit: a count of mice.

    Raises:
        DomainError: a patient's own tissue with a passage, or a passage below 0.
    """
    if specimen_passage is not None and specimen_passage < 0:
        raise DomainError(f"A passage of {specimen_passage} cannot be.", field="passage", expected="0 or more", source=LINEAGE)
    if from_patient:
        if specimen_passage is not None:
            raise DomainError(
                f"Tissue of a patient has no passage, and {specimen_passage} was given.",
                field="passage",
                expected="no passage",
                remedy="If it grew in a mouse, record it as collected from that implant.",
                source=LINEAGE,
            )
        return 0
    return None if specimen_passage is None else specimen_passage + 1


def passage_label(passage: int | None, convention: PassageConvention) -> str | None:
    """Give the passage as this model's laboratory says it: the first mouse is `P0` or `P1` (PDX-MI)."""
    if passage is None:
        return None
    return f"P{passage + 1 if convention is PassageConvention.FIRST_IS_P1 else passage}"


def passage_labels(passage: int | None, convention: PassageConvention) -> str | None:
    """Give the passage by both conventions, the laboratory's own first: `P2 (P3 if the first mouse is P1)` (PDX-MI)."""
    (other,) = (one for one in PassageConvention if one is not convention)
    own, elsewhere = passage_label(passage, convention), passage_label(passage, other)
    return None if own is None else f"{own} ({elsewhere} if the first mouse is {other.value.upper()})"
