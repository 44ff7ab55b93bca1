"""Opens records that a program wrote as JSON: `{"noun": "exposure", "rows": [{"animal": "M1", …}, …]}`, as a table."""

from __future__ import annotations

import json
from typing import Any

from importers.asm_rows import COUNTS, is_asm, rows_of_counts
from importers.base import Refused
from importers.preflight import check_grid

Cell = str | float | int | bool
"""What stands in a field; `null`, and a field that a row leaves out, is a blank cell."""
SHAPE = 'JSON such as {"noun": "exposure", "rows": [{"animal": "M1", "concentration": 12.5}]}'
_LONGEST_NOUN = 40


def read_rows(content: bytes) -> tuple[str, list[list[Cell]]] | None:
    """Give the noun and the table, its first row the names of the fields in the order in which they first appear.

    `None` for what is no JSON object. Lists of text become one cell, with semicolons between. Of a document of the Allotrope
    simple model, what it counts stands for the noun, and its measurements are the rows (`importers.asm_rows`).

    Raises:
        Refused: JSON of another shape, a name that stands twice in a row, a value that is no single one, or too many of them.
    """
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        return None
    try:
        told = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except (UnicodeDecodeError, json.JSONDecodeError):
        return None
    except (RecursionError, ValueError) as unreadable:
        raise _refused("it is nested too deeply, or holds a number that is none") from unreadable
    if is_asm(told):
        return COUNTS, _table(rows_of_counts(told))
    noun, rows = told.get("noun"), told.get("rows")
    if told.keys() != {"noun", "rows"} or not isinstance(noun, str) or not isinstance(rows, list):
        raise _refused('it is not one "noun" with a list of "rows"')
    if not 0 < len(noun) <= _LONGEST_NOUN or not noun.isprintable():
        raise _refused("its noun is none")
    return noun, _table(rows)


def _table(rows: list[Any]) -> list[list[Cell]]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise _refused(f"row {number} is no object of fields and values")
    fields = list(dict.fromkeys(field for row in rows for field in row))
    if not all(map(_can_be_written, fields)):
        raise _refused("the name of a field holds half a character")
    if not fields:
        raise Refused("empty-file", "There is no row with a field.", expected=SHAPE, remedy="Send at least one row.")
    check_grid(len(rows) + 1, len(fields))
    cells = [[_cell(row.get(field), number, field) for field in fields] for number, row in enumerate(rows, 1)]
    return [list(fields), *cells]


def _cell(value: Any, number: int, field: str) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str) and not _can_be_written(value):
        raise _refused(f"{field!a} of row {number} holds half a character")
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list) and all(isinstance(one, str) and not {",", ";"} & set(one) for one in value):
        return "; ".join(value)
    raise _refused(f'"{field}" of row {number} is neither one value nor a list of words')


def _can_be_written(text: str) -> bool:
    """Tell whether text is whole: JSON can spell half of a character beyond the first 65,536, which nothing stores."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
        raise _refused(f'"{twice[:40]}" stands twice in one object')
    return told


def _no_number(name: str) -> float:
    raise _refused(f"{name} is no number")


def _refused(why: str) -> Refused:
    return Refused("json-unreadable", f"The JSON cannot be taken: {why}.", expected=SHAPE, remedy="Correct it and send it again.")
