"""Identifiers people type, scan and import: normalised, and refused where two that look alike would differ.

Source: Unicode Standard Annex 15, normal form C; no control, zero-width or bidirectional characters (Unicode Technical
Report 36 and Technical Standard 39).
"""

from __future__ import annotations

import unicodedata

from lims.domain.errors import DomainError

LONGEST = 80
UNICODE_SOURCE = "Unicode UTS 39, identifiers that can be told apart"
_FORBIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def clean_identifier(text: str, *, what: str = "id", longest: int = LONGEST) -> str:
    """Give the identifier as it is kept: NFC, outer space off.

    Raises:
        DomainError: empty, too long, or with characters that do not show.
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not cleaned:
        raise DomainError(f"The {what} is empty.", field=what, expected="letters, digits, and - _ . : / or spaces inside")
    if len(cleaned) > longest:
        raise DomainError(f'The {what} "{cleaned[:30]}…" has {len(cleaned)} characters.', field=what, expected=f"at most {longest}")
    hidden = [character for character in cleaned if unicodedata.category(character) in _FORBIDDEN]
    if hidden:
        names = ", ".join(f"U+{ord(character):04X}" for character in hidden)
        raise DomainError(
            f'The {what} "{ascii(cleaned)[1:-1]}" contains characters that do not show ({names}).',
            field=what,
            expected="only characters that can be seen",
            remedy="Type it again by hand instead of pasting it.",
            source=UNICODE_SOURCE,
        )
    return cleaned


def as_scanned(text: str) -> tuple[str, ...]:
    """Give what a person or a scanner may have meant: the text without what a scanner adds, and half of it if it says it twice.

    Scanners end with Enter, Tab or a comma, and a nervous trigger reads a label twice, with or without that in between.
    Half of a text of fewer than 8 characters is not offered: 1212 is a number, not 12 twice. What does not show is left out.
    """
    spaced = "".join(" " if unicodedata.category(one) == "Cc" else one for one in unicodedata.normalize("NFC", text))
    whole = "".join(one for one in spaced if unicodedata.category(one) not in _FORBIDDEN).strip(" ,;")
    first, second = whole[: len(whole) // 2].rstrip(" ,;"), whole[(len(whole) + 1) // 2 :].lstrip(" ,;")
    twice = len(first) >= 4 and first.casefold() == second.casefold()
    return tuple(dict.fromkeys(one for one in (whole, first if twice else "") if one))
