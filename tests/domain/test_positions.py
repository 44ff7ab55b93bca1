"""Positions in a box, and the storage tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.positions import (
    MOST_COLUMNS,
    MOST_ROWS,
    free_positions,
    may_stand_in,
    parse_position,
    position_label,
    require_grid,
    require_nesting,
)
from lims.domain.tissue_terms import PlaceKind

ROWS, COLUMNS = st.integers(min_value=1, max_value=MOST_ROWS), st.integers(min_value=1, max_value=MOST_COLUMNS)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("A1", (1, 1)),
        ("a1", (1, 1)),
        ("A01", (1, 1)),
        (" i9 ", (9, 9)),
        ("B 3", (2, 3)),
        ("B-3", (2, 3)),
        ("1,1", (1, 1)),
        ("2, 9", (2, 9)),
        ("2;9", (2, 9)),
    ],
)
def test_what_people_type(text: str, position: tuple[int, int]) -> None:
    assert parse_position(text, 9, 9) == position


@pytest.mark.parametrize(
    "text", ["", " ", "A", "1", "A1B", "AA1", "1.1", "A-", "-1,1", "Ä1", "A¹", "Ａ1", "A1\n2", "1,1,1", "A1234"]
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(DomainError, match=r"no position|is empty") as refused:
        parse_position(text, 9, 9)

    assert refused.value.field == "box_row"
    assert "A1 to I9" in (refused.value.expected or "")


@pytest.mark.parametrize(
    ("text", "field"), [("J1", "box_row"), ("A10", "box_column"), ("A0", "box_column"), ("0,1", "box_row"), ("Z99", "box_row")]
)
def test_what_lies_outside(text: str, field: str) -> None:
    with pytest.raises(DomainError, match=f'"{text}" lies outside of the box, which has 9 rows and 9 columns') as refused:
        parse_position(text, 9, 9)

    assert refused.value.field == field
    assert refused.value.expected == "A1 to I9"


@given(ROWS, COLUMNS)
def test_a_label_reads_back(row: int, column: int) -> None:
    label = position_label(row, column)

    assert parse_position(label) == parse_position(label.lower()) == parse_position(f"{row},{column}") == (row, column)


@pytest.mark.parametrize(("row", "column"), [(0, 1), (27, 1), (1, 0), (1, 51), (-1, 1)])
def test_no_box_has_such_a_position(row: int, column: int) -> None:
    with pytest.raises(ValueError, match="no box has"):
        position_label(row, column)


@pytest.mark.parametrize(
    ("rows", "columns", "field"), [(0, 9, "box_rows"), (27, 9, "box_rows"), (9, 0, "box_columns"), (9, 51, "box_columns")]
)
def test_no_such_box(rows: int, columns: int, field: str) -> None:
    for check in (lambda: require_grid(rows, columns), lambda: free_positions(rows, columns, ())):
        with pytest.raises(DomainError, match="cannot have") as refused:
            check()
        assert refused.value.field == field


def test_free_positions_go_row_by_row() -> None:
    assert free_positions(2, 3, [(1, 2), (2, 1)]) == [(1, 1), (1, 3), (2, 2), (2, 3)]
    assert free_positions(1, 1, {(1, 1)}) == []


@given(ROWS, COLUMNS, st.lists(st.tuples(ROWS, COLUMNS)))
def test_taken_and_free_make_the_box(rows: int, columns: int, taken: list[tuple[int, int]]) -> None:
    free = free_positions(rows, columns, taken)

    inside = {one for one in taken if one[0] <= rows and one[1] <= columns}
    assert len(free) + len(inside) == rows * columns
    assert not set(free) & inside
    assert free == sorted(free)


@pytest.mark.parametrize(
    ("kind", "parent", "may"),
    [
        (PlaceKind.BOX, PlaceKind.RACK, True),
        (PlaceKind.BOX, PlaceKind.FREEZER, True),
        (PlaceKind.BOX, None, True),
        (PlaceKind.SITE, None, True),
        (PlaceKind.FREEZER, None, True),
        (PlaceKind.BOX, PlaceKind.BOX, False),
        (PlaceKind.RACK, PlaceKind.BOX, False),
        (PlaceKind.SITE, PlaceKind.SITE, False),
        (PlaceKind.SITE, PlaceKind.ROOM, False),
    ],
)
def test_what_stands_in_what(kind: PlaceKind, parent: PlaceKind | None, may: bool) -> None:
    assert may_stand_in(kind, parent) is may
    if may:
        require_nesting(kind, parent)
        return
    with pytest.raises(DomainError, match="cannot stand in the") as refused:
        require_nesting(kind, parent, "X-1")
    assert refused.value.field == "parent_id"
    assert "X-1" in str(refused.value)
