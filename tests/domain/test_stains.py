"""Tests of what stained regions can say: markers, percentages, H-scores."""

from __future__ import annotations

from typing import Any

import pytest

from lims.domain.errors import DomainError
from lims.domain.stains import clean_marker, complete, h_score, is_known, per_mm2, unknown_marker
from lims.domain.tissue_terms import Compartment

TUMOUR, HOST = Compartment.HUMAN_TUMOUR, Compartment.MOUSE_HOST
NOTHING = dict.fromkeys(("cells", "positive_cells", "positive_percent", "h_score", "area_mm2"))


def found(**values: Any) -> dict[str, Any]:
    return {**NOTHING, **values}


@pytest.mark.parametrize(
    ("typed", "compartment", "kept"),
    [
        ("HER2", TUMOUR, "ERBB2"),
        ("Ki-67", TUMOUR, "MKI67"),
        ("cd31", HOST, "Pecam1"),
        ("h&e", TUMOUR, "H&E"),
        ("  My   stain ", TUMOUR, "My stain"),
    ],
)
def test_a_marker_is_kept_by_its_gene_its_usual_name_or_as_it_is(typed: str, compartment: Compartment, kept: str) -> None:
    assert clean_marker(typed, compartment) == kept


def test_a_marker_that_nobody_knows_is_doubted_with_what_it_may_be() -> None:
    (notice,) = unknown_marker("ERBB22", TUMOUR)

    assert (notice.field, notice.severity) == ("marker", "warning")
    assert "ERBB2" in (notice.expected or "")
    assert list(unknown_marker("H&E", TUMOUR)) == list(unknown_marker("ERBB2", TUMOUR)) == []
    assert is_known("Pecam1", HOST)
    assert not is_known("Pecam1", TUMOUR)


@pytest.mark.parametrize(
    ("counts", "score"), [((100, 10, 20, 30), 140), ((4, 0, 0, 4), 300), ((10, 0, 0, 0), 0), ((0, 0, 0, 0), None)]
)
def test_the_h_score_is_weighed_percentages(counts: tuple[int, int, int, int], score: float | None) -> None:
    assert h_score(*counts) == score


def test_densities_need_an_area() -> None:
    assert per_mm2(300, 1.5) == 200
    assert per_mm2(300, None) is per_mm2(None, 1.5) is None


def test_the_percentage_follows_from_counts() -> None:
    values = found(cells=1_000, positive_cells=300, h_score=55)
    complete(values)
    assert values["positive_percent"] == 30
    rounded = found(cells=3, positive_cells=1, positive_percent=33.33)
    complete(rounded)
    assert rounded["positive_percent"] == pytest.approx(100 / 3)
    by_eye = found(positive_percent=20.0, h_score=60)
    complete(by_eye)
    assert by_eye["positive_percent"] == 20


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        (found(cells=10, positive_cells=11), "positive_cells", "more than all 10 cells"),
        (found(positive_cells=11), "cells", "not told of how many"),
        (found(cells=10, positive_cells=5, positive_percent=40.0), "positive_percent", "5 of 10 cells are 50.00 %"),
        (found(positive_percent=20.0, h_score=61), "h_score", "cannot be of 20 %"),
        (found(positive_percent=20.0, h_score=19), "h_score", "cannot be of 20 %"),
        (found(), "cells", "Nothing was found"),
    ],
)
def test_what_contradicts_itself_is_refused_at_its_field(values: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(DomainError, match=told) as refused:
        complete(values)
    assert refused.value.field == field
