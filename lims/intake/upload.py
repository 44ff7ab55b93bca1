"""Takes a file in: stored by its hash first, then an import batch that points to it. Nothing is lost, whatever follows."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.errors import DomainError
from lims.domain.vocabulary import BatchState
from lims.intake.names import LONGEST_NAME
from lims.intake.store import FileStore
from lims.models import ImportBatch, Project, StoredFile, Study

DEAD = (BatchState.WITHDRAWN, BatchState.SUPERSEDED)


def receive(
    session: Session,
    actor: Actor,
    store: FileStore,
    project: Project,
    name: str,
    content: bytes | Path,
    *,
    study: Study | None = None,
    importer: str | None = None,
    choices: dict[str, str] | None = None,
    supersedes: ImportBatch | None = None,
) -> tuple[ImportBatch, bool]:
    """Store a file and open a batch for it. Returns the batch, and whether it is new.

    The same bytes again give the batch that has them already, in whatever state it is; a batch that is not yet committed
    takes over the new answers. `content` may be a file's place, where it is too large to hold.
    """
    file = _stored(session, actor, store, project, clean_file_name(name), content)
    batch = _standing(session, project, file)
    if batch is not None:
        _take_over(batch, study, importer, choices or {}, supersedes)
        return batch, False
    batch = ImportBatch(
        project_id=project.id,
        file_id=file.id,
        file_name=clean_file_name(name),
        study_id=study.id if study else None,
        state=BatchState.STORED,
        importer=importer,
        choices=_given(choices or {}),
        profile_version_id=None,  # said, so that the trail has an old value where a profile is found in the same transaction
        uploaded_by_id=actor.id,
        uploaded_at=datetime.now(UTC),
        supersedes_id=supersedes.id if supersedes else None,
    )
    session.add(batch)
    session.flush()
    return batch, True


def _take_over(
    batch: ImportBatch, study: Study | None, importer: str | None, choices: dict[str, str], supersedes: ImportBatch | None
) -> None:
    if batch.state is not BatchState.COMMITTED:
        answer(batch, study=study, importer=importer, choices=choices)
        batch.supersedes_id = supersedes.id if supersedes else batch.supersedes_id


def _standing(session: Session, project: Project, file: StoredFile) -> ImportBatch | None:
    own = ImportBatch.project_id == project.id, ImportBatch.file_id == file.id
    return session.scalar(select(ImportBatch).where(*own, ImportBatch.state.not_in(DEAD)))


def _stored(session: Session, actor: Actor, store: FileStore, project: Project, name: str, content: bytes | Path) -> StoredFile:
    """Store the bytes by their hash, once however often they come."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if not size:
        raise DomainError(
            f'The file "{name}" is empty.', expected="a table with a header row", remedy="Export it again and upload that."
        )
    sha256 = store.put(content)
    declare(session, actor, "batch:store", project=project.id)
    file = session.scalar(select(StoredFile).where(StoredFile.sha256 == sha256))
    if file is None:
        file = StoredFile(sha256=sha256, size=size, stored_at=datetime.now(UTC))
        session.add(file)
        session.flush()
    return file


def clean_file_name(name: str) -> str:
    """Give a file's name as it is shown: without folders, with `_` for what does not show, its last 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join("_" if unicodedata.category(one).startswith("C") else one for one in last)[-LONGEST_NAME:] or "file"


def answer(batch: ImportBatch, *, study: Study | None = None, importer: str | None = None, choices: dict[str, str]) -> None:
    """Keep a person's answers to what the file leaves open."""
    if study is not None:
        batch.study_id = study.id
    if importer is not None:
        if batch.profile_version is not None and batch.profile_version.importer != importer:
            read_by(batch, None)
        batch.importer = importer
    merged = _given({**batch.choices, **choices})
    if merged != batch.choices:
        batch.choices = merged


def _given(choices: dict[str, str]) -> dict[str, str]:
    """Give the answers that say anything: a blank one takes an answer back."""
    return {key: value for key, value in choices.items() if value}


def read_by(batch: ImportBatch, version_id: int | None) -> None:
    """Keep which version of a profile reads a batch, if any, inside a declared action."""
    if batch.profile_version_id != version_id:
        batch.profile_version_id = version_id
