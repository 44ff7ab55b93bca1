"""The views that a person saved: nobody else's are found."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.errors import NotFound
from lims.domain.vocabulary import RecordStatus
from lims.models import SavedView
from lims.queries.scope import find


def views_of(session: Session, project_id: int, user_id: int, endpoint: str) -> Sequence[SavedView]:
    """List a person's views of one list."""
    own = (SavedView.project_id == project_id, SavedView.user_id == user_id, SavedView.endpoint == endpoint)
    standing = select(SavedView).where(*own, SavedView.status == RecordStatus.ACTIVE)
    return session.scalars(standing.order_by(func.lower(SavedView.name))).all()


def own_view(session: Session, project_id: int, user_id: int, view_id: int) -> SavedView:
    """Give one of a person's own views.

    Raises:
        NotFound: there is none, it was removed, or it is somebody else's; they cannot be told apart.
    """
    found = find(session, SavedView, project_id, view_id)
    if found.user_id != user_id or found.status is not RecordStatus.ACTIVE:
        raise NotFound(f"There is no saved view {view_id} in this project.")
    return found
