"""The API's answers: the reader's projects, each kind of record of a project as a list and by its id, and the document.

GET only, so nothing here can be forged and nothing is exempt from the check of forms. Lists go from page to page by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, request, url_for

from lims.domain.errors import DomainError
from lims.queries.api import LARGEST_PAGE, USUAL_PAGE, find_record, list_records
from lims.queries.api_resources import RESOURCES, Resource, resource_named
from lims.views.addresses import page_of
from lims.views.api.bearer import BLUEPRINT
from lims.views.api.problems import PREFIX
from lims.views.support import (
    current_project,
    current_session,
    needs,
    own_pages_only,
    projects_of_account,
    sees_arms,
    whole_number,
)

pages = Blueprint(BLUEPRINT, __name__, url_prefix=PREFIX)

PAGING = ("page_size", "after", "count")


@pages.get("/projects")
@own_pages_only
def projects() -> Response:
    """Give the projects that the reader belongs to, with the lists of each."""
    records = [
        {
            "id": one.id,
            "code": one.code,
            "title": one.title,
            "status": one.status,
            "role": one.role,
            "links": {plural: _url(plural, {"project_code": one.code}) for plural in RESOURCES},
        }
        for one in projects_of_account()
    ]
    return _json({"items": records, "next": None})


@pages.get("/projects/<project_code>/<plural>")
@needs("project:read")
def index(plural: str) -> Response:
    """Give one page of a project's records of a kind."""
    resource, asked = resource_named(plural), _arguments()
    size = _number(asked, "page_size", USUAL_PAGE, 1, LARGEST_PAGE)
    after = _number(asked, "after", 0, 0)
    count = _number(asked, "count", 0, 0, 1)
    narrowed = {name: value for name, value in asked.items() if name not in PAGING}
    page = list_records(
        current_session(),
        resource,
        current_project().id,
        narrowed,
        after=after,
        size=size,
        count=bool(count),
        unblinded=sees_arms(),
    )
    for record in page.records:
        record["links"] = _own_links(resource, record["id"])
    more = None if page.after is None else _url(plural, {**asked, "after": page.after})
    counted = {} if page.count is None else {"count": page.count}
    return _json({"items": page.records, "next": more, **counted})


@pages.get("/projects/<project_code>/<plural>/<int:record_id>")
@needs("project:read")
def show(plural: str, record_id: int) -> Response:
    """Give one record, with links to what refers to it."""
    resource = resource_named(plural)
    record = find_record(current_session(), resource, current_project().id, record_id, unblinded=sees_arms())
    related = {name: _url(other, {by: record_id}) for name, other, by in resource.related}
    return _json(record | {"links": _own_links(resource, record_id) | related})


@pages.get("/openapi.json")
@own_pages_only
def document() -> Response:
    """Give the OpenAPI document of this API."""
    from lims.views.api.openapi import openapi_document  # pydantic makes a model of every table: only for those who ask

    return _json(openapi_document())


def _url(plural: str, arguments: Mapping[str, Any]) -> str:
    return url_for(".index", plural=plural, **arguments)


def _own_links(resource: Resource, key: int) -> dict[str, str]:
    links = {"self": url_for(".show", plural=resource.plural, record_id=key)}
    page = page_of(str(resource.model.__tablename__), key)
    return links | {"page": page} if page else links


def _arguments() -> dict[str, str]:
    """Give what the address asks, each thing once."""
    for name in request.args:
        if len(request.args.getlist(name)) > 1:
            raise DomainError(f'"{ascii(name[:40])[1:-1]}" stands twice in the address.', expected="each parameter once")
    return request.args.to_dict()


def _number(asked: dict[str, str], name: str, usual: int, least: int, most: int | None = None) -> int:
    if name not in asked:
        return usual
    number = whole_number(asked[name])
    if number is None or number < least or (most is not None and number > most):
        expected = f"a whole number from {least} to {most}" if most is not None else "the id of a record, or 0"
        raise DomainError(f"{name} cannot be {asked[name][:40]!a}.", field=name, expected=expected)
    return number


def _json(told: dict[str, Any]) -> Response:
    return Response(orjson.dumps(told, option=orjson.OPT_UTC_Z), content_type="application/json")
