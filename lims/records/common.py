"""What every record service shares: bringing a withdrawn record back instead of making it twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.models.base import Base

Record = TypeVar("Record", bound=Base)


def add_or_reinstate(
    session: Session, existing: Mapping[Any, Record], wanted: Iterable[tuple[Any, Mapping[str, Any]]], make: Callable[..., Record]
) -> list[Record]:
    """Add a record for each key, or bring the withdrawn one of that key back with the values given.

    An id is never given to another record, so a withdrawn animal that a file names again is the same animal.

    Raises:
        DomainError: there is an active record of a key, or a key stands twice among those wanted.
    """
    records: list[Record] = []
    known = dict(existing)
    for key, values in wanted:
        record = known.get(key)
        if record is None:
            record = known[key] = make(**values)
            session.add(record)
        elif getattr(record, "status", None) is not RecordStatus.WITHDRAWN:
            noun = record.__tablename__.replace("_", " ").capitalize()
            raise DomainError(f'{noun} "{record.audit_label}" exists already.', expected="one that is not there yet")
        else:
            for name, value in values.items():
                if value is not None and getattr(record, name) != value:
                    setattr(record, name, value)
            record.status = RecordStatus.ACTIVE
        records.append(record)
    session.flush()
    return records
