"""What the numbers of a table of tumour sizes are: volume or area, in which unit, and on what day.

Used where a sheet shows numbers under dates or days and says nothing more. Each proposal rests on what the numbers can
be in a mouse; where two answers fit, none is proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from importers.base import Finding, Option, Severity
from importers.columns import VOLUME_UNITS, in_words
from importers.questions import Asked, range_in_words

LARGEST_AREA = 900.0
"""mm²: 30 × 30 mm. A larger number is not an area of a mouse's tumour."""

LARGEST_CM3 = 20.0
"""cm³: more than this no mouse carries, so a larger number is in mm³."""

SMALLEST_USUAL_MM3 = 5.0
"""mm³: half the readings of a study below this, about 2 mm across, are too small for a caliper."""

SHORTEST_USUAL_LENGTH = 2.5
"""mm: half the longer diameters below this may as well be centimetres."""

KINDS = (
    Option("caliper_volume", "tumour volume"),
    Option("caliper_area", "length × width, an area in mm²"),
)
VOLUMES = (Option("mm3", "mm³"), Option("cm3", "cm³ (1 cm³ = 1,000 mm³)"))
LENGTHS = (Option("mm", "mm"), Option("cm", "cm"))
STEPS = (Option("day", "days"), Option("week", "weeks"))

_QUARTERS = 0.8
_SAMPLES = 3


def ask_kind(asked: Asked, numbers: Sequence[float], sheet: str) -> str | None:
    """Ask whether the numbers are volumes or L × W; proposed where only one of them can be."""
    proposed, evidence = _propose_kind(numbers)
    answer = asked.ask(
        "kind",
        "Are the numbers tumour volumes, or length × width?",
        KINDS,
        proposed=proposed,
        evidence=evidence,
        samples=_samples(numbers),
        sheet=sheet,
    )
    if answer is not None and "kind" not in asked.choices:
        _assume(
            asked, "kind", f"the file does not say what the numbers are: read as {_label(KINDS, answer)}. {evidence}", answer, sheet
        )
    return answer


def _propose_kind(numbers: Sequence[float]) -> tuple[str | None, str]:
    _, evidence = range_in_words(numbers)
    largest = max(numbers, default=0.0)
    if largest > LARGEST_AREA:
        side = largest**0.5
        return "caliper_volume", f"{evidence} As an area, {largest:g} mm² would be a tumour {side:.0f} mm long and wide."
    broken = [number for number in numbers if number % 1]
    quarters = [number for number in broken if number * 4 % 1 == 0]
    odd = next((number for number in quarters if number * 2 % 1), None)
    if odd is not None and len(quarters) >= _QUARTERS * len(broken):
        length, width = _half_millimetres(odd)
        return "caliper_area", (
            f"{evidence} Of {len(broken)} numbers with decimals, {len(quarters)} end in .25, .5 or .75, as products of two"
            f" diameters in half millimetres do ({odd:g} = {length:g} × {width:g})."
        )
    return None, f"{evidence} They fit both."


def _half_millimetres(area: float) -> tuple[float, float]:
    """Find the most nearly round tumour, in half millimetres, with this L × W."""
    quarters = round(area * 4)
    width = max(side for side in range(1, int(quarters**0.5) + 1) if quarters % side == 0)
    return quarters / width / 2, width / 2


def ask_volume_unit(asked: Asked, numbers: Sequence[float], firsts: Sequence[float], sheet: str) -> float | None:
    """Ask for the unit of volumes: the factor to mm³. firsts: each animal's first value, which shows relative volumes."""
    proposed, evidence, sure = _propose_volume_unit(numbers, firsts)
    answer = asked.ask(
        "volume_unit",
        "In which unit are the volumes?",
        VOLUMES,
        proposed=proposed,
        evidence=evidence,
        samples=_samples(numbers),
        sheet=sheet,
    )
    if answer is not None and not sure and "volume_unit" not in asked.choices:
        _assume(asked, "volume_unit", f"the file names no unit: read as {_label(VOLUMES, answer)}. {evidence}", answer, sheet)
    return None if answer is None else VOLUME_UNITS[answer]


def _propose_volume_unit(numbers: Sequence[float], firsts: Sequence[float]) -> tuple[str | None, str, bool]:
    middle, evidence = range_in_words(numbers)
    if middle is None:
        return "mm3", evidence, True
    if len(firsts) > 1 and all(first == 1 for first in firsts):
        return None, f"{evidence} Every animal starts at 1: these are volumes relative to the first, not volumes.", False
    largest = max(numbers)
    if middle > SMALLEST_USUAL_MM3 or largest > LARGEST_CM3:
        return "mm3", evidence, True
    if largest == 0:
        return "mm3", evidence, True
    start = (
        f" The first values, {min(firsts):g} to {max(firsts):g}, are not all 1, so they are not relative to the first."
        if firsts
        else ""
    )
    return (
        "cm3",
        f"{evidence} In mm³ most tumours would be under {SMALLEST_USUAL_MM3:g} mm³, too small for a caliper;"
        f" in cm³ the largest is {largest * 1000:,.0f} mm³.{start}",
        False,
    )


def ask_length_unit(asked: Asked, lengths: Sequence[float], sheet: str) -> float | None:
    """Ask for the unit of cells such as `4.5x3.2`: the factor to mm."""
    middle, evidence = range_in_words(lengths)
    small = middle is not None and middle < SHORTEST_USUAL_LENGTH and any(lengths)
    answer = asked.ask(
        "length_unit",
        "In which unit are the diameters?",
        LENGTHS,
        proposed=None if small else "mm",
        evidence=f"{evidence} They fit both." if small else f"{evidence} Calipers are read in mm.",
        samples=_samples(lengths),
        sheet=sheet,
    )
    return None if answer is None else {"mm": 1.0, "cm": 10.0}[answer]


def ask_step(asked: Asked, days: Sequence[float], sheet: str, proof: str = "") -> float | None:
    """Ask whether bare numbers over the readings are days or weeks: the factor to days. proof: why weeks are impossible."""
    shown = [f"{day:g}" for day in days]
    evidence = (
        proof or f"The numbers are {in_words(shown if len(shown) < 9 else [*shown[:4], '…', shown[-1]])}; most labs count days."
    )
    answer = asked.ask(
        "day_unit",
        "Are the numbers in the headers days or weeks?",
        STEPS,
        proposed="day",
        evidence=evidence,
        samples=shown[:_SAMPLES],
        sheet=sheet,
    )
    if answer is not None and "day_unit" not in asked.choices:
        message = f"the file does not say whether its times are days or weeks: read as {_label(STEPS, answer)}. {evidence}"
        _assume(asked, "day_unit", message, answer, sheet)
    return None if answer is None else {"day": 1.0, "week": 7.0}[answer]


def _assume(asked: Asked, key: str, message: str, answer: str, sheet: str) -> None:
    """Warn that an answer was proposed, not given."""
    asked.findings.append(
        Finding(
            Severity.WARNING,
            f"{key.replace('_', '-')}-assumed",
            message,
            sheet=sheet,
            value=answer,
            expected="a header or title that says so",
            remedy="if it is right, confirm; if not, answer",
            option=f"--set {key}=ANSWER",
        )
    )


def _label(options: Sequence[Option], value: str) -> str:
    return next(option.label for option in options if option.value == value)


def _samples(numbers: Sequence[float]) -> list[str]:
    if not numbers:
        return []
    ordered = [min(numbers), median(numbers), max(numbers)]
    return [f"{number:g}" for number in ordered]
