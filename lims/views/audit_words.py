"""The audit pages in people's words: actions, what was changed, and where a record has its page."""

from __future__ import annotations

import json
from typing import Any

from flask import url_for

from lims.audit.entities import entities
from lims.audit.words import entity_word, plural
from lims.domain.permissions import PERMISSIONS, writes
from lims.models import AuditEvent
from lims.queries.audit import RecordLabel, Reference, Touched
from lims.views.addresses import page_of

_NOUNS = {
    "action": "action on an endpoint",
    "alias": "other name",
    "assay": "receptor assay",
    "audit": "audit trail",
    "batch": "import",
    "check": "check of a model",
    "endpoint": "humane endpoint",
    "import-profile": "import profile",
    "kind": "kind of measurement",
    "lot": "lot",
    "model": "PDX model",
    "pattern": "pattern of codes",
    "place": "storage place",
    "preparation": "cell preparation",
    "profile": "STR profile",
    "protocol": "animal protocol",
    "stain": "stained region",
    "therapy": "therapy line",
    "user": "account",
}
_VERBS = {
    "amend": "amended",
    "change": "changed",
    "check": "checked",
    "close": "closed",
    "commit": "recorded",
    "create": "recorded",
    "export": "exported",
    "fail": "failed",
    "lock": "locked",
    "open": "opened",
    "review": "reviewed",
    "set-up": "set up",
    "sign": "signed",
    "store": "uploaded",
    "supersede": "superseded",
    "unblind": "unblinded",
    "withdraw": "withdrawn",
}
_WHOLE = {"audit:check": "audit trail verified", "project:create": "project made", "session:fail": "sign-in or signature failed"}
_EXPORTED = ("animal", "audit", "batch", "measurement", "study")
_NOT_OF_PROJECTS = frozenset({"api_token", "role", "stored_file", "user_account"})
_DETAILS = {
    "after": "Reviewed after event",
    "changes": "Changes checked",
    "checkpoints": "Checkpoints checked",
    "events": "Events checked",
    "found": "Found",
    "problems": "Problems",
    "records": "Records compared",
    "up_to": "Reviewed up to event",
}


def action_words(action: str) -> str:
    """Say what an action was: `animal changed`."""
    noun, _, verb = action.partition(":")
    return _WHOLE.get(action) or f"{_NOUNS.get(noun, noun)} {_VERBS.get(verb, verb)}"


def actions() -> list[tuple[str, str]]:
    """List the actions of a project's trail with their words, for a filter."""
    tags = {action for action in PERMISSIONS if writes(action)} | {f"{noun}:export" for noun in _EXPORTED}
    tags |= {"audit:check", "audit:review", "project:create", "project:withdraw", "session:fail", "study:unblind", "system:set-up"}
    return sorted(((tag, action_words(tag)) for tag in tags), key=lambda pair: pair[1].casefold())


def kinds_of_records() -> list[tuple[str, str]]:
    """List the kinds of records that a project's trail speaks of, for a filter."""
    known = [(entity, entity_word(entity)) for entity in entities() if entity not in _NOT_OF_PROJECTS]
    return sorted(known, key=lambda pair: pair[1].casefold())


def touched_words(touched: Touched | None, labels: dict[Reference, RecordLabel]) -> str:
    """Say which records an event changed: the one by its name, several by their kinds, very many changes by their number."""
    if touched is None:
        return ""
    if touched.only:
        return labels[touched.only].text
    if not touched.by_kind:
        return f"{touched.total:,} changes"
    return ", ".join(_counted(number, entity_word(entity)) for entity, number in touched.by_kind.items())


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else plural(word)}"


def record_url(entity: str, key: int) -> str | None:
    """Give the page of a record: its own, or its history; None for what belongs to no project, such as a stored file."""
    history = None if entity in _NOT_OF_PROJECTS else url_for("audit.record", entity=entity, key=key)
    return page_of(entity, key) or history


def origin_url(origin: str) -> str | None:
    """Give the page of the import that an event came from; None for forms and the command line."""
    word, _, number = origin.partition(" ")
    return record_url("import_batch", int(number)) if word == "batch" and number.isascii() and number.isdigit() else None


def details(event: AuditEvent) -> list[dict[str, Any]]:
    """Give what else is known of an event, as labelled pairs."""
    known: dict[str, Any] = json.loads(event.detail)
    labelled = ((_DETAILS.get(key, key.replace("_", " ").capitalize()), value) for key, value in known.items())
    return [{"label": label, "value": _detail(value)} for label, value in labelled]


def _detail(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value) or "nothing"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
