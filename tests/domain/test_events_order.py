"""Nothing happens before what it needs, after a death, or in the future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from lims.domain.errors import DomainError
from lims.domain.events_order import (
    Fact,
    Life,
    Tissue,
    require_animal_dates,
    require_collection,
    require_death,
    require_engraftment,
    require_harvest,
    require_implanting,
    require_order,
    require_preservation,
)

TODAY = date(2026, 3, 30)
LIFE = Life("M0017", date(2026, 1, 5), date(2026, 2, 20), date(2026, 3, 20))
TISSUE = Tissue("AL-00042", date(2026, 2, 10), date(2026, 2, 25))


def day(month: int, number: int) -> date:
    return date(2026, month, number)


@pytest.mark.parametrize(
    "check",
    [
        lambda: require_implanting(day(3, 1), LIFE, TODAY, TISSUE),
        lambda: require_implanting(day(3, 20), LIFE, TODAY),  # the day of death
        lambda: require_implanting(day(2, 25), LIFE, TODAY, TISSUE),  # the day of freezing
        lambda: require_implanting(None, LIFE, TODAY, TISSUE),
        lambda: require_implanting(day(3, 30), Life("M1"), TODAY),
        lambda: require_implanting(day(3, 1), LIFE, TODAY, Tissue("AL-1")),
        lambda: require_engraftment(day(3, 1), day(3, 1), LIFE, TODAY),
        lambda: require_engraftment(None, day(3, 1), LIFE, TODAY),
        lambda: require_harvest(day(3, 21), day(3, 1), LIFE, TODAY),  # necropsy, the day after
        lambda: require_harvest(day(3, 21), None, Life("M1"), TODAY),
        lambda: require_collection(TODAY, TODAY, patient_code="P1", birth_year=1968),
        lambda: require_collection(None, TODAY, patient_code="P1"),
        lambda: require_preservation(day(2, 10), "AL-1", day(2, 10), TODAY),
        lambda: require_death(day(3, 20), LIFE, TODAY, Fact("the last dose of M0017", day(3, 20))),
        lambda: require_death(None, LIFE, TODAY),
        lambda: require_animal_dates(LIFE, TODAY),
        lambda: require_animal_dates(Life("M1", died=day(3, 1)), TODAY),
    ],
)
def test_what_is_in_order(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    ("check", "field", "sentence"),
    [
        (
            lambda: require_implanting(day(2, 19), LIFE, TODAY),
            "implanted_on",
            "The implanting of M0017 on 2026-02-19 comes before the arrival of M0017 on 2026-02-20.",
        ),
        (
            lambda: require_implanting(day(1, 4), Life("M1", born=day(1, 5)), TODAY),
            "implanted_on",
            "The implanting of M1 on 2026-01-04 comes before the birth of M1 on 2026-01-05.",
        ),
        (
            lambda: require_implanting(day(3, 21), LIFE, TODAY),
            "implanted_on",
            "The implanting of M0017 on 2026-03-21 comes after the death of M0017 on 2026-03-20.",
        ),
        (
            lambda: require_implanting(day(3, 31), Life("M1"), TODAY),
            "implanted_on",
            "The implanting of M1 is dated 2026-03-31, and today is 2026-03-30.",
        ),
        (
            lambda: require_implanting(day(2, 24), LIFE, TODAY, TISSUE),
            "implanted_on",
            "The implanting of M0017 on 2026-02-24 comes before the preservation of AL-00042 on 2026-02-25.",
        ),
        (
            lambda: require_implanting(day(2, 9), Life("M1"), TODAY, TISSUE),
            "implanted_on",
            "The implanting of M1 on 2026-02-09 comes before the collection of AL-00042 on 2026-02-10.",
        ),
        (
            lambda: require_engraftment(day(2, 28), day(3, 1), LIFE, TODAY),
            "engrafted_on",
            "The first sight of the tumour of M0017 on 2026-02-28 comes before the implanting of M0017 on 2026-03-01.",
        ),
        (
            lambda: require_harvest(day(2, 28), day(3, 1), LIFE, TODAY),
            "collected_on",
            "The harvest from M0017 on 2026-02-28 comes before the implanting of M0017 on 2026-03-01.",
        ),
        (
            lambda: require_harvest(day(2, 1), None, LIFE, TODAY),
            "collected_on",
            "The harvest from M0017 on 2026-02-01 comes before the arrival of M0017 on 2026-02-20.",
        ),
        (
            lambda: require_collection(date(1967, 1, 1), TODAY, patient_code="P1", birth_year=1968),
            "collected_on",
            "The collection from P1 on 1967-01-01 comes before 1968, the patient's year of birth.",
        ),
        (
            lambda: require_collection(day(3, 31), TODAY, patient_code="P1"),
            "collected_on",
            "The collection from P1 is dated 2026-03-31, and today is 2026-03-30.",
        ),
        (
            lambda: require_preservation(day(2, 9), "AL-1", day(2, 10), TODAY),
            "preserved_on",
            "The preservation of AL-1 on 2026-02-09 comes before the collection of AL-1 on 2026-02-10.",
        ),
        (
            lambda: require_death(day(3, 19), LIFE, TODAY, Fact("the last dose of M0017", day(3, 20))),
            "died_on",
            "The death of M0017 on 2026-03-19 comes before the last dose of M0017 on 2026-03-20.",
        ),
        (
            lambda: require_death(day(2, 19), LIFE, TODAY),
            "died_on",
            "The death of M0017 on 2026-02-19 comes before the arrival of M0017 on 2026-02-20.",
        ),
        (
            lambda: require_animal_dates(Life("M1", day(2, 2), day(2, 1)), TODAY),
            "arrived_on",
            "The arrival of M1 on 2026-02-01 comes before the birth of M1 on 2026-02-02.",
        ),
        (
            lambda: require_animal_dates(Life("M1", born=day(4, 1)), TODAY),
            "birth_date",
            "The birth of M1 is dated 2026-04-01, and today is 2026-03-30.",
        ),
    ],
)
def test_what_is_out_of_order(check: Callable[[], None], field: str, sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        check()

    assert str(refused.value) == sentence
    assert refused.value.field == field
    assert refused.value.expected
    assert refused.value.remedy


def test_what_is_not_dated_is_not_judged() -> None:
    require_order(Fact("this", None), Fact("that", TODAY), field="x")
    require_order(Fact("this", TODAY), Fact("that", None), field="x")
