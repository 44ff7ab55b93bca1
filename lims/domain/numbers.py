"""Numbers as people type them at the bench: a point is a decimal point, and a comma is never taken for one in silence.

A caliper set to a German locale writes `6,2`; a spreadsheet in English writes `1,260` for a thousand. Where a comma can only
be a decimal one, the number is read and doubted; where it can be either, it is refused. Digits are those of ASCII.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lims.domain.errors import DomainError
from lims.domain.notices import Notice

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"(?P<whole>[+-]?\d*),(?P<part>\d+)(?P<power>[eE][+-]?\d{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})
LIMIT = "<"
LONGEST = 40
WRITTEN = "ISO 80000-1, numbers: the decimal sign separates nothing else"
PLAIN = "digits with a decimal point, such as 21.4 or 1.26e6"


@dataclass(frozen=True, slots=True)
class Typed:
    """A number that was typed. `below`: it is a limit that the value lies under. `doubts`: what a person has to confirm."""

    value: float
    below: bool = False
    doubts: tuple[Notice, ...] = ()


def read_number(text: str, *, field: str = "value", limits: bool = False) -> Typed | None:
    """Read what was typed; nothing where nothing was. `limits`: `<0.5`, a value below a limit, is understood too.

    Raises:
        DomainError: on `field`, for what is no number, or could be two.
    """
    shown = text.strip()
    if not shown:
        return None
    plain = shown.translate(_SIGNS)
    below = limits and plain.startswith(LIMIT)
    plain = plain.removeprefix(LIMIT).strip() if below else plain
    if len(plain) <= LONGEST and _POINT.fullmatch(plain) and math.isfinite(float(plain)):
        return Typed(float(plain), below)
    _refuse_thousands(shown, plain, field)
    comma = _COMMA.fullmatch(plain) if len(plain) <= LONGEST else None
    if comma is None:
        raise DomainError(f'"{shown[:LONGEST]}" is no number.', field=field, expected=PLAIN, source=WRITTEN)
    meant = plain.replace(",", ".")
    doubt = Notice("warning", field, f'"{shown}": did you mean {meant}?', "a decimal point", WRITTEN)
    return Typed(float(meant), below, (doubt,))


def _refuse_thousands(shown: str, plain: str, field: str) -> None:
    if _THOUSANDS.fullmatch(plain):
        either = [plain.replace(",", "")] + ([plain.replace(",", ".")] if plain.count(",") == 1 and "." not in plain else [])
        raise DomainError(
            f'"{shown}" can be read as {" or as ".join(either)}.' if len(either) > 1 else f'"{shown}" has commas in it.',
            field=field,
            expected=" or ".join(either),
            remedy="Type it without the comma.",
            source=WRITTEN,
        )
