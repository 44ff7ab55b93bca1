"""Caliper sizes with one row for each animal and one column for each date or day, in one block or several."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from importers import values
from importers.base import AnimalFacts, Choices, Claim, Finding, Option, Reading, SetAside, Severity
from importers.block_times import block_times, day
from importers.blocks import KIND_OF_CODE, Block, block_uses, find_blocks, strays
from importers.columns import HEADER_SEARCH_ROWS, in_words, is_blank, other_sheets
from importers.questions import Asked
from importers.sheets import CellValue, Sheet, Workbook
from importers.sizes import SizeColumn, Sizes
from importers.summaries import REASON

KEY = "caliper_wide"

FACTS = ("sex", "cage", "strain", "model", "study")
"""Label columns that state something about the animal, by the field of `AnimalFacts` they fill."""

_BODY_WEIGHT = re.compile(r"weight|\bbw\b|\bmass\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Animal:
    """One data row with an animal, as the file names it."""

    block: Block
    row: int
    identifier: str
    arm: str | None
    tumour: str | None


class CaliperWide:
    """Wide caliper tables: TumGrowth, `LxW_2024-01-05`, stacked cohorts with MEAN rows and normalised copies."""

    key = KEY
    title = "Caliper, one column per date or day"
    reads = (
        "A table with one row for each animal (Mouse, Id, Mouse Number) and one column for each date or day"
        " (LxW_2024-01-05, 0, 3, 7) holding tumour volumes, L × W, or diameters such as 4.5x3.2."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a sheet with a header row of one animal column and at least two dates or days that are not body weights."""
        for sheet in book.sheets:
            blocks = find_blocks(sheet, HEADER_SEARCH_ROWS)
            if blocks and not _BODY_WEIGHT.search(f"{book.name} {sheet.name}") and not _titled_weight(blocks[0]):
                return Claim(KEY, tuple(_evidence(blocks)), sheet.index, blocks[0].header_row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every block of the claimed sheet."""
        return _Reader(book, book.sheets[claim.sheet], choices).read()


def _titled_weight(block: Block) -> bool:
    above = block.sheet.rows[: block.header_row]
    return any(isinstance(cell, str) and _BODY_WEIGHT.search(cell) for row in above for cell in row)


def _evidence(blocks: Sequence[Block]) -> list[str]:
    first = blocks[0]
    animal, times = first.layout.found["animal"], first.times
    said = [
        f'row {first.header_row} of sheet "{first.sheet.name}" has "{animal.text}" and then {len(times)} dates or days,'
        f' "{times[0].text}" to "{times[-1].text}"',
        "no title or header says body weight",
    ]
    if first.codes:
        said.append(f"row {first.header_row + 1} gives each of them a type code ({in_words(sorted(set(first.codes.values())))})")
    if len({block.header_row for block in blocks}) > 1:
        said.append(f"the header is repeated in rows {in_words(sorted({str(block.header_row) for block in blocks}, key=int))}")
    return said


class _Reader:
    """One reading of one sheet."""

    def __init__(self, book: Workbook, sheet: Sheet, choices: Choices) -> None:
        self.book = book
        self.sheet = sheet
        self.asked = Asked(choices)
        self.sizes = Sizes(sheet, book.decimal, self.asked)
        self.set_aside: list[SetAside] = []
        self.findings: list[Finding] = []
        self.animals: list[_Animal] = []
        self.data_rows: set[int] = set()
        self.unread: dict[int, str] = {}
        self.blocks: list[Block] = []

    def read(self) -> Reading:
        found = find_blocks(self.sheet)
        self.blocks = self._without_copies(found)
        for block in self.blocks:
            self._rows(block)
        labels = self._labels()
        self._gather(self.blocks, labels)
        series = self.sizes.series()
        facts = self._facts(labels)
        self._set_empty_rows_aside()
        return Reading(
            KEY,
            tuple(series),
            {self.sheet.index: sorted(self.data_rows)},
            tuple(block_uses(self.blocks, self.unread)),
            {self.sheet.index: sorted({row for block in found for row in range(block.header_row, block.first_row)})},
            facts,
            (*self.set_aside, *strays(found), *other_sheets(self.book, [self.sheet.index])),
            (*self.asked.findings, *self.findings, *self.sizes.findings),
            tuple(self.asked.questions),
        )

    def _without_copies(self, found: Sequence[Block]) -> list[Block]:
        """Set aside the blocks of values relative to the first, where the values themselves are in the sheet too."""
        normalised = [block for block in found if block.is_normalised()]
        if len(normalised) == len(found):
            return list(found)
        for block in normalised:
            self.set_aside.append(
                SetAside(
                    self.sheet.index,
                    block.header_row,
                    block.last_row,
                    block.first_column,
                    block.last_column,
                    "a normalised copy: values relative to each animal's first",
                )
            )
        return [block for block in found if block not in normalised]

    def _rows(self, block: Block) -> None:
        """Sort a block's rows into animals, summaries, and rows that name no animal."""
        identifiers = values.texts(block.labels("animal") or [])
        arms = self._arms(block, identifiers)
        tumours = values.texts(block.labels("tumour") or [""] * len(identifiers))
        summaries = block.summary_rows()
        seen: dict[tuple[str, str, str], int] = {}
        for index, identifier in enumerate(identifiers):
            row = block.first_row + index
            cells = self.sheet.rows[row - 1][block.first_column - 1 : block.last_column]
            if all(is_blank(cell) for cell in cells):
                continue
            self.data_rows.add(row)
            self._note_overhang(block, row)
            key = (arms[index], identifier, tumours[index])
            if row in summaries:
                self._skip(block, row, REASON)
            elif not identifier:
                self._without_animal(block, row)
            elif key in seen:
                self._twice(block, row, identifier, seen[key])
            else:
                seen[key] = row
                self.animals.append(_Animal(block, row, identifier, arms[index] or None, tumours[index] or None))

    def _arms(self, block: Block, identifiers: Sequence[str]) -> list[str]:
        """Read each row's group. Where its name stands once over its rows, it counts for the blank ones below too."""
        arms = values.texts(block.labels("arm") or [""] * len(identifiers))
        filled = 0
        last = ""
        for index, identifier in enumerate(identifiers):
            last = arms[index] or last
            if identifier and last and not arms[index]:
                arms[index] = last
                filled += 1
        if filled:
            header = block.layout.found["arm"]
            self.findings.append(
                Finding(
                    Severity.NOTE,
                    "group-filled-down",
                    f'under "{header.text}" {filled} rows are blank and were given the group named above them',
                    sheet=self.sheet.name,
                    row=block.header_row,
                    column=header.column,
                )
            )
        return arms

    def _note_overhang(self, block: Block, row: int) -> None:
        """Warn of a text row with more cells than the header: a delimiter too many shifts every size in it."""
        width = len(self.sheet.rows[block.header_row - 1])
        beyond = [column for column, cell in enumerate(self.sheet.rows[row - 1], 1) if column > width and not is_blank(cell)]
        if self.book.kind == "text" and beyond:
            text = values.cell_text(_cell(self.sheet, row, beyond[0]))
            self.findings.append(
                Finding(
                    Severity.WARNING,
                    "row-too-long",
                    f"the row has {beyond[-1]} cells and the header {width}, so its sizes may stand one column too far right",
                    sheet=self.sheet.name,
                    row=row,
                    column=beyond[0],
                    value=text,
                    expected=f"at most {width} cells",
                    remedy="look for a delimiter too many in this row; acknowledge if the sizes stand where they should",
                )
            )

    def _skip(self, block: Block, row: int, reason: str) -> None:
        self.set_aside.append(
            SetAside(self.sheet.index, row, row, block.first_column, block.last_column, reason, row_fate=True),
        )

    def _without_animal(self, block: Block, row: int) -> None:
        cells = self.sheet.rows[row - 1]
        if all(time.column > len(cells) or is_blank(cells[time.column - 1]) for time in block.times):
            self._skip(block, row, "names no animal and holds no measurement")
            return
        column = block.layout.found["animal"].column
        message = "the row has sizes but no animal; it was not read"
        self.sizes.error("animal-missing", message, row, column, "", "the animal's id in every row with sizes")

    def _twice(self, block: Block, row: int, identifier: str, first: int) -> None:
        column = block.layout.found["animal"].column
        self.sizes.error(
            "animal-twice",
            f"animal {identifier} already has row {first} of this table; this row was not read",
            row,
            column,
            identifier,
            "one row for each animal, or a column that names the tumour",
        )

    def _labels(self) -> list[str]:
        """Make each row's animal id: as written, or `group-id` where one id stands in several groups."""
        arms: dict[str, list[str]] = defaultdict(list)
        for animal in self.animals:
            if animal.arm and animal.arm not in arms[animal.identifier]:
                arms[animal.identifier].append(animal.arm)
        shared = [identifier for identifier, groups in arms.items() if len(groups) > 1]
        if not shared:
            return [animal.identifier for animal in self.animals]
        groups = arms[shared[0]]
        evidence = f"{len(shared)} ids stand in several groups: {shared[0]} is in {in_words(groups)}."
        answer = self.asked.ask(
            "id_scope",
            "Is an id that stands in several groups one animal, or one in each group?",
            (
                Option("group", f"one animal in each group: {groups[0]}-{shared[0]}, {groups[1]}-{shared[0]}"),
                Option("animal", "the same animal"),
            ),
            proposed="group",
            evidence=evidence,
            samples=[f"{group}-{shared[0]}" for group in groups],
            sheet=self.sheet.name,
        )
        if "id_scope" not in self.asked.choices:
            self.findings.append(
                Finding(
                    Severity.WARNING,
                    "ids-repeat-between-groups",
                    f"{evidence} Every id was read with its group before it, as in {groups[0]}-{shared[0]}.",
                    sheet=self.sheet.name,
                    value=shared[0],
                    expected="ids that are unique in the file",
                    remedy="confirm, or, if it is the same animal, answer so",
                    option="--set id_scope=animal",
                )
            )
        composed = answer == "group"
        return [f"{one.arm}-{one.identifier}" if composed and one.arm else one.identifier for one in self.animals]

    def _gather(self, blocks: Sequence[Block], labels: Sequence[str]) -> None:
        """Hand every column of readings to `sizes`, with its day or date."""
        when = block_times(blocks, self.asked)
        for block in blocks:
            here = [(one, label) for one, label in zip(self.animals, labels, strict=True) if one.block is block]
            rows, names = [one.row for one, _ in here], [label for _, label in here]
            tumours = [one.tumour for one, _ in here]
            for time in block.times:
                code = block.codes.get(time.column)
                if code is not None and code not in KIND_OF_CODE:
                    self.unread[time.column] = f'its type code "{code}" says that it is no measurement of size'
                elif time in when:
                    cells = [_cell(self.sheet, row, time.column) for row in rows]
                    kind = time.kind if code is None else KIND_OF_CODE[code]
                    self.sizes.add(SizeColumn(time.column, rows, cells, names, [when[time]] * len(rows), tumours, kind, time.unit))

    def _set_empty_rows_aside(self) -> None:
        """Rows of an animal without a single size count as skipped."""
        for one in self.animals:
            if one.row not in self.sizes.rows:
                self._skip(one.block, one.row, "the animal has no size in this table")

    def _facts(self, labels: Sequence[str]) -> dict[str, AnimalFacts]:
        facts: dict[str, AnimalFacts] = {}
        columns = {id(block): {key: block.labels(key) for key in FACTS} for block in self.blocks}
        births = {id(block): self._births(block) for block in self.blocks}
        for one, label in zip(self.animals, labels, strict=True):
            index = one.row - one.block.first_row
            stated = {
                key: values.cell_text(cells[index]) or None if cells else None for key, cells in columns[id(one.block)].items()
            }
            tumours = (one.tumour,) if one.tumour else ()
            before = facts.get(label)
            if before is not None:
                facts[label] = replace(before, tumours=tuple(dict.fromkeys((*before.tumours, *tumours))))
                continue
            birth = births[id(one.block)].get(one.row)
            facts[label] = AnimalFacts(label, self.sheet.index, one.row, birth_date=birth, arm=one.arm, tumours=tumours, **stated)
        return facts

    def _births(self, block: Block) -> dict[int, date]:
        cells = block.labels("birth")
        if cells is None:
            return {}
        animals = {one.row for one in self.animals if one.block is block}
        read, problems = values.dates(cells, self.asked.choices.get("date_order"))
        for index, problem in problems.items():
            row, column = block.first_row + index, block.layout.found["birth"].column
            if row in animals:
                text = values.cell_text(cells[index])
                self.sizes.error(problem.code, f'the date of birth "{text}" {problem.reason}', row, column, text, problem.expected)
        return {row: day(moment) for row, moment in enumerate(read, block.first_row) if moment is not None and row in animals}


def _cell(sheet: Sheet, row: int, column: int) -> CellValue:
    cells = sheet.rows[row - 1]
    return cells[column - 1] if column <= len(cells) else ""


IMPORTER = CaliperWide()
