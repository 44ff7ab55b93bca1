"""The injections of a quantification file, whatever program wrote it: columns of equal length that its importer fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from importers.base import Choices, Finding, Severity
from importers.columns import Layout, is_blank, squash
from importers.concentration_cells import Amount, Kind, amounts
from importers.questions import ANSWER_IT, Asked
from importers.sheets import CellValue, Sheet, Workbook
from importers.table_columns import raw_texts
from importers.values import cell_text

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
    compound_column: where the compounds stand, 0 if in no column.
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
    compound_column: int = 0

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
        self._add_names({header: [text] for header, text in names.items()}, 1)
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
        self,
        layout: Layout,
        rows: Sequence[int],
        *,
        compound: str = "",
        sample: Mapping[str, str] | None = None,
    ) -> None:
        """Add a table with a value a row. compound, sample: what its heading says for all rows, where no column does."""
        number, concentration = len(rows), layout.found["concentration"]
        unit = concentration.unit or ""
        keys = {layout.found[key].text: key for key in layout.roles if key in NAME_KEYS and layout.has(key)}
        self.name_columns.update({text: layout.found[key].column for text, key in keys.items()})
        if sample is None:
            self._add_names({text: _texts(layout, rows, key) for text, key in keys.items()}, number)
        else:
            self._add_names({header: [name] * number for header, name in sample.items()}, number)
        calibrated = layout.has("nominal") and (layout.found["nominal"].unit or "") in ("", unit)
        self.sheets += [layout.sheet.index] * number
        self.rows += rows
        self.columns += [concentration.column] * number
        self.compounds += [compound] * number if compound else _texts(layout, rows, "compound")
        self.compound_column = layout.found["compound"].column if layout.has("compound") else self.compound_column
        self.amounts += _cells(layout, rows, "concentration")
        self.nominals += _cells(layout, rows, "nominal") if calibrated else [""] * number
        self.limits += _cells(layout, rows, "lloq")
        self.units += [stated or unit for stated in _texts(layout, rows, "unit")]
        self.types += _texts(layout, rows, "type") if layout.has("type") else [None] * number
        self.injected += [
            " ".join(filter(None, when)) for when in zip(*(_texts(layout, rows, key) for key in INJECTED_KEYS), strict=True)
        ]
        self.aside += _aside(layout, rows)

    def _add_names(self, names: Mapping[str, Sequence[str]], number: int) -> None:
        """Add the names of so many entries, before anything else is added of them; a header that they lack has blanks."""
        for header in [one for one in names if one not in self.names]:
            self.names[header] = [""] * len(self)
        for header, texts in self.names.items():
            texts.extend(names.get(header, [""] * number))


def _cells(layout: Layout, rows: Sequence[int], key: str) -> list[CellValue]:
    """Give the cells of a role in some rows of the sheet (1-based); blanks where there is no such column."""
    if not layout.has(key):
        return [""] * len(rows)
    place, lines = layout.found[key].column - 1, layout.sheet.rows
    return [lines[row - 1][place] if place < len(lines[row - 1]) else "" for row in rows]


def _texts(layout: Layout, rows: Sequence[int], key: str) -> list[str]:
    return raw_texts(_cells(layout, rows, key))


def _aside(layout: Layout, rows: Sequence[int]) -> list[str]:
    """Say of each row why it is no sample's value: its record is not used, or it is an internal standard's or a qualifier's."""
    used, peaks = _texts(layout, rows, "used"), _texts(layout, rows, "peak_type")
    header = layout.found["used"].text if layout.has("used") else ""
    rejected = {mark: f"rejected at the instrument ({header}: {mark})" for mark in set(used) if squash(mark) in _REJECTED}
    of_peak = {peak: _peak(squash(peak)) for peak in set(peaks)}
    return [rejected.get(mark) or of_peak[peak] for mark, peak in zip(used, peaks, strict=True)]


def _peak(word: str) -> str:
    if word.startswith(("internalstandard", "istd", "heavy")) or word in ("is", "true", "yes"):
        return "internal standard"
    return "qualifier" if word.startswith("qualifier") else ""


def counted(number: int) -> str:
    """Say how many values there are: `1 value`, `1,200 values`."""
    return f"{number:,} value{'' if number == 1 else 's'}"


def filled_rows(sheet: Sheet, first: int, last: int) -> list[int]:
    """List the rows from `first` to `last` that hold anything."""
    return [row for row in range(first, last + 1) if not all(map(is_blank, sheet.rows[row - 1]))]


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
        code, option = f"question-{key}"[:LONGEST_KEY], f"--set {key}=ANSWER"
        self.findings.append(Finding(Severity.ERROR, code, told, value=answer, expected=expected, remedy=ANSWER_IT, option=option))
        self.asked.questions[-1] = replace(self.asked.questions[-1], answer=None)
