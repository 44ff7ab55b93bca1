"""Reads tables of MassHunter Quantitative Analysis: two header rows, with a sample or a compound in each row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importers.aside import rows_aside
from importers.base import Choices, Claim, ColumnUse, Reading, Refused, SetAside
from importers.columns import HEADER_SEARCH_ROWS, Header, header, in_words, is_blank, other_sheets, squash
from importers.concentrations import INJECTION_TIME, areas_only, quantify
from importers.injections import Injections, filled_rows
from importers.sheets import CellValue, Sheet, Workbook
from importers.values import cell_text

CONCENTRATIONS = ("finalconc", "finalconcentration", "calcconc", "calculatedconc", "calculatedconcentration")
"""Names of the concentration, squashed; the final one has the dilution in it and stands first."""
NOMINAL = ("expconc", "expectedconc", "expectedconcentration")
LIMITS = ("loq", "limitofquantitation", "limitofquantification")
NAMES = ("name", "samplename", "datafile", "comment")
TYPES = ("type", "sampletype")
INJECTED = ("acqdatetime", "acqdate", "acquisitiondatetime")
_OF_COMPOUND = re.compile(r"(?P<name>.*\S)\s+(?P<what>Results|Method)\s*\Z", re.IGNORECASE)
_QUALIFIER = re.compile(r"Qualifier\b", re.IGNORECASE)
_SAMPLE, _COMPOUND = "sample", "compoundmethod"
_ROLES = {**dict.fromkeys(NOMINAL, "nominal"), **dict.fromkeys(LIMITS, "lloq"), **dict.fromkeys(TYPES, "type")}
_KNOWN = frozenset((*CONCENTRATIONS, *NOMINAL, "name", "rt", "area", "datafile", "type", "transition"))


@dataclass(frozen=True, slots=True)
class _Group:
    """The columns under one cell of the first header row: squashed name of the second → header."""

    label: str
    headers: Mapping[str, Header]

    def first(self, names: Sequence[str]) -> Header | None:
        """Give the first of these columns that the group has."""
        return next((self.headers[name] for name in names if name in self.headers), None)


@dataclass(frozen=True, slots=True)
class _Table:
    """Two header rows; `by_sample` where each row below is a sample, else a compound."""

    sheet: Sheet
    header_row: int
    groups: tuple[_Group, ...]
    by_sample: bool

    @property
    def rows(self) -> list[int]:
        """List the rows of data."""
        return filled_rows(self.sheet, self.header_row + 2, len(self.sheet.rows))

    def cell(self, row: int, of: Header | None) -> CellValue:
        """Give a cell; blank where the table has no such column."""
        cells = self.sheet.rows[row - 1]
        return cells[of.column - 1] if of is not None and of.column <= len(cells) else ""

    def text(self, row: int, of: Header | None) -> str:
        """Give a cell as it reads in the sheet."""
        return cell_text(self.cell(row, of))

    @property
    def heading(self) -> _Group:
        """Give the group that names the rows."""
        return next(group for group in self.groups if squash(group.label) == (_SAMPLE if self.by_sample else _COMPOUND))


class MassHunter:
    """Tables of MassHunter."""

    key = "masshunter"
    title = "Concentrations (MassHunter)"
    reads = (
        "The table of MassHunter Quantitative Analysis with two header rows: Sample and <compound> Results over Name, Type, "
        "Acq. Date-Time, RT, Area, Final Conc.; or Compound Method and the samples' names. Records exposures."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with two such header rows."""
        for sheet in book.sheets:
            table = _table(sheet)
            if table is not None:
                labels = in_words([f'"{group.label}"' for group in table.groups[:3]])
                rows = "a sample" if table.by_sample else "a compound"
                said = f"row {table.header_row} groups the columns below {labels}: {rows} in each row"
                return Claim(self.key, (said,), sheet.index, table.header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every concentration."""
        sheet = book.sheets[claim.sheet]
        table = _table(sheet)
        if table is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no table with two header rows')
        found = _by_sample(table) if table.by_sample else _by_compound(table)
        if table.rows and not found.rows:
            raise areas_only(book.name)
        result = quantify(book, found, choices, "LC-MS/MS, MassHunter")
        return Reading(
            importer=self.key,
            series=(),
            data_rows={sheet.index: table.rows},
            columns=_uses(table, found, result.unread),
            header_rows={sheet.index: [table.header_row, table.header_row + 1]},
            set_aside=(*_above(table), *other_sheets(book, [sheet.index]), *result.set_aside),
            findings=result.findings,
            questions=result.questions,
            records=result.records,
        )


def _above(table: _Table) -> list[SetAside]:
    return rows_aside(table.sheet, filled_rows(table.sheet, 1, table.header_row - 1), "stands above the table")


def _table(sheet: Sheet) -> _Table | None:
    """Find the two header rows: the first names groups of columns, the second the columns."""
    for row in range(1, min(HEADER_SEARCH_ROWS, len(sheet.rows) - 1) + 1):
        labels = [cell_text(cell) for cell in sheet.rows[row - 1]]
        named = {squash(label) for label in labels if label}
        by_sample = _SAMPLE in named and any(map(_OF_COMPOUND.match, labels))
        if by_sample or _COMPOUND in named:
            groups = _groups(labels, sheet.rows[row])
            if sum(bool(_KNOWN & group.headers.keys()) for group in groups) > 1:
                return _Table(sheet, row, groups, by_sample)
    return None


def _groups(labels: Sequence[str], below: Sequence[CellValue]) -> tuple[_Group, ...]:
    """Give each label the columns from its own up to the next label's."""
    groups: list[_Group] = []
    headers: dict[str, Header] = {}
    for place, cell in enumerate(below):
        if place < len(labels) and labels[place]:
            headers = {}
            groups.append(_Group(labels[place], headers))
        if groups and not is_blank(cell):
            one = header(cell, place + 1)
            headers.setdefault(one.full if one.full in _KNOWN else one.name, one)
    return tuple(groups)


def _by_sample(table: _Table) -> Injections:
    """Read a sample a row: each group of results is a compound."""
    found = Injections()
    heading = table.heading
    names = {heading.headers[key].text: heading.headers[key] for key in NAMES if key in heading.headers}
    found.name_columns.update({text: one.column for text, one in names.items()})
    kind, injected = heading.first(TYPES), heading.first(INJECTED)
    compounds = [
        (said["name"], group)
        for group in table.groups
        if (said := _OF_COMPOUND.match(group.label)) and said["what"].casefold() == "results" and not _QUALIFIER.match(group.label)
    ]
    methods = {
        said["name"]: group
        for group in table.groups
        if (said := _OF_COMPOUND.match(group.label)) and said["what"].casefold() == "method"
    }
    for row in table.rows:
        for compound, group in compounds:
            column = group.first(CONCENTRATIONS)
            if column is None:
                continue
            method = methods.get(compound, group)
            found.add(
                *(table.sheet.index, row, column.column),
                compound=compound,
                amount=table.cell(row, column),
                names={text: table.text(row, one) for text, one in names.items()},
                unit=column.unit,
                type=table.text(row, kind) if kind else None,
                nominal=table.cell(row, group.first(NOMINAL) or method.first(NOMINAL)),
                limit=table.cell(row, group.first(LIMITS) or method.first(LIMITS)),
                injected=table.text(row, injected),
            )
    return found


def _by_compound(table: _Table) -> Injections:
    """Read a compound a row: each group beside its method is a sample, whose name is the group's label."""
    found = Injections()
    heading = table.heading
    name, limit = heading.first(("name", "compoundname")), heading.first(LIMITS)
    found.compound_column = name.column if name else 0
    for row in table.rows:
        for group in table.groups:
            column = group.first(CONCENTRATIONS)
            if column is not None and group is not heading:
                found.add(
                    *(table.sheet.index, row, column.column),
                    compound=table.text(row, name),
                    amount=table.cell(row, column),
                    names={"sample": group.label},
                    unit=column.unit,
                    type=table.text(row, group.first(TYPES)) if group.first(TYPES) else None,
                    limit=table.cell(row, limit),
                )
    return found


def _uses(table: _Table, found: Injections, unread: Mapping[tuple[int, int], str]) -> tuple[ColumnUse, ...]:
    """List every column with the header of its group."""
    sheet, concentrations, names = table.sheet, set(found.columns), {*found.name_columns.values(), found.compound_column}
    listed: dict[int, ColumnUse] = {}
    for group in table.groups:
        for key, one in group.headers.items():
            role = "concentration" if one.column in concentrations else "name" if one.column in names else _ROLES.get(key)
            reason = unread.get((sheet.index, one.column), "")
            if role is None:
                reason = INJECTION_TIME if key in INJECTED else "the concentration is recorded"
            listed[one.column] = ColumnUse(sheet.index, one.column, f"{group.label}: {one.text}", None if reason else role, reason)
    for column in range(1, max(map(len, sheet.rows), default=0) + 1):
        listed.setdefault(column, ColumnUse(sheet.index, column, "", None, "no header: the program's flags"))
    return tuple(listed[column] for column in sorted(listed))


IMPORTER = MassHunter()
