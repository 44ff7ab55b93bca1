"""Reads the cells of a template's column by what the column holds; what cannot be read is a problem, by its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from importers.tables import TableReader
from importers.template_format import ColumnKind, TemplateColumn
from importers.values import Problem, dates, identifier_problems, numbers, texts

_POSITION = re.compile(r"([A-Za-z])[ -]?([0-9]{1,2})")
_AGENT = re.compile(r"(?P<name>[^\[\]]+?)\s*\[(?P<kind>[^\[\]]+)\]")
_BETWEEN_WORDS = re.compile(r"[\s_\u2010-\u2014-]+")
_TRUTH = {"yes": True, "no": False, "true": True, "false": False}


def read_column(one: TemplateColumn, cells: Sequence[Any], reader: TableReader) -> tuple[Sequence[Any], Mapping[int, Problem]]:
    """Give a value for each cell, `None` where it is blank or a problem: of a term its code, of a position row and column."""
    if one.kind in (ColumnKind.NUMBER, ColumnKind.WHOLE):
        read, problems = numbers(cells, reader.decimal)
        return (read, problems) if one.kind is ColumnKind.NUMBER else _wholes(read, problems)
    if one.kind in (ColumnKind.DATE, ColumnKind.MOMENT, ColumnKind.DAY_OR_MOMENT):
        return _times(one.kind, *dates(cells, reader.date_order(cells)))
    written = texts(cells)
    if one.kind is ColumnKind.SEVERAL:
        return [[part for part in map(str.strip, text.split(";")) if part] for text in written], {}
    if one.kind is ColumnKind.TEXT:
        return [text or None for text in written], {}
    if one.kind is ColumnKind.REFERENCE:
        return [text or None for text in written], identifier_problems(written)
    return _by_word(one, written)


def _wholes(read: Sequence[float | None], problems: Mapping[int, Problem]) -> tuple[list[int | None], dict[int, Problem]]:
    broken = Problem("number-not-whole", "is no whole number", "a whole number")
    wrong = {place: broken for place, number in enumerate(read) if number is not None and not number.is_integer()}
    return [None if number is None or not number.is_integer() else int(number) for number in read], {**problems, **wrong}


def _times(kind: ColumnKind, read: Sequence[Any], problems: Mapping[int, Problem]) -> tuple[list[Any], dict[int, Problem]]:
    """Keep a date where a day is asked for, a date with a time where a moment is, and either where both do."""
    found, wrong = list[Any](), dict(problems)
    for place, value in enumerate(read):
        timed = isinstance(value, datetime) and value.time() != time()
        if value is None or (kind is ColumnKind.MOMENT and isinstance(value, datetime)):
            found.append(value)
        elif kind is ColumnKind.MOMENT:
            found.append(None)
            wrong[place] = Problem("time-missing", "has no time of day", "date and time, such as 2026-11-02 14:30")
        elif timed and kind is ColumnKind.DATE:
            found.append(None)
            wrong[place] = Problem("date-with-time", "has a time of day", "a date alone, such as 2026-11-02")
        else:
            found.append(value if timed or not isinstance(value, datetime) else value.date())
    return found, wrong


def _by_word(one: TemplateColumn, written: Sequence[str]) -> tuple[list[Any], dict[int, Problem]]:
    """Read cells of which few differ: terms, yes and no, positions, agents; each text is read once."""
    read = {text: _word(one, text) for text in dict.fromkeys(written)}
    problems = {place: found for place, text in enumerate(written) if isinstance(found := read[text], Problem)}
    blank = (None, None) if one.kind is ColumnKind.POSITION else None
    return [blank if isinstance(read[text], Problem) else read[text] for text in written], problems


def _word(one: TemplateColumn, text: str) -> Any:
    if one.kind is ColumnKind.POSITION:
        return _position(text)
    if not text:
        return None
    if one.kind is ColumnKind.TRUTH:
        truth = _TRUTH.get(text.casefold())
        return Problem("truth-unreadable", "says neither yes nor no", "yes or no") if truth is None else truth
    spelled = {_spelling(name): code for told, code in one.terms for name in (told, code)}
    if one.kind is ColumnKind.AGENTS:
        return _agents(text, spelled, [told for told, _ in one.terms])
    code = spelled.get(_spelling(text))
    if code is None:
        return Problem("term-unknown", f'is no term of "{one.header}"', f"one of {', '.join(told for told, _ in one.terms)}")
    return code


def _spelling(text: str) -> str:
    """What spellings of a term have in common: capitals count as little as whether words are apart or joined by a dash."""
    return _BETWEEN_WORDS.sub(" ", text.strip().casefold())


def _position(text: str) -> Any:
    found = _POSITION.fullmatch(text)
    if found:
        return ord(found[1].upper()) - ord("A") + 1, int(found[2])
    return Problem("position-unreadable", "is no position", "a letter and a number, such as A4") if text else (None, None)


def _agents(text: str, classes: Mapping[str, str], told: Sequence[str]) -> Any:
    """Read `trastuzumab [monoclonal antibody]; …` as pairs of name and class."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        agent = _AGENT.fullmatch(part)
        kind = classes.get(_spelling(agent["kind"])) if agent else None
        if agent is None or kind is None:
            expected = f"name [class]; name [class] with a class of {', '.join(told)}"
            return Problem("agents-unreadable", f'names an agent whose class is not known ("{part}")', expected)
        found.append((agent["name"].strip(), kind))
    return found
