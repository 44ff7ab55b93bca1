"""The plots of a study's page, each with the numbers beneath it and what it downloads as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from statistics import fmean
from typing import Any, NamedTuple

from flask import url_for
from sqlalchemy.orm import Session

from lims.domain.cohort_terms import WeightBaseline
from lims.domain.vocabulary import KIND_BY_CODE, MeasurementKind
from lims.exports.figures import IMAGES
from lims.exports.tables import FORMATS
from lims.models import Study
from lims.plots import growth_curves, mean_rows, mean_sem, percent_of_baseline, shown, spider, weight_change, with_suspects
from lims.queries.kinds import kinds_of
from lims.queries.series import DayCount, Series, day_count, kinds_of_study, kinds_read, study_series
from lims.queries.studies import ArmOfStudy, arms_of_studies
from lims.queries.welfare import weight_limits

LISTED = 300
"""Rows of the table under a plot; its files have all."""
PREFERRED = ("caliper_volume", "bli_total_flux")
WEIGHT = KIND_BY_CODE["body_weight"]

OTHER_BASELINES: Mapping[WeightBaseline | None, str] = {
    WeightBaseline.IMPLANT_DAY: "; the protocol counts it from the weight on the day of implanting",
    WeightBaseline.PEAK: "; the protocol counts it from the highest weight so far",
}

TITLES: Mapping[str, str] = {
    "growth": "{}, each animal",
    "means": "{}, mean ± SEM",
    "spider": "{}, change from baseline",
}
"""What the plots of a kind are called, by its title."""
WEIGHT_TITLE = TITLES["spider"].format(WEIGHT.title)

Pairs = list[tuple[str, str]]


class Part(NamedTuple):
    """A plot that a page leaves room for: where it is drawn (`lims.views.figures`), and where its table is."""

    title: str
    address: str
    numbers: str


def part_of(study_id: int, plot: str, title: str, **arguments: Any) -> Part:
    """Give the place of one of a study's plots."""
    named = {"study_id": study_id, "plot": plot, **arguments}
    return Part(title, url_for("figures.part_of_study", **named), url_for("figures.table_of_study", **named))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class PlotColumn:
    """A column of the table under a plot: files get the value itself, the page what `show` writes."""

    key: str
    label: str
    unit: str = ""
    align: str = "start"
    show: Callable[[Any], str] = _text

    @property
    def heading(self) -> str:
        """Give the header of a file's column, with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def number(key: str, label: str, unit: str = "", show: Callable[[Any], str] = _text) -> PlotColumn:
    """Make a column of numbers."""
    return PlotColumn(key, label, unit, "end", show)


@dataclass(frozen=True, slots=True)
class StudyPlot:
    """A plot, the table behind it and the sentences below it.

    draw: makes the specification, which a page of the table alone does without. tidy: the rows of the table, values by column,
    to be read once: a page takes the first of them, a file all. address: where it is a file, by format. fills: what it tells of
    other places of its page, by their name.
    """

    id: str
    title: str
    draw: Callable[[], dict[str, Any]]
    columns: Sequence[PlotColumn]
    tidy: Iterable[Mapping[str, Any]]
    address: Callable[[str], str] | None = None
    notes: Sequence[str] = ()
    fills: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """Draw it: the specification that `lims.plots` makes."""
        return self.draw()

    @property
    def rows(self) -> list[dict[str, str]]:
        """Give the first rows as the page shows them."""
        return [{column.key: column.show(row[column.key]) for column in self.columns} for row in islice(self.tidy, LISTED)]

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """Give label and address of each file."""
        return (
            [(form if form in FORMATS else form.upper(), self.address(form)) for form in (*IMAGES, *FORMATS)]
            if self.address
            else []
        )


def day_of_study(day: float) -> str:
    """Write a study day: `d14`."""
    return f"d{day:g}"


def digits_of(kind: MeasurementKind) -> Callable[[Any], str]:
    """Give what writes a value with the digits of its kind."""
    return lambda value: "" if value is None else shown(value, kind.decimals)


ANIMAL, ARM = PlotColumn("animal", "Animal"), PlotColumn("arm", "Arm", show=lambda name: name or "No arm")
DAY = number("day", "Day", show=day_of_study)


class StudyData:
    """What the plots of a study are drawn from, each part read once and only when it is needed."""

    def __init__(self, session: Session, study: Study, *, unblinded: bool, count: bool = False) -> None:
        self.session, self.study, self.unblinded, self._count = session, study, unblinded, count
        self._series: dict[str, Series] = {}
        self._points: dict[str, list[dict[str, Any]]] = {}

    @cached_property
    def arms(self) -> list[ArmOfStudy]:
        """Give the arms as the person may see them, with how many animals are in them where that was to be counted."""
        unblinded, count = self.unblinded, self._count
        return arms_of_studies(self.session, self.study.project_id, self.study.id, unblinded=unblinded, count=count)

    @cached_property
    def kinds(self) -> dict[str, tuple[MeasurementKind, int]]:
        """Give the kinds that were read, with how many readings, by code."""
        return {kind.code: (kind, count) for kind, count in kinds_of_study(self.session, self.study.id)}

    @cached_property
    def read(self) -> dict[str, MeasurementKind]:
        """Give the kinds that were read, uncounted, by code."""
        return kinds_read(self.session, self.study)

    @cached_property
    def days(self) -> DayCount:
        """Say where days count from."""
        return day_count(self.session, self.study)

    @property
    def pairs(self) -> Pairs:
        """Give the arms as plots take them."""
        return [(arm.name, arm.role.value) for arm in self.arms]

    @property
    def names(self) -> dict[int, str]:
        """Give the names of arms by id."""
        return {arm.id: arm.name for arm in self.arms}

    def chosen(self, asked: str | None) -> MeasurementKind | None:
        """Choose the kind asked for if there are readings of it, else tumour volume or flux, else the first."""
        wanted = [code for code in (asked, *PREFERRED, *self.read) if code in self.read]
        return self.read[wanted[0]] if wanted else None

    def named(self, asked: str | None) -> MeasurementKind | None:
        """Give the kind asked for if there are readings of it, the usual one where none was asked for."""
        if asked is None:
            return self.chosen(None)
        kind = kinds_of(self.session, self.study.project_id, withdrawn=True).get(asked)
        return kind if kind and self.series(kind) else None

    def series(self, kind: MeasurementKind) -> Series:
        """Read a kind's readings."""
        if kind.code not in self._series:
            self._series[kind.code] = study_series(self.session, self.study, kind, self.days, self.names)
        return self._series[kind.code]

    def points(self, kind: MeasurementKind) -> list[dict[str, Any]]:
        """Give a kind's readings as plots draw them, an animal's tumours apart."""
        if kind.code not in self._points:
            series = self.series(kind)
            of_animal = url_for("animals.show", animal_id=0).removesuffix("0")  # one address is made: a page has thousands
            self._points[kind.code] = series.points({key: f"{of_animal}{key}" for key in set(series.animal_ids)}, by_tumour=True)
        return self._points[kind.code]

    def address(self, plot: str, **arguments: Any) -> Callable[[str], str]:
        """Give the way to a plot's files."""
        return partial(_address, self.study.id, plot, arguments)


def _address(study_id: int, plot: str, arguments: Mapping[str, Any], form: str) -> str:
    return url_for("figures.of_study", study_id=study_id, plot=plot, form=form, **arguments)


def _notes(series: Series) -> list[str]:
    said = []
    if series.suspect:
        marked = "reading is marked as suspect and ringed" if series.suspect == 1 else "readings are marked as suspect and ringed"
        said.append(f"{series.suspect:,} {marked}.")
    if len(series) > LISTED:
        said.append(f"The table has the first {LISTED} of {len(series):,} readings; its files have all.")
    else:
        said.append("1 reading." if len(series) == 1 else f"{len(series)} readings.")
    return said


def _readings(series: Series) -> Iterator[dict[str, Any]]:
    """Give the readings as a tidy table."""
    columns = (series.animals, series.tumours, series.arms, series.days, series.taken_on, series.values, series.qualities)
    keys = ("animal", "tumour", "arm", "day", "date", "value", "quality", "excluded")
    return (dict(zip(keys, row, strict=True)) for row in zip(*columns, series.excluded, strict=True))


def _of_baseline(kind: MeasurementKind) -> list[PlotColumn]:
    read = number("raw", kind.title, kind.unit, digits_of(kind))
    return [ANIMAL, ARM, DAY, read, number("value", "Of baseline", "%", partial(shown, decimals=1))]


def _of_readings(kind: MeasurementKind) -> list[PlotColumn]:
    return [
        *(ANIMAL, PlotColumn("tumour", "Tumour"), ARM, DAY, PlotColumn("date", "Date")),
        number("value", kind.title, kind.unit, digits_of(kind)),
        PlotColumn("quality", "Quality", show=str),
        PlotColumn("excluded", "Animal excluded by then", show=lambda out: "yes" if out else ""),
    ]


def growth(data: StudyData, kind: MeasurementKind) -> StudyPlot:
    """Draw every animal's readings in its arm's colour."""
    series = data.series(kind)
    title, notes = TITLES["growth"].format(kind.title), [data.days.sentence, *_notes(series)]
    draw, address = partial(_growth, data, kind), data.address("growth", kind=kind.code)
    return StudyPlot("growth", title, draw, _of_readings(kind), _readings(series), address, notes)


def _growth(data: StudyData, kind: MeasurementKind) -> dict[str, Any]:
    points = data.points(kind)
    return with_suspects(growth_curves(points, arms=data.pairs, **_look(kind)), points, log=kind.log_axis)


def _look(kind: MeasurementKind) -> dict[str, Any]:
    return {"unit": kind.unit, "title_y": kind.title, "decimals": kind.decimals, "log": kind.log_axis}


def means(data: StudyData, kind: MeasurementKind) -> StudyPlot:
    """Draw each arm's mean ± SEM, with the number of animals at each point; animals excluded by then are not in it."""
    series = data.series(kind).analysed()
    rows = mean_rows(series.arms, series.days, series.animals, series.values, unit=kind.unit, decimals=kind.decimals)
    draw = partial(mean_sem, rows, arms=data.pairs, unit=kind.unit, title_y=kind.title, log=kind.log_axis)
    columns = [
        *(ARM, DAY, number("mean", "Mean", kind.unit, digits_of(kind))),
        number("sem", "SEM", kind.unit, digits_of(kind)),
        number("n", "Animals"),
        PlotColumn("few", "Fewer than half left", show=lambda few: "yes" if few else ""),
    ]
    several = any(subject != animal for subject, animal in zip(series.subjects, series.animals, strict=True))
    notes = ["An animal with several tumours counts once, with their mean."] if several else []
    if any(row["few"] for row in rows):
        notes.append(
            "Dotted, with hollow points: fewer than half of the arm's animals are left, and the mean is that of the survivors."
        )
    last = {name: f"{shown(fmean(values), kind.decimals)} of {len(values)}" for name, values in series.last_values().items()}
    if None in last:
        notes.append(f"Animals in no arm: mean of their last values {last[None]} measured.")
    title, address = TITLES["means"].format(kind.title), data.address("means", kind=kind.code)
    fills = {place_of_last(arm): last.get(arm.name, "–") for arm in data.arms}
    return StudyPlot("means", title, draw, columns, rows, address, notes, fills)


def place_of_last(arm: ArmOfStudy) -> str:
    """Name the place beside an arm where the mean of its animals' last values stands."""
    return f"last-{arm.key}"


def change(data: StudyData, kind: MeasurementKind) -> StudyPlot:
    """Draw each animal's change from its own baseline: a spider plot."""
    points = data.points(kind)
    rows = percent_of_baseline(points)
    draw = partial(spider, rows, arms=data.pairs, **_look(kind))
    notes = ["Baseline is the animal's last value on or before day 0, or its first one."]
    if left := len(points) - len(rows):
        notes.append(f"{left:,} readings of animals whose baseline is 0 or below are not drawn.")
    title, address = TITLES["spider"].format(kind.title), data.address("spider", kind=kind.code)
    return StudyPlot("spider", title, draw, _of_baseline(kind), rows, address, notes)


def weight(data: StudyData) -> StudyPlot:
    """Draw body weight as percent of each animal's baseline, with the limit of the animals' protocol, or the study's own."""
    series = data.series(WEIGHT)
    of_baseline = percent_of_baseline(data.points(WEIGHT))
    loss, limit = _limit(data)
    baseline = "Baseline is the animal's last weight on or before day 0, or its first one."
    notes = [baseline, limit, *_notes(series)]
    draw = partial(_weight, data, of_baseline, None if loss is None else 100 - loss)
    return StudyPlot("weight", WEIGHT_TITLE, draw, _of_baseline(WEIGHT), of_baseline, data.address("weight"), notes)


def _weight(data: StudyData, of_baseline: Sequence[Mapping[str, Any]], limit: float | None) -> dict[str, Any]:
    return with_suspects(weight_change(of_baseline, arms=data.pairs, limit_percent=limit), of_baseline)


def _limit(data: StudyData) -> tuple[float | None, str]:
    """Give the loss at which somebody acts, in percent, and the sentence that says whose limit that is."""
    rules = weight_limits(data.session, data.study.id)
    if rules:
        strictest = rules[0]
        others = f", the strictest of {len(rules)} limits" if len(rules) > 1 else ""
        from_where = OTHER_BASELINES.get(strictest.baseline, "")
        return (
            strictest.act_at,
            f"The line is a loss of {strictest.act_at:g} %, at which protocol {strictest.protocol} acts{others}{from_where}.",
        )
    loss = data.study.weight_loss_limit_percent
    if loss is None:
        return None, "No weight-loss limit is recorded, neither in the animals' protocol nor in the study."
    return loss, f"The line is a loss of {loss:g} %."


KIND_PLOTS: Mapping[str, Callable[[StudyData, MeasurementKind], StudyPlot]] = {"growth": growth, "means": means, "spider": change}
"""The plots of a study that any kind of measurement has."""


def overview(data: StudyData, kind: MeasurementKind | None) -> list[Part]:
    """Say what the overview of a study shows: plots of a kind of measurement, and of body weight."""
    study = data.study.id
    parts = [part_of(study, plot, TITLES[plot].format(kind.title), kind=kind.code) for plot in KIND_PLOTS] if kind else []
    return [*parts, part_of(study, "weight", WEIGHT_TITLE)] if WEIGHT.code in data.read else parts
