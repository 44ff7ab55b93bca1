"""Keeps text from being run as a formula when an export is opened in a spreadsheet program (CWE-1236)."""

from __future__ import annotations

import re

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][+-]?\d+)?")


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run; a number with a sign, such as -1.5, stays a number."""
    return f"'{text}" if text.startswith(_STARTS) and not _NUMBER.fullmatch(text) else text
