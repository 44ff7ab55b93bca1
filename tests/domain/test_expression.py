"""ΔCq in cycles, whose a symbol is by its case, and which names are usual reference genes."""

from __future__ import annotations

import pytest

from lims.domain.alterations import Call, call_of, require_value, unusual
from lims.domain.errors import DomainError
from lims.domain.expression import compartment_by_case, delta_cq, is_reference_gene, log2_of_ratio, replicates, without_species
from lims.domain.tissue_terms import AlterationKind, Compartment

HUMAN, MOUSE = Compartment.HUMAN_TUMOUR, Compartment.MOUSE_HOST


def test_delta_cq_is_the_gene_less_the_mean_of_its_references_and_scatter_is_propagated() -> None:
    gene, first, second = replicates([24.0, 24.6]), replicates([19.0, 19.2]), replicates([17.0, 17.4])

    delta, sd = delta_cq(gene, [first, second])

    assert delta == pytest.approx(24.3 - (19.1 + 17.2) / 2)
    assert sd == pytest.approx((0.42426**2 + (0.14142**2 + 0.28284**2) / 4) ** 0.5, rel=1e-4)
    assert delta_cq(gene, [replicates([19.0])]) == (pytest.approx(5.3), None)  # a single well has no scatter
    assert log2_of_ratio(8.0, 6.1) == pytest.approx(-1.9)


@pytest.mark.parametrize(
    ("name", "whose", "species", "reference"),
    [
        ("GAPDH", HUMAN, (None, "GAPDH"), True),
        ("Gapdh", MOUSE, (None, "Gapdh"), True),
        ("hGAPDH", None, (HUMAN, "GAPDH"), True),
        ("mouse Hprt", None, (MOUSE, "Hprt"), True),
        ("18S rRNA", None, (None, "18S rRNA"), True),
        ("β-actin", None, (None, "β-actin"), True),
        ("ERBB2", HUMAN, (None, "ERBB2"), False),
        ("Abcb1a", MOUSE, (None, "Abcb1a"), False),
        ("mTOR", None, (MOUSE, "TOR"), False),
        ("7", None, (None, "7"), False),
    ],
)
def test_what_a_targets_name_says(
    name: str, whose: Compartment | None, species: tuple[Compartment | None, str], reference: bool
) -> None:
    assert compartment_by_case(name) is whose
    assert without_species(name) == species
    assert is_reference_gene(name) is reference


def test_delta_cq_is_a_value_of_an_expression_and_needs_its_references() -> None:
    expression = AlterationKind.EXPRESSION
    require_value(expression, {"delta_cq": 5.2, "reference_genes": "GAPDH, ACTB"})
    with pytest.raises(DomainError, match="without the reference genes") as refused:
        require_value(expression, {"delta_cq": 5.2})
    assert (refused.value.field, refused.value.source) == ("reference_genes", "MIQE guidelines (Bustin et al. 2009)")
    assert call_of(expression, None, None, 5.2) is Call.MEASURED
    assert call_of(expression, None, 1.2, 5.2) is Call.UP
    assert [one.field for one in unusual(AlterationKind.COPY_NUMBER, {"copies": 3.0, "delta_cq": 5.2})] == ["delta_cq"]
