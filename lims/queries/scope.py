"""The one place that scopes records by project: another project's record is not found, whichever way it is asked for."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.interfaces import ORMOption

from lims.domain.errors import NotFound

LARGEST_ID = 2**63 - 1


class Scoped(Protocol):
    """A table whose rows belong to a project."""

    id: Any
    project_id: Any
    __tablename__: str


Record = TypeVar("Record", bound=Scoped)


def scoped(model: type[Record], project_id: int) -> Select[Record]:
    """Select the records of `model` that belong to the project."""
    column: InstrumentedAttribute[int] = model.project_id
    return select(model).where(column == project_id)


def find(session: Session, model: type[Record], project_id: int, record_id: int, *loads: ORMOption) -> Record:
    """Give one record of the project. loads: what is read with it, such as the cage of an animal; made once in their module.

    Raises:
        NotFound: there is none with this id, or it belongs to another project; the two cannot be told apart.
    """
    found: Record | None = None
    if 0 < record_id <= LARGEST_ID:
        found = session.scalar(_one(model, *loads), {"project_id": project_id, "record_id": record_id})
    if found is None:
        raise NotFound(f"There is no {model.__tablename__.replace('_', ' ')} {record_id} in this project.")
    return found


@cache
def _one(model: type[Record], *loads: ORMOption) -> Select[Record]:
    """Select a record of a project by its id; put together once, since every page of a record asks it."""
    return select(model).where(model.project_id == bindparam("project_id"), model.id == bindparam("record_id")).options(*loads)


def find_by_code(session: Session, model: type[Record], project_id: int, code: str) -> Record:
    """Give one record of the project by its code.

    Raises:
        NotFound: there is none with this code in the project.
    """
    column: InstrumentedAttribute[str] = model.code  # type: ignore[attr-defined]  # asked for tables that have codes
    found = session.scalar(scoped(model, project_id).where(column == code))
    if found is None:
        raise NotFound(f"There is no {model.__tablename__.replace('_', ' ')} {code!r} in this project.")
    return found
