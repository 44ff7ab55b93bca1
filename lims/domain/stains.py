"""What was counted in a region of a stained slide: the marker's name, percentages, H-score and density, and how they hang together.

The H-score is 1 × % weakly + 2 × % moderately + 3 × % strongly stained cells, 0 to 300 (McCarty et al., Arch Pathol Lab Med
109:716, 1985). So it lies between the percentage of positive cells and three times that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from lims.domain.errors import DomainError
from lims.domain.genes import clean_gene
from lims.domain.notices import Notice
from lims.domain.sources import CONSISTENT, GENE_SYMBOLS
from lims.domain.tissue_terms import Compartment

H_SCORE = "McCarty et al. 1985, H-score"
HIGHEST_H = 300.0
WEIGHTS = {"weak": 1, "moderate": 2, "strong": 3}
PERCENT_APART = 0.05
"""Percentages that differ by less are one number, rounded."""
H_APART = 0.5

STAINS = (
    *("H&E", "haematoxylin", "eosin", "PAS", "Masson trichrome", "reticulin", "Luxol fast blue", "Nissl", "Perls", "Congo red"),
    *("DAPI", "Hoechst", "TUNEL", "BrdU", "EdU", "pimonidazole", "Evans blue", "Texas Red dextran", "fibrinogen", "IgG", "albumin"),
    *("cleaved caspase-3", "phospho-histone H3", "pHH3", "human mitochondria", "human nuclear antigen", "STEM121", "luciferase"),
)
"""Stains that stand for no gene of the list, or for one form of a gene's product only."""
_KNOWN = {stain.casefold(): stain for stain in STAINS}


def clean_marker(text: str, compartment: Compartment) -> str:
    """Give the approved symbol of a gene (HER2 is ERBB2), a known stain as it is written here, otherwise the name itself."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if name.casefold() in _KNOWN:
        return _KNOWN[name.casefold()]
    try:
        return clean_gene(name, compartment)
    except DomainError:
        return name


def is_known(marker: str, compartment: Compartment) -> bool:
    """Whether a cleaned marker is a gene of the compartment's list or a known stain."""
    if marker in STAINS:
        return True
    try:
        return clean_gene(marker, compartment) == marker
    except DomainError:
        return False


def unknown_marker(marker: str, compartment: Compartment) -> Iterator[Notice]:
    """Doubt a marker that is neither: it may be misspelt."""
    if is_known(marker, compartment):
        return
    try:
        clean_gene(marker, compartment)
    except DomainError as unknown:
        told = f"“{marker}” is no gene of the list and no known stain; it is kept as the stain's own name."
        yield Notice("warning", "marker", told, unknown.expected, GENE_SYMBOLS)


def percent(part: float, whole: float) -> float | None:
    """Give a part in percent; nothing of nothing."""
    return 100 * part / whole if whole else None


def h_score(cells: int, weak: int, moderate: int, strong: int) -> float | None:
    """Give the H-score of counted cells, 0 to 300; nothing where there are no cells."""
    return percent(WEIGHTS["weak"] * weak + WEIGHTS["moderate"] * moderate + WEIGHTS["strong"] * strong, cells)


def per_mm2(count: float | None, area_mm2: float | None) -> float | None:
    """Give a density; nothing where the area is not known."""
    return None if count is None or not area_mm2 else count / area_mm2


def complete(values: dict[str, Any]) -> None:
    """Fill in the percentage of counted cells, and refuse counts and scores that contradict each other.

    Raises:
        DomainError: on the column that contradicts; or on `cells` where nothing was found.
    """
    cells, positive = values["cells"], values["positive_cells"]
    if positive is not None and (cells is None or positive > cells):
        raise DomainError(
            f"{positive:,} positive cells are {'not told of how many' if cells is None else f'more than all {cells:,} cells'}.",
            field="cells" if cells is None else "positive_cells",
            expected="the number of all cells" if cells is None else f"at most {cells:,}",
            source=CONSISTENT,
        )
    if positive is not None:
        _take_percentage(values, percent(positive, cells))
    if all(values[name] is None for name in ("cells", "positive_percent", "h_score", "area_mm2")):
        raise DomainError("Nothing was found in this region.", field="cells", expected="a count, a percentage, a score or an area")
    _require_score(values)


def _take_percentage(values: dict[str, Any], counted: float | None) -> None:
    told = values["positive_percent"]
    if told is not None and counted is not None and abs(told - counted) > PERCENT_APART:
        raise DomainError(
            f"{values['positive_cells']:,} of {values['cells']:,} cells are {counted:.2f} %, and {told:g} % stands here.",
            field="positive_percent",
            expected=f"{counted:.2f}, or nothing: it follows from the counts",
            source=CONSISTENT,
        )
    values["positive_percent"] = counted


def _require_score(values: Mapping[str, Any]) -> None:
    score, positive = values["h_score"], values["positive_percent"]
    if score is not None and positive is not None and not positive - H_APART <= score <= 3 * positive + H_APART:
        raise DomainError(
            f"An H-score of {score:g} cannot be of {positive:.3g} % positive cells.",
            field="h_score",
            expected=f"{positive:.3g} to {3 * positive:.3g}: each positive cell counts once to three times",
            source=H_SCORE,
        )
