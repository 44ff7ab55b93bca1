"""What the check page says and draws of a report: tiles, plots, and the button that says exactly what it will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from lims.models import ImportBatch
from lims.plots import Point, new_against_existing, shown
from lims.queries.imports import recorded_points
from lims.views.project_kinds import project_kinds

_PLURALS = {"study": "studies", "measurement": "measurements", "implant": "tumours"}


@dataclass(frozen=True, slots=True)
class Tile:
    """A count at the top of the check page."""

    label: str
    number: int
    tone: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the check page, with the table beneath it."""

    id: str
    title: str
    spec: dict[str, Any]
    columns: list[dict[str, str]]
    rows: list[dict[str, str]]


def tiles(batch: ImportBatch) -> list[Tile]:
    """Give the four tiles, in rows of the file; changed and conflicting count as one."""
    rows = (batch.report or {}).get("rows", {})
    errors = url_for("imports.show", batch_id=batch.id, show="error") + "#findings"
    return [
        Tile("new rows", rows.get("new", 0), "good"),
        Tile("same as recorded", rows.get("same", 0), "quiet"),
        Tile("changed or conflicting", rows.get("changed", 0) + rows.get("conflicting", 0), "warning", errors),
        Tile("refused", rows.get("refused", 0), "error", errors),
        Tile("skipped, with a reason", rows.get("skipped", 0), "quiet"),
    ]


def counted(number: int, noun: str) -> str:
    """`1 animal`, `25 animals`, `2 studies`."""
    singular = "tumour" if noun == "implant" else noun
    return f"{number:,} {singular if number == 1 else _PLURALS.get(noun, noun + 's')}"


def what_commit_does(batch: ImportBatch) -> str:
    """Say what the button will do: `Record 50 measurements, create 25 animals`."""
    report = batch.report or {}
    records = dict(report.get("records", {}))
    measured = records.pop("measurement", 0)
    changed = sum(of_kind.get("changed", 0) for of_kind in report.get("readings", {}).values())
    parts = [f"Record {counted(measured, 'measurement')}"]
    if changed and batch.choices.get("changed") == "accept":
        parts.append(f"correct {counted(changed, 'measurement')}")
    if records:
        parts.append("create " + ", ".join(counted(number, noun) for noun, number in records.items()))
    return ", ".join(parts)


def plots_of(session: Session, batch: ImportBatch) -> list[Plot]:
    """Draw what the file adds over what is there, a plot a kind."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for point in (batch.report or {}).get("plot", []):
        by_kind.setdefault(point["kind"], []).append(point)
    return [_plot(session, batch, kind, points) for kind, points in by_kind.items()]


def _plot(session: Session, batch: ImportBatch, code: str, points: list[dict[str, Any]]) -> Plot:
    kind = project_kinds()[code]
    animals = list(dict.fromkeys(point["animal"] for point in points))
    dates = all(point["on"] for point in points)
    drawn: list[Point] = [
        {"animal": one["animal"], "date": one["on"], "day": one["day"], "value": one["value"], "new": one["fate"] != "same"}
        for one in points
        if one["value"] is not None
    ]
    clock = "date" if dates else "day"
    drawn += [one for one in recorded_points(session, batch, code, animals) if one[clock] is not None]
    spec = new_against_existing(drawn, unit=kind.unit, title_y=kind.title, decimals=kind.decimals, log=kind.log_axis, dates=dates)
    columns = [
        {"key": "animal", "label": "Animal", "unit": "", "align": "start"},
        {"key": "when", "label": "Date" if dates else "Study day", "unit": "", "align": "start"},
        {"key": "value", "label": kind.title, "unit": kind.unit, "align": "end"},
        {"key": "state", "label": "State", "unit": "", "align": "start"},
    ]
    rows = [
        {
            "animal": str(one["animal"]),
            "when": str(one[clock]) if dates else f"d{one[clock]:g}",
            "value": shown(one["value"], kind.decimals),
            "state": "new" if one["new"] else "recorded",
        }
        for one in drawn[:500]
    ]
    return Plot(f"plot-{code}", f"{kind.title}: this file and what is recorded", spec, columns, rows)
