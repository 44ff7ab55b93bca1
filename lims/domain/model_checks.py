"""What checks of a model come to: STR match with the patient, HER2 against the founding tissue, fractions of species.

Source: PDX-MI (Meehan et al., Cancer Research 77:e62, 2017), quality assurance module; for STR, `lims.domain.str_match`; for
lymphomas of EBV-carrying human cells in immunodeficient mice, Chen et al., Oncogene 31:4266 (2012): CD45 or EBV in the tumour.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lims.domain.str_match import StrVerdict
from lims.domain.tissue_terms import CheckKind, CheckResult, Her2Result

CHECK_WORDS: Mapping[CheckKind, str] = MappingProxyType(
    {
        CheckKind.STR_PROFILE: "authentication by STR profile",
        CheckKind.MYCOPLASMA: "the mycoplasma test",
        CheckKind.SPECIES_FRACTION: "the test for mouse cells",
        CheckKind.LYMPHOMA_EXCLUSION: "the exclusion of lymphoma (CD45, EBV)",
        CheckKind.HISTOLOGY_CONCORDANCE: "the comparison of histology",
        CheckKind.HER2_RETAINED: "the comparison of HER2",
    }
)
"""As they stand in a sentence: failed …, passed …"""

CHECK_TITLES: Mapping[CheckKind, str] = MappingProxyType(
    {
        CheckKind.STR_PROFILE: "STR profile",
        CheckKind.MYCOPLASMA: "Mycoplasma",
        CheckKind.SPECIES_FRACTION: "Human and mouse fraction",
        CheckKind.LYMPHOMA_EXCLUSION: "Lymphoma exclusion (CD45, EBV)",
        CheckKind.HISTOLOGY_CONCORDANCE: "Histology concordance",
        CheckKind.HER2_RETAINED: "HER2 retained",
    }
)
"""As they stand in lists and choices."""

VALUE_WORDS: Mapping[CheckKind, str] = MappingProxyType(
    {CheckKind.STR_PROFILE: "match by Tanabe", CheckKind.SPECIES_FRACTION: "human fraction"}
)
"""Kinds that measure something in percent, and what it is."""

BY_VERDICT: Mapping[StrVerdict, CheckResult] = MappingProxyType(
    {
        StrVerdict.RELATED: CheckResult.PASSED,
        StrVerdict.AMBIGUOUS: CheckResult.INCONCLUSIVE,
        StrVerdict.UNRELATED: CheckResult.FAILED,
    }
)

_DECIDED = frozenset({Her2Result.POSITIVE, Her2Result.NEGATIVE})


def her2_retained(founding: Her2Result, checked: Her2Result) -> CheckResult:
    """Say whether a model's tissue kept the HER2 status it was founded with (ASCO/CAP results on both sides).

    What is equivocal or not assessed on either side decides nothing.
    """
    if founding not in _DECIDED or checked not in _DECIDED:
        return CheckResult.INCONCLUSIVE
    return CheckResult.PASSED if founding is checked else CheckResult.FAILED
