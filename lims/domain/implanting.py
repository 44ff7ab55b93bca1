"""Which tissue may be implanted, and into which model's line the implant belongs.

Source: PDX-MI (Meehan et al., Cancer Research 77:e62, 2017), model creation module: an implant is of the model that its tissue
founded, or that it grew in before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lims.domain.errors import DomainError
from lims.domain.sources import LINEAGE, LIVING_TISSUE
from lims.domain.tissue_terms import AliquotMaterial

LIVING = frozenset(
    {
        AliquotMaterial.FRESH_FRAGMENT,
        AliquotMaterial.VIABLY_FROZEN,
        AliquotMaterial.CELL_SUSPENSION,
        AliquotMaterial.ORGANOID,
        AliquotMaterial.CSF,
    }
)
"""Materials that hold living cells; fluid of leptomeningeal disease carries tumour cells too."""
ONLY_TUMOUR = "tumour"
"""What the one tumour of an animal is called where a file names none."""


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model, as far as its tissue goes: what it was founded from, and whose tissue that is, where it is recorded."""

    id: int
    code: str
    founding_specimen_id: int | None = None
    donor_id: int | None = None


@dataclass(frozen=True, slots=True)
class TissueLine:
    """An aliquot's tissue. `grown_in` is the model of the implant it was harvested from."""

    aliquot: str
    specimen_id: int
    specimen: str
    from_patient: bool
    donor_id: int | None = None
    grown_in: ModelLine | None = None


def require_living(aliquot: str, material: AliquotMaterial) -> None:
    """Refuse to implant what holds no living cells, such as a paraffin block (SPREC 3.0 materials).

    Raises:
        DomainError: on `aliquot_id`.
    """
    if material not in LIVING:
        alive = ", ".join(sorted(one.value.replace("_", " ") for one in LIVING))
        raise DomainError(
            f"Aliquot {aliquot} is {material.value.replace('_', ' ')}: no cell in it lives.",
            field="aliquot_id",
            expected=alive,
            remedy="Look whether the right aliquot was scanned.",
            source=LIVING_TISSUE,
        )


def model_of_implant(tissue: TissueLine, given: ModelLine | None, founded: Sequence[ModelLine]) -> ModelLine | None:
    """Give the model that an implant of this tissue belongs to: the one named, where the lineage allows it, or the only one.

    Args:
        tissue: what is implanted.
        given: the model that a person named, if any.
        founded: the models that were founded from the aliquot's specimen.

    Raises:
        DomainError: on `model_id`: the lineage says another model, or allows several and none was named.
    """
    candidates = {one.id: one for one in (tissue.grown_in, *founded) if one is not None}
    if given is None:
        if len(candidates) > 1:
            raise DomainError(
                f"Tissue of {tissue.specimen} may be of {_listed(candidates)}: say which one this implant is of.",
                field="model_id",
                expected=f"one of {_listed(candidates)}",
                source=LINEAGE,
            )
        return next(iter(candidates.values()), None)
    if given.id in candidates or (not candidates and _may_be(tissue, given)):
        return given
    raise DomainError(
        f"Aliquot {tissue.aliquot} is tissue of {tissue.specimen}, which is not of model {given.code}.",
        field="model_id",
        expected=_listed(candidates) if candidates else "the model that was founded from this specimen, or none yet",
        remedy="Correct the model or the aliquot, or leave the model blank: it follows from the aliquot.",
        source=LINEAGE,
    )


def _may_be(tissue: TissueLine, given: ModelLine) -> bool:
    """Tell whether a model that nothing leads to may be meant: nothing known contradicts it."""
    if tissue.from_patient and given.founding_specimen_id is not None:
        return False  # founded from another specimen: those of this one would be among the candidates
    return given.donor_id is None or tissue.donor_id is None or given.donor_id == tissue.donor_id


def _listed(lines: dict[int, ModelLine]) -> str:
    return " or ".join(sorted(line.code for line in lines.values()))


def subject_name(animal: str, tumour: str | None) -> str:
    """Name an animal, with its tumour where that has a name of its own."""
    return animal if tumour in (None, ONLY_TUMOUR) else f"{animal} {tumour}"
