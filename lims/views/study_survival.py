"""The survival tab of a study: curves, medians, the log-rank test, and the animals that are not in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from lims.analysis.survival import VERSION, Curve, LogRank, kaplan_meier, log_rank, numbers_at_risk, risk_days
from lims.domain.cohort_terms import FateReason
from lims.domain.fates import REASON_WORDS
from lims.models import Study
from lims.plots_survival import Step, survival_curves
from lims.queries.scope import find
from lims.queries.series import ANCHORS
from lims.queries.studies import ArmOfStudy
from lims.queries.survival import FollowUp, Unclear, follow_up
from lims.records.values import today
from lims.views.kept import kept_page
from lims.views.listing import Cell
from lims.views.study_plots import ARM, DAY, StudyData, StudyPlot, number
from lims.views.support import current_project, current_session, needs, sees_arms

pages = Blueprint("survival", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>/survival")

SMALLEST_P = 0.0001


@dataclass(frozen=True, slots=True)
class Survival:
    """A study's survival: who was followed, the curve of each arm with animals, and the test of all of them."""

    followed: FollowUp
    curves: Sequence[tuple[ArmOfStudy, Curve]]
    test: LogRank
    on: date


def survival_of(data: StudyData) -> Survival:
    """Analyse a study; without curves where animals are missing, for what they died of could turn the result."""
    on = today(data.session)
    found = follow_up(data.session, data.study, data.days, on)
    rows = found.by_arm() if not found.missing else {}
    curves = [(arm, kaplan_meier(arm.name, rows[arm.id])) for arm in data.arms if arm.id in rows]
    return Survival(found, curves, log_rank({arm.name: rows.get(arm.id, ()) for arm in data.arms}), on)


def plot_of(data: StudyData, survival: Survival, *, limits: bool) -> StudyPlot | None:
    """Draw the curves, with the numbers at risk; nothing without any."""
    if not survival.curves:
        return None
    rows = survival.followed.by_arm()
    days = risk_days([one for some in rows.values() for one in some])
    at_risk = {arm.name: list(zip(days, numbers_at_risk(rows[arm.id], days), strict=True)) for arm, _ in survival.curves}
    steps = [step for _, curve in survival.curves for step in _steps(curve)]
    title_x = f"Days since {ANCHORS[data.study.day_zero]}" if data.study.day_zero_on else "Day of study"
    draw = partial(survival_curves, steps, at_risk, arms=data.pairs, limits=limits, title_x=title_x)
    keys = ("arm", "day", "survival", "lower", "upper", "at_risk", "events", "censored")
    tidy = [{key: _known(getattr(step, key)) for key in keys} for step in steps]
    columns = [
        *(ARM, DAY, number("survival", "Survival", "%", _percent)),
        *(number("lower", "95 % limit, lower", "%", _percent), number("upper", "95 % limit, upper", "%", _percent)),
        *(number("at_risk", "At risk"), number("events", "Events"), number("censored", "Censored")),
    ]
    address = data.address("survival", limits=1) if limits else data.address("survival")
    return StudyPlot("survival", "Survival (Kaplan–Meier)", draw, columns, tidy, address)


def _steps(curve: Curve) -> list[Step]:
    start = [] if curve.days and curve.days[0] == 0 else [Step(curve.group, 0.0, 100.0, 100.0, 100.0, curve.n, 0, 0)]
    columns = (curve.survival, curve.lower, curve.upper)
    percents = ([100 * value for value in column] for column in columns)
    return start + [
        Step(curve.group, *row) for row in zip(curve.days, *percents, curve.at_risk, curve.died, curve.censored, strict=True)
    ]


def _known(value: Any) -> Any:
    """Give a value as tables hold it: limits that are not known are empty."""
    return None if value != value else value  # noqa: PLR0124  # only NaN differs from itself


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


@pages.get("/")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show how survival is counted, and leave room for the curves, which the page fetches; `?limits=1`: with 95 % limits."""
    return kept_page("studies/survival.html", partial(_counted, study_id))


def _counted(study_id: int) -> dict[str, Any]:
    study = find(current_session(), Study, current_project().id, study_id)
    events = [REASON_WORDS[FateReason(code)] for code in study.event_reasons]
    on = today(current_session())
    return {"study": study, "events": events, "on": on, "version": VERSION, "limits": _limits()}


@pages.get("/curves")
@needs("project:read")
def curves(study_id: int) -> ResponseReturnValue:
    """Draw survival by arm, with medians, the test, and the animals that are not in it; `?limits=1`: with 95 % limits."""
    return kept_page("parts/survival.html", partial(_drawn_from, study_id))


def _limits() -> dict[str, Any]:
    """Give what addresses of the curves say of their limits."""
    return {"limits": 1} if request.args.get("limits") == "1" else {}


def _drawn_from(study_id: int) -> dict[str, Any]:
    study = find(current_session(), Study, current_project().id, study_id)
    data = StudyData(current_session(), study, unblinded=sees_arms())
    survival, limits = survival_of(data), _limits()
    arms: dict[int, Cell] = {arm.id: {"text": arm.name, "arm": arm.slot} for arm in data.arms}
    return {
        "study": study,
        "plot": plot_of(data, survival, limits=bool(limits)),
        "limits": limits,
        "numbers": url_for("figures.table_of_study", study_id=study.id, plot="survival", **limits),
        "medians": _medians(survival),
        "test": survival.test,
        "p": _p_words(survival.test.p),
        "tested": [arm.name for arm, _ in survival.curves],
        "missing": _table("Animals whose fate is missing", survival.followed.missing, arms),
        "left_out": _table("Not followed from day 0 on", survival.followed.left_out, arms),
        "excluded": _table("Excluded from analysis", survival.followed.excluded, arms),
        "days": data.days.sentence,
    }


def _medians(survival: Survival) -> dict[str, Any]:
    columns = [
        {"key": "arm", "label": "Arm"},
        {"key": "n", "label": "n", "align": "end"},
        {"key": "events", "label": "Events", "align": "end"},
        {"key": "censored", "label": "Censored", "align": "end"},
        {"key": "median", "label": "Median", "unit": "days", "align": "end"},
        {"key": "interval", "label": "95 % interval", "unit": "days", "align": "end"},
    ]
    rows = [
        {
            "arm": {"text": arm.name, "arm": arm.slot},
            "n": str(curve.n),
            "events": str(curve.events),
            "censored": str(curve.n - curve.events),
            "median": _day(curve.median),
            "interval": "–" if curve.median is None else f"{_day(curve.median_lower)} to {_day(curve.median_upper)}",
        }
        for arm, curve in survival.curves
    ]
    return {"caption": "Median survival", "columns": columns, "rows": rows}


def _day(day: float | None) -> str:
    return "not reached" if day is None else f"{day:g}"


def _p_words(p: float | None) -> str | None:
    if p is None:
        return None
    return f"p < {SMALLEST_P}" if p < SMALLEST_P else f"p = {p:.2g}"


def _table(caption: str, animals: Sequence[Unclear], arms: Mapping[int, Cell]) -> dict[str, Any]:
    columns = [{"key": "animal", "label": "Animal", "mono": True}, {"key": "arm", "label": "Arm"}, {"key": "why", "label": "Why"}]
    rows = [
        {
            "_url": url_for("animals.show", animal_id=one.animal_id),
            "animal": one.animal,
            "arm": arms.get(one.arm_id),
            "why": one.why,
        }
        for one in animals
    ]
    return {"caption": caption, "columns": columns, "rows": rows}
