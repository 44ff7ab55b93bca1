"""Identifiers made from patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST, clean_identifier
from lims.domain.naming import DEFAULT_PATTERNS, LARGEST_NUMBER, Noun, check_pattern, next_number, number_of, render
from lims.domain.pseudonyms import clean_patient_code


@pytest.mark.parametrize(
    ("pattern", "number", "identifier"),
    [
        ("AL-{number:05}", 42, "AL-00042"),
        ("AL-{number:05}", 123_456, "AL-123456"),
        ("{number}", 7, "7"),
        ("M{number:04}/a", 7, "M0007/a"),
        (" Käfig {number} ", 7, "Käfig 7"),
    ],
)
def test_rendering(pattern: str, number: int, identifier: str) -> None:
    assert render(pattern, number) == identifier
    assert number_of(pattern, identifier) == number


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "is empty"),
        ("AL-", "has no {number}"),
        ("AL-{Number}", "has no {number}"),
        ("AL-{number:5}", "has no {number}"),
        ("AL-{number:00}", "has no {number}"),
        ("AL-{number:010}", "has no {number}"),
        ("AL-{number!r}", "has no {number}"),
        ("{number.__class__}", "has no {number}"),
        ("{number}-{number}", "more than one {number}"),
        ("{year}-{number}", "identifiers may not have"),
        ("AL{{number}}", "identifiers may not have"),
        ("AL*{number}", "identifiers may not have"),
        ("AL2{number}", "digit beside its number"),
        ("{number}2", "digit beside its number"),
        ("AL\u200b-{number}", "do not show"),
        ("A" * (LONGEST - 8) + "{number}", "more than 80 characters"),
    ],
)
def test_what_is_no_pattern(pattern: str, words: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_pattern(pattern)

    assert words in str(refused.value)
    assert refused.value.field == "pattern"
    assert refused.value.expected


@pytest.mark.parametrize("number", [0, -1, LARGEST_NUMBER + 1])
def test_what_is_no_number(number: int) -> None:
    with pytest.raises(DomainError, match="cannot be part"):
        render("AL-{number}", number)


@pytest.mark.parametrize(
    "identifier", ["AL-0042", "AL-000042", "AL-00000", "al-00042", "AL-00042x", "xAL-00042", "AL-４２４２４", ""]
)
def test_what_the_pattern_does_not_make_has_no_number(identifier: str) -> None:
    assert number_of("AL-{number:05}", identifier) is None


def test_numbers_go_on_after_the_highest() -> None:
    assert next_number("AL-{number:05}", []) == 1
    assert next_number("AL-{number:05}", ["AL-00003", "AL-00012", "BX-00099", "AL-7"]) == 13


@given(st.integers(min_value=1, max_value=LARGEST_NUMBER), st.sampled_from(sorted(DEFAULT_PATTERNS)))
def test_a_default_pattern_makes_identifiers_that_read_back(number: int, noun: str) -> None:
    identifier = render(DEFAULT_PATTERNS[noun], number)

    assert clean_identifier(identifier) == identifier
    assert number_of(DEFAULT_PATTERNS[noun], identifier) == number
    assert next_number(DEFAULT_PATTERNS[noun], [identifier]) == number + 1


def test_every_noun_has_a_pattern_and_patients_stay_pseudonyms() -> None:
    assert set(DEFAULT_PATTERNS) == set(Noun)
    assert len(set(DEFAULT_PATTERNS.values())) == len(Noun)
    assert DEFAULT_PATTERNS["aliquot"] == "AL-{number:05}"
    assert clean_patient_code(render(DEFAULT_PATTERNS[Noun.PATIENT], 1)) == "BCBM-P01"
