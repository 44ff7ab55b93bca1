"""The OpenAPI 3.1 document, made from `RESOURCES` by pydantic models that are made from it too.

The models describe the answers and check none: they are built when the document is asked for the first time.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import models_json_schema
from sqlalchemy import JSON, Boolean, Date, Float, Integer
from sqlalchemy import Enum as EnumType

from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models.base import UtcDateTime
from lims.queries.api import ANY_STATUS, LARGEST_PAGE, USUAL_PAGE
from lims.queries.api_resources import RESOURCES, Resource
from lims.queries.api_resources import Field as ApiField
from lims.views.api.openapi_imports import MODELS, import_paths
from lims.views.api.problems import PREFIX
from lims.views.api.words import about

_REFERENCE = "#/components/schemas/{model}"
_TYPES: dict[type[Any], Any] = {
    Boolean: bool, UtcDateTime: datetime, Date: date, Integer: int, Float: float, JSON: list[str],
}  # fmt: skip
_INTRODUCTION = (
    "Reads what its reader may read, by a token that one makes under Account, API tokens, and imports by one that may. "
    "Dates are ISO 8601, times UTC. "
    "A reference is told by id and by what names the record. Lists are by id and leave out records that were withdrawn, "
    "unless `status` asks for them; `next` leads to the following page until it is null."
)


class _Exact(BaseModel):
    """An answer with these values and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Problem(BaseModel):
    """What was wrong, in a sentence (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request: str = Field(description="number of this request, for whoever runs the system")


class Project(_Exact):
    """A project that the reader belongs to."""

    id: int
    code: str
    title: str
    status: RecordStatus
    role: RoleName
    links: dict[str, str] = Field(description="the lists of its records")


class ProjectList(_Exact):
    """The projects that the reader belongs to."""

    items: list[Project]
    next: None


@cache
def record_model(resource: Resource) -> type[BaseModel]:
    """Give the model of one record."""
    values: dict[str, Any] = {one.name: _described(resource, one) for one in resource.fields}
    for name, fields in resource.nested.items():
        part = resource.parts[name].model
        columns: dict[str, Any] = {one.name: _described(resource, one) for one in fields}
        inner = create_model(str(part.__name__), __base__=_Exact, **columns)
        values[name] = (list[inner], Field(description="those that count"))  # type: ignore[valid-type]  # made just now
    values["links"] = (dict[str, str], Field(description="its own address, its page, and lists of what refers to it"))
    return create_model(str(resource.model.__name__), __base__=_Exact, __doc__=_capital(resource.word) + ".", **values)


@cache
def list_model(resource: Resource) -> type[BaseModel]:
    """Give the model of one page of a list."""
    record = record_model(resource)
    return create_model(
        f"{resource.model.__name__}List",
        __base__=_Exact,
        __doc__=f"One page of {resource.plural}.",
        items=(list[record], ...),  # type: ignore[valid-type]  # made just now
        next=(str | None, Field(description="address of the next page; null on the last one")),
        count=(int, Field(default=0, description="how many there are, where `count=1` asks")),
    )


@cache
def openapi_document() -> dict[str, Any]:
    """Give the document."""
    answers: list[type[BaseModel]] = [ProjectList, Problem, *MODELS]
    for resource in RESOURCES.values():
        answers += [record_model(resource), list_model(resource)]
    _, schemas = models_json_schema([(one, "serialization") for one in answers], ref_template=_REFERENCE)
    paths = {f"{PREFIX}/projects": {"get": _operation("listProjects", "Your projects", "projects", ProjectList, [])}}
    for resource in RESOURCES.values():
        at = f"{PREFIX}/projects/{{project}}/{resource.plural}"
        name, tag = resource.model.__name__, resource.plural
        listed = _operation(f"list{name}", f"List {tag}", tag, list_model(resource), [_PROJECT, *_PAGING, *_filters(resource)])
        shown = _operation(f"get{name}", f"One {resource.word}", tag, record_model(resource), [_PROJECT, _ID], by_id=True)
        paths |= {at: {"get": listed}, f"{at}/{{id}}": {"get": shown}}
    paths |= import_paths()
    return {
        "openapi": "3.1.0",
        "info": {"title": "BCBM LIMS", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": "projects"}, {"name": "imports"}, *({"name": plural} for plural in RESOURCES)],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "lims"},
            },
        },
    }


def _described(resource: Resource, one: ApiField) -> tuple[Any, Any]:
    return _optional(_type(one), nullable=one.nullable), Field(description=about(resource, one))


def _optional(kind: Any, *, nullable: bool) -> Any:
    return kind | None if nullable else kind


def _type(one: ApiField) -> Any:
    if one.target is not None:
        return _reference(one)
    if isinstance(one.type, EnumType) and one.type.enum_class is not None:
        return one.type.enum_class
    if one.terms:
        return Literal[one.terms]
    return next((made for kind, made in _TYPES.items() if isinstance(one.type, kind)), str)


def _reference(one: ApiField) -> type[BaseModel]:
    assert one.target is not None  # noqa: S101  # asked for references alone
    return _reference_model(str(one.target.element.name), one.naming)  # type: ignore[attr-defined]  # a table, under a name


@cache
def _reference_model(table: str, naming: str | None) -> type[BaseModel]:
    name = "".join(part.capitalize() for part in table.split("_"))
    hidden = "null while its study is blinded for the reader" if table == "arm" else None
    key = (int | None, Field(description=hidden)) if hidden else (int, ...)
    values: dict[str, Any] = {"id": key} | ({naming: (str, ...)} if naming else {})
    return create_model(f"{name}Reference", __base__=_Exact, __doc__=f"Which {table.replace('_', ' ')}.", **values)


def _parameter(name: str, where: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "description": description, "schema": schema}


_PROJECT = _parameter("project", "path", "code of a project of yours", {"type": "string"})
_ID = _parameter("id", "path", "id of the record", {"type": "integer", "minimum": 1})
_PAGING = [
    _parameter(
        "page_size", "query", "records on a page", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE}
    ),
    _parameter("after", "query", "go on after this id", {"type": "integer", "minimum": 0, "default": 0}),
    _parameter("count", "query", "1: say how many there are", {"type": "integer", "enum": [0, 1], "default": 0}),
]


def _filters(resource: Resource) -> list[dict[str, Any]]:
    return [
        _parameter(name, "query", f"{about(resource, one)}{'; empty: not recorded' if one.nullable else ''}", _filter_schema(one))
        for name, one in resource.filters.items()
    ]


def _filter_schema(one: ApiField) -> dict[str, Any]:
    if one.name == "status":
        return {"type": "string", "enum": [*one.terms, ANY_STATUS], "default": RecordStatus.ACTIVE.value}
    if one.terms:
        return {"type": "string", "enum": [*one.terms, *([""] if one.nullable else [])]}
    return {"type": "string"}


def _operation(
    name: str, summary: str, tag: str, model: type[BaseModel], parameters: list[dict[str, Any]], *, by_id: bool = False
) -> dict[str, Any]:
    known = {"401": "No token, or one that does not count", "429": "Too many tokens that do not count"}
    if parameters:
        known |= {"404": "No such project of yours, or no such record in it"}
    if parameters and not by_id:
        known |= {"422": "A parameter that is not known, or cannot have this value"}
    problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
    answer = {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": parameters,
        "responses": {
            "200": {"description": summary, "content": answer},
            **{status: {"description": told, "content": problem} for status, told in sorted(known.items())},
        },
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
