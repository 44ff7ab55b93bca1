"""What the OpenAPI document says of imports: the request in its two forms, the answer, and how it may fail."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from lims.domain.vocabulary import BatchState, JobKind, JobState
from lims.views.api.asked import MODES, REPEATED, SINGLE
from lims.views.api.problems import PREFIX

_ABOUT = {
    "project": "code of a project of yours; not needed where there is only one",
    "mode": "check (usual): only look; commit: record it, if nothing stands in the way",
    "study": "code of the study",
    "as": "key of the importer, where none or several recognise the file",
    "profile": "name of an import profile of the project",
    "create": "what the file may create: all, or some of animals,arms,study,agents,cages",
    "leave_out_refused": "1: record what is right; what is refused stays in the batch",
    "supersede": "number of the committed batch that this file replaces; needs a reason",
    "reason": "why; it stands in the audit trail",
    "name": "name of the file, if it is not the one that was sent",
    "set": "KEY=ANSWER: an answer to one of the file's questions",
    "accept": "code of warnings that somebody looked at; all, where none is named",
}


class ImportFinding(BaseModel):
    """Something found in a file."""

    severity: Literal["error", "warning", "note"]
    code: str
    sheet: str | None
    row: int | None = Field(description="the sheet's own; of JSON records, 2 is the first of the rows")
    column: str | None = Field(description="the sheet's letter; of JSON records, fields count in alphabetical order")
    value: str | None
    message: str
    expected: str | None
    remedy: str | None
    source: str | None = Field(description="where the rule stands that judged a value")


class ImportJob(BaseModel):
    """The latest check or commit of an import."""

    kind: JobKind
    state: JobState
    step: str | None = Field(description="what it is doing, while it is under way")
    fraction: float | None = Field(description="how much of the whole is done, from 0 to 1")
    message: str | None = Field(description="why it failed, or what else is to be said")


class Import(BaseModel):
    """How an import stands: what its last check or its commit came to."""

    batch: int
    state: BatchState = Field(description="stored: not read yet; refused: something stands in the way")
    project: str
    file: str
    importer: str | None
    evidence: list[str]
    rows: dict[str, int] = Field(description="read = new + same + changed + conflicting + refused + skipped")
    records: dict[str, int] = Field(description="what is recorded, or would be, by noun")
    readings: dict[str, dict[str, int]]
    events: dict[str, dict[str, int]]
    create: dict[str, Any] = Field(description="what would be created, or was")
    questions: list[dict[str, Any]]
    findings: list[ImportFinding]
    job: ImportJob | None
    links: dict[str, str]


MODELS: tuple[type[BaseModel], ...] = (ImportFinding, ImportJob, Import)
_ANSWER = {"application/json": {"schema": {"$ref": "#/components/schemas/Import"}}}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ROWS = {
    "type": "object",
    "required": ["noun", "rows"],
    "additionalProperties": False,
    "properties": {
        "noun": {"type": "string", "description": "measurement, or a noun that a file may write, such as exposure or animal"},
        "rows": {"type": "array", "minItems": 1, "items": {"type": "object"}, "description": "fields by name; references by code"},
    },
}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}


def import_paths() -> dict[str, Any]:
    """Give the paths of imports."""
    return {f"{PREFIX}/imports": {"post": _take()}, f"{PREFIX}/imports/{{id}}": {"get": _show()}}


def _parameter(name: str) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": "string"}
    if name == "mode":
        kind |= {"enum": list(MODES), "default": MODES[0]}
    schema = {"type": "array", "items": kind} if name in REPEATED else kind
    return {"name": name, "in": "query", "required": False, "description": _ABOUT[name], "schema": schema}


def _take() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "chosen by the program for one import; the same key with the same request is done once",
        "schema": {"type": "string", "maxLength": 200},
    }
    return {
        "operationId": "takeImport",
        "summary": "Import a file or records",
        "description": "Takes a token that imports. Parameters may stand in the address or in the form.",
        "tags": ["imports"],
        "security": [{"token": []}],
        "parameters": [key, *map(_parameter, (*SINGLE, *REPEATED))],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _FORM}, "application/json": {"schema": _ROWS}},
        },
        "responses": {
            "200": {"description": "It is read, or recorded", "content": _ANSWER},
            "202": {"description": "It is under way: ask at Location again", "content": _ANSWER},
            **_problems(
                {
                    "401": "No token, or one that does not count",
                    "403": "The token only reads, or its owner may not do this",
                    "404": "No such project, batch or profile of yours",
                    "409": "The batch is being read or recorded, or the job failed: detail says why",
                    "413": "The file is too large",
                    "415": "Neither a form with a file nor JSON",
                    "422": "A parameter or the JSON cannot be taken, or the key was used for another request",
                    "429": "Too many tokens that do not count",
                }
            ),
        },
    }


def _show() -> dict[str, Any]:
    number = {"name": "id", "in": "path", "required": True, "description": "number of the batch", "schema": {"type": "integer"}}
    return {
        "operationId": "getImport",
        "summary": "How an import stands",
        "tags": ["imports"],
        "parameters": [number],
        "responses": {
            "200": {"description": "It is read, or recorded", "content": _ANSWER},
            "202": {"description": "It is under way: ask again", "content": _ANSWER},
            **_problems({"401": "No token, or one that does not count", "404": "No such import in a project of yours"}),
        },
    }


def _problems(known: dict[str, str]) -> dict[str, Any]:
    return {status: {"description": told, "content": _PROBLEM} for status, told in known.items()}
