"""The filters of the audit list: read from the address once, for the page and for files alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, true

from lims.audit.entities import entities
from lims.audit.export import NO_ACCOUNT, Filters
from lims.audit.tags import check_tag
from lims.domain.errors import DomainError
from lims.models import AuditEvent
from lims.queries.audit import events_of, labels_of, last_noted, people_of, reviewed_up_to, touched_by
from lims.records.audit import REVIEW
from lims.views.audit_words import action_words, actions, kinds_of_records, origin_url, touched_words
from lims.views.filters import moment
from lims.views.listing import worded
from lims.views.support import current_account, current_project, current_session, whole_number
from lims.views.tables import Column, Empty, Filter, Listing, TableView, table_from_query
from lims.views.transaction import installation

SINCE_REVIEW = "mine"
EXPORTS = {"csv": "CSV", "xlsx": "xlsx", "jsonl": "JSON Lines"}


class TrailView(TableView):
    """The table of events; its files hold every change of these events, and are made by the trail's own export."""

    __slots__ = ()

    @property
    def exports(self) -> list[tuple[str, str]]:
        """Give the links to what this view lists, as files."""
        filters: dict[str, Any] = {key: value for key, value in self.arguments.items() if key not in ("page", "sort")}
        return [(label, url_for("audit.export", format=name, **filters)) for name, label in EXPORTS.items()]


def filters_of(given: Mapping[str, str]) -> Filters:
    """Read the filters of an address, such as `?person=3&from=2026-11-02&review=mine`.

    Raises:
        DomainError: a filter holds something it cannot mean.
    """
    typed = {key: value.strip() for key, value in given.items() if value.strip()}
    until = _day(typed.get("until"))
    return Filters(
        project=current_project().id,
        person=_number("person", typed.get("person")),
        action=_tag(typed.get("action")),
        entity=_entity(typed.get("entity")),
        key=_number("record number", typed.get("key")),
        since=_beginning(_day(typed.get("from"))),
        until=_beginning(until + timedelta(days=1)) if until else None,
        reason=_text(typed.get("reason")),
        after=_reviewed(typed.get("review")),
    )


def trail_view(filters: Filters) -> TrailView:
    """Make the page of the list of events that the address asks for."""
    session, project_id = current_session(), current_project().id
    rows = events_of(project_id, filters)
    view = table_from_query(session, _listing(people_of(session, project_id)), rows)
    touched = touched_by(session, project_id, [int(row["seq"]) for row in view.rows])
    labels = labels_of(session, [one.only for one in touched.values() if one.only])
    for row in view.rows:
        row["records"] = touched_words(touched.get(int(row["seq"])), labels)
        row["seq"] = f"#{row['seq']}"
    return TrailView(**{one.name: getattr(view, one.name) for one in fields(view)})


def _listing(people: Sequence[tuple[int, str]]) -> Listing:
    known = [(str(key), name) for key, name in people]
    return Listing(
        noun="audit",
        caption="Events of the audit trail",
        columns=(
            Column("seq", "Event", AuditEvent.seq, mono=True),
            Column("at", "When", AuditEvent.at, sortable=False, show=_when),
            Column("actor", "Who", AuditEvent.actor, sortable=False),
            Column("action", "What", AuditEvent.action, sortable=False, show=action_words),
            Column("records", "Records", AuditEvent.changes, sortable=False),
            Column("reason", "Reason", AuditEvent.reason, sortable=False),
            Column("origin", "From", AuditEvent.origin, sortable=False, show=_origin),
        ),
        filters=(
            Filter("person", "Who", "select", _applied, [*known, (str(NO_ACCOUNT), "Command line")]),
            Filter("action", "What", "select", _applied, worded(actions())),
            Filter("entity", "Kind of record", "select", _applied, worded(kinds_of_records())),
            Filter("key", "Record number", "search", _applied),
            Filter("from", "From", "date", _applied),
            Filter("until", "Until", "date", _applied),
            Filter("reason", "Reason contains", "search", _applied),
            Filter("review", "Reviewed", "select", _applied, [(SINCE_REVIEW, "Since my last review")]),
        ),
        sort="-seq",
        key=AuditEvent.seq,
        page=lambda row: url_for("audit.event", seq=row.key),
        empty=Empty("Nothing has been recorded in this project yet."),
    )


def _when(at: str) -> str:
    return _unbroken(moment(at))


def _origin(origin: str) -> dict[str, Any]:
    return {"text": _unbroken(origin), "url": origin_url(origin)}


def _unbroken(text: str) -> str:
    """Keep a short text on one line."""
    return text.replace(" ", "\u00a0")


def _applied(typed: str) -> ColumnElement[bool]:
    """Add no condition: `filters_of` has read all filters together, and `events_of` selects by them."""
    return true()


def _text(typed: str | None) -> str | None:
    if typed is not None and not typed.isprintable():
        raise DomainError("The text to look for contains characters that cannot be typed.", remedy="Type it again by hand.")
    return typed


def _number(what: str, typed: str | None) -> int | None:
    if typed is None:
        return None
    number = whole_number(typed)
    if number is None:
        raise DomainError(f"{typed!r} is no {what}.", expected="digits, such as 12")
    return number


def _tag(typed: str | None) -> str | None:
    try:
        return check_tag(typed) if typed else None
    except ValueError as refused:
        raise DomainError(f"{typed!r} is no action of the audit trail.", remedy="Choose one from the list.") from refused


def _entity(typed: str | None) -> str | None:
    if typed is not None and typed not in entities():
        raise DomainError(f"{typed!r} is no kind of record.", remedy="Choose one from the list.")
    return typed


def _day(typed: str | None) -> date | None:
    try:
        day = date.fromisoformat(typed) if typed else None
    except ValueError as refused:
        raise DomainError(f"{typed!r} is no date.", expected="year-month-day, such as 2026-11-02") from refused
    if day is not None and not 1900 <= day.year <= 9000:
        raise DomainError(f"{typed!r} is no date of this record.", expected="a year between 1900 and 9000")
    return day


def _beginning(day: date | None) -> datetime | None:
    """Give the moment a day begins in the lab's time zone."""
    return datetime.combine(day, time.min, installation().settings.zone) if day else None


def _reviewed(typed: str | None) -> int | None:
    if typed is None:
        return None
    if typed != SINCE_REVIEW:
        raise DomainError(f"{typed!r} is no choice for Reviewed.", expected=SINCE_REVIEW)
    last = last_noted(current_session(), current_project().id, REVIEW, current_account().id)
    return reviewed_up_to(current_session(), current_project().id, last) if last else None
