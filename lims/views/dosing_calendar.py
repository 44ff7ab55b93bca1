"""The dosing calendar: animals by arm, days, and what became of each dose, in colour, sign and word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from lims.domain.dosing import DoseStanding, standing
from lims.models import Study
from lims.queries.doses import Dosing, Planned
from lims.queries.studies import ArmOfStudy
from lims.views.dosing_form import Named

WEEK = 7
MOST_DAYS = 9 * WEEK
"""Nine weeks fill a laptop's width."""
FEWEST_DAYS = 2 * WEEK
MOST_MARKS = 2_800
"""Of a hundred animals four weeks are drawn: nobody looks through more marks on one page, and it stays quick."""
SIGNS = {
    DoseStanding.OVERDUE: "!",
    DoseStanding.MISSED: "✕",
    DoseStanding.HELD: "H",
    DoseStanding.DUE: "○",
    DoseStanding.PLANNED: "·",
    DoseStanding.GIVEN: "✓",
}
"""Of several doses of a day the first of these is drawn: what asks for something stands before what is done."""
CODE, EMPTY = "\0", "<td></td>"
"""Stands in a cell for the animal's code, and is in no text that a database keeps; a day without doses."""
Dosed = tuple[tuple[DoseStanding, str], str | None]
"""Where a dose stands and of which agent it is, and the address of its page."""
_URGENCY = {one: number for number, one in enumerate(SIGNS)}


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are drawn, and where others are."""

    first: date
    last: date
    earlier: date | None
    later: date | None

    @property
    def days(self) -> list[date]:
        """Give them all."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def window_of(dosing: Dosing, asked: date | None, now: date) -> Window | None:
    """Choose the days: from the first planned or recorded one on, or around the one asked for; nothing where there is none."""
    days = [one.days[place][0] for one in dosing.courses if one.days for place in (0, -1)] + [one.on for one in dosing.beside]
    if not days:
        return None
    begin, end = min(days), max(days)
    most = _days_drawn(dosing)
    if asked is None:
        asked = begin if (end - begin).days < most else min(max(now - timedelta(days=most - WEEK), begin), end)
    first = min(max(asked, begin), end)
    last = min(first + timedelta(days=most - 1), end)
    return Window(
        first,
        last,
        max(first - timedelta(days=most), begin) if first > begin else None,
        last + timedelta(days=1) if last < end else None,
    )


def _days_drawn(dosing: Dosing) -> int:
    """Give as many whole weeks as the number of animals leaves room for."""
    animals = len({one.treated.animal.id for one in dosing.courses if one.days} | {one.animal_id for one in dosing.beside})
    return min(max(MOST_MARKS // animals // WEEK * WEEK, FEWEST_DAYS), MOST_DAYS)


@dataclass(frozen=True, slots=True)
class Host:
    """An animal as a row of the calendar."""

    id: int
    code: str
    died_on: date | None
    arm: ArmOfStudy


@dataclass(frozen=True, slots=True)
class Calendar:
    """The grid. weeks: the first day of each stretch, and how many it has. days: date and study day. arms: each with its rows.

    A row is an animal and the cells of its days, drawn here and not in a template: there are thousands.
    """

    weeks: list[tuple[date, int]]
    days: list[tuple[date, str]]
    arms: list[tuple[ArmOfStudy, list[tuple[Host, Markup]]]]


def calendar_of(
    dosing: Dosing, named: Mapping[tuple[int, int], Named], arms: Mapping[int, ArmOfStudy], study: Study, window: Window
) -> Calendar:
    """Lay the doses out: a row for each animal, arm by arm in the order of `arms`."""
    hosts, list_of = _hosts(dosing, named, arms), url_for("dosing.cohort", study_id=study.id)
    of_dose = url_for("doses.show", record_id=0).removesuffix("0")  # one address is made: a page has thousands
    sheet = _Sheet({day: (str(day), f"{list_of}?on={day}") for day in window.days}, named, of_dose, dosing.now)
    courses: dict[int, list[Planned]] = defaultdict(list)
    for course in dosing.courses:
        courses[course.treated.animal.id].append(course)
    beside: dict[int, dict[date, list[Dosed]]] = defaultdict(lambda: defaultdict(list))
    for row in dosing.beside:
        if row.animal_id in hosts and row.on in sheet.lists:
            arm = hosts[row.animal_id].arm
            beside[row.animal_id][row.on].append(((DoseStanding(row.state.value), _beside(row, arm)), _url(of_dose, row, arm)))
    grid = [
        (arm, [(host, sheet.row(host, courses[host.id], beside[host.id])) for host in of_arm])
        for arm in arms.values()
        if (of_arm := [host for host in hosts.values() if host.arm.id == arm.id])
    ]
    days = [(day, _study_day(day, study)) for day in window.days]
    weeks = [(days[start][0], len(days[start : start + WEEK])) for start in range(0, len(days), WEEK)]
    return Calendar(weeks, days, grid)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What the rows of a calendar share. lists: each day as text, with the address of its list. of_dose: a dose's address.

    plain: by course and regimen, the cells of an animal of whom nothing is recorded, whose code stands as `CODE` in them: an
    arm's animals have mostly the same.
    """

    lists: Mapping[date, tuple[str, str]]
    named: Mapping[tuple[int, int], Named]
    of_dose: str
    now: date
    plain: dict[tuple[Any, ...], dict[date, str]] = field(default_factory=dict)

    def row(self, host: Host, courses: Sequence[Planned], beside: Mapping[date, list[Dosed]]) -> Markup:
        """Draw the days of an animal."""
        key = tuple([(one.treated.course, one.treated.regimen.id) for one in courses])
        cells = self.plain.get(key)
        if cells is None:
            cells = self.plain[key] = self._plain(courses)
        own = {day for one in courses for day, _ in one.recorded if day in self.lists} | beside.keys()
        died = host.died_on if host.died_on in self.lists else None
        if own or died:
            cells = cells | {day: self._mark([*self._on(day, courses), *beside.get(day, ())], day) for day in own}
            if died and cells[died] == EMPTY:
                cells[died] = f'<td class="dose dose-dead" title="{CODE} died on {died}">†</td>'
        return Markup("".join(cells.values()).replace(CODE, escape(host.code)))  # noqa: S704  # each part was escaped where it was drawn

    def _plain(self, courses: Sequence[Planned]) -> dict[date, str]:
        first, last = min(self.lists), max(self.lists)
        told: dict[date, list[Dosed]] = defaultdict(list)
        for course in courses:
            agent = self._agent(course)
            for due_on, _ in course.days_between(first, last):
                told[due_on].append(((standing(due_on, self.now), agent), None))
        return {day: self._mark(told[day], day) if day in told else EMPTY for day in self.lists}

    def _on(self, day: date, courses: Sequence[Planned]) -> Iterator[Dosed]:
        """Give the doses of a day as they stand."""
        for course in courses:
            known = self.named[course.treated.animal.id, course.treated.regimen.id]
            for one in course.between(day, day, self.now):
                yield (one.standing, known.agent), _url(self.of_dose, one.dose, known.arm)

    def _agent(self, course: Planned) -> str:
        return self.named[course.treated.animal.id, course.treated.regimen.id].agent

    def _mark(self, doses: Sequence[Dosed], day: date) -> str:
        """Draw a day with doses; several, and those that are open, lead to the day's list."""
        text, day_list = self.lists[day]
        state, sign, said = _told(tuple([told for told, _ in doses]))
        url = doses[0][1]
        if url is None or len(doses) > 1:
            url = None if state == DoseStanding.PLANNED.value else day_list
        inside = f'<a href="{url}" tabindex="-1" aria-label="{said}">{sign}</a>' if url else sign
        return f'<td class="dose dose-{state}" title="{CODE}, {text}: {said}">{inside}</td>'


def _hosts(dosing: Dosing, named: Mapping[tuple[int, int], Named], arms: Mapping[int, ArmOfStudy]) -> dict[int, Host]:
    """Give the animals that are planned or were given a dose; those outside every arm have no row."""
    hosts: dict[int, Host] = {}
    for one in dosing.courses:
        animal = one.treated.animal
        if one.days:
            hosts.setdefault(animal.id, Host(animal.id, animal.code, animal.died_on, named[animal.id, one.treated.regimen.id].arm))
    for row in sorted(dosing.beside, key=lambda dose: dose.animal):
        if row.arm_id in arms:
            hosts.setdefault(row.animal_id, Host(row.animal_id, row.animal, row.died_on, arms[row.arm_id]))
    return hosts


def _beside(dose: Any, arm: ArmOfStudy) -> str:
    return "another dose" if arm.hidden else f"{dose.agent} beside the plan"


def _study_day(day: date, study: Study) -> str:
    return "" if study.day_zero_on is None else str((day - study.day_zero_on).days)


def _url(of_dose: str, dose: Any, arm: ArmOfStudy) -> str | None:
    """Lead to a dose's page; a hidden arm's doses have none for this person."""
    return f"{of_dose}{dose.id}" if dose is not None and not arm.hidden else None


@lru_cache(maxsize=4096)
def _told(doses: tuple[tuple[DoseStanding, str], ...]) -> tuple[str, str, str]:
    """Give what is drawn of the doses of a day, its sign, and what is said of all of them: the animals of an arm share it."""
    urgent_first = sorted(doses, key=lambda dose: _URGENCY[dose[0]])
    most = urgent_first[0][0]
    said = escape("; ".join(f"{agent} {one.value}" for one, agent in urgent_first))
    return most.value, SIGNS[most], str(said)


def dose_rows(
    dosing: Dosing, named: Mapping[tuple[int, int], Named], arms: Mapping[int, ArmOfStudy], study: Study
) -> list[dict[str, Any]]:
    """Give each dose as a row: as planned, and as given; those beside the plan behind."""
    rows = []
    for one in dosing.planned:
        known = named[one.treated.animal.id, one.treated.regimen.id]
        told = {"animal": one.treated.animal.code, "arm": known.arm.name, "agent": known.agent, "due_on": one.due_on}
        rows.append(told | {"nth": one.nth, "standing": one.standing.value} | _recorded(one.dose, known.arm, study, one.due_on))
    for row in dosing.beside:
        if row.arm_id in arms:
            arm = arms[row.arm_id]
            told = {"animal": row.animal, "arm": arm.name, "agent": _beside(row, arm), "due_on": row.due_on}
            rows.append(told | {"nth": row.nth, "standing": row.state.value} | _recorded(row, arm, study, row.on))
    return rows


def _recorded(dose: Any, arm: ArmOfStudy, study: Study, on: date) -> dict[str, Any]:
    names = ("given_on", "volume_ul", "lot", "reason", "operator")
    values: dict[str, Any] = dict.fromkeys(names) if dose is None else {name: getattr(dose, name) for name in names}
    if arm.hidden:
        values["lot"] = None
    url = url_for("doses.show", record_id=dose.id) if dose is not None and not arm.hidden else None
    return values | {"day": _study_day(on, study), "_url": url}
