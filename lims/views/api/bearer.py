"""Signs a program in by its token: for the API alone, for one request; reading, or importing where the token may."""

from __future__ import annotations

import structlog
from flask import current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse
from werkzeug.exceptions import MethodNotAllowed, TooManyRequests, Unauthorized

from lims.audit.record import Actor
from lims.domain.errors import NotAllowed
from lims.domain.vocabulary import TokenScope
from lims.models import ApiToken
from lims.records.tokens import TokenRefused, note_use, token_of
from lims.records.values import today
from lims.views.api.problems import for_program
from lims.views.request_log import request_id
from lims.views.security import Account
from lims.views.transaction import READING_METHODS, installation

BLUEPRINT = "api"
TAKES_IMPORTS = "api_imports.take"
"""The one endpoint that changes something. It takes a token only, so no other site's form can reach it with a cookie."""
_OURS = (BLUEPRINT, TAKES_IMPORTS.partition(".")[0], None)  # None: no such address, which is answered as JSON too
FAILED_TOKENS = parse("20 per 15 minutes")
_COUNTED = "tokens"
log = structlog.stdlib.get_logger("lims.api")


def sign_in_by_token() -> None:
    """Sign in the owner of the token that a request to the API shows; leave a request without one to its session.

    A token that does not count is refused even where the browser is signed in. It reads as its owner does: what they are
    a member of, in their role.

    Raises:
        TokenRefused: the token is none, or does not count any more.
        NotAllowed: the request would import, and the token only reads.
        Unauthorized: the request would import, and shows no token.
        MethodNotAllowed: the request would change something else.
        TooManyRequests: too many such tokens from this network address; one that counts is never held up by them.
    """
    if not for_program() or request.blueprint not in _OURS:
        return
    imports = request.endpoint == TAKES_IMPORTS
    if request.method not in READING_METHODS and not imports:
        raise MethodNotAllowed
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        if imports:
            raise Unauthorized
        return
    token = _shown(secret.strip())
    if imports and token.scope is not TokenScope.IMPORT:
        raise NotAllowed("This token only reads.", remedy="Make one that imports, under Account, API tokens.")
    g.token_id = token.id
    g._login_user = Account(token.user)  # where Flask-Login keeps whom a request is of; no session is opened
    with installation().database.reading() as session:
        first = token.last_used_on != today(session)
    if first:
        actor = Actor(token.user_id, token.user.name, "api", request_id())
        with installation().database.transaction() as writing:
            note_use(writing, actor, token.id, request.remote_addr or "")


def _shown(secret: str) -> ApiToken:
    """Give the token that a request shows, by a session of its own: that of a request that writes keeps all other writers out."""
    try:
        with installation().database.reading() as session:
            return token_of(session, secret)
    except TokenRefused as refused:
        log.warning("token refused", why=str(refused), address=request.remote_addr)
        if not _limiter().limiter.hit(FAILED_TOKENS, _COUNTED, get_remote_address()):
            raise TooManyRequests from refused
        raise


def _limiter() -> Limiter:
    found: Limiter = next(iter(current_app.extensions["limiter"]))
    return found
