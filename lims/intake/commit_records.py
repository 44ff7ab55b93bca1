"""Judges the records of a file and writes them, block by block, in a transaction that a check rolls back and a commit keeps.

So a line may refer to what an earlier line of its file makes, and every rule of the records sees what it will see: what the
check says is what the commit does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from importers.base import Finding, Reading, Records, Severity
from importers.sheets import Workbook
from lims import progress
from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST
from lims.domain.vocabulary import RowFate
from lims.intake.accepted import ACCEPT_OPTION, accepts_changes
from lims.intake.plan_records import Lines, PlannedRecords, Reader, in_turn, key_of, meet
from lims.intake.record_changes import Stale, named_by, stale_fields, tell_change
from lims.intake.record_nouns import file_nouns
from lims.intake.record_stories import Teller
from lims.models import ImportBatch
from lims.progress import Step
from lims.records.sifting import Sifted, change_each, record_each
from lims.records.sources import Sources, record_sources

_LOOK = "Look at the source again; record it if it is right."
"""What to do about a doubt."""


def record_all(
    session: Session, actor: Actor, batch: ImportBatch, book: Workbook, reading: Reading, zone: ZoneInfo
) -> list[PlannedRecords]:
    """Judge and write the records of a reading, in their order; those that refer to others come after them.

    The session is a writer's. Nothing of a line that is refused is written.
    """
    declare(session, actor, "batch:check", project=batch.project_id)
    writer = _Writer(session, actor, batch, zone)
    progress.begin(Step.JUDGE, sum(map(len, reading.records)))
    return [writer.write(_planned(book, records)) for records in reading.records]


def _planned(book: Workbook, records: Records) -> PlannedRecords:
    kind = file_nouns()[records.noun]
    return PlannedRecords(records, book.sheets[records.sheet].name, kind, [{} for _ in range(len(records))])


class _Writer:
    """Writes the blocks of one file, one after the other."""

    def __init__(self, session: Session, actor: Actor, batch: ImportBatch, zone: ZoneInfo) -> None:
        self.session = session
        self.actor = actor
        self.batch = batch
        self.made: dict[str, set[int]] = defaultdict(set)
        self.reader = Reader(session, batch.project_id, zone, self.made)

    def write(self, planned: PlannedRecords) -> PlannedRecords:
        """Judge and write one block."""
        for lines in in_turn(planned):
            self.reader.read(planned, lines)
            self._compare_with_each_other(planned, lines)
            meet(self.session, self.batch.project_id, planned, lines)
            self._record_new(planned, lines)
            self._change_standing(planned, lines)
            progress.advance(len(lines))
        planned.tell_unknown()
        self._keep_sources(planned)
        return planned

    @staticmethod
    def _compare_with_each_other(planned: PlannedRecords, lines: Lines) -> None:
        """Take a line that says again what an earlier one says as the same, and refuse lines that contradict each other."""
        groups: dict[Any, list[int]] = defaultdict(list)
        for index in planned.open(lines):
            known = planned.records.known[index] if planned.records.known else None
            key = ("known", known) if known is not None else key_of(planned, index)
            if key is not None:
                groups[key].append(index)
        for indices in groups.values():
            first = planned.rows[indices[0]]
            if all(planned.rows[index] == first for index in indices[1:]):
                planned.fates |= dict.fromkeys(indices[1:], RowFate.SAME)
                continue
            told = f"{planned.title} {planned.name(indices[0])} stands here {len(indices)} times, with different values"
            planned.findings += planned.contradict(indices, "two-lines-of-one-record", told, "one line for each")

    def _record_new(self, planned: PlannedRecords, lines: Lines) -> None:
        indices = [index for index in planned.open(lines) if index not in planned.standing]
        self._tell_unnamed(planned, indices)
        noun = planned.kind.noun
        rows = [self._own(planned, index) for index in indices]
        sifted = record_each(self.session, self.actor, noun, self.batch.project_id, rows)
        self._teller(planned).begin(list(sifted.records.values()))
        self._tell(planned, indices, sifted)
        for place, one in sifted.records.items():
            planned.made[indices[place]] = one.id
            self.made[planned.kind.entity].add(one.id)

    @staticmethod
    def _tell_unnamed(planned: PlannedRecords, indices: Sequence[int]) -> None:
        """Say which lines nothing tells from others: their codes are given now, and no later file meets them."""
        unnamed = [index for index in indices if key_of(planned, index) is None]
        if unnamed:
            what = planned.kind.noun.word
            told = f"{len(unnamed):,} line{'s give' if len(unnamed) > 1 else ' gives'} no {what} code; codes are generated."
            expected = "a code in each line of a list that is imported again"
            remedy = "Leave it so if this list comes once; the same lines in another file would be recorded again."
            planned.findings.append(
                planned.finding(unnamed[0], Severity.NOTE, "code-generated", told, expected=expected, remedy=remedy)
            )

    def _teller(self, planned: PlannedRecords) -> Teller:
        return planned.kind.teller(self.session, self.actor, self.batch)

    def _own(self, planned: PlannedRecords, index: int) -> dict[str, Any]:
        """Give a new record's values by column, with its source where its table has columns for that."""
        columns = planned.kind.noun.columns
        source = {
            "batch_id": self.batch.id,
            "source_sheet": planned.sheet[:LONGEST],
            "source_row": planned.records.rows[index],
            "source_column": planned.column(index),
            "raw": planned.records.raw[index],
        }
        return {name: value for name, value in (planned.rows[index] | source).items() if name in columns}

    def _change_standing(self, planned: PlannedRecords, lines: Lines) -> None:
        """Judge lines about records that are there: the same, or changed; recorded only where a person accepts changes."""
        wanted: dict[int, dict[str, Any]] = {}
        for index in planned.open(lines):
            if index in planned.standing:
                differing = self._differing(planned, index)
                if differing:
                    wanted[index] = differing
                else:
                    planned.fates[index] = RowFate.SAME
        if not wanted:
            return
        accepts = accepts_changes(self.batch.choices, planned.kind.noun.name)
        named = named_by(self.session, planned, wanted)  # held, so that each is read once
        stale = stale_fields(self.session, planned, wanted)
        self._refuse_stale(planned, wanted, stale)
        indices = [index for index in wanted if index not in planned.fates]
        pairs = [(planned.standing[index], wanted[index]) for index in indices]
        teller = self._teller(planned)
        before = teller.before([standing for standing, _ in pairs])
        sifted = change_each(self.session, planned.kind.noun, self.batch.project_id, pairs, keep=accepts)
        if accepts:
            teller.after(list(sifted.records.values()), before)
        self._tell(planned, indices, sifted)
        for place, changes in sifted.changes.items():
            index = indices[place]
            self._changed(planned, index, {name: changes[name] for name in wanted[index] if name in changes}, accepts=accepts)
        del named

    def _differing(self, planned: PlannedRecords, index: int) -> dict[str, Any]:
        """Give what a line says otherwise than the record; a blank takes away only where the file is our own export."""
        one, columns = planned.standing[index], planned.kind.noun.columns
        return {
            name: value
            for name, value in planned.rows[index].items()
            if name in columns and (value is not None or planned.records.blank_clears) and getattr(one, name) != value
        }

    def _refuse_stale(self, planned: PlannedRecords, wanted: dict[int, dict[str, Any]], stale: dict[int, list[Stale]]) -> None:
        entity = planned.kind.entity
        for index in wanted:
            if planned.standing[index].id in self.made[entity]:
                planned.fates[index] = RowFate.CONFLICTING
                told = f"{planned.title} {planned.name(index)} stands in this file twice, with different values."
                refused = DomainError(
                    told, expected="one line for each", remedy="Correct the file, or leave out the line that is wrong."
                )
                planned.tell(index, Severity.ERROR, "two-lines-of-one-record", refused)
            for one in stale.get(index, ()):
                planned.fates[index] = RowFate.CONFLICTING
                planned.tell(index, Severity.ERROR, "changed-meanwhile", one.told(planned, index))

    def _changed(self, planned: PlannedRecords, index: int, changes: Mapping[str, tuple[Any, Any]], *, accepts: bool) -> None:
        if not changes:
            planned.fates[index] = RowFate.SAME
            return
        planned.fates[index] = RowFate.CHANGED
        severity = Severity.WARNING if accepts else Severity.ERROR
        planned.tell(index, severity, "record-changed", tell_change(self.session, planned, index, changes), ACCEPT_OPTION)
        if accepts:
            planned.made[index] = planned.keys[index]

    @staticmethod
    def _tell(planned: PlannedRecords, indices: Sequence[int], sifted: Sifted) -> None:
        for place, refused in sifted.refused.items():
            planned.refuse_all(indices[place], refused)
        for at, notice in sifted.doubts:
            code = f"{planned.kind.noun.name}-{(notice.field or 'record').replace('_', '-')}-doubted"
            severity = Severity.WARNING if notice.severity == "warning" else Severity.NOTE
            said = DomainError(notice.message, field=notice.field, expected=notice.expected, remedy=_LOOK, source=notice.source)
            if at is None:
                planned.findings.append(
                    Finding(
                        severity, code, str(said), sheet=planned.sheet, expected=said.expected, remedy=_LOOK, source=said.source
                    )
                )
            else:
                planned.tell(indices[at], severity, code, said)

    def _keep_sources(self, planned: PlannedRecords) -> None:
        indices = sorted(planned.made)
        sources = Sources(
            planned.kind.entity,
            [planned.made[index] for index in indices],
            [index not in planned.standing for index in indices],
            planned.sheet[:LONGEST],
            [planned.records.rows[index] for index in indices],
            [planned.column(index) for index in indices],
            [planned.records.raw[index] for index in indices],
        )
        record_sources(self.session, self.batch, sources)


def findings_of(blocks: Iterable[PlannedRecords]) -> list[Finding]:
    """Give what was found in the records of a file, in its order."""
    return [finding for planned in blocks for finding in planned.findings]
