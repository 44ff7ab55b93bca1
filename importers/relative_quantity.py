"""Makes expression of wells: which target is which gene, replicates averaged, ΔCq against the reference genes that are chosen."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from importers.base import Finding, Option, Records, Severity
from importers.columns import Layout, in_words
from importers.pcr_targets import WHOSE, Meaning, meaning_of
from importers.questions import Asked
from lims.domain.expression import (
    REPLICATE_SD,
    Replicates,
    delta_cq,
    log2_of_ratio,
    replicates,
)
from lims.domain.sources import MIQE
from lims.domain.tissue_terms import AlterationKind, Compartment

NO_CALIBRATOR, AS_STATED = "none", "file"
APART = 0.2
"""Log2 by which a stated RQ may differ from the one that follows: efficiencies that an analysis corrected for."""


@dataclass(frozen=True, slots=True)
class Wells:
    """The wells of a plate: columns of equal length. cq: `None` where nothing was detected. live: places of those with a sample."""

    layout: Layout
    first_row: int
    samples: Sequence[str]
    targets: Sequence[str]
    positions: Sequence[str]
    cq: Sequence[float | None]
    raw: Sequence[str]
    live: Sequence[int]


@dataclass(frozen=True, slots=True)
class Run:
    """What the file says of the run. reference, calibrator: those of the instrument's own analysis. stated: sample, target → RQ."""

    on: date | None
    platform: str
    reference: str
    calibrator: str
    stated: Mapping[tuple[str, str], float]


@dataclass(slots=True)
class Quantified:
    """What became of the wells. aside: place → why the well is no record of its own."""

    records: tuple[Records, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    aside: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Group:
    """The wells of one sample and target, by place; `found` those with a Cq."""

    wells: tuple[int, ...]
    found: tuple[int, ...]
    mean: Replicates | None


@dataclass(slots=True)
class _Found:
    """The records as they are found: one entry each."""

    first: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    deltas: list[float] = field(default_factory=list)
    spreads: list[float | None] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


def quantify(wells: Wells, run: Run, asked: Asked) -> Quantified:
    """Ask what the targets are and what expression is relative to, and give a record for each sample and gene."""
    told = Quantified()
    names = list(dict.fromkeys(wells.targets[at] for at in wells.live))
    meanings = {
        name: meaning
        for name in names
        if (meaning := meaning_of(name, asked, wells.layout.sheet.name, reference=name == run.reference)) is not None
    }
    if any(question.answer is None for question in asked.questions) or asked.findings:
        return told  # with a reference gene too few, ΔCq would be another one
    groups = _grouped(wells)
    _left_out(wells, groups, meanings, told)
    genes = {name: meaning for name, meaning in meanings.items() if not meaning.reference}
    if not genes:
        told.findings.append(_no_gene(wells))
    lacking = {meaning.compartment for meaning in genes.values()} - _served(meanings)
    told.findings += [_no_reference(wells, one, genes) for one in sorted(filter(None, lacking))]
    found = _Found()
    for (sample, target), group in groups.items():
        if target in genes and genes[target].compartment not in lacking:
            references = [name for name, one in meanings.items() if _serves(one, genes[target].compartment)]
            _quantify_one(wells, groups, sample, target, group, references, told, found)
        elif target in genes:
            told.aside |= dict.fromkeys(group.wells, "no reference gene is chosen")
    if found.first:
        told.records = (_records(wells, run, asked, found, genes, told),)
    return told


def _grouped(wells: Wells) -> dict[tuple[str, str], _Group]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at in wells.live:
        places[wells.samples[at], wells.targets[at]].append(at)
    groups = {}
    for key, some in places.items():
        found = tuple(at for at in some if wells.cq[at] is not None)
        cycles = [cycle for at in found if (cycle := wells.cq[at]) is not None]
        groups[key] = _Group(tuple(some), found, replicates(cycles) if cycles else None)
    return groups


def _serves(meaning: Meaning, compartment: Compartment | None) -> bool:
    return meaning.reference and meaning.compartment in (None, compartment)


def _served(meanings: Mapping[str, Meaning]) -> set[Compartment | None]:
    """Give the compartments that have a reference gene."""
    return {one for one in Compartment if any(_serves(meaning, one) for meaning in meanings.values())}


def _left_out(wells: Wells, groups: Mapping[tuple[str, str], _Group], meanings: Mapping[str, Meaning], told: Quantified) -> None:
    for (_, target), group in groups.items():
        meaning = meanings.get(target)
        if meaning is None:
            told.aside |= dict.fromkeys(group.wells, f"the target {target} is left out")
        elif meaning.reference:
            told.aside |= dict.fromkeys(group.wells, f"reference gene {target}: in the ΔCq of its sample")
            told.findings += _scatter(wells, group)


def _quantify_one(
    wells: Wells,
    groups: Mapping[tuple[str, str], _Group],
    sample: str,
    target: str,
    group: _Group,
    references: Sequence[str],
    told: Quantified,
    found: _Found,
) -> None:
    """Give ΔCq of one gene in one sample, or say why there is none."""
    if group.mean is None:
        told.findings.append(_not_detected(wells, group))
        told.aside |= dict.fromkeys(group.wells, "not detected")
        return
    against = [groups.get((sample, name)) for name in references]
    means = [one.mean for one in against if one is not None and one.mean is not None]
    if len(means) < len(references):
        missing = [name for name, one in zip(references, against, strict=True) if one is None or one.mean is None]
        told.findings.append(_reference_missing(wells, group, missing))
        told.aside |= dict.fromkeys(group.wells, f"{in_words(missing)} has no Cq in this sample")
        return
    told.findings += _scatter(wells, group)
    first = group.found[0]
    told.aside |= {at: f"replicate of row {wells.first_row + first}: averaged there" for at in group.wells if at != first}
    delta, spread = delta_cq(group.mean, means)
    found.first.append(first)
    found.samples.append(sample)
    found.targets.append(target)
    found.deltas.append(round(delta, 4))
    found.spreads.append(None if spread is None else round(spread, 4))
    found.references.append(", ".join(references)[:200])
    told_of = [(target, group), *((name, one) for name, one in zip(references, against, strict=True) if one is not None)]
    found.raw.append("; ".join(_wells_in_words(wells, name, one) for name, one in told_of))


def _wells_in_words(wells: Wells, name: str, group: _Group) -> str:
    """Write a group's wells: `ERBB2 24.10 (A1), 24.31 (A2)`."""
    return f"{name} " + ", ".join(f"{wells.raw[at]} ({wells.positions[at]})" for at in group.wells)


def _scatter(wells: Wells, group: _Group) -> Iterator[Finding]:
    """Warn of replicates that lie apart, and of those that were not all detected. None is dropped."""
    if group.mean is None:
        return
    cycles = [wells.raw[at] for at in group.found]
    if group.mean.sd is not None and group.mean.sd > REPLICATE_SD:
        message = f"the replicates have an SD of {group.mean.sd:.2f} cycles: {in_words(cycles)}; all are averaged"
        remedy = "acknowledge, or omit the outlier at the instrument and export again"
        yield _finding(wells, group, "replicates-apart", message, f"an SD of {REPLICATE_SD:g} cycles or less", remedy)
    lost = len(group.wells) - len(group.found)
    if lost:
        message = f"{lost} of {len(group.wells)} replicates not detected; the mean is of the others: {in_words(cycles)}"
        remedy = "acknowledge, or measure the sample again"
        yield _finding(wells, group, "replicate-undetermined", message, "a Cq in each replicate", remedy)


def _finding(
    wells: Wells, group: _Group, code: str, message: str, expected: str, remedy: str, severity: Severity = Severity.WARNING
) -> Finding:
    at = group.wells[0]
    who = f"{wells.targets[at]} in {wells.samples[at]}"
    where = (wells.layout.sheet.name, wells.first_row + at, wells.layout.found["cq"].column, wells.raw[at])
    return Finding(severity, code, f"{who}: {message}", *where, expected, remedy, MIQE)


def _not_detected(wells: Wells, group: _Group) -> Finding:
    count = len(group.wells)
    message = f"not detected in {'its only well' if count == 1 else f'any of {count} wells'}; nothing is recorded of it"
    remedy = "nothing to do: what was looked for and not found is no alteration, and no number stands for it"
    return _finding(wells, group, "not-detected", message, "a Cq", remedy, Severity.NOTE)


def _reference_missing(wells: Wells, group: _Group, missing: Sequence[str]) -> Finding:
    message = f"{in_words(missing)} has no Cq in this sample, so there is no ΔCq"
    remedy = "measure the reference genes again, or choose others for the whole file"
    return _finding(wells, group, "reference-not-detected", message, "a Cq of each reference gene", remedy)


def _no_gene(wells: Wells) -> Finding:
    return Finding(
        Severity.ERROR,
        "no-gene",
        "no target is a gene: all are reference genes or left out, so that there is nothing to record",
        sheet=wells.layout.sheet.name,
        expected="at least one target that is measured against the reference genes",
        remedy="answer what the targets are",
    )


def _no_reference(wells: Wells, compartment: Compartment, genes: Mapping[str, Meaning]) -> Finding:
    of = in_words([name for name, one in genes.items() if one.compartment is compartment])
    return Finding(
        Severity.ERROR,
        "reference-missing",
        f"no target is the reference gene against which {of} of the {WHOSE[compartment]} would be measured",
        sheet=wells.layout.sheet.name,
        expected="at least one reference gene of the same species; in a xenograft the other one's says how much host there is",
        remedy="answer what the targets are, or leave these out",
        source=MIQE,
    )


def _records(wells: Wells, run: Run, asked: Asked, found: _Found, genes: Mapping[str, Meaning], told: Quantified) -> Records:
    meanings = [genes[target] for target in found.targets]
    count = len(found.first)
    columns = {"specimen": wells.layout.found["sample"].column, "gene": wells.layout.found["target"].column}
    cq = wells.layout.found["cq"].column
    fields: dict[str, Sequence[Any]] = {
        "specimen": found.samples,
        "gene": [one.symbol for one in meanings],
        "kind": [AlterationKind.EXPRESSION] * count,
        "compartment": [one.compartment for one in meanings],
        "delta_cq": found.deltas,
        "delta_cq_sd": found.spreads,
        "reference_genes": found.references,
        "platform": [run.platform] * count,
        "found_on": [run.on] * count,
    }
    told.findings += _few_references(wells, found)
    calibrator = _calibrator(wells, run, asked, found)
    if calibrator is not None:
        ratios = _ratios(found, run, calibrator)
        fields["log2_ratio"] = ratios
        name = "calibrator of the instrument's analysis" if calibrator == AS_STATED else calibrator
        fields["calibrator"] = [None if one is None else name for one in ratios]
        told.findings += _stated_apart(wells, run, found, ratios)
    rows = [wells.first_row + at for at in found.first]
    return Records("alteration", wells.layout.sheet.index, rows, cq, fields, columns | {"delta_cq": cq}, found.raw)


def _few_references(wells: Wells, found: _Found) -> Iterator[Finding]:
    """Say where a single reference gene carries everything."""
    for alone in sorted({one for one in found.references if "," not in one}):
        yield Finding(
            Severity.NOTE,
            "single-reference",
            f"{alone} is the only reference gene",
            sheet=wells.layout.sheet.name,
            expected="two or more reference genes, or evidence that this one does not vary between these samples",
            remedy="say so where the values are published",
            source=MIQE,
        )


def _calibrator(wells: Wells, run: Run, asked: Asked, found: _Found) -> str | None:
    """Ask which sample expression is relative to; `None` where it is to none."""
    samples = list(dict.fromkeys(found.samples))
    stated = {key: ratio for key, ratio in run.stated.items() if key in set(zip(found.samples, found.targets, strict=True))}
    ones = [name for name in samples if (own := [ratio for (of, _), ratio in stated.items() if of == name]) and set(own) == {1.0}]
    proposed, evidence = NO_CALIBRATOR, "The file names no sample that the others are relative to."
    if run.calibrator in samples:
        proposed, evidence = run.calibrator, "The file names it as the reference sample."
    elif len(ones) == 1:
        proposed, evidence = ones[0], f"Its RQ is 1 for {'each target' if len(stated) > 1 else 'its target'}."
    elif stated:
        proposed, evidence = AS_STATED, "The file has RQ, and none of these samples is its calibrator."
    if len(samples) < 2 and not stated:
        return None
    options = [Option(NO_CALIBRATOR, "none: ΔCq only"), *(Option(name, name) for name in samples)]
    if stated:
        options.append(Option(AS_STATED, "as the file's RQ says"))
    prompt = "Which sample is expression relative to (2^-ΔΔCq)?"
    answer = asked.ask("calibrator", prompt, options, proposed=proposed, evidence=evidence, sheet=wells.layout.sheet.name)
    return None if answer == NO_CALIBRATOR else answer


def _ratios(found: _Found, run: Run, calibrator: str) -> list[float | None]:
    keys = list(zip(found.samples, found.targets, strict=True))
    if calibrator == AS_STATED:
        return [round(math.log2(run.stated[key]), 4) if key in run.stated else None for key in keys]
    base = {target: delta for (sample, target), delta in zip(keys, found.deltas, strict=True) if sample == calibrator}
    return [
        round(log2_of_ratio(delta, base[target]), 4) if target in base else None
        for (_, target), delta in zip(keys, found.deltas, strict=True)
    ]


def _stated_apart(wells: Wells, run: Run, found: _Found, ratios: Sequence[float | None]) -> Iterator[Finding]:
    """Warn where the file's RQ is another than the one of these references and this calibrator."""
    apart = [
        (at, key, ratio)
        for at, (key, ratio) in enumerate(zip(zip(found.samples, found.targets, strict=True), ratios, strict=True))
        if ratio is not None and key in run.stated and abs(math.log2(run.stated[key]) - ratio) > APART
    ]
    if apart:
        at, (sample, target), ratio = apart[0]
        yield Finding(
            Severity.WARNING,
            "rq-differs",
            f"{len(apart)} of {len(ratios)} RQ in the file differ from what follows of the Cq; the first: {target} in {sample} has "
            f"{run.stated[sample, target]:.3g}, and {2**ratio:.3g} follows; what follows is recorded",
            sheet=wells.layout.sheet.name,
            row=wells.first_row + found.first[at],
            value=f"{run.stated[sample, target]:.3g}",
            expected="the RQ of the same reference genes and calibrator, each cycle being a doubling",
            remedy="acknowledge, or choose the reference genes and the calibrator of the instrument's analysis",
            source="Livak and Schmittgen (2001)",
        )
