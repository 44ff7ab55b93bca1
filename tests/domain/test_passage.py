"""Passages follow from the tissue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.passage import implant_passage, passage_label
from lims.domain.vocabulary import PassageConvention


@pytest.mark.parametrize(
    ("specimen_passage", "from_patient", "passage"), [(None, True, 0), (0, False, 1), (7, False, 8), (None, False, None)]
)
def test_passages(specimen_passage: int | None, from_patient: bool, passage: int | None) -> None:
    assert implant_passage(specimen_passage, from_patient) == passage


@given(st.integers(min_value=0, max_value=200))
def test_each_mouse_is_one_passage_on(passage: int) -> None:
    assert implant_passage(passage, from_patient=False) == passage + 1
    assert passage_label(passage, PassageConvention.FIRST_IS_P1) == passage_label(passage + 1, PassageConvention.FIRST_IS_P0)


@pytest.mark.parametrize(("specimen_passage", "from_patient", "words"), [(3, True, "has no passage"), (-1, False, "cannot be")])
def test_impossible_passages(specimen_passage: int, from_patient: bool, words: str) -> None:
    with pytest.raises(DomainError, match=words) as refused:
        implant_passage(specimen_passage, from_patient)

    assert refused.value.field == "passage"


def test_the_first_mouse_by_both_conventions() -> None:
    assert passage_label(0, PassageConvention.FIRST_IS_P0) == "P0"
    assert passage_label(0, PassageConvention.FIRST_IS_P1) == "P1"
    assert passage_label(None, PassageConvention.FIRST_IS_P1) is None
