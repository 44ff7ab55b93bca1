"""Tests of what people write for terms."""

from __future__ import annotations

from enum import Enum

import pytest

from lims.domain.cohort_terms import ConcentrationUnit, DoseRoute, ExposureMatrix, FateReason
from lims.domain.colony_terms import Hemisphere
from lims.domain.term_words import _WORDS, _key, term_of, yes_or_no
from lims.domain.tissue_terms import AgentClass, AmountUnit, Her2Ihc
from lims.domain.vocabulary import AnimalStatus, CollectionProcedure, Sex


@pytest.mark.parametrize(
    ("vocabulary", "text", "term"),
    [
        (Her2Ihc, "3+", Her2Ihc.THREE_PLUS),
        (Her2Ihc, " Positive ", Her2Ihc.THREE_PLUS),
        (Her2Ihc, "negative", None),  # 0 or 1+: nobody can tell
        (Hemisphere, "left hemisphere", Hemisphere.LEFT),
        (Sex, "F", Sex.FEMALE),
        (Sex, "unknown", Sex.NOT_RECORDED),
        (AnimalStatus, "not recorded", AnimalStatus.NOT_RECORDED),
        (AmountUnit, "uL", AmountUnit.MICROLITRE),
        (AmountUnit, "µL", AmountUnit.MICROLITRE),
        (AmountUnit, "μL", AmountUnit.MICROLITRE),
        (ConcentrationUnit, "ng/ml", ConcentrationUnit.NG_PER_ML),
        (ConcentrationUnit, "µg/mL", None),
        (ExposureMatrix, "Lesion core", ExposureMatrix.LESION_CORE),
        (ExposureMatrix, "brain", None),
        (AgentClass, "CDK4/6 inhibitor", AgentClass.CDK4_6_INHIBITOR),
        (DoseRoute, "p.o.", DoseRoute.ORAL_GAVAGE),
        (FateReason, "found dead in cage", FateReason.FOUND_DEAD),
        (CollectionProcedure, "surgery", None),
        (CollectionProcedure, "", None),
    ],
)
def test_a_text_names_one_term_or_none(vocabulary: type[Enum], text: str, term: Enum | None) -> None:
    assert term_of(vocabulary, text) is term


def test_no_word_stands_for_two_terms_of_a_vocabulary() -> None:
    for vocabulary, words in _WORDS.items():
        said = [_key(word) for spellings in words.values() for word in spellings.split("|")]
        assert sorted(set(said)) == sorted(said), vocabulary
        own = {_key(str(term.value)): term for term in vocabulary}
        assert all(own.get(_key(word), term) is term for term, spellings in words.items() for word in spellings.split("|"))


def test_yes_and_no() -> None:
    assert [yes_or_no(text) for text in ("Yes", " x ", "0", "FALSE", "perhaps", "")] == [True, True, False, False, None, None]
