"""The pages of studies: the list, the study with its plots, its animals, files, history and readings, and its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.vocabulary import KIND_BY_CODE, MeasurementKind, StudyStatus
from lims.models import Study
from lims.plots import shown
from lims.queries.animals import study_animals
from lims.queries.scope import find
from lims.queries.series import Series, day_count, kinds_of_study, study_readings, study_series
from lims.queries.studies import ArmOfStudy, arms_of_studies, study_files, study_list
from lims.records.studies import add_study, change_study
from lims.views.cells import badge, digits, doubt, kind_title
from lims.views.filters import moment
from lims.views.record_history import SHORT, history_of
from lims.views.study_forms import ChangeStudyForm, NewStudyForm
from lims.views.study_plots import growth, means, weights
from lims.views.support import current_actor, current_project, current_session, needs, refusing, render_form, seen_version
from lims.views.tables import Column, Empty, Listing, answer, choice, one_of, search

pages = Blueprint("studies", __name__, url_prefix="/p/<project_code>/studies")

PREFERRED = ("caliper_volume", "bli_total_flux")
WEIGHT = KIND_BY_CODE["body_weight"]


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the studies."""
    rows = study_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="study",
        caption="Studies",
        columns=(
            Column("code", "Study", column.code, mono=True),
            Column("title", "Title", column.title),
            Column("state", "State", column.state, show=badge),
            Column("arms", "Arms", column.arms, align="end"),
            Column("animals", "Animals", column.animals, align="end"),
            Column("readings", "Readings", column.readings, align="end", show="{:,}".format),
            Column("last_on", "Last reading", column.last_on),
            Column("day_zero_on", "Day 0", column.day_zero_on),
        ),
        filters=(search("q", "Code or title", Study.code, Study.title), choice("state", "State", Study.state, StudyStatus)),
        sort="code",
        key=Study.id,
        page=lambda row: url_for("studies.show", study_id=row.key),
        empty=Empty("No study yet. Import a file that names one, or start one here.", "Start a study", "studies.new"),
    )
    return answer(listing, rows, "studies/index.html")


@pages.route("/new", methods=["GET", "POST"])
@needs("study:create")
def new() -> ResponseReturnValue:
    """Start a study."""
    form = NewStudyForm()
    if form.validate_on_submit():
        with refusing(form):
            study = add_study(current_session(), current_actor(), current_project().id, form.study())
            flash(f"Study {study.code} was recorded.", "success")
            return redirect(url_for(".show", study_id=study.id))
    return render_form("studies/new.html", form)


@pages.route("/<int:study_id>/change", methods=["GET", "POST"])
@needs("study:change")
def change(study_id: int) -> ResponseReturnValue:
    """Change what is recorded of a study."""
    study = _study(study_id)
    form = ChangeStudyForm.of(study)
    if form.validate_on_submit():
        with refusing(form):
            version, reason = seen_version(form), form.reason.data or ""
            change_study(current_session(), current_actor(), study, version=version, reason=reason, **form.fields())
            flash(f"Study {study.code} was changed.", "success")
            return redirect(url_for(".show", study_id=study.id))
    return render_form("studies/change.html", form, study=study)


def _study(study_id: int) -> Study:
    return find(current_session(), Study, current_project().id, study_id)


@pages.get("/<int:study_id>")
@needs("project:read")
def show(study_id: int) -> ResponseReturnValue:
    """Show a study: its plots, its arms, and what happened to it."""
    session, study = current_session(), _study(study_id)
    arms = arms_of_studies(session, study.project_id, study.id)
    kinds = kinds_of_study(session, study.id)
    kind = _chosen([kind for kind, _ in kinds], request.args.get("kind"))
    days, names = day_count(session, study), {arm.id: arm.name for arm in arms}
    series = study_series(session, study, kind, days, names) if kind else None
    plots = [growth(study, series, arms, days.sentence), means(study, series, arms)] if series else []
    if WEIGHT in dict(kinds):
        weighed = series if series and series.kind is WEIGHT else study_series(session, study, WEIGHT, days, names)
        plots.append(weights(study, weighed, arms))
    return render_template(
        "studies/show.html",
        study=study,
        kinds=kinds,
        kind=kind,
        plots=plots,
        arms=_arms_table(arms, series, study),
        history=history_of("study", study.id, SHORT),
    )


def _chosen(kinds: Sequence[MeasurementKind], asked: str | None) -> MeasurementKind | None:
    """Choose the kind that the address asks for if there are readings of it, else tumour volume or flux, else the first."""
    by_code = {kind.code: kind for kind in kinds}
    wanted = [code for code in (asked, *PREFERRED) if code in by_code]
    return by_code[wanted[0]] if wanted else next(iter(kinds), None)


@dataclass(frozen=True, slots=True)
class _ArmsTable:
    """What `rows_table` draws of a study's arms."""

    caption: str
    columns: list[dict[str, str]]
    rows: list[dict[str, Any]]


def _arms_table(arms: Sequence[ArmOfStudy], series: Series | None, study: Study) -> _ArmsTable:
    last = series.last_values() if series else {}
    columns = [
        {"key": "arm", "label": "Arm"},
        {"key": "enrolled", "label": "n", "align": "end"},
        {"key": "at_risk", "label": "At risk", "align": "end"},
        {"key": "measured", "label": "Measured", "align": "end"},
        {"key": "last", "label": "Last mean", "unit": series.kind.unit if series else "", "align": "end"},
    ]
    rows = [
        {
            "_url": url_for("studies.animals", study_id=study.id, arm=arm.id),
            "arm": {"text": arm.name, "arm": arm.slot},
            "enrolled": str(arm.enrolled) if arm.target_n in (None, arm.enrolled) else f"{arm.enrolled} of {arm.target_n}",
            "at_risk": str(arm.at_risk),
            "measured": str(len(last.get(arm.name, ()))),
            "last": _mean(last.get(arm.name, ()), series),
        }
        for arm in arms
    ]
    return _ArmsTable("Arms", columns, rows)


def _mean(values: Sequence[float], series: Series | None) -> str:
    return shown(sum(values) / len(values), series.kind.decimals) if values and series else "–"


@pages.get("/<int:study_id>/animals")
@needs("project:read")
def animals(study_id: int) -> ResponseReturnValue:
    """List the animals of a study with their arm and last readings."""
    study = _study(study_id)
    arms = arms_of_studies(current_session(), study.project_id, study.id)
    slots = {arm.id: arm for arm in arms}
    rows = study_animals(study.id)
    column = rows.selected_columns
    by_arm = one_of("arm", "Arm", column.arm_id, [(str(arm.id), arm.name) for arm in arms])
    listing = Listing(
        noun="animal",
        caption=f"Animals of {study.code}",
        columns=(
            Column("code", "Animal", column.code, mono=True),
            Column("arm", "Arm", column.arm, of_row=True, show=lambda row: _arm_cell(slots, row)),
            Column("sex", "Sex", column.sex),
            Column("cage", "Cage", column.cage, mono=True),
            Column("state", "State", column.state, show=badge),
            Column("weight", "Last weight", column.weight, unit="g", align="end", show=lambda value: digits(value, WEIGHT.code)),
            Column("readings", "Readings", column.readings, align="end", show="{:,}".format),
            Column("last_on", "Last reading", column.last_on),
            Column("arm_id", "Arm id", column.arm_id, on_page=False),
        ),
        filters=(search("q", "Animal", column.code), by_arm),
        sort="code",
        key=column.id,
        page=lambda row: url_for("animals.show", animal_id=row.key),
        empty=Empty("No animal is enrolled in this study yet. An imported file that names its arms enrols them."),
    )
    return answer(listing, rows, "studies/animals.html", study=study)


def _arm_cell(slots: dict[int, ArmOfStudy], row: Any) -> Any:
    arm = slots.get(row.arm_id)
    return {"text": arm.name, "arm": arm.slot} if arm else row.arm


@pages.get("/<int:study_id>/files")
@needs("project:read")
def files(study_id: int) -> ResponseReturnValue:
    """List the files that brought readings of the study's animals."""
    study = _study(study_id)
    rows = study_files(study.id)
    column = rows.selected_columns
    listing = Listing(
        noun="batch",
        caption=f"Files of {study.code}",
        columns=(
            Column("id", "Batch", column.id, mono=True),
            Column("file_name", "File", column.file_name),
            Column("importer", "Format", column.importer),
            Column("state", "State", column.state, show=badge),
            Column("readings", "Readings here", column.readings, align="end", show="{:,}".format),
            Column("committed_at", "Recorded", column.committed_at, show=moment),
            Column("committed_by", "By", column.committed_by, show=lambda name: name or "command line"),
        ),
        sort="-id",
        key=column.id,
        page=lambda row: url_for("imports.show", batch_id=row.key),
        empty=Empty("No file brought readings of this study's animals yet.", "Import a file", "imports.upload"),
    )
    return answer(listing, rows, "studies/files.html", study=study)


@pages.get("/<int:study_id>/history")
@needs("project:read")
def history(study_id: int) -> ResponseReturnValue:
    """Show who did what to the study."""
    study = _study(study_id)
    return render_template("studies/history.html", study=study, history=history_of("study", study.id, made_with=True))


@pages.get("/<int:study_id>/readings")
@needs("project:read")
def readings(study_id: int) -> ResponseReturnValue:
    """List the readings behind the study's plots, one line each: the tidy table."""
    study = _study(study_id)
    kinds = kinds_of_study(current_session(), study.id)
    rows = study_readings(study, day_count(current_session(), study))
    column = rows.selected_columns
    listing = Listing(
        noun="measurement",
        caption=f"Readings of {study.code}",
        columns=(
            Column("animal", "Animal", column.animal, mono=True),
            Column("tumour", "Tumour", column.tumour),
            Column("arm", "Arm", column.arm),
            Column("kind", "Kind", column.kind, show=kind_title),
            Column("day", "Day", column.day, align="end", show="d{:g}".format),
            Column("taken_on", "Date", column.taken_on),
            Column(
                "value",
                "Value",
                column.value,
                align="end",
                of_row=True,
                show=lambda row: digits(row.value, row.kind),
            ),
            Column("quality", "Quality", column.quality, show=doubt),
        ),
        filters=(
            one_of("kind", "Kind", column.kind, [(kind.code, kind.title) for kind, _ in kinds]),
            search("q", "Animal", column.animal),
        ),
        sort="animal",
        key=column.id,
        page=lambda row: url_for("measurements.show", measurement_id=row.key),
        empty=Empty("This study's animals have no readings yet."),
    )
    return answer(listing, rows, "studies/readings.html", study=study)
