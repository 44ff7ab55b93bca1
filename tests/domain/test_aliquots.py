"""What is left of an aliquot, what may still happen to it, and what is unusual about it."""

from __future__ import annotations

from datetime import date

import pytest

from lims.domain.aliquots import (
    MATERIAL_SHORT,
    doubt_material,
    doubt_order,
    doubt_thaws,
    remaining,
    require_available,
    shares,
    total,
)
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AliquotMaterial, AliquotState, AmountUnit
from lims.domain.vocabulary import SpecimenKind

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("amount", "taken", "left"),
    [(4, 1, 3), (4, 4, 0), (4, None, 4), (None, None, None), (0.3, 0.1 + 0.1 + 0.1, 0), (1e6, 1e6 - 1e-4, 0)],
    ids=["some", "all", "unmeasured", "unknown", "binary fractions", "a rounding error"],
)
def test_what_is_left(amount: float | None, taken: float | None, left: float | None) -> None:
    assert remaining("AL-1", amount, taken, AmountUnit.MICROLITRE) == left


@pytest.mark.parametrize(
    ("amount", "taken", "told"),
    [
        (4, 4.1, "AL-1 holds 4 µL, and 4.1 µL cannot be taken from it"),
        (4, 0, "0 cannot be taken"),
        (4, -1, "-1 cannot be taken"),
        (None, 1, "How much AL-1 holds is not recorded"),
        (4, float("nan"), "nan cannot be taken"),
    ],
)
def test_what_cannot_be_taken(amount: float | None, taken: float, told: str) -> None:
    with pytest.raises(DomainError, match=told) as refused:
        remaining("AL-1", amount, taken, AmountUnit.MICROLITRE)
    assert refused.value.field == "amount"


@pytest.mark.parametrize("state", [AliquotState.USED_UP, AliquotState.SHIPPED, AliquotState.DISCARDED])
def test_nothing_happens_to_what_is_gone(state: AliquotState) -> None:
    with pytest.raises(DomainError, match="Aliquot AL-1") as refused:
        require_available("AL-1", state)
    assert refused.value.remedy
    require_available("AL-1", AliquotState.AVAILABLE)


def test_parts_share_what_there_is() -> None:
    assert shares(4, 4, None) == [1, 1, 1, 1]
    assert shares(4, 2, 0.5) == [0.5, 0.5]
    assert shares(None, 2, None) == [None, None]
    assert total([None, 1, 2.5]) == 3.5
    assert total([None]) is None
    for parts in (0, 501):
        with pytest.raises(DomainError, match="parts cannot be made"):
            shares(4, parts, None)


def test_every_kind_of_specimen_has_materials_and_every_material_a_short_word() -> None:
    assert set(MATERIAL_SHORT) == set(AliquotMaterial)
    for kind in SpecimenKind:
        assert any(not doubt_material(kind, material) for material in AliquotMaterial)
    (told,) = doubt_material(SpecimenKind.CSF, AliquotMaterial.FFPE)
    assert told.message == "FFPE is not usually made of a specimen of the kind CSF."


def test_thaws_and_dates_are_doubted() -> None:
    assert doubt_thaws("AL-1", 2, DAY, None) == []
    assert [one.field for one in doubt_thaws("AL-1", 3, DAY, DAY)] == [None, "happened_on"]
    assert doubt_order("AL-1", DAY, DAY) == doubt_order("AL-1", DAY, None) == []
    assert doubt_order("AL-1", date(2026, 3, 1), DAY)[0].expected == "2026-03-02 or later"
