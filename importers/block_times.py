"""Works out the day or date of every column of readings in wide blocks; asks for what the headers leave open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from importers import values
from importers.base import Finding, Severity
from importers.blocks import Block, TimeHeader
from importers.caliper_units import ask_step
from importers.columns import is_blank
from importers.questions import Asked
from importers.table_columns import DATE_ORDERS

DAYS_PER_WEEK = 7.0


def block_times(blocks: Sequence[Block], asked: Asked) -> dict[TimeHeader, date | float]:
    """Give each header's date or number of days. A header that stays open, or is no date, is not among them."""
    headers = list(dict.fromkeys(time for block in blocks for time in block.times))
    bare = sorted({time.when for time in headers if isinstance(time.when, float) and time.step is None})
    step = ask_step(asked, bare, blocks[0].sheet.name, _no_weeks(blocks)) if bare else None
    factors = {"day": 1.0, "week": DAYS_PER_WEEK, None: step}
    known: dict[TimeHeader, date | float] = {}
    for time in headers:
        factor = factors[time.step]
        if isinstance(time.when, date):
            known[time] = time.when
        elif isinstance(time.when, float) and factor is not None:
            known[time] = time.when * factor
    return known | _written_dates([time for time in headers if isinstance(time.when, str)], blocks[0], asked)


def _written_dates(headers: Sequence[TimeHeader], block: Block, asked: Asked) -> dict[TimeHeader, date | float]:
    """Read dates such as 3/4/2024, in the order that one of them settles or a person says."""
    if not headers:
        return {}
    texts = [str(time.when) for time in headers]
    proposed = values.propose_date_order(texts)
    order = asked.ask(
        "date_order",
        "Do the dates in the headers have the day or the month first?",
        DATE_ORDERS,
        proposed=proposed,
        evidence="One of them can only be read this way." if proposed else "Nothing in them settles it.",
        samples=texts[:3],
        sheet=block.sheet.name,
    )
    if order is None:
        return {}
    read, problems = values.dates(texts, order)
    for index, problem in problems.items():
        message = f'"{texts[index]}" in the header {problem.reason}; its column is not read'
        remedy = "correct the header and upload the file again"
        place = (block.sheet.name, block.header_row, headers[index].column, texts[index])
        asked.findings.append(Finding(Severity.ERROR, problem.code, message, *place, problem.expected, remedy))
    return {time: day(moment) for time, moment in zip(headers, read, strict=True) if moment is not None}


def day(moment: date | datetime) -> date:
    """Give the calendar day of a date or date-time."""
    return moment.date() if isinstance(moment, datetime) else moment


def _no_weeks(blocks: Sequence[Block]) -> str:
    """Show that the headers cannot count weeks: an animal that has a size at a time later than it lived."""
    for block in blocks:
        born, died = (values.dates(block.labels(key) or [], None)[0] for key in ("birth", "death"))
        for index, (first, last) in enumerate(zip(born, died, strict=False)):
            if first is None or last is None:
                continue
            lived = (day(last) - day(first)).days
            row = block.first_row + index
            latest = max(
                (time.when for time in block.times if isinstance(time.when, float) and _filled(block, row, time)), default=0.0
            )
            if 0 < lived < latest * DAYS_PER_WEEK:
                return f"The animal in row {row} lived {lived} days and has a size under {latest:g}, so weeks are impossible."
    return ""


def _filled(block: Block, row: int, time: TimeHeader) -> bool:
    cells = block.sheet.rows[row - 1]
    return time.column <= len(cells) and not is_blank(cells[time.column - 1])
