"""Two editors of one record: the second one is told, instead of overwriting the first."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import object_session

from lims.domain.errors import ChangedMeanwhile


class HasVersion(Protocol):
    """A record that counts its versions."""

    version: int


def check_version(record: HasVersion, seen: int) -> None:
    """Raise `ChangedMeanwhile` where the record is no longer the version the person was shown; call it once declared.

    It is read anew: who waited for somebody else's change to be recorded still has the record as it was before.
    """
    session = object_session(record)
    if session is not None:
        session.refresh(record)
    if record.version != seen:
        raise ChangedMeanwhile(record)
