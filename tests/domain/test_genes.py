"""The pinned list of genes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.gene_aliases import HUMAN_ALIASES, MOUSE_ALIASES
from lims.domain.genes import GENE_LIST_VERSION, GENES, PathwaySet, clean_gene, genes_of, pathways_of
from lims.domain.tissue_terms import Compartment

HUMAN, MOUSE = Compartment.HUMAN_TUMOUR, Compartment.MOUSE_HOST


@pytest.mark.parametrize(
    ("text", "compartment", "symbol"),
    [
        ("ERBB2", HUMAN, "ERBB2"),
        (" erbb2 ", HUMAN, "ERBB2"),
        ("HER2", HUMAN, "ERBB2"),
        ("her-2", HUMAN, "ERBB2"),
        ("HER2/neu", HUMAN, "ERBB2"),
        ("MDR1", HUMAN, "ABCB1"),
        ("P-gp", HUMAN, "ABCB1"),
        ("BCRP", HUMAN, "ABCG2"),
        ("p53", HUMAN, "TP53"),
        ("ERα", HUMAN, "ESR1"),
        ("Ki-67", HUMAN, "MKI67"),
        ("PI3KCA", HUMAN, "PIK3CA"),
        ("cyclin D1", HUMAN, "CCND1"),
        ("nkx2.1", HUMAN, "NKX2-1"),
        ("H3-3A", HUMAN, "H3-3A"),
        ("MDR3", HUMAN, "ABCB4"),
        ("ABCB1A", MOUSE, "Abcb1a"),
        ("mdr1b", MOUSE, "Abcb1b"),
        ("Mdr3", MOUSE, "Abcb1a"),
        ("BCRP", MOUSE, "Abcg2"),
        ("TP53", MOUSE, "Trp53"),
        ("F4/80", MOUSE, "Adgre1"),
        ("ERBB2", MOUSE, "Erbb2"),
    ],
)
def test_what_people_write(text: str, compartment: Compartment, symbol: str) -> None:
    assert clean_gene(text, compartment) == symbol


@pytest.mark.parametrize(
    ("text", "compartment", "words", "expected"),
    [
        ("ERB2", HUMAN, "no gene of the list for the human tumour", "ERBB2"),
        ("PIK3AC", HUMAN, "no gene of the list", "perhaps PIK3CA or"),
        ("PDK1", HUMAN, "no gene of the list", "PDPK1"),
        ("Abcb1", MOUSE, "is a gene of the human tumour, and this finding is in the mouse host", "Abcb1a"),
        ("Mdr1", MOUSE, "is a gene of the human tumour", "Abcb1b"),
        ("Abcb1a", HUMAN, "is a gene of the mouse host, and this finding is in the human tumour", "ABCB1"),
        ("qqqq", HUMAN, '"qqqq" is no gene', "an HGNC symbol"),
        ("qqqq", MOUSE, '"qqqq" is no gene', "an MGI symbol"),
        ("  ", HUMAN, "is empty", "an HGNC symbol"),
        ("-", MOUSE, "is empty", "an MGI symbol"),
        ("E" * 500, HUMAN, "no gene of the list", "HGNC"),
        ("1-Mar", HUMAN, "no gene of the list", ""),
        ("ERBB2\u202e;", HUMAN, '"ERBB2;" is no gene', "ERBB2"),
    ],
)
def test_what_is_refused_names_the_closest(text: str, compartment: Compartment, words: str, expected: str) -> None:
    with pytest.raises(DomainError) as refused:
        clean_gene(text, compartment)

    assert words in str(refused.value)
    assert refused.value.field == "gene"
    assert expected in (refused.value.expected or "")
    assert len(str(refused.value)) < 160


@given(st.text(max_size=40), st.sampled_from(Compartment))
def test_whatever_is_accepted_is_on_the_list_and_stays_so(text: str, compartment: Compartment) -> None:
    try:
        symbol = clean_gene(text, compartment)
    except DomainError:
        return
    assert symbol in GENES[compartment]


def test_every_symbol_is_itself_in_any_case() -> None:
    for compartment, symbols in GENES.items():
        for symbol in symbols:
            assert clean_gene(symbol, compartment) == clean_gene(symbol.swapcase(), compartment) == symbol


def test_symbols_are_written_as_their_committees_write_them() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]+(-[A-Z0-9]+)?", symbol) for symbol in GENES[HUMAN])
    assert all(re.fullmatch(r"[A-Z][a-z0-9]+", symbol) for symbol in GENES[MOUSE])
    assert len(GENES[HUMAN]) >= 250
    assert GENE_LIST_VERSION.year >= 2026


def test_every_alias_leads_to_the_list_and_hides_no_symbol() -> None:
    for aliases, compartment in ((HUMAN_ALIASES, HUMAN), (MOUSE_ALIASES, MOUSE)):
        assert set(aliases.values()) <= GENES[compartment]
        for alias, symbol in aliases.items():
            assert clean_gene(alias, compartment) == symbol


@pytest.mark.parametrize(
    ("symbol", "pathways"),
    [
        ("ERBB2", (PathwaySet.HER_FAMILY,)),
        ("Erbb3", (PathwaySet.HER_FAMILY,)),
        ("PTEN", (PathwaySet.PI3K_AKT_MTOR,)),
        ("ABCG2", (PathwaySet.ABC_TRANSPORTERS,)),
        ("Abcb1b", (PathwaySet.ABC_TRANSPORTERS,)),
        ("TP53", ()),
        ("HER2", ()),  # an alias is no symbol
    ],
)
def test_pathways(symbol: str, pathways: tuple[PathwaySet, ...]) -> None:
    assert pathways_of(symbol) == pathways


def test_a_pathway_lists_its_genes() -> None:
    for compartment in Compartment:
        for pathway in PathwaySet:
            genes = genes_of(pathway, compartment)
            assert genes
            assert all(pathway in pathways_of(gene) and gene in GENES[compartment] for gene in genes)
    assert {"Abcb1a", "Abcb1b", "Abcg2"} <= set(genes_of(PathwaySet.ABC_TRANSPORTERS, MOUSE))
