"""The tab of a study that shows how much of each agent reached each tissue, by animal and by arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from lims.audit.words import term_text
from lims.domain.cohort_terms import ExposureMatrix
from lims.domain.exposure import SOURCE, Ratio, summarise
from lims.models import Study
from lims.plots import partitions
from lims.queries.blinding import hides_arms
from lims.queries.exposures import Compared, of_study
from lims.queries.scope import find
from lims.queries.studies import ArmOfStudy
from lims.views.cells import arm_cell
from lims.views.kept import kept_page
from lims.views.listing import as_text
from lims.views.study_plots import ANIMAL, ARM, PlotColumn, StudyData, StudyPlot, number, part_of
from lims.views.support import current_project, current_session, needs, sees_arms
from lims.views.tables import Column, send_rows, table_from_rows

MEASURES = (("kp_uu", "Kp,uu"), ("kp", "Kp"))
_NOTHING = "No tissue sample is recorded yet. Record what the assay found in plasma and tissue of this study's animals."


def _columns(arms: Sequence[ArmOfStudy] = ()) -> tuple[Column, ...]:
    """Give the columns of the tidy table: what each ratio is made of; on the page an arm has its colour."""
    slots = {arm.name: arm.slot for arm in arms}
    named = (
        ("animal", "Animal"),
        ("arm", "Arm"),
        ("substance", "Of"),
        ("matrix", "Sample"),
        ("concentration", "Concentration"),
        ("plasma", "Plasma"),
        ("kp", "Kp"),
        ("kp_uu", "Kp,uu"),
    )
    more = (
        ("hours", "Hours after the dose"),
        ("plasma_hours", "Hours of the plasma"),
        ("why", "What is missing"),
        ("excluded", "Left out of analysis"),
    )
    numbers = ("concentration", "plasma", "kp", "kp_uu")
    shown = [
        Column(
            key,
            label,
            None,  # type: ignore[arg-type]  # of rows, not of a statement
            align="end" if key in numbers else "start",
            sortable=False,
            mono=key == "animal",
            show=partial(arm_cell, slots) if key == "arm" else as_text,
        )
        for key, label in named
    ]
    return (*shown, *(Column(key, label, None, on_page=False) for key, label in more))  # type: ignore[arg-type]  # as above


@needs("project:read")
def exposure(study_id: int) -> ResponseReturnValue:
    """Show Kp and Kp,uu of a study's samples, each arm's and each animal's, with what they are made of."""
    if name := request.args.get("format"):
        data = _data(study_id)
        rows, study = _rows(data, _found(data)), data.study
        return send_rows("exposure", f"Exposure of {study.code}", _columns(), rows, name, {"study": study.code})
    return kept_page("studies/exposure.html", partial(_drawn_from, study_id))


def _data(study_id: int) -> StudyData:
    session = current_session()
    return StudyData(session, find(session, Study, current_project().id, study_id), unblinded=sees_arms())


def _found(data: StudyData) -> list[Compared]:
    """Read a study's samples; nothing for people from whom the arms are hidden."""
    hidden = hides_arms(data.study, unblinded=data.unblinded)
    return [] if hidden else of_study(data.session, data.study.id, unblinded=data.unblinded)


def _rows(data: StudyData, found: Sequence[Compared]) -> list[dict[str, Any]]:
    names = data.names
    return [_row(one, names) for one in found]


def _drawn_from(study_id: int) -> dict[str, Any]:
    data = _data(study_id)
    found = _found(data)
    columns = tuple(column for column in _columns(data.arms) if column.on_page)
    return {
        "study": data.study,
        "hidden": hides_arms(data.study, unblinded=data.unblinded),
        "parts": [part_of(data.study.id, "exposure", _title(label, of), of=of) for of, (_, label, _) in _measures(found).items()],
        "by_arm": _by_arm(found, data.arms, data.names),
        "view": table_from_rows(f"Exposure of {data.study.code}", columns, _rows(data, found), _NOTHING),
        "source": SOURCE,
    }


def matrix_words(matrix: ExposureMatrix) -> str:
    """Name a matrix: `lesion rim`, `CSF`."""
    return term_text(matrix.value)


def _row(one: Compared, names: Mapping[int, str]) -> dict[str, Any]:
    found = one.found
    return {
        "_url": url_for("exposures.show", record_id=found.tissue.key),
        "animal": one.animal,
        "arm": names.get(one.arm_id or 0),
        "substance": one.substance,
        "matrix": matrix_words(found.tissue.matrix),
        "concentration": found.tissue.shown,
        "plasma": found.plasma.shown if found.plasma else None,
        "kp": found.kp.shown if found.kp else None,
        "kp_uu": found.kp_uu.shown if found.kp_uu else None,
        "hours": found.tissue.hours,
        "plasma_hours": found.plasma.hours if found.plasma else None,
        "why": found.why or None,
        "excluded": "yes" if one.excluded else None,
    }


def _by_arm(found: Sequence[Compared], arms: Sequence[ArmOfStudy], names: Mapping[int, str]) -> dict[str, Any]:
    """Sum up each arm: the median of its ratios as far as it is known, with how many they are and how many are bounds.

    An animal counts until it is left out of analysis, as in the study's other figures.
    """
    groups: dict[tuple[str, str, ExposureMatrix], list[Compared]] = defaultdict(list)
    for one in found:
        if one.excluded:
            continue
        groups[names.get(one.arm_id or 0, ""), one.substance, one.found.tissue.matrix].append(one)
    slots = {arm.name: arm.slot for arm in arms}
    columns = [{"key": "arm", "label": "Arm"}, {"key": "substance", "label": "Of"}, {"key": "matrix", "label": "Sample"}]
    for key, label in reversed(MEASURES):
        columns += [{"key": key, "label": f"{label}, median", "align": "end"}, {"key": f"{key}_n", "label": "n", "align": "end"}]
    rows = [
        {
            "arm": {"text": arm, "arm": slots.get(arm)},
            "substance": substance,
            "matrix": matrix_words(matrix),
            **_medians(some),
        }
        for (arm, substance, matrix), some in groups.items()
    ]
    return {"caption": "Exposure of each arm", "columns": columns, "rows": rows}


def _medians(some: Sequence[Compared]) -> dict[str, str]:
    """Write the median of each measure, and of how many ratios it is."""
    found = {key: summarise([ratio for _, ratio in _ratios(some, key)]) for key, _ in MEASURES}
    return {key: one.shown for key, one in found.items()} | {f"{key}_n": one.counted for key, one in found.items()}


def _ratios(found: Sequence[Compared], key: str) -> Iterator[tuple[Compared, Ratio]]:
    for one in found:
        ratio: Ratio | None = getattr(one.found, key)
        if ratio is not None:
            yield one, ratio


def exposure_plots(data: StudyData) -> dict[str, StudyPlot]:
    """Draw the exposure of a study's arms, by agent and analyte; nothing to people from whom the arms are hidden."""
    return _plots(data, _found(data))


def _plots(data: StudyData, found: Sequence[Compared]) -> dict[str, StudyPlot]:
    """Draw each agent and analyte."""
    drawn: dict[str, StudyPlot] = {}
    names = data.names
    for substance, (key, label, own) in _measures(found).items():
        points = [_point(one, ratio, names) for one, ratio in _ratios(own, key)]
        draw = partial(partitions, points, arms=data.pairs, title_y=label)
        columns = [ANIMAL, ARM, PlotColumn("matrix", "Sample"), number("shown", label)]
        notes = ["Arrowheads are bounds: the value lies below or above, because one of its two concentrations is below LLOQ."]
        bounds = any(point["bound"] for point in points)
        address = data.address("exposure", of=substance)
        plot_id = f"exposure-{len(drawn) + 1}"
        drawn[substance] = StudyPlot(plot_id, _title(label, substance), draw, columns, points, address, notes if bounds else [])
    return drawn


def _measures(found: Sequence[Compared]) -> dict[str, tuple[str, str, list[Compared]]]:
    """Give what is drawn of each agent and analyte: Kp,uu where it is known, otherwise Kp, and the samples that count."""
    told = {}
    for substance in dict.fromkeys(one.substance for one in found):
        own = [one for one in found if one.substance == substance and not one.excluded]
        known = next(((key, label) for key, label in MEASURES if any(_ratios(own, key))), None)
        if known:
            told[substance] = (*known, own)
    return told


def _title(label: str, substance: str) -> str:
    return f"{label} of {substance}"


def _point(one: Compared, ratio: Ratio, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "animal": one.animal,
        "arm": names.get(one.arm_id or 0),
        "matrix": matrix_words(one.found.tissue.matrix),
        "value": ratio.value,
        "bound": ratio.bound,
        "shown": ratio.shown,
        "url": url_for("animals.show", animal_id=one.animal_id),
    }
