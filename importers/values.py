"""Turns columns of cells into numbers, dates and texts; the cells that are none are set aside, each with its reason."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast

from importers.base import Finding, Severity
from importers.sheets import CellValue


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cell cannot be taken: `code` for machines, `reason` as the rest of a sentence after the quoted value."""

    code: str
    reason: str
    expected: str

    @property
    def severity(self) -> Severity:
        """A word that says there is no reading loses nothing: a warning. Anything else is an error."""
        return Severity.WARNING if self.code == NO_READING else Severity.ERROR


_A_NUMBER = "a number such as 12.5 or 1.26E+06, without a unit or remark"
_A_DATE = "a date such as 2024-01-31 or 31-Jan-2024, or a cell formatted as a date"
_AN_ID = "an id of visible characters of one alphabet"

NO_READING = "no-reading"
_NO_READING = re.compile(
    r"x+|n\.?[adm]\.?|not (measured|measurable|done|found|palpable)|too (small|large|big)( to measure)?|no tumou?r"
    r"|(found dead|dead|died|deceased|fd|sac|sac'?d|sacrificed|sacked|euth|euthani[sz]ed|culled|killed|missing)\b.*",
    re.IGNORECASE,
)
"""What people write where an animal or a tumour could not be measured: `x`, `sac 9/13`, `Dead`, `too small to measure`."""

_REMEDIES = {
    NO_READING: "Nothing to do if there is no value; nothing is recorded from this cell.",
    "decimal-unknown": "Answer the question about the decimal mark.",
    "decimal-mark": "Correct the cell, or change the answer to the question about the decimal mark.",
    "date-order-unknown": "Answer the question about the order of day and month.",
    "date-serial": "Format the column as a date in Excel, save and upload again.",
}
_REMEDY = "Correct the cell, or leave out what is refused."


def problem_findings(
    problems: Mapping[int, Problem],
    cells: Sequence[CellValue],
    *,
    sheet: str,
    rows: Sequence[int],
    column: int,
) -> list[Finding]:
    """Make findings of a column's problems. `rows` holds the sheet's row of each cell, `column` its column, 1-based."""
    told: dict[tuple[int, CellValue], tuple[Severity, str, str, str]] = {}
    findings = []
    for index, problem in sorted(problems.items()):
        cell = cells[index]
        # Cells of a column repeat, and equal ones share their problem: each sentence is written once.
        key = (id(problem), cell)
        if key not in told:
            text = cell_text(cell)
            told[key] = (problem.severity, f"`{text}` {problem.reason}.", text, _REMEDIES.get(problem.code, _REMEDY))
        severity, message, text, remedy = told[key]
        findings.append(Finding(severity, problem.code, message, sheet, rows[index], column, text, problem.expected, remedy))
    return findings


def numbers(
    cells: Sequence[CellValue], decimal: str, blanks: Collection[str] = ()
) -> tuple[list[float | None], dict[int, Problem]]:
    """Read a column of numbers. Blank is `None`, as are the words in `blanks` (`NA`, `-`), compared without case.

    decimal: `.` or `,`, the mark the file's own text uses; `?` while a person has to say, when a number with a single
    comma is a problem. Spaces that do not break, thin ones and apostrophes may stand between thousands, and so may the
    mark that is not the decimal one. A cell with a problem is `None` too.
    """
    types = set(map(type, cells))
    if types == {float} and math.isfinite(sum(cast("Sequence[float]", cells))):
        return list(cast("Sequence[float]", cells)), {}
    none = {"", *(word.casefold() for word in blanks)}
    seen: dict[str, float | Problem | None] = {"": None}
    values: list[float | None] = []
    problems: dict[int, Problem] = {}
    for index, cell in enumerate(cells):
        value: float | Problem | None
        if type(cell) is str:
            if cell not in seen:
                seen[cell] = _text_number(cell.strip(), decimal, none)
            value = seen[cell]
        else:
            value = cell if type(cell) is float and math.isfinite(cell) else _typed_number(cell)
        if type(value) is Problem:
            problems[index] = value
            value = None
        values.append(cast("float | None", value))
    return values, problems


def dates(cells: Sequence[CellValue], order: str | None) -> tuple[list[date | datetime | None], dict[int, Problem]]:
    """Read a column of dates or local date-times; blank is `None`, and so is a cell with a problem.

    order: `dmy` or `mdy` for dates such as 3/4/2024; without it they are taken only if `propose_date_order` is sure.
    """
    if set(map(type, cells)) <= {date, datetime}:
        return list(cast("Sequence[date]", cells)), {}
    order = order or propose_date_order(cells)
    seen: dict[str, date | datetime | Problem | None] = {"": None}
    values: list[date | datetime | None] = []
    problems: dict[int, Problem] = {}
    for index, cell in enumerate(cells):
        value: date | datetime | Problem | None
        if type(cell) is str:
            text = cell.strip()
            if text not in seen:
                seen[text] = _text_date(text, order)
            value = seen[text]
        else:
            value = cell if isinstance(cell, date) else _not_a_date(cell)
        if isinstance(value, Problem):
            problems[index] = value
            value = None
        values.append(value)
    return values, problems


def propose_date_order(cells: Sequence[CellValue]) -> str | None:
    """Tell `dmy` from `mdy` where a part above 12 settles it for the whole column; `None` where nothing or both does."""
    firsts = seconds = 0
    for cell in cells:
        if type(cell) is str and (match := _NUMERIC_DATE.match(cell.strip())):
            firsts, seconds = max(firsts, int(match["first"])), max(seconds, int(match["second"]))
    if (firsts > 12) == (seconds > 12):
        return None
    return "dmy" if firsts > 12 else "mdy"


def is_numeric_date(text: str) -> bool:
    """Tell whether a text is a date such as 3/4/2024, which has the day or the month first."""
    return _NUMERIC_DATE.match(text.strip()) is not None


def texts(cells: Sequence[CellValue]) -> list[str]:
    """Read a column of ids or remarks: 2539034.0 is `2539034`, `007` stays, spaces around go, accents are composed (NFC)."""
    return [cell.strip() if type(cell) is str and cell.isascii() else cell_text(cell) for cell in cells]


def cell_text(cell: CellValue) -> str:
    """Write one cell as a person would read it in the sheet."""
    if isinstance(cell, str):
        return unicodedata.normalize("NFC", cell).strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet keeps and shows: 0.1 + 0.2 reads 0.3 there.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)


def identifier_problems(identifiers: Sequence[str]) -> dict[int, Problem]:
    """Refuse ids with characters nobody sees, or letters of another alphabet that look like Latin ones."""
    if all(map(str.isascii, identifiers)) and all(map(str.isprintable, identifiers)):
        return {}
    problems = {}
    for index, identifier in enumerate(identifiers):
        if not (identifier.isascii() and identifier.isprintable()) and (problem := _identifier_problem(identifier)):
            problems[index] = problem
    return problems


_GROUPS = "[\u00a0\u2009\u202f'\u2019]"
_EXPONENT = r"(?:[eE][-+]?\d{1,4})?\Z"
_POINT = re.compile(
    rf"[-+]?(?:\d+(?:\.\d*)?|\.\d+|\d{{1,3}}(?:,\d{{3}})+(?:\.\d*)?|\d{{1,3}}(?:{_GROUPS}\d{{3}})+(?:\.\d*)?){_EXPONENT}"
)
_COMMA = re.compile(
    rf"[-+]?(?:\d+(?:,\d*)?|,\d+|\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?|\d{{1,3}}(?:{_GROUPS}\d{{3}})+(?:,\d*)?){_EXPONENT}"
)
_ONE_COMMA = re.compile(rf"[-+]?\d+,\d+{_EXPONENT}")
_REMOVED_AT_POINT = str.maketrans("", "", ",\u00a0\u2009\u202f'\u2019")
_REMOVED_AT_COMMA = str.maketrans(",", ".", ".\u00a0\u2009\u202f'\u2019")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)\Z", re.IGNORECASE)


def _text_number(text: str, decimal: str, none: Collection[str]) -> float | Problem | None:
    if text.casefold() in none:
        return None
    plain = text.replace("\u2212", "-")
    if decimal == "?" and _ONE_COMMA.match(plain):
        return Problem("decimal-unknown", "has a comma that may stand before decimals or between thousands", _A_NUMBER)
    if (_COMMA if decimal == "," else _POINT).match(plain):
        value = float(plain.translate(_REMOVED_AT_COMMA if decimal == "," else _REMOVED_AT_POINT))
        return value if math.isfinite(value) else _not_finite()
    return _not_a_number(plain, decimal)


def _not_a_number(plain: str, decimal: str) -> Problem:
    if (_POINT if decimal == "," else _COMMA).match(plain):
        own, other = ("comma", "point") if decimal == "," else ("point", "comma")
        return Problem("decimal-mark", f"has a decimal {other}, but the file's decimal mark is the {own}", _A_NUMBER)
    if _NOT_FINITE.match(plain):
        return _not_finite()
    if plain.endswith("%"):
        return Problem("number-percent", "is a percentage: it is not clear whether 5 % means 5 or 0.05", _A_NUMBER)
    if _NO_READING.fullmatch(plain):
        return Problem(NO_READING, "says why there is no value; no reading is recorded from it", "a number, or an empty cell")
    return Problem("number-unreadable", "is not a number", _A_NUMBER)


def _typed_number(cell: CellValue) -> float | Problem:
    if isinstance(cell, bool):
        return Problem("number-unreadable", "is a truth value, not a number", _A_NUMBER)
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else _not_finite()
    return Problem("number-unreadable", "is a date or time, not a number", _A_NUMBER)


def _not_finite() -> Problem:
    return Problem("number-not-finite", "is no finite number", _A_NUMBER)


_CLOCK = (
    r"(?:(?:,?\s+|T)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second_of>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?\Z"
)
_ISO_DATE = re.compile(rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_CLOCK}")
_POINT_DATE = re.compile(rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?(?P<year>\d{{4}}){_CLOCK}")
_NUMERIC_DATE = re.compile(rf"(?P<first>\d{{1,2}})(?P<mark>[-/])(?P<second>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_CLOCK}")
_NAMED_DATE = re.compile(rf"(?P<day>\d{{1,2}})\.?[- /](?P<name>[A-Za-z]{{3,9}})\.?,?[- /](?P<year>\d{{4}}){_CLOCK}")
_NAME_FIRST = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<name>[A-Za-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}){_CLOCK}"
)
_SHORT_YEAR = re.compile(r"\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})\.?[-/. ]'?\d{2}(?:\D.*)?\Z")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_EXCEL_DAY_0 = date(1899, 12, 30)
_LAST_SERIAL = 2_958_465


def _text_date(text: str, order: str | None) -> date | datetime | Problem:
    for pattern in (_ISO_DATE, _POINT_DATE, _NAMED_DATE, _NAME_FIRST):
        if match := pattern.match(text):
            parts = match.groupdict()
            month = int(parts["month"]) if "month" in parts else _month(parts["name"])
            return _made(parts, int(parts["year"]), month, int(parts["day"]))
    if match := _NUMERIC_DATE.match(text):
        parts = match.groupdict()
        first, second = int(parts["first"]), int(parts["second"])
        if order not in {"dmy", "mdy"}:
            return Problem("date-order-unknown", "may be day/month or month/day, and no date of the column settles it", _A_DATE)
        day, month = (first, second) if order == "dmy" else (second, first)
        return _made(parts, int(parts["year"]), month, day)
    if _SHORT_YEAR.match(text):
        return Problem("date-two-digit-year", "has a year of two digits", "a date with a year of four digits")
    return Problem("date-unreadable", "is not a date with day, month and year", _A_DATE)


def _month(name: str) -> int:
    """Give the month of an English name or its beginning (`Jan`, `Sept`); 0 if it is none."""
    return next((number for number, full in enumerate(_MONTHS, 1) if full.startswith(name.lower())), 0)


def _made(parts: Mapping[str, str | None], year: int, month: int, day: int) -> date | datetime | Problem:
    impossible = Problem("date-impossible", "is a day or time that does not exist in the order it was read in", _A_DATE)
    try:
        day_of = date(year, month, day)
        if parts["hour"] is None:
            return day_of
        hour = int(parts["hour"])
        if parts["half"] is not None:
            if not 1 <= hour <= 12:
                return impossible
            hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
        return datetime.combine(day_of, time(hour, int(parts["minute"] or 0), int(parts["second_of"] or 0)))
    except ValueError:
        return impossible


def _not_a_date(cell: CellValue) -> Problem:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 1 <= cell <= _LAST_SERIAL:
        would_be = _EXCEL_DAY_0 + timedelta(days=int(cell))
        return Problem("date-serial", f"is a serial number, {cell_text(cell)} would be {would_be.isoformat()}", _A_DATE)
    if isinstance(cell, time | timedelta):
        return Problem("date-unreadable", "is a time of day without a date", _A_DATE)
    return Problem("date-unreadable", "is not a date", _A_DATE)


_LOOKALIKES = frozenset("АВЕЅІЈКМНОРСТУХҮԌасеіјорѕухһԁӏѵ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲϳ")
"""Cyrillic and Greek letters drawn like Latin ones; α, β or µ, which belong in names of genes and drugs, are not."""


def _identifier_problem(identifier: str) -> Problem | None:
    for character in identifier:
        category = unicodedata.category(character)
        name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
        if category in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}:
            return Problem("id-invisible-character", f"holds a character nobody sees ({name})", _AN_ID)
        if unicodedata.decomposition(character).startswith(("<wide>", "<font>", "<narrow>")):
            return Problem("id-lookalike-character", f"holds a letter drawn like a Latin one ({name})", _AN_ID)
    foreign = [character for character in identifier if character.isalpha() and not _latin(character)]
    alike = [character for character in foreign if character in _LOOKALIKES]
    if alike and (len(alike) == len(foreign) or any(map(_latin, identifier))):
        return Problem(
            "id-lookalike-character", f"holds a letter drawn like a Latin one ({unicodedata.name(alike[0]).lower()})", _AN_ID
        )
    return None


def _latin(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")
