"""The views that a person saved: nobody else's are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from lims.domain.errors import NotFound
from lims.domain.vocabulary import RecordStatus
from lims.models import SavedView
from lims.queries.chunks import read
from lims.queries.scope import find

_saved = SavedView.__table__.c
_OWN = (
    select(_saved.id, _saved.name, _saved.endpoint, _saved.query)
    .where(_saved.project_id == bindparam("project_id"), _saved.user_id == bindparam("user_id"))
    .where(_saved.endpoint == bindparam("endpoint"), _saved.status == RecordStatus.ACTIVE)
    .order_by(func.lower(_saved.name))
)
"""Every list asks this: columns and no objects, and put together once."""


def views_of(session: Session, project_id: int, user_id: int, endpoint: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """List a person's views of one list: id, name, endpoint, query."""
    return read(session, _OWN, project_id=project_id, user_id=user_id, endpoint=endpoint).all()


def own_view(session: Session, project_id: int, user_id: int, view_id: int) -> SavedView:
    """Give one of a person's own views.

    Raises:
        NotFound: there is none, it was removed, or it is somebody else's; they cannot be told apart.
    """
    found = find(session, SavedView, project_id, view_id)
    if found.user_id != user_id or found.status is not RecordStatus.ACTIVE:
        raise NotFound(f"There is no saved view {view_id} in this project.")
    return found
