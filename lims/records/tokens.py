"""Tokens: a program reads through the API what its owner may read, and imports where the token is made for that.

A token is shown once; only its SHA-256 is kept.

That is enough here, other than with passwords: a token is 256 random bits, which nobody guesses from a hash. Making and
withdrawing one stand in the trail. What is read does not, line by line; instead the first use on each day is one event,
`token:open` with the network address, as a sign-in is one.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, date, datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lims.audit.record import Actor, declare
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import RecordStatus, TokenScope
from lims.models import ApiToken, User
from lims.records.accounts import clean_name, require_reason
from lims.records.values import today

PREFIX = "lims_"
"""Begins every token, so that one which strays into a file or a message is recognised."""
RANDOM_BYTES = 32
ANOTHER = "Make another token under Account, API tokens."


class TokenRefused(DomainError):
    """A token that is none of ours, or does not count any more."""


def make_token(
    session: Session,
    actor: Actor,
    user: User,
    *,
    name: str,
    expires_on: date | None,
    scope: TokenScope = TokenScope.READ,
    reason: str = "",
) -> tuple[ApiToken, str]:
    """Make a token that reads what its owner may read, or imports too; gives it with its secret, which cannot be had again.

    It works up to and with the day `expires_on`, without one until it is withdrawn.

    Raises:
        DomainError: no name, one that another token of theirs has, or a day that has passed.
    """
    declare(session, actor, "token:create", reason=reason)
    name = clean_name(name)
    same = (ApiToken.user_id == user.id, ApiToken.name == name, ApiToken.status == RecordStatus.ACTIVE)
    if session.scalar(select(ApiToken.id).where(*same)):
        raise DomainError(
            f'A token of yours is called "{name}" already.', field="name", expected="a name that says which program uses it"
        )
    now = today(session)
    if expires_on is not None and expires_on < now:
        raise DomainError(f"{expires_on} has passed: this token would never work.", field="expires_on", expected=f"{now} or later")
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    made = datetime.now(UTC)
    token = ApiToken(user_id=user.id, name=name, token_sha256=_digest(secret), made_at=made, expires_on=expires_on, scope=scope)
    session.add(token)
    session.flush()
    return token, secret


def withdraw_token(session: Session, actor: Actor, token: ApiToken, *, reason: str) -> None:
    """Let a token read nothing any more.

    Raises:
        DomainError: no reason is given.
        Conflict: it was withdrawn before.
    """
    declare(session, actor, "token:withdraw", reason=require_reason(reason))
    session.refresh(token)  # as it is now that no other change can come between
    if token.status is RecordStatus.WITHDRAWN:
        raise Conflict("This token was withdrawn before.")
    token.status = RecordStatus.WITHDRAWN
    session.flush()


def token_of(session: Session, secret: str) -> ApiToken:
    """Give the token that a program shows, with its owner.

    Raises:
        TokenRefused: there is none, it was withdrawn or has expired, or its owner may not sign in any more.
    """
    digest = _digest(secret)
    token = session.scalar(select(ApiToken).where(ApiToken.token_sha256 == digest).options(joinedload(ApiToken.user)))
    if token is None or not hmac.compare_digest(token.token_sha256, digest):
        raise TokenRefused("This token is not known here.", remedy=ANOTHER)
    if token.status is RecordStatus.WITHDRAWN:
        raise TokenRefused("This token was withdrawn.", remedy=ANOTHER)
    if token.expires_on is not None and token.expires_on < today(session):
        raise TokenRefused(f"This token expired after {token.expires_on}.", remedy=ANOTHER)
    if not token.user.active:
        raise TokenRefused("The owner of this token may not sign in any more.", remedy="Ask an administrator.")
    return token


def note_use(session: Session, actor: Actor, token_id: int, address: str) -> None:
    """Record the first use of a token on a day, in a transaction of its own; of two at the same moment, the first one."""
    declared = declare(session, actor, "token:open")
    token = session.get_one(ApiToken, token_id, populate_existing=True)
    if token.last_used_on == today(session):
        return
    declared.detail = {"address": address, "token": token.name}
    token.last_used_on = today(session)
    session.flush()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
