"""Codes that stand for arms where people must not know which arm is which (ARRIVE 2.0 item 5)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator

_LETTERS = "CFHKMPRTVWX"
"""Letters that are told apart in handwriting and make no words."""
_DIGITS = "234679"


def new_blind_codes(taken: Collection[str]) -> Iterator[str]:
    """Give codes such as K7 in an order that nobody can foresee, none of those that are taken."""
    left = [letter + digit for letter in _LETTERS for digit in _DIGITS if letter + digit not in taken]
    while left:
        yield left.pop(secrets.randbelow(len(left)))


VEILED = "▒▒"
"""Stands where the name of a hidden arm stood."""


def arm_word(title: str, blind_code: str, *, blinded: bool) -> str:
    """Name an arm in a sentence that anybody may come to read, such as a refusal."""
    return blind_code if blinded else title
