"""The answers to a file's questions in the trail's words: what was answered, and what differs; a mapping by its columns."""

from __future__ import annotations

import json
import re
from typing import Any

from importers.base import Refused
from importers.mapping import KEY, UNREAD, MappedColumn, mapping_in

_TERM = re.compile(r"[a-z]+(?:_[a-z]+)*")


def answers_changed(old: Any, new: Any) -> str | None:
    """Say which answers were given, changed or taken back; `None` for values that are no answers by their keys."""
    before, after = _answers(old), _answers(new)
    if before is None or after is None:
        return None
    told = [
        " ".join([_words(key), *([_said(key, before[key]), "→"] if key in before else []), _said(key, after[key])])
        for key in after
        if before.get(key) != after[key]
    ]
    told += [f"{_words(key)} taken back" for key in before if key not in after]
    return "; ".join(told) or "none"


def _words(term: str) -> str:
    """Write a term, or several, as people read them: `animal_column` → `animal column`; whatever else is as it was typed."""
    parts = term.split(",")
    return ", ".join(part.replace("_", " ") for part in parts) if all(_TERM.fullmatch(part) for part in parts) else term


def _answers(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return {} if value is None else value if isinstance(value, dict) else None


def _said(key: str, answer: Any) -> str:
    try:
        mapping = mapping_in({KEY: str(answer)}) if key == KEY else None
    except Refused:
        return "that cannot be read"
    return _words(str(answer)) if mapping is None else f"({'; '.join(_column(one) for one in mapping.columns)})"


def _column(one: MappedColumn) -> str:
    if one.role == UNREAD:
        return f"{one.title}: not read, {one.reason}"
    return f"{one.title}: {(one.kind or one.role).replace('_', ' ')}{f' in {one.unit}' if one.unit else ''}"
