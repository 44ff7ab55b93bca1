"""Expression by quantitative PCR: ΔCq against reference genes, in cycles (MIQE, Bustin et al., Clin Chem 55:611 (2009)).

Reference genes are averaged as Vandesompele et al., Genome Biol 3:research0034 (2002) do: the mean of Cq is the geometric mean of
the quantities. A ratio to a calibrator is Livak and Schmittgen's 2^-ΔΔCq, Methods 25:402 (2001): each cycle doubles.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lims.domain.tissue_terms import Compartment

REPLICATE_SD = 0.5
"""Cycles: technical replicates that scatter more are to be looked at; usual practice, MIQE asks for the scatter."""

REFERENCE_GENES = frozenset(
    """ACTB B2M GAPDH GUSB HMBS HPRT1 PGK1 PPIA RPL13A RPLP0 TBP UBC YWHAZ 18S 18SrRNA RNA18S RN18S BetaActin BActin HPRT 36B4
    IPO8 RNaseP RPPH1""".casefold().split()
)
"""What laboratories usually measure against (Vandesompele et al. 2002, and suppliers' panels), with usual other names."""

_SEPARATORS = re.compile(r"[\s\-_/.()]+")
_SPECIES = re.compile(r"(?P<who>hs|hu|human|h|mm|mu|mouse|m)[\s_.-]?(?P<symbol>[A-Z0-9].*)")
_HUMAN = frozenset(("h", "hs", "hu", "human"))


@dataclass(frozen=True, slots=True)
class Replicates:
    """Technical replicates of one gene in one sample. mean: cycles; sd: cycles, `None` of a single well."""

    mean: float
    sd: float | None
    count: int


def replicates(cycles: Sequence[float]) -> Replicates:
    """Average the Cq of technical replicates; at least one."""
    return Replicates(fmean(cycles), stdev(cycles) if len(cycles) > 1 else None, len(cycles))


def delta_cq(gene: Replicates, references: Sequence[Replicates]) -> tuple[float, float | None]:
    """Give ΔCq and its SD in cycles; the SD is `None` where one of them was measured in a single well.

    The SD is propagated: that of the gene, and those of the references divided by their number.
    """
    delta = gene.mean - fmean(one.mean for one in references)
    spread = [one.sd for one in (gene, *references) if one.sd is not None]
    if len(spread) <= len(references):
        return delta, None
    of_references = math.hypot(*spread[1:]) / len(references)
    return delta, math.hypot(spread[0], of_references)


def log2_of_ratio(delta: float, of_calibrator: float) -> float:
    """Give the log2 ratio to a calibrator: −ΔΔCq, each cycle being a doubling (Livak and Schmittgen 2001)."""
    return of_calibrator - delta


def is_reference_gene(name: str) -> bool:
    """Say whether a target's name is one of the usual reference genes, of whichever species."""
    return _plain(name) in REFERENCE_GENES or _plain(without_species(name)[1]) in REFERENCE_GENES


def without_species(name: str) -> tuple[Compartment | None, str]:
    """Take the species off that stands before a symbol: `hGAPDH` → human tumour, `GAPDH`; none where none stands there."""
    found = _SPECIES.fullmatch(name.strip())
    if found is None:
        return None, name.strip()
    return (Compartment.HUMAN_TUMOUR if found["who"] in _HUMAN else Compartment.MOUSE_HOST), found["symbol"]


def compartment_by_case(symbol: str) -> Compartment | None:
    """Say whose a symbol is by how it is written: `GAPDH` is HGNC's way, `Gapdh` MGI's; `None` where it is neither."""
    letters = "".join(filter(str.isalpha, symbol))
    if len(letters) < 2:
        return None
    if letters.isupper():
        return Compartment.HUMAN_TUMOUR
    return Compartment.MOUSE_HOST if letters[0].isupper() and letters[1:].islower() else None


def _plain(name: str) -> str:
    greek = unicodedata.normalize("NFKC", name).casefold().replace("β", "beta")
    return _SEPARATORS.sub("", greek)
