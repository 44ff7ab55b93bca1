"""Reads workbooks of Xcalibur (Quan Browser): a sheet for each compound, its table below a few lines about the component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importers.aside import rows_aside
from importers.base import Choices, Claim, ColumnUse, Reading, Refused, SetAside
from importers.columns import HEADER_SEARCH_ROWS, Layout, Role, in_words, is_blank, match, other_sheets, squash, uses
from importers.concentration_cells import UNITS
from importers.concentrations import areas_only, quantify, unread
from importers.injections import Injections, filled_rows
from importers.sheets import Sheet, Workbook
from importers.values import cell_text

FACTORS = {unit: factor for unit, (_, factor) in UNITS.items()}
ROLES = (
    Role("file", ("filename", "file name")),
    Role("sample", ("sample name",)),
    Role("sample_id", ("sample id",)),
    Role("type", ("sample type",)),
    Role("concentration", ("calc amt", "calc amount", "calculated amt"), FACTORS),
    Role("unit", ("units",)),
    Role("nominal", ("exp amt", "exp amount"), FACTORS),
    Role("lloq", ("loq", "lloq"), FACTORS),
    Role("injected_on", ("acq date",)),
    Role("area", ("area",)),
)
_COMPONENT = "componentname"


@dataclass(frozen=True, slots=True)
class _Block:
    """One table: its component, its header row and the rows below it, up to the first one without a file name."""

    component: str
    layout: Layout
    rows: Sequence[int]


class Xcalibur:
    """Workbooks of Xcalibur."""

    key = "xcalibur"
    title = "Concentrations (Xcalibur)"
    reads = (
        "The workbook of Xcalibur's Quan Browser, a sheet for each compound: Component Name, and below it Filename, Sample Type, "
        "Exp Amt, Calc Amt, Units. Records exposures."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a workbook whose sheets have a component's name above such a table."""
        found = [(sheet, blocks) for sheet in book.sheets if (blocks := list(_blocks(sheet)))]
        if not found:
            return None
        sheet, blocks = found[0]
        layout = blocks[0].layout
        names = in_words([f'"{sheet.name}"' for sheet, _ in found])
        said = (
            f'sheet {names} has "Component Name", and {layout.quoted("file", "type", "concentration")} in row {layout.header_row}'
        )
        return Claim(self.key, (said,), sheet.index, layout.header_row)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every sheet that has injections."""
        found, tables = Injections(), {sheet.index: list(_blocks(sheet)) for sheet in book.sheets}
        tables = {index: blocks for index, blocks in tables.items() if any(block.rows for block in blocks)}
        if not tables:
            raise Refused("table-missing", f'"{book.name}" has no injection below its headers', remedy="Export the results again.")
        if not any(block.layout.has("concentration") for blocks in tables.values() for block in blocks):
            raise areas_only(book.name)
        for blocks in tables.values():
            for block in blocks:
                if block.layout.has("concentration"):
                    found.add_table(block.layout, block.rows, compound=block.component)
        result = quantify(book, found, choices, "LC-MS/MS, Xcalibur")
        headers = {index: [block.layout.header_row for block in blocks] for index, blocks in tables.items()}
        data = {index: [row for block in blocks for row in block.rows] for index, blocks in tables.items()}
        return Reading(
            importer=self.key,
            series=(),
            data_rows=data,
            columns=_uses([block for blocks in tables.values() for block in blocks]),
            header_rows=headers,
            set_aside=(
                *(one for index in tables for one in _beside(book.sheets[index], {*headers[index], *data[index]})),
                *other_sheets(book, tables, "holds no injection"),
                *result.set_aside,
            ),
            findings=result.findings,
            questions=result.questions,
            records=result.records,
        )


def _beside(sheet: Sheet, taken: set[int]) -> list[SetAside]:
    rows = sorted(set(filled_rows(sheet, 1, len(sheet.rows))) - taken)
    return rows_aside(sheet, rows, "about the component and who made the report")


def _blocks(sheet: Sheet) -> Iterator[_Block]:
    """Find every table of a sheet, the first of them near its top; a sheet may have the block of its component more than once."""
    component, below, found = "", False, False
    for row, cells in enumerate(sheet.rows, 1):
        if not found and row > HEADER_SEARCH_ROWS:
            return
        first = next((cell_text(cell) for cell in cells if not is_blank(cell)), "")
        if below:
            component, below = first, False
        elif squash(first) == _COMPONENT:
            component, below = "", True
        elif squash(first) in ("filename", "sampletype"):
            layout = match(sheet, row, ROLES)
            if layout.has("file", "type") and (layout.has("concentration") or layout.has("area")):
                found = True
                yield _Block(component or sheet.name, layout, _rows(layout))


def _rows(layout: Layout) -> list[int]:
    sheet, column = layout.sheet, layout.found["file"].column
    rows = []
    for row in range(layout.header_row + 1, len(sheet.rows) + 1):
        cells = sheet.rows[row - 1]
        if column > len(cells) or is_blank(cells[column - 1]) or sum(not is_blank(cell) for cell in cells) < len(ROLES) // 2:
            break
        rows.append(row)
    return rows


def _uses(blocks: Sequence[_Block]) -> tuple[ColumnUse, ...]:
    listed: dict[tuple[int, int, str], ColumnUse] = {}
    for block in blocks:
        layout = block.layout
        for use in uses(layout, {**layout.not_chosen(), **unread(layout)}):
            listed.setdefault((use.sheet, use.column, use.header), use)
    return tuple(listed.values())


IMPORTER = Xcalibur()
