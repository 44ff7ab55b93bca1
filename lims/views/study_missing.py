"""The missing-data tab of a study: who was not measured when most of the arm was, and doses that nobody recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import null

from lims.domain.vocabulary import MeasurementKind
from lims.models import Study
from lims.queries.due import overdue_in_study
from lims.queries.missing import Gaps, Host, Presence, gaps_of, hosts_of, read_on
from lims.queries.scope import find
from lims.queries.studies import ArmOfStudy
from lims.records.values import today
from lims.views.kept import kept_page
from lims.views.study_plots import StudyData
from lims.views.support import current_project, current_session, needs, sees_arms, whole_number
from lims.views.tables import Column, send_rows

pages = Blueprint("missing", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>/missing")

DAYS = 8
"""Days that fit beside each other on a tablet, each with its word."""
ROWS = 50
SIGNS = {
    Presence.READ: ("good", "check-circle"),
    Presence.MISSING: ("error", "x-circle"),
    Presence.NOT_YET: ("quiet", "clock-history"),
    Presence.DEAD: ("quiet", "slash-circle"),
    Presence.EXCLUDED: ("quiet", "slash-circle"),
}
"""Tone and icon of each word."""
COLUMNS = tuple(
    Column(key, label, null(), sortable=False)
    for key, label in (("animal", "Animal"), ("arm", "Arm"), ("kind", "Not read for"), ("on", "Date"), ("day", "Study day"))
)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a sequence, with the numbers of its neighbours."""

    number: int
    pages: int
    items: Sequence[Any]


def _part(items: Sequence[Any], size: int, asked: str | None, *, last: bool = False) -> Page:
    pages = max(-(-len(items) // size), 1)
    number = min(max(whole_number(asked) or (pages if last else 1), 1), pages)
    return Page(number, pages, items[(number - 1) * size : number * size])


@pages.get("/")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show what is missing of a kind (`?kind=`), animals by days; with `?format=csv`, `xlsx` or `json` one row a gap."""
    if name := request.args.get("format"):
        data = _data(study_id)
        (kind, gaps), study = _gaps(data), data.study
        detail = {"study": study.code, "kind": kind.code if kind else None}
        return send_rows("measurement", f"Missing readings of {study.code}", COLUMNS, _rows(data, kind, gaps), name, detail)
    return kept_page("studies/missing.html", partial(_drawn_from, study_id))


def _data(study_id: int) -> StudyData:
    session = current_session()
    return StudyData(session, find(session, Study, current_project().id, study_id), unblinded=sees_arms())


def _gaps(data: StudyData) -> tuple[MeasurementKind | None, Gaps]:
    kind = data.chosen(request.args.get("kind"))
    if kind is None:
        return None, Gaps((), ())
    return kind, gaps_of(hosts_of(data.session, data.study.id), read_on(data.session, data.study, kind.code))


def _drawn_from(study_id: int) -> dict[str, Any]:
    data = _data(study_id)
    (kind, gaps), zero = _gaps(data), data.study.day_zero_on
    arms = {arm.id: arm for arm in data.arms}
    days = _part(gaps.days, DAYS, request.args.get("days"), last=True)
    rows = _part(gaps.rows, ROWS, request.args.get("page"))
    return {
        "study": data.study,
        "kinds": list(data.read.values()),
        "kind": kind,
        "count": len(gaps.missing),
        "animals": len(gaps.rows),
        "days": days,
        "heads": [(day, _study_day(zero, day)) for day in days.items],
        "rows": rows,
        "grid": [
            (host, arms.get(host.arm_id), [(states[day], *_sign(states[day])) for day in days.items]) for host, states in rows.items
        ],
        "overdue": _overdue(data, arms),
    }


def _sign(presence: Presence) -> tuple[str | None, str | None]:
    return SIGNS.get(presence, (None, None))


def _study_day(zero: date | None, day: date) -> str:
    return "" if zero is None else f"d{(day - zero).days}"


def _rows(data: StudyData, kind: MeasurementKind | None, gaps: Gaps) -> list[dict[str, Any]]:
    names = data.names

    def row(host: Host, day: date) -> dict[str, Any]:
        zero = host.day_zero_on or data.days.origin
        known = {"animal": host.code, "arm": names.get(host.arm_id), "kind": kind.code if kind else None, "on": day}
        return known | {"day": None if zero is None else (day - zero).days}

    return [row(host, day) for host, day in gaps.missing]


def _overdue(data: StudyData, arms: Mapping[int, ArmOfStudy]) -> dict[str, Any]:
    """Count the doses that were due and that nobody recorded, by arm."""
    late = overdue_in_study(data.session, data.study, today(data.session))
    columns = [
        {"key": "arm", "label": "Arm"},
        {"key": "doses", "label": "Overdue doses", "align": "end"},
        {"key": "animals", "label": "Animals", "align": "end"},
        {"key": "since", "label": "The first was due"},
    ]
    rows = [
        {
            "arm": {"text": arm.name, "arm": arm.slot},
            "doses": f"{late[key].doses:,}",
            "animals": str(len(late[key].animals)),
            "since": {"text": str(late[key].since), "url": url_for("dosing.cohort", study_id=data.study.id, on=late[key].since)},
        }
        for key, arm in arms.items()
        if key in late
    ]
    return {"caption": "Overdue doses", "columns": columns, "rows": rows, "count": sum(one.doses for one in late.values())}
