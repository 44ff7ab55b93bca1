"""Two editors of one record: the second one is told, instead of overwriting the first."""

from __future__ import annotations

from typing import Protocol

from lims.domain.errors import Conflict


class HasVersion(Protocol):
    """A record that counts its versions."""

    version: int


def check_version(record: HasVersion, seen: int) -> None:
    """Raise `Conflict` where the record is no longer the version the person was shown."""
    if record.version != seen:
        raise Conflict(
            "Somebody else changed this record after you opened it, so nothing of yours was saved yet.",
            remedy="Compare what is stored now with what you typed, then save again what should stand.",
        )
