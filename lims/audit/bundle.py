"""Packs an audit bundle: trail, source files, checkpoints, key and a check that needs Python and nothing else."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, or_, select, true
from sqlalchemy.orm import aliased

from lims.audit.canon import change_content, content_hash, leaf_hash
from lims.audit.checkpoint import make_checkpoint, signing_key
from lims.audit.replay import stream
from lims.audit.verify import Files
from lims.config import Settings
from lims.db import Database
from lims.models import AuditChange, AuditCheckpoint, AuditEvent, ImportBatch, StoredFile

CHUNK = 5_000
_PARTS = ("verify_bundle.py", "README.txt")


@dataclass(frozen=True, slots=True)
class BundleCounts:
    """What a bundle holds."""

    events: int
    sealed: int
    changes: int
    hidden: int
    files: int
    missing_files: int
    withheld: int
    """Changes of the project inside another project's sealed events; the bundle of everything shows them."""


def bundle(
    database: Database, settings: Settings, files: Files, destination: Path | IO[bytes], *, project: int | None = None
) -> BundleCounts:
    """Write a bundle as a zip archive, after making a checkpoint so that its end is attested.

    A project's bundle seals the events of others: their place in the chain stays, what they say does not leave the
    database. Events that belong to no project are shown where they changed a record of this one.

    Raises:
        OSError: the destination or the checkpoint folder cannot be written.
    """
    with database.transaction() as session:
        make_checkpoint(session, settings)
    snapshot = {"isolation_level": "REPEATABLE READ"} if database.dialect == "postgresql" else {}
    with (
        database.engine.connect().execution_options(**snapshot) as connection,
        zipfile.ZipFile(destination, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        packed = _Packing(connection, archive, project)
        events, sealed = packed.events()
        changes, hidden = packed.changes()
        stored, missing = packed.files(files)
        packed.checkpoints()
        archive.writestr("key.txt", f"{signing_key(settings).verifier}\n")
        for part in _PARTS:
            archive.writestr(part, resources.files("lims.audit.standalone").joinpath(part).read_text(encoding="utf-8"))
        return BundleCounts(events, sealed, changes, hidden, stored, missing, packed.withheld())


class _Packing:
    """One bundle in the making."""

    def __init__(self, connection: Connection, archive: zipfile.ZipFile, project: int | None) -> None:
        self.connection, self.archive, self.project = connection, archive, project
        self.shown = _shown(project)

    def events(self) -> tuple[int, int]:
        """Write the events, those of others sealed. Returns how many are shown and how many sealed."""
        counts = [0, 0]
        statement = select(AuditEvent.__table__, self.shown.label("shown")).order_by(AuditEvent.seq)
        with self._entry("events.jsonl") as entry:
            for rows in stream(self.connection, statement, size=CHUNK):
                lines = []
                for row in rows:
                    event = dict(row._mapping)
                    shown = event.pop("shown")
                    counts[not shown] += 1
                    lines.append(orjson.dumps(event if shown else _sealed(event), option=orjson.OPT_APPEND_NEWLINE))
                entry.write(b"".join(lines))
        return counts[0], counts[1]

    def changes(self) -> tuple[int, int]:
        """Write the changes of the events shown, other projects' as leaf hashes. Returns how many are shown and how many hidden."""
        counts = [0, 0]
        visible = set(self.connection.scalars(_file_ids(self.project)))
        statement = (
            select(AuditChange.__table__)
            .join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
            .where(self.shown)
            .order_by(AuditChange.event_seq, AuditChange.position)
        )
        with self._entry("changes.jsonl") as entry:
            for rows in stream(self.connection, statement, size=CHUNK):
                lines = []
                for seq, position, entity, key, project, fields in rows:
                    shown = self.project in (None, project) or (entity == "stored_file" and key in visible)
                    counts[not shown] += 1
                    head = f'{{"event":{seq},"position":{position},'
                    if shown:
                        of = "null" if project is None else project
                        lines.append(f'{head}"entity":"{entity}","key":{key},"project":{of},"fields":{fields}}}\n')
                    else:
                        lines.append(f'{head}"leaf":"{leaf_hash(change_content(entity, key, project, fields)).hex()}"}}\n')
                entry.write("".join(lines).encode())
        return counts[0], counts[1]

    def files(self, files: Files) -> tuple[int, int]:
        """Copy the source files. Returns how many, and how many the store has lost (the check names them)."""
        written = missing = 0
        wanted = select(StoredFile.sha256).where(StoredFile.id.in_(_file_ids(self.project))).order_by(StoredFile.id)
        for sha256 in self.connection.scalars(wanted).all():
            try:
                source = files.path(sha256).open("rb")
            except FileNotFoundError:
                missing += 1
                continue
            with source, self._entry(f"files/{sha256}") as entry:
                shutil.copyfileobj(source, entry)
            written += 1
        return written, missing

    def checkpoints(self) -> None:
        """Write every checkpoint that the database holds."""
        for rows in stream(self.connection, select(AuditCheckpoint.id, AuditCheckpoint.note).order_by(AuditCheckpoint.id)):
            for number, note in rows:
                self.archive.writestr(f"checkpoints/{number:06d}.txt", note)

    def withheld(self) -> int:
        """Count the project's changes in events that stay sealed."""
        if self.project is None:
            return 0
        joined = select(func.count()).select_from(AuditChange).join(AuditEvent, AuditEvent.seq == AuditChange.event_seq)
        return self.connection.scalar(joined.where(AuditChange.project_id == self.project, ~self.shown)) or 0

    def _entry(self, name: str) -> IO[bytes]:
        return self.archive.open(name, "w", force_zip64=True)


def _shown(project: int | None) -> ColumnElement[bool]:
    if project is None:
        return true()
    change = aliased(AuditChange)
    touched = select(change.position).where(change.event_seq == AuditEvent.seq, change.project_id == project).correlate(AuditEvent)
    return or_(AuditEvent.project_id == project, AuditEvent.project_id.is_(None) & touched.exists())


def _file_ids(project: int | None) -> Any:
    if project is None:
        return select(StoredFile.id)
    return select(ImportBatch.file_id).where(ImportBatch.project_id == project)


def _sealed(event: dict[str, Any]) -> dict[str, Any]:
    place = {name: event[name] for name in ("seq", "previous_hash", "hash")}
    return place | {"content": content_hash(event)}
