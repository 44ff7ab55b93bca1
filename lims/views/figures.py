"""Plots below their pages: each as the part that its page fetches, as SVG, PNG or PDF, and its tidy table as csv, xlsx or JSON.

The same functions draw the part and the file, so that both are blinded and scoped alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.errors import NotFound
from lims.exports.figures import IMAGES, draw, figure
from lims.exports.tables import FORMATS
from lims.models import Animal, Study
from lims.queries.scope import find
from lims.views.animal_plots import plots_of_animal, readings_of
from lims.views.kept import kept_page
from lims.views.randomisation import balance_plot
from lims.views.study_exposure import exposure_plots
from lims.views.study_plots import KIND_PLOTS, WEIGHT, StudyData, StudyPlot, weight
from lims.views.study_survival import plot_of, survival_of
from lims.views.support import current_project, current_session, needs, sees_arms
from lims.views.tables import send_file_of

pages = Blueprint("figures", __name__, url_prefix="/p/<project_code>")


def _of_kind(name: str, data: StudyData) -> StudyPlot | None:
    """Draw the kind that the address names; never another one in its place."""
    kind = data.named(request.args.get("kind"))
    return KIND_PLOTS[name](data, kind) if kind else None


def _of_agent(data: StudyData) -> StudyPlot | None:
    drawn = exposure_plots(data)
    return next((one for substance, one in drawn.items() if substance == request.args.get("of")), None)


STUDY_PLOTS: Mapping[str, Callable[[StudyData], StudyPlot | None]] = {
    **{name: lambda data, name=name: _of_kind(name, data) for name in KIND_PLOTS},  # type: ignore[misc]  # a default binds the name
    "weight": lambda data: weight(data) if data.series(WEIGHT) else None,
    "survival": lambda data: plot_of(data, survival_of(data), limits=request.args.get("limits") == "1"),
    "exposure": _of_agent,
    "balance": balance_plot,
}


@pages.get("/studies/<int:study_id>/plots/<plot>.<form>")
@needs("project:export")
def of_study(study_id: int, plot: str, form: str) -> ResponseReturnValue:
    """Send a plot of a study: one of `STUDY_PLOTS`, of a kind (`?kind=`), with limits (`?limits=1`) or of an agent (`?of=`)."""
    study = _study(study_id)
    _require(form)
    return _send("study", study.code, _drawn(study, plot), form, {"study": study.code, "plot": plot, **request.args})


@pages.get("/studies/<int:study_id>/plots/<plot>")
@needs("project:read")
def part_of_study(study_id: int, plot: str) -> ResponseReturnValue:
    """Draw a plot of a study, named as its files are, for the page that left room for it."""
    asked: dict[str, Any] = request.args.to_dict() | {"study_id": study_id, "plot": plot}
    return kept_page(
        "parts/plot.html", lambda: {"one": _drawn(_study(study_id), plot), "numbers": url_for(".table_of_study", **asked)}
    )


@pages.get("/studies/<int:study_id>/plots/<plot>/table")
@needs("project:read")
def table_of_study(study_id: int, plot: str) -> ResponseReturnValue:
    """Show the first of the numbers that a plot of a study is drawn from."""
    return kept_page("parts/numbers.html", lambda: {"one": _drawn(_study(study_id), plot)})


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


def _drawn(study: Study, plot: str) -> StudyPlot:
    make = STUDY_PLOTS.get(plot)
    if make is None:
        raise NotFound(f"A study has no plot {plot!r}.", expected=", ".join(STUDY_PLOTS))
    drawn = make(StudyData(current_session(), study, unblinded=sees_arms()))
    if drawn is None:
        raise NotFound(f"There is nothing to draw in plot {plot!r} of study {study.code}.")
    return drawn


@pages.get("/animals/<int:animal_id>/plots")
@needs("project:read")
def part_of_animal(animal_id: int) -> ResponseReturnValue:
    """Draw an animal's readings over time, a plot for each kind, for its page."""
    return kept_page("parts/animal.html", partial(_drawn_of, animal_id))


def _drawn_of(animal_id: int) -> dict[str, Any]:
    animal = find(current_session(), Animal, current_project().id, animal_id)
    read = readings_of(animal)
    return {"plots": list(plots_of_animal(animal, read).values()), "days": read.sentence}


@pages.get("/animals/<int:animal_id>/plots/<kind>.<form>")
@needs("project:export")
def of_animal(animal_id: int, kind: str, form: str) -> ResponseReturnValue:
    """Send the plot of an animal's readings of one kind."""
    animal = find(current_session(), Animal, current_project().id, animal_id)
    _require(form)
    drawn = plots_of_animal(animal).get(kind)
    if drawn is None:
        raise NotFound(f"Animal {animal.code} has no readings of kind {kind!r}.")
    return _send("animal", animal.code, drawn, form, {"animal": animal.code, "plot": kind})


def _require(form: str) -> None:
    if form not in IMAGES and form not in FORMATS:
        raise NotFound(f"A plot is no {form!r}.", expected=", ".join((*IMAGES, *FORMATS)))


def _send(noun: str, code: str, plot: StudyPlot, form: str, detail: Mapping[str, Any]) -> ResponseReturnValue:
    name = f"{code} {plot.title}.{form}"
    if form in IMAGES:
        content = [draw(figure(plot.spec, f"{code}: {plot.title}"), form)]
        return send_file_of(noun, name, content, IMAGES[form], {**detail, "format": form})
    content_type, write = FORMATS[form]
    rows = [[row[column.key] for column in plot.columns] for row in plot.tidy]
    table = write([column.heading for column in plot.columns], rows)
    return send_file_of(noun, name, table, content_type, {**detail, "format": form, "rows": len(rows)})
