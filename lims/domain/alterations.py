"""What an alteration has to say, and what its value comes to: amplified, lost, overexpressed.

Sources: copy number from copies as Frampton et al., Nat Biotechnol 31:1023 (2013): amplified from 6 copies, deleted at 0;
from a log2 ratio as Cheng et al., J Mol Diagn 17:251 (2015): twofold either way. Expression is called from twofold too.
ΔCq alone says how much there is against the reference genes (MIQE, Bustin et al., Clin Chem 55:611 (2009)), not more or less than
what. Between those and what is usual a copy number is a gain or a loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lims.domain.errors import DomainError
from lims.domain.notices import Notice
from lims.domain.sources import CLINICAL, HGVS, MIQE
from lims.domain.tissue_terms import AlterationKind

AMPLIFIED_COPIES = 6.0
TWOFOLD = 1.0
"""Log2 ratio of twice as much."""
NOISE = 0.2
"""Log2 ratio within which a copy number counts as unchanged."""
VALUES = ("hgvs", "vaf_percent", "copies", "log2_ratio", "delta_cq", "h_score")


class Call(StrEnum):
    """What a finding comes to, in one word."""

    MUTATION = "mutation"
    FUSION = "fusion"
    AMPLIFIED = "amplified"
    GAIN = "gain"
    NEUTRAL = "neutral"
    LOSS = "loss"
    DELETED = "deleted"
    UP = "up"
    UNCHANGED = "unchanged"
    DOWN = "down"
    STAINED = "stained"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class _Needs:
    """One of `any_of` is needed; anything else than these and `also` is unusual."""

    kind: str
    any_of: tuple[str, ...]
    told: str
    also: tuple[str, ...] = ()


_NEEDS: Mapping[AlterationKind, _Needs] = {
    AlterationKind.MUTATION: _Needs("A mutation", ("hgvs", "vaf_percent"), "the change (HGVS) or the variant allele frequency"),
    AlterationKind.COPY_NUMBER: _Needs("A copy number", ("copies", "log2_ratio"), "the copies or the log2 ratio"),
    AlterationKind.FUSION: _Needs("A fusion", ("hgvs",), "its partners, such as ERBB2::GRB7", ("vaf_percent",)),
    AlterationKind.EXPRESSION: _Needs("An expression", ("log2_ratio", "delta_cq", "h_score"), "ΔCq, the log2 ratio or the H-score"),
    AlterationKind.PROTEIN: _Needs("A protein", ("h_score", "log2_ratio"), "the H-score or the log2 ratio"),
}


def kinds_with(value: str) -> list[AlterationKind]:
    """Give the kinds of finding that have a value, by its column; another kind with it is unusual."""
    return [kind for kind, needs in _NEEDS.items() if value in needs.any_of + needs.also]


_CHANGE = re.compile(r"(?:[A-Z]{2}_?\d+(?:\.\d+)?(?:\([\w.-]+\))?:)?[cgmnpr]\.\S+(?:\s.*)?")
"""An HGVS description, with or without its reference sequence."""
_FUSION = "::"


def require_value(kind: AlterationKind, values: Mapping[str, Any]) -> None:
    """Refuse a finding without a value of its kind; `values` are by column.

    Raises:
        DomainError: on the column that is missing first.
    """
    needs = _NEEDS[kind]
    if all(values.get(name) is None for name in needs.any_of):
        raise DomainError(
            f"{needs.kind} is recorded without a value.",
            field=needs.any_of[0],
            expected=needs.told,
            remedy="Copy it from the report. What was looked for and not found is no alteration.",
            source=CLINICAL,
        )
    if values.get("delta_cq") is not None and not values.get("reference_genes"):
        raise DomainError(
            "ΔCq is recorded without the reference genes that it is against.",
            field="reference_genes",
            expected="their symbols, such as GAPDH, ACTB",
            source=MIQE,
        )


def unusual(kind: AlterationKind, values: Mapping[str, Any]) -> list[Notice]:
    """Give what does not belong to a kind, and changes that are not written as HGVS writes them (HGVS 21.1)."""
    needs = _NEEDS[kind]
    found = [
        Notice("warning", name, f"{needs.kind} usually has no {_WORDS[name]}.", needs.told, source=HGVS)
        for name in VALUES
        if values.get(name) is not None and name not in (*needs.any_of, *needs.also)
    ]
    text = values.get("hgvs")
    if text and kind is AlterationKind.MUTATION and not _CHANGE.fullmatch(text):
        found.append(
            Notice("warning", "hgvs", f'"{text}" is not written as HGVS writes a change.', "such as p.His1047Arg", source=HGVS)
        )
    if text and kind is AlterationKind.FUSION and _FUSION not in text:
        found.append(Notice("warning", "hgvs", f'"{text}" does not name two partners.', "such as ERBB2::GRB7", source=HGVS))
    return found


_WORDS = {
    "hgvs": "change (HGVS)",
    "vaf_percent": "variant allele frequency",
    "copies": "number of copies",
    "log2_ratio": "log2 ratio",
    "delta_cq": "ΔCq",
    "h_score": "H-score",
}


def call_of(kind: AlterationKind, copies: float | None, log2_ratio: float | None, delta_cq: float | None = None) -> Call:
    """Give what a finding comes to. Copies per cell; log2 of tumour over reference; ΔCq in cycles."""
    if kind is AlterationKind.MUTATION:
        return Call.MUTATION
    if kind is AlterationKind.FUSION:
        return Call.FUSION
    if kind is AlterationKind.COPY_NUMBER:
        return _by_copies(copies) if copies is not None else _by_ratio(log2_ratio or 0.0)
    if log2_ratio is None:
        return Call.STAINED if delta_cq is None else Call.MEASURED
    if abs(log2_ratio) < TWOFOLD:
        return Call.UNCHANGED
    return Call.UP if log2_ratio > 0 else Call.DOWN


def _by_copies(copies: float) -> Call:
    if copies >= AMPLIFIED_COPIES:
        return Call.AMPLIFIED
    return {0: Call.DELETED, 1: Call.LOSS, 2: Call.NEUTRAL}.get(round(copies), Call.GAIN)


def _by_ratio(ratio: float) -> Call:
    if abs(ratio) >= TWOFOLD:
        return Call.AMPLIFIED if ratio > 0 else Call.DELETED
    if abs(ratio) <= NOISE:
        return Call.NEUTRAL
    return Call.GAIN if ratio > 0 else Call.LOSS
