"""Looks into a table that nobody knows: where its headers stand, what its columns seem to hold, and by which evidence.

A look proposes and never decides. A column about which nothing can be said has no proposal, and a person has to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from statistics import median

from importers import values
from importers.base import Question
from importers.columns import (
    ANIMAL,
    ARM,
    BIRTH,
    CAGE,
    DATE,
    DAY,
    DEVICE,
    HEADER_SEARCH_ROWS,
    HEIGHT,
    LENGTH,
    MODEL,
    OPERATOR,
    RLU,
    SEX,
    STRAIN,
    STUDY,
    TUMOUR,
    VOLUME,
    WEIGHT,
    WIDTH,
    Header,
    Role,
    column_cells,
    header,
    headers_in,
    is_blank,
    squash,
    unit_name,
)
from importers.mapping import MappedColumn, TableMapping, located, signature, spread_words, time_of
from importers.sheets import CellValue, Sheet, Workbook
from importers.sizes import SIZED, diameters
from importers.summaries import sums_up
from importers.table_columns import raw_texts

SAMPLES = 3
FIRST_ROWS = 8
"""Rows of a sheet that are shown to choose the headers from."""
WIDTH_SHOWN = 12
DIFFERENT_SHOWN = 200
"""Different texts of a column that are compared with the animals of the project."""
_MOST = 0.8
"""Share of a column's cells that has to be of one kind for a proposal."""

ROLES: tuple[Role, ...] = (
    *(ANIMAL, DATE, DAY, TUMOUR, ARM, CAGE, SEX, BIRTH, STRAIN, STUDY, MODEL, OPERATOR, DEVICE),
    *(LENGTH, WIDTH, HEIGHT, WEIGHT, VOLUME, RLU),
)
KIND_OF_ROLE = {"weight": "body_weight", "volume": "caliper_volume", "rlu": "bli_rlu"}
_SIZES = "Its cells are two diameters each."
_UNIT_OF_ROLE = {"length": "mm", "width": "mm", "height": "mm"}


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of measurement of the project: its code, title and unit."""

    code: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """One column, or all those headed by a date or day after the same words.

    column: the first one, 1-based; last: the last one. cells: how many are filled. samples: three values. different: the different
    texts in it, for comparison with what is recorded. proposed: what it seems to hold, `None` where nothing is sure. evidence: why,
    or what can be said at least.
    """

    column: int
    last: int
    title: str
    header: str
    nth: int
    spread: bool
    cells: int
    samples: tuple[str, ...]
    different: tuple[str, ...] = ()
    proposed: MappedColumn | None = None
    evidence: str = ""
    middle: float | None = None
    """Median of its numbers, where nearly all cells are some."""


@dataclass(frozen=True, slots=True)
class TableLook:
    """What a mapping page shows of a file.

    sheets: name and number of rows of each. first_rows: (number, cells) of the first rows that hold anything. kind: of file.
    questions: the reader's own, of encoding, delimiter and decimal mark. open_dates: dates that may have the day or the month
    first, `proposed_order` where one of them settles it. known: what was said before of the columns that are still there.
    """

    sheets: tuple[tuple[str, int], ...]
    sheet: int
    header_row: int
    header_evidence: str
    first_rows: tuple[tuple[int, tuple[str, ...]], ...]
    rows: int
    signature: tuple[str, ...]
    columns: tuple[ColumnLook, ...]
    kind: str = "text"
    questions: tuple[Question, ...] = ()
    open_dates: tuple[str, ...] = ()
    proposed_order: str | None = None
    known: Mapping[int, MappedColumn] = field(default_factory=dict)


def look(
    book: Workbook,
    kinds: Sequence[KnownKind],
    *,
    sheet: int | None = None,
    header_row: int | None = None,
    apart: bool = False,
    known: TableMapping | None = None,
) -> TableLook:
    """Look at a sheet of a workbook: that of the mapping `known`, else the fullest, unless a person names one.

    apart: columns headed by a date or day are shown one by one.
    """
    chosen = book.sheets[sheet] if sheet is not None and sheet < len(book.sheets) else _sheet(book, known)
    row, evidence = _header_row(chosen, known) if header_row is None else (header_row, "chosen by you")
    row = max(1, min(row, len(chosen.rows))) if chosen.rows else 1
    cells = chosen.rows[row - 1] if chosen.rows else []
    columns = _columns(chosen, row, kinds, book.decimal, apart=apart)
    dates = _dates(chosen, row)
    return TableLook(
        sheets=tuple((one.name, len(one.rows)) for one in book.sheets),
        sheet=chosen.index,
        header_row=row,
        header_evidence=evidence,
        first_rows=_first_rows(chosen),
        rows=sum(any(not is_blank(cell) for cell in one) for one in chosen.rows[row:]),
        signature=tuple(signature(cells)),
        columns=tuple(columns),
        kind=book.kind,
        questions=book.questions,
        open_dates=tuple(dates[:SAMPLES]),
        proposed_order=values.propose_date_order(dates),
        known=located(cells, known) if known else {},
    )


def _sheet(book: Workbook, known: TableMapping | None) -> Sheet:
    named = [one for one in book.sheets if known is not None and one.name == known.sheet]
    return named[0] if named else max(book.sheets, key=lambda one: sum(map(len, one.rows)))


def _header_row(sheet: Sheet, known: TableMapping | None) -> tuple[int, str]:
    """Propose the row with most names: text that no other cell of the row repeats, over rows that hold other things."""
    if known is not None:
        rows = enumerate(sheet.rows[:HEADER_SEARCH_ROWS], 1)
        found = max(((len(located(row, known)), -number) for number, row in rows), default=(0, 0))
        if found[0]:
            return -found[1], f"it has {found[0]} of the headers that were mapped before"
    best, names = 1, 0
    for number, row in enumerate(sheet.rows[:HEADER_SEARCH_ROWS], 1):
        spread = spread_words(row)
        cells = [cell for column, cell in enumerate(row, 1) if column not in spread and isinstance(cell, str)]
        texts = {squash(cell) for cell in cells if not is_blank(cell) and not _is_value(cell)}
        named = len(texts) + (_times(row) if texts else 0)
        if named > names:
            best, names = number, named
    if not names:
        return best, "no row has names; the first is taken"
    return best, f"the first row with {names} different names" if names > 1 else "the first row with a name"


def _times(row: Sequence[CellValue]) -> int:
    """Count the cells that are headed by dates or days, from left to right; numbers in any other order are data."""
    spread, count = spread_words(row), 0
    for words in set(spread.values()):
        group = [read[1].when for column in spread if spread[column] == words and (read := time_of(row[column - 1], column))]
        dates, days = [when for when in group if isinstance(when, date)], [when for when in group if isinstance(when, float)]
        if dates == sorted(dates) and days == sorted(days) and len({type(when) for when in group}) == 1:
            count += len(group)
    return count


def _is_value(text: str) -> bool:
    numbers, _ = values.numbers([text], ".")
    dates, _ = values.dates([text], "dmy")
    return numbers[0] is not None or dates[0] is not None


def _first_rows(sheet: Sheet) -> tuple[tuple[int, tuple[str, ...]], ...]:
    filled = [
        (number, row) for number, row in enumerate(sheet.rows[: 2 * HEADER_SEARCH_ROWS], 1) if any(not is_blank(c) for c in row)
    ]
    return tuple((number, tuple(values.texts(list(row[:WIDTH_SHOWN])))) for number, row in filled[:FIRST_ROWS])


def _columns(sheet: Sheet, row: int, kinds: Sequence[KnownKind], decimal: str, *, apart: bool) -> list[ColumnLook]:
    """Look at each column with a header; those of dates and days together, unless they are to be shown apart."""
    cells = sheet.rows[row - 1] if sheet.rows else []
    spread = {} if apart else spread_words(cells)
    times: Counter[str] = Counter()
    looks: list[ColumnLook] = []
    told: set[str] = set()
    for one in headers_in(sheet, row) if sheet.rows else ():
        if one.column in spread:
            words = squash(spread[one.column])
            if words not in told:
                told.add(words)
                group = [column for column, other in spread.items() if squash(other) == words]
                looks.append(_spread_look(sheet, row, group, spread[one.column], kinds, decimal))
            continue
        times[squash(one.text)] += 1
        looks.append(_column_look(sheet, row, one, times[squash(one.text)], kinds, decimal))
    return _each_role_once(looks)


def _spread_look(sheet: Sheet, row: int, group: Sequence[int], words: str, kinds: Sequence[KnownKind], decimal: str) -> ColumnLook:
    first, last = (header(sheet.rows[row - 1][column - 1], column).text for column in (group[0], group[-1]))
    cells = [cell for column in group for cell in _filled(sheet, row, column)]
    title = f"{first} … {last}" if len(group) > 1 else first
    known = header(words, group[0])
    proposed, why = _by_name(known, kinds) if words else (None, "")
    if proposed is not None:
        proposed = replace(proposed, header=words, spread=True) if proposed.role == "value" else None
    if proposed is None and _are_sizes(cells):
        proposed, why = replace(_value(replace(known, unit="mm³"), SIZED), header=words, spread=True), _SIZES
    evidence = f"{len(group)} columns headed by a date or day. {_said_of(cells, decimal)}"
    return ColumnLook(
        group[0],
        group[-1],
        title,
        words,
        1,
        spread=True,
        cells=len(cells),
        samples=_samples(cells),
        proposed=proposed,
        evidence=f"{why} {evidence}".strip() if proposed else evidence,
        middle=median(numbers) if (numbers := _numbers(cells, decimal)) else None,
    )


def _column_look(sheet: Sheet, row: int, one: Header, nth: int, kinds: Sequence[KnownKind], decimal: str) -> ColumnLook:
    cells = _filled(sheet, row, one.column)
    texts = tuple(text for text in dict.fromkeys(raw_texts(cells)) if not sums_up(text))[:DIFFERENT_SHOWN]
    shown = ColumnLook(
        one.column, one.column, one.text, one.text, nth, spread=False, cells=len(cells), samples=_samples(cells), different=texts
    )
    if not cells:
        unread = MappedColumn(one.text, "unread", nth, reason="the column is empty")
        return replace(shown, proposed=unread, evidence="No row has anything in it.")
    proposed, why = _by_name(one, kinds)
    if proposed is None or proposed.role not in ("date", "birth"):
        # Cells that are dates say more than a name does: "Tag" is an ear tag, and a day in German.
        dated, dates = _by_cells(one, cells)
        proposed, why = (dated, dates) if dated else (proposed, why)
    if proposed is None:
        proposed, why = _by_unit(one, cells, kinds, decimal)
    said, numbers = _said_of(cells, decimal), _numbers(cells, decimal)
    proposed = proposed and replace(proposed, nth=nth)
    return replace(shown, proposed=proposed, evidence=f"{why} {said}".strip(), middle=median(numbers) if numbers else None)


def _by_name(one: Header, kinds: Sequence[KnownKind]) -> tuple[MappedColumn | None, str]:
    """Propose by what the header says: a kind's own name, or a usual name of a role."""
    for kind in kinds:
        if {squash(kind.code), squash(kind.title)} & {one.full, one.name}:
            return _value(one, kind.code), f"“{one.text}” is the name of a kind of measurement."
    ranked = [(rank, role) for role in ROLES if (rank := role.rank(one)) is not None]
    if not ranked:
        return None, ""
    role = min(ranked, key=lambda entry: entry[0])[1]
    why = f"“{one.text}” is a usual name of this."
    if role.key in KIND_OF_ROLE:
        return _value(one, KIND_OF_ROLE[role.key]), why
    if role.key in _UNIT_OF_ROLE:
        unit = one.unit if one.unit in role.units else ""
        return (MappedColumn(one.text, role.key, unit=unit or "", factor=role.units.get(unit or "", 1.0)), why)
    return MappedColumn(one.text, role.key), why


def _value(one: Header, kind: str) -> MappedColumn:
    """Propose a kind, with the unit that the header states, or none."""
    return MappedColumn(one.text, "value", kind=kind, unit=one.unit or "")


def _by_cells(one: Header, cells: Sequence[CellValue]) -> tuple[MappedColumn | None, str]:
    """Propose by what the cells hold: dates are sure enough, numbers and words are not."""
    dates = sum(isinstance(cell, date) for cell in cells)
    if dates < _MOST * len(cells):
        read, _ = values.dates([cell for cell in cells if isinstance(cell, str)], "dmy")
        dates += sum(day is not None for day in read)
    if dates >= _MOST * len(cells):
        return MappedColumn(one.text, "date"), "Its cells are dates."
    return (_value(replace(one, unit="mm³"), SIZED), _SIZES) if _are_sizes(cells) else (None, "")


def _are_sizes(cells: Sequence[CellValue]) -> bool:
    """Tell whether cells hold two diameters each, from which volumes are computed."""
    return sum(diameters(cell) is not None for cell in cells) >= _MOST * len(cells) > 0


def _by_unit(one: Header, cells: Sequence[CellValue], kinds: Sequence[KnownKind], decimal: str) -> tuple[MappedColumn | None, str]:
    """Propose the only kind that is in the unit of the header, for a column of numbers."""
    same = [kind for kind in kinds if one.unit and unit_name(kind.unit) == one.unit]
    if len(same) != 1 or not _numbers(cells, decimal):
        return None, ""
    return _value(one, same[0].code), f"“{same[0].title}” is the only kind in {same[0].unit}."


def _each_role_once(looks: Sequence[ColumnLook]) -> list[ColumnLook]:
    """Keep a proposal for the first column of a role only."""
    taken: set[str] = set()
    kept = []
    for one in looks:
        role = one.proposed.role if one.proposed else None
        if role in taken:
            said = f"Another column seems to be the {role}. {one.evidence}"
            kept.append(replace(one, proposed=None, evidence=said))
            continue
        kept.append(one)
        if role not in (None, "value", "unread"):
            taken.add(str(role))
    return kept


def _filled(sheet: Sheet, row: int, column: int) -> list[CellValue]:
    return [cell for cell in column_cells(sheet, column, row) if not is_blank(cell)]


def _samples(cells: Sequence[CellValue]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(raw_texts(list(cells[:DIFFERENT_SHOWN]))))[:SAMPLES]


def _numbers(cells: Sequence[CellValue], decimal: str) -> list[float]:
    """Give the numbers among cells, where nearly all of them are some."""
    numbers = [number for number in values.numbers(cells, decimal)[0] if number is not None]
    return numbers if len(numbers) >= _MOST * len(cells) else []


def _said_of(cells: Sequence[CellValue], decimal: str) -> str:
    """Say what a column's cells are: how many numbers from where to where, how many dates, or how many different texts."""
    numbers = _numbers(cells, decimal)
    if numbers:
        others = len(cells) - len(numbers)
        left = f" {others:,} {'cells are' if others > 1 else 'cell is'} no number." if others else ""
        return f"{len(numbers):,} numbers from {min(numbers):g} to {max(numbers):g}, half of them above {median(numbers):g}.{left}"
    if all(isinstance(cell, date) for cell in cells):
        return f"{len(cells):,} date{'s' if len(cells) > 1 else ''}."
    different = len(set(raw_texts(list(cells))))
    if len(cells) == 1:
        return "1 text."
    alike = "all different" if different == len(cells) else "all the same" if different == 1 else f"{different:,} of them different"
    return f"{len(cells):,} texts, {alike}."


def _dates(sheet: Sheet, row: int) -> list[str]:
    """Give the cells, headers included, that are dates with day and month in numbers."""
    cells = [cell for line in sheet.rows[row - 1 :] for cell in line if isinstance(cell, str) and values.is_numeric_date(cell)]
    return list(dict.fromkeys(cells))
