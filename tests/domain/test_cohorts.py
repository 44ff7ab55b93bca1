"""The DEBBRAH cohort that a tissue mimics."""

from __future__ import annotations

from itertools import product

import pytest

from lims.domain.cohorts import ClinicalCohort, Condition, clinical_cohort, conditions
from lims.domain.tissue_terms import CnsStatus, Her2Label, Her2Result

POSITIVE = (Her2Result.POSITIVE, None)
LOW = (Her2Result.NEGATIVE, Her2Label.HER2_LOW)
ZERO = (Her2Result.NEGATIVE, Her2Label.HER2_ZERO)
UNLABELLED = (Her2Result.NEGATIVE, None)
EQUIVOCAL = (Her2Result.EQUIVOCAL, None)


@pytest.mark.parametrize(
    ("cns", "positive", "low"),
    [
        (CnsStatus.STABLE_AFTER_LOCAL_THERAPY, 1, None),
        (CnsStatus.UNTREATED_ASYMPTOMATIC, 2, 2),
        (CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY, 3, 4),
        (CnsStatus.LEPTOMENINGEAL, 5, 5),
        (CnsStatus.NONE_KNOWN, None, None),
        (CnsStatus.NOT_RECORDED, None, None),
    ],
)
def test_each_state_of_disease(cns: CnsStatus, positive: int | None, low: int | None) -> None:
    assert clinical_cohort(cns, *POSITIVE) == positive
    assert clinical_cohort(cns, *LOW) == low
    for other in (ZERO, UNLABELLED, EQUIVOCAL, (Her2Result.NOT_ASSESSED, None)):
        assert clinical_cohort(cns, *other) is None


def test_the_conditions_and_the_derivation_are_one_table() -> None:
    for everything in product(CnsStatus, Her2Result, [None, *Her2Label]):
        holders = [cohort for cohort in ClinicalCohort if Condition(*everything) in conditions(cohort)]
        found = clinical_cohort(*everything)
        assert holders == ([] if found is None else [found])


def test_each_cohort_says_what_it_is() -> None:
    assert [int(cohort) for cohort in ClinicalCohort] == [1, 2, 3, 4, 5]
    assert ClinicalCohort(4).title == "Cohort 4"
    assert ClinicalCohort(4).description == "HER2-low, brain metastases progressing after local therapy"
    assert len({cohort.description for cohort in ClinicalCohort}) == 5
