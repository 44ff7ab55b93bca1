"""Writes a registry as a workbook to fill in: drop-downs, units, comments, an example, and where asked the records there are.

What stands in it and how it is laid out follow from `lims.records.registries` and `importers.template_format`; the same
layout is read back by `importers.registry_template`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, Literal

from importers.template_format import (
    ABOUT,
    CODE_SUFFIX,
    COLUMNS,
    EXAMPLE,
    LISTS,
    MARK,
    RECORD,
    VERSION,
    ColumnKind,
    TemplateColumn,
)
from lims.exports.tables import printable, stored
from lims.records.registry_columns import Described, Registry

SPARE_ROWS = 2_000
"""Rows below the last record that still have drop-downs."""
EXAMPLE_TOLD = f"{EXAMPLE} (not read)"
_WIDEST, _NARROWEST = 42, 11
_LONGEST_TIP = 1_000
_TEXT_FORMAT, _DATE_FORMAT = "@", "yyyy-mm-dd"
_AS_TEXT = frozenset(
    {
        ColumnKind.TEXT,
        ColumnKind.TERM,
        ColumnKind.REFERENCE,
        ColumnKind.POSITION,
        ColumnKind.AGENTS,
        ColumnKind.MOMENT,
        ColumnKind.DAY_OR_MOMENT,
        ColumnKind.SEVERAL,
    }
)
"""Kept as text whatever is typed, so that 007 stays 007 and `2026-11-02 14:30` is no number."""
_KEYS = (
    Described(
        TemplateColumn(RECORD, ColumnKind.WHOLE, ()),
        "Number of the record that the line is about. Leave it as it is; leave it blank on a line that you add.",
        "as exported, or blank",
    ),
    Described(
        TemplateColumn(VERSION, ColumnKind.WHOLE, ()),
        "Which version of the record was exported, by which it shows whether somebody changed it meanwhile. Leave it as it is.",
        "as exported, or blank",
    ),
)
STEPS = (
    "Fill in a line for each record on the first sheet; a comment on each header says what it takes.",
    "The line that begins with “example” shows how, and is never read.",
    "A code left blank is given the next free one. A line that has a record's number changes that record.",
    "In a line with a number, a cell that you empty takes away what is recorded; a line that you delete changes nothing.",
    "Columns may be moved or deleted; a deleted column changes nothing. Added columns are not read.",
    "Then upload the file on the page Imports: you see what it would add and change before anything is recorded.",
)


@dataclass(slots=True)
class Contents:
    """What goes into one template.

    rows: number and version of a record, then a value for each column; none in a blank template. codes: field → the
    project's own codes to choose from. left_out: filled by whoever gives the rows, once they are read: what was left out.
    """

    registry: Registry
    project: str
    written: datetime
    codes: Mapping[str, Sequence[str]]
    rows: Iterable[Sequence[Any]] = ()
    filled: bool = False
    left_out: list[str] = field(default_factory=list)


def file_name(contents: Contents) -> str:
    """Name the file after project and registry."""
    return f"{contents.project} {contents.registry.title.lower()}.xlsx"


def template_blocks(contents: Contents) -> Iterator[bytes]:
    """Write the workbook, then give it in blocks; never whole in memory."""
    from openpyxl import Workbook

    def write(file: Any) -> None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet(contents.registry.title)
        lists = _write_lists(book, contents)
        number = _write_lines(sheet, contents, lists)
        _write_columns(book, contents)
        # Last, because only now it is known what was left out; it stands second all the same.
        _write_about(book, contents, number)
        book.move_sheet(ABOUT, 1 - len(book.worksheets) + 1)
        book.move_sheet(LISTS, len(book.worksheets) - 1 - book.sheetnames.index(LISTS))
        book.save(file)

    yield from stored(write)


def _write_lines(sheet: Any, contents: Contents, lists: Mapping[str, str]) -> int:
    """Write header, example and records; gives how many records."""
    columns = (*_KEYS, *contents.registry.columns)
    _lay_out(sheet, columns)
    sheet.append([_header(sheet, one, contents.registry.source) for one in columns])
    sheet.append([_italic(sheet, value) for value in (EXAMPLE_TOLD, None, *(one.example for one in contents.registry.columns))])
    cells = [_Cell(sheet, one.column.kind) for one in columns]
    number = 0
    for row in contents.rows:
        sheet.append([cell.holding(value) for cell, value in zip(cells, row, strict=True)])
        number += 1
    _validate(sheet, columns, lists, number + 2 + SPARE_ROWS)
    return number


class _Cell:
    """The cell that a column's values are written with: one for all rows, because each is written before the next is filled."""

    def __init__(self, sheet: Any, kind: ColumnKind) -> None:
        from openpyxl.cell import WriteOnlyCell

        self.cell = WriteOnlyCell(sheet)
        self.cell.number_format = _format(kind)

    def holding(self, value: Any) -> Any:
        """Give the cell with a value in it; nothing for none."""
        if value is None:
            return None
        if isinstance(value, str):
            self.cell.value = printable(value)
            self.cell.data_type = "s"  # openpyxl takes text that begins with = for a formula
        else:
            self.cell.value = value
            if isinstance(value, date):
                self.cell.number_format = _DATE_FORMAT
        return self.cell


def _format(kind: ColumnKind) -> str:
    return _TEXT_FORMAT if kind in _AS_TEXT else _DATE_FORMAT if kind is ColumnKind.DATE else "General"


def _lay_out(sheet: Any, columns: Sequence[Described]) -> None:
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "C2"
    for place, one in enumerate(columns, 1):
        letter = get_column_letter(place)
        longest = max(len(one.column.header), len(str(one.example or "")), *(len(told) for told, _ in one.column.terms), 0)
        dimension = sheet.column_dimensions[letter]
        dimension.width = min(max(longest + 3, _NARROWEST), _WIDEST)
        dimension.number_format = _format(one.column.kind)


def _header(sheet: Any, one: Described, source: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    cell = WriteOnlyCell(sheet, one.column.header)
    cell.data_type = "s"
    needed = one.column.needed
    cell.font = Font(bold=True, color="FFFFFF" if needed else "1F2D3D")
    cell.fill = PatternFill("solid", fgColor="1F4E79" if needed else "DCE6F1")
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    told = [one.about, f"Allowed: {one.allowed}.", f"Source: {source}."]
    cell.comment = Comment("\n".join(told)[:_LONGEST_TIP], MARK[1], height=130, width=320)
    return cell


def _italic(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font, PatternFill

    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    cell.font = Font(italic=True, color="7F7F7F")
    cell.fill = PatternFill("solid", fgColor="F2F2F2")
    return cell


def _validate(sheet: Any, columns: Sequence[Described], lists: Mapping[str, str], last: int) -> None:
    """Give each column its drop-down or its limits, down to the last row that may be filled in."""
    from openpyxl.utils import get_column_letter

    for place, one in enumerate(columns, 1):
        rule = _rule(one, lists.get(one.column.header))
        if rule is not None:
            rule.add(f"{get_column_letter(place)}2:{get_column_letter(place)}{last}")
            sheet.data_validations.append(rule)


def _rule(one: Described, choices: str | None) -> Any:
    from openpyxl.worksheet.datavalidation import DataValidation

    told: dict[str, Any] = {"errorTitle": one.column.header[:30], "error": f"Allowed: {one.allowed}"[:220], "allow_blank": True}
    if one.column.kind is ColumnKind.TRUTH:
        return DataValidation("list", formula1='"yes,no"', **told)
    if choices is not None and one.column.kind is not ColumnKind.AGENTS:
        # A code may be newer than the template: that is asked, not refused.
        style: Literal["warning", "stop"] = "warning" if one.column.kind is ColumnKind.REFERENCE else "stop"
        return DataValidation("list", formula1=choices, errorStyle=style, **told)
    if one.column.kind is ColumnKind.DATE:
        return DataValidation("date", operator="greaterThan", formula1="1", **told)
    if one.column.kind in (ColumnKind.NUMBER, ColumnKind.WHOLE) and one.span != (None, None):
        low, high = one.span
        kind: Literal["whole", "decimal"] = "whole" if one.column.kind is ColumnKind.WHOLE else "decimal"
        if high is None:
            return DataValidation(kind, operator="greaterThanOrEqual", formula1=f"{low:g}", **told)
        return DataValidation(kind, operator="between", formula1=f"{low:g}", formula2=f"{high:g}", **told)
    return None


def _write_lists(book: Any, contents: Contents) -> dict[str, str]:
    """Write the lists behind the drop-downs, hidden; gives the range of each by its column's header."""
    from openpyxl.utils import get_column_letter

    written: list[tuple[str, Sequence[str]]] = []
    ranges = {}
    for one in contents.registry.columns:
        words = [told for told, _ in one.column.terms] or list(contents.codes.get(one.field, ()))
        if words:
            letter = get_column_letter(len(written) + 1)
            ranges[one.column.header] = f"{LISTS}!${letter}$2:${letter}${len(words) + 1}"
            written.append((one.column.header, words))
        if one.column.terms:
            written.append((one.column.header + CODE_SUFFIX, [code for _, code in one.column.terms]))
    sheet = book.create_sheet(LISTS)
    sheet.sheet_state = "hidden"
    cells = [_Cell(sheet, ColumnKind.TEXT) for _ in written]
    for row in ([header for header, _ in written], *zip_longest(*(values for _, values in written))):
        sheet.append([cell.holding(value) for cell, value in zip(cells, row, strict=True)])
    return ranges


def _write_columns(book: Any, contents: Contents) -> None:
    """Describe every column, for people and for the reader."""
    sheet = book.create_sheet(COLUMNS)
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFG", (30, 24, 24, 9, 60, 60, 40), strict=True):
        sheet.column_dimensions[letter].width = width
    cells = [_Cell(sheet, ColumnKind.TEXT) for _ in range(7)]

    def line(*values: str) -> None:
        sheet.append([cell.holding(value) for cell, value in zip(cells, values, strict=True)])

    line("column", "holds", "fields", "needed", "what it is", "allowed", "source")
    for one in contents.registry.columns:
        column, needed = one.column, "yes" if one.column.needed else "no"
        line(column.header, column.kind.value, " ".join(column.fields), needed, one.about, one.allowed, contents.registry.source)


def _write_about(book: Any, contents: Contents, number: int) -> None:
    sheet = book.create_sheet(ABOUT)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 100
    registry = contents.registry
    lines = [
        MARK,
        ("Registry", registry.name),
        ("Version", registry.version),
        ("Project", contents.project),
        ("Written", f"{contents.written:%Y-%m-%d %H:%M} UTC"),
        ("Filled", f"with {number:,} records" if contents.filled else "blank"),
        *(("Left out", told) for told in contents.left_out),
        *(("How to fill it in" if not place else "", step) for place, step in enumerate(STEPS)),
    ]
    cells = (_Cell(sheet, ColumnKind.TEXT), _Cell(sheet, ColumnKind.TEXT))
    for line in lines:
        sheet.append([cell.holding(value) for cell, value in zip(cells, line, strict=True)])
