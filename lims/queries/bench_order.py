"""The order in which people at the bench meet cages and animals: along the racks, and C2 before C10."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, func

from lims.models import Animal, Cage

_DIGITS = "0123456789"
_LENGTHS = f"{_DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""A number's length as one character, by which text sorts as the numbers do; codes with longer numbers come first."""


@lru_cache(maxsize=4096)
def counting(code: str) -> tuple[tuple[int, int, str], ...]:
    """Give what codes are sorted by so that C2 comes before C10; no number of a code has more than 18 digits."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", code.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def counting_column(code: ColumnElement[Any]) -> ColumnElement[str]:
    """Give what a list is sorted by for the same order, where codes end with their number, as cages' do."""
    stem = func.rtrim(code, _DIGITS)
    number = func.substr(code, func.length(stem) + 1)
    return func.lower(stem).concat(func.substr(_LENGTHS, func.length(number) + 1, 1)).concat(number)


def along_the_racks(animal: Animal, cage: Cage | None) -> tuple[Any, ...]:
    """Give what animals are sorted by as one walks (`place_along`)."""
    standing = None if cage is None else (cage.rack, cage.rack_row, cage.rack_column, cage.code)
    return place_along(animal.code, animal.ear_tag, standing)


def place_along(animal: str, ear_tag: str | None, cage: tuple[str | None, int | None, int | None, str] | None) -> tuple[Any, ...]:
    """Give where one meets an animal: rack, row, column and code of its cage, ear tag; what stands in no rack comes last."""
    place: tuple[Any, ...] = (2, (), 0, 0, ())
    if cage is not None:
        rack, row, column, code = cage
        place = (0 if rack else 1, counting(rack or ""), row or 0, column or 0, counting(code))
    return (*place, counting(ear_tag or ""), counting(animal))
