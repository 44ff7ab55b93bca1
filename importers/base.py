"""What every importer speaks: cells come in, columns of readings, events and records go out.

An importer knows one format. It claims a workbook (with the evidence), and reads it into a `Reading`: columns of equal
length, never one object per cell, because a year of a colony's log is 100,000 rows. Addresses (`Cell`) are made only
when a finding needs one.

Nothing in this package touches Flask, the database or the clock: whether an animal exists, whether a date lies in the
future and what is already recorded are questions for `lims.intake`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from lims.domain.cells import cell_address

Choices = Mapping[str, str]
"""Answers to an importer's questions, by the question's key: `{"decimal": "comma", "weight_unit": "g"}`."""


class Severity(StrEnum):
    """How much a finding weighs: an error blocks, a warning is acknowledged, a note is only said."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Clock(StrEnum):
    """What a series' `when` column holds: calendar dates, local date-times, or days counted from the study's day 0."""

    DATE = "date"
    DATETIME = "datetime"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person must know about a file: what was wrong, where, what was expected, what to do.

    `row` and `column` are the sheet's own, 1-based. `code` is stable and machine-readable (`number-unreadable`);
    `message` quotes the value and says why; `expected` says what would have been right, `remedy` what to do now.
    `source` names where a rule stands that judged it, such as `SPREC 3.0`; how a file is written is no such rule.
    `also`: sheet and rows of everything that it stands for, where it says once what is true of several rows.
    `remedy` holds on a page and on the command line alike; `option` is what does it on the command line, and is told nowhere else.
    """

    severity: Severity
    code: str
    message: str
    sheet: str | None = None
    row: int | None = None
    column: int | None = None
    value: str | None = None
    expected: str | None = None
    remedy: str | None = None
    source: str | None = None
    option: str | None = None
    also: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def address(self) -> str:
        """Where it stands, as people say it: `Sheet1!C7`, `Sheet1 row 7`, `Sheet1 column C`, or nothing."""
        return cell_address(self.sheet, self.row, self.column)


class Refused(Exception):
    """The whole file is refused, with the one finding that says why and what to do."""

    def __init__(
        self, code: str, message: str, *, expected: str | None = None, remedy: str | None = None, option: str | None = None
    ) -> None:
        super().__init__(message)
        self.finding = Finding(Severity.ERROR, code, message, expected=expected, remedy=remedy, option=option)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from the limited child process."""
        return (_refused_again, (self.finding,))


def _refused_again(finding: Finding) -> Refused:
    refused = Refused(finding.code, finding.message, expected=finding.expected, remedy=finding.remedy)
    refused.finding = finding
    return refused


@dataclass(frozen=True, slots=True)
class Option:
    """One answer a question allows: the value stored, and how it reads."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something the file leaves open. Never guessed in silence.

    `proposed` is the answer the evidence supports, shown with samples for a person to confirm; `None` means that no
    answer is safe (`1,234` alone) and that the file waits for one. `answer` is what this reading used, if anything.
    `options` empty means free text (a date, a pattern). `typed` says what may be typed where none of the options fits; where it is
    empty, they are all there is.
    """

    key: str
    prompt: str
    options: tuple[Option, ...] = ()
    proposed: str | None = None
    evidence: str = ""
    samples: tuple[str, ...] = ()
    answer: str | None = None
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An importer's claim to a workbook: the evidence in sentences, and where the table starts.

    certain: the file itself says what it is, so that no other importer is asked.
    """

    importer: str
    evidence: tuple[str, ...]
    sheet: int = 0
    header_row: int = 1
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one kind from one sheet: columns of equal length, one entry a reading.

    kind: code from `lims.domain.vocabulary.MEASUREMENT_KINDS`; values are in that kind's canonical unit.
    rows: the sheet's row numbers (1-based). columns: the sheet's column of each value, or one number for all.
    animals: the id as the file writes it. tumours: the tumour's label in that animal, `None` where the file names none.
    when: `date`, naive local `datetime`, or day number, as `clock` says.
    values: `None` only where `lengths` and `widths` stand, from which the application computes the volume.
    raw: the cell's own text. lengths, widths, heights: mm. stated: a volume the file gives beside L and W, mm³.
    suspect: index → reason, for readings the instrument itself flagged (saturated, rejected).
    repeats: two equal readings at one time are two readings (`True`) or the same one written twice (`False`).
    """

    kind: str
    sheet: int
    clock: Clock
    rows: Sequence[int]
    columns: Sequence[int] | int
    animals: Sequence[str]
    when: Sequence[date | datetime | float]
    values: Sequence[float | None]
    raw: Sequence[str]
    tumours: Sequence[str | None] | None = None
    lengths: Sequence[float | None] | None = None
    widths: Sequence[float | None] | None = None
    heights: Sequence[float | None] | None = None
    stated: Sequence[float | None] | None = None
    operators: Sequence[str | None] | None = None
    devices: Sequence[str | None] | None = None
    suspect: Mapping[int, str] = field(default_factory=dict)
    repeats: bool = True

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Doses:
    """Doses that were given, from one sheet: columns of equal length, one entry a dose.

    rows, columns, animals: as in `Series`. when: `date`, or naive local `datetime`, as `clock` says.
    compounds: what was given, as the file names it, without the dose that stands beside the name.
    amounts, units: the dose as stated (45, `mg/kg`); units are `mg/kg`, `mg` or `Gy`. volumes: µL, as given. weights: g, where
    the row gives one. routes: as written. raw: compound, volume, route and remark as the cells show them, with ` · ` between.
    """

    sheet: int
    clock: Clock
    rows: Sequence[int]
    columns: int
    animals: Sequence[str]
    when: Sequence[date | datetime]
    compounds: Sequence[str]
    amounts: Sequence[float | None]
    units: Sequence[str | None]
    volumes: Sequence[float | None]
    weights: Sequence[float | None]
    routes: Sequence[str | None]
    raw: Sequence[str]

    def __len__(self) -> int:
        """Count the doses."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Deaths:
    """How animals ended, from one sheet: columns of equal length, one entry a row that says so.

    when: the day of death. reasons, remarks: as written, `None` where the cell is blank. raw: date and reason as the cells show
    them.
    """

    sheet: int
    rows: Sequence[int]
    columns: int
    animals: Sequence[str]
    when: Sequence[date]
    reasons: Sequence[str | None]
    remarks: Sequence[str | None]
    raw: Sequence[str]

    def __len__(self) -> int:
        """Count the deaths."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Stays:
    """Which cage an animal was in, from one sheet: columns of equal length, one entry a row that names a cage.

    when: the day on which the file says so, `None` where the row has no date. raw: the cell's own text.
    """

    sheet: int
    rows: Sequence[int]
    columns: int
    animals: Sequence[str]
    when: Sequence[date | None]
    cages: Sequence[str]
    raw: Sequence[str]

    def __len__(self) -> int:
        """Count the rows that name a cage."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one noun from one sheet: columns of equal length, one entry a record.

    noun: what they are, as `lims.intake.record_nouns` knows them (`exposure`, `alteration`, `patient`).
    rows: the sheet's row numbers (1-based); a row may make several records. column: the sheet's column of the value that the
    record is about, or one for each record; findings that name no field of `columns` point there.
    fields: field → values in the unit and type of the record's column, `None` where nothing is said. A field that refers to
    another record drops its `_id` and holds that record's code as the file writes it (`animal`, `agent`, `specimen`).
    columns: field → the sheet's column, for those that come from one of the sheet.
    raw: the text that each record was read from, as the cells show it.
    known: number of the record that a line is about, where the file was written by our own export; `None` for a new one.
    versions: the version that each known record had when it was exported; one that was changed since is a conflict.
    blank_clears: whether a blank takes away what is recorded (a registry that was exported, edited and comes back), or says
    nothing (what an instrument wrote).
    """

    noun: str
    sheet: int
    rows: Sequence[int]
    column: Sequence[int] | int
    fields: Mapping[str, Sequence[Any]]
    columns: Mapping[str, int]
    raw: Sequence[str]
    known: Sequence[int | None] | None = None
    versions: Sequence[int | None] | None = None
    blank_clears: bool = False

    def __len__(self) -> int:
        """Count the records."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class AnimalFacts:
    """What a file states about one animal, with the row that said it first. Blank is `None`, never a guess."""

    label: str
    sheet: int
    row: int
    sex: str | None = None
    birth_date: date | None = None
    strain: str | None = None
    cage: str | None = None
    arm: str | None = None
    study: str | None = None
    model: str | None = None
    tumours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column of a data block: what it was read as, or (role `None`) why it was not read."""

    sheet: int
    column: int
    header: str
    role: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Rows or a region of a sheet that are not readings, and why: MEAN rows, a normalised copy, an unread sheet.

    Bounds are 1-based and inclusive. `row_fate` is True where whole data rows are skipped and count as such in the books.
    """

    sheet: int
    first_row: int
    last_row: int
    first_column: int
    last_column: int
    reason: str
    row_fate: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """All an importer got out of a workbook, with the books that must balance.

    data_rows: sheet index → the sheet's rows that hold data (1-based, in order), set-aside data rows included.
    Every non-empty cell of the workbook lies in a header row, in a column of `columns`, or in a region of `set_aside`.
    doses, deaths, stays: what a log of events holds beside its measurements; `None` where the format or the file has none.
    records: records of other nouns, in the order in which they are to be made: those that others refer to first.
    """

    importer: str
    series: tuple[Series, ...]
    data_rows: Mapping[int, Sequence[int]]
    columns: tuple[ColumnUse, ...]
    header_rows: Mapping[int, Sequence[int]]
    animals: Mapping[str, AnimalFacts] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    doses: Doses | None = None
    deaths: Deaths | None = None
    stays: Stays | None = None
    records: tuple[Records, ...] = ()
