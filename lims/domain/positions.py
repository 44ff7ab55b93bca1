"""Positions in a box, and which place of the storage tree may stand in which.

Source: usual labels of cryoboxes (ANSI/SLAS 4 for plates): rows are letters from the top, columns numbers from the left,
and A1 is the first. Rows and columns count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from lims.domain.errors import DomainError
from lims.domain.sources import NAMED_PLACES
from lims.domain.tissue_terms import PlaceKind

MOST_ROWS = 26
"""A row is one letter."""
MOST_COLUMNS = 50

Position = tuple[int, int]
"""Row and column, each from 1."""

_LETTER_FIRST = re.compile(r"([A-Za-z])[ -]?([0-9]{1,3})")
_TWO_NUMBERS = re.compile(r"([0-9]{1,3}) ?[,;/] ?([0-9]{1,3})")


def position_label(row: int, column: int) -> str:
    """Give the label on the lid: row 1, column 1 is `A1`.

    Raises:
        ValueError: no box has such a position.
    """
    if not (1 <= row <= MOST_ROWS and 1 <= column <= MOST_COLUMNS):
        raise ValueError(f"no box has row {row}, column {column}")
    return f"{_letter(row)}{column}"


def parse_position(text: str, rows: int = MOST_ROWS, columns: int = MOST_COLUMNS) -> Position:
    """Read `A1`, `a01` or `1,1` (row, column) as a position in a box of so many rows and columns.

    Raises:
        DomainError: on `box_row` or `box_column`: it cannot be read, or lies outside of the box.
    """
    require_grid(rows, columns)
    typed = text.strip()
    if lettered := _LETTER_FIRST.fullmatch(typed):
        row, column = ord(lettered[1].upper()) - ord("A") + 1, int(lettered[2])
    elif numbered := _TWO_NUMBERS.fullmatch(typed):
        row, column = int(numbered[1]), int(numbered[2])
    else:
        raise DomainError(
            f'"{typed[:20]}" is no position in a box.' if typed else "The position is empty.",
            field="box_row",
            expected=f"row letter and column number, {box_range(rows, columns)}",
            remedy="Read it off the lid of the box: A1 is top left.",
            source=NAMED_PLACES,
        )
    require_inside(row, column, rows, columns, typed=typed)
    return row, column


def require_inside(row: int, column: int, rows: int, columns: int, *, typed: str | None = None) -> None:
    """Refuse a position outside of a box of so many rows and columns.

    Raises:
        DomainError: on `box_row` or `box_column`, naming the range of the box.
    """
    if 1 <= row <= rows and 1 <= column <= columns:
        return
    said = f'Position "{typed}"' if typed is not None else f"Row {row}, column {column}"
    raise DomainError(
        f"{said} lies outside of the box, which has {rows} rows and {columns} columns.",
        field="box_column" if 1 <= row <= rows else "box_row",
        expected=box_range(rows, columns),
        remedy="Look whether it is the right box, then read the position off its lid.",
        source=NAMED_PLACES,
    )


def require_grid(rows: int, columns: int) -> None:
    """Refuse a box without room, or larger than labels reach: 1 to 26 rows, 1 to 50 columns.

    Raises:
        DomainError: on `box_rows` or `box_columns`.
    """
    for field, noun, number, most in (("box_rows", "rows", rows, MOST_ROWS), ("box_columns", "columns", columns, MOST_COLUMNS)):
        if not 1 <= number <= most:
            raise DomainError(
                f"A box cannot have {number} {noun}.", field=field, expected=f"1 to {most} {noun}", source=NAMED_PLACES
            )


def box_range(rows: int, columns: int) -> str:
    """Say which positions a box has: `A1 to I9`."""
    return f"{position_label(1, 1)} to {position_label(rows, columns)}"


def free_positions(rows: int, columns: int, taken: Collection[Position]) -> list[Position]:
    """Give the positions that are free, row by row, as boxes are filled.

    Raises:
        DomainError: the box has no such grid.
    """
    require_grid(rows, columns)
    occupied = frozenset(taken)
    return [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1) if (row, column) not in occupied]


_LEVEL = {kind: level for level, kind in enumerate(PlaceKind)}


def may_stand_in(kind: PlaceKind, parent: PlaceKind | None) -> bool:
    """Say whether a place of this kind may stand in one of that kind, or in none.

    A place stands in one of a level above its own (site, room, freezer, shelf, rack, box); levels may be left out, and
    any place may stand at the top, because a small laboratory keeps one freezer and an old list names only a box.
    """
    return parent is None or _LEVEL[parent] < _LEVEL[kind]


def require_nesting(kind: PlaceKind, parent: PlaceKind | None, parent_code: str = "") -> None:
    """Refuse a place in one of its own level or below.

    Raises:
        DomainError: on `parent_id`.
    """
    if parent is None or may_stand_in(kind, parent):
        return
    above = [one.value for one in PlaceKind if may_stand_in(kind, one)]
    raise DomainError(
        f"A {kind.value} cannot stand in the {parent.value}{f' {parent_code}' if parent_code else ''}.",
        field="parent_id",
        expected=f"a {' or '.join(above)}, or no place" if above else f"no place: a {kind.value} stands at the top",
        source=NAMED_PLACES,
    )


def _letter(row: int) -> str:
    return chr(ord("A") + row - 1)
