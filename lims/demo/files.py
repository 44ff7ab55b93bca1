"""Writes the demo's instrument files: what each instrument or person would have saved, to be read back by the importers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from lims.demo.cohorts import Cohort, Mouse
from lims.exports.tables import xlsx_blocks

PER_IMAGE = 5
FIRST_IMAGE = time(9, 2, 35)
LIVING_IMAGE_HEADERS = (
    "Image Number",
    "ROI",
    "Image Layer",
    "Total Flux [p/s]",
    "Avg Radiance [p/s/cm²/sr]",
    "Stdev Radiance",
    "Min Radiance",
    "Max Radiance",
    "ROI Label",
    "Experiment",
    "Saturated",
)
RADIANCE_PER_FLUX = 1.8e-3
"""Average radiance of a region of about 44 cm²·sr."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """What goes wrong in one imaging session. saturated: animals; factors: animal → what its flux is multiplied by."""

    saturated: Collection[str] = ()
    factors: dict[str, float] = field(default_factory=dict)
    everywhere: float = 1.0


def living_image(
    cohort: Cohort, day: int, mice: Sequence[Mouse], odd: Oddity | None = None, *, measured: int | None = None
) -> bytes:
    """Write the ROI table of one imaging session as Living Image does on Windows: comma, code page 1252.

    `measured`: the study day whose values are written, where the session was repeated on another day.
    """
    odd, values_of = odd or Oddity(), day if measured is None else measured
    on = cohort.on(day)
    rows: list[Sequence[Any]] = []
    for start in range(0, len(mice), PER_IMAGE):
        taken = datetime.combine(on, FIRST_IMAGE) + timedelta(minutes=5 * (start // PER_IMAGE))
        image = f"IV{taken:%Y%m%d%H%M%S}_001A"
        shown = mice[start : start + PER_IMAGE]
        for place, mouse in enumerate(shown, 1):
            flux = mouse.flux[values_of] * odd.everywhere * odd.factors.get(mouse.code, 1.0)
            saturated = "Yes" if mouse.code in odd.saturated else "No"
            rows.append(_region(image, place, flux, mouse.code, on.isoformat(), saturated))
        rows.append(_region(image, len(shown) + 1, 4.1e4, "BKG", on.isoformat(), "No"))
    return _text(LIVING_IMAGE_HEADERS, rows, delimiter=",", encoding="cp1252")


def _region(image: str, number: int, flux: float, label: str, on: str, saturated: str) -> Sequence[str]:
    radiance = flux * RADIANCE_PER_FLUX
    numbers = [f"{value:.2E}" for value in (flux, radiance, radiance * 0.84, -radiance * 0.02 - 900, radiance * 6.1)]
    return [image, f"ROI {number}", "Overlay", *numbers, label, on, saturated]


def body_weights(cohort: Cohort, days: Iterable[int], swapped: tuple[int, str, str] | None = None) -> bytes:
    """Write the weighings of some days as an xlsx file, a row each. swapped: day and two animals taken for each other."""
    rows = [
        [mouse.code, mouse.cage, cohort.on(day), _weight(cohort, mouse, day, swapped)]
        for day in days
        for mouse in cohort.enrolled()
        if mouse.alive(day)
    ]
    return b"".join(xlsx_blocks(["Animal", "Cage", "Date", "Weight (g)"], rows))


def _weight(cohort: Cohort, mouse: Mouse, day: int, swapped: tuple[int, str, str] | None) -> float:
    if swapped is None or day != swapped[0] or mouse.code not in swapped[1:]:
        return mouse.weights[day]
    other = swapped[1] if mouse.code == swapped[2] else swapped[2]
    return next(one for one in cohort.mice if one.code == other).weights[day]


def caliper_long(cohort: Cohort, days: Iterable[int], operator: str) -> bytes:
    """Write caliper diameters of some days as an xlsx file, a row for each animal and day."""
    rows = [
        [mouse.code, cohort.on(day), *mouse.diameters[day], operator]
        for day in days
        for mouse in cohort.enrolled()
        if day in mouse.diameters
    ]
    return b"".join(xlsx_blocks(["Animal", "Date", "Length (mm)", "Width (mm)", "Operator"], rows))


def caliper_wide(cohort: Cohort, days: Sequence[int]) -> bytes:
    """Write volumes as a csv file of a spreadsheet with decimal commas: a row for each animal, a column for each date."""
    headers = ["Mouse", "Cage", *(f"Volume_{cohort.on(day)}" for day in days)]
    rows = [[mouse.code, mouse.cage, *(f"{mouse.volume(day):.1f}".replace(".", ",") for day in days)] for mouse in cohort.mice]
    return _text(headers, rows, delimiter=";", encoding="utf-8")


def spoilt(content: bytes, replace: Callable[[str], str]) -> bytes:
    """Spoil a written text file, as people do by hand."""
    return replace(content.decode("cp1252")).encode("cp1252")


def _text(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str, encoding: str) -> bytes:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return written.getvalue().encode(encoding)
