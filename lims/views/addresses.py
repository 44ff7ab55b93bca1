"""Where a record has its page, and addresses that every page has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, Request, current_app, g, has_request_context, request, url_for
from werkzeug.routing import Rule

from lims.queries.scope import LARGEST_ID

RECORD_PAGES = {
    "agent": ("agents.show", "record_id"),
    "agent_lot": ("lots.show", "record_id"),
    "aliquot": ("aliquots.show", "record_id"),
    "alteration": ("alterations.show", "record_id"),
    "animal": ("animals.show", "animal_id"),
    "animal_protocol": ("protocols.show", "record_id"),
    "cage": ("cages.show", "record_id"),
    "cell_preparation": ("preparations.show", "record_id"),
    "consent": ("consents.show", "record_id"),
    "dose": ("doses.show", "record_id"),
    "endpoint_action": ("actions.show", "action_id"),
    "enrolment": ("enrolments.show", "record_id"),
    "exposure": ("exposures.show", "record_id"),
    "fate": ("fates.show", "record_id"),
    "implant": ("implants.show", "record_id"),
    "import_batch": ("imports.show", "batch_id"),
    "import_profile": ("import_profiles.show", "record_id"),
    "import_profile_version": ("import_profiles.of_version", "version_id"),
    "lab_kind": ("kinds.show", "record_id"),
    "measurement": ("measurements.show", "measurement_id"),
    "model_check": ("checks.show", "record_id"),
    "patient": ("patients.show", "record_id"),
    "pdx_model": ("models.show", "record_id"),
    "procedure": ("procedures.show", "record_id"),
    "receptor_assay": ("assays.show", "record_id"),
    "regimen": ("regimens.show", "record_id"),
    "specimen": ("specimens.show", "record_id"),
    "stain_region": ("stains.show", "record_id"),
    "storage_place": ("storage.show", "record_id"),
    "str_profile": ("profiles.show", "record_id"),
    "study": ("studies.show", "study_id"),
    "therapy_line": ("therapy.show", "record_id"),
}
"""Endpoint and argument of the records that have a page of their own, by table."""

_ARGUMENTS = dict(RECORD_PAGES.values())
_WORD = re.compile(r"[a-z_-]{1,40}\Z")
"""No digit in it, so that it is never taken for the number."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""What stands in an address as it is, such as most codes."""
_ANY_CODE = str(LARGEST_ID)


def page_of(entity: str, key: int) -> str | None:
    """Give the address of a record's page; None where records of this table have none."""
    endpoint, argument = RECORD_PAGES.get(entity, ("", ""))
    values: dict[str, Any] = {argument: key}
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def numbered(endpoint: str) -> Callable[[int], str]:
    """Give what makes the address of a record's page from its id: the rest of it is made once, since a list has fifty of them."""
    first: dict[str, Any] = {_ARGUMENTS[endpoint]: 0}
    before = url_for(endpoint, **first).removesuffix("0")
    return lambda key: f"{before}{key}"


class BuiltLater(Rule):
    """A rule that compiles how its addresses are made once the first of them is.

    Werkzeug does so as a rule is added, twice for each of three hundred: a tenth of what it takes to the first page.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            if compiled is None:
                compiled = super(BuiltLater, self)._compile_builder(append_unknown)
            return compiled(rule, **values)

        return build


class Addressed(Flask):
    """Flask, with those addresses kept of which a page has hundreds: of static files, of pages, and of records by number."""

    url_rule_class = BuiltLater

    def url_for(self, endpoint: str, /, **values: Any) -> str:  # type: ignore[override]  # Flask's own signature, shortened
        """Give an address."""
        if endpoint[:1] == "." or not has_request_context():
            return super().url_for(endpoint, **values)
        given = {name: value for name, value in values.items() if value is not None}
        # Asked of the objects themselves: their proxies cost more than all the rest of this.
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # of the proxy
        root, project = asked.script_root, g._get_current_object().get("project_code")
        if not given:
            return _kept(self, root, project, endpoint)
        named = given.pop("project_code", None)
        if not given:
            return _kept(self, root, None, endpoint, "project_code", named)
        (name, value), *more = given.items()
        if endpoint == "static" and not more and named is None:
            return _kept(self, root, None, endpoint, name, value)
        # Of several values the one that differs comes first, and the others are words of the program, not what somebody typed.
        if name[0] == "_" or not _is_plain(value) or not all(_is_word(*one) for one in more):
            return super().url_for(endpoint, **values)
        if named is not None:
            more.append(("project_code", named))
        before, after = _around(self, root, project, endpoint, name, LARGEST_ID if type(value) is int else _ANY_CODE, *more)
        return f"{before}{value}{after}"


def _is_plain(value: Any) -> bool:
    """Tell whether a value stands in an address as it is: the number of a record, or a code without anything to escape."""
    return value >= 0 if type(value) is int else type(value) is str and _PLAIN.match(value) is not None


def _is_word(name: str, value: Any) -> bool:
    """Tell whether an argument is a short word; those with `_` are Flask's own, and say how the address begins."""
    return name[0] != "_" and type(value) is str and _WORD.match(value) is not None


@lru_cache(maxsize=4096)
def _kept(app: Addressed, script_root: str, project_code: str | None, endpoint: str, name: str = "", value: Any = None) -> str:
    """Make an address within the request that has this root and project."""
    values: dict[str, Any] = {name: value} if name else {}
    return Flask.url_for(app, endpoint, **values)


@lru_cache(maxsize=4096)
def _around(
    app: Addressed, root: str, project_code: str | None, endpoint: str, name: str, place: int | str, *more: tuple[str, str]
) -> tuple[str, str]:
    """Give what stands before and after the number or code in an address that has `place` for it, and words beside it."""
    values: dict[str, Any] = {name: place, **dict(more)}
    before, _, after = Flask.url_for(app, endpoint, **values).rpartition(str(place))
    return before, after
