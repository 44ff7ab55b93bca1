"""Which cohort of the DEBBRAH trial a tissue mimics, from HER2 and the state of the brain disease it was taken in.

Source: DEBBRAH (NCT04420598), trastuzumab deruxtecan in breast cancer with metastases of the central nervous system;
Pérez-García et al., Neuro-Oncology 25:157 (2023). One table drives both the derivation and the search.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from lims.domain.tissue_terms import CnsStatus, Her2Label, Her2Result


class ClinicalCohort(IntEnum):
    """The five cohorts of DEBBRAH by number."""

    HER2_POSITIVE_STABLE = 1
    UNTREATED_ASYMPTOMATIC = 2
    HER2_POSITIVE_PROGRESSING = 3
    HER2_LOW_PROGRESSING = 4
    LEPTOMENINGEAL = 5

    @property
    def title(self) -> str:
        """Give the short name, such as `Cohort 3`."""
        return f"Cohort {int(self)}"

    @property
    def description(self) -> str:
        """Say in words which patients the cohort took."""
        return _COHORTS[self].description


class Condition(NamedTuple):
    """One combination a cohort takes: all three must be equal; no label means that the record has none."""

    cns_status: CnsStatus
    her2_result: Her2Result
    her2_label: Her2Label | None


@dataclass(frozen=True, slots=True)
class _Definition:
    description: str
    cns_status: CnsStatus
    classes: tuple[tuple[Her2Result, Her2Label | None], ...]


_POSITIVE = (Her2Result.POSITIVE, None)
_LOW = (Her2Result.NEGATIVE, Her2Label.HER2_LOW)

_COHORTS: dict[ClinicalCohort, _Definition] = {
    ClinicalCohort.HER2_POSITIVE_STABLE: _Definition(
        "HER2-positive, brain metastases not progressing after local therapy", CnsStatus.STABLE_AFTER_LOCAL_THERAPY, (_POSITIVE,)
    ),
    ClinicalCohort.UNTREATED_ASYMPTOMATIC: _Definition(
        "HER2-positive or HER2-low, asymptomatic untreated brain metastases", CnsStatus.UNTREATED_ASYMPTOMATIC, (_POSITIVE, _LOW)
    ),
    ClinicalCohort.HER2_POSITIVE_PROGRESSING: _Definition(
        "HER2-positive, brain metastases progressing after local therapy", CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY, (_POSITIVE,)
    ),
    ClinicalCohort.HER2_LOW_PROGRESSING: _Definition(
        "HER2-low, brain metastases progressing after local therapy", CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY, (_LOW,)
    ),
    ClinicalCohort.LEPTOMENINGEAL: _Definition(
        "HER2-positive or HER2-low, leptomeningeal carcinomatosis", CnsStatus.LEPTOMENINGEAL, (_POSITIVE, _LOW)
    ),
}


def conditions(cohort: ClinicalCohort) -> tuple[Condition, ...]:
    """Give what a cohort takes as data, so that a query can filter by it (DEBBRAH, Pérez-García et al. 2023)."""
    definition = _COHORTS[cohort]
    return tuple(Condition(definition.cns_status, result, label) for result, label in definition.classes)


_BY_CONDITION = {condition: cohort for cohort in ClinicalCohort for condition in conditions(cohort)}


def clinical_cohort(cns: CnsStatus, result: Her2Result, label: Her2Label | None) -> ClinicalCohort | None:
    """Give the DEBBRAH cohort that tissue with this brain disease and HER2 class mimics; `None` where none took such.

    Source: NCT04420598, Pérez-García et al. 2023. HER2-low with stable disease had no cohort.
    """
    return _BY_CONDITION.get(Condition(cns, result, label))
