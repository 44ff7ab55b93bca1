"""What an import would record beside measurements: doses, deaths and stays with their animals, and the fate of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from importers.base import Clock, Deaths, Doses, Stays
from importers.sheets import Workbook
from lims.domain.cohort_terms import DoseState, DoseUnit, FateReason
from lims.domain.dose_words import route_of
from lims.domain.slots import local_moment
from lims.domain.vocabulary import RowFate
from lims.intake.entries import Entries, mapped
from lims.intake.names import Host, NamedAgent, Names


@dataclass(frozen=True, slots=True)
class RecordedDose:
    """A dose of an animal that is recorded already on a day that the file names."""

    id: int
    nth: int
    state: DoseState
    dose: float | None
    unit: DoseUnit
    volume: float | None
    given_at: datetime | None
    batch_id: int | None
    source_row: int | None


@dataclass(slots=True)
class PlannedDoses(Entries):
    """The doses of a file with their animals and agents. nth: which of the day's doses each is, where it is not the first."""

    doses: Doses
    sheet: str
    hosts: list[Host | None]
    agents: list[NamedAgent | None]
    taken_on: list[date | None]
    taken_at: list[datetime] | None
    fates: dict[int, RowFate] = field(default_factory=dict)
    nth: dict[int, int] = field(default_factory=dict)
    recorded: dict[int, RecordedDose] = field(default_factory=dict)

    @property
    def source(self) -> Doses:
        """Give the doses."""
        return self.doses

    @property
    def title(self) -> str:
        """Name a dose."""
        return "Dose"

    def name(self, index: int) -> str:
        """Name animal and compound."""
        return f"{self.doses.animals[index]} ({self.doses.compounds[index]})"

    def row(self, index: int) -> dict[str, Any]:
        """Give one dose by column, without its study and source."""
        source, host, agent = self.doses, self.hosts[index], self.agents[index]
        unit, route, weight = source.units[index], source.routes[index], source.weights[index]
        return {
            "animal_id": host and host.id,
            "agent_id": agent and agent.id,
            "nth": self.nth.get(index, 1),
            "given_on": self.taken_on[index],
            "given_at": self.taken_at[index] if self.taken_at else None,
            "dose": source.amounts[index],
            "dose_unit": DoseUnit(unit) if unit else DoseUnit.MG_PER_KG,
            "route": route_of(route) if route else None,
            "weight_g": weight,
            "weight_on": self.taken_on[index] if weight is not None else None,
            "volume_ul": source.volumes[index],
        }

    def changed(self, index: int, one: RecordedDose) -> dict[str, Any]:
        """Give what the file says otherwise than the record, by column; what it leaves out, or a time nobody noted, differs not."""
        said = self.row(index)
        stands = {"volume_ul": one.volume, "given_at": one.given_at or said["given_at"], "dose": one.dose}
        differing = {name: said[name] for name, value in stands.items() if said[name] is not None and said[name] != value}
        if said["dose"] is not None and said["dose_unit"] is not one.unit:
            differing["dose_unit"] = said["dose_unit"]
        return differing


@dataclass(frozen=True, slots=True)
class RecordedFate:
    """The fate of an animal that is recorded already; `id` 0: its death only, without a reason."""

    id: int
    died_on: date
    reason: FateReason | None
    batch_id: int | None
    source_row: int | None


@dataclass(slots=True)
class PlannedDeaths(Entries):
    """The deaths of a file with their animals and what their words mean."""

    deaths: Deaths
    sheet: str
    hosts: list[Host | None]
    reasons: list[FateReason]
    taken_on: list[date | None]
    fates: dict[int, RowFate] = field(default_factory=dict)
    recorded: dict[int, RecordedFate] = field(default_factory=dict)

    @property
    def source(self) -> Deaths:
        """Give the deaths."""
        return self.deaths

    @property
    def title(self) -> str:
        """Name a death."""
        return "Death"


@dataclass(slots=True)
class PlannedStays(Entries):
    """The cages of a file with their animals. settled, moves: entries that put an animal in its first cage, or in another one."""

    stays: Stays
    sheet: str
    hosts: list[Host | None]
    taken_on: list[date | None]
    fates: dict[int, RowFate] = field(default_factory=dict)
    settled: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)

    @property
    def source(self) -> Stays:
        """Give the stays."""
        return self.stays

    @property
    def title(self) -> str:
        """Name a stay."""
        return "Cage"


def plan_doses(doses: Doses, book: Workbook, names: Names, zone: ZoneInfo) -> PlannedDoses:
    """Put doses and the meaning of their names together; one without animal or agent is nobody's."""
    hosts, agents = mapped(doses.animals, names.hosts.get), mapped(doses.compounds, names.agents.get)
    timed = doses.clock is Clock.DATETIME
    taken_on: list[date | None] = [_date(moment) for moment in doses.when]
    taken_at = [local_moment(moment, zone) for moment in doses.when if isinstance(moment, datetime)] if timed else None
    fates = {index: RowFate.REFUSED for index, known in enumerate(zip(hosts, agents, strict=True)) if None in known}
    return PlannedDoses(doses, book.sheets[doses.sheet].name, hosts, agents, taken_on, taken_at, fates)


def plan_deaths(deaths: Deaths, book: Workbook, names: Names) -> PlannedDeaths:
    """Put deaths and the meaning of their names and words together."""
    hosts = mapped(deaths.animals, names.hosts.get)
    reasons = mapped(deaths.reasons, lambda words: names.reasons.get(words, FateReason.NOT_RECORDED))
    fates = {index: RowFate.REFUSED for index, host in enumerate(hosts) if host is None}
    return PlannedDeaths(deaths, book.sheets[deaths.sheet].name, hosts, reasons, list(deaths.when), fates)


def plan_stays(stays: Stays, book: Workbook, names: Names) -> PlannedStays:
    """Put stays and the meaning of their names together."""
    hosts = mapped(stays.animals, names.hosts.get)
    known = [host is not None and cage in names.cages for host, cage in zip(hosts, stays.cages, strict=True)]
    fates = {index: RowFate.REFUSED for index, both in enumerate(known) if not both}
    return PlannedStays(stays, book.sheets[stays.sheet].name, hosts, list(stays.when), fates)


def _date(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
