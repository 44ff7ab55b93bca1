"""The order of events: nothing happens before what it needs, after a death, or in the future.

Source: product rules ("Order of events"); ARRIVE 2.0 items 8 and 9 for the animal's dates, SPREC 3.0 for tissue. Dates
are days, of the laboratory's calendar; two events of one day are in order, unless it is said otherwise. A date that is
not recorded is not judged: old spreadsheets leave many out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from lims.domain.errors import DomainError
from lims.domain.sources import ORDER_OF_EVENTS


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, in words that stand inside a sentence (`the arrival of M0017`), and when."""

    what: str
    on: date | None


@dataclass(frozen=True, slots=True)
class Life:
    """The dates of an animal. `code` names it in sentences."""

    code: str
    born: date | None = None
    arrived: date | None = None
    died: date | None = None


@dataclass(frozen=True, slots=True)
class Tissue:
    """The dates of the aliquot that is implanted. `code` names it in sentences."""

    code: str
    collected: date | None = None
    preserved: date | None = None


def require_order(earlier: Fact, later: Fact, *, field: str) -> None:
    """Refuse a later event that is dated before the earlier one; the same day is in order.

    Raises:
        DomainError: on the column `field`, naming both with their dates.
    """
    if earlier.on is None or later.on is None or earlier.on <= later.on:
        return
    raise DomainError(
        f"{_capital(later.what)} on {later.on} comes before {earlier.what} on {earlier.on}.",
        field=field,
        expected=f"{earlier.on} or later for {later.what}",
        remedy="Correct the date that is wrong: this one, or the one it is compared with.",
        source=ORDER_OF_EVENTS,
    )


def require_not_future(fact: Fact, today: date, *, field: str) -> None:
    """Refuse an event after today, which has not happened yet.

    Raises:
        DomainError: on the column `field`.
    """
    if fact.on is not None and fact.on > today:
        raise DomainError(
            f"{_capital(fact.what)} is dated {fact.on}, and today is {today}.",
            field=field,
            expected="today or earlier",
            remedy="Correct the date, or record it when it has happened.",
            source=ORDER_OF_EVENTS,
        )


def require_time_of(day: Fact, at: datetime | None, zone: tzinfo, *, field: str) -> None:
    """Refuse a time that lies on another day of the laboratory than the one that it is the time of.

    Raises:
        DomainError: on the column `field`.
    """
    if day.on is None or at is None or (of := at.astimezone(zone).date()) == day.on:
        return
    raise DomainError(
        f"{_capital(day.what)} is of {day.on}, and its time of {of}.",
        field=field,
        expected=f"a time of {day.on}",
        remedy="Correct the day or the time, whichever is wrong.",
        source=ORDER_OF_EVENTS,
    )


def require_alive(fact: Fact, life: Life, *, field: str) -> None:
    """Refuse an event in the life of an animal before its birth or arrival, or after its death (ARRIVE 2.0 item 8).

    Raises:
        DomainError: on the column `field`.
    """
    require_order(Fact(f"the birth of {life.code}", life.born), fact, field=field)
    require_order(Fact(f"the arrival of {life.code}", life.arrived), fact, field=field)
    if fact.on is not None and life.died is not None and fact.on > life.died:
        raise DomainError(
            f"{_capital(fact.what)} on {fact.on} comes after the death of {life.code} on {life.died}.",
            field=field,
            expected=f"{life.died} or earlier",
            remedy="Look whether it is the right animal, and correct the date that is wrong.",
            source=ORDER_OF_EVENTS,
        )


def require_animal_dates(life: Life, today: date) -> None:
    """Refuse an animal that arrives before its birth, dies before either, or does any of it in the future.

    Raises:
        DomainError: on `birth_date`, `arrived_on` or `died_on`.
    """
    born = Fact(f"the birth of {life.code}", life.born)
    arrived = Fact(f"the arrival of {life.code}", life.arrived)
    died = Fact(f"the death of {life.code}", life.died)
    require_not_future(born, today, field="birth_date")
    require_not_future(arrived, today, field="arrived_on")
    require_not_future(died, today, field="died_on")
    require_order(born, arrived, field="arrived_on")
    require_order(born, died, field="died_on")
    require_order(arrived, died, field="died_on")


def require_implanting(implanted_on: date | None, life: Life, today: date, tissue: Tissue | None = None) -> None:
    """Refuse an implanting in the future, outside the animal's life, or before its tissue was there (ARRIVE 2.0, SPREC 3.0).

    Raises:
        DomainError: on `implanted_on`.
    """
    fact = Fact(f"the implanting of {life.code}", implanted_on)
    require_not_future(fact, today, field="implanted_on")
    require_alive(fact, life, field="implanted_on")
    if tissue is not None:
        require_order(Fact(f"the collection of {tissue.code}", tissue.collected), fact, field="implanted_on")
        require_order(Fact(f"the preservation of {tissue.code}", tissue.preserved), fact, field="implanted_on")


def require_engraftment(engrafted_on: date | None, implanted_on: date | None, life: Life, today: date) -> None:
    """Refuse a tumour that is seen in the future, before its implanting, or first seen after the day of death.

    Raises:
        DomainError: on `engrafted_on`.
    """
    fact = Fact(f"the first sight of the tumour of {life.code}", engrafted_on)
    require_not_future(fact, today, field="engrafted_on")
    require_order(Fact(f"the implanting of {life.code}", implanted_on), fact, field="engrafted_on")
    require_alive(fact, life, field="engrafted_on")


def require_harvest(collected_on: date | None, implanted_on: date | None, life: Life, today: date) -> None:
    """Refuse tissue of an animal that is collected in the future or before the implant it grew from.

    A harvest after death is in order: most happen at necropsy.

    Raises:
        DomainError: on `collected_on`.
    """
    fact = Fact(f"the harvest from {life.code}", collected_on)
    require_not_future(fact, today, field="collected_on")
    require_order(Fact(f"the implanting of {life.code}", implanted_on), fact, field="collected_on")
    require_order(Fact(f"the birth of {life.code}", life.born), fact, field="collected_on")
    require_order(Fact(f"the arrival of {life.code}", life.arrived), fact, field="collected_on")


def require_collection(collected_on: date | None, today: date, *, patient_code: str, birth_year: int | None = None) -> None:
    """Refuse tissue of a patient that is collected in the future or before the year of birth.

    Raises:
        DomainError: on `collected_on`.
    """
    fact = Fact(f"the collection from {patient_code}", collected_on)
    require_not_future(fact, today, field="collected_on")
    if birth_year is not None and collected_on is not None and collected_on.year < birth_year:
        raise DomainError(
            f"The collection from {patient_code} on {collected_on} comes before {birth_year}, the patient's year of birth.",
            field="collected_on",
            expected=f"{birth_year} or later",
            remedy="Correct the date, or the patient's year of birth.",
            source=ORDER_OF_EVENTS,
        )


def require_preservation(preserved_on: date | None, tissue_code: str, collected_on: date | None, today: date) -> None:
    """Refuse an aliquot that is preserved in the future or before its specimen was collected (SPREC 3.0).

    Raises:
        DomainError: on `preserved_on`.
    """
    fact = Fact(f"the preservation of {tissue_code}", preserved_on)
    require_not_future(fact, today, field="preserved_on")
    require_order(Fact(f"the collection of {tissue_code}", collected_on), fact, field="preserved_on")


def require_enrolment(enrolled_on: date | None, implanted_on: date | None, life: Life, today: date) -> None:
    """Refuse an animal that comes into a study in the future, outside its life, or before its first implanting.

    Raises:
        DomainError: on `enrolled_on`.
    """
    fact = Fact(f"the enrolment of {life.code}", enrolled_on)
    require_not_future(fact, today, field="enrolled_on")
    require_alive(fact, life, field="enrolled_on")
    require_order(Fact(f"the implanting of {life.code}", implanted_on), fact, field="enrolled_on")


def require_death(died_on: date | None, life: Life, today: date, last: Fact | None = None) -> None:
    """Refuse a death in the future, before birth or arrival, or before the last thing that was done to the living animal.

    Raises:
        DomainError: on `died_on`.
    """
    require_animal_dates(Life(life.code, life.born, life.arrived, died_on), today)
    if last is not None:
        require_order(last, Fact(f"the death of {life.code}", died_on), field="died_on")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
