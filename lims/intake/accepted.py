"""Which changes of recorded values a person accepted: all of them, or some kinds."""

from __future__ import annotations

from collections.abc import Mapping

ACCEPT = "accept"
"""Answer to `changed` that accepts every kind; otherwise kinds stand there, with commas between."""
ACCEPT_OPTION = f"--set changed={ACCEPT} --reason WHY"
"""How the command line accepts them."""


def accepts_changes(choices: Mapping[str, str], kind: str) -> bool:
    """Tell whether changes of this kind (a kind of measurement, `dose`, `fate` or another noun) were accepted."""
    given = choices.get("changed", "")
    return given == ACCEPT or kind in given.split(",")
