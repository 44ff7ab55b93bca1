"""The order in which people at the bench meet cages and animals: along the racks, and C2 before C10."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, func

from lims.models import Animal, Cage

_DIGITS = "0123456789"
_LENGTHS = f"{_DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""A number's length as one character, by which text sorts as the numbers do; codes with longer numbers come first."""


def counting(code: str) -> list[tuple[int, int, str]]:
    """Give what codes are sorted by so that C2 comes before C10; no number of a code has more than 18 digits."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", code.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def counting_column(code: ColumnElement[Any]) -> ColumnElement[str]:
    """Give what a list is sorted by for the same order, where codes end with their number, as cages' do."""
    stem = func.rtrim(code, _DIGITS)
    number = func.substr(code, func.length(stem) + 1)
    return func.lower(stem).concat(func.substr(_LENGTHS, func.length(number) + 1, 1)).concat(number)


def along_the_racks(animal: Animal, cage: Cage | None) -> tuple[Any, ...]:
    """Give what animals are sorted by as one walks: rack, position, cage, ear tag; what stands in no rack comes last."""
    place: tuple[Any, ...] = (2, [], 0, 0, [])
    if cage is not None:
        rack = cage.rack or ""
        place = (0 if rack else 1, counting(rack), cage.rack_row or 0, cage.rack_column or 0, counting(cage.code))
    return (*place, counting(animal.ear_tag or ""), counting(animal.code))
