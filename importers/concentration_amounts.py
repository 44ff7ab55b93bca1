"""Turns concentrations into what is recorded: what lies below a limit, the limits themselves, and units, tissue by its weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from importers.base import Option, Severity
from importers.concentration_cells import ASKED_UNITS, UNITS, Amount, Kind, Said, number, unit_of
from importers.injections import LONGEST_KEY, SHOWN, Batch, counted
from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.exposure import FLUIDS

NOT_KNOWN = "-"
"""Answer for a limit that nobody knows."""
M10 = "ICH M10"
InUnit = tuple[ConcentrationUnit, float]


def require_values(batch: Batch) -> None:
    """Refuse what cannot be read or lies above the calibrated range, and ask what a peak that was not found means."""
    for index in batch.live:
        one, text = batch.amounts[index], batch.text(index)
        if one.problem is not None:
            told = f"`{text}` {one.problem.reason}."
            remedy = "Correct the cell, or leave out what is refused."
            batch.refuse(index, one.problem.code, told, expected=one.problem.expected, remedy=remedy, value=text)
        elif one.said is Said.ABOVE:
            told = f"`{text}` lies above the calibrated range; nothing is recorded of it."
            expected, remedy = "a value within the calibrated range", "Dilute the sample and measure it again."
            batch.refuse(index, "above-uloq", told, expected=expected, remedy=remedy, value=text, severity=Severity.WARNING)
    missing = [index for index in batch.live if batch.amounts[index].said is Said.NO_PEAK]
    if missing:
        told = "Without a peak the amount is below what can be quantified, if the injection itself was sound."
        if _ask_below(batch, "no_peak", "a sample without a peak", missing, proposed="below", told=told) != "below":
            batch.set_aside(missing, "no peak was found")


def _ask_below(batch: Batch, key: str, what: str, indices: Sequence[int], *, proposed: str | None, told: str) -> str | None:
    return batch.asked.ask(
        key,
        f"How is {what} recorded?",
        [Option("below", "as below the limit of quantification"), Option("none", "not at all")],
        proposed=proposed,
        evidence=f"`{batch.text(indices[0])}` stands for {counted(len(indices))}. {told}",
    )


def limits_of(batch: Batch) -> dict[int, float]:
    """Give each entry's limit of quantification in the file's unit: its cell's, its column's, or that of its compound."""
    decimal = batch.book.decimal
    limits = {index: read for index in batch.live if (read := number(batch.found.limits[index], decimal)[0]) is not None}
    limits |= {index: limit for index in batch.live if (limit := batch.amounts[index].limit) is not None}
    for compound in dict.fromkeys(batch.found.compounds[index] for index in batch.live):
        of = [index for index in batch.of_compound(compound) if index not in limits]
        if (limit := _ask_limit(batch, compound, of)) is not None:
            limits |= dict.fromkeys(of, limit)
    return limits


def _ask_limit(batch: Batch, compound: str, of: Sequence[int]) -> float | None:
    """Ask for a compound's limit where a value lies below it; the lowest calibrator that was used is proposed."""
    used = [
        read
        for index, kind in enumerate(batch.kinds)
        if kind is Kind.CALIBRATOR and batch.found.compounds[index] == compound and not batch.found.aside[index]
        if (read := number(batch.found.nominals[index], batch.book.decimal)[0])
    ]
    if not used or not any(is_below(batch.amounts[index], min(used)) for index in of):
        return None
    key, lowest = f"lloq:{compound}"[:LONGEST_KEY], f"{min(used):g}"
    answer = batch.asked.ask(
        key,
        f"What is the lower limit of quantification of {compound}?",
        [Option(NOT_KNOWN, "not known")],
        proposed=lowest,
        evidence=f"{lowest} is the lowest calibrator that was used ({M10}), and values lie below it.",
        typed="a number in the file's unit, such as 0.5",
    )
    if answer is None or answer.strip() == NOT_KNOWN:
        return None
    return _positive(batch, key, answer, "the limit, such as 0.5")


def _positive(batch: Batch, key: str, answer: str, expected: str) -> float | None:
    read, problem = number(answer.strip(), ".")
    if problem is None and read is not None and read > 0:
        return read
    batch.refuse_answer(key, answer, "is not a number above zero", expected)
    return None


def is_below(amount: Amount, limit: float | None) -> bool:
    """Whether a value counts as below the limit of quantification: the cell says so, or the number is smaller (ICH M10)."""
    return amount.value is None or (limit is not None and amount.value < limit)


def settle_zeros(batch: Batch, limits: Mapping[int, float]) -> None:
    """Ask what a concentration of zero, or below, means where no limit says it."""
    values = {index: value for index in batch.live if (value := batch.amounts[index].value) is not None}
    zeros = [index for index, value in values.items() if value <= 0 and not limits.get(index)]
    if not zeros:
        return
    every = len(zeros) == len(values)
    told = "Every value is: was the batch quantified against its calibrators?" if every else "No method quantifies down to zero."
    answer = _ask_below(batch, "zero", "a concentration of zero or less", zeros, proposed=None if every else "below", told=told)
    if answer == "below":
        for index in zeros:
            batch.amounts[index] = Amount(Said.BELOW)
    elif answer == "none":
        batch.set_aside(zeros, "a concentration of zero or less")


def units_of(batch: Batch) -> dict[int, InUnit]:
    """Give each entry's unit with the factor to it; one that the file leaves out is asked, one that is not known is refused."""
    found: dict[int, InUnit] = {}
    live = batch.live
    asked = None if all(unit_of(batch.found.units[index]) for index in live) else _ask_unit(batch)
    for index in live:
        stated = batch.found.units[index]
        unit = unit_of(stated) or unit_of(asked or "")
        if unit in UNITS:
            found[index] = UNITS[unit]
        elif unit:
            told, expected = f'"{stated}" is no unit of concentration that is known.', f"such as {', '.join(ASKED_UNITS)}"
            batch.refuse(index, "unit-unknown", told, expected=expected, remedy="Correct the unit in the file.", value=stated)
    return found


def _ask_unit(batch: Batch) -> str | None:
    numbers = [value for index in batch.live if (value := batch.amounts[index].value) is not None]
    return batch.asked.ask(
        "concentration_unit",
        "Which unit are the concentrations in? The file does not say.",
        [Option(unit, unit) for unit in ASKED_UNITS],
        evidence=f"{counted(len(numbers))} from {min(numbers):g} to {max(numbers):g}." if numbers else "",
        samples=[f"{value:g}" for value in numbers[:SHOWN]],
    )


def by_weight(batch: Batch, units: Mapping[int, InUnit], matrices: Mapping[int, ExposureMatrix]) -> dict[int, InUnit]:
    """Bring tissue that was measured by volume, as a homogenate is, to ng/g: how much of it holds a gram is asked."""
    found = {index: units[index] for index in units if index in matrices}
    homogenates = [
        index for index, (unit, _) in found.items() if unit is ConcentrationUnit.NG_PER_ML and matrices[index] not in FLUIDS
    ]
    if not homogenates:
        return found
    words = dict.fromkeys(matrices[index].value.replace("_", " ") for index in homogenates)
    answer = batch.asked.ask(
        "homogenate",
        "How many mL of homogenate hold 1 g of tissue? 5 for 1 g in 4 mL of buffer; 1 where the values are by weight already.",
        evidence=f"{counted(len(homogenates))} of {', '.join(words)} by volume; tissue is recorded in ng/g.",
    )
    volume = None if answer is None else _positive(batch, "homogenate", answer, "mL for 1 g, such as 5")
    for index in homogenates:
        _, factor = found.pop(index)
        if volume is not None:
            found[index] = (ConcentrationUnit.NG_PER_G, factor * volume)
    return found
