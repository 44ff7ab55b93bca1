"""Gives each request an id and logs it when it is answered."""

from __future__ import annotations

from time import perf_counter
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

log = structlog.stdlib.get_logger("lims.request")


def install(app: Flask) -> None:
    """Give each request an id, bind it to every line logged meanwhile, and log the request when it is answered."""
    app.before_request(_begin)
    app.after_request(_answered)


def request_id() -> str:
    """Give the running request's id, which also stands in its audit event and in `X-Request-Id`."""
    return str(g.get("request_id", ""))


def _begin() -> None:
    g.request_id = uuid4().hex
    g.request_began = perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _answered(response: Response) -> Response:
    if "request_id" not in g:  # refused before it was one of ours: a foreign host name
        return response
    response.headers["X-Request-Id"] = g.request_id
    log.info(
        "request",
        method=request.method,
        # The rule, not the address: addresses hold codes of animals and what people searched for.
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((perf_counter() - g.request_began) * 1000, 1),
    )
    return response
