"""Reads a person's tokens for the API."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import NotFound
from lims.models import ApiToken
from lims.queries.scope import LARGEST_ID


def tokens_of(session: Session, user_id: int) -> Sequence[ApiToken]:
    """List a person's tokens, those that count first, then the newest."""
    return session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.status, ApiToken.id.desc())).all()


def find_token(session: Session, user_id: int, token_id: int) -> ApiToken:
    """Give one of a person's tokens; raises `NotFound`, also for somebody else's."""
    wanted = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.id == token_id)
    token = session.scalar(wanted) if 0 < token_id <= LARGEST_ID else None
    if token is None:
        raise NotFound(f"There is no token {token_id} of yours.")
    return token
