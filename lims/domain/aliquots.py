"""What may happen to an aliquot, and what is left of it (SPREC 3.0, ISBER Best Practices on aliquots and freeze-thaw cycles)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import ALL_OR_PART, FREEZE_THAW, ORDER_OF_EVENTS, SAMPLE_TYPES
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, AmountUnit
from lims.domain.vocabulary import SpecimenKind

THAWS_WITHOUT_DOUBT = 3
"""Proteins and RNA suffer from every thaw; ISBER Best Practices ask to avoid repeated ones, usual limits are two or three."""
MOST_AT_ONCE = 500
"""Aliquots made, or moved, in one step; a rack of boxes is filled box by box."""

MATERIAL_SHORT: Mapping[AliquotMaterial, str] = MappingProxyType(
    {
        AliquotMaterial.FRESH_FRAGMENT: "fresh",
        AliquotMaterial.VIABLY_FROZEN: "viable",
        AliquotMaterial.SNAP_FROZEN: "snap",
        AliquotMaterial.FFPE: "FFPE",
        AliquotMaterial.OCT: "OCT",
        AliquotMaterial.CELL_SUSPENSION: "cells",
        AliquotMaterial.ORGANOID: "organoid",
        AliquotMaterial.PLASMA: "plasma",
        AliquotMaterial.CSF: "CSF",
        AliquotMaterial.LYSATE: "lysate",
    }
)
"""Words that fit into a cell of a box."""

_SOLID = frozenset(AliquotMaterial) - {AliquotMaterial.PLASMA, AliquotMaterial.CSF}
_USUAL: Mapping[SpecimenKind, frozenset[AliquotMaterial]] = MappingProxyType(
    {
        SpecimenKind.TUMOUR: _SOLID,
        SpecimenKind.BRAIN_REGION: _SOLID,
        SpecimenKind.ORGAN: _SOLID,
        SpecimenKind.BLOOD: frozenset({AliquotMaterial.PLASMA, AliquotMaterial.CELL_SUSPENSION, AliquotMaterial.LYSATE}),
        SpecimenKind.PLASMA: frozenset({AliquotMaterial.PLASMA}),
        SpecimenKind.CSF: frozenset({AliquotMaterial.CSF, AliquotMaterial.CELL_SUSPENSION}),
    }
)
_WHY_NOT = {
    AliquotState.USED_UP: ("is used up", "Take another aliquot of this specimen."),
    AliquotState.SHIPPED: ("was shipped", "Record its return first, if it came back."),
    AliquotState.DISCARDED: ("was discarded", "Take another aliquot of this specimen."),
}
_TOLERANCE = 1e-9


def require_available(code: str, state: AliquotState, *, field: str = "aliquot_id") -> None:
    """Refuse that anything happens to an aliquot that is used up, shipped or discarded.

    Raises:
        DomainError: on `field`, saying which of the three it is.
    """
    if state is not AliquotState.AVAILABLE:
        told, remedy = _WHY_NOT[state]
        raise DomainError(
            f"Aliquot {code} {told}.", field=field, expected="an aliquot that is available", remedy=remedy, source=ALL_OR_PART
        )


def remaining(code: str, amount: float | None, taken: float | None, unit: AmountUnit | None) -> float | None:
    """Give what is left of an aliquot's amount: nothing is known of one whose amount is not recorded.

    Raises:
        DomainError: on `amount`: less than nothing is taken, more than is there, or from an amount nobody recorded.
    """
    if taken is None:
        return amount
    if not taken > 0:  # so that what is no number is refused too
        raise DomainError(f"{taken:g} cannot be taken.", field="amount", expected="more than 0", source=ALL_OR_PART)
    if amount is None:
        raise DomainError(
            f"How much {code} holds is not recorded, so {taken:g} cannot be taken from it.",
            field="amount",
            expected="no amount",
            remedy="Record its amount first, or leave this blank.",
            source=ALL_OR_PART,
        )
    measure = f" {unit.value}" if unit else ""
    if taken > amount * (1 + _TOLERANCE):
        raise DomainError(
            f"{code} holds {amount:g}{measure}, and {taken:g}{measure} cannot be taken from it.",
            field="amount",
            expected=f"at most {amount:g}{measure}",
            remedy="Look at the label again, or correct what is recorded of the aliquot.",
            source=ALL_OR_PART,
        )
    left = amount - taken
    return 0.0 if left <= amount * _TOLERANCE else left


def shares(amount: float | None, parts: int, each: float | None) -> list[float | None]:
    """Give the amounts of the parts of a split: each as told, or all of it in equal shares.

    Raises:
        DomainError: on `parts`: fewer than one, or more than are made at once.
    """
    if not 1 <= parts <= MOST_AT_ONCE:
        raise DomainError(f"{parts} parts cannot be made.", field="parts", expected=f"1 to {MOST_AT_ONCE}", source=ALL_OR_PART)
    return [amount / parts if each is None and amount is not None else each] * parts


def total(amounts: Sequence[float | None]) -> float | None:
    """Add up the amounts that are known; nothing where none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def doubt_material(kind: SpecimenKind, material: AliquotMaterial) -> list[Notice]:
    """Doubt a material that is not made of this kind of specimen, such as plasma of a tumour (MIABIS sample types)."""
    if material in _USUAL[kind]:
        return []
    usual = sorted(MATERIAL_SHORT[one] for one in _USUAL[kind])
    made, of = MATERIAL_SHORT[material], "CSF" if kind is SpecimenKind.CSF else kind.value.replace("_", " ")
    told = f"{made[0].upper()}{made[1:]} is not usually made of a specimen of the kind {of}."
    return [Notice("warning", "material", told, ", ".join(usual), source=SAMPLE_TYPES)]


def doubt_thaws(code: str, thaw_count: int, on: date, last: date | None) -> list[Notice]:
    """Doubt one more thaw of an aliquot that was thawed often before, or on that day already: saved twice?"""
    found = []
    if thaw_count >= THAWS_WITHOUT_DOUBT:
        told = f"{code} was thawed {thaw_count} times before: what it holds may have suffered."
        found.append(Notice("warning", None, told, f"at most {THAWS_WITHOUT_DOUBT} thaws", source=FREEZE_THAW))
    if last == on:
        found.append(
            Notice(
                "warning", "happened_on", f"A thaw of {code} on {on} is recorded already.", "one thaw in a day", source=FREEZE_THAW
            )
        )
    return found


def doubt_order(code: str, on: date, last: date | None) -> list[Notice]:
    """Doubt what is dated before the last thing that happened to an aliquot."""
    if last is None or on >= last:
        return []
    told = f"The last thing recorded of {code} happened on {last}, after {on}."
    return [Notice("warning", "happened_on", told, f"{last} or later", source=ORDER_OF_EVENTS)]
