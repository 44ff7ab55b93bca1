"""The pages of animals: the list, and one animal with its tumours, readings over time, and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false

from lims.domain.vocabulary import MEASUREMENT_KINDS, AnimalStatus, Sex
from lims.models import Animal, Cage, Enrolment, Measurement, Study
from lims.plot_parts import ACCENT
from lims.plots import arm_colours, over_time, shown
from lims.queries.animals import animal_list, enrolled_in, enrolments_of, tumours_of
from lims.queries.measurements import measurement_list
from lims.queries.scope import find
from lims.queries.series import AnySelect, DayCount, Series, animal_series, day_count, own_day_count
from lims.queries.studies import ArmOfStudy, arms_of_studies, study_names
from lims.views.cells import badge, digits
from lims.views.measurements import columns_of
from lims.views.record_history import SHORT, history_of
from lims.views.study_plots import StudyPlot, plot_columns
from lims.views.support import current_project, current_session, needs, whole_number
from lims.views.tables import Column, Empty, Filter, Listing, answer, choice, one_of, search, table_from_query

pages = Blueprint("animals", __name__, url_prefix="/p/<project_code>/animals")


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """List the animals."""
    project, session = current_project(), current_session()
    rows = animal_list(project.id)
    column = rows.selected_columns
    arms = arms_of_studies(session, project.id)
    badges = {f"{arm.study}: {arm.title}": arm for arm in arms}
    listing = Listing(
        noun="animal",
        caption="Animals",
        columns=(
            Column("code", "Animal", column.code, mono=True),
            Column("arms", "Arm", column.arms, show=lambda names: _arm_cell(badges, names)),
            Column("sex", "Sex", column.sex, show=lambda sex: None if sex is Sex.NOT_RECORDED else sex.value),
            Column("birth_date", "Born", column.birth_date),
            Column("strain", "Strain", column.strain, on_page=False),
            Column("cage", "Cage", column.cage, mono=True),
            Column("state", "State", column.state, show=badge),
            Column("weight", "Last weight", column.weight, unit="g", align="end", show=lambda value: digits(value, "body_weight")),
            Column("last_on", "Last reading", column.last_on),
        ),
        filters=(
            search("q", "Animal, ear tag, RFID or cage", Animal.code, Animal.ear_tag, Animal.rfid, Cage.code),
            Filter("study", "Study", "select", _in_study, [(str(key), code) for key, code in study_names(session, project.id)]),
            Filter("arm", "Arm", "select", _in_arm, [(str(arm.id), f"{arm.study}: {arm.name}") for arm in arms]),
            choice("state", "State", Animal.state, AnimalStatus),
        ),
        sort="code",
        key=Animal.id,
        page=lambda row: url_for("animals.show", animal_id=row.key),
        empty=Empty("No animal yet. A file of measurements lists the animals it would create.", "Import a file", "imports.upload"),
    )
    return answer(listing, rows, "animals/index.html")


def _arm_cell(badges: Mapping[str, ArmOfStudy], names: str | None) -> Any:
    arm = badges.get(names or "")
    return {"text": arm.name, "arm": arm.slot} if arm else names


def _in_study(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else enrolled_in(study_id=number)


def _in_arm(typed: str) -> ColumnElement[bool]:
    number = whole_number(typed)
    return false() if number is None else enrolled_in(arm_id=number)


@pages.get("/<int:animal_id>")
@needs("project:read")
def show(animal_id: int) -> ResponseReturnValue:
    """Show an animal: facts, tumours, its readings over time and in a table, and what happened to it."""
    session, project = current_session(), current_project()
    animal = find(session, Animal, project.id, animal_id)
    enrolments = enrolments_of(session, animal.id)
    arms = {arm.id: arm for arm in arms_of_studies(session, project.id, *(study.id for _, study in enrolments[:1]))}
    arm = arms.get(enrolments[0][0].arm_id) if enrolments else None
    days = day_count(session, enrolments[0][1]) if enrolments else own_day_count(session, animal.id)
    series = animal_series(session, animal, enrolments[0][1].id if enrolments else None, days, arm.name if arm else None)
    latest, rows = _measurements_of(animal)
    return render_template(
        "animals/show.html",
        animal=animal,
        arm=arm,
        enrolments=enrolments,
        tumours=_tumours_table(session.execute(tumours_of(animal.id)).all()),
        plots=[_plot(one, _colour(arm, list(arms.values()))) for one in series],
        days=_sentence(enrolments, days),
        view=table_from_query(session, latest, rows),
        history=history_of("animal", animal.id, SHORT),
    )


def _measurements_of(animal: Animal) -> tuple[Listing, AnySelect]:
    rows = measurement_list(animal.project_id).where(Measurement.animal_id == animal.id)
    listing = Listing(
        noun="measurement",
        caption=f"Measurements of {animal.code}",
        columns=columns_of(rows, of_one_animal=True),
        filters=(one_of("kind", "Kind", Measurement.kind, [(kind.code, kind.title) for kind in MEASUREMENT_KINDS]),),
        sort="-taken_on",
        key=Measurement.id,
        page=lambda row: url_for("measurements.show", measurement_id=row.key),
        empty=Empty("This animal has no readings yet.", "Import a file", "imports.upload"),
    )
    return listing, rows


@pages.get("/<int:animal_id>/measurements")
@needs("project:read")
def measurements(animal_id: int) -> ResponseReturnValue:
    """List all of an animal's measurements."""
    animal = find(current_session(), Animal, current_project().id, animal_id)
    listing, rows = _measurements_of(animal)
    return answer(listing, rows, "animals/measurements.html", animal=animal)


@pages.get("/<int:animal_id>/history")
@needs("project:read")
def history(animal_id: int) -> ResponseReturnValue:
    """Show who did what to the animal's record."""
    animal = find(current_session(), Animal, current_project().id, animal_id)
    return render_template("animals/history.html", animal=animal, history=history_of("animal", animal.id, made_with=True))


def _sentence(enrolments: Sequence[tuple[Enrolment, Study]], days: DayCount) -> str:
    if not enrolments:
        return f"Days count from the animal's first reading on {days.first_reading}."
    enrolment, study = enrolments[0]
    if enrolment.day_zero_on:
        return f"Days as in study {study.code}; day 0 of this animal is {enrolment.day_zero_on}."
    return f"Days as in study {study.code}. {days.sentence}"


def _colour(arm: ArmOfStudy | None, arms: Sequence[ArmOfStudy]) -> str:
    if arm is None:
        return ACCENT
    return arm_colours([(one.name, one.role.value) for one in arms])[arm.name]


def _plot(series: Series, colour: str) -> StudyPlot:
    kind = series.kind
    urls = dict(zip(series.ids, (url_for("measurements.show", measurement_id=key) for key in series.ids), strict=True))
    points = [point | {"url": urls[key]} for point, key in zip(series.points(by_tumour=True), series.ids, strict=True)]
    spec = over_time(points, unit=kind.unit, title_y=kind.title, colour=colour, decimals=kind.decimals, log=kind.log_axis)
    rows = [
        {"of": point["animal"], "day": f"d{point['day']:g}", "on": str(on or ""), "value": shown(point["value"], kind.decimals)}
        for point, on in zip(points, series.taken_on, strict=True)
    ]
    columns = plot_columns(
        ("of", "Of", "", False), ("day", "Day", "", True), ("on", "Date", "", False), ("value", "Value", kind.unit, True)
    )
    return StudyPlot(f"over-time-{kind.code.replace('_', '-')}", kind.title, spec, columns, rows, [], [])


def _tumours_table(tumours: Sequence[Any]) -> dict[str, Any]:
    columns = [
        {"key": "label", "label": "Tumour", "mono": True},
        {"key": "site", "label": "Site and model"},
        {"key": "implanted_on", "label": "Implanted"},
        {"key": "readings", "label": "Readings", "align": "end"},
    ]
    rows = [
        {
            "label": tumour.label,
            "site": ", ".join(part for part in (tumour.site.value.replace("_", " "), tumour.region, tumour.model) if part),
            "implanted_on": str(tumour.implanted_on) if tumour.implanted_on else "not recorded",
            "readings": f"{tumour.readings:,}",
        }
        for tumour in tumours
    ]
    return {"caption": "Tumours", "columns": columns, "rows": rows}
