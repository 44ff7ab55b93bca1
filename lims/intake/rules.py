"""The rules that a single reading is judged by, in an explicit list; each gives all its findings, and marks what it refuses.

Every rule looks at the whole column first (its lowest, its highest, its last date) and at single readings only where
that shows something, so that a clean file costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from importers.base import Finding, Severity
from lims.domain.readings import (
    USUAL_SHAPE,
    elongated,
    elongated_words,
    limit_passed,
    outside_words,
    possible,
    usual_span,
)
from lims.domain.slots import LONGEST_STUDY_DAYS
from lims.domain.sources import ORDER_OF_EVENTS, PLAUSIBLE
from lims.intake.entries import Entries
from lims.intake.names import LONGEST_NAME
from lims.intake.plan import Planned

EARLIEST = date(1970, 1, 1)
"""Human tumours were first grown in nude mice in 1969 (Rygaard and Povlsen)."""

Rule = Callable[[Planned, date], Iterator[Finding]]
TimeRule = Callable[[Entries, date], Iterator[Finding]]
"""A rule about when something happened, whatever it is."""


def no_future(planned: Entries, today: date) -> Iterator[Finding]:
    """Nothing is dated in the future."""
    dates = [taken for taken in planned.taken_on if taken is not None]
    if not dates or max(dates) <= today:
        return
    for index, taken in enumerate(planned.taken_on):
        if taken is not None and taken > today:
            yield planned.refuse(
                index,
                "date-in-future",
                f"{planned.title} of {planned.name(index)} is dated {taken}, which is in the future (today is {today}).",
                f"a date up to {today}",
                "Correct the date in the file.",
                ORDER_OF_EVENTS,
            )


def plausible_time(planned: Entries, today: date) -> Iterator[Finding]:
    """Nothing is dated before there were such experiments."""
    dates = [taken for taken in planned.taken_on if taken is not None]
    if dates and min(dates) < EARLIEST:
        for index, taken in enumerate(planned.taken_on):
            if taken is not None and taken < EARLIEST:
                yield planned.refuse(
                    index,
                    "date-too-early",
                    f"{planned.title} of {planned.name(index)} is dated {taken}, before {EARLIEST.year}.",
                    f"a date from {EARLIEST} on",
                    "Correct the date in the file; a cell with 0 or 1 that is formatted as a date looks like this.",
                    PLAUSIBLE,
                )


def plausible_day(planned: Planned, today: date) -> Iterator[Finding]:
    """Nothing is counted in days that no study reaches."""
    for index, day in enumerate(planned.days or ()):
        if abs(day) > LONGEST_STUDY_DAYS:
            yield planned.refuse(
                index,
                "day-impossible",
                f"{planned.title} of {planned.name(index)} stands at day {day:g}, more than ten years from day 0.",
                f"a day from {-LONGEST_STUDY_DAYS:,} to {LONGEST_STUDY_DAYS:,}",
                "Correct the day in the file; a date that is formatted as a number looks like this.",
                PLAUSIBLE,
            )


def after_birth(planned: Entries, today: date) -> Iterator[Finding]:
    """Nothing happens to an animal before it is born."""
    if not any(host and host.birth_date for host in planned.different_hosts):
        return
    for index, (host, taken) in enumerate(zip(planned.hosts, planned.taken_on, strict=True)):
        if host is not None and host.birth_date and taken is not None and taken < host.birth_date:
            yield planned.refuse(
                index,
                "date-before-birth",
                f"{planned.title} of {planned.name(index)} is dated {taken}, before the animal was born ({host.birth_date}).",
                f"a date from {host.birth_date} on",
                "Correct the date in the file, or the animal's date of birth.",
                ORDER_OF_EVENTS,
            )


def before_death(planned: Entries, today: date) -> Iterator[Finding]:
    """Nothing happens to an animal after it is dead."""
    if not any(host and host.died_on for host in planned.different_hosts):
        return
    for index, (host, taken) in enumerate(zip(planned.hosts, planned.taken_on, strict=True)):
        if host is not None and host.died_on and taken is not None and taken > host.died_on:
            yield planned.refuse(
                index,
                "date-after-death",
                f"{planned.title} of {planned.name(index)} is dated {taken}, after the animal died ({host.died_on}).",
                f"a date up to {host.died_on}",
                "Correct the date in the file, or the animal's date of death.",
                ORDER_OF_EVENTS,
            )


def within_limits(planned: Planned, today: date) -> Iterator[Finding]:
    """A value lies within the kind's hard limits, and is doubted outside the soft ones."""
    kind = planned.kind
    known = [value for value in planned.values if value is not None]
    if not known or (min(known) >= kind.soft_min and max(known) <= kind.soft_max):
        return
    for index, value in enumerate(planned.values):
        limit = None if value is None else limit_passed(kind, value)
        if value is None or limit is None:
            continue
        told = outside_words(kind, value, limit, planned.name(index))
        if possible(kind, value):
            yield planned.finding(
                index,
                Severity.WARNING,
                "value-unusual",
                told,
                expected=usual_span(kind),
                remedy="Look at the source again; record it if it is right.",
                source=PLAUSIBLE,
            )
            continue
        span = usual_span(kind, hard=True)
        yield planned.refuse(index, "value-impossible", told, span, "Correct the value in the file.", PLAUSIBLE)


def short_names(planned: Planned, today: date) -> Iterator[Finding]:
    """A person or a device has a name, not a chapter."""
    for column in (planned.series.operators, planned.series.devices):
        if column is None or not any(name and len(name) > LONGEST_NAME for name in set(column)):
            continue
        for index, name in enumerate(column):
            if name and len(name) > LONGEST_NAME:
                yield planned.refuse(
                    index,
                    "name-too-long",
                    f'"{name[:30]}…", the operator or device of {planned.name(index)}, has {len(name):,} characters.',
                    f"at most {LONGEST_NAME} characters",
                    "Shorten the name in the file.",
                )


def stated_volume(planned: Planned, today: date) -> Iterator[Finding]:
    """A volume that the file states beside its diameters agrees with them, or the file is told to differ: once."""
    stated = planned.series.stated or ()
    differs = [
        index
        for index, (told, value) in enumerate(zip(stated, planned.values, strict=False))
        if told is not None and value is not None and abs(told - value) > max(0.01 * value, 0.5)
    ]
    if differs:
        first = differs[0]
        yield planned.finding(
            first,
            Severity.WARNING,
            "stated-volume-differs",
            f"{len(differs)} volumes that the file states differ from ½·L·W² of their diameters, by which they are recorded; the "
            f"first is {planned.name(first)}: {stated[first]:,g} mm³ stated, {planned.values[first]:,g} mm³ by its diameters.",
            expected="½·L·W², L the longer diameter",
            remedy="Nothing, where the file used another formula; otherwise look at the diameters again.",
        )


def plausible_shape(planned: Planned, today: date) -> Iterator[Finding]:
    """No tumour is many times as long as wide: a decimal point went missing."""
    lengths, widths = planned.series.lengths, planned.series.widths
    if lengths is None or widths is None:
        return
    for index, length, width in elongated(lengths, widths):
        yield planned.finding(
            index,
            Severity.WARNING,
            "diameters-unusual",
            elongated_words(length, width, planned.name(index)),
            expected=USUAL_SHAPE,
            remedy="Look at the source again; record it if it is right.",
            source=PLAUSIBLE,
        )


TIME_RULES: tuple[TimeRule, ...] = (no_future, plausible_time, after_birth, before_death)
RULES: tuple[Rule, ...] = (*TIME_RULES, plausible_day, within_limits, plausible_shape, short_names, stated_volume)
