"""Reads the columns of one table with a reading a row: ids, times, numbers with units, facts; every problem in one pass."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import compress
from typing import TypeVar

from importers import values
from importers.base import AnimalFacts, Choices, Clock, Finding, Option, Series, SetAside, Severity
from importers.columns import Layout, in_words, merged_down, without_values
from importers.questions import ANSWER_IT, Asked, range_in_words
from importers.workbook import CellValue, Workbook

When = date | datetime | float
_Entry = TypeVar("_Entry")

MONTHS = 12
HIGHEST_DAY = 1000
"""Numbers under "Date" below this are days of a study; serial dates of this century start at 36,526."""

SERIAL_EPOCH = date(1899, 12, 30)
_NUMERIC_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}(?!\d)")

DATE_ORDERS = (Option("dmy", "day first: 31/12/2024"), Option("mdy", "month first: 12/31/2024"))

FACTS = ("sex", "strain", "cage", "arm", "study", "model")
"""Roles of columns that state something about the animal, by the field of `AnimalFacts` they fill."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How to ask for a unit that the header leaves out: proposed where the median of the values lies in `low`–`high`."""

    key: str
    proposed: str
    low: float
    high: float


def _once(units: Mapping[str, float], proposed: str) -> list[str]:
    """Give the units to choose from, each under one of its names: `g`, and neither `gram` nor `grams`."""
    names = {factor: name for name, factor in reversed(list(units.items()))} | {units[proposed]: proposed}
    return [name for name, factor in units.items() if names[factor] == name]


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind's columns of the whole table, blank rows included; `None` where the row has no such value."""

    kind: str
    column: int
    values: Sequence[float | None]
    raw: Sequence[str]
    tumours: Sequence[str | None] | None = None
    lengths: Sequence[float | None] | None = None
    widths: Sequence[float | None] | None = None
    heights: Sequence[float | None] | None = None
    stated: Sequence[float | None] | None = None

    def present(self) -> list[bool]:
        """For each row, whether it has a value, or diameters to make one of."""
        if self.lengths is None:
            return [value is not None for value in self.values] if None in self.values else [True] * len(self.values)
        return [value is not None or length is not None for value, length in zip(self.values, self.lengths, strict=True)]


class TableReader:
    """The table under one header row, read column by column. Findings and questions gather in `findings` and `asked`."""

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

    def measured(self, kind: str, key: str, blanks: Collection[str] = ()) -> Measured:
        """Read a column of values that needs no conversion. blanks: words that stand for no value."""
        return self._measured(kind, key, self.numbers(key, blanks))

    def in_unit(self, kind: str, key: str, unit: Unit) -> Measured | None:
        """Read a column of values into the kind's canonical unit; `None` where the unit is not known."""
        numbers = self.numbers(key)
        factor = self.factor([key], numbers, unit)
        return None if factor is None else self._measured(kind, key, times(numbers, factor))

    def factor(self, keys: Sequence[str], numbers: Sequence[float | None], unit: Unit) -> float | None:
        """Factor to the canonical unit for columns that share one unit: from a header, else asked with the values' range."""
        stated = [self.layout.found[key].unit for key in keys if self.layout.found[key].unit]
        role = self.layout.roles[keys[0]]
        if stated:
            return role.units.get(stated[0] or "")
        middle, evidence = range_in_words(numbers)
        fits = middle is not None and unit.low <= middle <= unit.high
        answer = self.asked.ask(
            unit.key,
            f"Which unit are the values under {self.layout.quoted(*keys)} in? The header does not say.",
            [Option(name, name) for name in _once(role.units, unit.proposed)],
            proposed=unit.proposed if fits else None,
            evidence=evidence,
            samples=[f"{number:g}" for number in numbers if number is not None][:3],
            sheet=self.sheet.name,
        )
        return None if answer is None else role.units[answer]

    def when(self, prefer: str | None = None) -> tuple[Clock, Sequence[When | None]]:
        """Read when each row was measured: dates, else days, else one date asked for the whole file."""
        if self.layout.has("date"):
            if self.layout.has("day"):
                self.unread[self.layout.found["day"].column] = "the dates are read, not the days"
            return self.dates("date", prefer)
        if not self.layout.has("day"):
            return self._one_date()
        if {date, datetime} & set(map(type, self.layout.cells("day"))):
            return self.dates("day", prefer)
        return Clock.DAY, self.numbers("day")

    def usable(
        self, present: Sequence[bool], animals: Sequence[str], when: Sequence[When | None], time_key: str | None = None
    ) -> list[bool]:
        """Mark the rows that carry a value, an animal and a time; a value without its animal or time is an error finding.

        time_key: role of the column with the time, where it is not `date` or `day`.
        """
        if all(present) and all(animals) and None not in when:
            return list(present)
        marks = [
            bool(carries and animal and moment is not None) for carries, animal, moment in zip(present, animals, when, strict=True)
        ]
        if marks == list(present):
            return marks
        key = time_key or next((one for one in ("date", "day") if self.layout.has(one)), None)
        for index, (carries, mark) in enumerate(zip(present, marks, strict=True)):
            if carries and not mark:
                self._incomplete(index, "animal" if not animals[index] else key)
        return marks

    def series(
        self, measured: Measured, usable: Sequence[bool], animals: Sequence[str], clock: Clock, when: Sequence[When | None]
    ) -> Series | None:
        """Keep the usable readings of one kind; `None` where there is not one."""
        present = measured.present()
        keep = [mark and here for mark, here in zip(usable, present, strict=True)]
        if not any(keep):
            return None
        whole = all(keep)
        return Series(
            measured.kind,
            self.sheet.index,
            clock,
            _kept(range(self.first_row, self.first_row + self.length), keep, whole),
            measured.column,
            _kept(animals, keep, whole),
            [moment for moment in _kept(when, keep, whole) if moment is not None],
            _kept(measured.values, keep, whole),
            _kept(measured.raw, keep, whole),
            tumours=_kept_if_any(measured.tumours, keep, whole),
            lengths=_kept_if_any(measured.lengths, keep, whole),
            widths=_kept_if_any(measured.widths, keep, whole),
            heights=_kept_if_any(measured.heights, keep, whole),
            stated=_kept_if_any(measured.stated, keep, whole),
            operators=self._kept_texts("operator", keep),
            devices=self._kept_texts("device", keep),
        )

    def blank_rows(self, present: Sequence[bool]) -> tuple[SetAside, ...]:
        """Set aside the rows without a value; none while a question waits, because then all of them may have one."""
        if any(question.answer is None for question in self.asked.questions):
            return ()
        return without_values(self.layout, present, self.findings)

    def facts(
        self, animals: Sequence[str], tumours: Mapping[str, tuple[str, ...]] | None = None, keys: Sequence[str] = FACTS
    ) -> dict[str, AnimalFacts]:
        """Gather what the columns state about each animal: the first that is not blank; contradictions are warnings.

        keys: those of `FACTS` that cannot change in an animal's life in this format.
        """
        rows = dict(zip(reversed(animals), range(self.first_row + len(animals) - 1, self.first_row - 1, -1), strict=False))
        stated = {key: self._stated(key, animals) for key in keys if self.layout.has(key)}
        births = self._births(animals) if self.layout.has("birth") else {}
        order = [label for label in dict.fromkeys(animals) if label]
        return {
            label: AnimalFacts(
                label,
                self.sheet.index,
                rows[label],
                birth_date=births.get(label),
                tumours=(tumours or {}).get(label, ()),
                **{key: of_animal[label] for key, of_animal in stated.items() if label in of_animal},
            )
            for label in order
        }

    def _kept_texts(self, key: str, keep: Sequence[bool]) -> list[str | None] | None:
        if not self.layout.has(key):
            return None
        return [text or None for text in compress(self.texts(key), keep)]

    def _measured(self, kind: str, key: str, numbers: Sequence[float | None]) -> Measured:
        return Measured(kind, self.layout.found[key].column, numbers, raw_texts(self.layout.cells(key)))

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

    def _one_date(self) -> tuple[Clock, Sequence[When | None]]:
        headers = in_words([f'"{one.text}"' for one in self.layout.headers])
        answer = self.asked.ask(
            "date",
            "On which date were these values measured? One date for the whole file, as in 2024-01-31.",
            evidence=f"There is no date or day column among {headers}.",
            sheet=self.sheet.name,
        )
        try:
            taken = date.fromisoformat(answer) if answer else None
        except ValueError:
            self.findings.append(
                Finding(
                    Severity.ERROR,
                    "question-date",
                    f'"{answer}" is not a date',
                    sheet=self.sheet.name,
                    value=answer,
                    expected="a date such as 2024-01-31",
                    remedy=ANSWER_IT,
                    option="--set date=2024-01-31",
                )
            )
            self.asked.questions[-1] = replace(self.asked.questions[-1], answer=None)
            taken = None
        return Clock.DATE, [taken] * self.length

    def _incomplete(self, index: int, key: str | None) -> None:
        if key is None or not self.layout.has(key) or index in self._unreadable[self.layout.found[key].column]:
            return
        # A row may hold several values; what it lacks is said once.
        self._unreadable[self.layout.found[key].column].add(index)
        what = "animal id" if key == "animal" else key.split()[0]
        self.findings.append(
            Finding(
                Severity.ERROR,
                f"{'animal' if key == 'animal' else 'date'}-missing",
                f"the row has values but no {what}",
                *(self.sheet.name, self.first_row + index, self.layout.found[key].column, ""),
                f"{'an' if key == 'animal' else 'a'} {what} in every row that has values",
                f"write the {what} in this row, or leave the row out",
            )
        )

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

    def note_problems(self, column: int, cells: Sequence[CellValue], problems: Mapping[int, values.Problem]) -> None:
        """Make error findings of a column's problems."""
        if problems:
            self._unreadable[column].update(problems)
            rows = range(self.first_row, self.first_row + self.length)
            self.findings += values.problem_findings(problems, cells, sheet=self.sheet.name, rows=rows, column=column)

    def _stated(self, key: str, animals: Sequence[str]) -> dict[str, str]:
        """Map each animal to the first that the column states of it; a second, different one is a warning."""
        pairs = dict.fromkeys(zip(animals, self.texts(key), strict=True))
        first: dict[str, str] = {}
        for animal, text in pairs:
            if animal and text and first.setdefault(animal, text) != text:
                self.findings.append(
                    Finding(
                        *(
                            Severity.WARNING,
                            "facts-contradict",
                            f'animal {animal} has the {key} "{first[animal]}" and also "{text}"',
                        ),
                        sheet=self.sheet.name,
                        column=self.layout.found[key].column,
                        value=text,
                        expected=f"one {key} for an animal; the first is used",
                        remedy="correct the file if the first is wrong",
                    )
                )
        return first

    def _births(self, animals: Sequence[str]) -> dict[str, date]:
        _, born = self.dates("birth")
        known = {animal: day for animal, day in zip(reversed(animals), reversed(born), strict=True) if animal and day}
        return {animal: day.date() if isinstance(day, datetime) else day for animal, day in known.items() if isinstance(day, date)}


def times(numbers: Sequence[float | None], factor: float) -> list[float | None]:
    """Multiply a column; blanks stay blank."""
    if factor == 1.0:
        return list(numbers)
    return [None if number is None else number * factor for number in numbers]


def raw_texts(cells: Sequence[CellValue]) -> list[str]:
    """Write cells as the sheet shows them. Equal cells of a column are written once: ids and weights repeat."""
    types = set(map(type, cells))
    # 1, 1.0 and TRUE are equal and written differently; text and numbers never are.
    if len(types) != 1 and types != {str, float}:
        return values.texts(cells)
    different = list(dict.fromkeys(cells))
    return list(map(dict(zip(different, values.texts(different), strict=True)).__getitem__, cells))


def _kept(column: Sequence[_Entry], keep: Sequence[bool], whole: bool) -> Sequence[_Entry]:
    return column if whole else list(compress(column, keep))


def _kept_if_any(column: Sequence[_Entry] | None, keep: Sequence[bool], whole: bool) -> Sequence[_Entry] | None:
    return None if column is None else _kept(column, keep, whole)
