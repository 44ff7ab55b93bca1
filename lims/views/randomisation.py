"""Randomisation of a study: the run that counts with its balance, earlier runs, and the page that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.allocation import Balance, Candidate, balance, largest_difference
from lims.domain.vocabulary import MeasurementKind
from lims.models import Randomisation, Study
from lims.plots import shown
from lims.plots_balance import baseline_by_arm
from lims.queries.allocation import (
    AllocatedAnimal,
    Eligible,
    allocations_of,
    baselines,
    doses_recorded,
    eligible_animals,
    runs_of,
)
from lims.queries.kinds import kinds_of
from lims.queries.scope import find
from lims.queries.studies import ArmOfStudy, arms_of_studies
from lims.records.randomisations import made_again, randomise
from lims.records.values import today
from lims.views.filters import term_words
from lims.views.kept import kept_page
from lims.views.randomisation_form import RandomiseForm
from lims.views.study_plots import ANIMAL, PlotColumn, StudyData, StudyPlot, digits_of, number
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, sees_arms

pages = Blueprint("randomisation", __name__, url_prefix="/p/<project_code>/studies/<int:study_id>")

USUAL_BASELINES = ("bli_total_flux", "caliper_volume", "mri_volume", "body_weight")
MANY_LEVELS = 6
"""Cages beyond this number are counted, not listed, in the table of balance."""


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


@pages.get("/randomisation")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show how the study was randomised, and how alike the arms came out."""
    return kept_page("randomisation/show.html", partial(_drawn_from, study_id))


def _drawn_from(study_id: int) -> dict[str, Any]:
    session, study = current_session(), _study(study_id)
    runs = runs_of(session, study.id)
    if not runs:
        return {"study": study, "run": None, "runs": []}
    run = runs[0]
    data = StudyData(session, study, unblinded=sees_arms())
    kind, arms = _baseline_kind(data, run), data.arms
    animals = allocations_of(session, run.id)
    groups = _groups(animals, arms)
    return {
        "study": study,
        "run": run,
        "runs": runs[1:],
        "kind": kind,
        "method": term_words(run.method),
        # With the seed anybody could make the allocation again, arms in their order.
        "seed": run.seed if sees_arms() or not study.blinded else None,
        "again": made_again(session, run, kind),
        "table": _balance_table(groups, kind, run),
        "difference": _difference(groups),
        "plot": _plot(data, animals, kind) if kind else None,
        "dosed": doses_recorded(session, study.id),
        "left_out": [one for one in animals if one.arm_id is None],
    }


def _groups(animals: Sequence[AllocatedAnimal], arms: Sequence[ArmOfStudy]) -> list[tuple[str, str | None, Balance]]:
    """Give the whole before, then each arm after: name, colour and balance."""
    taken = [one for one in animals if one.arm_id is not None]
    groups: list[tuple[str, str | None, Balance]] = [("All animals, before", None, _balance(taken))]
    groups += [(arm.name, arm.slot, _balance([one for one in taken if one.arm_id == arm.id])) for arm in arms]
    return groups


def _balance(animals: Sequence[AllocatedAnimal]) -> Balance:
    return balance([Candidate(one.code, one.baseline, tuple((one.stratum or "").split("; "))) for one in animals])


def _difference(groups: Sequence[tuple[str, str | None, Balance]]) -> float | None:
    return largest_difference([group for _, _, group in groups[1:]], groups[0][2])


def _balance_table(groups: Sequence[tuple[str, str | None, Balance]], kind: MeasurementKind | None, run: Randomisation) -> Any:
    unit = kind.unit if kind else ""
    columns = [{"key": "group", "label": "Group"}, {"key": "n", "label": "n", "align": "end"}]
    if kind:
        columns += [
            {"key": key, "label": label, "unit": unit, "align": "end"}
            for key, label in (("mean", "Mean"), ("sd", "SD"), ("middle", "Median"), ("lowest", "Lowest"), ("highest", "Highest"))
        ]
    columns += [{"key": stratum, "label": stratum.capitalize()} for stratum in run.strata]
    rows = [
        {"group": {"text": name, "arm": slot} if slot else name, "n": str(one.n)}
        | {key: _digits(getattr(one, key), kind) for key in ("mean", "sd", "middle", "lowest", "highest") if kind}
        | {stratum: _levels(one, place) for place, stratum in enumerate(run.strata)}
        for name, slot, one in groups
    ]
    return {"caption": "Balance before and after", "columns": columns, "rows": rows}


def _levels(group: Balance, place: int) -> str:
    counted = group.levels[place] if place < len(group.levels) else {}
    if len(counted) > MANY_LEVELS:
        return f"{len(counted)} different"
    return ", ".join(f"{count} {level}" for level, count in sorted(counted.items()))


def _digits(value: float | None, kind: MeasurementKind | None) -> str:
    return "–" if value is None or kind is None else shown(value, kind.decimals)


def _baseline_kind(data: StudyData, run: Randomisation) -> MeasurementKind | None:
    return kinds_of(data.session, data.study.project_id, withdrawn=True).get(run.baseline_kind or "")


def balance_plot(data: StudyData) -> StudyPlot | None:
    """Draw the baselines of the run that counts; nothing where there is none, or it had no baseline."""
    runs = runs_of(data.session, data.study.id)
    kind = _baseline_kind(data, runs[0]) if runs else None
    return _plot(data, allocations_of(data.session, runs[0].id), kind) if kind else None


def _plot(data: StudyData, animals: Sequence[AllocatedAnimal], kind: MeasurementKind) -> StudyPlot:
    names = data.names
    points: list[dict[str, Any]] = [
        {
            "animal": one.code,
            "arm": names.get(one.arm_id or 0),
            "value": one.baseline,
            "url": url_for("animals.show", animal_id=one.animal_id),
        }
        for one in animals
        if one.baseline is not None
    ]
    draw = partial(
        baseline_by_arm,
        points,
        arms=data.pairs,
        unit=kind.unit,
        title_y=kind.title,
        decimals=kind.decimals,
        log=kind.log_axis,
    )
    columns = [
        *(ANIMAL, PlotColumn("arm", "Arm", show=lambda name: name or "Left out")),
        number("value", f"{kind.title} at baseline", kind.unit, digits_of(kind)),
    ]
    return StudyPlot("balance", f"{kind.title} before and after", draw, columns, points, data.address("balance"))


@pages.route("/randomise", methods=["GET", "POST"])
@needs("randomisation:create")
def new(study_id: int) -> ResponseReturnValue:
    """Put animals in arms by chance; the address names the baseline: `?kind=bli_total_flux&on=2026-03-16`."""
    session, study = current_session(), _study(study_id)
    kinds = kinds_of(session, study.project_id)
    kind, on = kinds.get(request.args.get("kind", "")), _day(request.args.get("on"))
    found = eligible_animals(session, study.project_id, study.id)
    eligible = [one for one in found if _offered(one)]
    read = baselines(session, [one.id for one in eligible], kind.code, on) if kind and on else {}
    form, again = RandomiseForm(), bool(runs_of(session, study.id))
    form.reason.flags.required = again
    if not form.is_submitted():
        form.begin(eligible, list(read) if kind else [one.id for one in eligible], today(session))
    if form.validate_on_submit():
        with refusing(form):
            run = randomise(session, current_actor(), study, form.wish(kind, on))
            flash(f"{len(form.wish(kind, on).animals)} animals were put in arms by run {run.number}.", "success")
            return redirect(url_for(".show", study_id=study.id))
    by_id = {str(one.id): one for one in eligible}
    return render_form(
        "randomisation/new.html",
        form,
        study=study,
        kinds=[kinds[code] for code in USUAL_BASELINES if code in kinds]
        + [one for one in kinds.values() if one.code not in USUAL_BASELINES],
        kind=kind,
        on=on or today(session),
        models=sorted({one.model for one in found if one.model}),
        sites=sorted({place for one in found for place in one.sites}),
        days=sorted({str(one.implanted_on) for one in found if one.implanted_on}),
        busy=sorted({one.elsewhere for one in found if one.elsewhere}),
        rows=[(entry.form, by_id.get(entry.form.animal_id.data or "")) for entry in form.rows],
        read={key: (_digits(one.value, kind), one.taken_on) for key, one in read.items()},
        arms=arms_of_studies(session, study.project_id, study.id, unblinded=sees_arms()),
        again=again,
    )


def _offered(animal: Eligible) -> bool:
    """Tell whether the address asks for an animal: by model, site, day of implanting, and `others` where another study has it."""
    asked = request.args
    return (
        asked.get("model", "") in ("", animal.model)
        and asked.get("site", "") in ("", *animal.sites)
        and asked.get("implanted", "") in ("", str(animal.implanted_on))
        and (animal.elsewhere is None or bool(asked.get("others")))
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
