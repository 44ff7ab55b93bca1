"""Judges every reading of a plan: by the rules (`lims.intake.rules`), by the other readings of its file, by what is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise, repeat

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from importers.base import Finding, Severity
from lims import progress
from lims.domain.errors import DomainError
from lims.domain.readings import jump_words, jumps
from lims.domain.sources import PLAUSIBLE
from lims.domain.vocabulary import RecordStatus, RowFate
from lims.intake.accepted import ACCEPT_OPTION, accepts_changes
from lims.intake.entries import Entries
from lims.intake.plan import Plan, Planned, Recorded
from lims.intake.rules import RULES
from lims.intake.validate_events import judge_deaths, judge_doses, judge_stays
from lims.models import ImportBatch, Measurement
from lims.queries.chunks import in_chunks
from lims.records.locked import locks_of, refuse_added, refuse_altered

Slot = tuple[int, int, str, str]
"""Animal, implant (0: the animal itself), kind, moment."""


def validate(session: Session, plan: Plan, batch: ImportBatch, *, today: date) -> None:
    """Judge every entry of a plan: deaths first, then what was done to the living, then what is already recorded.

    Readings of the batch that this one supersedes do not count as recorded.
    """
    if plan.deaths is not None:
        accepted = accepts_changes(batch.choices, "fate")
        plan.findings.extend(judge_deaths(session, plan, plan.deaths, today, accept_changes=accepted))
    if plan.doses is not None:
        plan.findings.extend(judge_doses(session, plan, plan.doses, batch, today))
    if plan.stays is not None:
        plan.findings.extend(judge_stays(session, plan, plan.stays, today))
    for planned in plan.planned:
        for rule in RULES:
            plan.findings.extend(rule(planned, today))
        progress.advance(len(planned))
    _meet_days(session, plan)
    recorded = _recorded(session, plan, batch.supersedes_id)
    for planned in plan.planned:
        accepted = accepts_changes(batch.choices, planned.kind.code)
        plan.findings.extend(_slots(planned, recorded, accept_changes=accepted))
        if sum(one.kind is planned.kind for one in plan.planned) > 1:
            _remember(planned, recorded)
    plan.findings.extend(finding for planned in plan.planned for finding in _jumps(planned))
    plan.findings.extend(_keep_signed(session, plan))


def _keep_signed(session: Session, plan: Plan) -> Iterator[Finding]:
    """Refuse what would alter what a locked study says of its animals; the records refuse it too, when it is too late to look."""
    locks = locks_of(session, [host.id for host in plan.names.hosts.values() if host.id > 0])
    judged = {RowFate.NEW: refuse_added, RowFate.CHANGED: refuse_altered}
    parts: list[Entries | None] = [*plan.planned, plan.doses, plan.deaths]
    for entries in parts if locks else ():
        for index, host in enumerate(entries.hosts if entries is not None else ()):
            if entries is None or host is None or (refuse := judged.get(entries.fate(index))) is None:
                continue
            study = plan.names.studies.get(entries.source.animals[index])
            try:
                refuse(locks.get(host.id, ()), study.id if study else None)
            except DomainError as refused:
                remedy = f"Leave the row out; a locked study keeps what was signed. {refused.remedy}"
                yield entries.refuse(index, "study-locked", str(refused), refused.expected, remedy)


def _meet_days(session: Session, plan: Plan) -> None:
    """Let day 14 of a study meet what is recorded as its day 14, even if day 0 was dated, or dated otherwise, in between."""
    by_days = [planned for planned in plan.planned if planned.days is not None]
    animals = sorted({host.id for planned in by_days for host in planned.hosts if host and host.id > 0})
    table = Measurement.__table__.c
    subject = (table.animal_id, func.coalesce(table.implant_id, 0), table.kind)
    wanted = and_(table.status == RecordStatus.ACTIVE, table.relative_day.is_not(None), table.study_id.is_not(None))
    rows = in_chunks(
        session,
        animals,
        lambda some: select(*subject, table.study_id, table.relative_day, table.slot).where(table.animal_id.in_(some), wanted),
    )
    slots = {tuple(row[:5]): row[5] for row in rows}
    for planned in by_days if slots else ():
        for index, (place, day) in enumerate(zip(planned.places, planned.days or (), strict=True)):
            key = (*planned.subject(index), planned.kind.code, place.id if place else 0, day)
            planned.slots[index] = slots.get(key, planned.slots[index])


def _recorded(session: Session, plan: Plan, ignore_batch: int | None) -> dict[Slot, list[Recorded]]:
    """Give what is recorded in this project for the animals and kinds of the file, by slot, in a few statements."""
    animals = sorted({host.id for host in plan.names.hosts.values() if host.id > 0})
    kinds = sorted({planned.kind.code for planned in plan.planned})
    found: dict[Slot, list[Recorded]] = defaultdict(list)
    table = Measurement.__table__.c
    wanted = and_(table.status == RecordStatus.ACTIVE, table.kind.in_(kinds))
    if ignore_batch is not None:
        wanted = and_(wanted, table.batch_id.is_distinct_from(ignore_batch))
    columns = (
        table.animal_id,
        func.coalesce(table.implant_id, 0),
        table.kind,
        table.slot,
        table.id,
        table.occurrence,
        table.value,
        table.length_mm,
        table.width_mm,
        table.batch_id,
        table.source_row,
    )
    for row in in_chunks(session, animals, lambda some: select(*columns).where(table.animal_id.in_(some), wanted)):
        found[tuple(row[:4])].append(Recorded(*row[4:]))
    return found


def _slots(planned: Planned, recorded: dict[Slot, list[Recorded]], *, accept_changes: bool) -> Iterator[Finding]:
    """Decide what is new, the same, changed or conflicting: by slot and occurrence, never by content alone."""
    kind = planned.kind.code
    animals = [host.id if host else 0 for host in planned.hosts]
    implants = [tumour[0] if tumour else 0 for tumour in planned.tumours] if planned.tumours else repeat(0, len(planned))
    keys = list(zip(animals, implants, repeat(kind, len(planned)), planned.slots, strict=True))
    if len(set(keys)) == len(keys) and not (recorded and not recorded.keys().isdisjoint(keys)):
        return
    groups: dict[Slot, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        if index not in planned.fates:
            groups[key].append(index)
    for key, indices in groups.items():
        there = recorded.get(key, [])
        if there or len(indices) > 1:
            yield from _slot(planned, indices, there, accept_changes=accept_changes)


def _remember(planned: Planned, recorded: dict[Slot, list[Recorded]]) -> None:
    """Let a later block of the same file meet what an earlier one brings."""
    for index in planned.indices(RowFate.NEW):
        animal, implant = planned.subject(index)
        value, length, width = _content(planned, index)
        one = Recorded(0, planned.occurrences.get(index, 1), value or 0.0, length, width, 0, planned.series.rows[index])
        recorded[animal, implant, planned.kind.code, planned.slots[index]].append(one)


def _slot(planned: Planned, indices: list[int], there: list[Recorded], *, accept_changes: bool) -> Iterator[Finding]:
    """Judge all readings of one slot against each other and against what is recorded in it."""
    first = indices[0]
    if not planned.series.repeats:
        indices = _written_once(planned, indices)
    if len({_content(planned, index) for index in indices}) > 1:
        yield from _two_readings(planned, indices)
        return
    matched = {one.occurrence: one for one in there}
    for occurrence, index in enumerate(indices, start=1):
        one = matched.get(occurrence)
        if occurrence > 1:
            planned.occurrences[index] = occurrence
        if one is None:
            if occurrence > 1:
                yield planned.finding(
                    index,
                    Severity.WARNING,
                    "reading-repeated",
                    f"{planned.kind.title} of {planned.name(index)} at {planned.when(index)} stands in this file "
                    f"{len(indices)} times with this value (first in row {planned.series.rows[first]}); "
                    f"recorded as reading {occurrence}.",
                    expected="one row for each reading",
                    remedy="Leave the row out if it was copied by mistake.",
                )
            continue
        planned.recorded[index] = one
        if _same(planned, index, one):
            planned.fates[index] = RowFate.SAME
        else:
            yield _changed(planned, index, one, accept_changes=accept_changes)


def _written_once(planned: Planned, indices: list[int]) -> list[int]:
    """Keep the first of equal readings, in formats that write one reading on several rows; the others are the same one."""
    kept: dict[object, int] = {}
    for index in indices:
        content = _content(planned, index)
        if content in kept:
            planned.fates[index] = RowFate.SAME
        else:
            kept[content] = index
    return list(kept.values())


def _content(planned: Planned, index: int) -> tuple[float | None, ...]:
    series = planned.series
    length = series.lengths[index] if series.lengths else None
    width = series.widths[index] if series.widths else None
    return (planned.values[index], length, width)


def _same(planned: Planned, index: int, one: Recorded) -> bool:
    value, length, width = _content(planned, index)
    diameters = {length, width} - {None}
    return value == one.value and (not diameters or one.length is None or diameters == {one.length, one.width})


def _two_readings(planned: Planned, indices: list[int]) -> Iterator[Finding]:
    first = indices[0]
    told = f"{planned.kind.title} of {planned.name(first)} at {planned.when(first)} has {len(indices)} different values"
    expected = "one value, or a time of day that tells the readings apart"
    return planned.contradict(indices, "two-readings-in-one-slot", told, expected)


def _changed(planned: Planned, index: int, one: Recorded, *, accept_changes: bool) -> Finding:
    kind, by_form = planned.kind, one.batch_id is None
    origin = "by hand" if by_form else f"from {f'batch {one.batch_id}' if one.id else 'this file'}, row {one.source_row}"
    sentence = (
        f"{kind.title} of {planned.name(index)} at {planned.when(index)} is recorded as {one.value:g} {kind.unit} ({origin}); "
        f"this file says {planned.values[index]:g} {kind.unit}."
    )
    if by_form or not one.id:
        planned.fates[index] = RowFate.CONFLICTING
        return planned.finding(
            index,
            Severity.ERROR,
            "differs-from-record",
            sentence,
            expected=f"{one.value:g}",
            remedy="Correct the record by hand if the file is right, or leave the row out.",
        )
    planned.fates[index] = RowFate.CHANGED
    return planned.finding(
        index,
        Severity.WARNING if accept_changes else Severity.ERROR,
        "differs-from-import",
        sentence,
        expected=f"{one.value:g}",
        remedy="Accept the changes with a reason, or leave the rows out.",
        option=ACCEPT_OPTION,
    )


def _jumps(planned: Planned) -> Iterator[Finding]:
    """Warn where a value is many times its neighbour in time: one wrong decimal is the usual cause."""
    ratio = planned.kind.jump
    positive = [value for value in planned.values if value is not None and value > 0]
    if not positive or max(positive) <= min(positive) * ratio:
        return
    by_subject: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    tumours = planned.series.tumours or [None] * len(planned)
    for index, key in enumerate(zip(planned.series.animals, tumours, strict=True)):
        by_subject[key].append(index)
    values = planned.values
    for indices in by_subject.values():
        indices.sort(key=planned.series.when.__getitem__)
        known = [values[index] or 0 for index in indices]
        for place, (one, other) in enumerate(pairwise(known), start=1):
            # Asked here first: a call for each of 100,000 pairs takes as long as everything else in this rule.
            if other <= one * ratio and one <= other * ratio:
                continue
            if jumps(planned.kind, other, one) and indices[place] not in planned.fates:
                after = indices[place]
                yield planned.finding(
                    after,
                    Severity.WARNING,
                    "value-jumps",
                    jump_words(planned.kind, other, one, f"{planned.name(after)} at {planned.when(after)}"),
                    expected=f"less than {ratio:g} times up or down between two readings",
                    remedy="Look at the source again; record it if it is right.",
                    source=PLAUSIBLE,
                )
