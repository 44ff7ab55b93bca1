"""Identifiers made from a pattern: `AL-{number:05}` gives `AL-00042`.

A pattern is what stands before and after one number, in the letters that identifiers may have; it is no program. A
number is padded with zeros to the width after `:0`, and grows beyond it. Source: product rules, "Identifiers are
generated from a configurable pattern, checked on scan, never reused".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST, clean_identifier
from lims.domain.sources import NEVER_TWICE

LARGEST_NUMBER = 999_999_999
WIDEST = 9
_EXPECTED = "letters and - _ . : / around one {number} or {number:05}, such as AL-{number:05}"
_PLACEHOLDER = re.compile(r"\{number(?::0([1-9]))?\}")
_AROUND = re.compile(r"[\w\-.:/ ]*")


class Noun(StrEnum):
    """What gets an identifier from a pattern."""

    PATIENT = "patient"
    SPECIMEN = "specimen"
    ALIQUOT = "aliquot"
    MODEL = "model"
    ANIMAL = "animal"
    CAGE = "cage"
    IMPLANT_LABEL = "implant_label"
    PLACE = "place"
    PREPARATION = "preparation"


DEFAULT_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        Noun.PATIENT: "BCBM-P{number:02}",
        Noun.SPECIMEN: "SP-{number:04}",
        Noun.ALIQUOT: "AL-{number:05}",
        Noun.MODEL: "BM-{number:02}",
        Noun.ANIMAL: "M{number:04}",
        Noun.CAGE: "C-{number:03}",
        Noun.IMPLANT_LABEL: "T{number}",
        Noun.PLACE: "BX-{number:03}",
        Noun.PREPARATION: "CP-{number:04}",
    }
)
"""Patterns of a new project. An implant's label counts within its animal, the others within the project."""


def check_pattern(pattern: str) -> str:
    """Give the pattern as it is kept, without outer space.

    Raises:
        DomainError: on `pattern`: no number or more than one, other braces, a digit beside the number, or too long.
    """
    cleaned = clean_identifier(pattern, what="pattern", longest=LONGEST)
    before, _, after = _split(cleaned)
    if before[-1:].isdigit() or after[:1].isdigit():
        raise _refused(cleaned, "has a digit beside its number, and the two would read as one")
    if len(before) + len(after) + WIDEST > LONGEST:
        raise _refused(cleaned, f"makes identifiers of more than {LONGEST} characters")
    return cleaned


def render(pattern: str, number: int) -> str:
    """Give the identifier of a number: `AL-{number:05}` and 42 make `AL-00042`.

    Raises:
        DomainError: the pattern is none (`check_pattern`), or the number is below 1 or has more than nine digits.
    """
    if not 1 <= number <= LARGEST_NUMBER:
        raise DomainError(
            f"{number} cannot be part of an identifier.", field="number", expected=f"1 to {LARGEST_NUMBER}", source=NEVER_TWICE
        )
    before, width, after = _split(check_pattern(pattern))
    return f"{before}{number:0{width}}{after}"


def number_of(pattern: str, identifier: str) -> int | None:
    """Give the number in an identifier that this pattern makes, `None` for one that it does not make.

    Raises:
        DomainError: the pattern is none (`check_pattern`).
    """
    before, width, after = _split(check_pattern(pattern))
    found = re.fullmatch(f"{re.escape(before)}([0-9]{{{width},{WIDEST}}}){re.escape(after)}", identifier)
    number = int(found[1]) if found else 0
    return number if found and number and f"{number:0{width}}" == found[1] else None


def next_number(pattern: str, identifiers: Iterable[str]) -> int:
    """Give the number after the highest of those in use, withdrawn ones among them: none is given out twice.

    Raises:
        DomainError: the pattern is none (`check_pattern`).
    """
    return max((number_of(pattern, identifier) or 0 for identifier in identifiers), default=0) + 1


def _split(pattern: str) -> tuple[str, int, str]:
    """What stands before the number, its width, and what stands after."""
    found = _PLACEHOLDER.findall(pattern)
    if not found:
        raise _refused(pattern, "has no {number}, so all its identifiers would be the same")
    if len(found) > 1:
        raise _refused(pattern, "has more than one {number}")
    before, width, after = _PLACEHOLDER.split(pattern)
    for part in (before, after):
        if not _AROUND.fullmatch(part):
            raise _refused(pattern, f"has {part.strip()!r} in it, which identifiers may not have")
    return before, int(width or 1), after


def _refused(pattern: str, why: str) -> DomainError:
    return DomainError(f'The pattern "{pattern}" {why}.', field="pattern", expected=_EXPECTED, source=NEVER_TWICE)
