"""What the check page says and draws of a report: tiles, plots, and the button that says exactly what it will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from importers.columns import in_words
from importers.mapping import KEY
from lims.audit.words import entity_word, plural
from lims.domain.vocabulary import RowFate
from lims.intake.accepted import accepts_changes
from lims.models import ImportBatch
from lims.plots import Point, new_against_existing, shown
from lims.queries.imports import recorded_points
from lims.views.project_kinds import project_kinds

_OWN_WORDS = {"implant": "tumour", "agent_lot": "lot", "import_batch": "import"}
ENTITIES = {
    "assay": "receptor_assay",
    "lot": "agent_lot",
    "model": "pdx_model",
    "place": "storage_place",
    "preparation": "cell_preparation",
    "profile": "str_profile",
    "protocol": "animal_protocol",
    "therapy": "therapy_line",
}
"""Nouns whose table is called otherwise."""


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
    errors = url_for("imports.show", batch_id=batch.id, severity="error") + "#findings"
    return [
        Tile("new rows", rows.get("new", 0), "good"),
        Tile("same as recorded", rows.get("same", 0), "quiet"),
        Tile("changed or conflicting", rows.get("changed", 0) + rows.get("conflicting", 0), "warning", errors),
        Tile("refused", rows.get("refused", 0), "error", errors),
        Tile("skipped, with a reason", rows.get("skipped", 0), "quiet"),
    ]


_RECORDED = ("measurement", "dose", "fate")
"""What a file of readings and events records of animals; everything else it creates so that this has a place."""


def event_tiles(batch: ImportBatch) -> list[Tile]:
    """Give the tiles of a log's events: doses and fates, and the animals whose cage it names."""
    report = batch.report or {}
    found = {noun: sum(counts.values()) for noun, counts in report.get("events", {}).items()}
    told = [("doses", found.get("dose", 0)), ("fates", found.get("fate", 0))]
    housed = sum(cage["animals"] for cage in report.get("cages", []))
    told.append((f"animals in {counted(len(report.get('cages', [])), 'cage')}", housed))
    return [Tile(label, number, "note", "#events") for label, number in told if number]


def recorded_words(counts: Mapping[str, int], animals: int = 0) -> str:
    """Say what was recorded, by noun or table: `8,357 measurements on 96 animals and 21 fates`; nothing is said too."""
    of_animals = {"measurement": f" on {counted(animals, 'animal')}"} if animals else {}
    told = [f"{counted(number, noun)}{of_animals.get(noun, '')}" for noun, number in counts.items() if number]
    return in_words(told or [counted(0, "measurement")])


def records_of(report: Mapping[str, Any]) -> dict[str, int]:
    """Give noun → how many records a file brings for their own sake, not only so that others have a place."""
    records = report.get("records", {})
    own = {noun: counts.get("new", 0) for noun, counts in report.get("nouns", {}).items()}
    return {noun: max(records.get(noun, 0), own.get(noun, 0)) for noun in _RECORDED} | {
        noun: number for noun, number in own.items() if noun not in _RECORDED
    }


def counted(number: int, noun: str) -> str:
    """`1 animal`, `25 animals`, `2 studies`."""
    table = ENTITIES.get(noun, noun)
    singular = _OWN_WORDS.get(table) or entity_word(table)
    return f"{number:,} {singular if number == 1 else plural(singular)}"


def blocks_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the lines of a file by noun, as the check page shows them: with a title, and what becomes of all of them in words."""
    told = []
    for block in report.get("lines", []):
        title = plural(_OWN_WORDS.get(block["entity"]) or entity_word(block["entity"]))
        fates = in_words([f"{number:,} {fate}" for fate, number in report["nouns"][block["noun"]].items()])
        same = report["nouns"][block["noun"]].get(RowFate.SAME, 0)
        told.append({**block, "same": same, "title": title[0].upper() + title[1:], "fates": fates})
    return told


def answers_told(batch: ImportBatch, report: Mapping[str, Any]) -> str:
    """Say what was answered to a file's questions: `animal column: ROI Label`; a mapping is told by the columns that were read."""
    offered = {one["key"]: dict(one["options"]) for one in report.get("questions", [])}
    given = {key: str(answer) for key, answer in batch.choices.items() if answer and key != KEY}
    told = [
        f"{key.replace('_', ' ')}: {offered.get(key, {}).get(answer) or answer.replace(',', ', ')}" for key, answer in given.items()
    ]
    return "; ".join(told)


def what_commit_does(batch: ImportBatch) -> str:
    """Say what the button will do: `Record 50 measurements on 25 animals, create 25 animals`."""
    report = batch.report or {}
    recorded = records_of(report)
    created = {noun: number - recorded.get(noun, 0) for noun, number in report.get("records", {}).items()}
    changed = _accepted_changes(report, batch.choices)
    parts = [f"Record {recorded_words(recorded, report.get('animals', 0))}"] if any(recorded.values()) or not changed else []
    if changed:
        parts.append(f"{'correct' if parts else 'Correct'} {recorded_words(changed)}")
    if any(created.values()):
        parts.append("create " + ", ".join(counted(number, noun) for noun, number in created.items() if number))
    return ", ".join(parts)


def _accepted_changes(report: Mapping[str, Any], choices: Mapping[str, str]) -> Counter[str]:
    """Count the changes that a person accepted, by noun: all kinds of measurements are one."""
    counts: Counter[str] = Counter()
    for kind, number in report.get("changed", {}).items():
        if accepts_changes(choices, kind):
            counts["measurement" if kind in report.get("readings", {}) else kind] += number
    return counts


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
    clock = "date" if dates else "day"
    of_file = [
        {"animal": one["animal"], "date": one["on"], "day": one["day"], "value": one["value"], "old": one["old"]}
        | {"state": "recorded" if one["fate"] == "same" else one["fate"]}
        for one in points
        if one["value"] is not None
    ]
    there = recorded_points(session, batch, code, animals)
    met = {(one["animal"], one[clock], one["old"]) for one in of_file if one["old"] is not None}
    there = [one for one in there if (one["animal"], one[clock], one["value"]) not in met]
    same = {(one["animal"], one[clock], one["value"]) for one in of_file if one["state"] == "recorded"}
    there = [one for one in there if (one["animal"], one[clock], one["value"]) not in same]
    drawn: list[Point] = [one for one in (*of_file, *there) if one[clock] is not None]
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
            "state": f"changed, recorded {shown(one['old'], kind.decimals)}" if one.get("old") is not None else one["state"],
        }
        for one in drawn[:500]
    ]
    every = sum((batch.report or {}).get("readings", {}).get(code, {}).values())
    part = f"{len(of_file):,} of {every:,} readings of this file" if len(of_file) < every else "this file"
    return Plot(f"plot-{code}", f"{kind.title}: {part} and what is recorded", spec, columns, rows)
