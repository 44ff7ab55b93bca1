"""Reads exposures out of a reading, and tables out of lists, for the tests of concentrations."""

from __future__ import annotations

from collections.abc import Sequence

from importers.base import Reading

SHOWN = ("animal", "agent", "analyte", "matrix", "hours_after_dose", "concentration", "unit")


def tabbed(*rows: Sequence[object]) -> str:
    """Write rows as tab-separated text."""
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def exposures(reading: Reading, *fields: str) -> list[tuple[object, ...]]:
    """List the exposures of all sheets as tuples of these fields, in the order of the file."""
    return [
        tuple(records.fields[field][index] for field in fields or SHOWN)
        for records in reading.records
        for index in range(len(records))
    ]


def skipped(reading: Reading) -> dict[int, str]:
    """Map the data rows that were set aside to their reasons."""
    return {
        row: region.reason
        for region in reading.set_aside
        if region.row_fate
        for row in range(region.first_row, region.last_row + 1)
    }
