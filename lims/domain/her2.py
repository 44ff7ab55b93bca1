"""HER2 status from immunohistochemistry (IHC) and in-situ hybridisation (ISH): derived from reports, never typed.

Source: ASCO/CAP 2018 (Wolff et al., J Clin Oncol 36:2105), affirmed 2023 (Wolff et al., J Clin Oncol 41:3867).
HER2-low as in Tarantino et al., J Clin Oncol 38:1951 (2020): 1+, or 2+ with ISH negative. Where IHC and ISH contradict
each other (0 or 1+ but amplified, 3+ but not amplified) either positive test makes the result positive, as the
guideline's definition says, and the finding is marked as discordant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from lims.domain.errors import DomainError
from lims.domain.tissue_terms import Her2Ihc, Her2Label, Her2Result, IshProbe

SOURCE = "ASCO/CAP 2018, affirmed 2023"
AMPLIFIED_RATIO = 2.0
HIGH_COPIES = 6.0
"""Mean HER2 signals per cell from which copies alone count."""
LOW_COPIES = 4.0
"""Mean HER2 signals per cell below which there is no amplification."""
MOST_COPIES = 200.0
LARGEST_RATIO = 100.0

_ISH = "in-situ hybridisation (ISH)"
_IHC = "the IHC score"
_COPIES = "the mean HER2 copies per cell"
_RATIO = "the HER2/CEP17 ratio"
_PROBE = "whether the ISH probe was single or dual"
_DUAL = "ISH with a dual probe"

GROUPS = {
    1: "ratio ≥2 and ≥4 copies",
    2: "ratio ≥2 but <4 copies",
    3: "ratio <2 but ≥6 copies",
    4: "ratio <2 and 4 to <6 copies",
    5: "ratio <2 and <4 copies",
}
"""The guideline's dual-probe groups, in words."""

_POSITIVE_WITH: dict[int, frozenset[Her2Ihc]] = {
    2: frozenset({Her2Ihc.THREE_PLUS}),
    3: frozenset({Her2Ihc.TWO_PLUS, Her2Ihc.THREE_PLUS}),
    4: frozenset({Her2Ihc.THREE_PLUS}),
}
"""Groups that IHC decides → the scores that make them positive."""


@dataclass(frozen=True, slots=True)
class Her2Finding:
    """What the assays come to.

    `group` is the dual-probe ISH group 1 to 5 where one can be told. `needs` says in words what is missing. `rule` is
    one sentence on why. `discordant`: IHC and ISH contradict each other and should be reviewed.
    """

    result: Her2Result
    label: Her2Label | None
    group: int | None
    needs: tuple[str, ...]
    rule: str
    source: str = SOURCE
    discordant: bool = False


@dataclass(frozen=True, slots=True)
class AssayReport:
    """The HER2 part of one receptor assay, as it was reported. Copies: mean HER2 signals per cell."""

    assayed_on: date | None
    ihc: Her2Ihc | None
    probe: IshProbe | None
    copies: float | None
    ratio: float | None


def classify(ihc: Her2Ihc | None, probe: IshProbe | None, copies: float | None, ratio: float | None) -> Her2Finding:
    """Give the HER2 status of one set of assays (ASCO/CAP 2018, affirmed 2023).

    Args:
        ihc: the IHC score.
        probe: single (HER2 alone) or dual (HER2 and CEP17); a ratio without a probe can only come from a dual one.
        copies: mean HER2 signals per cell.
        ratio: HER2/CEP17, without unit.

    Raises:
        DomainError: a number is impossible, or a ratio is given with a single probe.
    """
    _require_possible("her2_copies", "HER2 copies per cell", copies, MOST_COPIES)
    _require_possible("her2_cep17_ratio", "HER2/CEP17 ratio", ratio, LARGEST_RATIO)
    if probe is IshProbe.SINGLE and ratio is not None:
        raise DomainError(
            f"A HER2/CEP17 ratio of {ratio:g} cannot come from a single probe, which does not count CEP17.",
            field="her2_cep17_ratio",
            expected="a dual probe, or no ratio",
            remedy="Look at the report: choose the dual probe, or take the ratio out.",
            source=SOURCE,
        )
    if ratio is not None:
        probe = IshProbe.DUAL
    if probe is IshProbe.DUAL and copies is not None and ratio is not None:
        return _dual(ihc, copies, ratio)
    if probe is IshProbe.SINGLE and copies is not None:
        return _single(ihc, copies)
    return _without_whole_ish(ihc, _missing_ish(probe, copies, ratio))


def combine(assays: Sequence[AssayReport]) -> Her2Finding:
    """Give the HER2 status of a specimen's reports: its newest IHC score with its newest ISH counts.

    An undated report counts as the oldest; of two of the same day the later one in the sequence counts. Retests replace
    what they retest, as in ASCO/CAP 2018.

    Raises:
        DomainError: as `classify`.
    """
    scored, counted = deciding(assays)
    ihc = None if scored is None else assays[scored].ihc
    if counted is None:
        return classify(ihc, None, None, None)
    ish = assays[counted]
    return classify(ihc, ish.probe, ish.copies, ish.ratio)


def deciding(assays: Sequence[AssayReport]) -> tuple[int | None, int | None]:
    """Say which of a specimen's reports its status is made of: the places of the IHC score and of the ISH counts."""
    return (
        _newest(assays, lambda assay: assay.ihc is not None),
        _newest(assays, lambda assay: assay.copies is not None or assay.ratio is not None),
    )


def ish_group(copies: float, ratio: float) -> int:
    """Give the dual-probe group 1 to 5 of ASCO/CAP 2018 for mean copies per cell and HER2/CEP17 ratio."""
    if ratio >= AMPLIFIED_RATIO:
        return 1 if copies >= LOW_COPIES else 2
    if copies >= HIGH_COPIES:
        return 3
    return 4 if copies >= LOW_COPIES else 5


def _newest(assays: Sequence[AssayReport], wanted: Callable[[AssayReport], bool]) -> int | None:
    dated = [(assay.assayed_on or date.min, order) for order, assay in enumerate(assays) if wanted(assay)]
    return max(dated)[1] if dated else None


def _require_possible(field: str, what: str, value: float | None, highest: float) -> None:
    if value is not None and not (math.isfinite(value) and 0 <= value <= highest):
        raise DomainError(
            f"{value:g} is no possible {what}.",
            field=field,
            expected=f"a number from 0 to {highest:g}",
            remedy="Copy it from the report again; look at the decimal point.",
            source=SOURCE,
        )


def _missing_ish(probe: IshProbe | None, copies: float | None, ratio: float | None) -> tuple[str, ...]:
    """What an ISH that cannot be read lacks; all of it where there is none."""
    if probe is None:
        return (_PROBE,) if copies is not None else (_ISH,)
    missing = [_COPIES] if copies is None else []
    if probe is IshProbe.DUAL and ratio is None:
        missing.append(_RATIO)
    return tuple(missing)


def _without_whole_ish(ihc: Her2Ihc | None, missing: tuple[str, ...]) -> Her2Finding:
    if ihc is None:
        if missing == (_ISH,):
            return Her2Finding(Her2Result.NOT_ASSESSED, None, None, (_IHC,), "Neither IHC nor ISH is recorded.")
        return _equivocal(None, (_IHC, *missing), "There is no IHC score and the ISH is incomplete.")
    if ihc is Her2Ihc.TWO_PLUS:
        return _equivocal(None, missing, "IHC 2+ is decided by ISH.")
    return _by_ihc(ihc)


def _by_ihc(ihc: Her2Ihc) -> Her2Finding:
    """What 0, 1+ and 3+ say by themselves."""
    if ihc is Her2Ihc.THREE_PLUS:
        return Her2Finding(Her2Result.POSITIVE, None, None, (), "IHC 3+ is positive.")
    return Her2Finding(Her2Result.NEGATIVE, _label(ihc), None, (), f"IHC {ihc.value} is negative.")


def _label(ihc: Her2Ihc | None) -> Her2Label | None:
    """The research label beside a negative result."""
    if ihc is Her2Ihc.ZERO:
        return Her2Label.HER2_ZERO
    return Her2Label.HER2_LOW if ihc in {Her2Ihc.ONE_PLUS, Her2Ihc.TWO_PLUS} else None


def _equivocal(group: int | None, needs: tuple[str, ...], rule: str) -> Her2Finding:
    return Her2Finding(Her2Result.EQUIVOCAL, None, group, needs, rule)


def _dual(ihc: Her2Ihc | None, copies: float, ratio: float) -> Her2Finding:
    group = ish_group(copies, ratio)
    words = f"dual-probe ISH group {group} ({GROUPS[group]})"
    if group == 1:
        return _amplified(ihc, group, words)
    if group == 5:
        return _not_amplified(ihc, group, words)
    if ihc is None:
        return _equivocal(group, (_IHC,), f"{_capital(words)} is decided by IHC.")
    if ihc in _POSITIVE_WITH[group]:
        return Her2Finding(Her2Result.POSITIVE, None, group, (), f"{_capital(words)} is positive with IHC {ihc.value}.")
    scores = " or ".join(sorted(score.value for score in _POSITIVE_WITH[group]))
    rule = f"{_capital(words)} is positive only with IHC {scores}, and IHC is {ihc.value}."
    return Her2Finding(Her2Result.NEGATIVE, _label(ihc), group, (), rule)


def _single(ihc: Her2Ihc | None, copies: float) -> Her2Finding:
    if copies >= HIGH_COPIES:
        return _amplified(ihc, None, "single-probe ISH with ≥6 copies")
    if copies < LOW_COPIES:
        return _not_amplified(ihc, None, "single-probe ISH with <4 copies")
    if ihc is None or ihc is Her2Ihc.TWO_PLUS:
        return _equivocal(None, (_DUAL,), "Single-probe ISH with 4 to <6 copies is decided by a dual probe.")
    decided = _by_ihc(ihc)
    return replace(decided, rule=f"{decided.rule[:-1]}; single-probe ISH with 4 to <6 copies does not decide.")


def _amplified(ihc: Her2Ihc | None, group: int | None, words: str) -> Her2Finding:
    discordant = ihc in {Her2Ihc.ZERO, Her2Ihc.ONE_PLUS}
    against = f", although IHC is {ihc.value}: have both reviewed" if discordant and ihc else ""
    return Her2Finding(Her2Result.POSITIVE, None, group, (), f"{_capital(words)} is positive{against}.", discordant=discordant)


def _not_amplified(ihc: Her2Ihc | None, group: int | None, words: str) -> Her2Finding:
    if ihc is Her2Ihc.THREE_PLUS:
        rule = f"IHC 3+ is positive, although {words} is negative: have both reviewed."
        return Her2Finding(Her2Result.POSITIVE, None, group, (), rule, discordant=True)
    return Her2Finding(Her2Result.NEGATIVE, _label(ihc), group, (), f"{_capital(words)} is negative.")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
