"""Reads the results of QuantStudio and ViiA 7 (qPCR): Cq of each well, averaged into ΔCq of each sample and gene."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from importers import values
from importers.base import Choices, Claim, Finding, Reading, Refused, SetAside, Severity
from importers.claims import claim_table
from importers.columns import Layout, Role, above, column_cells, data_rows, match, other_sheets, squash, uses
from importers.relative_quantity import Run, Wells, quantify
from importers.sheets import Sheet, Workbook
from importers.tables import TableReader
from importers.values import cell_text

WELL = Role("well", ("well",))
POSITION = Role("position", ("well position",))
SAMPLE = Role("sample", ("sample name", "sample"))
TARGET = Role("target", ("target name", "target", "detector name", "detector"))
CQ = Role("cq", ("cq", "ct", "c\u0442"))
"""Some versions write the т of Cт as a Cyrillic letter."""
TASK = Role("task", ("task",))
OMIT = Role("omit", ("omit", "omitted"))
RQ = Role("rq", ("rq",))

ROLES = (WELL, POSITION, SAMPLE, TARGET, CQ, TASK, OMIT, RQ)
REQUIRED = ("well", "sample", "target", "cq")
GROUP_ROLES = (SAMPLE, TARGET, RQ)
UNDETERMINED = "undetermined"
SAMPLES_MEASURED = frozenset(("", "unknown", "target", "endogenous control", "endo", "reference"))
"""Tasks of wells that hold a sample. All others are controls and standards."""
NO_TEMPLATE = frozenset(("ntc", "no template control", "negative control"))

_PAIR = re.compile(r"\*?\s*(?P<key>[^=]+?)\s*=\s*(?P<value>.*)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NOTHING = frozenset(("", "na", "n/a"))
_RUN_TIMES = (
    "experimentrunendtime",
    "runenddatatime",
    "runenddatetime",
    "runstartdatetime",
    "experimentrunstarttime",
    "datecreated",
)


class QuantStudio:
    """QuantStudio results."""

    key = "quantstudio"
    title = "QuantStudio results (qPCR)"
    reads = (
        "The results of QuantStudio, ViiA 7 and Design & Analysis, txt or xlsx: Well, Sample, Target, CT or Cq, Task, Omit. "
        "Records: alteration (expression, ΔCq against the reference genes that are chosen)."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with a table of wells that has sample, target and Cq."""
        return claim_table(self.key, book, _table, *REQUIRED)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Average the replicates and give ΔCq; controls, standards and omitted wells are set aside."""
        whole = book.sheets[claim.sheet]
        layout = _table(whole)
        if layout is None:
            raise Refused("table-missing", f'the sheet "{whole.name}" has no table of wells with sample, target and Cq')
        reader = TableReader(book, layout, choices)
        wells, aside = _wells(reader)
        run = _run(whole, layout, _stated(book, whole, layout))
        found = quantify(wells, run, reader.asked)
        aside |= found.aside
        rows = {reader.first_row + index: reason for index, reason in aside.items()}
        return Reading(
            importer=self.key,
            series=(),
            data_rows={whole.index: data_rows(layout.sheet, layout.header_row)},
            columns=uses(layout, layout.not_chosen(), "not needed for ΔCq, which is computed from the wells"),
            header_rows={whole.index: [layout.header_row]},
            set_aside=(
                *above(layout, "other sections of the export; run date and instrument are read"),
                *_below(whole, layout),
                *other_sheets(book, [whole.index], "ΔCq is computed from the wells, not from this sheet"),
                *_regions(whole, rows),
            ),
            findings=(*reader.findings, *found.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
            records=found.records,
        )


def _table(sheet: Sheet) -> Layout | None:
    """Find the table of wells and cut the sheet off behind it: sections of a text export follow each other."""
    first = column_cells(sheet, 1, 0)
    # Different cells are looked at once: every table of 100,000 rows is searched in vain.
    named = {cell for cell in set(first) if isinstance(cell, str) and cell.strip().casefold() == "well"}
    for number, cell in enumerate(first, 1) if named else ():
        if cell in named and match(sheet, number, ROLES).has(*REQUIRED):
            ends = (at for at in range(number, len(sheet.rows)) if _ends(sheet.rows[at]))
            cut = replace(sheet, rows=sheet.rows[: next(ends, len(sheet.rows))])
            return match(cut, number, ROLES)
    return None


def _ends(row: Sequence[object]) -> bool:
    """Tell the row behind a table: a blank one, or the heading of the next section."""
    return not any(str(cell).strip() for cell in row) or str(row[0]).startswith("[")


def _below(sheet: Sheet, layout: Layout) -> tuple[SetAside, ...]:
    end = len(layout.sheet.rows)
    width = max(map(len, sheet.rows[end:]), default=0)
    if not width:
        return ()
    return (SetAside(sheet.index, end + 1, len(sheet.rows), 1, width, "stands below the table of wells"),)


def _regions(sheet: Sheet, rows: Mapping[int, str]) -> list[SetAside]:
    """Set rows aside, one region for each run of neighbours with the same reason."""
    width = max(map(len, sheet.rows))
    regions: list[SetAside] = []
    for row, reason in sorted(rows.items()):
        if regions and regions[-1].last_row == row - 1 and regions[-1].reason == reason:
            regions[-1] = replace(regions[-1], last_row=row)
        else:
            regions.append(SetAside(sheet.index, row, row, 1, width, reason, row_fate=True))
    return regions


def _wells(reader: TableReader) -> tuple[Wells, dict[int, str]]:
    """Read the wells; those that hold no sample are set aside with the reason, by their place below the header."""
    layout = reader.layout
    cq = reader.numbers("cq", (UNDETERMINED,))
    cells = [cell_text(cell) for cell in layout.cells("cq")]
    samples, targets = reader.texts("sample"), reader.texts("target")
    reader.note_problems(layout.found["sample"].column, samples, values.identifier_problems(samples))
    tasks = reader.texts("task") if layout.has("task") else [""] * reader.length
    omitted = reader.texts("omit") if layout.has("omit") else [""] * reader.length
    unreadable = {finding.row for finding in reader.findings}
    aside: dict[int, str] = {}
    for index, (sample, target, cell) in enumerate(zip(samples, targets, cells, strict=True)):
        if reader.first_row + index in unreadable:
            aside[index] = "a value of the well cannot be read"
        elif omitted[index].casefold() in ("true", "yes", "1"):
            aside[index] = "omitted at the instrument"
        elif tasks[index].casefold().replace("_", " ") not in SAMPLES_MEASURED:
            aside[index] = f"control or standard ({tasks[index]})"
        elif not (sample and target and cell):
            aside[index] = (
                "an empty well" if not (sample or target) else f"no {'sample' if not sample else 'target' if not target else 'Cq'}"
            )
    reader.findings += _amplified_controls(reader, tasks, targets, cq)
    positions = reader.texts("position" if layout.has("position") else "well")
    return Wells(
        layout, reader.first_row, samples, targets, positions, cq, cells, [at for at in range(reader.length) if at not in aside]
    ), aside


def _amplified_controls(
    reader: TableReader, tasks: Sequence[str], targets: Sequence[str], cq: Sequence[float | None]
) -> list[Finding]:
    """Warn of each target whose control without template gave a Cq (MIQE asks for it)."""
    first: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if task.casefold().replace("_", " ") in NO_TEMPLATE and cq[index] is not None:
            first.setdefault(targets[index], index)
    return [
        Finding(
            Severity.WARNING,
            "control-amplified",
            f"the control without template of {target} has a Cq of {cq[index]:.2f}",
            *(reader.sheet.name, reader.first_row + index, reader.layout.found["cq"].column, f"{cq[index]:g}"),
            "no amplification without template",
            "acknowledge if the samples' Cq lie far enough below it, else leave this target out",
            "MIQE guidelines (Bustin et al. 2009)",
        )
        for target, index in first.items()
    ]


def _run(sheet: Sheet, layout: Layout, stated: Mapping[tuple[str, str], float]) -> Run:
    """Read what stands around the table: when it was run on which instrument, and the analysis' own reference and calibrator."""
    said: dict[str, str] = {}
    around = (*sheet.rows[: layout.header_row - 1], *sheet.rows[len(layout.sheet.rows) :])
    for row in around:
        filled = [str(cell).strip() for cell in row if str(cell).strip()]
        pair = _PAIR.fullmatch(filled[0]) if len(filled) == 1 else None
        key, value = (pair["key"], pair["value"]) if pair else filled if len(filled) == 2 else ("", "")
        if key and value.casefold() not in _NOTHING:
            said.setdefault(squash(key), value)
    days = (_DAY.search(said.get(key, "")) for key in _RUN_TIMES)
    instrument = (said.get("instrumenttype"), said.get("chemistry"))
    return Run(
        on=next((_day(found[0]) for found in days if found), None),
        platform=", ".join(("RT-qPCR", *filter(None, instrument)))[:200],
        reference=said.get("endogenouscontrol", ""),
        calibrator=said.get("referencesample", ""),
        stated=stated,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _stated(book: Workbook, whole: Sheet, layout: Layout) -> dict[tuple[str, str], float]:
    """Read the RQ that the file states of each sample and target, beside the wells or in a sheet of groups."""
    tables = (
        [layout] if layout.has("rq") else [one for sheet in book.sheets if sheet.index != whole.index and (one := _groups(sheet))]
    )
    stated: dict[tuple[str, str], float] = {}
    for table in tables:
        ratios, _ = values.numbers(table.cells("rq"), book.decimal, (UNDETERMINED, "-"))
        names = (map(cell_text, table.cells(key)) for key in ("sample", "target"))
        for sample, target, ratio in zip(*names, ratios, strict=True):
            if ratio is not None and ratio > 0:
                stated.setdefault((sample, target), ratio)
    return stated


def _groups(sheet: Sheet) -> Layout | None:
    for number, row in enumerate(sheet.rows[:60], 1):
        if "rq" in [squash(cell) for cell in row if isinstance(cell, str)]:
            layout = match(sheet, number, GROUP_ROLES)
            return layout if layout.has("sample", "target", "rq") else None
    return None


IMPORTER = QuantStudio()
