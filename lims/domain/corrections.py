"""What may be typed in place of a file's cell before the file is recorded."""

from __future__ import annotations

import unicodedata

from lims.domain.errors import DomainError

LONGEST_CELL = 1_000
"""Characters of a corrected cell."""
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def corrected_cell(text: str, raw: str, where: str) -> str:
    """Give what is read in place of `raw` at `where`; blank empties the cell.

    Raises:
        DomainError: it is a formula, too long, holds what does not show, or says what the file says.
    """
    value = unicodedata.normalize("NFC", text).strip()
    if value.startswith("="):
        raise DomainError(
            f'{where}: "{value[:30]}" is a formula; nothing is calculated here.',
            field="value",
            expected="the value itself, such as 12.3",
            remedy="Type the result of the formula.",
        )
    if len(value) > LONGEST_CELL:
        raise DomainError(f"{where}: {len(value):,} characters are too many.", field="value", expected=f"at most {LONGEST_CELL:,}")
    hidden = sorted({one for one in value if unicodedata.category(one) in _HIDDEN})
    if hidden:
        names = ", ".join(f"U+{ord(one):04X}" for one in hidden)
        raise DomainError(
            f"{where}: the text contains characters that do not show ({names}).",
            field="value",
            expected="only characters that can be seen",
            remedy="Type it by hand instead of pasting it.",
        )
    if value == raw:
        told = f'reads "{raw}"' if raw else "is empty"
        raise DomainError(
            f"{where} {told} already.", field="value", expected="another value", remedy="Type what it should be, or leave the cell."
        )
    return value
