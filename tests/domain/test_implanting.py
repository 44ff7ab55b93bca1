"""Which tissue may be implanted, of which model the implant is, and what a comparison of HER2 says."""

from __future__ import annotations

import pytest

from lims.domain.errors import DomainError
from lims.domain.implanting import LIVING, ModelLine, TissueLine, model_of_implant, require_living
from lims.domain.model_checks import her2_retained
from lims.domain.tissue_terms import AliquotMaterial, CheckResult, Her2Result

BM1 = ModelLine(1, "BM-01", founding_specimen_id=10, donor_id=100)
ORGANOID = ModelLine(2, "BM-01-ORG", founding_specimen_id=11, donor_id=100)
OTHER = ModelLine(3, "BM-03", founding_specimen_id=30, donor_id=300)
NAMED_ONLY = ModelLine(4, "OLD-7")
PATIENTS = TissueLine("AL-1", 10, "SP-10", from_patient=True, donor_id=100)
GROWN = TissueLine("AL-2", 11, "SP-11", from_patient=False, donor_id=100, grown_in=BM1)
OTHER_PIECE = TissueLine("AL-9", 19, "SP-19", from_patient=True, donor_id=100)
UNNAMED = TissueLine("AL-3", 12, "SP-12", from_patient=False, donor_id=100)


@pytest.mark.parametrize("material", AliquotMaterial)
def test_only_what_lives_is_implanted(material: AliquotMaterial) -> None:
    if material in LIVING:
        require_living("AL-1", material)
    else:
        with pytest.raises(DomainError, match="no cell in it lives"):
            require_living("AL-1", material)


@pytest.mark.parametrize(
    ("tissue", "given", "founded", "expected"),
    [
        (PATIENTS, None, [BM1], BM1),
        (PATIENTS, BM1, [BM1], BM1),
        (PATIENTS, None, [], None),
        (PATIENTS, NAMED_ONLY, [], NAMED_ONLY),
        (GROWN, None, [], BM1),
        (GROWN, BM1, [ORGANOID], BM1),
        (GROWN, ORGANOID, [ORGANOID], ORGANOID),
        (UNNAMED, BM1, [], BM1),
        (UNNAMED, NAMED_ONLY, [], NAMED_ONLY),
        (UNNAMED, None, [], None),
    ],
)
def test_the_lineage_says_the_model(
    tissue: TissueLine, given: ModelLine | None, founded: list[ModelLine], expected: ModelLine | None
) -> None:
    assert model_of_implant(tissue, given, founded) == expected


@pytest.mark.parametrize(
    ("tissue", "given", "founded", "expected"),
    [
        (PATIENTS, OTHER, [BM1], "BM-01"),
        (OTHER_PIECE, BM1, [], "the model that was founded from this specimen, or none yet"),
        (PATIENTS, NAMED_ONLY, [BM1], "BM-01"),
        (GROWN, OTHER, [], "BM-01"),
        (GROWN, None, [ORGANOID], "one of BM-01 or BM-01-ORG"),
        (UNNAMED, OTHER, [], "the model that was founded from this specimen, or none yet"),
    ],
)
def test_another_model_is_refused(tissue: TissueLine, given: ModelLine | None, founded: list[ModelLine], expected: str) -> None:
    with pytest.raises(DomainError) as refused:
        model_of_implant(tissue, given, founded)
    assert (refused.value.field, refused.value.expected) == ("model_id", expected)


@pytest.mark.parametrize(
    ("founding", "checked", "expected"),
    [
        ("positive", "positive", "passed"),
        ("negative", "negative", "passed"),
        ("positive", "negative", "failed"),
        ("negative", "positive", "failed"),
        ("positive", "equivocal", "inconclusive"),
        ("not_assessed", "positive", "inconclusive"),
    ],
)
def test_her2_is_retained_or_not(founding: str, checked: str, expected: str) -> None:
    assert her2_retained(Her2Result(founding), Her2Result(checked)) is CheckResult(expected)
