"""Recognises a file by its headers as one that a profile of the project reads, and says what differs where one nearly does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from importers.base import Finding, Refused, Severity
from importers.columns import squash
from importers.identify import identify
from importers.mapped_table import IMPORTER as MAPPED_TABLE
from importers.mapping import difference, rows_of, same_headers, signature
from importers.preflight import MAX_UPLOAD_BYTES
from importers.sheets import Workbook
from importers.streams import open_long_text
from importers.workbook import open_workbook
from lims.audit.record import Actor, declare
from lims.db import Database
from lims.domain.vocabulary import BatchState
from lims.intake.judge import Opened
from lims.intake.store import FileStore
from lims.intake.upload import read_by, receive
from lims.models import ImportBatch, ImportProfileVersion, Project, Study
from lims.queries.import_profiles import latest_versions, profile_named
from lims.records.import_profiles import EVERY_FILE, READER_ANSWERS

LEAST_ALIKE = 0.5
"""Share of a profile's headers that a file must have to be compared with it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A profile's latest version, free of the database: it travels to the child that reads the file."""

    id: int
    name: str
    number: int
    importer: str
    choices: dict[str, str]
    signature: tuple[str, ...]
    study_id: int | None

    @property
    def title(self) -> str:
        """Name it in a sentence."""
        return f'profile "{self.name}" (version {self.number})'

    @property
    def every_file(self) -> bool:
        """Tell whether it is for all files of its format."""
        return self.signature == (EVERY_FILE,)


def known_profiles(session: Session, project_id: int) -> list[Known]:
    """Give the profiles that recognise files of a project."""
    return [_known(version) for version in latest_versions(session, project_id)]


def _known(version: ImportProfileVersion) -> Known:
    return Known(
        version.id,
        version.profile.name,
        version.number,
        version.importer,
        version.choices,
        tuple(version.signature),
        version.study_id,
    )


def recognise(path: Path, name: str, choices: dict[str, str], profiles: Sequence[Known]) -> Known | None:
    """Give the one profile whose headers stand in the file, in whatever order; else the one of all files of its format.

    A text is cut as each profile says. `None` where no profile knows the file, where several do, or where it cannot be opened:
    that is said by whoever reads it.
    """
    found = []
    for answers in dict.fromkeys(_reader_answers(one) for one in profiles):
        book = _opened(path, name, {**dict(answers), **choices})
        headers = [signature(row) for _, _, row in rows_of(book)] if book else []
        found += [
            one for one in profiles if _reader_answers(one) == answers and any(same_headers(row, one.signature) for row in headers)
        ]
    return found[0] if len(found) == 1 else None if found else _of_format(path, name, choices, profiles)


def _of_format(path: Path, name: str, choices: dict[str, str], profiles: Sequence[Known]) -> Known | None:
    """Give the profile of every file that one importer recognises, if that is the one to recognise this file."""
    general = {one.importer: one for one in profiles if one.every_file}
    book = _opened(path, name, choices) if general else None
    try:
        return general.get(identify(book).importer) if book else None
    except Refused:
        return None


def _reader_answers(known: Known) -> tuple[tuple[str, str], ...]:
    return tuple((key, known.choices[key]) for key in READER_ANSWERS if key in known.choices)


def _opened(path: Path, name: str, choices: dict[str, str]) -> Workbook | None:
    try:
        book = open_long_text(path, name, choices)
        if book is None and path.stat().st_size <= MAX_UPLOAD_BYTES:
            book = open_workbook(path.read_bytes(), name, choices)
    except Refused:
        return None
    return book


def nearest(book: Workbook, profiles: Iterable[Known]) -> tuple[Known, str] | None:
    """Give the profile whose headers are most like those of a file, and what differs; `None` where none is half alike."""
    best: tuple[float, Known, str] | None = None
    rows = [signature(row) for _, _, row in rows_of(book)]
    for one in profiles:
        for row in rows:
            alike = len(set(map(squash, one.signature)) & set(map(squash, row))) / max(len(one.signature), 1)
            if alike >= LEAST_ALIKE and (best is None or alike > best[0]):
                best = alike, one, difference(one.signature, row)
    return None if best is None else (best[1], best[2])


def _unlike(near: tuple[Known, str]) -> Finding:
    """Say why a profile did not read a file that is much like its own."""
    known, differs = near
    return Finding(
        Severity.NOTE,
        "profile-differs",
        f"The headers are not those of {known.title}, so it was not read by it: {differs}.",
        expected="the headers of the profile",
        remedy="If it is the same source, map its columns and save that as a new version of the profile.",
    )


def use_profile(batch: ImportBatch, known: Known) -> None:
    """Read a batch by a profile, inside a declared action: its importer and answers, unless a person gave others, and its study."""
    read_by(batch, known.id)
    batch.importer = known.importer
    batch.study_id = batch.study_id or known.study_id
    batch.choices = {**known.choices, **batch.choices}


def recognise_batch(database: Database, actor: Actor, batch_id: int, store: FileStore) -> Recognised:
    """Find the profile that a batch is read by, and keep it with the batch; one that somebody said how to read is left alone."""
    with database.reading() as session:
        batch = session.get_one(ImportBatch, batch_id)
        if batch.importer is not None:
            return Recognised(_known(batch.profile_version) if batch.profile_version else None)
        profiles = known_profiles(session, batch.project_id)
        if not profiles:
            return Recognised()
        sha256, name, choices = batch.file.sha256, batch.file_name, batch.choices
    known = recognise(store.checked(sha256), name, choices, profiles)
    if known is None:
        return Recognised(others=tuple(profiles))
    with database.transaction() as session:
        batch = session.get_one(ImportBatch, batch_id)
        declare(session, actor, "batch:check", project=batch.project_id, reason=f"recognised by {known.title}")
        use_profile(batch, known)
    return Recognised(known)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The profile that a file is read by, or those by which it might have been."""

    by: Known | None = None
    others: tuple[Known, ...] = ()

    def told(self, opened: Opened) -> Opened:
        """Let what was read say which profile it was read by, or why not by the one that is most like it."""
        if self.by is not None:
            rest = () if opened.claim.importer == MAPPED_TABLE.key else opened.claim.evidence
            said = "is for every file of this format" if self.by.every_file else "knows these headers"
            return replace(opened, claim=replace(opened.claim, evidence=(f"{self.by.title} {said}", *rest)))
        near = nearest(opened.book, self.others) if opened.claim.importer in {one.importer for one in self.others} else None
        if near is None:
            return opened
        return replace(opened, reading=replace(opened.reading, findings=(*opened.reading.findings, _unlike(near))))

    @contextmanager
    def explaining(self, path: Path, name: str, choices: dict[str, str]) -> Iterator[None]:
        """Let the refusal of a file that no importer knows say which profile it is most like, and what differs."""
        try:
            yield
        except Refused as refused:
            found = refused.finding
            book = _opened(path, name, choices) if self.others and found.code == "format-unknown" else None
            near = nearest(book, self.others) if book else None
            if near is None:
                raise
            said = f"{found.message}. It is most like the files of {near[0].title}: {near[1]}"
            remedy = "map its columns on the mapping page, which opens as the profile says, or correct the headers and upload again"
            raise Refused(found.code, said, expected=found.expected, remedy=remedy) from refused


def receive_by_profile(
    session: Session,
    actor: Actor,
    store: FileStore,
    project: Project,
    name: str,
    content: bytes | Path,
    profile: str,
    *,
    study: Study | None = None,
    choices: dict[str, str] | None = None,
    supersedes: ImportBatch | None = None,
) -> tuple[ImportBatch, bool]:
    """Store a file to be read by the profile that a person names, whatever its headers; answers given here go before its own.

    Raises:
        NotFound: the project has no such profile.
    """
    known = _known(profile_named(session, project.id, profile))
    study = study or (session.get(Study, known.study_id) if known.study_id else None)
    answers = {**known.choices, **{key: value for key, value in (choices or {}).items() if value}}
    batch, new = receive(
        session,
        actor,
        store,
        project,
        name,
        content,
        study=study,
        importer=known.importer,
        choices=answers,
        supersedes=supersedes,
    )
    if batch.state is not BatchState.COMMITTED:
        read_by(batch, known.id)
    return batch, new
