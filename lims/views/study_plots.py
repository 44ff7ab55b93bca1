"""The plots of a study's page, each with the numbers beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from lims.domain.vocabulary import MeasurementKind
from lims.models import Study
from lims.plots import growth_curves, mean_rows, mean_sem, percent_of_baseline, shown, weight_change, with_suspects
from lims.queries.series import Series
from lims.queries.studies import ArmOfStudy

LISTED = 300
"""Rows of the table under a plot; the whole is a page and a file of its own."""


@dataclass(frozen=True, slots=True)
class StudyPlot:
    """A plot, its table and the sentences below it."""

    id: str
    title: str
    spec: dict[str, Any]
    columns: list[dict[str, str]]
    rows: list[dict[str, str]]
    downloads: list[tuple[str, str]]
    notes: list[str]


def plot_columns(*named: tuple[str, str, str, bool]) -> list[dict[str, str]]:
    """Give the columns of a plot's table from key, label, unit, and whether they are numbers."""
    return [{"key": key, "label": label, "unit": unit, "align": "end" if number else "start"} for key, label, unit, number in named]


def _downloads(study: Study, kind: MeasurementKind) -> list[tuple[str, str]]:
    table = url_for("studies.readings", study_id=study.id, kind=kind.code)
    return [("CSV", f"{table}&format=csv"), ("All readings", table)]


def _points(series: Series) -> list[dict[str, Any]]:
    urls = {key: url_for("animals.show", animal_id=key) for key in set(series.animal_ids)}
    return series.points(urls, by_tumour=True)


def _notes(series: Series) -> list[str]:
    said = []
    if series.suspect:
        marked = "reading is marked as suspect and ringed" if series.suspect == 1 else "readings are marked as suspect and ringed"
        said.append(f"{series.suspect:,} {marked}.")
    if len(series) > LISTED:
        said.append(f"The table has the first {LISTED} of {len(series):,} readings; the CSV has all.")
    return said


def growth(study: Study, series: Series, arms: Sequence[ArmOfStudy], days: str) -> StudyPlot:
    """Draw every animal's readings in its arm's colour."""
    kind, points = series.kind, _points(series)
    spec = growth_curves(
        points,
        arms=[(arm.name, arm.role.value) for arm in arms],
        unit=kind.unit,
        title_y=kind.title,
        decimals=kind.decimals,
        log=kind.log_axis,
    )
    rows = [
        {
            "animal": point["animal"],
            "arm": point["arm"] or "No arm",
            "day": f"d{point['day']:g}",
            "value": shown(point["value"], kind.decimals),
            "quality": "suspect" if point["suspect"] else "ok",
        }
        for point in points[:LISTED]
    ]
    columns = plot_columns(
        ("animal", "Animal", "", False),
        ("arm", "Arm", "", False),
        ("day", "Day", "", True),
        ("value", "Value", kind.unit, True),
        ("quality", "Quality", "", False),
    )
    marked = with_suspects(spec, points, log=kind.log_axis)
    return StudyPlot(
        "growth", f"{kind.title}, each animal", marked, columns, rows, _downloads(study, kind), [days, *_notes(series)]
    )


def means(study: Study, series: Series, arms: Sequence[ArmOfStudy]) -> StudyPlot:
    """Draw each arm's mean ± SEM, with the number of animals at each point."""
    kind, points = series.kind, series.points()
    spec = mean_sem(
        points,
        arms=[(arm.name, arm.role.value) for arm in arms],
        unit=kind.unit,
        title_y=kind.title,
        decimals=kind.decimals,
        log=kind.log_axis,
    )
    rows = [
        {
            "arm": row["arm"],
            "day": row["on"],
            "mean": shown(row["mean"], kind.decimals),
            "sem": "" if row["sem"] is None else shown(row["sem"], kind.decimals),
            "n": str(row["n"]),
        }
        for row in mean_rows(points, unit=kind.unit, decimals=kind.decimals)
    ]
    columns = plot_columns(
        ("arm", "Arm", "", False),
        ("day", "Day", "", True),
        ("mean", "Mean", kind.unit, True),
        ("sem", "SEM", kind.unit, True),
        ("n", "Animals", "", True),
    )
    several = any(subject != animal for subject, animal in zip(series.subjects, series.animals, strict=True))
    notes = ["An animal with several tumours counts once, with their mean."] if several else []
    return StudyPlot("means", f"{kind.title}, mean ± SEM", spec, columns, rows, _downloads(study, kind), notes)


def weights(study: Study, series: Series, arms: Sequence[ArmOfStudy]) -> StudyPlot:
    """Draw body weight as percent of each animal's baseline, with the study's limit."""
    points = _points(series)
    loss = study.weight_loss_limit_percent
    pairs = [(arm.name, arm.role.value) for arm in arms]
    spec = weight_change(points, arms=pairs, limit_percent=None if loss is None else 100 - loss)
    of_baseline = percent_of_baseline(points)
    rows = [
        {
            "animal": point["animal"],
            "arm": point["arm"] or "No arm",
            "day": f"d{point['day']:g}",
            "weight": shown(point["weight"], series.kind.decimals),
            "percent": shown(point["value"], 1),
        }
        for point in of_baseline[:LISTED]
    ]
    columns = plot_columns(
        ("animal", "Animal", "", False),
        ("arm", "Arm", "", False),
        ("day", "Day", "", True),
        ("weight", "Weight", "g", True),
        ("percent", "Of baseline", "%", True),
    )
    limit = f"The line is a loss of {loss:g} %." if loss is not None else "No weight-loss limit is recorded for this study."
    baseline = "Baseline is the animal's last weight on or before day 0, or its first one."
    marked = with_suspects(spec, of_baseline)
    notes = [baseline, limit, *_notes(series)]
    return StudyPlot("weight", "Body weight, change from baseline", marked, columns, rows, _downloads(study, series.kind), notes)
