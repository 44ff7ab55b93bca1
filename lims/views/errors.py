"""Error pages in the frame: what happened, that nothing was saved, what to do next. To the API, the same as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, make_response, render_template, request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from lims.domain.errors import Conflict, DomainError, NotAllowed, NotFound, told
from lims.records.tokens import TokenRefused
from lims.views.api.problems import for_program, problem
from lims.views.request_log import request_id
from lims.views.transaction import close_session, start_again

PAGES = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 503})
RETRY_SECONDS = 10
TAKEN = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
"""What PostgreSQL and SQLite call a key that somebody else has taken."""
NOT_SHOWN = frozenset(
    [
        "csrf_token",
        "form_id",
        "next",
        "new_password",
        "new_password_confirm",
        "password",
        "password_confirm",
        "seen",
        "submit",
        "version",
    ],
)
log = structlog.stdlib.get_logger("lims.errors")


def _page(status: int, detail: str = "", **context: Any) -> ResponseReturnValue:
    if for_program():
        close_session()
        return problem(status, detail)
    start_again()
    return render_template(f"errors/{status}.html", detail=detail, **context), status


def _alone(status: int, **context: Any) -> Response:
    """Render a page without the frame, whose globals would ask the very database that does not answer."""
    close_session()
    if for_program():
        return problem(status, context.get("detail", ""))
    template = current_app.jinja_env.get_template(f"errors/{status}.html")
    return make_response(template.render(request=request, **context), status)


def _typed() -> list[tuple[str, str]]:
    """List what the person had typed, so that a page about a conflict keeps it."""
    return [(name, value) for name, value in request.form.items(multi=True) if value and name not in NOT_SHOWN]


def _open_again() -> str:
    """Give the page to open after a conflict: this address, or the page that the form stood on where this one only takes forms."""
    came_from = urlsplit(request.referrer or "")
    adapter = request_ctx.url_adapter
    shows = adapter is not None and "GET" in adapter.allowed_methods()
    return request.path if shows or came_from.netloc != request.host else came_from._replace(scheme="", netloc="").geturl()


def _domain(refused: DomainError) -> ResponseReturnValue:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(refused, NotFound):
        status = HTTPStatus.NOT_FOUND
    elif isinstance(refused, NotAllowed):
        status = HTTPStatus.FORBIDDEN
    elif isinstance(refused, TokenRefused):
        status = HTTPStatus.UNAUTHORIZED
    elif isinstance(refused, Conflict):
        return _page(HTTPStatus.CONFLICT, told(refused), typed=_typed(), page=_open_again())
    return _page(status, told(refused))


def _stale(stale: StaleDataError) -> ResponseReturnValue:
    return _page(HTTPStatus.CONFLICT, "Somebody else saved this record at the same moment.", typed=_typed(), page=_open_again())


def _integrity(refused: IntegrityError) -> ResponseReturnValue:
    kind = getattr(refused.orig, "sqlstate", None) or getattr(refused.orig, "sqlite_errorname", None)
    if kind not in TAKEN:
        # A value that no column takes is our mistake: nobody was faster.
        log.error("integrity", error=str(refused.orig).split("\n")[0], exc_info=refused)
        return _defect(refused)
    log.warning("integrity", error=str(refused.orig).split("\n")[0])
    return _page(
        HTTPStatus.CONFLICT, "Somebody else recorded the same thing at the same moment.", typed=_typed(), page=_open_again()
    )


def _data(refused: DataError) -> ResponseReturnValue:
    log.warning("data", error=str(refused.orig).split("\n")[0])
    return _page(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "What was typed holds a character or a number that cannot be recorded. Type it again by hand instead of pasting it.",
    )


def _database(failed: DBAPIError) -> ResponseReturnValue:
    text = str(failed.orig).lower()
    log.error("database", error=text.split("\n")[0])
    if "full" in text or "no space" in text:
        detail = "The disk of the database is full. The person who runs this system must make room first."
    elif "lock" in text:
        detail = "Another change, perhaps a large import, kept the database busy for longer than this page could wait."
    else:
        detail = "The database does not answer."
    response = _alone(HTTPStatus.SERVICE_UNAVAILABLE, detail=detail)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _csrf(refused: CSRFError) -> ResponseReturnValue:
    return _page(HTTPStatus.BAD_REQUEST, "The form was not one of this sign-in.")


def refuse_foreign_host() -> ResponseReturnValue | None:
    """Answer a host name that is not ours before anything else looks at the request; no page: its links would be wrong."""
    foreign = isinstance(request.routing_exception, SecurityError)
    return ("This server does not answer to that host name.\n", HTTPStatus.BAD_REQUEST) if foreign else None


def _http(refused: HTTPException) -> ResponseReturnValue:
    if for_program() and (refused.code or 0) >= HTTPStatus.BAD_REQUEST:
        return _page(refused.code or 0)
    if refused.code not in PAGES:
        return refused
    if refused.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit=f"{current_app.config['MAX_CONTENT_LENGTH'] // 2**20} MB")
    if isinstance(refused, RateLimitExceeded):
        limit = refused.limit.limit
        return _page(HTTPStatus.TOO_MANY_REQUESTS, attempts=limit.amount, minutes=limit.get_expiry() // 60)
    return _page(refused.code)


def _defect(failed: Exception) -> ResponseReturnValue:
    return _alone(HTTPStatus.INTERNAL_SERVER_ERROR, request_id=request_id())


def install(app: Flask) -> None:
    """Answer every kind of failure with its page."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(IntegrityError, _integrity)
    app.register_error_handler(DataError, _data)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(HTTPStatus.INTERNAL_SERVER_ERROR, _defect)
