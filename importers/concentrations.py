"""Makes records of exposure out of injections, whatever program quantified them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importers.aside import rows_aside
from importers.base import Choices, Finding, Question, Records, Refused, SetAside, Severity
from importers.columns import Layout
from importers.concentration_amounts import (
    InUnit,
    by_weight,
    is_below,
    limits_of,
    require_values,
    settle_zeros,
    units_of,
)
from importers.concentration_cells import Kind, Said
from importers.injection_sorting import sample_names, sort_compounds, sort_controls, sort_empty, sort_types
from importers.injections import INJECTED_KEYS, Batch, Injections, counted
from importers.sample_names import SampleName
from importers.sample_reading import read_matrices, read_samples, time_findings
from importers.sheets import Workbook
from lims.domain.cohort_terms import ExposureMatrix

INJECTION_TIME = "when the sample was injected, which is noted with the record; no time of collection"
"""How importers list a column with the time of injection."""


@dataclass(frozen=True, slots=True)
class Quantified:
    """What became of a file's injections. unread: (sheet, column) → why none of the concentrations there is recorded."""

    records: tuple[Records, ...]
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    set_aside: tuple[SetAside, ...]
    unread: Mapping[tuple[int, int], str]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the entries that are recorded, by their place in the batch."""

    names: Sequence[str]
    name_column: int
    agents: Mapping[str, tuple[str, str | None]]
    samples: Mapping[int, SampleName]
    matrices: Mapping[int, ExposureMatrix]
    units: Mapping[int, InUnit]
    limits: Mapping[int, float]

    def entries(self, batch: Batch) -> list[int]:
        """List the entries of which everything is known that a record needs."""
        return [index for index in batch.live if index in self.units and batch.found.compounds[index] in self.agents]


def quantify(book: Workbook, found: Injections, choices: Choices, method: str) -> Quantified:
    """Read a file's injections. method: how the concentrations were measured, as it is recorded.

    Raises `Refused` where no injection has a concentration: an area alone says nothing of an amount.
    """
    batch = Batch(book, found, choices)
    if found.rows and all(one.said is Said.NOTHING for one in batch.amounts):
        raise areas_only(book.name)
    sort_types(batch)
    names, column = sample_names(batch)
    sort_controls(batch, names)
    sort_empty(batch)
    agents = sort_compounds(batch)
    require_values(batch)
    limits = limits_of(batch)
    settle_zeros(batch, limits)
    units = units_of(batch)
    samples = read_samples(batch, names, column)
    matrices = read_matrices(batch, samples)
    read = _Read(names, column, agents, samples, matrices, by_weight(batch, units, matrices), limits)
    entries = read.entries(batch)
    told = (*_counted(batch), *_injected(batch, entries), *time_findings(samples))
    findings = (*told, *batch.findings, *batch.asked.findings)
    records = tuple(
        _records(batch, [index for index in entries if found.sheets[index] == sheet], read, method)
        for sheet in _sheets(batch, entries)
    )
    return Quantified(records, findings, tuple(batch.asked.questions), tuple(_rows_aside(batch)), _columns_aside(batch))


def areas_only(name: str) -> Refused:
    """Refuse a report that has areas or responses, but no concentration."""
    return Refused(
        "no-concentration",
        f'"{name}" has peak areas or responses, but not one concentration',
        expected="a concentration of each sample, calculated from calibrators",
        remedy="quantify the batch in the instrument's program and export it again with the calculated concentration",
    )


def unread(layout: Layout) -> dict[int, str]:
    """Say of the columns that are looked at and not recorded why: when a sample was injected, and its peak's area."""
    reasons = {**dict.fromkeys(INJECTED_KEYS, INJECTION_TIME), "area": "the concentration is recorded, not the area"}
    return {layout.found[key].column: reason for key, reason in reasons.items() if layout.has(key)}


def _sheets(batch: Batch, entries: Sequence[int]) -> list[int]:
    return sorted({batch.found.sheets[index] for index in entries})


def _records(batch: Batch, entries: Sequence[int], read: _Read, method: str) -> Records:
    """Make the records of one sheet, in the units in which they are kept."""
    found = batch.found
    below = [is_below(batch.amounts[index], read.limits.get(index)) for index in entries]
    samples = [read.samples[index] for index in entries]
    values = [batch.amounts[index].value for index in entries]
    factors = [read.units[index][1] for index in entries]
    limits = [read.limits.get(index) for index in entries]
    agents = [read.agents[found.compounds[index]] for index in entries]
    named = dict.fromkeys(("sample", "animal", "matrix", "hours_after_dose", "collected_on"), read.name_column)
    named |= dict.fromkeys(("agent", "analyte"), found.compound_column)
    return Records(
        "exposure",
        found.sheets[entries[0]],
        [found.rows[index] for index in entries],
        [found.columns[index] for index in entries],
        {
            "animal": [sample.animal for sample in samples],
            "agent": [agent for agent, _ in agents],
            "analyte": [analyte for _, analyte in agents],
            "matrix": [read.matrices[index] for index in entries],
            "concentration": [
                None if low or value is None else value * factor for low, value, factor in zip(below, values, factors, strict=True)
            ],
            "unit": [read.units[index][0] for index in entries],
            "below_lloq": below,
            "lloq": [None if limit is None else limit * factor for limit, factor in zip(limits, factors, strict=True)],
            "collected_on": [sample.collected_on for sample in samples],
            "hours_after_dose": [sample.hours for sample in samples],
            "sample": [read.names[index] for index in entries],
            "method": [method] * len(entries),
            "note": [_note(sample, found.injected[index]) for sample, index in zip(samples, entries, strict=True)],
        },
        {field: column for field, column in named.items() if column},
        [batch.text(index) for index in entries],
    )


def _note(sample: SampleName, injected: str) -> str | None:
    parts = ("before the dose" if sample.before_dose else "", f"replicate {sample.replicate}" if sample.replicate else "")
    return "; ".join(filter(None, (*parts, f"injected {injected}" if injected else ""))) or None


def _counted(batch: Batch) -> list[Finding]:
    """Say what was set aside, and how much of it."""
    counts = Counter(batch.aside.values())
    if not counts:
        return []
    said = "; ".join(f"{reason}: {number:,}" for reason, number in counts.most_common())
    told = f"{sum(counts.values()):,} of {counted(len(batch.found))} are not recorded ({said})."
    return [Finding(Severity.NOTE, "set-aside", told)]


def _injected(batch: Batch, entries: Sequence[int]) -> list[Finding]:
    first = next((batch.found.injected[index] for index in entries if batch.found.injected[index]), None)
    if first is None:
        return []
    told = (
        f"The file says when the samples were injected (`{first}`), not when they were collected; it stands in each record's note."
    )
    return [Finding(Severity.NOTE, "injection-time", told)]


def _rows_aside(batch: Batch) -> list[SetAside]:
    """Set aside the rows of which no value is recorded or in question, each with the reason that most of its values have."""
    found = batch.found
    kept = {(found.sheets[index], found.rows[index]) for index in range(len(found)) if index not in batch.aside}
    reasons: dict[tuple[int, int], Counter[str]] = {}
    for index, reason in sorted(batch.aside.items()):
        reasons.setdefault((found.sheets[index], found.rows[index]), Counter())[reason] += 1
    by_reason: dict[tuple[int, str], list[int]] = {}
    for (sheet, row), counts in reasons.items():
        if (sheet, row) not in kept:
            by_reason.setdefault((sheet, counts.most_common(1)[0][0]), []).append(row)
    return [
        region
        for (sheet, reason), rows in by_reason.items()
        for region in rows_aside(batch.book.sheets[sheet], sorted(rows), reason, row_fate=True)
    ]


def _columns_aside(batch: Batch) -> dict[tuple[int, int], str]:
    """Say of each column of which nothing is recorded why: what its samples have in common, else what it holds."""
    found = batch.found
    columns: dict[tuple[int, int], list[int]] = {}
    for index in range(len(found)):
        columns.setdefault((found.sheets[index], found.columns[index]), []).append(index)
    reasons = {}
    for place, of in columns.items():
        if all(index in batch.aside for index in of):
            samples = [index for index in of if batch.kinds[index] is Kind.SAMPLE] or of
            different = {batch.aside[index] for index in samples}
            reasons[place] = different.pop() if len(different) == 1 else "no value of a sample"
    return reasons
