"""Writes the views that people save for themselves: a list with its filters and order, under a name."""

from __future__ import annotations

import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.vocabulary import RecordStatus
from lims.models import SavedView
from lims.records.accounts import clean_name

LONGEST_NAME = 60
LONGEST_QUERY = 2_000


def save_view(session: Session, actor: Actor, project_id: int, *, endpoint: str, name: str, query: str) -> SavedView:
    """Save a list as its owner, who acts, sees it; the same name again replaces what was saved under it.

    Raises:
        DomainError: there is no name or nothing to save, or either is too long.
    """
    name = clean_name(unicodedata.normalize("NFC", name), longest=LONGEST_NAME)
    if not query:
        raise DomainError("This list is as it always opens.", remedy="Set a filter or an order first, then save the view.")
    if len(query) > LONGEST_QUERY:
        raise DomainError("The filters are too long to be saved.", expected=f"at most {LONGEST_QUERY:,} characters")
    own = (SavedView.project_id == project_id, SavedView.user_id == actor.id, SavedView.endpoint == endpoint)
    found = session.scalar(select(SavedView).where(*own, SavedView.name == name))
    standing = found is not None and found.status is RecordStatus.ACTIVE
    declare(session, actor, f"view:{'change' if standing else 'create'}", project=project_id)
    if found is None:
        found = SavedView(project_id=project_id, user_id=actor.id, endpoint=endpoint, name=name)
        session.add(found)
    found.query, found.status = query, RecordStatus.ACTIVE
    session.flush()
    return found


def remove_view(session: Session, actor: Actor, view: SavedView) -> None:
    """Take one's own view off the list. It needs no reason, and stands in the trail."""
    declare(session, actor, "view:withdraw", project=view.project_id)
    view.status = RecordStatus.WITHDRAWN
    session.flush()
