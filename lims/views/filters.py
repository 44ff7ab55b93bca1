"""Template filters and globals that every page may use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from operator import itemgetter
from typing import Any

import orjson
from flask import Flask, current_app, g, url_for
from markupsafe import Markup, escape

from importers.registry import IMPORTERS
from lims.audit.words import term_text
from lims.domain.barcodes import QUIET, code128, width_of
from lims.domain.cells import column_letter
from lims.domain.permissions import ROLE_TITLES, allowed
from lims.domain.vocabulary import RoleName
from lims.views.support import current_project
from lims.views.transaction import installation

_FORMATS = {one.key: one.title for one in IMPORTERS}
_DATE = re.compile(r"(\b\d{4}-\d\d-\d\d\b(?: \d\d:\d\d)?)")
_UNITS = frozenset({"g", "mg", "s"})
"""Those that are spelt like a plain word."""


def as_moment(value: datetime | str) -> datetime:
    """Give a time, also one of the audit trail's texts, in the lab's time zone."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(installation().settings.zone)


def moment(value: datetime | str | None) -> str:
    """Write a time as read in the lab: `2026-11-02 14:05`."""
    return as_moment(value).strftime("%Y-%m-%d %H:%M") if value else ""


def moment_full(value: datetime | str | None) -> str:
    """Write a time with seconds and zone, for hovering."""
    return as_moment(value).isoformat(sep=" ", timespec="seconds") if value else ""


def address(detail: str) -> str:
    """Give the network address out of an audit event's detail."""
    return str(json.loads(detail).get("address", ""))


def format_title(key: str | None) -> str:
    """Write a file's format as people read it."""
    return _FORMATS.get(key or "", key or "")


def as_code128(code: str) -> dict[str, Any] | None:
    """Give a code as the path of its barcode and how wide it is (`templates/macros/barcode.html`)."""
    bars = code128(code)
    if bars is None:
        return None
    return {"width": width_of(bars), "path": "".join(f"M{place + QUIET} 0h{width}v40h-{width}z" for place, width in bars)}


def role_title(role: RoleName) -> str:
    """Write a role as people read it."""
    return ROLE_TITLES[role]


def url_of(endpoint: str, **values: Any) -> str | None:
    """Give a page's address; None where this installation does not have the page."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def may(action: str) -> bool:
    """Tell whether the signed-in person may do something in the project of the address."""
    return "project" in g and allowed(current_project().role, action)


def with_article(noun: str) -> str:
    """Put the indefinite article before a noun: `a patient`, `an aliquot`, `an STR profile`."""
    vowel = noun[:1].lower() in "aeiou" or noun.startswith(("STR ", "RFID", "HER2"))
    return f"{'an' if vowel else 'a'} {noun}"


def sentence(text: str) -> str:
    """Begin with a capital where the first word is a plain one: `no date` → `No date`; `M07`, `mTOR` and `"x"` stay."""
    first = text.partition(" ")[0].strip(",:")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def choice_words(text: str) -> str:
    """Write what a list of choices offers: with a capital, but units as they are."""
    return text if text in _UNITS else sentence(text)


def term_words(term: Enum) -> str:
    """Write a term as people read it where it begins a line: a capital first, units and acronyms as they are."""
    return choice_words(term_text(str(term.value)))


def packed(spec: Mapping[str, Any]) -> Markup:
    """Write a plot's specification into its page: the fields of its rows once, and the rows as lists (`js/plot.js`)."""
    rows = spec["data"]["values"]
    fields = list(rows[0]) if rows else []
    # A row has several fields: of one alone no tuple would be made.
    data = {"fields": fields, "rows": list(map(itemgetter(*fields), rows)) if rows else []}
    text = orjson.dumps({**spec, "data": data}).decode()
    for sign in "<>&'":  # none of them can then end the element
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  # as above


def quoted(text: str) -> Markup:
    """Show what a sentence quotes of a file between backticks as such: "`x` is not a number"."""
    return Markup("").join(
        Markup('<code class="cell-raw">{}</code>').format(part) if number % 2 else part
        for number, part in enumerate(text.split("`") if text.count("`") % 2 == 0 else [text])
    )


def dated(text: str) -> Markup:
    """Keep the dates of a sentence in one piece: a line could end at their hyphens."""
    return Markup(_DATE.sub(r'<span class="whole">\1</span>', str(escape(text))))  # noqa: S704  # escaped, and a date needs no escaping


def install(app: Flask) -> None:
    """Make them known to the templates."""
    app.add_template_filter(with_article, "a")
    app.add_template_filter(address)
    app.add_template_filter(choice_words)
    app.add_template_filter(as_code128, "code128")
    app.add_template_filter(column_letter)
    app.add_template_filter(dated)
    app.add_template_filter(format_title)
    app.add_template_filter(moment)
    app.add_template_filter(moment_full)
    app.add_template_filter(packed)
    app.add_template_filter(quoted)
    app.add_template_filter(sentence)
    app.add_template_filter(term_words)
    app.add_template_global(may)
    app.add_template_global(role_title)
    app.add_template_global(url_of)
