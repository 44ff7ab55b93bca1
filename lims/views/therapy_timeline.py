"""A patient's treatment as a drawing: a bar a line of therapy on one axis of years, and when tissue was collected.

The server draws it as SVG; the table beneath it on the page says the same in words. Units are pixels at full width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lims.models import Specimen, TherapyLine

WIDTH = 880
_LEFT, _RIGHT = 6, 6
_TOP = 18
"""Above the bars: the codes of specimens."""
_ROW = 38
_SHORTEST = 3
"""A day of radiosurgery is still seen."""
_LETTER = 7.2
_TICKS = 8
"""At most so many labelled years."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of therapy: its label above the bar. goes_on: it has no last day, and may reach until today."""

    label: str
    when: str
    x: float
    y: float
    width: float
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A year of the axis, or a specimen on the day of its collection. anchor: which end of the text stands at x."""

    x: float
    label: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing. undated: the numbers of lines that have no first day and are not drawn."""

    height: int
    bars: list[Bar]
    years: list[Mark]
    specimens: list[Mark]
    undated: list[int]
    width: int = WIDTH


def timeline(lines: Sequence[TherapyLine], specimens: Sequence[Specimen], today: date) -> Timeline | None:
    """Draw the lines that have a first day; None where there is none."""
    dated = [(line, line.started_on, line.stopped_on or today) for line in lines if line.started_on is not None]
    if not dated:
        return None
    collected = [(one.collected_on, one.code) for one in specimens if one.collected_on is not None]
    days = [day for _, start, end in dated for day in (start, end)] + [day for day, _ in collected]
    first, last = min(days), max(days)
    scale = (WIDTH - _LEFT - _RIGHT) / max((last - first).days, 1)

    def x(day: date) -> float:
        return round(_LEFT + (day - first).days * scale, 1)

    bars = [
        Bar(
            label=_label(line),
            when=f"{start} to {line.stopped_on or 'today'}",
            x=min(x(start), WIDTH - _RIGHT - _SHORTEST),
            y=_TOP + number * _ROW + 17,
            width=max(round(x(end) - x(start), 1), _SHORTEST),
            goes_on=line.stopped_on is None,
        )
        for number, (line, start, end) in enumerate(dated)
    ]
    return Timeline(
        height=_TOP + len(dated) * _ROW + 22,
        bars=bars,
        years=[Mark(x(day), str(day.year)) for day in _years(first, last)],
        specimens=_apart([Mark(x(day), code) for day, code in sorted(collected)]),
        undated=[line.line_number for line in lines if line.started_on is None],
    )


def _label(line: TherapyLine) -> str:
    agents = " + ".join(agent.name for agent in line.current_agents)
    text = f"{line.line_number} · {agents}"
    most = int((WIDTH - _LEFT - _RIGHT) / _LETTER)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _years(first: date, last: date) -> list[date]:
    """Give the first days of years within the span, every second or fifth one where it is long."""
    years = range(first.year + 1, last.year + 1)
    step = next(one for one in (1, 2, 5, 10, 20, 50) if len(years) <= one * _TICKS)
    return [date(year, 1, 1) for year in years if year % step == 0]


def _apart(marks: list[Mark]) -> list[Mark]:
    """Let the codes of specimens not run over each other or the edge: one that would goes to the line's other side, or away."""
    placed: list[Mark] = []
    taken = 0.0
    for mark in marks:
        length = len(mark.label) * _LETTER
        if mark.x + length <= WIDTH and mark.x >= taken:
            placed.append(mark)
            taken = mark.x + length + _LETTER
        elif mark.x - length >= taken:
            placed.append(Mark(mark.x, mark.label, "end"))
            taken = mark.x + _LETTER
        else:
            placed.append(Mark(mark.x, ""))
    return placed
