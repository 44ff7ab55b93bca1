"""The demo's alterations and STR profiles; all of it is made up."""

from __future__ import annotations

from random import Random
from typing import Any

from lims.domain.str_match import AUTOSOMAL_LOCI, profile_lines
from lims.domain.tissue_terms import AlterationKind, Compartment

PANEL = "hybrid-capture panel"


def _mutation(gene: str, hgvs: str, vaf: float) -> dict[str, Any]:
    return {"gene": gene, "kind": AlterationKind.MUTATION, "hgvs": hgvs, "vaf_percent": vaf, "platform": PANEL}


def _copies(gene: str, copies: float) -> dict[str, Any]:
    return {"gene": gene, "kind": AlterationKind.COPY_NUMBER, "copies": copies, "platform": PANEL}


def _protein(gene: str, h_score: float, compartment: Compartment = Compartment.HUMAN_TUMOUR) -> dict[str, Any]:
    return {"gene": gene, "kind": AlterationKind.PROTEIN, "h_score": h_score, "compartment": compartment, "platform": "IHC"}


def _expression(gene: str, delta_cq: float, compartment: Compartment = Compartment.HUMAN_TUMOUR) -> dict[str, Any]:
    references = "GAPDH, ACTB" if compartment is Compartment.HUMAN_TUMOUR else "Gapdh"
    measured = {"delta_cq": delta_cq, "delta_cq_sd": 0.14, "reference_genes": references, "platform": "RT-qPCR"}
    return {"gene": gene, "kind": AlterationKind.EXPRESSION, "compartment": compartment, **measured}


FINDINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "BCBM-P01": (
        _copies("ERBB2", 18),
        _mutation("TP53", "p.Arg248Gln", 71),
        _mutation("PIK3CA", "p.His1047Arg", 38),
        _protein("ABCB1", 60),
    ),
    "BCBM-P02": (_copies("ERBB2", 7), _mutation("TP53", "p.Arg175His", 64), _copies("PTEN", 0), _protein("ABCG2", 140)),
    "BCBM-P03": (_mutation("ESR1", "p.Tyr537Ser", 22), _mutation("ERBB2", "p.Leu755Ser", 17)),
    "BCBM-P04": (_copies("ERBB2", 22), _mutation("ERBB3", "p.Val104Met", 12), _mutation("TP53", "p.Tyr220Cys", 58)),
    "BCBM-P05": (_copies("ERBB2", 15), _mutation("PIK3CA", "p.Glu545Lys", 31), _mutation("MTOR", "p.Ser2215Tyr", 9)),
    "BCBM-P06": (_mutation("PIK3CA", "p.His1047Leu", 44), _mutation("AKT1", "p.Glu17Lys", 26), _mutation("CDH1", "p.Gln23Ter", 49)),
    "BCBM-P07": (_copies("ERBB2", 12), _mutation("TP53", "p.Arg273His", 66)),
}
"""By patient: what a panel found in the metastasis."""

HARVESTED: dict[str, tuple[dict[str, Any], ...]] = {
    "BM-01": (
        _copies("ERBB2", 19),
        _mutation("PIK3CA", "p.His1047Arg", 52),
        _protein("Abcb1a", 180, Compartment.MOUSE_HOST),
        _protein("Abcg2", 150, Compartment.MOUSE_HOST),
    ),
    "BM-02": (
        _copies("ERBB2", 8),
        _copies("PTEN", 0),
        _protein("ABCG2", 170),
        _expression("ABCB1", 6.4),
        _expression("Abcb1a", 3.1, Compartment.MOUSE_HOST),
    ),
    "BM-04": (_mutation("ERBB3", "p.Val104Met", 21),),
}
"""By model: what was found in the tumour of its last passage, and in the brain vessels of the host."""


def profile_of(donor: str) -> list[str]:
    """Give a person's STR profile: the same for the same code, another for every other."""
    chance = Random(f"STR of {donor}")  # noqa: S311  # made-up data, nothing secret
    loci: dict[str, tuple[str, ...]] = {}
    for locus in sorted(AUTOSOMAL_LOCI):
        pair = sorted(chance.sample(range(8, 20), chance.choice((1, 2, 2, 2))))
        loci[locus] = tuple(str(allele) for allele in pair)
    return profile_lines(loci)
