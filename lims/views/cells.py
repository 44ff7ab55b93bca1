"""Cells that several lists show the same way: states as badges, values with the digits of their kind, a reading's source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from lims.domain.cells import column_letter
from lims.domain.tissue_terms import AmountUnit, Her2Label, Her2Result
from lims.domain.vocabulary import Quality
from lims.plots import shown
from lims.views.project_kinds import project_kinds

HER2_LABELS = {Her2Label.HER2_LOW: "HER2-low", Her2Label.HER2_ZERO: "HER2-0"}


MANY = 1_000_000
"""From here on numbers are written with a power of ten."""


def badge(state: Enum) -> dict[str, str]:
    """Show a state with its colour, icon and word."""
    return {"text": str(state.value).replace("_", " "), "badge": str(state.value)}


def her2(result: Her2Result, label: Her2Label | None) -> dict[str, str]:
    """Show a HER2 result with its research label: `negative · HER2-low`."""
    words = str(result.value).replace("_", " ")
    return {"text": f"{words} · {HER2_LABELS[label]}" if label else words, "badge": str(result.value)}


def arm_cell(slots: Mapping[str, str], name: str | None) -> dict[str, str] | str | None:
    """Show an arm in its colour; outside every arm there is none."""
    return {"text": name, "arm": slots[name]} if name is not None and name in slots else name


def doubt(quality: Quality) -> dict[str, str] | None:
    """Show a quality that is not the usual one."""
    return None if quality is Quality.OK else badge(quality)


def values(_: Sequence[Any]) -> Callable[[Any], str]:
    """Give what writes the value of a reading with the digits of its kind."""
    kinds = project_kinds()
    return lambda row: shown(row.value, kinds[row.kind].decimals)


def digits(value: float | None, kind: str) -> str | None:
    """Write a value with the digits of its kind."""
    return None if value is None else shown(value, project_kinds()[kind].decimals)


def amount(value: float | None, unit: AmountUnit | None) -> str | None:
    """Write how much an aliquot holds: `4 fragments`, `2.5e6 cells`."""
    if value is None or unit is None:
        return None
    return f"{many(value) if value >= MANY else f'{value:,.6g}'} {unit.value}"


def many(value: float) -> str:
    """Write a large number with three figures: `2.63e6`."""
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")


def count(value: int | None) -> str:
    """Write a count with its thousands apart: `100,000`."""
    return "" if value is None else f"{value:,}"


def kind_titles(_: Sequence[Any]) -> Callable[[str], str]:
    """Give what names the kind of a reading."""
    kinds = project_kinds()
    return lambda code: kinds[code].title


def when(row: Any) -> str:
    """Say when a reading was taken: its date and time, or the study day where nobody dated it."""
    if row.taken_at is not None:
        from lims.views.filters import moment

        return moment(row.taken_at)
    return str(row.taken_on) if row.taken_on else f"d{row.relative_day:g}"


def source(batch_id: int | None, sheet: str | None, row: int | None, column: int | None) -> str:
    """Say where a reading comes from: `batch 12 · Sheet1!C7`, or the form."""
    if batch_id is None:
        return "form"
    cell = f"{column_letter(column) if column else ''}{row or ''}"
    place = "!".join(part for part in (sheet, cell) if part)
    return f"batch {batch_id} · {place}" if place else f"batch {batch_id}"
