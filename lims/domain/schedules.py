"""The field's notation of dosing schedules, read, normalised and said in words: `QDx21`, `Q3Wx3`, `5on/2off x4`, `3 Gy x10`.

Sources: the Latin abbreviations of prescribing (QD, BID, TID, QOD) and those of preclinical reports (Q3Dx4, QW, BIW, TIW,
5 on/2 off); days of a cycle as in clinical protocols (`D1,8 Q3Wx4`, D1 is the first day); fractions of radiation are
given on five days a week, as in the clinic (whole-brain radiotherapy 3 Gy × 10).

The number behind the × counts what the notation repeats: days of QD and BID, doses of Q3D and Q3W, weeks of BIW and
5on/2off. A unit says otherwise (`QD x 3 weeks`). Without a number a schedule goes on until the study ends.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import count as counted
from itertools import pairwise
from math import ceil

from lims.domain.errors import DomainError

LONGEST_DAYS = 1_100
"""About a mouse's life of three years; a longer schedule is a slip of the pen."""
WEEK = 7
FRACTIONS_A_WEEK = 5
EXAMPLES = "QDx21, BIDx14, QODx7, QW, Q3Wx3, BIWx4, 5on/2off x4, D1,4,8, single or 3 Gy x10"

_TIMES = {"qd": 1, "bid": 2, "tid": 3, "qid": 4}
_LETTERS = {times: letters.upper() for letters, times in _TIMES.items()}
_OFTEN = {1: "once a day", 2: "twice a day", 3: "three times a day", 4: "four times a day"}
_WEEKLY = {"biw": (0, 3), "tiw": (0, 2, 4)}
_SINGLE = frozenset({"single", "singledose", "once", "x1", "1x"})
_PATTERN = re.compile(
    r"(?P<times>qd|bid|tid|qid)?"
    r"(?:(?P<on>\d+)d?(?:ays?)?on[/,]?(?P<off>\d+)d?(?:ays?)?off|d(?P<days>\d+(?:[,/]d?\d+)*))?"
    r"(?:(?P<other>qod)|q(?P<every>\d*)(?P<unit>d|wk?)|(?P<weekly>biw|tiw)k?)?"
    r"(?:(?:x|for)(?P<count>\d+)(?P<span>d(?:ays?)?|w(?:ks?|eeks?)?)?)?",
    re.ASCII,
)
_FRACTIONS = re.compile(r"(?:wbrt|srs|rt)?(?P<gray>\d{1,3}(?:[.,]\d{1,2})?)gy(?:x(?P<count>\d+)(?:fx|fractions?)?)?", re.ASCII)
_MOST_DIGITS = 6
_MOST_LISTED = 6


@dataclass(frozen=True, slots=True)
class Schedule:
    """Doses on `days` of each period (days from 0), `times` on each, for `count` periods; open-ended without a count.

    gray: of each fraction of radiation; `count` is then their number, and `days` those of a week from a Monday.
    """

    times: int
    days: tuple[int, ...]
    period: int
    count: int | None
    gray: float | None = None

    @property
    def notation(self) -> str:
        """Write it as it is kept."""
        if self.gray is not None:
            return f"{self.gray:g} Gy x{self.count}"
        if self == _ONE_DOSE:
            return "single"
        repeated = "" if self.count is None else f"x{self.count}"
        if self.count == 1 and len(self.days) > 1:
            return " ".join(part for part in (self._several, f"D{_numbers(self.days)}") if part)
        every = "" if len(self.days) == self.period else self._every
        spaced = f" {repeated}" if every.endswith("off") and repeated else repeated
        return f"{every or _LETTERS[self.times]}{spaced}"

    @property
    def _several(self) -> str:
        return _LETTERS[self.times] if self.times > 1 else ""

    @property
    def _every(self) -> str:
        """Write what a period longer than its days of dosing is called."""
        weekly = next((name for name, days in _WEEKLY.items() if (days, WEEK, 1) == (self.days, self.period, self.times)), None)
        if weekly:
            return weekly.upper()
        rhythm = "QOD" if self.period == 2 else f"Q{_fold(self.period)}"
        if len(self.days) == 1 and self.times == 1:
            return rhythm
        if self._on_then_off:
            return " ".join(part for part in (self._several, f"{len(self.days)}on/{self.period - len(self.days)}off") if part)
        return " ".join(part for part in (self._several, f"D{_numbers(self.days)}", rhythm) if part)

    @property
    def _on_then_off(self) -> bool:
        return 1 < len(self.days) == self.days[-1] + 1 < self.period

    @property
    def length_days(self) -> int | None:
        """Count the days from the first dose to the last, both included; None where it is open-ended."""
        return None if self.count is None else self.doses()[-1][0] + 1

    @property
    def total(self) -> int | None:
        """Count the doses; None where it is open-ended."""
        if self.count is None:
            return None
        return self.count if self.gray is not None else self.count * len(self.days) * self.times

    def doses(self, *, until: int | None = None, starts_on: date | None = None) -> tuple[tuple[int, int], ...]:
        """Give each dose as days from the first and its number on that day, from 1; none after day `until`.

        Fractions of radiation keep off Saturdays and Sundays from the day it `starts_on`; where that is not said, the
        first day counts as a Monday.

        Raises:
            ValueError: it is open-ended, and no last day is given.
        """
        if self.count is None and until is None:
            raise ValueError(f"{self.notation} goes on until the study ends: until which day?")
        given = self._fractions(starts_on or date(2001, 1, 1)) if self.gray is not None else self._repeated(until)
        return tuple((day, nth) for day in given if until is None or day <= until for nth in range(1, self.times + 1))

    def _fractions(self, starts_on: date) -> list[int]:
        found: list[int] = []
        for day in counted():
            if len(found) == self.count:
                break
            if (starts_on + timedelta(days=day)).weekday() < FRACTIONS_A_WEEK:
                found.append(day)
        return found

    def _repeated(self, until: int | None) -> list[int]:
        periods = self.count if until is None else max(until // self.period + 1, 0)
        periods = min(periods or 0, self.count or LONGEST_DAYS)
        return [start * self.period + day for start in range(periods) for day in self.days]

    def words(self, first_day: int = 0) -> str:
        """Say it in words, with the days it gives where the first dose is on study day `first_day`."""
        if self == _ONE_DOSE:
            return f"one dose on d{first_day}"
        if self.count is None:
            return f"{self._rhythm}, until the study ends"
        days = _spans(sorted({day + first_day for day, _ in self.doses()}))
        if self.gray is not None:
            each = f"{self.count} fraction{'s' if self.count > 1 else ''} of {self.gray:g} Gy"
            if self.count == 1:
                return f"{each}: on {days}"
            return (
                f"{each} ({self.gray * self.count:g} Gy in all), 5 a week and none at weekends: "
                f"on {days} where d{first_day} is a Monday"
            )
        return f"{self._rhythm}{self._long}: {self.total} doses on {days}"

    @property
    def _long(self) -> str:
        if len(self.days) == self.period == 1:
            return f" for {self.count} day{'s' if self.count != 1 else ''}"
        if self.count == 1:
            return ""
        if self.period != WEEK or len(self.days) == 1:
            return f", {self.count} times"
        return f"{',' if self._on_then_off else ''} for {self.count} weeks"

    @property
    def _rhythm(self) -> str:
        often = _OFTEN[self.times]
        if self.period == 1:
            return often
        if self.count == 1:
            return f"{often} on the days listed"
        if self.notation.partition(" ")[0].startswith(("BIW", "TIW")):
            return "twice a week" if len(self.days) == 2 else "three times a week"
        if len(self.days) == 1 and self.times == 1:
            return {2: "every other day", WEEK: "once a week"}.get(self.period) or _each(self.period)
        if self._on_then_off:
            off = self.period - len(self.days)
            return f"{often} for {len(self.days)} days, then {off} day{'s' if off > 1 else ''} off"
        return f"{often} on day{'s' if len(self.days) > 1 else ''} {_numbers(self.days)} of {_each(self.period)}"


_ONE_DOSE = Schedule(1, (0,), 1, 1)


@lru_cache(maxsize=1024)
def parse_schedule(text: str) -> Schedule:
    """Read a schedule in the field's notation, in whatever case and with ×, x or *.

    Raises:
        DomainError: it cannot be read, gives no dose, or goes on for longer than a mouse lives.
    """
    squeezed = _squeezed(text)
    if squeezed in _SINGLE:
        return _ONE_DOSE
    if fractions := _FRACTIONS.fullmatch(squeezed):
        found = _of_fractions(text, fractions)
    elif (matched := _PATTERN.fullmatch(squeezed)) and squeezed:
        found = _of_match(text, matched)
    else:
        raise _unread(text)
    if found.count is not None and found.count * (1 if found.gray is not None else found.period) > LONGEST_DAYS:
        raise _unread(text, f"goes on for longer than {LONGEST_DAYS} days, which is longer than a mouse lives")
    return found


def _squeezed(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("×", "x").replace("*", "x").strip()
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", plain, flags=re.ASCII)


def _unread(text: str, told: str = "cannot be read as a schedule") -> DomainError:
    return DomainError(
        f'"{text.strip()}" {told}.',
        field="schedule",
        expected=f"the field's notation, such as {EXAMPLES}",
        remedy="The number behind the x counts days of QD and BID, doses of Q3D and Q3W, weeks of BIW and 5on/2off.",
    )


def _of_fractions(text: str, matched: re.Match[str]) -> Schedule:
    gray, count = float(matched["gray"].replace(",", ".")), _number(text, matched["count"] or "1")
    if not gray or not count:
        raise _unread(text, "gives no dose")
    return Schedule(1, tuple(range(FRACTIONS_A_WEEK)), WEEK, count, gray)


def _of_match(text: str, matched: re.Match[str]) -> Schedule:
    rhythm = matched["other"] or matched["unit"] or matched["weekly"]
    times = _TIMES[matched["times"]] if matched["times"] else 1
    inside = matched["on"] or matched["days"]
    if not (matched["times"] or inside or rhythm) or (rhythm and (matched["on"] or (matched["times"] and not inside))):
        raise _unread(text)
    period = _period(text, matched)
    if inside:
        days, period = _days_inside(text, matched, period if rhythm else None)
    elif matched["weekly"]:
        days = _WEEKLY[matched["weekly"]]
    else:
        days = (0,)
    listed = matched["days"] is not None and not rhythm
    if listed and matched["count"]:
        raise _unread(text, "lists days, and does not say how long a cycle is that is repeated (D1,8 Q3Wx4)")
    count = 1 if listed else _count(text, matched, days, period)
    return _simplest(times, days, period, count)


def _period(text: str, matched: re.Match[str]) -> int:
    if matched["other"]:
        return 2
    if matched["weekly"]:
        return WEEK
    days = _number(text, matched["every"] or "1") * (WEEK if (matched["unit"] or "d").startswith("w") else 1)
    if not 0 < days <= LONGEST_DAYS:
        raise _unread(text, "gives no dose" if not days else "cannot be read as a schedule")
    return days


def _days_inside(text: str, matched: re.Match[str], cycle: int | None) -> tuple[tuple[int, ...], int]:
    if matched["on"]:
        on, off = _number(text, matched["on"]), _number(text, matched["off"])
        if not on or not off or on + off > LONGEST_DAYS:
            raise _unread(text, "has no days on, or none off" if not on or not off else "cannot be read as a schedule")
        return tuple(range(on)), on + off
    days = tuple(_number(text, one) - 1 for one in re.findall(r"\d+", matched["days"]))
    if days[0] != 0:
        raise _unread(text, "does not begin with D1, the day of the first dose")
    if any(later <= earlier for earlier, later in pairwise(days)) or days[-1] >= (cycle or LONGEST_DAYS):
        raise _unread(text, "lists days that do not follow one another within its cycle")
    return days, cycle or days[-1] + 1


def _count(text: str, matched: re.Match[str], days: tuple[int, ...], period: int) -> int | None:
    if matched["count"] is None:
        return None
    count = _number(text, matched["count"])
    if matched["span"]:
        span = count * (WEEK if matched["span"].startswith("w") else 1)
        if span % period and len(days) > 1:
            raise _unread(text, f"is no whole number of its periods of {period} days")
        count = ceil(span / period)
    if not count:
        raise _unread(text, "gives no dose")
    return count


def _simplest(times: int, days: tuple[int, ...], period: int, count: int | None) -> Schedule:
    """Give the same doses the same schedule, however they were written."""
    if len(days) == period and count is not None:
        return Schedule(times, (0,), 1, count * period)
    if len(days) == period or (count == 1 and days[-1] == len(days) - 1):
        return Schedule(times, (0,), 1, count and count * len(days))
    return Schedule(times, days, days[-1] + 1 if count == 1 else period, count)


def _number(text: str, digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _unread(text)
    return int(digits)


def _fold(days: int) -> str:
    whole = days % WEEK == 0
    number = days // WEEK if whole else days
    return f"{number if number > 1 else ''}{'W' if whole else 'D'}"


def _each(days: int) -> str:
    number, unit = (days // WEEK, "week") if days % WEEK == 0 else (days, "day")
    return f"every {number} {unit}s" if number > 1 else f"every {unit}"


def _numbers(days: tuple[int, ...]) -> str:
    return ",".join(str(day + 1) for day in days)


def _spans(days: list[int]) -> str:
    """Write days as `d0–d4, d7–d11`, the middle of a long list left out."""
    spans: list[list[int]] = []
    for day in days:
        if spans and day == spans[-1][1] + 1:
            spans[-1][1] = day
        else:
            spans.append([day, day])
    said = [f"d{first}" if first == last else f"d{first}–d{last}" for first, last in spans]
    if len(said) > _MOST_LISTED:
        said = [*said[:3], "…", said[-1]]
    return ", ".join(said)
