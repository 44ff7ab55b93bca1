"""What one reading is judged by, whoever brings it: a form, a file or a program.

Hard limits refuse; soft limits, jumps, odd shapes and another hand than last time are doubted and recorded once a person has
confirmed them. Another person with the caliper changed the group of 59 % of mice in one study (PMC9827613): it is told.
Limits and jumps stand with the kinds (`lims.domain.vocabulary`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from lims.domain.errors import DomainError
from lims.domain.events_order import Fact, Life, require_alive, require_not_future, require_order
from lims.domain.notices import Notice
from lims.domain.sources import ORDER_OF_EVENTS, PLAUSIBLE
from lims.domain.vocabulary import ImplantSite, MeasurementKind, VolumeFormula
from lims.domain.volumes import caliper_volume

LONGEST_DIAMETER = 50.0
"""mm. A mouse is twice as long."""
MOST_ELONGATED = 4.0
USUAL_SHAPE = f"less than {MOST_ELONGATED:g} times as long as wide"
"""Length over width above which a caliper reading is doubted: no ellipsoid tumour, but a decimal point that is missing."""
CALIPER_KINDS = ("caliper_volume", "caliper_area")
OUT_OF_REACH = frozenset(
    {
        ImplantSite.INTRACRANIAL,
        ImplantSite.INTRACAROTID,
        ImplantSite.INTRACARDIAC,
        ImplantSite.INTRATHECAL,
        ImplantSite.TAIL_VEIN,
    }
)
"""Sites whose tumours no caliper reaches."""


@dataclass(frozen=True, slots=True)
class Diameters:
    """Of a tumour by caliper, mm; `height` only where the formula asks for it."""

    length: float | None = None
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """The subject's reading before: its value, when it was taken, and by whom, where that is known."""

    value: float
    on: date | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured. `name` stands in sentences; `implanted` is the day of the tumour, `enrolled` of the study in question."""

    name: str
    life: Life
    implanted: date | None = None
    enrolled: date | None = None
    before: Before | None = None


def limit_passed(kind: MeasurementKind, value: float) -> float | None:
    """Give the limit that a value is outside of, the hard one where it is impossible; nothing where it is usual."""
    if value < kind.soft_min:
        return kind.hard_min if value < kind.hard_min else kind.soft_min
    if value > kind.soft_max:
        return kind.hard_max if value > kind.hard_max else kind.soft_max
    return None


def possible(kind: MeasurementKind, value: float) -> bool:
    """Tell whether a value lies within the kind's hard limits."""
    return kind.hard_min <= value <= kind.hard_max


def shown(kind: MeasurementKind, value: float) -> str:
    """Name a value with its kind and unit."""
    return f"{kind.title} {value:,g} {kind.unit}"


def outside_words(kind: MeasurementKind, value: float, limit: float, name: str) -> str:
    """Say which limit a value passes, and what the usual mistake is."""
    side, guess = ("below", "in the wrong place") if value < limit else ("above", "missing")
    return f"{shown(kind, value)} of {name} is {side} {limit:,g} {kind.unit}: a decimal point {guess}, or another unit?"


def jumps(kind: MeasurementKind, value: float, before: float) -> bool:
    """Tell whether a value is so many times the one before, up or down, that a wrong decimal is the usual cause."""
    return value > 0 and before > 0 and (value > before * kind.jump or before > value * kind.jump)


def jump_words(kind: MeasurementKind, value: float, before: float, name: str) -> str:
    """Say how far a value jumps."""
    return f"{shown(kind, value)} of {name} is {value / before:.2g} times the value before ({before:g})."


def usual_span(kind: MeasurementKind, *, hard: bool = False) -> str:
    """Give the span of values that are possible (`hard`) or usual."""
    low, high = (kind.hard_min, kind.hard_max) if hard else (kind.soft_min, kind.soft_max)
    return f"{low:,g} to {high:,g} {kind.unit}"


def computed(kind: MeasurementKind, of: Diameters, formula: VolumeFormula) -> float:
    """Give the value of a caliper kind from its diameters: a volume in mm³ by the formula, or the area L × W in mm².

    Raises:
        DomainError: a diameter is missing, negative, or longer than a mouse is wide; the field is that of the diameter.
    """
    needed = {"length_mm": of.length, "width_mm": of.width}
    if kind.code == "caliper_volume" and formula is VolumeFormula.ELLIPSOID_LWH:
        needed["height_mm"] = of.height
    for field, value in needed.items():
        word = field.removesuffix("_mm")
        if value is None:
            raise DomainError(
                f"The {word} is missing.", field=field, expected=f"the {word} in mm; 0 where nothing is felt", source=PLAUSIBLE
            )
        if not 0 <= value <= LONGEST_DIAMETER:
            raise DomainError(
                f"{word.capitalize()} {value:g} mm cannot be.",
                field=field,
                expected=f"0 to {LONGEST_DIAMETER:g} mm",
                remedy="Look for a decimal point that is missing.",
                source=PLAUSIBLE,
            )
    length, width = of.length or 0.0, of.width or 0.0
    value = length * width if kind.code == "caliper_area" else caliper_volume(length, width, of.height, formula=formula)
    return round(value, 3)


def value_of(kind: MeasurementKind, value: float | None, of: Diameters, formula: VolumeFormula | None) -> float:
    """Give a reading's value in the unit of its kind: typed, or made of diameters.

    Raises:
        DomainError: there is none, or a diameter is missing or cannot be.
    """
    if kind.code in CALIPER_KINDS and formula not in (None, VolumeFormula.STATED):
        return computed(kind, of, formula)
    if value is None:
        raise DomainError(f"The {kind.title.lower()} is missing.", field="value", expected=f"a number, in {kind.unit}")
    return value


def refuse_value(kind: MeasurementKind, value: float, name: str, *, field: str = "value") -> None:
    """Refuse a value outside the kind's hard limits.

    Raises:
        DomainError: on `field`.
    """
    limit = limit_passed(kind, value)
    if limit is not None and not possible(kind, value):
        expected = usual_span(kind, hard=True)
        raise DomainError(outside_words(kind, value, limit, name), field=field, expected=expected, source=PLAUSIBLE)


def refuse_day(kind: MeasurementKind, on: date, subject: Subject, today: date) -> None:
    """Refuse a reading in the future, outside the animal's life, or of a tumour before it was implanted.

    Raises:
        DomainError: on `taken_on`.
    """
    fact = Fact(f"the {_lower(kind.title)} of {subject.name}", on)
    require_not_future(fact, today, field="taken_on")
    require_alive(fact, subject.life, field="taken_on")
    require_order(Fact(f"the implanting of {subject.name}", subject.implanted), fact, field="taken_on")


def doubts_of(
    kind: MeasurementKind, value: float, on: date, subject: Subject, of: Diameters, operator: str | None, *, field: str = "value"
) -> Iterator[Notice]:
    """Name what is unusual about a reading that is possible."""
    limit = limit_passed(kind, value)
    if limit is not None:
        yield Notice("warning", field, outside_words(kind, value, limit, subject.name), usual_span(kind), PLAUSIBLE)
    before = subject.before
    if before is not None and jumps(kind, value, before.value):
        times = f"less than {kind.jump:g} times up or down between two readings"
        yield Notice("warning", field, jump_words(kind, value, before.value, subject.name), times, PLAUSIBLE)
    yield from _shape(subject.name, of)
    hand = before.operator if before is not None and kind.code in CALIPER_KINDS else None
    if hand and operator and operator.casefold() != hand.casefold():
        told = f"{subject.name} was measured by {hand} last time, and now by {operator}."
        yield Notice("warning", field, told, "the same hand throughout", "PMC9827613")
    if subject.enrolled is not None and on < subject.enrolled:
        told = f"{subject.name} was enrolled on {subject.enrolled}, after this day."
        yield Notice("warning", "taken_on", told, "a day from the enrolment on; a baseline before it is usual", ORDER_OF_EVENTS)


def _shape(name: str, of: Diameters) -> Iterator[Notice]:
    if of.length is None or of.width is None:
        return
    if of.length < of.width:
        told = f"The length of {name}, {of.length:g} mm, is shorter than its width, {of.width:g} mm: the other way round?"
        yield Notice("warning", "length_mm", told, "the longer diameter as length", PLAUSIBLE)
    if elongated([of.length], [of.width]):
        yield Notice("warning", "width_mm", elongated_words(of.length, of.width, name), USUAL_SHAPE, PLAUSIBLE)


def elongated(lengths: Sequence[float | None], widths: Sequence[float | None]) -> list[tuple[int, float, float]]:
    """Give place, length and width where one of the two is so many times the other that a decimal point may be missing."""
    return [
        (at, one, other)
        for at, (one, other) in enumerate(zip(lengths, widths, strict=True))
        if one and other and not (one <= MOST_ELONGATED * other and other <= MOST_ELONGATED * one)
    ]


def elongated_words(length: float, width: float, name: str) -> str:
    """Ask about diameters of which one is many times the other."""
    return f"{name} measures {length:g} × {width:g} mm: a decimal point missing in one of the two?"


def _lower(title: str) -> str:
    return title if title[1:2].isupper() else title[0].lower() + title[1:]
