"""The dosing calendar: animals by arm, days, and what became of each dose, in colour, sign and word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from lims.domain.dosing import DoseStanding
from lims.models import Study
from lims.queries.doses import Dosing
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
Dosed = tuple[tuple[DoseStanding, str], str | None]
"""Where a dose stands and of which agent it is, and the address of its page."""
_URGENCY = {standing: number for number, standing in enumerate(SIGNS)}


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
    lists = {day: (str(day), f"{list_of}?on={day}") for day in window.days}
    of_dose = url_for("doses.show", record_id=0).removesuffix("0")  # one address is made: a page has thousands
    doses: dict[int, dict[date, list[Dosed]]] = defaultdict(lambda: defaultdict(list))
    for course in dosing.courses:
        known, of_animal = named[course.treated.animal.id, course.treated.regimen.id], doses[course.treated.animal.id]
        for one in course.between(window.first, window.last, dosing.now):
            of_animal[one.due_on].append(((one.standing, known.agent), _url(of_dose, one.dose, known.arm)))
    for row in dosing.beside:
        if row.animal_id in hosts:
            arm = hosts[row.animal_id].arm
            doses[row.animal_id][row.on].append(((DoseStanding(row.state.value), _beside(row, arm)), _url(of_dose, row, arm)))
    grid = [
        (arm, [(host, _cells(host, doses[host.id], lists)) for host in of_arm])
        for arm in arms.values()
        if (of_arm := [host for host in hosts.values() if host.arm.id == arm.id])
    ]
    days = [(day, _study_day(day, study)) for day in window.days]
    weeks = [(days[start][0], len(days[start : start + WEEK])) for start in range(0, len(days), WEEK)]
    return Calendar(weeks, days, grid)


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


def _cells(host: Host, doses: Mapping[date, list[Dosed]], lists: Mapping[date, tuple[str, str]]) -> Markup:
    """Draw the days of an animal with its doses; lists: each day as text, with the address of its list."""
    drawn, code = [], str(escape(host.code))
    for day, (text, day_list) in lists.items():
        of_day = doses.get(day)
        if of_day:
            drawn.append(_mark(f"{code}, {text}: ", of_day, day_list))
        elif host.died_on == day:
            drawn.append(f'<td class="dose dose-dead" title="{code} died on {text}">†</td>')
        else:
            drawn.append("<td></td>")
    return Markup("".join(drawn))  # noqa: S704  # each part was escaped where it was drawn


def _mark(where: str, doses: list[Dosed], day_list: str) -> str:
    """Draw a day with doses; several, and those that are open, lead to the day's list."""
    standing, sign, said = _told(tuple([told for told, _ in doses]))
    url = doses[0][1]
    if url is None or len(doses) > 1:
        url = None if standing == DoseStanding.PLANNED.value else day_list
    inside = f'<a href="{url}" tabindex="-1" aria-label="{said}">{sign}</a>' if url else sign
    return f'<td class="dose dose-{standing}" title="{where}{said}">{inside}</td>'


@lru_cache(maxsize=4096)
def _told(doses: tuple[tuple[DoseStanding, str], ...]) -> tuple[str, str, str]:
    """Give what is drawn of the doses of a day, its sign, and what is said of all of them: the animals of an arm share it."""
    urgent_first = sorted(doses, key=lambda dose: _URGENCY[dose[0]])
    standing = urgent_first[0][0]
    said = escape("; ".join(f"{agent} {one.value}" for one, agent in urgent_first))
    return standing.value, SIGNS[standing], str(said)


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
