"""What an import would record: each series of a file with its subjects resolved, its slots, and every reading's fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from importers.base import Clock, Finding, Reading, Series
from importers.overlay import Edit
from importers.sheets import Workbook
from lims.domain.slots import date_slot, dated, day_slot, local_moment, moment_slot
from lims.domain.vocabulary import MeasurementKind, RowFate, Subject
from lims.domain.volumes import caliper_volumes
from lims.intake.entries import Entries, mapped
from lims.intake.names import Host, Names, Place
from lims.intake.plan_events import PlannedDeaths, PlannedDoses, PlannedStays, plan_deaths, plan_doses, plan_stays
from lims.intake.plan_records import PlannedRecords


@dataclass(frozen=True, slots=True)
class Recorded:
    """A measurement that is recorded already in a slot that the file names."""

    id: int
    occurrence: int
    value: float
    length: float | None
    width: float | None
    batch_id: int | None
    source_row: int | None


@dataclass(slots=True)
class Planned(Entries):
    """One series with its subjects and slots; columns run parallel to the series'.

    fates: index → fate, for readings that are not simply new. occurrences: index → n, for the second and later readings
    of a slot. recorded: index → the measurement that a changed or same reading meets.
    """

    series: Series
    kind: MeasurementKind
    sheet: str
    hosts: list[Host | None]
    tumours: list[tuple[int, str] | None] | None
    places: list[Place | None]
    values: list[float | None]
    slots: list[str]
    taken_on: list[date | None]
    taken_at: list[datetime] | None
    days: Sequence[float] | None
    computed: list[bool] | None = None
    """Which volumes were made of diameters here, where a series gives diameters; the others the file states."""
    fates: dict[int, RowFate] = field(default_factory=dict)
    occurrences: dict[int, int] = field(default_factory=dict)
    recorded: dict[int, Recorded] = field(default_factory=dict)

    @property
    def source(self) -> Series:
        """Give the series."""
        return self.series

    @property
    def title(self) -> str:
        """Name the kind."""
        return self.kind.title

    def subject(self, index: int) -> tuple[int, int]:
        """Give animal and implant (0: the animal itself) of a reading whose subject is known."""
        host = self.hosts[index]
        tumour = self.tumours[index] if self.tumours else None
        return (host.id if host else 0, tumour[0] if tumour else 0)

    def when(self, index: int) -> str:
        """Give a reading's time as people say it."""
        taken = self.taken_on[index]
        if self.taken_at is not None:
            moment: Any = self.series.when[index]
            return f"{moment:%Y-%m-%d %H:%M}"
        return taken.isoformat() if taken else f"day {self.series.when[index]:g}"

    def name(self, index: int) -> str:
        """Name a reading's subject as the file does."""
        tumour = self.series.tumours[index] if self.series.tumours else None
        return f"{self.series.animals[index]} {tumour}" if tumour else self.series.animals[index]


@dataclass(slots=True)
class Plan:
    """All of a file: its reading, its names, its planned series, and what was found.

    edits: what people corrected and left out of it. left_out: series of the rows left out, for the plots alone.
    """

    book: Workbook
    reading: Reading
    names: Names
    planned: list[Planned]
    doses: PlannedDoses | None = None
    deaths: PlannedDeaths | None = None
    stays: PlannedStays | None = None
    findings: list[Finding] = field(default_factory=list)
    edits: tuple[Edit, ...] = ()
    left_out: tuple[Series, ...] = ()
    records: list[PlannedRecords] = field(default_factory=list)

    @property
    def entries(self) -> list[Entries]:
        """Give all planned parts."""
        return [*self.planned, *(one for one in (self.doses, self.deaths, self.stays) if one is not None), *self.records]

    def sheet_name(self, index: int) -> str:
        """Give a sheet's name."""
        return self.book.sheets[index].name


def make_plan(book: Workbook, reading: Reading, names: Names, zone: ZoneInfo, kinds: Mapping[str, MeasurementKind]) -> Plan:
    """Put a reading and the meaning of its names together. Nothing is judged yet (`lims.intake.validate`)."""
    planned = [_plan_series(series, kinds[series.kind], book, names, zone) for series in reading.series]
    doses = plan_doses(reading.doses, book, names, zone) if reading.doses else None
    deaths = plan_deaths(reading.deaths, book, names) if reading.deaths else None
    stays = plan_stays(reading.stays, book, names) if reading.stays else None
    return Plan(book, reading, names, planned, doses, deaths, stays, [*book.findings, *reading.findings, *names.findings])


def _plan_series(series: Series, kind: MeasurementKind, book: Workbook, names: Names, zone: ZoneInfo) -> Planned:
    hosts = mapped(series.animals, names.hosts.get)
    tumours: list[tuple[int, str] | None] | None = None
    if kind.subject is Subject.IMPLANT:
        tumours = _tumours(series, names)
    places = mapped(series.animals, names.studies.get)
    taken_on, taken_at, days, slots = _times(series, names, places, zone)
    values, computed = _values(series)
    planned = Planned(
        series, kind, book.sheets[series.sheet].name, hosts, tumours, places, values, slots, taken_on, taken_at, days, computed
    )
    # A reading without a subject is nobody's; a day without a date and without a study is no time.
    needed: list[Sequence[Any]] = [hosts, *([tumours] if tumours is not None else [])]
    if days is not None:
        needed.append([on or place for on, place in zip(taken_on, places, strict=True)])
    if any(None in column for column in needed):
        planned.fates = {index: RowFate.REFUSED for index, known in enumerate(zip(*needed, strict=True)) if None in known}
    return planned


def _tumours(series: Series, names: Names) -> list[tuple[int, str] | None]:
    if series.tumours is None:
        return mapped(series.animals, lambda animal: names.tumours.get((animal, None)))
    return mapped(list(zip(series.animals, series.tumours, strict=True)), names.tumours.get)


def _values(series: Series) -> tuple[list[float | None], list[bool] | None]:
    """Give the values, volumes made of diameters where a row has both, and which ones were made so."""
    if series.lengths is None or series.widths is None:
        return list(series.values), None
    volumes = caliper_volumes(series.lengths, series.widths)
    if None not in volumes:
        return volumes, [True] * len(series)
    values = [stated if volume is None else volume for volume, stated in zip(volumes, series.values, strict=True)]
    return values, [volume is not None for volume in volumes]


Times = tuple[list[date | None], list[datetime] | None, Sequence[float] | None, list[str]]


def _times(series: Series, names: Names, places: list[Place | None], zone: ZoneInfo) -> Times:
    """Give dates, moments, relative days and slots of a series, by its clock."""
    when: Sequence[Any] = series.when
    if series.clock is Clock.DATE:
        return list(when), None, None, mapped(when, date_slot)
    if series.clock is Clock.DATETIME:
        moments: dict[datetime, datetime] = {one: local_moment(one, zone) for one in dict.fromkeys(when)}
        taken_at = [moments[one] for one in when]
        slots = {one: moment_slot(moment) for one, moment in moments.items()}
        return [one.date() for one in when], taken_at, None, [slots[one] for one in when]
    dates = [
        dated(day, names.day_zero[label]) if label in names.day_zero else None
        for day, label in zip(when, series.animals, strict=True)
    ]
    slots_by_day = [
        date_slot(on) if on else day_slot(place.id if place else 0, day) for on, day, place in zip(dates, when, places, strict=True)
    ]
    return dates, None, when, slots_by_day
