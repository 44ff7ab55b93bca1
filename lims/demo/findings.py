"""The demo's alterations and STR profiles; all of it is made up."""

from __future__ import annotations

from random import Random
from typing import Any

from lims.domain.stains import h_score
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

COUNTED: tuple[tuple[str, str, tuple[tuple[str, int, tuple[int, int, int]], ...], Compartment], ...] = (
    ("ERBB2", "HER2", (("Core", 8_412, (1_204, 2_380, 3_617)), ("Rim", 6_077, (1_310, 1_492, 1_120))), Compartment.HUMAN_TUMOUR),
    ("MKI67", "Ki67", (("Core", 8_120, (0, 0, 2_014)), ("Rim", 5_904, (0, 0, 2_903))), Compartment.HUMAN_TUMOUR),
    ("Aif1", "Iba1", (("Rim", 3_290, (0, 0, 1_288)), ("Adjacent brain", 4_415, (0, 0, 402))), Compartment.MOUSE_HOST),
)
"""Marker, name on the image, regions with cells and weakly, moderately and strongly stained ones, and whose cells they are."""
AREAS = {"Core": 1.92, "Rim": 1.38, "Adjacent brain": 2.51}
"""mm²."""


def stains_of(specimen: str) -> list[dict[str, Any]]:
    """Give what QuPath counted on the slides of a harvested tumour; an H-score where cells were graded."""
    chance = Random(f"slides of {specimen}")  # noqa: S311  # made-up data, nothing secret
    found = []
    for marker, name, regions, compartment in COUNTED:
        for region, about, graded in regions:
            less = chance.uniform(0.55, 1)
            cells, (weak, moderate, strong) = int(about * chance.uniform(0.8, 1.2)), (int(number * less * 0.8) for number in graded)
            found.append(
                {
                    "marker": marker,
                    "compartment": compartment,
                    "image": f"{specimen}_{name}.svs",
                    "region": region,
                    "software": "QuPath",
                    "cells": cells,
                    "positive_cells": weak + moderate + strong,
                    "area_mm2": AREAS[region],
                    "h_score": h_score(cells, weak, moderate, strong) if graded[0] else None,
                }
            )
    return found


def profile_of(donor: str) -> list[str]:
    """Give a person's STR profile: the same for the same code, another for every other."""
    chance = Random(f"STR of {donor}")  # noqa: S311  # made-up data, nothing secret
    loci: dict[str, tuple[str, ...]] = {}
    for locus in sorted(AUTOSOMAL_LOCI):
        pair = sorted(chance.sample(range(8, 20), chance.choice((1, 2, 2, 2))))
        loci[locus] = tuple(str(allele) for allele in pair)
    return profile_lines(loci)
