"""The injections of a quantification file, whatever program wrote it: columns of equal length that its importer fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from importers.base import Choices, Finding, SetAside, Severity
from importers.columns import Layout, is_blank, squash
from importers.concentration_cells import Amount, Kind, amounts
from importers.questions import Asked
from importers.values import cell_text
from importers.workbook import CellValue, Sheet, Workbook

NAME_KEYS = ("sample", "sample_id", "sample_text", "file")
"""Roles of columns that may name the sample; an importer lists its program's usual one first."""
INJECTED_KEYS = ("injected_on", "injected_at")
LONGEST_KEY = 80
"""Characters of a question's key that names a compound."""
_REJECTED = frozenset(("0", "false", "no", "n"))


@dataclass(slots=True)
class Injections:
    """What a file says of its injections: columns of equal length, one entry for each compound of an injection.

    sheets, rows, columns: where the concentration's cell stands. amounts, nominals, limits: cells of the concentration, of a
    calibrator's nominal concentration, and of the limit of quantification. units: as a header or a column states them.
    types: what the injection was for, in the program's own word; `None` where the file does not say. injected: when, as written.
    aside: why the file itself says that an entry is no sample's value (rejected, internal standard), else an empty text.
    names: header → sample names; a file may have several such columns. name_columns: header → its column in the sheet.
    """

    sheets: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    compounds: list[str] = field(default_factory=list)
    amounts: list[CellValue] = field(default_factory=list)
    nominals: list[CellValue] = field(default_factory=list)
    limits: list[CellValue] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    injected: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    name_columns: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.rows)

    def add(
        self,
        sheet: int,
        row: int,
        column: int,
        *,
        compound: str,
        amount: CellValue,
        names: Mapping[str, str],
        **more: str | CellValue | None,
    ) -> None:
        """Add one value. names: header → the sample's name under it. more: unit, type, nominal, limit, injected, aside."""
        for header in [one for one in names if one not in self.names]:
            self.names[header] = [""] * len(self)
        for header, texts in self.names.items():
            texts.append(names.get(header, ""))
        self.sheets.append(sheet)
        self.rows.append(row)
        self.columns.append(column)
        self.compounds.append(compound)
        self.amounts.append(amount)
        self.nominals.append(more.get("nominal") or "")
        self.limits.append(more.get("limit") or "")
        self.units.append(str(more.get("unit") or ""))
        kind = more.get("type")
        self.types.append(None if kind is None else str(kind))
        self.injected.append(str(more.get("injected") or ""))
        self.aside.append(str(more.get("aside") or ""))

    def add_table(
        self, layout: Layout, rows: Sequence[int], *, compound: str = "", sample: Mapping[str, str] | None = None, aside: str = ""
    ) -> None:
        """Add a table with a value a row. compound, sample, aside: what its heading says for all rows, where no column does."""
        sheet = layout.sheet
        concentration = layout.found["concentration"]
        unit = concentration.unit or ""
        headers = {key: layout.found[key].text for key in layout.roles if key in NAME_KEYS and layout.has(key)}
        self.name_columns.update({text: layout.found[key].column for key, text in headers.items()})
        nominal = layout.has("nominal") and (layout.found["nominal"].unit or "") in ("", unit)
        for row in rows:
            self.add(
                sheet.index,
                row,
                concentration.column,
                compound=compound or text_at(layout, row, "compound"),
                amount=cell_at(layout, row, "concentration"),
                names=sample or {text: text_at(layout, row, key) for key, text in headers.items()},
                unit=text_at(layout, row, "unit") or unit,
                type=text_at(layout, row, "type") if layout.has("type") else None,
                nominal=cell_at(layout, row, "nominal") if nominal else "",
                limit=cell_at(layout, row, "lloq"),
                injected=" ".join(filter(None, (text_at(layout, row, key) for key in INJECTED_KEYS))),
                aside=aside or _aside(layout, row),
            )


def cell_at(layout: Layout, row: int, key: str) -> CellValue:
    """Give the cell of a role in a row of the sheet (1-based); blank where there is no such column."""
    if not layout.has(key):
        return ""
    cells, column = layout.sheet.rows[row - 1], layout.found[key].column
    return cells[column - 1] if column <= len(cells) else ""


def text_at(layout: Layout, row: int, key: str) -> str:
    """Give the cell of a role in a row as it reads in the sheet."""
    return cell_text(cell_at(layout, row, key))


def _aside(layout: Layout, row: int) -> str:
    """Say why the row itself is no sample's value: its record is not used, or it is an internal standard's or a qualifier's."""
    if squash(text_at(layout, row, "used")) in _REJECTED:
        return f"rejected at the instrument ({layout.found['used'].text}: {text_at(layout, row, 'used')})"
    peak = squash(text_at(layout, row, "peak_type"))
    if peak.startswith(("internalstandard", "istd", "heavy")) or peak in ("is", "true", "yes"):
        return "internal standard"
    return "qualifier" if peak.startswith("qualifier") else ""


def filled_rows(sheet: Sheet, first: int, last: int) -> list[int]:
    """List the rows from `first` to `last` that hold anything."""
    return [row for row in range(first, last + 1) if not all(map(is_blank, sheet.rows[row - 1]))]


def regions(sheet: Sheet, rows: Sequence[int], reason: str, *, row_fate: bool = False) -> list[SetAside]:
    """Set whole rows aside, one region for each run of them."""
    found: list[SetAside] = []
    width = max(map(len, sheet.rows), default=0)
    for row in rows:
        if found and found[-1].last_row == row - 1:
            found[-1] = SetAside(sheet.index, found[-1].first_row, row, 1, width, reason, row_fate)
        else:
            found.append(SetAside(sheet.index, row, row, 1, width, reason, row_fate))
    return found


SHOWN = 3
"""Samples that a question shows."""


class Batch:
    """A file's injections while they are read: `aside` says why some are not recorded, `live` gives those still in question."""

    def __init__(self, book: Workbook, found: Injections, choices: Choices) -> None:
        """Take the injections; nothing is set aside yet."""
        self.book = book
        self.found = found
        self.asked = Asked(choices)
        self.findings: list[Finding] = []
        self.amounts: list[Amount] = amounts(found.amounts, book.decimal)
        self.kinds: list[Kind] = []
        self.aside: dict[int, str] = {}
        self._told: set[int] = set()

    @property
    def live(self) -> list[int]:
        """Give the entries that are neither set aside nor refused."""
        return [index for index in range(len(self.found)) if index not in self.aside and index not in self._told]

    def of_compound(self, compound: str) -> list[int]:
        """Give the live entries of a compound."""
        return [index for index in self.live if self.found.compounds[index] == compound]

    def text(self, index: int) -> str:
        """Give an entry's concentration as the cell shows it."""
        return cell_text(self.found.amounts[index])

    def set_aside(self, indices: Iterable[int], reason: str) -> None:
        """Leave entries out, and say why."""
        self.aside.update(dict.fromkeys(indices, reason))

    def refuse(
        self,
        index: int,
        code: str,
        message: str,
        *,
        expected: str,
        remedy: str,
        value: str,
        severity: Severity = Severity.ERROR,
        column: int = 0,
    ) -> None:
        """Say what is wrong with an entry, which is not recorded. column: where, if not at the concentration."""
        found = self.found
        place = (self.book.sheets[found.sheets[index]].name, found.rows[index], column or found.columns[index])
        self.findings.append(Finding(severity, code, message, *place, value, expected, remedy))
        self._told.add(index)

    def refuse_answer(self, key: str, answer: str, why: str, expected: str) -> None:
        """Refuse a free answer to the question that was asked last."""
        told = f'"{answer}" {why}.'
        remedy = f"Answer on the check page, or with --set {key}=ANSWER."
        self.findings.append(
            Finding(Severity.ERROR, f"question-{key}"[:LONGEST_KEY], told, value=answer, expected=expected, remedy=remedy)
        )
        self.asked.questions[-1] = replace(self.asked.questions[-1], answer=None)
