"""Reads summary reports of TargetLynx (MassLynx): a block of rows for each compound, or for each sample."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importers.aside import rows_aside
from importers.base import Choices, Claim, ColumnUse, Reading, Refused, SetAside
from importers.columns import Layout, Role, is_blank, match, other_sheets, uses
from importers.concentration_cells import UNITS
from importers.concentrations import areas_only, quantify, unread
from importers.injections import Injections, filled_rows
from importers.sheets import Sheet, Workbook
from importers.values import cell_text

FACTORS = {unit: factor for unit, (_, factor) in UNITS.items()}
_SHARED = (
    Role("sample_id", ("id", "sample id")),
    Role("sample_text", ("sample text",)),
    Role("type", ("type", "sample type")),
    Role("concentration", ("conc.", "conc", "concentration"), FACTORS),
    Role("unit", ("units", "conc. units")),
    Role("nominal", ("std. conc", "std conc"), FACTORS),
    Role("lloq", ("loq", "lloq"), FACTORS),
    Role("injected_on", ("acq.date", "acq. date")),
    Role("injected_at", ("acq.time", "acq. time")),
    Role("index", ("#",)),
    Role("area", ("area",)),
)
BY_COMPOUND = (Role("sample", ("name", "sample name")), *_SHARED)
BY_SAMPLE = (Role("compound", ("name", "compound", "compound name")), *_SHARED)

_TITLE = re.compile(r"Quantify (?P<what>Compound|Sample) Summary Report", re.IGNORECASE)
_COMPOUND = re.compile(r"Compound\s+\d+\s*:\s*(?P<name>.*?)\s*\Z", re.IGNORECASE)
_SAMPLE = re.compile(r"Sample\s+(?:Name|\d+)\s*:\s*(?P<name>.*?)\s*(?:Sample ID:\s*(?P<id>.*?)\s*)?\Z", re.IGNORECASE)
_SEARCH_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Block:
    """The rows of one compound or one sample, below their header row; `heading` stands above it."""

    heading: re.Match[str]
    layout: Layout
    rows: Sequence[int]


class TargetLynx:
    """Summary reports of TargetLynx."""

    key = "targetlynx"
    title = "Concentrations (TargetLynx)"
    reads = (
        "Quantify Compound Summary Report or Quantify Sample Summary Report of TargetLynx, tab-separated: blocks of Name, Type, "
        "Acq.Date, Area, Conc., Std. Conc. Records exposures."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a sheet that calls itself so in its first rows."""
        for sheet in book.sheets:
            for number, title in _lines(sheet, 1, min(_SEARCH_ROWS, len(sheet.rows)), _TITLE):
                blocks = list(_blocks(sheet))
                if blocks:
                    named = blocks[0].layout.quoted("sample", "compound")
                    said = f'row {number} says "{title[0]}", and {len(blocks)} blocks have {named}'
                    return Claim(self.key, (said,), sheet.index, blocks[0].layout.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every block."""
        sheet = book.sheets[claim.sheet]
        blocks = list(_blocks(sheet))
        if not blocks:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no block of a compound or a sample')
        if not any(block.layout.has("concentration") for block in blocks):
            raise areas_only(book.name)
        found = Injections()
        for block in blocks:
            _add(found, block)
        result = quantify(book, found, choices, "LC-MS/MS, TargetLynx")
        headers = [block.layout.header_row for block in blocks]
        data = [row for block in blocks for row in block.rows]
        others = sorted(set(filled_rows(sheet, 1, len(sheet.rows))) - {*headers, *data})
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: data},
            columns=_uses(blocks),
            header_rows={sheet.index: headers},
            set_aside=(
                *rows_aside(sheet, others, "a heading of the report"),
                *_without_concentration(sheet, blocks),
                *other_sheets(book, [sheet.index]),
                *result.set_aside,
            ),
            findings=result.findings,
            questions=result.questions,
            records=result.records,
        )


def _add(found: Injections, block: _Block) -> None:
    """Add a block's rows; what its heading names stands for all of them."""
    if not block.layout.has("concentration"):
        return
    if block.layout.has("sample"):
        found.add_table(block.layout, block.rows, compound=block.heading["name"])
    else:
        named = {"Sample Name": block.heading["name"], "Sample ID": block.heading["id"] or ""}
        found.add_table(block.layout, block.rows, sample=named)


def _without_concentration(sheet: Sheet, blocks: Sequence[_Block]) -> list[SetAside]:
    rows = [row for block in blocks if not block.layout.has("concentration") for row in block.rows]
    return rows_aside(sheet, rows, "the block has no column of concentrations", row_fate=True)


def _lines(sheet: Sheet, first: int, last: int, expression: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """Find the rows whose first filled cell matches."""
    for number in range(first, last + 1):
        text = next((cell_text(cell) for cell in sheet.rows[number - 1] if not is_blank(cell)), "")
        if said := expression.match(text):
            yield number, said


def _blocks(sheet: Sheet) -> Iterator[_Block]:
    """Cut the report at its headings; each has a header row below it, and rows until the next heading or title."""
    last = len(sheet.rows)
    compounds = [(row, said, BY_COMPOUND, "sample") for row, said in _lines(sheet, 1, last, _COMPOUND)]
    samples = [(row, said, BY_SAMPLE, "compound") for row, said in _lines(sheet, 1, last, _SAMPLE)]
    headings = sorted(compounds or samples, key=lambda heading: heading[0])
    titles = [row for row, _ in _lines(sheet, 1, last, _TITLE)]
    ends = sorted([*(row for row, *_ in headings), *titles, last + 1])
    for row, said, roles, needed in headings:
        end = next(one for one in ends if one > row) - 1
        rows = filled_rows(sheet, row + 1, end)
        layout = match(sheet, rows[0], roles) if rows else None
        if layout is not None and layout.has(needed):
            yield _Block(said, layout, [one for one in rows[1:] if _is_data(sheet, one)])


def _is_data(sheet: Sheet, row: int) -> bool:
    """Whether a row has more than one cell, as the rows below a header do; `Printed …` has one."""
    return sum(not is_blank(cell) for cell in sheet.rows[row - 1]) > 1


def _uses(blocks: Sequence[_Block]) -> tuple[ColumnUse, ...]:
    """List each column once for each header that stands over it."""
    listed: dict[tuple[int, str], ColumnUse] = {}
    for block in blocks:
        layout = block.layout
        number = {layout.found["index"].column: "a running number"} if layout.has("index") else {1: "a running number"}
        for use in uses(layout, {**layout.not_chosen(), **unread(layout), **number}):
            listed.setdefault((use.column, use.header), use)
    return tuple(sorted(listed.values(), key=lambda use: use.column))


IMPORTER = TargetLynx()
