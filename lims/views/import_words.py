"""What the check page says and draws of a report: tiles, plots, and the button that says exactly what it will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from importers.columns import in_words
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


_RECORDED = ("measurement", "dose", "fate")
"""What a file records of animals; everything else it creates so that this has a place."""


def event_tiles(batch: ImportBatch) -> list[Tile]:
    """Give the tiles of a log's events: doses and fates, and the animals whose cage it names."""
    report = batch.report or {}
    found = {noun: sum(counts.values()) for noun, counts in report.get("events", {}).items()}
    told = [("doses", found.get("dose", 0)), ("fates", found.get("fate", 0))]
    housed = sum(cage["animals"] for cage in report.get("cages", []))
    told.append((f"animals in {counted(len(report.get('cages', [])), 'cage')}", housed))
    return [Tile(label, number, "note", "#events") for label, number in told if number]


def recorded_words(counts: Mapping[str, int]) -> str:
    """Say what was recorded: `8,357 measurements, 1,836 doses and 21 fates`; no measurements are said too."""
    told = [counted(counts.get(noun, 0), noun) for noun in _RECORDED if counts.get(noun) or noun == "measurement"]
    if len(told) > 1 and not counts.get("measurement"):
        told = told[1:]
    return in_words(told)


def counted(number: int, noun: str) -> str:
    """`1 animal`, `25 animals`, `2 studies`."""
    singular = "tumour" if noun == "implant" else noun
    return f"{number:,} {singular if number == 1 else _PLURALS.get(noun, noun + 's')}"


def what_commit_does(batch: ImportBatch) -> str:
    """Say what the button will do: `Record 50 measurements, create 25 animals`."""
    report = batch.report or {}
    records = dict(report.get("records", {}))
    recorded = {noun: records.pop(noun, 0) for noun in _RECORDED}
    changed = {noun: counts.get("changed", 0) for noun, counts in report.get("events", {}).items()}
    changed["measurement"] = sum(of_kind.get("changed", 0) for of_kind in report.get("readings", {}).values())
    parts = [f"Record {recorded_words(recorded)}"]
    if any(changed.values()) and batch.choices.get("changed") == "accept":
        parts.append(f"correct {recorded_words(changed)}")
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
