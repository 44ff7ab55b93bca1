"""Verifies the trail: chain, Merkle roots, sequence, checkpoints, stored files, and the live tables by replay."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, select, text

from lims.audit.canon import GENESIS, canonical, event_hash, leaf_hash, merkle_root
from lims.audit.checkpoint import CheckpointError, VerifierKey, read_note
from lims.audit.problems import Problem, Progress, Report
from lims.audit.replay import collector_paused, plain_rows, replay, stream
from lims.audit.words import record_name
from lims.db import Database
from lims.models import AuditCheckpoint, AuditEvent

CHUNK = 10_000
_EVENTS = select(AuditEvent.__table__).order_by(AuditEvent.seq)
_CHANGES = "SELECT event_seq, position, entity, key, project_id, fields FROM audit_change ORDER BY event_seq, position"
_FILES = text(
    "SELECT f.sha256, f.size, f.id, min(b.id), min(b.file_name) FROM stored_file f "
    "LEFT JOIN import_batch b ON b.file_id = f.id GROUP BY f.id, f.sha256, f.size ORDER BY f.id"
)


class Files(Protocol):
    """The store of uploaded files."""

    def path(self, sha256: str) -> Path:
        """Give the place of a file."""
        ...


def verify(
    database: Database,
    *,
    progress: Progress | None = None,
    files: Files | None = None,
    key: VerifierKey | None = None,
    checkpoints: Iterable[str] = (),
) -> Report:
    """Check everything the trail can prove; reads one consistent state and changes nothing.

    Args:
        database: the database to check.
        progress: called with what is being checked and how much of it is done.
        files: the store whose files are hashed again; left out, files are not checked.
        key: the public half of the checkpoints' key; left out, signatures are not checked and a remark says so.
        checkpoints: notes kept outside the database. They prove most: whoever rewrites the trail cannot reach them.
    """
    report = Report()
    snapshot = {"isolation_level": "REPEATABLE READ"} if database.dialect == "postgresql" else {}
    with database.engine.connect().execution_options(**snapshot) as connection, collector_paused():
        notes = [*connection.scalars(select(AuditCheckpoint.note).order_by(AuditCheckpoint.id)), *checkpoints]
        _Chain(connection, report).run(notes, key, progress)
        replay(connection, report, progress)
        if files is not None:
            _check_files(connection, files, report)
    return report


class _Chain:
    """Events in order, each with its changes."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self.connection, self.report = connection, report
        self.segments = _segments(connection)
        self.segment = next(self.segments, None)

    def run(self, notes: Sequence[str], key: VerifierKey | None, progress: Progress | None) -> None:
        """Check the chain and then the checkpoints against it."""
        attested = _read_notes(notes, key, self.report)
        hashes = {0: GENESIS}
        wanted = {note.seq for note in attested}
        seq, previous = 0, GENESIS
        for rows in stream(self.connection, _EVENTS, size=CHUNK):
            for row in rows:
                event = dict(row._mapping)
                self._check_event(event, seq, previous)
                seq, previous = event["seq"], event["hash"]
                if seq in wanted:
                    hashes[seq] = previous
            self.report.events += len(rows)
            if progress:
                progress("audit_event", self.report.events)
        self._orphans(None)
        for note in attested:
            self._check_note(note.seq, note.hash, note.at, seq, hashes)

    def _check_event(self, event: dict[str, Any], last: int, previous: str) -> None:
        seq = event["seq"]
        self._orphans(seq)
        if seq != last + 1:
            which = f"event {last + 1} is" if seq == last + 2 else f"events {last + 1} to {seq - 1} are"
            self._add("event missing", f"The trail has a gap: {which} missing.", last + 1)
        elif event["previous_hash"] != previous:
            self._add(
                "chain broken",
                f"{_named(event)} does not follow event {last}: one of the two was written anew or moved.",
                seq,
                expected=previous,
                found=event["previous_hash"],
            )
        computed = event_hash(event)
        if computed != event["hash"]:
            sentence = f"{_named(event)} was changed after it was written: its hash does not fit what it says."
            self._add("event changed", sentence, seq, expected=event["hash"], found=computed)
        self._check_changes(event)

    def _check_changes(self, event: dict[str, Any]) -> None:
        positions: list[int] = []
        leaves: list[bytes] = []
        while self.segment is not None and self.segment[0] == event["seq"]:
            positions += self.segment[1]
            leaves += self.segment[2]
            self.segment = next(self.segments, None)
        self.report.changes += len(leaves)
        number = event["changes"]
        if positions != list(range(number)):
            there = set(positions)
            for position in [one for one in range(number) if one not in there][:100]:
                sentence = f"{_named(event)} made {number} changes; change {position + 1} is missing."
                self._add("change missing", sentence, event["seq"], position=position)
            for position in sorted(there - set(range(number)))[:100]:
                sentence = f"{_named(event)} made {number} changes; change {position + 1} was added to it later."
                self._add("change added", sentence, event["seq"], position=position)
        elif (root := merkle_root(leaves)) != event["root"]:
            sentence = f"{_named(event)}: one of its {number} changes is not what it was when the event was written."
            self._add("change changed", sentence, event["seq"], expected=event["root"], found=root)

    def _orphans(self, before: int | None) -> None:
        """Report changes whose event is gone: those that come before event `before`."""
        while self.segment is not None and (before is None or self.segment[0] < before):
            seq, positions, leaves = self.segment
            self.report.changes += len(leaves)
            sentence = f"The trail holds {len(positions)} changes of event {seq}, but not the event itself."
            self._add("event missing", sentence, seq)
            self.segment = next(self.segments, None)

    def _check_note(self, size: int, attested: str, at: str, last: int, hashes: dict[int, str]) -> None:
        if size > last:
            sentence = (
                f"The checkpoint of {at} attests {size} events, but the trail ends at event {last}: "
                "its end was cut off, or an older backup was restored."
            )
            self._add("tail cut", sentence, size, expected=size, found=last)
        elif size in hashes and hashes[size] != attested:
            sentence = f"The checkpoint of {at} attests another event {size} than the trail holds: the trail was written anew."
            self._add("chain rebuilt", sentence, size, expected=attested, found=hashes[size])

    def _add(self, kind: str, sentence: str, event: int, **more: Any) -> None:
        self.report.add(Problem(kind, sentence, event=event, **more))


def _segments(connection: Connection) -> Iterator[tuple[int, Sequence[int], list[bytes]]]:
    """Give runs of changes of one event: its number, their positions and leaf hashes."""
    for rows in plain_rows(connection, _CHANGES, CHUNK):
        # As JSON, so that NULL, 0 and somebody's text 'null' stay three things.
        of = {project: canonical(project) for project in {row[4] for row in rows}}
        # The same bytes as `canon.change_content`, without another call a row.
        leaves = [
            leaf_hash(f'{{"entity":"{entity}","fields":{fields},"key":{key},"project":{of[project]}}}'.encode())
            for _, _, entity, key, project, fields in rows
        ]
        seqs, positions = [row[0] for row in rows], [row[1] for row in rows]
        start = 0
        while start < len(seqs):
            end = bisect_right(seqs, seqs[start], lo=start)
            yield seqs[start], positions[start:end], leaves[start:end]
            start = end


def _named(event: dict[str, Any]) -> str:
    return f"Event {event['seq']} ({event['action']}, {event['actor']}, {event['at'][:19].replace('T', ' ')} UTC)"


def _read_notes(notes: Sequence[str], key: VerifierKey | None, report: Report) -> list[Any]:
    attested = []
    for text_of_note in dict.fromkeys(notes):
        try:
            note = read_note(text_of_note)
        except CheckpointError as unreadable:
            report.add(Problem("checkpoint unreadable", f"A checkpoint cannot be read: {unreadable}."))
            continue
        if key is not None and not note.signed_by(key):
            sentence = (
                f"The checkpoint of {note.at} over {note.seq} events is not signed by the key {key.name}: it is forged or damaged."
            )
            report.add(Problem("checkpoint forged", sentence, event=note.seq))
            continue
        attested.append(note)
    report.checkpoints = len(attested)
    if attested and key is None:
        report.remarks.append("No key was given: the signatures of the checkpoints were not checked.")
    if not attested:
        report.remarks.append("There is no checkpoint: a trail whose end was cut off would not be noticed.")
    return attested


def _check_files(connection: Connection, files: Files, report: Report) -> None:
    for sha256, _size, number, batch, name in connection.execute(_FILES):
        whose = f"{name!r} of {record_name('import_batch', batch)}" if batch else record_name("stored_file", number)
        try:
            with files.path(sha256).open("rb") as stream_of_file:
                found = hashlib.file_digest(stream_of_file, "sha256").hexdigest()
        except FileNotFoundError:
            sentence = f"The stored file {whose} is missing from the file store (SHA-256 {sha256})."
            report.add(Problem("file missing", sentence, entity="stored_file", key=number, expected=sha256))
            continue
        if found != sha256:
            sentence = f"The stored file {whose} was changed on disk: its SHA-256 is {found}, not {sha256}."
            report.add(Problem("file changed", sentence, entity="stored_file", key=number, expected=sha256, found=found))
