"""What an animal is to be given, and how much of it: planned doses, volume by weight, and how much a route takes.

Volumes for mice: Diehl et al., A good practice guide to the administration of substances, J Appl Toxicol 21:15, 2001,
table 1. Whole functions of plain values: forms, imports and pages ask the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from lims.domain.cohort_terms import DoseRoute, DoseState, DoseUnit, RegimenStart
from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, require_order
from lims.domain.notices import Notice
from lims.domain.schedules import Schedule
from lims.domain.sources import CONSISTENT, ORDER_OF_EVENTS

VOLUMES = "Diehl et al., J Appl Toxicol 21:15, 2001, table 1"
LATEST_WEIGHT = "a dose follows the latest weight, a rule of this system (ARRIVE 2.0, item 9a)"
WEIGHT_HOLDS_DAYS = 3
"""A weight older than this warns: mice with brain tumours are weighed three times a week, and lose a tenth within days."""
ACTUAL_DIFFERS = 0.1
"""A volume that differs from the computed one by more than a tenth is no rounding of the syringe."""


@dataclass(frozen=True, slots=True)
class VolumeLimit:
    """Volume of a route in a mouse: as is usual, and at the most; mL/kg, or mL at a site of a muscle."""

    usual: float
    most: float
    of_site: bool = False


VOLUME_LIMITS = {
    DoseRoute.ORAL_GAVAGE: VolumeLimit(10, 50),
    DoseRoute.SUBCUTANEOUS: VolumeLimit(10, 40),
    DoseRoute.INTRAPERITONEAL: VolumeLimit(20, 80),
    DoseRoute.INTRAMUSCULAR: VolumeLimit(0.05, 0.1, of_site=True),
    DoseRoute.INTRAVENOUS: VolumeLimit(5, 25),
}
"""Usual is a bolus, most a slow injection where it is into a vein. Other routes have no published limit here."""
WITHOUT_VOLUME = frozenset({DoseRoute.IN_DIET, DoseRoute.IN_WATER, DoseRoute.IRRADIATION})

OF_GIVEN = ("given_on", "given_at", "volume_ul", "lot_id")
"""What only a dose that was given has."""


class DoseStanding(StrEnum):
    """Where a dose stands: what was recorded of it, or what its day says while nothing is."""

    GIVEN = "given"
    HELD = "held"
    MISSED = "missed"
    DUE = "due"
    OVERDUE = "overdue"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Course:
    """The days that bound an animal's doses: the first one of its regimen, its enrolment, and its end.

    starts_on: None where day 0 has no date, or the trigger was not reached. ends_on: death or exclusion; nothing is planned
    from that day on.
    """

    starts_on: date | None
    enrolled_on: date | None = None
    ends_on: date | None = None


def first_day(start: RegimenStart, start_day: int | None, day_zero_on: date | None, reached_on: date | None) -> date | None:
    """Give the day of an animal's first dose: a day of the study, or the day after its trigger was reached."""
    if start is RegimenStart.TRIGGER:
        return reached_on and reached_on + timedelta(days=1)
    return day_zero_on and day_zero_on + timedelta(days=start_day or 0)


@lru_cache(maxsize=4096)
def planned_doses(
    schedule: Schedule, course: Course, *, first: date | None = None, last: date | None = None
) -> tuple[tuple[date, int], ...]:
    """Give day and number on that day of each dose that is planned from `first` to `last`.

    What is given is kept: the animals of an arm have mostly one course.

    Raises:
        ValueError: the schedule is open-ended, and neither `last` nor the animal's end bounds it.
    """
    start = course.starts_on
    if start is None:
        return ()
    begins = max(day for day in (start, course.enrolled_on, first) if day is not None)
    ends = [day for day in (last, course.ends_on and course.ends_on - timedelta(days=1)) if day is not None]
    doses = schedule.doses(until=(min(ends) - start).days if ends else None, starts_on=start)
    return tuple((on, nth) for day, nth in doses if (on := start + timedelta(days=day)) >= begins)


def standing(due_on: date, today: date, state: DoseState | None = None) -> DoseStanding:
    """Say where a dose stands on a day."""
    if state is not None:
        return DoseStanding(state.value)
    if due_on == today:
        return DoseStanding.DUE
    return DoseStanding.OVERDUE if due_on < today else DoseStanding.PLANNED


def same_until(day: int, before: Schedule, after: Schedule) -> bool:
    """Tell whether two schedules give the same doses up to and with a day after the first dose."""
    return before.doses(until=day) == after.doses(until=day) and before.gray == after.gray


def dose_volume_ul(volume_ml_kg: float | None, weight_g: float | None) -> float | None:
    """Compute a volume: mL/kg are µL/g."""
    return None if volume_ml_kg is None or weight_g is None else round(volume_ml_kg * weight_g, 1)


def expected_mg(dose: float | None, unit: DoseUnit, weight_g: float | None) -> float | None:
    """Compute how much of the agent a dose holds; nothing for radiation, a vehicle, or an animal that nobody weighed."""
    if dose is None or unit is DoseUnit.GRAY:
        return None
    if unit is DoseUnit.MG:
        return dose
    return None if weight_g is None else dose * weight_g / 1000


def concentration_needed(dose: float | None, unit: DoseUnit, volume_ml_kg: float | None) -> float | None:
    """Compute the mg/mL that give a dose per weight in a volume per weight."""
    return dose / volume_ml_kg if dose and volume_ml_kg and unit is DoseUnit.MG_PER_KG else None


def require_volume(route: DoseRoute, volume_ul: float, weight_g: float, *, field: str = "volume_ul") -> None:
    """Refuse a volume that the route does not take (Diehl et al. 2001).

    Raises:
        DomainError: on `field`.
    """
    limit = VOLUME_LIMITS.get(route)
    if limit is None or volume_ul <= _in_ul(limit.most, limit, weight_g):
        return
    raise DomainError(
        f"{_told(volume_ul, weight_g, route)} is more than a mouse takes.",
        field=field,
        expected=f"at most {_in_ul(limit.most, limit, weight_g):g} µL ({_said(limit.most, limit)})",
        remedy="Look for a slip of the decimal point, or give a smaller volume of a higher concentration.",
        source=VOLUMES,
    )


def doubt_volume(route: DoseRoute, volume_ul: float, weight_g: float, *, field: str = "volume_ul") -> Notice | None:
    """Doubt a volume above what is good practice for the route (Diehl et al. 2001)."""
    limit = VOLUME_LIMITS.get(route)
    if limit is None or volume_ul <= _in_ul(limit.usual, limit, weight_g):
        return None
    message = f"{_told(volume_ul, weight_g, route)} is more than good practice."
    return Notice("warning", field, message, f"up to {_said(limit.usual, limit)}", VOLUMES)


def doubt_weight(weight_on: date | None, on: date) -> Notice | None:
    """Doubt a dose by weight where nobody weighed the animal, or not lately."""
    if weight_on is None:
        return Notice("warning", "weight_g", "No weight is recorded: no volume follows.", "a weight", LATEST_WEIGHT)
    days = (on - weight_on).days
    if days <= WEIGHT_HOLDS_DAYS:
        return None
    message = f"The last weight, of {weight_on}, is {days} days old."
    return Notice("warning", "weight_g", message, f"a weight of the last {WEIGHT_HOLDS_DAYS} days", LATEST_WEIGHT)


def doubt_actual(volume_ul: float | None, computed_ul: float | None) -> Notice | None:
    """Doubt a volume as given that is not the computed one."""
    if volume_ul is None or not computed_ul or abs(volume_ul - computed_ul) <= ACTUAL_DIFFERS * computed_ul:
        return None
    percent, side = abs(volume_ul / computed_ul - 1) * 100, "more" if volume_ul > computed_ul else "less"
    message = f"{volume_ul:g} µL is {percent:.0f} % {side} than the computed {computed_ul:g} µL."
    return Notice("warning", "volume_ul", message, "the computed volume", LATEST_WEIGHT)


def require_outcome(state: DoseState, values: Mapping[str, Any]) -> None:
    """Refuse a dose that was given on no day, and one that was not given without a reason, or with what only a given one has.

    Raises:
        DomainError: on what is missing, or too much.
    """
    if state is DoseState.GIVEN:
        if values["given_on"] is None:
            raise DomainError("When was it given?", field="given_on", expected="the day", source=CONSISTENT)
        return
    if not values["reason"]:
        raise DomainError(f"Why was the dose {state.value}?", field="reason", expected="a reason", source=CONSISTENT)
    for name in OF_GIVEN:
        if values[name] is not None:
            told = f"A dose that was {state.value} has no day, volume or lot of giving."
            raise DomainError(told, field=name, expected="nothing, or a dose that was given", source=CONSISTENT)
    if values["due_on"] is None:
        raise DomainError("When was it due?", field="due_on", expected="the day", source=CONSISTENT)


def require_lot(code: str, received_on: date | None, expires_on: date | None, given_on: date, *, of_agent: bool) -> None:
    """Refuse a dose from a lot of another agent, one that was not there yet, or one that has expired; its last day counts.

    Raises:
        DomainError: on `lot_id`.
    """
    if not of_agent:
        raise DomainError(
            f"Lot {code} is of another agent.",
            field="lot_id",
            expected="a lot of the agent that is given",
            remedy="Stop: look what is in the syringe.",
            source=CONSISTENT,
        )
    require_order(Fact(f"the receipt of lot {code}", received_on), Fact("the dose", given_on), field="lot_id")
    if expires_on is not None and expires_on < given_on:
        raise DomainError(
            f"Lot {code} expired on {expires_on}, before the dose of {given_on}.",
            field="lot_id",
            expected="a lot that has not expired",
            remedy="Take another lot; correct the expiry of this one if it is wrong.",
            source=ORDER_OF_EVENTS,
        )


def _in_ul(volume: float, limit: VolumeLimit, weight_g: float) -> float:
    return round(volume * 1000 if limit.of_site else volume * weight_g, 1)


def _said(volume: float, limit: VolumeLimit) -> str:
    return f"{volume:g} mL at a site" if limit.of_site else f"{volume:g} mL/kg"


def _told(volume_ul: float, weight_g: float, route: DoseRoute) -> str:
    return f"{volume_ul:g} µL {route_words(route)} in a mouse of {weight_g:g} g"


def route_words(route: DoseRoute) -> str:
    """Give a route as it stands in a sentence."""
    return _ROUTES.get(route, route.value.replace("_", " "))


_ROUTES = {DoseRoute.ORAL_GAVAGE: "by oral gavage", DoseRoute.IRRADIATION: "by irradiation"}
