"""Two editors of one record: the second one is told, instead of overwriting the first."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import inspect

from lims.audit.canon import text_of
from lims.domain.errors import Conflict


class HasVersion(Protocol):
    """A record that counts its versions."""

    version: int


def check_version(record: HasVersion, seen: int) -> None:
    """Raise `Conflict`, with what is recorded now, where the record is no longer the version the person was shown."""
    if record.version != seen:
        secret: frozenset[str] = getattr(record, "secret_columns", frozenset())
        columns = [one.key for one in inspect(record).mapper.column_attrs if one.key not in secret]
        recorded = {key: text_of(getattr(record, key)) for key in columns}
        raise Conflict(
            "Somebody else changed this record after you opened it, so nothing of yours was saved yet.",
            remedy="Compare what is recorded now with what you typed, then save again what should stand.",
            recorded={key: "" if value is None else str(value) for key, value in recorded.items()},
        )
