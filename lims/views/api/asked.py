"""What a program asks of an import: its parameters, in the address or in the form, and its file or records."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import orjson
import rfc8785
from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from importers.base import Refused
from importers.json_rows import read_rows
from importers.registry import by_key
from lims.domain.errors import DomainError
from lims.intake.resolving import CREATABLE
from lims.views.support import whole_number

SINGLE = ("project", "mode", "study", "as", "profile", "create", "leave_out_refused", "supersede", "reason", "name")
REPEATED = ("set", "accept")
"""Parameters, named as the options of `lims import` are."""
MODES = ("check", "commit")
TRUE, FALSE = ("1", "true", "yes"), ("", "0", "false", "no")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to import. choices: answers as batches keep them. digest: of all of it, file included."""

    name: str
    content: bytes
    commit: bool
    study: str
    importer: str | None
    profile: str
    choices: dict[str, str]
    supersede: int | None
    reason: str
    accept: list[str]
    digest: str


def parameters() -> MultiDict[str, str]:
    """Give the parameters of the request, those of the address first.

    Raises:
        DomainError: one is not known, or stands twice.
    """
    given = MultiDict([*request.args.items(multi=True), *request.form.items(multi=True)])
    for name in given:
        if name not in (*SINGLE, *REPEATED):
            raise DomainError(f"There is no parameter {name[:40]!a}.", expected=", ".join((*SINGLE, *REPEATED)))
        if name in SINGLE and len(given.getlist(name)) > 1:
            raise DomainError(f'"{name}" is said twice.', expected="each parameter once; set and accept may be repeated")
    return given


def asked() -> Asked:
    """Read the request whole.

    Raises:
        DomainError: a parameter cannot have its value, or the file or records are missing or cannot be read.
        UnsupportedMediaType: it is neither a form with a file nor JSON.
    """
    given = parameters()
    name, content = _file(given) if request.mimetype == "multipart/form-data" else _records(given)
    reason, supersede = given.get("reason", "").strip(), _batch(given)
    if supersede is not None and not reason:
        raise DomainError("supersede needs a reason: why the earlier numbers should not count.", field="reason")
    told = sorted((key, value) for key, value in given.items(multi=True) if key != "project")
    digest = hashlib.sha256(orjson.dumps([hashlib.sha256(content).hexdigest(), name, told])).hexdigest()
    return Asked(
        name,
        content,
        commit=_one_of(given, "mode", MODES, "check") == "commit",
        study=given.get("study", ""),
        importer=_importer(given),
        profile=given.get("profile", ""),
        choices={"create": _create(given), "leave_out": "refused" if _truth(given, "leave_out_refused") else "", **_answers(given)},
        supersede=supersede,
        reason=reason,
        accept=given.getlist("accept") or ["all"],
        digest=digest,
    )


def _file(given: MultiDict[str, str]) -> tuple[str, bytes]:
    files = [(field, file) for field, file in request.files.items(multi=True) if file.filename]
    if [field for field, _ in files] != ["file"]:
        raise DomainError(
            'A request brings one file, in the field "file".', expected="one file", remedy="Send others by themselves."
        )
    return given.get("name") or files[0][1].filename or "file", files[0][1].read()


def _records(given: MultiDict[str, str]) -> tuple[str, bytes]:
    """Give records as a file of canonical JSON: the same records are the same bytes, however a program wrote them."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    body = request.get_data()
    try:
        found = read_rows(body)
    except Refused as refused:
        one = refused.finding
        raise DomainError(one.message, expected=one.expected, remedy=one.remedy) from refused
    if found is None:
        raise DomainError("The body is no JSON object.", expected='{"noun": …, "rows": [{…}]}')
    try:
        content = rfc8785.dumps(json.loads(body.decode("utf-8-sig")))
    except rfc8785.CanonicalizationError as refused:
        raise DomainError(f"The records hold a number that JSON cannot carry safely: {refused}.") from refused
    return given.get("name") or f"{found[0]}.json", content


def _one_of(given: MultiDict[str, str], name: str, terms: tuple[str, ...], usual: str) -> str:
    value = given.get(name, usual)
    if value not in terms:
        raise DomainError(f"{name} cannot be {value[:40]!a}.", field=name, expected=" or ".join(terms))
    return value


def _truth(given: MultiDict[str, str], name: str) -> bool:
    return _one_of(given, name, (*TRUE, *FALSE), "") in TRUE


def _importer(given: MultiDict[str, str]) -> str | None:
    key = given.get("as")
    if key:
        try:
            by_key(key)
        except Refused as refused:
            raise DomainError(f"{refused.finding.message}.", field="as", expected=refused.finding.expected) from refused
    return key or None


def _batch(given: MultiDict[str, str]) -> int | None:
    text = given.get("supersede", "")
    number = whole_number(text)
    if text and number is None:
        raise DomainError(f"supersede cannot be {text[:40]!a}.", field="supersede", expected="the number of a batch")
    return number


def _create(given: MultiDict[str, str]) -> str:
    words = [word.strip() for word in given.get("create", "").split(",") if word.strip()]
    if words == ["all"]:
        return ",".join(CREATABLE)
    wrong = [word for word in words if word not in CREATABLE]
    if wrong:
        raise DomainError(
            f"{wrong[0][:40]!a} cannot be created by an import.", field="create", expected=f"all, or {','.join(CREATABLE)}"
        )
    return ",".join(words)


def _answers(given: MultiDict[str, str]) -> dict[str, str]:
    answers = {}
    for said in given.getlist("set"):
        key, sign, answer = said.rpartition("=")
        if not sign or not key or not answer:
            raise DomainError(f"{said[:40]!a} is no answer.", field="set", expected="KEY=ANSWER, such as decimal=comma")
        answers[key] = answer
    return answers
