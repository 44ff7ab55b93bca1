"""What the API answers where it cannot answer: a problem in the words of RFC 9457, in sentences."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from flask import Response, request

from importers.preflight import MAX_UPLOAD_BYTES
from lims.views.request_log import request_id

PREFIX = "/api/v1"
IMPORTS = "/api/imports"
"""Where programs import, whatever the version; `PREFIX` has the same."""
SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request could not be read.",
    HTTPStatus.UNAUTHORIZED: "This takes a token, in the header `Authorization: Bearer lims_…`. "
    "One is made under Account, API tokens.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address. The page /api/ lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The API reads: it answers GET and HEAD. POST takes imports alone, and nothing else "
    "is changed through it.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"A file may have {MAX_UPLOAD_BYTES // 2**20} MB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "An import is a form with the file (multipart/form-data), or JSON with records "
    "(application/json).",
    HTTPStatus.TOO_MANY_REQUESTS: "This token does not count, and too many such came from this network address within a "
    "quarter of an hour. Correct the token: one that counts is answered at once.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here, and it was noted under the number of this request.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database does not answer. Try again in some seconds.",
}


def for_program() -> bool:
    """Tell whether the request asks the API, so that what goes wrong is told as JSON and not as a page."""
    return request.path.startswith((f"{PREFIX}/", f"{IMPORTS}/")) or request.path == IMPORTS


def problem(status: int, detail: str = "") -> Response:
    """Answer with a problem; `detail` says what was wrong, where the status alone does not."""
    known = HTTPStatus(status)
    told = {
        "type": "about:blank",
        "title": known.phrase,
        "status": known.value,
        "detail": detail or SENTENCES.get(known, known.description),
        "request": request_id(),
    }
    response = Response(orjson.dumps(told), known, content_type="application/problem+json")
    if known is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "GET, HEAD, OPTIONS"  # where imports are taken, POST is no failure
    if known is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="BCBM LIMS"'
    return response
