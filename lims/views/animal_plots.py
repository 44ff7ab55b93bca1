"""The plots of an animal's page: its readings over time, one plot a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flask import url_for

from lims.models import Animal, Enrolment, Study
from lims.plot_parts import ACCENT
from lims.plots import arm_colours, over_time
from lims.queries.animals import enrolments_of
from lims.queries.series import DayCount, Series, animal_series, day_count, own_day_count
from lims.queries.studies import ArmOfStudy, arms_of_studies
from lims.views.study_plots import DAY, PlotColumn, StudyPlot, digits_of, number
from lims.views.support import current_session, sees_arms


@dataclass(frozen=True, slots=True)
class Place:
    """The studies an animal is in, the latest first, with the arms of that one and which of them is its own."""

    enrolments: Sequence[tuple[Enrolment, Study]]
    arms: Sequence[ArmOfStudy]
    arm: ArmOfStudy | None


@dataclass(frozen=True, slots=True)
class Readings:
    """An animal's readings on the days of its latest study."""

    place: Place
    days: DayCount
    series: Sequence[Series]

    @property
    def sentence(self) -> str:
        """Say where its days count from."""
        if not self.place.enrolments:
            return f"Days count from the animal's first reading on {self.days.first_reading}."
        enrolment, study = self.place.enrolments[0]
        if enrolment.day_zero_on:
            return f"Days as in study {study.code}; day 0 of this animal is {enrolment.day_zero_on}."
        return f"Days as in study {study.code}. {self.days.sentence}"


def place_of(animal: Animal) -> Place:
    """Say where an animal is enrolled, its arm as the person may see it."""
    session = current_session()
    enrolments = enrolments_of(session, animal.id)
    if not enrolments:
        return Place((), (), None)
    of_study = enrolments[0][1].id
    arms = arms_of_studies(session, animal.project_id, of_study, unblinded=sees_arms(), count=False)
    return Place(enrolments, arms, next((one for one in arms if one.id == enrolments[0][0].arm_id), None))


def readings_of(animal: Animal) -> Readings:
    """Read all of an animal's readings."""
    session, place = current_session(), place_of(animal)
    study = place.enrolments[0][1] if place.enrolments else None
    days = day_count(session, study) if study else own_day_count(session, animal.id)
    arm = place.arm.name if place.arm else None
    return Readings(place, days, animal_series(session, animal, study.id if study else None, days, arm))


def plots_of_animal(animal: Animal, read: Readings | None = None) -> dict[str, StudyPlot]:
    """Draw an animal's readings, a plot for each kind by its code."""
    read = read or readings_of(animal)
    colour = _colour(read.place.arm, read.place.arms)
    return {series.kind.code: _plot(animal, series, colour) for series in read.series}


def _colour(arm: ArmOfStudy | None, arms: Sequence[ArmOfStudy]) -> str:
    if arm is None:
        return ACCENT
    return arm_colours([(one.name, one.role.value) for one in arms])[arm.name]


def _plot(animal: Animal, series: Series, colour: str) -> StudyPlot:
    kind = series.kind
    urls = dict(zip(series.ids, (url_for("measurements.show", measurement_id=key) for key in series.ids), strict=True))
    points = [point | {"url": urls[key]} for point, key in zip(series.points(by_tumour=True), series.ids, strict=True)]
    draw = partial(over_time, points, unit=kind.unit, title_y=kind.title, colour=colour, decimals=kind.decimals, log=kind.log_axis)
    tidy = [
        {"of": point["animal"], "day": point["day"], "on": on, "value": point["value"]}
        for point, on in zip(points, series.taken_on, strict=True)
    ]
    columns = [PlotColumn("of", "Of"), DAY, PlotColumn("on", "Date"), number("value", "Value", kind.unit, digits_of(kind))]
    address = partial(_address, animal.id, kind.code)
    return StudyPlot(f"over-time-{kind.code.replace('_', '-')}", kind.title, draw, columns, tidy, address)


def _address(animal_id: int, kind: str, form: str) -> str:
    return url_for("figures.of_animal", animal_id=animal_id, kind=kind, form=form)
