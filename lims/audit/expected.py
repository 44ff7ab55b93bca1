"""Builds, by columns, the text that the trail must hold of a record that was changed only once: when it was made.

The text is the canonical JSON of `{field: [value]}` over every column that is not NULL, written from the live rows
alone, independently of the writers. Each piece of it is JSON that says its value and no other, so a change with this very
text says exactly what the row holds, and need not be parsed. Texts may differ and still mean the same (21 and 21.0): what
is not equal is for the caller to parse and compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import orjson

from lims.audit.canon import canonical
from lims.audit.entities import AuditedColumn, Entity, Kind, live_texts

MAX_NAMES = 50_000
"""References of one column whose names are kept in memory."""

_NONE = type(None)


class Expected:
    """The texts of one table."""

    def __init__(self, entity: Entity) -> None:
        # The row's first value is its id.
        self._columns = sorted(enumerate(entity.columns, start=1), key=lambda one: one[1].field)
        self._names: dict[str, dict[int, str]] = {column.field: {} for column in entity.columns if column.kind is Kind.REFERENCE}

    def texts(self, rows: Sequence[Sequence[Any]], told: Sequence[str]) -> list[str]:
        """Give each row's text.

        Args:
            rows: live rows, at least one: the id, then the entity's columns.
            told: the changes' texts in the trail, row by row. They lend the names of references, which the live row
                does not hold and which may have changed since; nothing else is taken from them.

        Raises:
            TypeError: a row holds something that the trail cannot hold.
        """
        columns = list(zip(*rows, strict=True))
        pattern: list[str] = []
        filled: list[Sequence[Any]] = []
        for index, column in self._columns:
            piece, values = self._piece(column, columns[index], told)
            pattern.append(piece)
            if values is not None:
                filled.append(values)
        whole, fillings = "".join(pattern), zip(*filled, strict=True) if filled else repeat((), len(rows))
        # Every piece brings its own comma in front, but that of the first column is missing where it is NULL.
        if whole.startswith(","):
            whole = "{" + whole[1:] + "}"
            return [whole % filling for filling in fillings]
        return ["{" + (whole % filling)[1:] + "}" for filling in fillings]

    def forget(self, rows: Sequence[Sequence[Any]]) -> None:
        """Forget the names of what these rows refer to: the trail calls it something else there."""
        for index, column in self._columns:
            if column.kind is Kind.REFERENCE:
                names = self._names[column.field]
                for row in rows:
                    names.pop(row[index], None)

    def _piece(self, column: AuditedColumn, values: Sequence[Any], told: Sequence[str]) -> tuple[str, Sequence[Any] | None]:
        """Give a column's part of the row pattern, and the values that fill it (none where all rows have the same)."""
        head = f',"{column.field}":['
        live = values if column.kind in {Kind.PLAIN, Kind.REFERENCE, Kind.FRACTION} else live_texts(column.kind, values)
        types = set(map(type, live))
        if types == {_NONE}:
            return "", None
        if column.kind is Kind.FRACTION and types == {float}:
            return head + '"%r"]', live
        if column.kind is Kind.PLAIN and types == {int}:
            return head + "%d]", live
        json = self._json(column, live, types, told)
        if _NONE in types:
            return "%s", ["" if one is None else f"{head}{text}]" for one, text in zip(live, json, strict=True)]
        if json.count(json[0]) == len(json):
            return f"{head}{json[0]}]".replace("%", "%%"), None
        return head + "%s]", json

    def _json(self, column: AuditedColumn, live: Sequence[Any], types: set[type], told: Sequence[str]) -> list[str]:
        """Give a column's values as JSON; of NULL, anything."""
        if column.kind is Kind.REFERENCE:
            if types <= {int, _NONE}:
                names = self._learn(column.field, live, told)
                return [names.get(one, f"[{one}]") for one in live]
            return [canonical([one]) for one in live]
        if column.kind is Kind.FRACTION:
            return [f'"{one!r}"' if type(one) is float else canonical(repr(one)) for one in live]
        if types <= {str, _NONE}:
            # Only among texts are equal values the same value: 1, 1.0 and True are equal, too.
            distinct = {one: canonical(one) for one in set(live)}
            return [distinct[one] for one in live]
        return [canonical(one) for one in live]

    def _learn(self, field: str, ids: Sequence[Any], told: Sequence[str]) -> dict[int, str]:
        """Give the column's names so far, as `[id,name]`, with those of `ids` that the trail names here."""
        names = self._names[field]
        if len(names) > MAX_NAMES:
            names.clear()
        if unknown := set(ids) - names.keys() - {None}:
            text_of = dict(zip(ids, told, strict=True))
            for one in unknown:
                reference = _reference(text_of[one], field)
                # An id that the trail does not give this record stays without a name, and its row will differ.
                if reference and type(reference[0]) is int and reference[0] == one:
                    names[one] = canonical(reference)
        return names


def _reference(text: str, field: str) -> list[Any]:
    """Give the reference that a change's text holds in a field; an empty list where there is none."""
    try:
        reference = orjson.loads(text)[field][0]
    except (orjson.JSONDecodeError, TypeError, KeyError, IndexError):
        return []
    return reference if isinstance(reference, list) else []
