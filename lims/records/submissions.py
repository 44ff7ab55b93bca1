"""Forms that were sent already: a second click, or a form sent again after going back, records nothing.

Whoever answers a form first takes its place here (`taken`), in the transaction that records what was typed. A refused
form gives the place back with that transaction, so it can be corrected and sent again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lims.models import FormSubmission

KEPT = timedelta(days=7)
"""Longer than any page stays open beside the bench."""
_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
"""Each engine's own INSERT: that it may do nothing is no part of the standard."""


def taken(session: Session, user_id: int, token: str) -> str | None:
    """Take the place of a form; where it was sent before, give the address that answered it.

    One that is sent at the same moment waits here until the first is recorded, or refused.
    """
    insert = _INSERT[session.get_bind().dialect.name](FormSubmission)
    row = {"user_id": user_id, "token": token, "made_at": datetime.now(UTC)}
    if session.scalar(insert.values(row).on_conflict_do_nothing().returning(FormSubmission.token)):
        return None
    return session.scalar(select(FormSubmission.location).filter_by(user_id=user_id, token=token))


def answered(session: Session, user_id: int, token: str, location: str | None) -> None:
    """Keep where a form led, and forget the person's old ones."""
    mine = FormSubmission.user_id == user_id
    session.execute(update(FormSubmission).where(mine, FormSubmission.token == token).values(location=location))
    session.execute(delete(FormSubmission).where(mine, FormSubmission.made_at < datetime.now(UTC) - KEPT))
