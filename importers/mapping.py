"""What a person said of the columns of a table: kept with its import, and in a profile for the next file of that source.

Columns are named by their headers, never by their letters, so that a table whose columns were moved is still read right. A
table with one column for each date or day has one entry for all of them: the words before the date are its header.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from importers.base import Choices, Refused
from importers.blocks import TimeHeader, time_header, words_and_time
from importers.columns import HEADER_SEARCH_ROWS, header, in_words, is_blank, squash
from importers.sheets import CellValue, Sheet, Workbook

KEY = "mapping"
"""The answer that holds a mapping, among `importers.base.Choices`."""

ANIMAL, DATE, DAY, VALUE, LENGTH, WIDTH, HEIGHT, UNREAD = "animal", "date", "day", "value", "length", "width", "height", "unread"
ABOUT = ("tumour", "arm", "cage", "sex", "birth", "strain", "study", "model", "operator", "device")
"""Roles of columns that say more about the animal, the tumour or the reading."""
ONCE = (ANIMAL, DATE, DAY, *ABOUT, LENGTH, WIDTH, HEIGHT)
"""Roles that one column of a table may have."""
ROLES = (*ONCE, VALUE, UNREAD)
NOT_NEEDED = "not needed"
TIME = "⟨date or day⟩"
"""Stands for what changes from file to file in the headers of a table with a column for each date or day."""


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column.

    header: as written; where `spread`, the words that stand before the date or day of each of its columns. nth: which one, where
    several are headed alike. role: one of `ROLES`. kind: of measurement, for values. unit, factor: how values and diameters are
    written, and what makes the kind's unit (mm for diameters) of them. reason: why a column is not read.
    """

    header: str
    role: str
    nth: int = 1
    spread: bool = False
    kind: str = ""
    unit: str = ""
    factor: float = 1.0
    reason: str = ""

    @property
    def title(self) -> str:
        """Name the column as people do."""
        words = f"{self.header} {TIME}".strip() if self.spread else self.header
        return f"{words} ({self.nth}.)" if self.nth > 1 else words


@dataclass(frozen=True, slots=True)
class TableMapping:
    """Where the table stands, and what each of its columns holds. header_row: the sheet's row, 1-based."""

    sheet: str
    header_row: int
    columns: tuple[MappedColumn, ...] = field(default=())

    def of(self, role: str) -> list[MappedColumn]:
        """Give the columns of a role."""
        return [one for one in self.columns if one.role == role]

    def to_text(self) -> str:
        """Write it as an answer."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def mapping_in(choices: Choices) -> TableMapping | None:
    """Give the mapping among the answers, if there is one.

    Raises:
        Refused: it cannot be read, or does not make a table that can be read; all that is wrong in one sentence.
    """
    text = choices.get(KEY)
    if not text:
        return None
    try:
        given: dict[str, Any] = json.loads(text)
        columns = tuple(MappedColumn(**{**one, "factor": float(one.get("factor", 1.0))}) for one in given["columns"])
        mapping = TableMapping(str(given["sheet"]), int(given["header_row"]), columns)
        wrong = [said for _, said in problems(mapping)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        wrong = [f"it cannot be read ({error})"]
    if wrong:
        raise Refused(
            "mapping-wrong",
            f"The mapping of the columns does not make a table: {'; '.join(wrong)}.",
            expected="one column for the animal, and at least one with values",
            remedy="Map the columns on the mapping page of this import.",
        )
    return mapping


def problems(mapping: TableMapping) -> list[tuple[int | None, str]]:
    """Give what keeps a mapping from being read: the index of the column it is about, if any, and a sentence's rest."""
    found: list[tuple[int | None, str]] = []
    for index, one in enumerate(mapping.columns):
        if one.role not in ROLES:
            found.append((index, f'"{one.title}" is said to hold "{one.role}", which no column can'))
        elif one.role == VALUE and not one.kind:
            found.append((index, f'"{one.title}" holds values of no kind'))
        elif not (math.isfinite(one.factor) and one.factor > 0):
            found.append((index, f'"{one.title}" is multiplied by {one.factor:g}'))
        elif one.spread and one.role not in (VALUE, UNREAD):
            found.append((index, f'"{one.title}" are columns of values, or are not read'))
        elif one.role in ONCE and one is not mapping.of(one.role)[0]:
            found.append((index, f'"{mapping.of(one.role)[0].title}" is the {one.role} already'))
    return found + [(None, said) for said in _incomplete(mapping)]


def _incomplete(mapping: TableMapping) -> Iterator[str]:
    values, length, width = mapping.of(VALUE), mapping.of(LENGTH), mapping.of(WIDTH)
    if not mapping.of(ANIMAL):
        yield "no column says which animal it is"
    if not values and not (length and width):
        yield "no column holds values of a kind of measurement"
    if bool(length) != bool(width):
        yield "a tumour's length and width are read together"
    if mapping.of(HEIGHT) and not (length and width):
        yield "a height is read with length and width only"
    spread = [one for one in values if one.spread]
    if spread and (len(spread) < len(values) or length):
        yield "either there is a column for each date or day, or a reading a row, not both in one table"
    if spread and (mapping.of(DATE) or mapping.of(DAY)):
        yield "the dates stand in the headers, so that no column can hold them too"


def _name(text: str) -> str:
    """Reduce a header for comparison; one without letters and digits, such as `#`, stays."""
    return squash(text) or text.strip()


def time_of(cell: CellValue, column: int) -> tuple[str, TimeHeader] | None:
    """Give the words before the date or day in a header cell, and that time; `None` where it has neither."""
    if not isinstance(cell, str):
        time = time_header(cell, column)
        return None if time is None else ("", time)
    parts = words_and_time(cell.strip())
    if parts is None:
        return None
    words, when, step = parts
    return words.strip(" _,:-"), TimeHeader(column, cell.strip(), when, step)


def spread_words(row: Sequence[CellValue]) -> dict[int, str]:
    """Find the columns (1-based) headed by a date or day, with the words before it: dates alone, numbers from two on."""
    found = {column: read for column, cell in enumerate(row, 1) if not is_blank(cell) and (read := time_of(cell, column))}
    times = Counter(_name(words) for words, _ in found.values())
    return {
        column: words
        for column, (words, time) in found.items()
        if times[_name(words)] > 1 or not isinstance(time.when, float)  # a date is no two files' own, a number may be a name's
    }


def signature(row: Sequence[CellValue]) -> list[str]:
    """Give the headers by which the next file of the same source is known: dates and days are left out of them."""
    spread = spread_words(row)
    names = [
        f"{spread[column]} {TIME}".strip() if column in spread else header(cell, column).text
        for column, cell in enumerate(row, 1)
        if not is_blank(cell)
    ]
    masked = [name for name in names if name.endswith(TIME)]
    return [name for place, name in enumerate(names) if name not in masked or names.index(name) == place]


def same_headers(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two signatures are of the same headers, in whatever order; case, blanks and punctuation do not count."""
    return len(one) == len(other) and Counter(map(_name, one)) == Counter(map(_name, other))


def rows_of(book: Workbook) -> Iterator[tuple[Sheet, int, Sequence[CellValue]]]:
    """Give every row that may be a header row: sheet, number, cells."""
    for sheet in book.sheets:
        for number, row in enumerate(sheet.rows[:HEADER_SEARCH_ROWS], 1):
            if any(not is_blank(cell) for cell in row):
                yield sheet, number, row


def difference(known: Sequence[str], seen: Sequence[str]) -> str:
    """Say what headers of a signature are missing in another, and what the other has more; nothing where they are the same."""
    if same_headers(known, seen):
        return ""
    names, others = set(map(_name, known)), set(map(_name, seen))
    missing = [f'"{one}"' for one in known if _name(one) not in others]
    added = [f'"{one}"' for one in seen if _name(one) not in names]
    said = [f"{in_words(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    said += [f"{in_words(added)} {'is' if len(added) == 1 else 'are'} new"] if added else []
    return ", and ".join(said) or "a header stands there more than once"


def located(row: Sequence[CellValue], mapping: TableMapping) -> dict[int, MappedColumn]:
    """Give column (1-based) → what the mapping says of it, for the headers of a row."""
    spread = spread_words(row)
    of_words = {_name(one.header): one for one in mapping.columns if one.spread}
    found = {column: of_words[_name(words)] for column, words in spread.items() if _name(words) in of_words}
    single = {(_name(one.header), one.nth): one for one in mapping.columns if not one.spread}
    times: Counter[str] = Counter()
    for column, cell in enumerate(row, 1):
        if column in found or is_blank(cell):
            continue
        name = _name(header(cell, column).text)
        times[name] += 1
        if (name, times[name]) in single:
            found[column] = single[name, times[name]]
    return found


def missing(row: Sequence[CellValue], mapping: TableMapping) -> list[MappedColumn]:
    """List the columns to be read that a row of headers does not have."""
    there = set(located(row, mapping).values())
    return [one for one in mapping.columns if one.role != UNREAD and one not in there]
