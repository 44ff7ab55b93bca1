"""Reads single columns of a table: names, numbers, dates. A cell that is none of what its column holds becomes a finding."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import cast

from importers import values
from importers.base import Choices, Clock, Finding, Option, Severity
from importers.columns import Layout, merged_down
from importers.questions import Asked
from importers.sheets import CellValue, Workbook

When = date | datetime | float

MONTHS = 12
HIGHEST_DAY = 1000
"""Numbers under "Date" below this are days of a study; serial dates of this century start at 36,526."""

SERIAL_EPOCH = date(1899, 12, 30)
_NUMERIC_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}(?!\d)")

DATE_ORDERS = (Option("dmy", "day first: 31/12/2024"), Option("mdy", "month first: 12/31/2024"))


class ColumnReader:
    """The columns of the table under one header row. Findings and questions gather in `findings` and `asked`."""

    def __init__(self, book: Workbook, layout: Layout, choices: Choices) -> None:
        """Take the table; nothing is read yet."""
        self.layout = layout
        self.sheet = layout.sheet
        self.decimal = book.decimal
        self.choices = choices
        self.asked = Asked(choices)
        self.findings: list[Finding] = []
        self.unread: dict[int, str] = {}
        self.first_row = layout.header_row + 1
        self.length = max(len(layout.sheet.rows) - layout.header_row, 0)
        self._unreadable: dict[int, set[int]] = defaultdict(set)
        self._noted: set[int] = set()
        self._texts: dict[int, list[str]] = {}

    def animals(self, key: str = "animal") -> list[str]:
        """Read the ids; one with a character that nobody sees, or of another alphabet, is an error finding."""
        labels = self.texts(key)
        self.note_problems(self.layout.found[key].column, labels, values.identifier_problems(labels))
        return labels

    def texts(self, key: str) -> list[str]:
        """Read a column of names or remarks; a merged cell counts for each of its rows."""
        column = self.layout.found[key].column
        if column not in self._texts:
            self._note_error_cells(column)
            self._texts[column] = raw_texts(merged_down(self.sheet, column, self.layout.header_row))
        return self._texts[column]

    def numbers(self, key: str, blanks: Collection[str] = ()) -> list[float | None]:
        """Read a column of numbers; what is neither a number nor blank becomes an error finding."""
        column = self.layout.found[key].column
        self._note_error_cells(column)
        return self._numbers(self.layout.cells(key), column, blanks)

    def dates(self, key: str, prefer: str | None = None) -> tuple[Clock, Sequence[When | None]]:
        """Read a column of dates or date-times; numbers in it are asked about."""
        column = self.layout.found[key].column
        self._note_error_cells(column)
        cells = merged_down(self.sheet, column, self.layout.header_row)
        if {float, int} & set(map(type, cells)) and all(isinstance(cell, float | int) for cell in cells if cell != ""):
            return self._numbered_dates(key, cells, [cell for cell in cells if cell != ""])
        read, problems = values.dates(cells, self.date_order(cells, prefer))
        self.note_problems(column, cells, problems)
        if datetime not in set(map(type, read)):
            return Clock.DATE, read
        moments = [entry if entry is None or isinstance(entry, datetime) else datetime.combine(entry, time()) for entry in read]
        if all(entry is None or entry.time() == time() for entry in moments):
            return Clock.DATE, [entry and entry.date() for entry in moments]
        return Clock.DATETIME, moments

    def date_order(self, cells: Sequence[CellValue], prefer: str | None = None) -> str | None:
        """Ask whether the day or the month comes first, where dates such as 3/4/2024 leave it open."""
        different = list(dict.fromkeys(cells))
        numeric = [match for cell in different if isinstance(cell, str) and (match := _NUMERIC_DATE.match(cell.strip()))]
        if not numeric:
            return None
        day_first = any(int(match[1]) > MONTHS for match in numeric)
        proposed, evidence = prefer, "Every date in the file can be read either way round."
        if settled := values.propose_date_order(different):
            proposed = settled
            decisive = next(match[0] for match in numeric if int(match[1 if day_first else 2]) > MONTHS)
            evidence = f'"{decisive}" can only be read with the {"day" if day_first else "month"} first.'
        elif day_first:
            proposed, evidence = None, "Some dates can only have the day first, others only the month."
        return self.asked.ask(
            "date_order",
            "Do the dates have the day or the month first?",
            DATE_ORDERS,
            proposed=proposed,
            evidence=evidence,
            samples=[match[0] for match in numeric[:3]],
            sheet=self.sheet.name,
        )

    def note_problems(self, column: int, cells: Sequence[CellValue], problems: Mapping[int, values.Problem]) -> None:
        """Make error findings of a column's problems."""
        if problems:
            self._unreadable[column].update(problems)
            rows = range(self.first_row, self.first_row + self.length)
            self.findings += values.problem_findings(problems, cells, sheet=self.sheet.name, rows=rows, column=column)

    def _numbers(self, cells: Sequence[CellValue], column: int, blanks: Collection[str] = ()) -> list[float | None]:
        if set(map(type, cells)) == {str}:
            # Numbers written as text repeat: each spelling is read once, unless one of them has a problem to place.
            different = list(dict.fromkeys(cells))
            read, problems = values.numbers(different, self.decimal, blanks)
            if not problems:
                return list(map(dict(zip(different, read, strict=True)).__getitem__, cells))
        read, problems = values.numbers(cells, self.decimal, blanks)
        self.note_problems(column, cells, problems)
        return read

    def _numbered_dates(
        self, key: str, cells: Sequence[CellValue], filled: Sequence[CellValue]
    ) -> tuple[Clock, Sequence[When | None]]:
        numbers = self._numbers(cells, self.layout.found[key].column)
        highest = max(number for number in numbers if number is not None)
        answer = self.asked.ask(
            "date_numbers",
            f"What are the numbers under {self.layout.quoted(key)}?",
            [
                Option("day", "days counted from the study's day 0"),
                Option("serial", "a spreadsheet's serial dates (45000 is 2023-03-15)"),
            ],
            proposed="day" if highest < HIGHEST_DAY else None,
            evidence=f"The highest is {highest:g}.",
            samples=[str(cell) for cell in filled[:3]],
            sheet=self.sheet.name,
        )
        if answer == "serial":
            return Clock.DATE, [None if number is None else SERIAL_EPOCH + timedelta(days=int(number)) for number in numbers]
        if answer == "day":
            return Clock.DAY, numbers
        # The question's own finding says that the dates are missing; one more for each row would only repeat it.
        self._unreadable[self.layout.found[key].column].update(range(self.length))
        return Clock.DAY, [None] * len(numbers)

    def _note_error_cells(self, column: int) -> None:
        if not self.sheet.problems or column in self._noted:
            return
        self._noted.add(column)
        for (row, at), text in sorted(self.sheet.problems.items()):
            if at == column and row >= self.first_row:
                self._unreadable[column].add(row - self.first_row)
                self.findings.append(
                    Finding(
                        *(Severity.ERROR, "cell-error", f"the cell holds no value but {text}", self.sheet.name, row, column, text),
                        "a value",
                        "open the file in a spreadsheet program, correct the cell and save it again",
                    )
                )


def raw_texts(cells: Sequence[CellValue]) -> list[str]:
    """Write cells as the sheet shows them. Equal cells of a column are written once: ids and weights repeat."""
    types = set(map(type, cells))
    # 1, 1.0 and TRUE are equal and written differently; text and numbers never are.
    if len(types) != 1 and types != {str, float}:
        return values.texts(cells)
    different = list(set(cells))
    told = values.texts(different)
    if told == different:
        return list(cast("Sequence[str]", cells))  # names, as they stand
    return list(map(dict(zip(different, told, strict=True)).__getitem__, cells))
