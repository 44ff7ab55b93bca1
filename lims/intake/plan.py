"""What an import would record: each series of a file with its subjects resolved, its slots, and every reading's fate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from importers.base import Clock, Finding, Reading, Series, Severity
from importers.workbook import Workbook
from lims.domain.slots import date_slot, dated, day_slot, local_moment, moment_slot
from lims.domain.vocabulary import KIND_BY_CODE, MeasurementKind, RowFate, Subject
from lims.domain.volumes import caliper_volumes
from lims.intake.names import Host, Names, Place


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
class Planned:
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

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.series)

    def column(self, index: int) -> int:
        """Give the sheet's column of one reading's value."""
        columns = self.series.columns
        return columns if isinstance(columns, int) else columns[index]

    def fate(self, index: int) -> RowFate:
        """Give one reading's fate."""
        return self.fates.get(index, RowFate.NEW)

    def indices(self, fate: RowFate) -> Iterator[int]:
        """Give the readings of a fate, in the order of the file."""
        if fate is RowFate.NEW:
            return (index for index in range(len(self)) if index not in self.fates)
        return (index for index in sorted(self.fates) if self.fates[index] is fate)

    def subject(self, index: int) -> tuple[int, int]:
        """Give animal and implant (0: the animal itself) of a reading whose subject is known."""
        host = self.hosts[index]
        tumour = self.tumours[index] if self.tumours else None
        return (host.id if host else 0, tumour[0] if tumour else 0)

    def finding(self, index: int, severity: Severity, code: str, message: str, **more: str) -> Finding:
        """Say something about one reading, at its cell."""
        return Finding(
            severity,
            code,
            message,
            sheet=self.sheet,
            row=self.series.rows[index],
            column=self.column(index),
            value=more.pop("value", self.series.raw[index]),
            **more,
        )

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
    """All of a file: its reading, its names, its planned series, and what was found."""

    book: Workbook
    reading: Reading
    names: Names
    planned: list[Planned]
    findings: list[Finding] = field(default_factory=list)

    def sheet_name(self, index: int) -> str:
        """Give a sheet's name."""
        return self.book.sheets[index].name


def make_plan(book: Workbook, reading: Reading, names: Names, zone: ZoneInfo) -> Plan:
    """Put a reading and the meaning of its names together. Nothing is judged yet (`lims.intake.validate`)."""
    planned = [_plan_series(series, book, names, zone) for series in reading.series]
    return Plan(book, reading, names, planned, [*book.findings, *reading.findings, *names.findings])


def _plan_series(series: Series, book: Workbook, names: Names, zone: ZoneInfo) -> Planned:
    kind = KIND_BY_CODE[series.kind]
    hosts = _mapped(series.animals, names.hosts.get)
    tumours: list[tuple[int, str] | None] | None = None
    if kind.subject is Subject.IMPLANT:
        tumours = _tumours(series, names)
    places = _mapped(series.animals, names.studies.get)
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
        return _mapped(series.animals, lambda animal: names.tumours.get((animal, None)))
    return _mapped(list(zip(series.animals, series.tumours, strict=True)), names.tumours.get)


def _values(series: Series) -> tuple[list[float | None], list[bool] | None]:
    """Give the values, volumes made of diameters where a row has both, and which ones were made so."""
    if series.lengths is None or series.widths is None:
        return list(series.values), None
    volumes = caliper_volumes(series.lengths, series.widths)
    if None not in volumes:
        return volumes, [True] * len(series)
    values = [stated if volume is None else volume for volume, stated in zip(volumes, series.values, strict=True)]
    return values, [volume is not None for volume in volumes]


def _mapped(column: Sequence[Any], meaning: Any) -> list[Any]:
    """Map a column through a lookup, each distinct entry once."""
    distinct = {one: meaning(one) for one in dict.fromkeys(column)}
    return [distinct[one] for one in column]


Times = tuple[list[date | None], list[datetime] | None, Sequence[float] | None, list[str]]


def _times(series: Series, names: Names, places: list[Place | None], zone: ZoneInfo) -> Times:
    """Give dates, moments, relative days and slots of a series, by its clock."""
    when: Sequence[Any] = series.when
    if series.clock is Clock.DATE:
        return list(when), None, None, _mapped(when, date_slot)
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
